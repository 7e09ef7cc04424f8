"""Keys that users add: stored sealed, sent to their own host only, seen by their owner only."""

import base64
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from core.accounts.keys import KeyService
from core.accounts.tables import ProviderKey, User
from core.accounts.types import KeyInfo
from core.accounts.vault import Vault
from core.config import Settings
from core.errors import AppError, ErrorKind
from core.providers.credentials import Credential
from core.services import Services, open_services
from core.store.engine import open_engine
from core.store.unit_of_work import UnitOfWork
from tests.fakes import gemini_server
from tests.fakes.gemini_server import GeminiServer
from tests.support.hub import KEY as ENVIRONMENT_KEY
from tests.support.hub import me, opened
from tests.support.people import ADMIN, admin, member

KEY = "AIzaMadeUpKey-0123456789-abcdefghijklmno"
MASKED = "AIzaMadeUp****mno"
OTHER_KEY = "AIzaAnother-9876543210-onmlkjihgfedcbazyx"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOBODY = 999_999


@dataclass
class Clock:
    """A time that stands still until a test moves it."""

    now: datetime = field(default=NOON)

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer() as running:
        yield running


@pytest.fixture
def services(database_url: str, tmp_path: Path, server: GeminiServer) -> Iterator[Services]:
    with opened(database_url, tmp_path, server.url) as made:
        yield made


def another_process(services: Services, **options: Any) -> KeyService:
    """The keys as another process on the same database sees them; it looks at every question."""
    vault = Vault(services.settings)
    return KeyService(
        services.unit, vault, services.registry, services.endpoints, **{"refresh_seconds": 0, **options}
    )


def second_user(services: Services) -> int:
    with services.unit.write() as session:
        user = User(username="second", email=None, is_admin=False, is_active=True, created_at=NOON)
        session.add(user)
        session.flush()
        return user.id


def add(services: Services, key: str = KEY, label: str = "Work", **more: Any) -> KeyInfo:
    return services.keys.add(admin(me(services)), "gemini", label, key, **more)


def used(services: Services, user_id: int | None = None, provider: str = "gemini") -> Credential:
    found = services.keys.credential(me(services) if user_id is None else user_id, provider)
    assert found is not None
    return found


def list_models(services: Services, user_id: int, provider: str = "gemini") -> None:
    """One real call through the SDK."""
    services.generation.portal.call(services.registry.models, provider, user_id)


def sent(server: GeminiServer) -> list[str]:
    """The keys that a server was sent."""
    return [request.headers["x-goog-api-key"] for request in server.requests]


def refused(act: Callable[[], object], kind: ErrorKind) -> AppError:
    with pytest.raises(AppError) as caught:
        act()
    assert caught.value.kind is kind
    assert KEY not in repr(caught.value)
    return caught.value


def tamper(services: Services, **values: Any) -> None:
    """What somebody who can edit the database could do."""
    with services.unit.write() as session:
        session.execute(update(ProviderKey).values(**values))


# --- adding and showing ---


def test_a_key_is_shown_masked_with_the_host_it_is_sent_to(services: Services, server: GeminiServer) -> None:
    assert services.keys.list(me(services)) == ()
    made = add(services)
    assert services.keys.list(me(services)) == (made,)
    assert (made.provider, made.label, made.masked, made.base_url) == ("gemini", "Work", MASKED, None)
    assert made.host == server.url.removeprefix("http://")
    assert made.is_active
    assert made.in_use
    assert (made.last_used_at, made.checked_at, made.check_error) == (None, None, None)


def test_a_key_without_a_name_is_named_after_its_provider(services: Services) -> None:
    assert add(services, label="  ").label == "Gemini"
    assert add(services, label=" two \n words ").label == "two words"


