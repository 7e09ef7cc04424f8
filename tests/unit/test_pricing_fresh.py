"""What is kept in memory is read again when it is old, at once after own writes, and outlives a lost database."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from core.errors import AppError, ErrorKind
from core.pricing.fresh import REFRESH_SECONDS, Fresh


class Source:
    """A database of one number, with a clock that the test moves."""

    def __init__(self) -> None:
        self.number = 1
        self.seconds = 0.0
        self.asked = self.loaded = 0
        self.lost = False

    def version(self) -> int:
        self.asked += 1
        if self.lost:
            raise AppError(ErrorKind.STORAGE, "The database is gone.")
        return self.number

    def load(self) -> int:
        self.loaded += 1
        return self.number

    def fresh(self) -> Fresh[int]:
        return Fresh(self.version, self.load, lambda: self.seconds)


def test_it_is_asked_for_at_most_every_few_seconds_and_loaded_when_it_changed() -> None:
    source = Source()
    fresh = source.fresh()
    assert [fresh.get(), fresh.get()] == [1, 1]
    assert (source.asked, source.loaded) == (1, 1)
    source.seconds += REFRESH_SECONDS
    assert fresh.get() == 1
    assert (source.asked, source.loaded) == (2, 1)
    source.number = 2
    assert fresh.get() == 1
    source.seconds += REFRESH_SECONDS
    assert fresh.get() == 2


def test_an_own_write_is_seen_at_once_even_under_the_same_version() -> None:
    source = Source()
    fresh = source.fresh()
    assert fresh.get() == 1
    fresh.expire()
    assert fresh.get() == 1
    assert source.loaded == 2


def test_a_database_that_is_lost_leaves_the_last_value_but_not_one_that_was_overwritten() -> None:
    source = Source()
    fresh = source.fresh()
    assert fresh.get() == 1
    source.lost = True
    source.seconds += REFRESH_SECONDS
    assert fresh.get() == 1
    fresh.expire()
    with pytest.raises(AppError, match="gone"):
        fresh.get()
    with pytest.raises(AppError, match="gone"):
        source.fresh().get()
    source.lost, source.number = False, 3
    assert fresh.get() == 3


def test_nobody_waits_for_another_one_who_reads_an_old_value_again() -> None:
    source, reading, may_go_on = Source(), Event(), Event()

    def slow() -> int:
        reading.set()
        assert may_go_on.wait(10)
        return source.version()

    fresh = Fresh(slow, source.load, lambda: source.seconds)
    may_go_on.set()
    assert fresh.get() == 1
    may_go_on.clear()
    reading.clear()
    source.number = 2
    source.seconds += REFRESH_SECONDS
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(fresh.get)
        assert reading.wait(10)
        assert fresh.get() == 1
        may_go_on.set()
        assert other.result(10) == 2
    assert fresh.get() == 2
