"""What the databases themselves refuse, told with plain SQL: the package is not the only one who writes to them."""

import re
import sys

import pytest

from openg2g.catalog import InvalidRevisionError
from openg2g.catalog.schema.metadata import METADATA
from openg2g.models import LLMInferenceModelSpec
from openg2g.models.revision import check_name
from tests.builders import make_spec
from tests.catalog.plain_sql import PlainSql
from tests.catalog.schema.rows import CONTENT_TABLES, HISTORY_TABLES, WHEN, assert_refused, digest, row_of

DIGEST_TABLES = ("batch_size_lists", "model_specs", "workloads")
MALFORMED_DIGESTS = (
    "",
    "sha256:",
    "a" * 71,
    "sha256:" + "a" * 63,
    "sha256:" + "a" * 65,
    "sha256:" + "A" * 64,
    "sha256:" + "g" * 64,
    "sha512:" + "a" * 64,
    "sha256:" + "a" * 63 + "\n",
    "sha256:" + "a" * 64 + "\n",
    "\nsha256:" + "a" * 63,
    "sha256:" + "\u0661" * 64,
)
UNPRINTABLE = [chr(c) for c in range(1, sys.maxunicode + 1) if c < 0x20 or 0x7F <= c < 0xA0 or c in (0x2028, 0x2029)]
SPACES = [chr(c) for c in range(0xA0, sys.maxunicode + 1) if chr(c).isspace() and chr(c) not in UNPRINTABLE] + [" "]


@pytest.mark.parametrize("table", [*CONTENT_TABLES[:2], *CONTENT_TABLES[3:], *HISTORY_TABLES])
def test_a_row_without_a_fault_is_taken(filled: PlainSql, table: str) -> None:
    filled.insert(table, **row_of(table))


@pytest.mark.parametrize(
    ("table", "constraint", "column", "value"),
    [
        ("batch_size_lists", "num_batch_sizes", "num_batch_sizes", 0),
        ("batch_sizes", "position", "position", -1),
        ("batch_sizes", "batch_size", "batch_size", 0),
        ("batch_sizes", "batch_size", "batch_size", -8),
        ("batch_sizes", "batch_size", "batch_size", 2**31),
        ("model_specs", "num_replicas", "num_replicas", -1),
        ("model_specs", "num_replicas", "num_replicas", 2**31),
        ("model_specs", "gpus_per_replica", "gpus_per_replica", 0),
        ("model_specs", "gpus_per_replica", "gpus_per_replica", -4),
        ("model_specs", "gpus_per_replica", "gpus_per_replica", 2**31),
        ("model_specs", "initial_batch_size", "initial_batch_size", 0),
        ("model_specs", "initial_batch_size", "initial_batch_size", 2**31),
        ("model_specs", "itl_deadline_s", "itl_deadline_s", 0.0),
        ("model_specs", "itl_deadline_s", "itl_deadline_s", -0.1),
        ("model_specs", "itl_deadline_s", "itl_deadline_s", float("inf")),
        ("model_specs", "itl_deadline_s", "itl_deadline_s", float("-inf")),
        ("model_specs", "total_gpus", "total_gpus", 11),
        ("workloads", "num_models", "num_models", 0),
        ("workloads", "total_gpus", "total_gpus", -1),
        ("workloads", "least_itl_deadline_s", "least_itl_deadline_s", 0.0),
        ("workloads", "least_itl_deadline_s", "least_itl_deadline_s", -0.1),
        ("workloads", "least_itl_deadline_s", "least_itl_deadline_s", 0.09),
        ("workloads", "least_itl_deadline_s", "least_itl_deadline_s", float("inf")),
        ("workloads", "least_itl_deadline_s", "least_itl_deadline_s", float("-inf")),
        ("workloads", "least_itl_deadline_s", "greatest_itl_deadline_s", 0.07),
        ("workloads", "least_itl_deadline_s", "greatest_itl_deadline_s", -0.1),
        ("workloads", "least_itl_deadline_s", "greatest_itl_deadline_s", float("-inf")),
        ("workloads", "greatest_itl_deadline_s", "greatest_itl_deadline_s", float("inf")),
        ("workload_models", "position", "position", -1),
        ("names", "name_length", "name", "x" * 201),
        ("revisions", "number", "number", 0),
        ("renames", "number", "number", 0),
        ("renames", "old_name_length", "old_name", "x" * 201),
        ("tags", "key_length", "key", ""),
        ("alias_moves", "number", "number", 0),
        ("alias_moves", "alias_length", "alias", "x" * 201),
        ("alias_moves", "alias_first_character", "alias", "3"),
        ("alias_moves", "alias_first_character", "alias", "+1"),
        ("alias_moves", "alias_first_character", "alias", "2026-03-01"),
        ("catalog_info", "single_row", "id", 2),
    ],
)
def test_a_number_out_of_its_range_is_refused_by_a_named_check(
    sql: PlainSql, table: str, constraint: str, column: str, value: object
) -> None:
    derived: dict[str, object] = {}
    if column in ("num_replicas", "gpus_per_replica"):  # Keep the product right, so that only one rule is broken.
        row = row_of("model_specs", **{column: value})
        derived = {"total_gpus": row["num_replicas"] * row["gpus_per_replica"]}
    assert_refused(sql, table, rf"\bck_{table}_{constraint}\b", **{column: value}, **derived)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("model_specs", "itl_deadline_s"),
        ("workloads", "least_itl_deadline_s"),
        ("workloads", "greatest_itl_deadline_s"),
    ],
)
def test_a_deadline_that_is_no_number_is_refused(filled: PlainSql, table: str, column: str) -> None:
    match = filled.on(f"NOT NULL constraint failed: {table}.{column}", f"ck_{table}_{column}")
    assert_refused(filled, table, match, **{column: float("nan")}, id=3, digest=digest("c"))


