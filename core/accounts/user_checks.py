"""What people type about themselves: cleaned, or refused in one sentence that says what to do."""

import re
import unicodedata

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.text import folded, storable

LOCAL_USERNAME = "local"
MAX_USERNAME, MAX_EMAIL = 150, 254
MIN_PASSWORD, MAX_PASSWORD = 8, 1_000
# One @ between two parts that hold no space, quote or bracket. More than that only a letter sent there can tell.
_EMAIL = re.compile(r"[^@\s\"'<>()\[\],;:\\]+@[^@\s\"'<>()\[\],;:\\]+")
_MARKS = frozenset("._-+@ '’")


def clean_email(email: str) -> str:
    """An address as it was typed, without outer space."""
    email = storable(email).strip()
    name, _, host = email.rpartition("@")
    looks_right = _EMAIL.fullmatch(email) and not any(map(_unprintable, email))
    if not looks_right or ".." in email or any(part[0] == "." or part[-1] == "." for part in (name, host)):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("“{email}” is not an e-mail address. It should look like name@example.com."),
            email=email[:60],
        )
    if len(email) > MAX_EMAIL or len(folded(email)) > 2 * MAX_EMAIL:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The e-mail address is too long. Keep it under {count} characters."),
            count=MAX_EMAIL + 1,
        )
    return email


def clean_username(username: str) -> str:
    """1 to 150 letters, digits, spaces and `._-+@'`, on one line."""
    username = " ".join(unicodedata.normalize("NFC", storable(username)).split())
    if not username:
        raise AppError(ErrorKind.VALIDATION, N_("The username is empty. Give it at least one character."))
    if len(username) > MAX_USERNAME or len(folded(username)) > 3 * MAX_USERNAME:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The username is too long. Keep it under {count} characters."),
            count=MAX_USERNAME + 1,
        )
    if not all(char in _MARKS or unicodedata.category(char)[0] in "LMN" for char in username):
        raise AppError(
            ErrorKind.VALIDATION,
            N_("A username is made of letters, digits, spaces and . _ - + @ only. Leave out the rest."),
        )
    if folded(username) == LOCAL_USERNAME:
        raise AppError(ErrorKind.VALIDATION, N_("This username is AIHub’s own. Pick another."))
    return username


def clean_password(password: str, *not_these: str | None) -> str:
    """A new password in one Unicode form, so that it is the same from every keyboard. `not_these`: the account's
    own e-mail address and username, which it must not be."""
    password = same_everywhere(password)
    if len(password) < MIN_PASSWORD:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The password is too short. Use at least {count} characters."),
            count=MIN_PASSWORD,
        )
    if len(password) > MAX_PASSWORD:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The password is too long. Keep it under {count} characters."),
            count=MAX_PASSWORD + 1,
        )
    if folded(password) in {folded(name) for name in not_these if name} or len(set(password)) == 1:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "This password is too easy to guess. Use one that is not your name and has different letters."
            ),
        )
    return password


def same_everywhere(password: str) -> str:
    """A password in the one Unicode form that is hashed; at most a little longer than is ever accepted."""
    # Cut first: normalising a megabyte of somebody's mischief is work too.
    return unicodedata.normalize("NFKC", storable(password[: MAX_PASSWORD + 1]))


def _unprintable(char: str) -> bool:
    return unicodedata.category(char)[0] == "C"
