"""Whether an answer has the shape of a documented example: its fields, their types, and how its moments are written."""

import re
from typing import Any

import httpx

_MOMENTS = {
    "microseconds": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"),
    "Z": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "a day": re.compile(r"\d{4}-\d\d-\d\d"),
    "a color": re.compile(r"#[0-9A-Fa-f]{6}"),
}


def taken(answer: httpx.Response, status: int, shape: Any) -> Any:
    """The JSON of an answer that is as documented."""
    assert answer.status_code == status, answer.text
    found = answer.json()
    assert differences(found, shape) == []
    return found


def differences(answer: Any, example: Any, at: str = "answer") -> list[str]:
    """What of `answer` is not as in `example`. Fields beside the documented ones are fine; a list has to have an
    entry when the example has one, and each is held against the example's first."""
    if isinstance(example, dict):
        if not isinstance(answer, dict):
            return [f"{at} is no object: {answer!r}"]
        missing = [f"{at}.{name} is missing" for name in example if name not in answer]
        known = [name for name in example if name in answer]
        return missing + [
            each for name in known for each in differences(answer[name], example[name], f"{at}.{name}")
        ]
    if isinstance(example, list):
        if not isinstance(answer, list) or (example and not answer):
            return [f"{at} is no list with entries: {answer!r}"]
        return [
            each
            for position, entry in enumerate(answer if example else ())
            for each in differences(entry, example[0], f"{at}[{position}]")
        ]
    return _of_value(answer, example, at)


def _of_value(answer: Any, example: Any, at: str) -> list[str]:
    kind = type(example)
    is_number = isinstance(answer, int | float) and not isinstance(answer, bool)
    right = is_number if kind is float else type(answer) is kind
    if not right:
        return [f"{at} is {answer!r}; documented is something like {example!r}"]
    if isinstance(example, str) and isinstance(answer, str):
        for name, pattern in _MOMENTS.items():
            if pattern.fullmatch(example) and not pattern.fullmatch(answer):
                return [f"{at} is {answer!r}, not written as {name}, like {example!r}"]
    return []
