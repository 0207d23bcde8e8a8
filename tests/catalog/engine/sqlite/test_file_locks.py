"""A file system without locks, or with locks that keep nobody out, is named at once, and nothing is written on it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from openg2g.catalog import Catalog, CatalogLockedError, CatalogUnavailableError
from tests.builders import make_workload
from tests.catalog.engine.alone import require_silent_success
from tests.catalog.engine.sqlite.lockless import EVERYBODY_GETS_IT, NO_LOCKS, let_locks_end_with


def make_where_nobody_gets_a_lock(directory: str) -> None:
    let_locks_end_with(NO_LOCKS)
    with pytest.raises(CatalogUnavailableError, match=r"has no file locks \(ENOLCK\), so writers .*local disk, or"):
        Catalog.create(f"{directory}/new.db")


def use_where_nobody_gets_a_lock(path: str) -> None:
    let_locks_end_with(NO_LOCKS)
    with pytest.raises(CatalogUnavailableError, match=r"has no file locks \(ENOLCK\)") as raised:
        Catalog.open(path)
    assert not isinstance(raised.value, CatalogLockedError) and "\n" not in str(raised.value)


def save_where_locks_are_lost(path: str) -> None:
    with Catalog.open(path) as catalog:
        catalog.save("fleet", make_workload())
        let_locks_end_with(NO_LOCKS)
        for use in (lambda: catalog.load("fleet"), lambda: catalog.save("fleet", make_workload(3))):
            with pytest.raises(CatalogUnavailableError, match=r"has no file locks \(ENOLCK\)"):
                use()


def make_where_everybody_gets_a_lock(directory: str) -> None:
    let_locks_end_with(EVERYBODY_GETS_IT)
    with pytest.raises(
        CatalogUnavailableError, match=r"grants the same lock to two processes, so writers would damage"
    ):
        Catalog.create(f"{directory}/new.db")


@pytest.mark.parametrize("make", [make_where_nobody_gets_a_lock, make_where_everybody_gets_a_lock])
def test_no_catalog_is_made_where_locks_do_not_work(tmp_path: Path, make: Callable[[str], None]) -> None:
    require_silent_success(make, str(tmp_path))
    assert [path for path in tmp_path.iterdir() if path.stat().st_size] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("use", [use_where_nobody_gets_a_lock, save_where_locks_are_lost])
def test_missing_locks_are_named_at_once_and_not_called_another_process(
    database_url: str, use: Callable[[str], None]
) -> None:
    require_silent_success(use, database_url)
