"""The documented request JSON of Gemini: what is taken, what is refused and where, and what reaches the wire."""

import asyncio
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import AppError, ErrorKind
from core.providers.content import GeminiOptions, ResponseSchema, SafetySetting
from core.providers.gemini_fields import HARM_BLOCK_THRESHOLDS, HARM_CATEGORIES, field
from core.providers.gemini_request import (
    FIELDS,
    GeminiRequestProblems,
    check_gemini_options,
    gemini_options_request,
    parse_gemini_request,
)
from core.providers.gemini_wire import sdk_request
from core.providers.types import ChatMessage, CompletionRequest, Role
from tests.contract.adapter import collect
from tests.contract.entries.gemini import GEMINI
from tests.fakes.gemini_server import GeminiServer

MODEL = "gemini-3.8-flash"

# The documented example with every field filled. cachedContent is tried alone: Google takes it not with all of this.
DOCUMENT: dict[str, Any] = {
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "What is in the picture?"},
                {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
                {
                    "fileData": {"mimeType": "video/mp4", "fileUri": "https://files.example/v1/clip"},
                    "videoMetadata": {
                        "startOffset": {"seconds": 12, "nanos": 500_000_000},
                        "endOffset": {"seconds": 20},
                    },
                },
                {"text": "And in the clip?"},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "Let me look up the weather."},
                {
                    "functionCall": {"id": "c-1", "name": "get_weather", "args": {"city": "Осло"}},
                    "thoughtSignature": "c2lnbmVk",
                },
            ],
        },
        {
            "role": "function",
            "parts": [
                {"functionResponse": {"id": "c-1", "name": "get_weather", "response": {"degrees": -3}}}
            ],
        },
    ],
    "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "get_weather",
                    "description": "The weather in a city",
                    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
                }
            ]
        }
    ],
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}],
    "generationConfig": {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "candidateCount": 1,
        "maxOutputTokens": 500,
        "presencePenalty": 0.5,
        "frequencyPenalty": -0.5,
        "stopSequences": ["END"],
        "responseMimeType": "application/json",
        "responseSchema": {
            "type": "OBJECT",
            "properties": {"seen": {"type": "ARRAY", "items": {"type": "STRING"}, "minItems": "1"}},
            "required": ["seen"],
        },
        "seed": 7,
        "responseLogprobs": True,
        "logprobs": 3,
        "audioTimestamp": False,
    },
    "labels": {"team": "research"},
}


def said(**request: Any) -> dict[str, Any]:
    """A small right request with `request` in it."""
    return {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], **request}


def config(**fields: Any) -> dict[str, Any]:
    return said(generationConfig=fields)


def parts(*found: Any, role: str = "user") -> dict[str, Any]:
    return {"contents": [{"role": role, "parts": list(found)}, {"parts": [{"text": "go on"}]}]}


def problems(source: Any) -> dict[str, str]:
    """What is wrong with `source`: path to sentence."""
    with pytest.raises(GeminiRequestProblems) as caught:
        parse_gemini_request(source, MODEL)
    assert caught.value.kind is ErrorKind.VALIDATION
    found = {problem.path: problem.text() for problem in caught.value.problems}
    assert all(line in str(caught.value) for line in found.values())
    return found


def sent(request: CompletionRequest) -> dict[str, Any]:
    """The body that reaches a server."""

    async def run(url: str) -> None:
        async with GEMINI.provider(url) as provider:
            await collect(provider, request)

    with GeminiServer() as server:
        asyncio.run(run(server.url))
        return server.asked[0].body