def test_a_key_is_readable_nowhere(
    services: Services, server: GeminiServer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level("DEBUG")
    server.listing = gemini_server.wrong_key()
    user = me(services)
    made = add(services, base_url=server.url)
    services.keys.note_check(user, made.id, None)
    list_models(services, user)
    services.keys.rename(user, made.id, "Home")
    route = services.registry.route("gemini", user)
    provider, credential = services.keys.credential_of(user, made.id)
    assert (provider, credential.api_key) == ("gemini", KEY)
    services.keys.rotate()
    shown = [
        repr(services),
        repr(route),
        repr(route.provider),
        repr(credential),
        repr(services.keys.list(user)),
    ]
    services.keys.delete(user, made.id)
    assert sent(server) == [KEY], "the real key was in use"
    for text in (*shown, caplog.text):
        assert KEY not in text
        assert ENVIRONMENT_KEY not in text
    services.unit.close()
    stored = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert stored
    assert not [path for path in stored if KEY.encode() in path.read_bytes()]


def test_the_row_holds_a_sealed_secret(services: Services) -> None:
    add(services)
    with services.unit.read() as session:
        row = session.scalars(select(ProviderKey)).one()
        values = [str(getattr(row, column.name)) for column in ProviderKey.__table__.columns]
    assert MASKED in values
    assert not [value for value in values if KEY in value]


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"key": "  "}, ErrorKind.VALIDATION, "empty"),
        ({"key": "two words"}, ErrorKind.WRONG_KEY, "“Work”"),
        ({"key": "ключ-из-букв"}, ErrorKind.WRONG_KEY, "“Work”"),
        ({"key": MASKED}, ErrorKind.VALIDATION, "masked"),
        ({"key": "k" * 8_001}, ErrorKind.WRONG_KEY, "too long"),
        ({"label": "x" * 101}, ErrorKind.VALIDATION, "too long"),
        ({"base_url": "localhost:1234"}, ErrorKind.VALIDATION, "localhost:1234"),
        ({"base_url": "https://me:secret@host.example"}, ErrorKind.VALIDATION, "before the @"),
        ({"base_url": "https://" + "h" * 300 + ".example"}, ErrorKind.VALIDATION, "too long"),
        ({"options": {"scope": "GIGACHAT_API_PERS"}}, ErrorKind.VALIDATION, "scope"),
        ({"provider": "nobody"}, ErrorKind.NOT_FOUND, "nobody"),
        ({"provider": "demo"}, ErrorKind.VALIDATION, "demo"),
        ({"provider": "local"}, ErrorKind.VALIDATION, "address"),
    ],
)
def test_what_cannot_be_a_key_is_refused_and_nothing_stored(
    services: Services, changes: dict[str, Any], kind: ErrorKind, said: str
) -> None:
    values: dict[str, Any] = {"provider": "gemini", "label": "Work", "key": KEY} | changes
    error = refused(lambda: services.keys.add(admin(me(services)), **values), kind)
    assert said in error.text()
    assert "secret" not in error.text()
    assert services.keys.list(me(services)) == ()


# --- whose key is used ---


def test_the_users_own_key_comes_before_the_environments(services: Services, server: GeminiServer) -> None:
    user, other = me(services), second_user(services)
    made = add(services)
    list_models(services, user)
    list_models(services, other)
    assert sent(server) == [KEY, ENVIRONMENT_KEY]
    own, shared = services.registry.route("gemini", user), services.registry.route("gemini", other)
    assert (own.key_id, shared.key_id) == (made.id, None)
    assert own.key_ref != shared.key_ref
    services.keys.set_active(user, made.id, False)
    assert services.registry.route("gemini", user).provider is shared.provider


def test_the_newest_active_key_is_in_use(services: Services) -> None:
    user = me(services)
    first, second = add(services, label="first"), add(services, OTHER_KEY, label="second")
    assert [key.in_use for key in services.keys.list(user)] == [False, True]
    assert used(services).api_key == OTHER_KEY
    assert not services.keys.set_active(user, second.id, False).in_use
    assert used(services).api_key == KEY
    assert services.keys.set_active(user, second.id, True).in_use
    assert not services.keys.rename(user, first.id, "other").in_use
    assert used(services).label == "second"


