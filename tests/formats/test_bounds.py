"""Files that are built to hurt: what they cost grows with their size, and no faster."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.formats.views import message_of


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail if what is done takes more time of the processor; every file here took minutes when its test was written."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < seconds


def test_a_json_string_that_does_not_end_is_looked_through_once() -> None:
    with at_most(10):
        message = message_of("[" * 60 + "]" * 60 + "{}" * 100 + '"' + '\\"' * 1_000_000)
    assert "is not JSON: extra data" in message
