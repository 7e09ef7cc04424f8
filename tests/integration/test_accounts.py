"""Accounts: who may come in, what each says of itself, and what only administrators do."""

import io
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime
from inspect import signature
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from core.accounts.new_accounts import add_account
from core.accounts.people import main, run
from core.accounts.service import AccountService
from core.accounts.types import Account, Profile
from core.config import Settings
from core.errors import AppError, ErrorKind
from core.store.engine import open_engine
from core.store.migrate import MIGRATIONS_DIR, upgrade
from core.store.unit_of_work import UnitOfWork
from tests.support.databases import sqlite_url
from tests.support.members import (
    ANNA,
    BORIS,
    HERE,
    OTHER_PASSWORD,
    PASSWORD,
    People,
    fast_passwords,
    kind_of,
)

NOBODY = 999_999


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    """On SQLite: what no database decides."""
    yield from _people(sqlite_url(tmp_path), tmp_path)


@pytest.fixture
def people_on_both(database_url: str, tmp_path: Path) -> Iterator[People]:
    yield from _people(database_url, tmp_path)


def _people(url: str, folder: Path) -> Iterator[People]:
    unit = UnitOfWork(open_engine(url))
    made = People(unit, folder)
    yield made
    unit.close()


def test_the_first_account_is_an_administrator_and_the_next_is_not(people: People) -> None:
    first, second = people.anna(), people.boris()
    assert (first.email, first.username, first.is_active, first.is_admin) == (ANNA, "Anna", True, True)
    assert not second.is_admin
    assert people.members.accounts.profile(second.id) == second
    assert second.created_at.tzinfo is UTC


def test_of_many_who_come_first_at_once_one_comes_in(people_on_both: People) -> None:
    people = people_on_both
    accounts = AccountService(people.unit, fast_passwords(), signup="first")

    def come(number: int) -> Profile | ErrorKind:
        try:
            return accounts.sign_up(f"p{number}@example.com", f"p{number}", PASSWORD)
        except AppError as error:
            return error.kind

    with ThreadPoolExecutor(6) as pool:
        came = list(pool.map(come, range(6)))
    assert came.count(ErrorKind.FORBIDDEN) == 5
    assert [one.is_admin for one in came if isinstance(one, Profile)] == [True]


@pytest.mark.parametrize(
    ("signup", "empty", "inhabited"), [("first", True, False), ("open", True, True), ("closed", False, False)]
)
def test_who_may_sign_up(tmp_path: Path, signup: str, empty: bool, inhabited: bool) -> None:
    people = People(UnitOfWork(open_engine(sqlite_url(tmp_path))), tmp_path, signup=signup)
    accounts = people.members.accounts
    assert accounts.can_sign_up() is empty
    assert kind_of(people.anna) == (None if empty else ErrorKind.FORBIDDEN)
    if not empty:
        add_account(people.unit, fast_passwords(), ANNA, "Anna", PASSWORD)
    assert accounts.can_sign_up() is inhabited
    assert kind_of(people.boris) == (None if inhabited else ErrorKind.FORBIDDEN)
    people.unit.close()


def test_whoever_signs_up_first_takes_over_the_local_account(people: People) -> None:
    local = people.members.accounts.local_account()
    anna = people.anna()
    assert anna.id == local.id
    assert people.members.accounts.local_account() == Account(local.id, "Anna", True)
    assert people.boris().id != local.id


def test_who_signs_up_before_any_page_was_opened_is_the_one_that_pages_use(people: People) -> None:
    anna = people.anna()
    assert people.members.accounts.local_account() == Account(anna.id, "Anna", True)
    assert kind_of(people.sign_in, "local", "") is ErrorKind.UNAUTHORIZED
    assert people.boris().id != anna.id
    assert people.members.accounts.local_account().id == anna.id


def test_addresses_and_names_are_compared_without_letter_case(people_on_both: People) -> None:
    people = people_on_both
    people.members.accounts.sign_up("Straße@Example.com", "Ёлка", PASSWORD)
    accounts = people.members.accounts
    taken = ErrorKind.VALIDATION
    assert kind_of(accounts.sign_up, "sTRASSE@example.COM", "other", PASSWORD) is taken
    assert kind_of(accounts.sign_up, "other@example.com", "ёЛКА", PASSWORD) is taken
    assert people.sign_in("STRASSE@EXAMPLE.COM").profile.email == "Straße@Example.com"
    boris = people.boris()
    assert kind_of(accounts.update, boris.id, email="STRASSE@example.com") is taken
    assert kind_of(accounts.update, boris.id, username="ЁЛКА") is taken
    assert accounts.profile(boris.id) == boris
    assert accounts.update(boris.id, email=BORIS.upper(), username="BORIS").email == BORIS.upper()


