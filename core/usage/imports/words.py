"""The words of other tools in ours: providers, models, how a call ended, what it was tagged with."""

import json
from typing import Any, cast

from core.store.text import storable
from core.usage.imports.numbers import NOTHING
from core.usage.types import CallStatus

_PROVIDERS = {
    "google": "gemini",
    "google_ai": "gemini",
    "google_ai_studio": "gemini",
    "google_genai": "gemini",
    "vertex": "gemini",
    "vertex_ai": "gemini",
    "vertex_ai_beta": "gemini",
    "text_completion_openai": "openai",
    "sber": "gigachat",
    "sberbank": "gigachat",
    "сбер": "gigachat",
    "claude": "anthropic",
}
_BY_MODEL = (
    (("gpt-", "chatgpt", "o1", "o3", "o4", "text-embedding-", "whisper", "dall-e", "davinci"), "openai"),
    (("claude",), "anthropic"),
    (("gemini", "gemma"), "gemini"),
    (("gigachat",), "gigachat"),
)
UNKNOWN_PROVIDER = "other"

_STATUSES = {
    CallStatus.COMPLETED: (
        "completed",
        "complete",
        "success",
        "succeeded",
        "ok",
        "200",
        "done",
        "stop",
        "default",
        "debug",
        "warning",
        "info",
        "успех",
        "успешно",
        "завершён",
        "завершен",
        "готово",
    ),
    CallStatus.FAILED: ("failed", "failure", "fail", "error", "errored", "ошибка", "сбой"),
    CallStatus.STOPPED: ("stopped", "cancelled", "canceled", "aborted", "остановлен", "отменён", "отменен"),
    CallStatus.INTERRUPTED: ("interrupted", "прерван"),
}
_STATUS_OF = {word: status.value for status, words in _STATUSES.items() for word in words}
_ORDINARY = frozenset(
    {
        "",
        "false",
        "0",
        "0.0",
        "standard",
        "default",
        "auto",
        "none",
        "null",
        "message",
        "not_available",
        "normal",
    }
)
MOST_TAGS, MOST_CHARS = 64, 200


def provider_of(provider: str, model: str) -> tuple[str, str]:
    """Our names of a provider and its model. Without a provider the model tells it, where it can."""
    model = storable(model).strip().removeprefix("models/")
    name = provider.strip().lower().replace("-", "_").replace(" ", "_")
    if not name or name in NOTHING:
        prefix, slash, rest = model.partition("/")
        bare = model.lower()
        known = next((id_ for starts, id_ in _BY_MODEL if bare.startswith(starts)), None)
        if known is None and slash and rest:
            name, model = prefix.lower().replace("-", "_"), rest
        else:
            name = known or UNKNOWN_PROVIDER
    elif model.lower().startswith(f"{provider.strip().lower()}/"):
        model = model[len(provider.strip()) + 1 :]
    kept = _PROVIDERS.get(name, provider.strip() if provider.strip().lower() not in NOTHING else name)
    ours = _PROVIDERS.get(name, name if name in {"gemini", "openai", "anthropic", "gigachat"} else kept)
    return storable(ours)[:64], model[:200]


def status_of(word: str) -> str | None:
    """A CallStatus; None for a word that nobody knows. No word at all is a call that went well."""
    word = word.strip().lower()
    return CallStatus.COMPLETED.value if word in NOTHING else _STATUS_OF.get(word)


def special_tier(word: str) -> bool:
    """Whether a row says that it was charged otherwise than by the list: as a batch, with priority."""
    word = word.strip().lower()
    # The Console writes a window of usual length as "≤ 200k", the Usage API as "0-200k".
    return word not in _ORDINARY and not word.startswith(("≤", "<", "0-"))


def is_true(word: str) -> bool:
    return word.strip().lower() in {"true", "1", "yes", "hit", "да"}


def labels_of(cell: str) -> list[str]:
    """The labels in a cell, as "name=value": a JSON list or object, or words between commas or semicolons. A word
    without a name is a "tag"."""
    cell = cell.strip()
    found: Any = None
    if cell[:1] in ("[", "{"):
        try:
            found = json.loads(cell)
        except ValueError:
            found = None
    if isinstance(found, dict):
        return [f"{name}={value}" for name, value in found.items()]  # pyright: ignore[reportUnknownVariableType]
    words = cell.strip("{}[]").replace(";", ",").split(",")
    listed = cast(list[Any], found) if isinstance(found, list) else words
    bare = (str(word).strip().strip("\"'") for word in listed)
    return [_label(word) for word in bare if word]


def _label(word: str) -> str:
    for sign in ("=", ":"):
        name, found, value = word.partition(sign)
        if found and name.strip() and value.strip():
            return f"{name.strip()}={value.strip()}"
    return f"tag={word}"


def tags_json(category: str, prompt: str, labels: list[str]) -> str | None:
    """The tags of a call as the ledger keeps them; None for none."""
    pairs = [("category", category), ("prompt", prompt), *(("label", label) for label in labels)]
    kept = dict.fromkeys((kind, storable(value)[:MOST_CHARS]) for kind, value in pairs if value)
    return json.dumps([list(pair) for pair in kept][:MOST_TAGS], ensure_ascii=False) if kept else None
