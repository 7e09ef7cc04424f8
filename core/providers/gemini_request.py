"""Gemini's documented request JSON in our terms, checked field by field before anything is sent.

    parse_gemini_request('{"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}', "gemini-3.8-flash")

Names may be written as documented (`maxOutputTokens`) or with underscores (`max_output_tokens`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, NoReturn, TypeVar, cast

from core.errors import AppError, ErrorKind
from core.i18n import DEFAULT_LANGUAGE, N_, translate
from core.providers.content import (
    Attachment,
    FunctionDeclaration,
    GeminiOptions,
    ResponseSchema,
    SafetySetting,
    ToolCall,
    ToolResult,
)
from core.providers.gemini_checks import Checker, FieldProblem, check_readable
from core.providers.gemini_fields import FIELDS, FieldHelp
from core.providers.gemini_rules import check_contents, check_settings, file_bytes
from core.providers.gemini_wire import MADE_ID
from core.providers.types import ChatMessage, CompletionRequest, Role

__all__ = [
    "FIELDS",
    "FieldHelp",
    "FieldProblem",
    "GeminiRequestProblems",
    "check_gemini_options",
    "gemini_options_request",
    "parse_gemini_request",
]

_MESSAGE = N_("The Gemini request cannot be used: {problems}")

_LISTED = 50  # problems in one sentence; all of them are in `problems`

KeyT = TypeVar("KeyT")
EntryT = TypeVar("EntryT")


class GeminiRequestProblems(AppError):
    """Everything that is wrong with a Gemini request; of kind VALIDATION, with at least one problem."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__(ErrorKind.VALIDATION, _MESSAGE, problems=_listed(problems, DEFAULT_LANGUAGE))
        self.problems = problems

    def text(self, language: str = DEFAULT_LANGUAGE) -> str:
        """A sentence and then a line for each problem, in `language`."""
        return translate(language, _MESSAGE, problems=_listed(self.problems, language))


def parse_gemini_request(source: str | Mapping[str, Any], model: str) -> CompletionRequest:
    """The request that the documented JSON (text or parsed) asks of `model`.

    Turns keep their order and their parts: a content with several texts becomes several messages of one role,
    which the adapter joins again. GeminiRequestProblems with everything that is wrong.
    """
    found = _read(source) if isinstance(source, str) else source
    clean = _checked(found, check_contents)
    return _with_settings(CompletionRequest(model, _messages(clean["contents"])), clean)


def check_gemini_options(options: Mapping[str, Any]) -> None:
    """Nothing when `options` (the documented form without `contents`) can be kept; GeminiRequestProblems if not."""
    _checked(options, _without_contents)


def gemini_options_request(options: Mapping[str, Any], base: CompletionRequest) -> CompletionRequest:
    """`base` with everything of `options` that it does not set itself; GeminiRequestProblems as above.

    Safety settings and labels of both are used together; what both set is as `base` has it.
    """
    laid = _with_settings(CompletionRequest(base.model, base.messages), _checked(options, _without_contents))
    own, below = base.gemini or GeminiOptions(), laid.gemini or GeminiOptions()
    if base.response_schema is None and own.response_mime_type not in (None, "application/json"):
        laid = replace(laid, response_schema=None)
    gemini = replace(
        _over(own, below),
        safety_settings=_joined(own.safety_settings, below.safety_settings, lambda setting: setting.category),
        labels={**below.labels, **own.labels},
    )
    return replace(_over(base, laid), gemini=gemini if gemini != GeminiOptions() else base.gemini)


def _over(base: EntryT, below: EntryT) -> EntryT:
    """`base`, a dataclass, with the fields of `below` where it has None or nothing."""
    unset = [entry.name for entry in fields(cast("Any", base)) if getattr(base, entry.name) in (None, ())]
    return replace(cast("Any", base), **{name: getattr(below, name) for name in unset})


def _joined(
    own: tuple[EntryT, ...], below: tuple[EntryT, ...], key: Callable[[EntryT], KeyT]
) -> tuple[EntryT, ...]:
    taken = {key(entry) for entry in own}
    return (*own, *(entry for entry in below if key(entry) not in taken))


# --- finding what is wrong ---


def _read(source: str) -> Any:
    at: tuple[int, int] | None = None
    try:
        return json.loads(source.removeprefix("\ufeff"), parse_constant=_no_number)
    except json.JSONDecodeError as error:
        at = error.lineno, error.colno
    except (ValueError, RecursionError):  # a number of thousands of digits, NaN, thousands of brackets
        pass
    message = N_("This is not JSON.")
    if at is None:
        raise GeminiRequestProblems((FieldProblem("", message),))
    message = N_(
        "This is not JSON: line {line}, column {column} cannot be read. Look there for a comma, a quote or "
        "a bracket that is missing or too many."
    )
    raise GeminiRequestProblems((FieldProblem("", message, {"line": at[0], "column": at[1]}),))


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _checked(found: Any, rules: Callable[[Checker, Mapping[str, Any]], None]) -> dict[str, Any]:
    """The fields under their documented names, all of them right."""
    checker = Checker()
    check_readable(checker, found)
    clean: dict[str, Any] = {}
    if not checker.problems and not isinstance(found, Mapping):
        checker.add("", N_("This must be an object in curly braces."))
    if not checker.problems:
        clean = checker.fields(cast("Mapping[str, Any]", found), "", "")
        rules(checker, clean)
        check_settings(checker, clean)
    if checker.problems:
        raise GeminiRequestProblems(checker.problems)
    return clean


