"""/ws/chat/{session_uuid}: a thread as a conversation over a WebSocket."""

import logging
from contextlib import suppress

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from api.chat_socket.conversation import BROKEN, POLICY, Conversation, Refused
from api.chat_socket.credentials import credential_of, is_hijacking
from api.chat_socket.limits import Seats
from api.errors import language_of
from api.identity import Hub
from core.errors import AppError, ErrorKind
from core.i18n import N_

_logger = logging.getLogger(__name__)
_seats = Seats()

router = APIRouter()


@router.websocket("/ws/chat/{session_uuid}")
async def chat(socket: WebSocket, hub: Hub, session_uuid: str) -> None:
    """See docs/streaming.md for what is said in both directions."""
    if is_hijacking(socket):
        # Before it is accepted: the handshake is answered with 403.
        await socket.close(POLICY)
        return
    await socket.accept()
    conversation = Conversation(socket, hub, session_uuid, language_of(socket.scope))
    refused: Refused | None = None
    try:
        identity = await conversation.sign_in(credential_of(socket))
        with _seats.taken(identity.account.id):
            await conversation.run()
    except WebSocketDisconnect:
        return
    except Refused as error:
        refused = error
    except AppError as error:
        refused = Refused(error, POLICY)
    except Exception:
        _logger.exception("a conversation over a WebSocket broke off")
        message = N_("AIHub met an error of its own, and the log says more. Connect again.")
        refused = Refused(AppError(ErrorKind.INTERNAL, message), BROKEN)
    # The client may have left by itself.
    if refused is not None:
        with suppress(WebSocketDisconnect, RuntimeError):
            await conversation.say_error(refused.error)
            await socket.close(refused.code)
