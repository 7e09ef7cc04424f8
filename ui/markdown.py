"""Model output made safe and true for st.markdown: no remote picture is fetched, nothing reads as a directive.

No kept library rewrites Markdown source (parsers give no inline positions, sanitizers take HTML), hence this
small scanner. Its one rule: whatever is not surely code is prose, and prose leaves without any `![`.
Blocks: https://spec.commonmark.org/0.31.2/#phase-1-block-structure. What Streamlit adds: its st.markdown docs.
"""

import re
from bisect import bisect
from html import unescape
from textwrap import dedent

_QUOTE = -1
_DEEPEST = 24  # containers; nobody writes deeper, and beyond it nothing counts as code
_HEAD = re.compile(r"\A(?:[\s\ufeff]*\ufeff)?(?:[ \t]*\n)*")  # byte order marks, then blank lines
_LIST = re.compile(r"([-+*]|(\d{1,9})[.)])( +|$)")
_RULE = re.compile(r"([-_*])(?: *\1){2,} *$")
_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_HEADING = re.compile(r"#{1,6}(?: |$)")
_DEFINITION = re.compile(r"^([ \t>]*)\[([^\[\]\n]{1,999})\]:[ \t]*(\S*)", re.MULTILINE)
_REFERENCE = re.compile(r"\[([^\[\]\n]{0,999})\]")
_TARGET = re.compile(
    r"""\(\s*+(<[^<>\n`]*>|[^\s()<>`]*+(?:\([^\s()<>`]*+\)[^\s()<>`]*+)*+)(?:\s++(?:"[^"`]*"|'[^'`]*'))?\s*+\)"""
)
_SCHEME = re.compile(r"[^/?#]*?:")
# Where these stand beside a code span, Markdown may see the span's ends elsewhere (tables, links, math).
_UNSURE = re.compile(r"[$<|\\]|://|www\.")
# What would begin another block on a line of its own, were the line not taken for math.
_BLOCK = re.compile(r"(?:[-+*]|\d{1,9}[.)]|#{1,6})(?:\s|$)|>|~~~|\[[^\]\n]*\]:|[-=*_ \t]+$", re.MULTILINE)
_LINE_END = re.compile(r"[ \t]*+(?:\n|\Z)")
_LEAF_START = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])?[ \t]*")
_TOKEN = re.compile(
    r"""\\\[(?P<display>(?:[^\\`$]|\\[^\[\]])*+)\\\]
    |\\\((?P<inline>(?:[^\\`$\n]|\\[^()\n])*+)\\\)
    |\$\$(?P<dollars>[^$`]+)\$\$(?!\$)
    |(?<![\w$])\$(?P<math>(?![\s$]|\d[^$`\n\\^={}]*\$)[^$`\n]*(?<![\s\\]))\$(?![\w$])
    |(?P<escape>\\[!-/:-@\[-`{-~])
    |(?P<ticks>`+)
    |(?P<verbatim><(?:https?://|mailto:)[^\s<>`]*>|(?:https?://|www\.)[^]\s<>`"[\\$!(){}|*]*)
    |(?P<image>!+)\[
    |(?P<open>\[\^?)
    |(?P<close>\])
    |(?P<icon>:material/)
    |(?P<emoji>:[A-Za-z])(?=(?:[\w-]|\\_)*:)
    |(?P<number>:)(?=(?:100|1234|8ball|[123](?:st|nd|rd)_place_medal|[+-]1):)
    |(?P<plain>\$|<(?=[A-Za-z/!?])|:(?=[^\W\d_]|:))""",
    re.VERBOSE,
)


