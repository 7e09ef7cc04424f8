"""A request for embeddings, checked before it is sent."""

from collections.abc import Iterable
from dataclasses import replace

from core.errors import AppError, ErrorKind
from core.generation.model_names import clean_model
from core.i18n import N_
from core.providers.embedding import EmbeddingInput, EmbeddingRequest
from core.providers.requests import check_embedding
from core.providers.types import Capability, ProviderInfo
from core.store.text import storable

MOST_INPUTS = 2_048  # of one request, as with OpenAI
MOST_CHARACTERS = 2_000_000  # of all inputs together, a token id counts as one; OpenAI takes 300,000 tokens
MOST_DIMENSIONS = 16_384
MOST_TOKEN_ID = 2**31 - 1


def checked_embedding(request: EmbeddingRequest) -> EmbeddingRequest:
    """`request` as it can be sent; AppError(VALIDATION) with what is wrong."""
    inputs = tuple(storable(each) if isinstance(each, str) else each for each in request.inputs)
    if not inputs or not all(inputs):
        raise AppError(ErrorKind.VALIDATION, N_("An input to embed is empty. Leave it out, or send a text."))
    if len(inputs) > MOST_INPUTS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("One request embeds at most {limit} inputs. Send the others in further requests."),
            limit=MOST_INPUTS,
        )
    if sum(map(len, inputs)) > MOST_CHARACTERS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The inputs have more than {limit} characters together. Send fewer in one request."),
            limit=MOST_CHARACTERS,
        )
    if not all(isinstance(each, str) or _are_token_ids(each) for each in inputs):
        raise AppError(
            ErrorKind.VALIDATION, N_("A token id is a whole number from 0 on. Correct it, or send the text.")
        )
    _check_dimensions(request.dimensions)
    return replace(request, model=clean_model(request.model), inputs=inputs)


def check_able(info: ProviderInfo, request: EmbeddingRequest, others: Iterable[ProviderInfo]) -> None:
    """AppError(VALIDATION) when `info`'s provider cannot make these embeddings, with those of `others` that can."""
    if Capability.EMBEDDINGS not in info.capabilities:
        able = [other.label for other in others if Capability.EMBEDDINGS in other.capabilities]
        raise AppError(
            ErrorKind.VALIDATION,
            N_("{provider} makes no embeddings. Pick a model of one that does: {known}."),
            provider=info.label,
            known=", ".join(able),
        )
    check_embedding(info, request)


def _are_token_ids(found: EmbeddingInput) -> bool:
    return all(isinstance(each, int) and 0 <= each <= MOST_TOKEN_ID for each in found)


def _check_dimensions(value: int | None) -> None:
    if value is not None and not 1 <= value <= MOST_DIMENSIONS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_(
                "The dimensions of an embedding are from 1 to {limit}. Set them in this range, or leave them out."
            ),
            limit=MOST_DIMENSIONS,
        )
