#!/usr/bin/env python3
"""Keep catalogs as this release makes them in tests/releases, where later releases find them and upgrade them.

    scripts/keep_release.py

Run it when `version` in pyproject.toml has a new number, and again when the tables of an unreleased version change. It
needs the environment of `scripts/test`.
"""

import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.postgres import PostgresServer
from tests.releases.kept import RELEASES, keep

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Write the folder of the version in pyproject.toml; never that of a version that is out."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if f"## {version} (unreleased)" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines():
        sys.exit(f"{version} is released, or the changelog does not know it: its catalogs stay as they are.")
    with PostgresServer.running() as server:
        keep(RELEASES / version, server)
    print(f"Kept in {RELEASES / version}.")


if __name__ == "__main__":
    main()
