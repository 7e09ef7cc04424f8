"""How a model is asked: a user's settings for it beside the exact JSON they make, and Gemini's whole request."""

import json
from dataclasses import replace

import streamlit as st

from core.errors import AppError
from core.models.types import PreferenceInfo
from core.providers.types import ChatMessage, CompletionRequest, ProviderInfo, Role
from ui import format as fmt
from ui.components.models_gemini_json import paste_part
from ui.components.models_links import MODEL, PROVIDER, name_in_address
from ui.components.models_preference_form import preference_form
from ui.components.notices import attempt, offer_undo
from ui.door import Viewer
from ui.plain import escape, plain_text
from ui.session import widget

GEMINI, DEMO = "gemini", "demo"


def draw(viewer: Viewer) -> None:
    """The whole part."""
    _ = viewer.tr.text
    st.title(_("How a model is asked"), anchor=False)
    st.caption(
        _("What you set here goes into every message you send to the model; what is empty is left to it.")
    )
    infos = {info.id: info for info in viewer.services.registry.infos(viewer.account.id)}
    provider, model = _choose(viewer, infos)
    if not model:
        st.info(_("Pick a model, or type its name."))
        return
    info = infos[provider]
    saved = viewer.services.models.preference(viewer.account.id, provider, model)
    left, right = st.columns([3, 2], gap="large")
    with left:
        draft = preference_form(viewer, info, saved or PreferenceInfo(provider, model))
        _buttons(viewer, saved, draft)
    with right, st.container(key="request-side"):
        _preview(viewer, info, draft)
    if provider == GEMINI:
        paste_part(viewer, model)


def _choose(viewer: Viewer, infos: dict[str, ProviderInfo]) -> tuple[str, str]:
    _ = viewer.tr.text
    services, user = viewer.services, viewer.account.id
    known = list(infos)
    named = st.query_params.get(PROVIDER, "")
    with st.container(key="request-choice", horizontal=True, vertical_alignment="bottom"):
        provider = st.selectbox(
            _("Provider"),
            known,
            index=known.index(named) if named in infos else 0,
            format_func=lambda name: infos[name].label,
            key="request-provider",
            on_change=_provider_chosen,
            width=220,
        )
        models = [model.id for model in services.registry.cached_models(provider, user)]
        wanted = st.query_params.get(MODEL, "") if provider == named else ""
        start = wanted or services.models.default_model(user, provider) or (models[0] if models else "")
        if start and start not in models:
            models.insert(0, start)
        model = st.selectbox(
            _("Model"),
            models,
            index=models.index(start) if start else None,
            key=f"request-model-{provider}",
            accept_new_options=True,
            placeholder=_("Pick a model, or type its name"),
            on_change=_model_chosen,
            args=(provider,),
            width=320,
        )
    return provider, str(model or "").strip()


def _provider_chosen() -> None:
    name_in_address(str(widget("request-provider") or ""))


def _model_chosen(provider: str) -> None:
    name_in_address(provider, str(widget(f"request-model-{provider}") or "").strip())


def _buttons(viewer: Viewer, saved: PreferenceInfo | None, draft: PreferenceInfo | None) -> None:
    _ = viewer.tr.text
    with st.container(horizontal=True, key="request-buttons"):
        # Not a callback: that would save what stood in the form before the last change.
        if (
            st.button(_("Save"), type="primary", key="request-save", disabled=draft is None)
            and draft is not None
        ):
            _save(viewer, draft)
            st.rerun()
        if saved is not None:
            st.button(
                _("Back to the model’s own settings"),
                key="request-reset",
                on_click=_reset,
                args=(viewer, saved),
            )


def _save(viewer: Viewer, draft: PreferenceInfo) -> None:
    _ = viewer.tr.text
    models, user = viewer.services.models, viewer.account.id
    attempt(
        viewer,
        lambda: models.save(user, draft),
        _("Saved. The next message to {model} uses it.", model=draft.model),
    )


def _reset(viewer: Viewer, saved: PreferenceInfo) -> None:
    _ = viewer.tr.text
    models, user = viewer.services.models, viewer.account.id
    kept = replace(saved, id=None)
    if attempt(viewer, lambda: models.delete(user, saved.provider, saved.model)):
        offer_undo(_("Removed the settings of {model}", model=saved.model), lambda: models.save(user, kept))


def _preview(viewer: Viewer, info: ProviderInfo, draft: PreferenceInfo | None) -> None:
    _ = viewer.tr.text
    st.markdown("**" + _("The exact request") + "**")
    if draft is None:
        st.caption(_("Shown when the settings on the left are complete."))
        return
    request = CompletionRequest(draft.model, (ChatMessage(Role.USER, _("Your message stands here.")),))
    try:
        prepared = viewer.services.models.preview_with(viewer.account.id, draft, request)
    except AppError as error:
        st.caption(plain_text(error.text(viewer.tr.language)))
        return
    st.code(f"{prepared.method} {prepared.url}", language=None, wrap_lines=True)
    with st.container(key="request-preview"):
        st.code(json.dumps(prepared.body, ensure_ascii=False, indent=2), language="json", wrap_lines=True)
    if info.id != DEMO:
        st.caption(_("As {provider}’s SDK would send it. Nothing was sent.", provider=escape(info.label)))
    if st.button(_("Count its tokens"), key="request-count"):
        _count(viewer, draft, request)


def _count(viewer: Viewer, draft: PreferenceInfo, request: CompletionRequest) -> None:
    _, language = viewer.tr.text, viewer.tr.language
    try:
        count = viewer.services.models.count_tokens_with(viewer.account.id, draft, request)
    except AppError as error:
        st.caption(plain_text(error.text(language)))
        return
    number = fmt.exact(count.tokens, language)
    if count.estimated:
        st.caption(_("About {number} input tokens, estimated: the provider offers no count.", number=number))
    else:
        st.caption(_("{number} input tokens by the provider’s own count.", number=number))
