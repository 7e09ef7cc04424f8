"""What formats and reasons are called on the page."""

from core.i18n import N_
from core.usage.imports.types import Format, SkipReason

FORMATS = {
    Format.OPENAI_USAGE: N_("OpenAI: usage"),
    Format.OPENAI_ACTIVITY: N_("OpenAI: activity (older)"),
    Format.OPENAI_COSTS: N_("OpenAI: costs"),
    Format.ANTHROPIC_USAGE: N_("Anthropic: usage"),
    Format.ANTHROPIC_COSTS: N_("Anthropic: costs"),
    Format.LITELLM: N_("LiteLLM: spend logs"),
    Format.LANGFUSE: N_("Langfuse: observations"),
    Format.LANGFUSE_TRACES: N_("Langfuse: traces"),
    Format.PLAIN: N_("Table of your own"),
}

REASONS = {
    SkipReason.BAD_TIME: N_("The time cannot be read"),
    SkipReason.OUT_OF_RANGE: N_("The time is before 2000 or in the future"),
    SkipReason.NOT_OVER: N_("The day is not over yet: import it tomorrow"),
    SkipReason.NO_MODEL: N_("No model is named"),
    SkipReason.NOT_A_CALL: N_("A step that calls no model"),
    SkipReason.NOTHING: N_("Nothing was used"),
    SkipReason.BAD_NUMBER: N_("Not a number"),
    SkipReason.NEGATIVE: N_("A negative number"),
    SkipReason.ABSURD: N_("An absurdly large number"),
    SkipReason.CONTRADICTION: N_("A part is larger than the whole, such as cached input than input"),
    SkipReason.BAD_STATUS: N_("An unknown status"),
    SkipReason.BAD_CURRENCY: N_("Not a currency: it takes three letters, such as USD"),
    SkipReason.BAD_JSON: N_("Not JSON"),
    SkipReason.SHORT_ROW: N_("More or fewer cells than there are headers"),
    SkipReason.REPEATED: N_("The same request id again"),
}

PLAIN_COLUMNS = (
    ("time", N_("when the call was made; a day alone will do. Required")),
    ("model", N_("the model's name. Required")),
    ("provider", N_("openai, anthropic, gemini, gigachat or a name of your own")),
    ("input_tokens", N_("cached ones included")),
    ("cached_input_tokens", N_("the part of the input that came from the provider's cache")),
    ("output_tokens", N_("reasoning included")),
    ("reasoning_tokens", N_("the part of the output that was reasoning")),
    ("cost", N_("what was charged; without it the call is priced by AIHub's prices of its day")),
    ("currency", N_("three letters; USD when it is empty")),
    ("requests", N_("how many requests the row stands for; 1 when it is empty")),
    ("status", N_("completed, failed or stopped")),
    ("latency_ms", N_("how long the call took")),
    ("first_token_ms", N_("how long the first token took")),
    ("category", N_("the category of its thread")),
    ("prompt", N_("the name of its prompt")),
    ("labels", N_("name=value, several between semicolons")),
    ("request_id", N_("tells that a row was imported before; without it, all that the row says does")),
)
