"""Who may do what holds for everybody, and who may see what others did: asked by the services themselves."""

from typing import Protocol

from core.errors import AppError, ErrorKind
from core.i18n import N_


class Actor(Protocol):
    """Who asks: an account. Where nobody signs in, the one account of the machine is an administrator."""

    @property
    def id(self) -> int: ...

    @property
    def is_admin(self) -> bool: ...


def require_admin(actor: Actor) -> None:
    """AppError(FORBIDDEN) for whoever is no administrator; asked before anything is read."""
    if not actor.is_admin:
        raise AppError(ErrorKind.FORBIDDEN, N_("Only administrators may do this."))


def scope_of(actor: Actor, *, everyone: bool) -> int | None:
    """Whose calls are read: one's own, or (None) those of all users, for administrators. AppError(FORBIDDEN).

    Whatever asks the ledger for a person gets its `scope` here: see the rule `scope-of-all` in tests/architecture.
    """
    if not everyone:
        return actor.id
    require_admin(actor)
    return None


def require_scope(actor: Actor, scope: int | None) -> None:
    """AppError(FORBIDDEN) for a scope that is not the actor's own, unless they are an administrator: the same
    whether there is such a user or not."""
    if scope != actor.id:
        require_admin(actor)
