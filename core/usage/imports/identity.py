"""What makes a row the same row when it comes again: the tool's own id, else what the row says."""

from hashlib import blake2b

from core.store.text import storable
from core.usage.imports.arrow import Array, pa
from core.usage.imports.cells import Texts
from core.usage.imports.columns import ColumnMap
from core.usage.imports.types import Field, Format

LONGEST = 64
"""Characters of a request id in the ledger."""

_HASH_BYTES = 14


class Identity:
    """Request ids for the rows of one file and user: what two users import are two calls."""

    def __init__(self, format_: Format, user_id: int, columns: ColumnMap) -> None:
        self._prefix = f"{format_.value}:{user_id}:"
        self._has_id = Field.ID in columns.columns
        self._places = columns.identity or columns.used()

    def of(self, texts: Texts) -> Array:
        """The request id of each row. Rows that say the same have the same one: see `repeated`."""
        ids = texts.get(Field.ID) if self._has_id else None
        if ids is None:
            return pa().array(
                [self._hashed(text) for text in texts.joined(self._places).to_pylist()], pa().string()
            )
        found: list[str | None] = [None if each is None else self._own(each) for each in ids.to_pylist()]
        if None in found:
            contents = texts.joined(self._places).to_pylist()
            found = [each or self._hashed(text) for each, text in zip(found, contents, strict=True)]
        return pa().array(found, pa().string())

    def _own(self, text: str) -> str:
        """Marked as the tool's own by a double colon, so that a row without one never takes its place."""
        whole = f"{self._prefix}:{storable(text)}"
        return whole if len(whole) <= LONGEST else f"{self._prefix}:{_digest(text)}"

    def _hashed(self, text: str) -> str:
        return self._prefix + _digest(text)


def is_own(request_id: str) -> bool:
    """Whether a request id is the tool's own: two such rows are one call; other equal rows are as many calls."""
    return "::" in request_id


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).hexdigest()
