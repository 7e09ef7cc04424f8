"""The vault: what opens, what does not, and where its keys come from."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from core.accounts.vault import Vault
from core.config import Settings
from core.errors import AppError, ErrorKind

ROOT = Path(__file__).parents[2]
PLAIN = "sk-made-up-0123456789"
PHRASE, OTHER = "correct horse battery", "another staple entirely"


def vault(folder: Path, secret_key: str | None = None) -> Vault:
    return Vault(Settings(data_dir=folder, secret_key=secret_key))  # pyright: ignore[reportArgumentType]


def key_file(folder: Path) -> Path:
    return folder / "vault.key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refused(vault: Vault, token: str, context: str = "here") -> AppError:
    with pytest.raises(AppError) as caught:
        vault.unseal(token, context)
    assert caught.value.kind is ErrorKind.WRONG_KEY
    assert PLAIN not in repr(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "secret_key", [None, PHRASE, Fernet.generate_key().decode()], ids=["file", "phrase", "key"]
)
def test_what_is_sealed_opens_again_also_after_a_restart(tmp_path: Path, secret_key: str | None) -> None:
    token = vault(tmp_path, secret_key).seal(PLAIN, "here")
    assert PLAIN not in token
    assert vault(tmp_path, secret_key).unseal(token, "here") == PLAIN
    assert key_file(tmp_path).exists() == (secret_key is None)


def test_a_secret_opens_in_its_own_place_only(tmp_path: Path) -> None:
    sealed = vault(tmp_path)
    token = sealed.seal(PLAIN, "openai|api.openai.com|1")
    error = refused(sealed, token, "openai|elsewhere.example|1")
    assert "another place" in error.text()
    assert "add it again" in error.text()


@pytest.mark.parametrize("token", ["", "not a token", "gAAAAA==", "ключ"])
def test_what_was_never_sealed_does_not_open(tmp_path: Path, token: str) -> None:
    sealed = vault(tmp_path)
    sealed.seal(PLAIN, "here")
    refused(sealed, token)


def test_a_changed_token_does_not_open(tmp_path: Path) -> None:
    sealed = vault(tmp_path)
    token = sealed.seal(PLAIN, "here")
    refused(sealed, token[:40] + ("A" if token[40] != "A" else "B") + token[41:])


def test_without_the_key_it_says_what_to_restore(tmp_path: Path) -> None:
    token = vault(tmp_path, PHRASE).seal(PLAIN, "here")
    for lost in (vault(tmp_path), vault(tmp_path, OTHER)):
        text = refused(lost, token).text()
        assert "AIHUB_SECRET_KEY" in text
        assert "vault.key" in text
        assert "add it again" in text


# --- AIHUB_SECRET_KEY ---


@pytest.mark.parametrize("secret_key", ["nine-char", "   ", f"{PHRASE},brief", " fifteen-chars.. "])
def test_a_short_secret_key_is_refused_at_the_start(tmp_path: Path, secret_key: str) -> None:
    with pytest.raises(AppError) as caught:
        vault(tmp_path, secret_key)
    assert caught.value.kind is ErrorKind.VALIDATION
    assert "AIHUB_SECRET_KEY" in caught.value.text()
    assert "16 characters" in caught.value.text()
    assert secret_key not in caught.value.text()


def test_of_several_secret_keys_the_first_seals_and_all_open(tmp_path: Path) -> None:
    old = vault(tmp_path, OTHER).seal(PLAIN, "here")
    both = vault(tmp_path, f"{PHRASE} , {OTHER}")
    assert both.unseal(old, "here") == PLAIN
    new = both.seal(PLAIN, "here")
    assert vault(tmp_path, PHRASE).unseal(new, "here") == PLAIN
    refused(vault(tmp_path, OTHER), new)
    assert vault(tmp_path, PHRASE).unseal(both.reseal(old), "here") == PLAIN


def test_a_secret_key_that_was_set_later_still_opens_what_the_file_sealed(tmp_path: Path) -> None:
    token = vault(tmp_path).seal(PLAIN, "here")
    later = vault(tmp_path, PHRASE)
    assert later.unseal(token, "here") == PLAIN
    key_file(tmp_path).unlink()
    refused(later, token)


def test_a_vault_shows_no_key(tmp_path: Path) -> None:
    sealed = vault(tmp_path, PHRASE)
    sealed.seal(PLAIN, "here")
    assert PHRASE not in repr(sealed)


# --- the key file ---


def test_the_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    vault(tmp_path / "data").seal(PLAIN, "here")
    assert mode(key_file(tmp_path / "data")) == 0o600


def test_a_key_file_that_others_can_read_is_closed_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = vault(tmp_path).seal(PLAIN, "here")
    key_file(tmp_path).chmod(0o644)
    assert vault(tmp_path).unseal(token, "here") == PLAIN
    assert mode(key_file(tmp_path)) == 0o600
    (warning,) = caplog.messages
    assert "vault.key" in warning
    assert key_file(tmp_path).read_text().strip() not in warning


@pytest.mark.parametrize("content", [b"", b"bm90LWEta2V5\n", b"\xff\xfe\n"])
def test_a_key_file_that_is_damaged_is_named_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    key_file(tmp_path).write_bytes(content)
    key_file(tmp_path).chmod(0o600)
    with pytest.raises(AppError) as caught:
        vault(tmp_path).seal(PLAIN, "here")
    assert caught.value.kind is ErrorKind.STORAGE
    assert str(key_file(tmp_path)) in caught.value.text()
    assert (
        "not a key" not in caught.value.text()
        or content != b"bm90LWEta2V5\n"
        or "a line of it" in str(caught.value)
    )
    assert key_file(tmp_path).read_bytes() == content


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    with pytest.raises(AppError) as caught:
        vault(tmp_path / "data").seal(PLAIN, "here")
    assert caught.value.kind is ErrorKind.STORAGE


# A program of its own each: `multiprocessing` would first run whatever is `__main__` here, which a page under test is.
_SEAL = """
import sys
from pathlib import Path
from core.accounts.vault import Vault
from core.config import Settings

