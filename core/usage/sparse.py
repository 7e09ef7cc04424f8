"""Small arrays of whole numbers in one column: which slots are used, and what is counted in each.

Many of them are added up at once: all of a report's, or all that a fold touches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_SLOTS = 256


@dataclass(frozen=True, slots=True)
class Entries:
    """Numbers by array and slot: `owner` is the position of the array, `values` has a row for each entry."""

    owner: Ints
    slot: Ints
    values: Ints

    def of(self, owners: Ints) -> "Entries":
        """The same entries for other owners; `owners` has a row of new ones for each old one, -1 for none."""
        wide = owners[self.owner]
        kept = wide.ravel() >= 0
        times = wide.shape[1]
        return Entries(
            wide.ravel()[kept],
            np.repeat(self.slot, times)[kept],
            np.repeat(self.values, times, axis=0)[kept],
        )


@dataclass(frozen=True)
class Layout:
    """How one kind of array is stored: a byte for the slot, then a number for each of `columns`."""

    columns: tuple[tuple[str, str], ...]
    dtype: np.dtype[Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", np.dtype([("slot", "u1"), *self.columns]))

    def unpack(self, stored: Sequence[bytes]) -> Entries:
        """What stands in `stored`; its position is the owner."""
        size = self.dtype.itemsize
        lengths = np.fromiter((len(each) // size for each in stored), np.int64, len(stored))
        records = np.frombuffer(b"".join(stored), self.dtype)
        values = np.empty((len(records), len(self.columns)), np.int64)
        for position, (name, _) in enumerate(self.columns):
            values[:, position] = records[name]
        return Entries(
            np.repeat(np.arange(len(stored), dtype=np.int64), lengths),
            records["slot"].astype(np.int64),
            values,
        )

    def pack(self, parts: Sequence[Entries], owners: int) -> list[bytes]:
        """The sums of all parts as they are stored, for each owner; what adds up to nothing takes no room."""
        merged = added_up(parts)
        used = merged.values.any(axis=1)
        owner, values = merged.owner[used], merged.values[used]
        records = np.empty(len(owner), self.dtype)
        records["slot"] = merged.slot[used]
        for position, (name, _) in enumerate(self.columns):
            records[name] = values[:, position]
        ends = np.searchsorted(owner, np.arange(owners + 1)) * self.dtype.itemsize
        data, at = records.tobytes(), ends.tolist()
        return [data[at[each] : at[each + 1]] for each in range(owners)]


def entries(owner: Any, slot: Any, *columns: Any) -> Entries:
    """Entries from columns."""
    return Entries(
        np.asarray(owner, np.int64), np.asarray(slot, np.int64), np.column_stack(columns).astype(np.int64)
    )


def added_up(parts: Sequence[Entries]) -> Entries:
    """Each owner's slot once, in order. Whole numbers throughout: a float forgets digits above 2^53."""
    owner = np.concatenate([part.owner for part in parts])
    slot = np.concatenate([part.slot for part in parts])
    values = np.concatenate([part.values for part in parts])
    code, summed = sums_by(owner * _SLOTS + slot, values)
    return Entries(code // _SLOTS, code % _SLOTS, summed)


def sums_by(code: Ints, values: Ints) -> tuple[Ints, Ints]:
    """The codes there are, in order, and the sums of the rows of `values` that have each."""
    if not len(code):
        return code, values
    order = np.argsort(code, kind="stable")
    ordered = code[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return ordered[starts], np.add.reduceat(values[order], starts, axis=0)


def dense(merged: Entries, owners: int) -> Ints:
    """The numbers by owner, slot and column."""
    found = np.zeros((owners, _SLOTS, merged.values.shape[1]), np.int64)
    found[merged.owner, merged.slot] = merged.values
    return found
