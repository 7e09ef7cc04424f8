"""Which lines of a Markdown text are code: https://spec.commonmark.org/0.31.2/#phase-1-block-structure."""

import re

_QUOTE = -1
_DEEPEST = 24  # containers; nobody writes deeper, and beyond it nothing counts as code
_LIST = re.compile(r"([-+*]|(\d{1,9})[.)])( +|$)")
_RULE = re.compile(r"([-_*])(?: *\1){2,} *$")
_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_HEADING = re.compile(r"#{1,6}(?: |$)")


class Blocks:
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
