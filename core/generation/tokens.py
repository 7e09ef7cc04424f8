"""How many tokens a request is, before it is sent."""

import logging
from dataclasses import dataclass

import anyio

from core.errors import AppError, ErrorKind
from core.providers.estimate import estimate_prompt_tokens
from core.providers.registry import ProviderRegistry
from core.providers.types import Capability, CompletionRequest

_logger = logging.getLogger(__name__)

COUNT_SECONDS = 3.0  # somebody is typing and looks at the figure


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Input tokens; `estimated` when the provider did not count them itself."""

    tokens: int
    estimated: bool


async def count_tokens(
    registry: ProviderRegistry, user_id: int, provider: str, completion: CompletionRequest
) -> TokenCount:
    """The provider's own count; our estimate where it offers none, cannot be asked, or takes over 3 s.

    On the engine's loop. AppError only as in `ProviderRegistry.info`.
    """
    try:
        with anyio.move_on_after(COUNT_SECONDS):
            adapter = (await registry.route_on_loop(provider, user_id)).provider
            if Capability.COUNT_TOKENS in adapter.info.capabilities:
                counted = await adapter.count_tokens(completion)
                if counted is not None:
                    return TokenCount(counted, estimated=False)
    except AppError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            raise
        _logger.info("%s did not count tokens (%s)", provider, error.kind)
    return TokenCount(estimate_prompt_tokens(completion), estimated=True)
