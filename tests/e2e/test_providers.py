"""For each provider, as a user does it: add a key on the Models page, see its test, chat, and see the right cost."""

import base64
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes import anthropic_server, gemini_server, gigachat_server, openai_server
from tests.fakes.script import Script
from tests.support.browser import chromium, visitor
from tests.support.server import running_hub

pytestmark = pytest.mark.browser

MESSAGE_BOX = "[data-testid='stChatInput'] textarea"
ANSWER = "[class*='st-key-answer-']"
LINE = "[class*='st-key-meta-']"
NOTICE = ".st-key-models-notice"
DIALOG = "[data-testid='stDialog']"
KEY = "sk-test-key-of-no-use-0123456789"
GIGACHAT_KEY = base64.b64encode(
    b"11111111-2222-4333-8444-555555555555:66666666-7777-4888-8999-aaaaaaaaaaaa"
).decode()


@dataclass(frozen=True)
class Case:
    """A provider, the server it talks to, what that server says was used, and what the line must show."""

    provider: str
    label: str
    serve: Any
    address: str
    model: str
    usage: Any
    line: str
    key: str = KEY
    addresses: Any = field(default=None)

    def settings(self, server: Any) -> dict[str, str]:
        """The environment that leads to the server; no key is in it."""
        return self.addresses(server) if self.addresses else {self.address: server.url}


CASES = [
    # 262,960 input tokens of which 257,955 are cached, above Gemini's tier of 200 thousand.
    Case(
        "gemini",
        "Gemini",
        gemini_server.GeminiServer,
        "GOOGLE_GEMINI_BASE_URL",
        "gemini-2.5-pro",
        gemini_server.usage(262_960, 1_744, cached=257_955),
        "264,704 tokens · $0.1032",
    ),
    # 2.50, 1.25 cached and 10.00 dollars per million: 500 × 2.5 + 500 × 1.25 + 100 × 10 = 2,875 millionths.
    Case(
        "openai",
        "OpenAI",
        openai_server.OpenAIServer,
        "OPENAI_BASE_URL",
        "gpt-4o",
        openai_server.usage(1_000, 100, cached=500),
        "1,100 tokens · $0.002875",
    ),
    # 3 input and 12,304 written to the cache, 550 output: the golden cost of 0.054399 dollars.
    Case(
        "anthropic",
        "Anthropic",
        anthropic_server.AnthropicServer,
        "ANTHROPIC_BASE_URL",
        "claude-3-7-sonnet-latest",
        anthropic_server.usage(3, 550, cache_write=12_304),
        "12,857 tokens · $0.0544",
    ),
    Case(
        "gigachat",
        "GigaChat",
        gigachat_server.GigaChatServer,
        "GIGACHAT_BASE_URL",
        "GigaChat-2",
        gigachat_server.usage(1_000, 1_000),
        "2,000 tokens · RUB",
        GIGACHAT_KEY,
        lambda server: {"GIGACHAT_BASE_URL": server.url, "GIGACHAT_AUTH_URL": server.auth_url},
    ),
]


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with chromium(chromium_path) as browser:
        yield browser


def add_key(page: Page, case: Case, key: str) -> None:
    """Through the dialog, as a user does."""
    page.goto("/models")
    page.locator(f".st-key-add-key-{case.provider} button").click()
    dialog = page.locator(DIALOG)
    dialog.get_by_label("API key").fill(key)
    dialog.get_by_role("button", name="Save and test").click()


def chat(page: Page, case: Case) -> None:
    page.goto("/chat")
    box = page.locator("[class*='st-key-chat-model'] input")
    box.click()
    box.fill(f"{case.provider}/{case.model}")
    page.keyboard.press("Enter")
    expect(box).to_have_value(re.compile(re.escape(case.model)))
    page.locator(MESSAGE_BOX).fill("What does this cost?")
    page.keyboard.press("Enter")


# The contract suite plays the others; these two differ most in what their cards ask for.
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.provider in ("gemini", "gigachat")],
    ids=lambda case: case.provider,
)
def test_a_key_is_added_tested_used_and_paid_for(browser: Browser, tmp_path: Path, case: Case) -> None:
    serving: AbstractContextManager[Any] = case.serve(models=(case.model, "another-model"))
    with (
        serving as server,
        running_hub(tmp_path / "data", case.settings(server)) as base,
        visitor(browser, base) as page,
    ):
        add_key(page, case, case.key)
        expect(page.locator(NOTICE)).to_contain_text("the connection works", timeout=20_000)
        card = page.locator(f".st-key-provider-{case.provider}")
        expect(card).to_contain_text("connected")
        expect(card).to_contain_text("****")
        expect(page.locator("body")).not_to_contain_text(case.key)

        server.queue(Script(chunks=["It costs ", "little."], usage=case.usage))
        chat(page, case)
        expect(page.locator(ANSWER).last).to_contain_text("It costs little.")
        expect(page.locator(LINE)).to_contain_text(case.line)

        page.get_by_role("link", name="Usage").click()
        row = page.locator("[data-testid='stDataFrame'] tr", has_text=case.model).last
        expect(row).to_contain_text(case.label, timeout=20_000)
        expect(page.locator("[data-testid='stException']")).to_have_count(0)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert case.key.encode() not in everything, "the key lies in the data folder as it is"


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
        case = Case("ollama", "Ollama", None, "", "llama3", None, "")
        chat(page, case)
        expect(page.locator(ANSWER).last).to_contain_text("Hello, world!")
        expect(page.locator(LINE)).to_contain_text("$0")


def test_what_is_wrong_with_a_key_is_said(browser: Browser, tmp_path: Path) -> None:
    with (
        gigachat_server.GigaChatServer() as server,
        running_hub(
            tmp_path / "data", {"GIGACHAT_BASE_URL": server.url, "GIGACHAT_AUTH_URL": server.auth_url}
        ) as base,
        visitor(browser, base) as page,
    ):
        # A lone UUID is the client ID: it is refused before anything is sent.
        add_key(page, CASES[3], "11111111-2222-4333-8444-555555555555")
        expect(page.locator(DIALOG)).to_contain_text("Base64", timeout=20_000)
        assert not server.requests
        server.listing = gigachat_server.wrong_key()
        add_key(page, CASES[3], GIGACHAT_KEY)
        expect(page.locator(NOTICE)).to_contain_text("GigaChat", timeout=20_000)
        expect(page.locator(".st-key-provider-gigachat")).to_contain_text("failed")
