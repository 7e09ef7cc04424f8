"""What holds for everybody is for administrators, and so is what others did: the services themselves say so."""

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import pytest
from sqlalchemy import update

from core.accounts.members import Members
from core.accounts.tables import User
from core.errors import AppError, ErrorKind
from core.generation.limits import Limits
from core.pricing.types import Money, Price
from core.rights import Actor, scope_of
from core.services import Services
from core.usage.budget_types import BudgetScope
from core.usage.explore.types import Selection
from core.usage.exports.types import ExportKind, Separator
from core.usage.imports.undoing import Undoing
from core.usage.recost_rows import RecostPlan
from core.usage.subscription import SubscriptionPrice
from tests.fakes.openai_server import OpenAIServer
from tests.support.databases import sqlite_url
from tests.support.hub import me, opened
from tests.support.members import kind_of
from tests.support.people import ADMIN, admin, member

Verb = Callable[[Services, Actor], object]
DAY, MOMENT = date(2026, 11, 20), datetime(2026, 11, 20, tzinfo=UTC)
USD = Money(1, "USD")
NOBODY = 404
OWN_MACHINE = "http://127.0.0.1:9/v1"
NO_PLAN = RecostPlan(DAY, DAY, None, None, 0, 0, (), 0)
A_PASSWORD = "a quiet harbour at dawn"


def exported(scope: int | None) -> Verb:
    """Every call of a user, or of all, as a file."""
    selection = Selection(scope, DAY, DAY)
    return lambda hub, who: hub.export_jobs.start(who, ExportKind.CSV, selection, "en", Separator.COMMA)


def tried(hub: Services, who: Actor) -> None:
    """A key tested before it is stored tells what is wrong, and raises nothing."""
    health = hub.health.test_new(who, "openai", "sk-made-up-0123456789", OWN_MACHINE)
    assert health.error is not None, "nothing listens there"
    raise health.error


# Every verb that asks who acts. `actor` is the name of its first parameter; a new one is missed here by
# `test_every_verb_is_known`.
VERBS: dict[str, Verb] = {
    "endpoints.add": lambda hub, who: hub.endpoints.add(who, "Ollama", OWN_MACHINE),
    "endpoints.update": lambda hub, who: hub.endpoints.update(who, NOBODY, label="x"),
    "endpoints.delete": lambda hub, who: hub.endpoints.delete(who, NOBODY),
    "keys.add": lambda hub, who: hub.keys.add(who, "openai", "Mine", "sk-made-up-0123456789", OWN_MACHINE),
    "health.test_new": tried,
    "price_overrides.add": lambda hub, who: hub.price_overrides.add(
        who, "x", "m", Price("USD", 1, 1), MOMENT
    ),
    "price_overrides.retire": lambda hub, who: hub.price_overrides.retire(who, NOBODY),
    "price_overrides.restore": lambda hub, who: hub.price_overrides.restore(who, NOBODY),
    "rates.add": lambda hub, who: hub.rates.add(who, "USD", "RUB", Decimal(90), DAY),
    "rates.retire": lambda hub, who: hub.rates.retire(who, NOBODY),
    "rates.restore": lambda hub, who: hub.rates.restore(who, NOBODY),
    "budgets.add": lambda hub, who: hub.budgets.add(who, BudgetScope.USER, USD, for_user=who.id),
    "budgets.update": lambda hub, who: hub.budgets.update(who, NOBODY, amount=USD),
    "budgets.reset": lambda hub, who: hub.budgets.reset(who, NOBODY),
    "budgets.delete": lambda hub, who: hub.budgets.delete(who, NOBODY),
    "limits.set": lambda hub, who: hub.limits.set(who, "demo", Limits(requests_per_minute=60)),
    "insight.subscription.set": lambda hub, who: hub.insight.subscription.set(who, "20"),
    "recost.plan": lambda hub, who: hub.recost.plan(who, DAY, DAY),
    "recost.apply": lambda hub, who: hub.recost.apply(who, NO_PLAN, ""),
    "recost.history": lambda hub, who: hub.recost.history(who),
    "upkeep.rebuild": lambda hub, who: hub.upkeep.rebuild(who),
    "upkeep.change_zone": lambda hub, who: hub.upkeep.change_zone(who, "UTC"),
    "upkeep.check": lambda hub, who: hub.upkeep.check(who, DAY, DAY),
    "upkeep.stop": lambda hub, who: hub.upkeep.stop(who),
    "upkeep.progress": lambda hub, who: hub.upkeep.progress(who),
    "upkeep.health": lambda hub, who: hub.upkeep.health(who),
    "upkeep.database": lambda hub, who: hub.upkeep.database(who),
    "usage.last_days": lambda hub, who: hub.usage.last_days(who),
    "export_jobs.start": exported(None),
    "export_jobs.start of somebody else": exported(7),
    "members.accounts.everyone": lambda hub, who: hub.accounts.everyone(who),
    "members.administration.list": lambda hub, who: hub.members.administration.list(who),
    "members.administration.add": lambda hub, who: hub.members.administration.add(who, "x", "y", A_PASSWORD),
    "members.administration.change": lambda hub, who: hub.members.administration.change(who, NOBODY),
    "members.administration.set_admin": lambda hub, who: hub.members.administration.set_admin(
        who, NOBODY, True
    ),
    "members.administration.set_active": lambda hub, who: hub.members.administration.set_active(
        who, NOBODY, False
    ),
    "members.administration.set_password": lambda hub, who: hub.members.administration.set_password(
        who, NOBODY, A_PASSWORD
    ),
}

