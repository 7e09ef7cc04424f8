"""From a provider's HTTP status and error body to our kind of failure.

Providers agree on statuses only roughly: Gemini says 400 to a wrong key, OpenAI 429 to an empty balance. So
what the body says comes first, the status second. Checked against the error bodies of Gemini, OpenAI, Anthropic,
Ollama, llama.cpp and vLLM (tests/fakes holds their shapes).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import cast

from core.errors import ErrorKind


def _sign(kind: ErrorKind, statuses: tuple[int, ...], *said: str) -> "_Sign":
    return kind, frozenset(statuses), re.compile("|".join(said), re.IGNORECASE)


_Sign = tuple[ErrorKind, frozenset[int], re.Pattern[str]]

# What the body says, at which statuses, tried from the top. 0: inside a stream, which began with 200.
_SIGNS: tuple[_Sign, ...] = (
    _sign(
        ErrorKind.WRONG_KEY,
        (400, 401, 403, 0),
        r"api_key_invalid|api key (not valid|expired)",
        r"invalid_api_key|(incorrect|invalid) api key",
        r"authentication_error",
    ),
    _sign(
        ErrorKind.BILLING,
        (400, 402, 403, 429, 0),
        r"insufficient_quota|insufficient.balance|billing_not_active|billing_hard_limit",
        r"credits are depleted|credit balance is too low",
        r"billing_error|spend_limit_reached|specified (workspace )?api usage limits",
    ),
    _sign(
        ErrorKind.VALIDATION,  # a schema, of the answer or of a function
        (400, 422, 0),
        r"invalid schema for (response_format|function)|invalid_(json_schema|function_parameters)",
        r'"param": "response_format|response_format type is unavailable',
        r"response_?(json_?)?schema|(input_schema|output_(config|format))\b[^\"]{0,80}schema",
        r"function_declarations\[\d+\]\.parameters",
        r"invalid json schema|json schema (conversion failed|is invalid|contains features not supported)",
        r"failed to parse grammar|(invalid grammar|grammar error)",
    ),
    _sign(
        ErrorKind.INVALID_CONTEXT,
        (400, 413, 422, 500, 0),
        r"context_length_exceeded|maximum context length|exceed_context_size|available context size",
        r"input token count.{0,60}exceeds|prompt is too long|string_above_max_length",
        r"exceed context limit|request_too_large",
        r"exceeds? (the|maximum) context (length|window|size)|context size has been exceeded",
        r"input.{0,40} is too large to process",  # llama.cpp, of a text to embed
        r"context the overflows",  # LM Studio's own words
    ),
    _sign(
        ErrorKind.UNKNOWN_MODEL,
        (400, 403, 404, 422, 0),
        r"model_not_found|models/\S+ is not (found|supported)|not supported for generatecontent",
        r"model\W.{0,120}?(not found|does not exist)|(unknown|no such|invalid) model|invalid model name",
        r'"model: [^"]+"',  # all that Anthropic says
        r"not allowed to generate embeddings from this model",
    ),
    _sign(
        ErrorKind.SAFETY,
        (400, 403, 0),
        r"content_filter|content_policy_violation|safety_violation|content filtering policy",
    ),
    _sign(ErrorKind.FORBIDDEN, (400, 403, 0), r"unsupported_country|location is not supported"),
    _sign(ErrorKind.FORBIDDEN, (403,), r"request not allowed"),  # Anthropic, to an address it does not serve
    _sign(ErrorKind.RATE_LIMIT, (0,), r"rate_limit_e(xceeded|rror)|resource_exhausted"),
    _sign(ErrorKind.WRONG_KEY, (0,), r"permission_error"),
)

_STATUSES: dict[int, ErrorKind] = {
    401: ErrorKind.WRONG_KEY,
    402: ErrorKind.BILLING,
    403: ErrorKind.WRONG_KEY,
    404: ErrorKind.UNREACHABLE,  # not about a model, so nothing is served at this address
    405: ErrorKind.UNREACHABLE,
    408: ErrorKind.TIMEOUT,
    413: ErrorKind.INVALID_CONTEXT,
    429: ErrorKind.RATE_LIMIT,
    504: ErrorKind.TIMEOUT,
}


_NEVER = 10.0**9


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer: its HTTP status (0 inside a stream), its body, parsed or not, and Retry-After in seconds."""

    status: int
    body: object = None
    retry_after: int | None = None

    @property
    def kind(self) -> ErrorKind:
        """FORBIDDEN here means: not served in this region."""
        said = self.body if isinstance(self.body, str) else json.dumps(self.body, default=str)
        for kind, statuses, pattern in _SIGNS:
            if self.status in statuses and pattern.search(said[:20_000]):
                return kind
        return _STATUSES.get(self.status, ErrorKind.PROVIDER)

    @property
    def detail(self) -> str:
        """What the provider said, for people; not scrubbed yet. Empty when it said nothing."""
        return _words(self.body)

    @property
    def seconds(self) -> int | None:
        """When to try again: the Retry-After header, else Gemini's RetryInfo ("37s")."""
        if self.retry_after is not None:
            return self.retry_after
        found = re.search(r'"retryDelay": "(\d+(?:\.\d+)?)s"', json.dumps(self.body, default=str))
        return _whole(float(found[1])) if found else None


def retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """Seconds to wait, rounded up, from `retry-after-ms` or `retry-after` (seconds or an HTTP date)."""
    try:
        if "retry-after-ms" in headers:
            return _whole(float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after", "")
        if re.fullmatch(r"\d+(\.\d+)?", value):
            return _whole(float(value))
        return _whole((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _whole(seconds: float) -> int:
    # A time that no clock reaches is as good as never, and some of them are no finite number.
    return max(1, int(-(-min(seconds, _NEVER) // 1)))


def _words(body: object) -> str:
    if isinstance(body, Mapping):
        fields = cast("Mapping[str, object]", body)
        for name in ("error", "message", "detail", "msg", "error_description"):
            if fields.get(name):
                return _words(fields[name])
        return ""
    if isinstance(body, list):
        items = cast("list[object]", body)
        return _words(items[0]) if items else ""
    text = body if isinstance(body, str) else ""
    if not text.lstrip().startswith("<"):
        return text
    title = re.search(r"<title[^>]*>([^<]*)</title>", text, re.IGNORECASE)
    return title[1] if title else ""
