"""How Anthropic's answers, numbers and errors are read. The rest is in tests/contract."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.pricing.service import PriceBook
from core.providers.anthropic import INFO, AnthropicProvider
from core.providers.content import ToolCall
from core.providers.failures import CallFacts, refused
from core.providers.refusals import Refusal
from core.providers.types import (
    FinishReason,
    ModelInfo,
    StreamEnd,
    TokenUsage,
    ToolCallRequested,
    UsageReport,
)
from tests.contract.adapter import KEY, ask, text_of
from tests.fakes.anthropic_server import AnthropicServer, usage
from tests.fakes.script import Script
from tests.support.anthropic import NEWEST, answer_from, events_of


def reported(events: list[Any]) -> list[TokenUsage]:
    return [event.usage for event in events if isinstance(event, UsageReport)]


def _tool_call(pieces: tuple[str, ...]) -> bytes:
    block = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
    events: list[dict[str, Any]] = [{"type": "content_block_start", "index": 5, "content_block": block}]
    for piece in pieces:
        delta = {"type": "input_json_delta", "partial_json": piece}
        events.append({"type": "content_block_delta", "index": 5, "delta": delta})
    events.append({"type": "content_block_stop", "index": 5})
    # The fake names the first of what it is told to send.
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    names = ["", *(f"event: {event['type']}\n" for event in events[1:])]
    return "".join(name + line for name, line in zip(names, lines, strict=True)).encode()


@pytest.mark.parametrize(
    ("pieces", "arguments"), [((), {}), (("",), {}), (('{"a": ', "[1,", " 2]}"), {"a": [1, 2]})]
)
def test_the_arguments_of_a_call_are_put_together(pieces: tuple[str, ...], arguments: Any) -> None:
    events = events_of(ask(NEWEST), Script(garbage_after=1, garbage=_tool_call(pieces), finish="tool_use"))
    calls = [event.call for event in events if isinstance(event, ToolCallRequested)]
    assert calls == [ToolCall("toolu_1", "weather", arguments)]


@pytest.mark.parametrize("piece", ['{"city": "Os', "[1]"])
def test_arguments_that_are_no_object(piece: str) -> None:
    script = Script(garbage_after=1, garbage=_tool_call((piece,)), finish="tool_use")
    with pytest.raises(AppError) as caught:
        events_of(ask(NEWEST), script)
    assert caught.value.kind is ErrorKind.BAD_ANSWER


def test_a_call_that_was_cut_to_length_is_not_asked_for() -> None:
    script = Script(garbage_after=1, garbage=_tool_call(('{"city": "Os',)), finish="max_tokens")
    events = events_of(ask(NEWEST), script)
    assert not [event for event in events if isinstance(event, ToolCallRequested)]
    assert events[-1] == StreamEnd(FinishReason.LENGTH, "max_tokens")


# --- the answer ---


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("tool_use", FinishReason.TOOL_CALLS),
        ("refusal", FinishReason.SAFETY),
        ("pause_turn", FinishReason.OTHER),
    ],
)
def test_stop_reasons(raw: str, reason: FinishReason) -> None:
    assert events_of(ask(NEWEST), Script(finish=raw))[-1] == StreamEnd(reason, raw)


def test_an_answer_cut_off_after_its_end_is_whole() -> None:
    last = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}
    # The fake's own line names another event; a second name replaces it.
    garbage = f"event: message_delta\ndata: {json.dumps(last)}\n\n".encode()
    script = Script(chunks=["all of it", ""], garbage_after=1, garbage=garbage, cut_after=2)
    events = events_of(ask(NEWEST), script)
    assert text_of(events) == "all of it"
    assert events[-1] == StreamEnd(FinishReason.STOP, "end_turn")


def test_usage_means_one_thing_and_the_last_report_counts() -> None:
    details = {"output_tokens_details": {"thinking_tokens": 30}}
    script = Script(usage=usage(10, 40, cache_read=200, cache_write=100, **details))
    first, last = reported(events_of(ask(NEWEST), script))
    assert (first.input_tokens, first.output_tokens) == (310, 1)
    assert last == TokenUsage(
        input_tokens=310,
        cached_input_tokens=200,
        cache_write_tokens=100,
        output_tokens=40,
        reasoning_tokens=30,
    )


def test_figures_that_the_last_report_leaves_out_stay() -> None:
    last = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}
    garbage = f"event: message_delta\ndata: {json.dumps(last)}\n\n".encode()
    script = Script(
        chunks=["text"], usage=usage(10, 1, cache_read=5), garbage_after=1, garbage=garbage, cut_after=2
    )
    with AnthropicServer(script) as server:
        events = asyncio.run(answer_from(server.url, ask(NEWEST)))
    assert TokenUsage(input_tokens=15, cached_input_tokens=5, output_tokens=4) in reported(events)


@pytest.mark.parametrize("wire", [{}, usage(0, 0), {"input_tokens": None, "output_tokens": []}])
def test_usage_that_says_nothing_is_no_report(wire: dict[str, Any]) -> None:
    events = events_of(ask(NEWEST), Script(usage=wire))
    assert not reported(events)
    assert isinstance(events[-1], StreamEnd)


@pytest.mark.parametrize(
    ("model", "wire", "expected", "nano"),
    [
        (
            "claude-3-7-sonnet-latest",
            usage(3, 550, cache_write=12_304),
            TokenUsage(input_tokens=12_307, cache_write_tokens=12_304, output_tokens=550),
            54_399_000,
        ),
        (
            "claude-3-5-haiku-latest",
            usage(4, 23, cache_read=2_455),
            TokenUsage(input_tokens=2_459, cached_input_tokens=2_455, output_tokens=23),
            291_600,
        ),
    ],
)
def test_what_a_call_with_a_cache_costs(
    model: str, wire: dict[str, Any], expected: TokenUsage, nano: int
) -> None:
    with AnthropicServer(Script(usage=wire), models=(model,)) as server:
        found = reported(asyncio.run(answer_from(server.url, ask(model))))[-1]
    assert found == expected
    cost = PriceBook().cost_at("anthropic", model, found, datetime(2025, 6, 1, tzinfo=UTC))
    assert cost.amount is not None
    assert cost.amount.nano == nano


# --- errors ---

FACTS = CallFacts("Anthropic", "claude-x", "https://host", "KEY", "URL", 5)


def wire_error(kind: str, message: str, **details: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **details}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (0, wire_error("overloaded_error", "Overloaded"), ErrorKind.PROVIDER),
        (529, wire_error("overloaded_error", "Overloaded"), ErrorKind.PROVIDER),
        (0, wire_error("api_error", "Internal server error"), ErrorKind.PROVIDER),
        (0, wire_error("rate_limit_error", "Rate limited"), ErrorKind.RATE_LIMIT),
        (0, wire_error("authentication_error", "Invalid"), ErrorKind.WRONG_KEY),
        (0, wire_error("permission_error", "No access"), ErrorKind.WRONG_KEY),
        (0, wire_error("billing_error", "Unpaid"), ErrorKind.BILLING),
        (402, wire_error("billing_error", "Unpaid"), ErrorKind.BILLING),
        (
            429,
            wire_error("rate_limit_error", "No", error_code="enforced_spend_limit_reached"),
            ErrorKind.BILLING,
        ),
        (
            400,
            wire_error("invalid_request_error", "You have reached your specified API usage limits."),
            ErrorKind.BILLING,
        ),
        (404, wire_error("not_found_error", "model: claude-x"), ErrorKind.UNKNOWN_MODEL),
        (404, wire_error("not_found_error", "Not Found"), ErrorKind.UNREACHABLE),
        (413, wire_error("request_too_large", "Too many bytes"), ErrorKind.INVALID_CONTEXT),
        (
            400,
            wire_error(
                "invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 2"
            ),
            ErrorKind.INVALID_CONTEXT,
        ),
        (
            400,
            wire_error("invalid_request_error", "Output blocked by content filtering policy"),
            ErrorKind.SAFETY,
        ),
        (400, wire_error("invalid_request_error", "max_tokens: Field required"), ErrorKind.PROVIDER),
    ],
)
def test_error_types(status: int, body: dict[str, Any], kind: ErrorKind) -> None:
    assert refused(FACTS, Refusal(status, body)).kind is kind


# --- access ---


def test_the_environment_changes_neither_key_nor_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ANTHROPIC_API_KEY": "another-key",
        "ANTHROPIC_AUTH_TOKEN": "another-token",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "ANTHROPIC_PROFILE": "someone",
        "ANTHROPIC_CUSTOM_HEADERS": "authorization: Bearer another\nX-Api-Key: another\nHost: elsewhere",
    }.items():
        monkeypatch.setenv(name, value)
    with AnthropicServer(api_key=KEY) as server:
        events = asyncio.run(answer_from(server.url, ask(NEWEST)))
        headers = server.asked[0].headers
        assert headers["host"] in server.url
    assert isinstance(events[-1], StreamEnd)
    assert headers["authorization"] == f"Bearer {KEY}"
    assert "another" not in str(headers)


def test_an_address_may_end_in_v1() -> None:
    with AnthropicServer() as server:
        assert isinstance(asyncio.run(answer_from(f"{server.url}/v1/", ask(NEWEST)))[-1], StreamEnd)
        assert server.asked[0].path == "/v1/messages"


def test_the_sentence_about_a_wrong_key_names_the_setting_it_came_from() -> None:
    with pytest.raises(AppError) as caught:
        AnthropicProvider("ключ", setting="my work key")
    assert "my work key" in caught.value.text()


def test_retired_models_are_not_offered() -> None:
    active: dict[str, Any] = {"type": "model", "id": "a", "display_name": "A", "lifecycle": "active"}
    listing = {"data": [active, {**active, "id": "b", "lifecycle": "retired"}], "has_more": False}

    async def listed(url: str) -> Any:
        provider = AnthropicProvider(KEY, url)
        try:
            return await provider.models()
        finally:
            await provider.aclose()

    with AnthropicServer() as server:
        server.listing = Script(error=listing)
        assert asyncio.run(listed(server.url)) == (ModelInfo("a", "A"),)


def test_suggested_models_are_known_to_the_sdk_and_have_prices() -> None:
    from typing import get_args

    from anthropic.types import Model
    from genai_prices.data_snapshot import get_snapshot

    known = get_args(get_args(Model)[0])
    prices = get_snapshot()
    for model in INFO.suggested_models:
        assert model.id in known
        _, priced = prices.find_provider_model(model.id, None, "anthropic", None)  # LookupError when unknown
        assert model.input_limit == priced.context_window
    assert 4 <= len(INFO.suggested_models) <= 6
