"""What is wrong with the fields of a request, in words."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from core.i18n import N_, translate

_REQUIRED = N_("This field is required.")
_WORDS = {
    "missing": _REQUIRED,
    "string_too_short": N_("This field may not be empty."),
    "string_too_long": N_("At most {max_length} characters are allowed."),
    "string_type": N_("A text is expected."),
    "int_type": N_("A whole number is expected."),
    "int_parsing": N_("A whole number is expected."),
    "int_from_float": N_("A whole number is expected."),
    "float_type": N_("A number is expected."),
    "float_parsing": N_("A number is expected."),
    "finite_number": N_("A number is expected."),
    "bool_type": N_("true or false is expected."),
    "bool_parsing": N_("true or false is expected."),
    "list_type": N_("A list is expected."),
    "dict_type": N_("An object is expected."),
    "model_attributes_type": N_("An object is expected."),
    "model_type": N_("An object is expected."),
    "greater_than_equal": N_("At least {ge} is expected."),
    "greater_than": N_("More than {gt} is expected."),
    "less_than_equal": N_("At most {le} is expected."),
    "too_short": N_("At least {min_length} entries are expected."),
    "too_long": N_("At most {max_length} entries are allowed."),
    "enum": N_("One of {expected} is expected."),
    "literal_error": N_("One of {expected} is expected."),
    "date_parsing": N_("A date such as 2026-11-30 is expected."),
    "date_from_datetime_parsing": N_("A date such as 2026-11-30 is expected."),
    "union_tag_invalid": N_("One of {expected_tags} is expected."),
    "union_tag_not_found": _REQUIRED,
    "json_invalid": N_("The body is not valid JSON."),
    "extra_forbidden": N_("There is no such field."),
    "message_role": N_("Invalid message role"),
    "embedding_input": N_("A text, a list of texts, or lists of token ids are expected."),
}
_WRONG = N_("This value cannot be taken.")
_PLACES = {"body", "query", "path", "header", "cookie", "form"}


def field_texts(details: Sequence[Mapping[str, Any]], language: str) -> dict[str, list[str]]:
    """The sentences for each field, in the order of the request. `details`: as pydantic gives them."""
    texts: dict[str, list[str]] = {}
    for detail in details:
        # Never what was sent: it may be a password.
        context = cast("dict[str, Any]", detail.get("ctx") or {})
        known = {name: value for name, value in context.items() if isinstance(value, str | int | float)}
        words = _WORDS.get(str(detail["type"]), _WRONG)
        try:
            text = translate(language, words, **known)
        except KeyError:
            text = translate(language, _WRONG)
        texts.setdefault(_name(detail["loc"]), []).append(text)
    return texts


def missing_fields(details: Sequence[Mapping[str, Any]]) -> list[str]:
    """The fields that are not there, or null where something has to stand."""
    names = [
        _name(detail["loc"])
        for detail in details
        if detail["type"] == "missing" or detail.get("input", detail) is None
    ]
    return list(dict.fromkeys(names))


def _name(location: Sequence[str | int]) -> str:
    # A body that is no JSON has a place in the text where a field has its name.
    parts = [str(part) for part in location if part not in _PLACES]
    return ".".join(parts) if parts and not (len(parts) == 1 and parts[0].isdecimal()) else "body"
