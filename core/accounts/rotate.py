"""`python -m core.accounts.rotate`: seal the stored keys anew with a new key of the vault; AIHub may run meanwhile.

With AIHUB_SECRET_KEY put the new value before the old one, a comma between them, restart AIHub, run this, and
then remove the old value.
"""

import sys

from sqlalchemy.exc import DBAPIError

from core.accounts.endpoints import EndpointService
from core.accounts.keys import KeyService
from core.accounts.vault import Vault
from core.config import Settings
from core.errors import AppError
from core.providers.registry import ProviderRegistry
from core.store.engine import open_engine
from core.store.migrate import upgrade
from core.store.unit_of_work import UnitOfWork, storage_error


def rotate(settings: Settings) -> int:
    """How many keys were sealed anew. AppError when none could be."""
    vault = Vault(settings)
    engine = open_engine(settings.sqlalchemy_url)
    unit = UnitOfWork(engine)
    try:
        upgrade(engine)
        registry = ProviderRegistry(settings)
        return KeyService(unit, vault, registry, EndpointService(unit, registry)).rotate()
    except DBAPIError as error:
        raise storage_error(error) or error from error
    finally:
        unit.close()


def main() -> int:
    """Rotate as the environment says and tell how it went; 1 when it could not be done."""
    try:
        count = rotate(Settings())
    except AppError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"Keys sealed anew: {count}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
