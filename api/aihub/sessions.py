"""/api/auth/sessions: where one is signed in, and signing out there."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.cookies import forget_session
from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Answer, Moment
from core.accounts.types import Scope

router = APIRouter(prefix="/api/auth", tags=["auth"], responses=ERRORS, dependencies=[needs(Scope.ACCOUNT)])

SessionId = Annotated[str, Path(min_length=1, max_length=64)]


class Session(Answer):
    """`last_seen_at` is exact to a minute; unused, a session ends at `expires_at`. `is_current`: the one that asks."""

    id: str
    user_agent: str
    address: str
    created_at: Moment
    last_seen_at: Moment
    expires_at: Moment
    is_current: bool


@router.get("/sessions")
def list_sessions(hub: Hub, caller: Caller) -> list[Session]:
    """One's own running sessions, the one used last first."""
    return [
        Session(
            id=each.id,
            user_agent=each.user_agent,
            address=each.address,
            created_at=each.created_at,
            last_seen_at=each.last_seen_at,
            expires_at=each.expires_at,
            is_current=each.id == caller.session_id,
        )
        for each in hub.members.sessions.list(caller.account.id)
    ]


@router.delete("/sessions/{session_id}", status_code=204)
def revoke_session(hub: Hub, caller: Caller, session_id: SessionId) -> None:
    """Sign out one session, and its token with it."""
    hub.members.sessions.revoke(caller.account.id, session_id)


@router.post("/logout-all", status_code=204)
def sign_out_everywhere(response: Response, hub: Hub, caller: Caller) -> None:
    """Revoke every session, the one that asks too. Personal tokens stay."""
    hub.members.sessions.revoke_others(caller.account.id, None)
    forget_session(response)
