"""Pictures of every page for the README and for a designer's eye: `python -m tests.e2e.screenshots [folder]`.

The answers come from a local server that speaks Gemini's protocol; the usage is the labelled sample data.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from core.config import PROJECT_DIR
from tests.fakes.gemini_server import GeminiServer, no_balance, usage
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.script import Script
from tests.support.browser import chromium, visitor
from tests.support.server import running_hub

MESSAGE_BOX = "[data-testid='stChatInput'] textarea"
LOAD = ".st-key-usage-load-sample button:visible"
ANSWER = """Three figures tell most of the story:

1. **Cost per answer** – what one call comes to on average.
2. **Share of cached input** – cached tokens cost a tenth on most models.
3. **Output per request** – the dearest tokens are the ones written.

| Model | Input, $ per million | Output, $ per million |
|---|---:|---:|
| gemini-3.8-flash | 0.30 | 2.50 |
| gemini-2.5-pro | 1.25 | 10.00 |

```python
cost = tokens_in * price_in + tokens_out * price_out
```
"""
VIEWS = [
    ("light", 1280, 860, "en-US"),
    ("dark", 1280, 860, "en-US"),
    ("light", 390, 844, "en-US"),
    ("dark", 390, 844, "ru-RU"),
    ("light", 1280, 860, "ru-RU"),
]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        GeminiServer() as gemini,
        OpenAIServer() as openai,
        chromium("/usr/bin/chromium") as browser,
    ):
        settings = {
            "GEMINI_API_KEY": "test-key-of-no-use",
            "GOOGLE_GEMINI_BASE_URL": gemini.url,
            "OPENAI_BASE_URL": openai.url,
        }
        with running_hub(Path(data) / "hub", settings) as base:
            thread = _prepare(browser, base, gemini)
            for theme, width, height, locale in VIEWS:
                name = f"{theme}-{width}-{locale[:2]}"
                with visitor(browser, base, width, height, theme, locale) as page:
                    _chat(page, thread, folder / f"chat-{name}.png")
                    _models(page, folder, name)
                    # Last: it makes the window as tall as the page.
                    _usage(page, folder / f"usage-{name}.png")
        with running_hub(Path(data) / "empty") as base:
            for theme, width, height, locale in VIEWS:
                name = f"{theme}-{width}-{locale[:2]}"
                with visitor(browser, base, width, height, theme, locale) as page:
                    _empty(page, folder, name)


def _prepare(browser: Browser, base: str, gemini: GeminiServer) -> str:
    """A conversation with an answer and an error, and the sample data; returns the thread's address."""
    with visitor(browser, base) as page:
        page.goto("/chat")
        gemini.queue(
            Script(chunks=[ANSWER], usage=usage(prompt=1_204, output=212, cached=1_024, thoughts=96))
        )
        _ask(page, "Which figures should I look at first to understand what our models cost?")
        gemini.queue(no_balance())
        _ask(page, "And how do I see that for each team?")
        address = page.url
        _add_key(page)
        page.goto("/usage")
        button = page.locator(LOAD).first
        expect(button).to_be_visible(timeout=20_000)
        button.click()
        expect(page.locator(".kpi").first).to_be_visible(timeout=20_000)
        return address


def _add_key(page: Page) -> None:
    page.goto("/models?section=keys")
    page.locator(".st-key-add-key-openai button").click()
    dialog = page.locator("[data-testid='stDialog']")
    dialog.get_by_label("API key").fill("sk-test-key-of-no-use-0123456789")
    dialog.get_by_label("Name").fill("Team")
    dialog.get_by_role("button", name="Save and test").click()
    expect(page.locator(".st-key-models-notice")).to_be_visible(timeout=20_000)


def _ask(page: Page, text: str) -> None:
    answers = page.locator("[class*='st-key-meta-']")
    before = answers.count()
    page.locator(MESSAGE_BOX).fill(text)
    page.keyboard.press("Enter")
    expect(answers).to_have_count(before + 1, timeout=20_000)


def _chat(page: Page, thread: str, target: Path) -> None:
    page.goto(thread)
    expect(page.locator("[class*='st-key-meta-']").first).to_be_visible(timeout=20_000)
    _settle(page)
    page.screenshot(path=target)


def _usage(page: Page, target: Path) -> None:
    for section, shown in (
        ("patterns", ".js-plotly-plot .main-svg"),
        ("calls", "[data-testid='stDataFrame'] canvas"),
    ):
        page.goto(f"/usage?data=sample&section={section}")
        expect(page.locator(shown).first).to_be_visible(timeout=20_000)
        _settle(page)
        page.screenshot(path=target.with_stem(f"{target.stem}-{section}"))
    page.goto("/usage?data=sample&range=month")
    expect(page.locator(".st-key-usage-banner")).to_be_visible(timeout=20_000)
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=20_000)
    _settle(page)
    page.screenshot(path=target)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": min(int(height), 4_000)})  # pyright: ignore[reportOptionalSubscript]
    _settle(page)
    page.screenshot(path=target.with_stem(target.stem + "-whole"))


def _models(page: Page, folder: Path, name: str) -> None:
    for section, shown in (
        ("keys", ".st-key-provider-openai"),
        ("models", "[data-testid='stDataFrame'] canvas"),
        ("request", ".st-key-request-preview"),
    ):
        page.goto(f"/models?section={section}")
        expect(page.locator(shown).first).to_be_visible(timeout=20_000)
        _settle(page)
        page.screenshot(path=folder / f"models-{section}-{name}.png")


def _empty(page: Page, folder: Path, name: str) -> None:
    page.goto("/chat")
    expect(page.locator(MESSAGE_BOX)).to_be_visible(timeout=20_000)
    _settle(page)
    page.screenshot(path=folder / f"empty-chat-{name}.png")
    page.goto("/usage")
    expect(page.locator(LOAD).first).to_be_visible(timeout=20_000)
    _settle(page)
    page.screenshot(path=folder / f"empty-usage-{name}.png")


def _settle(page: Page) -> None:
    """Fonts loaded and nothing running: a picture of the finished page."""
    page.evaluate("document.fonts.ready")
    expect(page.locator("[data-testid='stApp']")).to_have_attribute("data-test-script-state", "notRunning")
    page.wait_for_timeout(600)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT_DIR / "docs" / "screenshots")
