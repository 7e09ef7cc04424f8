"""What a key of somebody who is no administrator may have the hub call: public servers, by https, whatever a name
says it is a moment later."""

import asyncio
import socket
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

from core.config import Settings
from core.errors import AppError, ErrorKind
from core.providers.credentials import Credential
from core.providers.public_hosts import PublicOnly, is_public, require_public
from core.providers.registry import ProviderRegistry
from tests.fakes.gigachat_server import GigaChatServer, credentials

PUBLIC, SECOND, SIXTH = "93.184.216.34", "1.1.1.1", "2606:4700:4700::1111"
NAME = "models.example"


@dataclass
class Names:
    """What names resolve to just now: a name service that is nobody's but the test's."""

    addresses: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def look_up(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        found = self.addresses.get(host, [host] if host[0].isdigit() or ":" in host else [])
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    found = Names({NAME: [PUBLIC]})
    monkeypatch.setattr(socket, "getaddrinfo", found.look_up)
    return found


@pytest.mark.parametrize("address", [PUBLIC, SIXTH, "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "::1", "::", "::127.0.0.1"),
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00:ec2::254", "fec0::1"),
        *("169.254.169.254", "fe80::1", "fe80::1%eth0", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1", "192.0.2.1", "198.18.0.1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1"),
        *("2002:7f00:1::", "2001:0:7f00:1::", "not an address", ""),
    ],
)
def test_addresses_of_machines_and_networks_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        (f"http://{NAME}/v1", [PUBLIC]),
        (f"https://{NAME}/v1", ["10.0.0.1"]),
        (f"https://{NAME}/v1", [PUBLIC, "127.0.0.1"]),
        (f"https://{NAME}/v1", []),
        ("https://127.0.0.1:8501", []),
        ("https://[::1]/v1", []),
    ],
)
def test_an_address_that_is_not_public_is_not_stored(names: Names, url: str, resolved: list[str]) -> None:
    names.addresses[NAME] = resolved
    with pytest.raises(AppError) as refused:
        require_public(url)
    assert refused.value.kind is ErrorKind.FORBIDDEN
    assert "not a public server" in refused.value.text(), "the same whether there is such a name or not"


def test_a_public_one_is(names: Names) -> None:
    require_public(f"https://{NAME}:8443/v1")


@dataclass
class Wire:
    """What arrives where, and which addresses do not answer."""

    library: ModuleType
    down: tuple[str, ...] = ()
    seen: list[Any] = field(default_factory=list[Any])

    def answer(self, request: Any) -> Any:
        if request.url.host in self.down:
            raise self.library.ConnectError("down", request=request)
        self.seen.append(request)
        return self.library.Response(200, text="well")

    def get(self, url: str, trusted: str | None = None) -> Any:
        async def ask() -> Any:
            inner = self.library.MockTransport(self.answer)
            allowed = self.library.URL(trusted) if trusted else None
            transport: Any = PublicOnly(self.library, inner, f"https://{NAME.upper()}/v1", allowed)
            async with self.library.AsyncClient(transport=transport) as client:
                return await client.get(url)

        return asyncio.run(ask())


@pytest.fixture(params=[httpx2, httpx], ids=["httpx2", "httpx"])
def wire(request: pytest.FixtureRequest) -> Wire:
    return Wire(request.param)


@pytest.mark.parametrize("address", [PUBLIC, SIXTH])
def test_a_request_goes_to_the_very_address_that_was_looked_at(
    wire: Wire, names: Names, address: str
) -> None:
    names.addresses[NAME] = [address]
    assert wire.get(f"https://{NAME}:8443/v1/models?a=1").text == "well"
    (request,) = wire.seen
    assert (request.url.host, request.url.port, request.url.raw_path) == (address, 8443, b"/v1/models?a=1")
    assert request.headers["host"] == f"{NAME}:8443"
    assert request.extensions["sni_hostname"] == NAME, "whose certificate it has to be"


def test_a_name_that_leads_elsewhere_later_is_not_followed(wire: Wire, names: Names) -> None:
    wire.get(f"https://{NAME}/")
    names.addresses[NAME] = ["169.254.169.254"]
    with pytest.raises(AppError) as refused:
        wire.get(f"https://{NAME}/")
    assert refused.value.kind is ErrorKind.FORBIDDEN
    for url in (f"http://{NAME}/", "https://other.example/"):
        names.addresses |= {NAME: [PUBLIC], "other.example": [PUBLIC]}
        with pytest.raises(AppError):
            wire.get(url)
    assert len(wire.seen) == 1


def test_each_address_of_a_host_is_tried(wire: Wire, names: Names) -> None:
    names.addresses[NAME], wire.down = [SIXTH, PUBLIC, SECOND], (SIXTH, PUBLIC)
    assert wire.get(f"https://{NAME}/").text == "well"
    assert wire.seen[0].url.host == SECOND
    wire.down = (SIXTH, PUBLIC, SECOND)
    with pytest.raises(wire.library.ConnectError, match="down"):
        wire.get(f"https://{NAME}/")


def test_a_name_that_is_gone_cannot_be_reached(wire: Wire, names: Names) -> None:
    del names.addresses[NAME]
    with pytest.raises(wire.library.ConnectError):
        wire.get(f"https://{NAME}/")


def test_only_the_one_address_of_the_settings_is_asked_as_it_is(wire: Wire) -> None:
    trusted = "http://127.0.0.1:9443/oauth"
    assert wire.get(trusted, trusted).text == "well"
    with pytest.raises(AppError):
        wire.get("https://127.0.0.1:9443/v1", trusted)


GIGACHAT_KEY = credentials("0a1b2c3d-1111-4222-8333-444455556666", "f9e8d7c6-aaaa-4bbb-9ccc-ddddeeeeffff")


@pytest.mark.parametrize("provider", ["gemini", "openai", "anthropic", "gigachat", "local"])
def test_no_adapter_calls_what_is_not_public(provider: str) -> None:
    """Through the real SDKs: the refusal comes out as it went in."""
    with GigaChatServer() as server:
        settings = Settings(GIGACHAT_AUTH_URL=server.auth_url)  # pyright: ignore[reportCallIssue]
        key = GIGACHAT_KEY if provider == "gigachat" else "made-up-key-0123456789"
        credential = Credential(0, "Mine", key, "https://127.0.0.1:9/v1", public_only=True)

        async def check() -> None:
            adapter = ProviderRegistry(settings).trial(provider, credential)
            try:
                await adapter.check()
            finally:
                await adapter.aclose()

        with pytest.raises(AppError) as refused:
            asyncio.run(check())
    assert refused.value.kind is ErrorKind.FORBIDDEN
    assert "127.0.0.1" in refused.value.text()
