"""Rankings of Explore: the largest groups as bars; a click on one opens its calls."""

from collections.abc import Sequence

import streamlit as st

from core.usage.explore.types import Dimension, Exploration, Group, Where
from ui import format as fmt
from ui.components.rankings import Bar, Rankings
from ui.components.usage_asked import CALLS, Asked, Kind
from ui.components.usage_charts import LARGEST, MOST_OTHERS, Styles, cut
from ui.components.usage_explore_names import dimension_name
from ui.components.usage_explore_state import drill
from ui.components.usage_measure import KINDS, Measure
from ui.door import Viewer
from ui.palette import OTHER

Ranked = tuple[Bar, Sequence[str]]
"""A bar, and the values of the groups that it stands for."""


def latency_section(
    viewer: Viewer, asked: Asked, found: Exploration, styles: Styles, rankings: Rankings
) -> None:
    """How long the slowest answers of each group take; where that stands already, their first tokens."""
    kind = Kind.FIRST if asked.measure is Kind.LATENCY else Kind.LATENCY
    measure = Measure(kind, "", viewer.tr.language)
    _ranking(viewer, asked, found, measure, styles, rankings, "usage-latency-by-group")


def ranking_section(
    viewer: Viewer, asked: Asked, found: Exploration, measure: Measure, styles: Styles, rankings: Rankings
) -> None:
    """The largest groups, with the share of each."""
    _ranking(viewer, asked, found, measure, styles, rankings, "usage-by-group")


def _ranking(
    viewer: Viewer,
    asked: Asked,
    found: Exploration,
    measure: Measure,
    styles: Styles,
    rankings: Rankings,
    key: str,
) -> None:
    _ = viewer.tr.text
    title = _("{measure} by {dimension}", measure=_(KINDS[measure.kind]), dimension=_lower(viewer, found.by))
    st.subheader(title, anchor=False)
    ranked = _ranked(viewer, found, measure, styles)
    if ranked:
        failed: Where = ((Dimension.STATUS, ("failed",)),) if measure.kind is Kind.ERRORS else ()
        clickable_ranking(rankings, ranked, key, title, found.by, asked, failed)
    else:
        st.caption(_("Nothing to draw: these calls come to 0."))


def clickable_ranking(
    rankings: Rankings,
    ranked: Sequence[Ranked],
    key: str,
    alt: str,
    by: Dimension,
    asked: Asked,
    where: Where = (),
) -> None:
    """Bars whose click opens the calls of their groups, among those that pass `where`."""

    def opened(place: int) -> None:
        values = tuple(ranked[place][1])
        # An address with more values than that is too long to share.
        if len(values) <= MOST_OTHERS:
            drill(CALLS, where=((by, values), *where), everyone=asked.everyone)

    rankings.draw([bar for bar, _values in ranked], key, alt, opened)


def _lower(viewer: Viewer, dimension: Dimension) -> str:
    return dimension_name(viewer, dimension).lower()


def _ranked(viewer: Viewer, found: Exploration, measure: Measure, styles: Styles) -> list[Ranked]:
    """The largest groups, largest first, and the rest as one where they add up."""
    _ = viewer.tr.text
    groups = sorted(found.groups, key=lambda group: -measure.of_group(group))
    if not measure.adds_up:
        return [
            (_bar(styles, measure, group, measure.short(measure.of_group(group))), (group.value,))
            for group in groups[: LARGEST + 1]
            if measure.of_group(group)
        ]
    whole = measure.of(found.total)
    if not whole and measure.kind is not Kind.COST:
        return []
    own = cut(len(groups))
    bars: list[Ranked] = [
        (_bar(styles, measure, group, _label(viewer, measure, group, whole)), (group.value,))
        for group in groups[:own]
    ]
    if rest := groups[own:]:
        value = sum(measure.of_group(group) for group in rest)
        other = Bar(_("Other"), OTHER, value, _amount(viewer, measure, value, whole))
        bars.append((other, [group.value for group in rest]))
    return bars


def _bar(styles: Styles, measure: Measure, group: Group, label: str) -> Bar:
    return Bar(styles.names[group.value], styles.colours[group.value], measure.of_group(group), label)


def _label(viewer: Viewer, measure: Measure, group: Group, whole: int) -> str:
    _ = viewer.tr.text
    if measure.kind is Kind.COST and measure.currency not in group.total.costs:
        return _("unpriced") if group.total.unpriced else "—"
    return _amount(viewer, measure, measure.of_group(group), whole)


def _amount(viewer: Viewer, measure: Measure, value: int, whole: int) -> str:
    share = fmt.percent(value / whole, viewer.tr.language) if whole else "—"
    return f"{measure.short(value)} · {share}"
