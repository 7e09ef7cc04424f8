"""Prices that people entered: dated, never overwritten, and above every published one."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.checks import check_currency, check_day, check_note
from core.pricing.fresh import Fresh
from core.pricing.retired import set_retired, version
from core.pricing.tables import PriceOverride
from core.pricing.types import NANO, Price, PriceEntry
from core.rights import Actor, require_admin
from core.store.text import storable
from core.store.unit_of_work import UnitOfWork

PROVIDER_LENGTH, MODEL_LENGTH = 64, 200
MOST_UNITS = 10**9
"""A price, in units of its currency per million tokens, is below this."""

PARTS = tuple(field.name for field in fields(Price) if field.name != "currency")

# Spaces (also the narrow and the unbreakable one) only between groups of three; a comma is a decimal point.
_NUMBER = re.compile(r"(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d+)(?:[.,]\d{1,9})?", re.ASCII)

_Key = tuple[str, str]


def parse_price(text: str) -> int:
    """`1.25`, `1,25` or ` 1 250,5 ` in nano-units; AppError(VALIDATION) for anything else."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("That is not a price. Enter a number such as 1.25, with up to nine digits after the point."),
            field="price",
        )
    nano = int(Decimal(re.sub(r"\s", "", text).replace(",", ".")) * NANO)
    _check_amount(nano, "price")
    return nano


def model_key(model: str) -> str:
    """The name prices are looked up by: `models/Gemini-2.5-Pro` and `gemini-2.5-pro` are one model."""
    return model.strip().removeprefix("models/").lower()


class PriceOverrides:
    """The own prices of the workspace. Thread-safe; what another process adds is seen within seconds.

    Administrators change them; AppError(FORBIDDEN) for others.
    """

    def __init__(self, unit: UnitOfWork, clock: Callable[[], float] = time.monotonic) -> None:
        self._unit = unit
        self._known = Fresh(lambda: version(unit, PriceOverride), self._load, clock)

    def list(self) -> tuple[PriceEntry, ...]:
        """The prices that are not retired, by provider and model, the latest first."""
        entries = [entry for group in self._load().values() for entry in reversed(group)]
        return tuple(sorted(entries, key=lambda entry: (entry.provider, model_key(entry.model))))

    def add(
        self, actor: Actor, provider: str, model: str, price: Price, valid_from: datetime, note: str = ""
    ) -> PriceEntry:
        """A price for calls from `valid_from` (aware) on; AppError(VALIDATION) naming what is wrong."""
        require_admin(actor)
        provider = _check_name(provider, PROVIDER_LENGTH, "provider")
        model = _check_name(model.strip().removeprefix("models/"), MODEL_LENGTH, "model")
        check_currency(price.currency)
        for name in PARTS:
            nano: int | None = getattr(price, name)
            if nano is not None:
                _check_amount(nano, name)
        if valid_from.tzinfo is None:
            raise ValueError("valid_from needs a zone")
        check_day(valid_from.astimezone(UTC).date())
        row = PriceOverride(
            provider=provider,
            model=model,
            currency=price.currency,
            **{name: getattr(price, name) for name in PARTS},
            valid_from=valid_from,
            note=check_note(note),
            created_by=actor.id,
            created_at=datetime.now(UTC),
        )
        with self._unit.write() as session:
            session.add(row)
            session.flush()
            entry = _entry(row)
        self._known.expire()
        return entry

    def retire(self, actor: Actor, override_id: int) -> None:
        """Take a price out of use; calls keep what they cost. AppError(NOT_FOUND) for an unknown one."""
        require_admin(actor)
        self._set_retired(override_id, datetime.now(UTC))

    def restore(self, actor: Actor, override_id: int) -> None:
        """Put a retired price back into use; AppError(NOT_FOUND) for an unknown one."""
        require_admin(actor)
        self._set_retired(override_id, None)

    def find(self, provider: str, model: str, at: datetime) -> PriceEntry | None:
        """The price of a call made `at` (UTC when it names no zone): of those that hold, the latest.

        From memory; AppError when prices were never read and cannot be.
        """
        group = self._known.get().get((provider, model_key(model)))
        if group is None:
            return None
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return next((entry for entry in reversed(group) if entry.valid_from and entry.valid_from <= at), None)

    def of_provider(self, provider: str, at: datetime) -> tuple[PriceEntry, ...]:
        """The prices of a provider's models that hold `at`."""
        keys = [key for key in self._known.get() if key[0] == provider]
        found = (self.find(provider, model, at) for _, model in keys)
        return tuple(entry for entry in found if entry is not None)

    def _set_retired(self, override_id: int, moment: datetime | None) -> None:
        gone = N_("That price is not there any more. Load the page again.")
        set_retired(self._unit, PriceOverride, override_id, moment, gone)
        self._known.expire()

    def _load(self) -> Mapping[_Key, tuple[PriceEntry, ...]]:
        in_order = (PriceOverride.valid_from, PriceOverride.id)
        groups: dict[_Key, tuple[PriceEntry, ...]] = {}
        with self._unit.read() as session:
            rows = session.scalars(
                select(PriceOverride).where(PriceOverride.retired_at.is_(None)).order_by(*in_order)
            )
            for row in rows:
                key = (row.provider, model_key(row.model))
                groups[key] = (*groups.get(key, ()), _entry(row))
        return groups


def _entry(row: PriceOverride) -> PriceEntry:
    return PriceEntry(
        provider=row.provider,
        model=row.model,
        price=Price(row.currency, **{name: getattr(row, name) for name in PARTS}),
        tiered=False,
        context_size=None,
        source=f"own price: {row.note}" if row.note else "own price",
        source_date=None,
        verified=True,
        is_own=True,
        override_id=row.id,
        valid_from=row.valid_from,
    )


def _check_name(name: str, most: int, field: str) -> str:
    name = storable(name).strip()
    if not 1 <= len(name) <= most:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("A price needs a provider and a model. Each name has 1 to {most} characters."),
            most=most,
            field=field,
        )
    return name


def _check_amount(nano: int, field: str) -> None:
    if not 0 <= nano < MOST_UNITS * NANO:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("A price is 0 or more and below {most} per million tokens. Check the number."),
            most=MOST_UNITS,
            field=field,
        )
