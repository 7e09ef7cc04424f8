"""What may be kept as a preference: cleaned, or refused in one sentence that says what to do."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.errors import AppError, ErrorKind
from core.generation.model_names import clean_model
from core.generation.sampling import check_max_tokens, check_temperature, checked_system_prompt
from core.generation.types import ModelRef
from core.i18n import N_
from core.models.options import read_options
from core.models.types import PreferenceInfo
from core.providers.gemini_request import check_gemini_options
from core.providers.registry import ProviderRegistry

MOST_FALLBACKS = 5
MOST_OPTIONS_CHARS = 100_000
GEMINI = "gemini"


def checked(preference: PreferenceInfo, registry: ProviderRegistry) -> PreferenceInfo:
    """`preference` as it may be stored; AppError(VALIDATION) for the first thing that is wrong with it."""
    model = clean_model(preference.model)
    _known(preference.provider, registry)
    check_max_tokens(preference.max_tokens)
    check_temperature(preference.temperature)
    _check_options(preference.provider, preference.options)
    return replace(
        preference,
        model=model,
        temperature=None if preference.temperature is None else float(preference.temperature),
        system_prompt=checked_system_prompt(preference.system_prompt),
        fallbacks=_fallbacks(ModelRef(preference.provider, model), preference.fallbacks, registry),
    )


def _known(provider: str, registry: ProviderRegistry) -> None:
    try:
        registry.info(provider)
    except AppError as error:
        raise AppError(ErrorKind.VALIDATION, error.message, **error.params) from None


def _check_options(provider: str, options: Mapping[str, Any]) -> None:
    if provider == GEMINI:
        check_gemini_options(options)
    else:
        read_options(options)
    if len(json.dumps(dict(options))) > MOST_OPTIONS_CHARS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("The options are longer than {limit} characters. Shorten them."),
            limit=MOST_OPTIONS_CHARS,
        )


def _fallbacks(
    own: ModelRef, wanted: tuple[ModelRef, ...], registry: ProviderRegistry
) -> tuple[ModelRef, ...]:
    if len(wanted) > MOST_FALLBACKS:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("At most {limit} models can stand in for another. Take some out."),
            limit=MOST_FALLBACKS,
        )
    found: list[ModelRef] = []
    for each in wanted:
        _known(each.provider, registry)
        fallback = ModelRef(each.provider, clean_model(each.model))
        if fallback == own:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("{model} cannot stand in for itself. Pick another model."),
                model=str(own),
            )
        if fallback in found:
            raise AppError(
                ErrorKind.VALIDATION,
                N_("{model} stands in the list twice. Take it out once."),
                model=str(fallback),
            )
        found.append(fallback)
    return tuple(found)
