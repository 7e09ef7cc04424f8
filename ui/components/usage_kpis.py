"""The four figures at the top, and what must be known about them."""

from collections.abc import Callable

import streamlit as st

from core.usage.types import Totals, UsageReport
from ui import format as fmt
from ui.components.usage_measure import cost_text, model_name
from ui.door import Viewer
from ui.plain import escape


def kpi_row(viewer: Viewer, report: UsageReport, currency: str) -> None:
    """Requests, tokens, cost and errors of the range against the period before it.

    Only errors are good or bad by themselves, so only their change has a colour.
    """
    _ = viewer.tr.text
    language, total, before = viewer.tr.language, report.total, report.previous
    with st.container(horizontal=True, key="usage-kpis"):
        _metric(
            report,
            _("Requests"),
            fmt.count(total.requests, language),
            fmt.change(total.requests, before.requests, language),
            lambda day: day.requests,
            _("Calls to models, failed ones included."),
        )
        _metric(
            report,
            _("Tokens"),
            fmt.count(total.tokens, language),
            fmt.change(total.tokens, before.tokens, language),
            lambda day: day.tokens,
            _token_split(viewer, total),
        )
        _metric(
            report,
            _("Cost"),
            cost_text(viewer, total),
            fmt.change(total.costs.get(currency, 0), before.costs.get(currency, 0), language),
            lambda day: day.costs.get(currency, 0),
            _cost_hint(viewer, total),
        )
        _metric(
            report,
            _("Errors"),
            fmt.count(total.errors, language),
            fmt.change(total.errors, before.errors, language),
            lambda day: day.errors,
            _("{share} of all requests failed.", share=_share(viewer, total)),
            colour="inverse",
        )
    _caveats(viewer, report)


def _metric(
    report: UsageReport,
    label: str,
    value: str,
    change: str | None,
    of: Callable[[Totals], int],
    hint: str,
    colour: str = "off",
) -> None:
    line = [of(totals) for _day, totals in report.days]
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


def _token_split(viewer: Viewer, total: Totals) -> str:
    _ = viewer.tr.text
    parts = [
        (_("Input"), total.input_tokens),
        (_("of it cached"), total.cached_input_tokens),
        (_("Output"), total.output_tokens),
        (_("of it reasoning"), total.reasoning_tokens),
    ]
    return "\n\n".join(f"{name}: {fmt.exact(number, viewer.tr.language)}" for name, number in parts)


def _cost_hint(viewer: Viewer, total: Totals) -> str:
    _ = viewer.tr.text
    amounts = [fmt.money_exact(nano, name, viewer.tr.language) for name, nano in sorted(total.costs.items())]
    exact = escape(" · ".join(amounts))
    return _("At list prices of the day of each call. Unpriced calls are left out.") + (
        exact and f"\n\n{exact}"
    )


def _share(viewer: Viewer, total: Totals) -> str:
    return fmt.percent(total.errors / total.requests if total.requests else 0, viewer.tr.language)


def _caveats(viewer: Viewer, report: UsageReport) -> None:
    _, ngettext = viewer.tr.text, viewer.tr.plural
    total, language = report.total, viewer.tr.language
    if not (total.unpriced or total.estimated or report.converted or report.unconverted):
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
                    models=_unpriced_models(viewer, report),
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
        _conversions(viewer, report)


def _conversions(viewer: Viewer, report: UsageReport) -> None:
    _ = viewer.tr.text
    if report.converted:
        st.badge(
            _("converted"),
            color="gray",
            help=_(
                "Costs in other currencies were converted at the rate of each day, so they are not exact."
            ),
        )
    if report.unconverted:
        names = ", ".join(sorted(report.unconverted))
        st.badge(
            _("no rate for {currencies}", currencies=names),
            color="orange",
            help=_(
                "Add a rate on the Models page to have these costs in the sum; until then they stand beside it."
            ),
        )


def _unpriced_models(viewer: Viewer, report: UsageReport) -> str:
    names = [
        escape(model_name(viewer, each.provider, each.model))
        for each in report.by_model
        if each.totals.unpriced
    ]
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
