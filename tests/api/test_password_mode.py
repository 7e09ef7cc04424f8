"""AIHUB_AUTH=password: signing in by a page, and nothing of the pages without it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from api.app import create_api
from api.hosts import AllowedHosts, SameOrigin
from api.pages_gate import SignedInOnly
from api.return_path import safe_path
from api.surfaces import Surfaces
from core import services
from core.config import Settings
from core.services import Services, open_services
from tests.api.conftest import PASSWORD
from tests.support.databases import connecting, gone
from tests.support.members import fast_passwords

ANN = {"email": "ann@example.com", "username": "ann", "password": PASSWORD}
STREAM = "ws://hub.example.com/_stcore/stream"
HTML = {"Accept": "text/html,application/xhtml+xml"}
FAREWELL = b"load your page anew"


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands where Streamlit stands: says `page` to everything, and repeats what comes over a WebSocket."""
    if scope["type"] == "http":
        await PlainTextResponse("page")(scope, receive, send)
        return
    first = await receive()
    if scope["type"] == "lifespan":
        await send({"type": f"{first['type']}.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": f"ran {message['text']}"})


def open_hub(database_url: str, folder: Path, signup: str) -> Services:
    values: dict[str, Any] = {"auth": "password", "signup": signup}
    return open_services(
        Settings(data_dir=folder, database_url=SecretStr(database_url), **values), passwords=fast_passwords()
    )


