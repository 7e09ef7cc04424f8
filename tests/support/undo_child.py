"""A process that begins to undo an import, and waits in the middle to be killed: `database url` `import id`."""

import sys
from zoneinfo import ZoneInfo

from core.store.engine import open_engine
from core.store.unit_of_work import UnitOfWork
from core.usage.imports import undoing
from core.usage.ledger import Ledger


def main(url: str, import_id: int) -> None:
    undoing.STEP = 10
    looks = 0

    def clock() -> float:
        nonlocal looks
        looks += 1
        # The clock is looked at before and after each step: this is after the third.
        if looks == 7:
            sys.stdout.write("undoing\n")
            sys.stdout.flush()
            sys.stdin.read()
        return 0.0

    undoing.Undoing(UnitOfWork(open_engine(url)), Ledger(ZoneInfo("UTC")), clock).undo(1, import_id)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
