"""Files that come with messages: what is taken, where it lies, and what a model gets to see of it later."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, update

from core.chat import tables
from core.chat.attachments import NewAttachment
from core.chat.service import UNDO_FOR
from core.chat.types import AttachmentInfo, Sent
from core.errors import AppError, ErrorKind
from core.providers.content import Attachment
from core.providers.estimate import estimate_prompt_tokens
from core.providers.types import ChatMessage, CompletionRequest, Role
from core.services import Services
from tests.fakes import gemini_server
from tests.fakes.gemini_server import GeminiServer, images_of
from tests.fakes.script import Script
from tests.support.databases import on_both_databases, sqlite_unless_both
from tests.support.hub import MODEL, answered, ask, me, opened, opened_with_gemini

Hub = tuple[Services, GeminiServer]
MB = 1024 * 1024

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"
JPEG = b"\xff\xd8\xff\xe0" + b"pixels"
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 "
PDF = b"%PDF-1.7\n%pages"
CSV = "день;сумма\n1;2\n".encode()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLite, but for tests of what is stored."""
    yield from sqlite_unless_both(request, tmp_path)


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    with opened_with_gemini(database_url, tmp_path) as both:
        yield both


def file(name: str, data: bytes = PNG, mime_type: str = "") -> NewAttachment:
    return NewAttachment(name, mime_type, data)


def send(
    services: Services,
    *files: NewAttachment,
    text: str = "What is this?",
    thread: str | None = None,
    provider: str = "gemini",
) -> Sent:
    model = MODEL if provider == "gemini" else "demo"
    return services.chat.send(me(services), thread, text, provider, model, files)


def sent_files(services: Services, sent: Sent) -> tuple[AttachmentInfo, ...]:
    messages = services.chat.messages(me(services), sent.thread.uuid)
    return [message for message in messages if message.role is Role.USER][-1].attachments


def on_disk(services: Services) -> list[Path]:
    return sorted(path for path in (services.settings.data_dir / "attachments").rglob("*") if path.is_file())


def said(server: GeminiServer) -> list[list[str]]:
    """The texts of each turn of the last request."""
    contents = server.asked[-1].body["contents"]
    return [[part["text"] for part in turn["parts"] if "text" in part] for turn in contents]


# --- a file on its way ---


@on_both_databases
def test_a_file_reaches_the_model_and_can_be_read_back(hub: Hub) -> None:
    services, server = hub
    sent = send(services, file("cat.png"), file("report.pdf", PDF))
    answered(services, sent)
    assert images_of(server.asked[-1].body) == [("image/png", PNG), ("application/pdf", PDF)]
    assert sent_files(services, sent) == (
        AttachmentInfo("cat.png", "image/png", len(PNG), hashlib.sha256(PNG).hexdigest()),
        AttachmentInfo("report.pdf", "application/pdf", len(PDF), hashlib.sha256(PDF).hexdigest()),
    )
    question = services.chat.messages(me(services), sent.thread.uuid)[0]
    assert services.chat.attachment(me(services), sent.thread.uuid, question.id, 1) == PDF


@on_both_databases
def test_files_lie_under_their_hash_each_content_once(hub: Hub) -> None:
    services, _server = hub
    answered(services, send(services, file("cat.png"), file("the same cat.png")))
    answered(services, send(services, file("again.png")))
    name = hashlib.sha256(PNG).hexdigest()
    assert on_disk(services) == [services.settings.data_dir / "attachments" / name[:2] / name]
    assert on_disk(services)[0].read_bytes() == PNG


def test_a_message_may_be_files_alone(hub: Hub) -> None:
    services, server = hub
    sent = send(services, file("cat.png"), text="  ")
    answered(services, sent)
    assert sent.thread.title == "cat.png"
    assert images_of(server.asked[-1].body) == [("image/png", PNG)]
    answered(services, ask(services, "And now?", sent.thread.uuid))
    assert images_of(server.asked[-1].body) == [("image/png", PNG)]
    assert len(server.asked[-1].body["contents"]) == 3


