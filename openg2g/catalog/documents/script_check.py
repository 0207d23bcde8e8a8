"""Whether the workloads that stand in scripts are those of the catalog, and how they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Select, func, select

from openg2g.catalog.catalog import Catalog
from openg2g.catalog.schema.content_rows import WorkloadRow
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.formats.document import Document
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


@dataclass(frozen=True)
class NameMap:
    """What the workloads of scripts are called in the catalog.

    Attributes:
        names: Name in a script, or `PATH:NAME` for one script with the end of its path, → name in the catalog.

    Raises:
        InvalidRevisionError: A name that it leads to cannot be stored.
    """

    names: Mapping[str, str]

    def __post_init__(self) -> None:
        """Check the names of the catalog."""
        for name in self.names.values():
            check_name(name)

    def name_of(self, path: str, name: str) -> str:
        """Return what the catalog calls a workload: a line for its script comes before one for every script."""
        parts = path.split("/")
        for start in range(len(parts)):
            key = f"{'/'.join(parts[start:])}:{name}"
            if key in self.names:
                return self.names[key]
        return self.names.get(name, name)


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
    names = NameMap(name_map or {})
    return (finding for path in paths for script in read_tree(path) for finding in findings_of(catalog, script, names))


def findings_of(catalog: Catalog, script: Script, names: NameMap) -> Iterator[ScriptFinding]:
    """Yield what comes of each workload of a script."""
    for outcome in script.outcomes:
        if isinstance(outcome, InvalidDocumentError):
            where = outcome.problems[0].place
            yield ScriptFinding(script.path, where, ScriptStatus.UNREADABLE, problems=outcome.problems)
        elif outcome.name is None:
            yield _finding_without_name(catalog, script.path, outcome)
        else:
            yield _finding(catalog, script.path, outcome, names.name_of(script.path, outcome.name))


def _finding(catalog: Catalog, path: str, document: Document, name: str) -> ScriptFinding:
    workload, digest = document.workload, workload_digest(document.workload)
    try:
        status = catalog.get_status(name)
    except (WorkloadNotFoundError, InvalidRevisionError) as error:
        return ScriptFinding(
            path,
            document.where,
            ScriptStatus.UNKNOWN,
            name,
            workload,
            digest,
            same_as=_references(_rows_of(catalog, _same_workload(digest))),
            close_matches=getattr(error, "close_matches", ()),
        )
    compared = status.latest if status.in_force is None else status.in_force
    if compared is status.in_force and compared.digest == digest:
        return ScriptFinding(
            path, document.where, ScriptStatus.IN_STEP, name, workload, digest, compared, (compared.reference,)
        )
    same = _rows_of(catalog, _same_workload(digest).where(NameRow.name == name))
    is_newer = any(number >= compared.number for _, number in same)
    return ScriptFinding(
        path,
        document.where,
        (ScriptStatus.NEWER if is_newer else ScriptStatus.OLDER) if same else ScriptStatus.DRIFTED,
        name,
        workload,
        digest,
        compared,
        _references(same),
        difference=diff(compared.workload, workload),
    )


def _finding_without_name(catalog: Catalog, path: str, document: Document) -> ScriptFinding:
    """Look a workload without a name up by its digest: all that can be said is whether it is there."""
    digest = workload_digest(document.workload)
    found = _references(_rows_of(catalog, _same_workload(digest)))
    status = ScriptStatus.IN_STEP if found else ScriptStatus.UNKNOWN
    return ScriptFinding(path, document.where, status, None, document.workload, digest, same_as=found)


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
