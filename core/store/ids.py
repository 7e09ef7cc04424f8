"""Ids that come from outside."""


def is_id(value: int) -> bool:
    """Whether a row may have this id. One that its column cannot hold is refused by PostgreSQL, not looked up."""
    return 0 < value < 2**63
