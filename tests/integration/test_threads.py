"""Threads as programs see them: listed, found, changed, filed, put away, and nobody else's."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from core.chat import tables
from core.chat.types import (
    MessageStatus,
    NewMessage,
    NewThread,
    SendOptions,
    Sent,
    ThreadChanges,
    ThreadCursor,
    ThreadDetails,
    ThreadQuery,
)
from core.errors import AppError, ErrorKind
from core.providers.types import Role
from core.services import Services
from core.usage.columns import EVENTS
from core.usage.types import Source
from tests.fakes.gemini_server import GeminiServer, usage
from tests.fakes.script import Script
from tests.support.hub import MODEL, answered, ask, me, opened, opened_with_gemini
from tests.support.people import stranger

Hub = tuple[Services, GeminiServer]
PROMPT = "Ты опытный аналитик данных"
QUESTION = "Как лучше визуализировать сезонные тренды?"


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    with opened_with_gemini(database_url, tmp_path) as both:
        yield both


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """One hub for all the examples of a property; each has a user of its own."""
    folder = tmp_path_factory.mktemp("threads")
    with opened(f"sqlite:///{folder / 'aihub.db'}", folder) as services:
        yield services


def add(services: Services, title: str = "Thread", **fields: object) -> ThreadDetails:
    draft = NewThread("gemini", MODEL, title, **fields)  # pyright: ignore[reportArgumentType]
    return services.threads.create(me(services), draft)


def titles(services: Services, **query: object) -> list[str]:
    page = services.threads.list(me(services), ThreadQuery(**query))  # pyright: ignore[reportArgumentType]
    assert page.total >= len(page.items)
    return [each.thread.title for each in page.items]


def begun(sent: Sent) -> None:
    """Wait for the first words of an answer."""
    assert next(chunk for chunk in sent.generation.follow() if chunk)


# --- making and changing ---


def test_the_documented_example_is_stored_and_asks_no_model(hub: Hub) -> None:
    services, server = hub
    category = services.categories.create(me(services), "Аналитика данных", color="#0000FF")
    made = add(
        services,
        "Анализ данных о продажах",
        category_id=category.id,
        initial_message=QUESTION,
        system_prompt=PROMPT,
        max_tokens=2_000,
        temperature=0.8,
    )
    assert (made.message_count, made.category) == (2, category)
    assert made.last_message is not None
    assert (made.last_message.role, made.last_message.content) == (Role.USER, QUESTION)
    page = services.threads.messages(me(services), made.thread.id)
    assert [(each.role, each.content, each.tokens) for each in page.items] == [
        (Role.SYSTEM, PROMPT, None),
        (Role.USER, QUESTION, None),
    ]
    assert {each.thread_id for each in page.items} == {made.thread.id}
    assert server.requests == []
    assert services.threads.get(me(services), made.thread.uuid) == made
    assert services.threads.list(me(services)).items == (made,)


def test_what_a_thread_says_of_itself_reaches_the_model_and_a_message_stands_above_it(hub: Hub) -> None:
    services, server = hub
    made = add(services, system_prompt="Be brief.", initial_message="One", max_tokens=50, temperature=0.5)
    name = made.thread.id
    answered(services, services.chat.send(me(services), name, "Two", "gemini", MODEL))
    asked = server.requests[-1].body
    assert [turn["role"] for turn in asked["contents"]] in (["user", "user"], ["user"])
    assert asked["systemInstruction"]["parts"][0]["text"] == "Be brief."
    assert asked["generationConfig"]["maxOutputTokens"] == 50
    assert asked["generationConfig"]["temperature"] == 0.5
    how = SendOptions(use_context=False, system_prompt="Be long.", max_tokens=70, temperature=0.0)
    message = answered(services, services.chat.send(me(services), name, "Three", "gemini", MODEL, (), how))
    asked = server.requests[-1].body
    assert asked["contents"] == [{"role": "user", "parts": [{"text": "Three"}]}]
    assert asked["systemInstruction"]["parts"][0]["text"] == "Be long."
    assert (asked["generationConfig"]["maxOutputTokens"], asked["generationConfig"]["temperature"]) == (70, 0)
    assert message.with_context is False
    assert services.chat.thread(me(services), name).system_prompt == "Be brief."


def test_a_thread_can_begin_with_its_answer(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=["Hi"], usage=usage(prompt=9, output=3)))
    draft = NewThread("gemini", MODEL, initial_message=QUESTION, system_prompt=PROMPT, is_pinned=True)
    sent = services.chat.start(me(services), draft, SendOptions(source=Source.API))
    message = answered(services, sent)
    assert (message.content, message.tokens, message.with_context) == ("Hi", 3, True)
    assert sent.question_id is not None
    question = services.threads.message(me(services), sent.thread.id, sent.question_id)
    assert (question.content, question.tokens_estimated) == (QUESTION, True)
    details = services.threads.get(me(services), sent.thread.id)
    assert (details.thread.title, details.message_count, details.thread.is_pinned) == (QUESTION, 3, True)
    with services.unit.read() as session:
        assert session.scalars(select(EVENTS.c.source)).all() == ["api"]
    with pytest.raises(AppError, match="message is empty"):
        services.chat.start(me(services), replace(draft, initial_message=None))


def test_every_change_alone_changes_nothing_else(hub: Hub) -> None:
    services, _server = hub
    category = services.categories.create(me(services), "Work")
    before = add(services, system_prompt="Old").thread
    changes: list[ThreadChanges] = [
        {"title": "New name"},
        {"category_id": category.id},
        {"is_pinned": True},
        {"is_archived": True},
        {"system_prompt": "New"},
        {"system_prompt": None},
        {"model": "gemini-3.5-flash"},
        {"provider": "demo"},
        {"max_tokens": 7},
        {"temperature": 0.25},
        {"category_id": None},
    ]
    for change in changes:
        after = services.threads.update(me(services), before.id, change)
        assert after.thread == replace(before, updated_at=after.thread.updated_at, **change)
        assert after.thread.updated_at > before.updated_at
        before = after.thread
    assert services.threads.update(me(services), before.uuid, {}).thread == before


def test_a_system_prompt_has_one_message_that_says_it(hub: Hub) -> None:
    services, server = hub

    def shown() -> list[str]:
        found = services.threads.messages(me(services), name).items
        return [each.content for each in found if each.role is Role.SYSTEM]

    name = add(services).thread.id
    services.threads.update(me(services), name, {"system_prompt": "First"})
    assert shown() == ["First"]
    services.threads.update(me(services), name, {"system_prompt": "Second"})
    assert shown() == ["Second"]
    assert (titles(services, search="FIRST"), titles(services, search="SECOND")) == ([], ["Thread"])
    services.threads.add_message(me(services), name, NewMessage(Role.SYSTEM, "Third"))
    answered(services, ask(services, "Hello", services.chat.thread(me(services), name).uuid))
    assert server.requests[-1].body["systemInstruction"]["parts"][0]["text"] == "Third"
    services.threads.update(me(services), name, {"system_prompt": None})
    assert shown() == []
    assert titles(services, search="third") == []


def test_a_message_is_added_as_it_is(hub: Hub) -> None:
    services, server = hub
    name = add(services).thread.id
    meta = {"browser": "Chrome", "nested": {"nul": "a\x00b", "number": 1.5}}
    added = services.threads.add_message(
        me(services), name, NewMessage(Role.USER, QUESTION, tokens=16, meta=meta)
    )
    assert (added.tokens, added.tokens_estimated, added.meta["browser"]) == (16, False, "Chrome")
    answer = NewMessage(Role.ASSISTANT, "So.", provider="gemini", model=MODEL)
    services.threads.add_message(me(services), name, answer)
    found = services.threads.messages(me(services), name).items
    assert (found[0], found[1].model, found[1].usage) == (added, MODEL, None)
    assert titles(services, search="СЕЗОННЫЕ") == ["Thread"]
    assert server.requests == []
    assert services.chat.messages(me(services), name)[0] == added


BAD: list[tuple[ThreadChanges, str]] = [
    ({"title": " \n "}, "needs a name"),
    ({"title": "x" * 201}, "201 characters; at most 200"),
    ({"system_prompt": "x" * 20_001}, "at most 20000"),
    ({"max_tokens": 0}, "from 1 to 1000000"),
    ({"temperature": float("nan")}, "from 0 to 2"),
    ({"model": " "}, "no name"),
    ({"provider": "nobody"}, "no provider"),
]


def test_what_cannot_be_kept_is_refused_and_changes_nothing(hub: Hub) -> None:
    services, _server = hub
    user, made = me(services), add(services)
    for changes, words in BAD:
        with pytest.raises(AppError, match=words) as refused:
            services.threads.update(user, made.thread.id, {"is_pinned": True, **changes})
        assert refused.value.kind is ErrorKind.VALIDATION
        with pytest.raises(AppError, match=words):
            services.threads.create(user, replace(NewThread("gemini", MODEL, "New"), **changes))
    with pytest.raises(AppError, match="needs a name"):
        services.threads.create(user, NewThread("gemini", MODEL))
    for message, words in (
        (NewMessage(Role.TOOL, "x"), "user, the assistant or the system"),
        (NewMessage(Role.USER, " "), "message is empty"),
        (NewMessage(Role.USER, "x", tokens=-1), "0 or more"),
        (NewMessage(Role.USER, "x", tokens=2**40), "0 or more"),
        (NewMessage(Role.USER, "x", meta={"a": float("nan")}), "not JSON"),
        (NewMessage(Role.USER, "x", meta={"a": "b" * 20_001}), "longer than 20000"),
    ):
        with pytest.raises(AppError, match=words):
            services.threads.add_message(user, made.thread.id, message)
    for how in (SendOptions(max_tokens=-1), SendOptions(deadline_seconds=0), SendOptions(temperature=3)):
        with pytest.raises(AppError) as refused:
            services.chat.send(user, made.thread.id, "Hello", "demo", "demo", options=how)
        assert refused.value.kind is ErrorKind.VALIDATION
    assert services.threads.list(user).items == (made,)


# --- listing and searching ---


def test_the_list_is_filtered_counted_and_ordered_by_activity(hub: Hub) -> None:
    services, _server = hub
    category = services.categories.create(me(services), "Work")
    made = [
        add(
            services,
            f"Thread {number}",
            category_id=category.id if number % 2 else None,
            is_pinned=number < 2,
            is_archived=number > 4,
        )
        for number in range(7)
    ]
    services.threads.add_message(me(services), made[2].thread.id, NewMessage(Role.USER, "news"))
    page = services.threads.list(me(services), ThreadQuery(skip=1, limit=2))
    assert ([each.thread.title for each in page.items], page.total) == (["Thread 6", "Thread 5"], 7)
    assert titles(services)[0] == "Thread 2"
    assert titles(services, category_id=category.id) == ["Thread 5", "Thread 3", "Thread 1"]
    assert titles(services, category_id=category.id, is_archived=False, is_pinned=True) == ["Thread 1"]
    assert titles(services, is_archived=True) == ["Thread 6", "Thread 5"]
    assert services.threads.list(me(services), ThreadQuery(skip=50)).total == 7
    assert titles(services, category_id=10**30) == []
    # What was put away does not stand in the chat's own list.
    assert len(services.chat.threads(me(services))) == 5
    for part in ({"skip": -1}, {"limit": 0}, {"limit": 501}, {"skip": 10**20}, {"search": "x" * 201}):
        with pytest.raises(AppError) as refused:
            titles(services, **part)
        assert refused.value.kind is ErrorKind.VALIDATION


def test_a_search_reads_titles_questions_and_answers_in_any_letter_case(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=["Ёлки ", "и Палки, 100%_done"], usage=usage(prompt=1, output=1)))
    sent = ask(services, "Расскажи про\nСЕЗОННЫЕ тренды")
    answered(services, sent)
    services.chat.rename_thread(me(services), sent.thread.uuid, "Отчёт за Март")
    add(services, "Other", initial_message="Елки in another thread")
    for search in ("отчет ЗА март", "про сезонные", "елки И ПАЛКИ", "100%_DONE"):
        assert titles(services, search=search) == ["Отчёт за Март"], search
    assert titles(services, search="ёлки") == ["Other", "Отчёт за Март"]
    assert titles(services, search="100%done") == titles(services, search="расскажи%тренды") == []
    assert titles(services, search=" \n ") == ["Other", "Отчёт за Март"]
    services.chat.rename_thread(me(services), sent.thread.uuid, "April")
    assert titles(services, search="март") == []


def test_an_answer_that_was_stopped_tried_again_or_lost_can_be_found(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=["unfinished ", "x"], hang_after=1))
    sent = ask(services, "stopped question")
    begun(sent)
    assert services.chat.stop(me(services), sent.thread.id)
    assert titles(services, search="unfinished") == titles(services, search="stopped") != []
    message = services.chat.messages(me(services), sent.thread.id)[-1]
    answered(services, services.chat.retry(me(services), sent.thread.id, message.id, "gemini", MODEL))
    assert (titles(services, search="unfinished"), len(titles(services, search="hello, WORLD"))) == ([], 1)


def test_a_search_finds_ones_own_threads_by_indexes_alone(tmp_path: Path) -> None:
    """Nothing of a search may read a table from end to end, or the size of others' threads would count."""
    seen: list[str] = []
    with opened(f"sqlite:///{tmp_path / 'aihub.db'}", tmp_path) as services:
        add(services, initial_message="needle")
        user = me(services)
        with services.unit.read() as session:
            bind = session.get_bind()

        from sqlalchemy import event

        @event.listens_for(bind, "before_cursor_execute")
        def note(_c: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
            if statement.lstrip().startswith("SELECT"):
                plan = f"EXPLAIN QUERY PLAN {statement}"
                seen.extend(row[-1] for row in cursor.connection.execute(plan, parameters))  # type: ignore[attr-defined]

        try:
            services.threads.list(user, ThreadQuery(search="NEEDLE", limit=5))
            services.threads.stats(user)
            services.threads.newest_messages(user)
        finally:
            event.remove(bind, "before_cursor_execute", note)
    assert any("message_texts" in step for step in seen)
    # What stands in brackets was found by an index first.
    assert [step for step in seen if step.startswith("SCAN") and "(subquery" not in step] == []


@settings(max_examples=12, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=8),
    added=st.lists(st.integers(0, 2), min_size=8, max_size=8),
    count=st.integers(0, 9),
)
def test_no_thread_comes_twice_or_is_lost_while_others_are_added(
    small: Services, sizes: list[int], added: list[int], count: int
) -> None:
    user = stranger(small, f"reader-{id(sizes)}-{small.threads.stats(1).threads}-{_next()}")

    def make(number: int) -> list[str]:
        draft = NewThread("demo", "demo", "Thread")
        return [small.threads.create(user, draft).thread.uuid for _ in range(number)]

    there = make(count)
    read: list[str] = []
    cursor: ThreadCursor | None = None
    for turn in range(50):
        query = ThreadQuery(limit=sizes[turn % len(sizes)], after=cursor)
        page = small.threads.list(user, query)
        read += [each.thread.uuid for each in page.items]
        if page.next is None:
            break
        cursor = page.next
        make(added[turn] if turn < len(added) else 0)
    assert read == there[::-1]


