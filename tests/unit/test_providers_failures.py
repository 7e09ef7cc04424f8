"""Which failure an error body means, and what never gets into its sentence."""

import ssl
from typing import Any

import httpx2
import pytest

from core.errors import AppError, ErrorKind
from core.providers.failures import CallFacts, broken, refused, scrub, shown_url
from core.providers.refusals import Refusal, retry_after_seconds

FACTS = CallFacts(
    provider="Local",
    model="llama",
    url="http://user:password@127.0.0.1:1/v1",
    setting="LOCAL_API_KEY",
    url_setting="LOCAL_BASE_URL",
    timeout_seconds=5,
    secrets=("hidden-value",),
)

# What other servers than the fakes say, from their sources and issue trackers.
BODIES: list[tuple[int, Any, ErrorKind]] = [
    (404, {"error": {"message": 'model "x" not found, try pulling it first'}}, ErrorKind.UNKNOWN_MODEL),
    (
        404,
        {"object": "error", "message": "The model `x` does not exist.", "code": 404},
        ErrorKind.UNKNOWN_MODEL,
    ),
    (404, {"detail": "Not Found"}, ErrorKind.UNREACHABLE),
    (404, "404 page not found", ErrorKind.UNREACHABLE),
    (
        400,
        {
            "code": 400,
            "message": "the request exceeds the available context size",
            "type": "exceed_context_size_error",
        },
        ErrorKind.INVALID_CONTEXT,
    ),
    (413, "<html><title>413 Request Entity Too Large</title></html>", ErrorKind.INVALID_CONTEXT),
    (
        429,
        {
            "error": {
                "message": "Request too large for gpt-4o on tokens per min",
                "code": "rate_limit_exceeded",
            }
        },
        ErrorKind.RATE_LIMIT,
    ),
    (400, {"error": {"message": "Hit the limit", "code": "billing_hard_limit_reached"}}, ErrorKind.BILLING),
    (402, {"error": {"message": "Insufficient Balance"}}, ErrorKind.BILLING),
    (400, {"error": {"message": "filtered", "code": "content_filter"}}, ErrorKind.SAFETY),
    (400, {"error": {"message": "Unsupported value: 'temperature'"}}, ErrorKind.PROVIDER),
    (404, 'model "x" not found, try pulling it first', ErrorKind.UNKNOWN_MODEL),
    (404, {"error": 'model "x" not found'}, ErrorKind.UNKNOWN_MODEL),
    (400, {"error": "the input length exceeds the context length"}, ErrorKind.INVALID_CONTEXT),
    (
        500,
        {
            "error": {
                "code": 500,
                "message": "input (900 tokens) is too large to process. increase the batch size",
            }
        },
        ErrorKind.INVALID_CONTEXT,
    ),
    (
        403,
        {"error": {"message": "You are not allowed to generate embeddings from this model"}},
        ErrorKind.UNKNOWN_MODEL,
    ),
    (400, "Trying to keep the first 111490 tokens when context the overflows.", ErrorKind.INVALID_CONTEXT),
    (0, {"message": "Context size has been exceeded."}, ErrorKind.INVALID_CONTEXT),
    (
        400,
        {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400},
        ErrorKind.INVALID_CONTEXT,
    ),
    (504, "", ErrorKind.TIMEOUT),
    (302, "", ErrorKind.PROVIDER),
    (0, "something odd", ErrorKind.PROVIDER),
    (0, None, ErrorKind.PROVIDER),
    (500, ["unexpected"], ErrorKind.PROVIDER),
]


@pytest.mark.parametrize(("status", "body", "kind"), BODIES)
def test_refusals(status: int, body: Any, kind: ErrorKind) -> None:
    error = refused(FACTS, Refusal(status, body))
    assert error.kind is kind
    for language in ("en", "ru"):
        assert "{" not in error.text(language)
    assert "password" not in error.text()


SCHEMAS_REFUSED: list[tuple[int, Any]] = [
    (
        400,
        {
            "message": "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' is …",
            "type": "invalid_request_error",
            "param": "response_format",
        },
    ),
    (400, {"message": "Invalid parameter: not supported with this model.", "param": "response_format"}),
    (400, {"message": "Invalid schema for function 'look': None is not of type 'object'.", "param": "tools"}),
    (400, {"error": {"message": "This response_format type is unavailable now"}}),
    (400, {"error": {"code": 400, "message": "JSON schema conversion failed: unresolved $ref"}}),
    (400, {"message": "The provided JSON schema contains features not supported by xgrammar."}),
    (
        400,
        {
            "error": {
                "message": "Unknown name \"x\" at 'generation_config.response_json_schema': Cannot find it."
            }
        },
    ),
    (400, {"error": {"message": "Unknown name \"x\" at 'tools[0].function_declarations[3].parameters'."}}),
    (400, {"error": {"message": "output_config.format.schema: Invalid schema: Schema type is missing"}}),
    (400, {"error": {"message": "tools.0.custom.input_schema: JSON schema is invalid."}}),
]


