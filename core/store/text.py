"""Text that every database takes."""


def storable(text: str) -> str:
    """`text` without what PostgreSQL (NUL) and UTF-8 (lone surrogates) cannot hold."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text
