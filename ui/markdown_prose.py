"""Prose of a Markdown text rewritten: links that may stay, pictures as links, no sign read as a directive."""

import re
from bisect import bisect
from html import unescape

DEFINITION = re.compile(r"^([ \t>]*)\[([^\[\]\n]{1,999})\]:[ \t]*(\S*)", re.MULTILINE)
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


class Prose:
    """Consecutive lines of one container, rewritten from left to right."""

    def __init__(self, text: str, labels: frozenset[str], wary: bool) -> None:
        self.text = DEFINITION.sub(_checked_definition, text)
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
            linked, end = is_safe(target[1], web_only=image), target.end()
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
        return (named[0] if named else "") if label_of(label) in self.labels else None


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
    safe = is_safe(match[3], web_only=False) and match[3] and match[2][0] != "^"
    return match[0] if safe else f"{match[1]}\\{match[0][len(match[1]) :]}"


def is_safe(target: str, *, web_only: bool) -> bool:
    """Whether a link may go there: http, https, mailto, and (unless `web_only`) places without a scheme."""
    plain = unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", target.removeprefix("<").removesuffix(">")))
    plain = "".join(char for char in plain if char > " ").lower()
    if plain.startswith(("http://", "https://", "mailto:")):
        return True
    return not web_only and not _SCHEME.match(plain)


def label_of(label: str) -> str:
    return " ".join(label.split()).casefold()
