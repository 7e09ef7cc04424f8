"""Budgets: what may be spent in a window, how much of it is gone, and what happens at the limit."""

import streamlit as st

from core.usage.budgets import BudgetInfo, BudgetScope, BudgetState, BudgetWindow
from ui import format as fmt
from ui.components.models_budget_form import SCOPES, budget_form
from ui.components.models_confirm import Question, ask_first, show_question
from ui.components.notices import attempt
from ui.door import Viewer
from ui.plain import escape
from ui.session import Slot, remember, take, widget


def draw(viewer: Viewer) -> None:
    """The whole part."""
    _ = viewer.tr.text
    with st.container(key="models-head", horizontal=True, vertical_alignment="center"):
        st.title(_("Budgets"), anchor=False, width="stretch")
        st.button(_("Add a budget"), key="budget-new", on_click=remember, args=(Slot.BUDGET_DIALOG, "new"))
    st.caption(
        _(
            "Before a call is sent, its prompt and its longest answer are held against every budget that covers it. "
            "Calls without a known price cannot be held against one."
        )
    )
    budgets = viewer.services.budgets.list(viewer.account.id)
    if not budgets:
        with st.container(key="models-empty", border=True):
            st.markdown(
                _(
                    "No budget yet: nothing is limited. A budget says how much the workspace, you or one provider "
                    "may cost in a month or in the last days; it warns, and blocks if you want it to."
                )
            )
    for budget in budgets:
        _card(viewer, budget)
    about = take(Slot.BUDGET_DIALOG)
    if about is not None:
        budget = about if isinstance(about, BudgetInfo) else None
        st.dialog(_("Edit the budget") if budget else _("Add a budget"))(budget_form)(viewer, budget)
    show_question(viewer)


def _card(viewer: Viewer, budget: BudgetInfo) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    labels = {"edit": _("Edit"), "reset": _("Start again from zero"), "delete": _("Delete")}
    with st.container(key=f"budget-{budget.id}", border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{escape(_name(viewer, budget))}**", width="content")
                _badge(viewer, budget)
            menu = f"budget-menu-{budget.id}"
            st.menu_button(
                "⋯",
                list(labels),
                key=menu,
                type="tertiary",
                format_func=labels.__getitem__,
                on_click=_act,
                args=(viewer, budget, menu),
            )
        st.progress(min(1.0, max(0.0, budget.share)))
        spent = fmt.money(budget.spent.nano, budget.spent.currency, language)
        amount = fmt.money(budget.amount.nano, budget.amount.currency, language)
        parts = [
            _("{spent} of {amount}", spent=spent, amount=amount),
            _window(viewer, budget),
            _limit(viewer, budget),
        ]
        if budget.reset_at is not None:
            parts.append(_("counts from {moment}", moment=fmt.moment(budget.reset_at, viewer.zone, language)))
        st.caption(escape(" · ".join(parts)))
        if budget.unconverted:
            left_out = " + ".join(
                fmt.money(nano, name, language) for name, nano in sorted(budget.unconverted.items())
            )
            st.caption(escape(_("Left out for want of an exchange rate: {amounts}", amounts=left_out)))


def _name(viewer: Viewer, budget: BudgetInfo) -> str:
    _ = viewer.tr.text
    if budget.scope is BudgetScope.PROVIDER:
        labels = {info.id: info.label for info in viewer.services.registry.all_infos()}
        return labels.get(budget.provider or "", budget.provider or "")
    return _(SCOPES[budget.scope])


def _badge(viewer: Viewer, budget: BudgetInfo) -> None:
    _ = viewer.tr.text
    if budget.state is BudgetState.OVER:
        st.badge(_("used up"), color="red")
    elif budget.state is BudgetState.WARN:
        st.badge(_("nearly used up"), color="orange")


def _window(viewer: Viewer, budget: BudgetInfo) -> str:
    _ = viewer.tr.text
    if budget.window is BudgetWindow.MONTH:
        return _("this month")
    days = budget.window_days or 1
    return viewer.tr.plural("the last {number} day", "the last {number} days", days, number=days)


def _limit(viewer: Viewer, budget: BudgetInfo) -> str:
    _ = viewer.tr.text
    if budget.blocks:
        return _("warns at {percent}%, blocks at the limit", percent=budget.warn_percent)
    return _("warns at {percent}%, never blocks", percent=budget.warn_percent)


def _act(viewer: Viewer, budget: BudgetInfo, menu: str) -> None:
    _ = viewer.tr.text
    budgets = viewer.services.budgets
    chosen = widget(menu)
    if chosen == "edit":
        remember(Slot.BUDGET_DIALOG, budget)
    elif chosen == "reset":
        attempt(viewer, lambda: budgets.reset(viewer.actor, budget.id), _("The budget counts from now on."))
    elif chosen == "delete":
        name = _name(viewer, budget)
        ask_first(
            Question(
                _("Delete the budget"),
                _("The budget “{name}” goes for good, and nothing is held against it any more.", name=name),
                lambda: budgets.delete(viewer.actor, budget.id),
                _("Deleted the budget “{name}”.", name=name),
            )
        )
