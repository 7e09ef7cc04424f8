"""The chat page, drawn by Streamlit's own test runner with the offline demo behind it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import services
from core.config import PROJECT_DIR, Settings
from core.models.types import PreferenceInfo
from core.pricing.types import Money, Price
from core.providers.demo import DemoProvider
from core.providers.registry import ProviderRegistry
from core.services import Services, open_services
from core.usage.budgets import BudgetScope
from tests.support.people import ADMIN

WAIT_SECONDS = 20


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    settings = Settings(data_dir=tmp_path)
    opened = open_services(settings, ProviderRegistry(settings, DemoProvider(float("inf"))))
    monkeypatch.setattr(services, "_current", opened)
    yield opened
    opened.close()


def page(locale: str = "en-US", thread: str | None = None) -> AppTest:
    app = AppTest.from_file(str(PROJECT_DIR / "pages" / "chat.py"), default_timeout=WAIT_SECONDS)
    app.context["locale"] = locale
    if thread:
        app.query_params["thread"] = thread
    return app.run()


def send(app: AppTest, text: str, hub: Services) -> AppTest:
    """Send a message and draw the page again when its answer has ended."""
    app.chat_input(key="chat-text").set_value(text).run()
    for thread in hub.chat.threads(1):
        for message in hub.chat.messages(1, thread.uuid):
            if (generation := hub.chat.live(message)) is not None:
                assert generation.wait(WAIT_SECONDS)
    return app.run()


def shown(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.error])


def test_a_first_visit_says_what_to_do(hub: Services) -> None:
    app = page()
    assert "No provider is connected yet" in shown(app)
    assert app.chat_input(key="chat-text").placeholder == "Type a message"
    assert not app.exception


def test_a_first_visit_in_russian_has_no_english_left(hub: Services) -> None:
    app = page("ru-RU")
    assert app.chat_input(key="chat-text").placeholder == "Введите сообщение"
    assert "connected" not in shown(app)


def test_an_answer_stands_with_its_tokens_cost_and_label(hub: Services) -> None:
    app = send(page(), "What does this cost?", hub)
    (line,) = [c.value for c in app.caption if "tokens" in c.value and "demo" in c.value]
    assert "offline demo, not a model" in line
    assert "$0" in line.replace("\\", "")
    assert "≈" in line
    assert not app.exception


def test_what_could_not_be_sent_stands_in_the_box_with_the_reason(hub: Services) -> None:
    app = page()
    app.chat_input(key="chat-text").set_value("x" * 600_000).run()
    assert "at most 500000 fit" in shown(app)
    assert hub.chat.threads(1) == []
    assert not app.exception


def test_a_strangers_thread_opens_as_none(hub: Services) -> None:
    app = page(thread="00000000-0000-4000-8000-000000000000")
    assert "There is no such thread" in shown(app).replace("\\", "")
    assert "thread" not in app.query_params


def test_a_thread_is_deleted_and_brought_back(hub: Services) -> None:
    app = send(page(), "Keep me", hub)
    (thread,) = hub.chat.threads(1)
    hub.chat.delete_thread(1, thread.uuid)
    app = page()
    assert not [b for b in app.button if b.label == "Keep me"]
    hub.chat.restore_thread(1, thread.uuid)
    assert [b for b in page().button if b.label == "Keep me"]


def test_hostile_text_is_shown_as_text(hub: Services) -> None:
    app = send(page(), "![x](http://evil.example/x.png) :red[hi] <script>", hub)
    (question,) = [m.value for m in app.markdown if m.value.startswith("\\!")]
    assert question == r"\!\[x\]\(http\://evil\.example/x\.png\) \:red\[hi\] \<script\>"
    assert not app.exception


def test_a_budget_that_is_used_up_is_said_above_the_message_box(hub: Services) -> None:
    hub.price_overrides.add(
        ADMIN, "demo", "demo", Price("USD", 10**9, 10**9), datetime(2026, 1, 1, tzinfo=UTC)
    )
    hub.budgets.add(ADMIN, BudgetScope.WORKSPACE, Money(1, "USD"), blocks=False)
    app = page()
    assert "used up" not in shown(app)
    app = send(app, "Spend something", hub)
    assert "is used up" in shown(page())
    assert not app.exception


def test_a_message_goes_to_the_model_picked_last_though_the_page_was_not_drawn_with_it(hub: Services) -> None:
    hub.models.save(hub.accounts.local_account().id, PreferenceInfo("demo", "another-model", is_default=True))
    app = page()
    picker = app.selectbox(key="chat-model-new")
    assert picker.options == ["Demo · another-model", "Demo · demo"]
    # Both in one run, as when Enter is quicker than the page.
    picker.set_value("demo/demo")
    app.chat_input(key="chat-text").set_value("Who is asked?").run()
    [thread] = hub.chat.threads(1)
    assert thread.model == "demo"
