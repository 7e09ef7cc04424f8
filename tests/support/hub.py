"""The whole of core, opened on a test database and a fake Gemini server spoken to by the real SDK."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.chat.types import Message, Sent
from core.config import Settings
from core.generation.retry import RetryPolicy
from core.providers.demo import DemoProvider
from core.providers.registry import ProviderRegistry
from core.services import Services, open_services
from tests.fakes.gemini_server import GeminiServer

# Made up on the spot; nothing outside the test takes it.
KEY = "test-key-of-no-use"
MODEL = "gemini-3.8-flash"
# Most tests want to see what a failure looks like, not how it passes.
NO_RETRY = RetryPolicy(retries=0)


@contextmanager
def opened(
    database_url: str,
    data_dir: Path,
    gemini_url: str | None = None,
    key: str = KEY,
    retry: RetryPolicy = NO_RETRY,
) -> Iterator[Services]:
    """Services as a process has them, with a demo that does not dawdle; closed at the end."""
    values: dict[str, object] = {
        "AIHUB_DATA_DIR": data_dir,
        "database_url": database_url,
        "data_dir": data_dir,
    }
    if gemini_url is not None:
        values |= {"GEMINI_API_KEY": key, "GOOGLE_GEMINI_BASE_URL": gemini_url}
    settings = Settings(**values)  # pyright: ignore[reportArgumentType]
    services = open_services(settings, ProviderRegistry(settings, DemoProvider(float("inf"))), retry)
    try:
        yield services
    finally:
        services.close()


@contextmanager
def opened_with_gemini(
    database_url: str, data_dir: Path, retry: RetryPolicy = NO_RETRY
) -> Iterator[tuple[Services, GeminiServer]]:
    """The same, and the Gemini server it talks to."""
    with GeminiServer() as server, opened(database_url, data_dir, server.url, retry=retry) as services:
        yield services, server


def ask(services: Services, text: str = "Hello", thread: str | None = None, model: str = MODEL) -> Sent:
    """Send a message to Gemini as the local account."""
    return services.chat.send(me(services), thread, text, "gemini", model)


def answered(services: Services, sent: Sent) -> Message:
    """Wait for an answer and read it back as a page would."""
    assert sent.generation.wait(20), "the answer did not end"
    return last(services, sent)


def last(services: Services, sent: Sent) -> Message:
    """The thread's last message as stored."""
    return services.chat.messages(me(services), sent.thread.uuid)[-1]


def me(services: Services) -> int:
    return services.accounts.local_account().id
