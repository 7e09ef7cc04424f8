"""The generation engine alone, with the parts a test chooses: real adapter, real SDK, real database."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.config import Settings
from core.generation.engine import GenerationEngine
from core.generation.generation import Generation
from core.generation.limits import LimitSettings
from core.generation.retry import RetryPolicy
from core.generation.settling import CallPricer
from core.generation.types import GenerationRequest, Outcome
from core.pricing.service import PriceBook
from core.providers.demo import DemoProvider
from core.providers.registry import ProviderRegistry
from core.providers.types import ChatMessage, CompletionRequest, Provider, Role
from core.store.unit_of_work import UnitOfWork
from core.usage.columns import EVENTS
from core.usage.ledger import Ledger
from core.usage.types import Source
from tests.support.store import migrated

MODEL, OTHER = "gemini-3.8-flash", "gemini-3.5-flash"
# Waits that a test does not notice.
QUICK = RetryPolicy(base_seconds=0.001, cap_seconds=0.002)


@dataclass
class Notes:
    """A recorder that keeps what it is told."""

    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def progress(self, session: Session, text: str) -> None:
        """Nothing to keep."""

    def finish(self, session: Session, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


@dataclass
class Lab:
    """An engine, and what it works with."""

    engine: GenerationEngine
    unit: UnitOfWork
    registry: ProviderRegistry
    limits: LimitSettings

    def start(self, text: str = "Hello", **request: Any) -> Generation:
        """Begin an answer; `request` sets fields of GenerationRequest, and of its completion."""
        asked = {"model": MODEL, "messages": (ChatMessage(Role.USER, text),)}
        fields = set(GenerationRequest.__dataclass_fields__)
        asked |= {name: request.pop(name) for name in list(request) if name not in fields}
        values: dict[str, Any] = {
            "request_id": str(uuid.uuid4()),
            "user_id": 1,
            "source": Source.API,
            "provider": "gemini",
            "completion": CompletionRequest(**asked),
            "deadline_seconds": 60.0,
        }
        return self.engine.start(GenerationRequest(**(values | request)), Notes())

    def ask(self, text: str = "Hello", **request: Any) -> Outcome:
        """An answer, recorded."""
        return ended(self.start(text, **request))

    def events(self) -> list[dict[str, Any]]:
        """The ledger, oldest first."""
        with self.unit.read() as session:
            rows = session.execute(select(EVENTS).order_by(EVENTS.c.id)).mappings().all()
        return [dict(row) for row in rows]

    def recorded(self) -> int:
        with self.unit.read() as session:
            return session.execute(select(func.count()).select_from(EVENTS)).scalar_one()


def ended(generation: Generation) -> Outcome:
    """Wait for an answer."""
    assert generation.wait(30), "the answer did not end"
    assert generation.storage_error is None
    assert generation.outcome is not None
    return generation.outcome


@contextmanager
def open_lab(
    database_url: str, data_dir: Path, gemini_url: str, demo: Provider | None = None, **parts: Any
) -> Iterator[Lab]:
    """An engine on a fresh database. `parts`: what GenerationEngine takes by name, or a function of the
    LimitSettings that makes it. `demo`: an adapter to be asked as "demo"."""
    values = {
        "data_dir": data_dir,
        "GEMINI_API_KEY": "test-key-of-no-use",
        "GOOGLE_GEMINI_BASE_URL": gemini_url,
    }
    registry = ProviderRegistry(Settings.model_validate(values), demo or DemoProvider(float("inf")))
    unit = migrated(database_url)
    limits = LimitSettings(unit)
    parts = {name: part(limits) if callable(part) else part for name, part in parts.items()}
    parts.setdefault("retry", QUICK)
    engine = GenerationEngine(
        unit, Ledger(ZoneInfo("UTC")), registry, CallPricer(registry, PriceBook()), **parts
    )
    try:
        yield Lab(engine, unit, registry, limits)
    finally:
        engine.close()
        unit.close()
