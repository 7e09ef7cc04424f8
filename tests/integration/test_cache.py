"""Answers given again: to whom, for what, how long, and what they cost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from core.errors import AppError, ErrorKind
from core.generation.cache import ResponseCache, cache_key, tool_call_of, tool_call_values
from core.generation.tables import CachedResponse
from core.generation.types import ModelRef
from core.pricing.types import Money
from core.providers.content import Attachment, FunctionDeclaration, GeminiOptions, ToolCall
from core.providers.types import (
    ChatMessage,
    CompletionRequest,
    FinishReason,
    ReasoningEffort,
    Role,
    TokenUsage,
)
from core.store.unit_of_work import UnitOfWork
from core.usage.types import CallStatus, Source
from tests.fakes import gemini_server
from tests.fakes.gemini_server import GeminiServer, usage
from tests.fakes.script import Script
from tests.support.lab import OTHER, Lab, open_lab
from tests.support.store import migrated


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer(Script(usage=usage(prompt=1_000, output=500))) as server:
        yield server


@pytest.fixture
def lab(database_url: str, tmp_path: Path, server: GeminiServer) -> Iterator[Lab]:
    with open_lab(database_url, tmp_path, server.url) as lab:
        yield lab


def kept(unit: UnitOfWork) -> int:
    with unit.read() as session:
        return session.execute(select(func.count()).select_from(CachedResponse)).scalar_one()


def test_an_equal_request_is_answered_from_the_cache_and_costs_nothing(
    lab: Lab, server: GeminiServer
) -> None:
    first = lab.ask(model=OTHER, use_cache=True)
    generation = lab.start(model=OTHER, use_cache=True)
    assert [chunk.text for chunk in generation.follow() if chunk] == ["Hello, world!"]
    again = generation.outcome
    assert again is not None
    assert (again.status, again.text) == (CallStatus.COMPLETED, first.text)
    assert (again.from_cache, again.attempts, again.usage) == (True, 0, TokenUsage())
    assert again.finish_reason is FinishReason.STOP
    assert again.cost.amount == Money(0, "USD")
    today = datetime.now(UTC).date()
    assert again.cost.source == f"from the cache: an equal request of {today.isoformat()}"
    assert again.saved == first.cost.amount
    assert first.cost.amount is not None
    assert first.cost.amount.nano > 0
    assert len(server.asked) == 1
    before, after = lab.events()
    assert (before["from_cache"], before["saved_nano"]) == (False, None)
    assert (after["from_cache"], after["saved_nano"]) == (True, first.cost.amount.nano)
    assert (after["cost_nano"], after["input_tokens"], after["attempts"]) == (0, 0, 0)


def test_what_an_unpriced_answer_saves_nobody_knows(lab: Lab, server: GeminiServer) -> None:
    server.models = (*server.models, "gemini-of-mine")
    lab.ask(model="gemini-of-mine", use_cache=True)
    again = lab.ask(model="gemini-of-mine", use_cache=True)
    assert (again.from_cache, again.saved, again.cost.amount) == (True, None, Money(0, "USD"))


DIFFERENT: dict[str, dict[str, Any]] = {
    "user": {"user_id": 2},
    "text": {"text": "Goodbye"},
    "temperature": {"temperature": 0.5},
    "system prompt": {"system_prompt": "Be brief."},
    "no cache": {"use_cache": False},
}


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT)
def test_another_request_is_asked_anew(lab: Lab, server: GeminiServer, change: dict[str, Any]) -> None:
    lab.ask(use_cache=True)
    assert not lab.ask(**{"use_cache": True, **change}).from_cache
    assert len(server.asked) == 2


def test_a_cell_at_temperature_0_is_always_kept(lab: Lab, server: GeminiServer) -> None:
    for temperature in (0.0, 0.0, 0.7, 0.7):
        lab.ask(source=Source.SPREADSHEET, temperature=temperature)
    assert [event["from_cache"] for event in lab.events()] == [False, True, False, False]
    assert len(server.asked) == 3


HALF = {
    "failed": gemini_server.wrong_key(),
    "cut": Script(cut_after=1),
    "too long": Script(finish="MAX_TOKENS"),
    "declined": Script(finish="SAFETY"),
}


@pytest.mark.parametrize("script", HALF.values(), ids=HALF)
def test_only_whole_answers_are_kept(lab: Lab, server: GeminiServer, script: Script) -> None:
    server.queue(script)
    lab.ask(use_cache=True)
    assert kept(lab.unit) == 0
    assert lab.ask(use_cache=True).text == "Hello, world!"


def test_an_answer_of_another_model_is_kept_as_that_models(lab: Lab, server: GeminiServer) -> None:
    server.queue(gemini_server.no_balance())
    lab.ask(use_cache=True, fallbacks=(ModelRef("gemini", OTHER),))
    assert lab.ask(use_cache=True, model=OTHER).from_cache
    assert not lab.ask(use_cache=True).from_cache


def test_answers_expire_and_are_purged(database_url: str, tmp_path: Path, server: GeminiServer) -> None:
    now = [datetime(2026, 11, 20, tzinfo=UTC)]
    unit = migrated(database_url)
    cache = ResponseCache(unit, now=lambda: now[0])
    with open_lab(database_url, tmp_path, server.url, cache=cache) as lab:
        lab.ask("first", use_cache=True)
        now[0] += timedelta(days=6, hours=23)
        assert lab.ask("first", use_cache=True).from_cache
        now[0] += timedelta(hours=1)
        assert not lab.ask("first", use_cache=True).from_cache
        assert kept(unit) == 1
        now[0] += timedelta(days=8)
        lab.ask("second", use_cache=True)
        assert kept(unit) == 1
    unit.close()


def test_another_server_under_the_same_name_answers_anew(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    unit, address = migrated(database_url), ["http://one.example"]
    cache = ResponseCache(unit, address=lambda _provider: address[0])
    with open_lab(database_url, tmp_path, server.url, cache=cache) as lab:
        lab.ask(use_cache=True)
        assert lab.ask(use_cache=True).from_cache
        address[0] = "http://two.example"
        assert not lab.ask(use_cache=True).from_cache
    unit.close()


def test_an_answer_of_a_provider_that_is_gone_is_recorded_all_the_same(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    def gone(_provider: str) -> str:
        raise AppError(ErrorKind.NOT_FOUND, "gone")

    unit = migrated(database_url)
    cache = ResponseCache(unit, address=gone)
    with open_lab(database_url, tmp_path, server.url, cache=cache) as lab:
        assert lab.ask(use_cache=True).status is CallStatus.COMPLETED
        assert len(lab.events()) == 1
    assert kept(unit) == 0
    unit.close()


PICTURE = Attachment("image/png", b"one")
BASE = CompletionRequest("m", (ChatMessage(Role.USER, "Hi", (PICTURE,)),))
CHANGES: dict[str, Any] = {
    "model": "n",
    "messages": (ChatMessage(Role.USER, "Hi", (Attachment("image/png", b"two"),)),),
    "system_prompt": "",
    "temperature": 0.0,
    "max_output_tokens": 1,
    "top_p": 1.0,
    "top_k": 1,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "stop_sequences": ("x",),
    "seed": 0,
    "reasoning_effort": ReasoningEffort.LOW,
    "tools": (FunctionDeclaration("f", parameters={"type": "object"}),),
    "gemini": GeminiOptions(labels={"a": "b"}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_field_of_a_request_is_part_of_its_name(name: str) -> None:
    assert cache_key(1, "p", replace(BASE, **{name: CHANGES[name]})) != cache_key(1, "p", BASE)


def test_the_order_of_an_object_is_not_part_of_the_name() -> None:
    def with_labels(labels: dict[str, str]) -> CompletionRequest:
        return replace(BASE, gemini=GeminiOptions(labels=labels))

    one, other = with_labels({"a": "1", "b": "2"}), with_labels({"b": "2", "a": "1"})
    assert cache_key(1, "p", one) == cache_key(1, "p", other)


@pytest.mark.parametrize("signature", [None, b"\x00\xff"])
def test_a_function_call_survives_being_stored(signature: bytes | None) -> None:
    call = ToolCall("1", "weather", {"city": "Пермь"}, signature)
    assert tool_call_of(tool_call_values(call)) == call
