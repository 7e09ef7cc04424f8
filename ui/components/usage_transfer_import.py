"""An import from the file to the result: upload, progress, preview, progress, done."""

from collections.abc import Iterator
from typing import Any

import streamlit as st

from core.i18n import N_
from core.usage.imports.types import JobState, Step
from ui import format as fmt
from ui.components.notices import attempt
from ui.components.usage_transfer_options import options_form
from ui.components.usage_transfer_preview import preview_part
from ui.components.usage_transfer_words import PLAIN_COLUMNS
from ui.door import Viewer
from ui.plain import escape, plain_text
from ui.session import Slot, recall, remember, widget

MOST_BYTES = 2 * 10**9
"""What the page promises; the widget counts in binary and lets a little more in."""
MOST_MB = 2_048
"""What the server lets through is `maxUploadSize` in its configuration, which has to be more."""
_PIECE = 4 << 20
_TEMPLATE = (
    ",".join(name for name, _text in PLAIN_COLUMNS)
    + "\n2026-01-31 14:05:00,gpt-4o,openai,1200,400,350,0,0.0055,USD,1,completed,2300,400,"
    + "Reports,Summary,team=blue,call-1\n"
)


def import_part(viewer: Viewer) -> None:
    """What stands there depends on how far the import has come."""
    state = viewer.services.import_jobs.state(viewer.account.id)
    if state is None or state.step is Step.CANCELLED:
        _upload(viewer)
    elif state.step in (Step.READING, Step.WRITING):
        _progress(viewer, state.step)
    elif state.step is Step.READY and state.preview is not None:
        preview_part(viewer, state.preview)
        options_form(viewer, state)
    elif state.step is Step.DONE:
        _done(viewer, state)
    else:
        _failed(viewer, state)


def _upload(viewer: Viewer) -> None:
    _ = viewer.tr.text
    st.caption(
        _(
            "Usage exports of OpenAI, Anthropic, LiteLLM and Langfuse, or a table of your own: CSV, Excel, Parquet "
            "or JSON. AIHub first shows what is in the file; nothing is recorded until you import it."
        )
    )
    most = fmt.file_size(MOST_BYTES, viewer.tr.language)
    st.caption(_("A file can have up to {size}. Split a larger one, and import its parts.", size=most))
    key = f"import-file-{recall(Slot.IMPORT_UPLOADS, 0)}"
    st.file_uploader(
        _("File to import"),
        key=key,
        max_upload_size=MOST_MB,
        on_change=_take,
        args=(viewer, key),
        label_visibility="collapsed",
    )
    with st.expander(_("Columns of a table of your own")):
        described = [(name, _(text)) for name, text in PLAIN_COLUMNS]
        st.markdown("\n".join(f"- `{name}` – {text}" for name, text in described))
        st.caption(
            _(
                "The names may be in Russian or with spaces and capitals, too. A day without a time stands at noon. "
                "Times without a zone are those of the report time zone."
            )
        )
        st.download_button(
            _("Download a template"),
            _TEMPLATE.encode("utf-8-sig"),
            "aihub-import-template.csv",
            "text/csv",
            key="import-template",
            on_click="ignore",
        )


def _take(viewer: Viewer, key: str) -> None:
    file: Any = widget(key)
    if file is None:
        return
    # A new key: the widget, and with it the memory of the file, goes.
    remember(Slot.IMPORT_UPLOADS, recall(Slot.IMPORT_UPLOADS, 0) + 1)
    jobs, user = viewer.services.import_jobs, viewer.account.id
    attempt(viewer, lambda: jobs.upload(user, file.name, _pieces(file)))


def _pieces(file: Any) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


@st.fragment(run_every=0.5)
def _progress(viewer: Viewer, step: Step) -> None:
    _, ngettext, language = viewer.tr.text, viewer.tr.plural, viewer.tr.language
    state = viewer.services.import_jobs.state(viewer.account.id)
    if state is None or state.step is not step:
        # What comes next stands outside this fragment.
        st.rerun()
    share = min(1.0, state.done / state.total) if state.total else 0.0
    words = {Step.READING: N_("Reading {file}"), Step.WRITING: N_("Importing {file}")}
    parts = [_(words[state.step], file=state.file_name)]
    if state.rows:
        parts.append(
            ngettext("{number} row", "{number} rows", state.rows, number=fmt.exact(state.rows, language))
        )
    if state.rows_per_second:
        parts.append(_("{number} rows/s", number=fmt.exact(state.rows_per_second, language)))
    if state.seconds_left is not None:
        parts.append(_("{time} left", time=fmt.duration(max(1, state.seconds_left) * 1000, language)))
    with st.container(key="import-progress", border=True):
        st.progress(share, escape(" · ".join(parts)))
        jobs, user = viewer.services.import_jobs, viewer.account.id
        st.button(_("Cancel"), key="import-cancel", on_click=jobs.cancel, args=(user,))


def _done(viewer: Viewer, state: JobState) -> None:
    _, ngettext = viewer.tr.text, viewer.tr.plural
    if state.info is not None:
        calls = state.info.calls
        text = ngettext(
            "{number} call of {file} was imported.",
            "{number} calls of {file} were imported.",
            calls,
            number=fmt.exact(calls, viewer.tr.language),
            file=state.file_name,
        )
        st.success(plain_text(text))
    jobs, user = viewer.services.import_jobs, viewer.account.id
    st.button(_("Import another file"), key="import-another", on_click=jobs.dismiss, args=(user,))


def _failed(viewer: Viewer, state: JobState) -> None:
    _ = viewer.tr.text
    if state.error is not None:
        st.error(plain_text(f"{state.file_name}: {state.error.text(viewer.tr.language)}"))
    jobs, user = viewer.services.import_jobs, viewer.account.id
    options_form(viewer, state)
    st.button(_("Choose another file"), key="import-another", on_click=jobs.dismiss, args=(user,))
