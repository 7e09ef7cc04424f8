"""A stream goes on exactly where it broke off: nothing is lost, and nothing comes twice."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.testclient import TestClient

from core.config import Settings
from core.services import Services, open_services
from tests.api.conftest import SignUp
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.script import Script
from tests.support.databases import on_both_databases
from tests.support.event_stream import Received, events_from, events_in, names_of, text_of
from tests.support.hub import KEY, MODEL, NO_RETRY
from tests.support.live_api import serving
from tests.support.members import fast_passwords

PIECES = ["Once ", "upon ", "a 😀 ", "time\n\n", "there was", " an end."]
TEXT = "".join(PIECES)
# Letters of every width, and whatever might end a line or an event.
pieces = st.lists(
    st.text(st.sampled_from("aя😀\n\r\u2028\x85 :"), min_size=1, max_size=6), min_size=1, max_size=6
).filter(lambda each: "".join(each).strip() != "")


def thread_of(client: TestClient) -> int:
    return client.post("/api/threads", json={"title": "One", "provider": "gemini", "model": MODEL}).json()[
        "id"
    ]


def ask(client: TestClient, thread_id: int) -> list[Received]:
    answer = client.post(f"/api/threads/{thread_id}/stream", json={"content": "Hello"})
    assert answer.status_code == 200, answer.text
    return events_in(answer.text)


def after(client: TestClient | httpx.Client, thread_id: int, event_id: str | None) -> Any:
    headers = {} if event_id is None else {"Last-Event-ID": event_id}
    return client.get(f"/api/threads/{thread_id}/stream", headers=headers)


@contextmanager
def live(client: TestClient) -> Iterator[httpx.Client]:
    """The same person over a real connection."""
    headers = {"Authorization": client.headers["Authorization"]}
    with serving() as url, httpx.Client(base_url=url, headers=headers, timeout=30) as real:
        yield real


@contextmanager
def another_process(database_url: str, data_dir: Path, gemini: GeminiServer) -> Iterator[Services]:
    """The same hub once more: its engine knows nothing of the answers that the first one writes."""
    values: dict[str, object] = {
        "data_dir": data_dir,
        "database_url": SecretStr(database_url),
        "GEMINI_API_KEY": KEY,
        "GOOGLE_GEMINI_BASE_URL": gemini.url,
    }
    opened = open_services(Settings(**values), retry=NO_RETRY, passwords=fast_passwords())  # pyright: ignore[reportArgumentType]
    try:
        yield opened
    finally:
        opened.close()


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(cut=pieces)
def test_however_the_text_was_cut_every_event_is_a_place_to_go_on(
    ann: TestClient, gemini: GeminiServer, cut: list[str]
) -> None:
    gemini.queue(Script(chunks=cut))
    thread_id = thread_of(ann)
    events = ask(ann, thread_id)
    text = "".join(cut)
    assert text_of(events) == text
    for seen, event in enumerate(events[:-1], start=1):
        rest = events_in(after(ann, thread_id, event.id).text)
        assert text_of(events[:seen]) + text_of(rest) == text
        assert rest[-1] == events[-1]
        assert all(each.sequence > event.sequence for each in rest)
    # Between two characters there is a place too, whoever names it.
    name = events[0].id.partition(":")[0]
    for offset in range(len(text) + 1):
        assert text_of(events_in(after(ann, thread_id, f"{name}:{2 + offset}").text)) == text[offset:]


def test_without_an_id_the_last_answer_comes_from_its_start(ann: TestClient, gemini: GeminiServer) -> None:
    thread_id = thread_of(ann)
    nothing = after(ann, thread_id, None)
    assert (nothing.status_code, nothing.json()["error_type"]) == (404, "not_found")
    gemini.queue(Script(chunks=["first"]), Script(chunks=["second"]))
    first, second = ask(ann, thread_id), ask(ann, thread_id)
    again = events_in(after(ann, thread_id, None).text)
    assert names_of(again) == ["connected", "delta", "done"]
    assert (again[0], again[-1], text_of(again)) == (second[0], second[-1], "second")
    assert text_of(events_in(after(ann, thread_id, first[0].id).text)) == "first"


def test_who_has_everything_is_told_to_stay_away(ann: TestClient, gemini: GeminiServer) -> None:
    thread_id = thread_of(ann)
    gemini.queue(Script(chunks=PIECES), Script(chunks=["Well"], cut_after=1))
    for _ in range(2):
        end = after(ann, thread_id, ask(ann, thread_id)[-1].id)
        assert (end.status_code, end.content) == (204, b"")


def test_an_id_of_no_event_is_refused_with_a_sentence(ann: TestClient, gemini: GeminiServer) -> None:
    thread_id = thread_of(ann)
    name = ask(ann, thread_id)[0].id.partition(":")[0]
    other = thread_of(ann)
    foreign = ask(ann, other)[1].id
    places = ("-1", "1.5", "٣", "99999", "999999999999", "9" * 30, "1:1", "", " 1", "1\x0b")
    for event_id in (
        *("garbage", "1", ":1", "x:", "no-such-answer:1", name, f"{name}' OR 1=1 --:1", "x" * 5_000 + ":1"),
        *(f"{name}:{place}" for place in places),
        foreign,
    ):
        refused = ann.get(f"/api/threads/{thread_id}/stream", headers=[(b"last-event-id", event_id.encode())])
        assert (refused.status_code, refused.json()["error_type"]) == (400, "validation"), event_id
        assert len(refused.json()["error_message"]) > 20


@pytest.mark.parametrize(("seen", "released"), [(1, False), (2, True), (3, False)])
def test_a_stream_that_broke_off_goes_on_while_the_answer_is_written(
    ann: TestClient, gemini: GeminiServer, seen: int, released: bool
) -> None:
    thread_id = thread_of(ann)
    gemini.queue(Script(chunks=PIECES, hang_after=3, delay=0.01))
    with live(ann) as real:
        path = f"/api/threads/{thread_id}/stream"
        with real.stream("POST", path, json={"content": "Hello"}) as answer:
            had = list(islice(events_from(answer.iter_text()), seen))
        if released:
            gemini.release()
        with real.stream("GET", path, headers={"Last-Event-ID": had[-1].id}) as answer:
            gemini.release()
            rest = list(events_from(answer.iter_text()))
        assert names_of(had + rest)[0] == "connected"
        assert text_of(had) + text_of(rest) == TEXT
        assert rest[-1].name == "done"
        assert text_of(events_in(after(real, thread_id, None).text)) == TEXT


def test_several_readers_of_one_answer_get_the_same(ann: TestClient, gemini: GeminiServer) -> None:
    thread_id = thread_of(ann)
    gemini.queue(Script(chunks=PIECES, hang_after=2))
    with live(ann) as real:
        path = f"/api/threads/{thread_id}/stream"
        with (
            real.stream("POST", path, json={"content": "Hello"}) as asking,
            real.stream("GET", path) as second,
            real.stream("GET", path) as third,
        ):
            gemini.release()
            read = [list(events_from(each.iter_text())) for each in (third, second, asking)]
    assert {text_of(events) for events in read} == {TEXT}
    assert {events[-1].id for events in read} == {read[0][-1].id}


@on_both_databases
@pytest.mark.parametrize("offset", [0, 13])
def test_an_answer_that_another_process_writes_is_followed_exactly(
    ann: TestClient, gemini: GeminiServer, database_url: str, tmp_path: Path, offset: int
) -> None:
    thread_id = thread_of(ann)
    gemini.queue(Script(chunks=PIECES, hang_after=3))
    with another_process(database_url, tmp_path, gemini) as writer, live(ann) as real:
        sent = writer.chat.send(1, thread_id, "Hello", "gemini", MODEL)
        name = sent.generation.request.request_id
        place = {"Last-Event-ID": f"{name}:{2 + offset}"}
        with real.stream("GET", f"/api/threads/{thread_id}/stream", headers=place) as answer:
            events = events_from(answer.iter_text())
            # As far as it is written, which for the last of them is all there is.
            first = list(islice(events, 1)) if offset < len("Once upon a 😀 ") else []
            gemini.release()
            read = first + list(events)
    assert text_of(read) == TEXT[offset:]
    assert (read[-1].name, read[-1].id) == ("done", f"{name}:{3 + len(TEXT)}")
    assert (read[-1].data["message_id"], read[-1].data["finish_reason"]) == (sent.message_id, "stop")


@on_both_databases
def test_a_stop_reaches_an_answer_that_another_process_writes(
    ann: TestClient, gemini: GeminiServer, database_url: str, tmp_path: Path
) -> None:
    thread_id = thread_of(ann)
    # Words keep coming, and with them the moments at which the writer looks for a stop.
    gemini.queue(Script(chunks=["word "] * 2_000, delay=0.02))
    path = f"/api/threads/{thread_id}/stream/stop"
    with another_process(database_url, tmp_path, gemini) as writer:
        sent = writer.chat.send(1, thread_id, "Hello", "gemini", MODEL)
        until(lambda: sent.generation.text)
        other = ann.post(path, params={"message_id": sent.question_id or 0}).json()
        stopped = ann.post(path, params={"message_id": sent.message_id}).json()
        assert (other["success"], stopped["success"]) == (False, True)
        assert sent.generation.wait(20), "the stop did not arrive"
    stored = ann.get(f"/api/threads/{thread_id}/messages").json()[-1]
    assert stored["meta_data"]["status"] == "stopped"
    assert stored["content"].startswith("word word ")
    assert ann.post(path).json()["success"] is False
    last = events_in(after(ann, thread_id, None).text)[-1]
    assert (last.name, last.data["finish_reason"]) == ("done", "stopped")


def test_a_writer_that_dies_ends_the_stream_with_an_error(
    sign_up: SignUp, database_url: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.support.crash_child", database_url, str(tmp_path)]
    with GeminiServer(Script(chunks=["Once ", "upon ", "a time"], hang_after=2)) as server:
        child = subprocess.Popen([*command, server.url], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        try:
            thread = child.stdout.readline().strip()
            # Who signs up first takes over what was there before.
            with live(sign_up("ann")) as real, real.stream("GET", f"/api/threads/{thread}/stream") as answer:
                assert answer.status_code == 200
                events = events_from(answer.iter_text())
                read = list(islice(events, 2))
                child.kill()
                child.wait()
                read += events
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
    assert names_of(read) == ["connected", "delta", "error"]
    assert (text_of(read), read[-1].data["error_type"]) == ("Once upon ", "api_error")


def until(condition: Any, seconds: float = 20) -> None:
    """Look again and again; a condition that stays false fails the test."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