@settings(max_examples=12, deadline=None)
@given(count=st.integers(0, 9), limit=st.integers(1, 4), added=st.integers(0, 2))
def test_messages_are_read_in_both_directions_without_a_gap(
    small: Services, count: int, limit: int, added: int
) -> None:
    user = me(small)
    name = small.threads.create(user, NewThread("demo", "demo", "Paged")).thread.id

    def say(number: int) -> list[int]:
        wanted = NewMessage(Role.USER, "word")
        return [small.threads.add_message(user, name, wanted).id for _ in range(number)]

    there = say(count)
    read: list[int] = []
    before: int | None = None
    while True:
        page = small.threads.messages(user, name, before_id=before, limit=limit)
        read = [each.id for each in page.items] + read
        if not page.has_more:
            break
        before = read[0]
        say(added)
    assert read == there
    after, forward = 0, list[int]()
    while True:
        page = small.threads.messages(user, name, after_id=after, limit=limit)
        forward += [each.id for each in page.items]
        if not page.has_more:
            break
        after = forward[-1]
    assert forward[: len(there)] == there
    assert page.total == len(forward)


# --- several at once ---


@settings(max_examples=12, deadline=None)
@given(data=st.data(), verb=st.sampled_from(["delete", "archive"]))
def test_a_bulk_operation_is_done_to_all_or_to_none(small: Services, data: st.DataObject, verb: str) -> None:
    user, other = me(small), stranger(small, f"bystander-{_next()}")
    draft = NewThread("demo", "demo", "Bulk")
    mine = [small.threads.create(user, draft).thread.id for _ in range(4)]
    gone = small.threads.create(user, draft).thread.id
    small.threads.delete(user, [gone])
    theirs = small.threads.create(other, draft).thread.id
    foreign = [theirs, gone, 0, -5, 2**70]
    wanted = data.draw(st.lists(st.sampled_from(mine + foreign), max_size=6))
    before = {name: small.threads.get(user, name) for name in mine}
    run: Callable[[int, list[int]], object] = (
        small.threads.delete if verb == "delete" else small.threads.archive
    )
    if set(wanted) & set(foreign):
        with pytest.raises(AppError, match="no such thread") as refused:
            run(user, wanted)
        assert refused.value.kind is ErrorKind.NOT_FOUND
        assert {name: small.threads.get(user, name) for name in mine} == before
    else:
        run(user, wanted)
        archived = ThreadQuery(limit=500, is_archived=verb == "archive")
        found = {each.thread.id for each in small.threads.list(user, archived).items}
        assert set(mine) & found == (set(mine) - set(wanted) if verb == "delete" else set(wanted))
    assert small.threads.get(other, theirs).thread.is_archived is False


