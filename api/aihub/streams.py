"""/api/threads/…/stream: answers as server-sent events, taken up again where they broke off, and stopped."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response

from api.aihub.stream_events import Place, events_of, place_of, unknown_place
from api.aihub.thread_bodies import NewThreadBody, SendBody, ThreadPath, UseContext
from api.aihub.thread_schemas import ThreadAnswer, thread_answer
from api.errors import language_of
from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Answer
from api.sse import EventStream
from core.accounts.types import Scope
from core.chat.answers import Answer as RunningAnswer
from core.chat.types import SendOptions, Sent, ThreadName
from core.errors import AppError, ErrorKind
from core.generation.types import DEADLINE_SECONDS
from core.i18n import N_, translate
from core.services import Services
from core.usage.types import Source

USUAL_SECONDS = 120
_EXAMPLE = (
    'event: connected\nid: 7b0c…:1\ndata: {"thread_id": 53, "user_message_id": 109}\n\n'
    'event: delta\nid: 7b0c…:8\ndata: {"text": "Привет"}\n\n'
    'event: done\nid: 7b0c…:9\ndata: {"message_id": 110, "finish_reason": "stop", "tokens": {"prompt_tokens": 89, '
    '"completion_tokens": 1245, "total_tokens": 1334}, "cost": 0.03251, "from_cache": false}\n\n'
)
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`thread` (when one was made), `connected`, any number of `delta`, `done` or `error`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}

router = APIRouter(prefix="/api/threads", tags=["streams"], responses=ERRORS)

Seconds = Annotated[
    int, Query(alias="timeout", ge=1, le=int(DEADLINE_SECONDS), description="How long the answer may take.")
]


class Stopped(Answer):
    """`success` is false when nothing was running, which is no error: it may just have ended."""

    success: bool
    message: str


@router.post(
    "/stream",
    response_class=EventStream,
    response_model=None,
    responses=_EVENTS,
    dependencies=[needs(Scope.CHAT)],
)
async def stream_new_thread(
    request: Request, hub: Hub, caller: Caller, body: NewThreadBody, seconds: Seconds = USUAL_SECONDS
) -> EventStream:
    """Make a thread and stream the answer to its initial message."""

    def start() -> tuple[Sent, ThreadAnswer]:
        options = SendOptions(deadline_seconds=seconds, source=Source.API)
        sent = hub.chat.start(caller.account.id, body.draft(), options)
        return sent, thread_answer(hub.threads.get(caller.account.id, sent.thread.id))

    sent, thread = await to_thread.run_sync(start)
    answer = hub.answers.of(sent)
    return EventStream(events_of(hub.answers, answer, language_of(request.scope), thread=thread))


@router.post(
    "/{thread_id}/stream",
    response_class=EventStream,
    response_model=None,
    responses=_EVENTS,
    dependencies=[needs(Scope.CHAT)],
)
async def stream_answer(
    request: Request,
    hub: Hub,
    caller: Caller,
    thread_id: ThreadPath,
    body: SendBody,
    use_context: UseContext = True,
    seconds: Seconds = USUAL_SECONDS,
) -> EventStream:
    """Send a message and stream its answer, which goes on when the client leaves."""

    def send() -> Sent:
        thread = hub.chat.thread(caller.account.id, thread_id)
        options = body.options(use_context, seconds)
        return hub.chat.send(
            caller.account.id, thread_id, body.content, thread.provider, thread.model, options=options
        )

    sent = await to_thread.run_sync(send)
    return EventStream(events_of(hub.answers, hub.answers.of(sent), language_of(request.scope)))


@router.get(
    "/{thread_id}/stream",
    response_class=EventStream,
    response_model=None,
    responses={
        **_EVENTS,
        204: {"description": "Everything was received: there is nothing to come back for."},
    },
    dependencies=[needs(Scope.READ)],
)
async def resume_stream(
    request: Request,
    hub: Hub,
    caller: Caller,
    thread_id: ThreadPath,
    last_event_id: Annotated[
        str | None, Header(max_length=100, description="The id of the last event that was received.")
    ] = None,
) -> Response:
    """Stream the thread's running or else last answer from its start, or any answer from behind an event of it."""
    place = place_of(last_event_id) if last_event_id else None
    answer = await to_thread.run_sync(_find, hub, caller.account.id, thread_id, place)
    if place is not None and answer.length is not None:
        if answer.ended and place.offset == answer.length + 1:
            # What an EventSource needs to hear to stop coming back.
            return Response(status_code=204)
        if place.offset > answer.length:
            raise unknown_place()
    after = place.sequence if place is not None else None
    return EventStream(events_of(hub.answers, answer, language_of(request.scope), after))


@router.post("/{thread_id}/stream/stop", dependencies=[needs(Scope.CHAT)])
def stop_stream(
    request: Request,
    hub: Hub,
    caller: Caller,
    thread_id: ThreadPath,
    message_id: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Only this answer.")] = None,
) -> Stopped:
    """Stop the thread's running answer; its text so far is kept."""
    stopped = hub.chat.stop(caller.account.id, thread_id, message_id)
    text = N_("The answer was stopped.") if stopped else N_("Nothing is being written here right now.")
    return Stopped(success=stopped, message=translate(language_of(request.scope), text))


def _find(hub: Services, user_id: int, thread: ThreadName, place: Place | None) -> RunningAnswer:
    answer = hub.answers.find(user_id, thread, place.generation if place is not None else None)
    if answer is not None:
        return answer
    if place is not None:
        raise unknown_place()
    raise AppError(ErrorKind.NOT_FOUND, N_("Nothing was answered in this thread yet. Send a message first."))
