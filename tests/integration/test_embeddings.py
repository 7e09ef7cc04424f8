"""Embeddings through the engine: checked, held back, tried again and counted as every other call."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.generation.generation import Generation
from core.generation.limiter import RateLimiter
from core.generation.limits import Limits
from core.generation.types import GenerationRequest
from core.models.embeddings import MOST_CHARACTERS, MOST_INPUTS
from core.pricing.types import Money
from core.providers.embedding import EmbeddingRequest
from core.services import Services
from core.usage.budgets import BudgetScope
from core.usage.explore.types import Dimension, Selection
from core.usage.types import CallStatus, Source
from tests.fakes import gemini_server
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.script import Script, vector_of
from tests.support.databases import sqlite_unless_both
from tests.support.hub import me, opened_with_gemini
from tests.support.lab import Lab, Notes, ended, open_lab
from tests.support.people import ADMIN, admin

MODEL = "gemini-embedding-001"
NANO_PER_TOKEN = 150  # $0.15 a million tokens
TEXTS = ("one two three", "four five")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLite, but for tests that name both: what providers do is no database's to decide."""
    yield from sqlite_unless_both(request, tmp_path)


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer() as server:
        yield server


@pytest.fixture
def lab(database_url: str, tmp_path: Path, server: GeminiServer) -> Iterator[Lab]:
    with open_lab(database_url, tmp_path, server.url, limiter=RateLimiter) as lab:
        yield lab


Hub = tuple[Services, GeminiServer]


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    with opened_with_gemini(database_url, tmp_path) as both:
        yield both


def start(lab: Lab, *texts: str, model: str = MODEL, **changes: Any) -> Generation:
    values: dict[str, Any] = {
        "request_id": str(uuid.uuid4()),
        "user_id": 1,
        "source": Source.API,
        "provider": "gemini",
        "completion": EmbeddingRequest(model, texts or TEXTS),
    }
    return lab.engine.start(GenerationRequest(**(values | changes)), Notes())


def test_a_call_is_one_entry_priced_by_its_input(lab: Lab) -> None:
    outcome = ended(start(lab))
    assert [list(vector) for vector in outcome.vectors] == [vector_of(text) for text in TEXTS]
    (event,) = lab.events()
    assert (event["provider"], event["model"], event["source"]) == ("gemini", MODEL, "api")
    assert (event["status"], event["attempts"], event["from_cache"]) == ("completed", 1, False)
    assert (event["input_tokens"], event["output_tokens"], event["tokens_estimated"]) == (5, 0, False)
    assert (event["cost_nano"], event["currency"]) == (5 * NANO_PER_TOKEN, "USD")
    assert event["price_source"].endswith(f"google/{MODEL}")
    assert event["latency_ms"] >= 0
    assert event["first_token_ms"] is None, "it would be counted with how long answers take to begin"
    assert len(event["key_ref"]) == 16


def test_the_same_request_is_counted_once(lab: Lab) -> None:
    name = str(uuid.uuid4())
    for _ in range(2):
        ended(start(lab, request_id=name))
    assert [event["request_id"] for event in lab.events()] == [name]


def test_equal_requests_are_never_answered_from_the_cache(lab: Lab, server: GeminiServer) -> None:
    for _ in range(2):
        assert ended(start(lab, use_cache=True)).from_cache is False
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "fault",
    [gemini_server.rate_limit(), gemini_server.overloaded(), Script(cut_after=0)],
    ids=["rate limit", "overloaded", "cut"],
)
def test_a_failure_that_passes_is_asked_again_and_counted_once(
    lab: Lab, server: GeminiServer, fault: Script
) -> None:
    server.queue(fault, fault)
    outcome = ended(start(lab))
    assert (outcome.status, outcome.attempts, len(outcome.vectors)) == (CallStatus.COMPLETED, 3, 2)
    (event,) = lab.events()
    assert (event["attempts"], event["input_tokens"], event["cost_nano"]) == (3, 5, 5 * NANO_PER_TOKEN)
    assert ("may be charged" in event["price_source"]) == (fault.cut_after == 0)