def camel(value: Any) -> Any:
    """`value` with the SDK's names in underscores as documented; Google reads both."""
    if isinstance(value, dict):
        names = {key: "".join(w[:1].upper() + w[1:] for w in key.split("_")) for key in value}
        return {names[key][:1].lower() + names[key][1:]: camel(item) for key, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


# --- from the document to the wire ---


def test_the_documented_example_reaches_the_wire_as_it_stands() -> None:
    body = camel(sent(parse_gemini_request(json.dumps(DOCUMENT), MODEL)))
    expected = copy.deepcopy(DOCUMENT)
    # The five places where the wire says the same in other words.
    expected["contents"][0]["parts"][2]["videoMetadata"] = {"startOffset": "12.5s", "endOffset": "20s"}
    expected["contents"][2]["role"] = "user"
    function = expected["tools"][0]["functionDeclarations"][0]
    del function["parameters"]
    function["parametersJsonSchema"] = {"type": "object", "properties": {"city": {"type": "string"}}}
    del expected["generationConfig"]["responseSchema"]
    expected["generationConfig"]["responseJsonSchema"] = {
        "type": "object",
        "properties": {"seen": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
        "required": ["seen"],
    }
    del expected["generationConfig"]["audioTimestamp"]
    assert body == expected


def test_what_was_sent_can_be_read_back() -> None:
    request = parse_gemini_request(DOCUMENT, MODEL)
    assert sent(parse_gemini_request(sent(request), MODEL)) == sent(request)


def test_underscores_mean_the_same() -> None:
    request = {
        "contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "aaaa"}}, {"text": "?"}]}],
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "generation_config": {"max_output_tokens": 5, "top_p": 1, "stop_sequences": ["x"]},
    }
    parsed = parse_gemini_request(request, MODEL)
    assert (parsed.max_output_tokens, parsed.top_p, parsed.stop_sequences) == (5, 1.0, ("x",))
    assert parsed.system_prompt == "Be brief."
    assert parsed.messages[0].attachments[0].mime_type == "image/png"


def test_a_cached_prefix_reaches_the_wire() -> None:
    request = parse_gemini_request(said(cachedContent="cachedContents/abc-1"), MODEL)
    assert sent(request)["cachedContent"] == "cachedContents/abc-1"


def test_null_leaves_a_field_out() -> None:
    assert parse_gemini_request(config(temperature=None), MODEL).temperature is None


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert parse_gemini_request(config(topK=40.0), MODEL).top_k == 40


def test_offsets_may_be_texts() -> None:
    part = {
        "fileData": {"mimeType": "video/mp4", "fileUri": "https://x/y"},
        "videoMetadata": {"startOffset": "1.25s", "endOffset": "2s"},
    }
    attachment = parse_gemini_request(parts(part), MODEL).messages[0].attachments[0]
    assert (attachment.start_seconds, attachment.end_seconds) == (1.25, 2.0)


def test_results_without_ids_belong_to_their_calls_in_turn() -> None:
    call = {"functionCall": {"name": "look", "args": {}}}
    result = {"functionResponse": {"name": "look", "response": {"ok": True}}}
    request = {
        "contents": [
            {"role": "user", "parts": [{"text": "Look twice"}]},
            {"role": "model", "parts": [call, call]},
            {"role": "user", "parts": [result, result]},
        ]
    }
    _, asked, answered = parse_gemini_request(request, MODEL).messages
    ids = [call.id for call in asked.tool_calls]
    assert len(set(ids)) == 2
    assert [result.call_id for result in answered.tool_results] == ids
    assert answered.role is Role.TOOL
    assert all("id" not in part["functionResponse"] for part in sent_parts(request)), "the ids are ours"


def sent_parts(request: dict[str, Any]) -> list[Any]:
    return sent(parse_gemini_request(request, MODEL))["contents"][-1]["parts"]


@pytest.mark.parametrize(
    ("google", "plain"),
    [
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "STRING", "format": "enum", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"type": "INTEGER", "nullable": False, "example": 3}, {"type": "integer", "examples": [3]}),
        (
            {"any_of": [{"type": "NULL"}, {"type": "number"}]},
            {"anyOf": [{"type": "null"}, {"type": "number"}]},
        ),
        ({"type": ["string", "null"], "$defs": {}}, {"type": ["string", "null"], "$defs": {}}),
        (
            {"type": "OBJECT", "properties": {"type": {"type": "STRING"}}, "propertyOrdering": ["type"]},
            {"type": "object", "properties": {"type": {"type": "string"}}, "propertyOrdering": ["type"]},
        ),
    ],
)
def test_schemas_of_both_kinds(google: dict[str, Any], plain: dict[str, Any]) -> None:
    request = config(responseMimeType="application/json", responseSchema=google)
    assert parse_gemini_request(request, MODEL).response_schema == ResponseSchema(plain)


