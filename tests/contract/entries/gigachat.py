"""GigaChat under contract; its key is the Base64 of a pair, so it brings one of its own."""

from core.providers.gigachat import GigaChatProvider
from core.providers.types import Provider
from tests.contract.adapter import Adapter
from tests.fakes import gigachat_server

KEY = gigachat_server.credentials(
    "0a1b2c3d-1111-4222-8333-444455556666", "f9e8d7c6-aaaa-4bbb-9ccc-ddddeeeeffff"
)


def _gigachat(url: str, key: str = KEY, timeout: float = 20) -> Provider:
    auth_url = f"{url.removesuffix('/api/v1')}/api/v2/oauth"
    return GigaChatProvider(key, url, auth_url, timeout_seconds=timeout)


GIGACHAT = Adapter(
    "gigachat",
    "GigaChat-2",
    _gigachat,
    gigachat_server,
    gigachat_server.GigaChatServer,
    "GIGACHAT_BASE_URL",
    "GIGACHAT_API_KEY",
    key=KEY,
    embedding_model="Embeddings",
    first_url_setting="GIGACHAT_AUTH_URL",
)
