"""Files of other tools that were imported.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('usage_imports',
    sa.Column('id', BIG, nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('batch', sa.String(length=64), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('file_name', sa.String(length=200), nullable=False),
    sa.Column('format', sa.String(length=32), nullable=False),
    sa.Column('calls', BIG, nullable=False),
    sa.Column('requests', BIG, nullable=False),
    sa.Column('skipped', BIG, nullable=False),
    sa.Column('known', BIG, nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('costs', sa.JSON(), nullable=False),
    sa.Column('unpriced', BIG, nullable=False),
    sa.Column('undone_at', MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_usage_imports')),
    sa.UniqueConstraint('batch', name=op.f('uq_usage_imports_batch'))
    )
    op.create_index(op.f('ix_usage_imports_user_id'), 'usage_imports', ['user_id'], unique=False)


def downgrade() -> None:
    op.drop_table('usage_imports')