# --- what is wrong, and where ---

CALL = {"functionCall": {"name": "f"}}
VIDEO = {"fileData": {"mimeType": "video/mp4", "fileUri": "https://x/y"}}
SCHEMA = {"responseMimeType": "application/json"}
P0 = "contents[0].parts[0]"

WRONG: list[tuple[Any, str, str]] = [
    ([], "", "object in curly braces"),
    (None, "", "object in curly braces"),
    ({}, "contents", "Add the user's message"),
    ({"contents": []}, "contents", "At least one entry"),
    ({"contents": "Hi"}, "contents", "list in square brackets"),
    ({"contents": ["Hi"]}, "contents[0]", "object in curly braces"),
    ({"contents": [{"role": "user"}]}, "contents[0].parts", "missing"),
    ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "contents[0].role", "user, model"),
    ({"contents": [{"role": "model", "parts": [{"text": "x"}]}]}, "contents[0].role", "last turn must be"),
    (said(content=[]), "content", "Did you mean contents?"),
    (said(generatoinConfig={}), "generatoinConfig", "Did you mean generationConfig?"),
    (said(max_output_tokens=1), "max_output_tokens", "belongs elsewhere: generationConfig.maxOutputTokens"),
    (said(zzz=1), "zzz", "Known are: cachedContent"),
    (config(temprature=1), "generationConfig.temprature", "Did you mean temperature?"),
    (config(temperature="hot"), "generationConfig.temperature", "number"),
    (config(temperature=True), "generationConfig.temperature", "number"),
    (config(temperature=2.01), "generationConfig.temperature", "from 0 to 2"),
    (config(temperature=-0.1), "generationConfig.temperature", "from 0 to 2"),
    (config(topP=1.5), "generationConfig.topP", "from 0 to 1"),
    (config(topK=0), "generationConfig.topK", "from 1"),
    (config(topK=1.5), "generationConfig.topK", "whole number"),
    (config(candidateCount=9), "generationConfig.candidateCount", "from 1 to 8"),
    (config(candidateCount=True), "generationConfig.candidateCount", "whole number"),
    (config(maxOutputTokens=0), "generationConfig.maxOutputTokens", "from 1"),
    (config(maxOutputTokens="5"), "generationConfig.maxOutputTokens", "whole number"),
    (config(presencePenalty=2), "generationConfig.presencePenalty", "less than 2"),
    (config(frequencyPenalty=-2.1), "generationConfig.frequencyPenalty", "at least -2"),
    (config(stopSequences=["a"] * 6), "generationConfig.stopSequences", "At most 5"),
    (config(stopSequences=["a", ""]), "generationConfig.stopSequences[1]", "empty text"),
    (config(stopSequences=["a", 1]), "generationConfig.stopSequences[1]", "text in quotes"),
    (config(logprobs=3), "generationConfig.logprobs", "responseLogprobs true"),
    (config(logprobs=21, responseLogprobs=True), "generationConfig.logprobs", "from 0 to 20"),
    (config(responseLogprobs=1), "generationConfig.responseLogprobs", "true or false"),
    (config(seed=2**31), "generationConfig.seed", "from -2147483648 to 2147483647"),
    (config(audioTimestamp=True), "generationConfig.audioTimestamp", "Enterprise"),
    (
        config(responseMimeType="text/html"),
        "generationConfig.responseMimeType",
        "text/plain, application/json",
    ),
    (config(responseSchema={"type": "object"}), "generationConfig.responseSchema", "application/json"),
    (config(**SCHEMA, responseSchema="{}"), "generationConfig.responseSchema", "JSON schema"),
    (
        config(**SCHEMA, responseSchema={"type": "TEXT"}),
        "generationConfig.responseSchema.type",
        "string, number",
    ),
    (
        config(**SCHEMA, responseSchema={"properties": {"a": {"items": 5}}}),
        "generationConfig.responseSchema.properties.a.items",
        "JSON schema",
    ),
    (
        config(**SCHEMA, responseSchema={"required": "a"}),
        "generationConfig.responseSchema.required",
        "list of names",
    ),
    (config(temperature=1, Temperature=1), "generationConfig.Temperature", "Did you mean temperature?"),
    (config(topP=1, top_p=1), "generationConfig.top_p", "given twice"),
    (parts({}), P0, "must have one of"),
    (
        parts({"text": "x", "inlineData": {"mimeType": "image/png", "data": "aaaa"}}),
        P0,
        "only one of these: text, inl",
    ),
    (parts({"text": 5}), f"{P0}.text", "text in quotes"),
    (parts({"inlineData": {"data": "aaaa"}}), f"{P0}.inlineData.mimeType", "missing"),
    (parts({"inlineData": {"mimeType": "png", "data": "aaaa"}}), f"{P0}.inlineData.mimeType", "MIME type"),
    (parts({"inlineData": {"mimeType": "image/png", "data": "a?a"}}), f"{P0}.inlineData.data", "Base64"),
    (parts({"inlineData": {"mimeType": "image/png", "data": ""}}), f"{P0}.inlineData.data", "nothing in it"),
    (parts({"fileData": {"mimeType": "image/png"}}), f"{P0}.fileData.fileUri", "missing"),
    (parts({"fileData": {"mimeType": "image/png", "fileUri": "a b"}}), f"{P0}.fileData.fileUri", "address"),
    (parts({"text": "x", "videoMetadata": {}}), f"{P0}.videoMetadata", "of a video"),
    (
        parts({**VIDEO, "videoMetadata": {"startOffset": "2"}}),
        f"{P0}.videoMetadata.startOffset",
        "seconds and nanos",
    ),
    (
        parts({**VIDEO, "videoMetadata": {"startOffset": {"seconds": 2.5}}}),
        f"{P0}.videoMetadata.startOffset.seconds",
        "whole number",
    ),
    (
        parts({**VIDEO, "videoMetadata": {"startOffset": {"nanos": 10**9}}}),
        f"{P0}.videoMetadata.startOffset.nanos",
        "from 0 to 999999999",
    ),
    (
        parts({**VIDEO, "videoMetadata": {"startOffset": "2s", "endOffset": "2s"}}),
        f"{P0}.videoMetadata.endOffset",
        "end after it begins",
    ),
    (parts(CALL), f"{P0}.functionCall", "Only the model"),
    (parts({**CALL, "thoughtSignature": "?"}, role="model"), f"{P0}.thoughtSignature", "not Base64"),
    (
        parts(CALL, {"functionResponse": {"name": "f", "response": {}}}, role="model"),
        "contents[0].parts[1].functionResponse",
        "does not answer functions",
    ),
    (parts({"functionCall": {}}, role="model"), f"{P0}.functionCall.name", "missing"),
    (parts(VIDEO, role="model"), f"{P0}.fileData", "Only the user"),
    (parts({"text": "x"}, role="function"), f"{P0}.text", "only functionResponse"),
    (parts({"text": "x", "thoughtSignature": "aaaa"}), f"{P0}.thoughtSignature", "function call"),
    (
        parts({"functionResponse": {"name": "f", "response": {}}}),
        f"{P0}.functionResponse.name",
        "No function of this name",
    ),
    (
        {
            "contents": [
                {"role": "model", "parts": [CALL]},
                {"role": "function", "parts": [{"functionResponse": {"name": "f", "response": []}}]},
            ]
        },
        "contents[1].parts[0].functionResponse.response",
        "curly",
    ),
    (said(systemInstruction="Be brief."), "systemInstruction", "curly"),
    (said(systemInstruction={}), "systemInstruction.parts", "missing"),
    (said(systemInstruction={"parts": [{}]}), "systemInstruction.parts[0].text", "missing"),
    (
        said(tools=[{"functionDeclarations": [{"name": "f"}], "googleSearch": {}}]),
        "tools[0].googleSearch",
        "Known are: functionDeclarations",
    ),
    (
        said(safetySettings=[{"category": "HARM", "threshold": "OFF"}]),
        "safetySettings[0].category",
        "HARM_CATEGORY_HARASSMENT",
    ),
    (
        said(safetySettings=[{"category": HARM_CATEGORIES[0], "threshold": "NEVER"}]),
        "safetySettings[0].threshold",
        "BLOCK_NONE",
    ),
    (said(safetySettings=[{"category": HARM_CATEGORIES[0]}]), "safetySettings[0].threshold", "missing"),
    (
        said(safetySettings=[{"category": HARM_CATEGORIES[0], "threshold": "OFF"}] * 2),
        "safetySettings[1].category",
        "already",
    ),
    (said(labels={"Team": "x"}), "labels.Team", "small Latin letters"),
    (said(labels={"a" * 64: "x"}), "labels." + "a" * 63, "at most 63"),
    (said(labels={"team": 5}), "labels.team", "text in quotes"),
    (said(labels={"team": "x" * 64}), "labels.team", "63 characters"),
    (said(cachedContent="abc"), "cachedContent", "cachedContents/abc123"),
    (
        said(cachedContent="cachedContents/a", systemInstruction={"parts": [{"text": "x"}]}),
        "systemInstruction",
        "not take this together with cachedContent",
    ),
    (
        said(cachedContent="cachedContents/a", tools=[{"functionDeclarations": [{"name": "f"}]}]),
        "tools",
        "not take this together with cachedContent",
    ),
    (said(labels={"team": "\ud800"}), "labels.team", "half a character"),
    (config(temperature=float("inf")), "generationConfig.temperature", "too large"),
    (config(temperature=10**400), "generationConfig.temperature", "from 0 to 2"),
    (config(temperature={1, 2}), "generationConfig.temperature", "no such value"),
    ({1: 2}, "", "not readable text"),
]


