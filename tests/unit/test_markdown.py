"""Model output for st.markdown: what must not survive, what must, checked against a real CommonMark parser too."""

import sys
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ui.markdown import safe_markdown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![a](http://x/y.png)", "[a](http://x/y.png)"),
        ('![a](https://x "t") b', '[a](https://x "t") b'),
        ("![a](<https://x y>)", "[a](<https://x y>)"),
        ("[![badge](http://i)](https://h)", "[badge](https://h)"),
        ("!![a](http://x)", "&#33;[a](http://x)"),
        ("![a](javascript:x) ![b](data:image/png;base64,AA) ![c](chart.png)", "a b c"),
        ("![a](java&#10;script:x) [b](JavaScript:alert(1))", "a b"),
        ("[c](/x) [d](#y) [e](mailto:m@x.y)", "[c](/x) [d](#y) [e](mailto:m@x.y)"),
        ("![a][R] ![r] ![q]\n\n[r]: http://e.com", "[a][R] [r] !\\[q]\n\n[r]: http://e.com"),
        ("[q]: data:x", "\\[q]: data\\:x"),
        ("Great![1]", "Great!\\[1]"),
        ("![half](http://e", "!\\[half]\\(http://e"),
    ],
)
def test_pictures_become_links_and_links_go_only_to_the_web(text: str, shown: str) -> None:
    assert safe_markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (":smile: :rainbow:", ":s[]mile: :r[]ainbow:"),
        (":+1: at 12:30:45", ":\u2060+1: at 12:30:45"),
        (":red[x] :blue-background[y]", "\\:red[x] \\:blue-background[y]"),
        (":material/face: :streamlit:", "\\:material\\/face: :s[]treamlit:"),
        ("std::thread::spawn", "std\\::t[]hread\\:\\:spawn"),
        ("::: note", "\\:\\:: note"),
        ("https://a.b:80/:smile:/c", "https://a.b:80/:smile:/c"),
        ("a | b\n:-: | --:", "a | b\n:-: | --:"),
        ("<b>x</b> 1 < 2 <https://a.b>", "\\<b>x\\</b> 1 < 2 <https://a.b>"),
    ],
)
def test_streamlits_own_syntax_is_shown_as_written(text: str, shown: str) -> None:
    assert safe_markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("$5 and $6", "\\$5 and \\$6"),
        ("from $5-$10, $HOME/$USER", "from \\$5-\\$10, \\$HOME/\\$USER"),
        ("$5 (US$)", "\\$5 (US\\$)"),
        ("$x^2$ and $2x=4$", "$x^2$ and $2x=4$"),
        ("so \\( a_b \\) and \\[ c \\].", "so $a_b$ and $$c$$."),
        ("\\[ c \\]", "$$\nc\n$$"),
        ("- \\[ c \\]\n- d", "- $$\n  c\n  $$\n- d"),
        ("$$a\n= b$$", "$$\na\n= b\n$$"),
        ("text $$a$$ b", "text $$a$$ b"),
        ("$$- a$$", "$$- a$$"),
        ("open $$a and \\[b", "open \\$\\$a and \\[b"),
        ("\\$5 stays", "\\$5 stays"),
    ],
)
def test_dollars_are_money_unless_they_are_math(text: str, shown: str) -> None:
    assert safe_markdown(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "```md\n![a](b) $5 :smile:\n```",
        "~~~\n``` ![a](b)\n~~~",
        "> ```\n> ![a](b)\n> ```",
        "1. a\n\n   ```\n   ![a](b)\n\n   c\n   ```\n\n   d",
        "x\n\n    ![a](b) $5",
        "use `![a](b)` and `` `$5` ``",
        "# Heading `:red[x]`\n\n- item\n  - item",
    ],
)
def test_code_comes_through_untouched(text: str) -> None:
    assert safe_markdown(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a ` b\n\n![x](http://e) ` c",
        "a ` b\n` ![x](http://e) ` c `",
        "- ```\n![x](http://e)",
        "> ```\n![x](http://e)",
        "a\n2. ```\n![x](http://e)\n   ```\n![y](http://e)",
        "a | b\n--|--\n`x | ![i](http://e) ` | c",
        "https://a/` ![x](http://e) `",
        "<!--\n```\n-->\n![x](http://e)",
        "$$\n```\n$$\n![x](http://e)",
        "[^1]: x\n\n    ![a](http://e)",
        "    ![a](http://e)",
        "\ufeff```\na\n```\n![x](http://e)",
        "> a `\nb\n`![a](http://e)`",
        "\\[\n# \\]\n    ![a](http://e)",
        "$$~~~$$\n![a](http://e)\n~~~\n![a](http://e)",
        "1.     ![a](http://e)|b\n-|-",
        "> " * 30 + "```\n![x](http://e)",
    ],
)
def test_nothing_hides_a_picture_from_us(text: str) -> None:
    assert not pictures(safe_markdown(text))
    assert not pictures(safe_markdown(text), WITH_TABLES)


