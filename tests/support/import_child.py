"""Run as a process of its own: writes an import, says so in the middle of it, and waits to be killed."""

import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from core.pricing.service import PriceBook
from core.store.engine import open_engine
from core.store.unit_of_work import UnitOfWork
from core.usage.imports.service import ImportService
from core.usage.ledger import Ledger


def main(database_url: str, file: str) -> None:
    unit = UnitOfWork(open_engine(database_url))
    imports = ImportService(unit, Ledger(ZoneInfo("UTC")), PriceBook(unit))
    staged = Path(file).with_suffix(".staged")
    preview = imports.read(1, Path(file), staged)

    def wait(_rows: int) -> None:
        sys.stdout.write("writing\n")
        sys.stdout.flush()
        sys.stdin.read()

    imports.write(1, preview, staged, wait)


if __name__ == "__main__":
    main(*sys.argv[1:])
