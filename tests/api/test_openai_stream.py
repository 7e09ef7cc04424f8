"""POST /v1/chat/completions as a stream, and clients that leave before the end."""

import asyncio
import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.testclient import TestClient
from starlette.types import Message

from api.app import create_api
from api.openai_front.answers import Reply
from api.openai_front.chat_stream import ChatStream
from core.generation.generation import Generation
from core.providers.types import ChatMessage, CompletionRequest, Role
from core.services import Services
from core.usage.types import CallStatus, Source
from tests.fakes.openai_server import STREAM_ERROR, OpenAIServer, usage
from tests.fakes.script import Script
from tests.support.openai_front import HELLO, MODEL, TOOL, calls_of, chat, chunks_of, deltas
from tests.support.served import served


def test_a_stream_has_the_chunks_of_openai(ann: TestClient, openai: OpenAIServer, hub: Services) -> None:
    openai.queue(Script(chunks=["Над ", "Невой\u2028", "🌫"], usage=usage(42, 20, cached=10)))
    answer = chat(ann, stream=True)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    chunks = chunks_of(answer)
    [call] = calls_of(hub)
    assert {chunk["id"] for chunk in chunks} == {f"chatcmpl-{call.request_id}"}
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["model"] for chunk in chunks} == {MODEL}
    assert len({chunk["created"] for chunk in chunks}) == 1
    assert chunks[0]["choices"] == [
        {
            "index": 0,
            "delta": {"role": "assistant", "content": "", "refusal": None},
            "logprobs": None,
            "finish_reason": None,
        }
    ]
    assert "".join(deltas(chunks)) == "Над Невой\u2028🌫"
    # A line is a line for every client: none of them may see an end where there is none.
    assert answer.text.splitlines() == answer.text.split("\n")[:-1]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[-2:]] == [None, "stop"]
    assert chunks[-1]["choices"][0]["delta"] == {}
    assert (chunks[-1]["aihub"]["provider"], "usage" in chunks[-1]) == ("openai", False)
    assert (call.status, call.source, call.input_tokens) == (CallStatus.COMPLETED, Source.API, 42)


def test_usage_comes_last_when_it_is_wanted(ann: TestClient, openai: OpenAIServer) -> None:
    openai.queue(Script(usage=usage(42, 20, cached=10, reasoning=5)))
    chunks = chunks_of(chat(ann, stream=True, stream_options={"include_usage": True}))
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {
        "prompt_tokens": 42,
        "completion_tokens": 20,
        "total_tokens": 62,
        "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 0},
    }


def test_functions_come_at_the_end_of_a_stream(ann: TestClient, openai: OpenAIServer) -> None:
    openai.queue(Script(chunks=["Hm."], tool_calls=[("weather", {"city": "Омск"}), ("weather", {})]))
    chunks = chunks_of(chat(ann, stream=True, tools=[TOOL]))
    calls = [call for some in deltas(chunks, "tool_calls") for call in some]
    assert [call["index"] for call in calls] == [0, 1]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [{"city": "Омск"}, {}]
    assert {(call["type"], call["function"]["name"]) for call in calls} == {("function", "weather")}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_an_answer_without_a_word_is_a_whole_stream(ann: TestClient, openai: OpenAIServer) -> None:
    openai.queue(Script(chunks=()))
    chunks = chunks_of(chat(ann, stream=True))
    assert [chunk["choices"][0]["delta"].get("role") for chunk in chunks] == ["assistant", None]


def test_what_goes_wrong_on_the_way_ends_the_stream_with_an_error(
    ann: TestClient, openai: OpenAIServer, hub: Services
) -> None:
    for reply, code in (
        (Script(cut_after=2), "api_error"),
        (Script(stream_error=STREAM_ERROR), "rate_limit_exceeded"),
    ):
        openai.queue(reply)
        answer = chat(ann, stream=True)
        assert answer.status_code == 200
        events = [event.removeprefix("data: ") for event in answer.text.split("\n\n") if event]
        error = json.loads(events[-1])["error"]
        assert (set(error), error["code"]) == ({"message", "type", "param", "code"}, code)
        assert "[DONE]" not in answer.text
        assert "Hello" in "".join(deltas(list(map(json.loads, events[:-1]))))
    assert [call.status for call in calls_of(hub)] == [CallStatus.FAILED] * 2


# --- a silent provider, and a client that leaves; by hand, as a server would ---


