"""A price in words: its parts, where it comes from and from when."""

from core.i18n import N_
from core.pricing.types import Price, PriceEntry
from ui import format as fmt
from ui.door import Viewer

CURRENCIES = ("USD", "EUR", "RUB", "GBP", "CNY", "KRW", "KZT", "BYN")
_DATE_STYLES = {"ru": "DD.MM.YYYY"}


def date_style(language: str) -> str:
    """How a date field writes its day; Streamlit knows no locale."""
    return _DATE_STYLES.get(language, "YYYY-MM-DD")


PARTS: dict[str, str] = {
    "input_nano": N_("Input"),
    "cached_input_nano": N_("Cached"),
    "cache_write_nano": N_("Cache write"),
    "output_nano": N_("Output"),
    "input_audio_nano": N_("Audio input"),
    "output_audio_nano": N_("Audio output"),
}


def price_line(viewer: Viewer, price: Price) -> str:
    """`Input $1.25 · Cached $0.125 · Output $10.00`, what is not charged apart left out."""
    _ = viewer.tr.text
    parts: list[str] = []
    for name, label in PARTS.items():
        nano: int | None = getattr(price, name)
        if nano is not None:
            parts.append(" ".join((_(label), fmt.money(nano, price.currency, viewer.tr.language))))
    return " · ".join(parts)


def own_note(entry: PriceEntry) -> str:
    """What was noted when an own price was added."""
    return entry.source.removeprefix("own price").removeprefix(": ")


def price_facts(viewer: Viewer, entry: PriceEntry) -> list[str]:
    """A line or two on a price: what it is per million tokens, its source and date, and what to know of it."""
    _, language = viewer.tr.text, viewer.tr.language
    if entry.price is None:
        return [
            _(
                "No price is known: its calls count as “unpriced”, never as 0. Set an own price to change that."
            )
        ]
    lines = [_("Per million tokens: {parts}", parts=price_line(viewer, entry.price))]
    named = " · ".join(part for part in (_("your own price"), own_note(entry)) if part)
    source = _("Price source: {source}", source=named if entry.is_own else entry.source)
    if entry.source_date is not None:
        source += " · " + fmt.day(entry.source_date, language)
    elif entry.valid_from is not None:
        source += " · " + _(
            "valid from {day}", day=fmt.day(entry.valid_from.astimezone(viewer.zone).date(), language)
        )
    lines.append(source)
    if entry.tiered:
        lines.append(_("Long prompts cost more on this model; the ledger uses the right tier for each call."))
    if not entry.verified:
        lines.append(
            _("Unverified: published figures disagree. Compare it with your contract and set an own price.")
        )
    return lines