def test_deadlines_of_which_neither_is_a_number_are_refused(filled: PlainSql) -> None:
    # Postgres takes NaN for equal to itself and greater than all: only the upper limit refuses a pair of them.
    for value in (float("nan"), float("inf")):
        match = "ck_workloads_greatest_itl_deadline_s|NOT NULL constraint failed"
        assert_refused(filled, "workloads", match, least_itl_deadline_s=value, greatest_itl_deadline_s=value)


def test_the_smallest_and_the_largest_deadline_that_there_is_come_back_as_they_were_written(filled: PlainSql) -> None:
    limits = {"least_itl_deadline_s": 5e-324, "greatest_itl_deadline_s": sys.float_info.max}
    filled.insert("workloads", **row_of("workloads", **limits))
    columns = ", ".join(limits)
    assert filled.run(f"SELECT {columns} FROM workloads WHERE id = 2") == [tuple(limits.values())]


@pytest.mark.parametrize("table", DIGEST_TABLES)
def test_a_malformed_digest_is_refused_by_a_named_check(sql: PlainSql, table: str) -> None:
    for malformed in MALFORMED_DIGESTS:
        assert_refused(sql, table, f"ck_{table}_digest", digest=malformed)


@pytest.mark.parametrize("table", DIGEST_TABLES)
def test_a_digest_is_stored_once(filled: PlainSql, table: str) -> None:
    match = filled.on(f"UNIQUE constraint failed: {table}.digest", f"uq_{table}_digest")
    assert_refused(filled, table, match, id=3, digest=digest("a"))


@pytest.mark.parametrize(
    ("label", "constraint"),
    [
        ("", "length"),
        ("x" * 201, "length"),
        ("🦙" * 201, "length"),
        (" ", "not_blank"),
        ("\u00a0\u2003\u3000", "not_blank"),
        ("a\tb", "no_control"),
        ("Llama\u2028", "no_control"),
    ],
)
def test_a_label_that_nobody_can_mean_is_refused_by_a_named_check(sql: PlainSql, label: str, constraint: str) -> None:
    assert_refused(sql, "model_specs", f"ck_model_specs_model_label_{constraint}", model_label=label)


@pytest.mark.parametrize(("table", "column"), [("model_specs", "model_label"), ("names", "name")])
def test_a_nul_in_a_label_or_name_is_refused(sql: PlainSql, table: str, column: str) -> None:
    for text in ("a\0b", "a\0", "\0"):
        assert_refused(sql, table, sql.on(f"ck_{table}_", "cannot contain NUL"), **{column: text})


def test_the_database_refuses_every_character_that_a_label_refuses(filled: PlainSql) -> None:
    for character in UNPRINTABLE:
        with pytest.raises(ValueError, match="control characters"):
            make_spec(model_label=f"a{character}b")
        assert_refused(filled, "model_specs", "model_label_no_control", id=3, model_label=f"a{character}b")
    for character in SPACES:
        with pytest.raises(ValueError, match="blank"):
            make_spec(model_label=character * 2)
        assert_refused(filled, "model_specs", "model_label_not_blank", id=3, model_label=character * 2)


def test_the_database_refuses_every_character_that_a_name_refuses(filled: PlainSql) -> None:
    for name in ["-", "--database", *(f"a{character}b" for character in [*UNPRINTABLE, *SPACES, *"@:*?["])]:
        with pytest.raises(InvalidRevisionError):
            check_name(name)
        assert_refused(filled, "names", "ck_names_name_characters", id=3, name=name)
        assert_refused(filled, "renames", "ck_renames_old_name_characters", old_name=name)
        assert_refused(filled, "tags", "ck_tags_key_characters", key=name)
        assert_refused(filled, "alias_moves", "ck_alias_moves_alias_characters", alias=name)


