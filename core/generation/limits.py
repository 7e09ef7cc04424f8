"""The rate limits that were set for providers: stored in the database, known in memory."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from sqlalchemy import delete, select

from core.errors import AppError, ErrorKind
from core.generation.tables import RateLimit
from core.i18n import N_
from core.rights import Actor, require_admin
from core.store.unit_of_work import UnitOfWork

_logger = logging.getLogger(__name__)

# Another process may have changed them: what is known is at most this old once calls come in.
REFRESH_SECONDS = 2.0
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What one key of a provider may be asked; None is no limit. Each counts from 1."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_streams: int | None = None


NO_LIMITS = Limits()


class LimitSettings:
    """The limits of each provider. From any thread; `known` never waits for the database."""

    def __init__(self, unit: UnitOfWork, clock: Callable[[], float] = time.monotonic) -> None:
        """Reads them once. `clock`: monotonic seconds."""
        self._unit = unit
        self._clock = clock
        self._refreshing: asyncio.Future[None] | None = None
        self._known = self.all()

    def all(self) -> dict[str, Limits]:
        """The limits by provider, as they are stored now; without those that have none."""
        with self._unit.read() as session:
            rows = session.scalars(select(RateLimit)).all()
            self._known = {
                row.provider: Limits(row.requests_per_minute, row.tokens_per_minute, row.concurrent_streams)
                for row in rows
            }
        self._read_at = self._clock()
        return dict(self._known)

    def get(self, provider: str) -> Limits:
        """The limits of one provider, as they are stored now."""
        return self.all().get(provider, NO_LIMITS)

    def set(self, actor: Actor, provider: str, limits: Limits) -> None:
        """Replace a provider's limits, at once in this process and within seconds in others.

        AppError(FORBIDDEN) for whoever is no administrator, AppError(VALIDATION) for a limit below 1 or beyond
        2,147,483,647.
        """
        require_admin(actor)
        for field in fields(limits):
            value = getattr(limits, field.name)
            if value is not None and not 1 <= value <= _MOST:
                raise AppError(
                    ErrorKind.VALIDATION,
                    N_("A limit is a whole number from 1 to {most}. Leave it empty for no limit."),
                    most=_MOST,
                )
        with self._unit.write() as session:
            session.execute(delete(RateLimit).where(RateLimit.provider == provider))
            if limits != NO_LIMITS:
                session.add(
                    RateLimit(
                        provider=provider,
                        requests_per_minute=limits.requests_per_minute,
                        tokens_per_minute=limits.tokens_per_minute,
                        concurrent_streams=limits.concurrent_streams,
                        updated_at=datetime.now(UTC),
                    )
                )
        self.all()

    def known(self, provider: str) -> Limits:
        """The limits as last read; on an event loop, which reads them again beside it when they are old."""
        known = self._known
        if self._clock() - self._read_at > REFRESH_SECONDS and (
            self._refreshing is None or self._refreshing.done()
        ):
            self._refreshing = asyncio.get_running_loop().run_in_executor(None, self._refresh)
        return known.get(provider, NO_LIMITS)

    def _refresh(self) -> None:
        try:
            self.all()
        except AppError as error:
            # The old ones hold until the database can be read again.
            self._read_at = self._clock()
            _logger.warning("the rate limits could not be read: %s", error)
