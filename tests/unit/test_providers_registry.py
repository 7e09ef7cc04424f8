"""Which providers there are, with whose key, and which adapters are kept."""

import asyncio
import base64
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.config import Settings
from core.errors import AppError, ErrorKind
from core.providers import registry as registry_module
from core.providers.adapters import AdapterPool, Identity, key_ref
from core.providers.credentials import WORKSPACE, Credential, Endpoint
from core.providers.demo import DemoProvider
from core.providers.registry import ProviderRegistry
from tests.fakes.gemini_server import MODELS, GeminiServer
from tests.fakes.gemini_server import overloaded as gemini_overloaded
from tests.fakes.script import Script


def registry(**settings: Any) -> ProviderRegistry:
    # Keys have aliases, so the environment's names are what the constructor takes.
    return ProviderRegistry(Settings(**settings))


GIGACHAT_ID, GIGACHAT_SECRET = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
GIGACHAT_KEY = base64.b64encode(f"{GIGACHAT_ID}:{GIGACHAT_SECRET}".encode()).decode()
ALL = {
    "GEMINI_API_KEY": "g-key",
    "OPENAI_API_KEY": "o-key",
    "ANTHROPIC_API_KEY": "a-key",
    "GIGACHAT_API_KEY": GIGACHAT_KEY,
    "LOCAL_BASE_URL": "http://localhost:11434/v1",
}
ORDER = ["gemini", "openai", "anthropic", "gigachat", "local"]


@dataclass
class Keys:
    """A source of keys for one user, and of endpoints."""

    of_user: int = 1
    keys: dict[str, Credential] = field(default_factory=dict[str, Credential])
    servers: tuple[Endpoint, ...] = ()

    def in_memory(self, user_id: int, provider_id: str) -> bool:
        return True

    def endpoints_in_memory(self) -> bool:
        return True

    def note_use(self, key_id: int) -> None:
        """Nobody asks."""

    def credential(self, user_id: int, provider_id: str) -> Credential | None:
        return self.keys.get(provider_id) if user_id == self.of_user else None

    def endpoints(self) -> tuple[Endpoint, ...]:
        return self.servers


def with_keys(keys: Keys, **settings: Any) -> ProviderRegistry:
    return ProviderRegistry(Settings(**settings), keys=keys)


def test_without_keys_there_is_the_demo() -> None:
    providers = registry()
    assert [info.id for info in providers.infos()] == ["demo"]
    assert providers.default_id() == "demo"
    assert providers.get("demo").info == providers.info("demo")


def test_configured_providers_come_in_order_and_the_demo_last() -> None:
    providers = registry(**ALL)
    assert [info.id for info in providers.infos()] == [*ORDER, "demo"]
    assert providers.default_id() == "gemini"
    assert registry(OPENAI_API_KEY="k", GEMINI_API_KEY="  ").default_id() == "openai"


def test_adapters_are_built_once_and_tell_the_same_of_themselves() -> None:
    providers = registry(**ALL)
    for info in providers.infos():
        assert providers.get(info.id) is providers.get(info.id)
        assert providers.get(info.id).info == info


@pytest.mark.parametrize(
    ("provider", "setting"),
    [
        ("gemini", "GEMINI_API_KEY"),
        ("openai", "OPENAI_API_KEY"),
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("gigachat", "GIGACHAT_API_KEY"),
        ("local", "LOCAL_BASE_URL"),
    ],
)
def test_a_missing_key_names_its_variable(provider: str, setting: str) -> None:
    assert registry().environment_key(provider) == setting
    assert not registry().is_from_environment(provider)
    assert registry(**ALL).is_from_environment(provider)
    with pytest.raises(AppError) as caught:
        registry().get(provider)
    assert caught.value.kind is ErrorKind.NO_KEY
    assert setting in caught.value.text()
    assert "on the Models page" in caught.value.text()
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
        "sdks = {'google.genai', 'openai', 'anthropic', 'gigachat', 'httpx', 'httpx2', 'genai_prices'}\n"
        "print(sorted(sdks & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert out.stdout.strip() == "[]"


# --- whose key ---


