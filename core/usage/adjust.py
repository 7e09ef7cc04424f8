"""Calls that cost something else than the ledger says: the events changed, the roll-ups moved by the difference."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, update
from sqlalchemy.orm import Session

from core.pricing.types import CallCost
from core.usage.columns import DAILY, EVENTS, KEY, SUMS
from core.usage.daily_rows import add_to_roll_ups
from core.usage.event_rows import as_sums
from core.usage.ledger import Ledger

_SET_COST = (
    update(EVENTS)
    # The moment as well: PostgreSQL keeps calls by month.
    .where(EVENTS.c.id == bindparam("event_id"), EVENTS.c.occurred_at == bindparam("event_moment"))
    .values(
        cost_nano=bindparam("new_nano"),
        currency=bindparam("new_currency"),
        price_source=bindparam("new_source"),
    )
)


@dataclass(frozen=True, slots=True)
class CostChange:
    """`event`: the row of `usage_events` as it is. `cost`: what the call costs from now on."""

    event: Mapping[str, Any]
    cost: CallCost

    @property
    def new(self) -> dict[str, Any]:
        """The columns of the event that change; an unpriced call is kept under USD, as when it is recorded."""
        amount = self.cost.amount
        return {
            "cost_nano": amount.nano if amount is not None else None,
            "currency": amount.currency if amount is not None else "USD",
            "price_source": self.cost.source[:200],
        }


class CostChanges:
    """Gives calls other costs within one transaction: any number of `change`, then one `finish`.

    What the roll-ups move by is kept by their key, so it grows with days and models and not with calls, and is
    written at the end in one go: the order of keys is then the one in which all writers lock them.
    """

    def __init__(self, session: Session, ledger: Ledger) -> None:
        self._session = session
        self._ledger = ledger
        ledger.lock(session)
        self._moves: dict[tuple[Any, ...], dict[str, Any]] = {}

    def change(self, changes: Iterable[CostChange]) -> None:
        """Write the events; their currency is part of a roll-up's key, so a call may move with all its sums."""
        rows: list[dict[str, Any]] = []
        for change in changes:
            new = change.new
            self._move(as_sums(dict(change.event)), -1)
            self._move(as_sums({**change.event, **new}), 1)
            rows.append(
                {
                    "event_id": change.event["id"],
                    "event_moment": change.event["occurred_at"],
                    "new_nano": new["cost_nano"],
                    "new_currency": new["currency"],
                    "new_source": new["price_source"],
                }
            )
        if rows:
            self._ledger.before_change(self._session, [row["event_id"] for row in rows])
            self._session.connection().execute(_SET_COST, rows)

    def finish(self) -> None:
        """Write the roll-ups, and remove those whose last call moved away."""
        add_to_roll_ups(self._session, self._moves.values())
        self._session.execute(delete(DAILY).where(DAILY.c.requests == 0))
        self._ledger.fold_all(self._session)

    def _move(self, sums: dict[str, Any], sign: int) -> None:
        key = {name: sums[name] for name in KEY}
        nothing: dict[str, Any] = {**key, **dict.fromkeys(SUMS, 0)}
        move = self._moves.setdefault(tuple(key.values()), nothing)
        for name in SUMS:
            move[name] += sign * sums[name]
