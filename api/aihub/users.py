"""/api/users: signing up, and one's own profile."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Answer, Body, Moment
from core.accounts.types import Scope

router = APIRouter(prefix="/api/users", tags=["users"], responses=ERRORS)

Email = Annotated[str, Field(min_length=1, max_length=254, examples=["user@example.com"])]
Username = Annotated[str, Field(min_length=1, max_length=200, examples=["johndoe"])]
Password = Annotated[str, Field(min_length=1, max_length=1_000, examples=["strong_password"])]


class NewUser(Body):
    email: Email
    username: Username
    password: Password


class ChangedUser(Body):
    email: Email | None = None
    username: Username | None = None
    password: Password | None = None


class User(Answer):
    id: int
    email: str | None
    username: str
    is_active: bool
    created_at: Moment


@router.post("", status_code=201)
def sign_up(hub: Hub, body: NewUser) -> User:
    """Make an account. The first one is the administrator's; AIHUB_SIGNUP says who else may."""
    return User.model_validate(hub.members.accounts.sign_up(body.email, body.username, body.password))


@router.get("/me", dependencies=[needs(Scope.READ)])
def read_me(hub: Hub, caller: Caller) -> User:
    """One's own account."""
    return User.model_validate(hub.members.accounts.profile(caller.account.id))


@router.put("/me", dependencies=[needs(Scope.ACCOUNT)])
def change_me(hub: Hub, caller: Caller, body: ChangedUser) -> User:
    """Change what is sent. A new password signs out every other session."""
    changed = hub.members.accounts.update(
        caller.account.id,
        email=body.email,
        username=body.username,
        password=body.password,
        keep_session=caller.session_id,
    )
    return User.model_validate(changed)
