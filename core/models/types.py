"""What crosses the models' door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from core.errors import AppError
from core.generation.breaker import BreakerState
from core.generation.types import ModelRef
from core.pricing.types import PriceEntry
from core.providers.types import Capability, ConnectionReport


@dataclass(frozen=True, slots=True)
class PreferenceInfo:
    """How a user wants one model to be asked; None leaves the provider's default.

    `max_tokens` is 1..1,000,000, `temperature` 0..2. `options`: for Gemini the documented request without its
    messages, for the others those of core/models/options.py. `fallbacks` are asked in order when the model does
    not answer. `is_default`: the model to start with, one a provider. `id` and the times are set once stored.
    """

    provider: str
    model: str
    max_tokens: int | None = None
    temperature: float | None = None
    system_prompt: str | None = None
    is_default: bool = False
    use_cache: bool = False
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fallbacks: tuple[ModelRef, ...] = ()
    id: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class PreferenceChanges(TypedDict, total=False):
    """What to change of a preference; what is not named stays, and None takes away."""

    max_tokens: int | None
    temperature: float | None
    system_prompt: str | None
    is_default: bool
    use_cache: bool


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model that a user can pick, and what is known of it. Sizes are tokens, None when nobody says.

    `context_size` and `description`: as the provider says, else as the price catalogue does; a description is in
    the language it was published in, but for the demo's, which is translated where it is shown. `capabilities` are
    those of its provider.
    """

    provider: str
    model: str
    label: str
    context_size: int | None
    output_limit: int | None
    capabilities: frozenset[Capability]
    price: PriceEntry
    is_default: bool
    has_preference: bool
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How a connection fares. `ok` is None when it was never tested; `error` says what was wrong.

    `key_id`: the user's key that was tested, None for the environment's or one that is not stored. `report` and
    `latency_ms` are known for tests of this process only.
    """

    provider: str
    key_id: int | None
    ok: bool | None
    error: AppError | None
    report: ConnectionReport | None
    latency_ms: int | None
    checked_at: datetime | None
    breaker: BreakerState