def test_earlier_files_go_along_in_their_turns(hub: Hub) -> None:
    services, server = hub
    sent = send(services, file("cat.png"), file("dog.jpg", JPEG))
    answered(services, sent)
    answered(services, send(services, file("sums.csv", CSV), text="Add them", thread=sent.thread.uuid))
    answered(services, ask(services, "Thanks", sent.thread.uuid))
    assert images_of(server.asked[-1].body) == [("image/png", PNG), ("image/jpeg", JPEG)]
    assert ["sums.csv:\n" + CSV.decode()] == [text for text in said(server)[2] if text.startswith("sums.csv")]


def test_a_retry_sends_the_files_again(hub: Hub) -> None:
    services, server = hub
    server.queue(gemini_server.broken())
    sent = send(services, file("cat.png"))
    failed = answered(services, sent)
    again = services.chat.retry(me(services), sent.thread.uuid, failed.id, "gemini", MODEL)
    assert answered(services, again).content == "Hello, world!"
    assert images_of(server.asked[-1].body) == [("image/png", PNG)]
    server.queue(gemini_server.broken())
    failed = answered(services, ask(services, "More", sent.thread.uuid))
    demo = services.chat.retry(me(services), sent.thread.uuid, failed.id, "demo", "demo")
    assert answered(services, demo).provider == "demo"


def test_a_retry_with_a_model_that_takes_no_such_file_is_refused(hub: Hub) -> None:
    services, server = hub
    server.queue(gemini_server.broken())
    sent = send(services, file("cat.png"))
    failed = answered(services, sent)
    with pytest.raises(AppError, match=r"Demo.*image/png.*cat\.png") as refused:
        services.chat.retry(me(services), sent.thread.uuid, failed.id, "demo", "demo")
    assert refused.value.kind is ErrorKind.VALIDATION
    assert answered(services, sent).status == failed.status


# --- what is taken ---

TAKEN = {
    "png": ("a.png", PNG, "", "image/png"),
    "png called jpg": ("a.jpg", PNG, "image/jpeg", "image/png"),
    "webp without a name": ("", WEBP, "", "image/webp"),
    "late pdf": ("a.PDF", b"\n\n" + PDF, "", "application/pdf"),
    "mp3": ("a.mp3", b"ID3", "application/octet-stream", "audio/mpeg"),
    "wav": ("a.wav", b"RIFF\x00\x00\x00\x00WAVE", "", "audio/wav"),
    "mov": ("a.mov", b"\x00moov", "", "video/quicktime"),
    "sound by its declared type": ("voice", b"OggS", "audio/ogg; codecs=opus", "audio/ogg"),
    "csv": ("a.csv", CSV, "application/vnd.ms-excel", "text/csv"),
    "json": ("a.json", b"{}", "application/json", "text/plain"),
    "a text about PDF": ("pdf.md", b"A PDF begins with %PDF-1.", "", "text/markdown"),
    "text by its declared type": ("LICENSE", b"MIT", "text/plain", "text/plain"),
}


@pytest.mark.parametrize(("name", "data", "declared", "stored"), TAKEN.values(), ids=TAKEN)
def test_the_type_of_a_file_is_found_out(
    hub: Hub, name: str, data: bytes, declared: str, stored: str
) -> None:
    services, _server = hub
    sent = send(services, file(name, data, declared))
    answered(services, sent)
    (info,) = sent_files(services, sent)
    assert (info.name, info.mime_type, info.size) == (name or "file", stored, len(data))


def test_text_in_utf_16_becomes_utf_8(hub: Hub) -> None:
    services, server = hub
    answered(services, send(services, file("заметка.txt", "Привет".encode("utf-16"))))
    assert "заметка.txt:\nПривет" in said(server)[-1]


def test_a_name_keeps_no_path_and_its_end(hub: Hub) -> None:
    services, _server = hub
    sent = send(services, file("C:\\Photos\\..\\my\ncat.png"), file("/etc/" + "x" * 300 + ".png"))
    answered(services, sent)
    first, second = sent_files(services, sent)
    assert first.name == "my cat.png"
    assert (len(second.name), second.name[-5:]) == (255, "x.png")


