"""The composition root: builds every service once and hands them out. The only place that wires parts."""

import atexit
import logging
import threading
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from core.accounts.endpoints import EndpointService
from core.accounts.keys import KeyService
from core.accounts.service import AccountService
from core.accounts.vault import Vault
from core.chat.choices import ModelChoices
from core.chat.file_store import FileStore
from core.chat.message_files import MessageFiles
from core.chat.service import ChatService
from core.config import Settings
from core.generation.breaker import Breakers
from core.generation.engine import GenerationEngine
from core.generation.limiter import RateLimiter
from core.generation.limits import LimitSettings
from core.generation.model_lists import ModelLists
from core.generation.retry import RetryPolicy
from core.generation.settling import CallPricer
from core.models.health import HealthService
from core.models.service import ModelService
from core.pricing.currency import ExchangeRates
from core.pricing.overrides import PriceOverrides
from core.pricing.service import PriceBook
from core.providers.registry import ProviderRegistry
from core.store.engine import open_engine
from core.store.migrate import upgrade
from core.store.unit_of_work import UnitOfWork, storage_error
from core.usage.budgets import BudgetService
from core.usage.exports.service import ExportService
from core.usage.insight import InsightService
from core.usage.ledger import Ledger
from core.usage.recost import RecostService
from core.usage.service import UsageService

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a page or a route may ask."""

    settings: Settings
    unit: UnitOfWork
    accounts: AccountService
    keys: KeyService
    endpoints: EndpointService
    registry: ProviderRegistry
    prices: PriceBook
    price_overrides: PriceOverrides
    rates: ExchangeRates
    budgets: BudgetService
    recost: RecostService
    ledger: Ledger
    usage: UsageService
    exports: ExportService
    insight: InsightService
    limits: LimitSettings
    breakers: Breakers
    generation: GenerationEngine
    chat: ChatService
    choices: ModelChoices
    models: ModelService
    health: HealthService

    def close(self) -> None:
        """Interrupt and record what runs, then close the background loop and the database."""
        self.generation.close()
        self.keys.close()
        self.unit.close()


def open_services(
    settings: Settings, registry: ProviderRegistry | None = None, retry: RetryPolicy | None = None
) -> Services:
    """Migrate the database and build the services; AppError when the database, or AIHUB_SECRET_KEY, cannot be used.

    `retry` replaces the engine's patience with providers, in tests by a smaller one.
    """
    vault = Vault(settings)
    unit = _open_database(settings)
    registry = registry or ProviderRegistry(settings)
    endpoints, keys = _open_keys(unit, vault, registry)
    price_overrides, rates = PriceOverrides(unit), ExchangeRates(unit)
    prices = PriceBook(unit, price_overrides)
    ledger, pricer = _open_ledger(settings, unit), CallPricer(registry, prices)
    limits, breakers = LimitSettings(unit), Breakers()
    limiter = RateLimiter(limits, settings.redis_url.get_secret_value() if settings.redis_url else None)
    budgets, usage = BudgetService(unit, ledger, rates), UsageService(unit, ledger, rates)
    generation = GenerationEngine(
        unit, ledger, registry, pricer, limiter=limiter, breakers=breakers, retry=retry, budgets=budgets
    )
    lists = ModelLists(generation, registry)
    models = ModelService(unit, registry, prices, generation, lists)
    files = MessageFiles(unit, FileStore(settings.data_dir / "attachments"))
    chat = ChatService(unit, ledger, generation, registry, pricer, models, files)
    _recover(chat)
    return Services(
        settings=settings,
        unit=unit,
        accounts=AccountService(unit),
        keys=keys,
        endpoints=endpoints,
        registry=registry,
        prices=prices,
        price_overrides=price_overrides,
        rates=rates,
        budgets=budgets,
        recost=RecostService(unit, pricer.cost),
        ledger=ledger,
        usage=usage,
        exports=ExportService(unit, ledger, usage),
        insight=InsightService(unit, ledger, usage, prices, rates, settings, registry.info),
        limits=limits,
        breakers=breakers,
        generation=generation,
        chat=chat,
        choices=ModelChoices(registry, lists, models),
        models=models,
        health=HealthService(registry, keys, generation, breakers),
    )


def _open_database(settings: Settings) -> UnitOfWork:
    engine = open_engine(settings.sqlalchemy_url)
    try:
        upgrade(engine)
    except DBAPIError as error:
        raise storage_error(error) or error from error
    return UnitOfWork(engine)


def _open_keys(
    unit: UnitOfWork, vault: Vault, registry: ProviderRegistry
) -> tuple[EndpointService, KeyService]:
    endpoints = EndpointService(unit, registry)
    keys = KeyService(unit, vault, registry, endpoints)
    registry.use_keys(keys)
    return endpoints, keys


def _open_ledger(settings: Settings, unit: UnitOfWork) -> Ledger:
    ledger = Ledger(settings.zone)
    with unit.write() as session:
        ledger.open(session)
    return ledger


def _recover(chat: ChatService) -> None:
    if interrupted := chat.recover():
        _logger.warning("%d answers were cut off when AIHub last ended; their text was kept", interrupted)


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
