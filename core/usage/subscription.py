"""What a subscription costs a month, for savings to be measured by: the workspace's own figure, else the setting's."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from core.config import Settings
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.overrides import parse_price
from core.pricing.types import NANO, Money
from core.rights import Actor, require_admin
from core.store.unit_of_work import UnitOfWork
from core.usage.tables import UsageSetting

MOST_UNITS = 10**6
"""A month's price, in units of its currency, is below this."""

_NAME = "subscription_nano"


def parse_monthly(text: str) -> int:
    """`20`, `19,90` or `1 990.50` in nano-units; AppError(VALIDATION) for anything else, and from a million on."""
    nano = parse_price(text)
    if nano >= MOST_UNITS * NANO:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("A subscription costs less than {most} a month. Check the amount."),
            most=MOST_UNITS,
            field="price",
        )
    return nano


class SubscriptionPrice:
    """One figure for the workspace, in its currency."""

    def __init__(self, unit: UnitOfWork, settings: Settings) -> None:
        self._unit = unit
        self._currency = settings.currency
        # Exact: a setting has at most nine digits after the point.
        self.default = Money(int(settings.subscription_cost * NANO), settings.currency)

    def read(self, session: Session) -> Money:
        """What it costs a month."""
        row = session.get(UsageSetting, _NAME)
        if row is None:
            return self.default
        nano, currency = row.value.split(" ")
        # An amount of another currency than today's says nothing of what is paid now.
        return Money(int(nano), currency) if currency == self._currency else self.default

    def set(self, actor: Actor, text: str) -> Money:
        """Put an amount in place of the setting's, as someone wrote it; empty: the setting's again.

        AppError(FORBIDDEN) for whoever is no administrator, AppError(VALIDATION) for what is no amount.
        """
        require_admin(actor)
        nano = parse_monthly(text) if text.strip() else None
        with self._unit.write() as session:
            row = session.get(UsageSetting, _NAME)
            if nano is None:
                if row is not None:
                    session.delete(row)
                return self.default
            if row is None:
                row = UsageSetting(name=_NAME)
                session.add(row)
            row.value = f"{nano} {self._currency}"
            row.updated_by = actor.id
            row.updated_at = datetime.now(UTC)
        return Money(nano, self._currency)
