"""`openg2g set`."""

from collections.abc import Sequence
from datetime import datetime

import click

from openg2g.catalog import Catalog
from openg2g.catalog.history.reference import LatestReference, NameReference, parse_reference
from openg2g.catalog.history.resolve import require_workload
from openg2g.cli.options.shared import complete_names, effective_from_option, on_catalog, open_catalog
from openg2g.cli.output.differences import Side, compare, comparison_lines
from openg2g.cli.output.revisions import newer_kind
from openg2g.cli.output.tables import escaped, outcome_line, say
from openg2g.formats.document import Report, check_fields, checked_model_spec, checked_object
from openg2g.formats.json.text import decode_json
from openg2g.formats.native import MODEL_FIELDS
from openg2g.formats.text_files import decoded
from openg2g.models.edit import AddModel, Change, RemoveModel, edited, edited_annotations
from openg2g.models.errors import InvalidDocumentError, Problem
from openg2g.models.revision import Revision, RevisionDraft
from openg2g.models.spec import LLMInferenceModelSpec


@click.command("set")
@click.argument("reference", metavar="REF", shell_complete=complete_names)
@click.argument("changes", nargs=-1, metavar="[CHANGE]...")
@click.option("--add", "added", multiple=True, metavar="JSON", help="Add a model at the end: an object of its fields.")
@click.option("--remove", "removed", multiple=True, metavar="LABEL", help="Remove a model.")
@click.option("-m", "--message", required=True, help="Why, for the record.")
@click.option("--author", help="Who. Default: your git identity or login name.")
@effective_from_option
@click.option(
    "--expect",
    type=click.IntRange(min=1),
    metavar="N",
    help="Refuse if the highest number is not N. Default for NAME: the highest that was seen; else any.",
)
@click.option("--dry-run", is_flag=True, help="Check everything and show the difference; store nothing.")
@on_catalog
def command(
    context: click.Context,
    reference: str,
    changes: tuple[str, ...],
    added: tuple[str, ...],
    removed: tuple[str, ...],
    message: str,
    author: str | None,
    effective_from: datetime | None,
    expect: int | None,
    dry_run: bool,
) -> None:
    """Record the next revision of a name, derived from REF by changes.

    A CHANGE is LABEL.FIELD=VALUE, where += adds and -= subtracts; for feasible_batch_sizes they append and take out.
    LABEL.model_label=NEW renames a model. Models are removed first, then changed, then added. The difference is shown
    on standard error first. Annotations go along. NAME is what is in force now, as `openg2g show NAME` shows it; where
    a newer revision exists, planned for later or dated back, that is said. Where somebody else records a revision of
    NAME in between, nothing is stored; an older revision (NAME@3) may be derived from at any time.

    \b
    Examples:
      openg2g set fleet Llama-3.1-70B.num_replicas=120 -m "half the 70B"
      openg2g set fleet@2 Qwen3-30B-A3B.feasible_batch_sizes+=1024 --remove Llama-3.1-8B -m "new plan" --dry-run
      openg2g set fleet --add '{"model_label": "Qwen3-8B", "num_replicas": 40, "gpus_per_replica": 1,
        "initial_batch_size": 128, "itl_deadline_s": 0.05}' -m "try Qwen3-8B"
    """
    if not (changes or added or removed):
        raise click.UsageError("Say what to change: LABEL.FIELD=VALUE, --add or --remove.")
    all_changes: list[Change | str] = [*map(RemoveModel, removed), *changes, *map(AddModel, _specs(added))]
    with open_catalog(context) as catalog:
        base, expect = _base(catalog, reference, expect)
        assert base.workload is not None  # A retirement has been refused.
        workload, annotations = edited(base.workload, all_changes), edited_annotations(base.annotations, all_changes)
        draft = RevisionDraft(
            base.name, workload, message, author, effective_from, annotations=annotations, expect=expect
        )
        derived = Side(f"next revision of {base.name}", workload, annotations)
        click.echo("\n".join(comparison_lines(compare(Side.of_revision(base), derived))), err=True)
        with catalog.previewing() if dry_run else catalog.writing() as writer:
            (revision,) = writer.append([draft])
    click.echo(escaped(outcome_line(revision)))
    if dry_run:
        say("Dry run: nothing was stored.")


def _specs(texts: Sequence[str]) -> list[LLMInferenceModelSpec]:
    """Read the models of `--add`; raise `InvalidDocumentError` with every problem of every one."""
    specs: list[LLMInferenceModelSpec] = []
    problems: list[Problem] = []
    for number, text in enumerate(texts, 1):
        try:
            specs += _spec(text, "--add" if len(texts) == 1 else f"--add number {number}")
        except InvalidDocumentError as error:
            problems += error.problems
    if problems:
        raise InvalidDocumentError(problems)
    return specs


def _spec(text: str, where: str) -> list[LLMInferenceModelSpec]:
    report = Report(where)
    # A byte that is no UTF-8 came as a lone surrogate from the command line; the decoder names it.
    value = decode_json(decoded(text.encode(errors="surrogateescape"), where), where)
    fields = checked_object(value, "model", report) or {}
    if not report.problems:
        check_fields(fields, MODEL_FIELDS, "model", report)
        spec = checked_model_spec(fields, "model.{}".format, report)
    report.raise_problems()
    return [] if spec is None else [spec]


def _base(catalog: Catalog, reference: str, expect: int | None) -> tuple[Revision, int | None]:
    """Return the revision to derive from, and the highest number that is expected when the next one is recorded."""
    parsed = parse_reference(reference)
    if isinstance(parsed, NameReference):
        # Before the workload: what somebody records meanwhile is then no number that was seen, and nothing is undone.
        status = catalog.get_status(parsed.name)
        base = require_workload(catalog.get(reference))
        if status.newer is not None:
            say(f"{status.newer.reference} is newer, but {newer_kind(status)}: starting from {base.reference}.")
        return base, status.latest.number if expect is None else expect
    base = require_workload(catalog.get(reference))
    return base, base.number if expect is None and isinstance(parsed, LatestReference) else expect
