"""What usage is explored by: tags and numbers of requests of calls, finer roll-ups, indexes to page through calls.

The figures of calls that stand already come with the rebuild at the next start (`Ledger.open`).

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
UNFINISHED = sa.text("status <> 'completed'")
SUMS = (
    'requests', 'errors', 'unpriced', 'estimated', 'input_tokens', 'cached_input_tokens', 'cache_write_tokens',
    'input_audio_tokens', 'output_tokens', 'reasoning_tokens', 'output_audio_tokens', 'cost_nano', 'from_cache',
    'saved_nano', 'flagged', 'timed_output_tokens', 'timed_ms',
)


def upgrade() -> None:
    op.add_column('usage_events', sa.Column('requests', BIG, server_default='1', nullable=False))
    op.add_column('usage_events', sa.Column('tags', sa.JSON(), nullable=True))
    op.add_column('usage_daily', sa.Column('timed_output_tokens', BIG, server_default='0', nullable=False))
    op.add_column('usage_daily', sa.Column('timed_ms', BIG, server_default='0', nullable=False))
    op.add_column('ledger_state', sa.Column('version', sa.Integer(), server_default='0', nullable=False))
    op.drop_index('ix_usage_events_user_day', table_name='usage_events')
    op.create_index('ix_usage_events_user_day', 'usage_events', ['user_id', 'day', 'id'])
    op.create_index('ix_usage_events_day', 'usage_events', ['day', 'id'])
    op.create_index('ix_usage_events_model', 'usage_events', ['provider', 'model', 'day', 'id'])
    op.create_index(
        'ix_usage_events_unfinished', 'usage_events', ['status', 'day', 'id'],
        sqlite_where=UNFINISHED, postgresql_where=UNFINISHED,
    )
    op.create_table('usage_event_tags',
    sa.Column('facet', sa.String(length=16), nullable=False),
    sa.Column('value', sa.String(length=200), nullable=False),
    sa.Column('event_id', BIG, autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('facet', 'value', 'event_id', name=op.f('pk_usage_event_tags')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_usage_event_tags_event', 'usage_event_tags', ['event_id', 'facet'])
    op.create_table('usage_pending',
    sa.Column('event_id', BIG, autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_usage_pending'))
    )
    op.create_table('usage_shapes',
    sa.Column('user_id', BIG, autoincrement=False, nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('span', sa.String(length=5), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('latency', sa.LargeBinary(), nullable=False),
    sa.Column('first_token', sa.LargeBinary(), nullable=False),
    sa.Column('hours', sa.LargeBinary(), nullable=False),
    sa.Column('lengths', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint(
        'user_id', 'source', 'span', 'day', 'provider', 'model', 'currency', name=op.f('pk_usage_shapes')
    ),
    sqlite_with_rowid=False
    )
    op.create_table('usage_facets',
    sa.Column('user_id', BIG, autoincrement=False, nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('facet', sa.String(length=16), nullable=False),
    sa.Column('value', sa.String(length=200), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    *(sa.Column(name, sa.BigInteger() if name.endswith('_nano') else BIG, nullable=False) for name in SUMS),
    sa.Column('latency', sa.LargeBinary(), nullable=False),
    sa.Column('first_token', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint(
        'user_id', 'source', 'facet', 'value', 'day', 'provider', 'model', 'currency',
        name=op.f('pk_usage_facets'),
    ),
    sqlite_with_rowid=False
    )


def downgrade() -> None:
    for table in ('usage_facets', 'usage_shapes', 'usage_pending', 'usage_event_tags'):
        op.drop_table(table)
    for index in ('unfinished', 'model', 'day', 'user_day'):
        op.drop_index(f'ix_usage_events_{index}', table_name='usage_events')
    op.create_index('ix_usage_events_user_day', 'usage_events', ['user_id', 'day'])
    op.drop_column('ledger_state', 'version')
    for column in ('timed_ms', 'timed_output_tokens'):
        op.drop_column('usage_daily', column)
    for column in ('tags', 'requests'):
        op.drop_column('usage_events', column)
