"""What each user comes to, and their budgets; a row leads to that user's calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from core.rights import scope_of
from core.usage.budget_types import BudgetInfo, BudgetScope, BudgetState
from core.usage.explore.types import Dimension, Measures, Selection
from ui import format as fmt
from ui.components.usage_explore_names import user_name, user_names
from ui.components.usage_explore_state import drill
from ui.components.usage_measure import cost_text
from ui.components.usage_number_columns import amount_column, count_column
from ui.components.usage_view import UsageView
from ui.door import Viewer
from ui.session import widget

_KEY = "usage-admin-users"


@dataclass(frozen=True, slots=True)
class _Line:
    """A user with what their calls add up to; budgets that are theirs alone."""

    id: int
    name: str
    total: Measures
    last: date | None
    budgets: tuple[BudgetInfo, ...]


def users_part(viewer: Viewer, view: UsageView) -> None:
    """The table; choosing a row opens Explore on that user."""
    _, language = viewer.tr.text, viewer.tr.language
    lines = _lines(viewer, view)
    st.subheader(_("Users"), anchor=False)
    days = fmt.day_range(view.selection.start, view.selection.end, language)
    hint = _("Choose a row to see the calls of that user.")
    st.caption(f"{days} · {hint}")
    column, costs = st.column_config, [cost_text(viewer, line.total) for line in lines]
    counts = {
        _("Requests"): [line.total.requests for line in lines],
        _("Tokens"): [line.total.tokens for line in lines],
        _("Errors"): [line.total.errors for line in lines],
    }
    shares = [max((each.share for each in line.budgets), default=None) for line in lines]
    st.dataframe(
        {
            _("User"): [line.name for line in lines],
            _("Cost"): costs,
            **counts,
            _("Budget"): [_budgets(viewer, line.budgets) for line in lines],
            _("Budget used"): [None if share is None else min(round(share * 100), 100) for share in shares],
            _("Last call"): [line.last for line in lines],
        },
        hide_index=True,
        placeholder="—",
        on_select=lambda: _open(lines),
        selection_mode="single-row",
        column_config={
            **{name: count_column(name, values) for name, values in counts.items()},
            _("Cost"): amount_column(_("Cost"), costs),
            _("Last call"): column.DateColumn(format="localized"),
            _("Budget used"): column.ProgressColumn(min_value=0, max_value=100, format="%d%%", width=110),
        },
        key=_KEY,
        alt=_("Usage by user"),
    )


def _open(lines: Sequence[_Line]) -> None:
    """For the table's on_select: Explore, on the calls of the user in the row that was picked."""
    picked: Any = widget(_KEY)
    rows = picked["selection"]["rows"] if picked else []
    if rows and rows[0] < len(lines):
        drill("", where=((Dimension.USER, (str(lines[rows[0]].id),)),), everyone=True)


def _lines(viewer: Viewer, view: UsageView) -> list[_Line]:
    services, asked = viewer.services, view.selection
    everybody = Selection(scope_of(viewer.account, everyone=True), asked.start, asked.end, asked.sample)
    found = services.explore.explore(everybody, by=Dimension.USER, currency=view.currency)
    totals = {int(group.value): group.total for group in found.groups}
    names = user_names(viewer)
    last = services.usage.last_days(viewer.account, asked.sample)
    budgets: dict[int, list[BudgetInfo]] = {}
    for budget in services.budgets.list(everybody.scope):
        if budget.scope is BudgetScope.USER and budget.user_id is not None:
            budgets.setdefault(budget.user_id, []).append(budget)
    # Who spends most first, as the ledger ranks them; then who called nobody in these days.
    ids = dict.fromkeys([*totals, *sorted(names, key=names.__getitem__)])
    return [
        _Line(
            each,
            user_name(viewer, names, each),
            totals.get(each, Measures()),
            last.get(each),
            tuple(budgets.get(each, ())),
        )
        for each in ids
    ]


def _budgets(viewer: Viewer, budgets: Sequence[BudgetInfo]) -> str:
    """Each with what is gone of it; how it stands in words, for colour says nothing to who cannot tell it."""
    return " · ".join(_budget(viewer, each) for each in budgets) or "—"


def _budget(viewer: Viewer, budget: BudgetInfo) -> str:
    _, language = viewer.tr.text, viewer.tr.language
    text = _(
        "{spent} of {amount}",
        spent=fmt.money(budget.spent.nano, budget.spent.currency, language),
        amount=fmt.money(budget.amount.nano, budget.amount.currency, language),
    )
    remark = ""
    if budget.state is BudgetState.OVER:
        remark = _("used up")
    elif budget.state is BudgetState.WARN:
        remark = _("nearly used up")
    return f"{text}, {remark}" if remark else text
