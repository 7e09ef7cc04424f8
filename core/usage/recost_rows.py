"""Re-costings as values and rows: the calls they read, the changes they record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import and_, func, insert, or_, select
from sqlalchemy.orm import Session

from core.pricing.types import GIVEN
from core.usage.adjust import CostChange
from core.usage.columns import EVENTS, TOKEN_COLUMNS
from core.usage.days import in_days
from core.usage.tables import Recost, RecostChange
from core.usage.types import CallStatus, Source

_CHUNK = 5_000
_COLUMNS = [column for column in EVENTS.c if column.name != "reported"]


@dataclass(frozen=True, slots=True)
class RecostLine:
    """The calls of one model: nano-units by currency and calls without a price, as they are and as they would be."""

    provider: str
    model: str
    calls: int
    before: dict[str, int]
    after: dict[str, int]
    unpriced_before: int
    unpriced_after: int
    changed: int = 0


@dataclass(frozen=True, slots=True)
class RecostPlan:
    """What re-costing the calls from `start` to `end`, both included, would do; nothing is changed by it.

    `calls` were looked at, `changed` of them would cost something else. Lines by provider and model.
    `last_id`: the latest call there was; those after it are priced already by what holds now.
    """

    start: date
    end: date
    provider: str | None
    model: str | None
    calls: int
    changed: int
    lines: tuple[RecostLine, ...]
    last_id: int


@dataclass(frozen=True, slots=True)
class RecostInfo:
    """A re-costing that was made: how many calls it changed, and what these cost before and after."""

    id: int
    created_at: datetime
    created_by: int
    start: date
    end: date
    provider: str | None
    model: str | None
    reason: str
    calls: int
    before: Mapping[str, int]
    after: Mapping[str, int]

    @property
    def difference(self) -> dict[str, int]:
        """By how much the calls cost more, or less, in nano-units by currency."""
        currencies = sorted(self.before.keys() | self.after.keys())
        return {name: self.after.get(name, 0) - self.before.get(name, 0) for name in currencies}


class Record:
    """The changes of one re-costing as they are stored, and their sums."""

    def __init__(self) -> None:
        self.before: dict[str, int] = {}
        self.after: dict[str, int] = {}

    def keep(self, session: Session, recost_id: int, changes: list[CostChange]) -> None:
        """Store what is changed in each call."""
        rows: list[dict[str, Any]] = []
        for change in changes:
            old, new = change.event, change.new
            add_cost(self.before, old["cost_nano"], old["currency"])
            add_cost(self.after, new["cost_nano"], new["currency"])
            rows.append(
                {
                    "recost_id": recost_id,
                    "event_id": old["id"],
                    "old_nano": old["cost_nano"],
                    "old_currency": old["currency"],
                    "old_source": old["price_source"],
                    "new_nano": new["cost_nano"],
                    "new_currency": new["currency"],
                    "new_source": new["price_source"],
                }
            )
        if rows:
            session.execute(insert(RecostChange), rows)


def chunks(session: Session, plan: RecostPlan, lock: bool = False) -> Iterator[list[Mapping[str, Any]]]:
    """The calls of `plan` that can be priced anew, in the order of their ids, a few thousand at a time.

    `lock`: nobody else changes them until the transaction ends.
    """
    condition = and_(
        in_days(plan.start, plan.end),
        EVENTS.c.id <= plan.last_id,
        EVENTS.c.source != Source.SAMPLE.value,
        EVENTS.c.from_cache.is_(False),
        EVENTS.c.flag.is_(None),
        # A call that was stopped in a queue, or refused, was worked on by nobody.
        or_(EVENTS.c.status == CallStatus.COMPLETED.value, *(EVENTS.c[name] > 0 for name in TOKEN_COLUMNS)),
        or_(EVENTS.c.source != Source.IMPORT.value, EVENTS.c.price_source.not_like(f"{GIVEN}%")),
    )
    if plan.provider is not None:
        condition = and_(condition, EVENTS.c.provider == plan.provider)
    if plan.model is not None:
        condition = and_(condition, EVENTS.c.model == plan.model)
    last = 0
    while True:
        statement = select(*_COLUMNS).where(condition, EVENTS.c.id > last).order_by(EVENTS.c.id).limit(_CHUNK)
        if lock:
            statement = statement.with_for_update()
        rows: list[Mapping[str, Any]] = [dict(row) for row in session.execute(statement).mappings()]
        if not rows:
            return
        yield rows
        last = rows[-1]["id"]


def last_id(session: Session) -> int:
    """The id of the latest call; 0 when there is none."""
    return session.execute(select(func.max(EVENTS.c.id))).scalar_one() or 0


def add_cost(costs: dict[str, int], nano: int | None, currency: str) -> int:
    """Add a cost to sums by currency; 1 for a call without a price."""
    if nano is None:
        return 1
    costs[currency] = costs.get(currency, 0) + nano
    return 0


def new_recost(user_id: int, plan: RecostPlan, reason: str) -> Recost:
    """The row of a re-costing that begins."""
    return Recost(
        created_at=datetime.now(UTC),
        created_by=user_id,
        start_day=plan.start,
        end_day=plan.end,
        provider=plan.provider,
        model=plan.model,
        reason=reason,
        calls=0,
        before={},
        after={},
    )


def info_of(row: Recost) -> RecostInfo:
    """The row as a value."""
    return RecostInfo(
        id=row.id,
        created_at=row.created_at,
        created_by=row.created_by,
        start=row.start_day,
        end=row.end_day,
        provider=row.provider,
        model=row.model,
        reason=row.reason,
        calls=row.calls,
        before=dict(row.before),
        after=dict(row.after),
    )
