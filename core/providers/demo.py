"""Demo: a provider that needs no key and no network, so that a first run shows everything.

It is no model and says so. The same question always gets the same answer.
"""

import asyncio
import re
from collections.abc import AsyncGenerator

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.demo_answers import ENGLISH, RUSSIAN
from core.providers.embedding import EmbeddingRequest
from core.providers.estimate import estimate_prompt_tokens, estimate_tokens
from core.providers.requests import check_embedding, check_request
from core.providers.types import (
    Capability,
    CompletionRequest,
    ConnectionReport,
    FinishReason,
    ModelInfo,
    PreparedRequest,
    ProviderInfo,
    Role,
    StreamEnd,
    StreamEvent,
    TextDelta,
    TokenUsage,
    UsageReport,
)

MODEL = ModelInfo("demo", "Demo")
INFO = ProviderInfo(
    id="demo",
    label="Demo",
    capabilities=frozenset({Capability.STREAM, Capability.USAGE_IN_STREAM, Capability.LIST_MODELS}),
    suggested_models=(MODEL,),
    free_reason="offline demo",
    notice=N_("offline demo, not a model"),
)

_ECHO = 160  # characters of the question that the answer repeats


class DemoProvider:
    """Answers offline, word by word at a human pace; usage is estimated."""

    def __init__(self, words_per_second: float = 32) -> None:
        """`words_per_second`: `float("inf")` in tests."""
        self._pause = 1 / words_per_second

    @property
    def info(self) -> ProviderInfo:
        """What this provider is and can do."""
        return INFO

    def __repr__(self) -> str:
        return "<DemoProvider demo>"

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamEvent, None]:
        """See Provider.stream."""
        if request.model != MODEL.id:
            raise AppError(
                ErrorKind.UNKNOWN_MODEL,
                N_("The demo has one model, “{known}”, and no model “{model}”. Pick another model."),
                known=MODEL.id,
                model=request.model[:100],
            )
        check_request(INFO, request)
        limit = request.max_output_tokens
        said, end = "", StreamEnd(FinishReason.STOP, "stop")
        for word in re.findall(r"\S+\s*|\s+", _answer(request)):
            if limit is not None and estimate_tokens(said + word) > limit:
                end = StreamEnd(FinishReason.LENGTH, "length")
                break
            await asyncio.sleep(self._pause)
            said += word
            yield TextDelta(word)
        yield UsageReport(
            TokenUsage(
                input_tokens=estimate_prompt_tokens(request),
                output_tokens=estimate_tokens(said),
                estimated=True,
            )
        )
        yield end

    def embed(self, request: EmbeddingRequest) -> AsyncGenerator[StreamEvent, None]:
        """Always refuses: an invented vector would look like a real one."""
        check_embedding(INFO, request)
        raise NotImplementedError

    async def models(self) -> tuple[ModelInfo, ...]:
        """The one model there is."""
        return (MODEL,)

    async def check(self) -> ConnectionReport:
        """Always works."""
        return ConnectionReport(models=1)

    async def prepare(self, request: CompletionRequest) -> PreparedRequest:
        """What it reads of a request; nothing is ever sent."""
        roles = [{"role": message.role.value, "content": message.text} for message in request.messages]
        return PreparedRequest("POST", "demo:", {"model": request.model, "messages": roles})

    async def count_tokens(self, request: CompletionRequest) -> int | None:
        """There is no tokenizer behind it."""
        return None

    async def aclose(self) -> None:
        """Nothing to close."""


def _answer(request: CompletionRequest) -> str:
    asked = next((m.text for m in reversed(request.messages) if m.role is Role.USER), "")
    template = RUSSIAN if _mostly_cyrillic(asked) else ENGLISH
    return template.replace("<asked>", _quoted(asked))


def _quoted(text: str) -> str:
    """The beginning of `text` as inline code, where Markdown, HTML, formulas and directives mean nothing."""
    line = " ".join(text[: _ECHO * 10].replace("`", "'").split())
    return f"`{line if len(line) <= _ECHO else line[:_ECHO].rstrip() + '…'}`" if line else "…"


def _mostly_cyrillic(text: str) -> bool:
    cyrillic = sum(map(len, re.findall(r"[\u0400-\u04ff]+", text[:10_000])))
    latin = sum(map(len, re.findall(r"[A-Za-z]+", text[:10_000])))
    return cyrillic > latin
