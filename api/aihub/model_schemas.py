"""Models and preferences as AIHub's documents show them."""

from typing import Annotated

from pydantic import Field

from api.aihub.thread_schemas import Amount
from api.schemas import Answer, Body, Moment
from core.i18n import translate
from core.models.types import ModelCard, PreferenceChanges, PreferenceInfo
from core.pricing.types import Money, PriceEntry
from core.providers.types import Capability

# What a person asks for a model; the others tell how AIHub speaks to its provider.
_SHOWN = (
    Capability.STREAM,
    Capability.SYSTEM_PROMPT,
    Capability.TEMPERATURE,
    Capability.IMAGES,
    Capability.DOCUMENTS,
    Capability.AUDIO,
    Capability.VIDEO,
    Capability.TOOLS,
    Capability.STRUCTURED_OUTPUT,
    Capability.REASONING_EFFORT,
)

# The service says in a sentence how much fits; these only bound what it has to look at.
SystemPrompt = Annotated[
    str, Field(max_length=1_000_000, examples=["Ты опытный научный консультант с глубокими знаниями"])
]
MaxTokens = Annotated[int, Field(description="1 to 1,000,000.", examples=[2000])]
Temperature = Annotated[float, Field(description="0 to 2.", examples=[0.5])]


class Pricing(Answer):
    """Units of `currency` per million tokens; null when nobody published a price. `tiered`: long prompts cost more."""

    input: Annotated[Amount | None, Field(examples=[15.0])]
    output: Annotated[Amount | None, Field(examples=[75.0])]
    currency: Annotated[str | None, Field(examples=["USD"])]
    tiered: bool


class Model(Answer):
    """`max_tokens`: what fits into its context, null when nobody says. `capabilities`: what its provider can be asked
    for through AIHub. `description`: as it was published, null when nobody did."""

    provider: Annotated[str, Field(examples=["anthropic"])]
    id: Annotated[str, Field(examples=["claude-3-opus"])]
    name: Annotated[str, Field(examples=["Claude 3 Opus"])]
    description: str | None
    max_tokens: Annotated[int | None, Field(examples=[200000])]
    max_output_tokens: int | None
    pricing: Pricing
    capabilities: list[Capability]


class ModelProvider(Answer):
    id: str
    name: str


class Models(Answer):
    """`providers`: all that are configured for the caller, also one that has told no models yet."""

    models: list[Model]
    providers: list[ModelProvider]


class PreferenceBody(Body):
    """null, or left out, is the provider's own way. `use_cache`: the same question gets the same answer at no cost."""

    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    system_prompt: SystemPrompt | None = None
    is_default: bool = False
    use_cache: bool = False


class NewPreference(PreferenceBody):
    provider: Annotated[str, Field(min_length=1, max_length=64, examples=["anthropic"])]
    model: Annotated[str, Field(max_length=10_000, examples=["claude-3-opus"])]


class ChangedPreference(Body):
    """What is left out stays. null is the provider's own way again, and leaves `is_default` and `use_cache`."""

    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    system_prompt: SystemPrompt | None = None
    is_default: bool | None = None
    use_cache: bool | None = None


class Preference(Answer):
    id: Annotated[int, Field(examples=[18])]
    user_id: Annotated[int, Field(examples=[1])]
    provider: Annotated[str, Field(examples=["anthropic"])]
    model: Annotated[str, Field(examples=["claude-3-opus"])]
    max_tokens: Annotated[int | None, Field(examples=[2000])]
    temperature: Annotated[float | None, Field(examples=[0.5])]
    system_prompt: str | None
    is_default: bool
    use_cache: bool
    created_at: Moment
    updated_at: Moment


def changes_of(body: ChangedPreference) -> PreferenceChanges:
    """What a body asks to change."""
    changes = PreferenceChanges()
    sent = body.model_fields_set
    if "max_tokens" in sent:
        changes["max_tokens"] = body.max_tokens
    if "temperature" in sent:
        changes["temperature"] = body.temperature
    if "system_prompt" in sent:
        changes["system_prompt"] = body.system_prompt
    if body.is_default is not None:
        changes["is_default"] = body.is_default
    if body.use_cache is not None:
        changes["use_cache"] = body.use_cache
    return changes


def preference_answer(user_id: int, info: PreferenceInfo) -> Preference:
    """A stored preference of a user."""
    names = set(Preference.model_fields) - {"user_id"}
    return Preference(user_id=user_id, **{name: getattr(info, name) for name in names})


def model_answer(card: ModelCard, language: str) -> Model:
    """A model; what the demo says of itself is in `language`."""
    return Model(
        provider=card.provider,
        id=card.model,
        name=card.label,
        description=translate(language, card.description) if card.description else None,
        max_tokens=card.context_size,
        max_output_tokens=card.output_limit,
        pricing=_pricing(card.price),
        capabilities=[each for each in _SHOWN if each in card.capabilities],
    )


def _pricing(entry: PriceEntry) -> Pricing:
    price = entry.price
    if price is None:
        return Pricing(input=None, output=None, currency=None, tiered=False)
    return Pricing(
        input=Money(price.input_nano, price.currency).decimal,
        output=Money(price.output_nano, price.currency).decimal,
        currency=price.currency,
        tiered=entry.tiered,
    )
