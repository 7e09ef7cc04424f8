"""Tests see no settings of the machine they run on, and reach no host but this one."""

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

# Every setting AIHub or a provider's SDK reads. `AIHUB_DATA_DIR` and others are set again where a test needs them.
OURS = ("AIHUB_", "GEMINI_", "GOOGLE_", "OPENAI_", "ANTHROPIC_", "GIGACHAT_", "LOCAL_")


def product_settings() -> list[str]:
    """Names of the environment variables that would change what AIHub does."""
    return [name for name in os.environ if name.startswith(OURS)]


@contextmanager
def kept_main() -> Iterator[None]:
    """The module `__main__` is the same afterwards, whatever was run in its place."""
    main = sys.modules["__main__"]
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class NetworkBlockedError(RuntimeError):
    """Not an OSError on purpose: no SDK may take it for an unreachable host and try again."""


class NetworkGuard:
    """Refuses connections and name look-ups beyond loopback, and remembers each attempt.

    It remembers them because code under test may swallow the error; the attempt fails the test all the same.
    What connects outside Python (libpq, Chromium) is not seen here.
    """

    def __init__(self) -> None:
        self.attempts: list[str] = []

    def install(self, patch: pytest.MonkeyPatch) -> None:
        connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

        def guarded_connect(sock: socket.socket, address: Any) -> None:
            self._check(sock.family, address)
            connect(sock, address)

        def guarded_connect_ex(sock: socket.socket, address: Any) -> int:
            self._check(sock.family, address)
            return connect_ex(sock, address)

        def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            self._check(socket.AF_INET, (host,))
            return getaddrinfo(host, *args, **kwargs)

        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)

    def _check(self, family: int, address: Any) -> None:
        if family not in (socket.AF_INET, socket.AF_INET6) or is_loopback(address[0]):
            return
        self.attempts.append(str(address[0]))
        raise NetworkBlockedError(
            f"A test tried to reach {address[0]!r}. Tests talk to 127.0.0.1 only: "
            "start a server from tests/fakes and point the base URL at it."
        )


def is_loopback(host: str | bytes | None) -> bool:
    """Whether `host`, an address or a name, is this machine. None and "" mean any address of it."""
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