def test_a_users_own_key_counts_for_that_user_alone() -> None:
    keys = Keys(keys={"gemini": Credential(7, "Work", "own-key")})
    providers = with_keys(keys, GEMINI_API_KEY="g-key")
    own, others, workspace = (providers.route("gemini", user) for user in (1, 2, WORKSPACE))
    assert (own.key_id, others.key_id, workspace.key_id) == (7, None, None)
    assert own.provider is not others.provider
    assert others == workspace
    assert (own.key_ref, others.key_ref) == (key_ref("gemini", "own-key"), key_ref("gemini", "g-key"))
    assert providers.get("gemini", 1) is own.provider


def test_a_key_of_ones_own_makes_a_provider_configured() -> None:
    providers = with_keys(Keys(keys={"anthropic": Credential(7, "Work", "own-key")}))
    assert [info.id for info in providers.infos(1)] == ["anthropic", "demo"]
    assert [info.id for info in providers.infos(2)] == ["demo"]
    assert providers.default_id(1) == "anthropic"
    assert not providers.is_from_environment("anthropic")


def test_a_fingerprint_is_equal_for_equal_keys_and_tells_nothing_of_them() -> None:
    found = key_ref("gemini", "own-key")
    assert found == key_ref("gemini", "own-key")
    assert found not in (key_ref("gemini", "own-key2"), key_ref("openai", "own-key"))
    assert len(found) == 16
    assert set(found) <= set("0123456789abcdef")


def test_sentences_call_a_key_by_its_name() -> None:
    providers = with_keys(Keys(keys={"gemini": Credential(7, "Work", "two words")}))
    with pytest.raises(AppError) as caught:
        providers.get("gemini", 1)
    assert "“Work”" in caught.value.text()


def test_an_adapter_is_another_when_anything_about_its_key_changes() -> None:
    first = Credential(7, "Work", "own-key")
    keys = Keys(keys={"gemini": first})
    providers = with_keys(keys)
    before = providers.get("gemini", 1)
    keys.keys["gemini"] = replace(first, key_id=8)
    assert providers.get("gemini", 1) is before, "the same key under another id"
    for changed in (
        replace(first, api_key="other-key"),
        replace(first, base_url="https://gateway.example"),
        replace(first, label="Home"),
    ):
        keys.keys["gemini"] = changed
        assert providers.get("gemini", 1) is not before


def test_a_trial_is_a_fresh_adapter_that_is_kept_nowhere() -> None:
    with GeminiServer(api_key="own-key") as server:
        providers = registry(GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL="http://127.0.0.1:9")
        trial = providers.trial("gemini", Credential(0, "New", "own-key", server.url))
        assert trial is not providers.get("gemini")

        async def check() -> int:
            try:
                return (await trial.check()).models
            finally:
                await trial.aclose()

        assert asyncio.run(check()) == len(MODELS)
        assert server.requests[0].headers["x-goog-api-key"] == "own-key"


def test_endpoints_stand_before_the_demo_and_need_no_key() -> None:
    keys = Keys(servers=(Endpoint("gpu-box", "GPU box", "http://gpu-box:8000/v1", True),))
    providers = with_keys(keys, OPENAI_API_KEY="k")
    assert [info.id for info in providers.infos()] == ["openai", "gpu-box", "demo"]
    assert [info.id for info in providers.all_infos()] == [*ORDER, "gpu-box", "demo"]
    assert providers.get("gpu-box").info == providers.info("gpu-box")
    assert providers.address("gpu-box") == "http://gpu-box:8000/v1"
    keys.servers = ()
    assert "gpu-box" not in [info.id for info in providers.all_infos()]
    with pytest.raises(AppError):
        providers.info("gpu-box")


def test_addresses_are_the_effective_ones() -> None:
    assert registry().address("gemini") == "https://generativelanguage.googleapis.com"
    assert registry(OPENAI_BASE_URL="https://gateway.example/v1").address("openai") == (
        "https://gateway.example/v1"
    )
    assert registry().address("local") is None
    assert registry().address("demo") is None


def test_nothing_that_is_printed_holds_a_key() -> None:
    providers, settings = registry(**ALL), Settings(**ALL)  # pyright: ignore[reportArgumentType]
    shown = [repr(providers.route(name)) for name in ORDER] + [repr(vars(providers)), repr(settings)]
    for key in ("g-key", "o-key", "a-key", GIGACHAT_KEY):
        assert not [text for text in shown if key in text]


