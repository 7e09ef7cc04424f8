"""Model output made safe and true for st.markdown: no remote picture is fetched, nothing reads as a directive.

No kept library rewrites Markdown source (parsers give no inline positions, sanitizers take HTML), hence this
small scanner. Its one rule: whatever is not surely code is prose, and prose leaves without any `![`.
What Streamlit adds to Markdown: its st.markdown docs.
"""

import re
from textwrap import dedent

from ui.markdown_blocks import Blocks
from ui.markdown_prose import DEFINITION, Prose, is_safe, label_of

_HEAD = re.compile(r"\A(?:[\s\ufeff]*\ufeff)?(?:[ \t]*\n)*")  # byte order marks, then blank lines


def safe_markdown(text: str) -> str:
    """`text` for st.markdown (HTML off): code as it was, pictures as links, dollars and colons as written.

    Linear in the length of `text`; an unclosed fence at its end is closed.
    """
    text = _HEAD.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if text[:1].isspace():  # Streamlit does the same, and it changes what is indented code
        text = dedent(text).strip()
    found = (match[2] for match in DEFINITION.finditer(text) if is_safe(match[3], web_only=True))
    labels = frozenset(label_of(label) for label in found)
    blocks, out, chunk, wary = Blocks(), list[str](), list[str](), False
    for line in [*text.split("\n"), None]:
        is_code, joins, shown = blocks.read(line) if line is not None else (True, False, "")
        if chunk and not joins:
            prose = Prose("\n".join(chunk), labels, wary or blocks.lost)
            out.append(prose.written())
            # A quote's paragraph may go on in the next chunk, and with it a span that has not ended.
            chunk, wary = [], prose.wary and not is_code
        wary = wary and not is_code
        if line is not None:
            (out if is_code else chunk).append(shown)
    return "\n".join([*out, blocks.fence] if blocks.fence and not blocks.stack else out)
