"""Text that means itself."""

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ui.plain import escape, plain_text

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), max_size=80)


def test_signs_are_made_literal_and_lines_one() -> None:
    assert escape("# a\n*b* :red[c] $5") == r"\# a \*b\* \:red\[c\] \$5"


def test_a_number_keeps_its_unit() -> None:
    assert escape("1\u00a0234\u202f₽") == "1\u00a0234\u202f₽"


def test_lines_and_indents_stay() -> None:
    assert plain_text("a\n    b\n\nc") == "a  \n\u00a0\u00a0\u00a0\u00a0b\n\nc"


@given(TEXT)
def test_a_reader_of_markdown_sees_plain_text(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parseInline(escape(text))[0].children or []
    assert {token.type for token in tokens} <= {"text", "text_special"}
    assert "".join(token.content for token in tokens) == text
