"""A release that is yet to come: this one, with one migration more."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from openg2g.catalog.engine.definitions import expected_definitions
from openg2g.catalog.engine.migrate import migrations_path
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, SCHEMA_REVISIONS
from openg2g.catalog.upkeep import backup  # noqa: F401 - whatever knows of the schema is to be there.

NEXT_REVISION = f"{int(SCHEMA_HEAD) + 1:04}"
_MIGRATION = f'''"""Let a tag have a note, and make its table again for that.

Revision ID: {NEXT_REVISION}
"""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT_REVISION}"
down_revision = "{SCHEMA_HEAD}"


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("tags") as batch:
        batch.add_column(sa.Column("note", sa.Text(), nullable=False, server_default="none"))


def downgrade() -> None:
    """Drop it."""
    {{on_the_way_back}}
    with op.batch_alter_table("tags") as batch:
        batch.drop_column("note")
'''


def write_migrations(directory: Path, on_the_way_back: str = "pass") -> Path:
    """Write the migrations of that release into a directory; what its downgrade does beside may be said."""
    migrations = directory / "migrations"
    shutil.copytree(migrations_path(), migrations, dirs_exist_ok=True)
    text = _MIGRATION.format(on_the_way_back=on_the_way_back)
    (migrations / "versions" / f"{NEXT_REVISION}_note_tags.py").write_text(text, encoding="utf-8")
    for engine in ("sqlite", "postgresql"):
        definitions = dict(expected_definitions(engine))
        if engine == "sqlite":
            last = "checksum INTEGER NOT NULL, "
            table = definitions["tags", "table", "tags"]
            definitions["tags", "table", "tags"] = table.replace(last, f"{last}note TEXT DEFAULT 'none' NOT NULL, ")
        else:
            definitions["tags", "column", "note"] = "text NOT NULL DEFAULT 'none'::text"
        recorded = [(*key, definition) for key, definition in definitions.items()]
        (migrations / f"{engine}_definitions.json").write_text(json.dumps(recorded), encoding="utf-8")
    return migrations


def become(migrations: Path, set_attribute: Callable[[object, str, object], None] = setattr) -> None:
    """Let the release that is running be that one; a test gives `monkeypatch.setattr`, so that it passes."""
    new = {
        "migrations_path": lambda: migrations,
        "definitions_path": lambda engine: migrations / f"{engine}_definitions.json",
        "SCHEMA_REVISIONS": (*SCHEMA_REVISIONS, NEXT_REVISION),
        "SCHEMA_HEAD": NEXT_REVISION,
    }
    for name, module in list(sys.modules.items()):
        if name.startswith("openg2g."):
            for attribute in vars(module).keys() & new.keys():
                set_attribute(module, attribute, new[attribute])
