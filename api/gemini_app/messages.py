"""/api/v1/gemini/chat-messages: the messages of all sessions."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.gemini_app.answering import NOT_FOUND, found_or
from api.gemini_app.paging import LARGEST_PAGE, AskedPage, Page
from api.gemini_app.schemas import ERRORS, SessionMessage, message_answer
from api.identity import Hub, SessionCaller
from api.schemas import Id

router = APIRouter(prefix="/api/v1/gemini/chat-messages", tags=["gemini messages"], responses=ERRORS)

RECENT = 10
RecentLimit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many at most.")]


@router.get("")
def list_messages(hub: Hub, caller: SessionCaller, asked: AskedPage) -> Page[SessionMessage]:
    """One's own messages, the newest first."""
    found = hub.threads.newest_messages(caller.account.id, asked.skip, asked.limit)
    return asked.page([message_answer(each) for each in found.items], found.total)


@router.get("/recent")
def list_recent_messages(
    hub: Hub, caller: SessionCaller, limit: RecentLimit = RECENT
) -> list[SessionMessage]:
    """The last of one's own messages, the newest first."""
    found = hub.threads.newest_messages(caller.account.id, limit=limit)
    return [message_answer(each) for each in found.items]


@router.get("/{message_id}")
def read_message(hub: Hub, caller: SessionCaller, message_id: Id) -> SessionMessage:
    """One message."""
    with found_or(NOT_FOUND):
        return message_answer(hub.threads.own_message(caller.account.id, message_id))
