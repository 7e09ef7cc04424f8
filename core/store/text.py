"""Text that every database takes, how two texts are compared, and text as it is searched."""

import unicodedata


def storable(text: str) -> str:
    """`text` without what PostgreSQL (NUL) and UTF-8 (lone surrogates) cannot hold."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text


def folded(text: str) -> str:
    """`text` as it is compared with another: without letter case, in one Unicode form, without outer space."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def searchable(text: str) -> str:
    """`text` as it is compared when somebody searches: without letter case, ё as е, white space as one space.

    Done here and stored: SQLite lowers Latin letters only, and PostgreSQL what its locale knows.
    """
    return " ".join(storable(text).casefold().replace("ё", "е").split())
