"""The charts of Explore, each with the table it was drawn from; a click on a bar opens its calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.usage.explore.types import Dimension, Exploration, Group, Interval, Timing, Where
from ui.charts import Series, period_bars
from ui.charts_lines import Line, lines
from ui.components.usage_asked import CALLS, Asked, Kind
from ui.components.usage_explore_names import value_colours, value_names
from ui.components.usage_explore_periods import BY_INTERVAL, places_of
from ui.components.usage_explore_state import drill
from ui.components.usage_measure import Measure
from ui.components.usage_plot import clicked, legend, plot
from ui.components.usage_tables import lines_table, period_table
from ui.door import Viewer
from ui.palette import OTHER

LARGEST = 7
BARS = "usage-daily"
# An address with more values than that is too long to share.
MOST_OTHERS = 50


@dataclass(frozen=True, slots=True)
class Styles:
    """The names and the colours of groups."""

    names: Mapping[str, str]
    colours: Mapping[str, str]


def styles_of(viewer: Viewer, found: Exploration) -> Styles:
    """How the groups of an exploration are called and coloured."""
    values = [group.value for group in found.groups]
    return Styles(value_names(viewer, found.by, values), value_colours(found.by, values))


def period_section(
    viewer: Viewer, asked: Asked, found: Exploration, measure: Measure, styles: Styles
) -> None:
    """The measure over the periods of the range, with the table behind it."""
    _ = viewer.tr.text
    title = _(BY_INTERVAL[found.interval])
    drawn: Sequence[Line] = ()
    if measure.adds_up:
        _bars(viewer, asked, found, measure, styles)
    else:
        drawn = _lines(viewer, found, measure, styles)
    if found.by is Dimension.LABEL and measure.adds_up:
        st.caption(
            _(
                "A call may have several labels and stands with each: labels can add up to more than the total."
            )
        )
    with st.expander(_table_title(viewer, found.interval), key="usage-periods", on_change="rerun") as table:
        if table.open:
            if drawn:
                lines_table(viewer, found, measure, drawn)
            period_table(viewer, found, title)


def _table_title(viewer: Viewer, interval: Interval) -> str:
    _ = viewer.tr.text
    return {
        Interval.DAY: _("Table by day"),
        Interval.WEEK: _("Table by week"),
        Interval.MONTH: _("Table by month"),
    }[interval]


def _bars(viewer: Viewer, asked: Asked, found: Exploration, measure: Measure, styles: Styles) -> None:
    _ = viewer.tr.text
    groups = _in_order(found.groups, measure)
    own = cut(len(groups))
    if not groups:
        _nothing(viewer, found, measure)
        return
    named, others = groups[:own], groups[own:]
    series = [
        Series(
            styles.names[group.value],
            styles.colours[group.value],
            [measure.of(point) for point in group.points],
        )
        for group in named
    ]
    if others:
        rest = [[measure.of(point) for point in group.points] for group in others]
        series.append(Series(_("Other"), OTHER, [sum(values) for values in zip(*rest, strict=True)]))
    figure = period_bars(
        places_of(found.periods, found.interval, viewer.tr.language),
        series,
        measure.exact,
        measure.short,
        viewer.tr.language,
    )
    wanted: list[tuple[str, ...]] = [(group.value,) for group in named]
    if others and len(others) <= MOST_OTHERS:
        wanted.append(tuple(group.value for group in others))
    plot(
        figure,
        BARS,
        _("Usage by period and group; the table below has the same figures"),
        on_click=lambda: _open_bar(asked, found, measure, wanted),
    )
    legend([(each.name, each.colour) for each in series])


def _open_bar(asked: Asked, found: Exploration, measure: Measure, wanted: Sequence[tuple[str, ...]]) -> None:
    """Open the calls of the part of a bar that was clicked."""
    point = clicked(BARS)
    if point is None or point.place >= len(found.periods):
        return
    period = found.periods[point.place]
    where: Where = ()
    if point.series < len(wanted):
        where = ((found.by, wanted[point.series]),)
    if measure.kind is Kind.ERRORS:
        where = (*where, (Dimension.STATUS, ("failed",)))
    drill(CALLS, period.start, period.end, where, everyone=asked.everyone)


def _lines(viewer: Viewer, found: Exploration, measure: Measure, styles: Styles) -> Sequence[Line]:
    """Returns what was drawn."""
    _ = viewer.tr.text
    busiest = sorted(found.groups, key=lambda group: -group.total.requests)
    groups = [group for group in busiest if measure.of_group(group)][:LARGEST]
    if not groups:
        _nothing(viewer, found, measure)
        return ()
    values = _values_over_time(viewer, found, measure, groups)
    drawn = [
        Line(styles.names[group.value], styles.colours[group.value], points)
        for group, points in zip(groups, values, strict=True)
    ]
    places = places_of(found.periods, found.interval, viewer.tr.language)
    plot(
        lines(places, drawn, measure.exact, measure.short),
        "usage-speed",
        _("Usage by period and group; the table below has the same figures"),
    )
    legend([(line.name, line.colour) for line in drawn])
    return drawn


def _values_over_time(
    viewer: Viewer, found: Exploration, measure: Measure, groups: Sequence[Group]
) -> list[list[int | None]]:
    """The measure in each period of each group; None where there was nothing to measure."""
    if not measure.is_percentile:
        return [[measure.of(point) or None for point in group.points] for group in groups]
    _periods, timings = viewer.services.explore.timings(found.selection, found.by, found.interval)
    empty = [Timing()] * len(found.periods)
    return [
        [measure.of_timing(timing) or None for timing in timings.get(group.value, empty)] for group in groups
    ]


def _in_order(groups: Sequence[Group], measure: Measure) -> list[Group]:
    """The groups that come to something, largest first."""
    return sorted(filter(measure.of_group, groups), key=lambda group: -measure.of_group(group))


def _nothing(viewer: Viewer, found: Exploration, measure: Measure) -> None:
    _ = viewer.tr.text
    no_price = measure.kind is Kind.COST and found.total.unpriced == found.total.requests
    st.caption(
        _("Nothing to draw: none of these calls has a price.")
        if no_price
        else _("Nothing to draw: these calls come to 0.")
    )


def cut(groups: int) -> int:
    """How many of so many groups have a name of their own."""
    # "Other" stands for two or more; a single one may as well have its name.
    return groups if groups <= LARGEST + 1 else LARGEST
