"""The ledger's tables: every call once, its roll-ups, the budgets on them and the record of re-costings."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, LargeBinary, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, BigId, NanoUnits

# `usage_daily.user_id` of the rows that add up all users; real ids start at 1.
ALL_USERS = 0
# `usage_daily.source` of the rows that add up all sources but sample data.
ALL_SOURCES = ""


class UsageEvent(Base):
    """One call; rows are added, never changed by use. No foreign key ties one to a thread, message or
    user: deleting those changes no total.

    On PostgreSQL the table is partitioned by month (see migration 0005): its key there is (id, occurred_at), and
    `usage_requests` keeps `request_id` unique. To name an event, give its moment with its id if you know it."""

    __tablename__ = "usage_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(BigId)
    occurred_at: Mapped[datetime]
    day: Mapped[date] = mapped_column(Date)
    provider: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    error_kind: Mapped[str | None] = mapped_column(String(32))
    input_tokens: Mapped[int] = mapped_column(BigId)
    cached_input_tokens: Mapped[int] = mapped_column(BigId)
    cache_write_tokens: Mapped[int] = mapped_column(BigId)
    input_audio_tokens: Mapped[int] = mapped_column(BigId)
    output_tokens: Mapped[int] = mapped_column(BigId)
    reasoning_tokens: Mapped[int] = mapped_column(BigId)
    output_audio_tokens: Mapped[int] = mapped_column(BigId)
    tokens_estimated: Mapped[bool]
    # NULL means unpriced, which is not 0.
    cost_nano: Mapped[int | None] = mapped_column(NanoUnits)
    currency: Mapped[str] = mapped_column(String(3))
    price_source: Mapped[str] = mapped_column(String(200))
    latency_ms: Mapped[int | None]
    first_token_ms: Mapped[int | None]
    thread_id: Mapped[int | None] = mapped_column(BigId)
    message_id: Mapped[int | None] = mapped_column(BigId)
    # How often the provider was asked until it answered; 0 for an answer from the cache.
    attempts: Mapped[int] = mapped_column(server_default="1")
    from_cache: Mapped[bool] = mapped_column(server_default=false())
    # What an answer from the cache would have cost, in nano-units of `currency`; NULL when nobody knows.
    saved_nano: Mapped[int | None] = mapped_column(NanoUnits)
    # What was wrong with the figures the server reported, and those figures; the columns above hold an estimate.
    flag: Mapped[str | None] = mapped_column(String(200))
    reported: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # "provider/model" that was asked first when another one answered.
    fallback_from: Mapped[str | None] = mapped_column(String(300))
    # Which key was used, as a fingerprint.
    key_ref: Mapped[str | None] = mapped_column(String(16))
    # A load that can be taken back as a whole: sample data, an import.
    batch: Mapped[str | None] = mapped_column(String(64))
    # How many requests the row stands for: an imported one may sum up a day of them.
    requests: Mapped[int] = mapped_column(BigId, server_default="1")
    # What the call was tagged with, as [[kind, value], …]; `usage_event_tags` finds calls by it.
    tags: Mapped[list[list[str]] | None] = mapped_column(JSON)

    # Each ends in the id, so that a page of calls comes in its order from one index, whichever it is.
    __table_args__ = (
        Index("ix_usage_events_user_day", "user_id", "day", "id"),
        Index("ix_usage_events_day", "day", "id"),
        Index("ix_usage_events_model", "provider", "model", "day", "id"),
        Index(
            "ix_usage_events_unfinished",
            "status",
            "day",
            "id",
            sqlite_where=text("status <> 'completed'"),
            postgresql_where=text("status <> 'completed'"),
        ),
        Index("ix_usage_events_batch", "batch"),
    )


class UsageEventTag(Base):
    """The calls that have a tag."""

    __tablename__ = "usage_event_tags"

    facet: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(200), primary_key=True)
    event_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)

    __table_args__ = (
        Index("ix_usage_event_tags_event", "event_id", "facet"),
        {"sqlite_with_rowid": False},
    )


class UsagePending(Base):
    """Calls that `usage_shapes`, `usage_months` and `usage_facets` do not hold yet; whoever reads those reads these
    with them."""

    __tablename__ = "usage_pending"

    event_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)


class UsageDaily(Base):
    """Sums by user, source, report day, provider, model and currency; the same for all users and all sources.

    Written in the transaction that writes the event. The key's order is the order in which reports
    read; SQLite stores the rows in that order (WITHOUT ROWID), so a year is one sequential read.
    """

    __tablename__ = "usage_daily"

    user_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    requests: Mapped[int] = mapped_column(BigId)
    errors: Mapped[int] = mapped_column(BigId)
    unpriced: Mapped[int] = mapped_column(BigId)
    estimated: Mapped[int] = mapped_column(BigId)
    input_tokens: Mapped[int] = mapped_column(BigId)
    cached_input_tokens: Mapped[int] = mapped_column(BigId)
    cache_write_tokens: Mapped[int] = mapped_column(BigId)
    input_audio_tokens: Mapped[int] = mapped_column(BigId)
    output_tokens: Mapped[int] = mapped_column(BigId)
    reasoning_tokens: Mapped[int] = mapped_column(BigId)
    output_audio_tokens: Mapped[int] = mapped_column(BigId)
    cost_nano: Mapped[int] = mapped_column(NanoUnits)
    from_cache: Mapped[int] = mapped_column(BigId, server_default="0")
    saved_nano: Mapped[int] = mapped_column(NanoUnits, server_default="0")
    flagged: Mapped[int] = mapped_column(BigId, server_default="0")
    # Of calls whose speed is known: what they wrote, and the milliseconds from the first token to the last.
    timed_output_tokens: Mapped[int] = mapped_column(BigId, server_default="0")
    timed_ms: Mapped[int] = mapped_column(BigId, server_default="0")

    __table_args__ = ({"sqlite_with_rowid": False},)


class UsageShape(Base):
    """How the calls of a day, or of a whole month (`span`), are spread: over the hours of the week, over
    latencies, over lengths of answers. `day` is the first one. The columns are the sparse arrays of `shapes.py`.

    A year is read as twelve months, so that what it takes depends neither on calls nor on days. The two columns
    that most reports want come first: SQLite keeps the others on pages that need not be read.
    """

    __tablename__ = "usage_shapes"

    user_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    span: Mapped[str] = mapped_column(String(5), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    latency: Mapped[bytes] = mapped_column(LargeBinary)
    first_token: Mapped[bytes] = mapped_column(LargeBinary)
    hours: Mapped[bytes] = mapped_column(LargeBinary)
    lengths: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = ({"sqlite_with_rowid": False},)


class UsageMonth(Base):
    """The rows of `usage_daily` of a whole month in one: `day` is its first, `days` the sparse array of `months.py`.

    A report on years reads a row a model and month in place of thirty. As `usage_shapes`, it holds the calls that
    wait in `usage_pending` some time later; a month in which one lies is read from `usage_daily`.
    """

    __tablename__ = "usage_months"

    user_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    days: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = ({"sqlite_with_rowid": False},)


class UsageFacet(Base):
    """The sums of `usage_daily`, and latencies, of the calls with one value of a facet (a status, a thread …).

    What every call has, or most have, is not kept: completed calls, and those without an error, a tag or a
    thread, are the difference to `usage_daily`. A call may have several labels, so the value "" of that facet
    has the calls with any.
    """

    __tablename__ = "usage_facets"

    user_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    facet: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(200), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    requests: Mapped[int] = mapped_column(BigId)
    errors: Mapped[int] = mapped_column(BigId)
    unpriced: Mapped[int] = mapped_column(BigId)
    estimated: Mapped[int] = mapped_column(BigId)
    input_tokens: Mapped[int] = mapped_column(BigId)
    cached_input_tokens: Mapped[int] = mapped_column(BigId)
    cache_write_tokens: Mapped[int] = mapped_column(BigId)
    input_audio_tokens: Mapped[int] = mapped_column(BigId)
    output_tokens: Mapped[int] = mapped_column(BigId)
    reasoning_tokens: Mapped[int] = mapped_column(BigId)
    output_audio_tokens: Mapped[int] = mapped_column(BigId)
    cost_nano: Mapped[int] = mapped_column(NanoUnits)
    from_cache: Mapped[int] = mapped_column(BigId)
    saved_nano: Mapped[int] = mapped_column(NanoUnits)
    flagged: Mapped[int] = mapped_column(BigId)
    timed_output_tokens: Mapped[int] = mapped_column(BigId)
    timed_ms: Mapped[int] = mapped_column(BigId)
    latency: Mapped[bytes] = mapped_column(LargeBinary)
    first_token: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        Index(
            "ix_usage_facets_errors",
            "user_id",
            "source",
            "value",
            "day",
            "provider",
            "model",
            "errors",
            sqlite_where=text("facet = 'error'"),
            postgresql_where=text("facet = 'error'"),
        ),
        {"sqlite_with_rowid": False},
    )


class LedgerState(Base):
    """What the roll-ups were built with; one row. `version` tells which roll-ups there were, `setting` what
    AIHUB_TIMEZONE was when it was last set: the zone may have been chosen since."""

    __tablename__ = "ledger_state"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    timezone: Mapped[str] = mapped_column(String(64))
    rebuilt_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="0")
    setting: Mapped[str | None] = mapped_column(String(64))


class UsageSetting(Base):
    """What the workspace set itself, in place of what the environment says; a row gone is the environment's again."""

    __tablename__ = "usage_settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))
    updated_by: Mapped[int] = mapped_column(BigId)
    updated_at: Mapped[datetime]