def test_a_key_of_ones_own_is_enough(database_url: str, tmp_path: Path) -> None:
    with opened(database_url, tmp_path) as services:
        user = me(services)
        assert [info.id for info in services.registry.infos(user)] == ["demo"]
        made = add(services)
        assert [info.id for info in services.registry.infos(user)] == ["gemini", "demo"]
        assert services.registry.default_id(user) == "gemini"
        assert services.registry.default_id() == "demo", "the workspace has none"
        services.keys.delete(user, made.id)
        error = refused(lambda: services.registry.route("gemini", user), ErrorKind.NO_KEY)
        assert "Models page" in error.text()


def test_another_users_key_is_not_found_as_one_that_does_not_exist(services: Services) -> None:
    made, stranger, keys = add(services), second_user(services), services.keys
    assert keys.list(stranger) == ()
    assert keys.credential(stranger, "gemini") is None
    for act in (
        lambda user, key: keys.rename(user, key, "mine"),
        lambda user, key: keys.replace(user, key, OTHER_KEY),
        lambda user, key: keys.set_active(user, key, False),
        keys.delete,
        keys.restore,
        lambda user, key: keys.note_check(user, key, None),
        keys.credential_of,
    ):
        errors = [
            refused(lambda: act(user, key), ErrorKind.NOT_FOUND)  # noqa: B023 - called at once
            for user, key in ((stranger, made.id), (me(services), NOBODY), (stranger, 2**70), (stranger, -1))
        ]
        assert len({(error.message, str(error.params)) for error in errors}) == 1
    assert keys.list(me(services)) == (made,)


def test_another_process_sees_a_change_when_it_next_looks(services: Services) -> None:
    user, elsewhere = me(services), another_process(services)
    made = add(services)
    found = elsewhere.credential(user, "gemini")
    assert found is not None
    assert found.api_key == KEY
    services.keys.replace(user, made.id, OTHER_KEY)
    found = elsewhere.credential(user, "gemini")
    assert found is not None
    assert found.api_key == OTHER_KEY
    services.keys.delete(user, made.id)
    assert elsewhere.credential(user, "gemini") is None


# --- a key stays at its host ---


