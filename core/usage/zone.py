"""The report time zone: what the database says it is, for all processes that write to it.

AIHUB_TIMEZONE is what a new ledger begins with. Afterwards the stored zone holds, which may be changed on the Usage
page; the setting changes it only when it is set to something else than it was before.
"""

from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import select

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.fresh import Fresh
from core.store.unit_of_work import UnitOfWork
from core.usage.days import wait_for_locks
from core.usage.ledger import Ledger
from core.usage.tables import LedgerState


@lru_cache
def zone_names() -> tuple[str, ...]:
    """The names of the zones that days can be counted in: UTC, then by continent and city."""
    cities = {
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/"))
    }
    return (
        "UTC",
        *sorted(cities - {name for name in cities if name.startswith(("right/", "SystemV/", "US/"))}),
    )


def zone_of(name: str) -> ZoneInfo:
    """The zone of a name; AppError(VALIDATION) when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("There is no time zone “{name}”. Choose one by its city, such as Europe/Moscow."),
            name=name[:64],
        ) from error


def open_ledger(unit: UnitOfWork, ledger: Ledger, setting: str | None) -> None:
    """Bring the ledger to the zone that holds, and let it follow that from now on.

    `setting`: AIHUB_TIMEZONE if it is set at all. Rebuilds the roll-ups when that changes the zone.
    """
    with unit.write() as session:
        wait_for_locks(session)
        ledger.lock(session)
        state = session.get(LedgerState, 1)
        if state is not None:
            changed = setting is not None and setting != (state.setting or state.timezone)
            ledger.use(ZoneInfo(setting if changed and setting is not None else state.timezone))
        ledger.open(session)
        state = session.get_one(LedgerState, 1)
        state.setting = setting or state.setting
    follow_zone(unit, ledger)


def follow_zone(unit: UnitOfWork, ledger: Ledger) -> None:
    """Let the ledger count in the zone that the database names, from now on and whoever changes it."""

    def stored() -> str:
        with unit.read() as session:
            return session.execute(select(LedgerState.timezone)).scalar_one()

    # The name is the version and says everything.
    fresh = Fresh(stored, stored)
    ledger.use(ledger.zone, lambda: _zone(fresh.get()))


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