def test_the_database_takes_every_character_that_a_label_or_name_takes(sql: PlainSql) -> None:
    refused = {*UNPRINTABLE, *SPACES, *"@:*?[", *map(chr, range(0xD800, 0xE000)), "\0"}
    allowed = [c for c in map(chr, range(sys.maxunicode + 1)) if c not in refused]
    texts = ["x" + "".join(allowed[start : start + 199]) for start in range(0, len(allowed), 199)]
    for text in texts:
        check_name(text)
        LLMInferenceModelSpec(text, 1, 1, 1, 1.0)
    sql.insert("batch_size_lists", **row_of("batch_size_lists", id=1))
    cursor = sql.connection.cursor()
    mark = sql.on("?", "%s")
    numbered = list(enumerate(texts, 1))
    cursor.executemany(f"INSERT INTO names VALUES ({mark}, {mark}, '{WHEN}', 0)", numbered)
    cursor.executemany(
        f"INSERT INTO model_specs VALUES ({mark}, {mark}, {mark}, 1, 1, 1, 1.0, 1, 1)",
        [(index, f"sha256:{index:064x}", text) for index, text in numbered],
    )
    assert [name for (name,) in sql.run("SELECT name FROM names ORDER BY id")] == texts
    assert [label for (label,) in sql.run("SELECT model_label FROM model_specs ORDER BY id")] == texts


@pytest.mark.parametrize("label", ["\u200b", " x ", "x" * 200, "🦙" * 200])
def test_a_label_that_the_dataclass_takes_is_taken(filled: PlainSql, label: str) -> None:
    assert make_spec(model_label=label).model_label == label
    filled.insert("model_specs", **row_of("model_specs", id=3, digest=digest("c"), model_label=label))


@pytest.mark.parametrize("table", [*CONTENT_TABLES, *HISTORY_TABLES])
def test_text_in_an_integer_column_is_refused(sql: PlainSql, table: str) -> None:
    columns = [column for column, value in row_of(table).items() if isinstance(value, int)]
    for column in columns:
        match = sql.on("cannot store TEXT value in INTEGER column|datatype mismatch", "invalid input syntax for type")
        assert_refused(sql, table, match, **{column: "many"})


@pytest.mark.parametrize("table", [*CONTENT_TABLES, *HISTORY_TABLES])
def test_every_column_needs_a_value(filled: PlainSql, table: str) -> None:
    for column in METADATA.tables[table].columns:
        if filled.engine == "sqlite" and column.name == "id":
            continue  # SQLite itself assigns the next id where none is given.
        if (table, column.name) in (("revisions", "workload_id"), ("alias_moves", "revision_number")):
            continue  # Nothing is what a retired name and a removed alias stand for.
        match = rf"NOT NULL constraint failed: {table}\.{column.name}|null value in column \"{column.name}\""
        if (filled.engine, table, column.name) == ("sqlite", "revisions", "name_id"):
            match = "the next number of the name is needed"  # The guard against gaps comes first.
        assert_refused(filled, table, match, **{column.name: None})


def test_two_models_of_one_label_in_a_workload_are_refused(filled: PlainSql) -> None:
    match = filled.on(
        r"UNIQUE constraint failed: workload_models\.workload_id, workload_models\.model_label",
        "uq_workload_models_workload_id_model_label",
    )
    assert_refused(filled, "workload_models", match, model_spec_id=1, model_label="Llama-3.1-70B")


def test_a_label_that_is_not_that_of_the_spec_is_refused(filled: PlainSql) -> None:
    match = filled.on("FOREIGN KEY constraint failed", "fk_workload_models_model_spec_id_model_label_model_specs")
    assert_refused(filled, "workload_models", match, model_label="something else")


@pytest.mark.parametrize(
    ("table", "column", "constraint"),
    [
        ("batch_sizes", "batch_size_list_id", "fk_batch_sizes_batch_size_list_id_batch_size_lists"),
        ("model_specs", "batch_size_list_id", "fk_model_specs_batch_size_list_id_batch_size_lists"),
        ("workload_models", "workload_id", "fk_workload_models_workload_id_workloads"),
        ("revisions", "name_id", "fk_revisions_name_id_names"),
        ("revisions", "workload_id", "fk_revisions_workload_id_workloads"),
        ("renames", "name_id", "fk_renames_name_id_names"),
        ("tags", "name_id", "fk_tags_name_id_names"),
        ("alias_moves", "name_id", "fk_alias_moves_name_id_(names|revision_number_revisions)"),
        ("alias_moves", "revision_number", "fk_alias_moves_name_id_revision_number_revisions"),
    ],
)
def test_a_row_that_points_nowhere_is_refused(filled: PlainSql, table: str, column: str, constraint: str) -> None:
    free_keys = {"id": 3, "digest": digest("c")} if table == "model_specs" else {}
    number = {"number": 1} if column == "name_id" and table == "revisions" else {}
    assert_refused(
        filled, table, filled.on("FOREIGN KEY constraint failed", constraint), **free_keys, **number, **{column: 99}
    )


