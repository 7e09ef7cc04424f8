"""Usage and summary over REST: as documented, exact to the nano-unit, one's own alone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.testclient import TestClient

from core.pricing.types import CallCost, Money
from core.services import Services
from core.usage.types import Source
from tests.api.conftest import bearer_with
from tests.support.databases import on_both_databases
from tests.support.store import call

pytestmark = on_both_databases

SUMS = {"requests", "tokens", "cost", "unconverted", "unpriced_requests"}


def own_id(client: TestClient) -> int:
    return client.get("/api/users/me").json()["id"]


def record(hub: Services, client: TestClient, days_ago: int = 0, **changes: object) -> None:
    moment = datetime.now(UTC) - timedelta(days_ago)
    made = call(**{"user_id": own_id(client), "occurred_at": moment, **changes})
    with hub.unit.write() as session:
        hub.ledger.record(session, made)


def cost(nano: int, currency: str = "USD") -> CallCost:
    return CallCost(Money(nano, currency), "test")


def usage(client: TestClient, **days: object) -> dict[str, Any]:
    answer = client.get("/api/statistics/usage", params={name: str(day) for name, day in days.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_usage_as_documented_exact_and_nobody_elses(hub: Services, ann: TestClient, bob: TestClient) -> None:
    record(hub, ann, provider="openai", model="gpt-4", cost=cost(103_161_250))
    record(hub, ann, provider="openai", model="gpt-4o", cost=cost(1), days_ago=2)
    record(hub, ann, provider="anthropic", model="claude-3-opus", cost=cost(9_000_000_000), days_ago=2)
    record(hub, ann, provider="gigachat", model="GigaChat-2", cost=cost(1_500, "RUB"))
    record(hub, ann, provider="openai", model="gpt-4", cost=CallCost(None, "unpriced"))
    record(hub, ann, source=Source.SAMPLE)
    record(hub, bob, cost=cost(77))
    today = hub.usage.today()
    answer = ann.get("/api/statistics/usage/")
    found = answer.json()
    assert '"total_cost":9.103161251,' in answer.text
    assert found["start_date"] == str(today - timedelta(29))
    assert (found["end_date"], found["currency"]) == (str(today), "USD")
    assert (found["total_requests"], found["total_tokens"], found["unpriced_requests"]) == (5, 75, 1)
    assert found["unconverted"] == {"RUB": 0.0000015}
    assert [each["date"] for each in found["daily_usage"]] == [str(today - timedelta(2)), str(today)]
    assert found["daily_usage"][0] == {
        "date": str(today - timedelta(2)),
        "requests": 2,
        "tokens": 30,
        "cost": 9.000000001,
        "unconverted": {},
        "unpriced_requests": 0,
    }
    assert found["model_usage"][0]["model"] == "claude-3-opus"
    assert {(each["provider"], each["model"]): each["cost"] for each in found["model_usage"]} == {
        ("anthropic", "claude-3-opus"): 9.0,
        ("openai", "gpt-4"): 0.10316125,
        ("openai", "gpt-4o"): 1e-9,
        ("gigachat", "GigaChat-2"): 0.0,
    }
    counts = {
        each["provider"]: (each["models_count"], each["requests"]) for each in found["provider_summary"]
    }
    assert counts == {"anthropic": (1, 1), "openai": (2, 3), "gigachat": (1, 1)}
    for part in ("daily_usage", "model_usage", "provider_summary"):
        assert sum(each["requests"] for each in found[part]) == 5
        assert sum(each["unpriced_requests"] for each in found[part]) == 1
    assert (usage(bob)["total_requests"], usage(bob)["total_cost"]) == (1, 7.7e-8)


def test_both_days_are_included(hub: Services, ann: TestClient) -> None:
    for days_ago in (0, 1, 2, 3):
        record(hub, ann, days_ago=days_ago)
    today = hub.usage.today()
    found = usage(ann, start_date=today - timedelta(2), end_date=today - timedelta(1))
    assert (found["start_date"], found["end_date"]) == (
        str(today - timedelta(2)),
        str(today - timedelta(1)),
    )
    assert found["total_requests"] == 2
    assert usage(ann, start_date=today)["total_requests"] == 1
    assert usage(ann, end_date=today - timedelta(3))["total_requests"] == 1


def test_nothing_yet_is_zero(ann: TestClient) -> None:
    found = usage(ann)
    assert (found["total_requests"], found["total_tokens"], found["total_cost"]) == (0, 0, 0)
    assert found["daily_usage"] == found["model_usage"] == found["provider_summary"] == []
    summary = ann.get("/api/statistics/summary").json()
    assert (summary["all_time"]["requests"], summary["all_time"]["cost"]) == (0, 0)
    assert summary["savings"] == {"vs_subscription": 20.0, "subscription_cost": 20.0}


WRONG_DAYS = (
    "start_date=2024-02-30",
    "start_date=tomorrow",
    "start_date=",
    "start_date=1700000000",
    "start_date=2024-02-16T10:00:00",
    "end_date=16.02.2024",
    "end_date=0000-01-01",
    "end_date=99999-01-01",
    "end_date=%00",
    "start_date=2024-03-16&end_date=2024-02-16",
    "start_date=2000-01-01&end_date=2020-01-01",
    "start_date=0001-01-01&end_date=0001-01-05",
)


def test_days_that_cannot_be_asked_for(ann: TestClient) -> None:
    for query in WRONG_DAYS:
        answer = ann.get(f"/api/statistics/usage?{query}")
        assert (answer.status_code, answer.json()["error_type"]) == (400, "validation"), query
        assert answer.json()["error_message"]
    told = ann.get("/api/statistics/usage?start_date=1700000000").json()["error_message"]
    assert "A date such as" in told
    assert ann.get("/api/statistics/usage?start_date=0001-01-01").status_code == 400
    assert ann.get("/api/statistics/usage?start_date=9999-12-31").status_code == 200


def test_the_summary_as_documented(hub: Services, ann: TestClient, bob: TestClient) -> None:
    record(hub, ann, cost=cost(1_870_000_000))
    record(hub, ann, cost=CallCost(None, "unpriced"))
    record(hub, ann, cost=cost(5, "RUB"))
    record(hub, ann, days_ago=29, cost=cost(1_550_000_000))
    record(hub, ann, days_ago=30, cost=cost(3))
    record(hub, ann, days_ago=400, cost=cost(2))
    record(hub, bob, cost=cost(10**12))
    today = hub.usage.today()
    found = ann.get("/api/statistics/summary/").json()
    assert set(found) == {"currency", "current_month", "last_30_days", "all_time", "savings"}
    assert set(found["current_month"]) == set(found["last_30_days"]) == {"start_date", "end_date", *SUMS}
    assert set(found["all_time"]) == SUMS
    last = found["last_30_days"]
    assert (last["start_date"], last["end_date"]) == (str(today - timedelta(29)), str(today))
    assert (last["requests"], last["tokens"], last["cost"]) == (4, 60, 3.42)
    assert (last["unpriced_requests"], last["unconverted"]) == (1, {"RUB": 5e-9})
    assert (found["all_time"]["requests"], found["all_time"]["cost"]) == (6, 3.420000005)
    month = found["current_month"]
    assert (month["start_date"], month["end_date"]) == (str(today.replace(day=1)), str(today))
    spent = 1_870_000_000 + sum(_of_month(today, ago, nano) for ago, nano in ((29, 1_550_000_000), (30, 3)))
    assert month["cost"] == spent / 10**9
    assert found["savings"] == {
        "vs_subscription": (20 * 10**9 - spent) / 10**9,
        "subscription_cost": 20.0,
    }


def test_what_a_subscription_would_have_saved_is_negative(hub: Services, ann: TestClient) -> None:
    record(hub, ann, cost=cost(20_000_000_001))
    savings = ann.get("/api/statistics/summary").json()["savings"]
    assert savings == {"vs_subscription": -1e-9, "subscription_cost": 20.0}


def test_a_token_needs_the_scope(ann: TestClient, nobody: TestClient) -> None:
    read, write = bearer_with(ann, "read"), bearer_with(ann, "write", "chat", "account")
    for path in ("/api/statistics/usage", "/api/statistics/summary"):
        assert nobody.get(path).status_code == 401
        assert nobody.get(path, headers=read).status_code == 200
        assert nobody.get(path, headers=write).status_code == 403


def _of_month(today: date, days_ago: int, nano: int) -> int:
    return nano if today - timedelta(days_ago) >= today.replace(day=1) else 0
