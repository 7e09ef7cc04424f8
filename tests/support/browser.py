"""A real Chromium that notes every request to another host."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

# Without these Chromium talks to its maker's servers at every start.
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# How long a page may take to show what is expected: two browsers and two servers may share two busy cores.
expect.set_options(timeout=20_000)
_OWN_SCHEMES = {"data", "blob", "about"}


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visitor(
    browser: Browser,
    base: str,
    width: int = 1280,
    height: int = 860,
    theme: str = "light",
    locale: str = "en-US",
) -> Iterator[Page]:
    """A new visitor's tab. On leaving, fails if the page asked another host for anything."""
    context = browser.new_context(
        base_url=base,
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        locale=locale,
        timezone_id="UTC",
    )
    foreign: list[str] = []
    own = urlsplit(base).netloc

    def note(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _OWN_SCHEMES and parts.netloc != own:
            foreign.append(url)

    context.on("request", lambda request: note(request.url))
    page = context.new_page()
    page.on("websocket", lambda socket: note(socket.url))
    yield page
    context.close()
    assert not foreign, f"the page asked another host: {foreign}"
