"""The documented summary as cards: this month, the last 30 days, all time, and a subscription compared."""

import streamlit as st

from core.errors import AppError
from core.pricing.types import Money
from core.usage.explore.types import Selection
from core.usage.summary import PeriodSummary, Savings
from ui import format as fmt
from ui.door import Viewer
from ui.plain import escape, plain_text
from ui.session import Slot, remember, widget

_AMOUNT = "outlook-subscription"


def summary_part(viewer: Viewer, asked: Selection) -> None:
    """Four cards; the last one's amount can be changed by who runs the workspace."""
    _ = viewer.tr.text
    found = viewer.services.insight.summary(asked.scope, asked.sample)
    with st.container(key="outlook-cards"):
        _period(viewer, _("This month"), found.current_month)
        _period(viewer, _("Last 30 days"), found.last_30_days)
        _period(viewer, _("All time"), found.all_time)
        _savings(viewer, found.savings)
    _caveats(viewer, found.all_time)


def _period(viewer: Viewer, label: str, period: PeriodSummary) -> None:
    language = viewer.tr.language
    requests = viewer.tr.plural(
        "{number} request", "{number} requests", period.requests, number=fmt.exact(period.requests, language)
    )
    tokens = viewer.tr.plural(
        "{number} token", "{number} tokens", period.tokens, number=fmt.count(period.tokens, language)
    )
    amounts = [period.cost] if period.cost.nano or not period.unconverted else []
    amounts += [Money(nano, name) for name, nano in period.unconverted.items()]
    with st.container(border=True, height="stretch", gap="xxsmall"):
        _figure(viewer, label, amounts)
        st.caption(f"{requests}  \n{tokens}")


def _savings(viewer: Viewer, savings: Savings) -> None:
    _ = viewer.tr.text
    price = fmt.money(savings.subscription_cost.nano, savings.subscription_cost.currency, viewer.tr.language)
    saved = savings.vs_subscription
    with st.container(border=True, height="stretch", gap="xxsmall"):
        _figure(
            viewer,
            _("Savings"),
            [saved],
            _(
                "What the subscription costs a month, less what this month's calls came to. "
                "Below zero, paying by the call was dearer."
            ),
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
            st.caption(escape(_("against {amount} a month", amount=price)), width="content")
            if viewer.account.is_admin:
                _change(viewer)


def _figure(viewer: Viewer, label: str, amounts: list[Money], hint: str | None = None) -> None:
    text = " + ".join(fmt.money(each.nano, each.currency, viewer.tr.language) for each in amounts)
    # Two of them would be read as a formula.
    st.metric(label, text.replace("$", r"\$"), help=hint)


def _change(viewer: Viewer) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    default = viewer.services.insight.subscription.default
    with (
        st.popover(_("Edit"), type="tertiary", key="outlook-subscription-change"),
        st.form("outlook-subscription-form", border=False),
    ):
        st.text_input(
            _("A subscription costs a month, {currency}", currency=default.currency),
            key=_AMOUNT,
            placeholder=str(default.decimal.normalize().__format__("f")),
            help=_(
                "Everybody sees savings against this amount. Empty: {amount}, as the settings say.",
                amount=escape(fmt.money(default.nano, default.currency, language)),
            ),
        )
        st.form_submit_button(
            _("Save"), type="primary", key="outlook-subscription-save", on_click=_save, args=(viewer,)
        )


def _save(viewer: Viewer) -> None:
    try:
        viewer.services.insight.subscription.set(viewer.actor, str(widget(_AMOUNT, "") or ""))
    except AppError as error:
        remember(Slot.USAGE_NOTICE, plain_text(error.text(viewer.tr.language)))


def _caveats(viewer: Viewer, ever: PeriodSummary) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    notes: list[str] = []
    if ever.unpriced:
        notes.append(
            viewer.tr.plural(
                "{number} call has no known price and is in no cost.",
                "{number} calls have no known price and are in no cost.",
                ever.unpriced,
                number=fmt.exact(ever.unpriced, language),
            )
        )
    if ever.unconverted:
        notes.append(
            _(
                "No exchange rate is known for {currencies}; these amounts stand beside the others.",
                currencies=", ".join(sorted(ever.unconverted)),
            )
        )
    if notes:
        st.caption(escape(" ".join(notes)))
