"""Failures that pass, providers that stay down, and models that stand in for each other."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from core.chat.types import MessageStatus
from core.errors import AppError, ErrorKind
from core.generation.breaker import BreakerPolicy, Breakers
from core.generation.retry import RetryPolicy
from core.generation.types import ModelRef, WaitReason
from core.pricing.types import CallCost, Money
from core.providers.content import Attachment, ToolCall
from core.providers.demo import DemoProvider
from core.providers.openai_compatible import OpenAICompatibleProvider
from core.providers.types import (
    ChatMessage,
    CompletionRequest,
    FinishReason,
    ModelInfo,
    Role,
    StreamEnd,
    StreamEvent,
    TextDelta,
    TokenUsage,
    ToolCallRequested,
)
from core.usage.types import CallStatus
from tests.fakes import gemini_server
from tests.fakes.gemini_server import GeminiServer, usage
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.script import Script
from tests.support.databases import sqlite_unless_both
from tests.support.hub import answered, ask, opened_with_gemini
from tests.support.lab import MODEL, OTHER, QUICK, Lab, ended, open_lab

HOUR_LONG = RetryPolicy(base_seconds=3_600, cap_seconds=3_600, random=lambda: 1.0)


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
    with open_lab(database_url, tmp_path, server.url) as lab:
        yield lab


PASSING = {
    "rate limit": gemini_server.rate_limit(),
    "broken": gemini_server.broken(),
    "overloaded": gemini_server.overloaded(),
    "cut before the first token": Script(cut_after=0),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_failure_that_passes_is_asked_again(lab: Lab, server: GeminiServer, fault: Script) -> None:
    server.queue(fault, fault)
    outcome = lab.ask()
    assert (outcome.status, outcome.text, outcome.attempts) == (CallStatus.COMPLETED, "Hello, world!", 3)
    (event,) = lab.events()
    assert (event["attempts"], event["status"], event["error_kind"]) == (3, "completed", None)
    assert len(server.asked) == 3


LASTING = {
    "wrong key": (gemini_server.wrong_key(), ErrorKind.WRONG_KEY),
    "empty balance": (gemini_server.no_balance(), ErrorKind.BILLING),
    "too long": (gemini_server.too_long(), ErrorKind.INVALID_CONTEXT),
    "unknown model": (gemini_server.unknown_model(), ErrorKind.UNKNOWN_MODEL),
    "blocked": (Script(blocked="SAFETY"), ErrorKind.SAFETY),
    "garbage": (Script(garbage_after=0), ErrorKind.BAD_ANSWER),
}


@pytest.mark.parametrize(("fault", "kind"), LASTING.values(), ids=LASTING)
def test_a_failure_that_lasts_is_said_at_once(
    lab: Lab, server: GeminiServer, fault: Script, kind: ErrorKind
) -> None:
    server.queue(fault)
    outcome = lab.ask()
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.attempts, len(server.asked)) == (kind, 1, 1)


def test_nothing_is_asked_again_once_there_is_text(lab: Lab, server: GeminiServer) -> None:
    server.queue(Script(chunks=["half ", "whole"], cut_after=1))
    outcome = lab.ask(fallbacks=(ModelRef("demo", "demo"),))
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.text, outcome.attempts) == (ErrorKind.CUT_STREAM, "half ", 1)
    assert outcome.fallback_from is None


def test_six_times_and_no_more(lab: Lab, server: GeminiServer) -> None:
    server.default = gemini_server.rate_limit()
    outcome = lab.ask()
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.attempts, len(server.asked)) == (ErrorKind.RATE_LIMIT, 6, 6)
    assert outcome.cost.amount == Money(0, "USD")


def test_an_earlier_attempt_that_broke_off_may_be_charged(lab: Lab, server: GeminiServer) -> None:
    server.queue(Script(cut_after=0))
    outcome = lab.ask(model=OTHER)
    assert outcome.cost.source.endswith("1 earlier attempt may be charged too")
    server.queue(gemini_server.overloaded())
    assert "may be charged" not in lab.ask(model=OTHER).cost.source


def test_an_attempt_that_nothing_followed_is_no_earlier_one(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    breakers = Breakers(BreakerPolicy(failures=2, span_seconds=0))
    patient = RetryPolicy(base_seconds=1, random=lambda: 1.0)
    with open_lab(database_url, tmp_path, server.url, breakers=breakers, retry=patient) as lab:
        server.queue(Script(cut_after=0))
        generation = lab.start(model=OTHER)
        for _ in generation.follow():
            if generation.waiting is not None:
                break
        # Another call fails meanwhile, and the provider is left alone.
        breakers.enter("gemini", lab.registry.route("gemini").key_ref, "Gemini").failed()
        outcome = ended(generation)
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.attempts) == (ErrorKind.CUT_STREAM, 1)
    assert outcome.usage.estimated
    assert "may be charged" not in outcome.cost.source


def test_silence_before_the_first_token_is_asked_again(database_url: str, tmp_path: Path) -> None:
    with OpenAIServer(models=("m",)) as server:
        adapter = OpenAICompatibleProvider(
            "demo", "Slow", None, server.url, timeout_seconds=0.3, suggested_models=(ModelInfo("m"),)
        )
        with open_lab(database_url, tmp_path, server.url, adapter) as lab:
            assert lab.ask(provider="demo", model="m").attempts == 1  # loads the SDK
            server.queue(Script(hang_after=0))
            outcome = lab.ask(provider="demo", model="m")
    assert (outcome.text, outcome.attempts) == ("Hello, world!", 2)
    assert outcome.cost.source.endswith("1 earlier attempt may be charged too")


def test_a_server_that_nobody_started_is_asked_a_few_times(database_url: str, tmp_path: Path) -> None:
    with open_lab(database_url, tmp_path, "http://127.0.0.1:1") as lab:
        outcome = lab.ask()
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.attempts) == (ErrorKind.UNREACHABLE, 3)


def test_a_wait_that_the_provider_asks_for_beyond_the_deadline_is_not_begun(
    lab: Lab, server: GeminiServer
) -> None:
    server.queue(gemini_server.rate_limit(seconds=61))
    outcome = lab.ask()
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.attempts) == (ErrorKind.RATE_LIMIT, 1)
    assert "61 s" in str(outcome.error)


def test_the_wait_is_shown_and_a_stop_ends_it_at_once(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    with open_lab(database_url, tmp_path, server.url, retry=HOUR_LONG) as lab:
        server.queue(gemini_server.overloaded())
        generation = lab.start(deadline_seconds=10_000)
        for _ in generation.follow():
            if generation.waiting is not None:
                break
        waiting = generation.waiting
        assert waiting is not None
        assert (waiting.reason, waiting.attempt) == (WaitReason.RETRY, 2)
        assert waiting.until is not None
        assert lab.engine.stop(generation.request.request_id)
        outcome = ended(generation)
    assert (outcome.status, outcome.text, outcome.attempts) == (CallStatus.STOPPED, "", 1)
    # The one attempt was refused, so there is nothing to pay.
    assert (outcome.usage, outcome.cost.amount) == (TokenUsage(), Money(0, "USD"))
    assert generation.waiting is None


def test_the_time_the_provider_names_is_kept(database_url: str, tmp_path: Path, server: GeminiServer) -> None:
    with open_lab(database_url, tmp_path, server.url) as lab:
        server.queue(gemini_server.rate_limit(seconds=1))
        outcome = lab.ask()
    assert outcome.text == "Hello, world!"
    assert outcome.latency_ms >= 1_000


class Time:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_provider_that_is_down_is_left_alone_and_then_probed(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    time = Time()
    breakers = Breakers(BreakerPolicy(span_seconds=0), time)
    with open_lab(database_url, tmp_path, server.url, breakers=breakers) as lab:
        server.default = gemini_server.overloaded()
        first = lab.ask()
        assert first.error is not None
        # The provider's own words, and not ours about it, tell the one who met the trouble.
        assert (first.error.kind, first.attempts) == (ErrorKind.PROVIDER, 5)
        refused = lab.ask()
        assert refused.error is not None
        assert refused.error.kind is ErrorKind.CIRCUIT_OPEN
        assert str(refused.error).startswith("Gemini failed 5 times in a row; AIHub asks it again in 15 s.")
        assert (refused.attempts, len(server.asked), refused.cost.amount) == (0, 5, Money(0, "USD"))
        (key_ref,) = {event["key_ref"] for event in lab.events()}
        assert breakers.state("gemini", key_ref).open
        time.now += 15
        assert lab.ask().attempts == 1  # a probe, which fails: open again
        assert lab.ask().attempts == 0
        time.now += 15
        server.default = Script()
        assert lab.ask().text == "Hello, world!"
        assert not breakers.state("gemini", key_ref).open
        assert lab.ask().attempts == 1


def test_a_rate_limit_opens_no_circuit(lab: Lab, server: GeminiServer) -> None:
    server.default = gemini_server.rate_limit()
    assert [lab.ask().attempts, lab.ask().attempts] == [6, 6]


HANDED_ON = {
    "down": (gemini_server.overloaded(), 6),
    "rate limit": (gemini_server.rate_limit(), 6),
    "empty balance": (gemini_server.no_balance(), 1),
    "wrong key": (gemini_server.wrong_key(), 1),
    "unknown model": (gemini_server.unknown_model(), 1),
}


@pytest.mark.parametrize(("fault", "tries"), HANDED_ON.values(), ids=HANDED_ON)
def test_the_next_model_answers_when_the_first_does_not(
    lab: Lab, server: GeminiServer, fault: Script, tries: int
) -> None:
    server.for_model(MODEL, fault)
    generation = lab.start(model=MODEL, fallbacks=(ModelRef("gemini", OTHER), ModelRef("demo", "demo")))
    outcome = ended(generation)
    assert (outcome.text, outcome.attempts) == ("Hello, world!", tries + 1)
    assert outcome.answered_by == generation.answered_by == ModelRef("gemini", OTHER)
    assert outcome.fallback_from == ModelRef("gemini", MODEL)
    (event,) = lab.events()
    assert (event["model"], event["fallback_from"]) == (OTHER, f"gemini/{MODEL}")
    assert OTHER in event["price_source"]


def test_a_request_that_cannot_be_answered_is_not_handed_on(lab: Lab, server: GeminiServer) -> None:
    server.queue(gemini_server.too_long())
    outcome = lab.ask(fallbacks=(ModelRef("demo", "demo"),))
    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.INVALID_CONTEXT
    assert outcome.answered_by == ModelRef("gemini", MODEL)


def test_a_stand_in_that_cannot_take_the_request_is_passed_over(lab: Lab, server: GeminiServer) -> None:
    picture = ChatMessage(Role.USER, "What is it?", (Attachment("image/png", b"not a picture"),))
    server.for_model(MODEL, gemini_server.no_balance())
    demo, other = ModelRef("demo", "demo"), ModelRef("gemini", OTHER)
    outcome = lab.ask(messages=(picture,), fallbacks=(demo, other))
    assert (outcome.status, outcome.answered_by) == (CallStatus.COMPLETED, other)
    failed = lab.ask(messages=(picture,), fallbacks=(demo,))
    assert failed.error is not None
    assert (failed.error.kind, failed.answered_by) == (ErrorKind.BILLING, ModelRef("gemini", MODEL))


def test_an_open_circuit_goes_straight_to_the_next_model(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    with open_lab(
        database_url, tmp_path, server.url, breakers=Breakers(BreakerPolicy(span_seconds=0))
    ) as lab:
        server.default = gemini_server.overloaded()
        lab.ask()
        outcome = lab.ask(fallbacks=(ModelRef("demo", "demo"),))
    assert (outcome.status, outcome.attempts) == (CallStatus.COMPLETED, 1)
    assert outcome.answered_by == ModelRef("demo", "demo")
    assert len(server.asked) == 5


def test_a_chain_that_ends_without_an_answer_says_what_the_last_one_said(
    lab: Lab, server: GeminiServer
) -> None:
    server.for_model(MODEL, gemini_server.no_balance())
    server.for_model(OTHER, gemini_server.wrong_key())
    outcome = lab.ask(fallbacks=(ModelRef("gemini", OTHER),))
    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.WRONG_KEY
    assert outcome.fallback_from == ModelRef("gemini", MODEL)


def test_the_message_shows_who_answered(database_url: str, tmp_path: Path) -> None:
    with opened_with_gemini(database_url, tmp_path, QUICK) as (services, server):
        server.queue(gemini_server.overloaded())
        message = answered(services, ask(services))
    assert (message.model, message.attempts, message.fallback_from) == (MODEL, 2, None)
    assert (message.from_cache, message.flag, message.tool_calls) == (False, None, ())


def test_an_answer_that_is_a_function_call_is_whole(database_url: str, tmp_path: Path) -> None:
    with opened_with_gemini(database_url, tmp_path, QUICK) as (services, server):
        script = Script(chunks=(), tool_calls=[("weather", {"city": "Perm"})], usage=None)
        server.queue(gemini_server.overloaded(), script)
        message = answered(services, ask(services))
    assert (message.status, message.content, message.attempts) == (MessageStatus.COMPLETE, "", 2)
    assert [(call.name, call.arguments) for call in message.tool_calls] == [("weather", {"city": "Perm"})]
    assert message.error is None
    assert message.usage is not None
    assert message.usage.output_tokens > 0


def test_nothing_is_asked_again_after_a_function_call(lab: Lab, server: GeminiServer) -> None:
    server.queue(Script(chunks=(), tool_calls=[("weather", {})], finish=None))
    outcome = lab.ask(fallbacks=(ModelRef("demo", "demo"),))
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.attempts) == (ErrorKind.CUT_STREAM, 1)
    assert [call.name for call in outcome.tool_calls] == ["weather"]


def test_a_message_says_what_was_wrong_with_its_figures(database_url: str, tmp_path: Path) -> None:
    with opened_with_gemini(database_url, tmp_path) as (services, server):
        server.queue(Script(usage=usage(prompt=5, output=10**15)))
        message = answered(services, ask(services))
    assert message.flag == "output_tokens is absurdly large"
    assert message.cost is not None
    assert message.cost.amount is None


ABSURD = {
    "too many": (usage(prompt=5, output=10**15), "output_tokens is absurdly large"),
    "more cached than sent": (usage(prompt=5, output=1, cached=9), "cached and cache-write tokens exceed"),
}


@pytest.mark.parametrize(("counts", "reason"), ABSURD.values(), ids=ABSURD)
def test_absurd_figures_are_kept_apart(
    lab: Lab, server: GeminiServer, counts: dict[str, int], reason: str
) -> None:
    server.queue(Script(usage=counts))
    outcome = lab.ask(model=OTHER)
    assert outcome.flag is not None
    assert outcome.flag.startswith(reason)
    assert outcome.reported is not None
    assert outcome.reported["input_tokens"] == 5
    assert outcome.usage.estimated
    assert 0 < outcome.usage.output_tokens < 100
    assert outcome.cost.amount is None
    (event,) = lab.events()
    assert (event["flag"], event["reported"]) == (outcome.flag, outcome.reported)


class Gate:
    """A budget of one call: the next one is too much until it is released."""

    def __init__(self) -> None:
        self.active = self.may_be_active = True
        self.held: dict[str, tuple[str, CallCost]] = {}
        self.seen: list[tuple[str, CallCost]] = []

    def check(self, user_id: int, provider: str, worst_case: CallCost) -> None:
        self.seen.append((provider, worst_case))
        if self.held:
            raise AppError(ErrorKind.BUDGET, "The budget is used up.")

    def hold(self, request_id: str, user_id: int, provider: str, worst_case: CallCost) -> None:
        self.held[request_id] = (provider, worst_case)

    def release(self, request_id: str) -> None:
        self.held.pop(request_id)


def test_a_call_on_its_way_counts_against_the_budget_with_its_worst_case(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    gate = Gate()
    with open_lab(database_url, tmp_path, server.url, budgets=gate) as lab:
        server.queue(Script(hang_after=0))
        running = lab.start(model=OTHER, max_output_tokens=1_000)
        server.wait_for(lambda: server.asked)
        ((provider, worst),) = gate.held.values()
        refused = lab.ask(model=OTHER)
        assert refused.error is not None
        assert (refused.error.kind, refused.attempts, len(server.asked)) == (ErrorKind.BUDGET, 0, 1)
        server.release()
        cost = ended(running).cost
        assert gate.held == {}, "whoever sees the end asks for the next one, which is not to meet both"
    assert provider == "gemini"
    assert worst.amount is not None
    assert cost.amount is not None
    assert worst.amount.nano > cost.amount.nano


def test_a_fallback_is_held_with_its_own_price(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    gate = Gate()
    with open_lab(database_url, tmp_path, server.url, budgets=gate) as lab:
        server.queue(gemini_server.no_balance())
        outcome = lab.ask(model=OTHER, fallbacks=(ModelRef("demo", "demo"),))
    assert outcome.status is CallStatus.COMPLETED
    assert [provider for provider, _ in gate.seen] == ["gemini", "demo"]
    assert gate.held == {}


def test_without_a_budget_the_gate_is_not_asked(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    gate = Gate()
    gate.active = gate.may_be_active = False
    with open_lab(database_url, tmp_path, server.url, budgets=gate) as lab:
        assert lab.ask().status is CallStatus.COMPLETED
    assert gate.seen == []


class Odd(DemoProvider):
    """Asks for a function with an argument that is no JSON, which no adapter may do."""

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta("Hello")
        yield ToolCallRequested(ToolCall("1", "look", {"at": object()}))
        yield StreamEnd(FinishReason.TOOL_CALLS)


def test_an_answer_ends_even_when_nobody_can_tell_what_it_came_to(
    database_url: str, tmp_path: Path, server: GeminiServer
) -> None:
    gate = Gate()
    with open_lab(database_url, tmp_path, server.url, Odd(), budgets=gate) as lab:
        outcome = lab.ask(provider="demo", model="demo")
        assert (outcome.status, outcome.text, outcome.cost.amount) == (CallStatus.FAILED, "Hello", None)
        assert outcome.error is not None
        assert outcome.error.kind is ErrorKind.INTERNAL
        assert gate.held == {}
        assert [(event["status"], event["cost_nano"]) for event in lab.events()] == [("failed", None)]
