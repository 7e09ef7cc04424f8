"""The parts of the Models page."""

from core.i18n import N_
from ui.components import (
    models_budgets,
    models_catalogue,
    models_keys,
    models_limits,
    models_prices,
    models_request,
)
from ui.components.models_links import KEY, remember_section
from ui.components.sections import Section
from ui.components.sections import choose_section as choose
from ui.door import Viewer


def _of_the_workspace(viewer: Viewer) -> bool:
    """Prices, budgets and limits hold for everybody, so administrators see to them."""
    return viewer.account.is_admin


SECTIONS = (
    Section("keys", N_("Keys and servers"), models_keys.draw),
    Section("models", N_("Models and prices"), models_catalogue.draw),
    Section("request", N_("How a model is asked"), models_request.draw),
    Section("prices", N_("Own prices and currency"), models_prices.draw, _of_the_workspace),
    Section("budgets", N_("Budgets"), models_budgets.draw, _of_the_workspace),
    Section("limits", N_("Limits and health"), models_limits.draw, _of_the_workspace),
)


def choose_section(viewer: Viewer) -> Section:
    """The part that is open."""
    _ = viewer.tr.text
    return choose(viewer, _("Models"), SECTIONS, KEY, remember_section)
