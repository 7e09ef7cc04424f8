"""Gemini's documented request as a form: every field with its meaning and its range."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.errors import AppError
from core.i18n import N_
from core.providers.gemini_fields import HARM_BLOCK_THRESHOLDS, HARM_CATEGORIES, FieldHelp, field
from core.providers.gemini_request import check_gemini_options
from ui.components.models_number import optional_number
from ui.door import Viewer
from ui.plain import escape, plain_text

_CONFIG = "generationConfig"
# Temperature, the longest answer and the system instruction stand above: every provider has them.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        N_("Sampling"),
        ("topP", "topK", "presencePenalty", "frequencyPenalty", "seed", "candidateCount", "stopSequences"),
    ),
    (
        N_("Form of the answer"),
        ("responseMimeType", "responseSchema", "responseLogprobs", "logprobs"),
    ),
)


def gemini_options(viewer: Viewer, saved: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """The options as they stand in the form, in the documented form; None while a field cannot be right."""
    _ = viewer.tr.text
    broken = False
    config: dict[str, Any] = {}
    stored = saved.get(_CONFIG) or {}
    for title, names in GROUPS:
        with st.expander(_(title), expanded=any(name in stored for name in names)):
            columns = st.columns(2)
            for position, name in enumerate(names):
                with columns[position % 2]:
                    value, fine = _field(
                        viewer, field(f"{_CONFIG}.{name}"), stored.get(name), f"{key}-{name}"
                    )
                broken = broken or not fine
                if value is not None:
                    config[name] = value
    options: dict[str, Any] = {_CONFIG: config} if config else {}
    options |= _safety(viewer, saved, key)
    functions, fine = _functions(viewer, saved, key)
    rest, rest_fine = _rest(viewer, saved, key)
    options |= {**functions, **rest}
    if broken or not fine or not rest_fine:
        return None
    return options if _accepted(viewer, options) else None


def _accepted(viewer: Viewer, options: Mapping[str, Any]) -> bool:
    try:
        check_gemini_options(options)
    except AppError as error:
        st.error(plain_text(error.text(viewer.tr.language)))
        return False
    return True


def _field(viewer: Viewer, about: FieldHelp, value: Any, key: str) -> tuple[Any, bool]:
    """One field of generationConfig: its value (None when empty), and whether that can be right."""
    _ = viewer.tr.text
    name = about.path.rpartition(".")[2]
    help_text = _with_range(viewer, about)
    if about.type in ("number", "integer"):
        return _number(viewer, about, value, key, help_text), True
    if about.type == "enum":
        options = ["", *about.choices]
        start = options.index(value) if value in options else 0
        chosen = st.selectbox(
            name, options, index=start, key=key, help=help_text, format_func=_or_own(viewer)
        )
        return chosen or None, True
    if about.type == "boolean":
        options = ["", "true", "false"]
        start = options.index(str(value).lower()) if value is not None else 0
        chosen = st.selectbox(
            name, options, index=start, key=key, help=help_text, format_func=_or_own(viewer)
        )
        return (chosen == "true") if chosen else None, True
    if about.type == "array":
        text = st.text_area(name, "\n".join(value or ()), key=key, height=80, help=help_text)
        return [line for line in text.splitlines() if line.strip()] or None, True
    return _json(viewer, name, value, key, help_text)


def _or_own(viewer: Viewer) -> Any:
    _ = viewer.tr.text
    own = _("the model’s own")
    return lambda name: name or own


def _number(viewer: Viewer, about: FieldHelp, value: Any, key: str, help_text: str) -> float | int | None:
    _ = viewer.tr.text
    kind = int if about.type == "integer" else float
    low = None if about.minimum is None else kind(about.minimum)
    high = None if about.maximum is None else kind(about.maximum)
    return optional_number(
        about.path.rpartition(".")[2],
        value,
        key=key,
        min_value=low,
        max_value=high,
        step=1 if kind is int else 0.05,
        help=help_text,
        placeholder=_("the model’s own"),
    )


def _with_range(viewer: Viewer, about: FieldHelp) -> str:
    _ = viewer.tr.text
    text = _(about.help)
    if about.type in ("number", "integer") and about.minimum is not None and about.maximum is not None:
        text += " " + _("From {low} to {high}.", low=f"{about.minimum:g}", high=f"{about.maximum:g}")
    return escape(text)


def _json(viewer: Viewer, name: str, value: Any, key: str, help_text: str) -> tuple[Any, bool]:
    _ = viewer.tr.text
    shown = json.dumps(value, ensure_ascii=False, indent=2) if value else ""
    text = st.text_area(name, shown, key=key, height=120, help=help_text, placeholder="{}")
    if not text.strip():
        return None, True
    try:
        return json.loads(text), True
    except json.JSONDecodeError as error:
        wrong = _("Not JSON: line {line}, column {column}.", line=error.lineno, column=error.colno)
    except (ValueError, RecursionError):
        wrong = _("Not JSON that can be sent: a number is too long, or it is nested too deeply.")
    st.markdown(f":small[:red[{escape(wrong)}]]")
    return None, False


def _safety(viewer: Viewer, saved: Mapping[str, Any], key: str) -> dict[str, Any]:
    _ = viewer.tr.text
    stored = {entry["category"]: entry["threshold"] for entry in saved.get("safetySettings") or ()}
    settings: list[dict[str, str]] = []
    with st.expander(_("Safety"), expanded=bool(stored)):
        st.caption(_(field("safetySettings").help))
        columns = st.columns(2)
        for position, category in enumerate(HARM_CATEGORIES):
            options = ["", *HARM_BLOCK_THRESHOLDS]
            start = options.index(stored[category]) if stored.get(category) in options else 0
            chosen = columns[position % 2].selectbox(
                category.removeprefix("HARM_CATEGORY_"),
                options,
                index=start,
                key=f"{key}-{category}",
                format_func=_or_own(viewer),
            )
            if chosen:
                settings.append({"category": category, "threshold": chosen})
    return {"safetySettings": settings} if settings else {}


def _functions(viewer: Viewer, saved: Mapping[str, Any], key: str) -> tuple[dict[str, Any], bool]:
    _ = viewer.tr.text
    stored = [
        declaration
        for tool in saved.get("tools") or ()
        for declaration in tool.get("functionDeclarations") or ()
    ]
    with st.expander(_("Functions"), expanded=bool(stored)):
        st.caption(_("A list of declarations: name, description, and the JSON schema of the parameters."))
        declared, fine = _json(
            viewer,
            "functionDeclarations",
            stored or None,
            f"{key}-functions",
            escape(_(field("tools[].functionDeclarations").help)),
        )
    return ({"tools": [{"functionDeclarations": declared}]} if declared else {}), fine


def _rest(viewer: Viewer, saved: Mapping[str, Any], key: str) -> tuple[dict[str, Any], bool]:
    _ = viewer.tr.text
    found: dict[str, Any] = {}
    with st.expander(
        _("Labels and cached content"), expanded=bool(saved.get("labels") or saved.get("cachedContent"))
    ):
        cached = st.text_input(
            "cachedContent",
            value=saved.get("cachedContent") or "",
            key=f"{key}-cached",
            placeholder="cachedContents/…",
            help=escape(_(field("cachedContent").help)),
        )
        labels, fine = _json(
            viewer, "labels", saved.get("labels"), f"{key}-labels", escape(_(field("labels").help))
        )
    if cached.strip():
        found["cachedContent"] = cached.strip()
    if labels:
        found["labels"] = labels
    return found, fine
