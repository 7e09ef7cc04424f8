"""What a file is: by its first bytes where they tell, else by the end of its name."""

from core.providers.content import MediaKind

# Documents and images: what is inside decides, whatever the name says.
_BY_SUFFIX_INSIDE = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "pdf": "application/pdf",
}
_MEDIA = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "m4a": "audio/m4a",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
}
_TEXT = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "html": "text/html",
    "htm": "text/html",
    "css": "text/css",
    "xml": "text/xml",
    # Providers take text by its family: `text/…` goes to all of them, application/json to none.
    **dict.fromkeys(
        (
            *("txt", "text", "log", "json", "jsonl", "ndjson", "yaml", "yml", "toml", "ini", "cfg", "conf"),
            *("env", "properties", "rst", "tex", "svg", "srt", "vtt", "diff", "patch", "sql", "graphql"),
            *("py", "ipynb", "js", "mjs", "ts", "tsx", "jsx", "java", "kt", "c", "h", "cpp", "hpp", "cs"),
            *("go", "rs", "rb", "php", "pl", "lua", "r", "swift", "scala", "sh", "bash", "ps1", "bat", "vue"),
        ),
        "text/plain",
    ),
}
# What other programs call them.
_ALIASES = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/mp4": "audio/m4a",
    "audio/x-m4a": "audio/m4a",
    "video/mov": "video/quicktime",
    "application/json": "text/plain",
    "application/xml": "text/xml",
}
_KNOWN = frozenset(_MEDIA.values()) | frozenset(_BY_SUFFIX_INSIDE.values())
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def type_of(name: str, declared: str, data: bytes) -> str | None:
    """The MIME type of a file; None for one that no model reads.

    The end of the name decides where the bytes do not, and `declared` for a file whose name has none that is
    known. A file that only says it is an image or a PDF is none.
    """
    if inside := _sniffed(data):
        return inside
    suffix = suffix_of(name)
    # Readers of PDF allow for some bytes before its mark.
    if suffix == "pdf" and b"%PDF-" in data[:1024]:
        return "application/pdf"
    if suffix in _BY_SUFFIX_INSIDE:
        return None
    if by_suffix := _MEDIA.get(suffix) or _TEXT.get(suffix):
        return by_suffix
    if suffix:
        return None
    declared = declared.partition(";")[0].strip().lower()
    declared = _ALIASES.get(declared, declared)
    if declared in _BY_SUFFIX_INSIDE.values():
        return None
    return declared if declared in _KNOWN or declared.startswith("text/") else None


def suffix_of(name: str) -> str:
    """`csv` of `Report.CSV`; nothing for a name without a dot in it."""
    return name.rpartition(".")[2].lower() if "." in name.strip(".") else ""


def is_text(mime_type: str) -> bool:
    """Whether the file joins a message as text."""
    return mime_type.startswith("text/")


def readable_text(data: bytes) -> bytes | None:
    """A text file as UTF-8; None when it is not text in UTF-8, or in UTF-16 with its mark."""
    encoding = "utf-16" if data.startswith(UTF16_MARKS) else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    if "\x00" in text:
        return None
    return data if encoding == "utf-8" else text.encode("utf-8", "replace")


def kind_of(mime_type: str) -> MediaKind | None:
    """What the file is to a model."""
    if mime_type == "application/pdf":
        return MediaKind.DOCUMENT
    family = mime_type.partition("/")[0]
    return MediaKind(family) if family in {kind.value for kind in MediaKind} else None


def _sniffed(data: bytes) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "application/pdf" if data.startswith(b"%PDF-") else None