def test_one_changes_only_what_one_names(people: People) -> None:
    anna = people.anna()
    accounts = people.members.accounts
    assert accounts.update(anna.id) == anna
    assert accounts.update(anna.id, username="Anna K.").email == ANNA
    changed = accounts.update(anna.id, email="new@example.com", password=OTHER_PASSWORD)
    assert (changed.email, changed.username) == ("new@example.com", "Anna K.")
    assert people.sign_in("new@example.com", OTHER_PASSWORD).profile == changed
    assert kind_of(people.sign_in, "new@example.com", PASSWORD) is ErrorKind.UNAUTHORIZED
    # All or nothing: a bad password leaves the good name alone.
    assert kind_of(accounts.update, anna.id, username="X", password="short") is ErrorKind.VALIDATION
    assert accounts.profile(anna.id) == changed


def test_nobody_makes_himself_what_he_is_not(people: People) -> None:
    """Mass assignment: no verb of one's own takes a role, an id or the flag."""
    accounts = people.members.accounts
    for verb in (accounts.sign_up, accounts.update):
        assert not {"is_admin", "is_active", "id", "is_local"} & set(signature(verb).parameters)
    people.anna()
    boris = people.boris()
    accounts.update(boris.id, username="boris2")
    assert not accounts.profile(boris.id).is_admin


def test_an_account_that_is_not_there_is_not_found(people_on_both: People) -> None:
    people = people_on_both
    accounts = people.members.accounts
    for nobody in (0, -1, NOBODY, 2**63, 10**30):
        assert kind_of(accounts.profile, nobody) is ErrorKind.NOT_FOUND, nobody
        assert kind_of(accounts.update, nobody, username="x") is ErrorKind.NOT_FOUND, nobody


def test_what_cannot_be_taken_is_refused_and_nothing_is_stored(people: People) -> None:
    sign_up = people.members.accounts.sign_up
    for email, username, password in (
        ("", "a", PASSWORD),
        ("no-at", "a", PASSWORD),
        ("a@b@c", "a", PASSWORD),
        ("a b@example.com", "a", PASSWORD),
        ("a@example.com\r\nBcc: x@y", "a", PASSWORD),
        (".a@example.com", "a", PASSWORD),
        ("a@" + "x" * 300, "a", PASSWORD),
        ("\ufdfa" * 100 + "@example.com", "a", PASSWORD),
        ("a@example.com", " \t ", PASSWORD),
        ("a@example.com", "<script>", PASSWORD),
        ("a@example.com", "#7", PASSWORD),
        ("a@example.com", "Local", PASSWORD),
        ("a@example.com", "a" * 151, PASSWORD),
        ("a@example.com", "\ufdfa" * 150, PASSWORD),
        ("a@example.com", "a", "short"),
        ("a@example.com", "a", "x" * 1_001),
        ("a@example.com", "a", "A@EXAMPLE.com"),
        ("a@example.com", "long username", "Long Username"),
        ("a@example.com", "a", "        "),
    ):
        found = kind_of(sign_up, email, username, password)
        assert found is ErrorKind.VALIDATION, (email, username, password)
    assert people.anna().is_admin, "an account was stored before"


def test_what_is_typed_becomes_something_every_database_takes(people_on_both: People) -> None:
    people = people_on_both
    profile = people.members.accounts.sign_up(" a\x00@example.com ", "  Анна \n К. ", "пароль\x00 из слов")
    assert (profile.email, profile.username) == ("a@example.com", "Анна К.")
    # The same password from a keyboard that composes its letters otherwise.
    people.members.accounts.update(profile.id, password="Cafe\u0301 Noir 42")
    assert people.sign_in("a@example.com", "Café Noir 42")


