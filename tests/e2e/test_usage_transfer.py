"""A file through a real browser: chosen, looked at, imported, and undone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium, visitor
from tests.support.import_files import plain, saved
from tests.support.server import running_hub

pytestmark = pytest.mark.browser
WAIT = 20_000


@pytest.fixture(scope="module")
def hub(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    with running_hub(tmp_path_factory.mktemp("hub")) as base, chromium(chromium_path) as browser:
        yield browser, base


@pytest.fixture
def page(hub: tuple[Browser, str]) -> Iterator[Page]:
    with visitor(*hub) as page:
        page.goto("/usage?section=transfer")
        yield page


def test_a_file_is_imported_and_undone(page: Page, tmp_path: Path) -> None:
    file = saved(tmp_path, plain("2026-11-01,openai,gpt-4o,10,5,0.5", "2026-11-02,openai,gpt-4o,10,5,0.25"))
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(file)
    page.locator(".st-key-import-start button").click(timeout=WAIT)
    line = page.locator(".st-key-import-list")
    expect(line).to_contain_text("2 calls", timeout=WAIT)
    expect(line).to_contain_text("$0.75")
    line.get_by_role("button", name="Undo import").click()
    page.locator(".st-key-confirm-delete button").click(timeout=WAIT)
    expect(line).to_contain_text("undone", timeout=WAIT)
    expect(page.locator("[class*=st-key-import-undo]")).to_have_count(0)
    expect(page.get_by_text("were imported")).to_have_count(0)


def test_a_file_as_large_as_the_page_says_reaches_it(page: Page, tmp_path: Path) -> None:
    """The server has a limit of its own, which has to let the page's files through."""
    wide = "x" * 1_000_000
    lines = (f"2026-11-01 12:00,openai,gpt-4o,{row},5,0.5,{wide}" for row in range(60))
    header = "time,provider,model,input_tokens,output_tokens,cost,notes"
    file = saved(tmp_path, plain(*lines, header=header))
    assert file.stat().st_size > 60_000_000
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(file)
    expect(page.locator(".st-key-import-start button")).to_contain_text("60 calls", timeout=3 * WAIT)
