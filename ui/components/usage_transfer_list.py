"""The imports that were made, each of which can be undone."""

import streamlit as st

from core.usage.imports.types import ImportInfo
from ui import format as fmt
from ui.components.models_confirm import Question, ask_first
from ui.components.usage_transfer_words import FORMATS
from ui.door import Viewer
from ui.plain import escape


def list_part(viewer: Viewer) -> None:
    """A line an import, the latest first."""
    _ = viewer.tr.text
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
    if info.undone_at is not None:
        parts.append(_("undone {time}", time=fmt.moment(info.undone_at, viewer.zone, language)))
    name, rest = escape(info.file_name), escape(" · ".join(part for part in parts if part))
    return f"{name}  \n:gray[{rest}]"


def _calls(viewer: Viewer, info: ImportInfo) -> str:
    ngettext = viewer.tr.plural
    number = fmt.exact(info.calls, viewer.tr.language)
    return ngettext("{number} call", "{number} calls", info.calls, number=number)


def _costs(viewer: Viewer, info: ImportInfo) -> str:
    language = viewer.tr.language
    return " + ".join(fmt.money(nano, name, language) for name, nano in sorted(info.costs.items()))


def _ask(viewer: Viewer, info: ImportInfo) -> None:
    _ = viewer.tr.text
    imports, user = viewer.services.imports, viewer.account.id
    text = _(
        "{calls} of {file} go from all figures: {days}, {cost}. To bring them back, import the file again.",
        calls=_calls(viewer, info),
        file=info.file_name,
        days=fmt.day_range(info.first_day, info.last_day, viewer.tr.language),
        cost=_costs(viewer, info) or "—",
    )
    ask_first(
        Question(
            _("Undo this import?"), text, lambda: imports.undo(user, info.id), _("The import is undone.")
        )
    )
