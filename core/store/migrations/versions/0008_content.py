"""Categories, the prompt library, all that threads can be, and texts to search in.

Revision ID: 0007
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOMENT = sa.DateTime(timezone=True)
_CHUNK = 500


def upgrade() -> None:
    op.create_table('categories',
    sa.Column('id', BIG, nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('color', sa.String(length=7), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('updated_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_categories_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_categories'))
    )
    op.create_index(op.f('ix_categories_user_id'), 'categories', ['user_id'], unique=False)

    op.create_table('prompts',
    sa.Column('id', BIG, nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('category_id', BIG, nullable=True),
    sa.Column('is_favorite', sa.Boolean(), nullable=False),
    sa.Column('usage_count', BIG, nullable=False),
    sa.Column('last_used_at', MOMENT, nullable=True),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('updated_at', MOMENT, nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('folded', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_prompts_user_id_users'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['category_id'], ['categories.id'], name=op.f('fk_prompts_category_id_categories'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_prompts'))
    )
    op.create_index('ix_prompts_user', 'prompts', ['user_id', 'id'], unique=False)
    op.create_index(op.f('ix_prompts_category_id'), 'prompts', ['category_id'], unique=False)

    # Alembic adds a reference as a constraint of its own, which SQLite cannot.
    big = 'INTEGER' if op.get_bind().dialect.name == 'sqlite' else 'BIGINT'
    op.execute(
        f'ALTER TABLE threads ADD COLUMN category_id {big} CONSTRAINT fk_threads_category_id_categories '
        'REFERENCES categories (id) ON DELETE SET NULL'
    )
    op.add_column('threads', sa.Column('is_pinned', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('threads', sa.Column('is_archived', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('threads', sa.Column('max_tokens', sa.Integer(), nullable=True))
    op.add_column('threads', sa.Column('temperature', sa.Double(), nullable=True))
    op.add_column('threads', sa.Column('title_folded', sa.Text(), server_default='', nullable=False))
    op.create_index(op.f('ix_threads_category_id'), 'threads', ['category_id'], unique=False)

    op.add_column('messages', sa.Column('tokens', sa.Integer(), nullable=True))
    op.add_column('messages', sa.Column('tokens_estimated', sa.Boolean(), nullable=True))
    op.add_column('messages', sa.Column('with_context', sa.Boolean(), nullable=True))
    op.add_column('messages', sa.Column('meta', sa.JSON(), nullable=True))
    op.add_column('messages', sa.Column('source', sa.String(length=16), nullable=True))
    op.add_column('messages', sa.Column('tags', sa.JSON(), nullable=True))
    op.drop_index('ix_messages_thread', table_name='messages')
    op.create_index('ix_messages_thread', 'messages', ['thread_id', 'id', 'tokens'], unique=False)

    op.create_table('message_texts',
    sa.Column('thread_id', BIG, autoincrement=False, nullable=False),
    sa.Column('message_id', BIG, autoincrement=False, nullable=False),
    sa.Column('folded', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['thread_id'], ['threads.id'], name=op.f('fk_message_texts_thread_id_threads'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('thread_id', 'message_id', name=op.f('pk_message_texts')),
    sqlite_with_rowid=False
    )
    _fill()


def downgrade() -> None:
    op.drop_table('message_texts')
    op.drop_index('ix_messages_thread', table_name='messages')
    op.create_index('ix_messages_thread', 'messages', ['thread_id', 'id'], unique=False)
    for column in ('tags', 'source', 'meta', 'with_context', 'tokens_estimated', 'tokens'):
        op.drop_column('messages', column)
    op.drop_index(op.f('ix_threads_category_id'), table_name='threads')
    for column in ('category_id', 'title_folded', 'temperature', 'max_tokens', 'is_archived', 'is_pinned'):
        op.drop_column('threads', column)
    op.drop_table('prompts')
    op.drop_table('categories')


def _fill() -> None:
    """Make what is stored already searchable, and count the tokens of what was answered."""
    threads = sa.table('threads', sa.column('id', BIG), sa.column('title', sa.Text), sa.column('title_folded', sa.Text))
    messages = sa.table(
        'messages', sa.column('id', BIG), sa.column('thread_id', BIG), sa.column('content', sa.Text),
        sa.column('usage', sa.JSON), sa.column('tokens', sa.Integer), sa.column('tokens_estimated', sa.Boolean),
    )
    texts = sa.table(
        'message_texts', sa.column('thread_id', BIG), sa.column('message_id', BIG), sa.column('folded', sa.Text)
    )
    connection = op.get_bind()
    for rows in _chunks(connection, threads, threads.c.title):
        new = [{'row': row.id, 'text': _folded(row.title)} for row in rows]
        connection.execute(
            threads.update().where(threads.c.id == sa.bindparam('row')).values(title_folded=sa.bindparam('text')), new
        )
    for rows in _chunks(connection, messages, messages.c.thread_id, messages.c.content, messages.c.usage):
        folded = [
            {'thread_id': row.thread_id, 'message_id': row.id, 'folded': text}
            for row in rows if (text := _folded(row.content))
        ]
        if folded:
            connection.execute(texts.insert(), folded)
        counted = [
            {'row': row.id, 'count': row.usage['output_tokens'], 'about': bool(row.usage.get('estimated'))}
            for row in rows if row.usage and 0 <= row.usage.get('output_tokens', -1) < 2**31
        ]
        if counted:
            connection.execute(
                messages.update().where(messages.c.id == sa.bindparam('row')).values(
                    tokens=sa.bindparam('count'), tokens_estimated=sa.bindparam('about')
                ),
                counted,
            )


def _chunks(connection, table, *columns):
    last = 0
    while True:
        rows = connection.execute(
            sa.select(table.c.id, *columns).where(table.c.id > last).order_by(table.c.id).limit(_CHUNK)
        ).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _folded(text: str) -> str:
    return ' '.join(text.casefold().replace('ё', 'е').split())