def test_a_name_is_stored_once(filled: PlainSql) -> None:
    match = filled.on(r"UNIQUE constraint failed: names\.name", "uq_names_name")
    assert_refused(filled, "names", match, name="fleet")
    filled.insert("names", **row_of("names", name="Fleet"))  # Case counts.


def test_a_name_that_has_revisions_cannot_be_deleted(filled: PlainSql) -> None:
    with filled.refusing(filled.on("FOREIGN KEY constraint failed", r"fk_\w+_name_id_names")):
        filled.run("DELETE FROM names WHERE name = 'fleet'")


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("workloads", "total_gpus, least_itl_deadline_s"),
        ("workloads", "least_itl_deadline_s, total_gpus"),
        ("workloads", "greatest_itl_deadline_s, total_gpus"),
        ("model_specs", "model_label"),
        ("model_specs", "batch_size_list_id"),
        ("batch_sizes", "batch_size, batch_size_list_id"),
        ("workload_models", "model_spec_id"),
    ],
)
def test_what_a_search_asks_for_is_in_an_index(sql: PlainSql, table: str, columns: str) -> None:
    definition = sql.on("sql FROM sqlite_master WHERE name = ?", "indexdef FROM pg_indexes WHERE indexname = ?")
    [(text,)] = sql.run(f"SELECT {definition}", (f"ix_{table}_{columns.replace(', ', '_')}",))
    assert re.search(rf" ON (public\.)?{table} (USING btree )?\({columns}\)$", text), text


def test_constraint_names_fit_into_what_postgres_keeps_of_them() -> None:
    constraints = [constraint for table in METADATA.tables.values() for constraint in table.constraints]
    names = [str(constraint.name) for constraint in constraints]
    assert all(re.fullmatch(r"(ck|fk|pk|uq)_\w+", name) and len(name) < 63 for name in names), names
    assert len(names) > 30


def test_the_view_named_revisions_shows_every_revision_with_its_name_and_digest(filled: PlainSql) -> None:
    filled.insert("workloads", **row_of("workloads", num_models=2, total_gpus=24, greatest_itl_deadline_s=0.14))
    said = {"message": "more", "source": "fleet.json", "annotations": '{"site": "A"}'}
    filled.insert("revisions", **row_of("revisions", workload_id=2, **said))
    rows = filled.run(
        "SELECT name, number, digest, num_models, total_gpus, least_itl_deadline_s, greatest_itl_deadline_s, author, "
        "message, source, CAST(annotations AS TEXT) FROM named_revisions ORDER BY number"
    )
    assert rows == [
        ("fleet", 1, digest("a"), 1, 12, 0.08, 0.08, "Ada", "", "", "{}"),
        ("fleet", 2, digest("b"), 2, 24, 0.08, 0.14, "Ada", "more", "fleet.json", '{"site": "A"}'),
    ]
    assert filled.run(
        "SELECT count(*) FROM named_revisions WHERE recorded_at = ? AND effective_from = ?", (WHEN, WHEN)
    )[0] == (2,)


def test_a_revision_that_retires_its_name_is_in_the_views_without_a_workload(filled: PlainSql) -> None:
    filled.insert("revisions", **row_of("revisions", workload_id=None))
    facts = "digest, total_gpus, least_itl_deadline_s, greatest_itl_deadline_s"
    assert filled.run(f"SELECT name, {facts} FROM named_revisions WHERE number = 2") == [("fleet", *[None] * 4)]
    assert filled.run("SELECT count(*) FROM revision_models WHERE number = 2") == [(0,)]


def test_the_view_revision_models_shows_every_model_of_every_revision(filled: PlainSql) -> None:
    filled.insert("workloads", **row_of("workloads", num_models=2, total_gpus=24))
    second_model = {"model_spec_id": 1, "model_label": "Llama-3.1-70B"}
    filled.insert("workload_models", **row_of("workload_models", workload_id=2, position=0))
    filled.insert("workload_models", **row_of("workload_models", workload_id=2, position=1, **second_model))
    filled.insert("revisions", **row_of("revisions", workload_id=2))
    rows = filled.run(
        "SELECT name, number, position, model_label, num_replicas, gpus_per_replica, initial_batch_size, "
        "itl_deadline_s, feasible_batch_sizes, total_gpus FROM revision_models ORDER BY number, position"
    )
    figures = (3, 4, 128, 0.08, "[8]", 12)
    assert rows == [
        ("fleet", 1, 0, "Llama-3.1-70B", *figures),
        ("fleet", 2, 0, "Llama-3.1-8B", *figures),
        ("fleet", 2, 1, "Llama-3.1-70B", *figures),
    ]
