"""The key file of the vault: one Fernet key a line, the newest first, for its owner's eyes only."""

import logging
import os
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet
from filelock import FileLock, Timeout

from core.errors import AppError, ErrorKind
from core.i18n import N_

_logger = logging.getLogger(__name__)
_LOCK_SECONDS = 30


class KeyFile:
    """Read at every use: another process may have put a new key in front, and what is sealed with one that it
    has dropped since would be lost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(f"{path}.lock", timeout=_LOCK_SECONDS, mode=0o600)

    @contextmanager
    def held(self) -> Generator[None]:
        """Nobody else changes the file meanwhile, in no process. May be nested."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except (OSError, Timeout) as error:
            raise self._unusable(error) from error
        try:
            yield
        finally:
            self._lock.release()

    def read(self) -> list[bytes]:
        """Its keys, the newest first; none when there is no file. AppError when it cannot be used."""
        try:
            self._close_to_others()
            return self._checked(self._path.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise self._unusable(error) from error

    def read_or_make(self) -> list[bytes]:
        """The same, with a first key made when there is none. Of two processes that do so at once, the second
        finds the first one's."""
        found = self.read()
        if found:
            return found
        with self.held():
            found = self.read()
            if not found:
                found = [Fernet.generate_key()]
                self.write(found)
            return found

    def write(self, keys: list[bytes]) -> None:
        """Replace the file whole: whoever reads it, even after a power cut, finds the old keys or the new."""
        try:
            # mkstemp opens with O_EXCL and mode 0600: at no moment can another user read it.
            descriptor, name = tempfile.mkstemp(prefix=f".{self._path.name}-", dir=self._path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(b"".join(key + b"\n" for key in keys))
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self._path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            _sync_folder(self._path.parent)
        except OSError as error:
            raise self._unusable(error) from error

    def _close_to_others(self) -> None:
        mode = stat.S_IMODE(self._path.stat().st_mode)
        if os.name == "posix" and mode & 0o077:
            self._path.chmod(0o600)
            _logger.warning(
                "%s could be read by other users of this machine; now it cannot. If one of them may have done "
                "so, run `python -m core.accounts.rotate` and replace the keys at their providers.",
                self._path,
            )

    def _checked(self, content: bytes) -> list[bytes]:
        keys = content.split()
        for key in keys:
            try:
                Fernet(key)
            except ValueError:
                # Without the reason: it could quote the line.
                raise ValueError("a line of it is not a key") from None
        if not keys:
            raise ValueError("it is empty")
        return keys

    def _unusable(self, error: Exception) -> AppError:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return AppError(
            ErrorKind.STORAGE,
            N_(
                "The key file {path} cannot be used ({reason}). Make its folder writable for AIHub, restore the "
                "file from a backup, or set AIHUB_SECRET_KEY."
            ),
            path=str(self._path),
            reason=reason[:200],
        )


def _sync_folder(folder: Path) -> None:
    """The new name outlives a power cut too; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
