"""Gemini under contract."""

from core.providers.gemini import GeminiProvider
from core.providers.types import Provider
from tests.contract.adapter import KEY, Adapter
from tests.fakes import gemini_server


def _gemini(url: str, key: str = KEY, timeout: float = 20) -> Provider:
    return GeminiProvider(key, url, timeout)


GEMINI = Adapter(
    "gemini",
    "gemini-3.8-flash",
    _gemini,
    gemini_server,
    gemini_server.GeminiServer,
    "GOOGLE_GEMINI_BASE_URL",
    "GEMINI_API_KEY",
    embedding_model="gemini-embedding-2",
)
