"""Every text of the code is translated into every language AIHub speaks, and nothing else is kept."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from core.i18n import DEFAULT_LANGUAGE, LANGUAGES
from tests.support.catalogue import LOCALES, faults, read, source_files, template, wanted

TRANSLATED = [language for language in LANGUAGES if language != DEFAULT_LANGUAGE]


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogue_is_complete(language: str) -> None:
    path = LOCALES / language / "LC_MESSAGES" / "aihub.po"
    assert path.exists(), (
        f"core.i18n.LANGUAGES has {language!r}: create {path} (see CONTRIBUTING, Translations)"
    )
    found = faults(wanted(), read(path))
    assert not found, f"run `make messages`, then translate in {path}:\n  " + "\n  ".join(found)


def test_every_catalogue_is_offered() -> None:
    kept = {path.parts[-3] for path in LOCALES.glob("*/LC_MESSAGES/aihub.po")}
    assert kept <= set(TRANSLATED), f"add to core.i18n.LANGUAGES, or delete: {kept - set(TRANSLATED)}"


CODE = """
_("Models")
N_("Usage")
translate_plural(language, "one message", "{count} messages", n)
raise AppError(ErrorKind.NO_KEY, "No key for {provider}", provider=name)
translate(language, variable)
viewer.tr.plural("one file", "{count} files", n)
"""
GOOD = """
msgid "Models"
msgstr "Модели"
msgid "Usage"
msgstr "Расход"
msgid "one message"
msgid_plural "{count} messages"
msgstr[0] "{count} сообщение"
msgstr[1] "{count} сообщения"
msgstr[2] "{count} сообщений"
msgid "No key for {provider}"
msgstr "Нет ключа для {provider}"
msgid "one file"
msgid_plural "{count} files"
msgstr[0] "{count} файл"
msgstr[1] "{count} файла"
msgstr[2] "{count} файлов"
"""


def found_in(po: str, folder: Path) -> list[str]:
    code = folder / "page.py"
    code.write_text(CODE)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    return faults(template([code], folder), read_po(BytesIO((header + po).encode()), locale="ru"))


def test_a_complete_catalogue_has_no_fault(tmp_path: Path) -> None:
    assert found_in(GOOD, tmp_path) == []


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ('msgid "Models"\nmsgstr "Модели"', "", "missing: 'Models'"),
        ('msgstr "Расход"', 'msgstr ""', "not translated: 'Usage'"),
        ("{count} файлов", "", "not translated: ('one file', '{count} files')"),
        ("{count} сообщений", "", "not translated: ('one message', '{count} messages')"),
        ('msgid "Usage"', '#, fuzzy\nmsgid "Usage"', "fuzzy: 'Usage'"),
        ('msgid "Usage"', 'msgid "Old"\nmsgstr "Старое"\nmsgid "Usage"', "not in the code: 'Old'"),
        ('msgid "Usage"', '#~ msgid "Old"\n#~ msgstr "Старое"\nmsgid "Usage"', "obsolete: 'Old'"),
        (" для {provider}", "", "other {fields} than the source: 'No key for {provider}'"),
        ("для {provider}", "для {name}", "other {fields} than the source: 'No key for {provider}'"),
    ],
)
def test_a_fault_is_found(right: str, wrong: str, fault: str, tmp_path: Path) -> None:
    assert right in GOOD
    assert found_in(GOOD.replace(right, wrong), tmp_path) == [fault]


def test_every_text_is_where_the_catalogue_finds_it() -> None:
    hidden = [
        f"{path}: {line.strip()}"
        for path in source_files()
        for line in path.read_text("utf-8").splitlines()
        if "tr.text(" in line and re.search(r"tr\.text\(f?[\"']", line)
    ]
    assert not hidden, "write `_ = viewer.tr.text` and `_(…)`:\n  " + "\n  ".join(hidden)
