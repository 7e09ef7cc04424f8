"""Which providers there are, what makes one configured, and how its adapter is built. Imports no SDK."""

from collections.abc import Callable
from dataclasses import dataclass

from core.config import Settings
from core.providers import demo, gemini
from core.providers.access import is_own_network
from core.providers.gemini import GeminiProvider
from core.providers.openai_compatible import SUGGESTED_MODELS, OpenAICompatibleProvider
from core.providers.types import Capability, Provider, ProviderInfo

OWN_MACHINE = "runs on your own machine"


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider as the settings see it. `setting` is the variable that makes it configured."""

    info: ProviderInfo
    setting: str
    value: str | None
    build: Callable[[], Provider]

    @property
    def configured(self) -> bool:
        """Whether its variable is set; whether rightly, only `build` can tell."""
        return bool(self.value and self.value.strip())


def entries(settings: Settings, demo_provider: Provider | None) -> dict[str, Entry]:
    """All providers by id, the one to prefer first and the demo last."""
    found = (
        _gemini(settings),
        _openai(settings),
        _local(settings),
        Entry(demo.INFO, "", "always", lambda: demo_provider or demo.DemoProvider()),
    )
    return {entry.info.id: entry for entry in found}


def _gemini(settings: Settings) -> Entry:
    key = settings.gemini_api_key.get_secret_value() if settings.gemini_api_key else None
    return Entry(
        gemini.INFO,
        gemini.KEY_SETTING,
        key,
        lambda: GeminiProvider(key or "", settings.gemini_base_url),
    )


def _openai(settings: Settings) -> Entry:
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    info = ProviderInfo("openai", "OpenAI", frozenset(Capability), SUGGESTED_MODELS)
    return Entry(
        info,
        "OPENAI_API_KEY",
        key,
        lambda: OpenAICompatibleProvider(
            info.id, info.label, key or "", settings.openai_base_url, suggested_models=info.suggested_models
        ),
    )


def _local(settings: Settings) -> Entry:
    key = settings.local_api_key.get_secret_value() if settings.local_api_key else None
    url = settings.local_base_url
    free_reason = OWN_MACHINE if url and is_own_network(url) else None
    info = ProviderInfo("local", "Local", frozenset(Capability), free_reason=free_reason)
    return Entry(
        info,
        "LOCAL_BASE_URL",
        url,
        lambda: OpenAICompatibleProvider(info.id, info.label, key, url, free_reason=free_reason),
    )
