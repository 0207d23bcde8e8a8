"""`openg2g import --git-history`: the history of a file instead of the file."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openg2g.cli.options.sections import SectionOption
from openg2g.cli.output.tables import escaped, fitted, outcome_line, say, terminal_width

if TYPE_CHECKING:
    from openg2g.catalog import Catalog
    from openg2g.catalog.documents.git_import import GitImportPlan

_Command = TypeVar("_Command", bound=Callable[..., Any])
_PATH_KEY = "openg2g.git_history"
_BAD_VERSIONS_KEY = "openg2g.bad_versions"
_COMMIT_DIGITS_SHOWN = 12

_FROM_COMMIT = {"message": "-m/--message", "author": "--author", "effective_from": "--effective-from"}
_OF_ARCHIVES = {"renames": "--rename", "prefix": "--prefix"}


def git_history_options(command: _Command) -> _Command:
    """Add `--git-history` and `--bad-versions`; `planned_git_import` reads them."""
    section = "History of a file in git"
    for option in (
        click.option(
            "--bad-versions",
            cls=SectionOption,
            section=section,
            type=click.Choice(["skip", "fail"]),
            expose_value=False,
            callback=_note(_BAD_VERSIONS_KEY),
            help="Pass over versions that cannot be read, or import nothing. Default: skip.",
        ),
        click.option(
            "--git-history",
            cls=SectionOption,
            section=section,
            metavar="PATH",
            type=click.Path(),
            expose_value=False,
            callback=_note(_PATH_KEY),
            help="Instead of FILE: every committed version of a file, with author, date and subject of its commit.",
        ),
    ):
        command = option(command)
    return command


def planned_git_import(context: click.Context) -> "GitImportPlan | None":
    """Read the history that `--git-history` names, before a catalog is opened or made; None where it is not given.

    Raises:
        click.UsageError: Neither it nor a file is given, or options that do not go together.
    """
    path = context.meta.get(_PATH_KEY)
    given = context.params
    if path is None:
        if context.meta.get(_BAD_VERSIONS_KEY):
            raise click.UsageError("--bad-versions makes no sense without --git-history.", context)
        if not given["files"]:
            raise click.UsageError("Missing argument 'FILE...', or --git-history PATH.", context)
        return None
    if given["files"]:
        raise click.UsageError("--git-history makes no sense with FILE: import one after the other.", context)
    for parameter, option in _FROM_COMMIT.items():
        if given.get(parameter) is not None:
            message = f"{option} makes no sense with --git-history: every revision takes it from its commit."
            raise click.UsageError(message, context)
    if given.get("rules") or given.get("parameters"):
        raise click.UsageError(
            "--require makes no sense with --git-history: the past is as it was. Use audit.", context
        )
    for parameter, option in _OF_ARCHIVES.items():
        if given.get(parameter):
            raise click.UsageError(f"{option} makes no sense with --git-history. Use --name.", context)
    from openg2g.catalog.documents.git_import import BadVersions, plan_git_import

    on_bad: BadVersions = "fail" if context.meta.get(_BAD_VERSIONS_KEY) == "fail" else "skip"
    return plan_git_import(path, name=given["name"], format_name=given["format_name"], on_bad=on_bad)


def import_planned(catalog: "Catalog", plan: "GitImportPlan", *, dry_run: bool) -> None:
    """Record a history, then print a line for each revision, and what was passed over to standard error."""
    from openg2g.catalog.documents.git_import import record_git_import
    from openg2g.cli.output.differences import previewed_changes
    from openg2g.formats.git.history import commit_of_source

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
            say(f"Passed over {notice.message}" if notice.kind == "invalid" else notice.message)
    num_merges = sum(notice.kind == "merge" for notice in plan.notices)
    if num_merges:
        say(f"Passed over {_counted(num_merges, 'merge')} with the file of a parent.")
    say(f"{_counted(plan.num_versions, 'version')} in git, {_counted(len(revisions), 'new revision')}.")
    if dry_run:
        say("Dry run: nothing was stored.")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _note(key: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    def note(context: click.Context, _: click.Parameter, value: str | None) -> None:
        context.meta[key] = value

    return note
