"""Which request ids the ledger has: asked where they are kept together, for calls may lie in many months."""

from collections.abc import Sequence

from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from core.usage.columns import EVENTS

# See migration 0005.
_POSTGRES = table("usage_requests", column("request_id"))


def known_requests(session: Session, request_ids: Sequence[str]) -> set[str]:
    """Those of some hundreds of request ids that stand already."""
    kept = _POSTGRES if session.get_bind().dialect.name == "postgresql" else EVENTS
    statement = select(kept.c.request_id).where(kept.c.request_id.in_(request_ids))
    return set(session.execute(statement).scalars())
