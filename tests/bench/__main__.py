"""`make bench`: measure and print one JSON object a figure. Names on the command line pick figures by prefix.

Exit code 0 when every target was met, 1 when one was missed, 2 when a bench failed to run.
"""

import signal
import sys
import tempfile
import traceback
from pathlib import Path
from types import FrameType

from tests.bench.environment import isolate_this_process
from tests.bench.figures import Bench, say

MISSED, CRASHED = 1, 2


def benches() -> list[Bench]:
    """All of them. Imported only now: what they measure must not have read the developer's settings."""
    from tests.bench import (
        cold_start,
        golden,
        limiter,
        page_switch,
        rerun,
        resilience,
        rest,
        streams,
        turn,
        usage_import,
        usage_record,
        usage_year,
    )

    # The large ledgers come last: while the disk still writes them, whatever waits for it takes ten times longer.
    return [
        cold_start.BENCH,
        golden.BENCH,
        rerun.BENCH,
        page_switch.BENCH,
        turn.BENCH,
        streams.BENCH,
        limiter.BENCH,
        resilience.BENCH,
        rest.BENCH,
        usage_record.BENCH,
        usage_import.BENCH,
        usage_year.BENCH,
    ]


def main(prefixes: list[str]) -> int:
    isolate_this_process()
    signal.signal(signal.SIGTERM, _leave)
    chosen = [bench for bench in benches() if bench.wanted(prefixes)]
    if not chosen:
        say(
            f"No figure begins with {' or '.join(prefixes)}: {', '.join(n for b in benches() for n in b.names)}"
        )
        return CRASHED
    return max(_measure(bench) for bench in chosen)


def _measure(bench: Bench) -> int:
    code = 0
    # Servers may still be closing their database when the folder goes.
    with tempfile.TemporaryDirectory(prefix="aihub-bench-", ignore_cleanup_errors=True) as folder:
        try:
            for figure in bench.run(Path(folder)):
                print(figure.line(), flush=True)
                code = code if figure.ok else MISSED
        except Exception:  # noqa: BLE001 - the other benches still have something to say
            traceback.print_exc()
            return CRASHED
    return code


def _leave(signum: int, _frame: FrameType | None) -> None:
    # An exception unwinds the blocks that end child processes and remove folders; a bare SIGTERM does not.
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
