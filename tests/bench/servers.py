"""Real servers in processes of their own: AIHub itself, and a page of one line for comparison."""

import http.client
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.environment import ROOT, child_environment, free_port, running, wait_until

_ONE_LINE = "import streamlit as st; st.write('Hello')\n"
# As api/server.py serves AIHub, without anything of AIHub.
_SERVE_ONE_LINE = (
    "import sys, uvicorn, streamlit as st; "
    "uvicorn.run(st.App('one_line.py'), host='127.0.0.1', port=int(sys.argv[1]), log_config=None, "
    "access_log=False, ws='websockets-sansio')"
)


@contextmanager
def aihub(checkout: Path, data: Path) -> Iterator[int]:
    """`python Home.py` on the data folder `data`, until it is healthy; yields its port."""
    port = free_port()
    environment = child_environment(data.parent / "home", AIHUB_PORT=port, AIHUB_DATA_DIR=data)
    with running(["Home.py"], checkout, environment) as process:
        wait_until(lambda: answers(port, "/api/health"), process)
        yield port


@contextmanager
def hub_process(data: Path, **settings: object) -> Iterator[tuple[int, int]]:
    """The same from this checkout, with more settings; yields its port and its process id."""
    port = free_port()
    environment = child_environment(data.parent / "home", AIHUB_PORT=port, AIHUB_DATA_DIR=data, **settings)
    environment["AIHUB_ENV_FILE"] = os.devnull
    with running([str(ROOT / "Home.py")], data.parent, environment) as process:
        wait_until(lambda: answers(port, "/api/health"), process)
        yield port, process.pid


@contextmanager
def one_line_page(checkout: Path) -> Iterator[int]:
    """A page of one line under the same server and the same Streamlit settings; yields its port."""
    port = free_port()
    (checkout / "one_line.py").write_text(_ONE_LINE)
    environment = child_environment(checkout / "home")
    with running(["-c", _SERVE_ONE_LINE, str(port)], checkout, environment) as process:
        wait_until(lambda: answers(port, "/_stcore/health"), process)
        yield port


def answers(port: int, path: str) -> bool:
    """Whether GET `path` answers 200 now."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
