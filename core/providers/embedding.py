"""What is asked of a model that makes embeddings, and the vectors it gives."""

import math
import sys
from array import array
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

Vector: TypeAlias = "array[float]"
"""One embedding: typecode "f" where the provider sent single precision, "d" where it sent decimal numbers."""

EmbeddingInput = str | tuple[int, ...]
"""A text, or its token ids in the model's own vocabulary."""


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Inputs to be turned into vectors, one each; none is empty. `dimensions`: None for the model's own number."""

    model: str
    inputs: tuple[EmbeddingInput, ...]
    dimensions: int | None = None

    @property
    def max_output_tokens(self) -> int:
        """It writes nothing; what limits and budgets reserve is the input alone."""
        return 0


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of the next inputs, in their order; never empty."""

    vectors: tuple[Vector, ...] = field(repr=False)


def vector_of(numbers: Iterable[float] | str) -> Vector:
    """A vector from JSON numbers, or from the base64 of little-endian float32; ValueError when it is none."""
    if isinstance(numbers, str):
        vector = array("f", b64decode(numbers, validate=True))
        if sys.byteorder == "big":
            vector.byteswap()
    else:
        vector = array("d", numbers)
    # A sum is not finite when one of its numbers is not, and takes a tenth of the time of looking at each.
    if not vector or not math.isfinite(sum(vector)):
        raise ValueError("an embedding is empty or not finite")
    return vector


def float32_of(vector: Vector) -> bytes:
    """The vector as little-endian float32, four bytes a dimension."""
    single = vector if vector.typecode == "f" else array("f", vector)
    if sys.byteorder == "big":
        single = array("f", single)
        single.byteswap()
    return single.tobytes()
