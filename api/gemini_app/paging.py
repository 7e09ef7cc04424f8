"""Lists in pages, with links to the pages before and after."""

import re
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request

from api.schemas import Answer
from core.errors import AppError, ErrorKind
from core.i18n import N_

PAGE_SIZE, LARGEST_PAGE = 20, 100
_FARTHEST = 2**31 - 1
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
Item = TypeVar("Item")


class Page(Answer, Generic[Item]):
    """A part of a list. `next` and `previous` are whole addresses, null at the ends."""

    count: int
    next: str | None
    previous: str | None
    results: list[Item]


class Pages:
    """The page that is asked for: `limit` of the list's items after the first `skip`."""

    def __init__(self, request: Request, number: int, size: int) -> None:
        """AppError(NOT_FOUND) for a page that no list has."""
        self.skip = (number - 1) * size
        self.limit = size
        self._request = request
        self._number = number
        if not 0 <= self.skip <= _FARTHEST:
            raise _no_page()

    def page(self, items: Sequence[Item], total: int) -> Page[Item]:
        """The page with these `items` of a list of `total`; AppError(NOT_FOUND) when the list ends before it."""
        if not items and self._number > 1:
            raise _no_page()
        has_more = self.skip + len(items) < total
        return Page(
            count=total,
            next=self._address(self._number + 1) if has_more else None,
            previous=self._address(self._number - 1) if self._number > 1 else None,
            results=list(items),
        )

    def _address(self, number: int) -> str:
        """Of this list as it was asked for: the host, the slash at the end and the rest of the query stay."""
        request = self._request
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]
        if number > 1:
            query.append(("page", str(number)))
        asked: bytes = request.scope.get("raw_path") or b""
        slash = "/" if asked.endswith(b"/") else ""
        end = f"?{urlencode(sorted(query))}" if query else ""
        return f"{request.scope['scheme']}://{_host_of(request)}{request.scope['path']}{slash}{end}"


def pages(
    request: Request,
    page: Annotated[int, Query(description="Which page, from 1.")] = 1,
    page_size: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Entries a page.")] = PAGE_SIZE,
) -> Pages:
    """The page that a request asks for."""
    return Pages(request, page, page_size)


AskedPage = Annotated[Pages, Depends(pages)]


def _host_of(request: Request) -> str:
    host = request.headers.get("host", "")
    if _HOST.fullmatch(host):
        return host
    name, port = request.scope.get("server") or ("127.0.0.1", None)
    return name if port is None else f"{name}:{port}"


def _no_page() -> AppError:
    return AppError(ErrorKind.NOT_FOUND, N_("Invalid page."))
