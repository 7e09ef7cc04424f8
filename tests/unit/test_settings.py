"""What the environment may say, and what AIHub answers when it cannot be right."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from core.config import Settings


def settings(**values: Any) -> Settings:
    return Settings(**values)


def test_without_an_environment_money_is_in_dollars_and_gigachat_is_for_persons() -> None:
    found = settings()
    assert (found.currency, found.gigachat_scope, found.gigachat_verify_ssl) == (
        "USD",
        "GIGACHAT_API_PERS",
        True,
    )
    assert (found.secret_key, found.redis_url, found.anthropic_api_key) == (None, None, None)


def test_the_environment_is_read_by_the_documented_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AIHUB_CURRENCY": "rub",
        "AIHUB_SECRET_KEY": "correct horse battery",
        "AIHUB_REDIS_URL": "redis://127.0.0.1:6379/0",
        "ANTHROPIC_API_KEY": "a-key",
        "ANTHROPIC_BASE_URL": "https://gateway.example",
        "GIGACHAT_CREDENTIALS": "g-key",
        "GIGACHAT_SCOPE": "GIGACHAT_API_B2B",
        "GIGACHAT_VERIFY_SSL": "False",
        "GIGACHAT_MODEL": "GigaChat-Pro",
        "GIGACHAT_CA_BUNDLE_FILE": "/etc/ssl/russian.pem",
        "GIGACHAT_BASE_URL": "",
    }.items():
        monkeypatch.setenv(name, value)
    found = settings()
    assert found.currency == "RUB"
    assert found.anthropic_api_key is not None
    assert found.gigachat_api_key is not None
    assert found.anthropic_base_url == "https://gateway.example"
    assert (found.gigachat_scope, found.gigachat_verify_ssl) == ("GIGACHAT_API_B2B", False)
    assert (found.gigachat_model, str(found.gigachat_ca_bundle_file)) == (
        "GigaChat-Pro",
        "/etc/ssl/russian.pem",
    )
    assert found.gigachat_base_url is None, "set to nothing is not set"


def test_no_secret_stands_in_the_repr() -> None:
    secrets = {
        "AIHUB_SECRET_KEY": "correct horse battery",
        "AIHUB_REDIS_URL": "redis://:hunter2@127.0.0.1",
        "ANTHROPIC_API_KEY": "a-made-up-key",
        "GIGACHAT_API_KEY": "b-made-up-key",
        "GIGACHAT_CLIENT_SECRET": "c-made-up-key",
        "GIGACHAT_BASE_URL": "https://me:password@gateway.example",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in secrets.items():
            patch.setenv(name, value)
        found = settings()
    assert found.secret_key is not None
    assert not [value for value in secrets.values() if value in repr(found)]


@pytest.mark.parametrize("code", ["dollars", "US", "12A", "р у б", "₽"])
def test_a_currency_is_three_letters(code: str) -> None:
    with pytest.raises(ValidationError, match="such as USD, EUR or RUB"):
        settings(currency=code)


def test_a_subscription_costs_twenty_a_month_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(settings().subscription_cost) == "20.00"
    monkeypatch.setenv("AIHUB_SUBSCRIPTION_COST", " 9.99 ")
    assert settings().subscription_cost == Decimal("9.99")


@pytest.mark.parametrize("text", ["twenty", "-1", "NaN", "Infinity", "1000000", "0.0000000001"])
def test_an_impossible_subscription_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValidationError, match=r"use an amount from 0 .* such as 20\.00"):
        settings(subscription_cost=text)
