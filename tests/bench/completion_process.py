"""A server of OpenAI's protocol as a process of its own, as lean as can be: what is measured should be the hub.

`python -m tests.bench.completion_process FILE SECONDS PAUSE` writes its address to FILE and serves until it is ended.
An answer is `ANSWER`: whole after SECONDS; in a stream all of its pieces after SECONDS, or PAUSE apart from each other.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.bench.environment import ROOT, child_environment, running, wait_until

PIECES = tuple(f"piece {number:02} of the answer. " for number in range(12))
ANSWER = "".join(PIECES)
MODEL = "bench-model"
_USAGE = {"prompt_tokens": 12, "completion_tokens": 60, "total_tokens": 72}
_FACTS = {"id": "chatcmpl-bench", "created": 0, "model": MODEL}


@contextmanager
def completion_server(folder: Path, seconds: float, pause: float = 0.0) -> Iterator[str]:
    """Yields the base URL, /v1 included."""
    address = folder / f"completion-url-{seconds}-{pause}"
    environment = child_environment(folder / "home", PYTHONPATH=ROOT)
    arguments = ["-m", __name__, str(address), str(seconds), str(pause)]
    with running(arguments, folder, environment) as process:
        wait_until(address.exists, process)
        yield address.read_text()


def _chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _event(json.dumps({**_FACTS, "object": "chat.completion.chunk", "choices": [choice], **more}))


def _event(data: str) -> bytes:
    line = f"data: {data}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(line), line)


_BEGUN = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_FIRST = _chunk({"role": "assistant", "content": ""})
_TEXTS = tuple(_chunk({"content": piece}) for piece in PIECES)
_USED = {**_FACTS, "object": "chat.completion.chunk", "choices": [], "usage": _USAGE}
_LAST = _chunk({}, "stop") + _event(json.dumps(_USED))
_WHOLE = json.dumps(
    {
        **_FACTS,
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
        ],
        "usage": _USAGE,
    }
).encode()
_MODELS = json.dumps(
    {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "bench"}]}
).encode()


def _json(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float, pause: float
) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
            body = await reader.readexactly(int(length or 0))
            if head.startswith(b"GET"):
                writer.write(_json(_MODELS))
            elif json.loads(body).get("stream"):
                await asyncio.sleep(seconds)
                await _stream(writer, pause)
            else:
                await asyncio.sleep(seconds)
                writer.write(_json(_WHOLE))
            await writer.drain()
    writer.close()


async def _stream(writer: asyncio.StreamWriter, pause: float) -> None:
    end = _LAST + _event("[DONE]") + b"0\r\n\r\n"
    if not pause:
        writer.write(_BEGUN + _FIRST + b"".join(_TEXTS) + end)
        return
    writer.write(_BEGUN + _FIRST)
    for text in _TEXTS:
        await asyncio.sleep(pause)
        writer.write(text)
        await writer.drain()
    writer.write(end)


async def _serve(address: Path, seconds: float, pause: float) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: _answer(reader, writer, seconds, pause), "127.0.0.1", 0, backlog=1_000
    )
    # Renamed into place: whoever sees the file can read all of it.
    draft = address.with_suffix(".draft")
    draft.write_text(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    draft.replace(address)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
