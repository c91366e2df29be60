"""What Alembic runs: the migrations, over the connection that the store's opening hands it."""

from __future__ import annotations

from alembic import context

from playground.stores.tables import VERSIONS, metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSIONS
)
with context.begin_transaction():
    context.run_migrations()
