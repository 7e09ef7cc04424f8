"""AIHUB_AUTH=password in real Chromium: from the first account to a page that is closed again."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium, visitor
from tests.support.server import running_hub

pytestmark = pytest.mark.browser

PASSWORD = "a quiet harbour at dawn"
MESSAGE_BOX = "[data-testid='stChatInput'] textarea"
ANSWER = "[class*='st-key-answer-']"
LINE = "[class*='st-key-meta-']"
ACCOUNT = "form.account"


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with chromium(chromium_path) as browser:
        yield browser


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = {"AIHUB_AUTH": "password", "AIHUB_SIGNUP": "open"}
    with running_hub(tmp_path_factory.mktemp("hub") / "data", settings) as base:
        yield base


def create_account(page: Page, name: str) -> None:
    page.get_by_label("E-mail address").fill(f"{name.lower()}@example.com")
    page.get_by_label("Your name", exact=True).fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()


def ask(page: Page, text: str) -> None:
    page.locator(MESSAGE_BOX).fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(ANSWER).last).to_be_visible()
    page.locator(".st-key-stop button").click()  # the demo writes at a human's pace
    expect(page.locator(LINE)).to_contain_text("offline demo")


def test_people_sign_in_and_keep_to_themselves(browser: Browser, hub: str) -> None:
    with visitor(browser, hub) as ann, visitor(browser, hub) as bob:
        ann.goto("/usage")
        expect(ann).to_have_url(re.compile("/sign-up"))
        expect(ann.get_by_role("heading")).to_have_text("Create the first account")
        create_account(ann, "Ann")
        expect(ann.locator(ACCOUNT)).to_contain_text("Ann")
        expect(ann).to_have_url(re.compile("/usage$"))

        ann.goto("/chat")
        ask(ann, "What only Ann may read")
        thread = ann.url
        assert "thread=" in thread

        bob.goto("/sign-in")
        bob.get_by_role("link", name="Create an account").click()
        create_account(bob, "Bob")
        expect(bob.locator(ACCOUNT)).to_contain_text("Bob")
        for address in ("/chat", thread):
            bob.goto(address)
            expect(bob.locator(ACCOUNT)).to_contain_text("Bob")
            expect(bob.locator(MESSAGE_BOX)).to_be_visible()
            expect(bob.get_by_text("What only Ann may read")).to_have_count(0)

        # What holds for everybody is an administrator's.
        ann.goto("/models?section=limits")
        expect(ann.get_by_role("radiogroup").first).to_contain_text("Limits and health")
        bob.goto("/models?section=limits")
        expect(bob.get_by_role("radiogroup").first).to_contain_text("How a model is asked")
        expect(bob.get_by_role("heading", name="Own servers")).to_be_visible()
        expect(bob.get_by_text("Limits and health")).to_have_count(0)
        expect(bob.get_by_role("button", name="Add a server")).to_have_count(0)
        ann.goto(thread)

        # Another tab of Ann's, which is open while she signs out in the first.
        other = ann.context.new_page()
        other.goto(thread)
        expect(other.get_by_text("What only Ann may read").first).to_be_visible()
        ann.locator(ACCOUNT).get_by_role("button", name="Sign out").click()
        expect(ann).to_have_url(re.compile("/sign-in$"))
        other.locator(MESSAGE_BOX).fill("Sent after signing out")
        other.keyboard.press("Enter")
        # Nothing was sent, and the tab knows where it is to come back to.
        expect(other).to_have_url(re.compile(r"/sign-in\?next=%2Fchat%3Fthread%3D"))
        expect(other.get_by_text("What only Ann may read")).to_have_count(0)
        ann.goto(thread)
        expect(ann).to_have_url(re.compile(r"/sign-in\?next="))
        expect(ann.get_by_text("What only Ann may read")).to_have_count(0)

        ann.get_by_label("E-mail address").fill("ann@example.com")
        ann.get_by_label("Password").fill("a wrong guess")
        ann.get_by_role("button", name="Sign in").click()
        expect(ann.get_by_role("alert")).to_contain_text("is wrong")
        ann.get_by_label("Password").fill(PASSWORD)
        ann.get_by_role("button", name="Sign in").click()
        expect(ann.get_by_text("What only Ann may read").first).to_be_visible()
        expect(ann).to_have_url(thread)
        expect(ann.get_by_text("Sent after signing out")).to_have_count(0)


def test_without_a_session_nothing_of_a_page_is_sent(browser: Browser, hub: str) -> None:
    with visitor(browser, hub, locale="ru-RU", theme="dark", width=390) as page:
        page.goto("/chat")
        expect(page).to_have_url(re.compile("/sign-(in|up)"))
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        for path in ("/media/x.png", "/app/static/logo.svg"):
            assert page.request.get(path).status == 401
        refused = page.evaluate(
            """() => new Promise((done) => {
                const socket = new WebSocket(`ws://${location.host}/_stcore/stream`);
                socket.onopen = () => done("open");
                socket.onerror = () => done("refused");
            })"""
        )
        assert refused == "refused"


def test_the_reference_can_be_tried_and_filtered(browser: Browser, hub: str) -> None:
    with visitor(browser, hub) as page:
        page.goto("/api/docs#is_ready")
        operation = page.locator("#is_ready")
        operation.get_by_role("button", name="Send").click()
        expect(operation.locator("output")).to_contain_text("200")
        expect(operation.locator(".result")).to_have_text('{\n  "status": "ok"\n}')
        page.get_by_role("searchbox").fill("personal delete")
        expect(page.locator("details.entry:visible")).to_have_count(1)
        expect(page.locator("#revoke_token")).to_be_visible()
        page.get_by_role("searchbox").fill("no such thing")
        expect(page.get_by_text("No operation matches.")).to_be_visible()