# --- GigaChat ---


@pytest.mark.parametrize(
    "settings",
    [
        {"GIGACHAT_CLIENT_ID": GIGACHAT_ID, "GIGACHAT_CLIENT_SECRET": GIGACHAT_KEY},
        {"GIGACHAT_API_KEY": GIGACHAT_KEY},
        {"GIGACHAT_CREDENTIALS": f" {GIGACHAT_KEY[:40]}\n{GIGACHAT_KEY[40:]}\n"},
        {"GIGACHAT_CLIENT_ID": GIGACHAT_ID, "GIGACHAT_CLIENT_SECRET": GIGACHAT_SECRET},
    ],
)
def test_every_way_to_write_a_gigachat_key_down_is_the_same_key(settings: dict[str, str]) -> None:
    providers = registry(**settings)
    assert providers.is_from_environment("gigachat")
    assert providers.route("gigachat").key_ref == key_ref("gigachat", GIGACHAT_KEY)


@pytest.mark.parametrize("setting", ["GIGACHAT_API_KEY", "GIGACHAT_CLIENT_ID", "GIGACHAT_CLIENT_SECRET"])
def test_half_of_a_gigachat_key_is_refused_before_any_request(setting: str) -> None:
    with pytest.raises(AppError) as caught:
        registry(**{setting: GIGACHAT_ID}).get("gigachat")
    assert caught.value.kind is ErrorKind.WRONG_KEY
    assert setting in caught.value.text()


@pytest.mark.parametrize(
    ("scope", "streams"), [("GIGACHAT_API_PERS", 1), ("GIGACHAT_API_B2B", 10), ("GIGACHAT_API_CORP", 10)]
)
def test_the_scope_says_how_many_streams_there_may_be(scope: str, streams: int) -> None:
    assert registry(**ALL, GIGACHAT_SCOPE=scope).route("gigachat").concurrent_streams == streams
    own = Credential(7, "Work", GIGACHAT_KEY, options={"scope": scope})
    assert with_keys(Keys(keys={"gigachat": own})).route("gigachat", 1).concurrent_streams == streams
    assert registry(**ALL).route("gemini").concurrent_streams is None


# --- the adapters that are kept ---


class Closable(DemoProvider):
    """Remembers that it was closed."""

    closed = False

    async def aclose(self) -> None:
        self.closed = True


def identity(name: str) -> Identity:
    return Identity(DemoProvider().info, name, None, "")


def test_what_falls_out_of_the_pool_is_closed_when_it_was_idle() -> None:
    for idle_seconds, closed in ((3600.0, [False, False, False]), (-1.0, [True, True, True])):
        pool = AdapterPool(kept=2, idle_seconds=idle_seconds)
        made = [pool.get(identity(name), Closable) for name in "abc"]
        asyncio.run(pool.close_idle())
        assert [provider.closed for provider in made if isinstance(provider, Closable)] == closed


def test_the_least_recently_used_falls_out_and_closing_closes_it_too() -> None:
    pool = AdapterPool(kept=2)
    first, second = pool.get(identity("a"), Closable), pool.get(identity("b"), Closable)
    assert pool.get(identity("a"), Closable) is first
    third = pool.get(identity("c"), Closable)
    assert pool.get(identity("a"), Closable) is first
    assert pool.get(identity("b"), Closable) is not second
    asyncio.run(pool.aclose())
    assert [provider.closed for provider in (first, second, third) if isinstance(provider, Closable)] == [
        True
    ] * 3


# --- models ---


def test_two_keys_have_two_lists_of_models() -> None:
    with GeminiServer(models=("gemini-paid",)) as paid, GeminiServer(models=("gemini-free",)) as free:
        own = Credential(7, "Work", "own-key", paid.url)
        providers = with_keys(Keys(keys={"gemini": own}), GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=free.url)

        async def ask() -> None:
            await providers.models("gemini", 1)
            await providers.models("gemini", 2)
            await providers.aclose()

        asyncio.run(ask())
        assert [model.id for model in providers.cached_models("gemini", 1)] == ["gemini-paid"]
        assert [model.id for model in providers.cached_models("gemini", 2)] == ["gemini-free"]
        assert [model.id for model in providers.cached_models("gemini")] == ["gemini-free"]


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
