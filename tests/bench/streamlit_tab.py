"""A browser tab without a browser: Streamlit's own protobuf protocol over a real WebSocket."""

import time
from dataclasses import dataclass
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

_PATIENCE = 30.0
_FINISHED = ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY


@dataclass(frozen=True, slots=True)
class Rerun:
    """One run of a page: from sending the request to reading that the script had finished."""

    seconds: float
    frames: list[bytes]

    @property
    def received(self) -> int:
        """Bytes of the messages, before the WebSocket's compression."""
        return sum(map(len, self.frames))

    def shows(self, words: str) -> bool:
        """Whether the page drew `words`."""
        return any(words.encode() in frame for frame in self.frames)


class StreamlitTab:
    """One session on one page. Does what Streamlit's front end does on the wire, and draws nothing."""

    def __init__(self, port: int, page: str = "", query: str = "") -> None:
        origin = f"http://127.0.0.1:{port}"
        self._page = page
        self._query = query
        self._url = f"{origin}/{page}?{query}"
        self._page_hash = ""
        self._cached: set[str] = set()
        self._socket = connect(
            f"ws://127.0.0.1:{port}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            additional_headers={"Origin": origin},
            max_size=None,
            proxy=None,
            open_timeout=_PATIENCE,
        )

    def __enter__(self) -> "StreamlitTab":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._socket.close()

    def rerun(self) -> Rerun:
        """Run the page once, as its R key would; TimeoutError when it does not finish."""
        request = self._request()
        frames: list[bytes] = []
        begun = time.perf_counter()
        self._socket.send(request)
        while True:
            frame = self._socket.recv(timeout=_PATIENCE)
            assert isinstance(frame, bytes)
            frames.append(frame)
            # Only a short message can be the end, and parsing the long ones is the browser's work.
            if len(frame) < 1000 and _is_end(frame):
                break
        seconds = time.perf_counter() - begun
        self._learn(frames)
        return Rerun(seconds, frames)

    def _request(self) -> bytes:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self._query
        state.page_script_hash = self._page_hash
        # The address names the page on the first run only; the answer says by which hash to ask for it again.
        state.page_name = "" if self._page_hash else self._page
        state.context_info.timezone = "UTC"
        state.context_info.locale = "en-US"
        state.context_info.url = self._url
        state.context_info.color_scheme = "light"
        state.cached_message_hashes.extend(self._cached)
        return message.SerializeToString()

    def _learn(self, frames: list[bytes]) -> None:
        for frame in frames:
            message = ForwardMsg.FromString(frame)
            if message.WhichOneof("type") == "navigation":
                self._page_hash = message.navigation.page_script_hash
            if message.metadata.cacheable:
                self._cached.add(message.hash)
            if message.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(f"/{self._page} failed: {message.delta.new_element.exception.message}")


def _is_end(frame: bytes) -> bool:
    message = ForwardMsg.FromString(frame)
    return message.WhichOneof("type") == "script_finished" and message.script_finished == _FINISHED
