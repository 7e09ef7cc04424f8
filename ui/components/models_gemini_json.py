"""Gemini's request as JSON: pasted, checked field by field, and run."""

import json

import streamlit as st

from core.errors import AppError
from core.generation.generation import Generation
from core.providers.gemini_request import GeminiRequestProblems, parse_gemini_request
from ui import format as fmt
from ui.components.notices import attempt
from ui.door import Viewer
from ui.markdown import safe_markdown
from ui.plain import code, escape, plain_text
from ui.session import Slot, recall, remember, take, widget

_TEXT = "gemini-json"
EXAMPLE = {
    "contents": [{"role": "user", "parts": [{"text": "Name three rivers."}]}],
    "systemInstruction": {"parts": [{"text": "Answer in one line."}]},
    "generationConfig": {"temperature": 0.2, "maxOutputTokens": 200},
}


def paste_part(viewer: Viewer, model: str) -> None:
    """The box for a request, what is wrong with it, and its answer."""
    _ = viewer.tr.text
    st.subheader(_("Run a request of your own"), anchor=False)
    st.caption(
        _("Paste a request in Gemini’s documented form. Every field is checked before anything is sent.")
    )
    with st.container(key="gemini-request"):
        st.text_area(
            _("Request, JSON"),
            key=_TEXT,
            height=260,
            placeholder=json.dumps(EXAMPLE, ensure_ascii=False, indent=2),
            label_visibility="collapsed",
        )
    with st.container(horizontal=True):
        check = st.button(_("Check"), key="gemini-json-check")
        run = st.button(_("Run"), key="gemini-json-run", type="primary", on_click=_run, args=(viewer, model))
    text = str(widget(_TEXT) or "")
    if text.strip():
        _check(viewer, text, model)
    elif check or run:
        st.caption(_("Paste a request first."))
    running = recall(Slot.GEMINI_RUN)
    if isinstance(running, Generation):
        if running.done:
            _answer(viewer, running)
        else:
            _follow(viewer, running)


def _check(viewer: Viewer, text: str, model: str) -> None:
    _ = viewer.tr.text
    try:
        parse_gemini_request(text, model)
    except GeminiRequestProblems as error:
        lines = [
            f"- {code(found.path or 'JSON')} {escape(viewer.tr.text(found.message, **found.params))}"
            for found in error.problems
        ]
        count = len(lines)
        st.error(
            viewer.tr.plural(
                "{number} field cannot be right", "{number} fields cannot be right", count, number=count
            )
        )
        st.markdown("\n".join(lines))
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
    else:
        fine = _("Every field is right.")
        st.markdown(f":small[:green[{escape(fine)}]]")


def _run(viewer: Viewer, model: str) -> None:
    """Start the answer; what cannot be parsed is said by the check below the box."""
    take(Slot.GEMINI_RUN)
    try:
        completion = parse_gemini_request(str(widget(_TEXT) or ""), model)
    except AppError:
        return
    models, user = viewer.services.models, viewer.account.id
    attempt(viewer, lambda: remember(Slot.GEMINI_RUN, models.run(user, "gemini", completion)))


@st.fragment(run_every=0.2)
def _follow(viewer: Viewer, running: Generation) -> None:
    """Draw the answer while it comes, then the page once more: what has ended needs no more drawing."""
    _ = viewer.tr.text
    if running.done:
        st.rerun()
    with st.container(key="answer-gemini-run", border=True):
        if running.text:
            st.markdown(safe_markdown(running.text))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_("waiting for the answer") if not running.text else running.request.completion.model)
            st.space("stretch")
            st.button(
                _("Stop"),
                key="gemini-run-stop",
                on_click=_stop,
                args=(viewer, running),
            )


def _stop(viewer: Viewer, running: Generation) -> None:
    viewer.services.generation.stop(running.request.request_id)


def _answer(viewer: Viewer, running: Generation) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    outcome = running.outcome
    if outcome is None:
        return
    with st.container(key="answer-gemini-run", border=True):
        if running.text:
            st.markdown(safe_markdown(running.text))
        for call in outcome.tool_calls:
            st.markdown(_("The model asks to call {name}", name=code(call.name)))
            st.code(json.dumps(dict(call.arguments), ensure_ascii=False, indent=2), language="json")
        if outcome.error is not None:
            st.error(plain_text(outcome.error.text(language)))
        amount, total = outcome.cost.amount, outcome.usage.total_tokens
        facts = [
            running.request.completion.model,
            viewer.tr.plural("{number} token", "{number} tokens", total, number=fmt.exact(total, language)),
            _("unpriced") if amount is None else fmt.money(amount.nano, amount.currency, language),
            fmt.duration(outcome.latency_ms, language),
        ]
        if outcome.finish_reason is not None:
            facts.append(outcome.finish_reason.value)
        st.caption(escape(" · ".join(facts)))
