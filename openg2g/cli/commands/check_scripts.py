"""`openg2g check-scripts`."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from openg2g.catalog.documents.script_check import ScriptFinding, check_scripts
from openg2g.cli.hints import problem_line, problem_value
from openg2g.cli.options.shared import format_option, on_catalog, open_catalog, pairs_given
from openg2g.cli.output.differences import Comparison, Side, comparison_value, difference_lines
from openg2g.cli.output.tables import echo_json, escaped, say


@click.command("check-scripts")
@click.argument("paths", nargs=-1, required=True, metavar="DIR...", type=click.Path(exists=True))
@click.option(
    "--name-map",
    "name_map",
    multiple=True,
    metavar="OLD=NEW",
    help="What the catalog calls the workload OLD of the scripts, or PATH:OLD of one. May be given several times.",
)
@click.option("--strict", is_flag=True, help="Fail for workloads that the catalog does not know, too.")
@format_option("table", "json")
@on_catalog
def command(
    context: click.Context, paths: tuple[str, ...], name_map: tuple[str, ...], strict: bool, format_name: str
) -> int:
    """Compare the workloads that stand in the Python scripts of a source tree with the catalog; nothing is run.

    Read are the .py files below each DIR (or the file DIR), as `openg2g import` reads them; links, hidden directories
    and those of installed packages are left out. A workload is looked up by the name that it is assigned to, and is in
    step with what is in force, equal to an older or a newer revision, drifted, unknown, or unreadable; differences
    follow. One without a name is looked up by what it is.

    Exit code 1 where one is older, newer, drifted or unreadable; with --strict also where one is unknown.

    \b
    Examples:
      openg2g check-scripts examples
      openg2g check-scripts . --name-map MODELS=fleet --strict
      openg2g check-scripts src runs --name-map offline/run_ofo.py:MODELS=fleet --format json
    """
    with open_catalog(context) as catalog:
        findings = list(check_scripts(catalog, paths, pairs_given("--name-map", name_map)))
    if format_name == "json":
        echo_json(map(_value, findings), "json")
    elif findings:
        click.echo("\n".join(line for finding in findings for line in _lines(finding)))
    _say_summary(findings)
    is_unknown = any(finding.status.value == "unknown" for finding in findings)
    return 1 if any(finding.is_drift for finding in findings) or (strict and is_unknown) else 0


def _lines(finding: ScriptFinding) -> list[str]:
    """Say in one line how a workload stands to the catalog, and below it what is different or wrong."""
    lines = [escaped(f"{finding.where}: {finding.name or 'a workload without a name'}: {_phrase(finding)}")]
    if finding.problems:
        lines = [escaped(f"{finding.where}: unreadable")]
    lines += [f"    {escaped(problem_line(problem))}" for problem in finding.problems]
    if finding.difference is not None:
        lines += [f"    {line}" for line in difference_lines(_comparison(finding))]
    return lines


def _phrase(finding: ScriptFinding) -> str:
    compared = "" if finding.compared is None else finding.compared.reference
    if finding.compared is not None and finding.compared.is_retirement:
        compared += " (retired)"
    same = ", ".join(finding.same_as)
    match finding.status.value:
        case "in step":
            return f"in step with {same}"
        case "older" | "newer" as status:
            return f"{status}, equal to {same}; " + (f"in force is {compared}" if same != compared else "it is to come")
        case "drifted":
            return f"drifted from {compared}"
        case _:
            hints = [f"the same as {same}"] if same else []
            hints += (
                [f"did you mean {' or '.join(finding.close_matches)}?"] if finding.close_matches and not same else []
            )
            return "; ".join(["unknown to the catalog", *hints])


def _comparison(finding: ScriptFinding) -> Comparison:
    assert finding.compared is not None and finding.difference is not None  # Only what has both is compared.
    old = Side(Side.of_revision(finding.compared).title, finding.compared.workload)
    return Comparison(old, Side(finding.where, finding.workload), finding.difference, ())


def _value(finding: ScriptFinding) -> dict[str, Any]:
    difference = None
    if finding.difference is not None:
        difference = comparison_value(_comparison(finding))
        del difference["annotations"]  # They were not compared.
    return {
        "path": finding.path,
        "where": finding.where,
        "status": finding.status.value,
        "name": finding.name,
        "digest": finding.digest,
        "compared_to": None if finding.compared is None else finding.compared.reference,
        "same_as": finding.same_as,
        "close_matches": finding.close_matches,
        "difference": difference,
        "problems": [problem_value(problem) for problem in finding.problems],
    }


def _say_summary(findings: Sequence[ScriptFinding]) -> None:
    if not findings:
        say("No workload stands in these scripts.")
        return
    counts = Counter(finding.status.value for finding in findings)
    say(f"Workloads: {len(findings)} ({', '.join(f'{count} {status}' for status, count in counts.items())})")