def test_archiving_answers_in_the_order_asked_and_can_be_taken_back(hub: Hub) -> None:
    services, _server = hub
    made = [add(services, f"Thread {number}").thread for number in range(3)]
    names = [made[2].id, made[0].uuid, made[2].uuid]
    found = services.threads.archive(me(services), names)
    assert [each.thread.title for each in found] == ["Thread 2", "Thread 0"]
    assert all(each.thread.is_archived for each in found)
    assert services.threads.archive(me(services), [made[2].id]) == found[:1]
    back = services.threads.archive(me(services), names, archived=False)
    assert not any(each.thread.is_archived for each in back)
    with pytest.raises(AppError, match="1001 threads; at most 1000"):
        services.threads.delete(me(services), list(range(1, 1_002)))
    services.threads.delete(me(services), [])


def test_deleting_several_stops_what_is_being_written_and_no_total_changes(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=["one ", "two"], hang_after=1))
    sent = ask(services)
    begun(sent)
    other = add(services).thread
    services.threads.delete(me(services), [sent.thread.id, other.id])
    assert sent.generation.done
    assert services.threads.list(me(services)).total == 0
    today = services.usage.today()
    assert services.usage.report(me(services), today, today).total.requests == 1
    restored = services.chat.restore_thread(me(services), sent.thread.uuid)
    assert services.threads.messages(me(services), restored.id).items[-1].status is MessageStatus.STOPPED


