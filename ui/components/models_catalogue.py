"""Models and prices: what can be picked, how much fits into it, and what it costs."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

from core.i18n import N_
from core.models.types import ModelCard
from core.pricing.types import Money
from core.providers.types import Capability
from ui import format as fmt
from ui.components.models_links import open_section
from ui.components.models_price_text import price_facts
from ui.door import Viewer
from ui.plain import escape
from ui.session import Slot, remember

CAPABILITIES: dict[Capability, str] = {
    Capability.IMAGES: N_("images"),
    Capability.DOCUMENTS: N_("PDF"),
    Capability.AUDIO: N_("audio"),
    Capability.VIDEO: N_("video"),
    Capability.TOOLS: N_("functions"),
    Capability.STRUCTURED_OUTPUT: N_("JSON schema"),
    Capability.REASONING_EFFORT: N_("reasoning"),
    Capability.COUNT_TOKENS: N_("token count"),
}
_ROW_PIXELS, _MOST_PIXELS = 33, 560


def draw(viewer: Viewer) -> None:
    """The whole part."""
    _ = viewer.tr.text
    st.title(_("Models and prices"), anchor=False)
    st.caption(
        _("Prices are per million tokens. Pick a row to see where its price comes from and to set it up.")
    )
    cards = _filtered(viewer, viewer.services.models.catalogue(viewer.account.id))
    if not cards:
        st.info(_("No model fits. Clear the filters, or add a key under “Keys and servers”."))
        return
    chosen = _table(viewer, cards)
    if chosen is not None:
        _details(viewer, chosen)


def _filtered(viewer: Viewer, cards: Sequence[ModelCard]) -> list[ModelCard]:
    _ = viewer.tr.text
    labels = {info.id: info.label for info in viewer.services.registry.all_infos()}
    present = list(dict.fromkeys(card.provider for card in cards))

    def label(provider: str) -> str:
        return labels.get(provider, provider)

    with st.container(key="models-filters", horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(_("Search"), key="models-search", placeholder=_("Part of a name"), width=260)
        chosen = st.pills(
            _("Provider"),
            present,
            selection_mode="multi",
            format_func=label,
            key="models-providers",
        )
    wanted = words.strip().lower()
    return [
        card
        for card in cards
        if (not chosen or card.provider in chosen) and wanted in f"{card.model} {card.label}".lower()
    ]


def _table(viewer: Viewer, cards: Sequence[ModelCard]) -> ModelCard | None:
    _ = viewer.tr.text
    labels = {info.id: info.label for info in viewer.services.registry.all_infos()}
    columns = {
        _("Provider"): [labels.get(card.provider, card.provider) for card in cards],
        _("Model"): [card.model or "—" for card in cards],
        _("Context"): [card.context_size for card in cards],
        _("Input"): [_amount(card, "input_nano") for card in cards],
        _("Cached"): [_amount(card, "cached_input_nano") for card in cards],
        _("Output"): [_amount(card, "output_nano") for card in cards],
        _("Currency"): [card.price.price.currency if card.price.price else None for card in cards],
        _("Price"): [_state(viewer, card) for card in cards],
        _("Takes and gives"): [_abilities(viewer, card) for card in cards],
    }
    column = st.column_config
    money = column.NumberColumn(format="%.7g")
    picked: Any = st.dataframe(
        columns,
        hide_index=True,
        height=min(_MOST_PIXELS, _ROW_PIXELS * (len(cards) + 1) + 3),
        placeholder="—",
        column_config={
            _("Context"): column.NumberColumn(format="localized", help=_("Input tokens that fit")),
            _("Input"): money,
            _("Cached"): money,
            _("Output"): money,
            _("Model"): column.TextColumn(pinned=True),
        },
        on_select="rerun",
        selection_mode="single-row",
        key="models-table",
        alt=_("Models and their prices"),
    )
    rows = picked.selection.rows
    return cards[rows[0]] if rows and rows[0] < len(cards) else None


def _amount(card: ModelCard, name: str) -> Decimal | None:
    price = card.price.price
    nano = getattr(price, name) if price else None
    return None if price is None or nano is None else Money(nano, price.currency).decimal


def _state(viewer: Viewer, card: ModelCard) -> str:
    _ = viewer.tr.text
    if card.price.price is None:
        return _("unpriced")
    if card.price.is_own:
        return _("your own")
    if card.price.price.input_nano == 0 and card.price.price.output_nano == 0:
        return _("free")
    if not card.price.verified:
        return _("unverified")
    return _("tiered") if card.price.tiered else _("published")


def _abilities(viewer: Viewer, card: ModelCard) -> str:
    _ = viewer.tr.text
    return ", ".join(_(name) for capability, name in CAPABILITIES.items() if capability in card.capabilities)


def _details(viewer: Viewer, card: ModelCard) -> None:
    _ = viewer.tr.text
    with st.container(key="models-details", border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escape(card.label or card.model)}**", width="content")
            if card.is_default:
                st.badge(_("default"), color="blue")
            st.space("stretch")
            st.button(
                _("How it is asked"),
                key="models-to-request",
                on_click=open_section,
                args=("request",),
                kwargs={"provider": card.provider, "model": card.model},
            )
            if viewer.account.is_admin:
                st.button(
                    _("Set an own price"),
                    key="models-to-price",
                    on_click=_to_price,
                    args=(card,),
                )
        st.caption("  \n".join(_facts(viewer, card)))


def _to_price(card: ModelCard) -> None:
    open_section("prices")
    remember(Slot.PRICE_DIALOG, (card.provider, card.model))


def _facts(viewer: Viewer, card: ModelCard) -> list[str]:
    _, language = viewer.tr.text, viewer.tr.language
    sizes: list[str] = []
    if card.context_size:
        sizes.append(_("Context: {number} tokens", number=fmt.exact(card.context_size, language)))
    if card.output_limit:
        sizes.append(_("Longest answer: {number} tokens", number=fmt.exact(card.output_limit, language)))
    lines = [" · ".join(sizes)] if sizes else []
    return [*(escape(line) for line in [*lines, *price_facts(viewer, card.price)])]
