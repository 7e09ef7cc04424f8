"""How many calls failed with which error, without reading the other sums of those rows.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

ERRORS = sa.text("facet = 'error'")


def upgrade() -> None:
    op.create_index(
        'ix_usage_facets_errors', 'usage_facets',
        ['user_id', 'source', 'value', 'day', 'provider', 'model', 'errors'],
        sqlite_where=ERRORS, postgresql_where=ERRORS,
    )


def downgrade() -> None:
    op.drop_index('ix_usage_facets_errors', table_name='usage_facets')
