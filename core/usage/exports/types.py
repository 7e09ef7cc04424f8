"""What an export is asked for: its kind, and the columns every kind has."""

from dataclasses import dataclass
from enum import StrEnum

from core.i18n import N_


class ExportKind(StrEnum):
    """The kinds of file; the value is the file's ending."""

    CSV = "csv"
    PARQUET = "parquet"
    EXCEL = "xlsx"


class Separator(StrEnum):
    """What stands between the cells of a CSV; a Russian Excel opens `;` in columns, an English one `,`."""

    COMMA = ","
    SEMICOLON = ";"


class Cell(StrEnum):
    """What the cells of a column hold; every one but a moment and a day may be None."""

    MOMENT = "moment"  # an aware datetime
    DAY = "day"
    TEXT = "text"
    NUMBER = "number"
    YES_NO = "yes_no"
    MONEY = "money"  # nano-units of the currency in the column `currency`


@dataclass(frozen=True, slots=True)
class Column:
    """`name` heads it in CSV and Parquet, the translated `title` in Excel; `width` is in characters there."""

    name: str
    cell: Cell
    title: str
    width: int = 12


COLUMNS: tuple[Column, ...] = (
    Column("time_utc", Cell.MOMENT, N_("Time (UTC)"), 20),
    Column("time_local", Cell.MOMENT, N_("Local time ({zone})"), 20),
    Column("day", Cell.DAY, N_("Day")),
    Column("user_id", Cell.NUMBER, N_("User no.")),
    Column("user", Cell.TEXT, N_("User"), 16),
    Column("provider", Cell.TEXT, N_("Provider"), 14),
    Column("model", Cell.TEXT, N_("Model"), 28),
    Column("source", Cell.TEXT, N_("Source")),
    Column("status", Cell.TEXT, N_("Status")),
    Column("error_kind", Cell.TEXT, N_("Error"), 18),
    Column("requests", Cell.NUMBER, N_("Requests")),
    Column("input_tokens", Cell.NUMBER, N_("Input tokens")),
    Column("cached_input_tokens", Cell.NUMBER, N_("of which cached")),
    Column("cache_write_tokens", Cell.NUMBER, N_("of which written to the cache")),
    Column("input_audio_tokens", Cell.NUMBER, N_("of which audio in")),
    Column("output_tokens", Cell.NUMBER, N_("Output tokens")),
    Column("reasoning_tokens", Cell.NUMBER, N_("of which reasoning")),
    Column("output_audio_tokens", Cell.NUMBER, N_("of which audio out")),
    Column("tokens_estimated", Cell.YES_NO, N_("Tokens are estimated")),
    Column("cost", Cell.MONEY, N_("Cost"), 16),
    Column("currency", Cell.TEXT, N_("Currency"), 9),
    Column("price_source", Cell.TEXT, N_("Price source"), 34),
    Column("latency_ms", Cell.NUMBER, N_("Duration, ms")),
    Column("first_token_ms", Cell.NUMBER, N_("First token, ms")),
    Column("attempts", Cell.NUMBER, N_("Attempts")),
    Column("from_cache", Cell.YES_NO, N_("From the cache")),
    Column("saved", Cell.MONEY, N_("Saved by the cache"), 16),
    Column("flag", Cell.TEXT, N_("Doubt about the figures"), 28),
    Column("fallback_from", Cell.TEXT, N_("Asked first"), 28),
    Column("category", Cell.TEXT, N_("Category"), 20),
    Column("prompt", Cell.TEXT, N_("Prompt"), 20),
    Column("labels", Cell.TEXT, N_("Labels"), 28),
    Column("thread_id", Cell.NUMBER, N_("Thread no.")),
    Column("request_id", Cell.TEXT, N_("Request id"), 38),
)
"""The columns of the calls. Cached, cache-write and audio tokens are part of the input (or output) tokens; `requests`
is how many a row stands for, more than one only where an import summed them up. An import reads the same names."""
