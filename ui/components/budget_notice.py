"""A word above the message box when a budget is nearly or wholly used up."""

import streamlit as st

from core.usage.budgets import BudgetInfo, BudgetState
from ui import format as fmt
from ui.components.models_budget_form import SCOPES
from ui.door import Viewer
from ui.navigation import MODELS_PAGE
from ui.plain import escape


def budget_notice(viewer: Viewer) -> None:
    """One line for the tightest budget that covers the viewer; nothing while all are fine."""
    _ = viewer.tr.text
    budgets = viewer.services.budgets
    if not budgets.active:
        return
    pressing = [each for each in budgets.list(viewer.account.id) if each.state is not BudgetState.OK]
    if not pressing:
        return
    with st.container(key="budget-notice", horizontal=True, vertical_alignment="center"):
        st.caption(_line(viewer, max(pressing, key=lambda each: each.share)), width="content")
        if viewer.account.is_admin and st.button(_("Budgets"), key="to-budgets", type="tertiary"):
            st.switch_page(MODELS_PAGE, query_params={"section": "budgets"})


def _line(viewer: Viewer, budget: BudgetInfo) -> str:
    _, language = viewer.tr.text, viewer.tr.language
    name = budget.provider or _(SCOPES[budget.scope])
    spent = fmt.money(budget.spent.nano, budget.spent.currency, language)
    amount = fmt.money(budget.amount.nano, budget.amount.currency, language)
    if budget.state is BudgetState.OVER:
        return escape(
            _("Budget “{name}” is used up: {spent} of {amount}.", name=name, spent=spent, amount=amount)
        )
    return escape(
        _("Budget “{name}” is nearly used up: {spent} of {amount}.", name=name, spent=spent, amount=amount)
    )
