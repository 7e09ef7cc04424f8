"""The last resort: what a page shows for an error that nobody below it dealt with."""

import logging

import streamlit as st

from core.errors import AppError
from core.i18n import N_, pick_language, translate
from ui.plain import plain_text

_logger = logging.getLogger(__name__)

UNEXPECTED = N_("Something went wrong on this page. Reload it; the server's log says what happened.")


def show_failure(error: Exception) -> bool:
    """A sentence instead of a traceback; the traceback goes to the log. True: Streamlit adds nothing."""
    language = pick_language(st.context.locale)
    if isinstance(error, AppError):
        st.error(plain_text(error.text(language)))
    else:
        _logger.error("a page failed", exc_info=error)
        st.error(translate(language, UNEXPECTED))
    return True
