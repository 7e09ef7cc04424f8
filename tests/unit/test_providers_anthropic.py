"""What goes to Anthropic, model by model. The rest is in tests/contract."""

import asyncio
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.providers.anthropic import AnthropicProvider
from core.providers.content import (
    ANY_OBJECT,
    Attachment,
    FunctionDeclaration,
    ResponseSchema,
    ToolCall,
    ToolResult,
)
from core.providers.types import (
    ChatMessage,
    CompletionRequest,
    ModelInfo,
    ReasoningEffort,
    Role,
)
from tests.contract.adapter import KEY, ask
from tests.fakes.anthropic_server import AnthropicServer
from tests.support.anthropic import BY_BUDGET, NEWEST, WITH_TEMPERATURE, answer_from


def body_of(request: CompletionRequest) -> dict[str, Any]:
    """What would be sent."""

    async def prepare() -> Any:
        return (await AnthropicProvider(KEY).prepare(request)).body

    return dict(asyncio.run(prepare()))


def user(text: str, *attachments: Attachment) -> ChatMessage:
    return ChatMessage(Role.USER, text, attachments=attachments)


# --- the request ---


def test_the_request() -> None:
    turns = (user("one"), ChatMessage(Role.ASSISTANT, "two"), user("three"))
    request = CompletionRequest(
        WITH_TEMPERATURE,
        turns,
        "be brief",
        temperature=0.0,
        max_output_tokens=99,
        top_k=7,
        stop_sequences=("END", "\n"),
        seed=4,
        presence_penalty=0.5,
        frequency_penalty=0.5,
    )
    with AnthropicServer() as server:
        asyncio.run(answer_from(server.url, request))
    assert server.asked[0].body == {
        "model": WITH_TEMPERATURE,
        "max_tokens": 99,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "one"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "two"}]},
            {"role": "user", "content": [{"type": "text", "text": "three"}]},
        ],
        "system": "be brief",
        "temperature": 0.0,
        "top_k": 7,
        "stop_sequences": ["END"],
        "stream": True,
    }
    assert server.asked[0].headers["anthropic-version"] == "2023-06-01"


def test_roles_alternate_and_blank_turns_are_left_out() -> None:
    turns = (user("one"), ChatMessage(Role.ASSISTANT, ""), user("two"), user(" \n"))
    assert body_of(CompletionRequest(NEWEST, turns))["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}
    ]


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        (NEWEST, 128_000),
        ("claude-opus-9", 128_000),
        ("claude-mythos-preview", 128_000),
        ("claude-opus-4-6", 128_000),
        ("claude-sonnet-4-5-20250929", 64_000),
        ("claude-opus-4-20250514", 32_000),
        ("claude-opus-4-1", 32_000),
        (BY_BUDGET, 64_000),
        ("claude-3-5-haiku-latest", 8_192),
        ("claude-3-opus-20240229", 4_096),
        ("someone-elses-model", 8_192),
    ],
)
def test_max_tokens_is_always_sent(model: str, limit: int) -> None:
    assert body_of(ask(model))["max_tokens"] == limit


def test_the_limit_that_the_list_of_models_tells_wins() -> None:
    async def run(url: str) -> Any:
        provider = AnthropicProvider(KEY, url)
        try:
            models = await provider.models()
            return models, (await provider.prepare(ask("someone-elses-model"))).body
        finally:
            await provider.aclose()

    with AnthropicServer(models=("someone-elses-model",)) as server:
        models, body = asyncio.run(run(server.url))
    assert models == (ModelInfo("someone-elses-model", "Someone Elses Model", 1_000_000, 128_000),)
    assert body["max_tokens"] == 128_000


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"temperature": 1.7}, {"temperature": 1.0}),
        ({"temperature": 0.3, "top_p": 0.9}, {"temperature": 0.3}),
        ({"top_p": 0.9, "top_k": 5}, {"top_p": 0.9, "top_k": 5}),
    ],
)
def test_sampling_goes_to_the_models_that_know_it(options: dict[str, Any], sent: dict[str, Any]) -> None:
    names = ("temperature", "top_p", "top_k")
    body = body_of(ask(WITH_TEMPERATURE, **options))
    assert {name: body[name] for name in names if name in body} == sent
    for model in (NEWEST, "claude-opus-4-7", "claude-haiku-5-5", "claude-fable-5-2", "claude-opus-5"):
        assert not set(names) & set(body_of(ask(model, **options)))


def test_no_temperature_while_a_model_thinks() -> None:
    request = ask(WITH_TEMPERATURE, temperature=0.3, reasoning_effort=ReasoningEffort.HIGH)
    assert "temperature" not in body_of(request)
    request = ask(WITH_TEMPERATURE, temperature=0.3, reasoning_effort=ReasoningEffort.NONE)
    assert body_of(request)["temperature"] == 0.3


@pytest.mark.parametrize(
    ("model", "none", "low"),
    [
        ("claude-haiku-5-5", ("disabled", None), ("adaptive", "low")),
        (WITH_TEMPERATURE, ("disabled", None), ("adaptive", "low")),
        (NEWEST, ("between_tools", None), ("adaptive", "low")),
        ("claude-opus-5-5", (None, "low"), ("adaptive", "low")),
        ("claude-fable-5-2", (None, "low"), ("adaptive", "low")),
        ("claude-haiku-4-5", ("disabled", None), ("enabled", None)),
        ("claude-3-5-haiku-latest", (None, None), (None, None)),
    ],
)
def test_how_long_a_model_is_to_think(model: str, none: Any, low: Any) -> None:
    for effort, expected in ((ReasoningEffort.NONE, none), (ReasoningEffort.LOW, low)):
        body = body_of(ask(model, reasoning_effort=effort))
        found = body.get("thinking", {}).get("type"), body.get("output_config", {}).get("effort")
        assert found == expected
    silent = body_of(ask(model))
    assert not {"thinking", "output_config"} & set(silent)


