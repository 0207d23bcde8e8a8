"""`openg2g import-history`."""

from typing import Literal

import click

from openg2g.catalog import Catalog
from openg2g.catalog.documents.git_import import GitImportPlan, plan_git_import, record_git_import
from openg2g.cli.options.filling import catalog_to_fill
from openg2g.cli.options.shared import on_catalog
from openg2g.cli.output.differences import previewed_changes
from openg2g.cli.output.tables import escaped, fitted, outcome_line, say, terminal_width
from openg2g.formats.git.history import commit_of_source
from openg2g.formats.registry import FORMAT_NAMES

_COMMIT_DIGITS_SHOWN = 12


@click.command("import-history")
@click.argument("path", type=click.Path())
@click.option("--name", help="Name of the workload. Default: what the documents say, else the name of the file.")
@click.option("--format", "format_name", type=click.Choice(FORMAT_NAMES), help="Default: by suffix.")
@click.option(
    "--bad-versions",
    type=click.Choice(["skip", "fail"]),
    default="skip",
    show_default=True,
    help="Skip versions that cannot be read, or import nothing.",
)
@click.option("--dry-run", is_flag=True, help="Check everything and show what would change; store nothing.")
@on_catalog
def command(
    context: click.Context,
    path: str,
    name: str | None,
    format_name: str | None,
    bad_versions: Literal["skip", "fail"],
    dry_run: bool,
) -> None:
    """Record every version of the file PATH that git has, each with author, date and subject of its commit.

    Renames of the file are followed. Running it again adds what was committed since. The catalog is made if it does not
    exist yet and is a file.

    \b
    Examples:
      openg2g import-history plans/fleet.json --name fleet
      openg2g import-history plans/fleet.json --dry-run
    """
    plan = plan_git_import(path, name=name, format_name=format_name, on_bad=bad_versions)
    with catalog_to_fill(context, dry_run=dry_run) as catalog:
        _record(catalog, plan, dry_run=dry_run)


def _record(catalog: Catalog, plan: GitImportPlan, *, dry_run: bool) -> None:
    """Record a history, then print a line for each revision, and what was skipped to standard error."""
    with catalog.previewing() if dry_run else catalog.writing() as writer:
        revisions = [revision for revision in record_git_import(writer, plan) if revision.is_new]
        changes = [list(previewed_changes(writer, revision)) if dry_run else [] for revision in revisions]
    for revision, lines in zip(revisions, changes, strict=True):
        commit = commit_of_source(revision.source)[:_COMMIT_DIGITS_SHOWN]
        line = f"{outcome_line(revision)}  {commit} {revision.effective_from:%Y-%m-%d}  {revision.message}"
        click.echo(escaped(fitted(line, terminal_width())))
        for change in lines:
            click.echo(change)
    for notice in plan.notices:
        if notice.kind != "merge":
            say(f"Skipped {notice.message}" if notice.kind == "invalid" else notice.message)
    num_merges = sum(notice.kind == "merge" for notice in plan.notices)
    if num_merges:
        say(f"Skipped {_counted(num_merges, 'merge')} that took the file from a parent.")
    say(f"{_counted(plan.num_versions, 'version')} in git, {_counted(len(revisions), 'new revision')}.")
    if dry_run:
        say("Dry run: nothing was stored.")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
