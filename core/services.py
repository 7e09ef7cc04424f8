"""The composition root: builds every service once and hands them out. The only place that wires parts."""

import atexit
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from sqlalchemy.exc import DBAPIError

from core.accounts.endpoints import EndpointService
from core.accounts.keys import KeyService
from core.accounts.members import Members, open_members
from core.accounts.passwords import Passwords
from core.accounts.personal_data import PersonalData
from core.accounts.service import AccountService
from core.accounts.vault import Vault
from core.categories.personal_data import CategoryData
from core.categories.service import CategoryService
from core.chat.answers import AnswerService
from core.chat.choices import ModelChoices
from core.chat.file_store import FileStore
from core.chat.message_files import MessageFiles
from core.chat.personal_data import ChatData
from core.chat.service import ChatService
from core.chat.threads import ThreadService
from core.config import Settings
from core.generation.breaker import Breakers
from core.generation.engine import GenerationEngine
from core.generation.limiter import RateLimiter
from core.generation.limits import LimitSettings
from core.generation.model_lists import ModelLists
from core.generation.personal_data import CacheData
from core.generation.retry import RetryPolicy
from core.generation.settling import CallPricer
from core.models.health import HealthService
from core.models.personal_data import PreferenceData
from core.models.service import ModelService
from core.pricing.currency import ExchangeRates
from core.pricing.overrides import PriceOverrides
from core.pricing.service import PriceBook
from core.prompts.personal_data import PromptData
from core.prompts.service import PromptService
from core.providers.registry import ProviderRegistry
from core.store.engine import open_engine
from core.store.migrate import upgrade
from core.store.partitions import MonthPartitions
from core.store.unit_of_work import UnitOfWork, storage_error
from core.usage import folding
from core.usage.administration import LedgerAdministration
from core.usage.budgets import BudgetService
from core.usage.columns import EVENTS
from core.usage.explore.service import ExploreService
from core.usage.explore.types import UsageReader
from core.usage.exports.jobs import ExportJobs
from core.usage.exports.service import ExportService
from core.usage.imports.jobs import ImportJobs
from core.usage.imports.service import ImportService
from core.usage.insight import InsightService
from core.usage.ledger import Ledger
from core.usage.personal_data import UsageData
from core.usage.recost import RecostService
from core.usage.service import UsageService
from core.usage.statistics import StatisticsService
from core.usage.upkeep import Upkeep
from core.usage.zone import open_ledger

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a page or a route may ask."""

    settings: Settings
    unit: UnitOfWork
    members: Members
    personal_data: PersonalData
    keys: KeyService
    endpoints: EndpointService
    registry: ProviderRegistry
    prices: PriceBook
    price_overrides: PriceOverrides
    rates: ExchangeRates
    budgets: BudgetService
    recost: RecostService
    ledger: Ledger
    upkeep: LedgerAdministration
    usage: UsageService
    statistics: StatisticsService
    explore: UsageReader
    exports: ExportService
    export_jobs: ExportJobs
    imports: ImportService
    import_jobs: ImportJobs
    insight: InsightService
    limits: LimitSettings
    breakers: Breakers
    generation: GenerationEngine
    chat: ChatService
    threads: ThreadService
    answers: AnswerService
    categories: CategoryService
    prompts: PromptService
    choices: ModelChoices
    models: ModelService
    health: HealthService

    @property
    def accounts(self) -> AccountService:
        """Whose account is whose."""
        return self.members.accounts

    def close(self) -> None:
        """Interrupt and record what runs, then close the background loop and the database."""
        self.upkeep.close()
        self.import_jobs.close()
        self.imports.undoing.close()
        self.export_jobs.close()
        self.generation.close()
        self.keys.close()
        self.unit.close()


class _Library(TypedDict):
    """What people keep: threads and their answers, their categories, and prompts."""

    threads: ThreadService
    answers: AnswerService
    categories: CategoryService
    prompts: PromptService


class _Questions(TypedDict):
    """What asks the ledger, and what carries calls in and out."""

    explore: UsageReader
    statistics: StatisticsService
    exports: ExportService
    export_jobs: ExportJobs
    imports: ImportService
    import_jobs: ImportJobs


def open_services(
    settings: Settings,
    registry: ProviderRegistry | None = None,
    retry: RetryPolicy | None = None,
    passwords: Passwords | None = None,
) -> Services:
    """Migrate the database and build the services; AppError when the database, or AIHUB_SECRET_KEY, cannot be used.
    `retry` and `passwords`: the engine's patience and what a hash costs, in tests less of both."""
    vault, unit, registry = Vault(settings), _open_database(settings), registry or ProviderRegistry(settings)
    endpoints, keys = _open_keys(unit, vault, registry)
    price_overrides, rates = PriceOverrides(unit), ExchangeRates(unit)
    prices = PriceBook(unit, price_overrides)
    (ledger, upkeep), pricer = _open_ledger(settings, unit), CallPricer(registry, prices)
    limits, limiter, breakers = *_open_limits(settings, unit), Breakers()
    budgets, usage = BudgetService(unit, ledger, rates), UsageService(unit, ledger, rates)
    generation = GenerationEngine(
        unit, ledger, registry, pricer, limiter=limiter, breakers=breakers, retry=retry, budgets=budgets
    )
    lists, files = ModelLists(generation, registry), _open_files(settings, unit)
    models = ModelService(unit, registry, prices, generation, lists)
    chat = _recovered(ChatService(unit, ledger, generation, registry, pricer, models, files))
    members = open_members(unit, vault, settings.signup, passwords)
    questions = _open_questions(settings, unit, ledger, usage, rates, prices, upkeep.prepare, members)
    return Services(
        settings=settings,
        unit=unit,
        members=members,
        personal_data=_personal_data(unit, ledger, members, ChatData(unit, chat, files), questions),
        keys=keys,
        endpoints=endpoints,
        registry=registry,
        prices=prices,
        price_overrides=price_overrides,
        rates=rates,
        budgets=budgets,
        ledger=ledger,
        upkeep=LedgerAdministration(upkeep, questions["explore"]),
        usage=usage,
        recost=RecostService(unit, ledger, pricer.cost),
        insight=InsightService(unit, ledger, usage, prices, rates, settings, registry.info),
        **questions,
        limits=limits,
        breakers=breakers,
        generation=generation,
        chat=chat,
        choices=ModelChoices(registry, lists, models),
        **_open_library(unit, registry, generation, chat),
        models=models,
        health=HealthService(registry, keys, generation, breakers),
    )


