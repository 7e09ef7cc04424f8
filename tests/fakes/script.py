"""What a fake provider is told to do with one request, and what it remembers of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Let the server count: input = words of the request, output = chunks.
COUNTED: Mapping[str, Any] = {"counted": True}


@dataclass(frozen=True)
class Script:
    """One answer. Without arguments: "Hello, world!" in three chunks, usage counted, finished normally.

    `usage`: the wire's own usage object (make it with the server module's `usage()`), None for none at all.
    `finish`: the wire's own word; "" normal; None: the stream ends without a finish reason.
    `delay`: seconds between chunks. `cut_after`, `garbage_after`, `hang_after`: after that many chunks the
    connection is cut (without an end, as when a server dies), `garbage` is sent, or nothing more comes until
    `server.release()`, and then the rest does. `error`: sent as the whole body instead, with `status` and
    `headers`: a str as HTML, all else as JSON. `stream_error`: an error object sent inside the stream after
    the chunks. `thoughts` are streamed before the chunks. `blocked`: Gemini's reason to refuse the prompt.
    `safety`: Gemini's ratings of the answer or of the refused prompt, (category, probability) each.
    `tool_calls`: (name, arguments) of the functions the model asks for, sent after the chunks as the wire does
    it, with its own finish reason for that. `vectors`: the embeddings to answer with; None for `vector_of` each input.
    """

    chunks: Sequence[str] = ("Hello", ", ", "world!")
    delay: float = 0.0
    usage: Mapping[str, Any] | None = field(default_factory=lambda: COUNTED)
    finish: str | None = ""
    thoughts: Sequence[str] = ()
    status: int = 200
    error: Mapping[str, Any] | str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut_after: int | None = None
    garbage_after: int | None = None
    garbage: bytes = b'data: {"this is": not JSON\n\n'
    hang_after: int | None = None
    stream_error: Mapping[str, Any] | None = None
    blocked: str = ""
    safety: Sequence[tuple[str, str]] = ()
    tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    vectors: Sequence[Sequence[float]] | None = None

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.chunks)


def vector_of(text: str, dimensions: int | None = None) -> list[float]:
    """The embedding that the fakes make of a text: of three dimensions, or as many as were asked for.

    Quarters, so that single precision holds them exactly.
    """
    at = sum(text.encode("utf-8", "surrogatepass")) % 1_000
    return [(at + place) / 4 for place in range(dimensions or 3)]


@dataclass
class Received:
    """One request as it came in: `body` parsed when it is JSON, and `data` as its bytes.

    `left`: the client went away before the answer was complete.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    data: bytes = b""
    left: bool = False
    finished: bool = False

    @property
    def model(self) -> str:
        """The model asked for, in the path or in the body."""
        if "/models/" in self.path:
            return self.path.rpartition("/models/")[2].partition(":")[0]
        return str(self.body.get("model", "")) if isinstance(self.body, dict) else ""