def safe_markdown(text: str) -> str:
    """`text` for st.markdown (HTML off): code as it was, pictures as links, dollars and colons as written.

    Linear in the length of `text`; an unclosed fence at its end is closed.
    """
    text = _HEAD.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if text[:1].isspace():  # Streamlit does the same, and it changes what is indented code
        text = dedent(text).strip()
    found = (match[2] for match in _DEFINITION.finditer(text) if _is_safe(match[3], web_only=True))
    labels = frozenset(_label(label) for label in found)
    blocks, out, chunk, wary = _Blocks(), list[str](), list[str](), False
    for line in [*text.split("\n"), None]:
        is_code, joins, shown = blocks.read(line) if line is not None else (True, False, "")
        if chunk and not joins:
            prose = _Prose("\n".join(chunk), labels, wary or blocks.lost)
            out.append(prose.written())
            # A quote's paragraph may go on in the next chunk, and with it a span that has not ended.
            chunk, wary = [], prose.wary and not is_code
        wary = wary and not is_code
        if line is not None:
            (out if is_code else chunk).append(shown)
    return "\n".join([*out, blocks.fence] if blocks.fence and not blocks.stack else out)


def plain_excerpt(text: str, limit: int) -> str:
    """The beginning of `text` in at most `limit` characters, on one line and without Markdown, for titles."""
    text = re.sub(r"^[ \t]*(?:`{3,}|~{3,}).*$", " ", text[: limit * 8 + 400], flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\[\]\n]*)\]\([^()\s]*\)", r"\1", text)
    text = re.sub(r"^[ \t]*(?:#{1,6}|>|[-+*]|\d{1,9}[.)])[ \t]+", "", text, flags=re.MULTILINE)
    text = " ".join(re.sub(r"\*\*|__|~~|`", "", text).split())
    if len(text) <= limit:
        return text
    cut = text[: max(limit - 1, 0)]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > limit // 2 else cut).rstrip(" ,.;:") + "…"


class _Blocks:
    """Which lines are code: CommonMark's containers and leaves, followed line by line."""

    def __init__(self) -> None:
        self.stack: list[int] = []  # open containers: a quote, or the indent of a list item's content
        self.fence = ""
        self.lost = False
        self._paragraph = self._empty_item = self._prose = False

    def read(self, line: str) -> tuple[bool, bool, str]:
        """(is code or blank, belongs to the prose line before, the line as it shall be written)."""
        view = line.expandtabs(4)
        matched, rest = self._matched(view)
        inside, joins, self._prose = matched == len(self.stack), self._prose, False
        if self.fence and inside:
            body = rest.strip(" ")
            if (
                len(rest) - len(rest.lstrip(" ")) < 4
                and len(body) >= len(self.fence)
                and not body.strip(self.fence[0])
            ):
                self.fence = ""
            return True, False, line
        self.fence = ""
        if not rest.strip(" "):
            del self.stack[matched - (self._empty_item and inside) :]
            self._paragraph = self._empty_item = False
            return True, False, line
        opened, rest, declined = self._opened(matched, rest)
        if declined is not None:  # escaped, so that no parser can take it for a list either
            at = len(view) - len(rest.lstrip(" ")) + declined
            line = f"{view[:at]}\\{view[at:]}"
        is_code, alone = self._leaf(rest, lazy=not inside and not opened, matched=matched)
        is_code = is_code and not (opened and not self.fence)  # parsers disagree on `-     code`
        self._prose = not is_code and not alone
        return is_code, joins and inside and not opened and self._prose, line

    def _matched(self, rest: str) -> tuple[int, str]:
        for depth, indent in enumerate(self.stack):
            body = rest.lstrip(" ")
            if indent == _QUOTE and body.startswith(">") and len(rest) - len(body) < 4:
                rest = body[1:].removeprefix(" ")
            elif indent != _QUOTE and (not body or len(rest) - len(body) >= indent):
                rest = rest[indent:]
            else:
                return depth, rest
        return len(self.stack), rest

    def _opened(self, matched: int, rest: str) -> tuple[bool, str, int | None]:
        """Open the containers that begin here; a list that may not interrupt a paragraph is declined."""
        opened = self._empty_item = False
        while (
            len(rest) - len(body := rest.lstrip(" ")) < 4 and body and not _RULE.match(body) and not self.lost
        ):
            marker = _LIST.match(body)
            if not marker and body[0] != ">":
                break
            empty = bool(marker) and marker.end() == len(body)
            if (
                marker
                and self._paragraph
                and not opened
                and matched == len(self.stack)
                and (empty or marker[2] not in (None, "1"))
            ):
                return False, rest, len(marker[2] or "")
            if not opened:
                del self.stack[matched:]
            opened, self._paragraph, self._empty_item = True, False, empty
            if marker:
                width = len(marker[1]) + (len(marker[3]) if len(marker[3]) < 5 and not empty else 1)
                self.stack.append(len(rest) - len(body) + width)
                rest = body[width:]
            else:
                self.stack.append(_QUOTE)
                rest = body[1:].removeprefix(" ")
            self.lost = len(self.stack) > _DEEPEST
        return opened, rest, None

    def _leaf(self, rest: str, *, lazy: bool, matched: int) -> tuple[bool, bool]:
        """Whether the line's content is code, and whether it is a block by itself.

        `lazy`: it stands outside some open container, and may only go on with a paragraph in there.
        """
        body = rest.lstrip(" ")
        indented = len(rest) - len(body) >= 4
        fence = None if indented or self.lost else _FENCE.match(body)
        breaks = not indented and bool(fence or _HEADING.match(body) or _RULE.match(body))
        if lazy and (breaks or not self._paragraph):
            del self.stack[matched:]
            self._paragraph = False
        self.fence = (fence[1] or fence[2]) if fence else ""
        is_code = bool(fence) or (indented and not self._paragraph and bool(body) and not self.lost)
        self._paragraph = not is_code and not breaks and bool(body)
        return is_code, breaks


