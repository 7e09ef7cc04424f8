"""Keys and endpoints, own prices, budgets, rate limits, preferences, the response cache, attachments.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('budgets',
    sa.Column('id', BIG, nullable=False),
    sa.Column('scope', sa.String(length=16), nullable=False),
    sa.Column('user_id', BIG, nullable=True),
    sa.Column('provider', sa.String(length=64), nullable=True),
    sa.Column('amount_nano', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('window', sa.String(length=16), nullable=False),
    sa.Column('window_days', sa.Integer(), nullable=True),
    sa.Column('warn_percent', sa.Integer(), nullable=False),
    sa.Column('blocks', sa.Boolean(), nullable=False),
    sa.Column('reset_at', MOMENT, nullable=True),
    sa.Column('created_by', BIG, nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('updated_at', MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_budgets'))
    )
    op.create_table('cached_responses',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('tool_calls', sa.JSON(), nullable=True),
    sa.Column('finish_reason', sa.String(length=32), nullable=True),
    sa.Column('usage', sa.JSON(), nullable=False),
    sa.Column('cost_nano', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('expires_at', MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_cached_responses'))
    )
    op.create_index('ix_cached_responses_expires_at', 'cached_responses', ['expires_at'], unique=False)

    op.create_table('endpoints',
    sa.Column('id', BIG, nullable=False),
    sa.Column('provider_id', sa.String(length=64), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('base_url', sa.String(length=500), nullable=False),
    sa.Column('is_free', sa.Boolean(), nullable=False),
    sa.Column('created_by', BIG, nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('updated_at', MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_endpoints')),
    sa.UniqueConstraint('provider_id', name=op.f('uq_endpoints_provider_id'))
    )
    op.create_table('exchange_rates',
    sa.Column('id', BIG, nullable=False),
    sa.Column('base', sa.String(length=3), nullable=False),
    sa.Column('quote', sa.String(length=3), nullable=False),
    sa.Column('rate', sa.String(length=40), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('created_by', BIG, nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('retired_at', MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exchange_rates'))
    )
    op.create_table('price_overrides',
    sa.Column('id', BIG, nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('input_nano', sa.BigInteger(), nullable=False),
    sa.Column('cached_input_nano', sa.BigInteger(), nullable=True),
    sa.Column('cache_write_nano', sa.BigInteger(), nullable=True),
    sa.Column('output_nano', sa.BigInteger(), nullable=False),
    sa.Column('input_audio_nano', sa.BigInteger(), nullable=True),
    sa.Column('output_audio_nano', sa.BigInteger(), nullable=True),
    sa.Column('valid_from', MOMENT, nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('created_by', BIG, nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('retired_at', MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_price_overrides'))
    )
    op.create_index('ix_price_overrides_model', 'price_overrides', ['provider', 'model'], unique=False)

    op.create_table('rate_limits',
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('requests_per_minute', sa.Integer(), nullable=True),
    sa.Column('tokens_per_minute', sa.Integer(), nullable=True),
    sa.Column('concurrent_streams', sa.Integer(), nullable=True),
    sa.Column('updated_at', MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('provider', name=op.f('pk_rate_limits'))
    )
    op.create_table('recosts',
    sa.Column('id', BIG, nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('created_by', BIG, nullable=False),
    sa.Column('start_day', sa.Date(), nullable=False),
    sa.Column('end_day', sa.Date(), nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=True),
    sa.Column('model', sa.String(length=200), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('calls', BIG, nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recosts'))
    )
    op.create_table('model_preferences',
    sa.Column('id', BIG, nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('max_tokens', sa.Integer(), nullable=True),
    sa.Column('temperature', sa.Double(), nullable=True),
    sa.Column('system_prompt', sa.Text(), nullable=True),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.Column('use_cache', sa.Boolean(), nullable=False),
    sa.Column('options', sa.JSON(), nullable=True),
    sa.Column('fallbacks', sa.JSON(), nullable=True),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('updated_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_model_preferences_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_model_preferences')),
    sa.UniqueConstraint('user_id', 'provider', 'model', name='uq_model_preferences_model')
    )
    op.create_table('provider_keys',
    sa.Column('id', BIG, nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('secret', sa.Text(), nullable=False),
    sa.Column('masked', sa.String(length=64), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('base_url', sa.String(length=500), nullable=True),
    sa.Column('options', sa.JSON(), nullable=True),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('updated_at', MOMENT, nullable=False),
    sa.Column('last_used_at', MOMENT, nullable=True),
    sa.Column('checked_at', MOMENT, nullable=True),
    sa.Column('check_error_kind', sa.String(length=32), nullable=True),
    sa.Column('check_message', sa.Text(), nullable=True),
    sa.Column('check_params', sa.JSON(), nullable=True),
    sa.Column('deleted_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_provider_keys_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_provider_keys'))
    )
    op.create_index('ix_provider_keys_user', 'provider_keys', ['user_id', 'provider'], unique=False)

    op.create_table('recost_changes',
    sa.Column('id', BIG, nullable=False),
    sa.Column('recost_id', BIG, nullable=False),
    sa.Column('event_id', BIG, nullable=False),
    sa.Column('old_nano', sa.BigInteger(), nullable=True),
    sa.Column('old_currency', sa.String(length=3), nullable=False),
    sa.Column('old_source', sa.String(length=200), nullable=False),
    sa.Column('new_nano', sa.BigInteger(), nullable=True),
    sa.Column('new_currency', sa.String(length=3), nullable=False),
    sa.Column('new_source', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['recost_id'], ['recosts.id'], name=op.f('fk_recost_changes_recost_id_recosts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recost_changes'))
    )
    op.create_index(op.f('ix_recost_changes_recost_id'), 'recost_changes', ['recost_id'], unique=False)

    op.create_table('message_attachments',
    sa.Column('id', BIG, nullable=False),
    sa.Column('message_id', BIG, nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('mime_type', sa.String(length=100), nullable=False),
    sa.Column('size', BIG, nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_message_attachments_message_id_messages'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message_attachments'))
    )
    op.create_index(op.f('ix_message_attachments_message_id'), 'message_attachments', ['message_id'], unique=False)
    op.create_index(op.f('ix_message_attachments_sha256'), 'message_attachments', ['sha256'], unique=False)

    op.add_column('messages', sa.Column('tool_calls', sa.JSON(), nullable=True))
    op.add_column('messages', sa.Column('attempts', sa.Integer(), nullable=True))
    op.add_column('messages', sa.Column('from_cache', sa.Boolean(), nullable=True))
    op.add_column('messages', sa.Column('fallback_from', sa.String(length=300), nullable=True))
    op.add_column('messages', sa.Column('flag', sa.String(length=200), nullable=True))

    op.add_column('usage_daily', sa.Column('from_cache', BIG, server_default='0', nullable=False))
    op.add_column('usage_daily', sa.Column('saved_nano', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('usage_daily', sa.Column('flagged', BIG, server_default='0', nullable=False))

    op.add_column('usage_events', sa.Column('attempts', sa.Integer(), server_default='1', nullable=False))
    op.add_column('usage_events', sa.Column('from_cache', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('usage_events', sa.Column('saved_nano', sa.BigInteger(), nullable=True))
    op.add_column('usage_events', sa.Column('flag', sa.String(length=200), nullable=True))
    op.add_column('usage_events', sa.Column('reported', sa.JSON(), nullable=True))
    op.add_column('usage_events', sa.Column('fallback_from', sa.String(length=300), nullable=True))
    op.add_column('usage_events', sa.Column('key_ref', sa.String(length=16), nullable=True))


def downgrade() -> None:
    added = {
        'usage_events': ('key_ref', 'fallback_from', 'reported', 'flag', 'saved_nano', 'from_cache', 'attempts'),
        'usage_daily': ('flagged', 'saved_nano', 'from_cache'),
        'messages': ('flag', 'fallback_from', 'from_cache', 'attempts', 'tool_calls'),
    }
    for table, columns in added.items():
        for column in columns:
            op.drop_column(table, column)
    for table in (
        'message_attachments', 'recost_changes', 'provider_keys', 'model_preferences', 'recosts', 'rate_limits',
        'price_overrides', 'exchange_rates', 'endpoints', 'cached_responses', 'budgets',
    ):
        op.drop_table(table)
