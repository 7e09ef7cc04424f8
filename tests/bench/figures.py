"""A measured figure and the one line it prints."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement; `target` is the most it may be (or, with `at_least`, the least), None where nothing
    is promised."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False

    @property
    def shown(self) -> float:
        """The value as it is printed: two decimals, more for what is small."""
        return round(self.value, 2 if abs(self.value) >= 0.1 else 4)

    @property
    def ok(self) -> bool:
        # What is printed is what is judged: a line that says 1.5 of 1.5 cannot also say that it failed.
        if self.target is None:
            return True
        return self.shown >= self.target if self.at_least else self.shown <= self.target

    def line(self) -> str:
        return json.dumps(
            {"name": self.name, "value": self.shown, "unit": self.unit, "target": self.target, "ok": self.ok}
        )


@dataclass(frozen=True, slots=True)
class Bench:
    """Figures that are measured together, `run` in an empty folder of their own."""

    names: tuple[str, ...]
    run: Callable[[Path], Iterator[Figure]]

    def wanted(self, prefixes: list[str]) -> bool:
        """Whether any of its figures begins with one of `prefixes`; no prefixes mean everything."""
        return not prefixes or any(name.startswith(tuple(prefixes)) for name in self.names)


def milliseconds(seconds: list[float]) -> float:
    """The median of some durations."""
    return median(seconds) * 1000


def say(text: str) -> None:
    """Progress, for a person; standard output is for the figures."""
    print(text, file=sys.stderr, flush=True)
