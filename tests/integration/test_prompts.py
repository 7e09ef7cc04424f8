"""The prompt library: kept, found, filled in, and nobody else's."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.chat.types import SendOptions
from core.errors import AppError, ErrorKind
from core.prompts.types import NewPrompt, PromptChanges, PromptInfo, PromptQuery
from core.prompts.variables import fill, variables_of
from core.providers.types import CompletionRequest
from core.services import Services
from core.store.text import storable
from tests.support.hub import me, opened
from tests.support.people import stranger


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Services]:
    with opened(database_url, tmp_path) as services:
        yield services


def add(hub: Services, title: str, content: str = "Text", **fields: object) -> PromptInfo:
    return hub.prompts.create(me(hub), NewPrompt(title, content, **fields))  # pyright: ignore[reportArgumentType]


def titles(hub: Services, **query: object) -> list[str]:
    page = hub.prompts.list(me(hub), PromptQuery(**query))  # pyright: ignore[reportArgumentType]
    return [each.title for each in page.items]


def test_the_documented_example(hub: Services) -> None:
    user = me(hub)
    category = hub.categories.create(user, "Аналитика данных", color="#0000FF")
    science = hub.categories.create(user, "Научные исследования", color="#008000")
    made = add(
        hub,
        "План маркетингового исследования",
        "Проанализируй целевую аудиторию продукта {название_продукта} и предложи стратегию.",
        description="Промпт для плана",
        category_id=category.id,
        is_favorite=True,
    )
    assert (made.category, made.is_favorite, made.variables) == (category, True, ("название_продукта",))
    assert made.created_at == made.updated_at
    changed = hub.prompts.update(
        user, made.id, {"content": "По теме {тема_исследования}", "category_id": science.id}
    )
    assert (changed.title, changed.category, changed.variables) == (
        made.title,
        science,
        ("тема_исследования",),
    )
    assert changed.updated_at > changed.created_at == made.created_at
    assert hub.prompts.get(user, made.id) == changed
    hub.prompts.delete(user, made.id)
    assert hub.prompts.list(user).total == 0


def test_the_library_is_filtered_and_read_in_parts(hub: Services) -> None:
    category = hub.categories.create(me(hub), "Work")
    for number in range(7):
        add(
            hub,
            f"Prompt {number}",
            category_id=category.id if number % 2 else None,
            is_favorite=number < 3,
        )
    page = hub.prompts.list(me(hub), PromptQuery(skip=2, limit=3))
    assert ([each.title for each in page.items], page.total) == (["Prompt 4", "Prompt 3", "Prompt 2"], 7)
    assert titles(hub, category_id=category.id) == ["Prompt 5", "Prompt 3", "Prompt 1"]
    assert titles(hub, is_favorite=True, category_id=category.id) == ["Prompt 1"]
    assert titles(hub, is_favorite=False, skip=3) == ["Prompt 3"]
    assert titles(hub, category_id=10**30) == []
    for part in ({"skip": -1}, {"limit": 0}, {"limit": 501}, {"skip": 10**20}, {"search": "x" * 201}):
        with pytest.raises(AppError) as refused:
            titles(hub, **part)
        assert refused.value.kind is ErrorKind.VALIDATION


def test_a_search_knows_no_letter_case_in_any_alphabet(hub: Services) -> None:
    add(hub, "Other", "ёлка 100 x")
    add(hub, "Found", "Расскажи про Ёжик в\nтумане, 100% и A_X")
    for search in ("ЁЖИК в", "ежик  В ТУМАНЕ", "100%", "тумане\n", "_x"):
        assert titles(hub, search=search) == ["Found"], search
    assert titles(hub, search="fOuN") == ["Found"]
    assert titles(hub, search="found расскажи") == []  # a title does not run on into the content
    assert titles(hub, search="  ") == ["Found", "Other"]


def test_a_change_is_found_and_what_was_there_before_is_not(hub: Services) -> None:
    made = add(hub, "Before", "Первый")
    hub.prompts.update(me(hub), made.id, {"title": "After", "content": "Второй"})
    assert (titles(hub, search="ВТОРОЙ"), titles(hub, search="первый")) == (["After"], [])


def test_a_use_is_filled_in_counted_and_recorded_with_the_call(hub: Services) -> None:
    made = add(hub, "Ideas", "Give {count} ideas on {{theme}}.")
    filled = hub.prompts.use(me(hub), made.id, {"count": "5", "theme": "{count} cats"})
    assert filled.text == "Give 5 ideas on {count} cats."
    found = hub.prompts.get(me(hub), made.id)
    assert (found.usage_count, found.updated_at) == (1, made.updated_at)
    assert found.last_used_at is not None
    with pytest.raises(AppError, match="needs: theme"):
        hub.prompts.use(me(hub), made.id, {"count": "5"})
    with pytest.raises(AppError, match="no place called topic"):
        hub.prompts.use(me(hub), made.id, {"count": "5", "theme": "x", "topic": "y"})
    assert hub.prompts.get(me(hub), made.id).usage_count == 1
    sent = hub.chat.send(
        me(hub), None, filled.text, "demo", "demo", options=SendOptions(prompt=filled.prompt.title)
    )
    assert sent.generation.wait(20)
    completion = sent.generation.request.completion
    assert isinstance(completion, CompletionRequest)
    assert completion.messages[-1].text == filled.text


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("{тема} и {тема}, {другое}", ("тема", "другое")),
        ("{{ name }} {a-b}", ("name", "a-b")),
        ('{"a": 1} {} {1} {x:.2f} {a b} {{{x}}} {_p}', ("x",)),
        ("no places", ()),
    ],
)
def test_places_are_names_in_braces_and_nothing_else(content: str, names: tuple[str, ...]) -> None:
    assert variables_of(content) == names


_NAMES = st.from_regex(r"[a-zа-яё][\w-]{0,5}", fullmatch=True)
_PLAIN = st.text(st.characters(exclude_characters="{}\x00", exclude_categories=["Cs"]), max_size=10)
_PLACES = st.tuples(_NAMES, st.sampled_from(["{%s}", "{{%s}}", "{{ %s }}"]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_PLAIN, _PLACES), max_size=6), st.text(max_size=10))
def test_filling_in_puts_each_value_in_its_places_and_changes_nothing_else(
    parts: list[tuple[str, tuple[str, str]]], value: str
) -> None:
    content = "".join(text + style % name for text, (name, style) in parts)
    values = {name: f"{{{name}}}={storable(value)}" for _, (name, _) in parts}
    assert set(variables_of(content)) == set(values)
    assert fill(content, values) == "".join(text + values[name] for text, (name, _) in parts)


def test_a_text_that_would_grow_without_end_is_refused(hub: Services) -> None:
    made = add(hub, "Bomb", "{a}" * 30_000)
    with pytest.raises(AppError, match="at most 500000 fit"):
        hub.prompts.use(me(hub), made.id, {"a": "x" * 100_000})


BAD: list[tuple[PromptChanges, str]] = [
    ({"title": " \n"}, "needs a title"),
    ({"title": "x" * 201}, "201 characters; at most 200"),
    ({"content": " \x00\n"}, "says nothing"),
    ({"content": "x" * 100_001}, "100001 characters; at most 100000"),
    ({"description": "x" * 2_001}, "2001 characters; at most 2000"),
]


def test_what_cannot_be_kept_is_refused_and_changes_nothing(hub: Services) -> None:
    made = add(hub, "Mine")
    for changes, words in BAD:
        with pytest.raises(AppError, match=words) as refused:
            hub.prompts.update(me(hub), made.id, {"is_favorite": True, **changes})
        assert refused.value.kind is ErrorKind.VALIDATION
        with pytest.raises(AppError, match=words):
            add(hub, **{"title": "New", **changes})
    assert hub.prompts.list(me(hub)).items == (made,)


def test_another_users_prompt_does_not_exist(hub: Services) -> None:
    user, other = me(hub), stranger(hub)
    theirs = hub.prompts.create(other, NewPrompt("Private", "Secret words"))
    verbs: list[Callable[[int], object]] = [
        lambda number: hub.prompts.get(user, number),
        lambda number: hub.prompts.update(user, number, {"title": "Taken"}),
        lambda number: hub.prompts.use(user, number),
        lambda number: hub.prompts.delete(user, number),
    ]
    for verb, number in product(verbs, [theirs.id, 0, -1, 10**30]):
        with pytest.raises(AppError, match="no such prompt") as error:
            verb(number)
        assert error.value.kind is ErrorKind.NOT_FOUND
    assert titles(hub, search="secret") == []
    assert hub.prompts.get(other, theirs.id) == theirs
