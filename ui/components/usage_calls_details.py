"""Everything that is known of one call, and the way to its message."""

import json
from collections.abc import Iterable

import streamlit as st

from core.chat.types import Thread
from core.usage.explore.types import CallRow, Dimension
from ui import format as fmt
from ui.components.usage_explore_names import dimension_name, error_name, source_name, status_name
from ui.components.usage_measure import provider_name
from ui.door import Viewer
from ui.navigation import CHAT_PAGE
from ui.plain import code, escape

_Line = tuple[str, str]


def call_details(viewer: Viewer, call: CallRow) -> None:
    """The call in three columns, with what was odd about it below."""
    _ = viewer.tr.text
    with st.container(border=True, key="usage-call"):
        with st.container(horizontal=True, vertical_alignment="center"):
            moment = fmt.moment(call.occurred_at, viewer.zone, viewer.tr.language)
            st.markdown(f"**{escape(call.model)}** · {escape(moment)}", width="stretch")
            thread = _message_link(viewer, call)
        left, middle, right = st.columns(3)
        with left:
            _lines(_tokens(viewer, call))
        with middle:
            _lines(_money_and_time(viewer, call))
        with right:
            _lines(_origin(viewer, call, thread))
        _oddities(viewer, call)


def _message_link(viewer: Viewer, call: CallRow) -> Thread | None:
    """The button that opens the message, or why there is none. Only the viewer's own messages are theirs to open."""
    _ = viewer.tr.text
    if call.message_id is None or call.user_id != viewer.account.id:
        return None
    thread = viewer.services.chat.thread_with(
        viewer.account.id, call.message_id, call.request_id, call.occurred_at
    )
    if thread is None:
        st.caption(_("The message has been deleted; the call still counts."))
    elif st.button(_("Open the message"), key="usage-open-message"):
        st.switch_page(CHAT_PAGE, query_params={"thread": thread.uuid})
    return thread


def _tokens(viewer: Viewer, call: CallRow) -> Iterable[_Line]:
    _ = viewer.tr.text
    known = (
        (_("Input tokens"), call.input_tokens, True),
        (_("of it cached"), call.cached_input_tokens, False),
        (_("of it written to a cache"), call.cache_write_tokens, False),
        (_("Output tokens"), call.output_tokens, True),
        (_("of it reasoning"), call.reasoning_tokens, False),
    )
    for name, number, always in known:
        if number or always:
            yield name, fmt.exact(number, viewer.tr.language)
    if call.estimated:
        yield _("Counted by"), _("AIHub: the provider did not report all tokens")


def _money_and_time(viewer: Viewer, call: CallRow) -> Iterable[_Line]:
    _ = viewer.tr.text
    language = viewer.tr.language
    cost = call.cost
    yield _("Cost"), _("unpriced") if cost is None else fmt.money_exact(cost.nano, cost.currency, language)
    yield _("Price from"), call.price_source or "—"
    if call.saved is not None:
        yield _("Saved"), fmt.money_exact(call.saved.nano, call.saved.currency, language)
    if call.latency_ms is not None:
        yield _("Latency"), fmt.duration(call.latency_ms, language)
    if call.first_token_ms is not None:
        yield _("First token"), fmt.duration(call.first_token_ms, language)
    writing = (call.latency_ms or 0) - (call.first_token_ms or 0)
    if call.first_token_ms is not None and writing > 0 and call.output_tokens and not call.from_cache:
        yield _("Tokens per second"), fmt.tenths(call.output_tokens * 10_000 // writing, language)


def _origin(viewer: Viewer, call: CallRow, thread: Thread | None) -> Iterable[_Line]:
    _ = viewer.tr.text
    yield _("Provider"), provider_name(viewer, call.provider)
    yield _("Source"), source_name(viewer, call.source)
    status = status_name(viewer, call.status)
    yield (
        _("Status"),
        f"{status}: {error_name(viewer, call.error_kind)}" if call.error_kind else status,
    )
    if call.from_cache:
        yield _("Answered by"), _("the cache of AIHub")
    elif call.attempts > 1:
        yield _("Attempts"), fmt.exact(call.attempts, viewer.tr.language)
    if call.fallback_from:
        yield _("Asked first"), call.fallback_from.partition("/")[2] or call.fallback_from
    if thread is not None:
        yield _("Thread"), thread.title
    for kind, value in call.tags:
        yield _tag_name(viewer, kind), value


def _tag_name(viewer: Viewer, kind: str) -> str:
    try:
        return dimension_name(viewer, Dimension(kind))
    except ValueError:
        return kind


def _oddities(viewer: Viewer, call: CallRow) -> None:
    _ = viewer.tr.text
    if call.flag:
        st.warning(
            _(
                "The provider's figures cannot be: {reason}. AIHub counted this call itself.",
                reason=escape(call.flag),
            )
        )
        if call.reported:
            st.caption(_("What the provider reported"))
            st.code(
                json.dumps(dict(call.reported), ensure_ascii=False, indent=2),
                language="json",
                wrap_lines=True,
            )
    st.caption(_("Request {id}", id=code(call.request_id)))


def _lines(lines: Iterable[_Line]) -> None:
    st.markdown("  \n".join(f":gray[{escape(name)}] {escape(value)}" for name, value in lines))