# First parameters that say whose it is: the caller's own id, or a scope, which comes from `scope_of` alone.
OWNED = {"user_id", "scope", "selection", "asked"}
# What the services are made of; no page or route gives it orders for a person.
BELOW = {"settings", "unit", "registry", "prices", "ledger", "generation", "breakers"}
# Verbs for anybody, each with what makes it so.
OPEN = {
    *("keys.endpoints", "endpoints.list", "endpoints.current"),  # everybody asks the same servers
    *(
        "price_overrides.list",
        "price_overrides.find",
        "price_overrides.of_provider",
    ),  # and pays the same prices
    *("rates.list", "rates.convert", "limits.all", "limits.get", "limits.known", "usage.today"),
    *(
        "insight.monthly_subscription",
        "insight.subscription.read",
        "choices.knows",
        "choices.notice",
        "explore.health",
    ),
    # Asked by generation and the registry, for a call on its way.
    *("keys.endpoints_in_memory", "keys.note_use", "endpoints.on_change"),
    *("budgets.admit", "budgets.hold", "budgets.release"),
    # About what the caller was handed before.
    *("insight.budget_outlooks", "answers.follow", "answers.of", "chat.live", "exports.file_name"),
    *("imports.undoing.progress", "imports.undoing.under_way", "imports.undoing.wait"),
    # In files of calls that the caller may see.
    "members.accounts.names",
    # The process itself, and its command line.
    *("keys.close", "upkeep.close", "export_jobs.close", "import_jobs.close", "imports.undoing.close"),
    *("upkeep.wait", "imports.undoing.resume", "chat.recover", "keys.rotate"),
    # Before anybody is known.
    *("members.accounts.can_sign_up", "members.accounts.has_members", "members.accounts.local_account"),
    *("members.accounts.sign_up", "members.sign_in.sign_in", "members.tokens.identify"),
    *(
        f"members.sessions.{verb}"
        for verb in ("check_csrf", "csrf_token", "identify", "identify_jwt", "open")
    ),
    *(f"members.bearers.{verb}" for verb in ("forget", "get", "has")),
}


def rooms() -> dict[str, Any]:
    """The services by the names they are asked under, those behind others included."""
    found = {name: room for name, room in get_type_hints(Services).items() if name not in BELOW | {"members"}}
    found |= {f"members.{name}": room for name, room in get_type_hints(Members).items()}
    return found | {"insight.subscription": SubscriptionPrice, "imports.undoing": Undoing}


def verbs() -> dict[str, str]:
    """Every verb with its first parameter, "" for none."""
    found: dict[str, str] = {}
    for name, room in rooms().items():
        for verb, function in inspect.getmembers(get_origin(room) or room, inspect.isfunction):
            if not verb.startswith("_"):
                _self, *parameters = inspect.signature(function).parameters
                found[f"{name}.{verb}"] = parameters[0] if parameters else ""
    return found


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """One for all of them, on SQLite: who may do what is no database's to decide."""
    folder = tmp_path_factory.mktemp("rights")
    with opened(sqlite_url(folder), folder) as services:
        assert me(services) == ADMIN.id
        yield services


def test_every_verb_is_known() -> None:
    """A new verb says whose it is: it takes `actor` and stands in VERBS, or one of OWNED, or it stands in OPEN."""
    found = verbs()
    asking = {name for name, first in found.items() if first == "actor"}
    assert asking == {name.partition(" ")[0] for name in VERBS}
    assert {name for name, first in found.items() if first not in OWNED | {"actor"}} == OPEN


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_a_member_is_refused_and_an_administrator_is_not(hub: Services, verb: Verb) -> None:
    with pytest.raises(AppError) as refused:
        verb(hub, member())
    assert refused.value.kind is ErrorKind.FORBIDDEN
    assert "administrators" in refused.value.text()
    assert kind_of(verb, hub, ADMIN) is not ErrorKind.FORBIDDEN
    hub.upkeep.wait()


def test_the_calls_of_all_are_for_administrators(hub: Services) -> None:
    assert scope_of(member(2), everyone=False) == 2
    assert scope_of(ADMIN, everyone=True) is None
    with pytest.raises(AppError) as refused:
        scope_of(member(2), everyone=True)
    assert refused.value.kind is ErrorKind.FORBIDDEN
    exported(2)(hub, member(2))


def test_a_key_reaches_as_far_as_its_owner_may_now(tmp_path: Path) -> None:
    with OpenAIServer() as server, opened(sqlite_url(tmp_path), tmp_path) as services:
        owner = me(services)
        key = services.keys.add(admin(owner), "openai", "Mine", "sk-made-up-0123456789", server.url)
        assert services.health.health_check(owner, "openai").ok
        asked = len(server.requests)
        with services.unit.write() as session:
            session.execute(update(User).values(is_admin=False))
        services.keys.rename(owner, key.id, "Still mine")  # or two seconds pass
        tests = (services.health.health_check(owner, "openai"), services.health.test_key(owner, key.id))
        assert [test.error.kind for test in tests if test.error] == [ErrorKind.FORBIDDEN] * 2
        assert len(server.requests) == asked, "nobody was called"


def test_where_nobody_signs_in_the_one_account_is_an_administrator(hub: Services) -> None:
    assert hub.accounts.everyone(hub.accounts.local_account())
