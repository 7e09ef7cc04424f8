"""What holds for every test: a clean environment, no network, its own data folder."""

import gc
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support.databases import postgres_database, sqlite_url
from tests.support.isolation import NetworkGuard, kept_main, product_settings
from tests.support.options import REQUIRE_BROWSER

# As in the server: with a process full of what tests imported, looking for cycles takes a good part of the time.
gc.set_threshold(100_000, 20, 50)
# In CI the same examples every time: a search for new ones belongs to whoever is at work on the code.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def network() -> Iterator[NetworkGuard]:
    """Blocks the network for the whole run, fixtures of any scope included."""
    guard = NetworkGuard()
    with pytest.MonkeyPatch.context() as patch:
        guard.install(patch)
        yield guard


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Hides the developer's own settings and keys, and the .env file, from the whole run."""
    from core.config import Settings

    with pytest.MonkeyPatch.context() as patch:
        for name in product_settings():
            patch.delenv(name)
        patch.setitem(Settings.model_config, "env_file", None)
        yield


@pytest.fixture(autouse=True)
def isolated(network: NetworkGuard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has an empty data folder, and fails when it tried to leave this machine."""
    for name in product_settings():
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIHUB_DATA_DIR", str(tmp_path / "data"))
    network.attempts.clear()
    yield
    assert not network.attempts, f"the test tried to reach {network.attempts}; see tests/support/isolation.py"


@pytest.fixture(autouse=True)
def fresh_streamlit_caches() -> Iterator[None]:
    """`st.cache_*` outlives an AppTest; nothing may leak into the next test."""
    yield
    if "streamlit" in sys.modules:
        import streamlit

        # Outside a server it says so at every clear, in the report of each test that fails.
        logging.getLogger("streamlit.runtime.caching.cache_data_api").setLevel(logging.ERROR)
        streamlit.cache_data.clear()
        streamlit.cache_resource.clear()


@pytest.fixture(autouse=True)
def same_main_module() -> Iterator[None]:
    """A page under test takes the place of `__main__`; what looks there next must not find that page."""
    with kept_main():
        yield


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database without a row: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
    else:
        with postgres_database() as url:
            yield url


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The machine's own Chromium or Chrome; Playwright is never asked to download one."""
    for name in ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := shutil.which(name):
            return found
    message = "no Chromium on this machine (on Debian: apt-get install chromium)"
    if REQUIRE_BROWSER:
        pytest.fail(message)
    pytest.skip(message)
