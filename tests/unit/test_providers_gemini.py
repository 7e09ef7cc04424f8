"""What goes to Gemini, and how its answers and numbers are read. The rest is in tests/contract."""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from core.errors import AppError, ErrorKind
from core.providers.content import (
    Attachment,
    FunctionDeclaration,
    GeminiOptions,
    ResponseSchema,
    SafetySetting,
    ToolCall,
    ToolResult,
)
from core.providers.gemini import GeminiProvider
from core.providers.types import (
    ChatMessage,
    CompletionRequest,
    FinishReason,
    ModelInfo,
    PreparedRequest,
    ReasoningEffort,
    Role,
    SafetyRating,
    StreamEnd,
    TextDelta,
    TokenUsage,
    ToolCallRequested,
    UsageReport,
)
from tests.contract.adapter import ask, collect, text_of
from tests.contract.entries.gemini import GEMINI
from tests.fakes.gemini_server import SIGNATURE, GeminiServer, usage
from tests.fakes.script import Script

MODEL = "gemini-3.8-flash"
WEATHER = FunctionDeclaration("get_weather", "The weather", {"type": "object", "properties": {}})


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer() as running:
        yield running


def answer(server: GeminiServer, request: CompletionRequest) -> list[Any]:
    async def run() -> list[Any]:
        async with GEMINI.provider(server.url) as provider:
            return await collect(provider, request)

    return asyncio.run(run())


def test_the_request(server: GeminiServer) -> None:
    turns = (
        ChatMessage(Role.USER, "one"),
        ChatMessage(Role.ASSISTANT, "two"),
        ChatMessage(Role.USER, "three"),
    )
    request = CompletionRequest("gemini-3.8-flash", turns, "be brief", temperature=0.0, max_output_tokens=99)
    answer(server, request)
    [received] = server.asked
    assert received.path == "/v1beta/models/gemini-3.8-flash:streamGenerateContent"
    assert [(turn["role"], turn["parts"]) for turn in received.body["contents"]] == [
        ("user", [{"text": "one"}]),
        ("model", [{"text": "two"}]),
        ("user", [{"text": "three"}]),
    ]
    assert received.body["systemInstruction"]["parts"] == [{"text": "be brief"}]
    assert received.body["generationConfig"] == {"temperature": 0.0, "maxOutputTokens": 99}
    assert "x-server-timeout" not in received.headers, (
        "the server would end long answers at our silence limit"
    )


def test_defaults_are_left_to_the_provider(server: GeminiServer) -> None:
    answer(server, ask("gemini-3.8-flash"))
    assert not server.asked[0].body.get("generationConfig")
    assert "systemInstruction" not in server.asked[0].body


def test_the_environment_changes_nothing(server: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_USE_ENTERPRISE", "true")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v9")
    monkeypatch.setenv("GOOGLE_API_KEY", "another")
    answer(server, ask("gemini-3.8-flash"))
    assert server.asked[0].path.startswith("/v1beta/")
    assert server.asked[0].headers["x-goog-api-key"] != "another"


def test_usage_means_one_thing(server: GeminiServer) -> None:
    audio = {
        "promptTokensDetails": [
            {"modality": "AUDIO", "tokenCount": 3},
            {"modality": "TEXT", "tokenCount": 97},
        ]
    }
    server.queue(Script(usage=usage(prompt=100, output=20, cached=40, thoughts=7, tools=5, **audio)))
    reports = [e for e in answer(server, ask("gemini-3.8-flash")) if isinstance(e, UsageReport)]
    assert reports[-1].usage == TokenUsage(
        input_tokens=105,
        cached_input_tokens=40,
        input_audio_tokens=3,
        output_tokens=27,
        reasoning_tokens=7,
    )


def test_each_chunk_with_usage_is_reported(server: GeminiServer) -> None:
    reports = [
        e.usage.output_tokens for e in answer(server, ask("gemini-3.8-flash")) if isinstance(e, UsageReport)
    ]
    assert reports == [1, 2, 3, 3]


def test_thoughts_are_not_text(server: GeminiServer) -> None:
    server.queue(Script(thoughts=["hm"], chunks=["yes"]))
    assert text_of(answer(server, ask("gemini-3.8-flash"))) == "yes"


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII"])
def test_answers_stopped_for_safety(server: GeminiServer, reason: str) -> None:
    server.queue(Script(finish=reason))
    assert answer(server, ask("gemini-3.8-flash"))[-1] == StreamEnd(FinishReason.SAFETY, reason)


