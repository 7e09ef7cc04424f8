"""Own prices and currency: prices with a date, exchange rates with a date, and the past priced anew."""

import streamlit as st

from core.pricing.types import PriceEntry
from ui import format as fmt
from ui.components.models_price_form import price_form
from ui.components.models_price_text import own_note, price_line
from ui.components.models_rates import rates_part
from ui.components.models_recost import recost_part
from ui.components.notices import attempt, offer_undo
from ui.door import Viewer
from ui.plain import escape
from ui.session import Slot, remember, take


def draw(viewer: Viewer) -> None:
    """The whole part."""
    _ = viewer.tr.text
    with st.container(key="models-head", horizontal=True, vertical_alignment="center"):
        st.title(_("Own prices and currency"), anchor=False, width="stretch")
        st.button(_("Add a price"), key="price-new", on_click=remember, args=(Slot.PRICE_DIALOG, ("", "")))
    st.caption(
        _(
            "An own price stands above every published one, for calls from its date on. Earlier calls keep "
            "what they cost until you price them anew below."
        )
    )
    _price_list(viewer)
    rates_part(viewer)
    recost_part(viewer)
    about = take(Slot.PRICE_DIALOG)
    if about is not None:
        st.dialog(_("Add an own price"), width="medium")(price_form)(viewer, *about)


def _price_list(viewer: Viewer) -> None:
    _ = viewer.tr.text
    entries = viewer.services.price_overrides.list()
    if not entries:
        with st.container(key="models-empty", border=True):
            st.markdown(
                _(
                    "No own prices yet: published prices apply where there are any. Add one from your contract."
                )
            )
    labels = {info.id: info.label for info in viewer.services.registry.all_infos()}
    for entry in entries:
        _price_row(viewer, entry, labels.get(entry.provider, entry.provider))


def _price_row(viewer: Viewer, entry: PriceEntry, label: str) -> None:
    _ = viewer.tr.text
    assert entry.price is not None
    assert entry.valid_from is not None
    since = _(
        "valid from {day}", day=fmt.day(entry.valid_from.astimezone(viewer.zone).date(), viewer.tr.language)
    )
    facts = " · ".join(part for part in (price_line(viewer, entry.price), since, own_note(entry)) if part)
    with st.container(
        key=f"price-{entry.override_id}", border=True, horizontal=True, vertical_alignment="center"
    ):
        with st.container(gap=None):
            st.markdown(f"**{escape(label)} · {escape(entry.model)}**")
            st.caption(escape(facts))
        st.button(
            _("Retire"),
            key=f"price-retire-{entry.override_id}",
            type="tertiary",
            on_click=_retire,
            args=(viewer, entry),
        )


def _retire(viewer: Viewer, entry: PriceEntry) -> None:
    _ = viewer.tr.text
    overrides, price_id = viewer.services.price_overrides, entry.override_id
    assert price_id is not None
    if attempt(viewer, lambda: overrides.retire(viewer.actor, price_id)):
        offer_undo(
            _("Retired the price of {model}", model=entry.model),
            lambda: overrides.restore(viewer.actor, price_id),
        )
