#!/usr/bin/env python3
"""Record what the migrations make, as catalogs are compared with it when they are opened.

    scripts/record_definitions.py

Run it when a migration was added or, before it is released, changed. It needs the environment of `scripts/test`.
"""

import json
import sys
import tempfile
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from openg2g.catalog.engine.creation import make_catalog
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import definitions_path, read_definitions
from openg2g.catalog.engine.location import locate
from tests.postgres import PostgresServer


def main() -> None:
    """Make a catalog on each engine, and write what its objects are."""
    with tempfile.TemporaryDirectory() as directory, PostgresServer.running() as server, server.database() as url:
        for place in (f"sqlite:///{directory}/catalog.db", url):
            location = locate(place)
            make_catalog(location)
            with closing(Database(location)) as database:
                path = definitions_path(database.engine.dialect.name)
                found = sorted((*key, text) for key, text in database.read(read_definitions).items())
            path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"Recorded in {path}.")


if __name__ == "__main__":
    main()
