"""Provider keys that users add: sealed at rest, bound to one host, shown masked, scoped by their owner."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import queries
from core.accounts.checks import (
    CLIENT_ID,
    clean_label,
    clean_options,
    clean_secret,
    host_of,
    own_address,
)
from core.accounts.endpoints import EndpointService
from core.accounts.key_binding import KeyBinding, StoredKey
from core.accounts.key_uses import KeyUses
from core.accounts.masking import mask
from core.accounts.recent import Recent
from core.accounts.tables import ProviderKey
from core.accounts.types import KeyInfo
from core.accounts.vault import Vault
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.credentials import WORKSPACE, Credential, Endpoint
from core.providers.registry import ProviderRegistry
from core.rights import Actor
from core.store.unit_of_work import UnitOfWork

UNDO_SECONDS = 30.0
MOST_KEYS = 100  # of one user
REFRESH_SECONDS = 2.0  # until a key that another process changed is used here
DEMO = "demo"


def utc_now() -> datetime:
    return datetime.now(UTC)


class KeyService:
    """The keys of every user, and what the registry asks of them (it is a `KeySource`).

    Another user's key is NOT_FOUND exactly as one that does not exist. No key is in anything that it gives
    back but a Credential, whose repr hides it.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        vault: Vault,
        registry: ProviderRegistry,
        endpoints: EndpointService,
        *,
        now: Callable[[], datetime] = utc_now,
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        self._unit = unit
        self._vault = vault
        self._registry = registry
        self._endpoints = endpoints
        self._now = now
        self._binding = KeyBinding(vault, registry)
        self._in_use = Recent(self._read_in_use, refresh_seconds)
        self._uses = KeyUses()
        endpoints.on_change(self._in_use.forget)

    def list(self, user_id: int) -> tuple[KeyInfo, ...]:
        """A user's keys, the oldest first."""
        self._write_uses()
        with self._unit.read() as session:
            rows = queries.keys_of(session, user_id)
            used = queries.newest_active(rows)
            return tuple(self._info(row, used.get(row.provider) is row) for row in rows)

    def get(self, user_id: int, key_id: int) -> KeyInfo:
        """One of them; AppError(NOT_FOUND)."""
        self._write_uses()
        with self._unit.read() as session:
            row = queries.key_of(session, user_id, key_id)
            return self._info(row, self._is_in_use(session, row))

    def add(
        self,
        actor: Actor,
        provider: str,
        label: str,
        key: str,
        base_url: str | None = None,
        options: Mapping[str, str] | None = None,
        *,
        active: bool = True,
    ) -> KeyInfo:
        """Store a key, which is then the one in use if `active`. It is sent to the host of `base_url`, without one
        to that of the provider's address as it is now. `options`: GigaChat's scope, and client_id beside a secret.

        AppError(FORBIDDEN) for a `base_url` that is not public, unless an administrator names it.
        """
        info = self._registry.info(provider)
        if provider == DEMO:
            raise AppError(ErrorKind.VALIDATION, N_("The demo needs no key. Pick another provider."))
        label = clean_label(label if label.strip() else info.label)
        further = clean_options(provider, options)
        secret = clean_secret(provider, label, key, further.pop(CLIENT_ID, None))
        address = own_address(actor, base_url)
        now = self._now()
        with self._vault.steady(), self._unit.write() as session:
            queries.purge(session, now, UNDO_SECONDS)
            queries.refuse_more(session, actor.id, MOST_KEYS)
            row = ProviderKey(
                user_id=actor.id,
                provider=provider,
                label=label,
                masked=mask(secret),
                host=host_of(address) if address else self._binding.host_now(provider),
                base_url=address,
                options=further or None,
                is_active=active,
                created_at=now,
                updated_at=now,
            )
            row.secret = self._sealed(secret, row)
            session.add(row)
            session.flush()
            info = self._info(row, in_use=active)
        self._in_use.forget()
        return info

    def change(
        self,
        user_id: int,
        key_id: int,
        *,
        label: str | None = None,
        key: str | None = None,
        active: bool | None = None,
    ) -> KeyInfo:
        """Change what is not None, all or nothing: see `rename`, `replace` and `set_active`."""
        label = None if label is None else clean_label(label)

        def change(row: ProviderKey) -> None:
            if label is not None:
                row.label = label
            if active is not None:
                row.is_active = active
            if key is not None and key.strip() != row.masked:
                self._put_secret(row, key)

        with nullcontext() if key is None else self._vault.steady():
            return self._change(user_id, key_id, change)

    def rename(self, user_id: int, key_id: int, label: str) -> KeyInfo:
        """Give a key another name, 1 to 100 characters."""
        return self.change(user_id, key_id, label=label)

    def replace(self, user_id: int, key_id: int, key: str) -> KeyInfo:
        """Put a new key in the place of one, for the same host; the masked one leaves the stored as it is."""
        return self.change(user_id, key_id, key=key)

    def set_active(self, user_id: int, key_id: int, active: bool) -> KeyInfo:
        """An inactive key is kept and not used; of several active ones the newest is."""
        return self.change(user_id, key_id, active=active)

    def delete(self, user_id: int, key_id: int) -> None:
        """Stop using and showing a key; it can be brought back for 30 s."""

        def change(row: ProviderKey) -> None:
            row.deleted_at = self._now()

        self._change(user_id, key_id, change)

    def restore(self, user_id: int, key_id: int) -> KeyInfo:
        """Undo `delete`. AppError(NOT_FOUND) when it is too late."""

        def change(row: ProviderKey) -> None:
            row.deleted_at = None

        return self._change(user_id, key_id, change, deleted=True)

    def note_check(self, user_id: int, key_id: int, error: AppError | None) -> None:
        """Keep how the test of a key went; None is well."""
        with self._unit.write() as session:
            row = queries.key_of(session, user_id, key_id)
            row.checked_at = self._now()
            row.check_error_kind = error.kind.value if error else None
            row.check_message = error.message if error else None
            row.check_params = dict(error.params) if error else None
            self._uses.write(session, self._now())

    def credential(self, user_id: int, provider_id: str) -> Credential | None:
        """See KeySource.credential; from memory but for one query every 2 s."""
        if user_id == WORKSPACE:
            return None
        stored = self._in_use.get(user_id).get(provider_id)
        if stored is None:
            return None
        try:
            credential = self._binding.open(stored)
        except AppError:
            # Another process may have replaced it, or sealed it anew, since it was read.
            now = self._read_in_use(user_id).get(provider_id)
            if now is None or now == stored:
                raise
            self._in_use.forget()
            stored, credential = now, self._binding.open(now)
        return credential

    def in_memory(self, user_id: int, provider_id: str) -> bool:
        """See KeySource.in_memory."""
        if user_id == WORKSPACE:
            return True
        if not self._in_use.has(user_id):
            return False
        stored = self._in_use.get(user_id).get(provider_id)
        # A key that does not open is looked up again: another process may have sealed it anew.
        return stored is None or self._binding.is_open(stored)

    def endpoints_in_memory(self) -> bool:
        """See KeySource.endpoints_in_memory."""
        return self._endpoints.in_memory

    def note_use(self, key_id: int) -> None:
        """See KeySource: kept in memory, written down later."""
        self._uses.note(key_id, self._now())

    def credential_of(self, user_id: int, key_id: int) -> tuple[str, Credential]:
        """The provider of a key and the key, also of an inactive one. AppError as in `credential`."""
        with self._unit.read() as session:
            row = queries.key_of(session, user_id, key_id)
            stored = StoredKey.of(row, queries.owner_is_admin(session, user_id))
        credential = self._binding.open(stored)
        if credential is None:
            # Its provider has no address at the moment; asking for it says which setting that is.
            self._binding.host_now(stored.provider)
            raise AssertionError("a provider without an address has no host")
        return stored.provider, credential

    def endpoints(self) -> tuple[Endpoint, ...]:
        """See KeySource.endpoints."""
        return self._endpoints.current()

    def rotate(self) -> int:
        """Seal every key anew with a new key of the vault; how many there were. All or none.

        One that no key of the vault opens stays as it is: its AIHUB_SECRET_KEY may come back.
        """
        count = 0
        with self._vault.rotate(), self._unit.write() as session:
            for row in session.scalars(select(ProviderKey)):
                try:
                    row.secret = self._vault.reseal(row.secret)
                except AppError:
                    continue
                count += 1
        self._in_use.forget()
        return count

    def close(self) -> None:
        """Write down when keys were last used, if the database takes it."""
        with suppress(AppError):
            self._write_uses()

    def _change(
        self, user_id: int, key_id: int, change: Callable[[ProviderKey], None], *, deleted: bool = False
    ) -> KeyInfo:
        now = self._now()
        with self._unit.write() as session:
            queries.purge(session, now, UNDO_SECONDS)
            row = queries.key_of(session, user_id, key_id, deleted=deleted)
            change(row)
            row.updated_at = now
            self._uses.write(session, now)
            session.flush()
            info = self._info(row, self._is_in_use(session, row))
        self._in_use.forget()
        return info

    def _put_secret(self, row: ProviderKey, key: str) -> None:
        secret = clean_secret(row.provider, row.label, key)
        row.secret = self._sealed(secret, row)
        row.masked = mask(secret)
        # What was found out about the old key says nothing about this one.
        row.last_used_at = row.checked_at = row.check_error_kind = None
        row.check_message = row.check_params = None
        self._uses.forget(row.id)

    def _sealed(self, secret: str, row: ProviderKey) -> str:
        context = self._binding.context(row.user_id, row.provider, row.host, row.base_url)
        return self._vault.seal(secret, context)

    def _is_in_use(self, session: Session, row: ProviderKey) -> bool:
        return queries.newest_active(queries.keys_of(session, row.user_id)).get(row.provider) is row

    def _info(self, row: ProviderKey, in_use: bool) -> KeyInfo:
        return queries.key_info(row, in_use=in_use, last_used_at=self._uses.last(row.id))

    def _read_in_use(self, user_id: int) -> dict[str, StoredKey]:
        with self._unit.read() as session:
            used = queries.newest_active(queries.keys_of(session, user_id))
            # Asked now, not when the key was added: who is no administrator any more reaches no further than others.
            is_admin = bool(used) and queries.owner_is_admin(session, user_id)
            return {provider: StoredKey.of(row, is_admin) for provider, row in used.items()}

    def _write_uses(self) -> None:
        now = self._now()
        if self._uses.is_due(now):
            with self._unit.write() as session:
                self._uses.write(session, now)
