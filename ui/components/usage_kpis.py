"""The figures at the top, and what must be known about them."""

from collections.abc import Callable, Mapping

import streamlit as st

from core.usage.explore.types import Dimension, Exploration, Measures, Percentiles
from ui import format as fmt
from ui.components.usage_explore_names import model_of
from ui.components.usage_measure import cost_text, in_order, model_name, money_text
from ui.door import Viewer
from ui.plain import escape


def kpi_row(viewer: Viewer, found: Exploration, currency: str) -> None:
    """What the calls came to, against what the range is compared with.

    Only errors are good or bad by themselves, so only their change has a colour.
    """
    with st.container(horizontal=True, key="usage-kpis"):
        _counts(viewer, found)
        _amounts(viewer, found, currency)
        _errors(viewer, found)
        _latency(viewer, found)
    _caveats(viewer, found)


def _counts(viewer: Viewer, found: Exploration) -> None:
    _ = viewer.tr.text
    language, total = viewer.tr.language, found.total
    hint = _("Calls to models, failed ones included.")
    _metric(viewer, found, _("Requests"), fmt.count(total.requests, language), lambda of: of.requests, hint)
    hint = _token_split(viewer, total)
    _metric(viewer, found, _("Tokens"), fmt.count(total.tokens, language), lambda of: of.tokens, hint)


def _amounts(viewer: Viewer, found: Exploration, currency: str) -> None:
    _ = viewer.tr.text
    total = found.total

    def cost(of: Measures) -> int:
        return of.costs.get(currency, 0)

    def saved(of: Measures) -> int:
        return of.saved.get(currency, 0)

    text, hint = cost_text(viewer, total), _cost_hint(viewer, total)
    _metric(viewer, found, _("Cost"), text, cost, hint, unit=_only(total.costs, currency))
    text, hint = money_text(viewer, total.saved), _saved_hint(viewer, total)
    _metric(viewer, found, _("Saved"), text, saved, hint, unit=_only(total.saved, currency))


def _only(amounts: Mapping[str, int], currency: str) -> str:
    """The currency that a line and a change are of, where the figure above has several."""
    return currency if len(amounts) > 1 else ""


def _errors(viewer: Viewer, found: Exploration) -> None:
    _ = viewer.tr.text
    total = found.total
    share = fmt.percent(total.errors / total.requests if total.requests else 0, viewer.tr.language)
    _metric(
        viewer,
        found,
        _("Errors"),
        fmt.count(total.errors, viewer.tr.language),
        lambda of: of.errors,
        _("{share} of all requests failed.", share=share),
        colour="inverse",
    )


def _metric(
    viewer: Viewer,
    found: Exploration,
    label: str,
    value: str,
    of: Callable[[Measures], int],
    hint: str,
    colour: str = "off",
    unit: str = "",
) -> None:
    line = [of(point) for point in found.points]
    before = found.before
    change = fmt.change(of(found.total), of(before), viewer.tr.language) if before is not None else None
    if change and unit:
        change = f"{change} · {unit}"
    st.metric(
        label,
        # Two of them would be read as a formula.
        value.replace("$", r"\$"),
        change,
        delta_color="inverse" if colour == "inverse" and change else "off",
        help=hint,
        border=True,
        height="stretch",
        chart_data=line if len(line) > 1 and any(line) else None,
        chart_type="area",
    )


def _latency(viewer: Viewer, found: Exploration) -> None:
    """How long answers took. There is no line and no change: a percentile is known of a range, not of its days."""
    _ = viewer.tr.text
    speed = found.total.tokens_per_second
    lines = [
        _percentiles(viewer, _("Whole answer"), found.latency),
        _percentiles(viewer, _("First token"), found.first_token),
    ]
    if found.latency.calls or found.first_token.calls:
        lines.append(_("Percentiles are read from a histogram: they are at most 5% off."))
    if speed is not None:
        number = fmt.tenths(round(speed * 10), viewer.tr.language)
        lines.append(_("{number} tokens per second while answers came", number=number))
    first = _milliseconds(viewer, found.first_token.p95)
    st.metric(
        _("Latency, p95"),
        _milliseconds(viewer, found.latency.p95),
        _("first token {time}", time=first) if found.first_token.calls else None,
        delta_color="off",
        delta_arrow="off",
        help="\n\n".join(lines),
        border=True,
        height="stretch",
    )


