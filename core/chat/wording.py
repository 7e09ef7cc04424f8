"""What a message and a title have to be."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from core.chat.types import NewMessage, NewThread, SendOptions, ThreadChanges
from core.errors import AppError, ErrorKind
from core.generation.model_names import clean_model
from core.generation.sampling import check_max_tokens, check_temperature, checked_system_prompt
from core.generation.types import DEADLINE_SECONDS
from core.i18n import N_
from core.providers.types import Role
from core.store.checked_text import NAME_TOO_LONG, checked_line
from core.store.text import storable

# About 125,000 tokens of English: more than most models read, and still quick to draw.
MAX_MESSAGE_CHARS = 500_000
MAX_TITLE_CHARS = 200
MAX_META_CHARS = 20_000
MAX_META_DEPTH = 20  # what writes an answer gives up on a few hundred


def checked_message(text: str, *, may_be_empty: bool = False) -> str:
    """`text` without white space around it; AppError(validation) when it is empty or too long."""
    text = storable(text).strip()
    if not text and not may_be_empty:
        raise AppError(ErrorKind.VALIDATION, N_("The message is empty. Type something first."))
    if len(text) > MAX_MESSAGE_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "The message has {length} characters; at most {limit} fit. Send it in parts, or only what matters."
            ),
            length=len(text),
            limit=MAX_MESSAGE_CHARS,
        )
    return text


def checked_title(title: str) -> str:
    """`title` on one line; AppError(validation) when it is empty or too long."""
    empty = N_("A thread needs a name. Type one.")
    return checked_line(title, MAX_TITLE_CHARS, empty=empty, too_long=NAME_TOO_LONG)


def title_from(text: str) -> str:
    """A title for a thread that begins with `text`: its first words, 60 characters at most."""
    words = " ".join(text[:400].split())
    if len(words) <= 60:
        return words
    return words[:60].rsplit(" ", 1)[0].rstrip(" ,.;:—-") + "…"


def checked_draft(draft: NewThread, *, title: str | None = None) -> NewThread:
    """`draft` as it may be stored, its title made from `title` or its first message where it has none.

    AppError(VALIDATION) for the first thing that is wrong with it.
    """
    check_max_tokens(draft.max_tokens)
    check_temperature(draft.temperature)
    first = None if draft.initial_message is None else checked_message(draft.initial_message)
    return replace(
        draft,
        model=clean_model(draft.model),
        title=checked_title(title_from(title or first or "") if draft.title is None else draft.title),
        system_prompt=checked_system_prompt(draft.system_prompt),
        initial_message=first,
        temperature=None if draft.temperature is None else float(draft.temperature),
    )


def checked_options(options: SendOptions) -> SendOptions:
    """`options` as they may be used; AppError(VALIDATION)."""
    check_max_tokens(options.max_tokens)
    check_temperature(options.temperature)
    if not 1 <= options.deadline_seconds <= DEADLINE_SECONDS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("An answer may take from 1 to {limit} seconds. Set the time-out in this range."),
            limit=int(DEADLINE_SECONDS),
        )
    return replace(options, system_prompt=checked_system_prompt(options.system_prompt))


def checked_new(message: NewMessage) -> NewMessage:
    """A message to be stored as it is; AppError(VALIDATION)."""
    if message.role not in (Role.USER, Role.ASSISTANT, Role.SYSTEM):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("A message is of the user, the assistant or the system. Name one of them."),
        )
    if message.tokens is not None and not 0 <= message.tokens < 2**31:
        raise AppError(
            ErrorKind.VALIDATION, N_("A number of tokens is 0 or more. Correct it, or leave it out.")
        )
    content = checked_message(message.content)
    if message.role is Role.SYSTEM:
        content = checked_system_prompt(content) or content
    return replace(
        message,
        content=content,
        meta=_checked_meta(message.meta),
        model=None if message.model is None else clean_model(message.model),
        provider=None if message.provider is None else storable(message.provider)[:64],
    )


def _checked_meta(meta: Mapping[str, Any]) -> dict[str, Any]:
    """What a program notes on a message, as both databases take it."""
    try:
        text = storable(json.dumps(dict(meta), ensure_ascii=False, allow_nan=False))
        if len(text) > MAX_META_CHARS:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("The metadata are longer than {limit} characters. Shorten them."),
                limit=MAX_META_CHARS,
            )
        found = cast("dict[str, Any]", json.loads(text))
    except (TypeError, ValueError, RecursionError):
        raise AppError(
            ErrorKind.VALIDATION, N_("The metadata are not JSON. Use names with texts and numbers.")
        ) from None
    if _is_deep(found):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The metadata are nested in more than {limit} levels. Flatten them."),
            limit=MAX_META_DEPTH,
        )
    return found


def _is_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(MAX_META_DEPTH):
        level = [part for each in level for part in _parts(each)]
    return any(isinstance(each, dict | list) for each in level)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("list[Any]", value) if isinstance(value, list) else ()


def checked_changes(changes: ThreadChanges) -> ThreadChanges:
    """`changes` as they may be stored; AppError(VALIDATION)."""
    found = ThreadChanges(**changes)
    if "title" in found:
        found["title"] = checked_title(found["title"])
    if "model" in found:
        found["model"] = clean_model(found["model"])
    if "system_prompt" in found:
        found["system_prompt"] = checked_system_prompt(found["system_prompt"])
    check_max_tokens(found.get("max_tokens"))
    check_temperature(found.get("temperature"))
    return found