def test_a_blocked_prompt_ends_for_safety(server: GeminiServer) -> None:
    server.queue(Script(blocked="PROHIBITED_CONTENT"))
    events = answer(server, ask("gemini-3.8-flash"))
    assert events[-1] == StreamEnd(FinishReason.SAFETY, "PROHIBITED_CONTENT")
    assert not text_of(events)


def test_googles_safety_ratings_come_with_the_end(server: GeminiServer) -> None:
    rated = [("HARM_CATEGORY_HARASSMENT", "NEGLIGIBLE"), ("HARM_CATEGORY_NEWER_THAN_THE_SDK", "MAYBE")]
    ratings = tuple(SafetyRating(category, likely) for category, likely in rated)
    server.queue(Script(safety=rated), Script(chunks=[], tool_calls=[("f", {})], safety=rated))
    server.queue(Script(blocked="SAFETY", safety=rated), Script())
    asked = ask(MODEL, tools=(WEATHER,))
    assert answer(server, asked)[-1] == StreamEnd(FinishReason.STOP, "STOP", ratings)
    assert answer(server, asked)[-1] == StreamEnd(FinishReason.TOOL_CALLS, "STOP", ratings)
    assert answer(server, asked)[-1] == StreamEnd(FinishReason.SAFETY, "SAFETY", ratings)
    assert answer(server, asked)[-1] == StreamEnd(FinishReason.STOP, "STOP")


def test_ratings_of_a_later_chunk_stand_and_tell_what_was_blocked(server: GeminiServer) -> None:
    def chunk(finish: str | None, *ratings: dict[str, Any]) -> dict[str, Any]:
        parts = [{"text": "a"}]
        rated = {"content": {"parts": parts}, "finishReason": finish, "safetyRatings": list(ratings)}
        return {"candidates": [rated]}

    harm = "HARM_CATEGORY_HARASSMENT"
    first = chunk(None, {"category": harm, "probability": "LOW"}, {"probability": "LOW"})
    last = chunk("SAFETY", {"category": harm, "probability": "HIGH", "blocked": True})
    server.queue(Script(chunks=[], stream_error=first), Script(chunks=[], stream_error=last))
    with pytest.raises(AppError):
        answer(server, ask(MODEL))
    end = StreamEnd(FinishReason.SAFETY, "SAFETY", (SafetyRating(harm, "HIGH", blocked=True),))
    assert answer(server, ask(MODEL))[-1] == end


# --- what a request carries ---


def body_of(server: GeminiServer, request: CompletionRequest) -> Any:
    answer(server, request)
    return server.asked[-1].body


def refusal(server: GeminiServer, request: CompletionRequest) -> AppError:
    with pytest.raises(AppError) as caught:
        answer(server, request)
    assert not server.asked
    assert caught.value.kind is ErrorKind.VALIDATION
    assert caught.value.__context__ is None
    return caught.value


def asking(*attachments: Attachment, text: str = "What is it?", **options: Any) -> CompletionRequest:
    return CompletionRequest(MODEL, (ChatMessage(Role.USER, text, attachments=attachments),), **options)


def test_files_stand_before_what_is_asked_about_them(server: GeminiServer) -> None:
    request = asking(
        Attachment("application/pdf", b"%PDF\xff\xfe"),
        Attachment("audio/wav", b"RIFF"),
        Attachment("image/png", uri="https://files.example/1"),
        Attachment("text/plain", b"seven", name="notes.txt"),
        Attachment("text/csv", uri="https://files.example/2"),
    )
    [turn] = body_of(server, request)["contents"]
    document, audio, image, notes, table, asked = turn["parts"]
    assert document["inlineData"]["mime_type"] == "application/pdf"
    assert urlsafe_b64decode(document["inlineData"]["data"]) == b"%PDF\xff\xfe"
    assert audio["inlineData"]["mime_type"] == "audio/wav"
    assert image == {"fileData": {"file_uri": "https://files.example/1", "mime_type": "image/png"}}
    assert notes == {"text": "notes.txt:\nseven"}
    assert table == {"fileData": {"file_uri": "https://files.example/2", "mime_type": "text/csv"}}
    assert asked == {"text": "What is it?"}


