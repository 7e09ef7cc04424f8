"""The usage page in real Chromium: a view that is shared, a bar that opens its calls, a call that opens its message."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as NotShown

from tests.fakes.gemini_server import GeminiServer, usage
from tests.fakes.script import Script
from tests.support.browser import chromium, visitor
from tests.support.server import running_hub

pytestmark = pytest.mark.browser

MESSAGE_BOX = "[data-testid='stChatInput'] textarea"
METRICS = ".kpi-value"
TABLE = "[data-testid='stDataFrame']"
LINE = "[class*='st-key-meta-']"
BARS = ".st-key-usage-daily .barlayer .point path"
SLOW = 20_000


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with chromium(chromium_path) as browser:
        yield browser


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data: Path = tmp_path_factory.mktemp("usage") / "data"
    with GeminiServer(models=("gemini-2.5-pro", "gemini-3.8-flash")) as gemini:
        gemini.queue(Script(chunks=["An answer to count"], usage=usage(prompt=1_200, output=300)))
        settings = {"GEMINI_API_KEY": "test-key-of-no-use", "GOOGLE_GEMINI_BASE_URL": gemini.url}
        with running_hub(data, settings) as base:
            yield base


@pytest.fixture(scope="module")
def sampled(browser: Browser, hub: str) -> str:
    """The hub with sample data loaded."""
    with visitor(browser, hub) as page:
        page.goto("/usage?data=sample")
        page.locator(".st-key-usage-load-sample button:visible").first.click(timeout=SLOW)
        expect(page.locator(".st-key-usage-banner")).to_be_visible(timeout=SLOW)
        settled(page)
    return hub


def settled(page: Page) -> None:
    expect(page.locator("[data-testid='stApp']")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=SLOW
    )
    expect(page.locator("[data-testid='stException']")).to_have_count(0)


def choose_row(page: Page, table: str, shown: Locator) -> None:
    """Choose a row with the keyboard until it is seen to be chosen; the table is a picture to the browser, and takes
    keys only once it has its rows, which nothing else tells."""
    canvas = page.locator(f"{table} canvas").first
    expect(canvas).to_be_visible(timeout=SLOW)
    for _ in range(5):
        settled(page)
        # Without rows it has nothing to give the keys to, and would not be told again.
        canvas.blur()
        canvas.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+Space")
        try:
            shown.wait_for(timeout=4_000)
        except NotShown:
            continue
        return
    expect(shown).to_be_visible(timeout=SLOW)


def test_a_view_is_shared_and_leads_to_the_message(browser: Browser, hub: str) -> None:
    with visitor(browser, hub) as page:
        page.goto("/chat")
        page.locator(MESSAGE_BOX).fill("What is counted?")
        page.keyboard.press("Enter")
        expect(page.locator(LINE)).to_be_visible(timeout=SLOW)
        thread = page.url

        page.goto("/usage")
        expect(page.locator(METRICS).first).to_have_text("1", timeout=SLOW)
        model = page.locator(".st-key-usage-only-model input")
        model.click()
        page.get_by_role("option").first.click()
        expect(page).to_have_url(re.compile("model=gemini%2F"))
        page.locator(".st-key-usage-interval button").nth(1).click()
        expect(page).to_have_url(re.compile("interval=week"))
        shared, figures = page.url, page.locator(METRICS).all_inner_texts()

        with visitor(browser, hub) as other:
            other.goto(shared)
            expect(other.get_by_text("Model: gemini")).to_be_visible(timeout=SLOW)
            expect(other.locator(METRICS)).to_have_text(figures, timeout=SLOW)
            expect(other).to_have_url(shared)

        # The layer above the bars takes the pointer and knows what is under it.
        page.locator(BARS).last.click(timeout=SLOW, force=True)
        expect(page).to_have_url(re.compile("section=calls.*range=custom"), timeout=SLOW)
        message = page.locator(".st-key-usage-open-message button")
        choose_row(page, TABLE, message)
        message.click(timeout=SLOW)
        expect(page).to_have_url(thread, timeout=SLOW)
        expect(page.get_by_text("An answer to count")).to_be_visible()

        # A deleted message takes nothing away from what it cost.
        row = page.locator("[class*='st-key-thread-current-']")
        row.hover()
        row.locator("[class*='st-key-menu-'] button").click()
        page.get_by_text("Delete", exact=True).click()
        expect(page.locator(".st-key-undo")).to_be_visible()
        page.goto(shared + "&section=calls")
        gone = page.get_by_text("The message has been deleted; the call still counts.")
        choose_row(page, TABLE, gone)
        settled(page)


def test_the_browsers_back_undoes_a_choice_and_keys_choose_a_row(browser: Browser, sampled: str) -> None:
    with visitor(browser, sampled) as page:
        page.goto("/usage?data=sample")
        expect(page.locator(".st-key-usage-banner")).to_be_visible(timeout=SLOW)
        page.locator(".st-key-usage-section [data-testid='stRadioOption']").nth(2).click()
        expect(page).to_have_url(re.compile("section=calls"), timeout=SLOW)
        page.go_back()
        expect(page.locator(METRICS).first).to_be_visible(timeout=SLOW)
        expect(page).not_to_have_url(re.compile("section="))

        settled(page)
        page.locator(".st-key-usage-groups summary").press("Enter")
        group = page.locator(".st-key-usage-open-group button")
        choose_row(page, ".st-key-usage-table-groups", group)
        group.press("Enter", timeout=SLOW)
        expect(page).to_have_url(re.compile("section=calls.*model="), timeout=SLOW)
        settled(page)

        page.locator(".st-key-usage-back button").press("Enter")
        expect(page.locator("[data-listens]")).to_be_attached(timeout=SLOW)
        row = page.locator("[data-ranking='usage-errors'] button").first
        row.press("Enter")
        expect(page).to_have_url(re.compile("section=calls.*status=failed&error="), timeout=SLOW)
        settled(page)

        page.goto("/usage?data=sample&section=patterns")
        # A cell of the week in the middle of a working day; the layer above it takes the pointer.
        page.locator(".st-key-usage-heat .barlayer .point path").nth(24 + 14).click(timeout=SLOW, force=True)
        expect(page).to_have_url(re.compile(r"section=calls.*part=hour\.38"), timeout=SLOW)
        expect(page.locator(".st-key-usage-part")).to_contain_text("Tue, 2:00 PM ×", timeout=SLOW)
        settled(page)


@pytest.mark.parametrize("section", ["explore", "patterns", "calls"])
def test_a_phone_shows_it_in_russian_without_scrolling_sideways(
    browser: Browser, sampled: str, section: str
) -> None:
    with visitor(browser, sampled, 390, 844, locale="ru-RU") as page:
        page.goto(f"/usage?data=sample&section={section}")
        expect(page.locator(".st-key-usage-banner")).to_be_visible(timeout=SLOW)
        drawn = page.locator(".js-plotly-plot .main-svg, [data-testid='stDataFrame'] canvas").first
        expect(drawn).to_be_visible(timeout=SLOW)
        settled(page)
        assert (
            page.evaluate(
                "(() => { const m = document.querySelector('[data-testid=stMain]');"
                " return m.scrollWidth - m.clientWidth; })()"
            )
            <= 0
        )
        assert re.search(r"[А-Яа-я]{4}", page.locator("[data-testid='stMain']").inner_text())
        expect(page.get_by_text("newest first")).to_have_count(0)
