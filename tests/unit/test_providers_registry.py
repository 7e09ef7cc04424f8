"""Which providers there are, from the settings alone."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from core.config import Settings
from core.errors import AppError, ErrorKind
from core.providers import registry as registry_module
from core.providers.registry import ProviderRegistry
from tests.fakes.gemini_server import MODELS, GeminiServer
from tests.fakes.gemini_server import overloaded as gemini_overloaded
from tests.fakes.script import Script


def registry(**settings: Any) -> ProviderRegistry:
    # Keys have aliases, so the environment's names are what the constructor takes.
    return ProviderRegistry(Settings(**settings))


ALL = {"GEMINI_API_KEY": "g-key", "OPENAI_API_KEY": "o-key", "LOCAL_BASE_URL": "http://localhost:11434/v1"}


def test_without_keys_there_is_the_demo() -> None:
    providers = registry()
    assert [info.id for info in providers.infos()] == ["demo"]
    assert providers.default_id() == "demo"
    assert providers.get("demo").info == providers.info("demo")


def test_configured_providers_come_in_order_and_the_demo_last() -> None:
    providers = registry(**ALL)
    assert [info.id for info in providers.infos()] == ["gemini", "openai", "local", "demo"]
    assert providers.default_id() == "gemini"
    assert registry(OPENAI_API_KEY="k", GEMINI_API_KEY="  ").default_id() == "openai"


def test_adapters_are_built_once_and_tell_the_same_of_themselves() -> None:
    providers = registry(**ALL)
    for info in providers.infos():
        assert providers.get(info.id) is providers.get(info.id)
        assert providers.get(info.id).info == info


@pytest.mark.parametrize(
    ("provider", "setting"),
    [("gemini", "GEMINI_API_KEY"), ("openai", "OPENAI_API_KEY"), ("local", "LOCAL_BASE_URL")],
)
def test_a_missing_key_names_its_variable(provider: str, setting: str) -> None:
    with pytest.raises(AppError) as caught:
        registry().get(provider)
    assert caught.value.kind is ErrorKind.NO_KEY
    assert setting in caught.value.text()
    assert registry().info(provider).id == provider, "the ledger may know it from before"


@pytest.mark.parametrize("ask", ["get", "info", "cached_models"])
def test_an_unknown_provider(ask: str) -> None:
    with pytest.raises(AppError) as caught:
        getattr(registry(), ask)("nobody")
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert "nobody" in caught.value.text()


def test_a_key_or_an_address_that_cannot_be_right() -> None:
    with pytest.raises(AppError) as caught:
        registry(GEMINI_API_KEY="two words").get("gemini")
    assert (caught.value.kind, caught.value.params) == (ErrorKind.WRONG_KEY, {"setting": "GEMINI_API_KEY"})
    with pytest.raises(AppError) as caught:
        registry(LOCAL_BASE_URL="localhost:11434").get("local")
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert "LOCAL_BASE_URL" in caught.value.text()


@pytest.mark.parametrize(
    ("url", "free"),
    [
        ("http://localhost:11434/v1", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080/v1", True),
        ("http://192.168.1.20:8000/v1", True),
        ("http://10.0.0.5/v1", True),
        ("http://gpu-box.local:8000/v1", True),
        ("http://ollama:11434/v1", True),
        ("https://openrouter.ai/api/v1", False),
        ("https://8.8.8.8/v1", False),
        ("https://localhost.example.com/v1", False),
        ("https://api.mylocal/v1", False),
        ("not an address", False),
    ],
)
def test_only_ones_own_machines_are_free(url: str, free: bool) -> None:
    assert registry(LOCAL_BASE_URL=url).info("local").free_reason == (
        "runs on your own machine" if free else None
    )


def test_listing_providers_imports_no_sdk() -> None:
    code = (
        "import sys; from core.config import Settings; from core.providers.registry import ProviderRegistry\n"
        f"r = ProviderRegistry(Settings(**{ALL!r})); r.infos(); [r.get(i.id) for i in r.infos()]\n"
        "print(sorted({'google.genai', 'openai', 'httpx2', 'genai_prices'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert out.stdout.strip() == "[]"


# --- models ---


def listed(providers: ProviderRegistry, times: int = 1) -> list[str]:
    async def run() -> list[str]:
        models = [await providers.models("gemini") for _ in range(times)][-1]
        await providers.aclose()
        return [model.id for model in models]

    return asyncio.run(run())


def test_models_are_asked_once_and_kept_with_the_suggested_first() -> None:
    with GeminiServer(models=("gemini-9", *reversed(MODELS))) as server:
        providers = registry(GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=server.url)
        assert [model.id for model in providers.cached_models("gemini")] == list(MODELS)
        assert not server.requests
        assert listed(providers, times=3) == [*MODELS, "gemini-9"]
        assert len(server.requests) == 1
        assert [model.id for model in providers.cached_models("gemini")] == [*MODELS, "gemini-9"]


def test_a_listing_that_fails_gives_the_suggested_and_is_not_repeated_at_once() -> None:
    with GeminiServer() as server:
        server.listing = gemini_overloaded()
        providers = registry(GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=server.url)
        assert listed(providers, times=2) == list(MODELS)
        assert len(server.requests) == 1


def test_a_listing_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "LISTING_SECONDS", 0.2)
    with GeminiServer() as server:
        server.listing = Script(hang_after=0, error={"models": []})
        providers = registry(GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=server.url)
        assert listed(providers) == list(MODELS)


def test_closing_leaves_a_registry_that_can_be_used_again() -> None:
    with GeminiServer() as server:
        providers = registry(GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=server.url)
        assert listed(providers) == list(MODELS)
        first = providers.get("gemini")
        asyncio.run(providers.aclose())
        assert providers.get("gemini") is not first
