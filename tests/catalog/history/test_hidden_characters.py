"""Characters that nobody sees are refused in what is new, and shown escaped in what is stored already."""

from collections.abc import Callable
from pathlib import Path

import pytest

from openg2g.catalog import Catalog, InvalidRevisionError
from openg2g.catalog.archive.copying import copy_catalog, renaming
from openg2g.catalog.history import names
from openg2g.cli.main import run
from openg2g.models.digest import workload_digest
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_draft, make_spec, make_workload
from tests.places import SqlitePlaces

HIDDEN_NAME = "fl\u202eeet"
HIDDEN_LABEL = "Llama\u200b-3.1"
HIDDEN_MESSAGE = "first\u2066 plan"
HIDDEN = LLMInferenceWorkload((make_spec(model_label=HIDDEN_LABEL),))


@pytest.mark.parametrize(
    ("use", "field"),
    [
        (lambda catalog: catalog.save(HIDDEN_NAME, make_workload()), "name"),
        (lambda catalog: catalog.save_many([make_draft("other"), make_draft(HIDDEN_NAME)]), "name"),
        (lambda catalog: catalog.save("other", HIDDEN), "model_label"),
        (lambda catalog: catalog.save("other", make_workload(), message=HIDDEN_MESSAGE), "message"),
        (lambda catalog: catalog.retire("fleet", message=HIDDEN_MESSAGE), "message"),
        (lambda catalog: catalog.rename("fleet", HIDDEN_NAME), "name"),
        (lambda catalog: catalog.rename("fleet", "other", message=HIDDEN_MESSAGE), "message"),
        (lambda catalog: catalog.set_alias("fleet", "st\ufeffable"), "alias"),
        (lambda catalog: catalog.set_alias("fleet", "stable", message=HIDDEN_MESSAGE), "message"),
        (lambda catalog: catalog.set_alias("fleet", "١"), "alias"),
        (lambda catalog: catalog.tag("fleet", {"st\u00adatus": "a"}), "tag"),
        (lambda catalog: copy_catalog(catalog, catalog, name_here=renaming({"fleet": HIDDEN_NAME})), "name"),
        (lambda catalog: copy_catalog(catalog, catalog, name_here=renaming({}, "a\u200d")), "prefix"),
    ],
)
def test_what_is_new_may_have_none(catalog: Catalog, use: Callable[[Catalog], object], field: str) -> None:
    catalog.save("fleet", make_workload())
    with pytest.raises(InvalidRevisionError, match=rf"^{field} must not "):
        use(catalog)
    assert catalog.list_names() == ["fleet"]
    assert len(catalog.history("fleet")) == 1


@pytest.fixture
def stored(catalog: Catalog) -> Catalog:
    """Fill a catalog as 0.1.0 did, which refused none of these characters."""
    draft = make_draft("fleet", workload=HIDDEN)
    object.__setattr__(draft, "message", HIDDEN_MESSAGE)
    with catalog.writing() as writer:
        writer.content.store({workload_digest(HIDDEN): HIDDEN})
        writer.append([draft])
        name_id = names.find_name_id(writer.connection, "fleet")
        assert name_id is not None
        names.set_name(writer.connection, name_id, HIDDEN_NAME)
    return catalog


def test_what_is_stored_is_read_copied_and_gone_on_with(
    stored: Catalog, sqlite_places: SqlitePlaces, tmp_path: Path
) -> None:
    assert stored.load(HIDDEN_NAME) == HIDDEN
    archive = str(tmp_path / "archive.jsonl")
    assert run(["export", "--all", "--history", "-o", archive, "--database", _url(stored)]) == 0
    with sqlite_places.empty() as url, Catalog.create(url) as copy:
        copy_catalog(stored, copy)
        assert copy.history(HIDDEN_NAME) == stored.history(HIDDEN_NAME)
    with sqlite_places.empty() as url, Catalog.create(url) as restored:
        assert run(["import", archive, "--database", url]) == 0
        assert restored.history(HIDDEN_NAME) == stored.history(HIDDEN_NAME)
    stored.save(HIDDEN_NAME, make_workload(3))
    stored.save("other", LLMInferenceWorkload((make_spec(model_label=HIDDEN_LABEL, num_replicas=7),)))
    stored.retire(HIDDEN_NAME)
    stored.rename(HIDDEN_NAME, "fleet")
    assert stored.load("fleet@1") == HIDDEN


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("list", "--format", "csv"),
        ("list", "--format", "json"),
        ("list", "--format", "jsonl"),
        ("search", "total_gpus > 0"),
        ("show", HIDDEN_NAME),
        ("show", HIDDEN_NAME, "--format", "json"),
        ("log", HIDDEN_NAME),
        ("log", "--format", "json"),
        ("blame", HIDDEN_NAME),
        ("diff", HIDDEN_NAME, HIDDEN_NAME),
        ("models",),
        ("models", "--format", "csv"),
        ("stats", "--by", "model"),
        ("show", f"{HIDDEN_NAME}x"),
        ("retire", HIDDEN_NAME),
    ],
    ids=ascii,
)
def test_what_is_stored_is_shown_escaped(
    stored: Catalog, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    run([*arguments, "--database", _url(stored)])
    captured = capsys.readouterr()
    shown = captured.out + captured.err
    assert not {"\u202e", "\u200b", "\u2066"} & set(shown)
    assert "\\u202e" in shown or "\\u200b" in shown


def test_a_notebook_shows_it_escaped(stored: Catalog) -> None:
    html = stored.get(HIDDEN_NAME)._repr_html_()
    assert "fl\\u202eeet@1" in html
    assert "Llama\\u200b-3.1" in html
    assert "first\\u2066 plan" in html


def _url(catalog: Catalog) -> str:
    return catalog.database.location.url.render_as_string(hide_password=False)
