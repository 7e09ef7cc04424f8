"""Answers what usage can be asked: `UsageReader` on the ledger's own database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.currency import ExchangeRates
from core.store.unit_of_work import UnitOfWork
from core.usage.exchange import Exchange
from core.usage.explore.assemble import Sums, ranked
from core.usage.explore.buckets import percentiles
from core.usage.explore.calls import MOST_CALLS, read_calls
from core.usage.explore.error_kinds import count_kinds, read_kinds
from core.usage.explore.part_types import Part
from core.usage.explore.parts import checked_part, read_part
from core.usage.explore.percentile_lines import read_timings
from core.usage.explore.ranges import checked, compared_with, periods_of
from core.usage.explore.raw import Latencies
from core.usage.explore.reading import RawReading, Reading
from core.usage.explore.rolled import RolledReading
from core.usage.explore.rolled_facets import reading_of
from core.usage.explore.series import FIGURES, lines_from, without_zeros
from core.usage.explore.shown import all_of, columns_in, group_of, groups_of, patterns_of
from core.usage.explore.state import read_health, read_users, read_values
from core.usage.explore.types import (
    CallPage,
    Compare,
    Dimension,
    Exploration,
    Group,
    Interval,
    LedgerHealth,
    Patterns,
    Period,
    Selection,
    Timing,
)
from core.usage.explore.uncollected import uncollected
from core.usage.ledger import Ledger


class ExploreService:
    """Every figure is of one moment: an answer is read in one snapshot of the database."""

    def __init__(
        self, unit: UnitOfWork, ledger: Ledger, rates: ExchangeRates | None = None, only_calls: bool = False
    ) -> None:
        """Without `rates` every amount stays in its own currency. `only_calls`: read no roll-up, ever; slow, and
        what the roll-ups are held against."""
        self._unit = unit
        self._ledger = ledger
        self._rates = rates
        self._only_calls = only_calls

    @uncollected
    def explore(
        self,
        selection: Selection,
        by: Dimension = Dimension.MODEL,
        interval: Interval = Interval.DAY,
        compare: Compare = Compare.NONE,
        currency: str | None = None,
        kinds: bool = False,
    ) -> Exploration:
        """See UsageReader."""
        selection = checked(selection)
        compared = compared_with(selection.start, selection.end, compare)
        exchange = Exchange(currency, self._rates) if currency is not None else None
        periods = periods_of(selection.start, selection.end, interval)
        with self._unit.snapshot() as session:
            reading = self._reading(selection, by)
            before = self._before(session, selection, compared, interval, exchange)
            if exchange is not None:
                # Last, so that it tells of the range itself.
                exchange.forget()
            groups = Sums(columns_in(reading, session, selection, by, exchange), periods)
            overall = groups
            latencies = reading.latencies(session, selection, by)
            everything = all_of(latencies)
            if by is Dimension.LABEL:
                # A call with two labels stands in two groups, and counts once.
                whole = self._reading(selection, None)
                overall = Sums(columns_in(whole, session, selection, None, exchange), periods)
                everything = whole.latencies(session, selection, None).get("", Latencies())
            total = overall.total()
            errors = self._kinds(session, selection, total.errors) if kinds else dict[str, int]()
        return Exploration(
            selection=selection,
            by=by,
            interval=interval,
            periods=periods,
            total=total,
            points=overall.by_period(),
            groups=groups_of(groups, latencies),
            latency=percentiles(everything.latency),
            first_token=percentiles(everything.first_token),
            compared=compared,
            before=before.total() if before is not None else None,
            before_points=before.by_period() if before is not None else None,
            converted=exchange is not None and exchange.converted,
            unconverted=frozenset(exchange.unconverted) if exchange is not None else frozenset(),
            errors=errors,
            slow=reading.slow,
        )

    @uncollected
    def series(
        self, selection: Selection, by: Dimension, interval: Interval, figure: str
    ) -> tuple[tuple[Period, ...], Mapping[tuple[str, str], Sequence[int]]]:
        """See UsageReader."""
        if figure not in FIGURES:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("There is no figure “{figure}”. Choose one of {figures}."),
                figure=figure[:40],
                figures=", ".join(FIGURES),
            )
        selection = checked(selection)
        periods = periods_of(selection.start, selection.end, interval)
        with self._unit.snapshot() as session:
            columns = self._reading(selection, by).columns(session, selection, by, coarse=True)
        return periods, without_zeros(lines_from(columns, periods, figure))

    @uncollected
    def timings(
        self, selection: Selection, by: Dimension, interval: Interval
    ) -> tuple[tuple[Period, ...], Mapping[str, Sequence[Timing]]]:
        """See UsageReader."""
        selection = checked(selection)
        periods = periods_of(selection.start, selection.end, interval)
        with self._unit.snapshot() as session:
            return periods, read_timings(session, selection, by, interval, periods, self._reading)

    def patterns(self, selection: Selection) -> Patterns:
        """See UsageReader."""
        selection = checked(selection)
        with self._unit.snapshot() as session:
            reading = self._reading(selection, None)
            if not isinstance(reading, RolledReading):
                # How calls are spread is not kept by facet.
                reading = RawReading(self._ledger.zone)
            shapes = reading.shapes(session, selection)
        return patterns_of(shapes, reading.slow)

    @uncollected
    def top(
        self, selection: Selection, by: Dimension, limit: int = 10, currency: str | None = None
    ) -> tuple[Group, ...]:
        """See UsageReader."""
        selection = checked(selection)
        exchange = Exchange(currency, self._rates) if currency is not None else None
        with self._unit.snapshot() as session:
            reading = self._reading(selection, by)
            columns = columns_in(reading, session, selection, by, exchange)
            sums = Sums(columns, periods_of(selection.start, selection.end, Interval.DAY))
            totals = sums.by_group()
            chosen = [at for at in ranked(sums.values, totals, sums.main_currency()) if sums.values[at]][
                : max(limit, 0)
            ]
            names = tuple(sums.values[at] for at in chosen)
            latencies = reading.latencies(session, selection, by, names)
        return tuple(
            group_of(name, totals[at], (), latencies) for name, at in zip(names, chosen, strict=True)
        )

    def calls(
        self, selection: Selection, older: str | None = None, limit: int = 100, part: Part | None = None
    ) -> CallPage:
        """See UsageReader."""
        selection, limit = checked(selection), min(max(limit, 1), MOST_CALLS)
        if part is None:
            with self._unit.read() as session:
                return read_calls(session, selection, older, limit)
        with self._unit.snapshot() as session:
            zone, guided = self._ledger.zone, not self._only_calls
            return read_part(session, selection, checked_part(part), older, limit, zone, guided)

    def values(self, scope: int | None, sample: bool = False) -> Mapping[Dimension, Sequence[str]]:
        """See UsageReader."""
        with self._unit.snapshot() as session:
            return read_values(session, scope, sample)

    def users(self, scope: int | None, sample: bool = False) -> Sequence[str]:
        """See UsageReader."""
        with self._unit.snapshot() as session:
            return read_users(session, scope, sample)

    def health(self) -> LedgerHealth:
        """See UsageReader."""
        with self._unit.snapshot() as session:
            return read_health(session, self._ledger.zone)

    def _before(
        self,
        session: Session,
        selection: Selection,
        compared: Period | None,
        interval: Interval,
        exchange: Exchange | None,
    ) -> Sums | None:
        if compared is None:
            return None
        earlier = replace(selection, start=compared.start, end=compared.end)
        columns = columns_in(self._reading(selection, None), session, earlier, None, exchange)
        return Sums(columns, periods_of(compared.start, compared.end, interval))

    def _kinds(self, session: Session, selection: Selection, failed: int) -> Mapping[str, int]:
        if self._only_calls:
            return read_kinds(session, selection)
        return count_kinds(session, selection, failed, self._ledger.zone)

    def _reading(self, selection: Selection, by: Dimension | None) -> Reading:
        zone = self._ledger.zone
        return RawReading(zone) if self._only_calls else reading_of(selection, by, zone)
