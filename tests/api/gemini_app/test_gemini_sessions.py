"""/api/v1/gemini/chat-sessions: what the documents show, who may see it, and what is refused."""

from typing import Any

from core.chat.types import NewThread
from core.models.types import PreferenceInfo
from core.services import Services
from tests.api.gemini_app.conftest import RU, SESSIONS, Join, Member
from tests.fakes.gemini_server import GeminiServer, overloaded, rate_limit, usage
from tests.fakes.script import Script
from tests.support.databases import on_both_databases
from tests.support.hub import MODEL

LISTED = {
    "id", "uuid", "user", "user_username", "title", "is_active",
    "messages_count", "last_message", "created_at", "updated_at",
}  # fmt: skip
SHOWN = LISTED - {"messages_count", "last_message"} | {"messages"}
MESSAGE = {
    "id", "session", "role", "content", "timestamp", "tokens_used", "response_time",
    "message_type", "sender_type", "processing_time",
}  # fmt: skip


@on_both_databases
def test_a_session_is_made_listed_shown_and_deleted(admin: Member) -> None:
    made = admin.client.post(SESSIONS, json={"title": "Обсуждение машинного обучения"})
    assert made.status_code == 201
    session = made.json()
    assert set(session) == LISTED
    assert (session["user"], session["user_username"]) == (admin.id, "admin")
    assert (session["is_active"], session["messages_count"], session["last_message"]) == (True, 0, None)
    assert session["created_at"].endswith("Z")
    assert len(session["created_at"]) == len("2024-01-20T16:00:00Z")
    listed = admin.client.get(SESSIONS).json()
    assert listed == {"count": 1, "next": None, "previous": None, "results": [session]}
    shown = admin.client.get(f"{SESSIONS}{session['id']}/").json()
    assert set(shown) == SHOWN
    assert shown["messages"] == []
    assert admin.client.delete(f"{SESSIONS}{session['id']}/").status_code == 204
    assert admin.client.get(f"{SESSIONS}{session['id']}/").status_code == 404
    assert admin.client.get(SESSIONS).json()["count"] == 0


def test_a_message_is_answered_by_gemini(admin: Member, gemini: GeminiServer) -> None:
    gemini.queue(Script(chunks=["Отличный ", "вопрос!"], usage=usage(prompt=8, output=220)))
    session = admin.session()
    sent = admin.say(session, "Как начать изучение Python?")
    assert sent.status_code == 200
    question, answer = sent.json()["user_message"], sent.json()["assistant_message"]
    assert set(question) == set(answer) == MESSAGE
    assert (question["role"], question["content"]) == ("user", "Как начать изучение Python?")
    assert (question["response_time"], question["processing_time"]) == (None, None)
    assert question["tokens_used"] > 0
    assert (answer["role"], answer["content"]) == ("assistant", "Отличный вопрос!")
    assert (answer["tokens_used"], answer["session"], answer["message_type"]) == (220, session, "text")
    assert 0 <= answer["response_time"] < 20
    assert answer["id"] > question["id"]
    assert gemini.requests[-1].model == MODEL
    shown = admin.client.get(f"{SESSIONS}{session}").json()
    assert shown["messages"] == [question, answer]
    listed = admin.client.get(SESSIONS).json()["results"][0]
    assert listed["messages_count"] == 2
    assert listed["last_message"] == {name: answer[name] for name in ("id", "role", "content", "timestamp")}


def test_what_was_said_before_goes_along(admin: Member, gemini: GeminiServer) -> None:
    session = admin.session()
    admin.say(session, "Расскажи о Python")
    admin.say(session, "Какие области применения?")
    said = [content["parts"][0]["text"] for content in gemini.requests[-1].body["contents"]]
    assert said == ["Расскажи о Python", "Hello, world!", "Какие области применения?"]


def test_the_callers_own_default_model_is_asked(hub: Services, admin: Member, gemini: GeminiServer) -> None:
    hub.models.save(admin.id, PreferenceInfo("gemini", "gemini-3.5-flash", is_default=True))
    admin.say(admin.session(), "Привет")
    assert gemini.requests[-1].model == "gemini-3.5-flash"


