"""The outlook of the usage page, drawn by Streamlit's own test runner on a real ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import services
from core.config import Settings
from core.pricing.types import UNPRICED, CallCost, Money
from core.services import Services, open_services
from core.usage.budget_types import BudgetScope, BudgetWindow
from tests.support.people import ADMIN
from tests.support.store import call
from tests.support.usage_page import DOLLAR, figures, page, record, shown, spent


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    opened = open_services(Settings(data_dir=tmp_path))
    monkeypatch.setattr(services, "_current", opened)
    yield opened
    opened.close()


def outlook(locale: str = "en-US", state: dict[str, object] | None = None) -> AppTest:
    return page("outlook", locale, state)


def test_the_summary_stands_as_documented(hub: Services) -> None:
    record(hub, spent(0, 1.87), spent(400, 5))
    app = outlook()
    assert figures(app) == {
        "This month": "$1.87",
        "Last 30 days": "$1.87",
        "All time": "$6.87",
        "Savings": "$18.13",
    }
    assert "1 request  \n15 tokens" in shown(app)
    assert not app.exception


def test_the_subscription_is_set_on_the_page_and_a_loss_is_shown_as_one(hub: Services) -> None:
    record(hub, spent(0, 3))
    app = outlook()
    app.text_input(key="outlook-subscription").set_value("1,50")
    app.button(key="outlook-subscription-save").click().run()
    assert figures(app)["Savings"] == "-$1.50"
    assert "against $1.50 a month" in shown(app)
    assert figures(outlook())["Savings"] == "-$1.50"

    app.text_input(key="outlook-subscription").set_value("a lot")
    app.button(key="outlook-subscription-save").click().run()
    assert "That is not a price" in app.error[0].value
    assert figures(app)["Savings"] == "-$1.50"

    app.text_input(key="outlook-subscription").set_value("")
    app.button(key="outlook-subscription-save").click().run()
    assert figures(app)["Savings"] == "$17.00"
    assert not app.exception


def test_a_short_history_says_how_many_days_are_missing(hub: Services) -> None:
    record(hub, *(spent(ago, 1) for ago in range(11)))
    app = outlook()
    assert "needs 14 days with calls, and 11 are there. 3 more days are needed" in shown(app)
    assert "Eight in ten times" not in shown(app)
    assert not app.exception


def test_a_month_is_forecast_with_its_interval_and_its_budget(hub: Services) -> None:
    record(hub, *(spent(ago, 2) for ago in range(70)))
    hub.budgets.add(ADMIN, BudgetScope.USER, Money(10_000 * DOLLAR, "USD"), for_user=1)
    hub.budgets.add(ADMIN, BudgetScope.WORKSPACE, Money(DOLLAR, "USD"))
    hub.budgets.add(
        ADMIN, BudgetScope.WORKSPACE, Money(121 * DOLLAR, "USD"), window=BudgetWindow.ROLLING, window_days=60
    )
    hub.budgets.add(ADMIN, BudgetScope.USER, Money(9 * DOLLAR, "USD"), for_user=77)
    app = outlook()
    text = shown(app)
    assert "Budget of" not in text
    assert "Budget of User 77 (deleted)" in shown(page("outlook", query={"users": "all"}))
    assert "Eight in ten times it will be between $" in text
    assert "used up already" in text
    assert "even at the high end of the forecast" in text
    assert "the last 60 days" in text
    assert len(app.get("plotly_chart")) == 1
    for metric in ("tokens", "requests"):
        app.segmented_control(key="outlook-metric").set_value(metric).run()
        assert "Eight in ten times" in shown(app)
    assert not app.exception


def test_how_good_forecasts_were_is_counted(hub: Services) -> None:
    record(hub, *(spent(ago, 2) for ago in range(100)))
    app = outlook()
    assert "the aim is 80%" not in shown(app)
    app = outlook(state={"outlook-backtest": True})
    assert "the aim is 80%" in shown(app)
    assert "Half of the forecasts were off by less than 0%" in shown(app)
    assert not app.exception


def test_a_finding_leads_to_its_days_in_explore(hub: Services) -> None:
    record(hub, *(spent(ago, 1) for ago in range(1, 61)))
    record(hub, spent(3, 40, model="gemini-3.8-pro"))
    app = outlook()
    assert "gemini-3.8-pro made" in shown(app)
    day = hub.usage.today() - timedelta(3)
    app.button(key="outlook-show-0").click().run()
    asked = {name: app.query_params[name] for name in ("section", "range", "from", "to", "provider", "model")}
    assert asked == {
        "section": "explore",
        "range": "custom",
        "from": day.isoformat(),
        "to": day.isoformat(),
        "provider": "gemini",
        "model": "gemini/gemini-3.8-pro",
    }
    assert "Out of line" not in shown(app)
    box = app.selectbox(key="usage-range")
    assert (box.value, box.proto.set_value) == ("custom", True), "a browser that shows another range is told"
    assert not app.exception


def test_nothing_out_of_line_is_said_and_so_is_too_little_to_tell(hub: Services) -> None:
    record(hub, spent(0, 1))
    assert "Too little is known to say what is usual" in shown(outlook())
    record(hub, *(spent(ago, 1) for ago in range(1, 61)))
    assert "no day and no model stands out" in shown(outlook())


def test_what_has_no_price_is_said(hub: Services) -> None:
    record(hub, spent(0, 1), call(occurred_at=datetime.now(UTC), cost=UNPRICED))
    text = shown(outlook())
    assert "1 call has no known price and is in no cost." in text
    assert "no forecast of the cost counts it" in text


def test_another_currency_without_a_rate_is_forecast_in_itself(hub: Services) -> None:
    rouble = CallCost(Money(50 * DOLLAR, "RUB"), "test")
    record(hub, *(spent(ago, 0, cost=rouble) for ago in range(40)))
    app = outlook()
    assert "RUB" in figures(app)["This month"]
    assert "Eight in ten times it will be between RUB" in shown(app)
    assert "No exchange rate is known for RUB" in shown(app)
    assert not app.exception


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_sample_data_has_an_outlook_and_no_budget(hub: Services, locale: str) -> None:
    hub.usage.load_sample(1)
    hub.budgets.add(ADMIN, BudgetScope.WORKSPACE, Money(DOLLAR, "USD"))
    app = outlook(locale)
    assert len(figures(app)) == 4
    assert len(app.get("plotly_chart")) == 1
    assert not app.get("progress")
    assert not app.exception
    assert ("Out of line" in shown(app)) == (locale == "en-US")