def test_a_key_is_not_sent_to_another_address_of_its_provider(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    with opened(database_url, tmp_path, server.url) as services:
        add(services)
    with GeminiServer() as elsewhere, opened(database_url, tmp_path, elsewhere.url) as services:
        user = me(services)
        error = refused(lambda: list_models(services, user), ErrorKind.WRONG_KEY)
        old, new = (found.url.removeprefix("http://") for found in (server, elsewhere))
        assert error.text() == (
            f"The key “Work” was stored for {old}; Gemini is now at {new}. Add the key again to use it there."
        )
        assert "gemini" in [info.id for info in services.registry.infos(user)], (
            "it is there, and says why not"
        )
        assert services.registry.cached_models("gemini", user)
        assert elsewhere.requests == []
        add(services, label="Again")
        list_models(services, user)
        assert sent(elsewhere) == [KEY]


def test_a_key_of_https_is_not_sent_in_the_clear(services: Services) -> None:
    user, endpoints = me(services), services.endpoints
    server = endpoints.add(admin(user), "Far", "https://far.example/v1")
    made = services.keys.add(admin(user), server.provider_id, "Work", KEY)
    assert made.host == "far.example"
    for address in ("https://FAR.example.:443/v2", "https://far.example/"):
        endpoints.update(ADMIN, server.id, base_url=address)
        assert services.registry.route(server.provider_id, user).key_id == made.id
    for address in ("http://far.example/v1", "http://far.example:443/v1", "https://far.example:8443/v1"):
        endpoints.update(ADMIN, server.id, base_url=address)
        refused(lambda: services.registry.route(server.provider_id, user), ErrorKind.WRONG_KEY)


def test_a_key_with_an_address_of_its_own_goes_there(services: Services, server: GeminiServer) -> None:
    with GeminiServer() as gateway:
        made = add(services, base_url=f" {gateway.url}/ ")
        assert (made.base_url, made.host) == (gateway.url, gateway.url.removeprefix("http://"))
        list_models(services, me(services))
        assert sent(gateway) == [KEY]
    assert server.requests == []


@pytest.mark.parametrize("what", ["address", "host", "both"])
def test_whoever_edits_the_database_cannot_have_a_key_sent_elsewhere(services: Services, what: str) -> None:
    with GeminiServer() as theirs:
        host = theirs.url.removeprefix("http://")
        add(services)
        tamper(
            services,
            **({"base_url": theirs.url} if what != "host" else {}),
            **({"host": host} if what != "address" else {}),
        )
        services.keys.rename(me(services), services.keys.list(me(services))[0].id, "read anew")
        refused(lambda: list_models(services, me(services)), ErrorKind.WRONG_KEY)
        assert theirs.requests == []


def test_a_secret_moved_to_another_user_does_not_open(services: Services) -> None:
    stranger = second_user(services)
    add(services)
    tamper(services, user_id=stranger)
    error = refused(lambda: services.keys.credential(stranger, "gemini"), ErrorKind.WRONG_KEY)
    assert "another place" in error.text()


def test_a_key_whose_vault_is_lost_says_what_to_do(services: Services, tmp_path: Path) -> None:
    made = add(services)
    (tmp_path / "vault.key").unlink()
    elsewhere = another_process(services)
    error = refused(lambda: elsewhere.credential(me(services), "gemini"), ErrorKind.WRONG_KEY)
    assert "AIHUB_SECRET_KEY" in error.text()
    elsewhere.replace(me(services), made.id, OTHER_KEY)
    found = elsewhere.credential(me(services), "gemini")
    assert found is not None
    assert found.api_key == OTHER_KEY


# --- changing ---


def test_a_masked_value_leaves_the_stored_key(services: Services) -> None:
    user, made = me(services), add(services)
    assert services.keys.replace(user, made.id, f" {MASKED} ").masked == MASKED
    assert used(services).api_key == KEY
    refused(lambda: services.keys.replace(user, made.id, "AIza****xyz"), ErrorKind.VALIDATION)
    assert used(services).api_key == KEY


def test_a_new_key_forgets_what_was_found_out_about_the_old(services: Services) -> None:
    user, made = me(services), add(services)
    used(services)
    services.keys.note_check(
        user, made.id, AppError(ErrorKind.WRONG_KEY, "{provider} says no.", provider="X")
    )
    (checked,) = services.keys.list(user)
    assert checked.check_error is not None
    assert (checked.check_error.kind, checked.check_error.text()) == (ErrorKind.WRONG_KEY, "X says no.")
    replaced = services.keys.replace(user, made.id, OTHER_KEY)
    assert (replaced.masked, replaced.id) == ("AIzaAnothe****zyx", made.id)
    assert (replaced.checked_at, replaced.check_error, replaced.last_used_at) == (None, None, None)
    assert used(services).api_key == OTHER_KEY
    services.keys.note_check(user, made.id, None)
    (checked,) = services.keys.list(user)
    assert checked.checked_at is not None
    assert checked.check_error is None


def test_a_deleted_key_can_be_brought_back_for_half_a_minute(services: Services) -> None:
    clock, user = Clock(), me(services)
    keys = another_process(services, now=clock)
    made = keys.add(admin(user), "gemini", "Work", KEY)
    keys.delete(user, made.id)
    assert keys.list(user) == ()
    assert keys.credential(user, "gemini") is None
    refused(lambda: keys.rename(user, made.id, "x"), ErrorKind.NOT_FOUND)
    clock.pass_seconds(29)
    assert keys.restore(user, made.id).in_use
    assert used(services).api_key == KEY
    keys.delete(user, made.id)
    clock.pass_seconds(31)
    refused(lambda: keys.restore(user, made.id), ErrorKind.NOT_FOUND)


def test_a_deleted_key_is_gone_for_good_with_the_next_write(services: Services) -> None:
    clock, user = Clock(), me(services)
    keys = another_process(services, now=clock)
    keys.delete(user, keys.add(admin(user), "gemini", "Work", KEY).id)
    clock.pass_seconds(31)
    kept = keys.add(admin(user), "gemini", "Next", OTHER_KEY)
    with services.unit.read() as session:
        assert session.scalars(select(ProviderKey.label)).all() == [kept.label]


def test_the_last_use_is_written_at_most_once_a_minute(services: Services) -> None:
    clock, user = Clock(), me(services)
    keys, reader = another_process(services, now=clock), another_process(services)
    keys.add(admin(user), "gemini", "Work", KEY)

    def seen() -> list[datetime | None]:
        return [key.last_used_at for key in (*keys.list(user), *reader.list(user))]

    used_key = keys.credential(user, "gemini")
    assert used_key is not None
    assert seen() == [None, None], "to look at a key is not to use it"
    keys.note_use(used_key.key_id)
    assert seen() == [NOON, NOON]
    clock.pass_seconds(59)
    keys.note_use(used_key.key_id)
    assert seen() == [clock.now, NOON], "known here, not worth a write yet"
    clock.pass_seconds(1)
    assert seen() == [NOON + timedelta(seconds=59)] * 2


# --- rotation ---


def labels_and_keys(services: Services, user_id: int) -> list[str]:
    keys = another_process(services)
    return [keys.credential_of(user_id, key.id)[1].api_key for key in keys.list(user_id)]


def test_rotation_seals_every_key_anew(services: Services, tmp_path: Path) -> None:
    user, stranger = me(services), second_user(services)
    add(services)
    services.keys.delete(user, add(services, OTHER_KEY).id)
    services.keys.add(member(stranger), "gemini", "Theirs", OTHER_KEY)
    before = (tmp_path / "vault.key").read_text()
    assert services.keys.rotate() == 3, "a deleted one may be brought back"
    after = (tmp_path / "vault.key").read_text()
    assert len(after.split()) == 1
    assert after != before
    assert used(services).api_key == KEY
    assert labels_and_keys(services, user) == [KEY]
    assert labels_and_keys(services, stranger) == [OTHER_KEY]


def test_a_rotation_that_cannot_write_changes_nothing_and_can_be_repeated(
    services: Services, database_url: str, tmp_path: Path
) -> None:
    add(services)
    impatient = UnitOfWork(open_engine(database_url, busy_timeout_ms=100))
    keys = KeyService(impatient, Vault(services.settings), services.registry, services.endpoints)
    with services.unit.write() as session:
        session.execute(update(ProviderKey).values(label="held"))
        refused(keys.rotate, ErrorKind.STORAGE_BUSY)
    assert len((tmp_path / "vault.key").read_text().split()) == 2, "the old key is still needed"
    assert labels_and_keys(services, me(services)) == [KEY]
    assert keys.rotate() == 1
    assert len((tmp_path / "vault.key").read_text().split()) == 1
    assert labels_and_keys(services, me(services)) == [KEY]
    impatient.close()


def test_the_rotation_command(services: Services, database_url: str, tmp_path: Path) -> None:
    add(services)
    environment = {
        "AIHUB_DATABASE_URL": database_url,
        "AIHUB_DATA_DIR": str(tmp_path),
        "AIHUB_ENV_FILE": "none",
    }

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "core.accounts.rotate"]
        return subprocess.run(
            command, env=environment | more, capture_output=True, text=True, timeout=60, check=False
        )

    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "Keys sealed anew: 1\n", "")
    assert labels_and_keys(services, me(services)) == [KEY]
    done = run(AIHUB_SECRET_KEY="correct horse battery")
    assert (done.returncode, done.stdout) == (0, "Keys sealed anew: 1\n")
    done = run(AIHUB_SECRET_KEY="short")
    assert (done.returncode, done.stdout) == (1, "")
    assert "AIHUB_SECRET_KEY" in done.stderr
    settings = Settings(data_dir=tmp_path, secret_key="correct horse battery")  # pyright: ignore[reportArgumentType]
    keys = KeyService(services.unit, Vault(settings), services.registry, services.endpoints)
    found = keys.credential(me(services), "gemini")
    assert found is not None
    assert found.api_key == KEY