class _Prose:
    """Consecutive lines of one container, rewritten from left to right."""

    def __init__(self, text: str, labels: frozenset[str], wary: bool) -> None:
        self.text = _DEFINITION.sub(_checked_definition, text)
        self.labels = labels
        self.wary = wary
        self.pieces: list[str] = []
        self.code: set[int] = set()
        self.brackets: list[tuple[int, int, bool, list[int]]] = []  # piece, end in text, image, pieces inside
        self.line_ends = [match.start() for match in re.finditer("\n", self.text)]
        self.runs: dict[int, list[int]] = {}
        for run in re.finditer("`+", self.text):
            self.runs.setdefault(run.end() - run.start(), []).append(run.start())
        for starts in self.runs.values():
            starts.reverse()

    def written(self) -> str:
        at = 0
        while token := _TOKEN.search(self.text, at):
            self.pieces.append(self.text[at : token.start()])
            at = self._token(token)
        self.pieces.append(self.text[at:])
        plain = "".join(piece for index, piece in enumerate(self.pieces) if index not in self.code)
        self.wary = self.wary or bool(_UNSURE.search(plain))
        out, prose = list[str](), list[str]()
        for index, piece in enumerate(self.pieces):
            if index in self.code and not self.wary:
                out += ["".join(prose).replace("![", "!\\["), piece]
                prose.clear()
            else:
                prose.append(piece)
        return "".join([*out, "".join(prose).replace("![", "!\\[")])

    def _token(self, token: re.Match[str]) -> int:
        """Write one token; where to read on."""
        kind, found = token.lastgroup or "", token[0]
        if kind == "ticks":
            return self._span(token)
        if kind in ("display", "dollars"):
            return self._display(token, token[kind])
        if kind == "inline":
            math = token["inline"].strip()
            self.pieces.append(f"${math}$" if math else found)
        elif kind in ("image", "open"):
            if len(token["image"] or "") > 1:  # a mark before the picture's own would make it one again
                self.pieces.append(f"{token['image'][:-2]}&#33;")
            self.brackets.append((len(self.pieces), token.end(), kind == "image", []))
            self.pieces.append("\\[^" if found == "[^" else "[")
        elif kind == "close":
            return self._close(token.end())
        else:
            self.pieces.append(_written(kind, found))
        return token.end()

    def _span(self, token: re.Match[str]) -> int:
        start, ticks = token.start(), token[0]
        ends = self.runs.get(len(ticks), [])
        while ends and ends[-1] <= start:
            ends.pop()
        if ends and bisect(self.line_ends, start) == bisect(self.line_ends, ends[-1]):
            self.code.add(len(self.pieces))
            self.pieces.append(self.text[start : ends[-1] + len(ticks)])
            return ends[-1] + len(ticks)
        self.wary = True  # it may end on another line, or nowhere: then no span here is sure
        self.pieces.append(ticks)
        return token.end()

    def _display(self, token: re.Match[str], content: str) -> int:
        """`$$` math on lines of its own where it stands alone, inside its line otherwise."""
        start, math = token.start(), content.strip()
        line = self.text.rfind("\n", max(start - 40, 0), start) + 1 or max(start - 40, 0)
        before, alone = self.text[line:start], _LINE_END.match(self.text, token.end())
        if math and alone and len(before) < 40 and _LEAF_START.fullmatch(before) and not _BLOCK.match(math):
            pad = re.sub(r"\S", " ", before)
            self.pieces.append(f"$$\n{pad}{math}\n{pad}$$")
        elif math and "\n" not in content:
            self.pieces.append(f"$${math}$$")
        else:
            self.pieces.append("\\$\\$" if token["dollars"] else token[0][:2])
            return start + 2
        return token.end()

    def _close(self, at: int) -> int:
        """A `]`: decide what its bracket was. Pictures become links, and plain text within a link."""
        if not self.brackets:
            self.pieces.append("]")
            return at
        piece, begin, image, inside = self.brackets.pop()
        opening, closing, end, linked = "!\\[" if image else "[", "]", at, False
        if target := _TARGET.match(self.text, at):
            linked, end = _is_safe(target[1], web_only=image), target.end()
            opening, closing = ("[", f"]{target[0]}") if linked else ("", "")
        elif self.text.startswith("(", at):
            closing = "]\\"
        elif image and (named := self._reference(begin, at)) is not None:
            opening, closing, end, linked = "[", f"]{named}", at + len(named), True
        if linked:  # a link holds no link: what were pictures in it is only their text
            for index in inside:
                self.pieces[index] = ""
        if self.pieces[piece] != "\\[^":
            self.pieces[piece] = opening
        self.pieces.append(closing)
        if self.brackets:
            self.brackets[-1][3].extend([piece, len(self.pieces) - 1] if image and linked else inside)
        return end

    def _reference(self, begin: int, at: int) -> str | None:
        """The `[label]` (or nothing) by which the bracket from `begin` to `at` names a known definition."""
        named = _REFERENCE.match(self.text, at)
        label = (named and named[1]) or self.text[begin : min(at - 1, begin + 1000)]
        return (named[0] if named else "") if _label(label) in self.labels else None


