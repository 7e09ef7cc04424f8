"""The Models page in a browser, and what is set on it at work in the chat."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.gemini_server import GeminiServer, images_of, usage
from tests.fakes.openai_server import OpenAIServer, no_balance
from tests.fakes.script import Script
from tests.support.browser import chromium, visitor
from tests.support.server import running_hub

pytestmark = pytest.mark.browser

MESSAGE_BOX = "[data-testid='stChatInput'] textarea"
ANSWER = "[class*='st-key-answer-']"
LINE = "[class*='st-key-meta-']"
NOTICE = ".st-key-models-notice"
DIALOG = "[data-testid='stDialog']"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
GEMINI_MODELS = ("gemini-3.8-flash", "gemini-2.5-flash", "gemini-2.5-pro")
SECTIONS = {
    "keys": "Keys and servers",
    "models": "Models and prices",
    "request": "How a model is asked",
    "prices": "Own prices and currency",
    "budgets": "Budgets",
    "limits": "Limits and health",
}


@dataclass(frozen=True)
class Hub:
    """A hub with a key for Gemini and one for OpenAI, and the servers it talks to."""

    base: str
    gemini: GeminiServer
    openai: OpenAIServer


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with chromium(chromium_path) as browser:
        yield browser


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with GeminiServer(models=GEMINI_MODELS) as gemini, OpenAIServer(models=("gpt-4o",)) as openai:
        settings = {
            "GEMINI_API_KEY": "test-key-of-no-use",
            "GOOGLE_GEMINI_BASE_URL": gemini.url,
            "OPENAI_API_KEY": "test-key-of-no-use",
            "OPENAI_BASE_URL": openai.url,
        }
        with running_hub(tmp_path_factory.mktemp("hub"), settings) as base:
            yield Hub(base, gemini, openai)


@pytest.fixture
def page(browser: Browser, hub: Hub) -> Iterator[Page]:
    with visitor(browser, hub.base) as page:
        yield page
        expect(page.locator("[data-testid='stException']")).to_have_count(0)


def ask(page: Page, model: str, text: str) -> None:
    """A first message to `model` ("provider/model") in a new thread."""
    page.goto("/chat")
    box = page.locator("[class*='st-key-chat-model'] input")
    box.click()
    box.fill(model)
    page.keyboard.press("Enter")
    expect(box).to_have_value(re.compile(re.escape(model.partition("/")[2])))
    page.locator(MESSAGE_BOX).fill(text)
    page.keyboard.press("Enter")


def fill(page: Page, label: str, text: str) -> None:
    """A field of the form, and out of it, so that the page hears of it."""
    field = page.get_by_role("textbox", name=label).or_(page.get_by_role("spinbutton", name=label))
    field.fill(text)
    page.keyboard.press("Tab")


def test_every_part_opens_by_its_address_and_fits_a_phone(browser: Browser, hub: Hub) -> None:
    """The first thing that this server is asked for."""
    with visitor(browser, hub.base, 390, 844) as page:
        for section, title in SECTIONS.items():
            page.goto(f"/models?section={section}")
            expect(page.get_by_role("heading", level=1)).to_have_text(title, timeout=20_000)
            expect(page.locator("[data-testid='stApp']")).to_have_attribute(
                "data-test-script-state", "notRunning"
            )
            wide = "(main => main.scrollWidth - main.clientWidth)(document.querySelector('[data-testid=stMain]'))"
            assert page.evaluate(wide) == 0, f"{section} scrolls sideways"
            expect(page.locator("[data-testid='stException']")).to_have_count(0)


def test_the_preview_shows_each_setting_and_the_chat_sends_it(page: Page, hub: Hub) -> None:
    page.goto("/models?section=request&provider=gemini&model=gemini-2.5-flash")
    body = page.locator(".st-key-request-preview")
    expect(body).to_contain_text("Your message stands here.", timeout=20_000)
    fill(page, "System prompt", "Answer in one word.")
    expect(body).to_contain_text('"systemInstruction"')
    fill(page, "Temperature", "0.3")
    expect(body).to_contain_text('"temperature": 0.3')
    page.get_by_text("Form of the answer").click()
    fill(page, "responseSchema", "{bad")
    expect(page.locator(".st-key-request-side")).to_contain_text("Shown when the settings")
    fill(page, "responseSchema", "")
    expect(body).to_contain_text('"temperature": 0.3')
    finished(page)
    page.locator(".st-key-request-save button").click()
    expect(page.locator(NOTICE)).to_contain_text("The next message to gemini-2.5-flash uses it")

    ask(page, "gemini/gemini-2.5-flash", "How do you do?")
    expect(page.locator(ANSWER).last).to_contain_text("Hello, world!")
    sent = sent_last(hub)
    assert sent["systemInstruction"]["parts"] == [{"text": "Answer in one word."}]
    assert sent["generationConfig"]["temperature"] == 0.3


def test_a_pasted_request_is_corrected_and_run(page: Page, hub: Hub) -> None:
    page.goto("/models?section=request&provider=gemini&model=gemini-2.5-pro")
    box = page.locator(".st-key-gemini-json textarea")
    box.fill(
        '{"contents": [{"role": "you", "parts": [{"text": "Hi"}]}], "generationConfig": {"temperature": 9}}'
    )
    page.locator(".st-key-gemini-json-run button").click()
    expect(page.locator("code", has_text="contents[0].role")).to_be_visible()
    expect(page.locator("code", has_text="generationConfig.temperature")).to_be_visible()

    # 1.25 and 10 dollars per million: 1,000 × 1.25 + 100 × 10 = 2,250 millionths.
    hub.gemini.queue(Script(chunks=["Volga, ", "Don."], usage=usage(1_000, 100)))
    box.fill(
        '{"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"temperature": 1}}'
    )
    page.locator(".st-key-gemini-json-run button").click()
    answer = page.locator(".st-key-answer-gemini-run")
    expect(answer).to_contain_text("Volga, Don.")
    expect(answer).to_contain_text("gemini-2.5-pro · 1,100 tokens · $0.00225")


def test_the_past_is_priced_by_an_own_price(page: Page, hub: Hub) -> None:
    hub.openai.queue(Script(chunks=["Dear."]))
    ask(page, "openai/gpt-4o", "What does this cost?")
    expect(page.locator(ANSWER).last).to_contain_text("Dear.")
    page.goto("/models?section=prices")
    page.locator(".st-key-price-new button").click()
    dialog = page.locator(DIALOG)
    dialog.locator(".st-key-price-provider input").click()
    page.get_by_role("option", name="OpenAI").click()
    dialog.get_by_label("Model").fill("gpt-4o")
    dialog.get_by_label("Input", exact=True).fill("1000000")
    dialog.get_by_role("button", name="Add the price").click()
    expect(dialog).to_contain_text("needs a price for input and for output")
    dialog.get_by_role("textbox", name="Output", exact=True).fill("0")
    dialog.get_by_role("button", name="Add the price").click()
    expect(page.locator(NOTICE)).to_contain_text("The price stands")
    expect(dialog).to_have_count(0)

    page.locator(".st-key-recost-plan button").click()
    difference = page.locator(".st-key-recost-difference")
    expect(difference).to_contain_text("would change")
    expect(difference.locator("tr", has_text="gpt-4o")).to_have_count(1)
    page.get_by_label("Reason").fill("The new contract")
    page.locator(".st-key-recost-apply button").click()
    expect(page.locator(NOTICE)).to_contain_text("Priced anew")
    page.get_by_text("What was priced anew before").click()
    expect(page.locator(".st-key-models-page")).to_contain_text("The new contract")
    page.locator("[class*='st-key-price-retire-'] button").click()
    expect(page.locator(".st-key-models-undo")).to_contain_text("Retired the price of gpt-4o")


def test_a_budget_blocks_until_it_starts_again(page: Page, hub: Hub) -> None:
    hub.gemini.queue(Script(usage=usage(1_000_000, 10)))
    ask(page, "gemini/gemini-2.5-pro", "Spend something")
    expect(page.locator(LINE)).to_contain_text("$")
    page.goto("/models?section=budgets")
    page.locator(".st-key-budget-new button").click()
    dialog = page.locator(DIALOG)
    dialog.get_by_label("Amount").fill("1.5")
    dialog.get_by_role("button", name="Save").click()
    card = page.locator(".st-key-models-page [data-testid='stProgress']")
    expect(card).to_be_visible()
    expect(page.locator(".st-key-models-page")).to_contain_text("used up")

    asked = len(hub.gemini.requests)
    ask(page, "gemini/gemini-2.5-pro", "One more")
    expect(page.locator("[class*='st-key-card-error-'], .st-key-notice")).to_contain_text("budget")
    assert len([one for one in hub.gemini.requests[asked:] if "streamGenerate" in one.path]) == 0

    page.goto("/models?section=budgets")
    menu(page, "budget", "Start again from zero")
    expect(page.locator(NOTICE)).to_contain_text("The budget counts from now on")
    ask(page, "gemini/gemini-2.5-pro", "And now")
    expect(page.locator(ANSWER).last).to_contain_text("Hello, world!")
    page.goto("/models?section=budgets")
    menu(page, "budget", "Delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator(NOTICE)).to_contain_text("Deleted the budget")
    expect(card).to_have_count(0)


def test_the_chat_says_that_it_waits_for_the_rate_limit(page: Page, hub: Hub) -> None:
    page.goto("/models?section=limits")
    requests = page.locator(".st-key-limits-requests-openai input")
    requests.fill("1")
    page.locator(".st-key-limits-save-openai button").click()
    expect(page.locator(NOTICE)).to_contain_text("Saved")
    page.reload()
    expect(requests).to_have_value("1")
    ask(page, "openai/gpt-4o", "First")
    expect(page.locator(LINE)).to_have_count(1)
    ask(page, "openai/gpt-4o", "Second")
    expect(page.locator("[class*='st-key-answer-live-']")).to_contain_text("waits its turn")
    page.locator(".st-key-stop button").click()
    expect(page.locator(LINE)).to_contain_text("stopped")

    page.goto("/models?section=limits")
    expect(requests).to_have_value("1")
    requests.fill("")
    page.locator(".st-key-limits-save-openai button").click()
    expect(page.locator(NOTICE)).to_contain_text("Saved")
    # For a moment the page may show the form before and the one after.
    expect(requests).to_have_count(1)
    expect(requests).to_have_value("")


def test_another_model_answers_when_the_first_does_not(page: Page, hub: Hub) -> None:
    page.goto("/models?section=request&provider=openai&model=gpt-4o")
    fallbacks = page.locator("[class*='-fallbacks'] input")
    fallbacks.click()
    page.get_by_role("option", name="Gemini · gemini-3.8-flash").click()
    page.keyboard.press("Escape")
    page.locator(".st-key-request-save button").click()
    expect(page.locator(NOTICE)).to_contain_text("Saved")
    hub.openai.queue(no_balance())
    ask(page, "openai/gpt-4o", "Does anyone answer?")
    expect(page.locator(ANSWER).last).to_contain_text("Hello, world!")
    expect(page.locator(LINE)).to_contain_text("gemini-3.8-flash · instead of gpt-4o")


def test_a_picture_goes_with_a_message(page: Page, hub: Hub) -> None:
    page.goto("/chat")
    expect(page.locator(MESSAGE_BOX)).to_be_visible()
    attach(page, "cat.png", "image/png", PICTURE)
    page.locator(MESSAGE_BOX).fill("What is this?")
    page.keyboard.press("Enter")
    expect(page.locator("[class*='st-key-files-'] img")).to_be_visible()
    expect(page.locator(ANSWER).last).to_contain_text("Hello, world!")
    assert images_of(sent_last(hub)) == [("image/png", PICTURE)]


def test_what_could_not_be_sent_is_kept(page: Page) -> None:
    page.goto("/chat")
    expect(page.locator(MESSAGE_BOX)).to_be_visible()
    attach(page, "tool.bin", "application/octet-stream", b"\x7fELF" + bytes(60))
    page.locator(MESSAGE_BOX).fill("Look at this")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-notice")).to_contain_text("tool.bin")
    expect(page.locator(MESSAGE_BOX)).to_have_value("Look at this")
    kept = page.locator(".st-key-kept-files button:visible")
    expect(kept).to_contain_text("tool.bin")
    kept.click()
    expect(kept).to_have_count(0)


def sent_last(hub: Hub) -> Any:
    """The last question that Gemini was asked; the list of its models may be asked for at any time."""
    return [request.body for request in hub.gemini.requests if request.method == "POST"][-1]


def finished(page: Page) -> None:
    """Wait until the run whose beginning is seen has ended: a notice lasts for one run, and the next one takes it."""
    state = page.locator("[data-testid='stApp']")
    expect(state).to_have_attribute("data-test-script-state", "notRunning")


def attach(page: Page, name: str, mime_type: str, content: bytes) -> None:
    """Add a file to the message that is being written, and wait until it can be sent."""
    box = page.locator("[data-testid='stChatInput']")
    box.locator("input[type='file']").set_input_files(
        {"name": name, "mimeType": mime_type, "buffer": content}
    )
    expect(box).to_contain_text(name)
    # Until the file has been uploaded, Enter does nothing.
    expect(page.locator("[data-testid='stChatInputSubmitButton']")).to_be_enabled()


def menu(page: Page, of: str, choice: str) -> None:
    """Open the only menu of its kind and choose from it."""
    page.locator(f"[class*='st-key-{of}-menu-'] button").click()
    page.get_by_text(choice, exact=True).last.click()
