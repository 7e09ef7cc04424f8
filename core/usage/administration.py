"""Work on the ledger as it is asked for: `Upkeep` does it, for administrators alone."""

from datetime import date

from core.rights import Actor, require_admin
from core.store.facts import DatabaseFacts
from core.usage.explore.types import LedgerHealth, UsageReader
from core.usage.upkeep import Progress, Upkeep


class LedgerAdministration:
    """Every verb takes who asks: AppError(FORBIDDEN) for whoever is no administrator, before anything is done."""

    def __init__(self, upkeep: Upkeep, reader: UsageReader) -> None:
        self._upkeep = upkeep
        self._reader = reader

    def rebuild(self, actor: Actor) -> None:
        """See Upkeep.rebuild."""
        require_admin(actor)
        self._upkeep.rebuild()

    def change_zone(self, actor: Actor, name: str) -> None:
        """See Upkeep.change_zone."""
        require_admin(actor)
        self._upkeep.change_zone(name)

    def check(self, actor: Actor, start: date, end: date) -> None:
        """See Upkeep.check."""
        require_admin(actor)
        self._upkeep.check(start, end)

    def stop(self, actor: Actor) -> None:
        """See Upkeep.stop."""
        require_admin(actor)
        self._upkeep.stop()

    def progress(self, actor: Actor) -> Progress | None:
        """See Upkeep.progress; findings tell of every user's figures."""
        require_admin(actor)
        return self._upkeep.progress()

    def health(self, actor: Actor) -> LedgerHealth:
        """See UsageReader.health."""
        require_admin(actor)
        return self._reader.health()

    def database(self, actor: Actor) -> DatabaseFacts:
        """See Upkeep.database."""
        require_admin(actor)
        return self._upkeep.database()

    def wait(self) -> None:
        """Until no work runs."""
        self._upkeep.wait()

    def close(self) -> None:
        """Stop what runs, and wait for that."""
        self._upkeep.close()
