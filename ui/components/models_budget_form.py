"""The form of a budget."""

from typing import Any

import streamlit as st

from core.errors import AppError
from core.i18n import N_
from core.pricing.overrides import parse_price
from core.pricing.types import Money
from core.usage.budgets import BudgetInfo, BudgetScope, BudgetWindow
from ui.components.models_price_text import CURRENCIES
from ui.components.notices import say
from ui.door import Viewer
from ui.plain import plain_text

SCOPES: dict[BudgetScope, str] = {
    BudgetScope.WORKSPACE: N_("The whole workspace"),
    BudgetScope.USER: N_("My own calls"),
    BudgetScope.PROVIDER: N_("One provider"),
}
WINDOWS: dict[BudgetWindow, str] = {
    BudgetWindow.MONTH: N_("Calendar month"),
    BudgetWindow.ROLLING: N_("The last days"),
}


def budget_form(viewer: Viewer, budget: BudgetInfo | None) -> None:
    """Inside a dialog: a new budget, or the settings of one that stands."""
    _ = viewer.tr.text
    name = str(budget.id if budget else "new")
    scope, provider = _coverage(viewer, budget, name)
    left, right = st.columns(2)
    typed = f"{budget.amount.decimal.normalize():f}" if budget else ""
    amount = left.text_input(_("Amount"), value=typed, key=f"budget-amount-{name}", placeholder="50")
    usual = budget.amount.currency if budget else viewer.services.settings.currency
    currencies = list(dict.fromkeys([usual, *CURRENCIES]))
    currency = right.selectbox(_("Currency"), currencies, key=f"budget-currency-{name}")
    settings = {
        "provider": provider,
        "for_user": viewer.account.id if scope is BudgetScope.USER else None,
        **_window(viewer, budget, name),
        **_limits(viewer, budget, name),
    }
    if not st.button(_("Save"), type="primary", key="budget-save"):
        return
    try:
        money = Money(parse_price(amount), str(currency))
        if budget is None:
            viewer.services.budgets.add(viewer.actor, scope, money, **settings)
        else:
            viewer.services.budgets.update(viewer.actor, budget.id, scope=scope, amount=money, **settings)
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
        return
    say(_("Saved."))
    st.rerun()


def _coverage(viewer: Viewer, budget: BudgetInfo | None, name: str) -> tuple[BudgetScope, str | None]:
    _ = viewer.tr.text
    infos = {info.id: info.label for info in viewer.services.registry.all_infos()}
    scopes, known = list(SCOPES), list(infos)
    scope = st.selectbox(
        _("What it covers"),
        scopes,
        index=scopes.index(budget.scope) if budget else 0,
        format_func=lambda one: _(SCOPES[one]),
        key=f"budget-scope-{name}",
    )
    if scope is not BudgetScope.PROVIDER:
        return scope, None
    start = known.index(budget.provider) if budget and budget.provider in infos else 0
    chosen = st.selectbox(
        _("Provider"), known, index=start, format_func=lambda one: infos[one], key=f"budget-provider-{name}"
    )
    return scope, chosen


def _window(viewer: Viewer, budget: BudgetInfo | None, name: str) -> dict[str, Any]:
    _ = viewer.tr.text
    left, right = st.columns(2)
    windows = list(WINDOWS)
    window = left.selectbox(
        _("Window"),
        windows,
        index=windows.index(budget.window) if budget else 0,
        format_func=lambda one: _(WINDOWS[one]),
        key=f"budget-window-{name}",
    )
    if window is not BudgetWindow.ROLLING:
        return {"window": window, "window_days": None}
    start = (budget.window_days if budget else None) or 30
    return {
        "window": window,
        "window_days": right.number_input(_("Days"), 1, 366, start, key=f"budget-days-{name}"),
    }


def _limits(viewer: Viewer, budget: BudgetInfo | None, name: str) -> dict[str, Any]:
    _ = viewer.tr.text
    warn = st.slider(
        _("Warn at, %"), 1, 100, budget.warn_percent if budget else 80, key=f"budget-warn-{name}"
    )
    blocks = st.toggle(
        _("Block at the limit"), value=budget.blocks if budget else True, key=f"budget-blocks-{name}"
    )
    return {"warn_percent": warn, "blocks": blocks}
