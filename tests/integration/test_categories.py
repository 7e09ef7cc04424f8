"""Categories: what is kept, what is refused, and that deleting one takes nothing with it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from core.categories.service import DEFAULT_COLOR, MOST_CATEGORIES
from core.categories.tables import Category
from core.categories.types import CategoryChanges
from core.chat.types import NewThread
from core.errors import AppError, ErrorKind
from core.prompts.types import NewPrompt
from core.services import Services
from tests.support.hub import me, opened
from tests.support.people import stranger


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Services]:
    with opened(database_url, tmp_path) as services:
        yield services


def test_the_documented_example(hub: Services) -> None:
    user = me(hub)
    made = hub.categories.create(
        user, "Учебные проекты", "Треды, связанные с учебными заданиями и проектами", "#4B0082"
    )
    assert (made.user_id, made.name, made.color) == (user, "Учебные проекты", "#4B0082")
    assert made.created_at == made.updated_at
    changed = hub.categories.update(
        user, made.id, {"name": "Проекты по машинному обучению", "description": "ML", "color": "#800080"}
    )
    assert (changed.id, changed.name, changed.color) == (
        made.id,
        "Проекты по машинному обучению",
        "#800080",
    )
    assert changed.created_at == made.created_at
    assert changed.updated_at > made.updated_at
    assert hub.categories.all(user) == (changed,)
    assert hub.categories.get(user, made.id) == changed
    hub.categories.delete(user, made.id)
    assert hub.categories.all(user) == ()


def test_what_is_not_named_stays_and_what_is_left_out_has_a_default(hub: Services) -> None:
    made = hub.categories.create(me(hub), "  Data \n science ", "  ", "#0aF")
    assert (made.name, made.description, made.color) == ("Data science", None, "#00aaFF")
    renamed = hub.categories.update(me(hub), made.id, {"name": "Statistics"})
    assert (renamed.name, renamed.color) == ("Statistics", "#00aaFF")
    assert hub.categories.update(me(hub), made.id, {}) == renamed
    assert hub.categories.update(me(hub), made.id, {"color": None}).color == DEFAULT_COLOR


def test_threads_and_prompts_outlive_their_category(hub: Services) -> None:
    user = me(hub)
    category = hub.categories.create(user, "Work")
    thread = hub.threads.create(user, NewThread("demo", "demo", "Plans", category.id))
    prompt = hub.prompts.create(user, NewPrompt("Idea", "Say {x}", category_id=category.id))
    assert thread.category == prompt.category == category
    hub.categories.delete(user, category.id)
    assert hub.threads.get(user, thread.thread.id).category is None
    assert hub.threads.get(user, thread.thread.id).thread.category_id is None
    assert hub.prompts.get(user, prompt.id).category is None


BAD: list[tuple[CategoryChanges, str]] = [
    ({"name": " \x00 "}, "needs a name"),
    ({"name": "x" * 101}, "101 characters; at most 100"),
    ({"description": "x" * 2_001}, "2001 characters; at most 2000"),
    ({"color": "blue"}, "such as #0000FF"),
    ({"color": "#12345"}, "such as #0000FF"),
    ({"color": "#GGGGGG"}, "such as #0000FF"),
]


def test_what_cannot_be_kept_is_refused_and_changes_nothing(hub: Services) -> None:
    made = hub.categories.create(me(hub), "Work", "Mine", "#112233")
    for changes, words in BAD:
        with pytest.raises(AppError, match=words) as refused:
            hub.categories.update(me(hub), made.id, {"name": "Other", **changes})
        assert refused.value.kind is ErrorKind.VALIDATION
        with pytest.raises(AppError, match=words):
            hub.categories.create(me(hub), **{"name": "New", **changes})
    assert hub.categories.all(me(hub)) == (made,)


def test_another_users_category_does_not_exist(hub: Services) -> None:
    user, other = me(hub), stranger(hub)
    theirs = hub.categories.create(other, "Private")
    mine = hub.threads.create(user, NewThread("demo", "demo", "Mine")).thread
    prompt = hub.prompts.create(user, NewPrompt("Mine", "Text"))
    verbs: list[Callable[[int], object]] = [
        lambda number: hub.categories.get(user, number),
        lambda number: hub.categories.update(user, number, {"name": "Taken"}),
        lambda number: hub.categories.delete(user, number),
        lambda number: hub.threads.create(user, NewThread("demo", "demo", "New", number)),
        lambda number: hub.threads.update(user, mine.id, {"category_id": number, "title": "New"}),
        lambda number: hub.prompts.create(user, NewPrompt("New", "Text", category_id=number)),
        lambda number: hub.prompts.update(user, prompt.id, {"title": "New", "category_id": number}),
    ]
    for verb, number in product(verbs, [theirs.id, 0, -1, 10**30]):
        with pytest.raises(AppError, match="no such category") as error:
            verb(number)
        assert error.value.kind is ErrorKind.NOT_FOUND
    assert hub.categories.all(user) == ()
    assert hub.categories.all(other) == (theirs,)
    assert [each.thread for each in hub.threads.list(user).items] == [mine]
    assert hub.prompts.list(user).items == (prompt,)


def test_there_is_an_end_to_them(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'aihub.db'}", tmp_path) as hub:
        now, user = datetime.now(UTC), me(hub)
        with hub.unit.write() as session:
            times = {"created_at": now, "updated_at": now}
            session.add_all(
                Category(user_id=user, name=f"Category {number}", color=DEFAULT_COLOR, **times)
                for number in range(MOST_CATEGORIES)
            )
        with pytest.raises(AppError, match="500 categories already"):
            hub.categories.create(me(hub), "One more")
        assert hub.categories.create(stranger(hub), "Theirs").name == "Theirs"
