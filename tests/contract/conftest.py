"""The fake server of the adapter under contract."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.adapter import Adapter


@pytest.fixture
def server(adapter: Adapter) -> Iterator[Any]:
    """A running FakeServer; None for the demo, which needs none."""
    with adapter.serve() as running:
        yield running
