"""An answer as a stream of events, and the ids by which a stream goes on where it broke off."""

import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from api.aihub.thread_schemas import ThreadAnswer, cost_number, tokens_answer
from api.errors import error_object
from api.sse import KEEP_ALIVE_SECONDS, Event
from core.chat.answers import Answer, AnswerService, Ended
from core.chat.types import MessageStatus
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.types import TokenUsage

_logger = logging.getLogger(__name__)

THREAD, CONNECTED, TEXT = 0, 1, 2
_ID = re.compile(r"([0-9A-Za-z-]{1,64}):([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a stream, from an event's id `generation:sequence`.

    The sequence tells how far the text had come, however it was cut into events: 0 the thread, 1 the connection,
    2 + the characters sent so far, and 3 + the length of the whole text at the end.
    """

    generation: str
    sequence: int

    @property
    def offset(self) -> int:
        """Characters of the text that were sent by then."""
        return max(0, self.sequence - TEXT)


def place_of(event_id: str) -> Place:
    """The place that a Last-Event-ID names; AppError(VALIDATION)."""
    found = _ID.fullmatch(event_id)
    if found is None:
        raise unknown_place()
    return Place(found[1], int(found[2]))


def unknown_place() -> AppError:
    """For an id that no event of the thread's answers has."""
    return AppError(
        ErrorKind.VALIDATION,
        N_("Last-Event-ID names no event of this thread's answers. Leave it out to read from the start."),
    )


async def events_of(
    answers: AnswerService,
    answer: Answer,
    language: str,
    after: int | None = None,
    thread: ThreadAnswer | None = None,
) -> AsyncGenerator[Event | None]:
    """The events behind the one with the sequence `after`; None for each time of silence.

    `thread`: the one that was made for this answer. Closing the generator leaves the answer running.
    """
    seen = -1 if after is None else after

    def event(name: str, data: dict[str, Any], sequence: int) -> Event:
        return Event(name, data, f"{answer.name}:{sequence}")

    if thread is not None and seen < THREAD:
        yield event("thread", thread.model_dump(mode="json"), THREAD)
    if seen < CONNECTED:
        ids = {"thread_id": answer.thread_id, "user_message_id": answer.question_id}
        yield event("connected", ids, CONNECTED)
    position = max(0, seen - TEXT)
    try:
        async with aclosing(answers.follow(answer, position, KEEP_ALIVE_SECONDS)) as items:
            async for item in items:
                if item is None:
                    yield None
                elif isinstance(item, Ended):
                    name, data = _end(answer, item, language)
                    yield event(name, data, TEXT + 1 + item.length)
                else:
                    position = item.offset + len(item.text)
                    yield event("delta", {"text": item.text}, TEXT + position)
    except AppError as error:
        yield event("error", error_object(error, language), TEXT + 1 + position)
    except Exception:
        # The status is long sent, so the stream has to say it.
        _logger.exception("a stream of events broke off")
        error = AppError(
            ErrorKind.INTERNAL, N_("The stream broke off. The answer goes on; read it again from the thread.")
        )
        yield event("error", error_object(error, language), TEXT + 1 + position)


def _end(answer: Answer, ended: Ended, language: str) -> tuple[str, dict[str, Any]]:
    if ended.status not in (MessageStatus.COMPLETE, MessageStatus.STOPPED):
        error = ended.error or AppError(ErrorKind.INTERNAL, N_("The answer failed. Try again."))
        return "error", error_object(error, language)
    return "done", {
        "message_id": answer.message_id,
        "finish_reason": ended.finish_reason,
        "tokens": tokens_answer(ended.usage or TokenUsage()).model_dump(),
        "cost": cost_number(ended.cost),
        "from_cache": ended.from_cache,
    }
