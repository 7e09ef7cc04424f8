"""The usage page, drawn by Streamlit's own test runner on a real ledger."""

import calendar
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from core import services
from core.accounts.service import AccountService
from core.accounts.types import Account
from core.config import PROJECT_DIR, Settings
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.pricing.types import UNPRICED, CallCost, Money
from core.services import Services, open_services
from core.usage.budget_types import BudgetScope
from core.usage.service import UsageService
from core.usage.types import Call, CallStatus
from tests.support.people import ADMIN
from tests.support.store import call
from tests.support.usage_page import figures, html

BANNER = "Sample data: invented figures, not your usage"
WAIT_SECONDS = 20
FIGURES = ["Requests", "Tokens", "Cost", "Saved", "Errors", "Latency, p95"]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    opened = open_services(Settings(data_dir=tmp_path))
    monkeypatch.setattr(services, "_current", opened)
    yield opened
    opened.close()


def page(locale: str = "en-US", **query: str | list[str]) -> AppTest:
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


def groups_of(app: AppTest) -> Any:
    """The table of all groups, opened."""
    app.session_state["usage-groups"] = True
    app.run()
    return next(table for table in app.dataframe if table.key == "usage-table-groups")


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key}


def test_before_the_first_call_the_page_says_what_to_do(hub: Services) -> None:
    app = page()
    assert "No calls yet" in shown(app)
    assert [button.label for button in app.button] == ["Open Chat", "Load sample data"]
    assert not figures(app)
    assert not app.exception


def test_sample_data_shows_at_once_and_goes_again(hub: Services) -> None:
    app = page()
    app.button(key="usage-load-sample").click().run()
    assert BANNER in shown(app)
    assert list(figures(app)) == FIGURES
    assert int(figures(app)["Requests"]) > 500
    assert "—" not in figures(app).values()
    assert "No calls yet" not in shown(app)

    app.button(key="usage-remove-sample").click().run()
    assert "No calls yet" in shown(app)
    assert BANNER not in shown(app)
    assert not hub.usage.has_sample(1)
    assert not app.exception


def test_real_calls_are_shown_to_the_token(hub: Services) -> None:
    record(hub, a_call(), a_call(cost=CallCost(Money(500, "USD"), "test")))
    app = page()
    known = {"Requests": "2", "Tokens": "30", "Cost": "$0.000002", "Saved": "—", "Errors": "0"}
    assert figures(app) == {**known, "Latency, p95": "—"}
    assert 'class="kpi-change' not in html(app), "there is nothing to compare with"
    assert BANNER not in shown(app)
    assert not app.exception


def test_sample_data_is_never_added_to_real_calls(hub: Services) -> None:
    record(hub, a_call())
    app = page()
    app.button(key="usage-load-sample").click().run()
    assert BANNER in shown(app)
    assert app.query_params["data"] == "sample"
    assert figures(app)["Requests"] != "1"

    app.segmented_control(key="usage-view").set_value("own").run()
    assert figures(app)["Requests"] == "1"
    assert BANNER not in shown(app)
    assert "data" not in app.query_params


def test_unpriced_is_said_and_never_0(hub: Services) -> None:
    record(hub, a_call(cost=UNPRICED, model="no*body_knows"))
    app = page()
    assert figures(app)["Cost"] == "unpriced"
    assert "1 unpriced call" in shown(app)
    assert "$0" not in shown(app)
    app.selectbox(key="usage-measure").set_value("cost").run()
    assert "none of these calls has a price" in shown(app)
    assert not app.exception


def test_two_currencies_stand_side_by_side(hub: Services) -> None:
    record(hub, a_call(), a_call(provider="gigachat", cost=CallCost(Money(2 * 10**9, "RUB"), "test")))
    app = page()
    assert figures(app)["Cost"] == "$0.0000015 + RUB\u00a02.00"
    app.segmented_control(key="usage-currency").set_value("RUB").run()
    assert app.query_params["drawn"] == "RUB"
    assert not app.exception


def test_demo_is_called_a_demo(hub: Services) -> None:
    record(hub, a_call(provider="demo", model="demo", cost=CallCost(Money(0, "USD"), "free")))
    table = groups_of(page()).value
    assert list(table.iloc[0])[:2] == ["Demo (offline demo, not a model)"] * 2