def _percentiles(viewer: Viewer, name: str, found: Percentiles) -> str:
    parts = (("p50", found.p50), ("p95", found.p95), ("p99", found.p99))
    return f"{name}: " + " · ".join(f"{label} {_milliseconds(viewer, value)}" for label, value in parts)


def _milliseconds(viewer: Viewer, value: float | None) -> str:
    return "—" if value is None else fmt.duration(round(value), viewer.tr.language)


def _token_split(viewer: Viewer, total: Measures) -> str:
    _ = viewer.tr.text
    parts = [
        (_("Input"), total.input_tokens),
        (_("of it cached"), total.cached_input_tokens),
        (_("Output"), total.output_tokens),
        (_("of it reasoning"), total.reasoning_tokens),
    ]
    return "\n\n".join(f"{name}: {fmt.exact(number, viewer.tr.language)}" for name, number in parts)


def _cost_hint(viewer: Viewer, total: Measures) -> str:
    _ = viewer.tr.text
    names = in_order(viewer, total.costs)
    amounts = [fmt.money_exact(total.costs[name], name, viewer.tr.language) for name in names]
    exact = escape(" + ".join(amounts))
    return _("At list prices of the day of each call. Unpriced calls are left out.") + (
        exact and f"\n\n{exact}"
    )


def _saved_hint(viewer: Viewer, total: Measures) -> str:
    ngettext = viewer.tr.plural
    return ngettext(
        "What {number} answer from the cache of AIHub would have cost.",
        "What {number} answers from the cache of AIHub would have cost.",
        total.from_cache,
        number=fmt.exact(total.from_cache, viewer.tr.language),
    )


def _caveats(viewer: Viewer, found: Exploration) -> None:
    _, ngettext = viewer.tr.text, viewer.tr.plural
    total, language = found.total, viewer.tr.language
    if not any((total.unpriced, total.estimated, total.flagged, found.converted, found.unconverted)):
        return
    with st.container(horizontal=True, key="usage-caveats", gap="small"):
        if total.unpriced:
            st.badge(
                ngettext(
                    "{number} unpriced call",
                    "{number} unpriced calls",
                    total.unpriced,
                    number=fmt.exact(total.unpriced, language),
                ),
                color="gray",
                help=_(
                    "No price is known for {models}: these calls count in tokens and are left out of the cost. "
                    "Set an own price for them on the Models page, then price past calls anew there.",
                    models=_unpriced_models(viewer, found),
                ),
            )
        if total.estimated:
            st.badge(
                ngettext(
                    "{number} call with estimated tokens",
                    "{number} calls with estimated tokens",
                    total.estimated,
                    number=fmt.exact(total.estimated, language),
                ),
                color="gray",
                help=_(
                    "The provider did not report all tokens of these calls, so AIHub counted them itself."
                ),
            )
        if total.flagged:
            st.badge(
                ngettext(
                    "{number} flagged call",
                    "{number} flagged calls",
                    total.flagged,
                    number=fmt.exact(total.flagged, language),
                ),
                color="orange",
                help=_(
                    "The provider reported figures that cannot be: AIHub counted these calls itself. "
                    "What was reported stands with each call."
                ),
            )
        _conversions(viewer, found)


def _conversions(viewer: Viewer, found: Exploration) -> None:
    _ = viewer.tr.text
    if found.converted:
        st.badge(
            _("converted"),
            color="gray",
            help=_(
                "Costs in other currencies were converted at the rate of each day, so they are not exact."
            ),
        )
    if found.unconverted:
        names = ", ".join(sorted(found.unconverted))
        st.badge(
            _("no rate for {currencies}", currencies=names),
            color="orange",
            help=_(
                "Add a rate on the Models page to have these costs in the sum; until then they stand beside it."
            ),
        )


def _unpriced_models(viewer: Viewer, found: Exploration) -> str:
    """The models without a price, by name; without names when calls are not grouped by model."""
    _ = viewer.tr.text
    if found.by is not Dimension.MODEL:
        return _("some models")
    names = [
        escape(model_name(viewer, *model_of(group.value))) for group in found.groups if group.total.unpriced
    ]
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
