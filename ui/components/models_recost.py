"""The past priced anew: the difference first, then the change, and what was changed when."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import streamlit as st

from core.errors import AppError
from core.usage.recost import RecostInfo, RecostPlan
from ui import format as fmt
from ui.components.models_price_text import date_style
from ui.components.notices import attempt
from ui.door import Viewer
from ui.plain import escape, plain_text
from ui.session import Slot, recall, remember, take, widget

_REASON = "recost-reason"


def recost_part(viewer: Viewer) -> None:
    """The form, the difference it would make, and the history."""
    _ = viewer.tr.text
    st.subheader(_("Price past calls anew"), anchor=False)
    st.caption(
        _(
            "After a price was corrected. AIHub first shows the difference; nothing changes until you apply it, "
            "and every change is kept on record."
        )
    )
    _form(viewer)
    plan = recall(Slot.RECOST_PLAN)
    if isinstance(plan, RecostPlan):
        _difference(viewer, plan)
    history = viewer.services.recost.history(viewer.account)
    if history:
        with st.expander(_("What was priced anew before")):
            for entry in history:
                st.caption(_history_line(viewer, entry))


def _form(viewer: Viewer) -> None:
    _ = viewer.tr.text
    today, style = viewer.services.usage.today(), date_style(viewer.tr.language)
    infos = {info.id: info.label for info in viewer.services.registry.all_infos()}
    with st.form("recost-form", border=False):
        columns = st.columns(3)
        first = columns[0].date_input(
            _("From"), value=today - timedelta(days=29), format=style, key="recost-from"
        )
        last = columns[1].date_input(_("To"), value=today, format=style, key="recost-to")
        provider = columns[2].selectbox(
            _("Provider"),
            ["", *infos],
            format_func=lambda name: infos.get(name) or _("all"),
            key="recost-provider",
        )
        if not st.form_submit_button(_("Show the difference"), key="recost-plan"):
            return
    try:
        with st.spinner(_("Pricing the calls of these days…")):
            remember(
                Slot.RECOST_PLAN, viewer.services.recost.plan(viewer.actor, first, last, provider or None)
            )
    except AppError as error:
        take(Slot.RECOST_PLAN)
        st.error(plain_text(error.text(viewer.tr.language)))


def _difference(viewer: Viewer, plan: RecostPlan) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    labels = {info.id: info.label for info in viewer.services.registry.all_infos()}
    with st.container(key="recost-difference", border=True):
        if not plan.changed:
            st.markdown(
                _(
                    "{count} calls looked at: each costs what it should.",
                    count=fmt.exact(plan.calls, language),
                )
            )
            return
        st.markdown(
            _(
                "{changed} of {count} calls would change.",
                changed=fmt.exact(plan.changed, language),
                count=fmt.exact(plan.calls, language),
            )
        )
        changed = [
            line
            for line in plan.lines
            if line.before != line.after or line.unpriced_before != line.unpriced_after
        ]
        st.table(
            {
                _("Model"): [
                    escape(f"{labels.get(line.provider, line.provider)} · {line.model}") for line in changed
                ],
                _("Calls"): [fmt.exact(line.calls, language) for line in changed],
                _("Now"): [_costs(viewer, line.before, line.unpriced_before) for line in changed],
                _("Then"): [_costs(viewer, line.after, line.unpriced_after) for line in changed],
            },
            border="horizontal",
            hide_index=True,
        )
        st.text_input(_("Reason"), key=_REASON, placeholder=_("Why the price was corrected"), max_chars=200)
        with st.container(horizontal=True):
            st.button(_("Apply"), key="recost-apply", type="primary", on_click=_apply, args=(viewer, plan))
            st.button(_("Discard"), key="recost-discard", on_click=take, args=(Slot.RECOST_PLAN,))


def _costs(viewer: Viewer, costs: Mapping[str, int], unpriced: int) -> str:
    _, language = viewer.tr.text, viewer.tr.language
    parts = [fmt.money(nano, currency, language) for currency, nano in sorted(costs.items())]
    if unpriced:
        parts.append(
            viewer.tr.plural("{number} unpriced call", "{number} unpriced calls", unpriced, number=unpriced)
        )
    return escape(" + ".join(parts) or "—")


def _apply(viewer: Viewer, plan: RecostPlan) -> None:
    _ = viewer.tr.text
    recost, reason = viewer.services.recost, str(widget(_REASON) or "")
    take(Slot.RECOST_PLAN)
    attempt(
        viewer,
        lambda: recost.apply(viewer.actor, plan, reason),
        _("Priced anew. Usage shows the new figures."),
    )


def _history_line(viewer: Viewer, entry: RecostInfo) -> str:
    _, language = viewer.tr.text, viewer.tr.language
    before, after = (_plain_costs(viewer, costs) for costs in (entry.before, entry.after))
    parts: Sequence[str] = (
        fmt.moment(entry.created_at, viewer.zone, language),
        fmt.day_range(entry.start, entry.end, language),
        viewer.tr.plural(
            "{number} call", "{number} calls", entry.calls, number=fmt.exact(entry.calls, language)
        ),
        f"{before} → {after}",
        entry.reason,
    )
    return escape(" · ".join(part for part in parts if part))


def _plain_costs(viewer: Viewer, costs: Mapping[str, int]) -> str:
    return (
        " + ".join(fmt.money(nano, currency, viewer.tr.language) for currency, nano in sorted(costs.items()))
        or "—"
    )