class Budget(Base):
    """A limit on what calls may cost. `scope`: workspace, user (`user_id` set) or provider (`provider` set).

    `window`: the calendar month, or the last `window_days` days. A call before `reset_at` does not count.
    """

    __tablename__ = "budgets"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scope: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int | None] = mapped_column(BigId)
    provider: Mapped[str | None] = mapped_column(String(64))
    amount_nano: Mapped[int] = mapped_column(NanoUnits)
    currency: Mapped[str] = mapped_column(String(3))
    window: Mapped[str] = mapped_column(String(16))
    window_days: Mapped[int | None]
    warn_percent: Mapped[int]
    blocks: Mapped[bool]
    reset_at: Mapped[datetime | None]
    created_by: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Recost(Base):
    """One re-costing: which calls were priced anew, by whom and why. `before` and `after`: nano-units by currency."""

    __tablename__ = "recosts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(BigId)
    start_day: Mapped[date] = mapped_column(Date)
    end_day: Mapped[date] = mapped_column(Date)
    provider: Mapped[str | None] = mapped_column(String(64))
    model: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(200))
    calls: Mapped[int] = mapped_column(BigId)
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)


class RecostChange(Base):
    """What a re-costing changed in one event."""

    __tablename__ = "recost_changes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recost_id: Mapped[int] = mapped_column(ForeignKey("recosts.id", ondelete="CASCADE"), index=True)
    event_id: Mapped[int] = mapped_column(BigId)
    old_nano: Mapped[int | None] = mapped_column(NanoUnits)
    old_currency: Mapped[str] = mapped_column(String(3))
    old_source: Mapped[str] = mapped_column(String(200))
    new_nano: Mapped[int | None] = mapped_column(NanoUnits)
    new_currency: Mapped[str] = mapped_column(String(3))
    new_source: Mapped[str] = mapped_column(String(200))


class UsageImport(Base):
    """A file of another tool that was imported; its calls are the batch `batch`. `calls` is how many were added,
    `known` how many of the file stood already, `costs` nano-units by currency."""

    __tablename__ = "usage_imports"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, index=True)
    batch: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    file_name: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(32))
    calls: Mapped[int] = mapped_column(BigId)
    requests: Mapped[int] = mapped_column(BigId)
    skipped: Mapped[int] = mapped_column(BigId)
    known: Mapped[int] = mapped_column(BigId)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    costs: Mapped[dict[str, Any]] = mapped_column(JSON)
    unpriced: Mapped[int] = mapped_column(BigId)
    undone_at: Mapped[datetime | None]
