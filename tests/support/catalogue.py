"""The translation catalogues held against the code: what the code says, what a catalogue lacks.

What the reference at /api/docs says of a route, its docstring above all, is no call that could be found: it is
gathered by drawing the reference.

`python -m tests.support.catalogue` (`make messages`) brings every catalogue in step with the code: new texts come in
without a translation, texts that are gone go. Languages named as arguments get a catalogue if they have none yet.
"""

import string
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from api.app import create_api
from api.reference_entries import chapters

ROOT = Path(__file__).resolve().parents[2]
LOCALES = ROOT / "core" / "locales"

# Which argument of which call is a text: None is the first, (2, 3) the second with the third as its plural.
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    # tr.plural(…)
    "plural": (1, 2),
    "translate": (2,),
    "translate_plural": (2, 3),
    "AppError": (2,),
}


def source_files() -> list[Path]:
    """The files whose texts a user may read."""
    files = [path for folder in ("api", "core", "pages", "ui") for path in (ROOT / folder).rglob("*.py")]
    return sorted([*files, *ROOT.glob("Home.py")])


def template(files: Iterable[Path], root: Path = ROOT) -> Catalog:
    """A catalogue of every text in `files`, with the files each stands in and no translation."""
    catalogue = Catalog(project="AIHub", charset="utf-8")
    for path in files:
        with path.open("rb") as source:
            for _, message, _, _ in extract("python", source, KEYWORDS, (), {"encoding": "utf-8"}):
                # No line numbers: they would change the catalogue with every edit of the code.
                catalogue.add(message, locations=[(path.relative_to(root).as_posix(), None)])  # type: ignore[list-item]
    return catalogue


def wanted() -> Catalog:
    """A catalogue of every text that a user may read: those in the code, and what the reference of the API shows."""
    catalogue = template(source_files())

    def note(message: str, /, **params: object) -> str:
        if message:
            catalogue.add(message, locations=[("api/reference.py", None)])  # type: ignore[list-item]
        return message.format(**params) if params else message

    chapters(create_api().openapi(), "", note)
    return catalogue


def read(path: Path) -> Catalog:
    """The catalogue at `path`, which is `…/<language>/LC_MESSAGES/aihub.po`."""
    with path.open("rb") as source:
        return read_po(source, locale=path.parts[-3])


def faults(wanted: Catalog, catalogue: Catalog) -> list[str]:
    """What keeps `catalogue` from being a complete translation of `wanted`."""
    found = [f"obsolete: {key!r}" for key in catalogue.obsolete]
    found += [f"not in the code: {m.id!r}" for m in catalogue if m.id and m.id not in wanted]
    for message in wanted:
        if message.id:
            ours = catalogue.get(message.id)
            fault = _fault(message, ours) if ours else "missing"
            found += [f"{fault}: {message.id!r}"] if fault else []
    return found


def _fault(message: Message, ours: Message) -> str:
    texts = _forms(ours.string)
    if ours.fuzzy:
        return "fuzzy"
    if not all(texts):
        return "not translated"
    fields = _fields(_forms(message.id)[-1])
    # One form of a plural may leave its number out ("one message"), but none may ask for another field.
    complete = _fields(texts[0]) == fields or message.pluralizable
    return (
        ""
        if complete and all(_fields(text) <= fields for text in texts)
        else "other {fields} than the source"
    )


def _forms(text: Any) -> list[str]:
    """The one form of a text, or all forms of a plural."""
    return [text] if isinstance(text, str) else list(text or [""])


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def main(new_languages: list[str]) -> None:
    texts = wanted()
    paths = {LOCALES / language / "LC_MESSAGES" / "aihub.po" for language in new_languages}
    for path in sorted(paths.union(LOCALES.glob("*/LC_MESSAGES/aihub.po"))):
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue = read(path) if path.exists() else Catalog(locale=path.parts[-3], charset="utf-8")
        catalogue.update(texts, no_fuzzy_matching=True)
        with path.open("wb") as target:
            write_po(target, catalogue, width=110, ignore_obsolete=True, sort_output=True)
        language = Locale.parse(path.parts[-3]).english_name
        print(f"{language}: {len(faults(texts, catalogue))} texts to translate in {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
