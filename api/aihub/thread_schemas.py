"""Threads and messages as AIHub's documents show them."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, PlainSerializer

from api.message_facts import seconds_of
from api.schemas import Answer, Moment
from core.categories.types import CategoryInfo
from core.chat.types import Message, MessageStatus, ThreadDetails
from core.i18n import DEFAULT_LANGUAGE
from core.pricing.types import CallCost
from core.providers.types import Role, TokenUsage

Amount = Annotated[Decimal, PlainSerializer(float, return_type=float)]
"""Money in JSON: a number of whole units, with as many decimals as it takes."""


class CategoryAnswer(Answer):
    id: int
    user_id: int
    name: str
    description: str | None
    color: str
    created_at: Moment
    updated_at: Moment


class TokensAnswer(Answer):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ThreadAnswer(Answer):
    id: int
    uuid: str
    user_id: int
    title: str
    provider: str
    model: str
    category_id: int | None
    is_pinned: bool
    is_archived: bool
    created_at: Moment
    updated_at: Moment
    last_message_at: Moment
    message_count: int
    category: CategoryAnswer | None


class MessageAnswer(Answer):
    """`tokens`: of an answer its own, reasoning included; of a question null unless a program said them."""

    id: int
    thread_id: int
    role: Role
    content: str
    tokens: int | None
    model: str | None
    provider: str | None
    meta_data: dict[str, Any] = Field(description="Of an answer: its tokens, cost and how it went.")
    created_at: Moment


class FullThreadAnswer(ThreadAnswer):
    messages: list[MessageAnswer]


def category_answer(category: CategoryInfo | None) -> CategoryAnswer | None:
    return None if category is None else CategoryAnswer.model_validate(category)


def thread_answer(details: ThreadDetails) -> ThreadAnswer:
    """A thread as it stands in a list."""
    return ThreadAnswer(**_thread_values(details))


def full_thread_answer(details: ThreadDetails, messages: list[MessageAnswer]) -> FullThreadAnswer:
    """A thread with its messages."""
    return FullThreadAnswer(**_thread_values(details), messages=messages)


def message_answer(message: Message, language: str = DEFAULT_LANGUAGE) -> MessageAnswer:
    """A message; what went wrong with an answer is said in `language`."""
    estimated = message.role is Role.USER and message.tokens_estimated
    return MessageAnswer(
        id=message.id,
        thread_id=message.thread_id,
        role=message.role,
        content=message.content,
        tokens=None if estimated else message.tokens,
        model=message.model,
        provider=message.provider,
        meta_data=_meta(message, language) if message.request_id else dict(message.meta),
        created_at=message.created_at,
    )


def tokens_answer(usage: TokenUsage) -> TokensAnswer:
    """The prompt's tokens include cached ones, the completion's include reasoning."""
    return TokensAnswer(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
    )


def cost_number(cost: CallCost | None) -> float | None:
    """What a call cost in units of its currency; None when nobody knows."""
    return None if cost is None or cost.amount is None else float(cost.amount.decimal)


def _thread_values(details: ThreadDetails) -> dict[str, Any]:
    thread = details.thread
    names = set(ThreadAnswer.model_fields) - {"message_count", "category"}
    values = {name: getattr(thread, name) for name in names}
    return {
        **values,
        "message_count": details.message_count,
        "category": category_answer(details.category),
    }


def _meta(message: Message, language: str) -> dict[str, Any]:
    """The documented three, then what else a program may want to know; nothing of an answer still being written."""
    meta: dict[str, Any] = {"with_context": message.with_context, "status": message.status.value}
    if message.status is MessageStatus.STREAMING:
        return meta
    usage = message.usage
    meta = {
        "tokens": tokens_answer(usage).model_dump() if usage else None,
        "cost": cost_number(message.cost),
        "currency": message.cost.amount.currency if message.cost and message.cost.amount else None,
        **meta,
        "tokens_estimated": usage.estimated if usage else None,
        "finish_reason": message.finish_reason,
        "from_cache": message.from_cache,
        "processing_time": seconds_of(message),
    }
    if message.tool_calls:
        meta["tool_calls"] = [
            {"id": call.id, "name": call.name, "arguments": dict(call.arguments)}
            for call in message.tool_calls
        ]
    if message.error is not None:
        error = message.error
        meta["error"] = {"error_message": error.text(language), "error_type": error.error_type}
    return meta
