"""Keys as they are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.masking import STARS, is_masked, mask

KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="*"), max_size=300)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("", "****"),
        ("short", "****"),
        ("eleven-char", "****"),
        ("twelve-chars", "twe****s"),
        ("sk-ABC1234" + "x" * 26 + "XYZ", "sk-ABC1234****XYZ"),
        ("sk-ABC1234" + "x" * 200 + "XYZ", "sk-ABC1234****XYZ"),
        ("sk-" + "a" * 27, "sk-aaaa****aaa"),
    ],
)
def test_masks(key: str, shown: str) -> None:
    assert mask(key) == shown


@given(KEYS)
def test_a_mask_shows_at_most_ten_and_three_and_never_more_than_a_third(key: str) -> None:
    head, tail = mask(key).split(STARS)
    assert len(head) <= 10
    assert len(tail) <= 3
    assert (len(head) + len(tail)) * 3 <= len(key)
    assert key.startswith(head)
    assert key.endswith(tail)


@given(KEYS)
def test_a_mask_is_known_as_one_and_a_key_is_not(key: str) -> None:
    assert is_masked(mask(key))
    assert not is_masked(key)
