"""/api/threads/{thread_id}: what is said in a conversation."""

from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.aihub.thread_bodies import ModelName, ProviderName, SendBody, Text, ThreadPath, UseContext
from api.aihub.thread_schemas import MessageAnswer, message_answer
from api.errors import language_of
from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Body, Limit
from core.accounts.types import Scope
from core.chat.types import Message, NewMessage, SendOptions, Sent, ThreadName
from core.providers.types import Role
from core.services import Services
from core.store.paging import ROWS

router = APIRouter(prefix="/api/threads/{thread_id}", tags=["messages"], responses=ERRORS)

MessageId = Annotated[int | None, Query(ge=0, le=2**63 - 1)]


class NewMessageBody(Body):
    """A message to store as it is. `tokens`: how many it has, when the program knows."""

    role: Literal["user", "assistant", "system"] = Field(examples=["user"])
    content: Text
    tokens: Annotated[int, Field(strict=True, ge=0, lt=2**31, examples=[16])] | None = None
    model: ModelName | None = None
    provider: ProviderName | None = None
    metadata: dict[str, Any] | None = Field(
        default=None, examples=[{"browser": "Chrome", "os": "Windows 11", "source": "web"}]
    )

    def message(self) -> NewMessage:
        """The message as the services take it."""
        return NewMessage(
            Role(self.role), self.content, self.tokens, self.provider, self.model, self.metadata or {}
        )


@router.get("/messages", dependencies=[needs(Scope.READ)])
def list_messages(
    request: Request,
    response: Response,
    hub: Hub,
    caller: Caller,
    thread_id: ThreadPath,
    before_id: MessageId = None,
    after_id: MessageId = None,
    limit: Limit = ROWS,
) -> list[MessageAnswer]:
    """The last messages, those before an id or those after one, in order; `X-Total-Count`: of the thread."""
    page = hub.threads.messages(
        caller.account.id, thread_id, before_id=before_id, after_id=after_id, limit=limit
    )
    response.headers["X-Total-Count"] = str(page.total)
    language = language_of(request.scope)
    return [message_answer(each, language) for each in page.items]


@router.post("/messages", status_code=201, dependencies=[needs(Scope.WRITE)])
def add_message(
    request: Request, hub: Hub, caller: Caller, thread_id: ThreadPath, body: NewMessageBody
) -> MessageAnswer:
    """Store a message. No model is asked; a system message becomes the thread's system prompt."""
    added = hub.threads.add_message(caller.account.id, thread_id, body.message())
    return message_answer(added, language_of(request.scope))


@router.post("/send", dependencies=[needs(Scope.CHAT)])
async def send_message(
    request: Request,
    hub: Hub,
    caller: Caller,
    thread_id: ThreadPath,
    body: SendBody,
    use_context: UseContext = True,
) -> MessageAnswer:
    """Send a message and wait for the answer, which is stored even when the caller does not wait."""
    user_id = caller.account.id
    sent = await to_thread.run_sync(_send, hub, user_id, thread_id, body.content, body.options(use_context))
    outcome = await sent.generation.wait_async()
    # Nothing holds a thread until here, however long the model took.
    if error := sent.generation.storage_error or outcome.error:
        raise error
    answer = await to_thread.run_sync(_answer, hub, user_id, sent)
    return message_answer(answer, language_of(request.scope))


def _send(hub: Services, user_id: int, name: ThreadName, content: str, options: SendOptions) -> Sent:
    thread = hub.chat.thread(user_id, name)
    return hub.chat.send(user_id, thread.id, content, thread.provider, thread.model, options=options)


def _answer(hub: Services, user_id: int, sent: Sent) -> Message:
    return hub.threads.message(user_id, sent.thread.id, sent.message_id)
