"""The shared door: every page comes in here, whichever way it was opened.

Streamlit can run a page without Home.py (a deep link on a fresh server), so nothing that a page
needs, least of all the account check, may live in Home.py alone.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from core.accounts.types import SESSION_COOKIE, Account, Identity
from core.errors import AppError
from core.services import Services, current
from ui.components.account_entry import account_entry, sign_in_again
from ui.i18n import Translator, viewer_language
from ui.style import apply_style


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page, in which language and zone, and the services to ask."""

    account: Account
    tr: Translator
    zone: ZoneInfo
    services: Services

    @property
    def actor(self) -> Account:
        """The account as it is at this moment, for whatever needs a right. AppError(UNAUTHORIZED) when it is signed
        out. Callbacks and dialogs know the viewer of an earlier run, who may have been an administrator then."""
        return _account_now(self.services)


def enter() -> Viewer:
    """Let the viewer in and dress the page; the first call of every page."""
    services = current()
    tr = Translator(viewer_language(services.settings))
    apply_style()
    if services.settings.auth == "local":
        account = services.accounts.local_account()
    else:
        identity = _signed_in(services)
        if identity is None:
            sign_in_again(tr)
            st.stop()
        account = identity.account
        account_entry(tr, account.username, services.members.sessions.csrf_token(identity))
    return Viewer(account=account, tr=tr, zone=_browser_zone(services), services=services)


def _signed_in(services: Services) -> Identity | None:
    """Who the browser's session belongs to. Asked in every run: what was revoked ends with the next one."""
    try:
        return _identity(services)
    except AppError:
        return None


def _identity(services: Services) -> Identity:
    return services.members.sessions.identify(st.context.cookies.get(SESSION_COOKIE, ""))


def _account_now(services: Services) -> Account:
    is_local = services.settings.auth == "local"
    return services.accounts.local_account() if is_local else _identity(services).account


def _browser_zone(services: Services) -> ZoneInfo:
    """The browser's zone for moments; days of usage are always the report zone's."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (KeyError, ValueError, OSError):
        return services.ledger.zone
