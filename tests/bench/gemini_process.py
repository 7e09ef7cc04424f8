"""The fake Gemini server as a process of its own, so that it shares neither GIL nor event loop with what is measured.

`python -m tests.bench.gemini_process FILE DELAY TIMES` writes its address to FILE and serves until it is ended. Its
answer is `CHUNKS`, TIMES over, with DELAY seconds before each piece.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.environment import ROOT, child_environment, running, wait_until
from tests.fakes.gemini_server import GeminiServer, usage
from tests.fakes.script import Script

CHUNKS = tuple(f"This is piece number {number} of the answer. " for number in range(1, 21))
ANSWER = "".join(CHUNKS)
MODEL = "gemini-3.5-flash"


@contextmanager
def gemini_server(folder: Path, delay: float = 0.0, times: int = 1) -> Iterator[str]:
    """Yields the address of a server that answers every question with `CHUNKS` (`times` over), `delay` seconds
    apart."""
    address = folder / f"gemini-url-{delay}"
    environment = child_environment(folder / "home", PYTHONPATH=ROOT)
    with running(["-m", __name__, str(address), str(delay), str(times)], folder, environment) as process:
        wait_until(address.exists, process)
        yield address.read_text()


def _serve(address: Path, delay: float, times: int) -> None:
    script = Script(chunks=CHUNKS * times, usage=usage(prompt=12, output=200), delay=delay)
    with GeminiServer(script, models=(MODEL,)) as server:
        # Renamed into place: whoever sees the file can read all of it.
        draft = address.with_suffix(".draft")
        draft.write_text(server.url)
        draft.replace(address)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    _serve(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
