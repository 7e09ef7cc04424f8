"""Reading server-sent events as their standard has it: only CR, LF and CRLF end a line."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_FRAME_END = re.compile(r"(?:\r\n|\n|\r){2}")


@dataclass(frozen=True)
class Received:
    """One event. `id` is `generation:sequence`."""

    name: str
    id: str
    data: Any

    @property
    def sequence(self) -> int:
        return int(self.id.rpartition(":")[2])


def events_in(text: str) -> list[Received]:
    """The events of a whole stream; comments are left out."""
    return list(events_from([text]))


def events_from(parts: Iterable[str]) -> Iterator[Received]:
    """The same while it comes."""
    rest = ""
    for part in parts:
        rest += part
        *frames, rest = _FRAME_END.split(rest)
        yield from (_event(frame) for frame in frames if not frame.startswith(":"))
    assert not rest, "the stream ended in the middle of an event"


def text_of(events: Iterable[Received]) -> str:
    """What the deltas come to."""
    return "".join(event.data["text"] for event in events if event.name == "delta")


def names_of(events: Iterable[Received]) -> list[str]:
    """The names in order, a run of deltas as one."""
    names: list[str] = []
    for event in events:
        if event.name != "delta" or names[-1:] != ["delta"]:
            names.append(event.name)
    return names


def _event(frame: str) -> Received:
    fields: dict[str, str] = {}
    for line in re.split(r"\r\n|\n|\r", frame):
        name, _colon, value = line.partition(":")
        assert name not in fields, f"two lines of {name}"
        fields[name] = value.removeprefix(" ")
    assert set(fields) == {"event", "id", "data"}
    return Received(fields["event"], fields["id"], json.loads(fields["data"]))
