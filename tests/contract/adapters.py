"""All adapters under contract: a new one adds its entry here and nothing to the suites."""

import pytest

from tests.contract.entries.anthropic import ANTHROPIC
from tests.contract.entries.demo import DEMO
from tests.contract.entries.gemini import GEMINI
from tests.contract.entries.gigachat import GIGACHAT
from tests.contract.entries.openai import LOCAL, OPENAI

ALL = (DEMO, GEMINI, OPENAI, LOCAL, ANTHROPIC, GIGACHAT)
ON_THE_WIRE = tuple(adapter for adapter in ALL if adapter.wire is not None)

EMBEDDING = tuple(adapter for adapter in ON_THE_WIRE if adapter.embedding_model)

every_adapter = pytest.mark.parametrize("adapter", ALL, ids=lambda adapter: adapter.name)
on_the_wire = pytest.mark.parametrize("adapter", ON_THE_WIRE, ids=lambda adapter: adapter.name)
that_embeds = pytest.mark.parametrize("adapter", EMBEDDING, ids=lambda adapter: adapter.name)
