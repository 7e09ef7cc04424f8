"""Files of a message on the chat page, drawn by Streamlit's own test runner, sent to a fake Gemini server."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import services
from core.config import PROJECT_DIR
from core.services import Services
from tests.fakes.gemini_server import GeminiServer, images_of
from tests.support.databases import sqlite_url
from tests.support.hub import me, opened_with_gemini

WAIT_SECONDS = 20
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PROGRAM = b"\x7fELF" + bytes(60)
BOX = "chat-text"


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Services, GeminiServer]]:
    with opened_with_gemini(sqlite_url(tmp_path), tmp_path) as (hub, server):
        monkeypatch.setattr(services, "_current", hub)
        yield hub, server


def page(thread: str | None = None) -> AppTest:
    app = AppTest.from_file(str(PROJECT_DIR / "pages" / "chat.py"), default_timeout=WAIT_SECONDS)
    if thread:
        app.query_params["thread"] = thread
    return app.run()


def shown(app: AppTest) -> str:
    texts = [*app.markdown, *app.caption, *app.error]
    return "\n".join([*(text.value for text in texts), *(button.label for button in app.button)])


def settle(hub: Services, app: AppTest) -> AppTest:
    """The page after every answer has ended."""
    for thread in hub.chat.threads(me(hub)):
        for message in hub.chat.messages(me(hub), thread.uuid):
            if (generation := hub.chat.live(message)) is not None:
                assert generation.wait(WAIT_SECONDS)
    return app.run()


def test_a_picture_is_sent_and_shown(chat: tuple[Services, GeminiServer]) -> None:
    hub, server = chat
    app = page()
    app.chat_input(key=BOX).upload("cat.png", PICTURE, "image/png").set_value("What is this?").run()
    app = settle(hub, app)
    asked = [request for request in server.requests if "streamGenerateContent" in request.path]
    assert images_of(asked[-1].body) == [("image/png", PICTURE)]
    assert "What is this?" in shown(app)
    (picture,) = app.image
    assert picture.captions == [r"cat\.png"]
    assert not app.exception


def test_a_picture_alone_is_a_message(chat: tuple[Services, GeminiServer]) -> None:
    hub, _ = chat
    app = page()
    app.chat_input(key=BOX).upload("cat.png", PICTURE, "image/png").run()
    app = settle(hub, app)
    assert len(hub.chat.threads(me(hub))) == 1
    assert len(app.image) == 1
    assert not app.exception


def test_what_could_not_be_sent_stands_in_the_box_and_its_files_above_it(
    chat: tuple[Services, GeminiServer],
) -> None:
    hub, server = chat
    app = page()
    box = app.chat_input(key=BOX).upload("cat.png", PICTURE, "image/png")
    box.upload("tool [1].bin", PROGRAM, "application/octet-stream").set_value("Look at *these*").run()
    assert app.error
    assert hub.chat.threads(me(hub)) == []
    box = app.chat_input(key=BOX)
    assert (box.proto.set_value, box.proto.value) == (True, "Look at *these*")
    assert [app.button(key=f"kept-file-{n}").label for n in (0, 1)] == [r"cat\.png ×", r"tool \[1\]\.bin ×"]

    app.button(key="kept-file-1").click().run()
    assert len([button for button in app.button if button.key and button.key.startswith("kept-file")]) == 1
    app.chat_input(key=BOX).set_value("Look at this").run()
    app = settle(hub, app)
    asked = [request for request in server.requests if "streamGenerateContent" in request.path]
    assert images_of(asked[-1].body) == [("image/png", PICTURE)]
    assert not [button for button in app.button if button.key and button.key.startswith("kept-file")]
    assert not app.exception


def test_a_file_that_is_no_picture_stands_by_its_name(chat: tuple[Services, GeminiServer]) -> None:
    hub, _ = chat
    app = page()
    app.chat_input(key=BOX).upload("a [1] *b*.txt", b"Some text", "text/plain").set_value("Read it").run()
    app = settle(hub, app)
    assert r":gray-badge[a \[1\] \*b\*\.txt · 9" in shown(app)
    assert not app.exception