def _open_files(settings: Settings, unit: UnitOfWork) -> MessageFiles:
    return MessageFiles(unit, FileStore(settings.data_dir / "attachments"))


def _open_library(
    unit: UnitOfWork, registry: ProviderRegistry, generation: GenerationEngine, chat: ChatService
) -> _Library:
    return {
        "threads": ThreadService(unit, registry, chat),
        "answers": AnswerService(unit, generation, chat),
        "categories": CategoryService(unit),
        "prompts": PromptService(unit),
    }


def _open_questions(
    settings: Settings,
    unit: UnitOfWork,
    ledger: Ledger,
    usage: UsageService,
    rates: ExchangeRates,
    prices: PriceBook,
    prepare: Callable[[datetime, datetime], None],
    members: Members,
) -> _Questions:
    """What asks the ledger, and what carries calls in and out."""
    exports = ExportService(unit, ledger, members.accounts.names)
    imports = ImportService(unit, ledger, prices, prepare)
    imports.undoing.resume()
    return {
        "explore": ExploreService(unit, ledger, rates),
        "statistics": StatisticsService(usage, settings.currency),
        "exports": exports,
        "export_jobs": ExportJobs(exports, settings.data_dir / "exports"),
        "imports": imports,
        "import_jobs": ImportJobs(imports, settings.data_dir / "imports"),
    }


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


def _open_limits(settings: Settings, unit: UnitOfWork) -> tuple[LimitSettings, RateLimiter]:
    limits = LimitSettings(unit)
    return limits, RateLimiter(limits, settings.redis_url.get_secret_value() if settings.redis_url else None)


def _open_ledger(settings: Settings, unit: UnitOfWork) -> tuple[Ledger, Upkeep]:
    partitions = MonthPartitions(unit, EVENTS.name, EVENTS.c.occurred_at.name, folding.lock)
    partitions.tend()
    ledger = Ledger(settings.zone)
    ledger.tell(partitions.note)
    open_ledger(unit, ledger, settings.timezone if "timezone" in settings.model_fields_set else None)
    return ledger, Upkeep(unit, ledger, partitions)


def _personal_data(
    unit: UnitOfWork, ledger: Ledger, members: Members, chat: ChatData, questions: _Questions
) -> PersonalData:
    """Every room that keeps something of a person stands here, or it is left out of exports and deletions."""
    # A deleted account's tokens open nothing any more, at once.
    unit = unit.telling(members.bearers.forget)
    usage = UsageData(ledger, questions["import_jobs"], questions["export_jobs"])
    rooms = (chat, CategoryData(), PromptData(), CacheData(), PreferenceData(), usage)
    return PersonalData(unit, members.accounts, rooms)


def _recovered(chat: ChatService) -> ChatService:
    if interrupted := chat.recover():
        _logger.warning("%d answers were cut off when AIHub last ended; their text was kept", interrupted)
    return chat


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
