"""What keeps a run apart from the machine: no developer's settings or keys, no file outside its folder."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.isolation import product_settings

ROOT = Path(__file__).resolve().parents[2]
_SHIPPED = (".streamlit", "api", "core", "pages", "static", "ui")
# What a Python program needs to start at all; everything else would be somebody's setting.
_NEEDED = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")
_POLL_SECONDS = 0.005
_STOP_SECONDS = 10.0


def isolate_this_process() -> None:
    """Forget the developer's settings, `.env` and proxies: what is measured here talks to loopback only."""
    # Which PostgreSQL to measure is told from outside; it is read before the environment is wiped.
    from core.config import Settings
    from tests.support import options as _options  # noqa: F401

    for name in product_settings():
        del os.environ[name]
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    Settings.model_config["env_file"] = None


def fresh_checkout(folder: Path) -> Path:
    """A copy of what ships, in `folder`, with no `.env` beside it; byte code comes along when it is there."""
    checkout = folder / "checkout"
    for name in _SHIPPED:
        shutil.copytree(ROOT / name, checkout / name)
    shutil.copy2(ROOT / "Home.py", checkout / "Home.py")
    return checkout


def child_environment(home: Path, **settings: object) -> dict[str, str]:
    """The environment of a child process whose home (and so `~/.streamlit`) is the empty folder `home`."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    return (
        kept
        | {"HOME": str(home), "USERPROFILE": str(home)}
        | {key: str(value) for key, value in settings.items()}
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(
    arguments: list[str], folder: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python child process, ended with the block; what it says goes to a file that a failure quotes."""
    with (folder / f"child-{time.monotonic_ns()}.log").open("wb+") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        except Exception as error:
            log.seek(0)
            error.add_note(f"{' '.join(arguments)} said:\n{log.read()[-3000:].decode(errors='replace')}")
            raise
        finally:
            _end(process)


def wait_until(
    condition: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 60.0
) -> None:
    """Wait for `condition`; RuntimeError when `process` ends first, TimeoutError when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        # Waiting for its end is also the pause: a process that dies at once is noticed at once.
        with suppress(subprocess.TimeoutExpired):
            raise RuntimeError(f"process {process.pid} ended with code {process.wait(_POLL_SECONDS)}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {process.pid} was not ready after {seconds:.0f} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_SECONDS)
