"""First schema: accounts, threads and messages, the ledger and its roll-ups.

Revision ID: 0001
Revises: 
"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('ledger_state',
    sa.Column('id', BIG, autoincrement=False, nullable=False),
    sa.Column('timezone', sa.String(length=64), nullable=False),
    sa.Column('rebuilt_at', MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_state'))
    )
    op.create_table('usage_daily',
    sa.Column('user_id', BIG, autoincrement=False, nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('requests', BIG, nullable=False),
    sa.Column('errors', BIG, nullable=False),
    sa.Column('unpriced', BIG, nullable=False),
    sa.Column('estimated', BIG, nullable=False),
    sa.Column('input_tokens', BIG, nullable=False),
    sa.Column('cached_input_tokens', BIG, nullable=False),
    sa.Column('cache_write_tokens', BIG, nullable=False),
    sa.Column('input_audio_tokens', BIG, nullable=False),
    sa.Column('output_tokens', BIG, nullable=False),
    sa.Column('reasoning_tokens', BIG, nullable=False),
    sa.Column('output_audio_tokens', BIG, nullable=False),
    sa.Column('cost_nano', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('user_id', 'source', 'day', 'provider', 'model', 'currency', name=op.f('pk_usage_daily')),
    sqlite_with_rowid=False
    )
    op.create_table('usage_events',
    sa.Column('id', BIG, nullable=False),
    sa.Column('request_id', sa.String(length=64), nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('occurred_at', MOMENT, nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('error_kind', sa.String(length=32), nullable=True),
    sa.Column('input_tokens', BIG, nullable=False),
    sa.Column('cached_input_tokens', BIG, nullable=False),
    sa.Column('cache_write_tokens', BIG, nullable=False),
    sa.Column('input_audio_tokens', BIG, nullable=False),
    sa.Column('output_tokens', BIG, nullable=False),
    sa.Column('reasoning_tokens', BIG, nullable=False),
    sa.Column('output_audio_tokens', BIG, nullable=False),
    sa.Column('tokens_estimated', sa.Boolean(), nullable=False),
    sa.Column('cost_nano', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('price_source', sa.String(length=200), nullable=False),
    sa.Column('latency_ms', sa.Integer(), nullable=True),
    sa.Column('first_token_ms', sa.Integer(), nullable=True),
    sa.Column('thread_id', BIG, nullable=True),
    sa.Column('message_id', BIG, nullable=True),
    sa.Column('batch', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_usage_events')),
    sa.UniqueConstraint('request_id', name=op.f('uq_usage_events_request_id'))
    )
    op.create_index('ix_usage_events_batch', 'usage_events', ['batch'], unique=False)
    op.create_index('ix_usage_events_user_day', 'usage_events', ['user_id', 'day'], unique=False)

    op.create_table('users',
    sa.Column('id', BIG, nullable=False),
    sa.Column('username', sa.String(length=150), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=True),
    sa.Column('is_admin', sa.Boolean(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
    sa.UniqueConstraint('email', name=op.f('uq_users_email')),
    sa.UniqueConstraint('username', name=op.f('uq_users_username'))
    )
    op.create_table('threads',
    sa.Column('id', BIG, nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('system_prompt', sa.Text(), nullable=True),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('updated_at', MOMENT, nullable=False),
    sa.Column('last_message_at', MOMENT, nullable=False),
    sa.Column('deleted_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_threads_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_threads')),
    sa.UniqueConstraint('uuid', name=op.f('uq_threads_uuid'))
    )
    op.create_index('ix_threads_user_last', 'threads', ['user_id', 'deleted_at', 'last_message_at'], unique=False)

    op.create_table('messages',
    sa.Column('id', BIG, nullable=False),
    sa.Column('thread_id', BIG, nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=True),
    sa.Column('model', sa.String(length=200), nullable=True),
    sa.Column('request_id', sa.String(length=64), nullable=True),
    sa.Column('owner', sa.String(length=200), nullable=True),
    sa.Column('heartbeat_at', MOMENT, nullable=True),
    sa.Column('started_at', MOMENT, nullable=True),
    sa.Column('usage', sa.JSON(), nullable=True),
    sa.Column('cost_nano', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=True),
    sa.Column('price_source', sa.String(length=200), nullable=True),
    sa.Column('finish_reason', sa.String(length=32), nullable=True),
    sa.Column('latency_ms', sa.Integer(), nullable=True),
    sa.Column('first_token_ms', sa.Integer(), nullable=True),
    sa.Column('error_kind', sa.String(length=32), nullable=True),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('error_params', sa.JSON(), nullable=True),
    sa.ForeignKeyConstraint(['thread_id'], ['threads.id'], name=op.f('fk_messages_thread_id_threads'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_messages')),
    sa.UniqueConstraint('request_id', name=op.f('uq_messages_request_id'))
    )
    op.create_index('ix_messages_status', 'messages', ['status', 'owner'], unique=False)
    op.create_index('ix_messages_thread', 'messages', ['thread_id', 'id'], unique=False)



def downgrade() -> None:
    op.drop_index('ix_messages_thread', table_name='messages')
    op.drop_index('ix_messages_status', table_name='messages')

    op.drop_table('messages')
    op.drop_index('ix_threads_user_last', table_name='threads')

    op.drop_table('threads')
    op.drop_table('users')
    op.drop_index('ix_usage_events_user_day', table_name='usage_events')
    op.drop_index('ix_usage_events_batch', table_name='usage_events')

    op.drop_table('usage_events')
    op.drop_table('usage_daily')
    op.drop_table('ledger_state')
