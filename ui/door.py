"""The shared door: every page comes in here, whichever way it was opened.

Streamlit can run a page without Home.py (a deep link on a fresh server), so nothing that a page
needs, least of all the account check, may live in Home.py alone.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from core.accounts.types import Account
from core.services import Services, current
from ui.i18n import Translator, viewer_language
from ui.style import apply_style


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page, in which language and zone, and the services to ask."""

    account: Account
    tr: Translator
    zone: ZoneInfo
    services: Services


def enter() -> Viewer:
    """Let the viewer in and dress the page; the first call of every page."""
    services = current()
    viewer = Viewer(
        account=services.accounts.local_account(),
        tr=Translator(viewer_language(services.settings)),
        zone=_browser_zone(services),
        services=services,
    )
    apply_style()
    return viewer


def _browser_zone(services: Services) -> ZoneInfo:
    """The browser's zone for moments; days of usage are always the report zone's."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (KeyError, ValueError, OSError):
        return services.ledger.zone
