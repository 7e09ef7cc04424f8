"""/api/v1/gemini/chat-sessions."""

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query
from pydantic import Field

from api.gemini_app.answering import (
    GEMINI,
    NOT_FOUND,
    ask_in_session,
    found_or,
    gemini_model,
    own_session,
)
from api.gemini_app.fields import Text, Title, UserRole
from api.gemini_app.paging import AskedPage, Page
from api.gemini_app.schemas import (
    ERRORS,
    FullSessionAnswer,
    SentAnswer,
    SessionAnswer,
    StatsAnswer,
    full_session_answer,
    message_answer,
    session_answer,
    stats_answer,
)
from api.identity import Hub, SessionCaller
from api.schemas import Body, Id
from core.accounts.types import Identity
from core.chat.types import NewThread, SendOptions, ThreadChanges, ThreadQuery
from core.services import Services
from core.store.paging import MOST_ROWS
from core.usage.types import Source

router = APIRouter(prefix="/api/v1/gemini/chat-sessions", tags=["gemini sessions"], responses=ERRORS)

BeforeId = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Messages before this one only.")]
MessageLimit = Annotated[
    int, Query(ge=1, le=MOST_ROWS, description="The last of its messages, at most so many.")
]


class WholeSession(Body):
    title: Title
    is_active: bool = True


class ChangedSession(Body):
    # Made up where nothing is sent, so that the documentation shows no default: what is left out stays.
    title: Annotated[Title, Field(default_factory=str)]
    is_active: Annotated[bool, Field(default_factory=bool)]


class NewSessionMessage(Body):
    role: UserRole = "user"
    content: Annotated[Text, Field(examples=["Как начать изучение Python?"])]


@router.get("")
def list_sessions(hub: Hub, caller: SessionCaller, asked: AskedPage) -> Page[SessionAnswer]:
    """One's own sessions, the one with the newest message first."""
    found = hub.threads.list(caller.account.id, ThreadQuery(skip=asked.skip, limit=asked.limit))
    return asked.page([session_answer(each, caller.account) for each in found.items], found.total)


@router.post("", status_code=201)
def create_session(hub: Hub, caller: SessionCaller, body: WholeSession) -> SessionAnswer:
    """Begin a session with one's Gemini model."""
    user_id = caller.account.id
    draft = NewThread(GEMINI, gemini_model(hub, user_id), body.title, is_archived=not body.is_active)
    return session_answer(hub.threads.create(user_id, draft), caller.account)


@router.get("/stats")
def read_stats(hub: Hub, caller: SessionCaller) -> StatsAnswer:
    """One's own sessions in figures."""
    return stats_answer(hub.threads.stats(caller.account.id), caller.account)


@router.get("/{session_id}")
def read_session(
    hub: Hub,
    caller: SessionCaller,
    session_id: Id,
    before_id: BeforeId = None,
    limit: MessageLimit = MOST_ROWS,
) -> FullSessionAnswer:
    """A session with its messages in order; of a long one the last, the others by `before_id`."""
    user_id = caller.account.id
    session = own_session(hub, user_id, session_id)
    with found_or(NOT_FOUND):
        page = hub.threads.messages(user_id, session_id, before_id=before_id, limit=limit)
    return full_session_answer(session, caller.account, page.items)


@router.put("/{session_id}")
def replace_session(hub: Hub, caller: SessionCaller, session_id: Id, body: WholeSession) -> SessionAnswer:
    """Change the title and whether the session is active."""
    return _changed(hub, caller, session_id, body)


@router.patch("/{session_id}")
def change_session(hub: Hub, caller: SessionCaller, session_id: Id, body: ChangedSession) -> SessionAnswer:
    """Change what is sent."""
    return _changed(hub, caller, session_id, body)


@router.delete("/{session_id}", status_code=204)
def delete_session(hub: Hub, caller: SessionCaller, session_id: Id) -> None:
    """Delete a session; what was spent in it stays in the statistics of usage."""
    with found_or(NOT_FOUND):
        hub.threads.delete(caller.account.id, [session_id])


@router.post("/{session_id}/send_message")
async def send_message(
    hub: Hub, caller: SessionCaller, session_id: Id, body: NewSessionMessage
) -> SentAnswer:
    """Send a message and wait for the answer."""
    user_id = caller.account.id
    answered = await ask_in_session(hub, user_id, session_id, body.content, SendOptions(source=Source.API))
    question_id, answer_id = answered.sent.question_id, answered.sent.message_id
    assert question_id is not None, "what was sent is stored with the answer to it"

    def stored() -> SentAnswer:
        with found_or(NOT_FOUND):
            return SentAnswer(
                user_message=message_answer(hub.threads.message(user_id, session_id, question_id)),
                assistant_message=message_answer(hub.threads.message(user_id, session_id, answer_id)),
            )

    return await to_thread.run_sync(stored)


def _changed(
    hub: Services, caller: Identity, session_id: int, body: WholeSession | ChangedSession
) -> SessionAnswer:
    changes = ThreadChanges()
    if "title" in body.model_fields_set:
        changes["title"] = body.title
    if "is_active" in body.model_fields_set:
        changes["is_archived"] = not body.is_active
    user_id = caller.account.id
    with found_or(NOT_FOUND):
        return session_answer(hub.threads.update(user_id, session_id, changes), caller.account)