def _without_contents(checker: Checker, clean: Mapping[str, Any]) -> None:
    if "contents" in clean:
        checker.add(
            "contents", N_("Messages belong to a request, not to settings that are kept. Take them out.")
        )


def _listed(problems: tuple[FieldProblem, ...], language: str) -> str:
    """One on the line it is named in, several on lines of their own."""
    lines = [problem.text(language) for problem in problems[:_LISTED]]
    if len(problems) > _LISTED:
        lines.append(translate(language, N_("Further problems: {count}."), count=len(problems) - _LISTED))
    return lines[0] if len(lines) == 1 else "\n" + "\n".join(lines)


# --- what is right, in our terms ---


def _messages(contents: list[dict[str, Any]]) -> tuple[ChatMessage, ...]:
    messages: list[ChatMessage] = []
    calls: list[ToolCall] = []  # without a result yet
    made = 0
    for content in contents:
        if content.get("role") == "model":
            asked = [part for part in content["parts"] if "functionCall" in part]
            found = tuple(_call(part, f"{MADE_ID}{made + at}") for at, part in enumerate(asked, 1))
            made += len(found)
            calls.extend(found)
            text = "".join(part.get("text", "") for part in content["parts"])
            messages.append(ChatMessage(Role.ASSISTANT, text, tool_calls=found))
        else:
            messages.extend(_said(content["parts"], calls))
    return tuple(messages)


def _said(parts: list[dict[str, Any]], calls: list[ToolCall]) -> list[ChatMessage]:
    """A user's turn: an attachment after a text begins a new message, so that their order is kept."""
    messages: list[ChatMessage] = []
    for part in parts:
        if "functionResponse" in part:
            result = _result(part["functionResponse"], calls)
            if messages and messages[-1].role is Role.TOOL:
                result_before = messages.pop().tool_results
                messages.append(ChatMessage(Role.TOOL, "", tool_results=(*result_before, result)))
            else:
                messages.append(ChatMessage(Role.TOOL, "", tool_results=(result,)))
            continue
        before = ChatMessage(Role.USER, "")
        if messages and messages[-1].role is Role.USER and not messages[-1].text:
            before = messages.pop()
        if "text" in part:
            messages.append(replace(before, text=part["text"]))
        else:
            messages.append(replace(before, attachments=(*before.attachments, _attachment(part))))
    return messages


def _attachment(part: dict[str, Any]) -> Attachment:
    file, inline = part.get("fileData", {}), part.get("inlineData", {})
    clip = part.get("videoMetadata", {})
    return Attachment(
        mime_type=str({**file, **inline}["mimeType"]).lower(),
        data=file_bytes(inline["data"]) if inline else None,
        uri=file.get("fileUri"),
        start_seconds=clip.get("startOffset"),
        end_seconds=clip.get("endOffset"),
    )


def _call(part: dict[str, Any], made_id: str) -> ToolCall:
    call, signature = part["functionCall"], part.get("thoughtSignature")
    return ToolCall(
        call.get("id") or made_id,
        call["name"],
        call.get("args", {}),
        file_bytes(signature) if signature else None,
    )


def _result(answer: dict[str, Any], calls: list[ToolCall]) -> ToolResult:
    """Answers without an id belong to the calls of their function in turn."""
    wanted = answer.get("id")
    call = next(
        (call for call in calls if wanted in (None, "", call.id) and call.name == answer["name"]), None
    )
    if call is not None:
        calls.remove(call)
    call_id = wanted or (call.id if call is not None else "")
    return ToolResult(call_id, answer["name"], json.dumps(answer["response"], ensure_ascii=False))


def _with_settings(request: CompletionRequest, clean: Mapping[str, Any]) -> CompletionRequest:
    config: Mapping[str, Any] = clean.get("generationConfig", {})
    instruction = clean.get("systemInstruction", {}).get("parts", ())
    schema = config.get("responseSchema")
    return replace(
        request,
        system_prompt="\n".join(part["text"] for part in instruction) or None,
        temperature=config.get("temperature"),
        max_output_tokens=config.get("maxOutputTokens"),
        top_p=config.get("topP"),
        top_k=config.get("topK"),
        presence_penalty=config.get("presencePenalty"),
        frequency_penalty=config.get("frequencyPenalty"),
        stop_sequences=tuple(config.get("stopSequences", ())),
        seed=config.get("seed"),
        tools=tuple(
            FunctionDeclaration(
                function["name"], function.get("description", ""), function.get("parameters", {})
            )
            for tool in clean.get("tools", ())
            for function in tool["functionDeclarations"]
        ),
        response_schema=ResponseSchema(schema) if schema is not None else None,
        gemini=_options(clean, config),
    )


def _options(clean: Mapping[str, Any], config: Mapping[str, Any]) -> GeminiOptions | None:
    options = GeminiOptions(
        safety_settings=tuple(
            SafetySetting(setting["category"], setting["threshold"])
            for setting in clean.get("safetySettings", ())
        ),
        cached_content=clean.get("cachedContent"),
        labels=clean.get("labels", {}),
        candidate_count=config.get("candidateCount"),
        response_mime_type=config.get("responseMimeType"),
        response_logprobs=config.get("responseLogprobs"),
        logprobs=config.get("logprobs"),
        audio_timestamp=config.get("audioTimestamp"),
    )
    return options if options != GeminiOptions() else None
