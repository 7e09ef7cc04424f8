"""The usage page, drawn by Streamlit's own test runner on a real ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import services
from core.config import PROJECT_DIR, Settings
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.types import UNPRICED, CallCost, Money
from core.services import Services, open_services
from core.usage.service import UsageService
from core.usage.types import Call
from tests.support.store import call

BANNER = "Sample data: invented figures, not your usage"
WAIT_SECONDS = 20


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    opened = open_services(Settings(data_dir=tmp_path))
    monkeypatch.setattr(services, "_current", opened)
    yield opened
    opened.close()


def page(locale: str = "en-US", **query: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT_DIR / "pages" / "usage.py"), default_timeout=WAIT_SECONDS)
    app.context["locale"] = locale
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def record(hub: Services, *calls: Call) -> None:
    with hub.unit.write() as session:
        hub.ledger.record_many(session, calls)


def a_call(**changes: object) -> Call:
    """A call of now by the local account."""
    return call(**{"occurred_at": datetime.now(UTC), **changes})


def shown(app: AppTest) -> str:
    texts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.error, *app.info]
    return "\n".join([*(text.value for text in texts), *(button.label for button in app.button)])


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace("\\", "") for metric in app.metric}


def test_before_the_first_call_the_page_says_what_to_do(hub: Services) -> None:
    app = page()
    assert "No calls yet" in shown(app)
    assert [button.label for button in app.button] == ["Open Chat", "Load sample data"]
    assert not app.metric
    assert not app.exception


def test_sample_data_shows_at_once_and_goes_again(hub: Services) -> None:
    app = page()
    app.button(key="usage-load-sample").click().run()
    assert BANNER in shown(app)
    assert list(figures(app)) == ["Requests", "Tokens", "Cost", "Errors"]
    assert int(figures(app)["Requests"]) > 500
    assert "No calls yet" not in shown(app)

    app.button(key="usage-remove-sample").click().run()
    assert "No calls yet" in shown(app)
    assert BANNER not in shown(app)
    assert not hub.usage.has_sample(1)
    assert not app.exception


def test_real_calls_are_shown_to_the_token(hub: Services) -> None:
    record(hub, a_call(), a_call(cost=CallCost(Money(500, "USD"), "test")))
    app = page()
    assert figures(app) == {"Requests": "2", "Tokens": "30", "Cost": "$0.000002", "Errors": "0"}
    assert app.metric[2].delta == ""
    assert BANNER not in shown(app)
    assert not app.exception


def test_sample_data_is_never_added_to_real_calls(hub: Services) -> None:
    record(hub, a_call())
    app = page()
    app.button(key="usage-load-sample").click().run()
    assert BANNER in shown(app)
    assert figures(app)["Requests"] != "1"

    app.segmented_control(key="usage-view").set_value("own").run()
    assert figures(app)["Requests"] == "1"
    assert BANNER not in shown(app)


def test_unpriced_is_said_and_never_0(hub: Services) -> None:
    record(hub, a_call(cost=UNPRICED, model="no*body_knows"))
    app = page()
    assert figures(app)["Cost"] == "unpriced"
    assert "1 unpriced call" in shown(app)
    assert "$0" not in shown(app)
    app.segmented_control(key="usage-measure").set_value("cost").run()
    assert "none of these calls has a price" in shown(app)
    assert not app.exception


def test_two_currencies_stand_side_by_side(hub: Services) -> None:
    record(hub, a_call(), a_call(provider="gigachat", cost=CallCost(Money(2 * 10**9, "RUB"), "test")))
    app = page()
    assert figures(app)["Cost"] == "RUB\u00a02.00 · $0.0000015"
    app.segmented_control(key="usage-currency").set_value("RUB").run()
    assert not app.exception


def test_demo_is_called_a_demo(hub: Services) -> None:
    record(hub, a_call(provider="demo", model="demo", cost=CallCost(Money(0, "USD"), "free")))
    table = page().table[0].value
    assert list(table.iloc[0])[:2] == ["Demo \\(offline demo, not a model\\)", "—"]


def test_a_range_in_the_address_is_kept(hub: Services) -> None:
    record(hub, a_call(), a_call(occurred_at=datetime.now(UTC) - timedelta(days=3)))
    app = page(range="today")
    assert app.radio(key="usage-range").value == "today"
    assert figures(app)["Requests"] == "1"
    app.radio(key="usage-range").set_value("7d").run()
    assert app.query_params["range"] == "7d"
    assert figures(app)["Requests"] == "2"
    app.radio(key="usage-range").set_value("30d").run()
    assert "range" not in app.query_params


def test_days_of_ones_own_are_kept(hub: Services) -> None:
    record(hub, a_call())
    today = hub.usage.today()
    app = page(range="custom", **{"from": today.isoformat(), "to": "not a day"})
    assert app.date_input(key="usage-from").value == today
    assert app.date_input(key="usage-to").value == today
    assert figures(app)["Requests"] == "1"
    assert not app.exception


def test_quiet_days_say_so(hub: Services) -> None:
    record(hub, a_call(occurred_at=datetime.now(UTC) - timedelta(days=60)))
    app = page()
    assert "No calls in these days" in shown(app)
    assert "No calls yet" not in shown(app)
    assert not app.metric


def test_a_range_that_ends_before_it_starts_is_told_in_words(hub: Services) -> None:
    app = page(range="custom", **{"from": "2026-05-02", "to": "2026-05-01"})
    assert "The range ends before it starts" in app.error[0].value
    assert app.date_input(key="usage-from")
    assert not app.exception


@pytest.mark.parametrize("verb", ["report", "load_sample"])
def test_a_failing_database_is_told_in_words(
    hub: Services, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise AppError(ErrorKind.STORAGE_BUSY, N_("The database is busy."))

    monkeypatch.setattr(UsageService, verb, fail)
    app = page()
    if verb == "load_sample":
        app.button(key="usage-load-sample").click().run()
    assert app.error[0].value == "The database is busy."
    assert not app.exception
    assert not app.metric


def test_the_page_speaks_russian(hub: Services) -> None:
    app = page("ru-RU")
    app.button(key="usage-load-sample").click().run()
    assert app.title[0].value == "Расход"
    assert list(figures(app)) == ["Запросы", "Токены", "Стоимость", "Ошибки"]
    assert "$" in figures(app)["Стоимость"]
    assert BANNER not in shown(app)
    assert not app.exception


@pytest.mark.parametrize("split", ["model", "provider"])
@pytest.mark.parametrize("measure", ["tokens", "cost"])
def test_every_chart_draws(hub: Services, measure: str, split: str) -> None:
    hub.usage.load_sample(1)
    app = page(range="year")
    app.segmented_control(key="usage-measure").set_value(measure)
    app.segmented_control(key="usage-split").set_value(split).run()
    assert len(app.get("plotly_chart")) == 3
    assert not app.exception
