"""Which currency costs are converted into, and which one charts are in; amounts of two are never added."""

import streamlit as st

from core.pricing.service import CURRENCY
from core.usage.explore.types import Exploration
from ui.components.usage_asked import Asked
from ui.components.usage_explore_state import change
from ui.components.usage_measure import in_order
from ui.door import Viewer
from ui.session import show, widget


def choose_conversion(viewer: Viewer, asked: Asked) -> str | None:
    """The one currency to show everything in; None: as it was charged. Asked only when there are rates."""
    _ = viewer.tr.text
    rates = viewer.services.rates.list()
    if not rates:
        return None
    own = viewer.services.settings.currency
    known = dict.fromkeys([own, *(name for rate in rates for name in (rate.base, rate.quote))])
    wanted = asked.currency if asked.currency in known else ""
    offered = ["", *known]
    st.selectbox(
        _("Show costs in"),
        offered,
        index=offered.index(show("usage-convert", wanted)),
        format_func=lambda name: name or _("their own currency"),
        key="usage-convert",
        help=_("Each day is converted at the rate that was valid on it. Rates are kept on the Models page."),
        on_change=lambda: change(currency=widget("usage-convert") or ""),
    )
    return wanted or None


def choose_currency(viewer: Viewer, asked: Asked, found: Exploration) -> str:
    """The currency of the charts; asks only when calls were priced in several."""
    _ = viewer.tr.text
    currencies = in_order(viewer, {*found.total.costs, *found.total.saved})
    if len(currencies) < 2:
        return currencies[0] if currencies else CURRENCY
    main = max(currencies, key=lambda name: sum(name in group.total.costs for group in found.groups))
    wanted = asked.drawn if asked.drawn in currencies else main
    st.segmented_control(
        _("Currency of the charts"),
        currencies,
        default=show("usage-currency", wanted),
        required=True,
        key="usage-currency",
        on_change=lambda: change(drawn=widget("usage-currency") or ""),
    )
    return wanted
