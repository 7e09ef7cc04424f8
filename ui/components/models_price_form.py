"""The form of an own price."""

from datetime import UTC, date, datetime, time

import streamlit as st

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.overrides import parse_price
from core.pricing.types import Price
from ui import format as fmt
from ui.components.models_price_text import CURRENCIES, date_style
from ui.components.notices import say
from ui.door import Viewer
from ui.plain import plain_text


def price_form(viewer: Viewer, named: str, model_name: str) -> None:
    """Inside a dialog: a new price, at first for the model of that name."""
    _ = viewer.tr.text
    infos = {info.id: info.label for info in viewer.services.registry.all_infos()}
    with st.form("price-form", border=False):
        left, right = st.columns(2)
        with left:
            provider = st.selectbox(
                _("Provider"),
                list(infos),
                index=list(infos).index(named) if named in infos else 0,
                format_func=lambda name: infos[name],
                key="price-provider",
            )
        with right:
            model = st.text_input(_("Model"), value=model_name, key="price-model")
        st.caption(_("Per million tokens. Leave a part empty that is not charged apart."))
        columns = st.columns(3)
        texts: dict[str, str] = {}
        for position, (name, label, help_text) in enumerate(_PARTS):
            texts[name] = columns[position % 3].text_input(
                _(label), key=f"price-{name}", help=_(help_text) if help_text else None
            )
        currencies = list(dict.fromkeys([viewer.services.settings.currency, *CURRENCIES]))
        columns = st.columns(3)
        currency = columns[0].selectbox(
            _("Currency"), currencies, key="price-currency", accept_new_options=True
        )
        since = columns[1].date_input(
            _("Valid from"),
            value=viewer.services.usage.today(),
            format=date_style(viewer.tr.language),
            key="price-since",
        )
        note = columns[2].text_input(_("Note"), key="price-note", placeholder=_("Contract, invoice …"))
        if not st.form_submit_button(_("Add the price"), type="primary", key="price-add"):
            return
    try:
        price = Price(currency=str(currency).strip().upper(), **_parsed(viewer, texts))
        moment = _midnight(viewer, since)
        viewer.services.price_overrides.add(viewer.actor, provider, model, price, moment, note)
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
        return
    say(_("The price stands. Calls from {day} on are priced by it.", day=fmt.day(since, viewer.tr.language)))
    st.rerun()


_PARTS = (
    ("input_nano", N_("Input"), ""),
    ("cached_input_nano", N_("Cached input"), N_("Empty: cached tokens cost as much as others.")),
    ("output_nano", N_("Output"), N_("Reasoning counts as output.")),
    ("cache_write_nano", N_("Cache write"), N_("What Anthropic charges to keep a prompt.")),
    ("input_audio_nano", N_("Audio input"), ""),
    ("output_audio_nano", N_("Audio output"), ""),
)
_REQUIRED = ("input_nano", "output_nano")


def _parsed(viewer: Viewer, texts: dict[str, str]) -> dict[str, int]:
    """The prices that were typed in; AppError for what is no price or is missing."""
    for name in _REQUIRED:
        if not texts[name].strip():
            raise AppError(
                ErrorKind.VALIDATION,
                N_("An own price needs a price for input and for output. Enter 0 for free."),
            )
    return {name: parse_price(text) for name, text in texts.items() if text.strip()}


def _midnight(viewer: Viewer, day: date) -> datetime:
    """The beginning of a day in the report time zone."""
    return datetime.combine(day, time(), viewer.services.ledger.zone).astimezone(UTC)
