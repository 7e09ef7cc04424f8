"""A transport that keeps the request an SDK makes and sends nothing."""

import json
from typing import Any

import httpx2


class CaptureTransport(httpx2.AsyncBaseTransport):
    """After one request: its `method`, `url` and JSON `body`. The request itself fails."""

    def __init__(self) -> None:
        self.method = ""
        self.url = ""
        self.body: dict[str, Any] | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Keep the request; always ends in a ConnectError, which no SDK takes for an answer."""
        content = await request.aread()
        if self.body is None:
            self.method, self.url = request.method, str(request.url)
            self.body = json.loads(content) if content else {}
        raise httpx2.ConnectError("captured, not sent", request=request)
