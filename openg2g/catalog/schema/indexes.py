"""The indexes that searches lead SQLite to by name. PostgreSQL chooses its own, and calls two of them otherwise."""

from collections.abc import Mapping

INDEX_OF: Mapping[str, str] = {
    "name": "sqlite_autoindex_names_1",
    "digest": "sqlite_autoindex_workloads_1",
    "total_gpus": "ix_workloads_total_gpus_least_itl_deadline_s",
    "least_itl_deadline_s": "ix_workloads_least_itl_deadline_s_total_gpus",
    "greatest_itl_deadline_s": "ix_workloads_greatest_itl_deadline_s_total_gpus",
    "recorded_at": "ix_revisions_recorded_at",
    "workload_id": "ix_revisions_workload_id",
    "model_spec_id": "ix_workload_models_model_spec_id",
}
"""Column of `names`, `workloads`, `revisions` or `workload_models` → the index that begins with it."""
