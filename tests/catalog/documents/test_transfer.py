"""Files go in by a Python function as they do by the command line."""

import json
from pathlib import Path

import pytest

from openg2g.catalog import Catalog, InvalidDocumentError, InvalidRevisionError
from openg2g.catalog.documents.transfer import ImportSettings, import_files

MODEL = {
    "model_label": "Llama-3.1-70B",
    "num_replicas": 18,
    "gpus_per_replica": 4,
    "initial_batch_size": 128,
    "itl_deadline_s": 0.1,
}


def test_files_are_imported_all_or_none(catalog: Catalog, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps({"models": [MODEL]}))
    bad.write_text(json.dumps({"models": [MODEL | {"num_replicas": -1}]}))
    with pytest.raises(InvalidDocumentError, match="num_replicas must be >= 0"):
        import_files(catalog, [str(good), str(bad)])
    assert catalog.list_names() == []
    (revision,) = import_files(catalog, [str(good)], ImportSettings(message="why", author="Ada"))
    assert (revision.reference, revision.message, revision.author) == ("good@1", "why", "Ada")
    assert import_files(catalog, [str(good)])[0].is_new is False


@pytest.mark.parametrize("settings", [{"name": "a b"}, {"message": "\0"}, {"author": " "}])
def test_settings_that_cannot_be_stored_are_refused_before_a_file_is_read(settings: dict[str, str]) -> None:
    with pytest.raises(InvalidRevisionError):
        ImportSettings(**settings)  # type: ignore[arg-type]
