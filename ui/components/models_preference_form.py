"""The form of a model's settings: what every provider knows, and what only some do."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core.generation.types import ModelRef
from core.i18n import N_
from core.models.types import PreferenceInfo
from core.providers.types import Capability, ProviderInfo, ReasoningEffort
from ui.components.models_gemini_form import gemini_options
from ui.components.models_number import optional_number
from ui.door import Viewer

GEMINI = "gemini"
EFFORTS: dict[str, str] = {
    ReasoningEffort.NONE.value: N_("none"),
    ReasoningEffort.LOW.value: N_("low"),
    ReasoningEffort.MEDIUM.value: N_("medium"),
    ReasoningEffort.HIGH.value: N_("high"),
}


def preference_form(viewer: Viewer, info: ProviderInfo, saved: PreferenceInfo) -> PreferenceInfo | None:
    """The settings as they stand in the form, not saved yet; None while a field holds what cannot be right."""
    # The fields begin anew with each change of what is stored: saved, taken back, or brought back.
    version = saved.updated_at.timestamp() if saved.updated_at else "new"
    key = f"pref-{saved.provider}-{saved.model}-{version}"
    draft = _general(viewer, saved, key)
    draft = replace(draft, fallbacks=_fallbacks(viewer, saved, key))
    if info.id == GEMINI:
        options = gemini_options(viewer, saved.options, key)
    else:
        options = _options(viewer, info, saved.options, key)
    return None if options is None else replace(draft, options=options)


def _general(viewer: Viewer, saved: PreferenceInfo, key: str) -> PreferenceInfo:
    _ = viewer.tr.text
    prompt = st.text_area(
        _("System prompt"),
        value=saved.system_prompt or "",
        key=f"{key}-system",
        height=120,
        placeholder=_("For example: answer briefly and name your sources."),
    )
    left, right = st.columns(2)
    with left:
        temperature = optional_number(
            _("Temperature"),
            saved.temperature,
            key=f"{key}-temperature",
            min_value=0.0,
            max_value=2.0,
            step=0.1,
            help=_("How random the answer is: 0 to 2, 0 is the least."),
            placeholder=_("the model’s own"),
        )
    with right:
        tokens = optional_number(
            _("Longest answer, tokens"),
            saved.max_tokens,
            key=f"{key}-tokens",
            min_value=1,
            max_value=1_000_000,
            step=256,
            placeholder=_("the model’s own"),
        )
    with st.container(horizontal=True):
        default = st.toggle(_("Default model of this provider"), value=saved.is_default, key=f"{key}-default")
        cache = st.toggle(
            _("Answer equal requests from the cache"),
            value=saved.use_cache,
            key=f"{key}-cache",
            help=_("An equal request within 7 days gets the same answer again and costs nothing."),
        )
    return replace(
        saved,
        system_prompt=prompt.strip() or None,
        temperature=temperature,
        max_tokens=tokens,
        is_default=default,
        use_cache=cache,
    )


def _fallbacks(viewer: Viewer, saved: PreferenceInfo, key: str) -> tuple[ModelRef, ...]:
    _ = viewer.tr.text
    own = ModelRef(saved.provider, saved.model)
    choices = [
        ModelRef(choice.provider, choice.model) for choice in viewer.services.choices.all(viewer.account.id)
    ]
    options = list(
        dict.fromkeys([*saved.fallbacks, *(choice for choice in choices if choice.model and choice != own)])
    )
    labels = {info.id: info.label for info in viewer.services.registry.all_infos()}
    chosen = st.multiselect(
        _("When it does not answer, ask"),
        options,
        default=list(saved.fallbacks),
        format_func=lambda ref: f"{labels.get(ref.provider, ref.provider)} · {ref.model}",
        key=f"{key}-fallbacks",
        max_selections=5,
        help=_(
            "Asked in this order when the model fails before its first word. The answer says which one it was."
        ),
        placeholder=_("no other model"),
    )
    return tuple(chosen)


def _options(viewer: Viewer, info: ProviderInfo, saved: Any, key: str) -> dict[str, Any]:
    _ = viewer.tr.text
    options: dict[str, Any] = {}
    with st.expander(_("More settings"), expanded=bool(saved)):
        columns = st.columns(2)
        for position, (name, low, high, step, help_text) in enumerate(_NUMBERS):
            with columns[position % 2]:
                options[name] = optional_number(
                    name,
                    saved.get(name),
                    key=f"{key}-{name}",
                    min_value=low,
                    max_value=high,
                    step=step,
                    help=_(help_text),
                    placeholder=_("the model’s own"),
                )
        if Capability.REASONING_EFFORT in info.capabilities:
            efforts = ["", *EFFORTS]
            start = efforts.index(saved.get("reasoning_effort") or "")
            effort = columns[1].selectbox(
                _("Reasoning"),
                efforts,
                index=start,
                format_func=lambda name: _(EFFORTS[name]) if name else _("the model’s own"),
                key=f"{key}-effort",
            )
            options["reasoning_effort"] = effort or None
        stops = st.text_area(
            "stop_sequences",
            value="\n".join(saved.get("stop_sequences") or ()),
            key=f"{key}-stops",
            height=80,
            help=_("The answer ends before any of these texts: one a line, at most five."),
        )
    options["stop_sequences"] = [line for line in stops.splitlines() if line.strip()] or None
    return {name: value for name, value in options.items() if value is not None}


_LARGEST = 2**31 - 1
# Name, least, most, step, meaning; whole numbers where the bounds are.
_NUMBERS: tuple[tuple[str, float | None, float | None, float, str], ...] = (
    (
        "top_p",
        0.0,
        1.0,
        0.05,
        N_("Only the likeliest next tokens that together reach this probability are considered."),
    ),
    ("top_k", 1, _LARGEST, 1, N_("How many of the likeliest next tokens are considered.")),
    (
        "presence_penalty",
        -2.0,
        2.0,
        0.1,
        N_("Above 0 the model avoids tokens that it has used before, below 0 it prefers them."),
    ),
    (
        "frequency_penalty",
        -2.0,
        2.0,
        0.1,
        N_("Above 0 the model avoids tokens the more, the more often it has used them."),
    ),
    (
        "seed",
        -_LARGEST - 1,
        _LARGEST,
        1,
        N_("With the same number, the same request mostly gets the same answer."),
    ),
)
