"""Exchange rates that people entered, and amounts converted at the rate of their day."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import select

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.checks import check_currency, check_day, check_note
from core.pricing.fresh import Fresh
from core.pricing.rates import half_even
from core.pricing.retired import set_retired, version
from core.pricing.tables import ExchangeRate
from core.pricing.types import Money
from core.rights import Actor, require_admin
from core.store.unit_of_work import UnitOfWork

_MOST = 10**9
_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `base` is worth `rate` units of `quote` from the day `valid_from` on."""

    id: int
    base: str
    quote: str
    rate: Decimal
    valid_from: date
    note: str = ""


class ExchangeRates:
    """The rates of the workspace. Thread-safe; what another process adds is seen within seconds.

    Administrators change them; AppError(FORBIDDEN) for others.
    """

    def __init__(self, unit: UnitOfWork, clock: Callable[[], float] = time.monotonic) -> None:
        self._unit = unit
        self._known = Fresh(lambda: version(unit, ExchangeRate), self._load, clock)

    def list(self) -> tuple[Rate, ...]:
        """The rates that are not retired, by currencies, the latest first."""
        rates = [rate for group in self._load().values() for rate in reversed(group)]
        return tuple(sorted(rates, key=lambda rate: (rate.base, rate.quote)))

    def add(
        self, actor: Actor, base: str, quote: str, rate: Decimal, valid_from: date, note: str = ""
    ) -> Rate:
        """A rate for days from `valid_from` on; AppError(VALIDATION) naming what is wrong."""
        require_admin(actor)
        check_currency(base, "base")
        check_currency(quote, "quote")
        if base == quote:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("A rate is between two currencies. Choose two different ones."),
                field="quote",
            )
        row = ExchangeRate(
            base=base,
            quote=quote,
            rate=_check_rate(rate),
            valid_from=check_day(valid_from),
            note=check_note(note),
            created_by=actor.id,
            created_at=datetime.now(UTC),
        )
        with self._unit.write() as session:
            session.add(row)
            session.flush()
            added = _rate(row)
        self._known.expire()
        return added

    def retire(self, actor: Actor, rate_id: int) -> None:
        """Take a rate out of use; AppError(NOT_FOUND) for an unknown one."""
        require_admin(actor)
        self._set_retired(rate_id, datetime.now(UTC))

    def restore(self, actor: Actor, rate_id: int) -> None:
        """Put a retired rate back into use; AppError(NOT_FOUND) for an unknown one."""
        require_admin(actor)
        self._set_retired(rate_id, None)

    def convert(self, money: Money, quote: str, day: date) -> Money | None:
        """`money` in `quote` at the rate of `day`, rounded half-even once; None when no rate is known.

        The latest rate between the two holds, whichever way round it was entered; never by way of a third
        currency. Nothing is nothing in every currency. From memory; AppError when rates were never read
        and cannot be.
        """
        if money.currency == quote:
            return money
        if money.nano == 0:
            return Money(0, quote)
        known = self._known.get()
        there = _on(known.get((money.currency, quote), ()), day)
        back = _on(known.get((quote, money.currency), ()), day)
        if there is not None and (back is None or back.valid_from <= there.valid_from):
            over, under = there.rate.as_integer_ratio()
        elif back is not None:
            under, over = back.rate.as_integer_ratio()
        else:
            return None
        return Money(half_even(money.nano * over, under), quote)

    def _set_retired(self, rate_id: int, moment: datetime | None) -> None:
        gone = N_("That rate is not there any more. Load the page again.")
        set_retired(self._unit, ExchangeRate, rate_id, moment, gone)
        self._known.expire()

    def _load(self) -> Mapping[tuple[str, str], tuple[Rate, ...]]:
        in_order = (ExchangeRate.valid_from, ExchangeRate.id)
        groups: dict[tuple[str, str], tuple[Rate, ...]] = {}
        with self._unit.read() as session:
            rows = session.scalars(
                select(ExchangeRate).where(ExchangeRate.retired_at.is_(None)).order_by(*in_order)
            )
            for row in rows:
                key = (row.base, row.quote)
                groups[key] = (*groups.get(key, ()), _rate(row))
        return groups


def _on(rates: tuple[Rate, ...], day: date) -> Rate | None:
    return next((rate for rate in reversed(rates) if rate.valid_from <= day), None)


def _rate(row: ExchangeRate) -> Rate:
    return Rate(row.id, row.base, row.quote, Decimal(row.rate), row.valid_from, row.note)


def _check_rate(rate: Decimal) -> str:
    """The rate as text, exactly as entered but for zeros at its end."""
    exponent = rate.as_tuple().exponent
    if (
        not isinstance(exponent, int)
        or exponent < -_MOST_DIGITS
        or not Decimal(10) ** -_MOST_DIGITS <= rate < _MOST
    ):
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "A rate is a number above 0 and below {most}, with up to {digits} digits after the point. "
                "Enter one such as 92.5."
            ),
            most=_MOST,
            digits=_MOST_DIGITS,
            field="rate",
        )
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