@pytest.fixture
def hub(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    opened = open_hub(database_url, tmp_path, getattr(request, "param", "open"))
    monkeypatch.setattr(services, "_current", opened)
    yield opened
    opened.close()


def browser() -> TestClient:
    app = AllowedHosts(SameOrigin(Surfaces(SignedInOnly(pages, FAREWELL), create_api())), {"hub.example.com"})
    return TestClient(app, base_url="http://hub.example.com", follow_redirects=False)


@pytest.fixture
def visitor(hub: Services) -> Iterator[TestClient]:
    with browser() as client:
        yield client


def send_form(client: TestClient, path: str, **fields: str) -> Any:
    """Open the page of a form and send it as a browser does."""
    client.get(path)
    return client.post(path, data={"token": client.cookies.get("formtoken", ""), **fields})


def sign_up(client: TestClient, **person: str) -> Any:
    return send_form(client, "/sign-up", **{**ANN, **person})


# --- the pages stay closed ---


@pytest.mark.parametrize("path", ["/", "/chat", "/usage?days=30", "/models/"])
def test_who_is_not_signed_in_is_sent_to_sign_in(visitor: TestClient, path: str) -> None:
    sign_up(visitor)
    visitor.cookies.clear()
    answer = visitor.get(path, headers=HTML)
    assert (answer.status_code, answer.headers["cache-control"]) == (303, "no-store")
    assert answer.headers["location"].startswith("/sign-in")
    assert "page" not in answer.text
    back = send_form(visitor, answer.headers["location"], **ANN)
    assert (back.status_code, back.headers["location"]) == (303, path)
    assert visitor.get(path, headers=HTML).text == "page"


def test_nothing_else_of_a_page_is_reachable(visitor: TestClient) -> None:
    asked = [
        ("GET", "/_stcore/metrics"),
        ("GET", "/_stcore/health/x"),
        ("GET", "/chat/_stcore/health"),
        ("GET", "/media/abc.png"),
        ("GET", "/app/static/logo.svg"),
        ("PUT", "/_stcore/upload_file/1/2"),
        ("DELETE", "/_stcore/upload_file/1/2"),
        ("POST", "/chat"),
        ("GET", "/staticky"),
        ("GET", "/static"),
    ]
    for method, path in asked:
        for cookie in (None, "sessionid=wrong", "sessionid=", "sessionid=" + "x" * 5_000):
            answer = visitor.request(method, path, headers={"Cookie": cookie} if cookie else {})
            assert (answer.status_code, answer.text) == (401, "Sign in first."), (method, path, cookie)


RUSSIAN = {"Accept-Language": "ru-RU,ru;q=0.9"}


def test_who_is_refused_is_told_in_the_language_of_the_visitor_or_of_the_hub(visitor: TestClient) -> None:
    assert visitor.get("/media/abc.png", headers=RUSSIAN).text == "Сначала войдите."
    assert visitor.get("/chat", headers={**RUSSIAN, "Host": "evil.example"}).text.startswith(
        "AIHub не отвечает"
    )
    app = AllowedHosts(SignedInOnly(pages, FAREWELL, "ru"), (), "ru")
    client = TestClient(app, base_url="http://localhost")
    assert client.get("/media/abc.png").text == "Сначала войдите."
    assert client.get("/media/abc.png?lang=en", headers=RUSSIAN).text == "Sign in first."
    assert client.get("/", headers={"Host": "evil.example"}).text.startswith("AIHub не отвечает")


def test_a_database_that_cannot_tell_lets_nobody_in(visitor: TestClient, hub: Services) -> None:
    sign_up(visitor)
    with connecting(hub.unit, gone):
        answer = visitor.get("/chat", headers={**HTML, **RUSSIAN})
    assert answer.status_code == 503
    assert answer.text.startswith("База данных недоступна")
    assert visitor.get("/chat", headers=HTML).text == "page"


def test_streamlits_own_files_are_public_and_signing_in_needs_none(visitor: TestClient) -> None:
    assert visitor.get("/static/js/index.js").text == "page"
    sign_up(visitor)
    visitor.cookies.clear()
    form = visitor.get("/sign-in")
    assert "/static/" not in form.text.replace("/api/", "")


def test_a_socket_needs_a_session_before_every_message(visitor: TestClient, hub: Services) -> None:
    with pytest.raises(WebSocketDisconnect), visitor.websocket_connect(STREAM):
        pass
    sign_up(visitor)
    with visitor.websocket_connect(STREAM) as socket:
        socket.send_text("one")
        assert socket.receive_text() == "ran one"
        user = hub.members.sessions.identify(visitor.cookies["sessionid"]).account.id
        hub.members.sessions.revoke_others(user, None)
        socket.send_text("two")
        assert socket.receive_bytes() == FAREWELL
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1008
    with pytest.raises(WebSocketDisconnect), visitor.websocket_connect(STREAM):
        pass


def test_a_page_that_comes_back_without_its_session_is_told_to_load_anew(visitor: TestClient) -> None:
    # What its front end asks first, of a server that it had lost.
    for path in ("/_stcore/health", "/_stcore/host-config"):
        assert visitor.get(path).text == "page"
    with visitor.websocket_connect(STREAM, subprotocols=["streamlit", "xsrf", "session"]) as socket:
        assert socket.accepted_subprotocol == "streamlit"
        assert socket.receive_bytes() == FAREWELL
        socket.send_text("one")
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1008


def test_a_socket_from_another_site_is_refused_whatever_its_cookie(visitor: TestClient) -> None:
    sign_up(visitor)
    headers = {"Origin": "https://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        visitor.websocket_connect(STREAM, headers=headers),
    ):
        pass


def test_an_account_that_was_switched_off_sees_nothing_more(visitor: TestClient, hub: Services) -> None:
    sign_up(visitor)
    with browser() as other:
        sign_up(other, email="bob@example.com", username="bob")
        assert other.get("/chat", headers=HTML).text == "page"
        admin = hub.members.sessions.identify(visitor.cookies["sessionid"]).account
        bob = hub.members.sessions.identify(other.cookies["sessionid"]).account
        hub.members.administration.set_active(admin, bob.id, is_active=False)
        assert other.get("/chat", headers=HTML).status_code == 303


# --- signing up, in and out ---


@pytest.mark.parametrize("hub", ["first"], indirect=True)
def test_the_first_account_is_made_on_the_first_visit_and_no_other(visitor: TestClient) -> None:
    first = visitor.get("/sign-in?next=/usage")
    assert (first.status_code, first.headers["location"]) == (303, "/sign-up?next=%2Fusage")
    form = visitor.get(first.headers["location"])
    assert "Create the first account" in form.text
    made = send_form(visitor, first.headers["location"], **ANN)
    assert (made.status_code, made.headers["location"]) == (303, "/usage")
    cookies = made.headers.get_list("set-cookie")
    session = next(each for each in cookies if each.startswith("sessionid="))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert visitor.get("/usage", headers=HTML).text == "page"
    with browser() as other:
        assert other.get("/sign-up").headers["location"] == "/sign-in"
        assert "/sign-up" not in other.get("/sign-in").text
        refused = other.post(
            "/sign-up", data={"token": other.cookies["formtoken"], **ANN, "email": "b@example.com"}
        )
        assert refused.status_code == 403
        assert "sessionid" not in other.cookies


@pytest.mark.parametrize("hub", ["closed"], indirect=True)
def test_a_closed_hub_says_how_an_account_is_made(visitor: TestClient) -> None:
    form = visitor.get("/sign-in")
    assert "python -m core.accounts.people add" in form.text
    assert visitor.get("/sign-up").headers["location"] == "/sign-in"


def test_a_wrong_password_is_said_on_the_form(visitor: TestClient) -> None:
    sign_up(visitor)
    visitor.cookies.clear()
    answer = send_form(visitor, "/sign-in?next=/usage", email="ann@example.com", password="not <b>it</b>")
    assert answer.status_code == 401
    assert "is wrong" in answer.text
    assert 'value="ann@example.com"' in answer.text
    assert "not &lt;b&gt;it" not in answer.text
    assert 'action="/sign-in?next=%2Fusage"' in answer.text
    assert "sessionid" not in visitor.cookies


def test_guessing_is_slowed_down(visitor: TestClient) -> None:
    sign_up(visitor)
    visitor.cookies.clear()
    statuses = [
        send_form(visitor, "/sign-in", email=ANN["email"], password="guess").status_code for _ in range(8)
    ]
    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429


@pytest.mark.parametrize("token", ["", "wrong", "ü"])
def test_a_form_that_is_not_ours_signs_nobody_in(visitor: TestClient, token: str) -> None:
    sign_up(visitor)
    visitor.cookies.clear()
    visitor.get("/sign-in")
    answer = visitor.post("/sign-in", data={**ANN, "token": token})
    assert answer.status_code == 403
    assert "sessionid" not in visitor.cookies
    visitor.cookies.clear()
    assert visitor.post("/sign-in", data={**ANN, "token": ""}).status_code == 403
    foreign = visitor.post("/sign-in", data=ANN, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403


def test_signing_out_needs_the_sessions_own_token(visitor: TestClient, hub: Services) -> None:
    sign_up(visitor)
    assert visitor.post("/sign-out").headers["location"] == "/sign-out"
    assert visitor.post("/sign-out", data={"csrf": "0" * 64}).headers["location"] == "/sign-out"
    assert visitor.get("/chat", headers=HTML).text == "page"
    assert "ann" in visitor.get("/sign-out").text
    secret = visitor.cookies["sessionid"]
    csrf = hub.members.sessions.csrf_token(hub.members.sessions.identify(secret))
    out = visitor.post("/sign-out", data={"csrf": csrf})
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert "sessionid" not in visitor.cookies
    # Also for whoever kept the cookie.
    kept = visitor.get("/chat", headers={**HTML, "Cookie": f"sessionid={secret}"})
    assert kept.status_code == 303


def test_who_is_signed_in_needs_no_form(visitor: TestClient) -> None:
    sign_up(visitor)
    assert visitor.get("/sign-in?next=/usage").headers["location"] == "/usage"


def test_the_cookie_is_the_one_of_the_api(visitor: TestClient) -> None:
    sign_up(visitor)
    visitor.cookies.clear()
    credentials = {"email": ANN["email"], "password": PASSWORD}
    assert visitor.post("/api/auth/login", json=credentials).status_code == 200
    assert visitor.get("/chat", headers=HTML).text == "page"


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/sign-out"])
def test_bad_forms_are_refused_politely(visitor: TestClient, path: str) -> None:
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    visitor.get("/sign-up")
    for body in (b"", b"\x00\xff", b"email=%00%ff&password=%ed%a0%80&token=%00", b"token=" + b"a" * 100_000):
        assert visitor.post(path, content=body, headers=sent).status_code in {303, 400, 403}, body[:50]
    token = visitor.cookies["formtoken"].encode()
    odd = b"email=%00&username=%ed%a0%80&password=%00%00%00%00%00%00%00%00%00&token=" + token
    assert visitor.post(path, content=odd, headers=sent).status_code in {303, 400, 401}


def test_the_pages_speak_russian(visitor: TestClient) -> None:
    text = visitor.get("/sign-up?lang=ru&next=/usage").text
    assert '<html lang="ru">' in text
    assert 'href="/sign-up?next=%2Fusage&amp;lang=en"' in text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/sign-in",
        "/sign-out/",
        "/" + "a" * 3_000,
        "///evil.example",
        "/é",
    ],
)
def test_signing_in_leads_to_this_hub_only(wanted: str) -> None:
    assert safe_path(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/", "/chat", "/usage?days=30&by=model#x", "/chat?thread=a%2Fb"])
def test_signing_in_leads_back(wanted: str) -> None:
    assert safe_path(wanted) == wanted


def test_an_open_redirect_is_none(visitor: TestClient) -> None:
    sign_up(visitor)
    visitor.cookies.clear()
    answer = send_form(visitor, "/sign-in?next=//evil.example", **ANN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
