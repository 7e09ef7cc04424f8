"""The days of a month in one row a model, for reports on years.

What stands already is packed at the next start (`Ledger.open`).

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('usage_months',
    sa.Column('user_id', BIG, autoincrement=False, nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('provider', sa.String(length=64), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('days', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint(
        'user_id', 'source', 'day', 'provider', 'model', 'currency', name=op.f('pk_usage_months')
    ),
    sqlite_with_rowid=False
    )


def downgrade() -> None:
    op.drop_table('usage_months')
    # An older program that is followed by this one again must not find months that were left behind.
    op.execute(sa.text('UPDATE ledger_state SET version = 3 WHERE version > 3'))
