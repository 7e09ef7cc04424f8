"""Where somebody goes after signing in: to a page of this hub, and nowhere else."""

from urllib.parse import urlsplit

HOME = "/"
_LONGEST = 2_000
_OWN_PAGES = ("/sign-in", "/sign-up", "/sign-out")


def safe_path(wanted: str | None) -> str:
    """`wanted` when it is an absolute path of this host with its query, and HOME for anything else."""
    if not wanted or len(wanted) > _LONGEST or not wanted.startswith("/"):
        return HOME
    # A browser reads `//host` and `/\host` as another host, and drops tabs and line breaks before it looks.
    if wanted.startswith("//") or "\\" in wanted or not wanted.isascii() or not wanted.isprintable():
        return HOME
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return HOME
    if parts.scheme or parts.netloc or parts.path.rstrip("/") in _OWN_PAGES:
        return HOME
    return wanted
