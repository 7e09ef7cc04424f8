"""The server as it stands in front of the world: health, errors, and who it answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_api
from api.guard import LocalOnly, OfflinePages, is_loopback
from core import services
from core.config import PROJECT_DIR


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(services, "_current", None)
    app = LocalOnly(OfflinePages(create_api()))
    return TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50000))


def test_health_says_ok_and_which_database(client: TestClient) -> None:
    answer = client.get("/api/health")
    services.shutdown()
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": "0.1.0", "database": "sqlite"}


@pytest.mark.parametrize(
    ("language", "words"), [("en-US,en;q=0.9", "nothing at this address"), ("ru-RU,ru", "По этому адресу")]
)
def test_an_unknown_address_has_the_documented_error(client: TestClient, language: str, words: str) -> None:
    answer = client.get("/api/nothing", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert answer.json()["error"] is True
    assert answer.json()["error_type"] == "not_found"
    assert words in answer.json()["error_message"]


def test_every_answer_forbids_other_hosts(client: TestClient) -> None:
    policy = client.get("/api/nothing").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http:" not in policy


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "192.168.1.7", ""])
def test_a_name_that_is_not_this_machines_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/api/health", headers={"Host": host})
    assert answer.status_code == 403
    assert answer.text.startswith("AIHub has no sign-in configured (AIHUB_AUTH=local)")
    russian = client.get("/api/health", headers={"Host": host, "Accept-Language": "ru"})
    assert russian.text.startswith("В AIHub не настроен вход (AIHUB_AUTH=local)")


def test_a_caller_from_elsewhere_is_refused() -> None:
    app = LocalOnly(create_api())
    stranger = TestClient(app, base_url="http://127.0.0.1", client=("192.168.1.9", 50000))
    assert stranger.get("/api/health").status_code == 403


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("127.1.2.3", True),
        ("0.0.0.0", False),
        ("a.b", False),
    ],
)
def test_what_counts_as_this_machine(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"AIHUB_HOST": "0.0.0.0"},
            "Set AIHUB_HOST=127.0.0.1 to use it on this machine, or AIHUB_AUTH=password",
        ),
        ({"AIHUB_AUTH": "oidc"}, "not available in this version"),
        ({"AIHUB_METRICS": "token"}, "needs AIHUB_METRICS_TOKEN"),
        ({"AIHUB_TIMEZONE": "Mars/Olympus"}, "unknown time zone"),
        ({"AIHUB_DATABASE_URL": "mysql://127.0.0.1/x"}, "not supported"),
        ({"AIHUB_DATABASE_URL": "postgresql://nobody:hidden-word@127.0.0.1:1/x"}, "cannot be used"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_a_sentence(
    settings: dict[str, str], words: str, tmp_path: Path
) -> None:
    environment = {**os.environ, "AIHUB_DATA_DIR": str(tmp_path), "AIHUB_ENV_FILE": os.devnull, **settings}
    ended = subprocess.run(
        [sys.executable, "Home.py"],
        cwd=PROJECT_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hidden-word" not in ended.stderr


def test_streamlit_run_beyond_this_machine_is_refused_too(tmp_path: Path) -> None:
    environment = {**os.environ, "AIHUB_DATA_DIR": str(tmp_path), "AIHUB_ENV_FILE": os.devnull}
    ended = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "Home.py", "--server.address", "0.0.0.0"],
        cwd=PROJECT_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "Set AIHUB_HOST=127.0.0.1" in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr
