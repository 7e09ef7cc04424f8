"""Images in GigaChat's file storage: a message names an uploaded file instead of holding it."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.providers.content import Attachment

if TYPE_CHECKING:
    from gigachat.client import GigaChatAsyncClient

KEPT = 32
DELETING_SECONDS = 5.0


class Uploads:
    """Images that were uploaded, by content, so that each turn of a conversation does not send them again.

    The last KEPT stay in the storage; what falls out, and all at `clear`, is deleted there. For one event loop.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[str, str] = OrderedDict()
        self._lock = asyncio.Lock()

    async def ids_of(
        self, client: "GigaChatAsyncClient", images: Iterable[Attachment]
    ) -> dict[Attachment, str]:
        """The file id of each image; uploads what is new, with the SDK's own errors."""
        found: dict[Attachment, str] = {}
        async with self._lock:
            for image in images:
                content = await asyncio.to_thread(_digest, image)
                if content not in self._ids:
                    self._ids[content] = await _upload(client, image)
                self._ids.move_to_end(content)
                found[image] = self._ids[content]
            while len(self._ids) > KEPT:
                await _delete(client, self._ids.popitem(last=False)[1])
        return found

    def forget(self, ids: Iterable[str]) -> None:
        """Upload these again next time: the server may have lost them."""
        gone = set(ids)
        self._ids = OrderedDict((content, kept) for content, kept in self._ids.items() if kept not in gone)

    async def clear(self, client: "GigaChatAsyncClient") -> None:
        """Delete all in the storage, as far as that goes within DELETING_SECONDS."""
        try:
            async with asyncio.timeout(DELETING_SECONDS):
                while self._ids:
                    await _delete(client, self._ids.popitem()[1])
        except TimeoutError:
            self._ids.clear()


def _digest(image: Attachment) -> str:
    return hashlib.sha256(image.data or b"").hexdigest()


async def _upload(client: "GigaChatAsyncClient", image: Attachment) -> str:
    # A neutral name: the storage needs an ending, and nobody there needs to know what the file was called.
    name = f"image.{image.mime_type.partition('/')[2]}"
    uploaded = await client.aupload_file((name, image.data or b"", image.mime_type), purpose="general")
    return uploaded.id_


async def _delete(client: "GigaChatAsyncClient", file_id: str) -> None:
    try:
        await client.adelete_file(file_id)
    except Exception:  # noqa: BLE001  what stays behind is only visible to the owner of the key, and harms nothing
        return
