"""Who is signed in, at the foot of the sidebar, with the way out."""

from html import escape

import streamlit as st

from ui.i18n import Translator

# A form of its own, because only a request of the browser can take its cookies back.
_FORM = """
<form class="account" method="post" action="/sign-out" target="_self">
<span title="{name}">{name}</span>
<input type="hidden" name="csrf" value="{csrf}">
<button type="submit">{sign_out}</button>
</form>
"""


def account_entry(tr: Translator, name: str, csrf: str) -> None:
    """The person's name and a button that signs out."""
    _ = tr.text
    with st.sidebar, st.container(key="account"):
        st.html(_FORM.format(name=escape(name), csrf=escape(csrf), sign_out=escape(_("Sign out"))))


def sign_in_again(tr: Translator) -> None:
    """What a page shows whose session has ended while it was open."""
    _ = tr.text
    link = escape(_("Sign in"))
    st.info(_("You are signed out, or your session has ended."))
    st.html(f'<a href="/sign-in" target="_self">{link}</a>')
