"""The figures behind the charts, to the token and to the last digit of the price."""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from core.pricing.types import Money
from core.usage.types import Totals, UsageReport
from ui import format as fmt
from ui.components.usage_measure import DEMO, cost_text, provider_name
from ui.door import Viewer
from ui.plain import escape


def model_table(viewer: Viewer, report: UsageReport, currency: str) -> None:
    """One row a model, dearest first."""
    _ = viewer.tr.text
    rows = [
        {
            _("Provider"): escape(provider_name(viewer, each.provider)),
            _("Model"): "—" if each.provider == DEMO and each.model == DEMO else escape(each.model),
            **_figures(viewer, each.totals, report.total, currency),
        }
        for each in report.by_model
    ]
    _table(rows, "usage-table-models")


def provider_table(viewer: Viewer, report: UsageReport, currency: str) -> None:
    """One row a provider, dearest first."""
    _ = viewer.tr.text
    rows = [
        {
            _("Provider"): escape(provider_name(viewer, each.provider)),
            _("Models"): fmt.exact(each.models, viewer.tr.language),
            **_figures(viewer, each.totals, report.total, currency),
        }
        for each in report.by_provider
    ]
    _table(rows, "usage-table-providers")


def day_table(viewer: Viewer, report: UsageReport) -> None:
    """One row a day with calls, newest first; it sorts, and downloads as CSV."""
    _ = viewer.tr.text
    active = [(day, totals) for day, totals in reversed(report.days) if totals.requests]
    counts = {
        _("Requests"): [totals.requests for _day, totals in active],
        _("Input"): [totals.input_tokens for _day, totals in active],
        _("Output"): [totals.output_tokens for _day, totals in active],
        _("Tokens"): [totals.tokens for _day, totals in active],
        _("Errors"): [totals.errors for _day, totals in active],
        _("Unpriced"): [totals.unpriced for _day, totals in active],
    }
    costs = {
        _("Cost, {currency}", currency=currency): [_units(totals, currency) for _day, totals in active]
        for currency in sorted(report.total.costs)
    }
    column = st.column_config
    st.dataframe(
        {_("Day"): [day for day, _totals in active], **counts, **costs},
        hide_index=True,
        placeholder="—",
        column_config={
            _("Day"): column.DateColumn(format="localized"),
            **{name: column.NumberColumn(format="localized") for name in counts},
            **{name: column.NumberColumn(format="%.6f") for name in costs},
        },
        key="usage-table-days",
        alt=_("Usage by day"),
    )


def _units(totals: Totals, currency: str) -> Decimal | None:
    nano = totals.costs.get(currency)
    return None if nano is None else Money(nano, currency).decimal


def _figures(viewer: Viewer, totals: Totals, whole: Totals, currency: str) -> dict[str, str]:
    _ = viewer.tr.text
    counts = {
        _("Requests"): totals.requests,
        _("Input"): totals.input_tokens,
        _("Cached"): totals.cached_input_tokens,
        _("Output"): totals.output_tokens,
        _("Reasoning"): totals.reasoning_tokens,
        _("Tokens"): totals.tokens,
    }
    return {
        **{name: fmt.exact(number, viewer.tr.language) for name, number in counts.items()},
        _("Cost"): _cost(viewer, totals),
        _("Share"): _share(viewer, totals, whole, currency),
        _("Errors"): fmt.exact(totals.errors, viewer.tr.language),
    }


def _cost(viewer: Viewer, totals: Totals) -> str:
    text = escape(cost_text(viewer, totals))
    return text if totals.costs else f":gray-badge[{text}]"


def _share(viewer: Viewer, totals: Totals, whole: Totals, currency: str) -> str:
    """The share of the cost in the main currency; nothing where a share would compare two currencies."""
    if currency not in totals.costs or not whole.costs.get(currency):
        return "—"
    return fmt.percent(totals.costs[currency] / whole.costs[currency], viewer.tr.language)


def _table(rows: Sequence[dict[str, str]], key: str) -> None:
    with st.container(key=key):
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        st.table(columns, border="horizontal", hide_index=True)
