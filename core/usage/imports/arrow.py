"""PyArrow and NumPy, imported on first use: together a tenth of a second at start, and they carry no types."""

from functools import lru_cache
from importlib import import_module
from typing import Any


@lru_cache
def pa() -> Any:
    return import_module("pyarrow")


@lru_cache
def pc() -> Any:
    return import_module("pyarrow.compute")


@lru_cache
def pq() -> Any:
    return import_module("pyarrow.parquet")


@lru_cache
def np() -> Any:
    return import_module("numpy")


Array = Any
"""A column of text, or its values, of one chunk of a file."""
