"""Which pages there are, and how one gets to them."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from core.config import PROJECT_DIR
from core.services import current
from ui.i18n import Translator, viewer_language

ICON = PROJECT_DIR / "static" / "icon.svg"
LOGO = PROJECT_DIR / "static" / "logo.svg"
CHAT_PAGE = "pages/chat.py"
MODELS_PAGE = "pages/models.py"
USAGE_PAGE = "pages/usage.py"


def own_navigation() -> None:
    """Tell Streamlit, before its first session, that Home.py draws the navigation.

    Else a deep link on a fresh server runs the file in pages/ by itself, because that folder's name
    has a meaning of its own to Streamlit until st.navigation was called once.
    """
    PagesManager.uses_pages_directory = False


def navigate() -> None:
    """Draw the frame and run the page the address names."""
    _ = Translator(viewer_language(current().settings)).text
    st.logo(str(LOGO), icon_image=str(ICON), size="medium")
    pages = [
        # The page at "/" would lose its own address; so "/" is a page that leads to Chat.
        st.Page(_to_chat, title="AIHub", url_path="start", default=True, visibility="hidden"),
        st.Page(CHAT_PAGE, title=_("Chat"), url_path="chat"),
        st.Page(MODELS_PAGE, title=_("Models"), url_path="models"),
        st.Page(USAGE_PAGE, title=_("Usage"), url_path="usage"),
    ]
    page = st.navigation(pages, position="top")
    # An icon of our own: Streamlit's would be fetched from another host.
    st.set_page_config(page_title=f"{page.title} · AIHub", page_icon=str(ICON), layout="wide")
    page.run()


def _to_chat() -> None:
    st.switch_page(CHAT_PAGE, query_params=st.query_params.to_dict())
