"""The locks install the same thing everywhere, from wherever the machine gets its packages.

That every pin has a hash is pip's own check: the Makefile installs with --require-hashes.
"""

import re

import pytest

from tests.architecture.sources import ROOT

LOCKS = ("requirements.txt", "requirements-dev.txt")
# Options that name an index, links to other places, local paths.
PLACES = re.compile(r"^\s*-|://|file:|\s@\s|^\s*\.{0,2}/", re.MULTILINE)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def places(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "--hash="))]
    return [line for line in lines if PLACES.search(line)]


def pins(text: str) -> set[tuple[str, str]]:
    return set(PIN.findall(text))


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_place(lock: str) -> None:
    found = places((ROOT / lock).read_text())
    assert not found, f"{lock} names an index, a link or a path; compile it with `make lock`: {found}"


def test_development_lock_holds_every_runtime_pin() -> None:
    runtime, development = (pins((ROOT / lock).read_text()) for lock in LOCKS)
    assert len(runtime) > 50
    assert runtime <= development, f"compile both with `make lock`: {runtime - development}"


OPTION = "index-url"


@pytest.mark.parametrize(
    "line", [f"--{OPTION} https://x.test/simple", "-f /wheels", "a @ file:///a.whl", "./a.whl", "-e ."]
)
def test_a_place_is_seen(line: str) -> None:
    assert places(f"a==1 \\\n    --hash=sha256:00\n{line}\n") == [line]
