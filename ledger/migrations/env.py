"""What alembic runs for each migration: on the connection that `junctor.ledger.migrate` gives it."""

from __future__ import annotations

from alembic import context

# alembic loads this file by its path, so imports of our own are absolute here.
from junctor.ledger.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
