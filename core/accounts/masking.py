"""What is shown of a key: enough to tell one's keys apart, too little to use one."""

STARS = "****"
HEAD, TAIL = 10, 3


def mask(key: str) -> str:
    """`sk-ABC1234****XYZ`: at most the first 10 and the last 3 characters, and never more than a third in all.

    Short keys show less; of one under 12 characters nothing is shown.
    """
    shown = min(len(key) // 3, HEAD + TAIL)
    if shown < 4:
        return STARS
    tail = min(TAIL, shown // 3)
    return f"{key[: min(HEAD, shown - tail)]}{STARS}{key[-tail:]}"


def is_masked(value: str) -> bool:
    """Whether `value` is what AIHub, or a provider's own page, shows in the place of a key."""
    return STARS in value or "••" in value or "…" in value
