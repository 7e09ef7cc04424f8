"""Addresses that somebody who is no administrator may have the hub call: by https, at a public address.

A name says nothing of where it leads, and may lead elsewhere a moment later. So what it resolves to is looked at when
an address is stored, and again for every request, which then goes to that very address.
"""

import ipaddress
import socket
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from anyio import to_thread

from core.errors import AppError, ErrorKind
from core.i18n import N_

if TYPE_CHECKING:
    import httpx2

_HTTPS = 443
_UNICAST = ipaddress.IPv6Network("2000::/3")
# What carries an IPv4 address in its last 32 bits, from networks that have IPv6 alone.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Global by the letter, yet not another network's: tunnels to any address, and what clouds tell their machines.
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2002::/16"),
    )
)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet: not of this machine, a private network, a link, a group
    of machines, or a cloud's own."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        elif found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif found not in _UNICAST:
            return False
    return found.is_global and not found.is_multicast and not any(found in net for net in _NOT_PUBLIC)


def require_public(url: str) -> None:
    """AppError(FORBIDDEN) for an address that is none of https, or whose host is not found at public addresses
    alone. Waits for a look-up of the name. Nobody learns here which names a private network has."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        if parts.scheme != "https":
            raise refused(host)
        _resolved(host, parts.port or _HTTPS)
    except OSError:
        raise refused(host) from None


def refused(host: str) -> AppError:
    """What is said of a host that is not public."""
    return AppError(
        ErrorKind.FORBIDDEN,
        N_(
            "“{host}” is not a public server reached by https. Only administrators may name any other: ask one of them "
            "to add it."
        ),
        host=host[:100],
    )


class PublicOnly:
    """An HTTP transport of httpx2, or of httpx, that reaches one public host by https and no other.

    `library`: the module `inner` is from. `base_url`: the address whose host it is; connections are kept by IP
    address, so that one made for another name there must not be taken for it. `trusted`: an address that the
    settings name, which is asked as it is.
    """

    def __init__(
        self,
        library: ModuleType,
        inner: "httpx2.AsyncBaseTransport",
        base_url: str,
        trusted: "httpx2.URL | None" = None,
    ) -> None:
        self._library = library
        self._inner = inner
        self._host: bytes = library.URL(base_url).raw_host
        self._trusted = trusted

    async def handle_async_request(self, request: "httpx2.Request") -> "httpx2.Response":
        """Send a request to an address that its host has now. AppError(FORBIDDEN) when one of them is not public."""
        if request.url == self._trusted:
            return await self._inner.handle_async_request(request)
        if request.url.scheme != "https" or request.url.raw_host != self._host:
            raise refused(request.url.host)
        host = self._host.decode("ascii")
        try:
            addresses = await to_thread.run_sync(
                _resolved, host, request.url.port or _HTTPS, abandon_on_cancel=True
            )
        except OSError as error:
            raise self._library.ConnectError(str(error), request=request) from error
        for address in addresses[:-1]:
            try:
                return await self._inner.handle_async_request(_at(request, host, address))
            except (self._library.ConnectError, self._library.ConnectTimeout):
                continue  # nothing was sent; the host's next address may answer
        return await self._inner.handle_async_request(_at(request, host, addresses[-1]))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def __aenter__(self) -> "PublicOnly":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _at(request: "httpx2.Request", host: str, address: str) -> "httpx2.Request":
    """`request` for one address of its host. The certificate has to be the host's, and the server is told its name."""
    return type(request)(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


def _resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, each once. OSError when there is none, AppError(FORBIDDEN) when one is not public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(str(error)) from error
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    if not addresses or not all(map(is_public, addresses)):
        raise refused(host)
    return addresses
