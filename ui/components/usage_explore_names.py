"""How what calls differ in is called, and which colour each of it has."""

from collections.abc import Iterable, Mapping, Sequence

from core.errors import ErrorKind
from core.i18n import N_
from core.rights import scope_of
from core.usage.explore.types import Dimension
from core.usage.sample_tags import FIRST_THREAD
from core.usage.types import CallStatus, Source
from ui.components.usage_measure import model_name, provider_name
from ui.door import Viewer
from ui.palette import (
    BLUE,
    GREEN,
    OCHRE,
    OTHER,
    PLUM,
    ROSE,
    RUST,
    TEAL,
    VIOLET,
    model_colours,
    provider_colour,
)

DIMENSIONS = {
    Dimension.PROVIDER: N_("Provider"),
    Dimension.MODEL: N_("Model"),
    Dimension.SOURCE: N_("Source"),
    Dimension.USER: N_("User"),
    Dimension.STATUS: N_("Status"),
    Dimension.ERROR: N_("Kind of error"),
    Dimension.CATEGORY: N_("Category"),
    Dimension.PROMPT: N_("Prompt"),
    Dimension.LABEL: N_("Label"),
    Dimension.THREAD: N_("Thread"),
}
_NONE = {
    Dimension.ERROR: N_("No error"),
    Dimension.CATEGORY: N_("No category"),
    Dimension.PROMPT: N_("No prompt"),
    Dimension.LABEL: N_("No label"),
    Dimension.THREAD: N_("No thread"),
}
_SOURCES = {
    Source.CHAT.value: N_("Chat"),
    Source.API.value: N_("API"),
    Source.SPREADSHEET.value: N_("Spreadsheet"),
    Source.LIVE.value: N_("Live"),
    Source.IMPORT.value: N_("Import"),
    Source.SAMPLE.value: N_("Sample data"),
}
_STATUSES = {
    CallStatus.COMPLETED.value: N_("Completed"),
    CallStatus.STOPPED.value: N_("Stopped"),
    CallStatus.INTERRUPTED.value: N_("Interrupted"),
    CallStatus.FAILED.value: N_("Failed"),
}
_ERRORS = {
    ErrorKind.VALIDATION.value: N_("Invalid request"),
    ErrorKind.NOT_FOUND.value: N_("Not found"),
    ErrorKind.UNAUTHORIZED.value: N_("Not signed in"),
    ErrorKind.FORBIDDEN.value: N_("Not allowed"),
    ErrorKind.NO_KEY.value: N_("No API key"),
    ErrorKind.WRONG_KEY.value: N_("Wrong API key"),
    ErrorKind.UNKNOWN_MODEL.value: N_("Unknown model"),
    ErrorKind.RATE_LIMIT.value: N_("Rate limit"),
    ErrorKind.BILLING.value: N_("No balance"),
    ErrorKind.BUDGET.value: N_("Over budget"),
    ErrorKind.CIRCUIT_OPEN.value: N_("Provider on hold"),
    ErrorKind.WRONG_SCOPE.value: N_("Wrong scope of the key"),
    ErrorKind.CERTIFICATE.value: N_("Certificate"),
    ErrorKind.INVALID_CONTEXT.value: N_("Too long for the model"),
    ErrorKind.SAFETY.value: N_("Safety block"),
    ErrorKind.UNREACHABLE.value: N_("No connection"),
    ErrorKind.TIMEOUT.value: N_("Time-out"),
    ErrorKind.CUT_STREAM.value: N_("Answer cut off"),
    ErrorKind.BAD_ANSWER.value: N_("Unreadable answer"),
    ErrorKind.PROVIDER.value: N_("Error of the provider"),
    ErrorKind.INTERRUPTED.value: N_("Interrupted"),
    ErrorKind.INTERNAL.value: N_("Error of AIHub"),
}
_STATUS_COLOURS = {"completed": GREEN[0], "stopped": OCHRE[0], "interrupted": VIOLET[0], "failed": RUST[0]}
_CYCLE = tuple(
    shades[shade] for shade in range(4) for shades in (BLUE, OCHRE, TEAL, ROSE, VIOLET, GREEN, RUST, PLUM)
)