def generation_of(hub: Services, openai: OpenAIServer, script: Script) -> Generation:
    openai.queue(script)
    user = hub.accounts.sign_up("lone@example.com", "lone", "a quiet harbour at dawn").id
    asked = CompletionRequest("gpt-5.4-mini", (ChatMessage(Role.USER, "Hello"),))
    return hub.models.complete(user, "openai", asked, Source.API)


def streamed(
    hub: Services, generation: Generation, on_body: Callable[[bytes], bool], silence: float = 15
) -> tuple[list[Message], bytes]:
    """What a client gets; it leaves when `on_body` says so."""
    sent: list[Message] = []

    async def run() -> None:
        left = asyncio.Event()

        async def receive() -> Message:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)
            if on_body(message.get("body", b"")):
                left.set()

        scope = {"type": "http", "path": "/v1/chat/completions", "headers": []}
        reply = Reply(generation.request.request_id, MODEL)
        async with asyncio.timeout(20):
            await ChatStream(hub.generation, generation, reply, silence)(scope, receive, send)

    asyncio.run(run())
    return sent, b"".join(message.get("body", b"") for message in sent)


def test_a_silence_is_filled_with_comments(openai: OpenAIServer, hub: Services) -> None:
    generation = generation_of(hub, openai, Script(hang_after=0))
    comments = 0

    def count(body: bytes) -> bool:
        nonlocal comments
        comments += body.count(b": keep-alive\n\n")
        if comments == 3:
            openai.release()
        return False

    sent, text = streamed(hub, generation, count, silence=0.02)
    assert sent[0]["type"] == "http.response.start"
    assert text.startswith(b"data: {")
    assert text.count(b": keep-alive\n\n") >= 3
    assert text.endswith(b"data: [DONE]\n\n")
    assert [message.get("more_body") for message in sent].count(False) == 1


def test_a_client_that_leaves_stops_the_answer(openai: OpenAIServer, hub: Services) -> None:
    generation = generation_of(hub, openai, Script(hang_after=1))
    _sent, text = streamed(hub, generation, lambda body: b"Hello" in body)
    openai.wait_for(lambda: openai.asked[0].left)
    assert generation.done
    [call] = calls_of(hub)
    assert (call.status, call.estimated) == (CallStatus.STOPPED, True)
    assert call.output_tokens > 0
    assert b"world" not in text


# --- the same over real connections ---


def leave(address: str, bearer: str, openai: OpenAIServer, *, stream: bool) -> None:
    """Ask, wait until the provider is asked, and hang up."""
    before = len(openai.asked)
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    headers = {"Authorization": bearer, "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps({**HELLO, "stream": stream}), headers)
    if stream:
        assert b"Hello" in connection.getresponse().read1(), "the first word comes with the first bytes"
    else:
        openai.wait_for(lambda: len(openai.asked) > before)
    connection.close()


def test_who_hangs_up_stops_the_provider_streamed_or_not(
    ann: TestClient, openai: OpenAIServer, hub: Services
) -> None:
    openai.default = Script(hang_after=1)
    with served(create_api()) as address:
        for number, stream in enumerate((True, False)):
            leave(address, ann.headers["Authorization"], openai, stream=stream)
            openai.wait_for(lambda number=number: openai.asked[number].left)
    # The server is down, so every answer has been recorded.
    assert [call.status for call in calls_of(hub)] == [CallStatus.STOPPED] * 2


def test_two_hundred_streams_side_by_side_lose_nothing(
    ann: TestClient, openai: OpenAIServer, hub: Services
) -> None:
    words = [f"word{number} " for number in range(20)]
    openai.default = Script(chunks=words, delay=0.01, usage=usage(5, 20))

    async def ask(client: Any) -> str:
        async with client.stream("POST", "/v1/chat/completions", json={**HELLO, "stream": True}) as answer:
            await answer.aread()
            return "".join(deltas(chunks_of(answer)))

    async def all_of_them(address: str) -> list[str]:
        import httpx2

        limits = httpx2.Limits(max_connections=200)
        headers = {"Authorization": ann.headers["Authorization"]}
        async with httpx2.AsyncClient(base_url=address, headers=headers, limits=limits, timeout=60) as client:
            return await asyncio.gather(*(ask(client) for _ in range(200)))

    with served(create_api()) as address:
        texts = asyncio.run(all_of_them(address))
    assert set(texts) == {"".join(words)}
    assert hub.explore.health().events == 200