REFUSED = {
    "program": (file("setup.exe", b"MZ\x90\x00"), "“setup.exe” is no file that models read"),
    "archive": (file("a.zip", b"PK\x03\x04", "image/png"), "“a.zip” is no file"),
    "false picture": (file("a.png", b"not a picture", "image/png"), "“a.png” is no file"),
    "false pdf": (file("a", b"not a document", "application/pdf"), "“a” is no file"),
    "empty": (file("a.png", b""), "“a.png” is empty"),
    "program called txt": (file("a.txt", b"MZ\x90\x00"), "“a.txt” is not text in UTF-8"),
    "zeros": (file("a.txt", b"a\x00b"), "“a.txt” is not text"),
    "old letters": (file("a.csv", "день".encode("cp1251")), "“a.csv” is not text in UTF-8"),
    "nothing but a mark": (file("a.txt", b"\xff\xfe"), "“a.txt” is not text"),
}


@pytest.mark.parametrize(("refused", "words"), REFUSED.values(), ids=REFUSED)
def test_what_no_model_reads_is_refused_and_stored_nowhere(
    hub: Hub, refused: NewAttachment, words: str
) -> None:
    services, server = hub
    with pytest.raises(AppError, match=words) as error:
        send(services, file("good.png"), refused)
    assert error.value.kind is ErrorKind.VALIDATION
    assert services.chat.threads(me(services)) == []
    assert on_disk(services) == []
    assert server.requests == []


def test_a_file_of_100_mb_is_refused_without_being_read(hub: Hub) -> None:
    services, _server = hub
    with pytest.raises(AppError, match=r"“film.mp4” has 100 MB; a file may have 20"):
        # No name of a type: its bytes are not looked at.
        send(services, NewAttachment("film.mp4", "", Unread(100 * MB)))
    assert on_disk(services) == []


class Unread(bytes):
    """Bytes that fail whoever looks at them."""

    def __getitem__(self, at: object) -> object:  # type: ignore[override]
        raise AssertionError("the bytes were read")

    def startswith(self, *args: object) -> bool:
        raise AssertionError("the bytes were read")


def test_a_byte_too_much_is_never_called_20_mb(hub: Hub) -> None:
    services, _server = hub
    with pytest.raises(AppError, match=r"has 20\.1 MB; a file may have 20"):
        send(services, file("a.png", PNG + bytes(20 * MB)))
    with pytest.raises(AppError, match=r"have 20\.1 MB together"):
        send(services, file("a.png", PNG + bytes(10 * MB)), file("b.png", PNG + bytes(10 * MB)))


def test_ten_files_fit_into_a_message(hub: Hub) -> None:
    services, server = hub
    ten = [file(f"{n}.png", PNG + bytes([n])) for n in range(10)]
    with pytest.raises(AppError, match="There are 11 files; a message takes 10"):
        send(services, *ten, file("one more.png"))
    answered(services, send(services, *ten))
    assert [data for _, data in images_of(server.asked[-1].body)] == [each.data for each in ten]


def test_a_provider_that_takes_no_such_file_is_named_before_anything_is_stored(hub: Hub) -> None:
    services, _server = hub
    with pytest.raises(AppError, match=r"Demo \(demo\) takes no files of the type image/png.*cat\.png"):
        send(services, file("cat.png"), provider="demo")
    assert services.chat.threads(me(services)) == []
    assert on_disk(services) == []
    assert send(services, file("a.txt", b"text"), provider="demo").generation.wait(20)


@on_both_databases
def test_a_message_that_is_not_stored_leaves_no_file(hub: Hub) -> None:
    services, server = hub
    server.queue(Script(hang_after=1))
    sent = ask(services)
    server.wait_for(lambda: server.asked)
    with pytest.raises(AppError, match="still being answered"):
        send(services, file("cat.png"), thread=sent.thread.uuid)
    assert on_disk(services) == []
    services.chat.stop(me(services), sent.thread.uuid)


def test_a_message_that_is_not_stored_leaves_the_file_of_another(hub: Hub) -> None:
    services, server = hub
    first = send(services, file("cat.png"))
    answered(services, first)
    server.queue(Script(hang_after=1))
    sent = ask(services)
    server.wait_for(lambda: len(server.asked) == 2)
    with pytest.raises(AppError, match="still being answered"):
        send(services, file("cat.png"), thread=sent.thread.uuid)
    assert len(on_disk(services)) == 1
    services.chat.stop(me(services), sent.thread.uuid)


