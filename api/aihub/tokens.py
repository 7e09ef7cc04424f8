"""/api/tokens: personal tokens for programs."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Answer, Body, Id, Moment
from core.accounts.tokens import USUAL
from core.accounts.types import Scope

router = APIRouter(
    prefix="/api/tokens", tags=["tokens"], responses=ERRORS, dependencies=[needs(Scope.ACCOUNT)]
)


class NewToken(Body):
    name: Annotated[str, Field(min_length=1, max_length=100, examples=["Nightly report"])]
    scopes: list[Scope] = Field(default_factory=lambda: sorted(USUAL))
    expires_in_days: Annotated[int, Field(ge=1, le=3_650)] | None = None


class PersonalToken(Answer):
    id: int
    name: str
    hint: str
    scopes: list[Scope]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class MadeToken(PersonalToken):
    token: str


@router.get("")
def list_tokens(hub: Hub, caller: Caller) -> list[PersonalToken]:
    """One's own tokens, without the tokens themselves."""
    return [PersonalToken.model_validate(each) for each in hub.members.tokens.list(caller.account.id)]


@router.post("", status_code=201)
def make_token(hub: Hub, caller: Caller, body: NewToken) -> MadeToken:
    """Make a token. It is shown in this answer and never again."""
    made = hub.members.tokens.create(caller.account.id, body.name, body.scopes, body.expires_in_days)
    return MadeToken(**dict(PersonalToken.model_validate(made.info)), token=made.secret)


@router.delete("/{token_id}", status_code=204)
def revoke_token(hub: Hub, caller: Caller, token_id: Id) -> None:
    """End a token at once."""
    hub.members.tokens.revoke(caller.account.id, token_id)
