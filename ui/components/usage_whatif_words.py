"""What a what-if takes for granted, in words."""

import streamlit as st

from core.i18n import N_
from core.usage.repricing import TOLERANCE_PERCENT
from core.usage.what_if_types import Assumption, RowKind, WhatIf
from ui import format as fmt
from ui.components.usage_measure import model_name, money_text
from ui.door import Viewer
from ui.plain import escape

ASSUMPTIONS = {
    Assumption.TOKENIZER: (
        N_("tokenizer"),
        N_(
            "Tokenizer: models cut the same text differently, so the tokens of another model are taken to be up to "
            "{percent}% more or fewer, unless both are known to share a tokenizer."
        ),
    ),
    Assumption.CACHE: (
        N_("cache"),
        N_(
            "Cache: nobody knows whether the other model's cache would have worked. The range holds both: as much "
            "cached as it was, and nothing cached."
        ),
    ),
    Assumption.REASONING: (
        N_("reasoning"),
        N_(
            "Reasoning: a model that does not think before it answers writes only the answer. Unless a model is known "
            "to reason, the range holds both."
        ),
    ),
    Assumption.TIERS: (
        N_("long prompts"),
        N_(
            "Long prompts: some models charge more for them. The ledger keeps sums by day, so where a prompt may have "
            "been that long the range holds both prices."
        ),
    ),
}


def assumptions_part(viewer: Viewer, found: WhatIf) -> None:
    """Why the ranges are as they are: only what moved one of them."""
    _, language = viewer.tr.text, viewer.tr.language
    used = {each for row in found.rows for each in row.assumptions}
    lines = [
        _(
            "What was paid is exact, at the prices of each day. Everything else is at the prices of {day}.",
            day=fmt.day(found.priced_on, language),
        )
    ]
    lines += [
        _(long, percent=TOLERANCE_PERCENT) for each, (_short, long) in ASSUMPTIONS.items() if each in used
    ]
    lines += _prices(viewer, found)
    if any(row.kind is RowKind.SUBSCRIPTION for row in found.rows):
        lines.append(
            _("A subscription counts by the day: of each month the share of its days in the period.")
        )
    if found.left_out_calls:
        lines.append(
            _(
                "Calls without a known price are left out of every row, so that both sides are about the same calls: "
                "{tokens} tokens.",
                tokens=fmt.count(found.left_out_tokens, language),
            )
        )
    if found.unconverted:
        lines.append(
            _(
                "No exchange rate is known for {amounts}: the calls that cost that are in no row. Add a rate on the "
                "Models page to have them compared.",
                amounts=money_text(viewer, found.unconverted),
            )
        )
    unpriced = [model_name(viewer, row.provider, row.model) for row in found.rows if row.low is None]
    if unpriced:
        lines.append(
            _(
                "No price is known for {models}. Set an own price on the Models page to have it in the ranking.",
                models=", ".join(unpriced),
            )
        )
    if any(row.low is not None and row.low.currency != found.currency for row in found.rows):
        lines.append(
            _("What stands in another currency cannot be ranked: add an exchange rate on the Models page.")
        )
    st.subheader(_("What is taken for granted"), anchor=False)
    st.caption("\n".join(f"- {escape(line)}" for line in lines))


def _prices(viewer: Viewer, found: WhatIf) -> list[str]:
    _ = viewer.tr.text
    priced = [row for row in found.rows if row.kind is RowKind.MODEL and row.low is not None]
    lines: list[str] = []
    if sources := dict.fromkeys(row.source for row in priced):
        lines.append(_("Where the prices come from: {sources}.", sources=", ".join(sources)))
    if unsure := [model_name(viewer, row.provider, row.model) for row in priced if not row.verified]:
        lines.append(_("Nobody has verified the price of {models}.", models=", ".join(unsure)))
    return lines
