"""Between stored rows and what crosses the door."""

from dataclasses import asdict
from typing import Any

from core.chat import tables
from core.chat.types import Message, MessageStatus, Thread
from core.errors import AppError, ErrorKind
from core.generation.types import Outcome
from core.pricing.types import CallCost, Money
from core.providers.types import Role, TokenUsage
from core.usage.types import CallStatus

_STATUS = {
    CallStatus.COMPLETED: MessageStatus.COMPLETE,
    CallStatus.STOPPED: MessageStatus.STOPPED,
    CallStatus.INTERRUPTED: MessageStatus.INTERRUPTED,
    CallStatus.FAILED: MessageStatus.FAILED,
}


def thread_of(row: tables.Thread) -> Thread:
    return Thread(
        id=row.id,
        uuid=row.uuid,
        title=row.title,
        provider=row.provider,
        model=row.model,
        created_at=row.created_at,
        last_message_at=row.last_message_at,
    )


def message_of(row: tables.Message) -> Message:
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
        finish_reason=row.finish_reason,
        latency_ms=row.latency_ms,
        first_token_ms=row.first_token_ms,
        error=_error_of(row),
    )


def outcome_values(outcome: Outcome) -> dict[str, Any]:
    """The columns of an answer that ended."""
    amount, error = outcome.cost.amount, outcome.error
    return {
        "content": outcome.text,
        "status": _STATUS[outcome.status].value,
        "usage": asdict(outcome.usage),
        "cost_nano": amount.nano if amount else None,
        "currency": amount.currency if amount else None,
        "price_source": outcome.cost.source[:200],
        "finish_reason": outcome.finish_reason.value if outcome.finish_reason else None,
        "latency_ms": outcome.latency_ms,
        "first_token_ms": outcome.first_token_ms,
        "error_kind": error.kind.value if error else None,
        "error_message": error.message if error else None,
        "error_params": error.params if error else None,
        "owner": None,
        "heartbeat_at": None,
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
