"""Data frames of both libraries hold what the catalog does, with the same types whether they have rows or not."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas
import polars
import pytest

from openg2g.catalog import Catalog, EveryRevision, FilterError, InvalidRevisionError, MissingLibraryError
from openg2g.catalog.history.when import NOW
from openg2g.catalog.reports.dataframes import FrameMaker
from tests.builders import make_draft, make_spec, make_workload, published_fleet
from tests.catalog.history.test_statements import count_statements

MARCH = datetime(2026, 3, 1, 12, 30, 0, 1, tzinfo=UTC)
PANDAS_TYPES = {
    "name": "str",
    "number": "int64",
    "digest": "str",
    "recorded_at": "datetime64[us, UTC]",
    "effective_from": "datetime64[us, UTC]",
    "author": "str",
    "message": "str",
    "source": "str",
    "position": "int64",
    "model_label": "str",
    "num_replicas": "int64",
    "gpus_per_replica": "int64",
    "initial_batch_size": "int64",
    "itl_deadline_s": "float64",
    "feasible_batch_sizes": "object",
    "total_gpus": "int64",
}
POLARS_TYPES = {
    "str": polars.String,
    "int64": polars.Int64,
    "float64": polars.Float64,
    "datetime64[us, UTC]": polars.Datetime("us", "UTC"),
    "object": polars.List(polars.Int64),
}


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """Return a frame's rows as Python values."""
    if isinstance(frame, polars.DataFrame):
        return frame.to_dicts()
    return [
        {key: value.to_pydatetime() if isinstance(value, pandas.Timestamp) else value for key, value in row.items()}
        for row in frame.to_dict("records")
    ]


def types_of(frame: Any) -> dict[str, Any]:
    if isinstance(frame, polars.DataFrame):
        return dict(frame.schema)
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def expected_types(library: str) -> dict[str, Any]:
    if library == "polars":
        return {name: POLARS_TYPES[kind] for name, kind in PANDAS_TYPES.items()}
    text = str(pandas.Series([], dtype="str").dtype)  # Of pandas 3 it is str, of pandas 2 object.
    return {name: text if kind == "str" else kind for name, kind in PANDAS_TYPES.items()}


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_has_a_row_for_each_model(catalog: Catalog, library: str) -> None:
    fleet = published_fleet()
    revision = catalog.save(
        "fleet", fleet, author="Ada", message="line\nbreak", effective_from=MARCH, source="fleet.json"
    )
    frame = catalog.to_dataframe(library=library)
    assert type(frame).__module__.partition(".")[0] == library
    assert types_of(frame) == expected_types(library)
    assert rows_of(frame) == [
        {
            "name": "fleet",
            "number": 1,
            "digest": revision.digest,
            "recorded_at": revision.recorded_at,
            "effective_from": MARCH,
            "author": "Ada",
            "message": "line\nbreak",
            "source": "fleet.json",
            "position": position,
            "model_label": spec.model_label,
            "num_replicas": spec.num_replicas,
            "gpus_per_replica": spec.gpus_per_replica,
            "initial_batch_size": spec.initial_batch_size,
            "itl_deadline_s": spec.itl_deadline_s,
            "feasible_batch_sizes": list(spec.feasible_batch_sizes),
            "total_gpus": spec.total_gpus,
        }
        for position, spec in enumerate(fleet.models)
    ]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_without_rows_has_the_same_types(catalog: Catalog, library: str) -> None:
    frame = catalog.to_dataframe("total_gpus < 0", library=library)
    assert len(frame) == 0
    assert types_of(frame) == expected_types(library)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_extreme_values_come_as_they_are(catalog: Catalog, library: str) -> None:
    largest = 2**31 - 1
    spec = make_spec(
        model_label="🚀 a'b\"c\\d",
        num_replicas=largest,
        gpus_per_replica=largest,
        itl_deadline_s=5e-324,
        feasible_batch_sizes=(largest, 1, largest),
    )
    for year in (1, 9999):
        workload = make_workload(1, **{field: getattr(spec, field) for field in vars(spec)})
        catalog.save(f"year-{year:04}", workload, effective_from=datetime(year, 1, 1, tzinfo=UTC), author="王")
    first, last = rows_of(catalog.to_dataframe("True", when=EveryRevision(), library=library))
    assert (first["effective_from"].year, last["effective_from"].year) == (1, 9999)
    assert (first["total_gpus"], first["itl_deadline_s"]) == (largest**2, 5e-324)
    assert first["feasible_batch_sizes"] == [largest, 1, largest]
    assert (first["model_label"], first["author"]) == (spec.model_label, "王")


