"""For each provider, as a user does it: add a key on the Models page, see its test, chat, and see the right cost."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes import gigachat_server, openai_server
from tests.fakes.script import Script
from tests.support.browser import chromium, visitor
from tests.support.server import running_hub

pytestmark = pytest.mark.browser

MESSAGE_BOX = "[data-testid='stChatInput'] textarea"
ANSWER = "[class*='st-key-answer-']"
LINE = "[class*='st-key-meta-']"
NOTICE = ".st-key-models-notice"
DIALOG = "[data-testid='stDialog']"
KEY = base64.b64encode(b"11111111-2222-4333-8444-555555555555:66666666-7777-4888-8999-aaaaaaaaaaaa").decode()


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with chromium(chromium_path) as browser:
        yield browser


def add_key(page: Page, key: str) -> None:
    """Through the dialog, as a user does."""
    page.goto("/models")
    page.locator(".st-key-add-key-gigachat button").click()
    dialog = page.locator(DIALOG)
    dialog.get_by_label("API key").fill(key)
    dialog.get_by_role("button", name="Save and test").click()


def chat(page: Page, provider: str, model: str) -> None:
    page.goto("/chat")
    box = page.locator("[class*='st-key-chat-model'] input")
    box.click()
    box.fill(f"{provider}/{model}")
    page.keyboard.press("Enter")
    expect(box).to_have_value(re.compile(re.escape(model)))
    page.locator(MESSAGE_BOX).fill("What does this cost?")
    page.keyboard.press("Enter")


def test_what_is_wrong_with_a_key_is_said_and_it_is_tested_used_and_paid_for(
    browser: Browser, tmp_path: Path
) -> None:
    """Of GigaChat, which has a sign-in of its own; the first light has Gemini, and the contract suite all of them."""
    with (
        gigachat_server.GigaChatServer(models=("GigaChat-2", "another-model")) as server,
        running_hub(
            tmp_path / "data", {"GIGACHAT_BASE_URL": server.url, "GIGACHAT_AUTH_URL": server.auth_url}
        ) as base,
        visitor(browser, base) as page,
    ):
        # A lone UUID is the client ID: it is refused before anything is sent.
        add_key(page, "11111111-2222-4333-8444-555555555555")
        expect(page.locator(DIALOG)).to_contain_text("Base64", timeout=20_000)
        assert not server.requests

        server.listing = gigachat_server.wrong_key()
        add_key(page, KEY)
        expect(page.locator(NOTICE)).to_contain_text("GigaChat", timeout=20_000)
        card = page.locator(".st-key-provider-gigachat")
        expect(card).to_contain_text("failed")

        server.listing = None
        page.locator("[class*='st-key-key-menu-'] button").click()
        page.get_by_text("Test the connection").click()
        expect(page.locator(NOTICE)).to_contain_text("the connection works", timeout=20_000)
        expect(card).to_contain_text("connected")
        expect(card).to_contain_text("****")
        expect(page.locator("body")).not_to_contain_text(KEY)

        server.queue(Script(chunks=["It costs ", "little."], usage=gigachat_server.usage(1_000, 1_000)))
        chat(page, "gigachat", "GigaChat-2")
        expect(page.locator(ANSWER).last).to_contain_text("It costs little.")
        expect(page.locator(LINE)).to_contain_text("2,000 tokens · RUB")

        page.get_by_role("link", name="Usage").click()
        page.locator(".st-key-usage-groups summary").click(timeout=20_000)
        row = page.locator("[data-testid='stDataFrame'] tr", has_text="GigaChat-2").last
        expect(row).to_contain_text("GigaChat", timeout=20_000)
        expect(page.locator("[data-testid='stException']")).to_have_count(0)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert KEY.encode() not in everything, "the key lies in the data folder as it is"


def test_an_own_server_is_added_and_its_calls_are_free(browser: Browser, tmp_path: Path) -> None:
    with (
        openai_server.OpenAIServer(models=("llama3",)) as server,
        running_hub(tmp_path / "data") as base,
        visitor(browser, base) as page,
    ):
        page.goto("/models")
        page.locator(".st-key-add-endpoint button").click()
        dialog = page.locator(DIALOG)
        dialog.get_by_label("Name").fill("Ollama")
        dialog.get_by_label("Base URL").fill(server.url)
        dialog.get_by_role("button", name="Save").click()
        expect(page.locator(NOTICE)).to_contain_text("the connection works", timeout=20_000)
        chat(page, "ollama", "llama3")
        expect(page.locator(ANSWER).last).to_contain_text("Hello, world!")
        expect(page.locator(LINE)).to_contain_text("$0")
