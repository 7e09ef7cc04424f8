"""Which model the next message goes to."""

import streamlit as st

from core.chat.choices import ModelChoice
from core.chat.types import Thread
from ui.door import Viewer
from ui.session import Slot, recall, remember, widget


def model_picker(viewer: Viewer, thread: Thread | None) -> ModelChoice:
    """A list of the configured providers' models; any other name can be typed in.

    Starts from the model the thread last used, else from the one last picked in this tab.
    """
    _ = viewer.tr.text
    choices = viewer.services.choices
    labels = {info.id: info.label for info in choices.providers(viewer.account.id)}
    start = _start(viewer, thread, labels)
    options = [_key(choice) for choice in choices.all(viewer.account.id)]
    if _key(start) not in options:
        options.insert(0, _key(start))
    picked = st.selectbox(
        _("Model"),
        options,
        index=options.index(_key(start)),
        # A key per thread: the widget starts from the thread's own model.
        key=_widget_key(thread.uuid if thread else None),
        format_func=lambda key: _label(viewer, key, labels, start),
        label_visibility="collapsed",
        width=320,
        accept_new_options=True,
        placeholder=_("Pick a model, or type its name"),
    )
    choice = _choice(viewer, picked or _key(start), start)
    remember(Slot.MODEL, choice)
    return choice


def present_choice(viewer: Viewer, thread_uuid: str | None, drawn: ModelChoice) -> ModelChoice:
    """For a callback: what is picked right now. A message can be sent before the page was drawn with a new pick,
    and would otherwise go to the model that was `drawn`."""
    picked = widget(_widget_key(thread_uuid))
    return _choice(viewer, str(picked), drawn) if picked else drawn


def _widget_key(thread_uuid: str | None) -> str:
    return f"chat-model-{thread_uuid or 'new'}"


def _start(viewer: Viewer, thread: Thread | None, labels: dict[str, str]) -> ModelChoice:
    if thread is not None and thread.provider in labels:
        return ModelChoice(thread.provider, thread.model)
    remembered = recall(Slot.MODEL)
    if isinstance(remembered, ModelChoice) and remembered.provider in labels:
        return remembered
    return viewer.services.choices.default(viewer.account.id)


def _key(choice: ModelChoice) -> str:
    return f"{choice.provider}/{choice.model}"


def _choice(viewer: Viewer, key: str, start: ModelChoice) -> ModelChoice:
    """A listed key, or a typed name: of the provider it starts with, else of the present one.

    A provider without a key may be named too: sending then says which setting it wants.
    """
    provider, slash, model = key.partition("/")
    if slash and viewer.services.choices.knows(provider):
        return ModelChoice(provider, model)
    return ModelChoice(start.provider, key)


def _label(viewer: Viewer, key: str, labels: dict[str, str], start: ModelChoice) -> str:
    _ = viewer.tr.text
    choice = _choice(viewer, key, start)
    model = choice.model or _("type a model’s name")
    return f"{labels.get(choice.provider, choice.provider)} · {model}"
