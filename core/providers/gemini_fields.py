"""The documented fields of a Gemini request: their types, their ranges, and what they mean to a person."""

from dataclasses import dataclass

from core.i18n import N_

# Of google.genai.types.HarmCategory: without the unused one and those that the Developer API does not take.
HARM_CATEGORIES = (
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
    "HARM_CATEGORY_JAILBREAK",
)
# Of google.genai.types.HarmBlockThreshold.
HARM_BLOCK_THRESHOLDS = (
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
    "BLOCK_LOW_AND_ABOVE",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_ONLY_HIGH",
    "BLOCK_NONE",
    "OFF",
)
MIME_TYPES = ("text/plain", "application/json")
PART_KINDS = ("text", "inlineData", "fileData", "functionCall", "functionResponse")

_INT32 = 2**31 - 1
_LONGEST = 315_576_000_000  # seconds, Google's limit of a duration


@dataclass(frozen=True, slots=True)
class FieldHelp:
    """One field for a form. `path` names it, with `[]` for every entry of a list.

    `type` is string, integer, number, boolean, enum, array, object, schema (a JSON schema) or duration
    (`{"seconds", "nanos"}` or "12.5s"). `minimum` and `maximum` bound a number, or how many entries a list has;
    with `exclusive_maximum` the maximum itself is too much. `choices` are all an enum may be.
    """

    path: str
    type: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    exclusive_maximum: bool = False


_PARTS = (
    FieldHelp("contents[].parts[].text", "string", N_("What is said.")),
    FieldHelp("contents[].parts[].inlineData", "object", N_("A file inside the request.")),
    FieldHelp(
        "contents[].parts[].inlineData.mimeType", "string", N_("The file's type, for example image/png.")
    ),
    FieldHelp("contents[].parts[].inlineData.data", "string", N_("The file's bytes in Base64.")),
    FieldHelp("contents[].parts[].fileData", "object", N_("A file that Google fetches from its address.")),
    FieldHelp(
        "contents[].parts[].fileData.mimeType", "string", N_("The file's type, for example video/mp4.")
    ),
    FieldHelp("contents[].parts[].fileData.fileUri", "string", N_("The file's address.")),
    FieldHelp("contents[].parts[].videoMetadata", "object", N_("Which piece of a video is looked at.")),
    FieldHelp("contents[].parts[].videoMetadata.startOffset", "duration", N_("Where the piece begins.")),
    FieldHelp(
        "contents[].parts[].videoMetadata.startOffset.seconds",
        "integer",
        N_("Whole seconds from the start of the video."),
        0,
        _LONGEST,
    ),
    FieldHelp(
        "contents[].parts[].videoMetadata.startOffset.nanos",
        "integer",
        N_("Billionths of a second on top of the seconds."),
        0,
        999_999_999,
    ),
    FieldHelp("contents[].parts[].videoMetadata.endOffset", "duration", N_("Where the piece ends.")),
    FieldHelp(
        "contents[].parts[].videoMetadata.endOffset.seconds",
        "integer",
        N_("Whole seconds from the start of the video."),
        0,
        _LONGEST,
    ),
    FieldHelp(
        "contents[].parts[].videoMetadata.endOffset.nanos",
        "integer",
        N_("Billionths of a second on top of the seconds."),
        0,
        999_999_999,
    ),
    FieldHelp("contents[].parts[].functionCall", "object", N_("The model asked for a function.")),
    FieldHelp("contents[].parts[].functionCall.id", "string", N_("The name of this one call.")),
    FieldHelp("contents[].parts[].functionCall.name", "string", N_("The function's name.")),
    FieldHelp("contents[].parts[].functionCall.args", "object", N_("What the function is called with.")),
    FieldHelp(
        "contents[].parts[].thoughtSignature",
        "string",
        N_("What Gemini sent with a function call and wants back unchanged, in Base64."),
    ),
    FieldHelp("contents[].parts[].functionResponse", "object", N_("What a function answered.")),
    FieldHelp("contents[].parts[].functionResponse.id", "string", N_("The name of the call it answers.")),
    FieldHelp("contents[].parts[].functionResponse.name", "string", N_("The function's name.")),
    FieldHelp("contents[].parts[].functionResponse.response", "object", N_("The answer, a JSON object.")),
)