def test_a_clip_of_a_video(server: GeminiServer) -> None:
    uri = "https://files.example/1"
    request = asking(
        Attachment("video/mp4", uri=uri, start_seconds=1.5, end_seconds=90),
        Attachment("video/mp4", b"mp4", end_seconds=0.000000001),
        Attachment("video/mp4", b"mp4"),
        Attachment("image/png", b"png", start_seconds=1),
        text="",
    )
    first, second, whole, image = body_of(server, request)["contents"][0]["parts"]
    assert first["videoMetadata"] == {"start_offset": "1.5s", "end_offset": "90s"}
    assert second["videoMetadata"] == {"end_offset": "0.000000001s"}
    assert "videoMetadata" not in whole
    assert "videoMetadata" not in image


def test_every_setting(server: GeminiServer) -> None:
    request = ask(
        MODEL,
        temperature=1.5,
        max_output_tokens=9,
        top_p=0.5,
        top_k=3,
        presence_penalty=-1.0,
        frequency_penalty=1.0,
        stop_sequences=("END",),
        seed=-4,
        gemini=GeminiOptions(
            (SafetySetting("HARM_CATEGORY_HATE_SPEECH", "OFF"),),
            labels={"team": "research"},
            candidate_count=2,
            response_mime_type="text/plain",
            response_logprobs=True,
            logprobs=4,
            audio_timestamp=False,
        ),
    )
    body = body_of(server, request)
    assert body["generationConfig"] == {
        "temperature": 1.5,
        "maxOutputTokens": 9,
        "topP": 0.5,
        "topK": 3,
        "presencePenalty": -1.0,
        "frequencyPenalty": 1.0,
        "stopSequences": ["END"],
        "seed": -4,
        "candidateCount": 2,
        "responseMimeType": "text/plain",
        "responseLogprobs": True,
        "logprobs": 4,
    }
    assert body["safetySettings"] == [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "OFF"}]
    assert body["labels"] == {"team": "research"}


def test_a_cached_prefix(server: GeminiServer) -> None:
    options = GeminiOptions(cached_content="cachedContents/abc")
    assert body_of(server, ask(MODEL, gemini=options))["cachedContent"] == "cachedContents/abc"


def test_a_schema_makes_the_answer_json(server: GeminiServer) -> None:
    schema = {
        "type": "object",
        "properties": {"a_b": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "additionalProperties": False,
        "$defs": {"x": {"enum": (1, 2)}},
    }
    options = GeminiOptions(response_mime_type="text/plain")
    config = body_of(server, ask(MODEL, response_schema=ResponseSchema(schema), gemini=options))[
        "generationConfig"
    ]
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"] == {**schema, "$defs": {"x": {"enum": [1, 2]}}}


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        (MODEL, ReasoningEffort.NONE, {"thinking_budget": 0}),
        (MODEL, ReasoningEffort.LOW, {"thinking_level": "LOW"}),
        (MODEL, ReasoningEffort.HIGH, {"thinking_level": "HIGH"}),
        ("gemini-2.5-flash", ReasoningEffort.NONE, {"thinking_budget": 0}),
        ("gemini-2.5-flash", ReasoningEffort.MEDIUM, {"thinking_budget": 8192}),
        ("gemini-live-2.5-flash-preview", ReasoningEffort.HIGH, {"thinking_budget": 24576}),
        ("gemini-2.0-flash", ReasoningEffort.HIGH, None),
    ],
)
def test_how_long_it_thinks(model: str, effort: ReasoningEffort, thinking: Any) -> None:
    with GeminiServer(models=(model,)) as server:
        config = body_of(server, ask(model, reasoning_effort=effort)).get("generationConfig", {})
    assert config.get("thinkingConfig") == thinking


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (ask(MODEL, gemini=GeminiOptions(audio_timestamp=True)), "audioTimestamp"),
        (ask(MODEL, gemini=GeminiOptions((SafetySetting("HARM", "OFF"),))), "“HARM”"),
        (
            ask(MODEL, gemini=GeminiOptions((SafetySetting("HARM_CATEGORY_IMAGE_HATE", "OFF"),))),
            "HARM_CATEGORY_HARASSMENT",
        ),
        (ask(MODEL, gemini=GeminiOptions((SafetySetting("HARM_CATEGORY_JAILBREAK", "SOME"),))), "“SOME”"),
        (
            ask(MODEL, system_prompt="Sing.", gemini=GeminiOptions(cached_content="cachedContents/a")),
            "cachedContent",
        ),
        (ask(MODEL, tools=(WEATHER,), gemini=GeminiOptions(cached_content="cachedContents/a")), "functions"),
        (ask(MODEL, top_k="many"), "top_k"),
    ],
)
def test_what_gemini_cannot_be_asked(server: GeminiServer, request_: CompletionRequest, named: str) -> None:
    assert named in refusal(server, request_).text()


# --- functions ---


