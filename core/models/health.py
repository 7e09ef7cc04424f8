"""Whether keys and addresses work, as the provider says, and what was last known of each."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio

from core.accounts.checks import CLIENT_ID, clean_options, clean_secret, own_address
from core.accounts.keys import KeyService
from core.accounts.types import KeyInfo
from core.errors import AppError, ErrorKind
from core.generation.breaker import CLOSED, Breakers
from core.generation.engine import GenerationEngine
from core.i18n import N_
from core.models.types import Health
from core.providers.adapters import key_ref
from core.providers.catalogue import LOCAL
from core.providers.credentials import Credential
from core.providers.registry import ProviderRegistry
from core.providers.types import ConnectionReport, Provider
from core.rights import Actor

_logger = logging.getLogger(__name__)

CHECK_SECONDS = 15.0
_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class _Tested:
    report: ConnectionReport | None
    error: AppError | None
    latency_ms: int | None
    at: datetime


class HealthService:
    """Tests connections, blocking the caller for at most 15 s. A connection that fails raises nothing: its
    Health says what is wrong. Scoped by `user_id`, as keys are."""

    def __init__(
        self,
        registry: ProviderRegistry,
        keys: KeyService,
        engine: GenerationEngine,
        breakers: Breakers,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._registry = registry
        self._keys = keys
        self._engine = engine
        self._breakers = breakers
        self._check_seconds = check_seconds
        self._last: dict[tuple[str, str], _Tested] = {}
        self._lock = threading.Lock()

    def test_key(self, user_id: int, key_id: int) -> Health:
        """Test a stored key, active or not, and keep how it went. AppError(NOT_FOUND)."""
        key = next((each for each in self._keys.list(user_id) if each.id == key_id), None)
        try:
            provider, credential = self._keys.credential_of(user_id, key_id)
        except AppError as error:
            if key is None or error.kind is ErrorKind.NOT_FOUND:
                raise
            self._note(user_id, key_id, error)
            return _untested(key.provider, key_id, error)
        tested = self._trial(provider, credential)
        self._note(user_id, key_id, tested.error)
        return self._keep(provider, key_id, key_ref(provider, credential.api_key), tested)

    def test_new(
        self,
        actor: Actor,
        provider: str,
        key: str,
        base_url: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Health:
        """Test a key before it is stored; nothing is kept of it. AppError(NOT_FOUND) for an unknown provider.

        `base_url` and `options`: as in KeyService.add. A server that wants no key takes an empty one.
        """
        label = self._registry.info(provider).label
        try:
            credential = self._drafted(actor, provider, label, key, base_url, options)
        except AppError as error:
            return _untested(provider, None, error)
        tested = self._trial(provider, credential)
        return _health(provider, None, tested, self._breakers, key_ref(provider, credential.api_key))

    def health_check(self, user_id: int, provider: str) -> Health:
        """Test the connection that the user's calls to a provider go through, and keep how it went.

        AppError(NOT_FOUND) for an unknown provider; without a key its Health says so.
        """
        self._registry.info(provider)
        try:
            route = self._registry.route(provider, user_id)
        except AppError as error:
            return _untested(provider, None, error)
        tested = self._test(route.provider)
        if route.key_id is not None:
            self._note(user_id, route.key_id, tested.error)
        return self._keep(provider, route.key_id, route.key_ref, tested)

    def overview(self, user_id: int) -> tuple[Health, ...]:
        """The providers configured for the user as far as is known; tests none, never waits for a network."""
        keys = {key.id: key for key in self._keys.list(user_id)}
        return tuple(self._known(user_id, info.id, keys) for info in self._registry.infos(user_id))

    def _known(self, user_id: int, provider: str, keys: Mapping[int, KeyInfo]) -> Health:
        try:
            route = self._registry.route(provider, user_id)
        except AppError as error:
            return _untested(provider, None, error)
        tested = self._last.get((provider, route.key_ref))
        key = keys.get(route.key_id) if route.key_id is not None else None
        stored = key.checked_at if key is not None else None
        # Another process may have tested the key since.
        if key is not None and stored is not None and (tested is None or stored > tested.at):
            report = tested.report if tested is not None and key.check_error is None else None
            tested = _Tested(report, key.check_error, tested.latency_ms if tested else None, stored)
        return _health(provider, route.key_id, tested, self._breakers, route.key_ref)

    def _keep(self, provider: str, key_id: int | None, reference: str, tested: _Tested) -> Health:
        # After the key's own note of it was written: what is stored later comes from another process.
        tested = replace(tested, at=datetime.now(UTC))
        with self._lock:
            if len(self._last) >= _KEPT:
                self._last.clear()
            self._last[provider, reference] = tested
        return _health(provider, key_id, tested, self._breakers, reference)

    def _drafted(
        self,
        actor: Actor,
        provider: str,
        label: str,
        key: str,
        base_url: str | None,
        options: Mapping[str, str] | None,
    ) -> Credential:
        further = clean_options(provider, options)
        client_id = further.pop(CLIENT_ID, None)
        address = own_address(actor, base_url)
        # The servers of one's own: many of them want no key.
        is_server = provider == LOCAL or self._registry.environment_key(provider) is None
        secret = "" if is_server and not key.strip() else clean_secret(provider, label, key, client_id)
        public_only = address is not None and not actor.is_admin
        return Credential(0, label, secret, address, further, public_only)

    def _trial(self, provider: str, credential: Credential) -> _Tested:
        """With an adapter of its own, which is closed afterwards."""
        try:
            adapter = self._registry.trial(provider, credential)
        except AppError as error:
            return _Tested(None, error, None, datetime.now(UTC))
        try:
            return self._test(adapter)
        finally:
            self._engine.portal.call(adapter.aclose)

    def _test(self, adapter: Provider) -> _Tested:
        return self._engine.portal.call(self._check, adapter)

    async def _check(self, adapter: Provider) -> _Tested:
        at, began = datetime.now(UTC), time.monotonic()
        report: ConnectionReport | None = None
        error: AppError | None = None
        try:
            with anyio.fail_after(self._check_seconds):
                report = await adapter.check()
        except AppError as failure:
            error = failure
        except TimeoutError:
            error = AppError(
                ErrorKind.TIMEOUT,
                N_("{provider} did not answer within {seconds} s. Check the address, or try again later."),
                provider=adapter.info.label,
                seconds=int(self._check_seconds),
            )
        return _Tested(report, error, round((time.monotonic() - began) * 1000), at)

    def _note(self, user_id: int, key_id: int, error: AppError | None) -> None:
        try:
            self._keys.note_check(user_id, key_id, error)
        except AppError as failure:
            # The result is shown all the same; the key may be gone, or the database full.
            _logger.warning("the test of a key was not kept: %s", failure)


def _untested(provider: str, key_id: int | None, error: AppError) -> Health:
    """A connection that cannot even be tried."""
    return Health(provider, key_id, False, error, None, None, datetime.now(UTC), CLOSED)


def _health(
    provider: str, key_id: int | None, tested: _Tested | None, breakers: Breakers, reference: str
) -> Health:
    state = breakers.state(provider, reference)
    health = Health(provider, key_id, None, None, None, None, None, state)
    if tested is None:
        return health
    return replace(
        health,
        ok=tested.error is None,
        error=tested.error,
        report=tested.report,
        latency_ms=tested.latency_ms,
        checked_at=tested.at,
    )
