"""The ranking: ranges as bars, and the table behind them."""

import streamlit as st

from core.pricing.types import Money
from core.usage.what_if_types import RowKind, WhatIf, WhatIfRow
from ui import format as fmt
from ui.charts_outlook import ACCENT, RangeBar, ranges
from ui.components.usage_measure import model_name, provider_name
from ui.components.usage_plot import plot
from ui.components.usage_whatif_words import ASSUMPTIONS
from ui.door import Viewer
from ui.palette import OTHER, provider_colour
from ui.plain import escape


def range_chart(viewer: Viewer, found: WhatIf) -> None:
    """A bar from low to high for each row in the table's currency, the cheapest on top."""
    _ = viewer.tr.text
    bars = [bar for row in found.rows if (bar := _bar(viewer, found, row)) is not None]
    paid = found.actual.low
    plot(ranges(bars, paid.nano if paid else None), "whatif-ranges", _("What the same calls would have cost"))
    st.caption(_("The upright mark in each row is what was paid."))


def rank_table(viewer: Viewer, found: WhatIf) -> None:
    """One row each: what it would have cost, how far that is from what was paid, and what the range stands for."""
    _ = viewer.tr.text
    rows = [
        {
            _("Instead"): escape(_name(viewer, row)),
            _("Cost"): _cost(viewer, row),
            _("Against what was paid"): escape(_difference(viewer, found, row)),
            _("Uncertain"): escape(_uncertain(viewer, row)),
        }
        for row in found.rows
    ]
    with st.container(key="usage-table-whatif"):
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        st.table(columns, border="horizontal", hide_index=True)


def _bar(viewer: Viewer, found: WhatIf, row: WhatIfRow) -> RangeBar | None:
    if row.low is None or row.high is None or row.low.currency != found.currency:
        return None
    colour = {RowKind.ACTUAL: ACCENT, RowKind.SUBSCRIPTION: OTHER}.get(row.kind) or provider_colour(
        row.provider
    )
    return RangeBar(
        _name(viewer, row), colour, row.low.nano, row.high.nano, _amounts(viewer, row.low, row.high)
    )


def _name(viewer: Viewer, row: WhatIfRow) -> str:
    _ = viewer.tr.text
    if row.kind is RowKind.ACTUAL:
        return _("What was paid")
    if row.kind is RowKind.SUBSCRIPTION:
        return row.label
    return f"{provider_name(viewer, row.provider)} · {model_name(viewer, row.provider, row.model)}"


def _cost(viewer: Viewer, row: WhatIfRow) -> str:
    _ = viewer.tr.text
    if row.low is None or row.high is None:
        unpriced = _("unpriced")
        return f":gray-badge[{escape(unpriced)}]"
    return escape(_amounts(viewer, row.low, row.high))


def _difference(viewer: Viewer, found: WhatIf, row: WhatIfRow) -> str:
    _ = viewer.tr.text
    if row.kind is RowKind.ACTUAL:
        return "—"
    between = found.difference(row)
    if between is None:
        return "—" if row.low is None else _("not comparable")
    low, high = between
    if high.nano <= 0:
        return _("{amount} less", amount=_amounts(viewer, high, low)) if low.nano else _("the same")
    if low.nano >= 0:
        return _("{amount} more", amount=_amounts(viewer, low, high))
    return _("{less} less – {more} more", less=_size(viewer, low), more=_size(viewer, high))


def _uncertain(viewer: Viewer, row: WhatIfRow) -> str:
    _ = viewer.tr.text
    named = [_(short) for kind, (short, _long) in ASSUMPTIONS.items() if kind in row.assumptions]
    return ", ".join(named) or "—"


def _amounts(viewer: Viewer, low: Money, high: Money) -> str:
    first, last = _size(viewer, low), _size(viewer, high)
    return first if first == last else f"{first} – {last}"


def _size(viewer: Viewer, money: Money) -> str:
    return fmt.money(abs(money.nano), money.currency, viewer.tr.language)
