"""/api/v1/gemini/chat-messages: the messages of all of one's sessions."""

import pytest

from core.chat.attachments import NewAttachment
from core.chat.types import NewMessage
from core.providers.types import Role
from core.services import Services
from tests.api.gemini_app.conftest import MESSAGES, SESSIONS, Member
from tests.support.hub import MODEL

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32


@pytest.fixture
def talked(admin: Member) -> Member:
    """Two sessions, with a question and an answer each."""
    for text in ("Первый", "Второй"):
        assert admin.say(admin.session(text), text).status_code == 200
    return admin


def test_messages_come_newest_first_in_pages(talked: Member) -> None:
    first = talked.client.get(f"{MESSAGES}?page_size=3").json()
    assert (first["count"], first["previous"]) == (4, None)
    assert first["next"] == "http://127.0.0.1/api/v1/gemini/chat-messages/?page=2&page_size=3"
    last = talked.client.get(first["next"]).json()
    assert (len(last["results"]), last["next"]) == (1, None)
    both = [*first["results"], *last["results"]]
    assert [each["id"] for each in both] == sorted((each["id"] for each in both), reverse=True)
    assert [each["role"] for each in both] == ["assistant", "user"] * 2
    assert len({each["session"] for each in both}) == 2
    gone = talked.client.get(f"{MESSAGES}?page=2")
    assert (gone.status_code, gone.json()) == (404, {"detail": "Invalid page."})


def test_recent_messages_are_a_plain_list(talked: Member) -> None:
    listed = talked.client.get(MESSAGES).json()["results"]
    assert talked.client.get(f"{MESSAGES}recent/").json() == listed
    assert talked.client.get(f"{MESSAGES}recent?limit=1").json() == listed[:1]


def test_how_many_recent_messages_is_checked(admin: Member) -> None:
    for limit in ("0", "101", "x", ""):
        answer = admin.client.get(f"{MESSAGES}recent/?limit={limit}")
        assert (answer.status_code, list(answer.json())) == (400, ["limit"]), limit


def test_no_more_than_ten_are_recent(hub: Services, admin: Member) -> None:
    session = admin.session()
    for number in range(11):
        hub.threads.add_message(admin.id, session, NewMessage(Role.USER, f"Message {number}"))
    recent = admin.client.get(f"{MESSAGES}recent/").json()
    assert [each["content"] for each in recent] == [f"Message {number}" for number in range(10, 0, -1)]


def test_one_message_is_read_by_its_id(talked: Member, other: Member) -> None:
    newest = talked.client.get(MESSAGES).json()["results"][0]
    address = f"{MESSAGES}{newest['id']}/"
    assert talked.client.get(address).json() == newest
    for refused in (other.client.get(address), talked.client.get(f"{MESSAGES}{2**63 - 1}/")):
        assert (refused.status_code, refused.json()) == (404, {"detail": "Not found."})
    talked.client.delete(f"{SESSIONS}{newest['session']}/")
    assert talked.client.get(address).status_code == 404
    assert talked.client.get(MESSAGES).json()["count"] == 2


def test_nobody_sees_the_messages_of_others(talked: Member, other: Member) -> None:
    assert other.client.get(MESSAGES).json() == {"count": 0, "next": None, "previous": None, "results": []}
    assert other.client.get(f"{MESSAGES}recent/").json() == []
    del talked.client.headers["Authorization"]
    for address in (MESSAGES, f"{MESSAGES}recent/", f"{MESSAGES}1/"):
        refused = talked.client.get(address)
        assert (refused.status_code, list(refused.json())) == (401, ["detail"])


def test_a_message_says_what_kind_of_file_it_carries(hub: Services, admin: Member) -> None:
    sent = hub.chat.send(
        admin.id, None, "Что здесь?", "gemini", MODEL, [NewAttachment("a.png", "image/png", PNG)]
    )
    assert sent.generation.wait(20)
    answer, question = admin.client.get(MESSAGES).json()["results"]
    assert (question["message_type"], question["sender_type"]) == ("image", "user")
    assert (answer["message_type"], answer["sender_type"]) == ("text", "assistant")
    assert answer["processing_time"] == answer["response_time"]


def test_a_message_cannot_be_written_here(talked: Member) -> None:
    for answer in (talked.client.post(MESSAGES, json={}), talked.client.delete(f"{MESSAGES}1/")):
        assert (answer.status_code, list(answer.json())) == (405, ["detail"])
