"""The charts of the usage page, each with the table it was drawn from."""

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

import streamlit as st

from core.i18n import N_
from core.usage.types import Totals, UsageReport
from ui import format as fmt
from ui.charts import Bar, Series, daily_bars, ranking
from ui.components.usage_measure import Kind, Measure, model_name, provider_name
from ui.components.usage_plot import plot
from ui.components.usage_tables import day_table, provider_table
from ui.door import Viewer
from ui.palette import OTHER, model_colours, provider_colour

LARGEST = 7
_KINDS = {Kind.TOKENS: N_("Tokens"), Kind.COST: N_("Cost")}
_SPLITS = {"model": N_("Model"), "provider": N_("Provider")}
_Key = tuple[str, str]
"""Provider and model; no model where providers are split."""


def choose_measure(viewer: Viewer, currency: str) -> tuple[Measure, str]:
    """What the charts measure, and whether a day is split by model or by provider."""
    _ = viewer.tr.text
    with st.container(horizontal=True, vertical_alignment="center", key="usage-switches"):
        st.subheader(_("By day"), anchor=False, width="stretch")
        kind = st.segmented_control(
            _("Measure"),
            list(_KINDS),
            default=Kind.TOKENS,
            required=True,
            format_func=lambda name: _(_KINDS[name]),
            key="usage-measure",
            label_visibility="collapsed",
            persist_state="session",
        )
        split = st.segmented_control(
            _("Split by"),
            list(_SPLITS),
            default="model",
            required=True,
            format_func=lambda name: _(_SPLITS[name]),
            key="usage-split",
            label_visibility="collapsed",
            persist_state="session",
        )
    return Measure(Kind(kind or Kind.TOKENS), currency, viewer.tr.language), split or "model"


def daily_section(viewer: Viewer, report: UsageReport, measure: Measure, split: str) -> None:
    """Stacked bars over the days of the range."""
    _ = viewer.tr.text
    series = (
        _by_provider(viewer, report, measure) if split == "provider" else _by_model(viewer, report, measure)
    )
    days = [day for day, _totals in report.days]
    if series:
        figure = daily_bars(days, series, measure.exact, measure.short, viewer.tr.language)
        plot(figure, "usage-daily", _("Usage by day"))
        _legend(series)
    else:
        no_price = measure.kind is Kind.COST and report.total.unpriced == report.total.requests
        st.caption(
            _("Nothing to draw: none of these calls has a price.")
            if no_price
            else _("Nothing to draw: these calls come to 0.")
        )
    with st.expander(_("Table by day"), key="usage-days", on_change="rerun") as table:
        if table.open:
            day_table(viewer, report)


def ranking_section(viewer: Viewer, report: UsageReport, measure: Measure) -> None:
    """The largest models beside the largest providers."""
    _ = viewer.tr.text
    colours = model_colours((each.provider, each.model) for each in report.by_model)
    models = _bars(
        viewer,
        measure,
        [
            (model_name(viewer, each.provider, each.model), colours[each.provider, each.model], each.totals)
            for each in report.by_model
        ],
    )
    providers = _bars(
        viewer,
        measure,
        [
            (provider_name(viewer, each.provider), provider_colour(each.provider), each.totals)
            for each in report.by_provider
        ],
    )
    rows = max(len(models), len(providers))
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_("By model"), anchor=False)
        plot(ranking(models, rows), "usage-by-model", _("Usage by model"))
    with right:
        st.subheader(_("By provider"), anchor=False)
        plot(ranking(providers, rows), "usage-by-provider", _("Usage by provider"))


def provider_section(viewer: Viewer, report: UsageReport, currency: str) -> None:
    """The table behind the chart by provider."""
    _ = viewer.tr.text
    with st.expander(_("Table by provider"), key="usage-providers", on_change="rerun") as table:
        if table.open:
            provider_table(viewer, report, currency)


def _by_model(viewer: Viewer, report: UsageReport, measure: Measure) -> list[Series]:
    colours = model_colours((each.provider, each.model) for each in report.by_model)
    styles = {key: (model_name(viewer, *key), colour) for key, colour in colours.items()}
    cells = (((each.provider, each.model), each.day, measure.of(each.totals)) for each in report.daily)
    return _series(viewer, report, cells, styles)


def _by_provider(viewer: Viewer, report: UsageReport, measure: Measure) -> list[Series]:
    styles = {
        (each.provider, ""): (provider_name(viewer, each.provider), provider_colour(each.provider))
        for each in report.by_provider
    }
    cells = (((each.provider, ""), each.day, measure.of(each.totals)) for each in report.daily)
    return _series(viewer, report, cells, styles)


def _series(
    viewer: Viewer,
    report: UsageReport,
    cells: Iterable[tuple[_Key, date, int]],
    styles: dict[_Key, tuple[str, str]],
) -> list[Series]:
    """The largest by name, largest first, and the rest as one."""
    _ = viewer.tr.text
    place = {day: index for index, (day, _totals) in enumerate(report.days)}
    values: dict[_Key, list[int]] = {}
    for key, day, value in cells:
        if key not in values:
            values[key] = [0] * len(place)
        values[key][place[day]] += value
    order = sorted((key for key in values if any(values[key])), key=lambda key: (-sum(values[key]), key))
    cut = _cut(len(order))
    series = [Series(*styles[key], values[key]) for key in order[:cut]]
    if rest := [values[key] for key in order[cut:]]:
        series.append(Series(_("Other"), OTHER, [sum(day) for day in zip(*rest, strict=True)]))
    return series


def _bars(viewer: Viewer, measure: Measure, groups: Sequence[tuple[str, str, Totals]]) -> list[Bar]:
    """The largest groups (name, colour, totals), largest first, and the rest as one."""
    _ = viewer.tr.text
    whole = sum(measure.of(totals) for _name, _colour, totals in groups)
    ordered = sorted(groups, key=lambda group: -measure.of(group[2]))
    cut = _cut(len(ordered))
    bars = [
        Bar(name, colour, measure.of(totals), _label(viewer, measure, totals, whole))
        for name, colour, totals in ordered[:cut]
    ]
    if rest := ordered[cut:]:
        value = sum(measure.of(totals) for _name, _colour, totals in rest)
        bars.append(Bar(_("Other"), OTHER, value, _amount(viewer, measure, value, whole)))
    return bars


def _cut(groups: int) -> int:
    # "Other" stands for two or more; a single one may as well have its name.
    return groups if groups <= LARGEST + 1 else LARGEST


def _label(viewer: Viewer, measure: Measure, totals: Totals, whole: int) -> str:
    _ = viewer.tr.text
    if measure.kind is Kind.COST and measure.currency not in totals.costs:
        return _("unpriced") if totals.unpriced else "—"
    return _amount(viewer, measure, measure.of(totals), whole)


def _amount(viewer: Viewer, measure: Measure, value: int, whole: int) -> str:
    share = fmt.percent(value / whole, viewer.tr.language) if whole else "—"
    return f"{measure.short(value)} · {share}"


def _legend(series: Sequence[Series]) -> None:
    """Our own, because Plotly's takes the chart's height away on a phone."""
    if len(series) > 1:
        entries = (
            f'<span><i style="background:{each.colour}"></i>{escape(each.name)}</span>' for each in series
        )
        st.html(f'<div class="usage-legend">{"".join(entries)}</div>')
