"""Arrays that we lay out ourselves are those that pyarrow makes."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.parquet.arrays import arrow_array
from tests.strategies import examples

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
SIZES = pyarrow.list_(pyarrow.field("element", pyarrow.int64(), nullable=False))
VALUES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "texts": (pyarrow.string(), st.text(st.characters(exclude_categories=["Cs"]))),
    "integers": (pyarrow.int64(), INTEGERS),
    "numbers": (pyarrow.float64(), st.floats(allow_nan=False)),
    "times": (pyarrow.timestamp("us", "UTC"), TIMES),
    "lists": (SIZES, st.lists(INTEGERS, max_size=5).map(tuple)),
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("with_none", [False, True], ids=["all there", "some missing"])
@given(st.data())
@examples(50)
def test_they_are_the_same_and_sound(kind: str, with_none: bool, data: st.DataObject) -> None:
    type_, strategy = VALUES[kind]
    values = data.draw(st.lists(st.none() | strategy if with_none else strategy, max_size=20))
    array = arrow_array(pyarrow, type_, values)
    array.validate(full=True)
    assert array.equals(pyarrow.array(values, type_))
    assert array.null_count == values.count(None)


def test_a_number_beyond_64_bits_is_refused() -> None:
    with pytest.raises(OverflowError):
        arrow_array(pyarrow, pyarrow.int64(), [2**63])


def test_pandas_is_imported_neither_to_write_nor_to_read() -> None:
    program = """
import io, sys
class Forbidden:
    def find_spec(self, name, path=None, target=None):
        assert name != "pandas", "pandas is imported"
sys.meta_path.insert(0, Forbidden())
from openg2g.formats.document import Document
from openg2g.formats.registry import get_binary_format
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
stream = io.BytesIO()
parquet = get_binary_format("parquet")
parquet.write([Document(LLMInferenceWorkload((LLMInferenceModelSpec("a", 1, 1, 8, 0.1),)))], stream)
stream.seek(0)
print(len(list(parquet.read(stream, "f"))))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")
