"""The muted line under every answer: model · tokens · cost · time, with the split behind it."""

import streamlit as st

from core.chat.types import Message, MessageStatus
from ui import format as fmt
from ui.door import Viewer
from ui.plain import escape


def answer_line(viewer: Viewer, message: Message) -> None:
    """`gemini-3.8-flash · 1,204 tokens · $0.0012 · 2.3 s`; hover or tap for the split."""
    parts = [
        message.model or "",
        *_notice(viewer, message),
        *_status(viewer, message),
        *_way(viewer, message),
    ]
    parts += _tokens(viewer, message) + _cost(viewer, message)
    if message.latency_ms is not None:
        parts.append(fmt.duration(message.latency_ms, viewer.tr.language))
    with st.container(key=f"meta-{message.id}"):
        st.caption(" · ".join(escape(part) for part in parts if part), help=_split(viewer, message))


def provider_notice(viewer: Viewer, provider: str | None) -> str | None:
    """The label that must stand on every message of a provider (the demo's), translated."""
    notice = viewer.services.choices.notice(provider) if provider else None
    return viewer.tr.text(notice) if notice else None


def _notice(viewer: Viewer, message: Message) -> list[str]:
    notice = provider_notice(viewer, message.provider)
    return [notice] if notice else []


def _status(viewer: Viewer, message: Message) -> list[str]:
    _ = viewer.tr.text
    if message.status is MessageStatus.STOPPED:
        return [_("stopped")]
    if message.status is MessageStatus.INTERRUPTED:
        return [_("interrupted")]
    return []


def _way(viewer: Viewer, message: Message) -> list[str]:
    """What was unusual on the way to the answer."""
    _ = viewer.tr.text
    way: list[str] = []
    if message.fallback_from:
        way.append(_("instead of {model}", model=message.fallback_from.partition("/")[2]))
    if message.from_cache:
        way.append(_("from the cache"))
    if (message.attempts or 1) > 1:
        count = message.attempts or 1
        way.append(viewer.tr.plural("{number} attempt", "{number} attempts", count, number=count))
    return way


def _tokens(viewer: Viewer, message: Message) -> list[str]:
    ngettext = viewer.tr.plural
    if message.usage is None or message.from_cache:
        return []
    total = message.usage.total_tokens
    about = "≈ " if message.usage.estimated else ""
    number = about + fmt.exact(total, viewer.tr.language)
    return [ngettext("{number} token", "{number} tokens", total, number=number)]


def _cost(viewer: Viewer, message: Message) -> list[str]:
    _ = viewer.tr.text
    if message.cost is None:
        return []
    if message.cost.amount is None:
        return [_("unpriced")]
    return [fmt.money(message.cost.amount.nano, message.cost.amount.currency, viewer.tr.language)]


def _split(viewer: Viewer, message: Message) -> str | None:
    _ = viewer.tr.text
    usage, cost, language = message.usage, message.cost, viewer.tr.language
    if usage is None or cost is None:
        return None
    lines = [
        (_("Input"), usage.input_tokens),
        (_("of it cached"), usage.cached_input_tokens),
        (_("Output"), usage.output_tokens),
        (_("of it reasoning"), usage.reasoning_tokens),
    ]
    rows = [f"{name}: {fmt.exact(tokens, language)}" for name, tokens in lines if tokens]
    if usage.estimated:
        rows.append(_("Tokens are estimated: the provider did not report them all."))
    if cost.amount is not None:
        rows.append(
            _("Cost: {amount}", amount=fmt.money_exact(cost.amount.nano, cost.amount.currency, language))
        )
    else:
        rows.append(_("No price is known for this model, so its cost is left out of every sum."))
    rows.append(_("Price source: {source}", source=cost.source))
    if message.flag:
        rows.append(
            _(
                "The server reported impossible figures ({flag}), so the tokens are estimated.",
                flag=message.flag,
            )
        )
    if message.first_token_ms is not None:
        rows.append(_("First token after {time}", time=fmt.duration(message.first_token_ms, language)))
    # Two spaces before the break: lines of one paragraph.
    return "  \n".join(escape(row) for row in rows)
