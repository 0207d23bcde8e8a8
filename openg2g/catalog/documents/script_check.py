"""Whether the workloads that stand in scripts are those of the catalog, and how they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from sqlalchemy import Select, func, select

from openg2g.catalog.catalog import Catalog
from openg2g.catalog.schema.content_rows import WorkloadRow
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.formats.python.source_tree import Script, read_tree
from openg2g.models.diff import WorkloadDiff, diff
from openg2g.models.digest import workload_digest
from openg2g.models.errors import InvalidDocumentError, InvalidRevisionError, Problem, WorkloadNotFoundError
from openg2g.models.revision import Revision, check_name
from openg2g.models.spec import LLMInferenceWorkload

_REFERENCES_LISTED = 5


class ScriptStatus(Enum):
    """How a workload in a script stands to the catalog."""

    IN_STEP = "in step"
    """It is what is in force of its name."""
    OLDER = "older"
    """It is a revision of its name before the one in force."""
    NEWER = "newer"
    """It is a revision of its name after the one in force: planned for later, or dated back."""
    DRIFTED = "drifted"
    """It is no revision of its name."""
    UNKNOWN = "unknown"
    """The catalog does not know its name, or it has none and the catalog does not know it under any."""
    UNREADABLE = "unreadable"
    """It breaks a rule, or says a value that cannot be known without running the script."""


@dataclass(frozen=True)
class ScriptFinding:
    """What came of one workload of a script.

    Attributes:
        path: The script.
        where: The script and the line.
        status: How the workload stands to the catalog.
        name: Name that it was looked up by; None for a workload without one, and for one that cannot be read.
        workload: The workload; None where it cannot be read.
        digest: Its digest, None where it cannot be read.
        compared: What is in force of the name, which may be a retirement, or its revision with the highest number where
            nothing is in force yet; None where the name is not known.
        same_as: References of revisions with the very same workload: the highest number of this name where there is
            one, else that of each other name, a few at most.
        close_matches: Names that look like an unknown one.
        difference: What makes the workload of the one compared; None unless it drifted, is older or newer.
        problems: Why it cannot be read.
    """

    path: str
    where: str
    status: ScriptStatus
    name: str | None = None
    workload: LLMInferenceWorkload | None = None
    digest: str | None = None
    compared: Revision | None = None
    same_as: tuple[str, ...] = ()
    close_matches: tuple[str, ...] = ()
    difference: WorkloadDiff | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def is_drift(self) -> bool:
        """Whether the script and the catalog disagree, or nobody can say."""
        return self.status not in (ScriptStatus.IN_STEP, ScriptStatus.UNKNOWN)


def check_scripts(
    catalog: Catalog, paths: Sequence[str], name_map: Mapping[str, str] | None = None
) -> Iterator[ScriptFinding]:
    """Yield how each workload in the scripts of some source trees stands to the catalog, by path and line.

    The six fields of the models are compared; what a script says beyond them is no matter of this.

    Args:
        catalog: What they are compared with.
        paths: Directories, searched for `.py` files, or single files.
        name_map: Name in a script, or `PATH:NAME`, → name in the catalog.

    Raises:
        SourceError: A file or directory cannot be read.
        InvalidRevisionError: A name of the map cannot be stored.
    """
    names = name_map or {}
    for name in names.values():
        check_name(name)
    return (finding for path in paths for script in read_tree(path) for finding in _findings_of(catalog, script, names))


def name_in_catalog(names: Mapping[str, str], path: str, name: str) -> str:
    """Return what the catalog calls a workload of a script: a line for that script comes before one for every script.

    Example:
        >>> name_in_catalog({"MODELS": "fleet", "run.py:MODELS": "run"}, "offline/run.py", "MODELS")
        'run'
    """
    parts = path.split("/")
    keys = [f"{'/'.join(parts[start:])}:{name}" for start in range(len(parts))]
    return next((names[key] for key in [*keys, name] if key in names), name)


def _findings_of(catalog: Catalog, script: Script, names: Mapping[str, str]) -> Iterator[ScriptFinding]:
    for outcome in script.outcomes:
        if isinstance(outcome, InvalidDocumentError):
            where = outcome.problems[0].place
            yield ScriptFinding(script.path, where, ScriptStatus.UNREADABLE, problems=outcome.problems)
        else:
            name = None if outcome.name is None else name_in_catalog(names, script.path, outcome.name)
            digest = workload_digest(outcome.workload)
            found = ScriptFinding(script.path, outcome.where, ScriptStatus.UNKNOWN, name, outcome.workload, digest)
            yield _compared(catalog, found, outcome.workload, digest)


def _compared(catalog: Catalog, found: ScriptFinding, workload: LLMInferenceWorkload, digest: str) -> ScriptFinding:
    """Compare a workload with what its name stands for; one without a name is there, or is not."""
    if found.name is None:
        same = _references(_rows_of(catalog, _same_workload(digest)))
        return replace(found, status=ScriptStatus.IN_STEP if same else ScriptStatus.UNKNOWN, same_as=same)
    try:
        status = catalog.get_status(found.name)
    except (WorkloadNotFoundError, InvalidRevisionError) as error:
        same = _references(_rows_of(catalog, _same_workload(digest)))
        return replace(found, same_as=same, close_matches=getattr(error, "close_matches", ()))
    compared = status.in_force or status.latest
    if status.in_force is not None and compared.digest == digest:
        return replace(found, status=ScriptStatus.IN_STEP, compared=compared, same_as=(compared.reference,))
    rows = _rows_of(catalog, _same_workload(digest).where(NameRow.name == found.name))
    is_newer = any(number >= compared.number for _, number in rows)
    return replace(
        found,
        status=(ScriptStatus.NEWER if is_newer else ScriptStatus.OLDER) if rows else ScriptStatus.DRIFTED,
        compared=compared,
        same_as=_references(rows),
        difference=diff(compared.workload, workload),
    )


def _same_workload(digest: str) -> Select[str, int]:
    """Select the highest number of a revision with a workload, of each name."""
    return (
        select(NameRow.name, func.max(RevisionRow.number))
        .select_from(NameRow)
        .join(RevisionRow, RevisionRow.name_id == NameRow.id)
        .join(WorkloadRow, WorkloadRow.id == RevisionRow.workload_id)
        .where(WorkloadRow.digest == digest)
        .group_by(NameRow.name)
        .order_by(NameRow.name)
        .limit(_REFERENCES_LISTED)
    )


def _rows_of(catalog: Catalog, query: Select[str, int]) -> list[tuple[str, int]]:
    return catalog.database.read(lambda connection: [(name, number) for name, number in connection.execute(query)])


def _references(rows: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    return tuple(f"{name}@{number}" for name, number in rows)