@pytest.mark.parametrize(
    ("source", "path", "named"), WRONG, ids=[f"{at}-{case[1]}" for at, case in enumerate(WRONG)]
)
def test_what_is_wrong_is_named_with_its_path(source: Any, path: str, named: str) -> None:
    found = problems(source)
    assert path in found, found
    assert named in found[path]
    assert len(found) == 1, "one mistake is one problem"


def function(**declared: Any) -> dict[str, Any]:
    return said(tools=[{"functionDeclarations": [{"name": "f"}, declared]}])


@pytest.mark.parametrize(
    ("declared", "name", "named"),
    [
        ({"name": "1st"}, "name", "Latin letters"),
        ({"name": "a" * 65}, "name", "at most 64"),
        ({"name": "f"}, "name", "this name already"),
        ({"description": "x"}, "name", "missing"),
        ({"name": "g", "parameters": []}, "parameters", "JSON schema"),
        ({"name": "g", "parameters": {"type": "STRING"}}, "parameters", "must be “object”"),
        ({"name": "g", "parameters": {"object": 1}}, "parameters", "must be “object”"),
    ],
)
def test_functions_that_cannot_be_declared(declared: dict[str, Any], name: str, named: str) -> None:
    found = problems(function(**declared))
    [(path, sentence)] = found.items()
    assert path == f"tools[0].functionDeclarations[1].{name}"
    assert named in sentence


