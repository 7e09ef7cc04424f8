"""How users want models to be asked: kept in the database, and in memory for every call."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from core.accounts.recent import Recent
from core.errors import AppError, ErrorKind
from core.generation.types import Shaped
from core.i18n import N_
from core.models import queries
from core.models.checks import GEMINI, checked
from core.models.options import lay_under, read_options
from core.models.tables import Preference
from core.models.types import PreferenceChanges, PreferenceInfo
from core.providers.gemini_request import gemini_options_request
from core.providers.registry import ProviderRegistry
from core.providers.types import CompletionRequest
from core.store.unit_of_work import UnitOfWork

REFRESH_SECONDS = 2.0  # until settings that another process changed are used here
_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class _OfUser:
    by_model: Mapping[tuple[str, str], PreferenceInfo]
    defaults: Mapping[str, str]  # by provider


class Preferences:
    """Every user's own; what was read is kept for 2 s, and read anew at once after a change made here."""

    def __init__(
        self, unit: UnitOfWork, registry: ProviderRegistry, refresh_seconds: float = REFRESH_SECONDS
    ) -> None:
        self._unit = unit
        self._registry = registry
        self._recent = Recent(self._read, refresh_seconds)
        # What a request that sets nothing itself becomes, with the preference it comes from.
        self._bare: dict[tuple[int, int | None], tuple[PreferenceInfo, Shaped]] = {}

    def all(self, user_id: int) -> tuple[PreferenceInfo, ...]:
        """By provider and model."""
        return tuple(self._recent.get(user_id).by_model.values())

    def get(self, user_id: int, provider: str, model: str) -> PreferenceInfo | None:
        """One of them."""
        return self._recent.get(user_id).by_model.get((provider, model))

    def by_id(self, user_id: int, preference_id: int) -> PreferenceInfo:
        """AppError(NOT_FOUND), the same for another user's."""
        with self._unit.read() as session:
            return queries.info_of(queries.preference_by_id(session, user_id, preference_id))

    def default_model(self, user_id: int, provider: str) -> str | None:
        """The model that is to be asked first."""
        return self._recent.get(user_id).defaults.get(provider)

    def save(self, user_id: int, preference: PreferenceInfo) -> PreferenceInfo:
        """Store a preference, with an `id` in the place of that one, else in that of the same model.

        AppError(VALIDATION) names what cannot be kept; NOT_FOUND when there is none of that id.
        """
        preference = checked(preference, self._registry)
        now = datetime.now(UTC)
        with self._unit.write() as session:
            queries.lock_user(session, user_id)
            saved = _stored(session, _row_for(session, user_id, preference, now), preference, now)
        self._recent.forget()
        return saved

    def change(self, user_id: int, preference_id: int, changes: PreferenceChanges) -> PreferenceInfo:
        """Change what is named of one of them. AppError as `save`; then nothing changed."""
        with self._unit.write() as session:
            queries.lock_user(session, user_id)
            row = queries.preference_by_id(session, user_id, preference_id)
            wanted = checked(replace(queries.info_of(row), **changes), self._registry)
            saved = _stored(session, row, wanted, datetime.now(UTC))
        self._recent.forget()
        return saved

    def put(self, user_id: int, provider: str, model: str, changes: PreferenceChanges) -> PreferenceInfo:
        """Keep a preference for a model. One that it has already is changed as `change` does, so that what is not
        named stays. AppError(VALIDATION)."""
        asked = checked(PreferenceInfo(provider, model, **changes), self._registry)
        now = datetime.now(UTC)
        with self._unit.write() as session:
            queries.lock_user(session, user_id)
            row = queries.preference_of(session, user_id, provider, asked.model)
            if row is not None:
                asked = checked(replace(queries.info_of(row), **changes), self._registry)
            row = row or Preference(user_id=user_id, created_at=now)
            saved = _stored(session, row, asked, now)
        self._recent.forget()
        return saved

    def delete(self, user_id: int, provider: str, model: str) -> None:
        """Ask the model in the provider's own way again. AppError(NOT_FOUND)."""
        with self._unit.write() as session:
            row = queries.preference_of(session, user_id, provider, model)
            if row is None:
                raise queries.not_found()
            session.delete(row)
        self._recent.forget()

    def in_memory(self, user_id: int) -> bool:
        """Whether `shape`, asked right after, will ask no database."""
        return self._recent.has(user_id)

    def shape(self, user_id: int, provider: str, completion: CompletionRequest) -> Shaped:
        """See RequestShaper. AppError(VALIDATION) when options that were kept are no longer understood."""
        preference = self.get(user_id, provider, completion.model)
        if preference is None:
            return Shaped(completion)
        if completion != CompletionRequest(completion.model, ()):
            return shaped(completion, preference)
        # The chat asks like this, for every message.
        kept = self._bare.get((user_id, preference.id))
        if kept is None or kept[0] != preference:
            if len(self._bare) >= _KEPT:
                self._bare.clear()
            kept = self._bare[user_id, preference.id] = preference, shaped(completion, preference)
        return kept[1]

    def _read(self, user_id: int) -> _OfUser:
        with self._unit.read() as session:
            found = queries.preferences_of(session, user_id)
        return _OfUser(
            {(each.provider, each.model): each for each in found},
            {each.provider: each.model for each in found if each.is_default},
        )


def shaped(completion: CompletionRequest, preference: PreferenceInfo) -> Shaped:
    """`preference` laid under `completion`: what the request sets itself stands."""
    own = {
        "system_prompt": preference.system_prompt,
        "temperature": preference.temperature,
        "max_output_tokens": preference.max_tokens,
    }
    laid = lay_under(completion, {name: value for name, value in own.items() if value is not None})
    if preference.options and preference.provider == GEMINI:
        laid = gemini_options_request(preference.options, laid)
    elif preference.options:
        laid = lay_under(laid, read_options(preference.options))
    return Shaped(laid, preference.fallbacks, preference.use_cache)


def _stored(session: Session, row: Preference, preference: PreferenceInfo, now: datetime) -> PreferenceInfo:
    """Write a preference into its row; the default of a provider takes the place of the one before."""
    queries.fill(row, preference, now)
    session.add(row)
    session.flush()
    if preference.is_default:
        queries.clear_default(session, row)
    return queries.info_of(row)


def _row_for(session: Session, user_id: int, preference: PreferenceInfo, now: datetime) -> Preference:
    same = queries.preference_of(session, user_id, preference.provider, preference.model)
    if preference.id is None:
        return same or Preference(user_id=user_id, created_at=now)
    row = queries.preference_by_id(session, user_id, preference.id)
    if same is not None and same is not row:
        raise AppError(
            ErrorKind.VALIDATION,
            N_("There are settings for {model} already. Change those, or delete them first."),
            model=preference.model,
        )
    return row