def test_a_secret_key_that_protects_nothing_stops_the_start(database_url: str, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,  # pyright: ignore[reportArgumentType]
        secret_key="short",  # pyright: ignore[reportArgumentType]
    )
    error = refused(lambda: open_services(settings), ErrorKind.VALIDATION)
    assert "AIHUB_SECRET_KEY" in error.text()
    assert not (tmp_path / "data").exists()


# --- GigaChat ---

GIGACHAT_ID, GIGACHAT_SECRET = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
GIGACHAT_KEY = base64.b64encode(f"{GIGACHAT_ID}:{GIGACHAT_SECRET}".encode()).decode()


@pytest.mark.parametrize(
    ("key", "options"),
    [
        (GIGACHAT_KEY, {"scope": "GIGACHAT_API_B2B"}),
        (f" {GIGACHAT_KEY[:50]}\n{GIGACHAT_KEY[50:]}", {"scope": "GIGACHAT_API_B2B", "client_id": ""}),
        (GIGACHAT_SECRET, {"scope": "GIGACHAT_API_B2B", "client_id": f" {GIGACHAT_ID} "}),
        (GIGACHAT_KEY, {"scope": "GIGACHAT_API_B2B", "client_id": GIGACHAT_ID}),
    ],
)
def test_a_gigachat_key_is_stored_as_it_is_sent(
    services: Services, key: str, options: dict[str, str]
) -> None:
    made = services.keys.add(admin(me(services)), "gigachat", "", key, options=options)
    assert (made.label, made.options) == ("GigaChat", {"scope": "GIGACHAT_API_B2B"})
    assert used(services, provider="gigachat").api_key == GIGACHAT_KEY
    assert services.registry.route("gigachat", me(services)).concurrent_streams == 10


