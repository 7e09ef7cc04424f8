"""Passwords, sessions, personal API tokens, and the count of failed sign-ins.

Revision ID: 0006
Revises: 0002
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOMENT = sa.DateTime(timezone=True)
KEYS = ('username_key', 'email_key')


def upgrade() -> None:
    # Columns are added one by one: rebuilding `users` on SQLite would cascade into everything that hangs on it.
    op.add_column('users', sa.Column('username_key', sa.String(length=512), nullable=True))
    op.add_column('users', sa.Column('email_key', sa.String(length=512), nullable=True))
    op.add_column('users', sa.Column('password_hash', sa.String(length=255), nullable=True))
    op.add_column('users', sa.Column('is_local', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('users', sa.Column('deleted_at', MOMENT, nullable=True))
    _fill()
    for name in KEYS:
        op.create_index(f'uq_users_{name}', 'users', [name], unique=True)
    op.create_index(
        'uq_users_is_local', 'users', ['is_local'], unique=True,
        sqlite_where=sa.text('is_local'), postgresql_where=sa.text('is_local'),
    )

    op.create_table('user_sessions',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('secret_hash', sa.String(length=64), nullable=False),
    sa.Column('user_agent', sa.String(length=200), nullable=False),
    sa.Column('address', sa.String(length=45), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('last_seen_at', MOMENT, nullable=False),
    sa.Column('expires_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_user_sessions_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user_sessions')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_user_sessions_secret_hash'))
    )
    op.create_index(op.f('ix_user_sessions_user_id'), 'user_sessions', ['user_id'], unique=False)
    op.create_index(op.f('ix_user_sessions_expires_at'), 'user_sessions', ['expires_at'], unique=False)

    op.create_table('api_tokens',
    sa.Column('id', BIG, nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('hint', sa.String(length=16), nullable=False),
    sa.Column('secret_hash', sa.String(length=64), nullable=False),
    sa.Column('scopes', sa.JSON(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('expires_at', MOMENT, nullable=True),
    sa.Column('last_used_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_api_tokens_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_tokens')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_api_tokens_secret_hash'))
    )
    op.create_index(op.f('ix_api_tokens_user_id'), 'api_tokens', ['user_id'], unique=False)

    op.create_table('sign_in_attempts',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('last_at', MOMENT, nullable=False),
    sa.Column('blocked_until', MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_sign_in_attempts'))
    )
    op.create_index(op.f('ix_sign_in_attempts_last_at'), 'sign_in_attempts', ['last_at'], unique=False)


def downgrade() -> None:
    for table in ('sign_in_attempts', 'api_tokens', 'user_sessions'):
        op.drop_table(table)
    for index in ('uq_users_is_local', *(f'uq_users_{name}' for name in KEYS)):
        op.drop_index(index, table_name='users')
    for column in ('deleted_at', 'is_local', 'password_hash', *KEYS):
        op.drop_column('users', column)


def _fill() -> None:
    users = sa.table(
        'users',
        *(sa.column(name) for name in ('id', 'username', 'email', *KEYS)),
        sa.column('is_local', sa.Boolean()),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(users.c.id, users.c.username, users.c.email)).all():
        connection.execute(
            users.update()
            .where(users.c.id == row.id)
            .values(
                username_key=_folded(row.username),
                email_key=_folded(row.email) if row.email else None,
                # Until now this name was what made the account the local one.
                is_local=row.username == 'local',
            )
        )


def _folded(text: str) -> str:
    return unicodedata.normalize('NFKC', unicodedata.normalize('NFKC', text).casefold()).strip()
