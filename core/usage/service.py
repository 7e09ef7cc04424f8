"""The verbs of usage: a report on a range of days, and sample data in and out."""

from datetime import UTC, date, datetime

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.currency import ExchangeRates
from core.rights import Actor, require_admin
from core.store.unit_of_work import UnitOfWork
from core.usage import queries
from core.usage.exchange import Exchange
from core.usage.explore.types import Where
from core.usage.ledger import Ledger
from core.usage.sample import sample_batch, sample_calls
from core.usage.tables import ALL_USERS
from core.usage.types import UsageReport

LONGEST_RANGE_DAYS = 3_653
"""Ten years, leap days included."""


def check_range(start: date, end: date) -> None:
    """AppError(VALIDATION) for a range that ends before it starts, is longer than ten years, or has no room in
    the calendar for an equally long one before it."""
    if start > end:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The range ends before it starts. Choose a last day after the first one."),
        )
    days = (end - start).days + 1
    if days > LONGEST_RANGE_DAYS or start.toordinal() <= days:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("A range can be up to 10 years long. Choose days that are closer together."),
        )


class UsageService:
    """Answers from the roll-ups. Days are calendar days of the report time zone."""

    def __init__(self, unit: UnitOfWork, ledger: Ledger, rates: ExchangeRates | None = None) -> None:
        """Without `rates` every amount stays in its own currency."""
        self._unit = unit
        self._ledger = ledger
        self._rates = rates

    def today(self) -> date:
        """The current day in the report time zone."""
        return self._ledger.day_of(datetime.now(UTC))

    def report(
        self,
        scope: int | None,
        start: date,
        end: date,
        sample: bool = False,
        currency: str | None = None,
        where: Where = (),
    ) -> UsageReport:
        """Usage from `start` to `end`, both included, of user `scope` (None: all users).

        Either of real calls or of sample data: the two are never added. With a `currency`, what was priced
        in another one is converted at the rate of its day; see UsageReport. `where` leaves out other calls (of its
        dimensions those of `narrowing.KEPT`; others are not applied). AppError(VALIDATION) for a range that ends
        before it starts, is longer than ten years, or leaves the calendar.
        """
        check_range(start, end)
        user_id = ALL_USERS if scope is None else scope
        exchange = Exchange(currency, self._rates) if currency is not None else None
        with self._unit.read() as session:
            return queries.read_report(session, user_id, start, end, sample, exchange, where)

    def has_calls(self, scope: int | None) -> bool:
        """Whether user `scope` (None: anybody) has real calls, of any day."""
        with self._unit.read() as session:
            return queries.has_real_calls(session, ALL_USERS if scope is None else scope)

    def last_days(self, actor: Actor, sample: bool = False) -> dict[int, date]:
        """The day of the latest call of each user who made any: for administrators, AppError(FORBIDDEN)."""
        require_admin(actor)
        with self._unit.read() as session:
            return queries.last_days(session, sample)

    def has_sample(self, user_id: int) -> bool:
        """Whether sample data is loaded for the user."""
        with self._unit.read() as session:
            return queries.has_batch(session, sample_batch(user_id))

    def load_sample(self, user_id: int) -> int:
        """Record 90 days of invented calls for the user; returns how many were new: 0 when they stand already."""
        calls = sample_calls(user_id, datetime.now(UTC), self._ledger.day_of)
        with self._unit.write() as session:
            if queries.has_batch(session, sample_batch(user_id)):
                return 0
            return self._ledger.record_many(session, calls)

    def remove_sample(self, user_id: int) -> int:
        """Take exactly the sample data out again; returns how many calls that were."""
        with self._unit.write() as session:
            return self._ledger.remove_batch(session, sample_batch(user_id))
