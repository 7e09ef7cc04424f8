"""Exchange rates: what one currency is worth in another, from a day on."""

from decimal import Decimal, InvalidOperation

import streamlit as st

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.currency import Rate
from ui import format as fmt
from ui.components.models_price_text import CURRENCIES, date_style
from ui.components.notices import attempt, offer_undo, say
from ui.door import Viewer
from ui.plain import escape, plain_text
from ui.session import Slot, remember, take


def rates_part(viewer: Viewer) -> None:
    """The list of rates, and the way to add one."""
    _ = viewer.tr.text
    with st.container(key="models-rates-head", horizontal=True, vertical_alignment="center"):
        st.subheader(_("Exchange rates"), anchor=False, width="stretch")
        st.button(_("Add a rate"), key="rate-new", on_click=remember, args=(Slot.RATE_DIALOG, True))
    st.caption(
        _(
            "Usage can be shown in one currency. Each day is converted at the rate that was valid on it; "
            "what has no rate stays in its own currency."
        )
    )
    _rate_list(viewer)
    if take(Slot.RATE_DIALOG):
        st.dialog(_("Add an exchange rate"))(_rate_form)(viewer)


def _rate_list(viewer: Viewer) -> None:
    _ = viewer.tr.text
    for rate in viewer.services.rates.list():
        since = fmt.day(rate.valid_from, viewer.tr.language)
        with st.container(key=f"rate-{rate.id}", border=True, horizontal=True, vertical_alignment="center"):
            line = _(
                "1 {base} = {rate} {quote}, from {day}",
                base=rate.base,
                rate=_in_digits(viewer, rate.rate),
                quote=rate.quote,
                day=since,
            )
            st.markdown(escape(" · ".join(part for part in (line, rate.note) if part)), width="stretch")
            st.button(
                _("Retire"),
                key=f"rate-retire-{rate.id}",
                type="tertiary",
                on_click=_retire_rate,
                args=(viewer, rate),
            )


def _retire_rate(viewer: Viewer, rate: Rate) -> None:
    _ = viewer.tr.text
    rates = viewer.services.rates
    if attempt(viewer, lambda: rates.retire(viewer.actor, rate.id)):
        offer_undo(
            _("Retired the rate of {base} in {quote}", base=rate.base, quote=rate.quote),
            lambda: rates.restore(viewer.actor, rate.id),
        )


def _rate_form(viewer: Viewer) -> None:
    _ = viewer.tr.text
    with st.form("rate-form", border=False):
        columns = [*st.columns(2), *st.columns(2)]
        base = columns[0].selectbox(
            _("One unit of"), CURRENCIES, index=0, key="rate-base", accept_new_options=True
        )
        quote = columns[1].selectbox(
            _("is worth, in"),
            CURRENCIES,
            index=CURRENCIES.index("RUB"),
            key="rate-quote",
            accept_new_options=True,
        )
        typed = columns[2].text_input(_("Rate"), key="rate-value", placeholder="92.5")
        since = columns[3].date_input(
            _("Valid from"),
            value=viewer.services.usage.today(),
            format=date_style(viewer.tr.language),
            key="rate-since",
        )
        note = st.text_input(_("Source"), key="rate-note", placeholder=_("Central bank, invoice …"))
        if not st.form_submit_button(_("Add the rate"), type="primary", key="rate-add"):
            return
    try:
        viewer.services.rates.add(viewer.actor, _code(base), _code(quote), _rate(typed), since, note)
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
        return
    say(_("The rate stands."))
    st.rerun()


def _code(typed: object) -> str:
    return str(typed or "").strip().upper()


def _rate(typed: str) -> Decimal:
    try:
        return Decimal(typed.replace(",", ".").replace(" ", "").replace("\u00a0", ""))
    except InvalidOperation:
        raise AppError(
            ErrorKind.VALIDATION, N_("The rate is not a number. Enter one such as 92.5.")
        ) from None


def _in_digits(viewer: Viewer, rate: Decimal) -> str:
    digits = f"{rate.normalize():f}"
    return digits.replace(".", ",") if viewer.tr.language == "ru" else digits
