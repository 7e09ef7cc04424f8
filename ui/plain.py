"""Text that means itself: what a person or another program wrote, shown in a place that reads Markdown."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=@])")
# Not the non-breaking ones: they hold a number and its unit together.
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


def escape(text: str) -> str:
    """`text` on one line with everything that Markdown or Streamlit would read as a sign made literal."""
    return _SPECIAL.sub(r"\\\1", _SPACES.sub(" ", text).strip())


def code(text: str) -> str:
    """`text` on one line as code, whatever signs are in it."""
    text = _SPACES.sub(" ", text).strip()
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, gap = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{gap}{text}{gap}{fence}"


def plain_text(text: str) -> str:
    """`text` with its line breaks and indents, and everything Markdown would read made literal."""
    text = _SPECIAL.sub(r"\\\1", text)
    text = _INDENT.sub(lambda spaces: "\u00a0" * len(spaces[0].expandtabs(4)), text)
    return re.sub(r"\n{2,}", "\n\n", text).replace("\n", "  \n").replace("  \n  \n", "\n\n")
