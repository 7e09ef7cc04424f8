"""GigaChat's own: what it is told, the sign-in, its certificate, and the check of a key."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gigachat import settings as sdk_settings

from core.errors import AppError, ErrorKind
from core.providers import gigachat
from core.providers.gigachat import GigaChatProvider
from core.providers.types import ConnectionReport, ModelInfo
from tests.contract.adapter import ask, collect, text_of
from tests.fakes import gigachat_server as wire
from tests.fakes.gigachat_server import GigaChatServer
from tests.fakes.script import Script
from tests.support.gigachat import KEY, MODEL, SECRET, answer, checked, failure, on


@pytest.fixture
def server() -> Iterator[GigaChatServer]:
    with GigaChatServer(api_key=KEY) as running:
        yield running


# --- what the provider is told ---


def test_the_addresses_are_the_ones_of_the_sdk() -> None:
    assert (gigachat.BASE_URL, gigachat.AUTH_URL) == (sdk_settings.BASE_URL, sdk_settings.AUTH_URL)


def test_the_environment_has_no_say(server: GigaChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = {
        "CREDENTIALS": wire.credentials("other", "key"),
        "SCOPE": "GIGACHAT_API_CORP",
        "BASE_URL": "http://127.0.0.1:9/api/v1",
        "AUTH_URL": "http://127.0.0.1:9/oauth",
        "ACCESS_TOKEN": "foreign-token",
        "USER": "somebody",
        "PASSWORD": "else",
        "MODEL": "GigaChat-2-Max",
        "PROFANITY_CHECK": "true",
        "FLAGS": "not json",
        "CERT_FILE": "/nowhere/cert.pem",
        "KEY_FILE": "/nowhere/key.pem",
        "CA_BUNDLE_FILE": "/nowhere/ca.pem",
        "TIMEOUT": "soon",
        "MAX_RETRIES": "5",
        "MAX_CONNECTIONS": "none",
    }
    for name, value in foreign.items():
        monkeypatch.setenv(f"GIGACHAT_{name}", value)
    events = on(server, answer(ask(MODEL, "Hi", temperature=0.5)))
    assert text_of(events) == "Hello, world!"
    assert server.signed_in[0].headers["authorization"] == f"Basic {KEY}"
    assert server.signed_in[0].data == b"scope=GIGACHAT_API_PERS"
    assert server.asked[0].body == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.5,
        "stream": True,
    }
    server.queue(wire.overloaded())
    assert failure(server, answer()).kind is ErrorKind.PROVIDER
    assert len(server.asked) == 2, "retries belong to the engine"


def test_the_environment_cannot_switch_off_the_check_of_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGACHAT_VERIFY_SSL_CERTS", "false")
    server = GigaChatServer()
    server.secure(tmp_path)
    with server:
        assert failure(server, answer()).kind is ErrorKind.CERTIFICATE
    assert not server.requests


def test_the_default_model_comes_first(server: GigaChatServer) -> None:
    provider = GigaChatProvider(KEY, default_model=" GigaChat-2-Max ")
    names = [model.id for model in provider.info.suggested_models]
    assert names[0] == "GigaChat-2-Max"
    assert sorted(names) == sorted(model.id for model in gigachat.INFO.suggested_models)
    assert gigachat.described("My-Model").suggested_models[0] == ModelInfo("My-Model")
    assert GigaChatProvider(KEY).info == gigachat.INFO


def test_a_scope_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(AppError) as caught:
        GigaChatProvider(KEY, scope="PERS")
    assert caught.value.kind is ErrorKind.VALIDATION


@pytest.mark.parametrize(
    ("options", "setting"),
    [({"base_url": "ftp://x"}, "GIGACHAT_BASE_URL"), ({"auth_url": "no address"}, "GIGACHAT_AUTH_URL")],
)
def test_an_address_that_is_none_is_named(options: dict[str, str], setting: str) -> None:
    with pytest.raises(AppError) as caught:
        GigaChatProvider(KEY, **options)  # pyright: ignore[reportArgumentType]
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert setting in caught.value.text()


# --- the sign-in ---


def test_one_sign_in_serves_all_answers(server: GigaChatServer) -> None:
    async def eight(provider: GigaChatProvider) -> list[Any]:
        return await asyncio.gather(*(collect(provider, ask(MODEL)) for _ in range(8)))

    assert len(on(server, eight, answer(), checked and eight)) == 8
    assert len(server.signed_in) == 1


def test_a_token_that_is_no_longer_good_is_renewed(server: GigaChatServer) -> None:
    async def revoke(provider: GigaChatProvider) -> None:
        server.revoke()

    events = on(server, answer(), revoke, answer(), revoke, checked)
    assert events.models == len(wire.MODELS)
    assert len(server.signed_in) == 3


SIGN_IN = [
    (wire.wrong_scope(), ErrorKind.WRONG_SCOPE, ["GIGACHAT_API_B2B", "GIGACHAT_API_CORP", "GIGACHAT_SCOPE"]),
    (wire.unknown_key(), ErrorKind.WRONG_KEY, ["“work”", "GigaChat Studio", "Authorization key"]),
    (wire.unreadable_key(), ErrorKind.WRONG_KEY, ["“work”", "Authorization key"]),
    (wire.rate_limit(seconds=5), ErrorKind.RATE_LIMIT, ["in 5 s"]),
    (wire.broken(), ErrorKind.PROVIDER, ["HTTP 500"]),
    (
        Script(status=404, error="<title>Not here</title>"),
        ErrorKind.UNREACHABLE,
        ["GIGACHAT_AUTH_URL", "oauth"],
    ),
    (Script(error="<title>Welcome</title>"), ErrorKind.BAD_ANSWER, ["GIGACHAT_AUTH_URL"]),
    (Script(error={"unexpected": 1}), ErrorKind.BAD_ANSWER, ["GIGACHAT_AUTH_URL"]),
]


@pytest.mark.parametrize("work", [answer(), checked], ids=["answer", "check"])
@pytest.mark.parametrize(("script", "kind", "named"), SIGN_IN)
def test_a_sign_in_that_fails(
    server: GigaChatServer, script: Script, kind: ErrorKind, named: list[str], work: Any
) -> None:
    server.sign_in = script
    error = failure(server, work, setting="“work”")
    assert error.kind is kind
    for words in named:
        assert words in error.text()
    assert not server.asked


def test_the_scope_that_was_refused_is_named(server: GigaChatServer) -> None:
    server.scope = "GIGACHAT_API_CORP"
    error = failure(server, checked, scope="GIGACHAT_API_B2B")
    assert (error.kind, error.params["scope"]) == (ErrorKind.WRONG_SCOPE, "GIGACHAT_API_B2B")
    assert on(server, checked, scope="GIGACHAT_API_CORP").models


def test_a_key_of_another_project_is_wrong(server: GigaChatServer) -> None:
    other = wire.credentials("0a1b2c3d-1111-4222-8333-444455556666", "f9e8d7c6-aaaa-4bbb-9ccc-000000000000")
    assert failure(server, checked, key=other).kind is ErrorKind.WRONG_KEY


def test_neither_key_nor_token_is_said_or_logged(
    server: GigaChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []

    async def told_everything(provider: GigaChatProvider) -> None:
        token = next(iter(server.tokens))
        leak = f"{token} and {KEY} and {KEY.rstrip('=')} and {SECRET}"
        server.queue(
            Script(status=400, error={"status": 400, "message": leak}),
            Script(garbage_after=0, garbage=f"data: {leak}\n\n".encode()),
            Script(stream_error={"status": 500, "message": leak}),
            Script(error=leak),
        )
        for _ in range(4):
            with pytest.raises(AppError) as caught:
                await collect(provider, ask(MODEL))
            seen.append(f"{caught.value!r} {caught.value.text()} {provider!r} {vars(provider)!r}")
        for secret in (token, KEY, KEY.rstrip("="), SECRET):
            assert secret not in "".join(seen)
            assert secret not in caplog.text
            assert secret not in "".join(str(record.args) for record in caplog.records)

    on(server, answer(), told_everything)
    assert "***" in seen[0]


# --- the certificate ---


def test_an_untrusted_certificate_is_explained(tmp_path: Path) -> None:
    server = GigaChatServer()
    server.secure(tmp_path)
    with server:
        for work in (answer(), checked):
            error = failure(server, work)
            assert error.kind is ErrorKind.CERTIFICATE
            for words in (
                "Russian Trusted Root CA",
                "GIGACHAT_CA_BUNDLE_FILE",
                "GIGACHAT_VERIFY_SSL",
                server.auth_url,
            ):
                assert words in error.text()
    assert not server.requests


def test_a_file_with_the_authority_is_trusted(tmp_path: Path) -> None:
    server = GigaChatServer(api_key=KEY)
    authority = server.secure(tmp_path)
    with server:
        assert server.url.startswith("https://")
        assert text_of(on(server, answer(), ca_bundle_file=authority)) == "Hello, world!"


def test_the_check_can_be_switched_off(tmp_path: Path) -> None:
    server = GigaChatServer(api_key=KEY)
    server.secure(tmp_path)
    with server:
        assert text_of(on(server, answer(), verify_ssl=False)) == "Hello, world!"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_certificates_is_named(
    server: GigaChatServer, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    error = failure(server, answer(), ca_bundle_file=str(path))
    assert error.kind is ErrorKind.CERTIFICATE
    assert "GIGACHAT_CA_BUNDLE_FILE" in error.text()
    assert not server.requests


# --- the balance ---


def test_a_check_tells_what_is_left(server: GigaChatServer) -> None:
    server.packages = {"GigaChat-2": 900_000, "GigaChat-2-Max": 0, "embeddings": 50_000}
    assert on(server, checked) == ConnectionReport(len(wire.MODELS), server.packages)


def test_keys_that_pay_afterwards_have_no_balance(server: GigaChatServer) -> None:
    server.packages = None
    assert on(server, checked) == ConnectionReport(len(wire.MODELS), {})


def test_packages_that_are_used_up_are_an_error(server: GigaChatServer) -> None:
    server.packages = {"GigaChat-2": 0, "GigaChat-2-Max": 0, "embeddings": 50_000}
    error = failure(server, checked)
    assert error.kind is ErrorKind.BILLING
    assert "used up" in error.text()
