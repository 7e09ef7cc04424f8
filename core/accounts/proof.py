"""What proves who somebody is: made at random, shown once, kept as a hash."""

import hashlib
import secrets

BYTES = 32


def new_secret(prefix: str = "") -> str:
    """256 random bits in 43 letters, digits, `-` and `_`."""
    return prefix + secrets.token_urlsafe(BYTES)


def hash_of(secret: str) -> str:
    """What is stored and looked up. A plain SHA-256: nobody guesses 256 bits, so nothing has to slow them down."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
