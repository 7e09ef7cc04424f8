"""For administrators: what each user comes to, how the ledger is, and in whose days it counts."""

import streamlit as st

from ui.components.usage_admin_ledger import health_part, work_part
from ui.components.usage_admin_recost import recost_part
from ui.components.usage_admin_users import users_part
from ui.components.usage_admin_zone import zone_part
from ui.components.usage_view import UsageView
from ui.door import Viewer


def shown(viewer: Viewer) -> bool:
    """Whether the viewer may see this part at all."""
    return viewer.account.is_admin


def draw(viewer: Viewer, view: UsageView) -> None:
    """The whole part."""
    with st.container(key="usage-admin"):
        work_part(viewer)
        users_part(viewer, view)
        health_part(viewer, view)
        zone_part(viewer)
        recost_part(viewer)
