"""How a thread's messages are asked, and under what their calls are counted."""

from dataclasses import replace
from typing import TypeVar

from sqlalchemy.orm import Session

from core.categories.queries import name_of
from core.chat import tables
from core.chat.types import SendOptions, Thread
from core.chat.writing import Tags
from core.providers.types import ChatMessage, CompletionRequest
from core.usage.types import Source

_Value = TypeVar("_Value")

AS_USUAL = SendOptions()


def with_settings(
    completion: CompletionRequest, thread: Thread, options: SendOptions, messages: tuple[ChatMessage, ...]
) -> CompletionRequest:
    """What this message says stands over what the thread says of itself, and that over what the user wants of the
    model in general."""
    return replace(
        completion,
        messages=messages,
        system_prompt=options.system_prompt or thread.system_prompt or completion.system_prompt,
        max_output_tokens=_first(options.max_tokens, thread.max_tokens, completion.max_output_tokens),
        temperature=_first(options.temperature, thread.temperature, completion.temperature),
    )


def tags_of(session: Session, thread: tables.Thread, options: SendOptions) -> Tags:
    """What a call of a thread is counted under, as it is called at this moment."""
    category = name_of(session, thread.category_id)
    tags = (("category", category), ("prompt", options.prompt))
    return tuple((kind, name) for kind, name in tags if name)


def first_options(answer: tables.Message) -> SendOptions:
    """How an answer that is tried again was asked for."""
    prompt = next((name for kind, name in answer.tags or () if kind == "prompt"), None)
    source = Source(answer.source) if answer.source else Source.CHAT
    return SendOptions(use_context=answer.with_context is not False, source=source, prompt=prompt)


def _first(*values: _Value | None) -> _Value | None:
    return next((value for value in values if value is not None), None)
