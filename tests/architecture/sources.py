"""The project's Python files as the house rules see them: a path, its lines and its syntax tree."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("api", "core", "pages", "ui", "tests")


@dataclass(frozen=True)
class Source:
    path: str  # from the project's root, with forward slashes
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def escapes(self, rule: str, line: int) -> bool:
        """Whether the line says `# house: <rule> because <reason>`."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return re.search(rf"# house: {re.escape(rule)} because \S", text) is not None


def project_sources() -> Iterator[Source]:
    """Every Python file of the project, tests included."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    for path in sorted([*files, ROOT / "Home.py"]):
        if path.exists():
            yield Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import below `node`; `from a import b` is both `a` and `a.b`."""
    for child in ast.walk(node):
        yield from _imported(child)


def eager_imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The imports that run when the module is imported: not those in functions or under TYPE_CHECKING."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for other in child.orelse:
                yield from _imported(other)
                yield from eager_imports(other)
            continue
        yield from _imported(child)
        yield from eager_imports(child)


def _imported(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield node.lineno, alias.name
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.lineno, node.module
        for alias in node.names:
            yield node.lineno, f"{node.module}.{alias.name}"


def called_name(node: ast.AST) -> str:
    """Dotted name of what a call calls, such as `st.rerun`; empty for anything else."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""
