"""/api/users for administrators: who has an account, and who may do what."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.aihub.users import User
from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Body, Id, Limit, Skip
from core.accounts.types import Scope

router = APIRouter(prefix="/api/users", tags=["users"], responses=ERRORS, dependencies=[needs(Scope.ACCOUNT)])


class Member(User):
    is_admin: bool


class ChangedMember(Body):
    """What is left out or null stays."""

    is_active: Annotated[bool | None, Field(examples=[True])] = None
    is_admin: Annotated[bool | None, Field(examples=[False])] = None


@router.get("")
def list_members(hub: Hub, caller: Caller, skip: Skip = 0, limit: Limit = 100) -> list[Member]:
    """Every account, the oldest first. For administrators."""
    found = hub.members.administration.list(caller.account, skip, limit)
    return [Member.model_validate(each) for each in found]


@router.put("/{user_id}")
def change_member(hub: Hub, caller: Caller, user_id: Id, body: ChangedMember) -> Member:
    """Switch an account off or on, make an administrator or no longer. For administrators; one is always left."""
    changed = hub.members.administration.change(
        caller.account, user_id, is_active=body.is_active, is_admin=body.is_admin
    )
    return Member.model_validate(changed)