vault = Vault(Settings(data_dir=Path(sys.argv[1])))
print("ready", flush=True)
sys.stdin.readline()
print(vault.seal(sys.argv[2], "here"), flush=True)
"""


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SEAL, str(tmp_path), PLAIN]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(3)
    ]
    try:
        assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 3
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        sealed = [process.communicate(timeout=60)[0].strip() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [vault(tmp_path).unseal(token, "here") for token in sealed] == [PLAIN] * 3
    assert len(key_file(tmp_path).read_text().split()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vault.key", "vault.key.lock"]


# --- rotation ---


def test_rotation_drops_the_old_key_when_all_is_sealed_anew(tmp_path: Path) -> None:
    sealed, elsewhere = vault(tmp_path), vault(tmp_path)
    old = sealed.seal(PLAIN, "here")
    with sealed.rotate():
        new = sealed.reseal(old)
        assert sealed.unseal(old, "here") == PLAIN, "both open while it runs"
    assert elsewhere.unseal(new, "here") == PLAIN, "a process that runs on sees the new key"
    refused(sealed, old)
    assert len(key_file(tmp_path).read_text().split()) == 1
    assert mode(key_file(tmp_path)) == 0o600


def test_a_rotation_that_is_stopped_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    sealed = vault(tmp_path)
    old = sealed.seal(PLAIN, "here")
    new: list[str] = []

    def stopped() -> None:
        with sealed.rotate():
            new.append(sealed.reseal(old))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    after = vault(tmp_path)
    assert after.unseal(old, "here") == after.unseal(new[0], "here") == PLAIN
    with after.rotate():
        newest = after.reseal(old)
    assert vault(tmp_path).unseal(newest, "here") == PLAIN
    assert len(key_file(tmp_path).read_text().split()) == 1
