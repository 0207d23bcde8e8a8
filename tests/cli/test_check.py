"""`openg2g check` says what a format loses; `openg2g export` refuses that, or writes it with --lossy."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import ONLINE_0_1, ONLINE_0_2, SMALL, offline_0_1, small, write


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """Fill the catalog with a workload of each kind."""
    assert cli("import", write(tmp_path / "fleet.json", offline_0_1()), "--author", "Ada").exit_code == 0
    assert cli("import", write(tmp_path / "online.json", ONLINE_0_2), "--author", "Ada").exit_code == 0
    assert cli("import", write(tmp_path / "small.json", SMALL), "--author", "Ada").exit_code == 0
    return cli


def test_what_loses_nothing_passes(filled: Cli) -> None:
    outcome = filled("check", "online", "--target", "openg2g-0.2")
    assert (outcome.exit_code, outcome.out, outcome.err) == (0, "Nothing is lost in openg2g-0.2.\n", "")
    for target in ("json", "jsonl", "yaml", "csv", "tsv", "python"):
        assert filled("check", "fleet", "online", "small", "--target", target).exit_code == 0
    assert filled("check", "small", "--target", "openg2g-0.2", "--format", "json").json != []
    assert filled("check", "small", "--target", "openg2g-0.1", "--format", "json").json == []


def test_each_loss_is_a_line_with_reference_kind_field_and_reason(filled: Cli) -> None:
    outcome = filled("check", "small", "online", "--target", "openg2g-0.1")
    assert outcome.exit_code == 1
    head, *rows = outcome.out.splitlines()
    assert head.split() == ["workload", "what", "happens", "field", "why"]
    assert [row.split()[0] for row in rows] == ["online@1"] * 5
    assert rows[3].split(maxsplit=4) == [
        *("online@1", "not", "expressed", "deployments[0].spec.precision", "is ignored by OpenG2G 0.1.")
    ]


def test_programs_get_json(filled: Cli) -> None:
    outcome = filled("check", "small", "--target", "openg2g-0.2", "--format", "json")
    assert outcome.exit_code == 1
    assert outcome.json[0] == {
        "reference": "small@1",
        "kind": "refused",
        "path": "deployments[0].spec.model_id",
        "message": "is not known, and OpenG2G 0.2 requires it. Say it in annotations.models.Llama-3.1-70B.",
    }


@on_each_engine
def test_an_older_revision_is_checked_as_it_was(filled: Cli) -> None:
    change = ("set", "online", "Llama-3.1-70B.initial_batch_size=100", "--author", "Bob", "-m", "less")
    assert filled(*change, "--effective-from", "2099-01-01").exit_code == 0
    planned = filled("check", "online@latest", "--target", "openg2g-0.2")
    assert planned.out.splitlines()[1].startswith("online@2  refused")
    assert filled("check", "online@1", "--target", "openg2g-0.2").exit_code == 0
    assert filled("check", "online", "--target", "openg2g-0.2", "--as-of", "2098-01-01").exit_code == 0


def test_what_toml_cannot_write_is_told(filled: Cli) -> None:
    outcome = filled("check", "fleet", "--target", "toml")
    assert outcome.exit_code == 1
    assert "annotations.data_dir" in outcome.out


def test_an_unknown_reference_or_target_is_refused(filled: Cli) -> None:
    assert filled("check", "nothing", "--target", "json").exit_code == 3
    assert filled("check", "fleet", "--target", "pickle").exit_code == 2
    assert filled("check", "fleet").exit_code == 2


def test_an_export_that_would_lose_something_is_refused_with_all_of_it(filled: Cli, tmp_path: Path) -> None:
    target = tmp_path / "config.json"
    outcome = filled("export", "online", "--format", "openg2g-0.1", "-o", target)
    assert (outcome.exit_code, outcome.out, target.exists()) == (4, "", False)
    ignored = "is ignored by OpenG2G 0.1"
    assert outcome.err.splitlines() == [
        f"Error: online@1: deployments[0].spec.gpu_model {ignored}, which looks for it in data_sources.",
        f"Error: online@1: deployments[0].spec.task {ignored}, which looks for it in data_sources.",
        f"Error: online@1: deployments[0].spec.batch_sizes {ignored}, which looks for it in data_sources.",
        f"Error: online@1: deployments[0].spec.precision {ignored}.",
        f"Error: online@1: deployments[0].spec.tensor_parallel {ignored}.",
        "Error: openg2g-0.1: would lose this. Write it nevertheless with --lossy.",
    ]


def test_with_lossy_it_is_written_and_what_is_lost_is_told(filled: Cli, tmp_path: Path) -> None:
    target = tmp_path / "config.json"
    outcome = filled("export", "online", "--format", "openg2g-0.1", "-o", target, "--lossy")
    assert (outcome.exit_code, outcome.out) == (0, "")
    assert outcome.err.splitlines()[-1] == (
        "online@1: not expressed: deployments[0].spec.tensor_parallel is ignored by OpenG2G 0.1."
    )
    again = filled("import", target, "--name", "again", "--format", "openg2g-0.1")
    assert again.out == "again: new, revision 1\n"
    digests = [filled("show", name, "--format", "json").json["revision"]["digest"] for name in ("again", "online")]
    assert digests[0] == digests[1]


def test_lossy_says_nothing_where_nothing_is_lost(cli: Cli, tmp_path: Path) -> None:
    config = offline_0_1()
    for source in config["data_sources"]:
        source["batch_sizes"] = config["models"][0]["feasible_batch_sizes"]
    cli("import", write(tmp_path / "fleet.json", config))
    outcome = cli("export", "fleet", "--format", "openg2g-0.2", "--lossy")
    assert (outcome.exit_code, outcome.err) == (0, "")
    assert outcome.json["models"][0]["gpu_model"] == "H100"


def test_a_key_that_toml_cannot_express_is_left_out_and_told(filled: Cli, tmp_path: Path) -> None:
    assert filled("export", "fleet", "--format", "toml").exit_code == 4
    outcome = filled("export", "fleet", "--lossy", "-o", tmp_path / "fleet.toml")
    assert outcome.exit_code == 0
    assert "fleet@1: not expressed: annotations.data_dir is null, which TOML cannot express" in outcome.err
    before = filled("show", "fleet", "--format", "json").json["revision"]["digest"]
    assert filled("import", tmp_path / "fleet.toml", "--name", "again").exit_code == 0
    assert filled("show", "again", "--format", "json").json["revision"]["digest"] == before


def test_what_a_writer_cannot_write_is_refused_with_lossy_too(filled: Cli, tmp_path: Path) -> None:
    filled("import", write(tmp_path / "large.json", {**SMALL, "name": "large", "annotations": {"seed": 2**70}}))
    outcome = filled("export", "large", "--format", "toml", "--lossy")
    assert (outcome.exit_code, outcome.out) == (4, "")
    assert "annotations.seed must fit into 64 bits" in outcome.err


def test_a_configuration_that_its_own_version_refuses_comes_back_nevertheless(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "online.json", ONLINE_0_1)
    cli("import", source)
    outcome = cli("export", "online", "--format", "openg2g-0.1")
    assert (outcome.exit_code, outcome.json) == (0, ONLINE_0_1)
    assert cli("check", "online", "--target", "openg2g-0.2").exit_code == 1


def test_the_suffix_of_the_output_tells_the_format(filled: Cli, tmp_path: Path) -> None:
    for suffix in ("json", "jsonl", "csv", "yaml", "py"):
        assert filled("export", "online", "-o", tmp_path / f"out.{suffix}").exit_code == 0
    assert filled("export", "online", "-o", tmp_path / "out.xyz").exit_code == 2
    assert filled("import", write(tmp_path / "b.json", small(initial_batch_size=8)), "--name", "b").exit_code == 0
    assert filled("export", "b", "--format", "openg2g-0.1").exit_code == 4
