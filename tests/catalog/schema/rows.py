"""Rows as plain SQL writes them: valid ones, to be spoilt in one column."""

from typing import Any

from tests.catalog.plain_sql import PlainSql

WHEN = "2026-03-01T12:00:00.000000Z"
HISTORY_TABLES = ("names", "renames", "tags", "revisions", "alias_moves")
CONTENT_TABLES = ("batch_size_lists", "batch_sizes", "model_specs", "workloads", "workload_models")


def digest(character: str) -> str:
    return "sha256:" + character * 64


def row_of(table: str, **overrides: Any) -> dict[str, Any]:
    """A row that the table takes after `filled`, apart from what is overridden."""
    rows: dict[str, dict[str, Any]] = {
        "catalog_info": {"id": 2, "created_at": WHEN},
        "batch_size_lists": {"id": 2, "digest": digest("b"), "batch_sizes": "[8]", "num_batch_sizes": 1},
        "batch_sizes": {"batch_size_list_id": 1, "position": 1, "batch_size": 256},
        "model_specs": {
            "id": 2,
            "digest": digest("b"),
            "model_label": "Llama-3.1-8B",
            "num_replicas": 3,
            "gpus_per_replica": 4,
            "initial_batch_size": 128,
            "itl_deadline_s": 0.08,
            "batch_size_list_id": 1,
            "total_gpus": 12,
        },
        "workloads": {
            "id": 2,
            "digest": digest("b"),
            "num_models": 1,
            "total_gpus": 12,
            "least_itl_deadline_s": 0.08,
            "greatest_itl_deadline_s": 0.08,
        },
        "workload_models": {"workload_id": 1, "position": 1, "model_spec_id": 2, "model_label": "Llama-3.1-8B"},
        "names": {"id": 2, "name": "other", "created_at": WHEN, "checksum": 0},
        "renames": {
            "name_id": 1,
            "number": 2,
            "old_name": "armada",
            "recorded_at": WHEN,
            "author": "Ada",
            "message": "",
            "checksum": 0,
        },
        "tags": {"name_id": 1, "key": "team", "value": "grid", "checksum": 0},
        "alias_moves": {
            "name_id": 1,
            "alias": "staging",
            "number": 1,
            "revision_number": 1,
            "recorded_at": WHEN,
            "author": "Ada",
            "message": "",
            "checksum": 0,
        },
        "revisions": {
            "name_id": 1,
            "number": 2,
            "workload_id": 1,
            "recorded_at": WHEN,
            "effective_from": WHEN,
            "author": "Ada",
            "message": "",
            "source": "",
            "annotations": "{}",
            "checksum": 0,
        },
    }
    return rows[table] | overrides


def assert_refused(sql: PlainSql, table: str, match: str, **overrides: Any) -> None:
    with sql.refusing(match):
        sql.insert(table, **row_of(table, **overrides))