def test_a_failure_that_lasts_costs_nothing(lab: Lab, server: GeminiServer) -> None:
    server.queue(gemini_server.wrong_key())
    outcome = ended(start(lab))
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.vectors) == (ErrorKind.WRONG_KEY, ())
    (event,) = lab.events()
    assert (event["status"], event["error_kind"]) == ("failed", "wrong_key")
    assert (event["input_tokens"], event["cost_nano"]) == (0, 0)


def test_what_came_before_a_failure_is_charged_and_not_asked_again(lab: Lab, server: GeminiServer) -> None:
    server.queue(Script(), gemini_server.rate_limit())
    outcome = ended(start(lab, *["two words"] * 150))
    assert outcome.error is not None
    assert (outcome.error.kind, len(outcome.vectors), len(server.asked)) == (ErrorKind.RATE_LIMIT, 100, 2)
    (event,) = lab.events()
    assert (event["status"], event["attempts"]) == ("failed", 1)
    assert (event["input_tokens"], event["cost_nano"]) == (200, 200 * NANO_PER_TOKEN)
    assert event["tokens_estimated"] is True, "nobody said that it was all"


def test_tokens_that_nobody_told_are_estimated_and_said_so(lab: Lab, server: GeminiServer) -> None:
    server.queue(Script(usage=None))
    ended(start(lab))
    (event,) = lab.events()
    assert event["tokens_estimated"] is True
    assert event["input_tokens"] == 7  # 4 characters a token, each text rounded up
    assert event["cost_nano"] == 7 * NANO_PER_TOKEN


def test_figures_that_make_no_sense_are_kept_apart(lab: Lab, server: GeminiServer) -> None:
    server.queue(Script(usage={"promptTokenCount": -3}))
    assert len(ended(start(lab)).vectors) == 2
    (event,) = lab.events()
    assert (event["flag"], event["cost_nano"]) == ("input_tokens is negative", None)
    assert event["reported"]["input_tokens"] == -3


def test_a_model_without_a_price_is_unpriced_and_not_free(lab: Lab) -> None:
    ended(start(lab, model="text-embedding-004"))
    (event,) = lab.events()
    assert event["cost_nano"] is None
    assert "does not know" in event["price_source"]


def test_stopping_leaves_an_entry(lab: Lab, server: GeminiServer) -> None:
    server.queue(Script(hang_after=0))
    generation = start(lab)
    server.wait_for(lambda: server.asked)
    assert lab.engine.stop(generation.request.request_id)
    assert ended(generation).status is CallStatus.STOPPED
    (event,) = lab.events()
    assert (event["status"], event["tokens_estimated"], event["input_tokens"]) == ("stopped", True, 7)
    assert event["cost_nano"] == 7 * NANO_PER_TOKEN, "the provider may have worked on it"


def test_only_the_input_is_set_aside_under_a_limit_of_tokens(lab: Lab, server: GeminiServer) -> None:
    lab.limits.set(ADMIN, "gemini", Limits(tokens_per_minute=20))
    server.queue(Script(hang_after=0), Script(hang_after=0))
    running = [start(lab), start(lab)]
    # Both are under way, so 14 tokens are reserved; an answer would reserve thousands.
    server.wait_for(lambda: len(server.asked) == 2)
    server.release()
    assert [ended(each).status for each in running] == [CallStatus.COMPLETED] * 2


def test_more_than_the_limit_of_tokens_is_refused_at_once(lab: Lab, server: GeminiServer) -> None:
    lab.limits.set(ADMIN, "gemini", Limits(tokens_per_minute=6))
    outcome = ended(start(lab))
    assert outcome.error is not None
    assert (outcome.error.kind, server.asked) == (ErrorKind.RATE_LIMIT, [])


