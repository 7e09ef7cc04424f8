"""POST /v1/chat/completions in one piece: what comes in, what the provider gets, what goes out."""

import json
from typing import Any

from starlette.testclient import TestClient

from core.models.types import PreferenceInfo
from core.services import Services
from core.usage.types import CallStatus, Source
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.openai_server import OpenAIServer, images_of, schema_of, tool_names_of, usage
from tests.fakes.script import Script
from tests.support.openai_front import CALLS, HELLO, MODEL, PIXEL, TOOL, calls_of, chat


def test_an_answer_has_the_shape_of_openai(ann: TestClient, openai: OpenAIServer, hub: Services) -> None:
    openai.queue(Script(chunks=["Над ", "Невой"], usage=usage(42, 20, cached=10, reasoning=5)))
    answer = chat(ann)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    [call] = calls_of(hub)
    assert body.pop("id") == f"chatcmpl-{call.request_id}"
    assert isinstance(body.pop("created"), int)
    assert call.cost is not None
    assert body.pop("aihub") == {
        "provider": "openai",
        "model": "gpt-5.4-mini",
        "cost": float(call.cost.decimal),
        "currency": "USD",
        "from_cache": False,
        "tokens_estimated": False,
    }
    message = {"role": "assistant", "content": "Над Невой", "refusal": None}
    assert body == {
        "object": "chat.completion",
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 42,
            "completion_tokens": 20,
            "total_tokens": 62,
            "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 0},
        },
    }


def test_every_call_is_in_the_ledger_under_its_caller(
    ann: TestClient, bob: TestClient, openai: OpenAIServer, hub: Services
) -> None:
    openai.default = Script(usage=usage(7, 3))
    assert chat(ann).status_code == chat(bob).status_code == 200
    assert chat(bob, model="openai/none-such").status_code == 404
    own = bob.get("/api/users/me").json()["id"]
    failed, second, first = calls_of(hub)
    assert [call.source for call in (failed, second, first)] == [Source.API] * 3
    assert [call.user_id == own for call in (failed, second, first)] == [True, True, False]
    assert (failed.status, failed.error_kind, failed.output_tokens) == (CallStatus.FAILED, "unknown_model", 0)
    assert (second.status, second.input_tokens, second.output_tokens) == (CallStatus.COMPLETED, 7, 3)
    assert second.thread_id is None


def test_what_is_asked_reaches_the_provider(ann: TestClient, openai: OpenAIServer) -> None:
    sampling = {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 2**40,
        "presence_penalty": -1,
        "frequency_penalty": 1.5,
        "reasoning_effort": "minimal",
    }
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        {"role": "user", "content": "Three", "name": "ann"},
    ]
    ignored = {
        "user": "u-1",
        "metadata": {"a": "b"},
        "store": True,
        "service_tier": "flex",
        "no_such_field": 1,
    }
    answer = chat(
        ann, messages=messages, max_tokens=50, max_completion_tokens=60, stop="END", **sampling, **ignored
    )
    assert answer.status_code == 200, answer.text
    sent = openai.asked[0].body
    assert [(each["role"], each["content"]) for each in sent["messages"]] == [
        ("system", "Be brief.\n\nBe kind."),
        ("user", "One\ntwo"),
        ("assistant", "No."),
        ("user", "Three"),
    ]
    assert {name: sent[name] for name in sampling} == {**sampling, "reasoning_effort": "low"}
    assert (sent["model"], sent["max_completion_tokens"], sent["stop"]) == ("gpt-5.4-mini", 60, ["END"])
    assert not set(ignored) & set(sent)


