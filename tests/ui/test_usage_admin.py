"""The usage page's part for administrators, drawn by Streamlit's own test runner on a real ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import services
from core.accounts.service import AccountService
from core.accounts.tables import User
from core.accounts.types import Account
from core.config import PROJECT_DIR, Settings
from core.pricing.types import CallCost, Money, Price
from core.services import Services, open_services
from core.usage.budget_types import BudgetScope
from core.usage.columns import DAILY
from core.usage.types import Call
from tests.support.people import ADMIN
from tests.support.store import call
from tests.support.usage_page import figures

WAIT_SECONDS = 20


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    opened = open_services(Settings(data_dir=tmp_path))
    opened.accounts.local_account()
    monkeypatch.setattr(services, "_current", opened)
    yield opened
    opened.close()


def page(locale: str = "en-US", **query: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT_DIR / "pages" / "usage.py"), default_timeout=WAIT_SECONDS)
    app.context["locale"] = locale
    app.context["timezone"] = "UTC"
    for name, value in {"section": "admin", **query}.items():
        app.query_params[name] = value
    return app.run()


def record(hub: Services, *calls: Call) -> None:
    with hub.unit.write() as session:
        hub.ledger.record_many(session, calls)


def a_call(**changes: object) -> Call:
    return call(**{"occurred_at": datetime.now(UTC), **changes})


def shown(app: AppTest) -> str:
    texts = [*app.subheader, *app.markdown, *app.caption, *app.error, *app.success, *app.info]
    return "\n".join(text.value for text in texts).replace("\\", "")


def test_each_user_has_a_row_with_their_budget(hub: Services) -> None:
    record(hub, a_call(), a_call(user_id=12, cost=CallCost(Money(2 * 10**9, "USD"), "test")))
    hub.budgets.add(ADMIN, BudgetScope.USER, Money(10**9, "USD"), for_user=12)
    app = page()
    table = app.dataframe(key="usage-admin-users").value
    assert list(table["User"]) == ["User 12 (deleted)", "local"]
    assert list(table["Requests"]) == [1, 1]
    assert list(table["Budget"]) == ["$2.00 of $1.00, used up", "—"]
    assert list(table["Budget used"].fillna(-1)) == [100, -1]
    assert table["Last call"][0] == hub.usage.today()
    assert not app.exception


def test_a_row_leads_to_the_calls_of_that_user(hub: Services) -> None:
    record(hub, a_call(), a_call(user_id=12), a_call(user_id=12))
    app = page()
    app.session_state["usage-admin-users"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert "Users" in shown(app)
    app = page(section="explore", users="all", user="12")
    assert figures(app)["Requests"] == "2"
    assert not app.exception


def test_the_ledger_tells_how_it_is_before_the_first_call_too(hub: Services) -> None:
    app = page()
    assert "No calls yet" not in shown(app)
    text = shown(app)
    assert "Calls no figure shows yet" in text
    assert "never needed" in text
    assert "SQLite 3" in text
    assert not app.exception


def test_a_check_says_that_all_is_well_or_what_is_not(hub: Services) -> None:
    record(hub, a_call(), a_call(model="other"))
    app = page()
    app.button(key="usage-admin-check").click().run()
    hub.upkeep.wait()
    app.run()
    assert "No difference" in app.success[0].value
    with hub.unit.write() as session:
        session.execute(
            update(DAILY).where(DAILY.c.user_id == 0, DAILY.c.model == "other").values(requests=9)
        )
    app.button(key="usage-admin-check").click().run()
    hub.upkeep.wait()
    app.run()
    assert "2 figures differ" in app.error[0].value
    assert list(app.dataframe[0].value["In the figures"]) == ["9", "9"]
    app.button(key="usage-admin-rebuild").click().run()
    hub.upkeep.wait()
    app.run()
    assert "All figures are rebuilt: 2 calls in" in app.success[0].value
    assert not app.exception


def test_another_time_zone_is_chosen_and_holds(hub: Services) -> None:
    record(hub, a_call(occurred_at=datetime.now(UTC) - timedelta(days=2)))
    app = page()
    assert app.button(key="usage-admin-change-zone").disabled
    app.selectbox(key="usage-admin-zone").select("Asia/Tokyo").run()
    app.button(key="usage-admin-change-zone").click().run()
    hub.upkeep.wait()
    app.run()
    assert "Days are counted in Asia/Tokyo now" in app.success[0].value
    assert hub.explore.health().timezone == "Asia/Tokyo"
    assert app.button(key="usage-admin-change-zone").disabled
    app.radio(key="usage-section").set_value("patterns").run()
    assert "Hours in Asia/Tokyo" in [caption.value for caption in app.caption]
    assert not app.exception


def test_past_recostings_tell_who_when_why_and_the_difference(hub: Services) -> None:
    record(hub, a_call(provider="x", model="m"))
    hub.price_overrides.add(
        ADMIN, "x", "m", Price("USD", 10**9, 10**9), datetime.now(UTC) - timedelta(days=9)
    )
    today = hub.usage.today()
    hub.recost.apply(ADMIN, hub.recost.plan(ADMIN, today, today), "the *contract* came late")
    app = page()
    row = app.table[0].value.iloc[0]
    assert row["Who"] == "local"
    assert row["Calls"] == "1"
    assert row["Difference"].replace("\\", "") == "+$0.0000135"
    assert row["Reason"] == r"the \*contract\* came late"
    assert not app.exception


def test_it_is_for_administrators_only(hub: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    record(hub, a_call())
    monkeypatch.setattr(AccountService, "local_account", lambda self: Account(1, "ann", is_admin=False))
    app = page()
    assert "Administration" not in str(app.radio[0].options)
    assert "The ledger" not in shown(app)
    assert not [button for button in app.button if button.key and button.key.startswith("usage-admin")]
    assert not app.exception


def test_who_is_none_any_more_is_told_so_at_the_next_click(hub: Services) -> None:
    record(hub, a_call())
    app = page("ru-RU")
    with hub.unit.write() as session:
        session.execute(update(User).values(is_admin=False))
    app.button(key="usage-admin-rebuild").click().run()
    assert "Это доступно только администраторам." in shown(app)
    assert "Журнал запросов" not in shown(app)
    assert hub.upkeep.progress(ADMIN) is None, "nothing was begun"
    assert not app.exception


def test_it_speaks_russian(hub: Services) -> None:
    record(hub, a_call(user_id=7))
    app = page("ru-RU")
    assert app.dataframe(key="usage-admin-users").value["Пользователь"].iloc[0] == "Пользователь 7 (удалён)"
    assert "Журнал запросов" in shown(app)
    assert "не требовался" in shown(app)
    assert not app.exception
