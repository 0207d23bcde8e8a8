"""A catalog means the same in plain Python, on SQLite and on PostgreSQL, whatever is done and asked in whichever order.

`OPENG2G_MACHINE_EXAMPLES` says how many runs of steps there are (5 by default; 1,000 for a full run).
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import CatalogMachine
from tests.places import PostgresPlaces, SqlitePlaces

EXAMPLES = int(os.environ.get("OPENG2G_MACHINE_EXAMPLES", "5"))
STEPS = 25


def test_plain_python_and_both_engines_agree_after_every_step(
    sqlite_places: SqlitePlaces, postgres_places: PostgresPlaces
) -> None:
    run_state_machine_as_test(
        lambda: CatalogMachine(sqlite_places, postgres_places),
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
