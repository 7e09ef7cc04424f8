"""Which providers there are, what makes one configured, and how its adapter is built. Imports no SDK."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from core.config import Settings
from core.errors import AppError
from core.providers import anthropic, demo, gemini, gigachat, openai
from core.providers.access import is_own_network
from core.providers.anthropic import AnthropicProvider
from core.providers.credentials import Endpoint
from core.providers.gemini import GeminiProvider
from core.providers.gigachat import GigaChatProvider
from core.providers.gigachat_key import clean_credentials, streams_allowed
from core.providers.openai import OpenAIProvider
from core.providers.openai_compatible import OpenAICompatibleProvider
from core.providers.types import Provider, ProviderInfo

OWN_MACHINE = "runs on your own machine"
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Login:
    """What an adapter is built from. `setting` names the key in sentences: a variable, or a key's label.

    `api_key` is empty where a server needs none. `options` are the provider's own (GigaChat: scope).
    `public_only`: see Credential.
    """

    api_key: str = field(repr=False)
    base_url: str | None = field(repr=False)
    setting: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    public_only: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider as the settings, or the list of endpoints, see it.

    `setting` is the variable that configures it, None where none does; `login` is the environment's key,
    None when it is not set. `base_url` is the effective address, None when there is none yet; `auth_url` the
    one a key is sent to where that is another.
    """

    info: ProviderInfo
    setting: str | None
    login: Login | None
    base_url: str | None = field(repr=False)
    build: Callable[[Login], Provider] = field(repr=False)
    auth_url: str | None = field(default=None, repr=False)
    streams: Callable[[Login], int | None] = field(default=lambda login: None, repr=False)

    @property
    def configured(self) -> bool:
        """Whether its variable is set; whether rightly, only `build` can tell."""
        return self.login is not None

    @property
    def is_server(self) -> bool:
        """Whether an address is what it needs, and a key is optional."""
        return self.setting is None or self.setting.endswith("_URL")


def entries(settings: Settings, demo_provider: Provider | None) -> list[Entry]:
    """The providers that AIHub knows by itself: the one to prefer first and the demo last."""
    nothing = Login("", "demo:", "")
    return [
        _gemini(settings),
        _openai(settings),
        _anthropic(settings),
        _gigachat(settings),
        _local(settings),
        Entry(demo.INFO, None, nothing, None, lambda login: demo_provider or demo.DemoProvider()),
    ]


def endpoint_entry(endpoint: Endpoint) -> Entry:
    """An endpoint as a provider: always configured, because its address is all it needs."""
    return _server(
        endpoint.provider_id,
        endpoint.label,
        endpoint.base_url,
        is_free=endpoint.is_free,
        login=Login("", endpoint.base_url, f"“{endpoint.label}”"),
    )


def _gemini(settings: Settings) -> Entry:
    url = settings.gemini_base_url or gemini.BASE_URL
    return Entry(
        gemini.INFO,
        gemini.KEY_SETTING,
        _login(settings.gemini_api_key, url, gemini.KEY_SETTING),
        url,
        lambda login: GeminiProvider(
            login.api_key, login.base_url, setting=login.setting, public_only=login.public_only
        ),
    )


def _openai(settings: Settings) -> Entry:
    url = settings.openai_base_url or openai.BASE_URL
    return Entry(
        openai.INFO,
        openai.KEY_SETTING,
        _login(settings.openai_api_key, url, openai.KEY_SETTING),
        url,
        lambda login: OpenAIProvider(
            login.api_key, login.base_url, setting=login.setting, public_only=login.public_only
        ),
    )


def _anthropic(settings: Settings) -> Entry:
    url = settings.anthropic_base_url or anthropic.BASE_URL
    return Entry(
        anthropic.INFO,
        anthropic.KEY_SETTING,
        _login(settings.anthropic_api_key, url, anthropic.KEY_SETTING),
        url,
        lambda login: AnthropicProvider(
            login.api_key, login.base_url, setting=login.setting, public_only=login.public_only
        ),
    )


def _gigachat(settings: Settings) -> Entry:
    url = settings.gigachat_base_url or gigachat.BASE_URL
    auth_url = settings.gigachat_auth_url or gigachat.AUTH_URL

    def scope(login: Login) -> str:
        return login.options.get("scope", settings.gigachat_scope)

    def build(login: Login) -> Provider:
        return GigaChatProvider(
            clean_credentials(login.api_key, login.setting, login.options.get("client_id")),
            login.base_url,
            auth_url,
            scope(login),
            settings.gigachat_verify_ssl,
            setting=login.setting,
            default_model=settings.gigachat_model,
            ca_bundle_file=settings.gigachat_ca_bundle_file,
            public_only=login.public_only,
        )

    return Entry(
        gigachat.described(settings.gigachat_model),
        gigachat.KEY_SETTING,
        _gigachat_login(settings, url),
        url,
        build,
        auth_url,
        lambda login: streams_allowed(scope(login)),
    )


def _gigachat_login(settings: Settings, base_url: str) -> Login | None:
    """The key out of whichever variables it stands in, in the one form that is sent; as it stands there when
    it cannot be one, so that building the adapter says what is wrong."""
    client_id = settings.gigachat_client_id
    for setting, value in (
        (gigachat.KEY_SETTING, settings.gigachat_api_key),
        ("GIGACHAT_CLIENT_SECRET", settings.gigachat_client_secret),
        ("GIGACHAT_CLIENT_ID", client_id),
    ):
        login = _login(value, base_url, setting)
        if login is None:
            continue
        client = client_id.get_secret_value() if client_id and value is not client_id else ""
        try:
            return replace(login, api_key=clean_credentials(login.api_key, setting, client))
        except AppError:
            return replace(login, options={"client_id": client})
    return None


def _local(settings: Settings) -> Entry:
    url = (settings.local_base_url or "").strip() or None
    key = settings.local_api_key.get_secret_value() if settings.local_api_key else ""
    return _server(
        LOCAL,
        "Local",
        url,
        is_free=url is not None and is_own_network(url),
        login=Login(key, url, "LOCAL_API_KEY") if url else None,
        setting="LOCAL_BASE_URL",
    )


def _server(
    provider_id: str,
    label: str,
    base_url: str | None,
    *,
    is_free: bool,
    login: Login | None,
    setting: str | None = None,
) -> Entry:
    """An OpenAI-compatible server. `setting`: the variable that holds its address, if one does."""
    free_reason = OWN_MACHINE if is_free else None
    url_setting = setting or f"“{label}”"

    def build(login: Login) -> Provider:
        return OpenAICompatibleProvider(
            provider_id,
            label,
            login.api_key or None,
            login.base_url,
            free_reason=free_reason,
            setting=login.setting,
            url_setting=url_setting,
            public_only=login.public_only,
        )

    # The adapter knows what such servers can do; it is asked without an address, which may be a wrong one.
    info = build(Login("", "http://localhost", "")).info
    return Entry(info, setting, login, base_url, build)


def _login(key: SecretStr | None, base_url: str, setting: str) -> Login | None:
    """None when the variable is not set, or blank."""
    value = key.get_secret_value().strip() if key else ""
    return Login(value, base_url, setting) if value else None
