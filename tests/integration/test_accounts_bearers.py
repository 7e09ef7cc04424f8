"""Who a Bearer value belongs to is remembered for a moment, and forgotten at once by whatever ends it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from core.accounts.types import Account, SignedIn
from core.errors import ErrorKind
from core.store.engine import open_engine
from core.store.unit_of_work import UnitOfWork
from tests.support.members import ANNA, BORIS, OTHER_PASSWORD, PASSWORD, People, kind_of

End = Callable[[People, SignedIn, int], object]


def _admin(people: People) -> Account:
    profile = people.sign_in(ANNA).profile
    return Account(profile.id, profile.username, is_admin=True)


ENDS: dict[str, End] = {
    "sign-out": lambda people, her, _: people.members.sessions.revoke(her.profile.id, her.session.id),
    "sign-out elsewhere": lambda people, her, _: people.members.sessions.revoke_others(her.profile.id, None),
    "another password": lambda people, her, _: people.members.accounts.update(
        her.profile.id, password=OTHER_PASSWORD
    ),
    "a password set for her": lambda people, her, _: people.members.administration.set_password(
        _admin(people), her.profile.id, OTHER_PASSWORD
    ),
    "an account switched off": lambda people, her, _: people.members.administration.set_active(
        _admin(people), her.profile.id, is_active=False
    ),
}
TOKEN_ENDS: dict[str, End] = {
    "revocation": lambda people, her, token: people.members.tokens.revoke(her.profile.id, token),
    "an account switched off": ENDS["an account switched off"],
}


@pytest.fixture
def people(database_url: str, tmp_path: Path) -> Iterator[People]:
    unit = UnitOfWork(open_engine(database_url))
    made = People(unit, tmp_path)
    # Long enough that nothing is forgotten just because time passes.
    made.members = made.another_process(remembered_seconds=60)
    made.anna()
    made.boris()
    yield made
    unit.close()


def test_a_session_that_ended_here_opens_nothing_at_once(people: People) -> None:
    bearers = people.members.bearers
    for name, end in ENDS.items():
        password = PASSWORD if kind_of(people.sign_in, BORIS, PASSWORD) is None else OTHER_PASSWORD
        his = people.sign_in(BORIS, password)
        assert bearers.get(his.access_token).session_id == his.session.id
        assert bearers.has(his.access_token)
        end(people, his, 0)
        assert kind_of(bearers.get, his.access_token) is ErrorKind.UNAUTHORIZED, name


def test_a_token_that_ended_here_opens_nothing_at_once(people: People) -> None:
    bearers, his = people.members.bearers, people.sign_in(BORIS)
    for name, end in TOKEN_ENDS.items():
        made = people.members.tokens.create(his.profile.id, "report")
        assert bearers.get(made.secret).account.id == his.profile.id
        end(people, his, made.info.id)
        assert kind_of(bearers.get, made.secret) is ErrorKind.UNAUTHORIZED, name


def test_who_lost_their_rights_has_none_at_once(people: People) -> None:
    administration, his = people.members.administration, people.sign_in(BORIS)
    administration.set_admin(_admin(people), his.profile.id, is_admin=True)
    assert people.members.bearers.get(his.access_token).account.is_admin
    administration.set_admin(_admin(people), his.profile.id, is_admin=False)
    assert not people.members.bearers.get(his.access_token).account.is_admin


def test_the_database_is_not_asked_again_within_the_moment(people: People) -> None:
    bearers, his = people.members.bearers, people.sign_in(BORIS)
    first = bearers.get(his.access_token)
    statements: list[str] = []
    with people.unit.read() as session:
        engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *asked: statements.append(asked[2]))
    assert bearers.get(his.access_token) == first
    assert statements == []
    assert people.members.sessions.identify_jwt(his.access_token) == first
    assert statements


def test_a_value_that_opens_nothing_is_not_remembered(people: People) -> None:
    bearers = people.members.bearers
    for value in ("", "x.y.z", "aihub_nothing", "\udcff", "a" * 10_000):
        assert kind_of(bearers.get, value) is ErrorKind.UNAUTHORIZED
        assert not bearers.has(value)
