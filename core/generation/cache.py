"""Answers kept to be given again: to the same user, for exactly the same request."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.errors import AppError
from core.generation.tables import CachedResponse
from core.generation.types import GenerationRequest, ModelRef, Outcome
from core.pricing.types import Money
from core.providers.content import ToolCall
from core.providers.embedding import EmbeddingRequest
from core.providers.types import FinishReason, ModelRequest
from core.store.unit_of_work import UnitOfWork
from core.usage.types import CallStatus, Source

KEPT_FOR = timedelta(days=7)
_TABLE: Table = CachedResponse.__table__  # type: ignore[assignment]
_DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}
_WHOLE = (FinishReason.STOP, FinishReason.TOOL_CALLS)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer from the cache. `saved`: what it cost when it was made, None when nobody knew."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    finish_reason: FinishReason | None
    saved: Money | None
    created_at: datetime


class ResponseCache:
    """Finds and keeps answers. Only those that are asked for with `use_cache`, and the cells of a
    spreadsheet at temperature 0, where the same question is to have the same answer."""

    def __init__(
        self,
        unit: UnitOfWork,
        kept_for: timedelta = KEPT_FOR,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        address: Callable[[str], str | None] = lambda _provider: None,
    ) -> None:
        """`address` tells where a provider's calls go: another server under the same name answers anew."""
        self._unit = unit
        self._address = address
        self._kept_for = kept_for
        self._now = now

    def applies(self, request: GenerationRequest) -> bool:
        """Whether a request may be answered from the cache and its answer kept."""
        if isinstance(request.completion, EmbeddingRequest):
            return False
        of_cell = request.source is Source.SPREADSHEET and request.completion.temperature == 0
        return request.use_cache or of_cell

    def find(self, request: GenerationRequest) -> Kept | None:
        """The answer to an equal request that has not expired."""
        key = self._key(request, ModelRef(request.provider, request.completion.model))
        with self._unit.read() as session:
            row = session.scalar(
                select(CachedResponse).where(
                    CachedResponse.key == key, CachedResponse.expires_at > self._now()
                )
            )
            if row is None:
                return None
            return Kept(
                text=row.text,
                tool_calls=tuple(tool_call_of(stored) for stored in row.tool_calls or ()),
                finish_reason=FinishReason(row.finish_reason) if row.finish_reason else None,
                saved=None if row.cost_nano is None else Money(row.cost_nano, row.currency),
                created_at=row.created_at,
            )

    def keep(self, session: Session, request: GenerationRequest, model: ModelRef, outcome: Outcome) -> None:
        """Keep the answer of `model` when it is whole, in the transaction that records it; drop expired ones."""
        whole = outcome.status is CallStatus.COMPLETED and outcome.finish_reason in _WHOLE
        if not self.applies(request) or outcome.from_cache or not whole:
            return
        amount, now = outcome.cost.amount, self._now()
        try:
            key = self._key(request, model)
        except AppError:
            return  # The provider was removed meanwhile: nobody will ask it again.
        values = {
            "key": key,
            "user_id": request.user_id,
            "provider": model.provider,
            "model": model.model,
            "text": outcome.text,
            "tool_calls": [tool_call_values(call) for call in outcome.tool_calls] or None,
            "finish_reason": outcome.finish_reason.value if outcome.finish_reason else None,
            "usage": asdict(outcome.usage),
            "cost_nano": amount.nano if amount else None,
            "currency": amount.currency if amount else "USD",
            "created_at": now,
            "expires_at": now + self._kept_for,
        }
        session.execute(delete(CachedResponse).where(CachedResponse.expires_at <= now))
        statement = _DIALECTS[session.get_bind().dialect.name].insert(_TABLE).values(values)
        newer = {name: value for name, value in values.items() if name != "key"}
        session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=newer))

    def _key(self, request: GenerationRequest, model: ModelRef) -> str:
        address = self._address(model.provider)
        return cache_key(request.user_id, model.provider, request.completion, model.model, address)


def cache_key(
    user_id: int,
    provider: str,
    completion: ModelRequest,
    model: str | None = None,
    address: str | None = None,
) -> str:
    """The name of a request: the SHA-256 of all that can change its answer, in hex. `model` instead of its own."""
    plain = {**_plain(completion), "model": model or completion.model}
    canonical = json.dumps(
        {"user": user_id, "provider": provider, "address": address, "request": plain},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    )
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it, without loss: bytes become their hash."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, bytes):
        return {"sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("list[Any]", value)]
    return value


def tool_call_values(call: ToolCall) -> dict[str, Any]:
    """A function call as JSON; `tool_call_of` reads it back."""
    signature = None if call.signature is None else base64.b64encode(call.signature).decode("ascii")
    return {"id": call.id, "name": call.name, "arguments": dict(call.arguments), "signature": signature}


def tool_call_of(values: dict[str, Any]) -> ToolCall:
    """A stored function call."""
    signature = values.get("signature")
    return ToolCall(
        values["id"], values["name"], values["arguments"], base64.b64decode(signature) if signature else None
    )
