"""What a request becomes in OpenAI's chat completions. That it arrives is in tests/contract."""

from base64 import b64encode
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.providers.content import (
    ANY_OBJECT,
    Attachment,
    FunctionDeclaration,
    ResponseSchema,
    ToolCall,
    ToolResult,
)
from core.providers.openai import INFO, OpenAIProvider
from core.providers.openai_compatible import OpenAICompatibleProvider
from core.providers.openai_schema import takes_strict
from core.providers.openai_wire import body
from core.providers.types import ChatMessage, CompletionRequest, ProviderInfo, ReasoningEffort, Role

SERVER = ProviderInfo("box", "My box", frozenset())


def openai_body(*messages: ChatMessage, **options: Any) -> dict[str, Any]:
    return body(INFO, CompletionRequest("m", messages, **options), OpenAIProvider.dialect)


def server_body(*messages: ChatMessage, **options: Any) -> dict[str, Any]:
    return body(SERVER, CompletionRequest("m", messages, **options), OpenAICompatibleProvider.dialect)


def said(text: str, *attachments: Attachment) -> ChatMessage:
    return ChatMessage(Role.USER, text, attachments=attachments)


def test_every_setting_has_its_name() -> None:
    options: dict[str, Any] = {
        "temperature": 0.0,
        "max_output_tokens": 7,
        "top_p": 0.5,
        "top_k": 40,
        "presence_penalty": 0.0,
        "frequency_penalty": -1.5,
        "stop_sequences": ("END", "", "\n"),
        "seed": 0,
        "reasoning_effort": ReasoningEffort.NONE,
    }
    common = {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.0,
        "top_p": 0.5,
        "presence_penalty": 0.0,
        "frequency_penalty": -1.5,
        "stop": ["END", "\n"],
        "seed": 0,
        "reasoning_effort": "none",
    }
    assert openai_body(said("hi"), **options) == {**common, "max_completion_tokens": 7}
    assert server_body(said("hi"), **options) == {**common, "max_tokens": 7, "top_k": 40}


@pytest.mark.parametrize("make", [openai_body, server_body])
def test_what_is_not_set_is_left_to_the_server(make: Any) -> None:
    assert make(said("hi"), system_prompt=" ", stop_sequences=("",)) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
    }


def test_files_stand_before_the_text() -> None:
    found = openai_body(
        said(
            "Compare.",
            Attachment("image/png", b"png"),
            Attachment("application/pdf", b"pdf", name="a.pdf"),
            Attachment("audio/mpeg", b"mp3"),
            Attachment("audio/x-wav", b"wav"),
            Attachment("text/plain", "да".encode(), name="a.txt"),
        )
    )
    encoded = {name: b64encode(name.encode()).decode() for name in ("png", "pdf", "mp3", "wav")}
    assert found["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded['png']}"}},
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{encoded['pdf']}"},
        },
        {"type": "input_audio", "input_audio": {"data": encoded["mp3"], "format": "mp3"}},
        {"type": "input_audio", "input_audio": {"data": encoded["wav"], "format": "wav"}},
        {"type": "text", "text": "a.txt:\nда"},
        {"type": "text", "text": "Compare."},
    ]


def test_a_document_without_a_name_gets_one() -> None:
    [part] = openai_body(said("", Attachment("application/pdf", b"pdf")))["messages"][0]["content"]
    assert part["file"]["filename"] == "document.pdf"


def test_text_files_alone_stay_plain_text() -> None:
    files = Attachment("text/csv", b"1;2", name="a.csv"), Attachment("text/plain", b"3", name="b.txt")
    assert server_body(said("Add.", *files))["messages"] == [
        {"role": "user", "content": "a.csv:\n1;2\n\nb.txt:\n3\n\nAdd."}
    ]


@pytest.mark.parametrize("mime_type", ["audio/ogg", "image/svg+xml", "image/heic"])
def test_types_that_openai_does_not_take_are_named(mime_type: str) -> None:
    with pytest.raises(AppError) as caught:
        openai_body(said("?", Attachment(mime_type, b"data")))
    assert caught.value.kind is ErrorKind.VALIDATION
    assert mime_type in caught.value.text()


def test_other_servers_may_know_more_types_of_images() -> None:
    [part, _] = server_body(said("?", Attachment("image/bmp", b"BM")))["messages"][0]["content"]
    assert part["image_url"]["url"].startswith("data:image/bmp;base64,")


# --- functions ---


def test_functions_are_declared() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = FunctionDeclaration("look", "Looks", schema), FunctionDeclaration("stop")
    assert openai_body(said("hi"), tools=tools)["tools"] == [
        {"type": "function", "function": {"name": "look", "description": "Looks", "parameters": schema}},
        {
            "type": "function",
            "function": {"name": "stop", "parameters": {"type": "object", "properties": {}}},
        },
    ]


