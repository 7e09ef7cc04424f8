"""Between stored rows and what crosses the door."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from core.chat import tables
from core.chat.types import AttachmentInfo, Message, MessageStatus, Thread
from core.errors import AppError, ErrorKind
from core.generation.cache import tool_call_of, tool_call_values
from core.generation.types import Outcome
from core.pricing.types import CallCost, Money
from core.providers.types import FinishReason, Role, TokenUsage
from core.store.text import storable
from core.usage.types import CallStatus

STATUS_AFTER = {
    CallStatus.COMPLETED: MessageStatus.COMPLETE,
    CallStatus.STOPPED: MessageStatus.STOPPED,
    CallStatus.INTERRUPTED: MessageStatus.INTERRUPTED,
    CallStatus.FAILED: MessageStatus.FAILED,
}


def thread_of(row: tables.Thread) -> Thread:
    return Thread(
        id=row.id,
        uuid=row.uuid,
        user_id=row.user_id,
        title=row.title,
        provider=row.provider,
        model=row.model,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_message_at=row.last_message_at,
        category_id=row.category_id,
        is_pinned=row.is_pinned,
        is_archived=row.is_archived,
        system_prompt=row.system_prompt,
        max_tokens=row.max_tokens,
        temperature=row.temperature,
    )


def message_of(row: tables.Message, attachments: Sequence[AttachmentInfo] = ()) -> Message:
    return Message(
        id=row.id,
        role=Role(row.role),
        content=row.content,
        status=MessageStatus(row.status),
        created_at=row.created_at,
        provider=row.provider,
        model=row.model,
        request_id=row.request_id,
        usage=TokenUsage(**row.usage) if row.usage else None,
        cost=_cost_of(row),
        finish_reason=(row.finish_reason or "").partition(":")[0] or None,
        raw_reason=(row.finish_reason or "").partition(":")[2],
        latency_ms=row.latency_ms,
        first_token_ms=row.first_token_ms,
        error=_error_of(row),
        tool_calls=tuple(tool_call_of(stored) for stored in row.tool_calls or ()),
        attempts=row.attempts,
        from_cache=bool(row.from_cache),
        fallback_from=row.fallback_from,
        flag=row.flag,
        attachments=tuple(attachments),
        thread_id=row.thread_id,
        tokens=row.tokens,
        tokens_estimated=bool(row.tokens_estimated),
        with_context=row.with_context,
        meta=row.meta or {},
    )


def outcome_values(outcome: Outcome) -> dict[str, Any]:
    """The columns of an answer that ended."""
    amount, error, model = outcome.cost.amount, outcome.error, outcome.answered_by
    return {
        "content": outcome.text,
        "status": STATUS_AFTER[outcome.status].value,
        "usage": asdict(outcome.usage),
        "tokens": outcome.usage.output_tokens,
        "tokens_estimated": outcome.usage.estimated,
        "cost_nano": amount.nano if amount else None,
        "currency": amount.currency if amount else None,
        "price_source": outcome.cost.source[:200],
        "finish_reason": _finish_reason(outcome),
        "latency_ms": outcome.latency_ms,
        "first_token_ms": outcome.first_token_ms,
        "error_kind": error.kind.value if error else None,
        "error_message": error.message if error else None,
        "error_params": error.params if error else None,
        "owner": None,
        "heartbeat_at": None,
        "tool_calls": [tool_call_values(call) for call in outcome.tool_calls] or None,
        "attempts": outcome.attempts,
        "from_cache": outcome.from_cache,
        "fallback_from": str(outcome.fallback_from) if outcome.fallback_from else None,
        "flag": outcome.flag[:200] if outcome.flag else None,
        **({"provider": model.provider, "model": model.model} if model else {}),
    }


def _cost_of(row: tables.Message) -> CallCost | None:
    if row.price_source is None:
        return None
    amount = None if row.cost_nano is None else Money(row.cost_nano, row.currency or "USD")
    return CallCost(amount, row.price_source)


def _error_of(row: tables.Message) -> AppError | None:
    if row.error_kind is None or row.error_message is None:
        return None
    return AppError(ErrorKind(row.error_kind), row.error_message, **(row.error_params or {}))


def _finish_reason(outcome: Outcome) -> str | None:
    """Our word for it, with the provider's own where ours says too little: `other:MALFORMED_RESPONSE`."""
    reason = outcome.finish_reason
    if reason is None:
        return None
    if reason in (FinishReason.OTHER, FinishReason.SAFETY) and outcome.raw_reason:
        return storable(f"{reason.value}:{outcome.raw_reason}")[:32]
    return reason.value
