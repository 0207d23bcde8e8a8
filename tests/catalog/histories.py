"""A catalog with something of everything, and a whole catalog as bytes that can be compared."""

import io
from datetime import UTC, datetime

from openg2g.catalog import Catalog
from openg2g.catalog.archive.copying import export_archive
from openg2g.catalog.history import names
from openg2g.models.naming import AliasMove
from tests.builders import make_workload, published_fleet

START = datetime(2026, 3, 1, tzinfo=UTC)
"""Since when the first revision applies."""


def archive_of(catalog: Catalog) -> bytes:
    """Write the archive of a catalog into memory."""
    stream = io.StringIO(newline="")
    export_archive(catalog, stream)
    return stream.getvalue().encode()


def record_something_of_everything(catalog: Catalog) -> None:
    """Record revisions, annotations, aliases moved and removed, tags, a rename, and names retired and restored."""
    catalog.save("fleet", published_fleet(), effective_from=START, author="Ada", annotations={"b": 1e22, "a": [True]})
    catalog.save("fleet", make_workload(3), message='quotes " and\nlines', author="Bob", source="a b.json")
    catalog.set_alias("fleet", "production", 1, message="approved", author="Ada")
    catalog.set_alias("fleet", "production", author="Bob")
    catalog.set_alias("fleet", "trial", 1, author="Bob")
    catalog.remove_alias("fleet", "trial", message="it's over", author="Bob")
    catalog.tag("fleet", {"team": "grid", "draft": ""})
    catalog.save("old-name", make_workload(1), author="Ada")
    catalog.rename("old-name", "Zürich", message="moved", author="Ada")
    catalog.retire("Zürich", author="Bob")
    deadline_of_17_digits = make_workload(1, itl_deadline_s=0.1 + 0.2)
    catalog.save("back", deadline_of_17_digits, author="Ada", annotations={"was": [1, 1.0, True, None, "𝕏"]})
    catalog.retire("back", message="too early", author="Ada")
    catalog.restore("back", author="Bob")


def add_latest_alias(catalog: Catalog, name: str, number: int) -> None:
    """Let an alias `latest` stand for a revision, as older releases let aliases that can be stored."""
    with catalog.writing() as writer:
        name_id = names.find_name_id(writer.connection, name)
        assert name_id is not None
        names.move_alias(writer.connection, name_id, AliasMove("latest", number, datetime.now(UTC), "Ada"))