def calling(*ids: str) -> ChatMessage:
    calls = tuple(ToolCall(call_id, "look", {"city": "Осло"}) for call_id in ids)
    return ChatMessage(Role.ASSISTANT, "", tool_calls=calls)


def answering(*ids: str) -> ChatMessage:
    return ChatMessage(Role.TOOL, "", tool_results=tuple(ToolResult(each, "look", "-3") for each in ids))


def test_calls_and_results_are_turns_of_their_own() -> None:
    assert openai_body(said("?"), calling("a", "b"), answering("a", "b"))["messages"][1:] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": call_id,
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"city": "Осло"}'},
                }
                for call_id in "ab"
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "-3"},
        {"role": "tool", "tool_call_id": "b", "content": "-3"},
    ]


def test_what_lost_its_other_half_is_left_out() -> None:
    unanswered = openai_body(said("?"), calling("a", "b"), answering("a"), calling("c"))["messages"]
    assert [call["id"] for call in unanswered[1]["tool_calls"]] == ["a"]
    assert unanswered[3] == {"role": "assistant", "content": ""}
    assert openai_body(answering("z"), said("?"))["messages"] == [{"role": "user", "content": "?"}]


def test_long_ids_of_other_providers_are_shortened_alike() -> None:
    long, other = "gemini-call-" + "x" * 60, "gemini-call-" + "x" * 59 + "y"
    messages = openai_body(said("?"), calling(long, other), answering(long, other))["messages"]
    ids = [call["id"] for call in messages[1]["tool_calls"]]
    assert ids == [message["tool_call_id"] for message in messages[2:]]
    assert len(set(ids)) == 2
    assert all(len(call_id) <= 40 for call_id in ids)


# --- schemas ---

CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "full", "pattern": "^[A-Z]"},
        "born": {"type": ["string", "null"], "format": "date"},
        "kind": {"anyOf": [{"$ref": "#/$defs/kind"}, {"type": "null"}]},
        "pets": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["pets", "kind", "born", "name"],
    "additionalProperties": False,
    "$defs": {"kind": {"type": "string", "enum": ["a", "b"]}},
}


def with_property(schema: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"it": schema},
        "required": ["it"],
        "additionalProperties": False,
    }


LOOSE: dict[str, Any] = {
    "open": {"type": "object", "properties": {}, "required": []},
    "open to more": {**CLOSED, "additionalProperties": {"type": "string"}},
    "optional": {**CLOSED, "required": ["name"]},
    "required is no list": {**CLOSED, "required": "name"},
    "free": {"type": "object", "additionalProperties": False},
    "array at the root": {"type": "array", "items": CLOSED},
    "choice at the root": {**CLOSED, "anyOf": [CLOSED]},
    "open inside": with_property({"type": "array", "items": {"type": "object", "properties": {}}}),
    "open definition": {**CLOSED, "$defs": {"kind": {"type": "object"}}},
    "open choice": with_property({"anyOf": [{"type": "object"}, {"type": "null"}]}),
    "nullable and open": with_property({"type": ["object", "null"]}),
    "no type": with_property({"enum": [1]}),
    "anything": with_property(True),
    "array of anything": with_property({"type": "array"}),
    "unknown keyword": with_property({"type": "string", "minLength": 1}),
    "unknown format": with_property({"type": "string", "format": "uri"}),
    "looks ahead": with_property({"type": "string", "pattern": "^(?!x)"}),
    "far reference": with_property({"$ref": "https://example.com/s.json"}),
    "reference with more": with_property({"$ref": "#", "description": "itself"}),
    "choice of nothing": with_property({"anyOf": "all"}),
}


def test_a_closed_schema_is_strict() -> None:
    assert takes_strict(CLOSED)
    assert takes_strict(with_property({"$ref": "#"}))


@pytest.mark.parametrize("name", LOOSE)
def test_another_schema_is_not_strict(name: str) -> None:
    assert not takes_strict(LOOSE[name])


def test_a_very_deep_schema_is_not_strict() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(30):
        schema = with_property(schema)
    assert not takes_strict(schema)


def test_json_of_any_shape_has_a_format_of_its_own() -> None:
    wanted = openai_body(said("?"), response_schema=ResponseSchema(ANY_OBJECT))["response_format"]
    assert wanted == {"type": "json_object"}


def test_the_schema_is_sent_as_it_is_and_strict_where_it_can_be() -> None:
    strict = openai_body(said("?"), response_schema=ResponseSchema(CLOSED, "Человек v.2"))["response_format"]
    assert strict["type"] == "json_schema"
    assert strict["json_schema"] == {"name": "________v_2", "schema": CLOSED, "strict": True}
    loose = openai_body(said("?"), response_schema=ResponseSchema(LOOSE["open"], ""))["response_format"]
    assert loose["json_schema"] == {"name": "answer", "schema": LOOSE["open"]}
