"""What GigaChat takes for a key, in all the forms people have it in; and the three scopes a key can be for."""

import base64
import binascii
import re

from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.providers.access import clean_key

SCOPES = ("GIGACHAT_API_PERS", "GIGACHAT_API_B2B", "GIGACHAT_API_CORP")
"""Which tariff a key belongs to: private persons, companies that pay before, companies that pay after."""

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_LONE_UUID = re.compile(_UUID, re.IGNORECASE)
_UUID_SHAPE = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
# What a copy out of a mail or a web page brings along besides the key.
_BLANKS = re.compile(r"[\s\u00ad\u200b-\u200d\u2060\ufeff]+")
_QUOTES = re.compile("[\"'`\u00ab\u00bb\u2018-\u201f\u2039\u203a]")

_NO_SECRET = N_(
    "{setting} holds a lone UUID, which is only the client id and not a key. In GigaChat Studio open the project, "
    "then its API settings, and copy the “Authorization key”: one Base64 text of 80–100 characters."
)
_QUOTED = N_("The key in {setting} has quotation marks in it. Paste it without them.")
_FOREIGN = N_(
    "The key in {setting} has a letter that no key has, perhaps a Cyrillic one that looks like a Latin one. "
    "Copy the “Authorization key” from GigaChat Studio again instead of typing it."
)
_TOKEN = N_(
    "{setting} holds an access token, which lasts for 30 minutes, and not the key. In GigaChat Studio open the "
    "project, then its API settings, and copy the “Authorization key”: one Base64 text of 80–100 characters."
)
_TRUNCATED = N_(
    "The key in {setting} is cut off. Copy the whole “Authorization key” again from the API settings of the project "
    "in GigaChat Studio: one Base64 text of 80–100 characters."
)
_OTHER_CLIENT = N_(
    "GIGACHAT_CLIENT_ID is not the client id inside the key in {setting}. Copy both from the same project in "
    "GigaChat Studio, or set the key alone."
)
_BAD_CLIENT = N_(
    "GIGACHAT_CLIENT_ID is not a client id. Copy it from the API settings of the project in GigaChat Studio: a UUID "
    "of 36 characters."
)
_NOT_A_KEY = N_(
    "The key in {setting} is not one of GigaChat's. In GigaChat Studio open the project, then its API settings, "
    "and copy the “Authorization key”: one Base64 text of 80–100 characters."
)


def clean_credentials(value: str, setting: str, client_id: str | None = None) -> str:
    """The Base64 of `client_id:client_secret` that the service takes as a key, out of what was pasted.

    `value` is that Base64, the two joined by a colon, or with `client_id` the secret alone. AppError otherwise:
    NO_KEY when it is blank, WRONG_KEY with what to copy and from where; `setting` names it in the sentence.
    """
    text = _BLANKS.sub("", re.sub(r"^\W*(authorization:\s*)?basic\s+", "", value, flags=re.IGNORECASE))
    if not text:
        return clean_key("", setting)
    client = _BLANKS.sub("", client_id or "")
    _refuse_what_is_no_key(text, setting)
    if client and not re.fullmatch(r"[\x21-\x39\x3b-\x7e]+", client):
        raise _wrong(_BAD_CLIENT, setting)
    pair = _pair(text, setting, client)
    if client and pair.partition(":")[0].lower() != client.lower():
        raise _wrong(_OTHER_CLIENT, setting)
    return base64.b64encode(pair.encode()).decode()


def check_scope(scope: str) -> str:
    """The trimmed scope; AppError(VALIDATION) when it is none of SCOPES."""
    scope = scope.strip()
    if scope not in SCOPES:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "There is no scope “{scope}”. GigaChat has three: {scopes}. GigaChat Studio shows the project's."
            ),
            scope=scope[:40],
            scopes=", ".join(SCOPES),
        )
    return scope


def streams_allowed(scope: str) -> int:
    """How many answers at once GigaChat gives a key of `scope`."""
    return 1 if scope == "GIGACHAT_API_PERS" else 10


def _refuse_what_is_no_key(text: str, setting: str) -> None:
    if _QUOTES.search(text):
        raise _wrong(_QUOTED, setting)
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise _wrong(_FOREIGN, setting)
    # "eyJ" is the Base64 of '{"', with which every JSON Web Token begins and no client id does.
    if text.lower().startswith("bearer") or text.startswith("eyJ"):
        raise _wrong(_TOKEN, setting)


def _pair(text: str, setting: str, client: str) -> str:
    """`client_id:client_secret`."""
    if ":" in text:
        if not re.fullmatch(rf"{_UUID}:[^:]+", text, re.IGNORECASE):
            raise _wrong(_NOT_A_KEY, setting)
        return _whole(text, setting)
    decoded = _decoded(text)
    if decoded is not None and re.fullmatch(r"[\x21-\x39\x3b-\x7e]+:[\x21-\x7e]+", decoded):
        return _whole(decoded, setting)
    if _begins_with_a_pair(text):
        raise _wrong(_TRUNCATED, setting)
    if client:
        return f"{client}:{text}"  # the secrets of paid tariffs need not be UUIDs
    raise _wrong(_NO_SECRET if _LONE_UUID.fullmatch(text) else _NOT_A_KEY, setting)


def _whole(pair: str, setting: str) -> str:
    """`pair` unless its second half is the beginning of a UUID, and so the first part of a key."""
    secret = pair.partition(":")[2]
    if len(secret) < len(_UUID_SHAPE) and _is_like_a_uuid(secret) and _LONE_UUID.match(pair):
        raise _wrong(_TRUNCATED, setting)
    return pair


def _begins_with_a_pair(text: str) -> bool:
    """Whether `text` is Base64 that breaks off before the colon, or in the middle of a character after it."""
    start = _decoded(text[: len(text) // 4 * 4])
    return start is not None and len(start) >= 9 and _is_like_a_uuid(start[: len(_UUID_SHAPE)])


def _is_like_a_uuid(text: str) -> bool:
    shape = "".join("h" if character in "0123456789abcdefABCDEF" else character for character in text)
    return _UUID_SHAPE.startswith(shape)


def _decoded(text: str) -> str | None:
    """What Base64 of either alphabet says, padded or not; None when it is none."""
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None


def _wrong(template: str, setting: str) -> AppError:
    return AppError(ErrorKind.WRONG_KEY, template, setting=setting)
