"""A database that is lent to one test after the other is as new for each."""

import psycopg
import pytest
from psycopg import sql

from tests.support.databases import postgres_database
from tests.support.postgres import SHAPE

TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences"
LEFT = {
    "rows": "INSERT INTO users (username, is_admin, is_active, created_at) VALUES ('left', true, true, now())",
    "a counter without its row": "SELECT nextval('users_id_seq')",
    "a version that is gone": "DELETE FROM alembic_version",
    "another version": "UPDATE alembic_version SET version_num = '0'",
    "a table": "CREATE TABLE left_behind (id INTEGER)",
    "a column": "ALTER TABLE users ADD left_behind INTEGER",
    "a default": "ALTER TABLE users ALTER username SET DEFAULT 'left'",
    "no index": "DROP INDEX {index}",
    "a constraint": "ALTER TABLE users ADD CONSTRAINT left_behind CHECK (username <> 'left')",
}


def contents(url: str) -> dict[str, object]:
    """Everything that a test could find in a database."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        names = [name for (name,) in connection.execute(TABLES)]
        rows = {
            name: connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name))).fetchall()
            for name in names
        }
        counters = sorted(connection.execute(SEQUENCES).fetchall())
        return {**rows, "counters": counters, "shape": connection.execute(SHAPE).fetchall()}


@pytest.mark.postgres
@pytest.mark.parametrize("left", LEFT)
def test_what_one_test_leaves_the_next_does_not_find(left: str) -> None:
    with postgres_database() as url:
        as_new = contents(url)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            index = "SELECT indexname FROM pg_indexes WHERE tablename = 'usage_events' AND indexdef NOT LIKE '%UNIQUE%'"
            found = connection.execute(index).fetchone()
            assert found is not None
            connection.execute(LEFT[left].format(index=found[0]).encode())
        assert contents(url) != as_new
    with postgres_database() as url:
        assert contents(url) == as_new


@pytest.mark.postgres
def test_a_connection_that_is_left_open_holds_nothing_up() -> None:
    with postgres_database() as url:
        left = psycopg.connect(url.replace("+psycopg", ""))
        left.execute("LOCK TABLE users")
    try:
        with postgres_database() as url, psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("SET lock_timeout = 1000")
            connection.execute("SELECT count(*) FROM users")
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
    finally:
        left.close()


@pytest.mark.postgres
def test_two_at_once_are_two() -> None:
    with postgres_database() as one, postgres_database() as two:
        assert one != two
