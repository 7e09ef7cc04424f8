"""The days a report is about: presets and dates of one's own, kept in the address."""

from datetime import date, timedelta

import streamlit as st

from core.i18n import N_
from core.pricing.service import CURRENCY
from core.usage.types import UsageReport
from ui.door import Viewer

_PRESETS = {
    "today": N_("Today"),
    "7d": N_("7 days"),
    "30d": N_("30 days"),
    "90d": N_("90 days"),
    "month": N_("This month"),
    "year": N_("Year"),
    "custom": N_("Custom"),
}
_LENGTHS = {"today": 1, "7d": 7, "30d": 30, "90d": 90, "year": 365}
_DEFAULT = "30d"
_FIRST_DAY = date(2000, 1, 1)
_DATE_FORMATS = {"ru": "DD.MM.YYYY"}


def choose_range(viewer: Viewer, today: date) -> tuple[date, date]:
    """The first and the last day that the viewer wants to see; the last 30 days at first."""
    _ = viewer.tr.text
    asked = st.query_params.get("range", _DEFAULT)
    names = list(_PRESETS)
    preset = st.radio(
        _("Range"),
        names,
        index=names.index(asked if asked in names else _DEFAULT),
        format_func=lambda name: _(_PRESETS[name]),
        key="usage-range",
        persist_state="session",
    )
    if preset == "custom":
        return _choose_days(viewer, today)
    _keep({} if preset == _DEFAULT else {"range": preset})
    start = today.replace(day=1) if preset == "month" else today - timedelta(_LENGTHS[preset] - 1)
    return start, today


def _choose_days(viewer: Viewer, today: date) -> tuple[date, date]:
    _ = viewer.tr.text
    style = _DATE_FORMATS.get(viewer.tr.language, "YYYY-MM-DD")
    start: date = st.date_input(
        _("First day"),
        _asked("from", today - timedelta(29), today),
        min_value=_FIRST_DAY,
        max_value=today,
        format=style,
        key="usage-from",
        persist_state="session",
    )
    end: date = st.date_input(
        _("Last day"),
        _asked("to", today, today),
        min_value=_FIRST_DAY,
        max_value=today,
        format=style,
        key="usage-to",
        persist_state="session",
    )
    _keep({"range": "custom", "from": start.isoformat(), "to": end.isoformat()})
    return start, end


def _asked(name: str, default: date, today: date) -> date:
    """A day from the address, within what can be picked; `default` for anything that is not a day."""
    try:
        return max(_FIRST_DAY, min(date.fromisoformat(st.query_params.get(name, "")), today))
    except ValueError:
        return default


def _keep(wanted: dict[str, str]) -> None:
    """Put the range into the address, and leave alone what else stands there."""
    for name in ("range", "from", "to"):
        if name in wanted and st.query_params.get(name) != wanted[name]:
            st.query_params[name] = wanted[name]
        elif name not in wanted and name in st.query_params:
            del st.query_params[name]


def choose_conversion(viewer: Viewer) -> str | None:
    """The one currency to show everything in; None: as it was charged. Asked only when there are rates."""
    _ = viewer.tr.text
    rates = viewer.services.rates.list()
    if not rates:
        return None
    own = viewer.services.settings.currency
    known = dict.fromkeys([own, *(name for rate in rates for name in (rate.base, rate.quote))])
    chosen = st.selectbox(
        _("Show costs in"),
        ["", *known],
        format_func=lambda name: name or _("the currency they were charged in"),
        key="usage-convert",
        persist_state="session",
        help=_("Each day is converted at the rate that was valid on it. Rates are kept on the Models page."),
    )
    return chosen or None


def choose_currency(viewer: Viewer, report: UsageReport) -> str:
    """The currency of the charts; asks only when calls were priced in several, which are never added."""
    _ = viewer.tr.text
    currencies = sorted(report.total.costs)
    if len(currencies) < 2:
        return currencies[0] if currencies else CURRENCY
    main = max(currencies, key=lambda name: sum(name in each.totals.costs for each in report.by_model))
    chosen = st.segmented_control(
        _("Currency of the charts"),
        currencies,
        default=main,
        required=True,
        key="usage-currency",
        persist_state="session",
    )
    return chosen or main
