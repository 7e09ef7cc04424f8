"""Alembic's entry: runs the migrations on the connection that `core.store.migrate` hands over."""

from alembic import context

from core.accounts import tables as accounts_tables
from core.categories import tables as categories_tables
from core.chat import tables as chat_tables
from core.generation import tables as generation_tables
from core.models import tables as models_tables
from core.pricing import tables as pricing_tables
from core.prompts import tables as prompts_tables
from core.store.base import Base
from core.usage import tables as usage_tables

# Imported for their side effect: each registers its tables on Base.metadata.
REGISTERED = (
    accounts_tables,
    categories_tables,
    chat_tables,
    generation_tables,
    models_tables,
    pricing_tables,
    prompts_tables,
    usage_tables,
)

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    # A migration that is cut off leaves nothing half-done, on SQLite too.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