def test_a_function_without_parameters_or_description(server: GeminiServer) -> None:
    assert body_of(server, ask(MODEL, tools=(FunctionDeclaration("now"),)))["tools"] == [
        {"functionDeclarations": [{"name": "now"}]}
    ]


def calls_of(events: list[Any]) -> list[ToolCall]:
    return [event.call for event in events if isinstance(event, ToolCallRequested)]


def test_a_signature_goes_back_as_it_came(server: GeminiServer) -> None:
    server.queue(Script(chunks=[], tool_calls=[("get_weather", {"city": "Oslo"}), ("get_weather", {})]))
    calls = calls_of(answer(server, ask(MODEL, tools=(WEATHER,))))
    assert [call.signature for call in calls] == [SIGNATURE, None]
    results = tuple(
        ToolResult(call.id, call.name, content)
        for call, content in zip(calls, ("7", '{"a": 1}'), strict=True)
    )
    turns = (
        ChatMessage(Role.USER, "Weather?"),
        ChatMessage(Role.ASSISTANT, "", tool_calls=tuple(calls)),
        ChatMessage(Role.TOOL, "", tool_results=results[:1]),
        ChatMessage(Role.TOOL, "", tool_results=results[1:]),
    )
    _, asked, answered = body_of(server, CompletionRequest(MODEL, turns, tools=(WEATHER,)))["contents"]
    assert urlsafe_b64decode(asked["parts"][0]["thoughtSignature"]) == SIGNATURE
    assert [part["functionCall"] for part in asked["parts"]] == [
        {"name": "get_weather", "args": {"city": "Oslo"}},
        {"name": "get_weather", "args": {}},
    ], "ids that Gemini did not give do not go back"
    assert "thoughtSignature" not in asked["parts"][1]
    assert answered["role"] == "user"
    assert [part["functionResponse"]["response"] for part in answered["parts"]] == [{"result": "7"}, {"a": 1}]


@pytest.mark.parametrize("content", ["[1, 2]", "sunny", '{"a": NaN}', "", "[" * 100_000])
def test_results_that_are_no_object_are_text(server: GeminiServer, content: str) -> None:
    turns = (
        ChatMessage(Role.USER, "Go"),
        ChatMessage(Role.ASSISTANT, "", tool_calls=(ToolCall("c-1", "f", {}),)),
        ChatMessage(Role.TOOL, "", tool_results=(ToolResult("c-1", "f", content),)),
    )
    [part] = body_of(server, CompletionRequest(MODEL, turns))["contents"][-1]["parts"]
    assert part == {"functionResponse": {"id": "c-1", "name": "f", "response": {"result": content}}}


def test_calls_of_another_provider_are_marked_so_that_gemini_3_takes_them(server: GeminiServer) -> None:
    call = ToolCall("call_9", "f", {})
    turns = (
        ChatMessage(Role.USER, "Go"),
        ChatMessage(Role.ASSISTANT, "I look.", tool_calls=(call, call)),
        ChatMessage(Role.TOOL, "", tool_results=(ToolResult("call_9", "f", "{}"),)),
    )
    said, first, second = body_of(server, CompletionRequest(MODEL, turns))["contents"][1]["parts"]
    assert said == {"text": "I look."}
    assert urlsafe_b64decode(first["thoughtSignature"]) == b"skip_thought_signature_validator"
    assert "thoughtSignature" not in second
    with GeminiServer(models=("gemini-2.5-flash",)) as older:
        body = body_of(older, CompletionRequest("gemini-2.5-flash", turns))
    assert "thoughtSignature" not in str(body)


def test_a_call_that_ends_for_another_reason_keeps_it(server: GeminiServer) -> None:
    server.queue(Script(chunks=[], tool_calls=[("f", {})], finish="MAX_TOKENS"))
    assert answer(server, ask(MODEL, tools=(WEATHER,)))[-1] == StreamEnd(FinishReason.LENGTH, "MAX_TOKENS")


def test_a_call_keeps_geminis_id_and_must_have_a_name(server: GeminiServer) -> None:
    def calling(call: dict[str, Any]) -> Script:
        chunk = {"candidates": [{"content": {"parts": [{"functionCall": call}]}, "finishReason": "STOP"}]}
        return Script(chunks=[], stream_error=chunk)

    server.queue(calling({"id": "g-1", "name": "f"}), calling({}))
    events = answer(server, ask(MODEL))
    assert calls_of(events) == [ToolCall("g-1", "f", {})]
    assert events[-1] == StreamEnd(FinishReason.TOOL_CALLS, "STOP")
    with pytest.raises(AppError) as caught:
        answer(server, ask(MODEL))
    assert caught.value.kind is ErrorKind.BAD_ANSWER


