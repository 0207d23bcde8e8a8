"""An export to JSON Lines, beside `json.dumps` of documents that are ready in memory."""

import json
import os
import tempfile
from collections.abc import Iterator

from benchmark.data import named_workloads
from benchmark.drivers import Engine
from benchmark.ratio import Row, in_turn, seconds_of
from openg2g.catalog import Catalog, RevisionDraft
from openg2g.catalog.documents.transfer import documents_of_all
from openg2g.formats import native
from openg2g.formats.export_losses import refuse_losses
from openg2g.formats.files import write_documents

_MOST = 1.0


def measure_export(engine: Engine, size: int) -> Iterator[Row]:
    """Export so many workloads.

    Raises:
        AssertionError: The two ways write different bytes.
    """
    with tempfile.TemporaryDirectory() as directory, engine.catalog() as location, Catalog.open(location) as catalog:
        catalog.save_many(RevisionDraft(name, workload) for name, workload in named_workloads(size))
        own, by_hand = os.path.join(directory, "own.jsonl"), os.path.join(directory, "by-hand.jsonl")
        values = [native.value_from_document(document) for document in documents_of_all(catalog)]

        def limit() -> None:
            with open(by_hand, "w", encoding="utf-8") as stream:
                for value in values:
                    stream.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")

        def ours() -> float:
            # Opened anew: a command that exports knows nothing of the catalog yet.
            with Catalog.open(location) as opened:
                return seconds_of(
                    lambda: write_documents(refuse_losses(documents_of_all(opened), "jsonl"), own, None, replace=True)
                )

        times = in_turn(lambda: seconds_of(limit), ours, size)
        with open(own, "rb") as one, open(by_hand, "rb") as other:
            assert one.read() == other.read()
    yield Row(f"export {size:,} to JSON Lines", engine.name, *times, most=_MOST)
