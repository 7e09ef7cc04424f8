"""/api/api-keys: the caller's own provider keys, shown masked."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.identity import Caller, Hub, needs
from api.schemas import ERRORS, Answer, Body, Id, Moment
from core.accounts.checks import MAX_KEY, MAX_URL
from core.accounts.types import KeyInfo, Scope

router = APIRouter(prefix="/api/api-keys", tags=["api-keys"], responses=ERRORS)

Name = Annotated[str, Field(max_length=1_000, examples=["Claude API Key"])]
Secret = Annotated[str, Field(min_length=1, max_length=MAX_KEY, examples=["sk-ant-api-key-123456789"])]
OptionText = Annotated[str, Field(max_length=1_000)]


class NewKey(Body):
    """`base_url`: the only address the key is sent to, the provider's own without it. `options`: further settings
    of the provider (GigaChat: `scope`, and `client_id` beside a secret)."""

    provider: Annotated[str, Field(min_length=1, max_length=64, examples=["anthropic"])]
    api_key: Annotated[Secret, Field(repr=False)]
    name: Name = ""
    is_active: bool = True
    base_url: Annotated[str, Field(max_length=4 * MAX_URL)] | None = None
    options: Annotated[dict[OptionText, OptionText], Field(max_length=10)] | None = None


class ChangedKey(Body):
    """What is left out or null stays. The masked key, sent back, leaves the stored one."""

    name: Name | None = None
    api_key: Annotated[Secret | None, Field(repr=False)] = None
    is_active: bool | None = None


class ApiKey(Answer):
    """`api_key` is masked: enough to tell one's keys apart. Of several active ones of a provider the newest is used."""

    id: Annotated[int, Field(examples=[2])]
    user_id: Annotated[int, Field(examples=[1])]
    provider: Annotated[str, Field(examples=["anthropic"])]
    api_key: Annotated[str, Field(examples=["sk-ant-api****789"])]
    name: Annotated[str, Field(examples=["Claude API Key"])]
    is_active: bool
    created_at: Moment
    updated_at: Moment
    base_url: str | None
    options: dict[str, str]


@router.get("", dependencies=[needs(Scope.READ)])
def list_keys(hub: Hub, caller: Caller) -> list[ApiKey]:
    """One's own keys, the oldest first."""
    return [_answer(caller.account.id, key) for key in hub.keys.list(caller.account.id)]


@router.post("", status_code=201, dependencies=[needs(Scope.ACCOUNT)])
def add_key(hub: Hub, caller: Caller, body: NewKey) -> ApiKey:
    """Store a key, sealed. It is never shown again."""
    me = caller.account
    added = hub.keys.add(
        me, body.provider, body.name, body.api_key, body.base_url, body.options, active=body.is_active
    )
    return _answer(me.id, added)


@router.get("/{key_id}", dependencies=[needs(Scope.READ)])
def read_key(hub: Hub, caller: Caller, key_id: Id) -> ApiKey:
    """One of them."""
    return _answer(caller.account.id, hub.keys.get(caller.account.id, key_id))


@router.put("/{key_id}", dependencies=[needs(Scope.ACCOUNT)])
def change_key(hub: Hub, caller: Caller, key_id: Id, body: ChangedKey) -> ApiKey:
    """Change what is sent, all or nothing."""
    user_id = caller.account.id
    changed = hub.keys.change(user_id, key_id, label=body.name, key=body.api_key, active=body.is_active)
    return _answer(user_id, changed)


@router.delete("/{key_id}", status_code=204, dependencies=[needs(Scope.ACCOUNT)])
def delete_key(hub: Hub, caller: Caller, key_id: Id) -> None:
    """Stop using a key, and forget it."""
    hub.keys.delete(caller.account.id, key_id)


def _answer(user_id: int, key: KeyInfo) -> ApiKey:
    return ApiKey(
        id=key.id,
        user_id=user_id,
        provider=key.provider,
        api_key=key.masked,
        name=key.label,
        is_active=key.is_active,
        created_at=key.created_at,
        updated_at=key.updated_at,
        base_url=key.base_url,
        options=dict(key.options),
    )