def test_an_answer_that_ends_after_its_thread_is_gone_still_counts(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=["one ", "two"], hang_after=1))
    sent = ask(services)
    begun(sent)
    with services.unit.write() as session:
        session.delete(session.get_one(tables.Thread, sent.thread.id))
    assert services.generation.stop(sent.generation.request.request_id)
    assert sent.generation.wait(20)
    assert sent.generation.storage_error is None
    today = services.usage.today()
    assert services.usage.report(me(services), today, today).total.requests == 1


# --- figures, and the rest ---


def test_statistics_and_the_newest_messages(hub: Hub) -> None:
    services, server = hub
    empty = services.threads.stats(me(services))
    assert (empty.threads, empty.messages, empty.messages_per_thread, empty.recent) == (0, 0, None, ())
    server.queue(Script(chunks=["Hi"], usage=usage(prompt=9, output=30)))
    sent = ask(services, "x" * 40)
    answered(services, sent)
    add(services, "Away", is_archived=True)
    stats = services.threads.stats(me(services))
    messages = services.threads.messages(me(services), sent.thread.id).items
    assert stats.tokens == sum(each.tokens or 0 for each in messages) == 30 + (messages[0].tokens or 0)
    assert (stats.threads, stats.active, stats.messages, stats.messages_per_thread) == (2, 1, 2, 1.0)
    assert stats.tokens_per_message == stats.tokens / 2
    assert [each.thread.title for each in stats.recent] == ["Away", "x" * 40]
    newest = services.threads.newest_messages(me(services), skip=0, limit=1)
    assert (newest.items[0], newest.total, newest.has_more) == (messages[1], 2, True)


