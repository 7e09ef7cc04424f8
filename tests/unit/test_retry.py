"""When to ask again, and how long to wait."""

import pytest

from core.errors import AppError, ErrorKind
from core.generation.retry import RetryPolicy, another_may_answer, counts_against_provider, passes
from core.providers.failures import CallFacts, broken, cut_stream, garbage, refused
from core.providers.refusals import Refusal

FACTS = CallFacts("Gemini", "m", "https://host", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", 120)


def status(code: int, retry_after: int | None = None) -> AppError:
    return refused(FACTS, Refusal(code, {"error": "no"}, retry_after))


def lost(error: BaseException) -> AppError:
    return broken(FACTS, error, started=False)


def of_kind(kind: ErrorKind) -> AppError:
    return AppError(kind, "No.")


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504, 529])
def test_statuses_that_pass(code: int) -> None:
    assert passes(status(code))


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 405, 413, 422])
def test_statuses_that_last(code: int) -> None:
    assert not passes(status(code))


def test_a_lost_connection_passes_and_a_certificate_does_not() -> None:
    import ssl

    import httpx2

    assert passes(lost(httpx2.ReadError("reset by peer")))
    assert passes(lost(httpx2.ConnectError("refused")))
    assert passes(lost(httpx2.ReadTimeout("silent")))
    assert passes(cut_stream(FACTS))
    assert not passes(lost(ssl.SSLCertVerificationError("self-signed")))
    assert not passes(garbage(FACTS, "?"))
    assert not passes(AppError(ErrorKind.UNREACHABLE, "{setting} is not a web address.", setting="X_URL"))


@pytest.mark.parametrize(
    "kind",
    [
        ErrorKind.WRONG_KEY,
        ErrorKind.BILLING,
        ErrorKind.VALIDATION,
        ErrorKind.INVALID_CONTEXT,
        ErrorKind.UNKNOWN_MODEL,
        ErrorKind.SAFETY,
        ErrorKind.BUDGET,
        ErrorKind.INTERNAL,
        ErrorKind.CIRCUIT_OPEN,
    ],
)
def test_kinds_that_never_pass(kind: ErrorKind) -> None:
    assert not passes(of_kind(kind))
    assert RetryPolicy().pause([of_kind(kind)]) is None


def test_what_the_next_model_of_a_chain_is_asked_for() -> None:
    handed_on = {kind for kind in ErrorKind if another_may_answer(of_kind(kind))}
    assert handed_on == {
        ErrorKind.RATE_LIMIT,
        ErrorKind.TIMEOUT,
        ErrorKind.CUT_STREAM,
        ErrorKind.CIRCUIT_OPEN,
        ErrorKind.BILLING,
        ErrorKind.NO_KEY,
        ErrorKind.WRONG_KEY,
        ErrorKind.UNKNOWN_MODEL,
    }
    assert another_may_answer(status(503))


def test_a_rate_limit_is_not_held_against_the_provider() -> None:
    assert counts_against_provider(status(503))
    assert not counts_against_provider(status(429))
    assert not counts_against_provider(status(401))


def test_waits_double_up_to_the_cap_and_are_drawn_from_nothing_to_that() -> None:
    most = RetryPolicy(retries=9, random=lambda: 1.0)
    failures = [status(503)] * 9
    assert [most.pause(failures[:n]) for n in range(1, 10)] == [0.5, 1, 2, 4, 8, 16, 20, 20, 20]
    assert RetryPolicy(random=lambda: 0.25).pause(failures[:2]) == 0.25
    assert RetryPolicy(random=lambda: 0.0).pause(failures[:5]) == 0.0


def test_five_retries_and_no_more() -> None:
    policy = RetryPolicy()
    assert policy.pause([status(503)] * 5) is not None
    assert policy.pause([status(503)] * 6) is None


def test_the_providers_own_time_is_kept_exactly() -> None:
    policy = RetryPolicy(random=lambda: 0.0)
    assert policy.pause([status(429, retry_after=7)]) == 7
    assert policy.pause([status(503, retry_after=90)]) == 90


def test_the_seconds_of_a_silence_are_no_wish_of_the_provider() -> None:
    import httpx2

    silent = lost(httpx2.ReadTimeout("silent"))
    assert silent.params["seconds"] == 120
    assert RetryPolicy(random=lambda: 1.0).pause([silent]) == 0.5


def test_an_unreachable_server_is_asked_less_often_than_a_shaky_one() -> None:
    import httpx2

    gone, shaky = lost(httpx2.ConnectError("refused")), status(503)
    policy = RetryPolicy()
    assert policy.pause([gone, gone]) is not None
    assert policy.pause([gone, gone, gone]) is None
    assert policy.pause([gone, gone, shaky, gone, gone]) is not None
