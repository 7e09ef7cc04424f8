"""One's own data: taken away whole and without secrets; deleted, so that only the ledger's figures stay."""

import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core.accounts.members import Members, open_members
from core.accounts.tables import User
from core.accounts.types import Profile
from core.accounts.vault import Vault
from core.chat.attachments import NewAttachment
from core.chat.types import Sent
from core.errors import ErrorKind
from core.generation.tables import CachedResponse
from core.models.types import PreferenceInfo
from core.pricing.types import Money
from core.prompts.types import NewPrompt
from core.services import Services
from core.store.base import Base
from core.usage.budget_types import BudgetScope
from core.usage.explore.types import Selection
from core.usage.exports.types import ExportKind, Separator
from core.usage.tables import ALL_USERS, UsageDaily, UsageEvent
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.script import Script
from tests.support.databases import sqlite_url
from tests.support.hub import MODEL, opened_with_gemini
from tests.support.import_files import plain, saved
from tests.support.members import ANNA, BORIS, PASSWORD, fast_passwords, kind_of
from tests.support.people import admin

ANNAS, BORISES = b"\x89PNG\r\n\x1a\nof Anna", b"\x89PNG\r\n\x1a\nof Boris"
SHARED = b"\x89PNG\r\n\x1a\nof both"
KEY = "AIzaMadeUpKey-0123456789-abcdefghijklmno"
EVER = "usage_events", "usage_daily"
# What is in these when depends on when calls were folded; test_explore holds them against the calls.
FOLDED = "usage_pending", "usage_months", "usage_shapes", "usage_facets"

Hub = tuple[Services, GeminiServer, Members]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """On SQLite: what no database decides."""
    yield from _hub(sqlite_url(tmp_path), tmp_path)


