"""What to compare with: any models, and subscriptions. Both stand in the address, so that it can be shared."""

from collections.abc import Iterable

import streamlit as st

from core.errors import AppError
from core.pricing.types import Money
from core.usage.subscription import parse_monthly
from core.usage.what_if_types import Subscription, Target
from ui import format as fmt
from ui.components.usage_measure import DEMO, provider_name
from ui.door import Viewer
from ui.plain import escape, plain_text
from ui.session import Slot, remember, show, widget

MODELS, PLANS = "whatif", "plan"
MOST_MODELS, MOST_PLANS = 20, 8
_LONGEST_NAME, _LONGEST_KEY = 60, 300
_SUGGESTED = 6
_MODELS_KEY, _NAME, _AMOUNT = "whatif-models", "whatif-plan-name", "whatif-plan-amount"


def choose_models(viewer: Viewer) -> list[Target]:
    """Models to price the period on: any with a known price, and those of one's own providers."""
    _ = viewer.tr.text
    known = _known(viewer)
    asked = _asked_models()
    picked: list[str] | None = widget(_MODELS_KEY)
    if picked is None:
        picked = asked if MODELS in st.query_params else _suggested(viewer, known)
    options = list(dict.fromkeys([*known, *asked, *picked]))
    chosen: list[str] = st.multiselect(
        _("Models to compare with"),
        options,
        default=show(_MODELS_KEY, picked),
        key=_MODELS_KEY,
        format_func=lambda key: _named(viewer, key),
        max_selections=MOST_MODELS,
        placeholder=_("Part of a name"),
        on_change=_keep_models,
    )
    return [Target(provider, model) for provider, _slash, model in (key.partition("/") for key in chosen)]


def choose_plans(viewer: Viewer) -> list[Subscription]:
    """Subscriptions to set beside the models, each a name and what it costs a month."""
    _, language = viewer.tr.text, viewer.tr.language
    plans = plans_of(viewer)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="whatif-plans"):
        st.markdown(_("Subscriptions"), width="content")
        for number, plan in enumerate(plans):
            price = fmt.money(plan.monthly.nano, plan.monthly.currency, language)
            name = _("{name}, {amount} a month", name=plan.name, amount=price)
            st.button(
                f"{escape(name)} ×",
                key=f"whatif-plan-{number}",
                help=_("Take this subscription out"),
                on_click=_drop_plan,
                args=(viewer, number),
            )
        if len(plans) < MOST_PLANS:
            _add_plan(viewer)
    return plans


def plans_of(viewer: Viewer) -> list[Subscription]:
    """The subscriptions of the address; of one that names none, the workspace's own."""
    _ = viewer.tr.text
    if PLANS not in st.query_params:
        return [Subscription(_("Subscription"), viewer.services.insight.monthly_subscription())]
    found = (_plan(viewer, text) for text in st.query_params.get_all(PLANS)[:MOST_PLANS])
    return [plan for plan in found if plan is not None]


def _known(viewer: Viewer) -> list[str]:
    """`provider/model`: one's own first, then whatever has a published price."""
    services = viewer.services
    own = [
        f"{card.provider}/{card.model}" for card in services.models.catalogue(viewer.account.id) if card.model
    ]
    providers = [info.id for info in services.registry.all_infos()]
    listed = (f"{name}/{entry.model}" for name in providers for entry in services.prices.entries(name))
    return list(dict.fromkeys([*own, *listed]))


def _suggested(viewer: Viewer, known: Iterable[str]) -> list[str]:
    """To begin with: what each provider suggests itself, where there is a price."""
    services = viewer.services
    found: list[str] = []
    there = set(known)
    for info in services.registry.all_infos():
        if info.id != DEMO:
            models = (model.id for model in info.suggested_models)
            priced = (name for name in models if services.prices.entry(info, name).price is not None)
            found += [key for name in priced if (key := f"{info.id}/{name}") in there][:2]
    return found[:_SUGGESTED]


def _asked_models() -> list[str]:
    asked = [
        key for key in st.query_params.get_all(MODELS) if "/" in key.strip("/") and len(key) <= _LONGEST_KEY
    ]
    return list(dict.fromkeys(asked))[:MOST_MODELS]


def _named(viewer: Viewer, key: str) -> str:
    provider, _slash, model = key.partition("/")
    return f"{provider_name(viewer, provider)} · {model}"


def _keep_models() -> None:
    # An empty one says that there are to be none.
    st.query_params[MODELS] = list(widget(_MODELS_KEY) or [""])


def _add_plan(viewer: Viewer) -> None:
    _ = viewer.tr.text
    currency = viewer.services.settings.currency
    with (
        st.popover(_("Add a subscription"), type="tertiary", key="whatif-plan-add"),
        st.form("whatif-plan-form", border=False, clear_on_submit=True),
    ):
        st.text_input(_("Name"), key=_NAME, max_chars=_LONGEST_NAME, placeholder=_("Team plan"))
        st.text_input(_("A month, {currency}", currency=currency), key=_AMOUNT, placeholder="25.00")
        st.form_submit_button(
            _("Add"), type="primary", key="whatif-plan-save", on_click=_save_plan, args=(viewer,)
        )


def _save_plan(viewer: Viewer) -> None:
    _ = viewer.tr.text
    name = str(widget(_NAME, "") or "").strip()[:_LONGEST_NAME] or _("Subscription")
    try:
        nano = parse_monthly(str(widget(_AMOUNT, "") or ""))
    except AppError as error:
        remember(Slot.USAGE_NOTICE, plain_text(error.text(viewer.tr.language)))
        return
    _keep_plans([*plans_of(viewer), Subscription(name, Money(nano, viewer.services.settings.currency))])


def _drop_plan(viewer: Viewer, number: int) -> None:
    plans = plans_of(viewer)
    _keep_plans(plans[:number] + plans[number + 1 :])


def _keep_plans(plans: list[Subscription]) -> None:
    st.query_params[PLANS] = [_as_text(plan) for plan in plans] or [""]


def _as_text(plan: Subscription) -> str:
    return f"{plan.monthly.decimal.normalize():f} {plan.name}"


def _plan(viewer: Viewer, text: str) -> Subscription | None:
    _ = viewer.tr.text
    amount, _space, name = text.strip().partition(" ")
    try:
        nano = parse_monthly(amount)
    except AppError:
        return None
    name = name.strip()[:_LONGEST_NAME] or _("Subscription")
    return Subscription(name, Money(nano, viewer.services.settings.currency))
