"""From `python Home.py` on an empty data folder to the first 200."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.environment import fresh_checkout
from tests.bench.figures import Bench, Figure, say
from tests.bench.servers import aihub

_STARTS = 3


def run(folder: Path) -> Iterator[Figure]:
    checkout = fresh_checkout(folder)
    seconds: list[float] = []
    for start in range(_STARTS):
        begun = time.perf_counter()
        with aihub(checkout, folder / f"start-{start}" / "data"):
            seconds.append(time.perf_counter() - begun)
        say(f"cold start {start + 1} of {_STARTS}: {seconds[-1]:.2f} s")
    yield Figure("cold_start.first_200", median(seconds), "s")


BENCH = Bench(("cold_start.first_200",), run)
