"""Whole histories move between catalogs and archives, and nothing of them is lost, doubled or overwritten."""

import io
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openg2g.catalog import Catalog, InvalidDocumentError, LocationError, RevisionDraft, WorkloadNotFoundError
from openg2g.catalog.archive import source as archive_source
from openg2g.catalog.archive import target as archive_target
from openg2g.catalog.archive.copying import copy_catalog, import_archive, import_archive_files, renaming
from openg2g.catalog.archive.target import entry_batches
from openg2g.catalog.upkeep.verify import MAX_PROBLEMS, verify_database
from openg2g.formats.archive.reader import read_archive
from openg2g.models.errors import HistoryConflictError, InvalidRevisionError
from tests import strategies
from tests.builders import make_workload, published_fleet
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.catalog.plain_sql import PlainSql


def add_archive(catalog: Catalog, archive: bytes) -> dict[str, int]:
    """Import an archive from memory."""
    with catalog.writing() as writer:
        return import_archive(writer, entry_batches(read_archive(io.BytesIO(archive), "archive.jsonl")))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few hundred entries be more than goes into one transaction, or one statement."""
    monkeypatch.setattr(archive_target, "ENTRIES_PER_BATCH", 200)
    for module in (archive_source, archive_target):
        monkeypatch.setattr(module, "KEYS_PER_STATEMENT", 50)


def fill(catalog: Catalog) -> None:
    """Record something of everything, and more than goes into one transaction of a copy."""
    record_something_of_everything(catalog)
    catalog.save_many(RevisionDraft(f"sweep/{i}", make_workload(2, num_replicas=i)) for i in range(120))


@pytest.fixture
def other(tmp_path: Path, migrated_sqlite_file: Path) -> Catalog:
    """Open a second empty catalog, a SQLite file."""
    path = tmp_path / "other.db"
    shutil.copyfile(migrated_sqlite_file, path)
    return Catalog.open(path)


def test_a_round_trip_over_both_engines_gives_the_same_bytes(catalog: Catalog, other: Catalog, tmp_path: Path) -> None:
    with other:
        fill(other)
        added = copy_catalog(other, catalog)
        assert added["fleet"] == 2 and added["sweep/119"] == 1
        archive = archive_of(catalog)
        assert archive == archive_of(other)
    with Catalog.create(tmp_path / "third.db") as third:
        add_archive(third, archive)
        assert archive_of(third) == archive
        assert verify_database(third.database) == []
        assert third.get("fleet@production").number == 2
        assert third.history("fleet") == catalog.history("fleet")


def test_a_second_copy_adds_nothing_and_a_later_one_only_what_is_new(catalog: Catalog, other: Catalog) -> None:
    with other:
        fill(catalog)
        copy_catalog(catalog, other)
        assert set(copy_catalog(catalog, other).values()) == {0}
        catalog.save("fleet", make_workload(4))
        catalog.set_alias("fleet", "production")
        assert [name for name, count in copy_catalog(catalog, other).items() if count] == ["fleet"]
        assert archive_of(other) == archive_of(catalog)


def test_a_copy_that_was_broken_off_goes_on(catalog: Catalog, other: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_target, "ENTRIES_PER_BATCH", 20)
    with other:
        fill(catalog)
        real_add = archive_target.ArchiveTarget.add
        batches = iter(range(10))

        def break_off(self: archive_target.ArchiveTarget, *arguments: object) -> None:
            if next(batches) == 5:
                raise KeyboardInterrupt
            real_add(self, *arguments)  # type: ignore[arg-type]

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(archive_target.ArchiveTarget, "add", break_off)
            copy_catalog(catalog, other)
        assert verify_database(other.database) == []
        copy_catalog(catalog, other)
        assert archive_of(other) == archive_of(catalog)


def test_a_rename_at_the_source_is_followed(catalog: Catalog, other: Catalog) -> None:
    with other:
        catalog.save("fleet", make_workload(1))
        copy_catalog(catalog, other)
        catalog.rename("fleet", "fleet-2")
        catalog.save("fleet-2", make_workload(2))
        assert copy_catalog(catalog, other) == {"fleet-2": 1}
        assert archive_of(other) == archive_of(catalog)


def test_a_name_that_another_has_taken_over_at_the_source_is_followed(catalog: Catalog, other: Catalog) -> None:
    with other:
        catalog.save_many(RevisionDraft(name, make_workload(1)) for name in ("plan", "fleet"))
        copy_catalog(catalog, other)
        for old, new in (("plan", "old-plan"), ("fleet", "plan")):
            catalog.rename(old, new)
            catalog.tag(new, {"team": "grid"})
        catalog.save("fleet", make_workload(3))
        assert copy_catalog(catalog, other) == {"old-plan": 0, "plan": 0, "fleet": 1}
        assert archive_of(other) == archive_of(catalog)


def test_a_name_that_was_renamed_here_to_what_another_is_called_there_is_refused(
    catalog: Catalog, other: Catalog
) -> None:
    with other:
        catalog.save("fleet", make_workload(1))
        catalog.tag("fleet", {"team": "grid"})
        copy_catalog(catalog, other)
        other.rename("fleet", "plan")
        catalog.save("plan", make_workload(1))
        catalog.tag("plan", {"team": "power"})
        with pytest.raises(HistoryConflictError, match=r"plan: .* at rename 1 \(here it is what fleet there has been"):
            copy_catalog(catalog, other)
        assert other.list_names() == ["plan"]


def test_chosen_names_are_copied_with_their_workloads_only(catalog: Catalog, other: Catalog) -> None:
    with other:
        fill(catalog)
        copy_catalog(catalog, other, ["fleet"])
        assert other.list_names() == ["fleet"]
        assert other.count()["workloads"] == 2
        with pytest.raises(WorkloadNotFoundError, match="nothing"):
            copy_catalog(catalog, other, ["nothing"])


def test_another_history_is_refused_and_nothing_is_overwritten(catalog: Catalog, other: Catalog) -> None:
    with other:
        catalog.save("fleet", make_workload(1))
        other.save("fleet", make_workload(2))
        before = archive_of(other)
        with pytest.raises(
            HistoryConflictError, match=r"part at revision 1 .digest sha256:.*give the incoming name another"
        ):
            copy_catalog(catalog, other)
        with pytest.raises(HistoryConflictError):
            add_archive(other, archive_of(catalog))
        assert archive_of(other) == before
        assert copy_catalog(catalog, other, name_here=renaming({"fleet": "theirs"})) == {"theirs": 1}
        assert copy_catalog(catalog, other, name_here=renaming({}, "x/")) == {"x/fleet": 1}
        assert other.list_names() == ["fleet", "theirs", "x/fleet"]


def test_a_new_name_must_be_one(catalog: Catalog) -> None:
    with pytest.raises(InvalidRevisionError, match="name must not contain"):
        renaming({"fleet": "a b"})


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_recorded_survives_an_archive(
    catalog: Catalog, migrated_sqlite_file: Path, tmp_path: Path, data: st.DataObject
) -> None:
    name = data.draw(strategies.names())
    catalog.save(
        name,
        data.draw(strategies.new_workloads()),
        message=data.draw(strategies.messages()),
        author=f"Ada {data.draw(strategies.storable_texts())}",
        effective_from=data.draw(strategies.instants()),
        source=data.draw(strategies.storable_texts()),
        annotations=data.draw(strategies.annotations()),
    )
    archive = archive_of(catalog)
    with Catalog.open(shutil.copyfile(migrated_sqlite_file, tmp_path / "copy.db")) as copy:
        add_archive(copy, archive)
        assert archive_of(copy) == archive
        assert copy.history(name) == catalog.history(name)


def test_every_flipped_byte_and_every_cut_is_noticed(catalog: Catalog, other: Catalog) -> None:
    with other:
        catalog.save("fleet", make_workload(1), message="why", annotations={"a": "b"})
        catalog.set_alias("fleet", "production")
        archive = archive_of(catalog)
        for position in range(0, len(archive), 7):
            damaged = bytearray(archive)
            damaged[position] ^= 1
            with pytest.raises(InvalidDocumentError):
                add_archive(other, bytes(damaged))
        for end in range(0, len(archive) - 1, 11):
            with pytest.raises(InvalidDocumentError):
                add_archive(other, archive[:end])
        assert other.count()["names"] == 0
        assert add_archive(other, archive) == {"fleet": 1}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"openg2g-archive/1", b"openg2g-archive/2", "A newer release may read it."),
        (b'"record":"header"', b'"record":"name"', "an archive begins with its header"),
        (b'"num_replicas":100', b'"num_replicas":101', "does not fit its digest"),
        (b'"number":1,"digest"', b'"number":2,"digest"', "must be 1: numbers have no gaps"),
        (b'"revision":1', b'"revision":7', "which is not there"),
        (b'"author":"Ada"', b'"author":5', "author must be of type str"),
        (b'"author":"Ada"', b'"author":"\\u0000"', "author must be valid Unicode without NUL"),
        (b'"number":1,"digest"', b'"number":true,"digest"', "number must be an integer >= 0, got True"),
        (b'"number":1,"digest"', b'"number":-1,"digest"', "number must be an integer >= 0, got -1"),
        (b'"number":1,"revision"', b'"number":2,"revision"', "move 2 of fleet@production is out of order"),
        (b',"revision":1', b"", "revision is missing"),
        (b'"models":[{', b'"models":[5,{', r"models\[0\] must be an object"),
        (b'"record":"revision"', b'"record":"tag"', "a record 'tag' cannot stand here"),
        (b'{"record":"name"', b'{"recorded":"name"', "is no record of an archive"),
        (b'"recorded_at":"2', b'"recorded_at":"x', "recorded_at: 'x.* is no time"),
        (b'"source":""', b'"source":"","annotations":[]', "stands more than once"),
    ],
)
def test_what_contradicts_itself_is_named(catalog: Catalog, old: bytes, new: bytes, message: str) -> None:
    catalog.save("fleet", make_workload(1), author="Ada")
    catalog.set_alias("fleet", "production")
    archive = archive_of(catalog)
    assert old in archive
    with pytest.raises(InvalidDocumentError, match=message):
        add_archive(catalog, archive.replace(old, new, 1))


@pytest.mark.parametrize(("count", "wrong"), [(b'"revisions":1', b'"revisions":2'), (b'"names":1', b'"names":0')])
def test_what_the_closing_record_counts_must_be_there(catalog: Catalog, count: bytes, wrong: bytes) -> None:
    catalog.save("fleet", make_workload(1))
    archive = archive_of(catalog)
    assert count in archive
    with pytest.raises(InvalidDocumentError, match=r"counts [02] (revisions|names), but there are 1"):
        add_archive(catalog, archive.replace(count, wrong))


def test_after_a_hundred_problems_there_may_be_more(other: Catalog) -> None:
    with other:
        fill(other)
        with other.database.writing() as connection:
            connection.exec_driver_sql("DROP TRIGGER revisions_refuse_update")
            connection.exec_driver_sql("UPDATE revisions SET author = 'Eve'")
        problems = verify_database(other.database)
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1] == "there may be more."


def test_damage_in_the_tables_is_named(other: Catalog) -> None:
    with other:
        fill(other)
        assert verify_database(other.database) == []
        with other.database.writing() as connection:
            for table in ("model_specs", "workloads", "batch_sizes", "revisions"):
                connection.exec_driver_sql(f"DROP TRIGGER {table}_refuse_update")
            connection.exec_driver_sql("UPDATE workloads SET total_gpus = total_gpus + 1 WHERE id = 1")
            connection.exec_driver_sql(
                "UPDATE model_specs SET num_replicas = num_replicas + 1, total_gpus = total_gpus + gpus_per_replica "
                "WHERE id = 2"
            )
            connection.exec_driver_sql(
                "UPDATE batch_sizes SET batch_size = 9 WHERE batch_size_list_id = 1 AND position = 0"
            )
        problems = "\n".join(verify_database(other.database))
        assert "the totals or deadlines of the workload sha256:" in problems
        assert "model spec 2 does not fit its digest" in problems
        assert "batch size list 1 does not fit its members" in problems
        assert "the workload does not fit its digest" in problems


@pytest.mark.parametrize(
    "damage",
    [
        "num_models = num_models + 1",
        "total_gpus = total_gpus - 1",
        "least_itl_deadline_s = 0.05",
        "least_itl_deadline_s = 0.07",
        "greatest_itl_deadline_s = 0.13",
        "greatest_itl_deadline_s = 0.15",
    ],
)
def test_a_stored_fact_that_does_not_fit_the_models_is_named(
    catalog: Catalog, plain_sql: PlainSql, damage: str
) -> None:
    digest = catalog.save("fleet", published_fleet()).digest
    catalog.save("other", make_workload(3))
    assert verify_database(catalog.database) == []
    with plain_sql.unguarded("workloads"):
        plain_sql.run(f"UPDATE workloads SET {damage} WHERE digest = ?", (digest,))
    assert verify_database(catalog.database) == [
        f"the totals or deadlines of the workload {digest} do not fit its models."
    ]


HISTORY_DAMAGES = [
    ("names", "created_at = '2025-01-01T00:00:00.000000Z'"),
    ("renames", "old_name = 'older-name'"),
    ("renames", "recorded_at = '2025-01-01T00:00:00.000000Z'"),
    ("renames", "author = 'Eve'"),
    ("renames", "message = 'moved away'"),
    ("tags", "value = 'other'"),
    ("revisions", "effective_from = '2025-01-01T00:00:00.000000Z'"),
    ("revisions", "author = 'Eve'"),
    ("revisions", "message = 'another plan'"),
    ("revisions", "source = 'other.json'"),
    ("revisions", """annotations = '{"a":[true]}'"""),
    ("alias_moves", "revision_number = NULL"),
    ("alias_moves", "recorded_at = '2025-01-01T00:00:00.000000Z'"),
    ("alias_moves", "author = 'Eve'"),
    ("alias_moves", "message = 'refused'"),
]


def test_every_value_of_the_history_that_is_not_as_it_was_stored_is_named(
    catalog: Catalog, plain_sql: PlainSql
) -> None:
    catalog.save("fleet", make_workload(3), message="first plan", author="Ada", source="a.json", annotations={"b": 1})
    catalog.rename("fleet", "armada", message="moved", author="Ada")
    catalog.tag("armada", {"team": "grid"})
    catalog.set_alias("armada", "production", message="approved", author="Ada")
    assert verify_database(catalog.database) == []
    with plain_sql.unguarded("renames", "revisions", "alias_moves"):
        for table, damage in HISTORY_DAMAGES:
            plain_sql.run("BEGIN")
            plain_sql.run(f"CREATE TABLE undamaged AS SELECT * FROM {table}")
            plain_sql.run(f"UPDATE {table} SET {damage}")
            plain_sql.run("COMMIT")
            problems = verify_database(catalog.database)
            assert [problem for problem in problems if f"of {table} does not fit its checksum" in problem], damage
            undone = damage.partition(" = ")[0]
            plain_sql.run(f"UPDATE {table} SET {undone} = (SELECT {undone} FROM undamaged)")
            plain_sql.run("DROP TABLE undamaged")
    assert verify_database(catalog.database) == []


def test_a_long_history_under_another_name_here_is_recognised_in_every_batch(
    catalog: Catalog, other: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    from openg2g.catalog.archive import target as archive_target

    monkeypatch.setattr(archive_target, "ENTRIES_PER_BATCH", 20)
    with other:
        catalog.save_many(RevisionDraft("fleet", make_workload(1, num_replicas=i)) for i in range(100))
        catalog.set_alias("fleet", "production")
        copy_catalog(catalog, other)
        other.rename("fleet", "mine")
        catalog.save("fleet", make_workload(2))
        assert copy_catalog(catalog, other) == {"fleet": 1}
        assert other.get("mine").number == 101
        assert verify_database(other.database) == []


def test_a_rename_that_was_taken_back_is_not_undone_by_an_older_copy(catalog: Catalog, other: Catalog) -> None:
    with other:
        catalog.save("fleet", make_workload(1))
        catalog.rename("fleet", "fleet-2")
        copy_catalog(catalog, other)
        catalog.rename("fleet-2", "fleet")
        copy_catalog(other, catalog)
        assert catalog.list_names() == ["fleet"]


def test_an_unrelated_name_is_not_taken_for_what_another_was_called(catalog: Catalog, other: Catalog) -> None:
    with other:
        other.save("fleet", make_workload(3))
        catalog.save("fleet", make_workload(1))
        catalog.rename("fleet", "fleet-2")
        assert copy_catalog(catalog, other) == {"fleet-2": 1}
        assert other.list_names() == ["fleet", "fleet-2"]
        assert other.load("fleet") == make_workload(3)


def test_a_name_that_is_copied_here_does_not_answer_for_the_past_of_another(catalog: Catalog, other: Catalog) -> None:
    with other:
        other.save("fleet", make_workload(3))
        here = catalog.save("fleet", make_workload(1))
        other.rename("fleet", "fleet-2")
        copy_catalog(other, catalog)
        assert catalog.get("fleet", known_at=here.recorded_at).digest == here.digest


def test_what_cannot_be_meant_is_refused_at_once(catalog: Catalog, other: Catalog) -> None:
    with other:
        catalog.save("a", make_workload(1))
        catalog.save("c", make_workload(2))
        with pytest.raises(LocationError, match="onto itself"):
            copy_catalog(catalog, catalog)
        with pytest.raises(InvalidRevisionError, match="a and c would both be called c"):
            copy_catalog(catalog, other, name_here=renaming({"a": "c"}))
        assert copy_catalog(catalog, other, ["a@1"]) == {"a": 1}


def test_an_archive_file_is_added_as_the_command_line_does(catalog: Catalog, tmp_path: Path) -> None:
    catalog.save("fleet", make_workload(1))
    path = tmp_path / "archive.jsonl"
    path.write_bytes(archive_of(catalog))
    assert import_archive_files(catalog, [str(path)]) == {"fleet": 0}
    assert import_archive_files(catalog, [str(path)], renaming({}, "x/")) == {"x/fleet": 1}


def test_new_tags_come_along_and_those_that_are_there_stay(catalog: Catalog, other: Catalog) -> None:
    with other:
        catalog.save("fleet", make_workload(1))
        catalog.tag("fleet", {"team": "grid"})
        copy_catalog(catalog, other)
        catalog.tag("fleet", {"team": "power", "status": "published"})
        copy_catalog(catalog, other)
        assert other.tags("fleet") == {"team": "grid", "status": "published"}
