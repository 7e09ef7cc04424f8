"""Which users, sources and values calls have: one look into an index for each, however many calls stand behind it."""

from functools import lru_cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, bindparam, exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from core.usage.columns import DAILY, FACETS
from core.usage.tables import ALL_USERS


def users_with_calls(session: Session, source: str | None = None) -> tuple[int, ...]:
    """All users with calls of any source, or of one that roll-ups know."""
    values = {} if source is None else {"source": source}
    return tuple(session.execute(_users(source is not None), values).scalars())


def sources_with_calls(session: Session, user: int, sources: tuple[str, ...]) -> list[str]:
    """Those of `sources` under which a user (0 is everybody) has calls."""
    found = session.execute(_sources(sources), {"user": user}).one()
    return [source for source, has_calls in zip(sources, found, strict=True) if has_calls]


@lru_cache
def kept_values(facets: tuple[str, ...]) -> CTE:
    """`facet` and `value` of the roll-ups of the user `kept_user` and the source `kept_source`, which are bound.

    After the last value of each facet stands a NULL.
    """
    named = union_all(*(select(literal(facet).label("facet")) for facet in facets)).subquery("named")
    first, following = FACETS.alias("first"), FACETS.alias("following")
    found = select(named.c.facet, _least(first, named.c.facet).label("value")).cte("kept", recursive=True)
    after = _least(following, found.c.facet, following.c.value > found.c.value)
    return found.union_all(select(found.c.facet, after).where(found.c.value.is_not(None)))


def _least(table: FromClause, facet: ColumnElement[str], *after: ColumnElement[bool]) -> Any:
    mine = (table.c.user_id == bindparam("kept_user"), table.c.source == bindparam("kept_source"))
    return select(func.min(table.c.value)).where(*mine, table.c.facet == facet, *after).scalar_subquery()


@lru_cache
def _users(of_a_source: bool) -> Any:
    first, following, theirs = DAILY.alias("first"), DAILY.alias("following"), DAILY.alias("theirs")
    # Row 0 is everybody's, and nobody's id.
    least = select(func.min(first.c.user_id)).where(first.c.user_id > ALL_USERS)
    found = select(least.scalar_subquery().label("id")).cte("found", recursive=True)
    after = select(func.min(following.c.user_id)).where(following.c.user_id > found.c.id).scalar_subquery()
    found = found.union_all(select(after).where(found.c.id.is_not(None)))
    wanted = found.c.id.is_not(None)
    if of_a_source:
        wanted &= exists().where(theirs.c.user_id == found.c.id, theirs.c.source == bindparam("source"))
    return select(found.c.id).where(wanted).order_by(found.c.id)


@lru_cache
def _sources(sources: tuple[str, ...]) -> Any:
    mine = DAILY.c.user_id == bindparam("user")
    return select(*(exists().where(mine, DAILY.c.source == source) for source in sources))
