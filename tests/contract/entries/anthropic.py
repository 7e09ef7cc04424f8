"""Anthropic under contract."""

from core.providers.anthropic import AnthropicProvider
from core.providers.types import Provider
from tests.contract.adapter import KEY, Adapter
from tests.fakes import anthropic_server


def _anthropic(url: str, key: str = KEY, timeout: float = 20) -> Provider:
    return AnthropicProvider(key, url, timeout)


ANTHROPIC = Adapter(
    "anthropic",
    "claude-sonnet-5-5",
    _anthropic,
    anthropic_server,
    anthropic_server.AnthropicServer,
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_API_KEY",
)
