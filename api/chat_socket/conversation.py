"""One open WebSocket: messages come in one at a time, an answer goes out beside them."""

import logging
from contextlib import aclosing
from typing import Any

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup
from fastapi import WebSocket, WebSocketDisconnect

from api.chat_socket.credentials import Credential, of_token
from api.chat_socket.incoming import Auth, File, History, Incoming, Ping, Stop, Text, read_data, read_message
from api.chat_socket.limits import ABUSE, AUTH_SECONDS, MAX_FIRST_FRAME, MAX_FRAME, MESSAGES, Pace
from api.chat_socket.outgoing import failure, frame, history, socket_message
from core.accounts.types import Identity, Scope
from core.chat.answers import Answer, Ended
from core.chat.attachments import NewAttachment
from core.chat.types import MessageStatus, SendOptions
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.services import Services
from core.usage.types import Source

_logger = logging.getLogger(__name__)

UNAUTHORISED, FORBIDDEN, NOT_FOUND, POLICY, TOO_BIG, BROKEN = 4401, 4403, 4404, 1008, 1009, 1011
_CLOSING = {ErrorKind.UNAUTHORIZED: UNAUTHORISED, ErrorKind.NOT_FOUND: NOT_FOUND}
_ALL_MESSAGES = History(type="history")


class Refused(Exception):
    """The connection ends: with an error for its client, and a code."""

    def __init__(self, error: AppError, code: int) -> None:
        super().__init__(error)
        self.error = error
        self.code = code


