"""/api/v1/gemini/api: a text analysed, a question answered."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.services import Services
from core.usage.explore.types import Dimension, Selection
from core.usage.types import Source
from tests.api.gemini_app.conftest import MESSAGES, RU, SESSIONS, Member
from tests.fakes.gemini_server import GeminiServer, overloaded, usage
from tests.fakes.script import Script

ANALYZE = "/api/v1/gemini/api/analyze_text/"
GENERATE = "/api/v1/gemini/api/generate_response/"
PROMPT = "Анализируй следующий текст и выдели основные темы"
both = pytest.mark.parametrize("address", [ANALYZE, GENERATE])


def test_a_text_is_analysed_and_kept_in_a_session(hub: Services, admin: Member, gemini: GeminiServer) -> None:
    session = admin.session()
    admin.say(session, "Расскажи о Python")
    gemini.queue(Script(chunks=["Технологии"], usage=usage(prompt=9, output=85)))
    wanted = {
        "prompt": PROMPT,
        "max_tokens": 1000,
        "temperature": 0.7,
        "save_to_session": True,
        "session_id": session,
    }
    answer = admin.client.post(ANALYZE, json=wanted)
    assert answer.status_code == 200
    seconds = answer.json()["response_time"]
    assert answer.json() == {
        "success": True,
        "analysis": "Технологии",
        "tokens_used": 85,
        "response_time": seconds,
    }
    asked = gemini.requests[-1].body
    assert [content["parts"][0]["text"] for content in asked["contents"]] == [PROMPT]
    assert asked["generationConfig"]["maxOutputTokens"] == 1000
    assert asked["generationConfig"]["temperature"] == 0.7
    messages = admin.client.get(f"{SESSIONS}{session}/").json()["messages"]
    assert [each["content"] for each in messages[2:]] == [PROMPT, "Технологии"]
    assert messages[3]["response_time"] == seconds


def test_an_analysis_that_is_not_kept_leaves_no_message(
    hub: Services, admin: Member, gemini: GeminiServer
) -> None:
    session = admin.session()
    answer = admin.client.post(ANALYZE, json={"prompt": PROMPT, "session_id": session})
    assert answer.json()["analysis"] == "Hello, world!"
    assert admin.client.get(MESSAGES).json()["count"] == 0


def test_a_question_is_answered_and_counted(hub: Services, admin: Member, gemini: GeminiServer) -> None:
    gemini.queue(Script(chunks=["**Простота**"], usage=usage(prompt=6, output=100, thoughts=20)))
    wanted = {"prompt": "Создай краткое резюме", "max_tokens": 500, "temperature": 0.5}
    answer = admin.client.post(GENERATE, json=wanted).json()
    assert set(answer) == {"success", "response", "tokens_used", "response_time"}
    assert (answer["success"], answer["response"], answer["tokens_used"]) == (True, "**Простота**", 120)
    today = datetime.now(UTC).date()
    yesterday = today - timedelta(days=1)
    total = hub.explore.explore(
        Selection(admin.id, yesterday, today, where=((Dimension.SOURCE, (Source.API.value,)),))
    ).total
    assert (total.requests, total.output_tokens) == (1, 120)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "missing prompt"),
    ({"prompt": None}, "missing prompt"),
    ({"prompt": " "}, "prompt: This field may not be empty."),
    ({"prompt": "a", "max_tokens": 0}, "max_tokens: At least 1 is expected."),
    ({"prompt": "a", "temperature": 2.5}, "temperature: At most 2.0 is expected."),
    ({"prompt": "a", "max_tokens": 10**30}, "max_tokens: At most 1000000 is expected."),
]


@both
def test_what_is_asked_is_checked(admin: Member, address: str) -> None:
    for body, reason in WRONG:
        answer = admin.client.post(address, json=body)
        error = f"Invalid request parameters: {reason}"
        assert (answer.status_code, answer.json()) == (400, {"success": False, "error": error})
    for none in (b"", b"null", b"[]", b"{", b'{"prompt": "a", "temperature": NaN}', b"\xff"):
        answer = admin.post_bytes(address, none)
        assert (answer.status_code, answer.json()["success"]) == (400, False), none
        assert set(answer.json()) == {"success", "error"}


def test_to_keep_an_analysis_takes_ones_own_session(admin: Member, other: Member) -> None:
    wanted = {"prompt": PROMPT, "save_to_session": True}
    missing = admin.client.post(ANALYZE, json=wanted)
    assert missing.status_code == 400
    assert missing.json()["error"] == "Invalid request parameters: missing session_id"
    for session in (other.session(), 987_654, 0, -1, 10**30):
        answer = admin.client.post(ANALYZE, json={**wanted, "session_id": session})
        assert answer.status_code == 404
        assert answer.json() == {"success": False, "error": "The session was not found."}


@both
def test_what_goes_wrong_is_said_in_the_apps_shape(
    admin: Member, other: Member, gemini: GeminiServer, address: str
) -> None:
    gemini.queue(overloaded())
    busy = admin.client.post(address, json={"prompt": PROMPT})
    assert busy.status_code == 500
    overloaded_text = "The Gemini model is overloaded. Please try again later."
    assert busy.json() == {"success": False, "error": overloaded_text}
    keyless = other.client.post(address, json={"prompt": PROMPT})
    assert keyless.status_code == 400
    assert keyless.json() == {"success": False, "error": "The API key is not configured"}
    del admin.client.headers["Authorization"]
    nobody = admin.client.post(address, json={"prompt": PROMPT}, headers=RU)
    assert (nobody.status_code, list(nobody.json())) == (401, ["detail"])