@pytest.mark.parametrize(("most", "budget"), [(None, 24_576), (10_000, 5_000), (2_000, None)])
def test_a_budget_leaves_room_for_the_answer(most: int | None, budget: int | None) -> None:
    body = body_of(ask(BY_BUDGET, max_output_tokens=most, reasoning_effort=ReasoningEffort.HIGH))
    assert body.get("thinking", {}).get("budget_tokens") == budget


# --- files ---


def test_files_come_before_the_text() -> None:
    turn = user(
        "Compare.",
        Attachment("image/png", b"png"),
        Attachment("image/jpeg", uri="https://example.test/a.jpg"),
        Attachment("application/pdf", b"pdf"),
        Attachment("application/pdf", uri="https://example.test/a.pdf"),
        Attachment("text/plain", b"note", name="note.txt"),
    )
    png = {"type": "base64", "media_type": "image/png", "data": "cG5n"}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "cGRm"}
    assert body_of(CompletionRequest(NEWEST, (turn,)))["messages"][0]["content"] == [
        {"type": "image", "source": png},
        {"type": "image", "source": {"type": "url", "url": "https://example.test/a.jpg"}},
        {"type": "document", "source": pdf},
        {"type": "document", "source": {"type": "url", "url": "https://example.test/a.pdf"}},
        {"type": "text", "text": "note.txt:\nnote"},
        {"type": "text", "text": "Compare."},
    ]


@pytest.mark.parametrize(
    ("attachment", "named"),
    [
        (Attachment("image/tiff", b"II*"), "image/tiff"),
        (Attachment("image/png", uri="gs://bucket/a.png"), "by their address"),
        (Attachment("text/plain", uri="https://example.test/a.txt"), "by their address"),
    ],
)
def test_a_file_it_cannot_take_is_refused_before_sending(attachment: Attachment, named: str) -> None:
    with AnthropicServer() as server:
        with pytest.raises(AppError) as caught:
            asyncio.run(answer_from(server.url, CompletionRequest(NEWEST, (user("?", attachment),))))
        assert not server.asked
    assert caught.value.kind is ErrorKind.VALIDATION
    assert named in caught.value.text()


# --- functions and schemas ---


def test_functions_and_their_results() -> None:
    turns = (
        user("Weather?"),
        ChatMessage(
            Role.ASSISTANT,
            "Let me look.",
            tool_calls=(ToolCall("call:1", "weather", {"city": "Oslo"}), ToolCall("lost", "weather", {})),
        ),
        ChatMessage(Role.TOOL, "", tool_results=(ToolResult("call:1", "weather", "-3"),)),
        user("And tomorrow?"),
    )
    tools = (FunctionDeclaration("weather", "Of a city"), FunctionDeclaration("now"))
    body = body_of(CompletionRequest(NEWEST, turns, tools=tools))
    nothing = {"type": "object", "properties": {}}
    assert body["tools"] == [
        {"name": "weather", "description": "Of a city", "input_schema": nothing},
        {"name": "now", "input_schema": nothing},
    ]
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Oslo"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "-3"},
                {"type": "text", "text": "And tomorrow?"},
            ],
        },
    ]


def test_no_budget_for_thoughts_that_would_have_to_come_back() -> None:
    turns = (
        user("Weather?"),
        ChatMessage(Role.ASSISTANT, "", tool_calls=(ToolCall("1", "weather", {}),)),
        ChatMessage(Role.TOOL, "", tool_results=(ToolResult("1", "weather", "-3"),)),
    )
    request = CompletionRequest(BY_BUDGET, turns, reasoning_effort=ReasoningEffort.HIGH)
    assert "thinking" not in body_of(request)


def test_a_schema_says_only_what_anthropic_enforces() -> None:
    wanted = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["age"]}
    request = ask(NEWEST, response_schema=ResponseSchema(wanted), reasoning_effort=ReasoningEffort.HIGH)
    config = body_of(request)["output_config"]
    assert config["effort"] == "high"
    schema = config["format"]["schema"]
    assert schema["additionalProperties"] is False
    assert "minimum" not in schema["properties"]["age"]
    assert "minimum: 0" in schema["properties"]["age"]["description"]


def test_json_of_any_shape_is_refused_before_sending() -> None:
    with pytest.raises(AppError, match="by a schema only") as refused:
        body_of(ask(NEWEST, response_schema=ResponseSchema(ANY_OBJECT)))
    assert refused.value.kind is ErrorKind.VALIDATION


def test_a_schema_the_sdk_cannot_read_is_left_to_the_server() -> None:
    odd = {"properties": {"age": {}}}
    request = ask(NEWEST, response_schema=ResponseSchema(odd))
    assert body_of(request)["output_config"]["format"]["schema"] == odd


def test_tokens_are_counted_of_everything_that_counts() -> None:
    request = ask(
        NEWEST,
        "one two three",
        system_prompt="be brief",
        max_output_tokens=5,
        tools=(FunctionDeclaration("now"),),
    )

    async def count(url: str) -> int | None:
        provider = AnthropicProvider(KEY, url)
        try:
            return await provider.count_tokens(request)
        finally:
            await provider.aclose()

    with AnthropicServer() as server:
        assert asyncio.run(count(server.url)) == 5
        assert set(server.asked[0].body) == {"model", "messages", "system", "tools"}
