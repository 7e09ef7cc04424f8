"""What GigaChat is and can do, where it is, and which of its models chat."""

import re
from dataclasses import replace

from core.providers.types import TEXT_CHAT, Capability, ModelInfo, ProviderInfo

BASE_URL = "https://api.giga.chat/v1"
AUTH_URL = "https://ngw.devices.sberbank.ru:9443/api/v2/oauth"
KEY_SETTING = "GIGACHAT_API_KEY"
URL_SETTING = "GIGACHAT_BASE_URL"
AUTH_URL_SETTING = "GIGACHAT_AUTH_URL"

INFO = ProviderInfo(
    id="gigachat",
    label="GigaChat",
    capabilities=TEXT_CHAT
    | {
        Capability.IMAGES,
        Capability.TOOLS,
        Capability.STRUCTURED_OUTPUT,
        Capability.COUNT_TOKENS,
        Capability.BALANCE,
        Capability.EMBEDDINGS,
    },
    suggested_models=tuple(
        ModelInfo(name)
        for name in ("GigaChat-2", "GigaChat-2-Pro", "GigaChat-2-Max", "GigaChat", "GigaChat-Pro")
    ),
    embedding_models=(ModelInfo("Embeddings"), ModelInfo("EmbeddingsGigaR")),
)
# What GigaChat lists beside the models that chat.
_NOT_CHAT = re.compile("embed|gigacheck", re.IGNORECASE)


def is_chat(model: str) -> bool:
    """Whether a model, or a package of tokens, is for chatting."""
    return not _NOT_CHAT.search(model)


def described(default_model: str | None) -> ProviderInfo:
    """INFO with `default_model` as the first of the suggested models."""
    name = (default_model or "").strip()
    if not name:
        return INFO
    others = (model for model in INFO.suggested_models if model.id != name)
    return replace(INFO, suggested_models=(ModelInfo(name), *others))