def test_all_problems_are_told_at_once() -> None:
    request = {
        "contents": [
            {"role": "user", "parts": [{"text": "x"}, {"inlineData": {"mimeType": "x", "data": "?"}}]}
        ],
        "generationConfig": {"temperature": 9, "topP": "a"},
        "label": {},
    }
    assert set(problems(request)) == {
        "contents[0].parts[1].inlineData.mimeType",
        "contents[0].parts[1].inlineData.data",
        "generationConfig.temperature",
        "generationConfig.topP",
        "label",
    }


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("", "line 1, column 1"),
        ('{\n  "contents": [,]\n}', "line 2, column 16"),
        ('{"contents": [1}', "line 1, column 16"),
        ('{"generationConfig": {"temperature": NaN}}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"seed": ' + "1" * 5000 + "}", "not JSON"),
    ],
)
def test_text_that_is_no_json(source: str, named: str) -> None:
    [sentence] = problems(source).values()
    assert named in sentence


def test_json_that_is_nested_too_deep() -> None:
    [sentence] = problems("[" * 500 + "]" * 500).values()
    assert "too deep" in sentence


def test_a_flood_of_problems_is_cut_in_the_sentence_only() -> None:
    with pytest.raises(GeminiRequestProblems) as caught:
        parse_gemini_request(said(labels={f"L{at}": "x" for at in range(60)}), MODEL)
    assert len(caught.value.problems) == 60
    assert str(caught.value).endswith("Further problems: 10.")
    assert str(caught.value).count("\n") == 51


