"""Programs that fork while a catalog is open: every process has its own connections, and right answers."""

from collections.abc import Callable, Iterator

import pytest

from openg2g.catalog import Catalog
from openg2g.catalog.upkeep.verify import verify_database
from tests.catalog.engine import forking
from tests.catalog.engine.alone import require_silent_success, require_success


@pytest.fixture(autouse=True)
def sound(database_url: str) -> Iterator[None]:
    """Verify the catalog when the program has ended."""
    yield
    with Catalog.open(database_url) as catalog:
        assert verify_database(catalog.database) == []


PROGRAMS: list[Callable[[str], None]] = [
    forking.load_in_pools,
    forking.save_in_pools,
    forking.fork_by_hand,
    forking.close_in_child,
    forking.fork_beside_threads,
    forking.fork_in_a_transaction,
    forking.fork_in_a_transaction_that_is_undone,
    forking.leave_a_transaction_twice,
    forking.fork_in_a_snapshot,
    forking.fork_in_an_iteration,
    forking.send_to_another_interpreter,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_that_forks_gets_right_answers(database_url: str, program: Callable[[str], None]) -> None:
    require_success(program, database_url)


@pytest.mark.parametrize("is_kept", [True, False], ids=["committed", "rolled back"])
def test_a_child_saves_what_a_thread_of_its_parent_is_writing(database_url: str, is_kept: bool) -> None:
    require_success(forking.fork_beside_a_writing_thread, database_url, is_kept)


@pytest.mark.parametrize("program", [forking.leave_an_idle_child, forking.leave_an_idle_child_and_die])
def test_an_idle_child_of_a_writer_keeps_nobody_waiting(database_url: str, program: Callable[[str], None]) -> None:
    require_silent_success(program, database_url)