def test_a_folder_that_cannot_be_written_says_so_and_nothing_is_stored(hub: Hub) -> None:
    services, server = hub
    (services.settings.data_dir / "attachments").write_text("in the way")
    with pytest.raises(AppError, match="could not be stored"):
        send(services, file("cat.png"))
    assert services.chat.threads(me(services)) == []
    assert server.requests == []


# --- later on ---


def test_a_file_that_is_gone_from_the_disk_becomes_a_note(hub: Hub) -> None:
    services, server = hub
    sent = send(services, file("cat.png"), file("dog.jpg", JPEG))
    answered(services, sent)
    name = hashlib.sha256(PNG).hexdigest()
    (services.settings.data_dir / "attachments" / name[:2] / name).unlink()
    assert answered(services, ask(services, "And?", sent.thread.uuid)).error is None
    assert images_of(server.asked[-1].body) == [("image/jpeg", JPEG)]
    assert said(server)[0] == ["What is this?\n[file cat.png is no longer available]"]
    question = services.chat.messages(me(services), sent.thread.uuid)[0]
    with pytest.raises(AppError, match="no longer in the data folder"):
        services.chat.attachment(me(services), sent.thread.uuid, question.id, 0)


def test_a_damaged_file_is_never_sent(hub: Hub) -> None:
    services, server = hub
    sent = send(services, file("cat.png"))
    answered(services, sent)
    on_disk(services)[0].write_bytes(PNG[:-1] + b"!")
    answered(services, ask(services, "And?", sent.thread.uuid))
    assert images_of(server.asked[-1].body) == []


def test_a_damaged_file_is_made_whole_when_it_is_sent_again(hub: Hub) -> None:
    services, _server = hub
    answered(services, send(services, file("cat.png")))
    on_disk(services)[0].write_bytes(PNG[:-1])
    answered(services, send(services, file("cat.png")))
    assert on_disk(services)[0].read_bytes() == PNG


def test_a_model_that_takes_no_pictures_goes_on_with_a_note(hub: Hub) -> None:
    services, server = hub
    sent = send(services, file("cat.png"))
    answered(services, sent)
    demo = services.chat.send(me(services), sent.thread.uuid, "Go on", "demo", "demo")
    assert answered(services, demo).error is None
    completion = demo.generation.request.completion
    assert isinstance(completion, CompletionRequest)
    first = completion.messages[0]
    assert first.attachments == ()
    assert "[file cat.png was left out: this model takes no files of the type image/png]" in first.text
    answered(services, ask(services, "And you?", sent.thread.uuid))
    assert images_of(server.asked[-1].body) == [("image/png", PNG)]


def test_the_newest_files_go_along_when_all_are_too_large(hub: Hub) -> None:
    services, server = hub
    big = [PNG + bytes([n]) + bytes(9 * MB) for n in range(3)]
    sent = send(services, file("0.png", big[0]))
    answered(services, sent)
    answered(services, send(services, file("1.png", big[1]), thread=sent.thread.uuid))
    third = send(services, file("2.png", big[2]), thread=sent.thread.uuid)
    assert answered(services, third).error is None
    assert [data for _, data in images_of(server.asked[-1].body)] == big[1:]
    assert (
        "[file 0.png was left out: the files of this conversation are too large together]"
        in said(server)[0][0]
    )


@on_both_databases
def test_another_users_file_does_not_exist(hub: Hub) -> None:
    services, _server = hub
    sent, elsewhere = send(services, file("cat.png")), ask(services)
    answered(services, sent)
    answered(services, elsewhere)
    user, thread = me(services), sent.thread.uuid
    question = services.chat.messages(user, thread)[0]
    assert services.chat.attachment(user, thread, question.id, 0) == PNG
    for who, where, message, index in [
        (user + 1, thread, question.id, 0),
        (user, elsewhere.thread.uuid, question.id, 0),
        (user, thread, question.id, 1),
        (user, thread, question.id, -1),
        (user, thread, question.id + 1, 0),
        (user, thread, 10**30, 0),
    ]:
        with pytest.raises(AppError) as refused:
            services.chat.attachment(who, where, message, index)
        assert refused.value.kind is ErrorKind.NOT_FOUND


