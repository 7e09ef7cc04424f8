"""Amounts of a report in one currency."""

from datetime import date

from core.pricing.currency import ExchangeRates
from core.pricing.types import Money


class Exchange:
    """Converts the amounts of one report into `currency`, and keeps in mind how that went.

    Without `rates` nothing can be converted.
    """

    def __init__(self, currency: str, rates: ExchangeRates | None) -> None:
        self.currency = currency
        self.converted = False
        self.unconverted: set[str] = set()
        self._rates = rates

    def forget(self) -> None:
        """What was converted so far belongs to another range."""
        self.converted = False
        self.unconverted.clear()

    def convert(self, nano: int, currency: str, day: date | str) -> Money:
        """`nano` of `currency` on `day` (as a date, or as SQLite spells one): converted, or as it is when no
        rate is known."""
        money = Money(nano, currency)
        if isinstance(day, str):
            day = date.fromisoformat(day)
        found = self._rates.convert(money, self.currency, day) if self._rates is not None else None
        if found is None:
            self.unconverted.add(currency)
            return money
        self.converted = True
        return found