def test_an_unclosed_fence_is_code_to_its_end_and_gets_closed() -> None:
    assert safe_markdown("Look:\n\n```py\nprint('$5')") == "Look:\n\n```py\nprint('$5')\n```"
    assert safe_markdown("- a\n  ```\n  b") == "- a\n  ```\n  b"


FRAGMENTS = (
    """- |> |1. |2) |```|~~~|``|    |![|](http://e)|![a](http://e)|![r]|$$|\\[|\\]|# |<b>|<!--|---|***"""
)
OTHERS = ["\t", "[r]: http://e\n", "|-|-|\n", *"\n\n\n\n   >-`$[]()!:\\|a1"]
PIECES = st.lists(st.sampled_from([*FRAGMENTS.split("|"), *OTHERS]), max_size=40).map("".join)


@settings(deadline=None, max_examples=400)
@given(PIECES)
@example("- `\n  ` ![a](http://e)`")
def test_a_real_parser_finds_no_picture(text: str) -> None:
    shown = safe_markdown(text)
    assert not pictures(shown)


@given(PIECES)
def test_no_picture_is_left_where_there_is_no_code(text: str) -> None:
    without_code = text.translate(str.maketrans("`~\t", "   ")).replace("  ", "")
    assert "![" not in safe_markdown(without_code)


@settings(deadline=None)
@given(PIECES, st.text("abc![](){}$:`<>\\ \n", max_size=60))
def test_fenced_code_comes_through_byte_for_byte(before: str, code: str) -> None:
    # Streamlit itself empties lines of white space alone.
    code = "\n".join(line if line.strip() else "" for line in code.split("\n"))
    fence = "`" * 9
    block = f"{fence}py\n{code}\n{fence}"
    assert block in safe_markdown(f"{before.replace('`', '').replace('~', '')}\n\nEnd.\n\n{block}\n\nafter")
    assert safe_markdown(block) == block


@pytest.mark.parametrize(
    "part", ["![", "](a(", "` ", "$a ", "\\[ ", "$$ x\n", "- ", "> ", ":a:", "[a]: \n", "`a\n", '](a "']
)
def test_work_grows_with_the_text_not_with_its_square(part: str) -> None:
    small, large = (calls_for(part * count) for count in (500, 2_000))
    assert large < 5 * small + 500


def test_half_a_megabyte_of_brackets_ends() -> None:
    assert "![" not in safe_markdown("![a" * 160_000)


COMMONMARK = MarkdownIt("commonmark")
WITH_TABLES = MarkdownIt("commonmark").enable("table")


def pictures(text: str, parser: MarkdownIt = COMMONMARK) -> list[Token]:
    """Pictures that a browser would fetch."""
    return [part for token in parser.parse(text) for part in token.children or [] if part.type == "image"]


def calls_for(text: str) -> int:
    """How many functions, of Python and of C, one rewriting enters."""
    calls = 0

    def entered(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    safe_markdown("warm")
    before = sys.getprofile()
    sys.setprofile(entered)
    try:
        safe_markdown(text)
    finally:
        sys.setprofile(before)
    return calls
