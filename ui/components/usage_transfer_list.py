"""The imports that were made, each of which can be undone."""

import streamlit as st

from core.usage.imports.types import ImportInfo
from core.usage.imports.undoing import UndoProgress
from ui import format as fmt
from ui.components.models_confirm import Question, ask_first
from ui.components.notices import attempt
from ui.components.usage_measure import money_text
from ui.components.usage_transfer_words import FORMATS
from ui.door import Viewer
from ui.plain import escape, plain_text


def list_part(viewer: Viewer) -> None:
    """A line an import, the latest first."""
    _ = viewer.tr.text
    # Before the list: an undo that ends in between is one that goes on, and not one that was cut off.
    going = viewer.services.imports.undoing.under_way()
    imports = viewer.services.imports.imports(viewer.account.id)
    if not imports:
        return
    with st.container(key="import-list"):
        st.markdown(_("Imports so far"))
        for info in imports:
            with st.container(horizontal=True, vertical_alignment="center", key=f"import-line-{info.id}"):
                st.markdown(_line(viewer, info), width="stretch")
                if info.undone_at is None:
                    st.button(
                        _("Undo import"),
                        key=f"import-undo-{info.id}",
                        on_click=_ask,
                        args=(viewer, info),
                        type="tertiary",
                    )
            if info.left:
                _rest(viewer, info, going.get(info.id))


def _rest(viewer: Viewer, info: ImportInfo, progress: UndoProgress | None) -> None:
    """How far an undo is, or how to go on with one that was cut off."""
    _ = viewer.tr.text
    if progress is not None and progress.error is None:
        _progress(viewer, info)
        return
    if progress is not None and progress.error is not None:
        st.error(plain_text(progress.error.text(viewer.tr.language)))
    with st.container(horizontal=True, vertical_alignment="center", key=f"import-rest-{info.id}"):
        text = viewer.tr.plural(
            "The undo of this import was cut off: {number} call of it still counts.",
            "The undo of this import was cut off: {number} calls of it still count.",
            info.left,
            number=fmt.exact(info.left, viewer.tr.language),
        )
        st.markdown(escape(text), width="stretch")
        st.button(
            _("Go on with the undo"),
            key=f"import-undo-{info.id}",
            on_click=_go_on,
            args=(viewer, info.id),
            type="tertiary",
        )


def _go_on(viewer: Viewer, import_id: int) -> None:
    attempt(viewer, lambda: viewer.services.imports.undoing.start(viewer.account.id, import_id))


@st.fragment(run_every=0.5)
def _progress(viewer: Viewer, info: ImportInfo) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    progress = viewer.services.imports.undoing.progress(info.id)
    if progress is None or progress.error is not None:
        # The list stands outside this fragment.
        st.rerun()
    parts = [_("Undoing this import")]
    if progress.total:
        done, total = (fmt.exact(each, language) for each in (progress.done, progress.total))
        parts.append(_("{done} of {total} calls", done=done, total=total))
    if progress.seconds_left is not None:
        left = fmt.duration(max(1, round(progress.seconds_left)) * 1000, language)
        parts.append(_("about {time} left", time=left))
    st.progress(progress.share, escape(" · ".join(parts)))


def _line(viewer: Viewer, info: ImportInfo) -> str:
    _, language = viewer.tr.text, viewer.tr.language
    calls = _calls(viewer, info)
    parts = [
        fmt.moment(info.created_at, viewer.zone, language),
        _(FORMATS[info.format]),
        calls,
        fmt.day_range(info.first_day, info.last_day, language),
        _costs(viewer, info),
    ]
    if info.undone_at is not None and not info.left:
        parts.append(_("undone {time}", time=fmt.moment(info.undone_at, viewer.zone, language)))
    name, rest = escape(info.file_name), escape(" · ".join(part for part in parts if part))
    return f"{name}  \n:gray[{rest}]"


def _calls(viewer: Viewer, info: ImportInfo) -> str:
    ngettext = viewer.tr.plural
    language = viewer.tr.language
    calls = ngettext("{number} call", "{number} calls", info.calls, number=fmt.exact(info.calls, language))
    if info.requests == info.calls:
        return calls
    number = fmt.exact(info.requests, language)
    requests = ngettext("{number} request", "{number} requests", info.requests, number=number)
    return f"{calls} ({requests})"


def _costs(viewer: Viewer, info: ImportInfo) -> str:
    return money_text(viewer, info.costs) if info.costs else ""


def _ask(viewer: Viewer, info: ImportInfo) -> None:
    _ = viewer.tr.text
    text = _(
        "{calls} of {file} go from all figures: {days}, {cost}. To bring them back, import the file again.",
        calls=_calls(viewer, info),
        file=info.file_name,
        days=fmt.day_range(info.first_day, info.last_day, viewer.tr.language),
        cost=_costs(viewer, info) or "—",
    )
    ask_first(
        Question(
            _("Undo this import?"),
            text,
            lambda: _undo(viewer, info),
            _("The import is being undone. The list below tells how far that is."),
            _("Undo import"),
        )
    )


def _undo(viewer: Viewer, info: ImportInfo) -> None:
    jobs, user = viewer.services.import_jobs, viewer.account.id
    viewer.services.imports.undoing.start(user, info.id)
    ended = jobs.state(user)
    if ended is not None and ended.info is not None and ended.info.id == info.id:
        # What stood there said that these calls were imported.
        jobs.dismiss(user)
