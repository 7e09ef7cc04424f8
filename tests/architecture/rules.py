"""The house rules that neither ruff nor import-linter can see.

Each rule names itself, says what to do instead, and carries one snippet it refuses and one it accepts, so that
`test_house_rules.py` can show that it bites. A line may step out of a rule with a reason that a reader can judge:

    def render(...):  # house: long-function because the wire format is one table
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from tests.architecture.sources import Source, called_name, eager_imports, imports

SDKS = ("google.genai", "openai", "anthropic", "gigachat")
PAGE_LINES = 150
FILE_LINES = 400  # most files stay under 200
FUNCTION_LINES = 50


@dataclass(frozen=True)
class Rule:
    name: str
    advice: str  # what to do, for whoever breaks it
    applies: Callable[[str], bool]  # to a path
    find: Callable[[Source], Iterable[int]]  # lines that break it
    example: str  # a path it applies to, where the two snippets are tried
    bad: str
    good: str

    def breaches(self, source: Source) -> list[str]:
        """`path:line` of each line that breaks the rule and does not say why."""
        if not self.applies(source.path):
            return []
        found = sorted(set(self.find(source)))
        return [f"{source.path}:{line}" for line in found if not source.escapes(self.name, line)]


# --- where ---


def below(*folders: str) -> Callable[[str], bool]:
    return lambda path: path.startswith(folders)


def shipped(path: str) -> bool:
    """What users run: everything but the tests."""
    return not path.startswith("tests/")


def own_code(path: str) -> bool:
    """Shipped and written by hand: migrations are lists of statements, as long as they need to be."""
    return shipped(path) and "/migrations/" not in path


def a_page(path: str) -> bool:
    return path.startswith("pages/") and not PurePosixPath(path).name.startswith("_")


def outside_the_rooms_with_tables(path: str) -> bool:
    """Core, but for the store and the rooms that own tables; their types.py crosses the door, so it counts too."""
    rooms = (
        "accounts",
        "categories",
        "chat",
        "generation",
        "models",
        "pricing",
        "prompts",
        "spreadsheets",
        "store",
        "usage",
    )
    parts = PurePosixPath(path).parts
    wiring = path == "core/services.py"  # hands the engine to the rooms
    return parts[0] == "core" and not wiring and (parts[1] not in rooms or parts[-1] == "types.py")


# --- what ---


def importing(*modules: str) -> Callable[[Source], Iterator[int]]:
    return lambda source: _of(imports(source.tree), modules)


def importing_eagerly(*modules: str) -> Callable[[Source], Iterator[int]]:
    return lambda source: _of(eager_imports(source.tree), modules)


def _of(found: Iterable[tuple[int, str]], modules: tuple[str, ...]) -> Iterator[int]:
    return (line for line, name in found if any(name == m or name.startswith(f"{m}.") for m in modules))


def calling(*endings: str) -> Callable[[Source], Iterator[int]]:
    """Calls by dotted name; an ending that starts with a dot matches the method of anything."""

    def find(source: Source) -> Iterator[int]:
        for node in ast.walk(source.tree):
            name = called_name(node)
            if any(name == end or (end.startswith(".") and name.endswith(end)) for end in endings):
                yield node.lineno  # type: ignore[attr-defined]  # a Call has one

    return find


def translating_in_f_strings(source: Source) -> Iterator[int]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.JoinedStr):
            inner = (called_name(part) for part in ast.walk(node))
            if {"_", "N_", "ngettext"} & set(inner):
                yield node.lineno


def touching(*attributes: str) -> Callable[[Source], Iterator[int]]:
    """`x.attribute`, and `from x import attribute`."""

    def find(source: Source) -> Iterator[int]:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and node.attr in attributes:
                yield node.lineno
        for line, name in imports(source.tree):
            if name.rpartition(".")[2] in attributes:
                yield line

    return find


def unsafe_html(source: Source) -> Iterator[int]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.keyword) and (node.arg or "").startswith("unsafe_allow_"):
            yield node.lineno


def longer_than(limit: int) -> Callable[[Source], list[int]]:
    return lambda source: [1] if len(source.lines) > limit else []


def long_functions(source: Source) -> Iterator[int]:
    for node in ast.walk(source.tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES:
            yield node.lineno


def without_door(source: Source) -> list[int]:
    imported = any(name == "ui.door" for _, name in imports(source.tree))
    entered = any(called_name(node) in ("enter", "door.enter") for node in ast.walk(source.tree))
    return [] if imported and entered else [1]


def scope_of_all(source: Source) -> Iterator[int]:
    """A `Selection` of anything but `scope_of(…)`, and None as the first argument, or the scope, of a call."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        name = called_name(node)
        scopes = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "scope")]
        if name.rpartition(".")[2] == "Selection":
            known = [called_name(scope).rpartition(".")[2] == "scope_of" for scope in scopes]
        elif name.startswith(("services.", "hub.", "viewer.services.")):
            known = [not any(_is_none(part) for part in ast.walk(scope)) for scope in scopes[:1]]
        else:
            continue
        if not all(known):
            yield node.lineno


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def vague_name(source: Source) -> list[int]:
    vague = ("common", "helper", "helpers", "manager", "misc", "util", "utils")
    return [1] if PurePosixPath(source.path).stem in vague else []