def test_a_frame_has_the_hits_of_a_search_in_the_order_that_is_asked_for(catalog: Catalog) -> None:
    catalog.save_many(make_draft(f"name-{size:02}", workload=make_workload(size)) for size in range(1, 21))
    catalog.save("name-03", make_workload(30))
    catalog.retire("name-04")
    for when, sort in ((NOW, ()), (NOW, "-total_gpus"), (EveryRevision(), ("-name",))):
        frame = catalog.to_dataframe("total_gpus > limit", {"limit": 3_000}, when=when, sort=sort)
        hits = catalog.search("total_gpus > limit", {"limit": 3_000}, when=when, sort=sort)
        rows = [(row["name"], row["number"], row["position"], row["model_label"]) for row in rows_of(frame)]
        assert rows == [
            (hit.name, hit.number, position, spec.model_label)
            for hit in hits
            if hit.workload is not None
            for position, spec in enumerate(hit.workload.models)
        ]
        assert rows


def test_pandas_is_taken_where_both_are_installed(catalog: Catalog) -> None:
    assert isinstance(catalog.to_dataframe(), pandas.DataFrame)


def test_a_parameter_may_have_the_name_of_an_argument(catalog: Catalog) -> None:
    catalog.save("fleet", make_workload(1))
    frame = catalog.to_dataframe("total_gpus > when and total_gpus > library", {"when": 1, "library": 2})
    assert len(frame) == 1


@pytest.mark.parametrize("library", ["spark", "", "Pandas", 3])
def test_another_library_is_refused(catalog: Catalog, library: Any) -> None:
    with pytest.raises(InvalidRevisionError, match=r"library must be 'pandas' or 'polars', got"):
        catalog.to_dataframe(library=library)


def test_an_expression_that_cannot_be_searched_by_is_refused(catalog: Catalog) -> None:
    with pytest.raises(FilterError, match="unknown name 'total_gpu'"):
        catalog.to_dataframe("total_gpu > 3")


def test_many_hits_take_as_many_statements_as_one(database_url: str) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save_many(
            make_draft(f"name-{size}", workload=make_workload(2, num_replicas=size)) for size in range(400)
        )
    one, many = (
        count_statements(database_url, lambda catalog, condition=condition: catalog.to_dataframe(condition))
        for condition in ("name == 'name-1'", "name != 'name-1'")
    )
    assert one == many <= 5


WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from openg2g.catalog import Catalog, MissingLibraryError

with Catalog.create(sys.argv[1]) as catalog:
    for library in (None, "pandas", "polars"):
        try:
            print(type(catalog.to_dataframe(library=library)).__module__.partition(".")[0])
        except MissingLibraryError as error:
            print(error)
"""
NEITHER = "takes pandas or polars, which is not installed. Run `pip install 'openg2g-catalog[pandas]'`."
NO_PANDAS = "a data frame takes pandas, which is not installed. Run `pip install 'openg2g-catalog[pandas]'`."
NO_POLARS = "a data frame takes polars, which is not installed. Run `pip install 'openg2g-catalog[polars]'`."


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (("pandas", "polars"), [f"a data frame {NEITHER}", NO_PANDAS, NO_POLARS]),
        (("pandas",), ["polars", NO_PANDAS, "polars"]),
        (("polars",), ["pandas", "pandas", NO_POLARS]),
    ],
)
def test_what_is_not_installed_is_named_with_the_command_that_installs_it(
    tmp_path: Path, missing: tuple[str, ...], expected: list[str]
) -> None:
    program = WITHOUT.format(missing=set(missing))
    command = [sys.executable, "-W", "error", "-c", program, str(tmp_path / "catalog.db")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout.splitlines(), result.stderr) == (expected, "")


def test_a_library_that_is_there_and_does_not_work_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "polars.py").write_text("import polars_core_that_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "polars")
    with pytest.raises(ModuleNotFoundError, match="polars_core_that_nobody_has") as caught:
        FrameMaker("polars")
    assert not isinstance(caught.value, MissingLibraryError)
    assert issubclass(MissingLibraryError, ImportError)
