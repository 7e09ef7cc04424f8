"""The hub as a user starts it: a process of its own on a free port."""

import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from core.config import PROJECT_DIR
from tests.support.isolation import product_settings

_START_SECONDS = 60
_PAUSE = 0.05
_PORTS = range(20_000, 32_000)


@contextmanager
def running_hub(
    data_dir: Path, settings: Mapping[str, str] | None = None, command: Sequence[str] = ("Home.py",)
) -> Iterator[str]:
    """`python Home.py` with an empty environment but for `settings`; yields its address.

    `command`: other arguments for Python; `{port}` in them is the port to serve on.
    """
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in product_settings()}
    environment |= {"AIHUB_DATA_DIR": str(data_dir), "AIHUB_PORT": str(port), "AIHUB_ENV_FILE": os.devnull}
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *(part.format(port=port) for part in command)],
            cwd=PROJECT_DIR,
            env={**environment, **(settings or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port for a server that is about to start.

    None that the system gives to whoever asks for any (from 32768 on): until the server has it, another worker's fake
    servers and connections would be given it. Each worker draws from ports of its own.
    """
    worker, workers = _worker()
    own = range(_PORTS.start + worker, _PORTS.stop, workers)
    while True:
        # Not `random`: hypothesis seeds it, the same for all.
        port = secrets.choice(own)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _worker() -> tuple[int, int]:
    """Which of how many pytest-xdist workers this is."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), int(
        os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    )


def _wait_until_ready(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        # Waiting for its end is also the pause: asking without one takes the processor from the server.
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"the server ended with {process.wait(_PAUSE)}:\n{log.read_text()}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/api/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            continue
        finally:
            connection.close()
    raise AssertionError(f"the server did not start in {_START_SECONDS} s:\n{log.read_text()}")
