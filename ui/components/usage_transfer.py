"""Import and export: calls of other tools in, and one's own out."""

import streamlit as st

from ui.components.models_confirm import show_question
from ui.components.usage_transfer_export import export_part
from ui.components.usage_transfer_import import import_part
from ui.components.usage_transfer_list import list_part
from ui.components.usage_view import UsageView
from ui.door import Viewer


def draw(viewer: Viewer, view: UsageView) -> None:
    """The whole part; AppError when the ledger cannot answer."""
    _ = viewer.tr.text
    show_question(viewer)
    st.subheader(_("Import"), anchor=False)
    import_part(viewer)
    list_part(viewer)
    st.subheader(_("Export"), anchor=False)
    export_part(viewer, view)
