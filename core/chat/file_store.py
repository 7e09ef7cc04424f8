"""The bytes of attachments, in the data folder under their hash: each content once, whoever sent it."""

import errno
import hashlib
import logging
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.errors import AppError, ErrorKind
from core.i18n import N_

_logger = logging.getLogger(__name__)
_FULL = (errno.ENOSPC, errno.EDQUOT)


class FileStore:
    """Keeps files below `folder`, which is made at the first one. From any thread and several processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def stored(self, contents: Sequence[bytes]) -> Generator[tuple[str, ...]]:
        """Store `contents` and give their names, the SHA-256 in hex. Inside, while their rows are written,
        `remove` leaves them alone. AppError when the disk does not take them."""
        names = tuple(hashlib.sha256(data).hexdigest() for data in contents)
        with self._lock:
            self._held.update(names)
        try:
            for name, data in zip(names, contents, strict=True):
                self._put(name, data)
            yield names
        finally:
            with self._lock:
                self._held.subtract(names)
                self._held += Counter()  # drops those that nobody holds

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None when it is not there any more, or not whole."""
        try:
            data = self._path(name).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data).hexdigest() != name:
            _logger.error("the attachment %s is damaged", name)
            return None
        return data

    def remove(self, names: Iterable[str], older_than_seconds: float = 0.0) -> None:
        """Delete files that no row refers to. Those put in the last seconds stay when the row may be one that
        another process is just about to write."""
        before = time.time() - older_than_seconds
        for name in names:
            path = self._path(name)
            try:
                with self._lock:
                    if not self._held[name] and path.stat().st_mtime <= before:
                        path.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                _logger.warning("the attachment %s was not deleted: %s", name, error.strerror)

    def _put(self, name: str, data: bytes) -> None:
        path = self._path(name)
        try:
            if path.exists() and path.stat().st_size == len(data):
                os.utime(path)
            else:
                _write(path, data)
        except OSError as error:
            raise AppError(
                ErrorKind.STORAGE_FULL if error.errno in _FULL else ErrorKind.STORAGE,
                N_(
                    "The file could not be stored ({reason}). Free some space in the data folder, then try again."
                ),
                reason=error.strerror or type(error).__name__,
            ) from error

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, also when the power fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Without this the new name may be lost though the bytes are on the disk.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
