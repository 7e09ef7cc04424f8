"""Vectors as they cross the wire, and what OpenAI's protocol leaves open. The rest is in tests/contract."""

import asyncio
import struct
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from core.pricing.service import PriceBook
from core.providers.embedding import EmbeddingRequest, Vector, float32_of, vector_of
from core.providers.openai_compatible import OpenAICompatibleProvider
from core.providers.types import TokenUsage, UsageReport
from tests.contract.adapter import embedded, vectors_of
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.script import Script

TENTH = struct.unpack("<f", struct.pack("<f", 0.1))[0]


def packed(*numbers: float) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def test_numbers_are_kept_as_they_came() -> None:
    assert list(vector_of([0.1, -2, 3e-300])) == [0.1, -2.0, 3e-300]
    assert list(vector_of(packed(0.1, -2.0))) == [TENTH, -2.0]


@pytest.mark.parametrize("vector", [vector_of([0.1, -2]), vector_of(packed(0.1, -2.0))], ids=["d", "f"])
def test_single_precision_is_little_endian(vector: Vector) -> None:
    assert float32_of(vector) == struct.pack("<2f", 0.1, -2.0)


@pytest.mark.parametrize(
    "found",
    [[], "", "####", "AAA=", packed(float("nan")), [1.0, float("inf")], [float("inf"), float("-inf")]],
    ids=["no numbers", "no text", "no base64", "half a number", "NaN", "infinite", "both"],
)
def test_what_is_no_vector_is_a_value_error(found: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64's own sentences differ
        vector_of(found)


@pytest.mark.parametrize("found", [["a"], [None], [[0.5]], [True, "x"]])
def test_what_are_no_numbers_is_a_type_error(found: Any) -> None:
    with pytest.raises(TypeError):
        vector_of(found)


def answers(server: OpenAIServer, times: int = 1) -> list[list[Any]]:
    async def run() -> list[list[Any]]:
        provider = OpenAICompatibleProvider("local", "Local", None, server.url)
        try:
            request = EmbeddingRequest("local-embed", ("one", "two words"))
            return [await embedded(provider, request) for _ in range(times)]
        finally:
            await provider.aclose()

    return asyncio.run(run())


@pytest.mark.parametrize("base64", ["ignore", "refuse"])
def test_servers_that_know_no_base64_send_numbers(base64: Literal["ignore", "refuse"]) -> None:
    with OpenAIServer(base64=base64) as server, OpenAIServer() as usual:
        found = [vectors_of(events) for events in answers(server, 2)]
        assert found == [vectors_of(answers(usual)[0])] * 2
    formats = [request.body["encoding_format"] for request in server.asked]
    # Who refused it once is not asked for it again.
    assert formats == (["base64", "float", "float"] if base64 == "refuse" else ["base64", "base64"])


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 0, "total_tokens": 0}, {"prompt_tokens": None}])
def test_usage_that_says_nothing_is_no_report(usage: Any) -> None:
    with OpenAIServer(Script(usage=usage)) as server:
        (events,) = answers(server)
    assert not [event for event in events if isinstance(event, UsageReport)]
    assert len(vectors_of(events)) == 2


@pytest.mark.parametrize(
    ("provider", "model", "nano"),
    [
        ("openai", "text-embedding-3-small", 20),
        ("openai", "text-embedding-3-large", 130),
        ("openai", "text-embedding-ada-002", 100),
        ("gemini", "gemini-embedding-001", 150),
        ("gemini", "gemini-embedding-2", 200),
    ],
)
def test_a_model_priced_by_its_input_alone_is_priced(provider: str, model: str, nano: int) -> None:
    cost = PriceBook().cost_at(provider, model, TokenUsage(input_tokens=7), datetime.now(UTC))
    assert cost.amount is not None
    assert (cost.amount.nano, cost.amount.currency) == (7 * nano, "USD")
    entry = PriceBook().entry(provider, model)
    assert entry.price is not None
    assert entry.price.output_nano == 0
