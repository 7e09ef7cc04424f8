"""/api/threads/completion and /api/threads/token-count: models without a thread."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.aihub.thread_bodies import (
    Flag,
    MaxTokens,
    ModelName,
    ProviderName,
    SystemPrompt,
    Temperature,
    Text,
)
from api.aihub.thread_schemas import TokensAnswer, cost_number, tokens_answer
from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Answer, Body
from core.accounts.types import Scope
from core.chat.wording import MAX_MESSAGE_CHARS, checked_message
from core.generation.model_names import clean_model
from core.generation.sampling import checked_system_prompt
from core.generation.types import Outcome
from core.providers.types import ChatMessage, CompletionRequest, FinishReason, Role
from core.usage.types import Source

router = APIRouter(
    prefix="/api/threads", tags=["completion"], responses=ERRORS, dependencies=[needs(Scope.CHAT)]
)


class CompletionBody(Body):
    """A prompt that belongs to no thread. `use_cache`: an equal request of before may answer; null as the user's
    preference for the model says."""

    provider: ProviderName
    model: ModelName
    prompt: Text
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    system_prompt: SystemPrompt | None = None
    use_cache: Flag | None = None

    def request(self) -> CompletionRequest:
        """What is asked of the model. AppError(VALIDATION)."""
        return CompletionRequest(
            self.model,
            (ChatMessage(Role.USER, checked_message(self.prompt)),),
            system_prompt=checked_system_prompt(self.system_prompt),
            temperature=self.temperature,
            max_output_tokens=self.max_tokens,
        )


class CompletionAnswer(Answer):
    """`provider` and `model` are those that answered. `cost` in units of `currency`; null when nobody knows it."""

    text: str
    model: str
    provider: str
    tokens: TokensAnswer
    cost: float | None
    from_cache: bool
    currency: str | None
    finish_reason: FinishReason | None


class TextBody(Body):
    """A text whose tokens are to be counted."""

    provider: ProviderName
    model: ModelName
    text: Annotated[
        str,
        Field(
            max_length=MAX_MESSAGE_CHARS,
            examples=["Проанализируй текст Пушкина «Евгений Онегин» и выдели основные темы произведения"],
        ),
    ]


class TokenCountAnswer(Answer):
    """`estimated`: the provider did not count itself."""

    token_count: int
    estimated: bool


@router.post("/completion")
async def complete(hub: Hub, caller: Caller, body: CompletionBody) -> CompletionAnswer:
    """Answer a prompt that is stored in no thread; it counts in the statistics."""
    generation = await hub.models.complete_on_loop(
        caller.account.id, body.provider, body.request(), Source.API, use_cache=body.use_cache
    )
    outcome = await generation.wait_async()
    # An answer that the ledger cannot take yet was paid for all the same, and the engine keeps trying.
    if outcome.error is not None:
        raise outcome.error
    return _completion(outcome)


@router.post("/token-count")
async def count_tokens(hub: Hub, caller: Caller, body: TextBody) -> TokenCountAnswer:
    """How many tokens a text has for a model."""
    request = CompletionRequest(clean_model(body.model), (ChatMessage(Role.USER, body.text),))
    counted = await hub.models.count_tokens_on_loop(caller.account.id, body.provider, request)
    return TokenCountAnswer(token_count=counted.tokens, estimated=counted.estimated)


def _completion(outcome: Outcome) -> CompletionAnswer:
    model = outcome.answered_by
    assert model is not None, "the engine always knows whom it asked"
    return CompletionAnswer(
        text=outcome.text,
        model=model.model,
        provider=model.provider,
        tokens=tokens_answer(outcome.usage),
        cost=cost_number(outcome.cost),
        from_cache=outcome.from_cache,
        currency=outcome.cost.amount.currency if outcome.cost.amount else None,
        finish_reason=outcome.finish_reason,
    )
