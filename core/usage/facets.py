"""Sums by status, error, tag and thread: the rows of `usage_facets`, and how calls are added to them."""

from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from core.usage.columns import FACETS, LABEL, SUMS, sources_of
from core.usage.event_batch import EventBatch
from core.usage.merging import Kind, Shares, merge
from core.usage.shapes import HISTOGRAM, histogram
from core.usage.sparse import Ints, sums_by
from core.usage.tables import ALL_USERS
from core.usage.types import CallStatus

STATUS, ERROR, THREAD = "status", "error", "thread"
FACET_KEY = ("user_id", "source", "facet", "value", "day", "provider", "model", "currency")
# The value of a facet under which all calls stand that have any: only of labels can they have several.
ANY = ""
FACET_ROWS = Kind(
    FACETS,
    FACET_KEY,
    {"latency": HISTOGRAM, "first_token": HISTOGRAM},
    lives_by="requests",
    sum_names=SUMS,
)


def add_to_facets(session: Session, batch: EventBatch, sign: int) -> None:
    """Add calls to the sums of all their facets, or with -1 take them out again."""
    if (shares := facet_shares(batch, sign)) is not None:
        merge(session, FACET_ROWS, shares)


def facet_shares(batch: EventBatch, sign: int = 1) -> Shares | None:
    """What calls add to the rows of all their facets; None when they have none."""
    codes: dict[tuple[int, str, str], int] = {}
    events, coded = _members(batch, codes)
    if not events:
        return None
    event, code = np.array(events, np.int64), np.array(coded, np.int64)
    keys, owners = _targets(batch, codes)
    latency = histogram(code, batch.latency[event], sign)
    first_token = histogram(code, batch.first_token[event], sign)
    _, sums = sums_by(code, batch.sums[event] * sign)
    wide = owners.ravel()
    kept = wide >= 0
    _, totals = sums_by(wide[kept], np.repeat(sums, owners.shape[1], axis=0)[kept])
    return Shares(keys, {"latency": latency.of(owners), "first_token": first_token.of(owners)}, totals)


def _members(batch: EventBatch, codes: dict[tuple[int, str, str], int]) -> tuple[list[int], list[int]]:
    """Which calls have which facet of which key: positions of calls, and codes, side by side."""
    events: list[int] = []
    coded: list[int] = []

    def add(event: int, facet: str, value: str) -> None:
        events.append(event)
        coded.append(codes.setdefault((of[event], facet, value), len(codes)))

    of = batch.of.tolist()
    for event, (status, error, thread, tags) in enumerate(
        zip(batch.statuses, batch.errors, batch.threads, batch.tags, strict=True)
    ):
        if status != CallStatus.COMPLETED:
            add(event, STATUS, status)
        if error is not None:
            add(event, ERROR, error)
        if thread is not None:
            add(event, THREAD, str(thread))
        if tags:
            for kind, value in tags:
                add(event, kind, value)
            if any(kind == LABEL for kind, _ in tags):
                add(event, LABEL, ANY)
    return events, coded


def _targets(batch: EventBatch, codes: dict[tuple[int, str, str], int]) -> tuple[list[tuple[Any, ...]], Ints]:
    found: dict[tuple[Any, ...], int] = {}
    owners = np.full((len(codes), 4), -1, np.int64)
    for position, (base, facet, value) in enumerate(codes):
        user_id, source, *rest = batch.keys[base]
        pairs = ((user, name) for user in (ALL_USERS, user_id) for name in sources_of(source))
        for column, pair in enumerate(pairs):
            owners[position, column] = found.setdefault((*pair, facet, value, *rest), len(found))
    return list(found), owners
