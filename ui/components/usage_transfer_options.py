"""How a file is to be read, where AIHub cannot know or was wrong."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.i18n import N_
from core.usage.imports.encodings import ENCODINGS
from core.usage.imports.types import (
    Asked,
    DateOrder,
    DecimalSign,
    Format,
    ImportOptions,
    JobState,
    UnclearFile,
)
from ui.components.usage_transfer_words import FORMATS
from ui.door import Viewer
from ui.session import widget

_SEPARATORS = {",": N_("Comma"), ";": N_("Semicolon"), "\t": N_("Tab"), "|": N_("Bar")}
_ORDERS = {
    DateOrder.DAY_FIRST: N_("Day first: 21/11/2026"),
    DateOrder.MONTH_FIRST: N_("Month first: 11/21/2026"),
}
_DECIMALS = {DecimalSign.POINT: N_("Point: 1,234.50"), DecimalSign.COMMA: N_("Comma: 1.234,50")}
_ZONES = (
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Moscow",
    "Asia/Almaty",
    "Asia/Tokyo",
    "America/New_York",
    "America/Los_Angeles",
)


def options_form(viewer: Viewer, state: JobState) -> None:
    """The form, open where the file asks for an answer."""
    _ = viewer.tr.text
    asked = state.error.asked if isinstance(state.error, UnclearFile) else None
    with (
        st.expander(_("How to read this file"), expanded=asked is not None),
        st.form("import-options", border=False),
    ):
        first, second = st.columns(2)
        with first:
            _choose(
                viewer,
                _("Format"),
                {each.value: FORMATS[each] for each in Format},
                state.options.format,
                "format",
            )
            _choose(
                viewer, _("Date order"), _ORDERS, state.options.date_order, "order", asked is Asked.DATE_ORDER
            )
            _choose(
                viewer, _("Decimal sign"), _DECIMALS, state.options.decimal, "decimal", asked is Asked.DECIMAL
            )
        with second:
            _choose(
                viewer, _("Encoding"), {name: name for name in ENCODINGS}, state.options.encoding, "encoding"
            )
            _choose(viewer, _("Separator"), _SEPARATORS, state.options.separator, "separator")
            zone = viewer.services.ledger.zone.key
            zones = {name: name for name in dict.fromkeys((zone, *_ZONES))}
            _choose(viewer, _("Time zone of times that name none"), zones, state.options.zone, "zone")
        st.text_input(
            _("Currency of costs that name none"), state.options.currency, key="import-currency", max_chars=3
        )
        st.form_submit_button(_("Read again"), key="import-read-again", on_click=_read_again, args=(viewer,))


def _choose(
    viewer: Viewer, label: str, names: Mapping[Any, str], now: str | None, key: str, asked: bool = False
) -> None:
    _ = viewer.tr.text
    choices = list(names) if asked else ["", *names]
    st.selectbox(
        label,
        choices,
        index=choices.index(now) if now in choices else (None if asked else 0),
        format_func=lambda name: _(names[name]) if name else _("Detect"),
        key=f"import-option-{key}",
        placeholder=_("Choose"),
    )


def _read_again(viewer: Viewer) -> None:
    def chosen(key: str) -> str | None:
        return widget(f"import-option-{key}") or None

    format_, order, decimal = chosen("format"), chosen("order"), chosen("decimal")
    currency = str(widget("import-currency") or "").strip().upper()
    options = ImportOptions(
        format=Format(format_) if format_ else None,
        encoding=chosen("encoding"),
        separator=chosen("separator"),
        decimal=DecimalSign(decimal) if decimal else None,
        date_order=DateOrder(order) if order else None,
        zone=chosen("zone"),
        currency=currency or "USD",
    )
    viewer.services.import_jobs.read_again(viewer.account.id, options)
