"""A catalog means the same in plain Python, on SQLite and on PostgreSQL, whatever is done and asked in whichever order.

`OPENG2G_MACHINE_EXAMPLES` says how many runs of steps there are (20 by default; 1,000 for a full run).
"""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import CatalogMachine
from tests.machine.places import Places
from tests.postgres import PostgresServer

EXAMPLES = int(os.environ.get("OPENG2G_MACHINE_EXAMPLES", "20"))
STEPS = 25


def test_plain_python_and_both_engines_agree_after_every_step(
    migrated_sqlite_file: Path, postgres: PostgresServer, migrated_postgres_template: str
) -> None:
    places = Places(migrated_sqlite_file, postgres, migrated_postgres_template)
    run_state_machine_as_test(
        lambda: CatalogMachine(places),
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
