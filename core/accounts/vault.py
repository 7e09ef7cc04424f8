"""The vault: seals what must not be readable in the database, so that it opens in its own place only."""

import base64
import hashlib
import json
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.accounts.vault_file import KeyFile
from core.config import Settings
from core.errors import AppError, ErrorKind
from core.i18n import N_

FILE_NAME = "vault.key"
SHORTEST = 16  # characters of AIHUB_SECRET_KEY
# Fixed, because every process must come to the same key from the same words. What makes guessing dear is scrypt.
_SALT = b"AIHub vault, 2026"


class Vault:
    """Fernet (AES-128-CBC, HMAC-SHA256) with the keys of AIHUB_SECRET_KEY, else with those of `vault.key` in
    the data folder, which is made at the first use. What the file's keys once sealed opens in both cases.

    From any thread, and from several processes at once.
    """

    def __init__(self, settings: Settings) -> None:
        """AppError(VALIDATION) when AIHUB_SECRET_KEY is too short to protect anything."""
        self._phrases = _phrases(settings)
        self._file = KeyFile(settings.data_dir / FILE_NAME)
        self._derived: list[bytes] = []
        self._deriving = threading.Lock()

    def __repr__(self) -> str:
        return f"<Vault {'AIHUB_SECRET_KEY' if self._phrases else FILE_NAME}>"

    def seal(self, plain: str, context: str) -> str:
        """`plain` encrypted and signed, to be opened with the same `context` only. Between this and the commit
        hold `steady()`."""
        inside = json.dumps({"context": context, "plain": plain}).encode()
        return self._fernet(make=True).encrypt(inside).decode()

    def unseal(self, token: str, context: str) -> str:
        """What was sealed. AppError(WRONG_KEY) when no key opens it, or when it was sealed for another context:
        whoever can edit the database cannot make a secret go elsewhere by moving it."""
        try:
            inside = cast("dict[str, Any]", json.loads(self._fernet().decrypt(token.encode())))
        except (InvalidToken, ValueError):
            raise _no_key_opens() from None
        if inside.get("context") != context:
            raise AppError(
                ErrorKind.WRONG_KEY,
                N_(
                    "This key was stored for another place and stays where it is. Delete it and add it again."
                ),
            )
        return str(inside["plain"])

    def reseal(self, token: str) -> str:
        """The same secret in the same context, sealed with the newest key. AppError as in `unseal`."""
        try:
            return self._fernet().rotate(token.encode()).decode()
        except InvalidToken:
            raise _no_key_opens() from None

    def signing_keys(self, purpose: str) -> list[bytes]:
        """Keys of 32 bytes for one purpose, the newest first: sign with that, verify with any. Each is derived
        from a key of the vault, so that it is good for nothing else and tells nothing about where it comes from."""
        own = self._environment_keys()
        return [_derived(key, purpose) for key in (own or self._file.read_or_make())]

    def steady(self) -> AbstractContextManager[None]:
        """Hold this from sealing to the end of the transaction: meanwhile no process drops an old key."""
        return nullcontext() if self._phrases else self._file.held()

    @contextmanager
    def rotate(self) -> Generator[None]:
        """Inside, a new key seals; reseal all there is in one transaction. The old keys go when that is done.

        Stopped anywhere, even by a power cut, what is stored opens: the old keys go last. With
        AIHUB_SECRET_KEY the first of its values is the new key, and nothing is dropped.
        """
        if self._phrases:
            yield
            return
        with self._file.held():
            made = Fernet.generate_key()
            self._file.write([made, *self._file.read()])
            yield
            self._file.write([made])

    def _fernet(self, make: bool = False) -> MultiFernet:
        own = self._environment_keys()
        # A file from the time before AIHUB_SECRET_KEY opens what it sealed then.
        keys = [*own, *(self._file.read_or_make() if make and not own else self._file.read())]
        if not keys:
            raise _no_key_opens()
        return MultiFernet([Fernet(key) for key in keys])

    def _environment_keys(self) -> list[bytes]:
        with self._deriving:
            if not self._derived:
                self._derived = [_key_of(phrase) for phrase in self._phrases]
            return self._derived


def _phrases(settings: Settings) -> list[str]:
    if settings.secret_key is None:
        return []
    phrases = [part.strip() for part in settings.secret_key.get_secret_value().split(",")]
    phrases = [phrase for phrase in phrases if phrase]
    if not phrases or min(map(len, phrases)) < SHORTEST:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "AIHUB_SECRET_KEY is too short. Set it to at least {count} characters, such as the output of "
                "`openssl rand -hex 32`, or leave it unset and AIHub keeps a key file of its own."
            ),
            count=SHORTEST,
        )
    return phrases


def _key_of(phrase: str) -> bytes:
    """A Fernet key as it is; from any other text one is derived, which takes about 0.1 s."""
    try:
        Fernet(phrase)
    except ValueError:
        derived = hashlib.scrypt(phrase.encode(), salt=_SALT, n=2**15, r=8, p=1, maxmem=2**26, dklen=32)
        return base64.urlsafe_b64encode(derived)
    return phrase.encode()


def _derived(key: bytes, purpose: str) -> bytes:
    expand = HKDF(SHA256(), length=32, salt=_SALT, info=f"AIHub {purpose}".encode())
    return expand.derive(base64.urlsafe_b64decode(key))


def _no_key_opens() -> AppError:
    return AppError(
        ErrorKind.WRONG_KEY,
        N_(
            "This key cannot be decrypted any more. Restore the AIHUB_SECRET_KEY or the file vault.key that it was "
            "stored with, or delete it and add it again."
        ),
    )
