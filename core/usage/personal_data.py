"""What the ledger keeps of a person, and what stays of it when they go: the figures, under a number of nobody.

`usage_events` and `usage_daily` know a person by the account's number alone, without a foreign key. When the
account goes, its number is never given to another, so that the figures are anonymous as they stand and no row of
the ledger has to be rewritten: every sum of the workspace stays what it was.
"""

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.accounts.personal_data import Record, rows
from core.usage.exports.jobs import ExportJobs
from core.usage.imports.jobs import ImportJobs
from core.usage.ledger import Ledger
from core.usage.sample import sample_batch
from core.usage.tables import Budget, UsageEvent, UsageImport

_CALL = (
    "id",
    "request_id",
    "occurred_at",
    "day",
    "provider",
    "model",
    "source",
    "status",
    "error_kind",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "input_audio_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_audio_tokens",
    "tokens_estimated",
    "cost_nano",
    "currency",
    "price_source",
    "latency_ms",
    "first_token_ms",
    "thread_id",
    "message_id",
    "from_cache",
    "saved_nano",
)
_IMPORT = (
    "id",
    "created_at",
    "file_name",
    "format",
    "calls",
    "requests",
    "skipped",
    "known",
    "first_day",
    "last_day",
    "costs",
    "unpriced",
    "undone_at",
)
_BUDGET = ("id", "provider", "amount_nano", "currency", "window", "window_days", "blocks", "created_at")


class UsageData:
    """The ledger's part of an export and of a deletion (it is a `PersonalRoom`)."""

    def __init__(self, ledger: Ledger, imports: ImportJobs, exports: ExportJobs) -> None:
        self._ledger = ledger
        self._imports = imports
        self._exports = exports

    def export(self, session: Session, user_id: int) -> Iterator[tuple[str, Iterable[Record]]]:
        """usage (one record a call, the oldest day first), usage_imports and budgets."""
        yield "usage", rows(session, UsageEvent, UsageEvent.user_id == user_id, _CALL, ("day", "id"))
        yield "usage_imports", rows(session, UsageImport, UsageImport.user_id == user_id, _IMPORT)
        yield "budgets", rows(session, Budget, Budget.user_id == user_id, _BUDGET)

    def stop(self, user_id: int) -> None:
        """End this process's import and export of the user, and remove their files."""
        self._imports.abandon(user_id)
        self._exports.dismiss(user_id)

    def erase(self, session: Session, user_id: int) -> Callable[[], None]:
        """A budget for one person goes with the person, and so do sample data and the names of files that were
        imported; the real figures stay, imported ones too."""
        self._ledger.remove_batch(session, sample_batch(user_id))
        session.execute(delete(UsageImport).where(UsageImport.user_id == user_id))
        session.execute(delete(Budget).where(Budget.user_id == user_id))
        return lambda: None
