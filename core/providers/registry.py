"""The providers of this installation: which are configured, their adapters, their models."""

import asyncio
import threading
import time
from dataclasses import dataclass

from core.config import Settings
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.catalogue import Entry, entries
from core.providers.types import ModelInfo, Provider, ProviderInfo

LISTING_SECONDS = 3.0  # a page waits no longer for a list of models
KEPT_SECONDS = 600.0
KEPT_FALLBACK_SECONDS = 60.0  # after a listing failed, so that a server that is down does not slow every page


@dataclass(frozen=True, slots=True)
class _Listed:
    models: tuple[ModelInfo, ...]
    until: float


class ProviderRegistry:
    """Adapters by provider id, each built at its first use. Its methods may be called from any thread;
    the adapters and `models` belong to the one event loop that generation runs on."""

    def __init__(self, settings: Settings, demo: Provider | None = None) -> None:
        """`demo` replaces the demo provider, in tests by a faster one."""
        self._entries = entries(settings, demo)
        self._built: dict[str, Provider] = {}
        self._listed: dict[str, _Listed] = {}
        self._lock = threading.RLock()

    def infos(self) -> tuple[ProviderInfo, ...]:
        """The configured providers, the one to prefer first and the demo last."""
        return tuple(entry.info for entry in self._entries.values() if entry.configured)

    def info(self, provider_id: str) -> ProviderInfo:
        """A known provider, configured or not; AppError(NOT_FOUND) otherwise."""
        return self._entry(provider_id).info

    def default_id(self) -> str:
        """The first configured provider; the demo when there is no other."""
        return self.infos()[0].id

    def get(self, provider_id: str) -> Provider:
        """The adapter. AppError: NOT_FOUND unknown, NO_KEY not configured, WRONG_KEY or UNREACHABLE when
        the key or the address cannot be right."""
        entry = self._entry(provider_id)
        if not entry.configured:
            raise _not_configured(entry)
        with self._lock:
            if provider_id not in self._built:
                self._built[provider_id] = entry.build()
            return self._built[provider_id]

    async def models(self, provider_id: str) -> tuple[ModelInfo, ...]:
        """The models to pick from, suggested ones first; asked of the provider at most every 10 minutes.

        The suggested ones alone when the provider cannot be asked within 3 s. AppError as in `get`.
        """
        provider = self.get(provider_id)
        with self._lock:
            kept = self._listed.get(provider_id)
        if kept is not None and time.monotonic() < kept.until:
            return kept.models
        suggested = provider.info.suggested_models
        try:
            async with asyncio.timeout(LISTING_SECONDS):
                models, seconds = _ordered(await provider.models(), suggested), KEPT_SECONDS
        except (AppError, TimeoutError):
            models, seconds = (kept.models if kept else suggested), KEPT_FALLBACK_SECONDS
        with self._lock:
            self._listed[provider_id] = _Listed(models, time.monotonic() + seconds)
        return models

    def cached_models(self, provider_id: str) -> tuple[ModelInfo, ...]:
        """What `models` last gave, or the suggested ones; never asks the provider."""
        entry = self._entry(provider_id)
        with self._lock:
            kept = self._listed.get(provider_id)
        return kept.models if kept is not None else entry.info.suggested_models

    async def aclose(self) -> None:
        """Close all connections; on the loop that used them."""
        with self._lock:
            built, self._built = list(self._built.values()), {}
        for provider in built:
            await provider.aclose()

    def _entry(self, provider_id: str) -> Entry:
        entry = self._entries.get(provider_id)
        if entry is None:
            raise AppError(
                ErrorKind.NOT_FOUND,
                N_("There is no provider “{provider}”. Pick another one."),
                provider=provider_id[:100],
            )
        return entry


def _ordered(listed: tuple[ModelInfo, ...], suggested: tuple[ModelInfo, ...]) -> tuple[ModelInfo, ...]:
    by_id = {model.id: model for model in listed}
    first = [by_id[model.id] for model in suggested if model.id in by_id]
    known = {model.id for model in first}
    return (*first, *(model for model in by_id.values() if model.id not in known))


def _not_configured(entry: Entry) -> AppError:
    if entry.setting.endswith("_URL"):
        message = N_(
            "{provider} has no address yet. Set {setting} to that of your server, for example "
            "http://127.0.0.1:11434/v1, in the environment or in .env, then restart AIHub."
        )
    else:
        message = N_(
            "There is no API key for {provider}. Set {setting} in the environment or in .env, then restart AIHub."
        )
    return AppError(ErrorKind.NO_KEY, message, provider=entry.info.label, setting=entry.setting)
