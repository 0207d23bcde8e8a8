"""The questions of the benchmark as somebody would write them in SQL who knows the tables, the engine and the data.

Some are written in two ways, of which the faster one counts. On SQLite, `CROSS JOIN` says in which order the tables are
read; PostgreSQL's planner finds it out, and is helped by lists of ids that are made first.
"""

import re

LIMIT = 101

_COLUMNS = """SELECT n.id, n.name, r.number, r.workload_id, w.digest, r.recorded_at, r.effective_from, r.author,
    r.message, r.source, CAST(r.annotations AS TEXT)"""

IS_IN_FORCE = """r.number = (
    SELECT o.number FROM revisions AS o WHERE o.name_id = r.name_id AND o.effective_from <= :now
    ORDER BY o.effective_from DESC, o.number DESC LIMIT 1)"""
ALWAYS = "1 = 1"

_IN_NAME_ORDER = f"ORDER BY n.name, r.number LIMIT {LIMIT}"

_BY_WORKLOAD = f"""{_COLUMNS} FROM workloads AS w
    THEN revisions AS r ON r.workload_id = w.id THEN names AS n ON n.id = r.name_id"""

_FROM_NAMES = {
    "sqlite": f"""FROM names AS n CROSS JOIN revisions AS r ON r.name_id = n.id
        AND {IS_IN_FORCE.replace("r.name_id", "n.id")} CROSS JOIN workloads AS w ON w.id = r.workload_id""",
    "postgresql": """FROM names AS n CROSS JOIN LATERAL (
        SELECT o.* FROM revisions AS o WHERE o.name_id = n.id AND o.effective_from <= :now
        ORDER BY o.effective_from DESC, o.number DESC LIMIT 1) AS r JOIN workloads AS w ON w.id = r.workload_id""",
}

_SPECS = """SELECT s.id FROM model_specs AS s
    WHERE s.model_label = 'Llama-3.1-70B' AND s.itl_deadline_s < :y AND EXISTS (
        SELECT 1 FROM batch_sizes AS b WHERE b.batch_size_list_id = s.batch_size_list_id AND b.batch_size = 256)"""


def by_workload(condition: str, scope: str = IS_IN_FORCE, order: str = "n.name, r.number") -> str:
    """Find workloads first."""
    return f"{_BY_WORKLOAD} WHERE {condition} AND {scope} ORDER BY {order} LIMIT {LIMIT}"


def by_name(condition: str) -> str:
    """Go through the names in order."""
    return f"{_COLUMNS} FROM_NAMES WHERE {condition} {_IN_NAME_ORDER}"


def selective(scope: str = IS_IN_FORCE) -> tuple[str, ...]:
    """Few GPUs, and a model of a label with a deadline and a batch size: by either part first."""
    by_total = by_workload(
        f"""w.id AMONG[SELECT v.id FROM workloads AS v WHERE v.total_gpus < :x AND EXISTS (
            SELECT 1 FROM workload_models AS p WHERE p.workload_id = v.id AND p.model_label = 'Llama-3.1-70B'
            AND p.model_spec_id AMONG[{_SPECS}]AMONG)]AMONG""",
        scope,
    )
    by_specs = by_workload(
        f"""w.id AMONG[SELECT v.id FROM workload_models AS p THEN workloads AS v ON v.id = p.workload_id
            WHERE v.total_gpus < :x AND p.model_spec_id AMONG[{_SPECS}]AMONG]AMONG""",
        scope,
    )
    return by_total, by_specs


BY_RARE_LABEL = by_workload(
    """w.id AMONG[SELECT p.workload_id FROM workload_models AS p WHERE p.model_spec_id AMONG[
        SELECT s.id FROM model_specs AS s WHERE s.model_label = :label]AMONG]AMONG"""
)
BY_COMMON_LABEL = by_name(
    "EXISTS (SELECT 1 FROM workload_models AS p WHERE p.workload_id = r.workload_id AND p.model_label = :label)"
)

LOG = f"""{_COLUMNS} FROM revisions AS r
    THEN names AS n ON n.id = r.name_id LEFT JOIN workloads AS w ON w.id = r.workload_id
    ORDER BY r.recorded_at DESC, r.name_id DESC, r.number DESC LIMIT 20"""
"""What was recorded last."""

FACTS = """SELECT w.total_gpus, w.least_itl_deadline_s, s.itl_deadline_s
    FROM revisions AS r THEN workloads AS w ON w.id = r.workload_id
    LEFT JOIN workload_models AS p ON p.workload_id = w.id AND p.model_label = 'Llama-3.1-70B'
    LEFT JOIN model_specs AS s ON s.id = p.model_spec_id AND EXISTS (
        SELECT 1 FROM batch_sizes AS b WHERE b.batch_size_list_id = s.batch_size_list_id AND b.batch_size = 256)
    WHERE w.total_gpus >= 0"""
"""What the values in the questions are chosen from, of every revision."""


def for_engine(statement: str, engine: str) -> str:
    """Write a statement for an engine and its driver."""
    statement = statement.replace("FROM_NAMES", _FROM_NAMES[engine])
    if engine == "sqlite":
        return re.sub(r"\bTHEN\b", "CROSS JOIN", statement).replace("]AMONG", ")").replace("AMONG[", "IN (")
    statement = re.sub(r"\bTHEN\b", "JOIN", statement).replace("]AMONG", "))").replace("AMONG[", "= ANY (ARRAY (")
    return re.sub(r":(\w+)", r"%(\1)s", statement)
