"""/v1/embeddings: vectors of texts, as clients of OpenAI ask for them."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from api.identity import Caller, Hub, needs
from api.openai_front.answer_schemas import ERRORS, HubFacts
from api.openai_front.answers import facts_of, failure_of
from api.openai_front.chat_schemas import LONGEST_NAME
from api.openai_front.chat_stream import awaited
from api.openai_front.model_names import resolve
from api.openai_front.request_body import described, parsed, read
from api.schemas import Answer, Body
from core.accounts.types import Scope
from core.errors import AppError, ErrorKind
from core.generation.types import Outcome
from core.i18n import N_
from core.models.embeddings import MOST_CHARACTERS, MOST_DIMENSIONS, MOST_INPUTS, MOST_TOKEN_ID
from core.providers.embedding import EmbeddingInput, EmbeddingRequest, Vector, float32_of
from core.usage.types import CallStatus, Source

router = APIRouter(prefix="/v1", tags=["openai"], responses=ERRORS, dependencies=[needs(Scope.CHAT)])


def _inputs(value: Any) -> tuple[EmbeddingInput, ...]:
    """The inputs, however they are sent: one as it is, or a list of them."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        each = cast("list[Any]", value)
        if each and _are_whole(each):
            return (tuple(each),)
        if all(isinstance(one, str) for one in each):
            return tuple(each)
        if all(isinstance(one, list) and _are_whole(cast("list[Any]", one)) for one in each):
            return tuple(map(tuple, each))
    raise PydanticCustomError("embedding_input", "neither texts nor token ids")


def _are_whole(values: list[Any]) -> bool:
    return all(type(each) is int for each in values)


# What a document of the API says of an input; `_inputs` and the service check it.
_Text = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
_TokenIds = Annotated[list[Annotated[int, Field(ge=0, le=MOST_TOKEN_ID)]], Field(min_length=1)]
_AsSent = (
    _Text
    | _TokenIds
    | Annotated[list[_Text], Field(min_length=1, max_length=MOST_INPUTS)]
    | Annotated[list[_TokenIds], Field(min_length=1, max_length=MOST_INPUTS)]
)


class EmbeddingsRequest(Body):
    """`input`: a text, texts, or token ids of one or several, which only OpenAI and servers like it can read."""

    model: Annotated[
        str, Field(min_length=1, max_length=LONGEST_NAME, examples=["openai/text-embedding-3-small"])
    ]
    input: Annotated[
        tuple[EmbeddingInput, ...],
        PlainValidator(_inputs, json_schema_input_type=_AsSent),
        Field(examples=["The food was delicious and the waiter was friendly."]),
    ]
    dimensions: Annotated[int, Field(strict=True, ge=1, le=MOST_DIMENSIONS)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = Field(None, description="Changes nothing.")


class Embedding(Answer):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str = Field(description="Numbers, or base64 of little-endian float32.")


class EmbeddingUsage(Answer):
    prompt_tokens: int
    total_tokens: int


class Embeddings(Answer):
    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
    aihub: HubFacts


@router.post("/embeddings", response_model=Embeddings, openapi_extra=described(EmbeddingsRequest))
async def create_embeddings(request: Request, hub: Hub, caller: Caller) -> Response:
    """Turn texts into vectors. The model is `provider/model`, or a name that one provider has."""
    asked = await read(request, lambda body: parsed(EmbeddingsRequest, body))
    user_id = caller.account.id
    model = await resolve(hub, user_id, asked.model)
    wanted = EmbeddingRequest(model.model, asked.input, asked.dimensions)
    generation = await to_thread.run_sync(hub.models.embed, user_id, model.provider, wanted, Source.API)
    outcome = await awaited(request.receive, hub.generation, generation)
    failure = failure_of(outcome)
    if failure is None and outcome.status is not CallStatus.COMPLETED:
        # An answer that is stopped keeps its text; of vectors, some are as good as none.
        failure = AppError(
            ErrorKind.INTERRUPTED, N_("The request was stopped before it was answered. Send it again.")
        )
    if failure is not None:
        raise failure
    as_base64 = asked.encoding_format == "base64"
    # There may be millions of numbers: beside the event loop, a vector at a time, so that others get their turn.
    content = await to_thread.run_sync(lambda: b"".join(_parts(outcome, asked.model, as_base64)))
    return Response(content, media_type="application/json")


def _parts(outcome: Outcome, model: str, as_base64: bool) -> Iterator[bytes]:
    """Embeddings as JSON. `model` is the name that was asked for."""
    usage = EmbeddingUsage(prompt_tokens=outcome.usage.input_tokens, total_tokens=outcome.usage.total_tokens)
    facts = {"model": model, "usage": usage.model_dump(), "aihub": facts_of(outcome).model_dump()}
    yield b'{"object":"list","data":['
    for index, vector in enumerate(outcome.vectors):
        comma = b"," if index else b""
        yield b'%b{"object":"embedding","index":%d,"embedding":%b}' % (
            comma,
            index,
            _written(vector, as_base64),
        )
    yield b"]," + json.dumps(facts).encode()[1:]


def _written(vector: Vector, as_base64: bool) -> bytes:
    if as_base64:
        return b'"%b"' % b64encode(float32_of(vector))
    # Nine digits tell every number of single precision from its neighbours.
    numbers = map("{:.9g}".format, vector) if vector.typecode == "f" else map(repr, vector)
    return f"[{','.join(numbers)}]".encode()
