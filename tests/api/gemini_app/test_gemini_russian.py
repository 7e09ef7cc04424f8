"""The sentences that the documents show in Russian, word for word."""

from typing import Any

from tests.api.gemini_app.conftest import RU, SESSIONS, Member
from tests.fakes.gemini_server import GeminiServer, overloaded
from tests.support.hub import KEY

SEND, TRY_KEY = "/gemini/send-message/", "/gemini/test-api-key/"


def test_the_documented_sentences_of_the_apps_pages(
    admin: Member, other: Member, gemini: GeminiServer
) -> None:
    gemini.queue(overloaded())
    asked = {"session_id": admin.session(), "message": "Привет"}
    told: list[tuple[Member, str, dict[str, Any], int, str]] = [
        (admin, SEND, {"message": "Привет"}, 400, "Неверные параметры запроса: отсутствует session_id"),
        (admin, SEND, {**asked, "session_id": 999}, 404, "Сессия не найдена."),
        (other, SEND, {**asked, "session_id": other.session()}, 400, "API ключ не настроен"),
        (admin, SEND, asked, 500, "Модель Gemini перегружена. Пожалуйста, попробуйте позже."),
        (admin, TRY_KEY, {"api_key": ""}, 400, "API ключ не может быть пустым"),
    ]
    for member, address, body, status, error in told:
        answer = member.client.post(address, json=body, headers=RU)
        assert (answer.status_code, answer.json()) == (status, {"success": False, "error": error})
    connected = admin.client.post(TRY_KEY, json={"api_key": KEY}, headers=RU).json()
    assert connected == {"success": True, "message": "Подключение к Gemini API успешно установлено"}


def test_the_documented_sentences_about_fields(admin: Member) -> None:
    address = f"{SESSIONS}{admin.session()}/send_message/"
    answer = admin.client.post(address, json={"role": "invalid_role"}, headers=RU)
    assert list(answer.json().items()) == [
        ("role", ["Неверная роль сообщения"]),
        ("content", ["Это поле обязательно для заполнения."]),
    ]
    assert admin.client.post(SESSIONS, json={"title": ""}, headers=RU).json() == {
        "title": ["Это поле не может быть пустым."]
    }