class Conversation:
    """A client and one of its threads. Closing the connection leaves the answer running."""

    def __init__(self, socket: WebSocket, hub: Services, thread: str, language: str) -> None:
        self._socket = socket
        self._hub = hub
        self._thread = thread
        self._language = language
        self._pace = Pace()
        self._announced: File | None = None
        self._answering = False

    async def sign_in(self, credential: Credential | None) -> Identity:
        """Who it is, by the handshake or else by the first message; Refused."""
        self._credential = credential or await self._credential_said()
        try:
            identity = await to_thread.run_sync(self._credential, self._hub)
            identity.require(Scope.READ)
        except AppError as error:
            raise Refused(error, _CLOSING.get(error.kind, FORBIDDEN)) from None
        self._user_id = identity.account.id
        return identity

    async def run(self) -> None:
        """Until the client leaves; Refused when it has to."""
        refused: Refused | None = None
        async with anyio.create_task_group() as tasks:
            try:
                await self._greet(tasks)
                while True:
                    await self._take(await self._receive(), tasks)
            except Refused as error:
                refused = error
            except WebSocketDisconnect:
                pass
            tasks.cancel_scope.cancel()
        if refused is not None:
            raise refused

    async def say_error(self, error: AppError, message_id: int | None = None) -> None:
        """Send the documented error object."""
        await self._send(failure(error, self._language, message_id))

    async def _credential_said(self) -> Credential:
        said = None
        with anyio.move_on_after(AUTH_SECONDS):
            said = await self._receive()
        if isinstance(said, str) and len(said) <= MAX_FIRST_FRAME:
            try:
                message = await read_message(said, self._language)
            except AppError as error:
                raise Refused(error, UNAUTHORISED) from None
            if isinstance(message, Auth):
                return of_token(message.token)
        raise Refused(
            AppError(
                ErrorKind.UNAUTHORIZED,
                N_("Sign in first: with an Authorization header, or an “auth” message with a token."),
            ),
            UNAUTHORISED,
        )

    async def _greet(self, tasks: TaskGroup) -> None:
        try:
            # Looked up first: one that the history shows unfinished must not end unheard in between.
            answer = await to_thread.run_sync(self._hub.answers.find, self._user_id, self._thread)
            await self._send_history(_ALL_MESSAGES)
        except AppError as error:
            raise Refused(error, _CLOSING.get(error.kind, BROKEN)) from None
        if answer is not None and not answer.ended:
            # It was asked for elsewhere, or before this connection.
            self._answering = True
            tasks.start_soon(self._stream, answer)

    async def _receive(self) -> str | bytes:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text, data = message.get("text"), message.get("bytes")
        said = text if text is not None else data or b""
        if len(said) > MAX_FRAME:
            raise Refused(
                AppError(
                    ErrorKind.VALIDATION,
                    N_("The request is larger than {limit} MB. Send less at once."),
                    limit=MAX_FRAME // 2**20,
                ),
                TOO_BIG,
            )
        return said

    async def _take(self, said: str | bytes, tasks: TaskGroup) -> None:
        announced, self._announced = self._announced, None
        try:
            self._check_pace()
            identity = await to_thread.run_sync(self._credential, self._hub)
            if isinstance(said, bytes):
                await self._take_bytes(said, announced, identity, tasks)
                return
            message = await read_message(said, self._language)
            if isinstance(message, Ping):
                self._announced = announced
            elif announced is not None:
                await self.say_error(_expected_bytes())
            await self._answer(message, identity, tasks)
        except AppError as error:
            if error.kind in _CLOSING:
                raise Refused(error, _CLOSING[error.kind]) from None
            await self.say_error(error)

    def _check_pace(self) -> None:
        count = self._pace.note()
        if count <= MESSAGES:
            return
        error = AppError(
            ErrorKind.RATE_LIMIT,
            N_("These are too many messages at once. Try again in {seconds} s."),
            seconds=self._pace.seconds_left,
        )
        raise Refused(error, POLICY) if count > ABUSE else error

    async def _answer(self, message: Incoming, identity: Identity, tasks: TaskGroup) -> None:
        match message:
            case Text():
                await self._ask(message.content, (), identity, tasks)
            case File(data=None):
                identity.require(Scope.CHAT)
                message.attachment(b"")
                self._announced = message
            case File(data=str(data)):
                file = message.attachment(await read_data(data))
                await self._ask(message.content, (file,), identity, tasks)
            case Stop():
                await self._stop(message, identity)
            case History():
                await self._send_history(message)
            case Ping():
                await self._send({"type": "pong"})
            case _:
                raise AppError(ErrorKind.VALIDATION, N_("You are signed in already."))

    async def _take_bytes(
        self, data: bytes, announced: File | None, identity: Identity, tasks: TaskGroup
    ) -> None:
        if announced is None:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("Announce a file first: an “image” or “audio” message without data, then its bytes."),
            )
        await self._ask(announced.content, (announced.attachment(data),), identity, tasks)

    async def _ask(
        self, text: str, files: tuple[NewAttachment, ...], identity: Identity, tasks: TaskGroup
    ) -> None:
        identity.require(Scope.CHAT)
        if self._answering:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("This thread is still being answered. Wait for the end, or stop the answer."),
            )

        def send() -> tuple[Answer, dict[str, Any]]:
            hub, user_id = self._hub, self._user_id
            thread = hub.chat.thread(user_id, self._thread)
            options = SendOptions(source=Source.API)
            sent = hub.chat.send(user_id, thread.uuid, text, thread.provider, thread.model, files, options)
            answer = hub.answers.of(sent)
            question = hub.threads.message(user_id, thread.id, answer.question_id or 0)
            return answer, socket_message(question, self._language)

        answer, question = await to_thread.run_sync(send)
        await self._send({"type": "user_message", "message": question})
        self._answering = True
        tasks.start_soon(self._stream, answer)

    async def _stream(self, answer: Answer) -> None:
        """Send an answer while it is written, then as it was stored."""
        try:
            ended = await self._send_deltas(answer)
            end = await self._end_of(answer, ended)
        except AppError as error:
            end = failure(error, self._language, answer.message_id)
        except WebSocketDisconnect:
            return
        except Exception:
            # Nobody else would hear of it: the client waits for an end.
            _logger.exception("an answer could not be sent over a WebSocket")
            error = AppError(
                ErrorKind.INTERNAL,
                N_("The stream broke off. The answer goes on; read it again from the thread."),
            )
            end = failure(error, self._language, answer.message_id)
        # Whoever hears the end may ask again at once.
        self._answering = False
        try:
            await self._send(end)
        except WebSocketDisconnect:
            return

    async def _send_deltas(self, answer: Answer) -> Ended:
        ended: Ended | None = None
        async with aclosing(self._hub.answers.follow(answer)) as items:
            async for item in items:
                if isinstance(item, Ended):
                    ended = item
                elif item is not None:
                    about = {"message_id": answer.message_id, "offset": item.offset}
                    await self._send({"type": "delta", **about, "text": item.text})
        assert ended is not None, "an answer's last item is its end"
        return ended

    async def _end_of(self, answer: Answer, ended: Ended) -> dict[str, Any]:
        if ended.error is not None:
            return failure(ended.error, self._language, answer.message_id)

        def read() -> dict[str, Any]:
            stored = self._hub.threads.message(self._user_id, answer.thread_id, answer.message_id)
            if stored.status is MessageStatus.STREAMING:
                raise AppError(
                    ErrorKind.STORAGE,
                    N_("The answer could not be saved yet. AIHub keeps trying; the log says more."),
                )
            return {"type": "assistant_message", "message": socket_message(stored, self._language)}

        return await to_thread.run_sync(read)

    async def _stop(self, message: Stop, identity: Identity) -> None:
        identity.require(Scope.CHAT)
        stop = self._hub.chat.stop
        if not await to_thread.run_sync(stop, self._user_id, self._thread, message.message_id):
            raise AppError(ErrorKind.VALIDATION, N_("Nothing is being written here right now."))

    async def _send_history(self, wanted: History) -> None:
        def read() -> str:
            messages = self._hub.threads.messages
            page = messages(self._user_id, self._thread, before_id=wanted.before_id, limit=wanted.limit)
            return frame(history(page, self._language))

        await self._socket.send_text(await to_thread.run_sync(read))

    async def _send(self, data: dict[str, Any]) -> None:
        await self._socket.send_text(frame(data))


def _expected_bytes() -> AppError:
    return AppError(
        ErrorKind.VALIDATION,
        N_(
            "The bytes of the file that was announced did not come next, so it was forgotten. Announce it again."
        ),
    )