def test_a_range_in_the_address_is_kept(hub: Services) -> None:
    record(hub, a_call(), a_call(occurred_at=datetime.now(UTC) - timedelta(days=3)))
    app = page(range="today")
    assert app.selectbox(key="usage-range").value == "today"
    assert figures(app)["Requests"] == "1"
    app.selectbox(key="usage-range").set_value("7d").run()
    assert app.query_params["range"] == "7d"
    assert figures(app)["Requests"] == "2"
    app.selectbox(key="usage-range").set_value("30d").run()
    assert "range" not in app.query_params


def test_days_of_ones_own_are_kept(hub: Services) -> None:
    record(hub, a_call())
    today = hub.usage.today()
    app = page(range="custom", **{"from": today.isoformat(), "to": "not a day"})
    assert app.date_input(key="usage-from").value == today
    assert app.date_input(key="usage-to").value == today
    assert figures(app)["Requests"] == "1"
    assert not app.exception


def test_days_of_ones_own_begin_with_those_shown(hub: Services) -> None:
    record(hub, a_call())
    app = page(range="7d")
    app.selectbox(key="usage-range").set_value("custom").run()
    first = hub.usage.today() - timedelta(6)
    assert app.date_input(key="usage-from").value == first
    app.date_input(key="usage-from").set_value(first + timedelta(2)).run()
    assert app.query_params["from"] == (first + timedelta(2)).isoformat()


def test_filters_stand_in_the_address_and_open_the_same_view(hub: Services) -> None:
    record(hub, a_call(), a_call(), a_call(provider="openai", model="gpt-5.6"))
    app = page()
    app.multiselect(key="usage-only-provider").set_value(["gemini"]).run()
    app.selectbox(key="usage-compare").set_value("last_month").run()
    app.selectbox(key="usage-split").set_value("status").run()
    assert figures(app)["Requests"] == "2"
    assert "Provider\\: Gemini" in shown(app)

    again = page(**app.query_params)
    assert figures(again) == figures(app)
    assert again.multiselect(key="usage-only-provider").value == ["gemini"]
    assert again.selectbox(key="usage-compare").value == "last_month"
    assert again.selectbox(key="usage-split").value == "status"

    again.button(key="usage-reset").click().run()
    assert figures(again)["Requests"] == "3"
    assert "provider" not in again.query_params
    assert again.selectbox(key="usage-split").value == "status"
    assert "usage-reset" not in keys(again)


def test_widgets_begin_with_what_the_address_says(hub: Services) -> None:
    """A browser tells what a widget begins with until it hears what the page sets it to: a click in between would
    take the view of a shared link apart, or end in an error."""
    record(hub, a_call(), a_call(provider="openai", model="gpt-5.6"))
    hub.usage.load_sample(1)
    asked = {
        "range": "custom",
        "from": "2026-01-02",
        "to": "2026-11-01",
        "compare": "none",
        "measure": "cost",
    }
    app = page(**asked, by="provider", interval="month", data="sample", provider="openai")
    boxes = {box.key: box.proto.options[box.proto.default] for box in app.selectbox}
    assert boxes == {
        "usage-range": "Custom",
        "usage-compare": "Nothing",
        "usage-measure": "Cost",
        "usage-split": "Provider",
    }
    assert [app.segmented_control(key=key).proto.default for key in ("usage-interval", "usage-view")] == [
        [2],
        [1],
    ]
    chosen = app.multiselect(key="usage-only-provider").proto
    assert [chosen.options[place] for place in chosen.default] == ["OpenAI"]
    days = [app.date_input(key=key).proto.default for key in ("usage-from", "usage-to")]
    assert days == [["2026-01-02"], ["2026-11-01"]]
    app = page(section="what-if", whatif="openai/gpt-5.6")
    assert app.radio(key="usage-section").proto.default == 4
    chosen = app.multiselect(key="whatif-models").proto
    assert [chosen.options[place] for place in chosen.default] == ["OpenAI · gpt-5.6"]
    assert not app.exception


def test_what_an_address_says_wrongly_is_ignored(hub: Services) -> None:
    record(hub, a_call())
    wrong = ["range", "compare", "interval", "by", "measure", "section", "users", "user", "thread", "data"]
    app = page(**dict.fromkeys([*wrong, "model", "status", "error", "label", "currency"], "<b>?"))
    assert figures(app)["Requests"] == "1"
    assert not app.query_params
    assert not app.exception