@pytest.mark.parametrize(
    ("key", "options", "kind", "said"),
    [
        (GIGACHAT_ID, {}, ErrorKind.WRONG_KEY, "UUID"),
        (GIGACHAT_KEY, {"scope": "GIGACHAT_API_FREE"}, ErrorKind.VALIDATION, "GIGACHAT_API_PERS"),
        (GIGACHAT_KEY, {"colour": "red"}, ErrorKind.VALIDATION, "colour"),
    ],
)
def test_what_cannot_be_a_gigachat_key_is_refused(
    services: Services, key: str, options: dict[str, str], kind: ErrorKind, said: str
) -> None:
    error = refused(
        lambda: services.keys.add(admin(me(services)), "gigachat", "Work", key, options=options), kind
    )
    assert said in error.text()


def test_a_gigachat_key_stays_where_its_tokens_are_issued(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGACHAT_AUTH_URL", "http://127.0.0.1:9443/api/v2/oauth")
    with opened(database_url, tmp_path) as services:
        services.keys.add(admin(me(services)), "gigachat", "Work", GIGACHAT_KEY)
        assert used(services, provider="gigachat").api_key == GIGACHAT_KEY
    monkeypatch.setenv("GIGACHAT_AUTH_URL", "http://127.0.0.1:9444/api/v2/oauth")
    with opened(database_url, tmp_path) as services:
        refused(lambda: services.registry.route("gigachat", me(services)), ErrorKind.WRONG_KEY)
