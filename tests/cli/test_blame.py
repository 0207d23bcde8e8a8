"""`openg2g blame` says which revision gave each field its present value."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import SMALL, offline_0_1, write


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """Fill the catalog with three revisions of a small workload."""
    options = ("--author", "Ada <ada@example.org>", "--effective-from", "2026-03-01", "-m", "as published")
    cli("import", write(tmp_path / "small.json", SMALL), *options)
    cli(
        "set", "small", "Llama-3.1-70B.num_replicas=20", "-m", "two more", "--author", "Grace",
        "--effective-from", "2026-04-01",
    )  # fmt: skip
    cli(
        "set", "small", "Llama-3.1-70B.itl_deadline_s=0.08", "-m", "faster", "--author", "Ada",
        "--effective-from", "2026-05-01T12:30Z",
    )  # fmt: skip
    return cli


def numbers_of(value: Any) -> dict[str, int]:
    return {found["field"]: found["revision"]["number"] for found in value["fields"]}


@on_each_engine
def test_every_field_has_its_revision_time_and_author(filled: Cli) -> None:
    out = filled("blame", "small").out
    assert [line.rstrip() for line in out.splitlines()] == [
        "small@3",
        "",
        "                        value   rev  since (UTC)       author",
        "Llama-3.1-70B                     1  2026-03-01 00:00  Ada",
        "  num_replicas          20        2  2026-04-01 00:00  Grace",
        "  gpus_per_replica      4         1  2026-03-01 00:00  Ada",
        "  initial_batch_size    128       1  2026-03-01 00:00  Ada",
        "  itl_deadline_s        0.08      3  2026-05-01 12:30  Ada",
        "  feasible_batch_sizes  64 128    1  2026-03-01 00:00  Ada",
        "  position              0         1  2026-03-01 00:00  Ada",
    ]


def test_the_table_of_the_published_fleet_fits_80_columns(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "fleet.json", offline_0_1()), "--author", "Ada")
    assert max(map(len, cli("blame", "fleet").out.splitlines())) <= 80


def test_an_older_revision_is_blamed_on_those_before_it(filled: Cli) -> None:
    assert set(numbers_of(filled("blame", "small@1", "--format", "json").json).values()) == {1}
    assert numbers_of(filled("blame", "small@2", "--format", "json").json)["itl_deadline_s"] == 1


def test_json_holds_the_whole_revision(filled: Cli) -> None:
    value = filled("blame", "small", "--format", "json").json
    assert value["reference"] == "small@3"
    found = value["fields"][1]
    assert (found["model_label"], found["field"], found["value"]) == ("Llama-3.1-70B", "num_replicas", 20)
    recorded_at = datetime.fromisoformat(found["revision"].pop("recorded_at"))
    shown = filled("show", "small@2", "--format", "json").json["revision"]
    assert recorded_at == datetime.fromisoformat(shown["recorded_at"])
    assert found["revision"] == {
        "number": 2,
        "effective_from": "2026-04-01T00:00:00+00:00",
        "author": "Grace",
        "message": "two more",
    }


def test_a_digest_leads_to_the_revision_that_has_it(filled: Cli) -> None:
    digest = filled("show", "small@2", "--format", "json").json["revision"]["digest"]
    assert filled("blame", digest, "--format", "json").json["reference"] == "small@2"


@on_each_engine
def test_the_revision_in_force_at_a_time_is_blamed(filled: Cli) -> None:
    assert filled("blame", "small", "--as-of", "2026-04-15", "--format", "json").json["reference"] == "small@2"


def test_a_retired_name_has_nothing_to_blame_and_begins_anew(filled: Cli) -> None:
    filled("retire", "small")
    outcome = filled("blame", "small")
    assert outcome.exit_code == 3 and "the name was retired" in outcome.err
    filled("restore", "small")
    assert set(numbers_of(filled("blame", "small", "--format", "json").json).values()) == {5}


def test_an_unknown_reference_is_named(filled: Cli) -> None:
    assert filled("blame", "smal").err == "Error: smal: no workload has this name. Did you mean small?\n"
    assert filled("blame", "small@9").exit_code == 3


def test_stored_text_does_not_steer_the_terminal(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL), "--author", "bell\x07")
    out = cli("blame", "small").out
    assert "\x07" not in out and "bell\\x07" in out
