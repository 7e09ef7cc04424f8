"""What clients of OpenAI's chat completions send, as far as it changes an answer."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from api.schemas import Body
from core.generation.sampling import HOTTEST, MOST_TOKENS
from core.models.options import MOST_STOP_SEQUENCES

MOST_MESSAGES = 2_000
MOST_PARTS = 1_000  # of a message
MOST_TOOLS = 128
LONGEST_NAME = 300  # a provider's id and a model's name


def _as_parts(value: Any) -> Any:
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_address(value: Any) -> Any:
    # Older clients write the address itself where the object with it belongs.
    return {"url": value} if isinstance(value, str) else value


def _finite(value: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        # What the parser takes and JSON does not have: NaN, and numbers too large to be any.
        raise PydanticCustomError("finite_number", "a number is not finite") from None
    return value


Flag = Annotated[bool, Field(strict=True)]
JsonSchema = Annotated[dict[str, Any], AfterValidator(_finite)]
FunctionName = Annotated[str, Field(min_length=1, max_length=200, examples=["get_weather"])]


class TextPart(Body):
    type: Literal["text"]
    text: str


class RefusalPart(Body):
    type: Literal["refusal"]
    refusal: str


class ImageUrl(Body):
    url: Annotated[str, Field(min_length=1, examples=["data:image/png;base64,iVBORw0KGgo="])]


class ImagePart(Body):
    type: Literal["image_url"]
    image_url: Annotated[ImageUrl, BeforeValidator(_as_address, json_schema_input_type=ImageUrl | str)]


class InputAudio(Body):
    data: Annotated[str, Field(min_length=1, description="Base64.")]
    format: Literal["wav", "mp3"]


class AudioPart(Body):
    type: Literal["input_audio"]
    input_audio: InputAudio


class FileContent(Body):
    file_data: str | None = Field(None, description="A data URL, or Base64.")
    file_id: str | None = None
    filename: Annotated[str, Field(max_length=255)] | None = None


class FilePart(Body):
    type: Literal["file"]
    file: FileContent


UserPart = Annotated[TextPart | ImagePart | AudioPart | FilePart, Field(discriminator="type")]
AssistantPart = Annotated[TextPart | RefusalPart, Field(discriminator="type")]
Texts = Annotated[
    list[TextPart],
    Field(max_length=MOST_PARTS),
    BeforeValidator(_as_parts, json_schema_input_type=str | list[TextPart]),
]
UserContent = Annotated[
    list[UserPart],
    Field(max_length=MOST_PARTS),
    BeforeValidator(_as_parts, json_schema_input_type=str | list[UserPart]),
]
AssistantContent = Annotated[
    list[AssistantPart],
    Field(max_length=MOST_PARTS),
    BeforeValidator(_as_parts, json_schema_input_type=str | list[AssistantPart]),
]


class CalledFunction(Body):
    name: FunctionName
    arguments: str = Field("", description="A JSON object as a text.")


class AskedCall(Body):
    """A function that the model asked for. `extra_content`: what its provider wants back, as it was sent."""

    id: Annotated[str, Field(min_length=1, max_length=1_000)]
    type: Literal["function"] = "function"
    function: CalledFunction
    extra_content: dict[str, Any] | None = None


class SystemMessage(Body):
    role: Literal["system", "developer"]
    content: Texts


class UserMessage(Body):
    role: Literal["user"]
    content: UserContent


class AssistantMessage(Body):
    role: Literal["assistant"]
    content: AssistantContent | None = None
    refusal: str | None = None
    tool_calls: Annotated[list[AskedCall], Field(max_length=MOST_TOOLS)] | None = None


class ToolMessage(Body):
    role: Literal["tool"]
    tool_call_id: Annotated[str, Field(min_length=1, max_length=1_000)]
    content: Texts


Message = Annotated[SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


class Function(Body):
    name: FunctionName
    description: str | None = None
    parameters: JsonSchema | None = None


class Tool(Body):
    type: Literal["function"]
    function: Function


class TextFormat(Body):
    type: Literal["text"]


class ObjectFormat(Body):
    type: Literal["json_object"]


class NamedSchema(Body):
    """A model is held to the schema as strictly as its provider can, whatever `strict` says."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = "answer"
    schema_: Annotated[JsonSchema, Field(alias="schema")]


class SchemaFormat(Body):
    type: Literal["json_schema"]
    json_schema: NamedSchema


Format = Annotated[TextFormat | ObjectFormat | SchemaFormat, Field(discriminator="type")]


class StreamOptions(Body):
    include_usage: Flag | None = None


Penalty = Annotated[float, Field(strict=True, ge=-2, le=2)]
TokenLimit = Annotated[int, Field(strict=True, ge=1, le=MOST_TOKENS)]


class ChatRequest(Body):
    """Fields of OpenAI's that change nothing here (`user`, `metadata`, `store` …) may be sent and are ignored."""

    model: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, examples=["demo/demo"])]
    messages: Annotated[
        list[Message],
        Field(min_length=1, max_length=MOST_MESSAGES, examples=[[{"role": "user", "content": "Say hello."}]]),
    ]
    temperature: Annotated[float, Field(strict=True, ge=0, le=HOTTEST)] | None = None
    top_p: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    max_tokens: TokenLimit | None = None
    max_completion_tokens: TokenLimit | None = None
    stop: (
        Annotated[
            list[str],
            Field(max_length=MOST_STOP_SEQUENCES),
            BeforeValidator(_as_list, json_schema_input_type=str | list[str]),
        ]
        | None
    ) = None
    seed: Annotated[int, Field(strict=True, ge=-(2**63), le=2**63 - 1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    tools: Annotated[list[Tool], Field(max_length=MOST_TOOLS)] | None = None
    tool_choice: Any = Field(None, description="“auto” or “none”.")
    response_format: Format | None = None
    n: Annotated[int, Field(strict=True, ge=1, le=128)] | None = Field(None, description="1.")
    stream: Flag | None = None
    stream_options: StreamOptions | None = None
    functions: list[Any] | None = Field(None, description="Replaced by `tools`, and refused.")
    modalities: list[str] | None = Field(None, description="Text is all there is.")
    logprobs: Flag | None = Field(None, description="There are none: true is refused.")

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to end with a chunk of the usage."""
        return bool(self.stream_options and self.stream_options.include_usage)