_AROUND = (
    FieldHelp(
        "cachedContent",
        "string",
        N_(
            "The name of a prompt prefix kept on Google's side (cachedContents/…), so that its tokens cost less. "
            "Its system instruction and functions are kept with it."
        ),
    ),
    FieldHelp(
        "contents", "array", N_("The turns of the conversation, oldest first; the user's is the last."), 1
    ),
    FieldHelp(
        "contents[].role", "enum", N_("Who speaks in this turn."), choices=("user", "model", "function")
    ),
    FieldHelp("contents[].parts", "array", N_("What the turn is made of: text, files, functions."), 1),
    *_PARTS,
    FieldHelp(
        "systemInstruction", "object", N_("What the model is to keep to through the whole conversation.")
    ),
    FieldHelp("systemInstruction.role", "string", N_("Google ignores it.")),
    FieldHelp("systemInstruction.parts", "array", N_("The pieces of the instruction."), 1),
    FieldHelp("systemInstruction.parts[].text", "string", N_("The text of the instruction.")),
    FieldHelp("tools", "array", N_("What the model may ask for while it answers.")),
    FieldHelp(
        "tools[].functionDeclarations", "array", N_("The functions the model may ask to be called."), 1
    ),
    FieldHelp(
        "tools[].functionDeclarations[].name",
        "string",
        N_("Latin letters, digits, “_”, “.” and “-”, at most 64, beginning with a letter or “_”."),
    ),
    FieldHelp(
        "tools[].functionDeclarations[].description",
        "string",
        N_("What the function does; the model decides by it when to ask for the function."),
    ),
    FieldHelp(
        "tools[].functionDeclarations[].parameters",
        "schema",
        N_("The schema of an object whose properties are the function's parameters."),
    ),
    FieldHelp("safetySettings", "array", N_("How strictly each kind of harm is blocked.")),
    FieldHelp("safetySettings[].category", "enum", N_("The kind of harm."), choices=HARM_CATEGORIES),
    FieldHelp(
        "safetySettings[].threshold",
        "enum",
        N_("From which probability of harm on an answer is blocked."),
        choices=HARM_BLOCK_THRESHOLDS,
    ),
)

_CONFIG = (
    FieldHelp("generationConfig", "object", N_("How the answer is made.")),
    FieldHelp(
        "generationConfig.temperature", "number", N_("How random the answer is; 0 is the least."), 0, 2
    ),
    FieldHelp(
        "generationConfig.topP",
        "number",
        N_("Only the likeliest next tokens that together reach this probability are considered."),
        0,
        1,
    ),
    FieldHelp(
        "generationConfig.topK",
        "integer",
        N_("How many of the likeliest next tokens are considered."),
        1,
        _INT32,
    ),
    FieldHelp(
        "generationConfig.candidateCount",
        "integer",
        N_("How many answers are made; the first one is shown, all of them are paid for."),
        1,
        8,
    ),
    FieldHelp(
        "generationConfig.maxOutputTokens", "integer", N_("The most tokens the answer may have."), 1, _INT32
    ),
    FieldHelp(
        "generationConfig.presencePenalty",
        "number",
        N_("Above 0 the model avoids tokens that it has used before, below 0 it prefers them."),
        -2,
        2,
        exclusive_maximum=True,
    ),
    FieldHelp(
        "generationConfig.frequencyPenalty",
        "number",
        N_("Above 0 the model avoids tokens the more, the more often it has used them."),
        -2,
        2,
        exclusive_maximum=True,
    ),
    FieldHelp(
        "generationConfig.stopSequences",
        "array",
        N_("The answer ends where one of these texts would begin."),
        0,
        5,
    ),
    FieldHelp(
        "generationConfig.responseMimeType",
        "enum",
        N_("Whether the answer is plain text or JSON."),
        choices=MIME_TYPES,
    ),
    FieldHelp(
        "generationConfig.responseSchema",
        "schema",
        N_("The schema that an answer in JSON follows; it needs responseMimeType application/json."),
    ),
    FieldHelp(
        "generationConfig.seed",
        "integer",
        N_("With the same number, an equal request mostly gets an equal answer."),
        -(2**31),
        _INT32,
    ),
    FieldHelp(
        "generationConfig.responseLogprobs", "boolean", N_("Whether Google sends the tokens' probabilities.")
    ),
    FieldHelp(
        "generationConfig.logprobs",
        "integer",
        N_(
            "For how many of the likeliest tokens the probabilities are sent; it needs responseLogprobs true."
        ),
        0,
        20,
    ),
    FieldHelp(
        "generationConfig.audioTimestamp",
        "boolean",
        N_(
            "Times in a transcript of audio. Only Google's Enterprise platform offers it, AIHub's access does not."
        ),
    ),
    FieldHelp("labels", "object", N_("Your own labels of the request, a text for each name.")),
)

FIELDS: tuple[FieldHelp, ...] = (*_AROUND, *_CONFIG)
"""Every field of the documented request, parents before their children. The validation reads its ranges here."""


def field(path: str) -> FieldHelp:
    """The field at `path`; KeyError when it is not documented."""
    return _BY_PATH[path]


def children(path: str) -> dict[str, FieldHelp]:
    """The fields directly inside `path` ("" for the whole request), by name; empty for a free object."""
    return _CHILDREN.get(path, {})


def place_of(name: str) -> str | None:
    """The path of the only field that is called `name`; None when there is none or there are several."""
    places = [help_.path for help_ in FIELDS if help_.path.rpartition(".")[2] == name]
    return places[0] if len(places) == 1 else None


def _grouped() -> dict[str, dict[str, FieldHelp]]:
    groups: dict[str, dict[str, FieldHelp]] = {}
    for help_ in FIELDS:
        parent, _, name = help_.path.rpartition(".")
        groups.setdefault(parent, {})[name] = help_
    return groups


_BY_PATH = {help_.path: help_ for help_ in FIELDS}
_CHILDREN = _grouped()
