"""Which commits changed a file, under its present name and under those it had before.

`git log --follow` is not used: it follows copies, so that a file which was added beside a similar one would get the
other's history, and it forgets branches once it has seen a rename. Here a former name counts for all commits that do
not come after the rename, and only where the file was really renamed: its old path is gone in the same commit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from openg2g.formats.git.process import Git
from openg2g.models.errors import SourceError

_HEADER = ("%H", "%P", "%an", "%ae", "%at", "%s")
_LOG = (
    "log",
    "--full-history",  # Also what a merge dropped was committed, and may have been in force.
    "--topo-order",
    "-m",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "--no-notes",
    "--no-color",
    "--encoding=UTF-8",
    f"--format={'%x00'.join(_HEADER)}%x00",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class FileChange:
    """A commit that changed the file, or a merge whose file differs from that of a parent."""

    commit: str
    author: str
    authored_at: datetime | None
    subject: str
    num_parents: int
    num_parents_changed: int
    status: str
    mode: str
    blob: str
    path: bytes

    @property
    def is_merge(self) -> bool:
        """Whether the commit has several parents."""
        return self.num_parents > 1

    @property
    def takes_a_parents_file(self) -> bool:
        """Whether this is a merge that has the file of one of its parents."""
        return self.is_merge and self.num_parents_changed < self.num_parents


def changes_of_file(git: Git, tip: str, path: bytes) -> list[FileChange]:
    """Return the changes of a file, oldest first: a commit comes after those that it descends from."""
    found: dict[str, FileChange] = {}
    after_renames: set[str] = set()
    while True:
        # A commit that has the file under both names was listed under the later one.
        changes = [
            change
            for change in _changes_of_path(git, tip, path)
            if change.commit not in after_renames and change.commit not in found
        ]
        rename = _find_rename(git, changes, path)
        if rename is None:
            found |= {change.commit: change for change in changes}
            return list(found.values())[::-1]
        commit, old_path = rename
        # What had this path before the file was renamed to it was another file.
        others = _commits(git, "rev-list", "--full-history", commit, "--", _pathspec(path)) - {commit}
        found |= {change.commit: change for change in changes if change.commit not in others}
        after_renames |= {commit} | _commits(git, "rev-list", "--ancestry-path", f"{commit}..{tip}", "--")
        path = old_path


def _pathspec(path: bytes) -> bytes:
    """Name a path so that nothing in it is an option, a pattern, or relative to where git runs."""
    return b":(top,literal)" + path


def _commits(git: Git, *arguments: str | bytes) -> set[str]:
    return set(git.output_of(*arguments).decode("ascii").split())


def _changes_of_path(git: Git, tip: str, path: bytes) -> list[FileChange]:
    """Return the changes of one path, newest first, merges once."""
    changes: dict[str, FileChange] = {}
    for change in _parsed_log(git.output_of(*_LOG, tip, "--", _pathspec(path)), path):
        # A merge is printed for each parent that has another file.
        before = changes.get(change.commit)
        num_parents_changed = 1 if before is None else before.num_parents_changed + 1
        changes[change.commit] = FileChange(**(vars(change) | {"num_parents_changed": num_parents_changed}))
    return list(changes.values())


def _parsed_log(output: bytes, path: bytes) -> Iterator[FileChange]:
    """Yield each raw entry of exactly this path: a pathspec also fits what lies below a directory of that name."""
    fields = iter(output.split(b"\0"))
    header: list[str] = []
    for first in fields:
        entry = first.lstrip(b"\n")
        if entry.startswith(b":"):
            _, mode, _, blob, status = entry[1:].decode("ascii").split(" ")
            if next(fields) == path:
                yield _change(header, status, mode, blob, path)
        elif entry:
            rest = [next(fields).decode(errors="replace") for _ in _HEADER[1:]]
            header = [entry.decode("ascii"), *rest]


def _change(header: list[str], status: str, mode: str, blob: str, path: bytes) -> FileChange:
    commit, parents, name, email, seconds, subject = header
    return FileChange(
        commit=commit,
        author=(f"{name} <{email}>" if name and email else name or email) or "unknown",
        authored_at=_time(seconds),
        subject=subject,
        num_parents=len(parents.split()),
        num_parents_changed=1,
        status=status[0],
        mode=mode,
        blob=blob,
        path=path,
    )


def _time(seconds: str) -> datetime | None:
    try:
        return _EPOCH + timedelta(seconds=int(seconds))
    except (ValueError, OverflowError):
        return None


def _find_rename(git: Git, changes: list[FileChange], path: bytes) -> tuple[str, bytes] | None:
    """Return the newest commit that renamed another file to this path, and the other's path."""
    added = [change.commit for change in changes if change.status == "A" and not change.is_merge]
    if not added:
        return None
    output = git.output_of(
        *("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "-M", "--diff-filter=R"),
        given="".join(f"{commit}\n" for commit in added).encode("ascii"),
    )
    fields = iter(output.split(b"\0"))
    commit = ""
    for field in fields:
        if not field.startswith(b":"):
            commit = field.decode("ascii").strip()
            continue
        old_path, new_path = next(fields), next(fields)
        if new_path == path:
            return commit, old_path
    return None


def tip_of_head(git: Git) -> str:
    """Return the id of the commit that is checked out."""
    tip = git.output_of("rev-parse", "--quiet", "--verify", "HEAD^{commit}", may_find_nothing=True)
    if not tip:
        raise SourceError(f"{git.label}: the repository has no commit yet. Commit the file, then import its history.")
    return tip.decode("ascii").strip()
