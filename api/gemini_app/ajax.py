"""The requests of the Gemini app's own pages: /gemini/… and, the same, /api/v1/gemini/…"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BeforeValidator, ConfigDict, Field, SecretStr

from api.errors import language_of
from api.gemini_app.answering import GEMINI, SESSION_NOT_FOUND, ask_in_session, found_or, seconds_of
from api.gemini_app.fields import Text, Title
from api.gemini_app.metadata import AnswerMetadata, metadata_of
from api.gemini_app.schemas import ACTION_ERRORS
from api.identity import Hub, SessionCaller
from api.schemas import Answer, Body, Id
from core.chat.types import SendOptions
from core.errors import AppError, ErrorKind
from core.i18n import N_, translate
from core.usage.types import Source

_CONNECTED = N_("The connection to the Gemini API works")
_actions = APIRouter(tags=["gemini app"], responses=ACTION_ERRORS)


def _no_null(value: Any) -> Any:
    return "" if value is None else value


class AppMessage(Body):
    session_id: Annotated[int, Field(examples=[1])]
    message: Annotated[Text, Field(examples=["Привет, как дела?"])]


class Reply(Answer):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "response": "Привет! У меня всё отлично, спасибо!",
                    "user_message_id": 26,
                    "assistant_message_id": 27,
                    "metadata": AnswerMetadata.EXAMPLE,
                }
            ]
        }
    )

    success: Literal[True] = True
    response: str
    user_message_id: int
    assistant_message_id: int
    metadata: AnswerMetadata


class TriedKey(Body):
    api_key: Annotated[SecretStr, BeforeValidator(_no_null)] = SecretStr("")


class Connected(Answer):
    success: Literal[True] = True
    message: Annotated[str, Field(examples=["Подключение к Gemini API успешно установлено"])]


class NewTitle(Body):
    title: Title


class Retitled(Answer):
    success: Literal[True] = True
    title: Annotated[str, Field(examples=["Обновленное название сессии"])]


@_actions.post("/send-message")
async def send_message(hub: Hub, caller: SessionCaller, body: AppMessage) -> Reply:
    """Send a message and wait for the answer, with what the provider says about it."""
    options = SendOptions(source=Source.API)
    user_id = caller.account.id
    answered = await ask_in_session(hub, user_id, body.session_id, body.message, options, SESSION_NOT_FOUND)
    sent, outcome = answered.sent, answered.outcome
    assert sent.question_id is not None, "what was sent is stored with the answer to it"
    return Reply(
        response=outcome.text,
        user_message_id=sent.question_id,
        assistant_message_id=sent.message_id,
        metadata=metadata_of(outcome, seconds_of(outcome)),
    )


@_actions.post("/test-api-key")
def check_key(request: Request, hub: Hub, caller: SessionCaller, body: TriedKey) -> Connected:
    """Try a Gemini key; it is not kept."""
    key = body.api_key.get_secret_value()
    if not key.strip():
        raise AppError(ErrorKind.VALIDATION, N_("The API key may not be empty"))
    health = hub.health.test_new(caller.account, GEMINI, key)
    if health.error is not None:
        raise health.error
    return Connected(message=translate(language_of(request.scope), _CONNECTED))


@_actions.post("/sessions/{session_id}/update-title")
def update_title(hub: Hub, caller: SessionCaller, session_id: Id, body: NewTitle) -> Retitled:
    """Give a session another title."""
    with found_or(SESSION_NOT_FOUND):
        thread = hub.chat.rename_thread(caller.account.id, session_id, body.title)
    return Retitled(title=thread.title)


router = APIRouter()
for _prefix in ("/gemini", "/api/v1/gemini"):
    router.include_router(_actions, prefix=_prefix)