_LONG_FUNCTION = "def f():\n" + "    x = 1\n" * FUNCTION_LINES
_LONG_FUNCTION_WITH_REASON = _LONG_FUNCTION.replace(
    "def f():", "def f():  # house: long-function because one table"
)

RULES = [
    Rule(
        "session-state",
        "st.session_state has one owner: ask ui/session.py for the value, or give it a name there.",
        lambda path: shipped(path) and not path.startswith("ui/"),
        touching("session_state"),
        example="pages/chat.py",
        bad="import streamlit as st\nst.session_state['thread'] = 1",
        good="from ui.session import select_thread\nselect_thread(1)",
    ),
    Rule(
        "commit",
        "Only the unit of work commits: do the writes inside `with unit_of_work()` and let it end the transaction.",
        lambda path: shipped(path) and path != "core/store/unit_of_work.py",
        calling(".commit"),
        example="core/chat/service.py",
        bad="def save(session):\n    session.commit()",
        good="def save(work):\n    work.session.add(1)",
    ),
    Rule(
        "pickle",
        "A pickle runs code when it is read: store JSON, or columns.",
        lambda path: True,
        importing("pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"),
        example="core/generation/cache.py",
        bad="from pickle import loads",
        good="import json",
    ),
    Rule(
        "plotly-express",
        "plotly.express costs 30 ms a figure: build the figure as a dict in ui/charts.py (2 ms).",
        shipped,
        importing("plotly.express", "plotly.figure_factory"),
        example="ui/charts.py",
        bad="from plotly import express as px",
        good="import plotly.graph_objects as go",
    ),
    Rule(
        "sql-outside-core",
        "Pages, ui and api speak no SQL: add a verb to the feature's service and call that.",
        below("pages/", "ui/", "api/"),
        importing("sqlalchemy", "alembic", "psycopg", "sqlite3"),
        example="pages/usage.py",
        bad="def rows():\n    from sqlalchemy import select",
        good="from core.usage.service import UsageService",
    ),
    Rule(
        "sql-in-its-room",
        "SQL lives in core/store and beside the tables it reads: give that room's service a verb and call it.",
        outside_the_rooms_with_tables,
        importing("sqlalchemy", "alembic", "psycopg"),
        example="core/providers/registry.py",
        bad="from sqlalchemy import select",
        good="from core.usage.ledger import record",
    ),
    Rule(
        "unsafe-html",
        "Raw HTML from a model or a user runs in the reader's browser: use Markdown, st.badge or a component.",
        shipped,
        unsafe_html,
        example="pages/chat.py",
        bad="import streamlit as st\nst.markdown(text, unsafe_allow_html=True)",
        good="import streamlit as st\nst.markdown(text)",
    ),
    Rule(
        "framework-in-core",
        "core serves pages and API alike and knows neither framework: pass in plain values, hand back dataclasses.",
        below("core/"),
        importing("streamlit", "fastapi", "starlette"),
        example="core/chat/service.py",
        bad="def f():\n    import streamlit as st",
        good="from dataclasses import dataclass",
    ),
    Rule(
        "lazy-sdk",
        "An SDK costs up to 0.3 s at start: import it inside the function that needs it, "
        "or under `if TYPE_CHECKING:` for its types.",
        shipped,
        importing_eagerly(*SDKS, "genai_prices"),
        example="core/providers/gemini.py",
        bad="try:\n    from google import genai\nexcept ImportError:\n    pass",
        good="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import openai\n"
        "def client():\n    from google import genai\n    return genai",
    ),
    Rule(
        "sdk-in-adapter",
        "A provider's SDK is known to its adapter in core/providers only: speak to it through the Provider protocol.",
        lambda path: shipped(path) and not path.startswith("core/providers/"),
        importing(*SDKS),
        example="core/generation/engine.py",
        bad="def f():\n    import openai",
        good="from core.providers.types import Provider",
    ),
    Rule(
        "sleep-in-tests",
        "A sleep is too short on a busy machine and too long on all others: wait for a condition with a deadline.",
        below("tests/"),
        lambda source: [*calling("time.sleep")(source), *importing("time.sleep")(source)],
        example="tests/unit/test_stop.py",
        bad="import time\ntime.sleep(1)",
        good="import time\ndeadline = time.monotonic() + 5",
    ),
    Rule(
        "text-in-f-string",
        "The catalogue's extractor does not look into f-strings: translate first, then put the result in.",
        shipped,
        translating_in_f_strings,
        example="ui/components/welcome.py",
        bad="title = f'# {_(\"Chat\")}'",
        good="name = _('Chat')\ntitle = f'# {name}'",
    ),
    Rule(
        "print",
        "Nobody reads a server's stdout: use `logging`, or show it on the page.",
        below("core/", "ui/", "api/", "pages/"),
        calling("print"),
        example="core/chat/service.py",
        bad="print('here')",
        good="import logging\nlogging.getLogger(__name__).info('here')",
    ),
    Rule(
        "door",
        "A deep link runs a page without Home.py: `from ui.door import enter` and call `enter()` first, "
        "or the page opens without sign-in.",
        a_page,
        without_door,
        example="pages/chat.py",
        bad="import streamlit as st\nst.title('Chat')",
        good="from ui.door import enter\nenter()",
    ),
    Rule(
        "scope-of-all",
        "The calls of all users are for administrators: get the scope from `core.rights.scope_of`, which asks.",
        below("pages/", "ui/", "api/"),
        scope_of_all,
        example="pages/usage.py",
        bad="def f(services, user):\n    return services.explore.values(None if user.is_admin else user.id)",
        good="from core.rights import scope_of\ndef f(services, user):\n"
        "    return services.explore.values(scope_of(user, everyone=True))",
    ),
    Rule(
        "money-as-float",
        "Money is an exact integer of nano-units: compute with int or Decimal. For a ratio divide two ints.",
        below("core/pricing/", "core/usage/"),
        calling("float"),
        example="core/pricing/cost.py",
        bad="cost = float(price) * 3",
        good="from decimal import Decimal\ncost = Decimal('0.1') * 3",
    ),
    Rule(
        "vague-name",
        "Name the file after what is in it, in the field's words; `utils` and its like say nothing.",
        lambda path: True,
        vague_name,
        example="core/utils.py",
        bad="x = 1",
        good="# house: vague-name because the name is fixed by a framework",
    ),
    Rule(
        "long-page",
        f"A page stays under {PAGE_LINES} lines: move drawing to ui/components, work to a service.",
        a_page,
        longer_than(PAGE_LINES - 1),
        example="pages/chat.py",
        bad="x = 1\n" * PAGE_LINES,
        good="x = 1\n" * (PAGE_LINES - 1),
    ),
    Rule(
        "long-file",
        f"A file stays under {FILE_LINES} lines, most under 200: split it along what it is about.",
        own_code,
        longer_than(FILE_LINES - 1),
        example="core/usage/service.py",
        bad="x = 1\n" * FILE_LINES,
        good="x = 1\n" * (FILE_LINES - 1),
    ),
    Rule(
        "long-function",
        f"A function fits on one screen ({FUNCTION_LINES} lines): give its parts names.",
        own_code,
        long_functions,
        example="core/usage/service.py",
        bad=_LONG_FUNCTION,
        good=_LONG_FUNCTION_WITH_REASON,
    ),
]


def cache_owners(sources: Iterable[Source]) -> list[str]:
    """Paths of the shipped files that use `st.cache_data` or `st.cache_resource`."""
    find = touching("cache_data", "cache_resource")
    return [source.path for source in sources if shipped(source.path) and any(find(source))]
