"""/api/v1/gemini/api: one text in, one text out."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from api.gemini_app.answering import SESSION_NOT_FOUND, ask_alone, ask_in_session, seconds_of
from api.gemini_app.fields import MaxTokens, Temperature, Text
from api.gemini_app.schemas import ACTION_ERRORS
from api.identity import Hub, SessionCaller
from api.schemas import Answer, Body
from core.chat.types import SendOptions
from core.errors import AppError, ErrorKind
from core.generation.types import Outcome
from core.i18n import N_
from core.services import Services
from core.usage.types import Source

router = APIRouter(prefix="/api/v1/gemini/api", tags=["gemini texts"], responses=ACTION_ERRORS)


class Wanted(Body):
    prompt: Annotated[Text, Field(examples=["Создай краткое резюме о преимуществах Python"])]
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None


class WantedAnalysis(Wanted):
    """`save_to_session`: the text and its analysis become messages of the session `session_id`, whose model is
    asked; what was said in it before does not go along."""

    prompt: Annotated[Text, Field(examples=["Анализируй следующий текст и выдели основные темы"])]
    save_to_session: bool = False
    session_id: Annotated[int, Field(examples=[1])] | None = None


class Analysis(Answer):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "analysis": "Анализ текста выполнен успешно.",
                    "tokens_used": 85,
                    "response_time": 1.5,
                }
            ]
        }
    )

    success: Literal[True] = True
    analysis: str
    tokens_used: int
    response_time: float


class GeneratedResponse(Answer):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "response": "**Преимущества Python:** …",
                    "tokens_used": 120,
                    "response_time": 2.1,
                }
            ]
        }
    )

    success: Literal[True] = True
    response: str
    tokens_used: int
    response_time: float


@router.post("/analyze_text")
async def analyze_text(hub: Hub, caller: SessionCaller, body: WantedAnalysis) -> Analysis:
    """Have a text analysed, and keep the analysis in a session if wanted."""
    user_id = caller.account.id
    if body.save_to_session:
        outcome = await _analyzed_in_session(hub, user_id, body)
    else:
        outcome = await ask_alone(hub, user_id, body.prompt, body.max_tokens, body.temperature)
    return Analysis(
        analysis=outcome.text, tokens_used=outcome.usage.output_tokens, response_time=seconds_of(outcome)
    )


@router.post("/generate_response")
async def generate_response(hub: Hub, caller: SessionCaller, body: Wanted) -> GeneratedResponse:
    """Have one question answered, outside any session."""
    outcome = await ask_alone(hub, caller.account.id, body.prompt, body.max_tokens, body.temperature)
    return GeneratedResponse(
        response=outcome.text, tokens_used=outcome.usage.output_tokens, response_time=seconds_of(outcome)
    )


async def _analyzed_in_session(hub: Services, user_id: int, body: WantedAnalysis) -> Outcome:
    if body.session_id is None:
        raise AppError(
            ErrorKind.VALIDATION, N_("Invalid request parameters: missing {fields}"), fields="session_id"
        )
    options = SendOptions(
        use_context=False, max_tokens=body.max_tokens, temperature=body.temperature, source=Source.API
    )
    answered = await ask_in_session(hub, user_id, body.session_id, body.prompt, options, SESSION_NOT_FOUND)
    return answered.outcome