def test_what_is_left_out_is_as_the_caller_prefers_it_for_the_model(
    ann: TestClient, openai: OpenAIServer, hub: Services
) -> None:
    own = ann.get("/api/users/me").json()["id"]
    wanted = PreferenceInfo("openai", "gpt-5.4-mini", temperature=0.1, system_prompt="Rhyme.", max_tokens=99)
    hub.models.save(own, wanted)
    assert chat(ann, temperature=1).status_code == 200
    sent = openai.asked[0].body
    assert (sent["temperature"], sent["max_completion_tokens"]) == (1, 99)
    assert sent["messages"][0] == {"role": "system", "content": "Rhyme."}


def test_a_model_may_be_named_without_its_provider(ann: TestClient, openai: OpenAIServer) -> None:
    answer = chat(ann, model="gpt-5.4-mini").json()
    assert (answer["model"], answer["aihub"]["provider"]) == ("gpt-5.4-mini", "openai")
    openai.models = (*openai.models, "meta/llama")
    assert chat(ann, model="openai/meta/llama").status_code == 200
    assert openai.asked[1].model == "meta/llama"


def test_a_name_that_several_providers_have_is_none(
    ann: TestClient, openai: OpenAIServer, gemini: GeminiServer, hub: Services
) -> None:
    own = ann.get("/api/users/me").json()["id"]
    for provider in ("openai", "gemini"):
        hub.models.save(own, PreferenceInfo(provider, "twin"))
    answer = chat(ann, model="twin")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "gemini/twin, openai/twin." in answer.json()["error"]["message"]


def test_a_picture_goes_along(ann: TestClient, openai: OpenAIServer) -> None:
    picture = {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}
    content = [{"type": "text", "text": "What is this?"}, picture]
    assert chat(ann, messages=[{"role": "user", "content": content}]).status_code == 200
    [(kind, data)] = images_of(openai.asked[0].body)
    assert (kind, data[:4]) == ("image/png", b"\x89PNG")


def test_sound_and_documents_go_along(ann: TestClient, openai: OpenAIServer) -> None:
    content = [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
        {"type": "file", "file": {"filename": "a.csv", "file_data": "YTti"}},
    ]
    assert chat(ann, messages=[{"role": "user", "content": content}]).status_code == 200
    sound, document, table = openai.asked[0].body["messages"][0]["content"]
    assert sound["input_audio"] == {"data": "AAAA", "format": "mp3"}
    assert document["file"] == content[1]["file"]
    assert table == {"type": "text", "text": "a.csv:\na;b"}


def test_an_address_of_a_picture_is_only_handed_on(
    ann: TestClient, openai: OpenAIServer, gemini: GeminiServer
) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/cat.webp?x=1"}}
    messages = [{"role": "user", "content": [picture]}]
    refused = chat(ann, messages=messages)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "messages")
    assert "data URL" in refused.json()["error"]["message"]
    assert not openai.asked
    assert chat(ann, model="gemini/gemini-3.8-flash", messages=messages).status_code == 200
    [part] = gemini.asked[-1].body["contents"][0]["parts"]
    assert part == {"fileData": {"file_uri": "https://example.com/cat.webp?x=1", "mime_type": "image/webp"}}


def test_functions_are_asked_for_and_answered(ann: TestClient, openai: OpenAIServer) -> None:
    openai.queue(Script(chunks=[], tool_calls=[("weather", {"city": "Омск"}), ("weather", {})]))
    asked = chat(ann, tools=[TOOL], tool_choice="auto").json()
    assert tool_names_of(openai.asked[0].body) == ["weather"]
    [choice] = asked["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    first, second = choice["message"]["tool_calls"]
    assert first["type"] == "function"
    assert first["function"] == {"name": "weather", "arguments": '{"city": "Омск"}'}
    assert json.loads(second["function"]["arguments"]) == {}
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": text}
        for call, text in ((first, "-20"), (second, [{"type": "text", "text": "?"}]))
    ]
    turns = [*HELLO["messages"], choice["message"], *results]
    assert chat(ann, messages=turns, tools=[TOOL]).status_code == 200
    sent = openai.asked[1].body["messages"]
    assert [call["function"] for call in sent[1]["tool_calls"]] == [first["function"], second["function"]]
    assert [(each["tool_call_id"], each["content"]) for each in sent[2:]] == [
        (first["id"], "-20"),
        (second["id"], "?"),
    ]


