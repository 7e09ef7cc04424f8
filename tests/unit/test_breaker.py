"""Circuit breakers, by a clock that the test moves."""

import pytest

from core.errors import AppError, ErrorKind
from core.generation.breaker import BreakerPolicy, Breakers, BreakerState

PROVIDER, KEY, LABEL = "gemini", "0123456789abcdef", "Gemini"


class Bench:
    """Breakers and their clock."""

    def __init__(self, **policy: float) -> None:
        self.now = 500.0
        self.breakers = Breakers(BreakerPolicy(**policy), lambda: self.now)  # pyright: ignore[reportArgumentType]

    def fail(self, times: int = 1, apart: float = 0.5, key: str = KEY) -> None:
        for _ in range(times):
            self.breakers.enter(PROVIDER, key, LABEL).failed()
            self.now += apart

    def refused(self, key: str = KEY) -> AppError | None:
        try:
            self.breakers.check(PROVIDER, key, LABEL)
        except AppError as error:
            return error
        return None

    def state(self) -> BreakerState:
        return self.breakers.state(PROVIDER, KEY)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_five_failures_in_a_row_open_it(bench: Bench) -> None:
    bench.fail(4)
    assert bench.refused() is None
    bench.fail(apart=0)
    refused = bench.refused()
    assert refused is not None
    assert refused.kind is ErrorKind.CIRCUIT_OPEN
    assert refused.params == {"provider": "Gemini", "n": 5, "seconds": 15}
    assert bench.state().open
    assert bench.state().failures == 5
    assert bench.state().until is not None
    with pytest.raises(AppError, match="failed 5 times in a row"):
        bench.breakers.enter(PROVIDER, KEY, LABEL)


def test_an_answer_in_between_starts_the_count_anew(bench: Bench) -> None:
    bench.fail(4)
    bench.breakers.enter(PROVIDER, KEY, LABEL).answered()
    bench.fail(4)
    assert bench.refused() is None
    assert bench.state() == BreakerState(failures=4)


def test_failures_of_long_ago_do_not_count(bench: Bench) -> None:
    bench.fail(20, apart=8)
    assert bench.refused() is None


def test_failures_that_come_together_by_chance_do_not_open_it(bench: Bench) -> None:
    bench.fail(10, apart=0.01)
    assert bench.refused() is None
    bench.now += 1
    bench.fail()
    assert bench.refused() is not None


def test_keys_fare_for_themselves(bench: Bench) -> None:
    bench.fail(5)
    assert bench.refused() is not None
    assert bench.refused(key="another") is None


def opened(bench: Bench) -> None:
    bench.fail(5)
    bench.now += 15


def test_one_probe_goes_through_and_its_answer_closes_it(bench: Bench) -> None:
    opened(bench)
    assert bench.refused() is None
    probe = bench.breakers.enter(PROVIDER, KEY, LABEL)
    assert bench.refused() is not None
    probe.answered()
    assert bench.refused() is None
    assert bench.state() == BreakerState()


def test_a_probe_that_fails_opens_it_for_as_long_again(bench: Bench) -> None:
    opened(bench)
    bench.fail(apart=14.9)
    assert bench.refused() is not None
    bench.now += 0.2
    assert bench.refused() is None


def test_a_probe_that_was_stopped_leaves_the_way_to_the_next(bench: Bench) -> None:
    opened(bench)
    bench.breakers.enter(PROVIDER, KEY, LABEL).left()
    assert bench.refused() is None
    assert bench.state().open


def test_who_went_out_before_it_opened_does_not_prolong_it(bench: Bench) -> None:
    early = bench.breakers.enter(PROVIDER, KEY, LABEL)
    bench.fail(5, apart=0.3)
    until = bench.refused()
    bench.now += 10
    early.failed()
    assert until is not None
    later = bench.refused()
    assert later is not None
    assert later.params["seconds"] == 5


def test_only_the_first_word_of_an_attempt_counts(bench: Bench) -> None:
    for _ in range(6):
        passage = bench.breakers.enter(PROVIDER, KEY, LABEL)
        passage.answered()
        passage.failed()
        bench.now += 1
    assert bench.refused() is None
