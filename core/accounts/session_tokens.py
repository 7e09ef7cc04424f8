"""What is signed about a session: its JWT for the Bearer header, and its CSRF token beside the cookie."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from core.accounts.vault import Vault
from core.store.text import storable

ALGORITHM = "HS256"
_CLAIMS = ["sub", "exp", "sid"]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a JWT says that somebody else signed for us: whose session it is. Whether it still runs it cannot know."""

    user_id: int
    session_id: str


class SessionTokens:
    """Signs with keys of the vault, one for each purpose."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def issue(self, user_id: int, session_id: str, now: datetime, expires_at: datetime) -> str:
        """A JWT (HS256) with `sub`, `sid`, `iat` and `exp`."""
        # Importing it takes 20 ms: not at every start.
        import jwt

        claims = {"sub": str(user_id), "sid": session_id, "iat": int(now.timestamp()), "exp": expires_at}
        return jwt.encode(claims, self._vault.signing_keys("session JWT")[0], ALGORITHM)

    def read(self, token: str) -> Claim | None:
        """What a JWT of ours says; None when it is forged, expired, of another algorithm (`none` too) or shape."""
        import jwt

        token = storable(token)
        for key in self._vault.signing_keys("session JWT"):
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=[ALGORITHM],
                    # `iat` is for people: a clock that was set back must not lock everybody out.
                    options={"require": _CLAIMS, "verify_iat": False},
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.PyJWTError:
                return None
            user_id, session_id = str(claims["sub"]), claims["sid"]
            if not isinstance(session_id, str) or not re.fullmatch(r"[0-9]{1,18}", user_id):
                return None
            return Claim(int(user_id), session_id)
        return None

    def csrf(self, session_id: str) -> str:
        """The session's CSRF token: the same for as long as it runs, and nothing that has to be stored."""
        return _signed(self._vault.signing_keys("CSRF token")[0], session_id)

    def is_csrf(self, session_id: str, token: str) -> bool:
        """Whether a request brought the session's CSRF token."""
        given = token.encode("utf-8", "replace")
        keys = self._vault.signing_keys("CSRF token")
        return any(hmac.compare_digest(_signed(key, session_id).encode(), given) for key in keys)


def _signed(key: bytes, session_id: str) -> str:
    digest = hmac.digest(key, session_id.encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
