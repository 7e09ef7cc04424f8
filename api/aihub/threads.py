"""/api/threads: the conversations themselves."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.aihub.thread_bodies import (
    CategoryId,
    Flag,
    MaxTokens,
    ModelName,
    NewThreadBody,
    ProviderName,
    SystemPrompt,
    Temperature,
    ThreadPath,
    Title,
)
from api.aihub.thread_messages import MOST_MESSAGES, all_messages
from api.aihub.thread_schemas import FullThreadAnswer, ThreadAnswer, full_thread_answer, thread_answer
from api.errors import language_of
from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Body, Limit, Skip
from core.accounts.types import Scope
from core.chat.queries import MOST_AT_ONCE
from core.chat.types import ThreadChanges, ThreadDetails, ThreadQuery
from core.services import Services
from core.store.paging import ROWS

router = APIRouter(prefix="/api/threads", tags=["threads"], responses=ERRORS)
_LONG = (
    f"At most the last {MOST_MESSAGES} messages (or 10 million characters) come with it; `message_count` says how "
    "many there are. Read earlier ones with `GET /api/threads/{thread_id}/messages?before_id=…`."
)

Number = Annotated[int, Field(strict=True, examples=[12])]
Uuid = Annotated[str, Field(min_length=1, max_length=64)]


class ThreadChangesBody(Body):
    """What to change; what is left out stays. `category_id: null` takes the category away, and so for the settings."""

    title: Title = Field(default_factory=str)
    category_id: CategoryId | None = None
    is_pinned: Flag = Field(default_factory=bool)
    is_archived: Flag = Field(default_factory=bool)
    provider: ProviderName = Field(default_factory=str)
    model: ModelName = Field(default_factory=str)
    system_prompt: SystemPrompt | None = None
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None

    def changes(self) -> ThreadChanges:
        """What was sent, and nothing else."""
        return ThreadChanges(**self.model_dump(exclude_unset=True))


class ThreadIdsBody(Body):
    """Threads by their ids (or uuids). One that comes twice counts once."""

    thread_ids: Annotated[
        list[Number | Uuid], Field(max_length=MOST_AT_ONCE, examples=[[12, 45, 67, 89, 123]])
    ]


@router.get("", dependencies=[needs(Scope.READ)])
def list_threads(
    hub: Hub,
    caller: Caller,
    response: Response,
    skip: Skip = 0,
    limit: Limit = ROWS,
    category_id: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    is_archived: bool | None = None,
    is_pinned: bool | None = None,
    search: Annotated[
        str | None, Query(max_length=1_000, description="Looked for in titles and messages.")
    ] = None,
) -> list[ThreadAnswer]:
    """One's own threads, newest activity first; `X-Total-Count` says how many match in all."""
    query = ThreadQuery(skip, limit, category_id, is_archived, is_pinned, search)
    page = hub.threads.list(caller.account.id, query)
    response.headers["X-Total-Count"] = str(page.total)
    return [thread_answer(each) for each in page.items]


@router.post("", status_code=201, dependencies=[needs(Scope.WRITE)])
def create_thread(request: Request, hub: Hub, caller: Caller, body: NewThreadBody) -> FullThreadAnswer:
    """Make a thread with its system prompt and first message. No model is asked."""
    return _full(request, hub, caller, hub.threads.create(caller.account.id, body.draft()))


@router.post("/bulk-delete", status_code=204, dependencies=[needs(Scope.WRITE)])
def delete_threads(hub: Hub, caller: Caller, body: ThreadIdsBody) -> None:
    """Delete several threads: all of them, or none when one is not the caller's."""
    hub.threads.delete(caller.account.id, body.thread_ids)


@router.post("/bulk-archive", dependencies=[needs(Scope.WRITE)])
def archive_threads(hub: Hub, caller: Caller, body: ThreadIdsBody) -> list[ThreadAnswer]:
    """Archive several threads: all of them, or none when one is not the caller's."""
    return [thread_answer(each) for each in hub.threads.archive(caller.account.id, body.thread_ids)]


@router.get(
    "/{thread_id}", dependencies=[needs(Scope.READ)], description=f"A thread with its messages. {_LONG}"
)
def read_thread(request: Request, hub: Hub, caller: Caller, thread_id: ThreadPath) -> FullThreadAnswer:
    """A thread with its messages."""
    return _full(request, hub, caller, hub.threads.get(caller.account.id, thread_id))


@router.put("/{thread_id}", dependencies=[needs(Scope.WRITE)], description=f"Change what is sent. {_LONG}")
def change_thread(
    request: Request, hub: Hub, caller: Caller, thread_id: ThreadPath, body: ThreadChangesBody
) -> FullThreadAnswer:
    """Change what is sent."""
    return _full(request, hub, caller, hub.threads.update(caller.account.id, thread_id, body.changes()))


@router.delete("/{thread_id}", status_code=204, dependencies=[needs(Scope.WRITE)])
def delete_thread(hub: Hub, caller: Caller, thread_id: ThreadPath) -> None:
    """Delete a thread and its messages; what they cost stays in the statistics."""
    hub.threads.delete(caller.account.id, [thread_id])


def _full(request: Request, hub: Services, caller: Caller, details: ThreadDetails) -> FullThreadAnswer:
    messages = all_messages(hub, caller.account.id, details.thread.id, language_of(request.scope))
    return full_thread_answer(details, messages)