def _written(kind: str, found: str) -> str:
    """A token that needs nothing but its own text; Streamlit's `:name[…]` and `:smile:` lose their meaning."""
    if kind == "icon":
        return "\\:material\\/"
    if kind == "emoji":
        # Streamlit replaces shortcodes after Markdown's escapes are gone. An unknown directive `:s[]`
        # is drawn as ":s" by itself, which takes the shortcode apart and leaves no trace in what is shown.
        return f"{found}[]"
    if kind == "number":
        return ":\u2060"
    return f"\\{found}" if kind == "plain" else found


def _checked_definition(match: re.Match[str]) -> str:
    safe = _is_safe(match[3], web_only=False) and match[3] and match[2][0] != "^"
    return match[0] if safe else f"{match[1]}\\{match[0][len(match[1]) :]}"


def _is_safe(target: str, *, web_only: bool) -> bool:
    """Whether a link may go there: http, https, mailto, and (unless `web_only`) places without a scheme."""
    plain = unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", target.removeprefix("<").removesuffix(">")))
    plain = "".join(char for char in plain if char > " ").lower()
    if plain.startswith(("http://", "https://", "mailto:")):
        return True
    return not web_only and not _SCHEME.match(plain)


def _label(label: str) -> str:
    return " ".join(label.split()).casefold()