def test_a_session_that_began_elsewhere_keeps_its_model(
    hub: Services, admin: Member, gemini: GeminiServer
) -> None:
    thread = hub.threads.create(admin.id, NewThread("demo", "demo", "Из AIHub")).thread
    answered = admin.say(thread.id, "Привет")
    assert answered.json()["assistant_message"]["content"]
    assert hub.threads.get(admin.id, thread.id).thread.provider == "demo"
    assert not [request for request in gemini.requests if request.method == "POST"]


def test_of_a_long_session_the_last_messages_come_and_the_others_by_id(admin: Member) -> None:
    session = admin.session()
    for text in ("one", "two"):
        admin.say(session, text)
    last = admin.client.get(f"{SESSIONS}{session}/?limit=2").json()["messages"]
    assert [each["content"] for each in last] == ["two", "Hello, world!"]
    before = admin.client.get(f"{SESSIONS}{session}/?limit=1&before_id={last[0]['id']}").json()
    assert [each["role"] for each in before["messages"]] == ["assistant"]


# --- pages ---


def test_pages_are_linked_as_they_were_asked_for(admin: Member) -> None:
    for number in range(5):
        admin.session(f"Session {number}")
    first = admin.client.get(f"{SESSIONS}?page_size=2").json()
    assert first["count"] == 5
    assert first["next"] == "http://127.0.0.1/api/v1/gemini/chat-sessions/?page=2&page_size=2"
    assert first["previous"] is None
    titles = [each["title"] for each in first["results"]]
    second = admin.client.get(first["next"]).json()
    assert second["previous"] == "http://127.0.0.1/api/v1/gemini/chat-sessions/?page_size=2"
    last = admin.client.get(second["next"]).json()
    assert last["next"] is None
    titles += [each["title"] for page in (second, last) for each in page["results"]]
    assert titles == [f"Session {number}" for number in (4, 3, 2, 1, 0)]
    bare = admin.client.get(SESSIONS.rstrip("/") + "?page_size=4", headers={"Host": "127.0.0.1:8501"})
    assert bare.json()["next"] == "http://127.0.0.1:8501/api/v1/gemini/chat-sessions?page=2&page_size=4"


def test_a_host_that_is_none_is_not_repeated(admin: Member) -> None:
    admin.session()
    admin.session()
    for host in ("127.0.0.1:[", 'a"b', "x y"):
        answer = admin.client.get(f"{SESSIONS}?page_size=1", headers={"Host": host})
        assert answer.json()["next"] == "http://127.0.0.1:80/api/v1/gemini/chat-sessions/?page=2&page_size=1"


