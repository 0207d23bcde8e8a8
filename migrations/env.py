"""Run migrations on a connection that is handed over, or, in the checkout, on the database of the command line."""

from alembic import context
from sqlalchemy import Connection

VERSION_TABLE = "openg2g_schema_version"


def run(connection: Connection) -> None:
    """Migrate within the connection's transaction; whoever opened it commits."""
    from openg2g.catalog.schema.metadata import METADATA

    context.configure(
        connection=connection,
        target_metadata=METADATA,
        version_table=VERSION_TABLE,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_in_checkout() -> None:
    """Open `-x database=PATH_OR_URL`, $OPENG2G_DATABASE, or the default catalog."""
    from openg2g.catalog.engine.database import Database
    from openg2g.catalog.engine.location import locate
    from openg2g.catalog.engine.migrate import migrating

    database = Database(locate(context.get_x_argument(as_dictionary=True).get("database")), may_create=True)
    with migrating(database) as connection:
        run(connection)


handed_over = context.config.attributes.get("connection")
if handed_over is None:
    run_in_checkout()
else:
    run(handed_over)
