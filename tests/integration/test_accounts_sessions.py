"""Sessions, their JWTs and CSRF tokens, and personal API tokens: what opens, until when, and what does not."""

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, update

from core.accounts.session_tokens import SessionTokens
from core.accounts.tables import ApiToken, User, UserSession
from core.accounts.tokens import is_token
from core.accounts.types import Scope, SignedIn, Visitor
from core.accounts.vault import Vault
from core.config import Settings
from core.errors import ErrorKind
from core.store.engine import open_engine
from core.store.unit_of_work import UnitOfWork
from tests.support.databases import sqlite_url
from tests.support.members import ANNA, BORIS, OTHER_PASSWORD, PASSWORD, People, kind_of

OUT = ErrorKind.UNAUTHORIZED
PHRASE, NEXT_PHRASE = "a phrase of enough letters", "the next phrase of letters"


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
    made.boris()
    yield made
    unit.close()


def claims_of(signed_in: SignedIn) -> dict[str, Any]:
    return jwt.decode(signed_in.access_token, options={"verify_signature": False})


def by_hand(header: dict[str, Any], claims: dict[str, Any], signature: Callable[[bytes], bytes]) -> str:
    """A JWT as somebody writes it who asks no library."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    parts.append(base64.urlsafe_b64encode(signature(b".".join(parts))).rstrip(b"="))
    return b".".join(parts).decode()


def writes(people: People) -> list[str]:
    """What is written from now on."""
    found: list[str] = []
    engine = people.unit._engine

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("UPDATE", "INSERT", "DELETE")):
            found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    return found


def test_a_session_opens_by_its_id_and_by_its_jwt(people_on_both: People) -> None:
    people = people_on_both
    signed_in = people.sign_in()
    sessions = people.another_process().sessions
    by_id, by_jwt = sessions.identify(signed_in.secret), sessions.identify_jwt(signed_in.access_token)
    assert by_id == by_jwt
    assert (by_id.account, by_id.session_id) == (signed_in.profile.account, signed_in.session.id)
    assert by_id.scopes == frozenset(Scope)
    claims = claims_of(signed_in)
    assert jwt.get_unverified_header(signed_in.access_token)["alg"] == "HS256"
    assert (claims["sub"], claims["sid"]) == (str(signed_in.profile.id), signed_in.session.id)
    assert claims["exp"] - claims["iat"] == 24 * 3600
    # Neither the name of a session nor its JWT is its id, and nothing stored is.
    for wrong in (
        signed_in.session.id,
        signed_in.access_token,
        "",
        "x",
        signed_in.secret + "x",
        "\x00\ud800",
    ):
        assert kind_of(sessions.identify, wrong) is OUT
    for wrong in (signed_in.secret, signed_in.session.id, "", "a.b.c", "\x00\ud800", "ё.ё.ё"):
        assert kind_of(sessions.identify_jwt, wrong) is OUT
    with people.unit.read() as session:
        for row in session.scalars(select(UserSession)):
            assert signed_in.secret not in (row.id, row.secret_hash)
            assert kind_of(sessions.identify, row.secret_hash) is OUT


def test_a_jwt_that_we_did_not_sign_opens_nothing(people_on_both: People) -> None:
    people = people_on_both
    signed_in = people.sign_in()
    claims, sessions = claims_of(signed_in), people.members.sessions
    vault = Vault(Settings(data_dir=people.folder))
    right, other = vault.signing_keys("session JWT")[0], vault.signing_keys("CSRF token")[0]
    signed = by_hand({"alg": "HS256"}, claims, lambda text: hmac.digest(right, text, "sha256"))
    assert sessions.identify_jwt(signed), "the key is the right one"
    file_key = base64.urlsafe_b64decode((people.folder / "vault.key").read_bytes().split()[0])
    forged = [
        by_hand({"alg": "none", "typ": "JWT"}, claims, lambda _: b""),
        by_hand({"alg": "None"}, claims, lambda _: b""),
        by_hand({"alg": "HS256"}, claims, lambda _: b""),
        by_hand({"alg": "HS512"}, claims, lambda text: hmac.digest(right, text, "sha512")),
        by_hand({"alg": "none"}, claims, lambda text: hmac.digest(right, text, "sha256")),
        jwt.encode(claims, other, "HS256"),
        jwt.encode(claims, file_key, "HS256"),
        jwt.encode(claims, b"x" * 32, "HS256"),
        jwt.encode({**claims, "exp": claims["iat"] - 10}, right, "HS256"),
        *(jwt.encode({k: v for k, v in claims.items() if k != gone}, right, "HS256") for gone in claims),
        jwt.encode({**claims, "sub": str(people.sign_in(BORIS).profile.id)}, right, "HS256"),
        jwt.encode({**claims, "sub": "1" * 5_000}, right, "HS256"),
        jwt.encode({**claims, "sub": f"{2**63}"}, right, "HS256"),
        jwt.encode({**claims, "sid": "0" * 32}, right, "HS256"),
        jwt.encode({**claims, "sid": {"a": 1}}, right, "HS256"),
        jwt.encode({**claims, "sid": "\x00"}, right, "HS256"),
    ]
    opened = [token for token in forged if kind_of(sessions.identify_jwt, token) is None]
    assert [jwt.decode(token, right, ["HS256"]) for token in opened] == [
        {name: value for name, value in claims.items() if name != "iat"}
    ], "`iat` is for people; everything else is held to"


def test_a_jwt_lives_no_longer_than_a_day_and_no_longer_than_its_session(people: People) -> None:
    people.clock.pass_time(days=-1, seconds=-5)
    old = people.sign_in()
    people.clock.pass_time(days=1, seconds=5)
    sessions = people.members.sessions
    assert kind_of(sessions.identify_jwt, old.access_token) is OUT
    assert sessions.identify(old.secret).session_id == old.session.id
    one, two = people.sign_in(), people.sign_in()
    people.another_process().sessions.revoke(one.profile.id, one.session.id)
    assert kind_of(sessions.identify_jwt, one.access_token) is OUT, "revoked in another process"
    assert kind_of(sessions.identify, one.secret) is OUT
    assert sessions.identify_jwt(two.access_token)
    with people.unit.write() as session:
        session.execute(update(User).values(is_active=False))
    assert kind_of(sessions.identify_jwt, two.access_token) is OUT
    assert kind_of(sessions.identify, two.secret) is OUT


def test_sessions_are_listed_and_revoked_by_their_owner_only(people_on_both: People) -> None:
    people = people_on_both
    sessions = people.members.sessions
    first = people.sign_in(visitor=Visitor("192.0.2.1", "Firefox"))
    people.clock.pass_time(seconds=1)
    second = people.sign_in(visitor=Visitor("192.0.2.2", "Chrome"))
    theirs = people.sign_in(BORIS)
    anna = first.profile.id
    assert [(one.address, one.user_agent) for one in sessions.list(anna)] == [
        ("192.0.2.2", "Chrome"),
        ("192.0.2.1", "Firefox"),
    ]
    for not_mine in (theirs.session.id, "0" * 32, "", "\x00", first.secret):
        assert kind_of(sessions.revoke, anna, not_mine) is ErrorKind.NOT_FOUND
    assert sessions.identify(theirs.secret).account.username == "boris"
    assert sessions.revoke_others(anna, second.session.id) == 1
    assert [one.id for one in sessions.list(anna)] == [second.session.id]
    sessions.revoke(anna, second.session.id)
    assert kind_of(sessions.revoke, anna, second.session.id) is ErrorKind.NOT_FOUND
    assert sessions.list(anna) == ()


def test_a_new_password_signs_out_every_other_session(people: People) -> None:
    here, there, theirs = people.sign_in(), people.sign_in(), people.sign_in(BORIS)
    token = people.members.tokens.create(here.profile.id, "script")
    sessions = people.members.sessions
    people.members.accounts.update(here.profile.id, username="Anna 2", keep_session=here.session.id)
    assert sessions.identify(there.secret), "only a password signs out"
    people.members.accounts.update(here.profile.id, password=OTHER_PASSWORD, keep_session=here.session.id)
    assert sessions.identify(here.secret)
    assert sessions.identify_jwt(here.access_token)
    assert kind_of(sessions.identify, there.secret) is OUT
    assert kind_of(sessions.identify_jwt, there.access_token) is OUT
    assert sessions.identify(theirs.secret)
    assert people.members.tokens.identify(token.secret)


def test_a_session_ends_when_unused_and_in_any_case_after_ninety_days(people: People) -> None:
    used, unused = people.sign_in(), people.sign_in()
    sessions = people.members.sessions
    for _ in range(6):
        people.clock.pass_time(days=13)
        assert sessions.identify(used.secret)
        if people.clock.now - used.session.created_at > timedelta(days=14):
            assert kind_of(sessions.identify, unused.secret) is OUT
    people.clock.pass_time(days=12)
    assert kind_of(sessions.identify, used.secret) is OUT
    assert sessions.list(used.profile.id) == ()
    people.sign_in(BORIS)
    with people.unit.read() as session:
        assert len(session.scalars(select(UserSession.id)).all()) == 1, "what ended is swept away"


def test_what_was_last_seen_is_written_once_a_minute(people_on_both: People) -> None:
    people = people_on_both
    signed_in = people.sign_in()
    token = people.members.tokens.create(signed_in.profile.id, "script")
    people.members.tokens.identify(token.secret)
    found = writes(people)
    for _ in range(5):
        people.members.sessions.identify(signed_in.secret)
        people.members.sessions.identify_jwt(signed_in.access_token)
        people.members.tokens.identify(token.secret)
    assert found == []
    people.clock.pass_time(minutes=1)
    for _ in range(5):
        people.members.sessions.identify(signed_in.secret)
        people.members.tokens.identify(token.secret)
    assert len(found) == 2
    assert people.members.sessions.list(signed_in.profile.id)[0].last_seen_at == people.clock.now
    assert people.members.tokens.list(signed_in.profile.id)[0].last_used_at == people.clock.now


def test_a_csrf_token_belongs_to_one_session(people: People) -> None:
    one, two = people.sign_in(), people.sign_in()
    sessions = people.members.sessions
    mine = sessions.identify(one.secret)
    assert sessions.csrf_token(mine) == one.csrf_token
    people.another_process().sessions.check_csrf(mine, one.csrf_token)
    wrong = [None, "", "x", "ё", "\ud800", two.csrf_token, one.secret, one.session.id, one.csrf_token + "x"]
    assert {kind_of(sessions.check_csrf, mine, token) for token in wrong} == {ErrorKind.FORBIDDEN}
    token = people.members.tokens.create(one.profile.id, "script")
    by_token = people.members.tokens.identify(token.secret)
    assert kind_of(sessions.check_csrf, by_token, "") is ErrorKind.FORBIDDEN


def test_a_secret_key_signs_and_the_one_before_it_still_opens(people: People) -> None:
    def sessions(phrases: str) -> Any:
        key = {"AIHUB_DATA_DIR": people.folder, "secret_key": phrases}
        vault = Vault(Settings(**key))
        return SessionTokens(vault)

    now = people.clock.now
    old = sessions(PHRASE).issue(1, "s", now, now + timedelta(hours=1))
    both = sessions(f"{NEXT_PHRASE},{PHRASE}")
    assert both.read(old) is not None
    new = both.issue(1, "s", now, now + timedelta(hours=1))
    assert sessions(NEXT_PHRASE).read(new) is not None
    assert sessions(NEXT_PHRASE).read(old) is None
    assert both.is_csrf("s", sessions(PHRASE).csrf("s"))


def test_derived_keys_are_none_of_those_that_seal(tmp_path: Path) -> None:
    fernet = Fernet.generate_key().decode()
    vault = Vault(Settings(data_dir=tmp_path, secret_key=fernet))  # pyright: ignore[reportArgumentType]
    keys = {vault.signing_keys(purpose)[0] for purpose in ("session JWT", "CSRF token")}
    keys.add(base64.urlsafe_b64decode(fernet))
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}
    assert not (tmp_path / "vault.key").exists(), "AIHUB_SECRET_KEY needs no file"


def test_a_personal_token_is_shown_once_and_kept_as_a_hash(people: People) -> None:
    tokens, anna = people.members.tokens, people.sign_in().profile
    made = tokens.create(anna.id, "  CI of\nthe reports ", [Scope.CHAT, "read"], expires_in_days=30)
    assert is_token(made.secret)
    assert not is_token(people.sign_in().access_token)
    assert made.secret not in repr(made)
    assert (made.info.name, made.info.scopes) == ("CI of the reports", {Scope.CHAT, Scope.READ})
    assert made.info.expires_at == people.clock.now + timedelta(days=30)
    assert tokens.list(anna.id) == (made.info,)
    assert made.secret.startswith(made.info.hint)
    assert len(made.info.hint) == 10
    identity = tokens.identify(made.secret)
    assert (identity.account, identity.session_id) == (anna.account, None)
    identity.require(Scope.CHAT)
    assert kind_of(identity.require, Scope.WRITE) is ErrorKind.FORBIDDEN
    with people.unit.read() as session:
        row = session.scalars(select(ApiToken)).one()
        assert made.secret not in (row.name, row.hint, row.secret_hash)
        assert kind_of(tokens.identify, row.secret_hash) is OUT
    assert Scope.ACCOUNT not in tokens.create(anna.id, "usual").info.scopes


def test_a_token_ends_and_is_revoked_by_its_owner_only(people_on_both: People) -> None:
    people = people_on_both
    tokens, anna, boris = people.members.tokens, people.sign_in().profile, people.sign_in(BORIS).profile
    short, long = tokens.create(boris.id, "short", expires_in_days=1), tokens.create(boris.id, "long")
    assert anna.is_admin
    assert tokens.list(anna.id) == (), "an administrator reads nobody's tokens"
    for not_mine in (short.info.id, 0, -1, 2**63, 10**30, 999_999):
        assert kind_of(tokens.revoke, anna.id, not_mine) is ErrorKind.NOT_FOUND
    people.clock.pass_time(days=1)
    assert kind_of(tokens.identify, short.secret) is OUT
    assert tokens.identify(long.secret).account == boris.account
    people.another_process().tokens.revoke(boris.id, long.info.id)
    assert kind_of(tokens.identify, long.secret) is OUT
    assert [one.name for one in tokens.list(boris.id)] == ["short"]
    third = tokens.create(boris.id, "third")
    people.members.administration.set_active(anna.account, boris.id, False)
    assert kind_of(tokens.identify, third.secret) is OUT
    for wrong in ("", "aihub_", third.info.hint, third.secret.upper(), "\x00\ud800"):
        assert kind_of(tokens.identify, wrong) is OUT


def test_a_token_that_makes_no_sense_is_refused(people: People) -> None:
    tokens, anna = people.members.tokens, people.sign_in().profile.id
    for name, scopes, days in (
        ("", ["chat"], None),
        ("x" * 101, ["chat"], None),
        ("x", [], None),
        ("x", ["root"], None),
        ("x", ["chat"], 0),
        ("x", ["chat"], -1),
        ("x", ["chat"], 10**9),
    ):
        assert kind_of(tokens.create, anna, name, scopes, days) is ErrorKind.VALIDATION, (name, scopes, days)
    assert kind_of(tokens.create, 999_999, "x") is ErrorKind.NOT_FOUND
    assert tokens.list(anna) == ()


@cache
def _tokens() -> SessionTokens:
    return SessionTokens(Vault(Settings(secret_key=Fernet.generate_key().decode())))  # pyright: ignore[reportArgumentType]


@given(st.integers(1, 10**12), st.text(min_size=1, max_size=32), st.integers(0, 10_000), st.integers(1, 63))
@settings(max_examples=150, deadline=None)
def test_a_jwt_with_any_letter_changed_is_not_ours(user_id: int, name: str, place: int, shift: int) -> None:
    now = datetime.now(UTC)
    token = _tokens().issue(user_id, name, now, now + timedelta(hours=1))
    claim = _tokens().read(token)
    assert claim is not None
    assert (claim.user_id, claim.session_id) == (user_id, name)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # The last letter of a part holds bits that mean nothing; any other is part of what was signed, or of the signature.
    meaning = [n for n, char in enumerate(token) if char != "." and token[n + 1 : n + 2] not in ("", ".")]
    at = meaning[place % len(meaning)]
    changed = alphabet[(alphabet.index(token[at]) + shift) % 64]
    assert _tokens().read(token[:at] + changed + token[at + 1 :]) is None


def test_sign_in_needs_the_right_one_of_two(people: People) -> None:
    assert kind_of(people.sign_in, BORIS, OTHER_PASSWORD) is OUT
    assert kind_of(people.sign_in, ANNA, "") is OUT
    assert people.sign_in(ANNA, PASSWORD).profile.username == "Anna"
