"""A message from the chat to the ledger and back, through the real SDK and a server that speaks Gemini."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.chat.types import MessageStatus
from core.chat.wording import MAX_MESSAGE_CHARS
from core.errors import AppError, ErrorKind
from core.providers.types import Role
from core.services import Services
from core.usage.columns import EVENTS
from tests.fakes import gemini_server
from tests.fakes.gemini_server import GeminiServer, usage
from tests.fakes.script import Script
from tests.support.hub import MODEL, answered, ask, last, me, opened_with_gemini

Hub = tuple[Services, GeminiServer]


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    with opened_with_gemini(database_url, tmp_path) as both:
        yield both


def events(services: Services) -> list[dict[str, object]]:
    with services.unit.read() as session:
        return [dict(row) for row in session.execute(select(EVENTS).order_by(EVENTS.c.id)).mappings()]


def total(services: Services) -> tuple[int, int, dict[str, int]]:
    today = services.usage.today()
    figures = services.usage.report(me(services), today, today).total
    return figures.requests, figures.tokens, figures.costs


def test_an_answer_is_stored_with_what_the_server_reported(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=["Hi", " there"], usage=usage(prompt=2_459, output=23, cached=2_455)))
    message = answered(services, ask(services, model="gemini-3.5-flash"))
    assert (message.content, message.status) == ("Hi there", MessageStatus.COMPLETE)
    assert message.usage is not None
    assert message.cost is not None
    assert (message.usage.input_tokens, message.usage.cached_input_tokens) == (2_459, 2_455)
    assert not message.usage.estimated
    (event,) = events(services)
    assert message.cost.amount is not None
    assert event["cost_nano"] == message.cost.amount.nano > 0
    assert total(services) == (1, 2_482, {"USD": message.cost.amount.nano})


def test_the_thread_goes_along_and_is_named_after_its_first_message(hub: Hub) -> None:
    services, server = hub
    sent = ask(services, "What does a roll-up do, and why is it written with the event it sums?")
    answered(services, sent)
    answered(services, ask(services, "And then?", sent.thread.uuid))
    turns = server.requests[-1].body["contents"]
    assert [turn["role"] for turn in turns] == ["user", "model", "user"]
    (thread,) = services.chat.threads(me(services))
    assert thread.title == "What does a roll-up do, and why is it written with the…"
    roles = [m.role for m in services.chat.messages(me(services), thread.uuid)]
    assert roles == [Role.USER, Role.ASSISTANT, Role.USER, Role.ASSISTANT]


def test_stop_keeps_the_text_and_estimates_the_rest(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=["one ", "two ", "three"], hang_after=2))
    sent = ask(services)
    seen = ""
    for chunk in sent.generation.follow():
        seen += chunk.text if chunk else ""
        if seen == "one two ":
            break
    assert services.chat.stop(me(services), sent.thread.uuid)
    message = last(services, sent)
    assert (message.content, message.status) == ("one two ", MessageStatus.STOPPED)
    assert message.usage is not None
    assert message.usage.estimated
    assert [event["status"] for event in events(services)] == ["stopped"]
    assert not services.chat.stop(me(services), sent.thread.uuid)


def test_a_reader_can_come_in_at_any_offset(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=["alpha ", "beta ", "gamma"], delay=0.02))
    sent = ask(services)
    whole = "".join(chunk.text for chunk in sent.generation.follow() if chunk)
    later = [chunk for chunk in sent.generation.follow(6) if chunk]
    assert whole == "alpha beta gamma"
    assert (later[0].offset, "".join(chunk.text for chunk in later)) == (6, "beta gamma")


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (gemini_server.wrong_key(), ErrorKind.WRONG_KEY),
        (gemini_server.unknown_model("gone"), ErrorKind.UNKNOWN_MODEL),
        (gemini_server.rate_limit(seconds=7), ErrorKind.RATE_LIMIT),
        (gemini_server.too_long(), ErrorKind.INVALID_CONTEXT),
        (gemini_server.broken(), ErrorKind.PROVIDER),
    ],
)
def test_a_refused_call_is_recorded_and_costs_nothing(hub: Hub, script: Script, kind: ErrorKind) -> None:
    services, server = hub
    server.queue(script)
    message = answered(services, ask(services))
    assert message.status is MessageStatus.FAILED
    assert message.error is not None
    assert message.error.kind is kind
    (event,) = events(services)
    assert (event["error_kind"], event["cost_nano"], event["input_tokens"]) == (kind.value, 0, 0)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (Script(chunks=["one ", "two"], cut_after=1), ErrorKind.CUT_STREAM),
        (Script(chunks=["one ", "two"], garbage_after=1), ErrorKind.BAD_ANSWER),
    ],
)
def test_a_broken_stream_keeps_its_text_and_its_estimated_cost(
    hub: Hub, script: Script, kind: ErrorKind
) -> None:
    services, server = hub
    server.queue(script)
    message = answered(services, ask(services))
    assert (message.content, message.status) == ("one ", MessageStatus.FAILED)
    assert message.error is not None
    assert message.error.kind is kind
    (event,) = events(services)
    assert event["tokens_estimated"]
    assert event["output_tokens"] != 0


def test_retry_takes_the_failed_answers_place(hub: Hub) -> None:
    services, server = hub
    server.queue(gemini_server.overloaded())
    sent = ask(services)
    failed = answered(services, sent)
    again = services.chat.retry(me(services), sent.thread.uuid, failed.id, "gemini", MODEL)
    message = answered(services, again)
    assert (message.id, message.content, message.error) == (failed.id, "Hello, world!", None)
    assert message.created_at > failed.created_at
    assert [event["status"] for event in events(services)] == ["failed", "completed"]
    with pytest.raises(AppError, match="Only the last answer"):
        services.chat.retry(me(services), sent.thread.uuid, failed.id, "gemini", MODEL)


@pytest.mark.parametrize("text", ["", "  \n ", "\x00"])
def test_an_empty_message_is_refused_and_stored_nowhere(hub: Hub, text: str) -> None:
    services, server = hub
    with pytest.raises(AppError, match="empty"):
        ask(services, text)
    assert services.chat.threads(me(services)) == []
    assert server.requests == []


def test_a_provider_without_a_key_says_which_setting_it_wants(hub: Hub) -> None:
    services, _server = hub
    with pytest.raises(AppError, match="set OPENAI_API_KEY") as refused:
        services.chat.send(me(services), None, "Hello", "openai", "gpt-5.5")
    assert refused.value.kind is ErrorKind.NO_KEY
    assert services.chat.threads(me(services)) == []
    assert services.choices.knows("openai")
    assert not services.choices.knows("nobody")


def test_a_message_of_a_megabyte_is_refused_with_the_limit(hub: Hub) -> None:
    services, server = hub
    with pytest.raises(AppError, match=str(MAX_MESSAGE_CHARS)):
        ask(services, "x" * 1_000_000)
    assert server.requests == []


def test_the_longest_message_that_fits_arrives_whole(hub: Hub) -> None:
    services, server = hub
    answered(services, ask(services, "я" * MAX_MESSAGE_CHARS))
    assert server.requests[-1].body["contents"][0]["parts"][0]["text"] == "я" * MAX_MESSAGE_CHARS


def test_odd_characters_do_not_break_a_database(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(chunks=["nul \x00", "ok 🙂"]))
    message = answered(services, ask(services, "half a pair \ud83d and nul \x00."))
    assert message.content == "nul ok 🙂"


def test_a_thread_is_answered_one_at_a_time(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(hang_after=1))
    sent = ask(services)
    server.wait_for(lambda: server.asked)
    with pytest.raises(AppError, match="still being answered"):
        ask(services, "me too", sent.thread.uuid)
    services.chat.stop(me(services), sent.thread.uuid)
    assert answered(services, ask(services, "now", sent.thread.uuid)).status is MessageStatus.COMPLETE


def test_deleting_a_thread_changes_no_total_and_can_be_undone(hub: Hub) -> None:
    services, _server = hub
    sent = ask(services)
    answered(services, sent)
    before = total(services)
    services.chat.delete_thread(me(services), sent.thread.uuid)
    assert services.chat.threads(me(services)) == []
    assert total(services) == before
    services.chat.restore_thread(me(services), sent.thread.uuid)
    assert [m.role for m in services.chat.messages(me(services), sent.thread.uuid)] == [
        Role.USER,
        Role.ASSISTANT,
    ]


def test_another_users_thread_does_not_exist(hub: Hub) -> None:
    services, _server = hub
    sent = ask(services)
    answered(services, sent)
    stranger = me(services) + 1
    for verb in (
        services.chat.thread,
        services.chat.messages,
        services.chat.delete_thread,
        services.chat.stop,
    ):
        with pytest.raises(AppError) as refused:
            verb(stranger, sent.thread.uuid)
        assert refused.value.kind is ErrorKind.NOT_FOUND
    with pytest.raises(AppError, match="no such thread"):
        services.chat.rename_thread(stranger, sent.thread.uuid, "mine")
    assert services.chat.thread(me(services), sent.thread.uuid).title == "Hello"


@pytest.mark.parametrize(("title", "words"), [("  ", "needs a name"), ("x" * 201, "at most 200")])
def test_a_bad_name_is_refused(hub: Hub, title: str, words: str) -> None:
    services, _server = hub
    sent = ask(services)
    answered(services, sent)
    with pytest.raises(AppError, match=words):
        services.chat.rename_thread(me(services), sent.thread.uuid, title)


# --- unusual ends ---


@pytest.mark.parametrize("finish", ["STOP", "MALFORMED_FUNCTION_CALL"])
def test_an_answer_without_a_word_can_be_asked_for_again(hub: Hub, finish: str) -> None:
    services, gemini = hub
    gemini.queue(Script(chunks=[], finish=finish), Script(chunks=["Now it speaks"]))
    sent = ask(services)
    empty = answered(services, sent)
    assert (empty.status, empty.content) == (MessageStatus.COMPLETE, "")
    again = services.chat.retry(me(services), sent.thread.uuid, empty.id, "gemini", MODEL)
    assert answered(services, again).content == "Now it speaks"


def test_an_unknown_end_keeps_the_providers_own_word(hub: Hub) -> None:
    services, gemini = hub
    gemini.queue(Script(chunks=["Half an ans"], finish="SOMETHING_NEW"))
    message = answered(services, ask(services))
    assert (message.status, message.finish_reason) == (MessageStatus.COMPLETE, "other")
    assert message.raw_reason == "SOMETHING_NEW"


def test_a_given_answer_is_not_asked_for_again(hub: Hub) -> None:
    services, _ = hub
    sent = ask(services)
    message = answered(services, sent)
    with pytest.raises(AppError) as caught:
        services.chat.retry(me(services), sent.thread.uuid, message.id, "gemini", MODEL)
    assert caught.value.kind is ErrorKind.VALIDATION


def test_a_model_whose_name_cannot_be_kept_is_refused_before_anything_is_stored(hub: Hub) -> None:
    services, server = hub
    with pytest.raises(AppError, match="at most 200 fit") as refused:
        ask(services, model="m" * 201)
    assert refused.value.kind is ErrorKind.VALIDATION
    assert services.chat.threads(me(services)) == []
    # What no database takes is left out of a name, as of a message.
    answered(services, ask(services, model=f" {MODEL}\x00"))
    assert [event["model"] for event in events(services)] == [MODEL]
    assert len(server.asked) == 1
