"""From a click on "Usage" in the navigation until its figures and charts are painted, in real Chromium."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from core.accounts.service import AccountService
from core.usage.ledger import Ledger
from tests.bench import ledgers
from tests.bench.environment import fresh_checkout
from tests.bench.figures import Bench, Figure, say
from tests.bench.servers import aihub
from tests.support.browser import chromium, visitor

_NAME = "usage.page_switch"
_WARM_UP, _SWITCHES = 3, 15
_MOST_MS = 300.0
_EVENTS = 20_000
# The first switch also loads what draws the charts.
_PATIENCE_MS = 90_000
_MESSAGE_BOX = "[data-testid='stChatInput'] textarea"
_LINK = "[data-testid='stTopNavLink']"
# In the page itself: asking from outside would measure the asking too. A frame that follows the one in which all is
# there has painted it.
_WATCH = """
(() => {
    const Socket = window.WebSocket;
    const marks = window.switchMarks = {};
    const note = name => { if (marks.clicked) marks[name] = performance.now(); };
    window.WebSocket = class extends Socket {
        constructor(...parts) {
            super(...parts);
            this.addEventListener("message", () => note("lastMessage"));
        }
        send(data) { if (marks.clicked && !marks.sent) note("sent"); super.send(data); }
    };
    const painted = () => {
        const figures = document.querySelectorAll(".kpi-value");
        const chart = document.querySelector(".js-plotly-plot .cartesianlayer .trace path");
        const rankings = document.querySelectorAll(".usage-ranking li:first-child");
        const stale = document.querySelector("[data-stale='true']");
        return location.pathname === "/usage" && figures.length && chart && rankings.length === 3 && !stale;
    };
    const look = () => {
        if (!marks.firstFigure && document.querySelector(".kpi-value")) note("firstFigure");
        if (painted()) requestAnimationFrame(() => note("painted")); else requestAnimationFrame(look);
    };
    window.startSwitch = link => {
        for (const name of Object.keys(marks)) delete marks[name];
        marks.clicked = performance.now();
        link.click();
        requestAnimationFrame(look);
    };
})()
"""


def run(folder: Path) -> Iterator[Figure]:
    path = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    if path is None:
        say(f"{_NAME} is left out: no Chromium on this machine")
        return
    checkout, data = fresh_checkout(folder), folder / "data"
    _prepare(data)
    with (
        aihub(checkout, data) as port,
        chromium(path) as browser,
        visitor(browser, f"http://127.0.0.1:{port}") as page,
    ):
        page.add_init_script(_WATCH)
        page.goto("/chat")
        switches = [_switched(page) for _ in range(_WARM_UP + _SWITCHES)][_WARM_UP:]
    for part, begin, end in (
        ("until the server is asked", "clicked", "sent"),
        ("until its last message", "sent", "lastMessage"),
        ("until the first figure", "clicked", "firstFigure"),
        ("from the last message until all is painted", "lastMessage", "painted"),
    ):
        say(f"{_NAME}: {median(each[end] - each[begin] for each in switches):.0f} ms {part}")
    yield Figure(_NAME, median(each["painted"] - each["clicked"] for each in switches), "ms", _MOST_MS)


def _prepare(data: Path) -> None:
    unit, ledger = ledgers.new_unit(data), Ledger(ZoneInfo("UTC"))
    try:
        assert AccountService(unit).local_account().id == 1, "the ledger is filled for users from 1 on"
        with unit.write() as session:
            ledgers.fill(session, ledger, _EVENTS, datetime.now(UTC).date(), users=1)
    finally:
        unit.close()


def _switched(page: Page) -> dict[str, Any]:
    """The moments of one switch from Chat to Usage, in milliseconds; back to Chat before it."""
    page.locator(_LINK, has_text="Chat").click()
    expect(page.locator(_MESSAGE_BOX)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    expect(page.locator("[data-testid='stApp']")).to_have_attribute("data-test-script-state", "notRunning")
    page.locator(_LINK, has_text="Usage").evaluate("link => window.startSwitch(link)")
    page.wait_for_function("window.switchMarks.painted", timeout=_PATIENCE_MS)
    # What comes after the charts is not waited for, but may not run into the next switch.
    expect(page.locator("[data-testid='stApp']")).to_have_attribute("data-test-script-state", "notRunning")
    return page.evaluate("window.switchMarks")


BENCH = Bench((_NAME,), run)
