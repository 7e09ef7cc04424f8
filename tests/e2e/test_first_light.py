"""One AI call from the chat box to the chart, in real Chromium, through the real SDK, over the real wire."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.gemini_server import GeminiServer, usage, wrong_key
from tests.fakes.script import Script
from tests.support.browser import chromium, visitor
from tests.support.server import running_hub

pytestmark = pytest.mark.browser

MESSAGE_BOX = "[data-testid='stChatInput'] textarea"
ANSWER = "[class*='st-key-answer-']"
STOP = ".st-key-stop button"
LINE = "[class*='st-key-meta-']"
# gemini-2.5-pro above 200 thousand input tokens, as priced by genai-prices 0.2.3: 0.10316125 dollars.
GOLDEN = usage(prompt=262_960, output=1_744, cached=257_955)


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with chromium(chromium_path) as browser:
        yield browser


@pytest.fixture(scope="module")
def server() -> Iterator[GeminiServer]:
    with GeminiServer(models=("gemini-2.5-pro", "gemini-3.8-flash")) as server:
        yield server


@pytest.fixture
def gemini(server: GeminiServer) -> GeminiServer:
    server.hold()
    return server


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, server: GeminiServer) -> Iterator[str]:
    settings = {"GEMINI_API_KEY": "test-key-of-no-use", "GOOGLE_GEMINI_BASE_URL": server.url}
    with running_hub(tmp_path_factory.mktemp("hub") / "data", settings) as base:
        yield base


def send(page: Page, text: str) -> None:
    # For a moment the box of an answer that has just ended stands beside the new one.
    page.locator(f"{MESSAGE_BOX}:enabled").fill(text)
    page.keyboard.press("Enter")


def pick_model(page: Page, name: str) -> None:
    box = page.locator("[class*='st-key-chat-model'] input")
    box.click()
    box.fill(f"gemini/{name}")
    page.keyboard.press("Enter")
    expect(box).to_have_value(re.compile(name))


def no_traceback(page: Page) -> None:
    expect(page.locator("[data-testid='stException']")).to_have_count(0)
    expect(page.get_by_text("Traceback")).to_have_count(0)


# The first on its server: what it finds on the usage page is all there is.
def test_from_the_chat_box_to_the_chart(browser: Browser, hub: str, gemini: GeminiServer) -> None:
    with visitor(browser, hub) as page:
        page.goto("/")
        page.wait_for_selector(MESSAGE_BOX)
        pick_model(page, "gemini-2.5-pro")

        gemini.queue(Script(chunks=["The **first** ", "answer"], usage=GOLDEN))
        send(page, "First question")
        expect(page.locator(ANSWER).last).to_contain_text("The first answer")
        expect(page.locator(LINE)).to_contain_text("264,704 tokens · $0.1032")

        gemini.queue(Script(chunks=["Before the reload ", "and after it"], hang_after=1, usage=usage(20, 8)))
        send(page, "Second question")
        expect(page.locator(ANSWER).last).to_contain_text("Before the reload")
        page.reload()
        expect(page.locator(ANSWER).last).to_contain_text("Before the reload")
        gemini.release()
        expect(page.locator(ANSWER).last).to_contain_text("Before the reload and after it")
        expect(page.locator(LINE).last).to_contain_text("28 tokens · $0.000105")

        page.get_by_role("link", name="Usage").click()
        page.locator(".st-key-usage-groups summary").click()
        row = page.locator("[data-testid='stDataFrame'] tr", has_text="gemini-2.5-pro").last
        # 0.10316125 + 0.000105 dollars, and nothing twice.
        cells = ["Gemini", "gemini-2.5-pro", "1", "0.10326625", "2", "264732", "262980", "257955", "1752"]
        expect(row.locator("td")).to_contain_text(cells, timeout=20_000)
        expect(page.locator(".kpi-value").first).to_have_text("2")
        expect(page.get_by_text("unpriced").filter(visible=True)).to_have_count(0)
        no_traceback(page)


def test_stop_keeps_what_was_there(browser: Browser, hub: str, gemini: GeminiServer) -> None:
    with visitor(browser, hub) as page:
        page.goto("/chat")
        gemini.queue(Script(chunks=["Kept ", "lost"], hang_after=1))
        send(page, "A question")
        expect(page.locator(ANSWER).last).to_contain_text("Kept")
        page.locator(STOP).click()
        expect(page.locator(LINE).last).to_contain_text("stopped")
        expect(page.locator(ANSWER).last).not_to_contain_text("lost")
        expect(page.locator(MESSAGE_BOX)).to_be_enabled()


def test_what_went_wrong_stands_in_the_thread_and_can_be_tried_again(
    browser: Browser, hub: str, gemini: GeminiServer
) -> None:
    with visitor(browser, hub) as page:
        page.goto("/chat")
        gemini.queue(wrong_key())
        send(page, "A question")
        card = page.locator("[class*='st-key-card-error-']")
        expect(card).to_contain_text("GEMINI_API_KEY")
        expect(card).not_to_contain_text("test-key-of-no-use")
        card.get_by_role("button", name="Retry").click()
        expect(page.locator(ANSWER).last).to_contain_text("Hello, world!")
        expect(card).to_have_count(0)
        no_traceback(page)


def test_a_megabyte_is_refused_in_words_and_stays_in_the_box(browser: Browser, hub: str) -> None:
    with visitor(browser, hub) as page:
        page.goto("/chat")
        send(page, "x" * 1_000_000)
        expect(page.get_by_text("at most 500000 fit")).to_be_visible(timeout=20_000)
        expect(page.locator(MESSAGE_BOX)).to_have_value("x" * 1_000_000)
        expect(page.locator("[class*='st-key-question-']")).to_have_count(0)


def test_an_answer_goes_on_when_the_tab_is_closed(browser: Browser, hub: str, gemini: GeminiServer) -> None:
    gemini.queue(Script(chunks=["First half ", "second half"], hang_after=1))
    with visitor(browser, hub) as page:
        page.goto("/chat")
        send(page, "Go on without me")
        expect(page.locator(ANSWER).last).to_contain_text("First half")
        address = page.url
    gemini.release()
    with visitor(browser, hub) as page:
        page.goto(address)
        expect(page.locator(ANSWER).last).to_contain_text("First half second half")
        no_traceback(page)


@pytest.mark.parametrize("address", ["/chat", "/usage"])
def test_a_deep_link_on_a_fresh_server_is_the_page_reached_from_home(
    browser: Browser, tmp_path: Path, address: str
) -> None:
    with running_hub(tmp_path / "data") as base, visitor(browser, base) as page:
        page.goto(address)
        navigation = page.locator("[data-testid='stTopNavLink']")
        expect(navigation).to_have_text(["Chat", "Models", "Usage"])
        expect(page).to_have_title(f"{address.strip('/').capitalize()} · AIHub")
        no_traceback(page)


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "streamlit", "run", "Home.py", "--server.port", "{port}"),
        ("-m", "uvicorn", "Home:app", "--port", "{port}"),
    ],
    ids=["streamlit", "uvicorn"],
)
def test_the_other_ways_to_start_serve_the_same(
    browser: Browser, tmp_path: Path, command: tuple[str, ...]
) -> None:
    with running_hub(tmp_path / "data", command=command) as base, visitor(browser, base) as page:
        page.goto("/chat")
        send(page, "Hello")
        expect(page.locator(ANSWER).last).to_contain_text("Hello")
        page.locator(STOP).click()  # the demo writes at a human's pace
        expect(page.locator(LINE)).to_contain_text("offline demo, not a model")
        answer = page.request.get("/api/health")
        assert answer.json()["status"] == "ok"
        assert page.request.get("/api/nothing").status == 404
        no_traceback(page)