def test_without_a_choice_of_functions_none_is_offered(ann: TestClient, openai: OpenAIServer) -> None:
    assert chat(ann, tools=[TOOL], tool_choice="none").status_code == 200
    assert "tools" not in openai.asked[0].body


def test_what_gemini_wants_back_with_a_call_travels_both_ways(ann: TestClient, gemini: GeminiServer) -> None:
    signed = {**CALLS["tool_calls"][0], "extra_content": {"google": {"thought_signature": "c2lnbmVk"}}}
    turns = [
        *HELLO["messages"],
        {"role": "assistant", "tool_calls": [signed]},
        {"role": "tool", "tool_call_id": "call_0", "content": '{"degrees": -20}'},
    ]
    assert chat(ann, model="gemini/gemini-3.8-flash", messages=turns, tools=[TOOL]).status_code == 200
    contents = gemini.asked[0].body["contents"]
    assert contents[1]["parts"][0]["thoughtSignature"] == "c2lnbmVk"
    assert contents[2]["parts"][0]["functionResponse"]["response"] == {"degrees": -20}


def test_an_answer_by_a_schema(ann: TestClient, openai: OpenAIServer) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema, "strict": True}}
    assert chat(ann, response_format=wanted).status_code == 200
    assert schema_of(openai.asked[0].body) == schema
    assert openai.asked[0].body["response_format"]["json_schema"]["name"] == "place"
    assert chat(ann, response_format={"type": "json_object"}).status_code == 200
    assert openai.asked[1].body["response_format"] == {"type": "json_object"}
    assert chat(ann, response_format={"type": "text"}).status_code == 200
    assert "response_format" not in openai.asked[2].body


def test_json_of_any_shape_from_gemini(ann: TestClient, gemini: GeminiServer) -> None:
    asked = chat(ann, model="gemini/gemini-3.8-flash", response_format={"type": "json_object"})
    assert asked.status_code == 200
    config = gemini.asked[0].body["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert "responseJsonSchema" not in config


def test_why_an_answer_ended(ann: TestClient, openai: OpenAIServer) -> None:
    finishes = {"": "stop", "length": "length", "content_filter": "content_filter", "odd": "stop"}
    for finish, reason in finishes.items():
        openai.queue(Script(finish=finish))
        assert chat(ann).json()["choices"][0]["finish_reason"] == reason


def test_an_answer_from_the_cache_says_so(ann: TestClient, openai: OpenAIServer, hub: Services) -> None:
    own = ann.get("/api/users/me").json()["id"]
    hub.models.save(own, PreferenceInfo("openai", "gpt-5.4-mini", use_cache=True))
    first, again = chat(ann).json(), chat(ann).json()
    assert (first["aihub"]["from_cache"], again["aihub"]["from_cache"]) == (False, True)
    assert again["choices"] == first["choices"]
    assert (again["aihub"]["cost"], again["usage"]["total_tokens"]) == (0, 0)


def test_the_demo_needs_no_key(ann: TestClient) -> None:
    body = chat(ann, model="demo/demo", max_tokens=5).json()
    assert (body["choices"][0]["finish_reason"], body["aihub"]["tokens_estimated"]) == ("length", True)
    assert body["usage"]["completion_tokens"] <= 5


def test_a_large_body_is_read_beside_the_loop(ann: TestClient, openai: OpenAIServer) -> None:
    long: Any = [{"role": "user", "content": "word " * 100_000}]
    assert chat(ann, messages=long).status_code == 200
    assert openai.asked[0].body["messages"][0]["content"] == long[0]["content"]
    assert chat(ann, messages=[*long, {"role": "user"}]).json()["error"]["param"] == "messages[1].content"
