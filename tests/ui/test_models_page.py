"""The Models page, drawn by Streamlit's own test runner; its calls go to a fake Gemini server."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import services
from core.config import PROJECT_DIR, Settings
from core.generation.limits import Limits
from core.generation.types import ModelRef
from core.models.types import PreferenceInfo
from core.pricing.types import Money, Price
from core.providers.demo import DemoProvider
from core.providers.registry import ProviderRegistry
from core.services import Services, open_services
from core.usage.budgets import BudgetScope
from tests.fakes.gemini_server import GeminiServer
from tests.support.hub import KEY, MODEL, answered, ask
from tests.support.people import ADMIN, admin
from ui.components.models_confirm import Question
from ui.plain import code
from ui.session import Slot

WAIT_SECONDS = 20
ME = 1
SECTIONS = ("keys", "models", "request", "prices", "budgets", "limits")
HOSTILE = "**x** `y` [z](http://evil.example) :red[q]"


def opened(data_dir: Path, monkeypatch: pytest.MonkeyPatch, **values: object) -> Services:
    settings = Settings(data_dir=data_dir, **values)  # pyright: ignore[reportArgumentType]
    hub = open_services(settings, ProviderRegistry(settings, DemoProvider(float("inf"))))
    monkeypatch.setattr(services, "_current", hub)
    assert hub.accounts.local_account().id == ME
    return hub


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """No provider but the demo."""
    hub = opened(tmp_path, monkeypatch)
    yield hub
    hub.close()


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer() as gemini:
        yield gemini


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: GeminiServer) -> Iterator[Services]:
    """Gemini, from the environment."""
    hub = opened(tmp_path, monkeypatch, GEMINI_API_KEY=KEY, GOOGLE_GEMINI_BASE_URL=server.url)
    yield hub
    hub.close()


def page(section: str, locale: str = "en-US", **query: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT_DIR / "pages" / "models.py"), default_timeout=WAIT_SECONDS)
    app.context["locale"] = locale
    for name, value in {"section": section, **query}.items():
        app.query_params[name] = value
    return app.run()


def shown(app: AppTest) -> str:
    texts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.error, *app.success, *app.info]
    return "\n".join([*(text.value for text in texts), *(button.label for button in app.button)])


def plain(app: AppTest) -> str:
    """What is shown, without the signs that keep Markdown from reading it."""
    return shown(app).replace("\\", "")


def preview(app: AppTest) -> dict[str, object]:
    return json.loads(app.code[1].value)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_part_opens_by_its_address(empty: Services, section: str) -> None:
    app = page(section)
    assert not app.exception
    assert app.radio(key="models-section").value == section
    assert len(app.title) == 1


def test_what_is_empty_says_what_belongs_there(empty: Services) -> None:
    assert "Add a key" in shown(page("keys"))
    assert "No own prices yet" in shown(page("prices"))
    assert "No budget yet" in shown(page("budgets"))
    limits = page("limits")
    assert "No provider is connected yet" in shown(limits)
    limits.button(key="limits-to-keys").click().run()
    assert limits.title[0].value == "Keys and servers"


def test_a_hostile_name_is_shown_as_it_is(hub: Services) -> None:
    hub.keys.add(admin(ME), "gemini", HOSTILE, "A`I`za-test-key-of-no-use-0123456789")
    hub.endpoints.add(admin(ME), HOSTILE, "http://127.0.0.1:9/v1/`x`/**y**")
    hub.limits.set(ADMIN, "gemini", Limits(1, None, None))
    (key,) = hub.keys.list(ME)
    app = page("keys")
    assert code(key.masked) in shown(app)
    assert "``" in code(key.masked)
    assert "`` http://127.0.0.1:9/v1/`x`/**y** ``" in shown(app)
    assert HOSTILE not in shown(app)
    assert HOSTILE in plain(app)
    assert HOSTILE not in shown(page("limits"))


def test_a_server_is_deleted_only_after_a_question(hub: Services) -> None:
    endpoint = hub.endpoints.add(admin(ME), "Ollama", "http://127.0.0.1:9/v1")
    hub.keys.add(admin(ME), endpoint.provider_id, "Ollama", "sk-test-key-of-no-use")
    app = page("keys")
    app.menu_button(key=f"endpoint-menu-{endpoint.id}").click("delete").run()
    question = Question(
        "Delete the server",
        "",
        lambda: hub.endpoints.delete(ADMIN, endpoint.id),
        "Deleted the server “Ollama”.",
    )
    assert "“Ollama” and every key that was added for it go for good" in plain(app)
    assert hub.endpoints.list()
    keep_open(app, Slot.MODELS_CONFIRM, question).button(key="confirm-delete").click().run()
    assert not hub.endpoints.list()
    assert "Deleted the server “Ollama”" in plain(app)


def test_a_price_is_found_and_its_source_named(hub: Services) -> None:
    hub.price_overrides.add(
        admin(ME),
        "gemini",
        MODEL,
        Price("EUR", 2_000_000_000, 4_000_000_000),
        datetime(2020, 1, 1, tzinfo=UTC),
        "Deal",
    )
    app = page("models")
    table = app.dataframe[0].value
    row = table[table["Model"] == MODEL].iloc[0]
    assert (float(row["Input"]), row["Currency"], row["Price"]) == (2.0, "EUR", "your own")
    app.text_input(key="models-search").set_value("no such model").run()
    assert "No model fits" in shown(app)


def test_the_address_chooses_the_model_and_a_later_choice_stands(hub: Services) -> None:
    app = page("request", provider="gemini", model="my-own-model")
    assert app.selectbox(key="request-model-gemini").value == "my-own-model"
    app.selectbox(key="request-model-gemini").select(MODEL).run()
    assert app.run().selectbox(key="request-model-gemini").value == MODEL
    assert app.query_params["model"] == MODEL
    app.selectbox(key="request-provider").select("demo").run()
    assert app.run().selectbox(key="request-provider").value == "demo"
    assert "model" not in app.query_params
    assert not app.exception


def test_the_preview_follows_the_form_and_survives_what_is_no_json(hub: Services) -> None:
    app = page("request", provider="gemini", model=MODEL)
    by_label(app.text_area, "System prompt").set_value("Be brief.").run()
    by_label(app.number_input, "Temperature").set_value(0.5).run()
    by_label(app.number_input, "topK").set_value(2**31 - 1).run()
    body = preview(app)
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}], "role": "user"}
    assert body["generationConfig"] == {"temperature": 0.5, "topK": 2**31 - 1}
    for broken in ("{bad", "[" * 100_000, "1" * 5_000, "5"):
        by_label(app.text_area, "responseSchema").set_value(broken).run()
        assert "Shown when the settings on the left are complete." in shown(app)
        assert app.button(key="request-save").disabled
        assert not app.exception
    by_label(app.text_area, "responseSchema").set_value("").run()
    assert preview(app) == body


def test_settings_are_saved_emptied_and_brought_back(hub: Services) -> None:
    app = page("request", provider="gemini", model=MODEL)
    by_label(app.text_area, "System prompt").set_value("Be brief.")
    by_label(app.number_input, "Temperature").set_value(0.5)
    app.button(key="request-save").click().run()
    saved = hub.models.preference(ME, "gemini", MODEL)
    assert saved is not None
    assert (saved.system_prompt, saved.temperature) == ("Be brief.", 0.5)
    assert by_label(app.number_input, "Temperature").value == 0.5

    by_label(app.number_input, "Temperature").set_value(None)
    app.button(key="request-save").click().run()
    saved = hub.models.preference(ME, "gemini", MODEL)
    assert saved is not None
    assert saved.temperature is None

    app.button(key="request-reset").click().run()
    assert hub.models.preference(ME, "gemini", MODEL) is None
    assert by_label(app.text_area, "System prompt").value == ""
    app.button(key="models-undo-button").click().run()
    assert by_label(app.run().text_area, "System prompt").value == "Be brief."
    assert not app.exception


def test_settings_of_every_kind_open_again(hub: Services) -> None:
    options = {
        "generationConfig": {
            "topP": 1,
            "seed": -(2**31),
            "stopSequences": ["END"],
            "responseMimeType": "application/json",
            "responseLogprobs": True,
            "logprobs": 3,
        },
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "tools": [{"functionDeclarations": [{"name": "now", "description": "The time"}]}],
        "labels": {"team": "one"},
    }
    fallbacks = (ModelRef("demo", "demo"),)
    hub.models.save(ME, PreferenceInfo("gemini", MODEL, 100, 1, "Short", True, True, options, fallbacks))
    app = page("request")
    assert app.selectbox(key="request-model-gemini").value == MODEL
    before = hub.models.preference(ME, "gemini", MODEL)
    app.button(key="request-save").click().run()
    after = hub.models.preference(ME, "gemini", MODEL)
    assert before is not None
    assert after is not None
    assert replace(after, updated_at=None) == replace(before, updated_at=None)
    assert not app.exception


def test_a_pasted_request_is_checked_by_path(hub: Services, server: GeminiServer) -> None:
    app = page("request", provider="gemini", model=MODEL)
    app.button(key="gemini-json-run").click().run()
    assert "Paste a request first." in shown(app)
    app.text_area(key="gemini-json").set_value(
        '{"contents": [{"role": "you", "parts": [{"text": "x"}]}], "`x`": 1, "labels": 5}'
    )
    app.button(key="gemini-json-run").click().run()
    assert "3 fields cannot be right" in shown(app)
    assert "`contents[0].role`" in shown(app)
    assert "`` `x` ``" in shown(app)
    assert not [one for one in server.requests if one.method == "POST"]
    app.text_area(key="gemini-json").set_value("[" * 100_000).run()
    assert not app.exception


def test_a_price_is_added_in_its_dialog_and_retired(hub: Services) -> None:
    app = page("prices")
    app.button(key="price-new").click().run()
    keep_open(app, Slot.PRICE_DIALOG, ("", ""))
    app.text_input(key="price-model").set_value(MODEL)
    app.button(key="price-add").click().run()
    assert "needs a price for input and for output" in shown(app)
    keep_open(app, Slot.PRICE_DIALOG, ("", ""))
    app.text_input(key="price-input_nano").set_value("2,5")
    app.text_input(key="price-output_nano").set_value("10")
    app.text_input(key="price-note").set_value("Contract *7*")
    app.button(key="price-add").click().run()
    (entry,) = hub.price_overrides.list()
    assert entry.price == Price("USD", 2_500_000_000, 10_000_000_000)
    assert r"Contract \*7\*" in shown(app.run())
    app.button(key=f"price-retire-{entry.override_id}").click().run()
    assert not hub.price_overrides.list()
    app.button(key="models-undo-button").click().run()
    assert hub.price_overrides.list()


@pytest.mark.parametrize("typed", ["", "abc", "NaN", "Infinity", "1e999999999", "-1", "0"])
def test_what_is_no_rate_is_refused_in_words(hub: Services, typed: str) -> None:
    app = page("prices")
    app.button(key="rate-new").click().run()
    keep_open(app, Slot.RATE_DIALOG, True)
    app.text_input(key="rate-value").set_value(typed)
    app.button(key="rate-add").click().run()
    assert app.error
    assert not app.exception
    assert not hub.rates.list()


def test_the_past_is_priced_anew_only_when_it_is_applied(hub: Services) -> None:
    sent = ask(hub)
    assert answered(hub, sent).cost is not None
    app = page("prices")
    app.button(key="recost-plan").click().run()
    assert "each costs what it should" in shown(app)
    hub.price_overrides.add(
        admin(ME), "gemini", MODEL, Price("USD", 9 * 10**9, 9 * 10**9), datetime(2020, 1, 1, tzinfo=UTC)
    )
    app.button(key="recost-plan").click().run()
    assert "1 of 1 calls would change" in shown(app)
    app.button(key="recost-discard").click().run()
    assert "would change" not in shown(app)
    assert not hub.recost.history(ADMIN)

    app.button(key="recost-plan").click().run()
    app.text_input(key="recost-reason").set_value("The contract")
    app.button(key="recost-apply").click().run()
    (entry,) = hub.recost.history(ADMIN)
    assert entry.reason == "The contract"
    assert "The contract" in shown(app)
    assert not app.exception


def test_a_budget_is_added_and_asked_about_before_it_goes(hub: Services) -> None:
    app = page("budgets")
    app.button(key="budget-new").click().run()
    keep_open(app, Slot.BUDGET_DIALOG, "new").button(key="budget-save").click().run()
    assert app.error
    keep_open(app, Slot.BUDGET_DIALOG, "new")
    app.text_input(key="budget-amount-new").set_value("12,50")
    app.button(key="budget-save").click().run()
    (budget,) = hub.budgets.list(ME)
    assert budget.amount == Money(12_500_000_000, "USD")
    app = page("budgets")
    assert "$0 of $12.50" in plain(app)
    app.menu_button(key=f"budget-menu-{budget.id}").click("delete").run()
    assert "The budget “The whole workspace” goes for good" in plain(app)
    assert hub.budgets.list(ME)


def test_the_workspaces_currency_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = opened(tmp_path, monkeypatch, AIHUB_CURRENCY="KZT", currency="KZT")
    try:
        app = page("budgets")
        app.button(key="budget-new").click().run()
        currency = app.selectbox(key="budget-currency-new")
        assert (currency.value, currency.options[:2]) == ("KZT", ["KZT", "USD"])
        assert currency.options.count("KZT") == 1
    finally:
        hub.close()


def test_a_limit_is_set_and_emptied_again(hub: Services) -> None:
    app = page("limits")
    app.number_input(key="limits-requests-gemini").set_value(5)
    app.button(key="limits-save-gemini").click().run()
    assert hub.limits.get("gemini") == Limits(5, None, None)
    app = page("limits")
    assert app.number_input(key="limits-requests-gemini").value == 5
    app.number_input(key="limits-requests-gemini").set_value(None)
    app.button(key="limits-save-gemini").click().run()
    assert hub.limits.get("gemini") == Limits(None, None, None)


def test_in_russian_the_parts_are_named_in_russian(hub: Services) -> None:
    hub.budgets.add(admin(ME), BudgetScope.WORKSPACE, Money(10**9, "USD"))
    known = {
        "keys": "Ключи и серверы",
        "models": "Модели и цены",
        "prices": "Свои цены и валюта",
        "budgets": "Бюджеты",
    }
    assert {section: page(section, "ru-RU").title[0].value for section in known} == known


def keep_open(app: AppTest, slot: Slot, about: object) -> AppTest:
    """A click inside a dialog runs the whole page here, not the dialog alone: have the page open it again."""
    app.session_state[slot.value] = about
    return app


def by_label(elements: Iterable[Any], label: str) -> Any:
    """The element of that label; the keys of a form change with what is stored."""
    (found,) = [one for one in elements if one.label == label]
    return found
