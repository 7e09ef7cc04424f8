"""What a Gemini request must keep to beyond the type and range of each field: unions, order, what needs what."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.i18n import N_
from core.providers.gemini_checks import Checker, under
from core.providers.gemini_fields import PART_KINDS

_MIME_TYPE = re.compile(
    r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*(?:; ?[a-z0-9-]+=[a-z0-9._-]+)*", re.IGNORECASE | re.ASCII
)
_FUNCTION = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII)
_LABEL_LENGTH = 63
_CACHE = re.compile(r"cachedContents/[A-Za-z0-9._-]{1,200}", re.ASCII)
_MISSING = N_("This is missing.")

Clean = Mapping[str, Any]


def check_contents(checker: Checker, request: Clean) -> None:
    """The conversation: who speaks, what each part is, and that the user speaks last."""
    if "contents" not in request:
        checker.add("contents", N_("There is nothing to answer. Add the user's message."))
        return
    asked: list[str] = []  # functions that were asked for so far, by name
    for path, content in _entries(request["contents"], "contents"):
        role = content.get("role", "user")
        _require(checker, content, path, "parts")
        for at, part in _entries(content.get("parts", ()), f"{path}.parts"):
            _check_part(checker, part, at, role, asked)
    last = request["contents"][-1]
    if last is not None and last.get("role") == "model":
        path = f"contents[{len(request['contents']) - 1}].role"
        checker.add(path, N_("The last turn must be the user's: there is nothing to answer."))


def check_settings(checker: Checker, request: Clean) -> None:
    """Everything around the conversation."""
    _check_system(checker, request)
    _check_tools(checker, request)
    _check_safety(checker, request)
    _check_config(checker, request.get("generationConfig", {}))
    _check_labels(checker, request.get("labels", {}))
    _check_cache(checker, request)


def file_bytes(data: str) -> bytes | None:
    """What Base64 stands for, in either alphabet; None when it is no Base64."""
    plain = "".join(data.split()).replace("-", "+").replace("_", "/")
    try:
        return b64decode(plain, validate=True)
    except (Base64Error, ValueError):
        return None


def _entries(values: Sequence[Any], path: str) -> Iterator[tuple[str, Clean]]:
    """The entries that are not wrong in themselves, with their paths."""
    for at, value in enumerate(values):
        if value is not None:
            yield f"{path}[{at}]", value


def _require(checker: Checker, value: Clean, path: str, *names: str) -> None:
    for name in names:
        at = under(path, name)
        if name not in value and not checker.has(at):
            checker.add(at, _MISSING)


# --- parts ---


def _check_part(checker: Checker, part: Clean, path: str, role: str, asked: list[str]) -> None:
    kinds = [kind for kind in PART_KINDS if kind in part or checker.has(under(path, kind))]
    if len(kinds) != 1:
        if kinds:
            checker.add(path, N_("A part is only one of these: {kinds}."), kinds=", ".join(kinds))
        else:
            checker.add(path, N_("A part must have one of these: {kinds}."), kinds=", ".join(PART_KINDS))
        return
    [kind] = kinds
    if kind in part:
        _check_kind(checker, part, under(path, kind), kind, asked)
    _check_speaker(checker, path, kind, role)
    _check_video(checker, part, path)
    signature = part.get("thoughtSignature")
    if signature is not None and kind != "functionCall":
        checker.add(under(path, "thoughtSignature"), N_("A signature belongs to a function call."))
    elif signature is not None and not file_bytes(signature):
        checker.add(under(path, "thoughtSignature"), N_("This is not Base64."))


def _check_kind(checker: Checker, part: Clean, path: str, kind: str, asked: list[str]) -> None:
    value = part[kind]
    match kind:
        case "inlineData":
            _require(checker, value, path, "mimeType", "data")
            _check_type(checker, value, path)
            if "data" in value and not file_bytes(value["data"]):
                checker.add(under(path, "data"), N_("This is not Base64, or there is nothing in it."))
        case "fileData":
            _require(checker, value, path, "mimeType", "fileUri")
            _check_type(checker, value, path)
            uri = value.get("fileUri", "x")
            if not uri or not uri.isprintable() or " " in uri:
                checker.add(under(path, "fileUri"), N_("This is not the address of a file."))
        case "functionCall":
            _require(checker, value, path, "name")
            _check_name(checker, value, path)
            asked.append(value.get("name", ""))
        case "functionResponse":
            _require(checker, value, path, "name", "response")
            name = value.get("name")
            if name is not None and name not in asked:
                checker.add(under(path, "name"), N_("No function of this name was asked for before."))
        case _:
            pass


def _check_speaker(checker: Checker, path: str, kind: str, role: str) -> None:
    at = under(path, kind)
    if kind == "functionCall" and role != "model":
        checker.add(at, N_("Only the model asks for functions: the turn's role must be “model”."))
    elif kind == "functionResponse" and role == "model":
        checker.add(
            at, N_("The model does not answer functions: the turn's role must be “function” or “user”.")
        )
    elif kind in ("inlineData", "fileData") and role != "user":
        checker.add(at, N_("Only the user sends files: the turn's role must be “user”."))
    elif kind == "text" and role == "function":
        checker.add(at, N_("A turn of the role “function” has only functionResponse parts."))


def _check_type(checker: Checker, value: Clean, path: str) -> None:
    if "mimeType" in value and not _MIME_TYPE.fullmatch(value["mimeType"]):
        checker.add(under(path, "mimeType"), N_("This is not a MIME type. It should look like image/png."))


def _check_video(checker: Checker, part: Clean, path: str) -> None:
    if "videoMetadata" not in part:
        return
    at = under(path, "videoMetadata")
    file: Clean = part.get("inlineData") or part.get("fileData") or {}
    if not str(file.get("mimeType", "")).lower().startswith("video/"):
        checker.add(at, N_("This belongs only beside inlineData or fileData of a video."))
    start, end = part["videoMetadata"].get("startOffset", 0), part["videoMetadata"].get("endOffset")
    if end is not None and end <= start:
        checker.add(under(at, "endOffset"), N_("The piece must end after it begins."))


# --- around the conversation ---


def _check_system(checker: Checker, request: Clean) -> None:
    if "systemInstruction" not in request:
        return
    _require(checker, request["systemInstruction"], "systemInstruction", "parts")
    parts = request["systemInstruction"].get("parts", ())
    for path, part in _entries(parts, "systemInstruction.parts"):
        _require(checker, part, path, "text")


def _check_tools(checker: Checker, request: Clean) -> None:
    names: set[str] = set()
    for path, tool in _entries(request.get("tools", ()), "tools"):
        _require(checker, tool, path, "functionDeclarations")
        declared = tool.get("functionDeclarations", ())
        for at, function in _entries(declared, f"{path}.functionDeclarations"):
            _require(checker, function, at, "name")
            _check_name(checker, function, at)
            if function.get("name") in names:
                checker.add(under(at, "name"), N_("Another function has this name already."))
            names.add(function.get("name", ""))
            parameters = function.get("parameters")
            if parameters and parameters.get("type") != "object":
                checker.add(under(at, "parameters"), N_("The type of this schema must be “object”."))


def _check_name(checker: Checker, value: Clean, path: str) -> None:
    if "name" in value and not _FUNCTION.fullmatch(value["name"]):
        message = N_("Latin letters, digits, “_”, “.” and “-”, at most 64, beginning with a letter or “_”.")
        checker.add(under(path, "name"), message)


def _check_safety(checker: Checker, request: Clean) -> None:
    seen: set[str] = set()
    for path, setting in _entries(request.get("safetySettings", ()), "safetySettings"):
        _require(checker, setting, path, "category", "threshold")
        category = setting.get("category", "")
        if category in seen:
            checker.add(under(path, "category"), N_("There is a setting for this category already."))
        seen.add(category)


def _check_config(checker: Checker, config: Clean) -> None:
    path = "generationConfig"
    for at, stop in enumerate(config.get("stopSequences", ())):
        if stop == "":
            checker.add(f"{path}.stopSequences[{at}]", N_("An empty text would end every answer at once."))
    if "logprobs" in config and config.get("responseLogprobs") is not True:
        checker.add(f"{path}.logprobs", N_("This needs responseLogprobs true."))
    if "responseSchema" in config and config.get("responseMimeType") != "application/json":
        checker.add(f"{path}.responseSchema", N_("This needs responseMimeType application/json."))
    if config.get("audioTimestamp"):
        message = N_("Google offers this only on its Enterprise platform. Take it out.")
        checker.add(f"{path}.audioTimestamp", message)


def _check_labels(checker: Checker, labels: Clean) -> None:
    for name, value in labels.items():
        path = under("labels", name[:_LABEL_LENGTH])
        if not _LABEL.fullmatch(name):
            message = N_("A label's name has only small Latin letters, digits, “_” and “-”, at most 63.")
            checker.add(path, message)
        elif not isinstance(value, str):
            checker.add(path, N_("This must be a text in quotes."))
        elif len(value) > _LABEL_LENGTH:
            checker.add(path, N_("A label has at most 63 characters."))


def _check_cache(checker: Checker, request: Clean) -> None:
    if "cachedContent" not in request:
        return
    if not _CACHE.fullmatch(request["cachedContent"]):
        checker.add(
            "cachedContent",
            N_("This is not the name of a cached prefix. It should look like cachedContents/abc123."),
        )
    for name in ("systemInstruction", "tools"):
        if request.get(name):
            message = N_(
                "Google does not take this together with cachedContent: it is kept with the cached prefix."
            )
            checker.add(name, message)
