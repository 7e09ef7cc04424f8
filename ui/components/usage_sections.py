"""The parts of the Usage page. Each draws what its filters leave: `draw(viewer, view)`."""

from core.i18n import N_
from ui.components import (
    usage_admin,
    usage_calls,
    usage_outlook,
    usage_overview,
    usage_patterns,
    usage_transfer,
    usage_whatif,
)
from ui.components.sections import Section
from ui.components.sections import choose_section as choose
from ui.components.usage_asked import Asked
from ui.components.usage_explore_state import change, present
from ui.door import Viewer
from ui.session import set_widget, widget

KEY = "usage-section"

SECTIONS = (
    Section("explore", N_("Explore"), usage_overview.draw, is_compared=True),
    Section("patterns", N_("Patterns"), usage_patterns.draw),
    Section("calls", N_("Calls"), usage_calls.draw),
    Section("outlook", N_("Outlook"), usage_outlook.draw),
    Section("what-if", N_("What if"), usage_whatif.draw),
    Section("transfer", N_("Import and export"), usage_transfer.draw, needs_calls=False),
    Section(
        "admin",
        N_("Administration"),
        usage_admin.draw,
        usage_admin.shown,
        needs_calls=False,
        is_filtered=False,
    ),
)


def asked_now(viewer: Viewer) -> Asked:
    """The view to draw now."""
    # The list of parts is forgotten on every other page.
    return present(widget(KEY) is None, [section.name for section in SECTIONS if section.shown(viewer)])


def choose_section(viewer: Viewer, asked: Asked) -> Section:
    """The part that is open."""
    _ = viewer.tr.text
    wanted = asked.section or SECTIONS[0].name
    if widget(KEY) != wanted:
        set_widget(KEY, wanted)
    return choose(viewer, _("Usage"), SECTIONS, KEY, _remember)


def _remember() -> None:
    name = str(widget(KEY))
    change(section="" if name == SECTIONS[0].name else name)
