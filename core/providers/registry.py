"""The providers of this installation: which are configured and for whom, their adapters, their models."""

import asyncio
import threading
import time
from dataclasses import dataclass

from anyio import to_thread

from core.config import Settings
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.adapters import AdapterPool, Identity, key_ref
from core.providers.catalogue import Entry, Login, endpoint_entry, entries
from core.providers.credentials import WORKSPACE, Credential, Endpoint, KeySource, NoKeys, Route
from core.providers.types import ModelInfo, Provider, ProviderInfo

LISTING_SECONDS = 3.0  # a page waits no longer for a list of models
KEPT_SECONDS = 600.0
KEPT_FALLBACK_SECONDS = 60.0  # after a listing failed, so that a server that is down does not slow every page
KEPT_LISTS = 256


@dataclass(frozen=True, slots=True)
class _Listed:
    models: tuple[ModelInfo, ...]
    until: float


@dataclass(frozen=True, slots=True)
class _Way:
    """A provider with the key to use: what an adapter is built from, and what it is told apart by."""

    entry: Entry
    login: Login
    identity: Identity
    key_id: int | None


class ProviderRegistry:
    """Adapters by provider and key, each built at its first use. Its methods may be called from any thread;
    the adapters and `models` belong to the one event loop that generation runs on.

    `user_id` says whose keys count: the user's own key in use, else the environment's; WORKSPACE the latter
    alone. AppError where a provider cannot be used: NOT_FOUND unknown, NO_KEY not configured, WRONG_KEY or
    UNREACHABLE when the key or the address cannot be right.
    """

    def __init__(
        self, settings: Settings, demo: Provider | None = None, keys: KeySource | None = None
    ) -> None:
        """`demo` replaces the demo provider, in tests by a faster one. `keys`: those that users added."""
        *known, self._demo = entries(settings, demo)
        self._known = {entry.info.id: entry for entry in known}
        self._keys = keys or NoKeys()
        self._endpoints: tuple[tuple[Endpoint, ...], dict[str, Entry]] = ((), {})
        self._pool = AdapterPool()
        self._listed: dict[Identity, _Listed] = {}
        self._lock = threading.Lock()

    def use_keys(self, keys: KeySource) -> None:
        """Where keys and endpoints come from that are not in the settings; before the first call."""
        self._keys = keys

    def infos(self, user_id: int = WORKSPACE) -> tuple[ProviderInfo, ...]:
        """The providers configured for a user, the one to prefer first and the demo last."""
        return tuple(entry.info for entry in self._all() if self._is_configured(entry, user_id))

    def all_infos(self) -> tuple[ProviderInfo, ...]:
        """Every provider that AIHub can speak to, configured or not, endpoints included, the demo last."""
        return tuple(entry.info for entry in self._all())

    def info(self, provider_id: str) -> ProviderInfo:
        """A known provider, configured or not; AppError(NOT_FOUND) otherwise."""
        return self._entry(provider_id).info

    def default_id(self, user_id: int = WORKSPACE) -> str:
        """The first provider configured for a user; the demo when there is no other."""
        return self.infos(user_id)[0].id

    def environment_key(self, provider_id: str) -> str | None:
        """The variable that configures a provider, set or not; None for endpoints and the demo."""
        return self._entry(provider_id).setting

    def is_from_environment(self, provider_id: str) -> bool:
        """Whether that variable is set."""
        entry = self._entry(provider_id)
        return entry.setting is not None and entry.configured

    def address(self, provider_id: str) -> str | None:
        """The base URL that calls go to unless a key brings its own; None when there is none yet. It is
        what the setting says, right or wrong."""
        return self._entry(provider_id).base_url

    def sign_in_address(self, provider_id: str) -> str | None:
        """Where a key is sent to when that is not the base URL (GigaChat); None otherwise."""
        return self._entry(provider_id).auth_url

    def get(self, provider_id: str, user_id: int = WORKSPACE) -> Provider:
        """The adapter of `route`."""
        return self.route(provider_id, user_id).provider

    def route(self, provider_id: str, user_id: int = WORKSPACE) -> Route:
        """The adapter with the key to use for a user: their own, else the environment's."""
        way = self._way(self._entry(provider_id), user_id)
        provider = self._pool.get(way.identity, lambda: way.entry.build(way.login))
        return Route(provider, way.identity.key_ref, way.key_id, way.entry.streams(way.login))

    async def route_on_loop(self, provider_id: str, user_id: int = WORKSPACE) -> Route:
        """`route` for an event loop: where that has to ask the database, a thread waits for it, and no answer
        that runs on the loop does."""
        if self.in_memory(provider_id, user_id):
            return self.route(provider_id, user_id)
        return await to_thread.run_sync(self.route, provider_id, user_id, abandon_on_cancel=True)

    def in_memory(self, provider_id: str, user_id: int = WORKSPACE) -> bool:
        """Whether `route`, asked right after, will ask no database."""
        known = provider_id in self._known or provider_id == self._demo.info.id
        return (known or self._keys.endpoints_in_memory()) and self._keys.in_memory(user_id, provider_id)

    def note_use(self, route: Route) -> None:
        """For whoever asks for an answer: its key is used now. To look a route up is no use."""
        if route.key_id is not None:
            self._keys.note_use(route.key_id)

    def trial(self, provider_id: str, credential: Credential) -> Provider:
        """A fresh adapter for a key under test, kept nowhere: the caller closes it."""
        entry = self._entry(provider_id)
        return entry.build(_login(entry, credential))

    async def models(self, provider_id: str, user_id: int = WORKSPACE) -> tuple[ModelInfo, ...]:
        """The models to pick from, suggested ones first; asked of the provider at most every 10 minutes.

        The suggested ones alone when the provider cannot be asked within 3 s.
        """
        await self._pool.close_idle()
        way = await to_thread.run_sync(
            lambda: self._way(self._entry(provider_id), user_id), abandon_on_cancel=True
        )
        provider = self._pool.get(way.identity, lambda: way.entry.build(way.login))
        kept = self._kept(way.identity)
        if kept is not None and time.monotonic() < kept.until:
            return kept.models
        suggested = provider.info.suggested_models
        try:
            async with asyncio.timeout(LISTING_SECONDS):
                models, seconds = _ordered(await provider.models(), suggested), KEPT_SECONDS
        except (AppError, TimeoutError):
            models, seconds = (kept.models if kept else suggested), KEPT_FALLBACK_SECONDS
        self._keep(way.identity, _Listed(models, time.monotonic() + seconds))
        return models

    def cached_models(self, provider_id: str, user_id: int = WORKSPACE) -> tuple[ModelInfo, ...]:
        """What `models` last gave, or the suggested ones; never asks the provider."""
        entry = self._entry(provider_id)
        try:
            kept = self._kept(self._way(entry, user_id).identity)
        except AppError:
            kept = None  # no key, or one that cannot be used
        return kept.models if kept is not None else entry.info.suggested_models

    async def aclose(self) -> None:
        """Close all connections; on the loop that used them."""
        await self._pool.aclose()

    def _kept(self, identity: Identity) -> _Listed | None:
        with self._lock:
            return self._listed.get(identity)

    def _keep(self, identity: Identity, listed: _Listed) -> None:
        with self._lock:
            self._listed.pop(identity, None)
            self._listed[identity] = listed
            if len(self._listed) > KEPT_LISTS:
                del self._listed[next(iter(self._listed))]

    def _way(self, entry: Entry, user_id: int) -> _Way:
        credential = self._keys.credential(user_id, entry.info.id)
        login = _login(entry, credential) if credential is not None else entry.login
        # A key alone does not make a server usable that has no address.
        if login is None or login.base_url is None:
            raise _not_configured(entry)
        options = tuple(sorted(login.options.items()))
        reference = key_ref(entry.info.id, login.api_key)
        # The entry itself is in it: an endpoint that was edited is another adapter.
        identity = Identity(entry.info, reference, login.base_url, login.setting, options, login.public_only)
        return _Way(entry, login, identity, credential.key_id if credential is not None else None)

    def _is_configured(self, entry: Entry, user_id: int) -> bool:
        if entry.configured:
            return True
        try:
            self._way(entry, user_id)
        except AppError as error:
            # A key that cannot be used is one all the same: whoever picks it is told what is wrong.
            if error.kind in (ErrorKind.WRONG_KEY, ErrorKind.UNREACHABLE):
                return True
            if error.kind is ErrorKind.NO_KEY:
                return False
            raise
        return True

    def _all(self) -> tuple[Entry, ...]:
        return (*self._known.values(), *self._endpoint_entries().values(), self._demo)

    def _endpoint_entries(self) -> dict[str, Entry]:
        found = self._keys.endpoints()
        seen, made = self._endpoints
        if found != seen:
            made = {endpoint.provider_id: endpoint_entry(endpoint) for endpoint in found}
            self._endpoints = found, made
        return made

    def _entry(self, provider_id: str) -> Entry:
        entry = self._known.get(provider_id)
        if entry is None and provider_id == self._demo.info.id:
            entry = self._demo
        entry = entry or self._endpoint_entries().get(provider_id)
        if entry is None:
            raise AppError(
                ErrorKind.NOT_FOUND,
                N_("There is no provider “{provider}”. Pick another one."),
                provider=provider_id[:100],
            )
        return entry


def _login(entry: Entry, credential: Credential) -> Login:
    return Login(
        credential.api_key,
        credential.base_url or entry.base_url,
        f"“{credential.label}”",
        credential.options,
        credential.public_only,
    )


def _ordered(listed: tuple[ModelInfo, ...], suggested: tuple[ModelInfo, ...]) -> tuple[ModelInfo, ...]:
    by_id = {model.id: model for model in listed}
    first = [by_id[model.id] for model in suggested if model.id in by_id]
    known = {model.id for model in first}
    return (*first, *(model for model in by_id.values() if model.id not in known))


def _not_configured(entry: Entry) -> AppError:
    if entry.is_server:
        message = N_(
            "{provider} has no address yet. Add a server on the Models page, or set {setting} to that of yours, "
            "for example http://127.0.0.1:11434/v1, in the environment or in .env, then restart AIHub."
        )
    else:
        message = N_(
            "There is no API key for {provider}. Add a key on the Models page, or set {setting} in the environment "
            "or in .env and restart AIHub."
        )
    return AppError(ErrorKind.NO_KEY, message, provider=entry.info.label, setting=entry.setting or "")
