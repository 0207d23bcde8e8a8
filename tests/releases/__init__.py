"""A catalog of every release, kept as the release made it, so that none that somebody has is left behind.

A folder for each release has the same catalog, with something of everything, three times:

    0.1.0/sqlite.sql        what `iterdump` of Python's sqlite3 says of the file
    0.1.0/postgresql.sql    what `pg_dump --inserts` says of the database
    0.1.0/archive.jsonl     what `openg2g export --all --history` said of both

Text can be reviewed, and has every page, constraint and trigger of the release when it is read in. A release adds its
folder by

    scripts/keep_release.py

as soon as `version` in pyproject.toml says its number; the tests fail until then. As long as the changelog calls the
release unreleased, the command writes the folder again, for instance after the tables have changed; then never more.
"""
