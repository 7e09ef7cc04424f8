"""Streamlit ignores what it does not know: every option is held against the installed version."""

import tomllib
from pathlib import Path
from typing import Any

from streamlit.config import get_config_options

ROOT = Path(__file__).resolve().parents[2]
CONFIG: dict[str, Any] = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


def options(table: dict[str, Any], section: str = "") -> list[str]:
    """Dotted names of all options in a table."""
    names: list[str] = []
    for key, value in table.items():
        name = f"{section}{key}"
        names += options(value, f"{name}.") if isinstance(value, dict) else [name]
    return names


def test_every_option_is_known() -> None:
    unknown = set(options(CONFIG)) - get_config_options().keys()
    assert not unknown, f"this Streamlit has no such options: {unknown}"


def test_fonts_are_our_own_files() -> None:
    faces = CONFIG["theme"]["fontFaces"]
    named = {ROOT / face["url"].removeprefix("app/") for face in faces}
    kept = set((ROOT / "static" / "fonts").glob("*.woff2"))
    assert named == kept


def test_nothing_is_asked_of_another_host() -> None:
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert "://" not in (ROOT / ".streamlit" / "config.toml").read_text()