# --- answers ---


def test_of_several_answers_the_first_is_read(server: GeminiServer) -> None:
    def candidate(index: int, text: str) -> dict[str, Any]:
        return {"index": index, "content": {"parts": [{"text": text}]}, "finishReason": "STOP"}

    chunk = {"candidates": [candidate(1, "second"), candidate(0, "first")]}
    server.queue(Script(chunks=[], stream_error=chunk))
    events = answer(server, ask(MODEL))
    assert events == [TextDelta("first"), StreamEnd(FinishReason.STOP, "STOP")]


def test_feedback_without_a_reason_is_no_end(server: GeminiServer) -> None:
    server.queue(Script(chunks=[], stream_error={"promptFeedback": {}}))
    with pytest.raises(AppError) as caught:
        answer(server, ask(MODEL))
    assert caught.value.kind is ErrorKind.CUT_STREAM


@pytest.mark.parametrize("figure", [-5, 0, 10**30])
def test_figures_come_through_as_they_are(server: GeminiServer, figure: int) -> None:
    server.queue(Script(usage={"promptTokenCount": figure, "candidatesTokenCount": 1}))
    reports = [e for e in answer(server, ask(MODEL)) if isinstance(e, UsageReport)]
    assert reports[-1].usage.input_tokens == figure


# --- models, tokens, preview ---


def test_models_tell_their_limits(server: GeminiServer) -> None:
    async def run() -> tuple[ModelInfo, ...]:
        async with GEMINI.provider(server.url) as provider:
            return await provider.models()

    first = asyncio.run(run())[0]
    said = "Fast and versatile: Gemini 3.8 Flash."
    assert first == ModelInfo(MODEL, "Gemini 3.8 Flash", 1_048_576, 65_536, said)


def counted(server: GeminiServer, request: CompletionRequest) -> int | None:
    async def run() -> int | None:
        async with GEMINI.provider(server.url) as provider:
            return await provider.count_tokens(request)

    return asyncio.run(run())


def test_everything_in_a_request_is_counted(server: GeminiServer) -> None:
    request = asking(
        Attachment("image/png", b"png"),
        text="two words",
        system_prompt="Be brief.",
        tools=(WEATHER,),
        temperature=0.5,
    )
    # Two words, two of the system prompt, one file, one function: the fake counts one for each.
    assert counted(server, request) == 6
    [received] = server.asked
    assert received.path == f"/v1beta/models/{MODEL}:countTokens"
    assert received.body["contents"] == []
    whole = received.body["generateContentRequest"]
    assert whole.pop("model") == f"models/{MODEL}"
    assert whole == body_of(server, request), "what is counted is what would be sent"


def test_a_count_that_is_refused(server: GeminiServer) -> None:
    with pytest.raises(AppError) as caught:
        counted(server, ask("gone"))
    assert caught.value.kind is ErrorKind.UNKNOWN_MODEL
    assert "gone" in caught.value.text()


def test_what_is_prepared_is_sent_with_everything_in_it(server: GeminiServer) -> None:
    turns = (
        ChatMessage(Role.USER, "Look", attachments=(Attachment("image/png", bytes(range(256))),)),
        ChatMessage(Role.ASSISTANT, "", tool_calls=(ToolCall("c", "get_weather", {"a": [1]}, b"\xfb\xff"),)),
        ChatMessage(Role.TOOL, "", tool_results=(ToolResult("c", "get_weather", '{"ясно": true}'),)),
    )
    request = CompletionRequest(
        MODEL,
        turns,
        tools=(WEATHER,),
        response_schema=ResponseSchema({"type": "object"}),
        reasoning_effort=ReasoningEffort.LOW,
        gemini=GeminiOptions(labels={"a": "b"}),
    )

    async def prepare() -> PreparedRequest:
        async with GEMINI.provider(server.url) as provider:
            return await provider.prepare(request)

    prepared = asyncio.run(prepare())
    assert not server.asked
    assert prepared.body == body_of(server, request)
    assert prepared.url == f"{server.url}/v1beta/models/{MODEL}:streamGenerateContent"


def test_an_error_names_the_key_as_it_was_called(server: GeminiServer) -> None:
    with pytest.raises(AppError) as caught:
        GeminiProvider("bad key", server.url, setting="the key “Work”")
    assert "the key “Work”" in caught.value.text()
