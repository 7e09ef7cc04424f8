"""The prompt library: texts to ask with again."""

from collections.abc import Mapping
from datetime import UTC, datetime

from core.categories.queries import own_category
from core.prompts.checks import checked_content, checked_title
from core.prompts.queries import as_searched, own_prompt, read_info, read_page
from core.prompts.tables import Prompt
from core.prompts.types import FilledPrompt, NewPrompt, PromptChanges, PromptInfo, PromptPage, PromptQuery
from core.prompts.variables import fill
from core.store.checked_text import checked_description
from core.store.unit_of_work import UnitOfWork

_EVERY = PromptQuery()


class PromptService:
    """Scoped by `user_id`: another user's prompt or category looks like one that does not exist."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit

    def list(self, user_id: int, query: PromptQuery = _EVERY) -> PromptPage:
        """The user's prompts that match, newest first; AppError(VALIDATION) for a part or search out of bounds."""
        with self._unit.read() as session:
            return read_page(session, user_id, query)

    def get(self, user_id: int, prompt_id: int) -> PromptInfo:
        """One of them; AppError(NOT_FOUND)."""
        with self._unit.read() as session:
            return read_info(session, own_prompt(session, user_id, prompt_id))

    def create(self, user_id: int, prompt: NewPrompt) -> PromptInfo:
        """Keep a new one. AppError: VALIDATION names what cannot be kept, NOT_FOUND for the category."""
        title, content = checked_title(prompt.title), checked_content(prompt.content)
        description = checked_description(prompt.description)
        now = datetime.now(UTC)
        with self._unit.write() as session:
            if prompt.category_id is not None:
                own_category(session, user_id, prompt.category_id, keep=True)
            row = Prompt(
                user_id=user_id,
                title=title,
                content=content,
                folded=as_searched(title, content),
                description=description,
                category_id=prompt.category_id,
                is_favorite=prompt.is_favorite,
                usage_count=0,
                created_at=now,
                updated_at=now,
            )
            session.add(row)
            session.flush()
            return read_info(session, row)

    def update(self, user_id: int, prompt_id: int, changes: PromptChanges) -> PromptInfo:
        """Change what is named. AppError as `create`; then nothing changed."""
        with self._unit.write() as session:
            row = own_prompt(session, user_id, prompt_id, change=True)
            if "title" in changes:
                row.title = checked_title(changes["title"])
            if "content" in changes:
                row.content = checked_content(changes["content"])
            if "description" in changes:
                row.description = checked_description(changes["description"])
            if "category_id" in changes:
                category_id = changes["category_id"]
                if category_id is not None:
                    own_category(session, user_id, category_id, keep=True)
                row.category_id = category_id
            if "is_favorite" in changes:
                row.is_favorite = changes["is_favorite"]
            if changes:
                row.folded = as_searched(row.title, row.content)
                row.updated_at = datetime.now(UTC)
            session.flush()
            return read_info(session, row)

    def delete(self, user_id: int, prompt_id: int) -> None:
        """Take it out of the library; what it was used for stays, in threads and in the ledger."""
        with self._unit.write() as session:
            session.delete(own_prompt(session, user_id, prompt_id, change=True))

    def use(self, user_id: int, prompt_id: int, values: Mapping[str, str] | None = None) -> FilledPrompt:
        """Fill a prompt in to be sent, and count the use. AppError: NOT_FOUND, VALIDATION for values that do not
        fit its places."""
        with self._unit.write() as session:
            row = own_prompt(session, user_id, prompt_id, change=True)
            text = fill(row.content, values or {})
            row.usage_count += 1
            row.last_used_at = datetime.now(UTC)
            session.flush()
            return FilledPrompt(read_info(session, row), text)
