"""A command whose output nobody takes keeps nobody from saving."""

from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from openg2g.catalog.engine import waiting
from tests.places import Places
from tests.torture.slow_readers import SLOW_COMMANDS, copy_to_a_locked_target, fill, read_slowly

SAVES = 2


def test_slow_readers_keep_no_writer_waiting(places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(waiting, "LOCK_WAIT_S", 5.0)  # The writer's patience, which nobody may exhaust.
    with places.catalog() as url:
        with Catalog.open(url) as catalog:
            fill(catalog)
        for command in ("log", "export", "archive"):
            report = read_slowly(url, SLOW_COMMANDS[command], SAVES)
            assert report.saves == SAVES
            assert report.printed_bytes > 2 * 4_096
        assert copy_to_a_locked_target(url, tmp_path, SAVES).saves == SAVES