def test_an_error_speaks_the_readers_language() -> None:
    with pytest.raises(GeminiRequestProblems) as caught:
        parse_gemini_request(config(temperature=9), MODEL)
    assert caught.value.text("en").count("\n") == 0
    assert "generationConfig.temperature: " in caught.value.text("ru")


# --- any JSON value ---

NAMES = sorted({name for entry in FIELDS for name in entry.path.replace("[]", "").split(".")})
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(["user", "model", "function", "aaaa", "image/png", "video/mp4", "OBJECT", "1s", "f"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*NAMES, "type", "items", "properties"]) | st.text(max_size=3), inner, max_size=4
        )
    ),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inside for place in places(item, (*path, key)))]


def usable_or_problems(source: Any, parse: Callable[[Any], CompletionRequest]) -> None:
    """What is parsed can be sent; all else is GeminiRequestProblems."""
    refused: GeminiRequestProblems | None = None
    try:
        contents, _ = sdk_request(parse(source))
        assert contents
    except GeminiRequestProblems as error:
        refused = error
    if refused is not None:
        assert refused.problems
        assert all(problem.text("ru") in refused.text("ru") for problem in refused.problems)


@given(JSON)
@settings(deadline=None)
def test_any_json_value_is_parsed_or_refused(value: Any) -> None:
    usable_or_problems(value, lambda source: parse_gemini_request(source, MODEL))


@given(st.sampled_from(places(DOCUMENT)[1:]), JSON)
@settings(deadline=None, max_examples=300)
def test_any_change_of_a_right_request_is_parsed_or_refused(place: tuple[Any, ...], value: Any) -> None:
    changed = copy.deepcopy(DOCUMENT)
    *way, last = place
    spot: Any = changed
    for step in way:
        spot = spot[step]
    spot[last] = value
    usable_or_problems(changed, lambda source: parse_gemini_request(source, MODEL))


@given(st.text())
@settings(deadline=None)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    usable_or_problems(text, lambda source: parse_gemini_request(source, MODEL))


# --- settings that are kept ---

BASE = CompletionRequest(MODEL, (ChatMessage(Role.USER, "Hi"),))
OPTIONS: dict[str, Any] = {key: value for key, value in DOCUMENT.items() if key != "contents"}


def test_kept_settings_are_laid_under_a_request() -> None:
    whole = parse_gemini_request(DOCUMENT, MODEL)
    laid = gemini_options_request(OPTIONS, BASE)
    assert laid.messages == BASE.messages
    assert (laid.temperature, laid.tools, laid.gemini) == (whole.temperature, whole.tools, whole.gemini)
    assert (laid.response_schema, laid.system_prompt) == (whole.response_schema, "Be brief.")


