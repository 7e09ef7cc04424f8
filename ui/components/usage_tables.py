"""The figures behind the charts, to the token and to the last digit of the price."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

from core.pricing.types import Money
from core.usage.explore.types import Dimension, Exploration, Group, Measures
from ui import format as fmt
from ui.charts_lines import Line
from ui.components.usage_asked import Asked
from ui.components.usage_explore_names import dimension_name, model_of
from ui.components.usage_explore_state import drill
from ui.components.usage_measure import KINDS, Measure, in_order, provider_name
from ui.components.usage_number_columns import count_column, money_column, step_of
from ui.door import Viewer
from ui.session import widget

GROUPS = "usage-table-groups"
_MOST_ROWS, _TALLEST = 12, 460


def period_table(viewer: Viewer, found: Exploration, title: str) -> None:
    """One row a period with calls, newest first; it sorts, and downloads as CSV."""
    _ = viewer.tr.text
    language = viewer.tr.language
    active = [
        (period, point)
        for period, point in zip(reversed(found.periods), reversed(found.points), strict=True)
        if point.requests
    ]
    points = [point for _period, point in active]
    names = {
        _("Period"): [fmt.day_range(period.start, period.end, language) for period, _point in active],
        _("Begins"): [period.start for period, _point in active],
    }
    one_day = all(period.start == period.end for period, _point in active)
    if one_day:
        names = {_("Day"): names[_("Begins")]}
    columns, config = _figures(viewer, points, found.total)
    config[_("Day") if one_day else _("Begins")] = st.column_config.DateColumn(format="localized")
    st.dataframe(
        {**names, **columns},
        hide_index=True,
        placeholder="—",
        column_config=config,
        key="usage-table-periods",
        alt=title,
    )


def lines_table(viewer: Viewer, found: Exploration, measure: Measure, drawn: Sequence[Line]) -> None:
    """What lines over time were drawn from: one row a period with anything measured, newest first."""
    _ = viewer.tr.text
    unit, decimals = (1000, 3) if measure.is_percentile else (10, 1)
    places = [at for at in reversed(range(len(found.periods))) if any(line.values[at] for line in drawn)]
    title = (
        _("{measure}, s", measure=_(KINDS[measure.kind])) if measure.is_percentile else _(KINDS[measure.kind])
    )
    begins = _("Day") if all(period.start == period.end for period in found.periods) else _("Begins")
    columns: dict[str, Sequence[Any]] = {begins: [found.periods[at].start for at in places]}
    for line in drawn:
        values = (line.values[at] for at in places)
        columns[line.name] = [None if value is None else value / unit for value in values]
    number = st.column_config.NumberColumn(format="localized", step=step_of(decimals))
    st.caption(title)
    st.dataframe(
        columns,
        hide_index=True,
        placeholder="—",
        column_config={
            **dict.fromkeys((line.name for line in drawn), number),
            begins: st.column_config.DateColumn(format="localized"),
        },
        key="usage-table-lines",
        alt=title,
    )


def group_table(
    viewer: Viewer, asked: Asked, found: Exploration, names: Mapping[str, str], currency: str
) -> None:
    """One row a group, dearest first, with everything that is known of it; a chosen row opens its calls."""
    _ = viewer.tr.text
    groups = found.groups
    columns: dict[str, Sequence[Any]] = {}
    if found.by is Dimension.MODEL:
        columns[_("Provider")] = [provider_name(viewer, model_of(group.value)[0]) for group in groups]
    columns[dimension_name(viewer, found.by)] = [names[group.value] for group in groups]
    totals = [group.total for group in groups]
    figures, config = _figures(viewer, totals, found.total)
    whole = found.total.costs.get(currency)
    if whole:
        share = _("Share of the cost")
        columns[share] = [_ratio(total.costs.get(currency), whole) for total in totals]
        config[share] = _percent_column()
    times, time_config = _times(viewer, groups)
    st.dataframe(
        {**columns, **figures, **times},
        hide_index=True,
        placeholder="—",
        column_config={**config, **time_config},
        height="auto" if len(groups) <= _MOST_ROWS else _TALLEST,
        key=GROUPS,
        alt=_("All groups"),
        on_select="rerun",
        selection_mode="single-row",
    )
    chosen = _chosen(len(groups))
    if chosen is None:
        st.caption(_("Choose a row to see its calls, or click a bar of the chart."))
        return
    group = groups[chosen]
    where = ((found.by, (group.value,)),)
    name = names[group.value]
    st.button(
        _("Show the calls of {name}", name=name),
        key="usage-open-group",
        on_click=drill,
        args=("calls", None, None, where),
        kwargs={"everyone": asked.everyone},
    )


def _chosen(rows: int) -> int | None:
    state = widget(GROUPS)
    picked: list[int] = state["selection"]["rows"] if state else []
    return picked[0] if picked and picked[0] < rows else None


def _figures(
    viewer: Viewer, totals: Sequence[Measures], whole: Measures
) -> tuple[dict[str, Sequence[Any]], dict[str, Any]]:
    """The columns of sums, and how they are written."""
    _ = viewer.tr.text
    counts: dict[str, Sequence[int]] = {
        _("Requests"): [total.requests for total in totals],
        _("Tokens"): [total.tokens for total in totals],
        _("Input"): [total.input_tokens for total in totals],
        _("Cached"): [total.cached_input_tokens for total in totals],
        _("Output"): [total.output_tokens for total in totals],
        _("Reasoning"): [total.reasoning_tokens for total in totals],
        _("Errors"): [total.errors for total in totals],
        _("Unpriced"): [total.unpriced for total in totals],
        _("From cache"): [total.from_cache for total in totals],
    }
    # What is 0 everywhere says nothing; the main figures always stand.
    counts = {
        name: values
        for place, (name, values) in enumerate(counts.items())
        if place < 3 or any(values) or name == _("Output")
    }
    money = {
        _("Cost, {currency}", currency=currency): [_units(total.costs, currency) for total in totals]
        for currency in in_order(viewer, whole.costs)
    }
    money |= {
        _("Saved, {currency}", currency=currency): [_units(total.saved, currency) for total in totals]
        for currency in in_order(viewer, whole.saved)
    }
    cached = _("Cached share")
    shares = {cached: [_ratio(total.cached_input_tokens, total.input_tokens) for total in totals]}
    config: dict[str, Any] = {
        **{name: count_column(name, values) for name, values in counts.items()},
        **{name: money_column(name, amounts) for name, amounts in money.items()},
    }
    if not whole.cached_input_tokens:
        return {**money, **counts}, config
    return {**money, **counts, **shares}, {**config, cached: _percent_column()}


def _times(viewer: Viewer, groups: Sequence[Group]) -> tuple[dict[str, Sequence[Any]], dict[str, Any]]:
    """The columns of speed, in seconds, where anything was timed."""
    _ = viewer.tr.text
    found: dict[str, Sequence[Any]] = {
        _("Latency p50, s"): [_seconds(group.latency.p50) for group in groups],
        _("Latency p95, s"): [_seconds(group.latency.p95) for group in groups],
        _("Latency p99, s"): [_seconds(group.latency.p99) for group in groups],
        _("First token p50, s"): [_seconds(group.first_token.p50) for group in groups],
        _("First token p95, s"): [_seconds(group.first_token.p95) for group in groups],
        _("First token p99, s"): [_seconds(group.first_token.p99) for group in groups],
        _("Tokens per second"): [_tenths(group.total.tokens_per_second) for group in groups],
    }
    found = {name: values for name, values in found.items() if any(value is not None for value in values)}
    speed = _("Tokens per second")
    config = {
        name: st.column_config.NumberColumn(format="localized", step=step_of(1 if name == speed else 2))
        for name in found
    }
    return found, config


def _percent_column() -> Any:
    return st.column_config.NumberColumn(format="percent")


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 2)


def _tenths(speed: float | None) -> float | None:
    return None if speed is None else round(speed, 1)


def _ratio(part: int | None, whole: int) -> float | None:
    return None if part is None or not whole else part / whole


def _units(amounts: Mapping[str, int], currency: str) -> Decimal | None:
    nano = amounts.get(currency)
    return None if nano is None else Money(nano, currency).decimal
