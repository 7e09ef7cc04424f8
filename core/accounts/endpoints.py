"""Servers of the workspace that speak OpenAI's chat completions, each a provider under a name of its own.

Administrators change them: a server is everybody's, and so are the addresses it makes the hub call.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts import queries
from core.accounts.checks import clean_address, clean_label
from core.accounts.recent import Recent
from core.accounts.tables import Endpoint as EndpointRow
from core.accounts.tables import ProviderKey
from core.accounts.types import EndpointInfo
from core.providers.access import is_own_network
from core.providers.credentials import Endpoint
from core.providers.registry import ProviderRegistry
from core.rights import Actor, require_admin
from core.store.unit_of_work import UnitOfWork

REFRESH_SECONDS = 2.0
MAX_SLUG = 40
FALLBACK = "endpoint"
_LATIN = {
    **dict(zip("абвгдеёзийклмнопрстуфхыэъь", [*"abvgdeeziyklmnoprstufhye", "", ""], strict=True)),
    **dict(zip("жцчшщюя", ("zh", "ts", "ch", "sh", "sch", "yu", "ya"), strict=True)),
}


class EndpointService:
    """Adds, changes and removes endpoints: AppError(FORBIDDEN) for whoever is no administrator.

    What they have cost stays in the ledger under their id.
    """

    def __init__(
        self, unit: UnitOfWork, registry: ProviderRegistry, *, refresh_seconds: float = REFRESH_SECONDS
    ) -> None:
        self._unit = unit
        self._registry = registry
        self._recent = Recent(self._read, refresh_seconds)
        self._on_change: list[Callable[[], None]] = []

    def on_change(self, told: Callable[[], None]) -> None:
        """Call `told` after each change made in this process."""
        self._on_change.append(told)

    def list(self) -> tuple[EndpointInfo, ...]:
        """All endpoints, the oldest first."""
        with self._unit.read() as session:
            return tuple(queries.endpoint_info(row) for row in queries.all_endpoints(session))

    def current(self) -> tuple[Endpoint, ...]:
        """The same as the registry wants them; from memory but for one query every 2 s."""
        return self._recent.get("")

    @property
    def in_memory(self) -> bool:
        """Whether `current` answers without that query."""
        return self._recent.has("")

    def add(self, actor: Actor, label: str, base_url: str, is_free: bool | None = None) -> EndpointInfo:
        """A new endpoint; its provider id is made from its label. `is_free` None: free on one's own network."""
        require_admin(actor)
        label, address = clean_label(label), clean_address(base_url)
        if is_free is None:
            is_free = is_own_network(address)
        try:
            made = self._insert(actor.id, label, address, is_free)
        except IntegrityError:
            # Another process took the id between our look and our insert; the next look sees it.
            made = self._insert(actor.id, label, address, is_free)
        self._changed()
        return made

    def update(
        self,
        actor: Actor,
        endpoint_id: int,
        *,
        label: str | None = None,
        base_url: str | None = None,
        is_free: bool | None = None,
    ) -> EndpointInfo:
        """Change what is given. A key that was stored for the old host is not sent to a new one."""
        require_admin(actor)
        cleaned = clean_label(label) if label is not None else None
        address = clean_address(base_url) if base_url is not None else None
        with self._unit.write() as session:
            row = queries.endpoint_of(session, endpoint_id)
            row.label = cleaned or row.label
            row.base_url = address or row.base_url
            row.is_free = row.is_free if is_free is None else is_free
            row.updated_at = datetime.now(UTC)
            info = queries.endpoint_info(row)
        self._changed()
        return info

    def delete(self, actor: Actor, endpoint_id: int) -> None:
        """Remove an endpoint, and everyone's keys for it, which are of no use without it."""
        require_admin(actor)
        with self._unit.write() as session:
            row = queries.endpoint_of(session, endpoint_id)
            session.execute(delete(ProviderKey).where(ProviderKey.provider == row.provider_id))
            session.delete(row)
        self._changed()

    def _insert(self, user_id: int, label: str, address: str, is_free: bool) -> EndpointInfo:
        known = {info.id for info in self._registry.all_infos()}
        now = datetime.now(UTC)
        with self._unit.write() as session:
            row = EndpointRow(
                provider_id=_free_id(session, label, known),
                label=label,
                base_url=address,
                is_free=is_free,
                created_by=user_id,
                created_at=now,
                updated_at=now,
            )
            session.add(row)
            session.flush()
            return queries.endpoint_info(row)

    def _read(self, _: str) -> tuple[Endpoint, ...]:
        return tuple(
            Endpoint(info.provider_id, info.label, info.base_url, info.is_free) for info in self.list()
        )

    def _changed(self) -> None:
        self._recent.forget()
        for told in self._on_change:
            told()


def slug(label: str) -> str:
    """`label` as an id of a-z, 0-9 and `-`, at most 40 characters; Cyrillic in Latin letters."""
    latin = "".join(_LATIN.get(letter, letter) for letter in label.lower())
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:MAX_SLUG].strip("-") or FALLBACK


def _free_id(session: Session, label: str, known: set[str]) -> str:
    """The label's slug, numbered when it is taken: by another endpoint or by a provider that AIHub knows."""
    taken = known | set(session.scalars(select(EndpointRow.provider_id)))
    base, number = slug(label), 1
    found = base
    while found in taken:
        number += 1
        ending = f"-{number}"
        found = f"{base[: MAX_SLUG - len(ending)].rstrip('-')}{ending}"
    return found