def test_what_a_request_sets_itself_stands() -> None:
    own = GeminiOptions(
        (SafetySetting("HARM_CATEGORY_HARASSMENT", "OFF"),), labels={"team": "sales"}, candidate_count=2
    )
    base = CompletionRequest(
        MODEL, BASE.messages, "Sing.", temperature=0.0, max_output_tokens=9, stop_sequences=("x",), gemini=own
    )
    options = {
        **OPTIONS,
        "labels": {"team": "research", "site": "oslo"},
        "safetySettings": [
            {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"},
            {"category": "HARM_CATEGORY_JAILBREAK", "threshold": "BLOCK_NONE"},
        ],
    }
    laid = gemini_options_request(options, base)
    assert (laid.system_prompt, laid.temperature, laid.max_output_tokens) == ("Sing.", 0.0, 9)
    assert (laid.stop_sequences, laid.top_k) == (("x",), 40)
    assert laid.gemini is not None
    assert laid.gemini.labels == {"team": "sales", "site": "oslo"}
    assert laid.gemini.candidate_count == 2
    assert laid.gemini.safety_settings == (
        SafetySetting("HARM_CATEGORY_HARASSMENT", "OFF"),
        SafetySetting("HARM_CATEGORY_JAILBREAK", "BLOCK_NONE"),
    )


def test_a_request_for_plain_text_is_not_given_a_kept_schema() -> None:
    base = CompletionRequest(MODEL, BASE.messages, gemini=GeminiOptions(response_mime_type="text/plain"))
    assert gemini_options_request(OPTIONS, base).response_schema is None


def test_no_settings_change_nothing() -> None:
    assert gemini_options_request({}, BASE) == BASE


def test_settings_are_checked_when_they_are_kept() -> None:
    check_gemini_options(OPTIONS)
    with pytest.raises(GeminiRequestProblems) as caught:
        check_gemini_options({"contents": DOCUMENT["contents"], "generationConfig": {"topP": 7}})
    assert {problem.path for problem in caught.value.problems} == {"contents", "generationConfig.topP"}


@given(JSON)
@settings(deadline=None)
def test_any_settings_are_kept_or_refused(value: Any) -> None:
    usable_or_problems(value, lambda options: gemini_options_request(options, BASE))


# --- the table of fields ---


def test_the_enums_are_googles() -> None:
    unsupported = {category.value for category in types.HarmCategory if "_IMAGE_" in category.value}
    known = {category.value for category in types.HarmCategory} - unsupported - {"HARM_CATEGORY_UNSPECIFIED"}
    assert set(HARM_CATEGORIES) == known
    assert set(HARM_BLOCK_THRESHOLDS) == {threshold.value for threshold in types.HarmBlockThreshold}


def test_every_documented_field_is_described() -> None:
    def paths(value: Any, path: str) -> set[str]:
        if isinstance(value, dict) and not path.endswith(
            ("args", "response", "chema", "parameters", "labels")
        ):
            return {p for key, item in value.items() for p in paths(item, f"{path}.{key}".lstrip("."))} | {
                path
            }
        if isinstance(value, list):
            return {p for item in value for p in paths(item, f"{path}[]")} | {path}
        return {path}

    described = {entry.path for entry in FIELDS}
    documented = paths({**DOCUMENT, "cachedContent": "x"}, "") - {""}
    assert {path for path in documented if not path.endswith("[]")} <= described
    assert all(entry.help for entry in FIELDS)


@pytest.mark.parametrize(
    "entry", [e for e in FIELDS if e.type in ("integer", "number")], ids=lambda e: e.path
)
def test_the_bounds_in_the_table_are_the_bounds(entry: Any) -> None:
    if not entry.path.startswith("generationConfig."):
        assert entry.minimum == 0
        return
    name = entry.path.partition(".")[2]
    more = {"responseLogprobs": True} if name == "logprobs" else {}
    step = 1 if entry.type == "integer" else 0.001
    parse_gemini_request(config(**more, **{name: entry.minimum}), MODEL)
    assert entry.path in problems(config(**more, **{name: entry.minimum - step}))
    assert entry.path in problems(config(**more, **{name: entry.maximum + step}))
    if entry.exclusive_maximum:
        assert entry.path in problems(config(**more, **{name: entry.maximum}))
    else:
        parse_gemini_request(config(**more, **{name: entry.maximum}), MODEL)


def test_a_field_is_found_by_its_path() -> None:
    assert field("generationConfig.temperature").maximum == 2


def test_what_passes_the_parser_can_still_be_refused_by_the_adapter() -> None:
    program = parts({"inlineData": {"mimeType": "application/x-msdownload", "data": "aaaa"}})
    with pytest.raises(AppError) as caught:
        sent(parse_gemini_request(program, MODEL))
    assert caught.value.kind is ErrorKind.VALIDATION