def dimension_name(viewer: Viewer, dimension: Dimension) -> str:
    """What calls are grouped or filtered by, for a person."""
    return viewer.tr.text(DIMENSIONS[dimension])


def source_name(viewer: Viewer, source: str) -> str:
    """Where calls came from."""
    return viewer.tr.text(_SOURCES[source]) if source in _SOURCES else source


def status_name(viewer: Viewer, status: str) -> str:
    """How calls ended."""
    return viewer.tr.text(_STATUSES[status]) if status in _STATUSES else status


def error_name(viewer: Viewer, kind: str) -> str:
    """What went wrong with calls, in two words."""
    return viewer.tr.text(_ERRORS[kind]) if kind in _ERRORS else kind


def model_of(value: str) -> tuple[str, str]:
    """Provider and model of a value of Dimension.MODEL."""
    provider, _, model = value.partition("/")
    return provider, model


def user_name(viewer: Viewer, names: Mapping[int, str], user_id: int) -> str:
    """An account's name; a deleted account's calls still count."""
    _ = viewer.tr.text
    return names.get(user_id) or _("User {number} (deleted)", number=user_id)


def user_names(viewer: Viewer) -> dict[int, str]:
    """The names of accounts: all for an administrator, their own for others."""
    account = viewer.account
    if not account.is_admin:
        return {account.id: account.username}
    return {each.id: each.username for each in viewer.services.accounts.everyone(account)}


def _value_name(viewer: Viewer, dimension: Dimension, value: str) -> str:
    _ = viewer.tr.text
    if not value:
        return _(_NONE[dimension]) if dimension in _NONE else "—"
    match dimension:
        case Dimension.PROVIDER:
            return provider_name(viewer, value)
        case Dimension.MODEL:
            return model_name(viewer, *model_of(value))
        case Dimension.SOURCE:
            return source_name(viewer, value)
        case Dimension.STATUS:
            return status_name(viewer, value)
        case Dimension.ERROR:
            return error_name(viewer, value)
        case _:
            return value


def _thread_names(viewer: Viewer, values: Sequence[str]) -> dict[str, str]:
    """The titles of the viewer's own threads, and the numbers of others: what those are called is their owners'."""
    _ = viewer.tr.text
    real = [thread for value in values if value and (thread := int(value)) <= FIRST_THREAD]
    titles = viewer.services.chat.titles(viewer.account.id, real)
    scope = scope_of(viewer.account, everyone=viewer.account.is_admin)
    there = viewer.services.chat.existing(scope, [thread for thread in real if thread not in titles])

    def name(thread: int) -> str:
        if thread > FIRST_THREAD:
            return _("Sample thread {number}", number=thread - FIRST_THREAD)
        if thread in titles:
            return titles[thread]
        if thread in there:
            return _("Thread {number} of another user", number=thread)
        return _("Deleted thread {number}", number=thread)

    return {value: name(int(value)) for value in values if value}


def value_names(viewer: Viewer, dimension: Dimension, values: Sequence[str]) -> dict[str, str]:
    """The names of several values of a dimension, for a person; threads and users are looked up."""
    known: dict[str, str] = {}
    if dimension is Dimension.THREAD:
        known = _thread_names(viewer, values)
    elif dimension is Dimension.USER and values:
        names = user_names(viewer)
        known = {value: user_name(viewer, names, int(value)) for value in values if value}
    return {value: known.get(value) or _value_name(viewer, dimension, value) for value in values}


def value_colours(dimension: Dimension, values: Iterable[str]) -> dict[str, str]:
    """A colour for each value; the same wherever the same values are shown."""
    if dimension is Dimension.PROVIDER:
        return {value: provider_colour(value) for value in values}
    if dimension is Dimension.MODEL:
        models = {value: model_of(value) for value in values}
        colours = model_colours(models.values())
        return {value: colours[model] for value, model in models.items()}
    if dimension is Dimension.STATUS:
        return {value: _STATUS_COLOURS.get(value, OTHER) for value in values}
    named = sorted(value for value in values if value)
    return {"": OTHER, **{value: _CYCLE[place % len(_CYCLE)] for place, value in enumerate(named)}}
