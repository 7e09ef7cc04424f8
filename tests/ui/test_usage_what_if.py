"""The what-if of the usage page, drawn by Streamlit's own test runner on a real ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import services
from core.config import Settings
from core.pricing.types import UNPRICED, CallCost, Money, Price
from core.providers.types import TokenUsage
from core.services import Services, open_services
from tests.support.people import ADMIN
from tests.support.store import call
from tests.support.usage_page import DOLLAR, page, record, shown, spent

USED = TokenUsage(
    input_tokens=1_000_000, cached_input_tokens=400_000, output_tokens=100_000, reasoning_tokens=50_000
)
PRICE = Price("USD", 2 * DOLLAR, 8 * DOLLAR, cached_input_nano=DOLLAR // 2)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    opened = open_services(Settings(data_dir=tmp_path))
    monkeypatch.setattr(services, "_current", opened)
    opened.price_overrides.add(ADMIN, "openai", "dear-one", PRICE, datetime(2024, 1, 1, tzinfo=UTC))
    yield opened
    opened.close()


def what_if(locale: str = "en-US", **query: str | list[str]) -> AppTest:
    return page("what-if", locale, query=query)


def rows(app: AppTest) -> dict[str, list[str]]:
    """The table by its first column, as it is read."""
    table = app.table[0].value
    lines = [[str(cell).replace("\\", "") for cell in line] for line in table.itertuples(index=False)]
    return {line[0]: line[1:] for line in lines}


def test_the_period_is_ranked_with_what_was_paid(hub: Services) -> None:
    record(hub, spent(0, 2.5, usage=USED))
    app = what_if(whatif=["openai/dear-one", "openai/nobody-knows"], plan="31 Team")
    found = rows(app)
    assert list(found)[-1] == "OpenAI · nobody-knows"
    assert found["OpenAI · nobody-knows"][:2] == [":gray-badge[unpriced]", "—"]
    # 600,000 at 2, 400,000 at a half and 50,000 at 8 dollars, less a tenth; a million and 100,000, and a tenth more.
    assert found["OpenAI · dear-one"][:3] == [
        "$1.62 – $3.08",
        "$0.88 less – $0.58 more",
        "tokenizer, cache, reasoning",
    ]
    assert found["What was paid"] == ["$2.50", "—", "—"]
    assert "Team" in found
    app.multiselect(key="whatif-models").set_value(["openai/dear-one"]).run()
    assert app.query_params["whatif"] == "openai/dear-one"
    assert "OpenAI · nobody-knows" not in rows(app)
    app.multiselect(key="whatif-models").set_value([]).run()
    assert app.query_params["whatif"] == ""
    assert set(rows(app)) == {"What was paid", "Team"}
    app = what_if(whatif=["openai/dear-one", "openai/nobody-knows"])
    assert "No price is known for nobody-knows" in shown(app)
    assert "Where the prices come from: own price." in shown(app)
    assert "up to 10% more or fewer" in shown(app)
    assert "Long prompts" not in shown(app)
    assert len(app.get("plotly_chart")) == 1
    assert not app.exception


def test_subscriptions_come_and_go_and_stand_in_the_address(hub: Services) -> None:
    record(hub, spent(0, 2.5, usage=USED))
    app = what_if()
    assert "Subscription" in rows(app)
    app.text_input(key="whatif-plan-name").set_value("Team *plan*")
    app.text_input(key="whatif-plan-amount").set_value("31,5")
    app.button(key="whatif-plan-save").click().run()
    assert app.query_params["plan"] == ["20 Subscription", "31.5 Team *plan*"]
    assert "Team *plan*" in rows(app)

    app.text_input(key="whatif-plan-amount").set_value("-3")
    app.button(key="whatif-plan-save").click().run()
    assert "That is not a price" in app.error[0].value
    assert len(app.query_params["plan"]) == 2

    app.button(key="whatif-plan-0").click().run()
    app.button(key="whatif-plan-0").click().run()
    assert app.query_params["plan"] == ""
    assert not {"Subscription", "Team *plan*"} & set(rows(app))
    assert not app.exception


def test_a_comparison_in_the_address_is_drawn_and_nonsense_in_it_is_not(hub: Services) -> None:
    record(hub, spent(0, 2.5, usage=USED))
    app = what_if(range="today", whatif="openai/dear-one", plan="nonsense")
    assert set(rows(app)) == {"What was paid", "OpenAI · dear-one"}
    for broken in ("", "/", "no-provider", "x" * 400 + "/y"):
        app = what_if(whatif=broken, plan="9999999 Too dear")
        assert "What was paid" in rows(app)
        assert not app.exception


def test_calls_without_a_price_are_left_out_and_said(hub: Services) -> None:
    record(hub, call(occurred_at=datetime.now(UTC), cost=UNPRICED))
    assert "None of these calls has a known price" in shown(what_if())
    record(hub, spent(0, 1))
    text = shown(what_if())
    assert "1 call without a known price is left out on both sides" in text
    assert "both sides are about the same calls: 15 tokens" in text


def test_what_was_paid_without_an_exchange_rate_stands_on_neither_side(hub: Services) -> None:
    rouble = CallCost(Money(50 * DOLLAR, "RUB"), "test")
    record(hub, spent(0, 2.5))
    alone = rows(what_if(whatif="openai/dear-one"))
    record(hub, spent(0, 0, cost=rouble))
    app = what_if(whatif="openai/dear-one")
    assert rows(app) == alone
    assert "1 call paid in RUB is left out on both sides" in shown(app)
    assert "No exchange rate is known for RUB" in shown(app)


def test_without_any_exchange_rate_nothing_is_compared(hub: Services) -> None:
    hub.rates.add(ADMIN, "USD", "EUR", Decimal(1), datetime.now(UTC).date())
    record(hub, spent(0, 0, cost=CallCost(Money(50 * DOLLAR, "RUB"), "test")))
    app = what_if(whatif="openai/dear-one", currency="USD")
    assert "nothing can be compared. Add one on the Models page" in shown(app)


def test_days_without_calls_say_so(hub: Services) -> None:
    record(hub, spent(60, 1))
    app = what_if()
    assert "No calls in these days" in shown(app)
    assert not app.table


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_sample_data_can_be_compared_at_once(hub: Services, locale: str) -> None:
    hub.usage.load_sample(1)
    app = what_if(locale)
    assert len(rows(app)) >= 5
    assert ("What was paid" in rows(app)) == (locale == "en-US")
    assert not app.exception
