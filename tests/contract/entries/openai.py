"""OpenAI, and an OpenAI-compatible server under a name of its own, under contract."""

from core.providers.openai import OpenAIProvider
from core.providers.openai_compatible import OpenAICompatibleProvider
from core.providers.types import Provider
from tests.contract.adapter import KEY, Adapter
from tests.fakes import openai_server


def _openai(url: str, key: str = KEY, timeout: float = 20) -> Provider:
    return OpenAIProvider(key, url, timeout)


def _local(url: str, key: str = KEY, timeout: float = 20) -> Provider:
    return OpenAICompatibleProvider("local", "Local", key, url, timeout)


OPENAI = Adapter(
    "openai",
    "gpt-6.1-sol",
    _openai,
    openai_server,
    openai_server.OpenAIServer,
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
    embedding_model="text-embedding-3-small",
)
LOCAL = Adapter(
    "local",
    "local-model",
    _local,
    openai_server,
    openai_server.OpenAIServer,
    "LOCAL_BASE_URL",
    "LOCAL_API_KEY",
    embedding_model="local-embed",
)
