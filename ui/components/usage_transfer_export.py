"""The calls of the range as a file: asked for here, written elsewhere, fetched when it is ready."""

import streamlit as st

from core.i18n import N_
from core.usage.exports.jobs import ExportState, ExportStep
from core.usage.exports.types import ExportKind, Separator
from ui import format as fmt
from ui.components.notices import attempt
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.plain import escape, plain_text
from ui.session import widget

_KINDS = {
    ExportKind.CSV: N_("CSV: every call"),
    ExportKind.PARQUET: N_("Parquet: every call, typed"),
    ExportKind.EXCEL: N_("Excel: a report with charts, and calls"),
}
_SEPARATORS = {
    Separator.COMMA: N_("Comma"),
    Separator.SEMICOLON: N_("Semicolon, for Excel in many countries"),
}
_TYPES = {
    ExportKind.CSV: "text/csv",
    ExportKind.PARQUET: "application/vnd.apache.parquet",
    ExportKind.EXCEL: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def export_part(viewer: Viewer, view: UsageView) -> None:
    """The form, or how far the file is."""
    _ = viewer.tr.text
    state = viewer.services.export_jobs.state(viewer.account.id)
    asked = view.selection
    st.caption(
        _(
            "The calls of {days}, with the filters of this page.",
            days=fmt.day_range(asked.start, asked.end, viewer.tr.language),
        )
    )
    if state is not None and state.step is ExportStep.PREPARING:
        _progress(viewer)
        return
    kind: ExportKind = st.radio(
        _("File"),
        list(_KINDS),
        format_func=lambda each: _(_KINDS[each]),
        key="export-kind",
        label_visibility="collapsed",
    )
    if kind is ExportKind.CSV:
        st.selectbox(
            _("Between the cells"),
            list(_SEPARATORS),
            index=1 if viewer.tr.language == "ru" else 0,
            format_func=lambda each: _(_SEPARATORS[each]),
            key="export-separator",
            width=360,
        )
    st.button(_("Prepare the file"), key="export-start", on_click=_start, args=(viewer, view))
    if state is not None:
        _result(viewer, state)


def _start(viewer: Viewer, view: UsageView) -> None:
    kind = ExportKind(widget("export-kind") or ExportKind.CSV)
    separator = Separator(widget("export-separator") or Separator.COMMA)
    jobs = viewer.services.export_jobs
    attempt(viewer, lambda: jobs.start(viewer.actor, kind, view.selection, viewer.tr.language, separator))


@st.fragment(run_every=0.5)
def _progress(viewer: Viewer) -> None:
    _ = viewer.tr.text
    state = viewer.services.export_jobs.state(viewer.account.id)
    if state is None or state.step is not ExportStep.PREPARING:
        st.rerun()
    with st.container(key="export-progress", horizontal=True, vertical_alignment="center"):
        st.markdown(escape(_so_far(viewer, state)), width="stretch")
        jobs, user = viewer.services.export_jobs, viewer.account.id
        st.button(_("Cancel"), key="export-cancel", on_click=jobs.dismiss, args=(user,))


def _so_far(viewer: Viewer, state: ExportState) -> str:
    _, language = viewer.tr.text, viewer.tr.language
    size = fmt.file_size(state.size, language)
    parts = [_("Writing {file}: {size} so far", file=state.file_name, size=size)]
    if state.calls:
        number = fmt.exact(state.calls, language)
        parts.append(viewer.tr.plural("{number} call", "{number} calls", state.calls, number=number))
    if state.seconds_left is not None:
        left = fmt.duration(max(1, round(state.seconds_left)) * 1000, language)
        parts.append(_("about {time} left", time=left))
    return " · ".join(parts)


def _result(viewer: Viewer, state: ExportState) -> None:
    _ = viewer.tr.text
    if state.error is not None:
        st.error(plain_text(state.error.text(viewer.tr.language)))
    elif state.path is not None and state.path.exists():
        asked = state.selection
        st.download_button(
            _("Download"),
            state.path.read_bytes,
            state.file_name,
            _TYPES[state.kind],
            key="export-download",
            type="primary",
            on_click="ignore",
        )
        days = fmt.day_range(asked.start, asked.end, viewer.tr.language)
        size = fmt.file_size(state.size, viewer.tr.language)
        st.caption(escape(f"{state.file_name} · {size} · {days}"))