def test_a_call_is_counted_under_its_category_and_its_prompt(hub: Hub) -> None:
    services, _server = hub
    category = services.categories.create(me(services), "Work")
    name = add(services, category_id=category.id).thread.id
    sent = services.chat.send(me(services), name, "Hello", "gemini", MODEL, (), SendOptions(prompt="Ideas"))
    answered(services, sent)
    with services.unit.read() as session:
        stored = session.get_one(tables.Message, sent.message_id)
        tags = [["category", "Work"], ["prompt", "Ideas"]]
        assert stored.tags == tags
        assert session.scalars(select(EVENTS.c.tags)).all() == [tags]


def test_another_users_thread_does_not_exist(hub: Hub) -> None:
    services, _server = hub
    user, other = me(services), stranger(services)
    draft = NewThread("demo", "demo", "Private", initial_message="Secret words")
    theirs = services.threads.create(other, draft).thread
    message = services.threads.messages(other, theirs.id).items[0]
    mine = add(services, "Mine").thread
    verbs: list[Callable[[int | str], object]] = [
        lambda name: services.threads.get(user, name),
        lambda name: services.threads.update(user, name, {"title": "Taken"}),
        lambda name: services.threads.messages(user, name),
        lambda name: services.threads.message(user, name, message.id),
        lambda name: services.threads.add_message(user, name, NewMessage(Role.USER, "x")),
        lambda name: services.threads.archive(user, [mine.id, name]),
        lambda name: services.threads.delete(user, [mine.id, name]),
        lambda name: services.chat.send(user, name, "x", "demo", "demo"),
        lambda name: services.chat.stop(user, name),
        lambda name: services.chat.rename_thread(user, name, "Taken"),
    ]
    names: list[int | str] = [theirs.id, theirs.uuid, 0, -1, 10**30, "nobody", "\x00", "\ud800"]
    for verb, name in product(verbs, names):
        with pytest.raises(AppError, match="no such thread") as error:
            verb(name)
        assert error.value.kind is ErrorKind.NOT_FOUND
    for number in (message.id, 0, 10**30):
        with pytest.raises(AppError, match="no such message"):
            services.threads.message(user, mine.id, number)
    assert titles(services, search="secret") == []
    assert services.threads.newest_messages(user).total == 0
    assert services.threads.stats(user).messages == 0
    assert services.threads.get(other, theirs.id).message_count == 1


def test_what_was_stored_before_can_be_searched_and_counted(tmp_path: Path) -> None:
    """The migration folds titles and messages, and tells the answers' tokens."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from core.store.migrate import MIGRATIONS_DIR

    url = f"sqlite:///{tmp_path / 'aihub.db'}"
    with opened(url, tmp_path) as services:
        sent = services.chat.send(me(services), None, "Первый ВОПРОС", "demo", "demo")
        answered(services, sent)
        before = services.threads.stats(me(services))
        with services.unit.write() as session:
            connection = session.connection()
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS_DIR))
            config.attributes["connection"] = connection
            before_it = ScriptDirectory.from_config(config).get_revision("0008").down_revision
            command.downgrade(config, str(before_it))
            columns = connection.execute(text("SELECT * FROM threads")).keys()
            assert "category_id" not in columns
    with opened(url, tmp_path) as services:
        assert titles(services, search="первый вопрос") == ["Первый ВОПРОС"]
        answer = services.chat.messages(me(services), sent.thread.id)[-1]
        assert answer.usage is not None
        assert (answer.tokens, before.messages) == (answer.usage.output_tokens, 2)


_numbers = iter(range(10**9))


def _next() -> int:
    return next(_numbers)
