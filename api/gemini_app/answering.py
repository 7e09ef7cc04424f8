"""Asking a model for a session or for nobody, and saying what went wrong as the app's documents do."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from anyio import to_thread

from core.chat.types import SendOptions, Sent, Thread
from core.errors import AppError, ErrorKind
from core.generation.generation import Generation
from core.generation.types import Outcome
from core.i18n import N_
from core.providers.types import ChatMessage, CompletionRequest, Role
from core.services import Services
from core.usage.types import CallStatus, Source

GEMINI = "gemini"
NOT_FOUND = N_("Not found.")
SESSION_NOT_FOUND = N_("The session was not found.")
_OVERLOADED = 503


@dataclass(frozen=True, slots=True)
class Answered:
    """A question of a session, and how its answer ended."""

    sent: Sent
    outcome: Outcome


@contextmanager
def found_or(message: str) -> Generator[None]:
    """Says `message` about a session or message that is not there, or not the caller's."""
    try:
        yield
    except AppError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            raise
        raise AppError(ErrorKind.NOT_FOUND, message) from None


def gemini_model(hub: Services, user_id: int) -> str:
    """The model of what begins here."""
    return hub.choices.default_of(user_id, GEMINI).model


def own_session(hub: Services, user_id: int, session_id: int, message: str = NOT_FOUND) -> Thread:
    """A session of the caller; AppError(NOT_FOUND) that says `message`."""
    with found_or(message):
        return hub.chat.thread(user_id, session_id)


async def ask_in_session(
    hub: Services,
    user_id: int,
    session_id: int,
    text: str,
    options: SendOptions,
    not_found: str = NOT_FOUND,
) -> Answered:
    """Send a message in a session, with the model it was last held with, and wait for the answer without a thread.

    AppError as `ChatService.send`, and what the answer failed with: then both messages stand all the same.
    """

    def send() -> Sent:
        thread = own_session(hub, user_id, session_id, not_found)
        return hub.chat.send(user_id, thread.id, text, thread.provider, thread.model, options=options)

    with _as_documented():
        sent = await to_thread.run_sync(send)
        return Answered(sent, await _ended(sent.generation))


async def ask_alone(
    hub: Services, user_id: int, text: str, max_tokens: int | None, temperature: float | None
) -> Outcome:
    """Ask the caller's Gemini model outside any session, and wait for the answer without a thread. AppError."""

    def ask() -> Generation:
        asked = CompletionRequest(
            gemini_model(hub, user_id),
            (ChatMessage(Role.USER, text),),
            temperature=temperature,
            max_output_tokens=max_tokens,
        )
        return hub.models.complete(user_id, GEMINI, asked, Source.API)

    with _as_documented():
        return await _ended(await to_thread.run_sync(ask))


def seconds_of(outcome: Outcome) -> float:
    """How long an answer took."""
    return outcome.latency_ms / 1000


async def _ended(generation: Generation) -> Outcome:
    outcome = await generation.wait_async()
    if error := outcome.error or generation.storage_error:
        raise error
    if outcome.status is CallStatus.INTERRUPTED:
        raise AppError(ErrorKind.INTERRUPTED, N_("AIHub is shutting down. Try again in a moment."))
    return outcome


@contextmanager
def _as_documented() -> Generator[None]:
    try:
        yield
    except AppError as error:
        if error.kind is ErrorKind.NO_KEY:
            raise AppError(ErrorKind.NO_KEY, N_("The API key is not configured")) from None
        if error.kind is ErrorKind.PROVIDER and error.params.get("status") == _OVERLOADED:
            raise AppError(
                ErrorKind.PROVIDER,
                N_("The {provider} model is overloaded. Please try again later."),
                provider=error.params.get("provider", ""),
            ) from None
        raise
