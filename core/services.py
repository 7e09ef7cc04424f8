"""The composition root: builds every service once and hands them out. The only place that wires parts."""

import atexit
import logging
import threading
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from core.accounts.service import AccountService
from core.chat.choices import ModelChoices
from core.chat.service import ChatService
from core.config import Settings
from core.generation.engine import GenerationEngine
from core.generation.settling import CallPricer
from core.pricing.service import PriceBook
from core.providers.registry import ProviderRegistry
from core.store.engine import open_engine
from core.store.migrate import upgrade
from core.store.unit_of_work import UnitOfWork, storage_error
from core.usage.ledger import Ledger
from core.usage.service import UsageService

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a page or a route may ask."""

    settings: Settings
    unit: UnitOfWork
    accounts: AccountService
    registry: ProviderRegistry
    prices: PriceBook
    ledger: Ledger
    usage: UsageService
    generation: GenerationEngine
    chat: ChatService
    choices: ModelChoices

    def close(self) -> None:
        """Interrupt and record what runs, then close the background loop and the database."""
        self.generation.close()
        self.unit.close()


def open_services(settings: Settings, registry: ProviderRegistry | None = None) -> Services:
    """Migrate the database and build the services; AppError when the database cannot be used."""
    engine = open_engine(settings.sqlalchemy_url)
    try:
        upgrade(engine)
    except DBAPIError as error:
        raise storage_error(error) or error from error
    unit = UnitOfWork(engine)
    registry = registry or ProviderRegistry(settings)
    prices = PriceBook()
    ledger = Ledger(settings.zone)
    with unit.write() as session:
        ledger.open(session)
    pricer = CallPricer(registry, prices)
    generation = GenerationEngine(unit, ledger, registry, pricer)
    chat = ChatService(unit, ledger, generation, registry, pricer)
    if interrupted := chat.recover():
        _logger.warning("%d answers were cut off when AIHub last ended; their text was kept", interrupted)
    return Services(
        settings=settings,
        unit=unit,
        accounts=AccountService(unit),
        registry=registry,
        prices=prices,
        ledger=ledger,
        usage=UsageService(unit, ledger),
        generation=generation,
        chat=chat,
        choices=ModelChoices(generation, registry),
    )


_lock = threading.Lock()
_current: Services | None = None


def current() -> Services:
    """This process's services, opened on first use from the environment."""
    global _current  # one process, one set of services; `shutdown` clears it
    with _lock:
        if _current is None:
            _current = open_services(Settings())
            # Whoever opened them may not be a server with an end of its own.
            atexit.register(shutdown)
        return _current


def shutdown() -> None:
    """Close this process's services, if they were opened."""
    global _current
    with _lock:
        services, _current = _current, None
    if services is not None:
        services.close()
