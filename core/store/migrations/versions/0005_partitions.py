"""On PostgreSQL `usage_events` is kept by month (UTC), and a table of request ids keeps a request id unique over all
months; the zone that the settings named last.

A unique index on a partitioned table has to hold the month's column, so two months could each take the same
request id: a replay with another moment would count twice. Triggers keep `usage_requests` in step whoever writes,
and the statements stay the same on both databases.

Revision ID: 0005
Revises: 0003
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

TABLE = 'usage_events'
# Before it there was nothing to ask; what claims to be older stays in the partition for everything else.
FIRST_YEAR = 2015
GUARD = """
CREATE FUNCTION usage_events_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO usage_requests (request_id) VALUES (NEW.request_id) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN NEW;
    END IF;
    RETURN NULL;
END $$
"""
FORGET = """
CREATE FUNCTION usage_events_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM usage_requests USING gone WHERE usage_requests.request_id = gone.request_id;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column('ledger_state', sa.Column('setting', sa.String(length=64), nullable=True))
    if op.get_bind().dialect.name == 'postgresql':
        partition()


def partition() -> None:
    """The table anew, with what the old one has: columns, defaults, indexes, rows."""
    indexes = run(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'usage_events'"
    ).all()
    op.execute('ALTER TABLE usage_events RENAME TO usage_events_before')
    op.execute('ALTER TABLE usage_events_before DROP CONSTRAINT uq_usage_events_request_id')
    op.execute('ALTER TABLE usage_events_before DROP CONSTRAINT pk_usage_events')
    op.execute(
        'CREATE TABLE usage_events (LIKE usage_events_before INCLUDING DEFAULTS) PARTITION BY RANGE (occurred_at)'
    )
    op.execute('ALTER SEQUENCE usage_events_id_seq OWNED BY usage_events.id')
    op.execute('CREATE TABLE usage_events_default PARTITION OF usage_events DEFAULT')
    for month in months_with_calls():
        name = f'usage_events_{month:%Y_%m}'
        op.execute(
            f"CREATE TABLE {name} PARTITION OF usage_events "
            f"FOR VALUES FROM ('{month.isoformat()}') TO ('{after(month).isoformat()}')"
        )
    op.execute('INSERT INTO usage_events SELECT * FROM usage_events_before')
    op.execute('CREATE TABLE usage_requests (request_id VARCHAR(64) NOT NULL)')
    op.execute('INSERT INTO usage_requests SELECT request_id FROM usage_events_before')
    op.execute('DROP TABLE usage_events_before')
    op.execute('ALTER TABLE usage_requests ADD CONSTRAINT pk_usage_requests PRIMARY KEY (request_id)')
    op.execute('ALTER TABLE usage_events ADD CONSTRAINT pk_usage_events PRIMARY KEY (id, occurred_at)')
    for name, definition in indexes:
        if name not in ('uq_usage_events_request_id', 'pk_usage_events'):
            op.execute(definition)
    op.execute(GUARD)
    op.execute(FORGET)
    op.execute(
        'CREATE TRIGGER usage_events_guard BEFORE INSERT ON usage_events '
        'FOR EACH ROW EXECUTE FUNCTION usage_events_guard()'
    )
    # By statement: taking rows out of the default partition by its own name, to put them into their month,
    # forgets nothing.
    op.execute(
        'CREATE TRIGGER usage_events_forget AFTER DELETE ON usage_events REFERENCING OLD TABLE AS gone '
        'FOR EACH STATEMENT EXECUTE FUNCTION usage_events_forget()'
    )


def months_with_calls() -> list[datetime]:
    """The months that have calls, this one and the next two."""
    found = run("SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC') FROM usage_events_before")
    this = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    coming = [this, after(this), after(after(this))]
    past = {each.replace(tzinfo=UTC) for each in found.scalars()}
    return sorted({each for each in past if each.year >= FIRST_YEAR and each <= coming[-1]} | set(coming))


def after(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def run(statement: str) -> sa.CursorResult:
    return op.get_bind().execute(sa.text(statement))


def downgrade() -> None:
    op.drop_column('ledger_state', 'setting')
    if op.get_bind().dialect.name != 'postgresql':
        return
    indexes = run(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'usage_events'"
    ).all()
    op.execute('CREATE TABLE usage_events_whole (LIKE usage_events INCLUDING DEFAULTS)')
    op.execute('INSERT INTO usage_events_whole SELECT * FROM usage_events')
    op.execute('ALTER SEQUENCE usage_events_id_seq OWNED BY usage_events_whole.id')
    op.execute('DROP TABLE usage_events')
    op.execute('DROP TABLE usage_requests')
    op.execute('DROP FUNCTION usage_events_guard')
    op.execute('DROP FUNCTION usage_events_forget')
    op.execute('ALTER TABLE usage_events_whole RENAME TO usage_events')
    op.execute('ALTER TABLE usage_events ADD CONSTRAINT pk_usage_events PRIMARY KEY (id)')
    op.execute('ALTER TABLE usage_events ADD CONSTRAINT uq_usage_events_request_id UNIQUE (request_id)')
    for name, definition in indexes:
        if name != 'pk_usage_events':
            op.execute(definition.replace(' ON ONLY ', ' ON '))