def purge(services: Services, *threads: str) -> None:
    """Delete threads for good: long ago, so that the next deletion finds them."""
    long_ago = datetime.now(UTC) - 2 * UNDO_FOR
    for thread in threads:
        services.chat.delete_thread(me(services), thread)
    with services.unit.write() as session:
        gone = tables.Thread.uuid.in_(threads)
        session.execute(update(tables.Thread).where(gone).values(deleted_at=long_ago))
    bystander = ask(services, "Delete me")
    answered(services, bystander)
    services.chat.delete_thread(me(services), bystander.thread.uuid)


def age(services: Services) -> None:
    before = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    for path in on_disk(services):
        os.utime(path, (before, before))


@on_both_databases
def test_files_go_with_the_last_thread_that_has_them(hub: Hub) -> None:
    services, _server = hub
    first = send(services, file("cat.png"), file("dog.jpg", JPEG))
    second = send(services, file("cat.png"))
    answered(services, first)
    answered(services, second)
    services.chat.delete_thread(me(services), first.thread.uuid)
    assert len(on_disk(services)) == 2  # it can still be brought back
    services.chat.restore_thread(me(services), first.thread.uuid)
    age(services)
    purge(services, first.thread.uuid)
    assert [path.read_bytes() for path in on_disk(services)] == [PNG]
    purge(services, second.thread.uuid)
    assert on_disk(services) == []
    with services.unit.read() as session:
        assert session.scalar(select(func.count()).select_from(tables.MessageAttachment)) == 0


@on_both_databases
def test_a_file_that_was_just_stored_outlives_the_purge(hub: Hub) -> None:
    services, _server = hub
    sent = send(services, file("cat.png"))
    answered(services, sent)
    purge(services, sent.thread.uuid)
    # Another process may have stored the same one for a message whose row is yet to come.
    assert len(on_disk(services)) == 1


def test_an_answer_cut_off_by_a_crash_is_estimated_with_its_files(database_url: str, tmp_path: Path) -> None:
    with GeminiServer() as server:
        server.queue(Script(hang_after=1))
        with opened(database_url, tmp_path, server.url) as services:
            sent = send(services, file("cat.png"))
            server.wait_for(lambda: server.asked)
            with services.unit.write() as session:
                mine = tables.Message.id == sent.message_id
                left = {"request_id": "of-a-dead-process", "owner": "elsewhere|1|0", "heartbeat_at": None}
                session.execute(update(tables.Message).where(mine).values(left))
            message = services.chat.messages(me(services), sent.thread.uuid)[-1]
            assert message.status.value == "interrupted"
            assert message.usage is not None
            assert message.usage.input_tokens > 258
            server.release()


# --- what it costs those who send none ---


@on_both_databases
def test_a_message_without_files_asks_the_database_no_more_for_them(hub: Hub) -> None:
    services, _server = hub
    answered(services, send(services, file("elsewhere.png")))
    sent = ask(services)
    answered(services, sent)
    asked: list[str] = []
    engine = services.unit._engine

    def listen(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    try:
        again = ask(services, "Again", sent.thread.uuid)
        about_files = [each for each in asked if "message_attachments" in each]
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    answered(services, again)
    # The turns themselves, and nothing else.
    assert len(about_files) == 1
    assert "messages.content" in about_files[0]


@pytest.mark.parametrize(
    ("attachment", "least", "most"),
    [
        (Attachment("image/png", PNG), 258, 258),
        (Attachment("application/pdf", bytes(500_000)), 2_000, 3_000),
        (Attachment("audio/mpeg", bytes(160_000)), 300, 340),
        (Attachment("audio/wav", bytes(1_760_000)), 300, 340),
        (Attachment("video/mp4", bytes(2_500_000)), 2_500, 2_700),
        (Attachment("text/plain", b"word " * 1_000), 1_000, 1_500),
        (Attachment("video/mp4", uri="https://example.org/film.mp4"), 258, 258),
    ],
)
def test_a_file_counts_in_an_estimate(attachment: Attachment, least: int, most: int) -> None:
    with_file = CompletionRequest("m", (ChatMessage(Role.USER, "x", (attachment,)),))
    without = CompletionRequest("m", (ChatMessage(Role.USER, "x"),))
    assert least <= estimate_prompt_tokens(with_file) - estimate_prompt_tokens(without) <= most