@pytest.fixture
def hub_on_both(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    yield from _hub(database_url, tmp_path)


def _hub(url: str, folder: Path) -> Iterator[Hub]:
    with opened_with_gemini(url, folder) as (services, server):
        vault = Vault(services.settings)
        yield services, server, open_members(services.unit, vault, "open", fast_passwords())


def person(members: Members, email: str, username: str) -> Profile:
    return members.accounts.sign_up(email, username, PASSWORD)


def lives(services: Services, members: Members, who: Profile, picture: bytes) -> Sent:
    """What somebody leaves behind everywhere: an answered question with files, kept answers, settings, a key."""
    members.sign_in.sign_in(who.email or "", PASSWORD)
    members.tokens.create(who.id, f"token of {who.username}")
    services.keys.add(
        admin(who.id), "openai", f"key of {who.username}", KEY, base_url="http://127.0.0.1:9/v1"
    )
    services.models.save(
        who.id, PreferenceInfo("gemini", MODEL, use_cache=True, system_prompt=f"I am {who.username}")
    )
    category = services.categories.create(who.id, f"shelf of {who.username}")
    services.prompts.create(
        who.id, NewPrompt(f"prompt of {who.username}", "Hello, {name}", None, category.id)
    )
    imported(services, who)
    services.budgets.add(admin(who.id), BudgetScope.USER, Money(10**12, "USD"), for_user=who.id)
    files = (NewAttachment("own.png", "", picture), NewAttachment("both.png", "", SHARED))
    sent = services.chat.send(who.id, None, f"Hello from {who.username}", "gemini", MODEL, files)
    assert sent.generation.wait(20)
    return sent


def imported(services: Services, who: Profile) -> None:
    """A file with one call of another tool."""
    folder = services.settings.data_dir
    name = f"usage of {who.username}.csv"
    content = plain(f"2026-10-0{who.id}T10:00:00Z,openai,gpt-4,100,50,0.25")
    path, staged = saved(folder, content), folder / "staged.parquet"
    staged.unlink(missing_ok=True)
    services.imports.write(who.id, services.imports.read(who.id, path, staged, file_name=name), staged)


def export(services: Services, user_id: int) -> dict[str, list[dict[str, Any]]]:
    target = io.BytesIO()
    services.personal_data.export(user_id, target)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        return {
            name.removesuffix(".jsonl"): [json.loads(line) for line in archive.read(name).splitlines()]
            for name in archive.namelist()
        }


def rows_of(services: Services) -> dict[str, list[Any]]:
    """Every row of every table, as text."""
    with services.unit.read() as session:
        return {
            table.name: sorted(str(tuple(row)) for row in session.execute(select(table)))
            for table in Base.metadata.sorted_tables
        }


def test_an_export_holds_all_of_one_person_and_nothing_of_another(hub_on_both: Hub) -> None:
    services, _server, members = hub_on_both
    anna, boris = person(members, ANNA, "Anna"), person(members, BORIS, "boris")
    sent = lives(services, members, anna, ANNAS)
    lives(services, members, boris, BORISES)
    gone = services.chat.send(anna.id, None, "to be deleted", "gemini", MODEL)
    assert gone.generation.wait(20)
    services.chat.delete_thread(anna.id, gone.thread.uuid)
    found = export(services, anna.id)
    assert {name: len(records) for name, records in found.items()} == {
        "threads": 1,
        "messages": 2,
        "files": 2,
        "categories": 1,
        "prompts": 1,
        "cached_answers": 2,
        "preferences": 1,
        "usage": 3,
        "usage_imports": 1,
        "budgets": 1,
        "profile": 1,
        "sessions": 1,
        "api_tokens": 1,
        "provider_keys": 1,
    }
    assert found["profile"][0]["email"] == ANNA
    assert found["threads"][0]["uuid"] == sent.thread.uuid
    question, answer = found["messages"]
    assert (question["content"], question["role"]) == ("Hello from Anna", "user")
    assert answer["content"] == "Hello, world!"
    assert all(type(call["cost_nano"]) is int and call["currency"] == "USD" for call in found["usage"])
    assert found["prompts"][0]["category_id"] == found["categories"][0]["id"]
    kept = found["usage_imports"][0]
    assert (kept["file_name"], kept["calls"], kept["costs"]) == ("usage of Anna.csv", 1, {"USD": 250_000_000})
    everything = json.dumps(found, ensure_ascii=False)
    for nobodys in ("boris", "to be deleted", KEY, "argon2", "secret", "hash"):
        assert nobodys not in everything, nobodys
    assert kind_of(services.personal_data.export, 999_999, io.BytesIO()) is ErrorKind.NOT_FOUND


def test_deletion_leaves_figures_and_nothing_else(hub_on_both: Hub) -> None:
    services, _server, members = hub_on_both
    boris, anna = person(members, BORIS, "boris"), person(members, ANNA, "Anna")
    sent = lives(services, members, boris, BORISES)
    before = rows_of(services)
    lives(services, members, anna, ANNAS)
    real = rows_of(services)
    services.usage.load_sample(anna.id)
    services.personal_data.delete(anna.id, PASSWORD)
    after = rows_of(services)
    for name in after:
        if name in EVER:
            assert after[name] == real[name], "the figures stay, to the last digit; sample data does not"
        elif name not in ("users", *FOLDED):
            assert after[name] == before[name], name
    assert not any(mark in str(after) for mark in (ANNA, "Anna", "of Anna"))
    stored = {
        path.read_bytes()
        for path in (services.settings.data_dir / "attachments").rglob("*")
        if path.is_file()
    }
    assert {BORISES, SHARED} <= stored, "what another has too stays"
    assert services.chat.messages(boris.id, sent.thread.uuid)[-1].content == "Hello, world!"
    for call in (members.accounts.profile, services.personal_data.delete):
        assert kind_of(call, anna.id) is ErrorKind.NOT_FOUND
    assert kind_of(members.sign_in.sign_in, ANNA, PASSWORD) is ErrorKind.UNAUTHORIZED


def test_files_go_with_the_one_who_brought_them(hub: Hub) -> None:
    services, _server, members = hub
    boris, anna = person(members, BORIS, "boris"), person(members, ANNA, "Anna")
    lives(services, members, boris, BORISES)
    lives(services, members, anna, ANNAS)
    folder = services.settings.data_dir / "attachments"
    for path in folder.rglob("*"):
        _make_older(path)
    services.personal_data.delete(anna.id, PASSWORD)
    assert {path.read_bytes() for path in folder.rglob("*") if path.is_file()} == {BORISES, SHARED}


def test_the_number_of_a_deleted_account_is_never_anybodys_again(hub_on_both: Hub) -> None:
    services, _server, members = hub_on_both
    boris, anna = person(members, BORIS, "boris"), person(members, ANNA, "Anna")
    lives(services, members, anna, ANNAS)
    services.personal_data.delete(anna.id, PASSWORD)
    again = person(members, ANNA, "Anna")
    assert again.id > anna.id
    assert not services.usage.has_calls(again.id)
    with services.unit.read() as session:
        everybody = select(UsageDaily.requests).where(UsageDaily.user_id == ALL_USERS)
        assert sum(session.scalars(everybody)) > 0
        assert session.scalars(select(UsageEvent.user_id).distinct()).all() == [anna.id]
    listed = members.administration.list(boris.account)
    assert [one.id for one in listed] == [boris.id, again.id], "who is deleted is in no list"
    for verb in (members.administration.set_active, members.administration.set_admin):
        assert kind_of(verb, boris.account, anna.id, True) is ErrorKind.NOT_FOUND


def test_a_running_answer_is_stopped_before_its_account_goes(hub: Hub) -> None:
    services, server, members = hub
    person(members, BORIS, "boris")
    anna = person(members, ANNA, "Anna")
    server.queue(Script(hang_after=1))
    services.models.save(anna.id, PreferenceInfo("gemini", MODEL, use_cache=True))
    sent = services.chat.send(anna.id, None, "Hello", "gemini", MODEL)
    services.personal_data.delete(anna.id, PASSWORD)
    assert sent.generation.wait(0.0), "it had ended before"
    server.release()
    with services.unit.read() as session:
        assert session.scalars(select(UsageEvent.status)).all() == ["stopped"]
        assert session.scalars(select(CachedResponse.key)).all() == []


def test_files_that_wait_to_be_imported_or_fetched_go_too(hub: Hub) -> None:
    services, _server, members = hub
    person(members, BORIS, "boris")
    anna = person(members, ANNA, "Anna")
    today = services.usage.today()
    services.import_jobs.upload(anna.id, "usage.csv", [plain("2026-10-01,openai,gpt-4,1,1,0.1").encode()])
    assert services.import_jobs.wait(anna.id) is not None
    services.export_jobs.start(
        admin(anna.id), ExportKind.CSV, Selection(anna.id, today, today), "en", Separator.COMMA
    )
    assert services.export_jobs.wait(anna.id) is not None
    folders = [services.settings.data_dir / name for name in ("imports", "exports")]
    assert all(list(folder.iterdir()) for folder in folders)
    services.personal_data.delete(anna.id, PASSWORD)
    assert not any(list(folder.iterdir()) for folder in folders)


def test_deletion_asks_for_the_password_and_for_another_administrator(hub: Hub) -> None:
    services, _server, members = hub
    anna = person(members, ANNA, "Anna")
    assert kind_of(services.personal_data.delete, anna.id, "a wrong guess") is ErrorKind.FORBIDDEN
    boris = person(members, BORIS, "boris")
    assert kind_of(services.personal_data.delete, anna.id, PASSWORD) is ErrorKind.VALIDATION
    assert members.accounts.profile(anna.id) == anna
    members.administration.set_admin(anna.account, boris.id, True)
    services.personal_data.delete(anna.id, PASSWORD)
    services.personal_data.delete(boris.id, PASSWORD)
    assert members.accounts.can_sign_up()
    with services.unit.read() as session:
        assert {
            (user.email, user.password_hash, user.is_active) for user in session.scalars(select(User))
        } == {(None, None, False)}


def test_the_local_account_goes_and_a_new_one_begins_empty(hub: Hub) -> None:
    services, _server, members = hub
    local = services.accounts.local_account()
    sent = services.chat.send(local.id, None, "Hello", "gemini", MODEL)
    assert sent.generation.wait(20)
    services.personal_data.delete(local.id)
    new = services.accounts.local_account()
    assert new.id > local.id
    assert services.chat.threads(new.id) == []
    assert person(members, ANNA, "Anna").id == new.id
    # These services were opened with the settings' own rule, which is that only the first comes in.
    assert kind_of(services.accounts.sign_up, BORIS, "boris", PASSWORD) is ErrorKind.FORBIDDEN


def _make_older(path: Path) -> None:
    past = path.stat().st_mtime - 60
    os.utime(path, (past, past))
