"""Estimates by script, as measured with the providers' tokenizers (see provider-facts)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.providers.estimate import estimate_prompt_tokens, estimate_tokens
from core.providers.types import ChatMessage, CompletionRequest, Role

LATIN = "The quick brown fox jumps over the lazy dog, and nothing else happened to it at all that day."
CYRILLIC = "Съешь же ещё этих мягких французских булок, да выпей чаю. Всё хорошо, что хорошо кончается."
CJK = "今天天气很好我们去公园散步吧今天天气很好我们去公园散步吧"
CODE = Path(__file__).read_text()


@pytest.mark.parametrize(
    ("text", "per_token"),
    [(LATIN, 4), (CYRILLIC, 3), (CJK, 1.5), (CODE, 2.5)],
    ids=["latin", "cyrillic", "cjk", "code"],
)
def test_characters_per_token(text: str, per_token: float) -> None:
    assert len(text) / estimate_tokens(text) == pytest.approx(per_token, rel=0.15)


def test_nothing_is_no_tokens() -> None:
    assert estimate_tokens("") == 0


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_any_text_counts_and_more_text_never_counts_less(first: str, second: str) -> None:
    whole = estimate_tokens(first + second)
    assert max(estimate_tokens(first), estimate_tokens(second)) <= whole
    assert whole <= estimate_tokens(first) + estimate_tokens(second)
    assert (whole > 0) is bool(first + second)


def test_a_prompt_is_its_messages_its_system_prompt_and_their_frames() -> None:
    one = CompletionRequest("m", (ChatMessage(Role.USER, LATIN),))
    system = CompletionRequest("m", one.messages, system_prompt=LATIN)
    assert estimate_prompt_tokens(one) > estimate_tokens(LATIN)
    assert estimate_prompt_tokens(system) == 2 * estimate_prompt_tokens(one)
