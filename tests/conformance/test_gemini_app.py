"""The Gemini app's document, replayed against a running hub: every method and path, its fields, its status."""

from typing import Any

import httpx
import pytest

from tests.conformance.conftest import EMAIL, GEMINI_KEY, PASSWORD, Hub, session
from tests.conformance.shapes import differences, taken
from tests.fakes import gemini_server

MOMENT = "2024-01-20T15:30:00Z"
MESSAGE = {
    "id": 1,
    "session": 1,
    "role": "user",
    "content": "A text",
    "timestamp": MOMENT,
    "tokens_used": 5,
    "response_time": None,
}
ANSWER = {**MESSAGE, "role": "assistant", "tokens_used": 150, "response_time": 1.2}
SESSION: dict[str, Any] = {
    "id": 1,
    "user": 1,
    "user_username": "admin",
    "title": "A title",
    "is_active": True,
    "messages_count": 12,
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
LAST = {"id": 25, "role": "assistant", "content": "A text", "timestamp": MOMENT}
PAGE: dict[str, Any] = {"count": 15}
METADATA = {
    "response_time": 2.1,
    "usage_metadata": {"totalTokenCount": 25, "promptTokenCount": 8, "candidatesTokenCount": 17},
    "finish_reason": "STOP",
    "safety_ratings": [],
}
REST = "/api/v1/gemini"


@pytest.fixture
def chat(app: httpx.Client) -> dict[str, Any]:
    made = taken(
        app.post(f"{REST}/chat-sessions/", json={"title": "Машинное обучение"}),
        201,
        {**SESSION, "last_message": None},
    )
    assert (made["messages_count"], made["is_active"], made["user_username"]) == (0, True, "johndoe")
    return made


def send(app: httpx.Client, chat: dict[str, Any], text: str = "С чего начать?") -> Any:
    answer = app.post(f"{REST}/chat-sessions/{chat['id']}/send_message/", json={"content": text})
    return taken(answer, 200, {"user_message": MESSAGE, "assistant_message": ANSWER})


def test_a_message_is_answered_and_the_session_holds_both(app: httpx.Client, chat: dict[str, Any]) -> None:
    both = send(app, chat)
    assert both["assistant_message"]["content"] == "Hello, world!"
    whole = {name: value for name, value in SESSION.items() if name != "messages_count"}
    read = taken(app.get(f"{REST}/chat-sessions/{chat['id']}/"), 200, {**whole, "messages": []})
    assert read["messages"] == [both["user_message"], both["assistant_message"]]
    listed = app.get(f"{REST}/chat-sessions/").json()["results"][0]
    assert differences(listed["last_message"], LAST) == []
    assert (listed["id"], listed["messages_count"]) == (chat["id"], 2)


def test_sessions_come_in_pages_with_links(hub: Hub, app: httpx.Client, chat: dict[str, Any]) -> None:
    for _ in range(25):
        assert app.post(f"{REST}/chat-sessions/", json={"title": "Ещё одна"}).status_code == 201
    first = taken(app.get(f"{REST}/chat-sessions/"), 200, {**PAGE, "results": [SESSION]})
    assert first["previous"] is None
    assert first["next"] == f"{hub.url}{REST}/chat-sessions/?page=2"
    second = app.get(first["next"]).json()
    assert second["previous"] == f"{hub.url}{REST}/chat-sessions/"
    ids = [each["id"] for each in (*first["results"], *second["results"])]
    assert len(ids) == len(set(ids))
    assert taken(app.get(f"{REST}/chat-sessions/?page=999"), 404, {"detail": "x"})


def test_a_session_is_renamed_and_deleted(app: httpx.Client, chat: dict[str, Any]) -> None:
    path = f"/gemini/sessions/{chat['id']}/update-title/"
    found = taken(app.post(path, json={"title": "Новое название"}), 200, {"success": True, "title": "x"})
    assert found["title"] == "Новое название"
    assert app.delete(f"{REST}/chat-sessions/{chat['id']}/").status_code == 204
    taken(app.get(f"{REST}/chat-sessions/{chat['id']}/"), 404, {"detail": "x"})


def test_statistics_of_the_sessions(app: httpx.Client, chat: dict[str, Any]) -> None:
    send(app, chat)
    shape = {
        "total_sessions": 15,
        "active_sessions": 12,
        "total_messages": 245,
        "total_tokens": 15230,
        "average_messages_per_session": 16.33,
        "average_tokens_per_message": 62.16,
        "recent_sessions": [SESSION],
    }
    found = taken(app.get(f"{REST}/chat-sessions/stats/"), 200, shape)
    average = found["total_messages"] / found["total_sessions"]
    assert found["average_messages_per_session"] == round(average, 2)


def test_messages_of_all_sessions(app: httpx.Client, chat: dict[str, Any]) -> None:
    both = send(app, chat)
    newest = [both["assistant_message"], both["user_message"]]
    page = taken(app.get(f"{REST}/chat-messages/"), 200, {**PAGE, "results": []})
    assert page["results"][:2] == newest
    assert taken(app.get(f"{REST}/chat-messages/recent/"), 200, [])[:2] == newest


def test_a_text_is_analysed_and_kept(app: httpx.Client, chat: dict[str, Any]) -> None:
    body = {
        "prompt": "Выдели темы",
        "max_tokens": 1000,
        "temperature": 0.7,
        "save_to_session": True,
        "session_id": chat["id"],
    }
    shape = {"success": True, "analysis": "x", "tokens_used": 85, "response_time": 1.5}
    found = taken(app.post(f"{REST}/api/analyze_text/", json=body), 200, shape)
    messages = app.get(f"{REST}/chat-sessions/{chat['id']}/").json()["messages"]
    assert [each["content"] for each in messages] == ["Выдели темы", found["analysis"]]


def test_a_response_is_generated(app: httpx.Client) -> None:
    body = {"prompt": "Кратко о Python", "max_tokens": 500, "temperature": 0.5}
    shape = {"success": True, "response": "x", "tokens_used": 120, "response_time": 2.1}
    assert taken(app.post(f"{REST}/api/generate_response/", json=body), 200, shape)["success"] is True


def test_the_page_sends_a_message(app: httpx.Client, chat: dict[str, Any]) -> None:
    shape = {
        "success": True,
        "response": "x",
        "user_message_id": 26,
        "assistant_message_id": 27,
        "metadata": METADATA,
    }
    body = {"session_id": chat["id"], "message": "Привет, как дела?"}
    found = taken(app.post("/gemini/send-message/", json=body), 200, shape)
    assert found["metadata"]["finish_reason"] == "STOP"
    messages = app.get(f"{REST}/chat-sessions/{chat['id']}/").json()["messages"]
    assert [each["id"] for each in messages] == [found["user_message_id"], found["assistant_message_id"]]


def test_a_key_is_tested(app: httpx.Client) -> None:
    russian = {"Accept-Language": "ru"}

    def test(key: str) -> httpx.Response:
        return app.post("/gemini/test-api-key/", json={"api_key": key}, headers=russian)

    works = taken(test(GEMINI_KEY), 200, {"success": True, "message": "x"})
    assert works == {"success": True, "message": "Подключение к Gemini API успешно установлено"}
    assert taken(test(""), 400, {"success": False, "error": "x"}) == {
        "success": False,
        "error": "API ключ не может быть пустым",
    }
    wrong = test("AIzaSy-another-made-up-key")
    assert wrong.json()["success"] is False
    assert "AIzaSy-another" not in wrong.text


# --- errors ---


@pytest.mark.parametrize(
    ("language", "words"), [("ru", "Это поле не может быть пустым."), ("en", "This field may not be empty.")]
)
def test_an_empty_title_is_said_by_field(app: httpx.Client, language: str, words: str) -> None:
    answer = app.post(f"{REST}/chat-sessions/", json={"title": ""}, headers={"Accept-Language": language})
    assert (answer.status_code, answer.json()) == (400, {"title": [words]})


def test_a_wrong_role_and_no_text_are_said_together(app: httpx.Client, chat: dict[str, Any]) -> None:
    answer = app.post(
        f"{REST}/chat-sessions/{chat['id']}/send_message/",
        json={"role": "invalid_role"},
        headers={"Accept-Language": "ru"},
    )
    assert (answer.status_code, answer.json()) == (
        400,
        {"role": ["Неверная роль сообщения"], "content": ["Это поле обязательно для заполнения."]},
    )


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"message": "Привет"}, 400, "Неверные параметры запроса: отсутствует session_id"),
        ({"session_id": 999_999, "message": "Привет"}, 404, None),
    ],
)
def test_a_session_that_is_missing(
    app: httpx.Client, body: dict[str, Any], status: int, said: str | None
) -> None:
    answer = app.post("/gemini/send-message/", json=body, headers={"Accept-Language": "ru"})
    found = taken(answer, status, {"success": False, "error": "x"})
    assert found["success"] is False
    assert said in (None, found["error"])