def test_administrators_manage_others_and_nobody_else_does(people_on_both: People) -> None:
    people = people_on_both
    anna, boris = people.anna(), people.boris()
    boss, staff = people.members.administration, people.sign_in(BORIS)
    assert [one.id for one in boss.list(anna.account)] == [anna.id, boris.id]
    for call in (
        boss.list,
        lambda who: boss.add(who, "c@example.com", "c", PASSWORD),
        lambda who: boss.set_admin(who, boris.id, True),
        lambda who: boss.set_active(who, anna.id, False),
        lambda who: boss.set_password(who, anna.id, OTHER_PASSWORD),
    ):
        assert kind_of(call, boris.account) is ErrorKind.FORBIDDEN
    assert not boss.set_active(anna.account, boris.id, False).is_active
    assert kind_of(people.members.sessions.identify, staff.secret) is ErrorKind.UNAUTHORIZED
    assert kind_of(people.sign_in, BORIS) is ErrorKind.FORBIDDEN, "the password was right"
    assert kind_of(people.sign_in, BORIS, OTHER_PASSWORD) is ErrorKind.UNAUTHORIZED
    boss.set_active(anna.account, boris.id, True)
    again = people.sign_in(BORIS)
    boss.set_password(anna.account, boris.id, OTHER_PASSWORD)
    assert kind_of(people.members.sessions.identify, again.secret) is ErrorKind.UNAUTHORIZED
    assert people.sign_in(BORIS, OTHER_PASSWORD).profile.id == boris.id
    assert kind_of(boss.set_admin, anna.account, NOBODY, True) is ErrorKind.NOT_FOUND
    assert {"secret", "password_hash"}.isdisjoint(field.name for field in fields(Profile))


def test_there_is_always_an_administrator(people: People) -> None:
    anna, boris = people.anna(), people.boris()
    boss = people.members.administration
    assert kind_of(boss.set_admin, anna.account, anna.id, False) is ErrorKind.VALIDATION
    assert kind_of(boss.set_active, anna.account, anna.id, False) is ErrorKind.VALIDATION
    boss.set_admin(anna.account, boris.id, True)
    assert not boss.set_admin(anna.account, anna.id, False).is_admin
    assert kind_of(boss.set_admin, boris.account, boris.id, False) is ErrorKind.FORBIDDEN, "an old role"


def test_accounts_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIHUB_DATABASE_URL", sqlite_url(tmp_path))

    command = [sys.executable, "-W", "error", "-m", "core.accounts.people", "add", ANNA, "Anna"]
    added = subprocess.run(command, input=f"{PASSWORD}\n", capture_output=True, text=True, check=False)
    assert (added.returncode, "administrator" in added.stdout) == (0, True), added.stderr
    assert PASSWORD not in added.stdout + added.stderr
    monkeypatch.setattr(sys, "argv", ["people", "add", ANNA, "Anna"])
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main() == 1
    assert "Traceback" not in capsys.readouterr().err
    assert run(Settings(), ["add", BORIS, "boris", "admin"], PASSWORD).is_admin
    run(Settings(), ["password", ANNA.lower()], OTHER_PASSWORD)
    with pytest.raises(ValueError, match="add EMAIL"):
        run(Settings(), ["forget", ANNA], PASSWORD)
    unit = UnitOfWork(open_engine(Settings().sqlalchemy_url))
    assert People(unit, tmp_path).sign_in(ANNA, OTHER_PASSWORD).profile.is_admin
    unit.close()


def test_an_older_database_keeps_its_local_account_and_all_that_hangs_on_it(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR))
    before = ScriptDirectory.from_config(config).get_revision("0007").down_revision
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, str(before))
        connection.execute(
            text(
                "INSERT INTO users (id, username, email, is_admin, is_active, created_at) VALUES "
                f"(1, 'local', NULL, true, true, '{now}'), (2, 'Ёлка', 'Old@Example.com', false, true, '{now}')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO threads (uuid, user_id, title, provider, model, created_at, updated_at, last_message_at) "
                f"VALUES ('u', 1, 't', 'demo', 'm', '{now}', '{now}', '{now}')"
            )
        )
        connection.commit()
    upgrade(engine)
    unit = UnitOfWork(engine)
    people = People(unit, tmp_path)
    assert people.members.accounts.local_account() == Account(1, "local", True)
    with unit.read() as session:
        assert session.execute(text("SELECT count(*) FROM threads")).scalar() == 1
    taken = kind_of(people.members.accounts.sign_up, "OLD@example.com", "new", PASSWORD)
    assert taken is ErrorKind.VALIDATION
    assert people.anna().id == 1
    assert people.sign_in(visitor=HERE).profile.is_admin
    unit.close()