def test_a_page_that_is_not_there(admin: Member) -> None:
    admin.session()
    for page in ("2", "0", "-1", "999999999999999999999999"):
        answer = admin.client.get(f"{SESSIONS}?page={page}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})
    for query in ("page=x", "page_size=0", "page_size=101", "page_size=x", f"page={'9' * 5000}"):
        answer = admin.client.get(f"{SESSIONS}?{query}")
        assert (answer.status_code, list(answer.json())) == (400, [query.partition("=")[0]])


# --- changes ---


def test_a_session_is_renamed_and_put_away(admin: Member) -> None:
    session = admin.session()
    address = f"{SESSIONS}{session}/"
    patched = admin.client.patch(address, json={"is_active": False})
    assert set(patched.json()) == LISTED
    assert (patched.json()["title"], patched.json()["is_active"]) == ("Python разработка", False)
    assert admin.client.get(f"{SESSIONS}stats/").json()["active_sessions"] == 0
    renamed = admin.client.patch(address, json={"title": "  Новое\nназвание "}).json()
    assert (renamed["title"], renamed["is_active"]) == ("Новое название", False)
    put = admin.client.put(address, json={"title": "Третье", "is_active": True}).json()
    assert (put["title"], put["is_active"]) == ("Третье", True)
    assert admin.client.patch(address, json={}).json() == put


def test_nothing_else_of_a_session_can_be_set(admin: Member, other: Member) -> None:
    sent = {
        "title": "t",
        "user": other.id,
        "user_id": other.id,
        "id": 77,
        "messages_count": 9,
        "provider": "demo",
    }
    made = admin.client.post(SESSIONS, json=sent).json()
    changed = admin.client.patch(f"{SESSIONS}{made['id']}/", json={**sent, "uuid": "x"}).json()
    for answer in (made, changed):
        assert (answer["user"], answer["messages_count"]) == (admin.id, 0)
    assert made["id"] != 77
    assert changed["uuid"] == made["uuid"]


def test_a_session_needs_a_title(admin: Member) -> None:
    empty = "This field may not be empty.", "Это поле не может быть пустым."
    missing = "This field is required.", "Это поле обязательно для заполнения."
    wrong: list[tuple[dict[str, Any], tuple[str, str]]] = [
        ({"title": ""}, empty),
        ({"title": " \n\x00"}, empty),
        ({}, missing),
    ]
    for body, (english, russian) in wrong:
        for headers, text in (({}, english), (RU, russian)):
            answer = admin.client.post(SESSIONS, json=body, headers=headers)
            assert (answer.status_code, answer.json()) == (400, {"title": [text]})
    assert admin.client.get(SESSIONS).json()["count"] == 0


def test_what_cannot_be_stored_is_named(admin: Member) -> None:
    wrong = [
        (b'{"title": null}', "title"),
        (b'{"title": 7}', "title"),
        (b'{"title": "%s"}' % (b"x" * 201), "title"),
        (b'{"title": "a", "is_active": null}', "is_active"),
        (b'{"title": "a", "is_active": NaN}', "is_active"),
        (b"[]", "body"),
        (b"null", "body"),
        (b"", "body"),
        (b"{", "body"),
    ]
    session = admin.session()
    for body, field in wrong:
        answer = admin.post_bytes(SESSIONS, body)
        assert (answer.status_code, list(answer.json())) == (400, [field]), body
        for method in ("PUT", "PATCH"):
            changed = admin.post_bytes(f"{SESSIONS}{session}/", body, method)
            assert (changed.status_code, changed.json()) == (400, answer.json())


def test_what_no_database_holds_is_left_out(admin: Member) -> None:
    body = b'{"title": "a\\u0000b \\ud800c"}'
    made = admin.post_bytes(SESSIONS, body)
    assert (made.status_code, made.json()["title"]) == (201, "ab ?c")


# --- messages that are refused or not answered ---


def test_the_role_and_the_content_of_a_message_are_checked_together(admin: Member) -> None:
    address = f"{SESSIONS}{admin.session()}/send_message/"
    both = admin.client.post(address, json={"role": "invalid_role"})
    assert both.status_code == 400
    assert list(both.json().items()) == [
        ("role", ["Invalid message role"]),
        ("content", ["This field is required."]),
    ]
    for role in ("assistant", "", None, 1, ["user"], {}):
        answer = admin.client.post(address, json={"role": role, "content": "Тест"})
        assert (answer.status_code, answer.json()) == (400, {"role": ["Invalid message role"]})
    blank = admin.client.post(address, json={"content": " "})
    assert blank.json() == {"content": ["This field may not be empty."]}
    assert admin.client.post(address, json={"role": "user", "content": "Тест"}).status_code == 200


def test_a_failure_is_said_and_both_messages_stand(admin: Member, gemini: GeminiServer) -> None:
    gemini.queue(overloaded(), rate_limit(seconds=7))
    session = admin.session()
    failed = admin.say(session, "Привет")
    assert failed.status_code == 500
    assert failed.json() == {"detail": "The Gemini model is overloaded. Please try again later."}
    limited = admin.say(session, "Привет")
    assert limited.status_code == 429
    assert limited.headers["retry-after"] == "7"
    assert set(limited.json()) == {"detail"}
    roles = [each["role"] for each in admin.client.get(f"{SESSIONS}{session}/").json()["messages"]]
    assert roles == ["user", "assistant"] * 2


def test_without_a_key_nothing_is_stored(other: Member) -> None:
    session = other.session()
    refused = other.say(session, "Привет")
    assert (refused.status_code, refused.json()) == (400, {"detail": "The API key is not configured"})
    assert other.client.get(f"{SESSIONS}{session}/").json()["messages"] == []


# --- statistics ---


def test_figures_of_nothing_are_zero(admin: Member) -> None:
    assert admin.client.get(f"{SESSIONS}stats/").json() == {
        "total_sessions": 0,
        "active_sessions": 0,
        "total_messages": 0,
        "total_tokens": 0,
        "average_messages_per_session": 0,
        "average_tokens_per_message": 0,
        "recent_sessions": [],
    }


def test_figures_of_sessions(admin: Member, other: Member, gemini: GeminiServer) -> None:
    other.session("Not of admin")
    gemini.queue(Script(usage=usage(prompt=3, output=100)))
    sessions = [admin.session(f"Session {number}") for number in range(3)]
    sent = admin.say(sessions[0], "Привет").json()
    figures = admin.client.get(f"{SESSIONS}stats").json()
    tokens = sent["user_message"]["tokens_used"] + 100
    assert (figures["total_sessions"], figures["active_sessions"]) == (3, 3)
    assert (figures["total_messages"], figures["total_tokens"]) == (2, tokens)
    assert figures["average_messages_per_session"] == 0.67
    assert figures["average_tokens_per_message"] == round(tokens / 2, 2)
    assert figures["recent_sessions"] == admin.client.get(SESSIONS).json()["results"]


# --- who ---


def test_another_users_session_is_as_one_that_does_not_exist(admin: Member, other: Member) -> None:
    theirs = admin.session()
    for session in (theirs, 987_654, 2**63 - 1):
        address = f"{SESSIONS}{session}/"
        answers = [
            other.client.get(address),
            other.client.put(address, json={"title": "x"}),
            other.client.patch(address, json={"title": "x"}),
            other.client.delete(address),
            other.say(session, "x"),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert all(answer.json() == {"detail": "Not found."} for answer in answers)
    assert other.client.get(SESSIONS).json()["count"] == 0
    assert admin.client.get(f"{SESSIONS}{theirs}/").json()["title"] == "Python разработка"


def test_an_id_that_is_none(admin: Member) -> None:
    for session in ("0", "-1", "abc", "1.5", str(2**63), "9" * 5000):
        answer = admin.client.get(f"{SESSIONS}{session}/")
        assert (answer.status_code, list(answer.json())) == (400, ["session_id"])


def test_nobody_is_let_in_without_a_session(admin: Member, join: Join) -> None:
    client = admin.client
    jwt = client.post(
        "/api/auth/login", json={"email": "admin@example.com", "password": "a quiet harbour at dawn"}
    ).json()["access_token"]
    client.cookies.clear()
    for header in (None, "", "Session", "Session ", f"Bearer {jwt}", f"Bearer {admin.secret}", admin.secret):
        client.headers.pop("Authorization", None)
        answer = client.get(SESSIONS, headers={"Authorization": header} if header is not None else {})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Session")
        assert answer.json() == {"detail": "Authentication credentials were not provided."}
    for secret in ("invalid_session_id", jwt, admin.secret + "x", admin.csrf):
        answer = client.get(SESSIONS, headers={"Authorization": f"Session {secret}"})
        assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid session."})


def test_a_cookie_needs_the_csrf_token_to_change_anything(admin: Member, other: Member) -> None:
    client = admin.client
    del client.headers["Authorization"]
    client.cookies.set("sessionid", admin.secret)
    client.cookies.set("csrftoken", admin.csrf)
    assert client.get(SESSIONS).status_code == 200
    for token in ({}, {"X-CSRFToken": ""}, {"X-CSRFToken": other.csrf}):
        refused = client.post(SESSIONS, json={"title": "x"}, headers=token)
        assert refused.status_code == 403
        assert "CSRF" in refused.json()["detail"]
    made = client.post(SESSIONS, json={"title": "x"}, headers={"X-CSRFToken": admin.csrf})
    assert made.status_code == 201
    assert client.delete(f"{SESSIONS}{made.json()['id']}/").status_code == 403


def test_signing_out_ends_the_session(admin: Member, hub: Services) -> None:
    hub.members.sessions.revoke_others(admin.id, None)
    assert admin.client.get(SESSIONS).json() == {"detail": "Invalid session."}