@pytest.mark.parametrize(("status", "body"), SCHEMAS_REFUSED)
def test_a_schema_that_is_refused_is_about_the_request(status: int, body: Any) -> None:
    error = refused(FACTS, Refusal(status, body))
    assert error.kind is ErrorKind.VALIDATION
    assert "schema in this request" in error.text()
    assert (body.get("error") or body)["message"][:20] in error.text()


def test_what_fastapi_says_is_read() -> None:
    body = {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required"}]}
    assert "Field required" in refused(FACTS, Refusal(422, body)).text()


def test_a_region_is_not_a_wrong_key() -> None:
    error = refused(FACTS, Refusal(403, {"error": {"code": "unsupported_country_region_territory"}}))
    assert error.kind is ErrorKind.PROVIDER
    assert "region" in error.text()


@pytest.mark.parametrize(
    ("error", "started", "kind"),
    [
        (httpx2.ConnectError("refused"), False, ErrorKind.UNREACHABLE),
        (httpx2.ConnectTimeout("slow"), False, ErrorKind.UNREACHABLE),
        (httpx2.UnsupportedProtocol("no scheme"), False, ErrorKind.UNREACHABLE),
        (httpx2.ReadTimeout("silent"), True, ErrorKind.TIMEOUT),
        (httpx2.ReadError("reset"), True, ErrorKind.CUT_STREAM),
        (httpx2.ReadError("reset"), False, ErrorKind.UNREACHABLE),
        (ConnectionResetError(), True, ErrorKind.CUT_STREAM),
        (TimeoutError(), False, ErrorKind.TIMEOUT),
        (httpx2.DecodingError("gzip"), True, ErrorKind.BAD_ANSWER),
        (AttributeError("choices"), True, ErrorKind.BAD_ANSWER),
        (RuntimeError("odd"), False, ErrorKind.PROVIDER),
    ],
)
def test_broken(error: Exception, started: bool, kind: ErrorKind) -> None:
    assert broken(FACTS, error, started=started).kind is kind


def test_a_certificate_is_said_so_however_deep_it_lies() -> None:
    outer = RuntimeError("Connection error.")
    outer.__cause__ = httpx2.ConnectError("failed")
    outer.__cause__.__context__ = ssl.SSLCertVerificationError("self-signed certificate")
    error = broken(FACTS, outer, started=False)
    assert error.kind is ErrorKind.CERTIFICATE
    assert "certificate of http://127.0.0.1:1/v1 is not trusted" in error.text()


@pytest.mark.parametrize(
    "text",
    [
        "hidden-value",
        "GET /models?key=AbCdEf123&alt=sse",
        "Authorization: Bearer abc.def-ghi",
        "{'x-goog-api-key': 'AbCdEf123'}",
        '{"api_key": "AbCdEf123"}',
        "Incorrect API key provided: sk-proj-abc***xyz9.",
        "key AIzaSyD-0123456789 was bad",
    ],
)
def test_scrub_removes_what_looks_like_a_key(text: str) -> None:
    cleaned = scrub(text, "hidden-value")
    assert "***" in cleaned
    for secret in ("hidden-value", "AbCdEf123", "abc.def", "xyz9", "AIzaSyD"):
        assert secret not in cleaned


def test_scrub_hides_a_key_as_it_stands_in_an_address() -> None:
    assert scrub("x?a=k%2Fe%2By", "k/e+y") == "x?a=***"


def test_scrub_cuts_after_hiding() -> None:
    long = "x" * 290 + "hidden-value" + "y" * 1_000_000
    assert "hidden" not in scrub(long, "hidden-value")
    assert len(scrub(long, "hidden-value")) <= 300


def test_scrub_leaves_plain_words() -> None:
    text = "The key idea: risk-based skipping; monkey = animal"
    assert scrub(text) == "The key idea: risk-based skipping; monkey = animal"


def test_braces_in_what_a_provider_says_do_no_harm() -> None:
    error = refused(FACTS, Refusal(400, {"error": "{oops} {0}"}))
    assert "{oops}" in error.text()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.2"}, 1),
        ({"retry-after-ms": "2500"}, 3),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 1),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 400}, 10**9),
        ({"retry-after-ms": "inf"}, 10**9),
        ({"retry-after-ms": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: int | None) -> None:
    assert retry_after_seconds(headers) == seconds


def test_a_delay_without_end_in_the_body_is_no_fault_of_ours() -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{'9' * 400}s"}
    assert Refusal(429, {"error": {"details": [detail]}}).seconds == 10**9


def test_shown_url_has_no_password_and_no_query() -> None:
    assert shown_url("https://me:pw@host:8443/v1?key=1") == "https://host:8443/v1"


def test_an_app_error_of_a_call_names_no_secret_field() -> None:
    error: AppError = refused(FACTS, Refusal(400, {"error": "hidden-value"}))
    assert "hidden-value" not in f"{error!r}{error.params}{FACTS!r}"
