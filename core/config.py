"""Settings from the environment and .env; one frozen object, read once at start."""

import os
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parent.parent
# Another file can be named, so that a test's server does not read a developer's keys.
ENV_FILE = Path(os.environ.get("AIHUB_ENV_FILE") or PROJECT_DIR / ".env")


MIN_METRICS_TOKEN = 16


def _key(*names: str) -> SecretStr | None:
    return Field(default=None, validation_alias=AliasChoices(*names))


def _url(*names: str) -> str | None:
    # Not in a repr: an address may hold a password.
    return Field(default=None, validation_alias=AliasChoices(*names), repr=False)


class Settings(BaseSettings):
    """Names are part of the product: scripts and people rely on them (see README, Settings)."""

    model_config = SettingsConfigDict(
        env_prefix="AIHUB_", env_file=ENV_FILE, extra="ignore", frozen=True, env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8501, ge=1, le=65535)
    data_dir: Path = PROJECT_DIR / "data"
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    secret_key: SecretStr | None = None  # seals the keys that users add; several, the newest first
    auth: Literal["local", "password", "oidc"] = "local"
    # Names (commas between them) that the hub answers under where it asks for a sign-in; IP addresses always.
    allowed_hosts: str = ""
    # Who may make an account: whoever comes first, anybody, or nobody (administrators then do).
    signup: Literal["first", "open", "closed"] = "first"
    timezone: str = "UTC"
    # Korean is to come; until then its readers get English.
    language: Literal["en", "ru", "ko"] | None = None
    currency: str = "USD"  # budgets and reports are in it
    subscription_cost: Decimal = Decimal("20.00")  # a month, in that currency: what savings are measured by
    # Who may read /metrics: nobody, programs on this machine, whoever has the token.
    metrics: Literal["off", "local", "token"] = "off"
    metrics_token: SecretStr | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"

    gemini_api_key: SecretStr | None = _key("GEMINI_API_KEY", "GOOGLE_API_KEY")
    gemini_base_url: str | None = _url("GOOGLE_GEMINI_BASE_URL")
    openai_api_key: SecretStr | None = _key("OPENAI_API_KEY")
    openai_base_url: str | None = _url("OPENAI_BASE_URL")
    anthropic_api_key: SecretStr | None = _key("ANTHROPIC_API_KEY")
    anthropic_base_url: str | None = _url("ANTHROPIC_BASE_URL")
    # The ready Base64 key stands in the first two, or in the secret beside a client id; or id and secret
    # are the two halves of it. core/providers/gigachat_key.py tells them apart.
    gigachat_api_key: SecretStr | None = _key("GIGACHAT_API_KEY", "GIGACHAT_CREDENTIALS")
    gigachat_client_id: SecretStr | None = _key("GIGACHAT_CLIENT_ID")
    gigachat_client_secret: SecretStr | None = _key("GIGACHAT_CLIENT_SECRET")
    gigachat_scope: str = Field(default="GIGACHAT_API_PERS", validation_alias="GIGACHAT_SCOPE")
    gigachat_model: str | None = Field(default=None, validation_alias="GIGACHAT_MODEL")
    gigachat_verify_ssl: bool = Field(default=True, validation_alias="GIGACHAT_VERIFY_SSL")
    gigachat_ca_bundle_file: Path | None = Field(default=None, validation_alias="GIGACHAT_CA_BUNDLE_FILE")
    gigachat_base_url: str | None = _url("GIGACHAT_BASE_URL")
    gigachat_auth_url: str | None = _url("GIGACHAT_AUTH_URL")
    local_api_key: SecretStr | None = _key("LOCAL_API_KEY")
    local_base_url: str | None = _url("LOCAL_BASE_URL")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone {name!r}; use an IANA name such as Europe/Moscow") from error
        return name

    @field_validator("allowed_hosts")
    @classmethod
    def _host_names(cls, names: str) -> str:
        for name in filter(None, map(str.strip, names.split(","))):
            if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", name):
                raise ValueError(
                    f"{name[:40]!r} is not the name of a host; use names such as hub.example.com, without "
                    "scheme, port or path, with commas between them"
                )
        return names

    @model_validator(mode="after")
    def _token_for_metrics(self) -> Self:
        token = self.metrics_token.get_secret_value() if self.metrics_token else ""
        if self.metrics == "token" and len(token) < MIN_METRICS_TOKEN:
            raise ValueError(
                f"AIHUB_METRICS=token needs AIHUB_METRICS_TOKEN with {MIN_METRICS_TOKEN} characters or more"
            )
        return self

    @field_validator("currency")
    @classmethod
    def _currency_code(cls, code: str) -> str:
        code = code.strip().upper()
        if not re.fullmatch(r"[A-Z]{3}", code):
            raise ValueError(
                f"{code[:20]!r} is not a currency; use its three letters, such as USD, EUR or RUB"
            )
        return code

    @field_validator("subscription_cost", mode="before")
    @classmethod
    def _monthly_price(cls, text: object) -> Decimal:
        try:
            price = Decimal(str(text).strip())
        except InvalidOperation:
            price = Decimal("NaN")
        exponent = price.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -9 or not 0 <= price < 10**6:
            raise ValueError(
                f"{str(text)[:20]!r} is not what a subscription costs a month; "
                "use an amount from 0 to below 1000000, with up to 9 digits after the point, such as 20.00"
            )
        return price

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        # A relative folder means the project's, whatever directory the server was started from.
        return path if path.is_absolute() else PROJECT_DIR / path

    @property
    def host_names(self) -> frozenset[str]:
        """The names of `allowed_hosts`."""
        return frozenset(filter(None, map(str.strip, self.allowed_hosts.split(","))))

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's report time zone: usage days are its calendar days."""
        return ZoneInfo(self.timezone)

    @property
    def sqlalchemy_url(self) -> str:
        """The configured database, or SQLite in the data folder. May hold a password: never log it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'aihub.db'}"
