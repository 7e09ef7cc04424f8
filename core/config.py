"""Settings from the environment and .env; one frozen object, read once at start."""

import os
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parent.parent
# Another file can be named, so that a test's server does not read a developer's keys.
ENV_FILE = Path(os.environ.get("AIHUB_ENV_FILE") or PROJECT_DIR / ".env")


def _key(*names: str) -> SecretStr | None:
    return Field(default=None, validation_alias=AliasChoices(*names))


def _url(*names: str) -> str | None:
    return Field(default=None, validation_alias=AliasChoices(*names))


class Settings(BaseSettings):
    """Names are part of the product: scripts and people rely on them (see README, Settings)."""

    model_config = SettingsConfigDict(
        env_prefix="AIHUB_", env_file=ENV_FILE, extra="ignore", frozen=True, env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8501, ge=1, le=65535)
    data_dir: Path = PROJECT_DIR / "data"
    database_url: SecretStr | None = None
    auth: Literal["local", "password", "oidc"] = "local"
    timezone: str = "UTC"
    # Korean is to come; until then its readers get English.
    language: Literal["en", "ru", "ko"] | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"

    gemini_api_key: SecretStr | None = _key("GEMINI_API_KEY", "GOOGLE_API_KEY")
    gemini_base_url: str | None = _url("GOOGLE_GEMINI_BASE_URL")
    openai_api_key: SecretStr | None = _key("OPENAI_API_KEY")
    openai_base_url: str | None = _url("OPENAI_BASE_URL")
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

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        # A relative folder means the project's, whatever directory the server was started from.
        return path if path.is_absolute() else PROJECT_DIR / path

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
