"""`python -m core.accounts.people`: accounts from the command line, for whoever runs the hub.

    add EMAIL USERNAME [admin]   a new account, whatever AIHUB_SIGNUP says; the first one is an administrator
    password EMAIL               a new password for somebody who forgot theirs; signs them out everywhere

The password is asked for, or read from the first line of standard input when that is no terminal.
"""

import getpass
import sys
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from core.accounts.new_accounts import add_account
from core.accounts.passwords import Passwords
from core.accounts.sessions import end_sessions
from core.accounts.types import Profile
from core.accounts.user_checks import clean_password
from core.accounts.user_rows import profile_of, user_by_email
from core.config import Settings
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.store.engine import open_engine
from core.store.migrate import upgrade
from core.store.unit_of_work import UnitOfWork, storage_error


def run(settings: Settings, arguments: Sequence[str], password: str) -> Profile:
    """What the arguments ask for. AppError when it cannot be done; ValueError when they ask for nothing known."""
    engine = open_engine(settings.sqlalchemy_url)
    unit = UnitOfWork(engine)
    try:
        upgrade(engine)
        match arguments:
            case ["add", email, username, *role] if role in ([], ["admin"]):
                return add_account(unit, Passwords(), email, username, password, is_admin=bool(role))
            case ["password", email]:
                return set_password(unit, Passwords(), email, password)
            case _:
                raise ValueError(__doc__)
    except DBAPIError as error:
        raise storage_error(error) or error from error
    finally:
        unit.close()


def set_password(unit: UnitOfWork, passwords: Passwords, email: str, password: str) -> Profile:
    """Give the account with an e-mail address another password; AppError(NOT_FOUND)."""
    hashed = passwords.hash(clean_password(password, email))
    with unit.write() as session:
        user = user_by_email(session, email)
        if user is None:
            raise AppError(ErrorKind.NOT_FOUND, N_("There is no such account."))
        user.password_hash = hashed
        end_sessions(session, user.id)
        return profile_of(user)


def main() -> int:
    """Do as the command line says and tell how it went; 1 when it could not be done."""
    if len(sys.argv) not in (3, 4, 5):
        sys.stderr.write(f"{__doc__}\n")
        return 1
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    try:
        profile = run(Settings(), sys.argv[1:], password)
    except (AppError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    role = "administrator" if profile.is_admin else "user"
    sys.stdout.write(f"{profile.email} ({profile.username}): {role}, account {profile.id}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