# --- the service ---


def embed(services: Services, *inputs: Any, provider: str = "gemini", model: str = MODEL) -> Generation:
    return services.models.embed(me(services), provider, EmbeddingRequest(model, inputs or TEXTS), Source.API)


def test_a_budget_refuses_before_anything_is_sent(hub: Hub) -> None:
    services, server = hub
    worst = 7 * NANO_PER_TOKEN
    budget = services.budgets.add(
        admin(me(services)), BudgetScope.PROVIDER, Money(worst - 1, "USD"), provider="gemini"
    )
    outcome = ended(embed(services))
    assert outcome.error is not None
    assert (outcome.error.kind, server.asked) == (ErrorKind.BUDGET, [])
    services.budgets.update(ADMIN, budget.id, amount=Money(worst, "USD"))
    assert ended(embed(services)).error is None
    (after,) = services.budgets.list(None)
    assert after.spent == Money(5 * NANO_PER_TOKEN, "USD")


def test_the_usage_report_counts_it(hub: Hub) -> None:
    services, _ = hub
    ended(embed(services))
    today = services.usage.today()
    total = services.explore.explore(
        Selection(me(services), today, today, where=((Dimension.SOURCE, (Source.API.value,)),))
    ).total
    assert (total.requests, total.unpriced, total.input_tokens, total.output_tokens) == (1, 0, 5, 0)
    assert total.costs == {"USD": 5 * NANO_PER_TOKEN}


def test_a_provider_that_makes_none_names_those_that_do(hub: Hub) -> None:
    services, _ = hub
    for provider in ("demo", "anthropic"):
        with pytest.raises(AppError) as refused:
            embed(services, provider=provider)
        assert refused.value.kind is ErrorKind.VALIDATION
        assert refused.value.text().endswith(": Gemini, OpenAI, GigaChat, Local.")


def test_a_provider_without_a_key_is_said_before_anything_else(hub: Hub) -> None:
    services, _ = hub
    with pytest.raises(AppError) as refused:
        embed(services, provider="openai", model="text-embedding-3-small")
    assert refused.value.kind is ErrorKind.NO_KEY


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ((), "empty"),
        (("text", ""), "empty"),
        (("\x00",), "empty"),
        (((),), "empty"),
        (("x",) * (MOST_INPUTS + 1), "at most 2048 inputs"),
        (("x" * (MOST_CHARACTERS + 1),), "2000000 characters"),
        (((1, -1),), "token id"),
        (((2**31,),), "token id"),
        (((1, 2),), "Send the input as text"),
    ],
    ids=["none", "empty", "NUL", "no ids", "too many", "too long", "negative", "huge", "ids"],
)
def test_what_cannot_be_embedded_is_refused_before_anything_is_sent(
    hub: Hub, inputs: tuple[Any, ...], words: str
) -> None:
    services, server = hub
    with pytest.raises(AppError) as refused:
        services.models.embed(me(services), "gemini", EmbeddingRequest(MODEL, inputs), Source.API)
    assert refused.value.kind is ErrorKind.VALIDATION
    assert words in refused.value.text()
    assert server.asked == []


@pytest.mark.parametrize("dimensions", [0, -1, 16_385, 2**63])
def test_dimensions_that_no_vector_has(hub: Hub, dimensions: int) -> None:
    services, server = hub
    with pytest.raises(AppError, match="from 1 to 16384") as refused:
        services.models.embed(me(services), "gemini", EmbeddingRequest(MODEL, TEXTS, dimensions), Source.API)
    assert refused.value.kind is ErrorKind.VALIDATION
    assert server.asked == []


def test_what_no_wire_takes_is_left_out_of_a_text(hub: Hub) -> None:
    services, server = hub
    ended(embed(services, "a\x00b \ud800"))
    assert gemini_server.inputs_of(server.asked[0].body) == ["ab ?"]