def test_a_prompt_is_filtered_by_in_the_filters_below(hub: Services) -> None:
    record(hub, a_call(tags=(("prompt", "Greet"),)), a_call())
    app = page(prompt="Greet")
    assert figures(app)["Requests"] == "1"
    # Open, because something in it is chosen.
    assert app.multiselect(key="usage-only-prompt").value == ["Greet"]
    without = page(prompt="")
    assert figures(without)["Requests"] == "1"
    assert "Prompt\\: No prompt" in shown(without)


def test_the_calls_of_others_are_for_admins(hub: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    record(hub, a_call(), a_call(user_id=2, model="theirs"))
    app = page()
    assert figures(app)["Requests"] == "1"
    app.segmented_control(key="usage-everyone").set_value("all").run()
    assert figures(app)["Requests"] == "2"
    app.multiselect(key="usage-only-user").set_value(["2"]).run()
    assert figures(app)["Requests"] == "1"
    assert app.query_params["user"] == "2"

    me = hub.accounts.local_account()
    monkeypatch.setattr(
        AccountService, "local_account", lambda _self: Account(me.id, me.username, is_admin=False)
    )
    for section in ("explore", "calls", "patterns"):
        app = page(users="all", user="2", section=section)
        assert "users" not in app.query_params or not app.exception
        assert "theirs" not in "".join(str(table.value) for table in app.dataframe)
        assert not app.exception
    assert figures(page(users="all", user="2"))["Requests"] == "1"


def test_quiet_days_say_so(hub: Services) -> None:
    record(hub, a_call(occurred_at=datetime.now(UTC) - timedelta(days=60)))
    app = page()
    assert "No calls in these days" in shown(app)
    assert "No calls yet" not in shown(app)
    assert not figures(app)


def test_a_range_that_ends_before_it_starts_is_told_in_words(hub: Services) -> None:
    app = page(range="custom", **{"from": "2026-05-02", "to": "2026-05-01"})
    assert "The range ends before it starts" in app.error[0].value
    assert app.date_input(key="usage-from")
    assert not app.exception


def test_days_that_are_still_to_come_are_told_in_words(hub: Services) -> None:
    record(hub, a_call())
    app = page(range="custom", **{"from": "2999-01-01", "to": "2999-02-01"})
    assert "These days are still to come" in app.error[0].value
    assert not figures(app)
    # A last day to come is cut to today, as the page says.
    app = page(range="custom", **{"from": datetime.now(UTC).date().isoformat(), "to": "2999-02-01"})
    assert figures(app)["Requests"] == "1"


@pytest.mark.parametrize(("preset", "requests"), [("yesterday", "1"), ("last_month", "2")])
def test_days_that_are_over_are_a_range_of_their_own(hub: Services, preset: str, requests: str) -> None:
    now = datetime.now(UTC)
    month_ago = now.replace(day=1) - timedelta(2)
    yesterday = now - timedelta(1)
    record(hub, a_call(), *(a_call(occurred_at=month_ago) for _ in range(2)))
    # On the first of a month yesterday is in the last one.
    if preset == "yesterday":
        record(hub, a_call(occurred_at=yesterday))
        requests = "3" if month_ago.date() == yesterday.date() else requests
    assert figures(page(range=preset))["Requests"] == requests


def test_only_what_is_compared_offers_a_comparison(hub: Services) -> None:
    record(hub, a_call())
    assert page().selectbox(key="usage-compare")
    assert "usage-compare" not in {box.key for box in page(section="calls").selectbox}


def test_calls_name_the_zone_of_their_times_where_it_is_not_that_of_the_days(hub: Services) -> None:
    record(hub, a_call())
    assert "times in" not in shown(page(section="calls"))
    hub.ledger.use(ZoneInfo("Asia/Tokyo"))
    app = AppTest.from_file(str(PROJECT_DIR / "pages" / "usage.py"), default_timeout=WAIT_SECONDS)
    app.context["locale"], app.context["timezone"] = "en-US", "Europe/Moscow"
    app.query_params.update({"section": "calls", "range": "7d"})
    assert "times in Europe/Moscow" in shown(app.run())


def test_users_and_threads_are_told_apart_by_name(hub: Services) -> None:
    admin = hub.accounts.local_account()
    # The first one takes the local account over.
    names = ("boss", "ann")
    _boss, ann = (
        hub.members.administration.add(admin, f"{name}@example.com", name, "correct horse battery").id
        for name in names
    )
    record(hub, a_call(), a_call(user_id=ann), a_call(user_id=77), a_call(thread_id=4), a_call(thread_id=5))
    calls = page(section="calls", users="all").dataframe[0].value
    assert set(calls["User"]) == {*names, "User 77 (deleted)"}
    app = page(users="all", user=str(ann), by="user")
    assert "User: ann" in shown(app).replace("\\", "")
    threads = page(section="patterns").dataframe[0].value["Threads"]
    assert set(threads) == {"Deleted thread 4", "Deleted thread 5"}


def test_a_long_amount_beside_none_has_room_for_all_its_digits(hub: Services) -> None:
    """A table leaves out what is far longer than the rest when it measures, and cuts it in front."""
    record(
        hub,
        *(a_call(model=f"m{number}", cost=UNPRICED) for number in range(6)),
        a_call(model="dear", cost=CallCost(Money(12_345_678_901_230_000, "USD"), "test")),
    )
    table = groups_of(page())
    column = json.loads(table.proto.columns)["Cost, USD"]
    assert column["width"] >= len("12,345,678.90123") * 8
    assert column["type_config"]["step"] == 1.00001


@pytest.mark.parametrize("verb", ["has_calls", "load_sample"])
def test_a_failing_database_is_told_in_words(
    hub: Services, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise AppError(ErrorKind.STORAGE_BUSY, N_("The database is busy."))

    monkeypatch.setattr(UsageService, verb, fail)
    app = page()
    if verb == "load_sample":
        app.button(key="usage-load-sample").click().run()
    assert app.error[0].value.replace("\\", "") == "The database is busy."
    assert not app.exception
    assert not figures(app)


def test_the_page_speaks_russian(hub: Services) -> None:
    app = page("ru-RU")
    app.button(key="usage-load-sample").click().run()
    assert app.title[0].value == "Расход"
    assert list(figures(app))[:3] == ["Запросы", "Токены", "Стоимость"]
    assert "$" in figures(app)["Стоимость"]
    assert BANNER not in shown(app)
    assert not app.exception


def test_every_measure_and_every_split_draws(hub: Services) -> None:
    hub.usage.load_sample(1)
    measures = ("cost", "errors", "saved", "speed", "latency", "first-p99")
    splits = ("provider", "status", "error", "label", "thread", "model")
    app = page(range="90d", interval="week")
    for measure, split in zip(measures, splits, strict=True):
        app.selectbox(key="usage-measure").set_value(measure)
        app.selectbox(key="usage-split").set_value(split).run()
        drawn = len(app.get("plotly_chart")), html(app).count("<ol class=")
        assert drawn == (2, 3), (measure, split)
        titles = [title.value for title in app.subheader]
        assert len(set(titles)) == len(titles), "no chart stands twice"
        assert len(groups_of(app).value) >= 1
        assert not app.exception


def test_the_month_is_held_against_its_budget_and_forecast(hub: Services) -> None:
    hub.usage.load_sample(1)
    assert "By the end of the month probably" in shown(page(range="month"))
    record(hub, a_call())
    # A budget is of real calls.
    hub.budgets.add(ADMIN, BudgetScope.USER, Money(3_000, "USD"), for_user=1)
    assert "Budget of the month: \\$0.000003, 50% used" in shown(page(range="month"))
    assert "Budget of the month" not in shown(page(range="month", data="sample"))
    assert "Budget of the month" not in shown(page(range="7d"))


def test_the_table_behind_the_cost_as_it_adds_up_ends_with_the_total(hub: Services) -> None:
    today = datetime.now(UTC)
    record(hub, *(a_call(occurred_at=today - timedelta(days)) for days in (0, 0, 1, 8)))
    app = page(range="7d")
    app.session_state["usage-cumulative-rows"] = True
    app.run()
    table = app.dataframe[0].value
    assert list(table["This range, USD"])[:2] == [Decimal("0.0000045"), Decimal("0.0000015")]
    assert table["The period before, USD"].iloc[0] == Decimal("0.0000015")
    assert len(table) == 7
    hub.usage.load_sample(1)
    app = page(range="month", data="sample")
    app.session_state["usage-cumulative-rows"] = True
    app.run()
    table = app.dataframe[0].value
    whole = calendar.monthrange(today.year, today.month)[1]
    if today.day < whole:
        assert len(table) == whole
        newest = table.iloc[0]
        low, expected, high = (newest[f"Forecast{which}, USD"] for which in (", at least", "", ", at most"))
        assert low <= expected <= high
    assert not app.exception


def test_a_group_opens_its_calls_and_one_comes_back(hub: Services) -> None:
    record(hub, a_call(), a_call(provider="openai", model="gpt-5.6"))
    app = page()
    app.session_state["usage-groups"] = True
    app.session_state["usage-table-groups"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    app.button(key="usage-open-group").click().run()
    assert app.query_params["section"] == "calls"
    assert len(app.dataframe[0].value) == 1
    app.button(key="usage-back").click().run()
    assert figures(app)["Requests"] == "2"
    assert "model" not in app.query_params


def test_calls_come_in_pages_of_100(hub: Services) -> None:
    now = datetime.now(UTC)
    record(hub, *(a_call(occurred_at=now - timedelta(minutes=minute)) for minute in range(130)))
    app = page(section="calls", range="7d")
    assert len(app.dataframe[0].value) == 100
    app.button(key="usage-older").click().run()
    assert len(app.dataframe[0].value) == 30
    assert app.button(key="usage-older").disabled
    app.button(key="usage-newer").click().run()
    assert len(app.dataframe[0].value) == 100
    assert not app.exception


def details(hub: Services, *calls: Call) -> AppTest:
    """The newest of `calls` with all that is known of it."""
    record(hub, *calls)
    app = page(section="calls")
    app.session_state["usage-table-calls-1"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    return app.run()


def test_a_call_tells_everything_that_is_known_of_it(hub: Services) -> None:
    app = details(
        hub,
        a_call(
            request_id="r-1",
            attempts=3,
            fallback_from="openai/gpt-5.6",
            flag="negative *tokens*",
            reported={"input_tokens": -1},
            tags=(("category", "Support"), ("label", "team=a")),
            latency_ms=2_000,
            first_token_ms=500,
        ),
    )
    text = shown(app)
    for known in ("Attempts", "gpt\\-5\\.6", "Support", "team\\=a", "r-1", "500"):
        assert known in text, known
    assert "negative \\*tokens\\*" in app.warning[0].value
    assert '"input_tokens": -1' in app.code[0].value
    assert "usage-open-message" not in keys(app)
    assert not app.exception


def test_a_call_counts_on_when_its_message_is_gone(hub: Services) -> None:
    app = details(hub, a_call(thread_id=1, message_id=7))
    assert "The message has been deleted; the call still counts" in shown(app)
    assert "usage-open-message" not in keys(app)


def test_failed_calls_say_why(hub: Services) -> None:
    record(hub, a_call(status=CallStatus.FAILED, error_kind=ErrorKind.RATE_LIMIT))
    app = page(section="calls", status="failed")
    assert "Failed: Rate limit" in list(app.dataframe[0].value["Status"])
    assert "Status\\: Failed" in shown(app)


def test_patterns_draw_with_sample_data(hub: Services) -> None:
    hub.usage.load_sample(1)
    app = page(section="patterns")
    assert (len(app.get("plotly_chart")), html(app).count("<ol class=")) == (4, 1)
    assert "Sample thread 1" in list(app.dataframe[0].value["Threads"])
    app.segmented_control(key="usage-heat-measure").set_value("errors").run()
    app.segmented_control(key="usage-top").set_value("prompt").run()
    assert "Answer a ticket" in list(app.dataframe[0].value["Prompts"])
    assert not app.exception


def test_a_bar_of_patterns_opens_its_calls_also_by_its_address(hub: Services) -> None:
    record(hub, *(a_call(latency_ms=milliseconds) for milliseconds in (900, 905, 30_000)))
    app = page(section="patterns", range="today")
    app.session_state["usage-latency-rows"] = True
    app.session_state["usage-table-latency"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    app.button(key="usage-table-latency-open").click().run()
    assert app.query_params["section"] == "calls"
    assert app.query_params["part"] == "latency.862-1023"
    assert len(app.dataframe[0].value) == 2
    assert app.button(key="usage-part").label.replace("\\", "") == "Latency: 862\u00a0ms – 1.0\u00a0s ×"
    shared = page(section="calls", range="today", part="latency.862-1023")
    assert len(shared.dataframe[0].value) == 2
    app.button(key="usage-part").click().run()
    assert len(app.dataframe[0].value) == 3
    assert "part" not in app.query_params
    app.button(key="usage-back").click().run()
    assert app.query_params["section"] == "patterns"
    assert not app.exception


def test_a_cell_of_the_week_opens_its_hour(hub: Services) -> None:
    monday = datetime.now(UTC).replace(hour=14, minute=5) - timedelta(datetime.now(UTC).weekday() + 7)
    record(hub, a_call(occurred_at=monday), a_call(occurred_at=monday + timedelta(hours=1)))
    app = page(section="patterns")
    app.session_state["usage-heat-rows"] = True
    app.session_state["usage-table-heat"] = {"selection": {"rows": [], "columns": [], "cells": [[14, "Mon"]]}}
    app.run()
    app.button(key="usage-open-hour").click().run()
    assert app.query_params["part"] == "hour.14"
    assert app.button(key="usage-part").label.replace("\\", "") == "Mon, 2:00 PM ×"
    assert len(app.dataframe[0].value) == 1
    assert not app.exception


@pytest.mark.parametrize(
    "part", ["latency", "latency.x-2", "latency.9-3", "hour.168", "speed.1-2", "hour.3-999999999999999999"]
)
def test_a_bar_that_is_none_is_ignored(hub: Services, part: str) -> None:
    record(hub, a_call())
    app = page(section="calls", range="today", part=part)
    assert len(app.dataframe[0].value) == 1
    assert "part" not in app.query_params
    assert not app.exception


def test_only_calls_are_told_apart_by_a_bar(hub: Services) -> None:
    record(hub, a_call(latency_ms=50))
    app = page(section="explore", range="today", part="latency.862-1023")
    assert figures(app)["Requests"] == "1"
    assert "part" not in app.query_params


def test_a_deleted_thread_has_no_title(hub: Services) -> None:
    record(hub, a_call(thread_id=12))
    app = page(section="patterns")
    assert "Deleted thread 12" in list(app.dataframe[0].value["Threads"])
    assert not app.exception


def test_patterns_without_calls_say_so(hub: Services) -> None:
    record(hub, a_call(occurred_at=datetime.now(UTC) - timedelta(days=60)))
    for section in ("patterns", "calls"):
        app = page(section=section)
        assert "No calls here" in shown(app)
        assert not app.exception


def test_labels_that_add_up_to_more_than_the_total_say_so(hub: Services) -> None:
    record(hub, a_call(tags=(("label", "team=a"), ("label", "env=prod"))))
    assert "labels can add up to more than the total" in shown(page(by="label"))
    assert "labels can add up" not in shown(page(by="model"))


def test_a_chart_of_percentiles_has_its_table(hub: Services) -> None:
    record(hub, *(a_call(latency_ms=milliseconds) for milliseconds in (900, 1_000, 1_100)))
    record(hub, a_call(model="other", latency_ms=None))
    app = page(measure="latency-p50", by="model", range="today")
    app.session_state["usage-periods"] = True
    app.run()
    assert "Latency, p50, s" in [caption.value for caption in app.caption]
    table = app.dataframe[0].value
    assert table["gemini-3.8-flash"][0] == pytest.approx(1, rel=0.05)
    assert "other" not in table


def test_errors_by_kind_have_their_table_whatever_else_is_asked(hub: Services) -> None:
    failed = [ErrorKind.TIMEOUT, ErrorKind.RATE_LIMIT, ErrorKind.TIMEOUT, None]
    record(hub, *(a_call(status=CallStatus.FAILED, error_kind=kind) for kind in failed), a_call())
    for asked in ({}, {"status": "failed"}, {"by": "error"}, {"measure": "errors"}):
        app = page(range="today", **asked)
        app.session_state["usage-errors-rows"] = True
        app.run()
        table = next(each.value for each in app.dataframe if list(each.value) == ["Error", "Errors"])
        assert table["Errors"].tolist() == [2, 1, 1]
        assert table["Error"][0] == "Time-out"
    assert "No call of these failed" in shown(page(range="today", status="completed"))
