"""Import and export on the usage page, drawn by Streamlit's own test runner on a real ledger."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import services
from core.config import PROJECT_DIR, Settings
from core.services import Services, open_services
from core.usage.exports.jobs import ExportStep
from core.usage.imports import undoing
from core.usage.imports.types import Step
from tests.support.import_files import plain
from tests.support.store import call

USER = 1


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    opened = open_services(Settings(data_dir=tmp_path))
    monkeypatch.setattr(services, "_current", opened)
    yield opened
    opened.close()


def page(locale: str = "en-US") -> AppTest:
    app = AppTest.from_file(str(PROJECT_DIR / "pages" / "usage.py"), default_timeout=20)
    app.context["locale"] = locale
    app.query_params["section"] = "transfer"
    return app.run()


def upload(app: AppTest, hub: Services, content: str) -> AppTest:
    app.file_uploader[0].set_value(("usage.csv", content.encode(), "text/csv")).run()
    hub.import_jobs.wait(USER)
    return app.run()


def keys(app: AppTest) -> set[str]:
    return {button.key or "" for button in app.button}


def shown(app: AppTest) -> str:
    texts = [*app.markdown, *app.caption, *app.error, *app.info, *app.success]
    return "\n".join(text.value for text in texts)


def test_a_file_is_previewed_imported_and_undone(hub: Services) -> None:
    app = page()
    assert "Usage exports of OpenAI" in shown(app)
    upload(app, hub, plain("2026-11-01,openai,gpt-4o,10,5,0.5", "never,openai,gpt-4o,10,5,0.5"))
    assert not hub.usage.has_calls(USER)
    assert "1 row will be skipped" in shown(app)
    assert app.button(key="import-start").label == "Import 1 call"

    app.button(key="import-start").click().run()
    hub.import_jobs.wait(USER)
    app.run()
    assert "1 call of usage" in shown(app)
    assert hub.usage.has_calls(USER) is True

    (info,) = hub.imports.imports(USER)
    app.button(key=f"import-undo-{info.id}").click().run()
    assert "1 call of usage" in shown(app).replace("\\", "")
    hub.imports.undo(USER, info.id)
    app.run()
    assert "undone" in shown(app)
    assert f"import-undo-{info.id}" not in keys(app)
    assert not app.exception


def test_an_undo_that_was_cut_off_says_so_and_goes_on(hub: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page()
    lines = [f"2026-11-0{day},openai,gpt-4o,10,5,0.5" for day in (1, 2, 3)]
    upload(app, hub, plain(*lines)).button(key="import-start").click().run()
    hub.import_jobs.wait(USER)
    (info,) = hub.imports.imports(USER)
    monkeypatch.setattr(undoing, "STEP", 1)
    half = undoing.Undoing(hub.unit, hub.ledger)
    half.close()
    assert half.undo(USER, info.id) == 1

    app.run()
    assert "2 calls of it still count" in shown(app)
    assert "undone" not in shown(app)
    app.button(key=f"import-undo-{info.id}").click().run()
    hub.imports.undoing.wait(info.id)
    app.run()
    assert not hub.usage.has_calls(USER)
    assert "undone" in shown(app)
    assert f"import-undo-{info.id}" not in keys(app)
    assert not app.exception


def test_what_a_file_leaves_open_is_asked(hub: Services) -> None:
    app = page()
    upload(app, hub, plain("03/04/2026,openai,gpt-4o,10,5,0.5"))
    assert "can be read in two ways" in app.error[0].value
    app.selectbox(key="import-option-order").set_value("day_first")
    next(button for button in app.button if button.label == "Read again").click().run()
    hub.import_jobs.wait(USER)
    app.run()
    assert "Apr 3, 2026" in shown(app).replace("\\", "")
    assert not app.error


def test_a_file_of_another_kind_is_refused_in_words(hub: Services) -> None:
    app = page()
    upload(app, hub, "%PDF-1.7")
    assert "another kind" in app.error[0].value
    assert "import-start" not in keys(app)
    app.button(key="import-another").click().run()
    assert app.file_uploader
    assert not app.exception


def test_nothing_new_cannot_be_imported(hub: Services) -> None:
    content = plain("2026-11-01,openai,gpt-4o,10,5,0.5")
    app = page()
    upload(app, hub, content)
    app.button(key="import-start").click().run()
    hub.import_jobs.wait(USER)
    app.run().button(key="import-another").click().run()
    upload(app, hub, content)
    assert "there is nothing to add" in app.info[0].value
    assert "import-start" not in keys(app)


def test_an_export_is_prepared_and_offered(hub: Services) -> None:
    with hub.unit.write() as session:
        hub.ledger.record(session, call(occurred_at=datetime.now(UTC)))
    app = page()
    app.button(key="export-start").click().run()
    state = hub.export_jobs.wait(USER)
    app.run()
    assert state is not None
    assert state.step is ExportStep.READY
    assert state.path is not None
    (row,) = csv.DictReader(state.path.read_text("utf-8-sig").splitlines())
    assert (row["user_id"], row["user"]) == (str(USER), "local")
    assert app.get("download_button")[-1].proto.label == "Download"
    assert not app.exception


def test_an_export_of_this_hub_is_not_imported_without_a_warning(hub: Services) -> None:
    with hub.unit.write() as session:
        hub.ledger.record(session, call(occurred_at=datetime.now(UTC)))
    today = datetime.now(UTC).date()
    exported = b"".join(hub.exports.calls_csv(USER, today - timedelta(1), today))
    hub.import_jobs.upload(USER, "calls.csv", iter([exported]))
    hub.import_jobs.wait(USER)
    assert "would count twice" in page().warning[0].value


def test_an_export_of_nothing_says_so(hub: Services) -> None:
    app = page()
    app.button(key="export-start").click().run()
    hub.export_jobs.wait(USER)
    app.run()
    assert "no calls to export" in app.error[0].value


def test_the_part_speaks_russian(hub: Services) -> None:
    app = page("ru-RU")
    assert [subheader.value for subheader in app.subheader] == ["Импорт", "Экспорт"]
    upload(app, hub, plain("2026-11-01,openai,gpt-4o,10,5,0.5"))
    assert app.button(key="import-start").label == "Импортировать 1 вызов"
    state = hub.import_jobs.state(USER)
    assert state is not None
    assert state.step is Step.READY
    assert not app.exception
