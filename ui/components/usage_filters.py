"""The sidebar's filters: which days, compared with what, and which calls. All of them stand in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import streamlit as st

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.rights import scope_of
from core.usage.explore.types import Compare, Dimension, Selection
from ui import format as fmt
from ui.components.usage_address import FIRST_DAY
from ui.components.usage_asked import CUSTOM, RANGES, Asked
from ui.components.usage_explore_names import DIMENSIONS, dimension_name, value_names
from ui.components.usage_explore_state import change, narrow, reset, settle
from ui.door import Viewer
from ui.session import show, widget

_RANGES = {
    "today": N_("Today"),
    "yesterday": N_("Yesterday"),
    "7d": N_("7 days"),
    "30d": N_("30 days"),
    "90d": N_("90 days"),
    "month": N_("This month"),
    "last_month": N_("Last month"),
    "year": N_("Year"),
    "custom": N_("Custom"),
}
_LENGTHS = {"today": 1, "7d": 7, "30d": 30, "90d": 90, "year": 365}
COMPARED = {
    Compare.PREVIOUS: N_("The period before"),
    Compare.LAST_MONTH: N_("The same days last month"),
    Compare.NONE: N_("Nothing"),
}
_FIRST = (Dimension.PROVIDER, Dimension.MODEL, Dimension.SOURCE)
_MORE = (
    Dimension.STATUS,
    Dimension.ERROR,
    Dimension.CATEGORY,
    Dimension.PROMPT,
    Dimension.LABEL,
)
_DATE_FORMATS = {"ru": "DD.MM.YYYY"}
Values = Mapping[Dimension, Sequence[str]]


def choose_range(viewer: Viewer, asked: Asked, today: date) -> tuple[date, date]:
    """The first and the last day that the viewer wants to see. AppError(VALIDATION) when they are reversed, or when
    all of them are still to come."""
    _ = viewer.tr.text
    st.selectbox(
        _("Range"),
        RANGES,
        index=RANGES.index(show("usage-range", asked.preset)),
        format_func=lambda name: _(_RANGES[name]),
        key="usage-range",
        on_change=_change_range,
        args=days_of(asked, today),
    )
    start, end = days_of(asked, today)
    if asked.preset == CUSTOM:
        with st.container(horizontal=True, key="usage-days-own"):
            _choose_day(viewer, _("First day"), "usage-from", "start", start, today)
            _choose_day(viewer, _("Last day"), "usage-to", "end", end, today)
    _check(viewer, asked, today, start, end)
    return start, end


def _check(viewer: Viewer, asked: Asked, today: date, start: date, end: date) -> None:
    if asked.preset == CUSTOM and asked.start is not None and asked.start > today:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("These days are still to come. Choose days up to {today}."),
            today=fmt.day(today, viewer.tr.language),
        )
    if start > end:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The range ends before it starts. Choose a last day after the first one."),
        )


def days_of(asked: Asked, today: date) -> tuple[date, date]:
    """The days of a view, both included; days that are still to come are none."""
    if asked.preset == CUSTOM:
        start, end = asked.start or today - timedelta(29), asked.end or today
        return min(start, today), min(end, today)
    month = today.replace(day=1)
    if asked.preset == "month":
        return month, today
    if asked.preset == "last_month":
        last = month - timedelta(1)
        return last.replace(day=1), last
    if asked.preset == "yesterday":
        return today - timedelta(1), today - timedelta(1)
    return today - timedelta(_LENGTHS[asked.preset] - 1), today


def choose_comparison(viewer: Viewer, asked: Asked) -> None:
    """What the range is compared with."""
    _ = viewer.tr.text
    compared = [compare.value for compare in COMPARED]
    st.selectbox(
        _("Compared with"),
        compared,
        index=compared.index(show("usage-compare", asked.compare.value)),
        format_func=lambda name: _(COMPARED[Compare(name)]),
        key="usage-compare",
        on_change=lambda: change(compare=Compare(widget("usage-compare"))),
    )


def allowed(viewer: Viewer, asked: Asked) -> Asked:
    """What the viewer may ask for, when a link that somebody shared asks for more: see `scope_of`."""
    if asked.everyone and not viewer.account.is_admin:
        asked = replace(asked.only(Dimension.USER, ()), everyone=False)
    return asked


def selection_of(viewer: Viewer, asked: Asked, start: date, end: date, sample: bool) -> Selection:
    """The calls a view is about, within what the viewer may see."""
    asked = allowed(viewer, asked)
    return Selection(scope_of(viewer.account, everyone=asked.everyone), start, end, sample, asked.where)


def choose_calls(viewer: Viewer, asked: Asked, sample: bool) -> Asked:
    """The filters; returns what is asked for, without values that no call has."""
    _ = viewer.tr.text
    asked = allowed(viewer, asked)
    values = viewer.services.explore.values(scope_of(viewer.account, everyone=asked.everyone), sample)
    asked = _known(asked, values)
    settle(asked)
    if viewer.account.is_admin:
        _choose_users(viewer, asked, values, sample)
    # Sample data has one source.
    for dimension in _FIRST[: 2 if sample else 3]:
        _choose_values(viewer, asked, dimension, values.get(dimension, ()))
    if asked.values(Dimension.THREAD):
        _choose_values(viewer, asked, Dimension.THREAD, asked.values(Dimension.THREAD))
    more = [dimension for dimension in _MORE if values.get(dimension)]
    if more:
        _more_filters(viewer, asked, more, values)
    if asked != asked.without_filters():
        st.button(_("Reset filters"), key="usage-reset", on_click=reset, width="stretch")
    return asked


def filters_in_words(viewer: Viewer, asked: Asked) -> str:
    """What is left out, in one line; "" when nothing is."""
    _ = viewer.tr.text
    parts = [_("All users")] if asked.everyone and not asked.values(Dimension.USER) else []
    for dimension, values in asked.where:
        names = list(value_names(viewer, dimension, values[:3]).values())
        if more := len(values) - len(names):
            names.append(_("{count} more", count=more))
        parts.append(f"{dimension_name(viewer, dimension)}: {', '.join(names)}")
    return " · ".join(parts)


def _more_filters(viewer: Viewer, asked: Asked, more: Sequence[Dimension], values: Values) -> None:
    _ = viewer.tr.text
    used = sum(bool(asked.values(dimension)) for dimension in more)
    title = _("More filters ({count})", count=used) if used else _("More filters")
    # Its name changes with what is chosen; its key keeps it open.
    with st.expander(title, key="usage-more-filters", on_change="rerun", expanded=bool(used)) as opened:
        if opened.open:
            for dimension in more:
                _choose_values(viewer, asked, dimension, values[dimension])


def _choose_users(viewer: Viewer, asked: Asked, values: Values, sample: bool) -> None:
    _ = viewer.tr.text
    if not asked.everyone:
        everybody = scope_of(viewer.account, everyone=True)
        others = viewer.services.explore.users(everybody, sample)
        if set(others) <= {str(viewer.account.id)}:
            return
    st.segmented_control(
        _("Calls of"),
        ["own", "all"],
        default=show("usage-everyone", "all" if asked.everyone else "own"),
        required=True,
        format_func=lambda name: _("All users") if name == "all" else _("Me"),
        key="usage-everyone",
        width="stretch",
        on_change=_change_users,
    )
    if asked.everyone:
        _choose_values(viewer, asked, Dimension.USER, values.get(Dimension.USER, ()))


def _choose_values(viewer: Viewer, asked: Asked, dimension: Dimension, values: Sequence[str]) -> None:
    _ = viewer.tr.text
    if not values:
        return
    key = f"usage-only-{dimension.value}"
    chosen = list(asked.values(dimension))
    # "" stands for the calls that have none; a click on a bar may ask for them.
    options = [*values, *(value for value in chosen if value not in values)]
    names = value_names(viewer, dimension, options)
    st.multiselect(
        viewer.tr.text(DIMENSIONS[dimension]),
        options,
        default=show(key, chosen),
        format_func=names.__getitem__,
        key=key,
        placeholder=_("Any"),
        select_all=False,
        on_change=lambda: narrow(dimension, widget(key) or ()),
    )


def _known(asked: Asked, values: Values) -> Asked:
    for dimension, wanted in asked.where:
        if dimension is not Dimension.THREAD:
            known = {"", *values.get(dimension, ())}
            asked = asked.only(dimension, [value for value in wanted if value in known])
    return asked


def _choose_day(viewer: Viewer, label: str, key: str, field: str, day: date, today: date) -> None:
    st.date_input(
        label,
        show(key, day),
        min_value=FIRST_DAY,
        max_value=today,
        format=_DATE_FORMATS.get(viewer.tr.language, "YYYY-MM-DD"),
        key=key,
        on_change=lambda: change(**{field: widget(key)}),
    )


def _change_range(start: date, end: date) -> None:
    # Days of one's own begin with those shown.
    if widget("usage-range") == CUSTOM:
        change(preset=CUSTOM, start=start, end=end)
    else:
        change(preset=widget("usage-range"), start=None, end=None)


def _change_users() -> None:
    narrow(Dimension.USER, ())
    change(everyone=widget("usage-everyone") == "all")
