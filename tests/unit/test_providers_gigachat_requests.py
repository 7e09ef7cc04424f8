"""GigaChat's own: its answers, functions, images and token counts on the wire."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from gigachat.models.chat import ChatCompletionChunk

from core.errors import AppError, ErrorKind
from core.providers.content import Attachment, FunctionDeclaration, ToolCall, ToolResult
from core.providers.gigachat import GigaChatProvider
from core.providers.gigachat_answer import Answer
from core.providers.gigachat_files import KEPT
from core.providers.types import (
    ChatMessage,
    CompletionRequest,
    FinishReason,
    Role,
    StreamEnd,
    ToolCallRequested,
    UsageReport,
)
from tests.contract.adapter import ask, collect, text_of
from tests.fakes import gigachat_server as wire
from tests.fakes.gigachat_server import GigaChatServer
from tests.fakes.script import Script
from tests.support.gigachat import KEY, MODEL, answer, failure, on

PNG = b"\x89PNG a picture"


@pytest.fixture
def server() -> Iterator[GigaChatServer]:
    with GigaChatServer(api_key=KEY) as running:
        yield running


def picture(content: bytes = PNG, mime_type: str = "image/png") -> Attachment:
    return Attachment(mime_type, content, name="личное.png")


def with_images(*of_messages: tuple[Attachment, ...]) -> CompletionRequest:
    return CompletionRequest(
        MODEL, tuple(ChatMessage(Role.USER, "What is this?", attachments=images) for images in of_messages)
    )


# --- answers ---


def test_cached_tokens_are_part_of_the_input(server: GigaChatServer) -> None:
    server.queue(Script(usage=wire.usage(prompt=1, completion=4, cached=37)))
    usage = [event.usage for event in on(server, answer()) if isinstance(event, UsageReport)][-1]
    assert (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens) == (38, 37, 4)
    assert not usage.estimated


def test_forbidden_topics_end_for_safety(server: GigaChatServer) -> None:
    server.queue(Script(chunks=["Let us talk of something else."], finish="blacklist"))
    assert on(server, answer())[-1] == StreamEnd(FinishReason.SAFETY, "blacklist")


def test_arguments_that_make_no_sense_are_an_error(server: GigaChatServer) -> None:
    server.queue(Script(chunks=[], finish="error"))
    error = failure(server, answer())
    assert error.kind is ErrorKind.BAD_ANSWER
    assert "functions" in error.text()


def test_what_is_lost_after_the_end_does_not_matter(server: GigaChatServer) -> None:
    end = {
        "choices": [{"delta": {"content": ""}, "index": 0, "finish_reason": "stop"}],
        "created": 0,
        "model": MODEL,
        "object": "chat.completion",
    }
    ended = f"data: {json.dumps(end)}\n\n".encode()
    server.queue(Script(chunks=["a", ""], garbage_after=1, garbage=ended, cut_after=2))
    events = on(server, answer())
    assert text_of(events) == "a"
    assert events[-1] == StreamEnd(FinishReason.STOP, "stop")


def test_the_countdown_of_a_drawing_is_no_answer() -> None:
    delta = {"role": "function_in_progress", "content": "12 seconds left"}
    chunk = ChatCompletionChunk.model_validate(
        {"choices": [{"delta": delta, "index": 0}], "created": 0, "model": MODEL, "object": "chat.completion"}
    )
    assert list(Answer().events(chunk)) == []


def test_the_system_prompt_is_the_first_message_and_zero_is_a_temperature(server: GigaChatServer) -> None:
    on(
        server,
        answer(ask(MODEL, "Hi", system_prompt="Be brief.", temperature=0, top_p=0.5, max_output_tokens=9)),
    )
    body = server.asked[0].body
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert 0 < body["temperature"] <= 0.001
    assert (body["top_p"], body["max_tokens"]) == (0.5, 9)


# --- functions ---

BOOK = FunctionDeclaration(
    "book",
    "Books a flight",
    {
        "type": "object",
        "properties": {
            "where": {
                "type": "object",
                "properties": {"city": {"type": ["string", "null"], "minLength": 2}},
                "required": ["city"],
            },
            "when": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        },
        "required": ["where"],
    },
)


def test_the_schema_of_a_function_arrives_whole(server: GigaChatServer) -> None:
    on(server, answer(ask(MODEL, "Fly!", tools=(BOOK, FunctionDeclaration("stop")))))
    body = server.asked[0].body
    assert body["function_call"] == "auto"
    assert body["functions"] == [
        {"name": "book", "description": "Books a flight", "parameters": BOOK.parameters},
        {"name": "stop", "parameters": {"type": "object", "properties": {}}},
    ]


def test_the_state_of_a_call_goes_back_with_its_result(server: GigaChatServer) -> None:
    server.queue(Script(chunks=[], tool_calls=[("book", {"where": {"city": None}})]))
    events = on(server, answer(ask(MODEL, "Fly!", tools=(BOOK,))))
    call = next(event.call for event in events if isinstance(event, ToolCallRequested))
    assert call.signature
    messages = (
        ChatMessage(Role.USER, "Fly!"),
        ChatMessage(Role.ASSISTANT, "", tool_calls=(call,)),
        ChatMessage(Role.TOOL, "", tool_results=(ToolResult(call.id, "book", "booked"),)),
    )
    on(server, answer(CompletionRequest(MODEL, messages, tools=(BOOK,))))
    _, asked, result = server.asked[-1].body["messages"]
    assert asked["functions_state_id"] == call.signature.decode()
    assert asked["function_call"] == {"name": "book", "arguments": {"where": {"city": None}}}
    assert result == {"role": "function", "name": "book", "content": '{"result": "booked"}'}


def test_calls_of_another_provider_are_told_one_after_the_other(server: GigaChatServer) -> None:
    calls = (ToolCall("1", "book", {"n": 1}), ToolCall("2", "book", {"n": 2}))
    results = (ToolResult("2", "book", '{"second": true}'), ToolResult("1", "book", "[1]"))
    messages = (
        ChatMessage(Role.USER, "Fly twice!"),
        ChatMessage(Role.ASSISTANT, "At once.", tool_calls=calls),
        ChatMessage(Role.TOOL, "", tool_results=results),
    )
    on(server, answer(CompletionRequest(MODEL, messages, tools=(BOOK,))))
    sent = server.asked[0].body["messages"][1:]
    assert [(each["role"], each["content"]) for each in sent] == [
        ("assistant", "At once."),
        ("function", '{"result": [1]}'),
        ("assistant", ""),
        ("function", '{"second": true}'),
    ]
    assert [each["function_call"]["arguments"] for each in sent[::2]] == [{"n": 1}, {"n": 2}]


# --- images ---


def uploads(server: GigaChatServer) -> int:
    return sum(request.path == "/api/v1/files" for request in server.requests)


def test_an_image_is_uploaded_once_and_deleted_at_the_end(server: GigaChatServer) -> None:
    first = with_images((picture(),))
    second = CompletionRequest(
        MODEL,
        (
            *first.messages,
            ChatMessage(Role.ASSISTANT, "A cat."),
            ChatMessage(Role.USER, "", (picture(b"other"),)),
        ),
    )

    async def still_there(provider: GigaChatProvider) -> int:
        return len(server.files)

    assert on(server, answer(first), answer(second), answer(second), still_there) == 2
    assert uploads(server) == 2
    assert not server.files
    assert wire.images_of(server.asked[-1].body) == [("image/png", PNG), ("image/png", b"other")]
    assert not any("личное".encode() in request.data for request in server.requests)


def test_what_the_storage_has_lost_is_uploaded_again(server: GigaChatServer) -> None:
    request = with_images((picture(),))

    async def lose(provider: GigaChatProvider) -> None:
        server.files.clear()
        with pytest.raises(AppError):
            await collect(provider, request)

    assert isinstance(on(server, answer(request), lose, answer(request))[-1], StreamEnd)
    assert uploads(server) == 2


def test_only_the_last_images_stay_in_the_storage(server: GigaChatServer) -> None:
    async def many(provider: GigaChatProvider) -> int:
        for number in range(KEPT + 3):
            await collect(provider, with_images((picture(b"%d" % number),)))
        return len(server.files)

    assert on(server, many) == KEPT


def test_a_file_that_cannot_be_deleted_holds_nothing_up(server: GigaChatServer) -> None:
    async def revoke(provider: GigaChatProvider) -> None:
        server.revoke()
        server.sign_in = wire.broken()

    on(server, answer(with_images((picture(),))), revoke)
    assert len(server.files) == 1


def test_a_prepared_image_is_not_uploaded(server: GigaChatServer) -> None:
    async def prepare(provider: GigaChatProvider) -> Any:
        return await provider.prepare(with_images((picture(),)))

    prepared = on(server, prepare)
    assert prepared.body["messages"][0]["attachments"] == ["(uploaded when sent)"]
    assert prepared.url == f"{server.url}/chat/completions"
    assert not server.requests


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (with_images((picture(mime_type="image/webp"),)), "image/webp"),
        (with_images((picture(), picture(b"two"))), "one image"),
        (with_images(*((picture(b"%d" % n),) for n in range(11))), "10"),
        (with_images((picture(b"0" * (15 * 1024**2 + 1)),)), "15 MB"),
    ],
    ids=["type", "two", "eleven", "size"],
)
def test_images_it_would_not_take_are_refused_before_sending(
    server: GigaChatServer, request_: CompletionRequest, named: str
) -> None:
    error = failure(server, answer(request_))
    assert error.kind is ErrorKind.VALIDATION
    assert named in error.text()
    assert not server.requests


def test_an_upload_that_fails_is_an_error_like_any_other(server: GigaChatServer) -> None:
    async def lost(provider: GigaChatProvider) -> None:
        server.revoke()
        server.sign_in = wire.unknown_key()
        await collect(provider, with_images((picture(),)))

    assert failure(server, answer(), lost).kind is ErrorKind.WRONG_KEY


# --- tokens ---


def count(request: CompletionRequest) -> Callable[[GigaChatProvider], Awaitable[int | None]]:
    return lambda provider: provider.count_tokens(request)


def test_tokens_of_all_texts_are_counted(server: GigaChatServer) -> None:
    assert on(server, count(ask(MODEL, "one two", "three", "four", system_prompt="five six"))) == 6
    with_functions = on(server, count(ask(MODEL, "one", tools=(BOOK,))))
    assert with_functions > 1
    assert on(server, count(ask(MODEL, ""))) == 0
    assert not server.asked


def test_images_cannot_be_counted(server: GigaChatServer) -> None:
    assert on(server, count(with_images((picture(),)))) is None
    assert not server.requests