def test_an_overloaded_model(hub: Hub, app: httpx.Client, chat: dict[str, Any]) -> None:
    hub.gemini.when("слишком много", gemini_server.overloaded())
    answer = app.post(
        "/gemini/send-message/",
        json={"session_id": chat["id"], "message": "Сейчас слишком много запросов"},
        headers={"Accept-Language": "ru"},
    )
    assert answer.json() == {
        "success": False,
        "error": "Модель Gemini перегружена. Пожалуйста, попробуйте позже.",
    }
    assert answer.status_code >= 500


def test_without_a_key(hub: Hub) -> None:
    with httpx.Client(base_url=hub.url) as client:
        who = {"email": "keyless@example.com", "username": "keyless", "password": PASSWORD}
        assert client.post("/api/users/", json=who).status_code == 201
    with session(hub.url, "keyless@example.com") as app:
        made = app.post(f"{REST}/chat-sessions/", json={"title": "Без ключа"}).json()
        answer = app.post(
            "/gemini/send-message/",
            json={"session_id": made["id"], "message": "Привет"},
            headers={"Accept-Language": "ru"},
        )
    assert answer.json() == {"success": False, "error": "API ключ не настроен"}
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "Authentication credentials were not provided."),
        ({"Authorization": "Session invalid_session_id"}, "Invalid session."),
    ],
)
def test_nobody_gets_in_without_a_session(hub: Hub, headers: dict[str, str], said: str) -> None:
    with httpx.Client(base_url=hub.url, headers=headers) as client:
        answer = client.get(f"{REST}/chat-sessions/")
    assert (answer.status_code, answer.json()) == (401, {"detail": said})


def test_the_cookie_opens_the_same_doors_and_writing_needs_its_token(hub: Hub) -> None:
    with httpx.Client(base_url=hub.url) as client:
        client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
        assert client.get(f"{REST}/chat-sessions/").status_code == 200
        refused = client.post(f"{REST}/chat-sessions/", json={"title": "x"})
        assert (refused.status_code, set(refused.json())) == (403, {"detail"})
        token = {"X-CSRFToken": client.cookies["csrftoken"]}
        assert client.post(f"{REST}/chat-sessions/", json={"title": "x"}, headers=token).status_code == 201
