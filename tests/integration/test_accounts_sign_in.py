"""Signing in: passwords kept as argon2id, guessing made slow, and nothing told about who has an account."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from core.accounts.passwords import Passwords
from core.accounts.tables import SignInAttempts, User
from core.accounts.throttle import ACCOUNT, ADDRESS, Rule, Throttle, of_account, of_address
from core.accounts.types import Visitor
from core.errors import AppError, ErrorKind
from core.i18n import LANGUAGES
from core.store.engine import open_engine
from core.store.unit_of_work import UnitOfWork
from tests.support.databases import sqlite_url
from tests.support.members import (
    ANNA,
    BORIS,
    OTHER_PASSWORD,
    PASSWORD,
    Clock,
    People,
    fast_passwords,
    kind_of,
)

WRONG, SLOW = ErrorKind.UNAUTHORIZED, ErrorKind.RATE_LIMIT


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
    made.anna()
    yield made
    unit.close()


def stored_hash(people: People) -> str:
    with people.unit.read() as session:
        return session.scalars(select(User.password_hash)).one() or ""


def guess(people: People, times: int, email: str = ANNA, **where: str) -> list[ErrorKind | None]:
    visitor = Visitor(**where)
    return [kind_of(people.sign_in, email, "a wrong guess", visitor) for _ in range(times)]


def test_a_password_is_kept_as_argon2id_and_never_as_itself(people: People) -> None:
    kept = stored_hash(people)
    assert kept.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert PASSWORD not in kept
    assert PasswordHasher().verify(kept, PASSWORD)
    signed_in = people.sign_in()
    for secret in (signed_in.secret, signed_in.access_token, signed_in.csrf_token, kept):
        assert secret not in repr(signed_in)


def test_a_hash_with_old_parameters_is_made_anew_at_sign_in(people_on_both: People) -> None:
    people = people_on_both
    kept = stored_hash(people)
    people.sign_in()
    assert stored_hash(people) == kept, "nothing had changed"
    stronger = people.another_process(passwords=fast_passwords(time_cost=2))
    assert kind_of(stronger.sign_in.sign_in, ANNA, "a wrong guess") is WRONG
    assert stored_hash(people) == kept, "only the right password can be hashed anew"
    stronger.sign_in.sign_in(ANNA, PASSWORD)
    assert "t=2" in stored_hash(people)
    assert people.sign_in().profile.email == ANNA


def test_a_stored_hash_that_is_none_opens_nothing(people: People) -> None:
    for damaged in ("", "plain", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$", None):
        with people.unit.write() as session:
            session.execute(update(User).values(password_hash=damaged))
            session.execute(update(SignInAttempts).values(failures=0, blocked_until=None))
        for password in ("", PASSWORD, "plain"):
            assert kind_of(people.sign_in, ANNA, password) is WRONG, (damaged, password)


def test_an_unknown_address_is_answered_as_a_wrong_password_is(people: People) -> None:
    answers = set()
    for email, password in ((ANNA, "a wrong guess"), ("nobody@example.com", PASSWORD), ("' OR 1=1 --", "x")):
        with pytest.raises(AppError) as raised:
            people.sign_in(email, password)
        answers.add((raised.value.kind, *(raised.value.text(language) for language in LANGUAGES)))
    assert len(answers) == 1
    assert guess(people, 8, "nobody@example.com") == guess(people, 8, ANNA), "the delays tell nothing either"


def test_an_unknown_address_costs_the_same_work(people: People) -> None:
    """One hash or one verification with the same parameters each, whoever is asked for."""
    work: list[str] = []

    class Counting(Passwords):
        def hash(self, password: str) -> str:
            work.append("argon2")
            return super().hash(password)

        def verify(self, encoded: str | None, password: str) -> bool:
            work.extend(["argon2"] if encoded else [])
            return super().verify(encoded, password)

    counting = people.another_process(passwords=Counting(time_cost=1, memory_kib=8, lanes=1))
    for email in (ANNA, "nobody@example.com"):
        work.clear()
        assert kind_of(counting.sign_in.sign_in, email, "a wrong guess") is WRONG
        assert work == ["argon2"], email


def test_delays_grow_and_end_in_a_lock_that_ends(people: People) -> None:
    assert guess(people, ACCOUNT.free + 2) == [WRONG] * (ACCOUNT.free + 1) + [SLOW]
    waited = []
    for _ in range(8):
        with pytest.raises(AppError) as raised:
            people.sign_in()
        assert raised.value.kind is SLOW, "the right password does not help meanwhile"
        waited.append(int(raised.value.params["seconds"]))
        people.clock.pass_time(seconds=waited[-1])
        assert guess(people, 1) == [WRONG]
    assert waited == [1, 2, 4, 8, 16, 32, 900, 900]
    people.clock.pass_time(minutes=15)
    people.sign_in()
    assert guess(people, ACCOUNT.free + 1) == [WRONG] * (ACCOUNT.free + 1), "the count starts anew"


def test_failures_count_over_processes_and_are_forgotten_after_a_day(people_on_both: People) -> None:
    people = people_on_both
    other = people.another_process()
    guess(people, ACCOUNT.free)
    assert kind_of(other.sign_in.sign_in, ANNA, "a wrong guess") is WRONG
    assert kind_of(other.sign_in.sign_in, ANNA, PASSWORD) is SLOW
    people.clock.pass_time(days=1, seconds=1)
    assert guess(people, ACCOUNT.free) == [WRONG] * ACCOUNT.free
    with people.unit.read() as session:
        keys = session.scalars(select(SignInAttempts.key)).all()
    assert not any(ANNA.lower() in key for key in keys), "what was typed is not kept"


def test_many_guesses_at_once_get_no_further_than_one_after_the_other(people_on_both: People) -> None:
    people = people_on_both
    with ThreadPoolExecutor(8) as pool:
        answers = [one for some in pool.map(lambda _: guess(people, 3), range(8)) for one in some]
    assert answers.count(WRONG) == ACCOUNT.free + 1
    assert answers.count(SLOW) == 24 - ACCOUNT.free - 1


def test_one_address_cannot_try_its_password_on_everybody(people: People) -> None:
    people.boris()
    answers = [
        guess(people, 1, f"p{n}@example.com", address=f"2001:db8::{n}")[0] for n in range(ADDRESS.free + 2)
    ]
    assert answers == [WRONG] * (ADDRESS.free + 1) + [SLOW], "one customer has a whole /64 to himself"
    assert kind_of(people.sign_in, BORIS, PASSWORD, Visitor("2001:db8::ffff")) is SLOW
    assert people.sign_in(BORIS, PASSWORD, Visitor("2001:db8:0:1::1")).profile.email == BORIS
    # One's own account does not wash the address clean.
    people.clock.pass_time(seconds=1)
    people.sign_in(BORIS, PASSWORD, Visitor("2001:db8::1"))
    assert guess(people, 2, "next@example.com", address="2001:db8::2") == [WRONG, SLOW]


def test_asking_for_the_password_again_locks_nobody_out(people: People) -> None:
    accounts, anna = people.members.accounts, people.sign_in().profile.id
    accounts.confirm(anna, PASSWORD)
    wrong = [kind_of(accounts.confirm, anna, "a wrong guess") for _ in range(ACCOUNT.free + 2)]
    assert wrong == [ErrorKind.FORBIDDEN] * (ACCOUNT.free + 1) + [SLOW]
    assert people.sign_in().profile.id == anna


def test_a_password_changed_while_the_old_one_is_verified_wins(people: People) -> None:
    accounts = people.members.accounts
    anna = people.sign_in().profile.id

    class Changing(Passwords):
        def verify(self, encoded: str | None, password: str) -> bool:
            right = super().verify(encoded, password)
            accounts.update(anna, password=OTHER_PASSWORD)
            return right

    slow = people.another_process(passwords=Changing(time_cost=1, memory_kib=8, lanes=1))
    assert kind_of(slow.sign_in.sign_in, ANNA, PASSWORD) is WRONG
    assert people.members.sessions.list(anna) == ()


def test_mischief_in_the_form_is_a_wrong_password(people_on_both: People) -> None:
    people = people_on_both
    huge = "x" * 3_000_000
    for email, password in (
        (huge, huge),
        ("\x00", "\x00"),
        ("\ud800", "\ud800"),
        (ANNA, PASSWORD + "\ud800"),
    ):
        assert kind_of(people.sign_in, email, password, Visitor("not an address\r\n", huge)) is WRONG
    session = people.sign_in(visitor=Visitor("192.0.2.1", "Agent\r\nSet-Cookie: x\x00" + huge)).session
    assert "\n" not in session.user_agent
    assert len(session.user_agent) <= 200


@given(st.integers(0, 200), st.builds(Rule, st.integers(0, 50), st.integers(1, 100), st.booleans()))
@settings(max_examples=100, deadline=None)
def test_a_wait_never_shrinks_and_never_passes_the_lock(failures: int, rule: Rule) -> None:
    assert timedelta(0) <= rule.wait(failures) <= rule.wait(failures + 1) <= rule.lock


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60))
@example([0] * 60)
@example([60] * 60)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_rhythm_an_hour_gives_few_guesses(tmp_path: Path, pauses: list[int]) -> None:
    clock = Clock()
    unit = UnitOfWork(open_engine(sqlite_url(tmp_path)))
    throttle, counters = Throttle(unit, clock), (of_account(str(clock.now)), of_address("::1"))
    with unit.write() as session:
        session.execute(update(SignInAttempts).values(failures=0, blocked_until=None))
    let_through = []
    for pause in pauses:
        clock.pass_time(seconds=pause)
        if kind_of(throttle.attempt, counters) is None:
            let_through.append(clock.now)
    unit.close()
    for start in let_through:
        within = [moment for moment in let_through if start <= moment < start + timedelta(hours=1)]
        assert len(within) <= ACCOUNT.lock_at + 4, "twelve, and one each quarter of an hour"
