"""Rows to be stored have a value for each column but the checksum, and come back as what they were made of."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from openg2g.catalog.schema.base import Row
from openg2g.catalog.schema.convert import (
    RowTuple,
    alias_move_from_row,
    alias_move_to_row,
    name_to_row,
    rename_from_row,
    rename_to_row,
    tag_to_row,
)
from openg2g.catalog.schema.history_rows import AliasMoveRow, NameRow, RenameRow, TagRow
from openg2g.models.naming import AliasMove, Rename

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def by_column(row_class: type[Row], row: RowTuple) -> dict[str, object]:
    columns = [column.name for column in row_class.__table__.columns if column.name != "checksum"]
    return dict(zip(columns, row, strict=True))


def test_a_name_and_a_tag_become_rows() -> None:
    assert by_column(NameRow, name_to_row(7, "fleet", NOON)) == {"id": 7, "name": "fleet", "created_at": NOON}
    assert by_column(TagRow, tag_to_row(7, "team", "grid")) == {"name_id": 7, "key": "team", "value": "grid"}


def test_a_rename_becomes_a_row() -> None:
    assert by_column(RenameRow, rename_to_row(Rename("armada", NOON, "Ada", "why"), 7, 2)) == {
        "name_id": 7,
        "number": 2,
        "old_name": "armada",
        "recorded_at": NOON,
        "author": "Ada",
        "message": "why",
    }


def test_a_move_of_an_alias_becomes_a_row() -> None:
    assert by_column(AliasMoveRow, alias_move_to_row(AliasMove("prod", None, NOON, "Ada", "why"), 7, 2)) == {
        "name_id": 7,
        "alias": "prod",
        "number": 2,
        "revision_number": None,
        "recorded_at": NOON,
        "author": "Ada",
        "message": "why",
    }


@pytest.mark.parametrize(
    ("row_class", "to_row", "from_row", "value"),
    [
        (RenameRow, rename_to_row, rename_from_row, Rename("armada", NOON, "Ada", "why")),
        (AliasMoveRow, alias_move_to_row, alias_move_from_row, AliasMove("prod", 3, NOON, "Ada", "why")),
        (AliasMoveRow, alias_move_to_row, alias_move_from_row, AliasMove("prod", None, NOON, "Ada")),
    ],
)
def test_what_becomes_a_row_is_made_of_it_again(
    row_class: type[Row], to_row: Callable[..., RowTuple], from_row: Callable[[Any], object], value: object
) -> None:
    assert from_row(SimpleNamespace(**by_column(row_class, to_row(value, 7, 2)))) == value
