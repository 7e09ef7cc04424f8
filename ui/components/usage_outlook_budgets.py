"""When each budget will be used up, in words."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from core.usage.budget_types import BudgetInfo, BudgetScope, BudgetWindow
from core.usage.forecast_types import Forecast
from core.usage.outlook import BudgetOutlook, OutlookState
from ui import format as fmt
from ui.components.usage_explore_names import user_name, user_names
from ui.components.usage_measure import provider_name
from ui.door import Viewer
from ui.plain import escape

_COLOURS: dict[OutlookState, Literal["red", "orange", "gray"]] = {
    OutlookState.OVER: "red",
    OutlookState.USED_UP: "orange",
    OutlookState.POSSIBLE: "gray",
}


def drawn_budgets(
    viewer: Viewer, budgets: Sequence[BudgetInfo], scope: int | None, found: Forecast
) -> list[BudgetInfo]:
    """The budgets that are a level of this chart: of the same month, calls and currency, not begun anew in it."""
    whose = BudgetScope.WORKSPACE if scope is None else BudgetScope.USER
    # Who is alone sees the workspace's calls.
    account = viewer.account
    alone = account.is_admin and len(viewer.services.accounts.everyone(account)) == 1
    return [
        each
        for each in budgets
        if (each.scope is whose or (alone and each.scope is BudgetScope.WORKSPACE))
        and each.window is BudgetWindow.MONTH
        and each.amount.currency == found.currency
        and (
            each.reset_at is None
            or each.reset_at.astimezone(viewer.services.ledger.zone).date() < found.start
        )
    ]


def budget_part(viewer: Viewer, budgets: Sequence[BudgetInfo]) -> None:
    """One line a budget: how much is gone, and when the rest will be."""
    if not budgets:
        return
    _ = viewer.tr.text
    st.subheader(_("Budgets"), anchor=False)
    outlooks = viewer.services.insight.budget_outlooks(budgets)
    with st.container(key="outlook-budgets"):
        for budget, outlook in zip(budgets, outlooks, strict=True):
            _budget(viewer, budget, outlook)


def _budget(viewer: Viewer, budget: BudgetInfo, outlook: BudgetOutlook) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    spent, amount = (fmt.money(each.nano, each.currency, language) for each in (budget.spent, budget.amount))
    standing = _("{spent} of {amount}", spent=spent, amount=amount)
    with st.container(key=f"outlook-budget-{budget.id}", border=True, gap="xxsmall", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escape(name_of(viewer, budget))}**", width="content")
            st.badge(_short(viewer, outlook), color=_COLOURS.get(outlook.state, "green"))
        st.progress(min(1.0, max(0.0, budget.share)))
        st.caption(escape(f"{standing} · {_words(viewer, outlook)}"))


def name_of(viewer: Viewer, budget: BudgetInfo) -> str:
    """What a budget covers, and in which window."""
    _ = viewer.tr.text
    name = _("Workspace budget")
    if budget.scope is BudgetScope.USER:
        own = budget.user_id == viewer.account.id
        name = _("Your budget") if own else _("Budget of {name}", name=_owner(viewer, budget))
    elif budget.scope is BudgetScope.PROVIDER:
        name = _("Budget for {provider}", provider=provider_name(viewer, budget.provider or ""))
    if budget.window is BudgetWindow.ROLLING:
        days = budget.window_days or 1
        window = viewer.tr.plural("the last {number} day", "the last {number} days", days, number=days)
        return f"{name} · {window}"
    return name


def _owner(viewer: Viewer, budget: BudgetInfo) -> str:
    return user_name(viewer, user_names(viewer), budget.user_id or 0)


def _short(viewer: Viewer, outlook: BudgetOutlook) -> str:
    _ = viewer.tr.text
    return {
        OutlookState.OVER: _("used up"),
        OutlookState.USED_UP: _("will not last"),
        OutlookState.POSSIBLE: _("may not last"),
        OutlookState.ENOUGH: _("lasts"),
        OutlookState.TOO_SHORT: _("no forecast yet"),
    }[outlook.state]


def _words(viewer: Viewer, outlook: BudgetOutlook) -> str:
    _, language = viewer.tr.text, viewer.tr.language
    until = fmt.day(outlook.until, language)
    if outlook.state is OutlookState.OVER:
        return _("used up already")
    if outlook.state is OutlookState.TOO_SHORT:
        return _("the history is too short to say how long it lasts")
    if outlook.expected_on is not None:
        around = _("used up around {day}", day=fmt.day(outlook.expected_on, language))
        if outlook.earliest_on is None or outlook.earliest_on == outlook.latest_on:
            return around
        if outlook.latest_on is None:
            earliest = fmt.day(outlook.earliest_on, language)
            return _(
                "{around}: {earliest} at the earliest, and it may last", around=around, earliest=earliest
            )
        between = fmt.day_range(outlook.earliest_on, outlook.latest_on, language)
        return _("{around}, probably within {days}", around=around, days=between)
    if outlook.earliest_on is not None:
        return _(
            "probably lasts until {until}; at the high end it is used up on {day}",
            until=until,
            day=fmt.day(outlook.earliest_on, language),
        )
    return _("lasts until {until}, even at the high end of the forecast", until=until)
