"""What if: the calls of the period on other models, or by subscription, ranked."""

import streamlit as st

from core.usage.narrowing import left_out
from core.usage.what_if_types import WhatIf
from ui import format as fmt
from ui.components.usage_outlook_findings import say_ignored
from ui.components.usage_view import UsageView
from ui.components.usage_whatif_choice import choose_models, choose_plans
from ui.components.usage_whatif_table import range_chart, rank_table
from ui.components.usage_whatif_words import assumptions_part
from ui.door import Viewer
from ui.plain import escape, plain_text


def draw(viewer: Viewer, view: UsageView) -> None:
    """The whole part; AppError when the ledger cannot answer."""
    _ = viewer.tr.text
    asked = view.selection
    currency = view.currency or viewer.services.insight.main_currency(asked.scope, asked.sample)
    models = choose_models(viewer)
    plans = choose_plans(viewer)
    found = viewer.services.insight.what_if(asked, models, plans, currency)
    st.subheader(_("What the same calls would have cost"), anchor=False)
    st.caption(escape(_about(viewer, found)))
    say_ignored(viewer, left_out(asked.where))
    if not found.calls:
        if found.unconverted:
            names = ", ".join(sorted(found.unconverted))
            text = _(
                "No exchange rate is known for {currencies}, so nothing can be compared. Add one on the Models page.",
                currencies=names,
            )
            st.info(plain_text(text))
        elif found.left_out_calls:
            st.info(_("None of these calls has a known price, so nothing can be compared."))
        else:
            st.info(_("No calls in these days. Choose a longer range in the sidebar."))
        return
    range_chart(viewer, found)
    rank_table(viewer, found)
    assumptions_part(viewer, found)


def _about(viewer: Viewer, found: WhatIf) -> str:
    _, language = viewer.tr.text, viewer.tr.language
    calls = viewer.tr.plural(
        "{number} call", "{number} calls", found.calls, number=fmt.exact(found.calls, language)
    )
    tokens = viewer.tr.plural(
        "{number} token", "{number} tokens", found.tokens, number=fmt.count(found.tokens, language)
    )
    parts = [fmt.day_range(found.start, found.end, language), calls, tokens]
    if found.left_out_calls:
        parts.append(
            viewer.tr.plural(
                "{number} call without a known price is left out on both sides",
                "{number} calls without a known price are left out on both sides",
                found.left_out_calls,
                number=fmt.exact(found.left_out_calls, language),
            )
        )
    if found.unconverted_calls:
        parts.append(
            viewer.tr.plural(
                "{number} call paid in {currencies} is left out on both sides",
                "{number} calls paid in {currencies} are left out on both sides",
                found.unconverted_calls,
                number=fmt.exact(found.unconverted_calls, language),
                currencies=", ".join(sorted(found.unconverted)),
            )
        )
    return " · ".join(parts)
