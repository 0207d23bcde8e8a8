"""Moving whole histories: from catalog to catalog, into an archive, and out of one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import BinaryIO, TextIO

from openg2g.catalog.archive.source import archive_entries
from openg2g.catalog.archive.target import ArchiveTarget, entry_batches
from openg2g.catalog.catalog import Catalog
from openg2g.catalog.documents.read_ahead import read_ahead
from openg2g.catalog.history.reference import NameReference, parse_reference
from openg2g.catalog.history.writer import CatalogWriter
from openg2g.formats.archive.entries import Entry, write_archive
from openg2g.formats.archive.reader import read_archive
from openg2g.formats.files import open_sources
from openg2g.models.errors import LocationError
from openg2g.models.revision import check_new_name


def renaming(renames: Mapping[str, str], prefix: str = "") -> Callable[[str], str]:
    """Return what each incoming name is called: by an explicit new name, else with a prefix.

    Raises:
        InvalidRevisionError: A new name cannot be stored.
    """
    for new in renames.values():
        check_new_name(new)
    if prefix:
        check_new_name(prefix, "prefix")
    return lambda name: renames.get(name, prefix + name)


def copy_catalog(
    source: Catalog,
    target: Catalog,
    names: Sequence[str] | None = None,
    name_here: Callable[[str], str] = str,
) -> dict[str, int]:
    """Copy names with revisions, times, aliases and tags; what is there already is compared and left as it is.

    It is done in transactions of some thousand entries, so a copy that was broken off goes on where it was when it is
    run again.

    Args:
        source: Where from.
        target: Where to; another catalog, on any engine.
        names: Only these (of another reference, its name); None for all.
        name_here: What each name is called in the target.

    Returns:
        Name in the target → how many revisions were added.

    Raises:
        HistoryConflictError: A name has another history in the target.
        WorkloadNotFoundError: A name is unknown.
        LocationError: Source and target are the same.
        InvalidRevisionError: Two names would be called the same in the target.
    """
    if source.database.location == target.database.location:
        raise LocationError(f"{source.location} cannot be copied onto itself. Export an archive and import that.")
    if names is not None:
        names = [_name_meant(source, reference) for reference in names]
    archive = ArchiveTarget(name_here)
    for batch in entry_batches(archive_entries(source.database, names)):
        with target.writing() as writer, writer.naming_damage():
            archive.add(writer, batch)
    return archive.added


def _name_meant(source: Catalog, reference: str) -> str:
    """Return the name of a reference: of a bare one whatever is in force, since whole histories are copied."""
    parsed = parse_reference(reference)
    return source.find_name(parsed.name) if isinstance(parsed, NameReference) else source.get(reference).name


def import_archive_files(
    catalog: Catalog, paths: Sequence[str], name_here: Callable[[str], str] = str
) -> dict[str, int]:
    """Add whole archives in one transaction: all or none; errors are those of their reading and adding."""
    added: dict[str, int] = {}
    with open_sources(paths, "jsonl") as sources, ExitStack() as stack:
        archives = [stack.enter_context(archive_read_ahead(source.stream, source.label)) for source in sources]
        with catalog.writing() as writer:
            for batches in archives:
                added |= import_archive(writer, batches, name_here)
    return added


def export_archive(catalog: Catalog, stream: TextIO) -> None:
    """Write a whole catalog as an archive: the same catalog, the same bytes, on every engine.

    It is one state of the catalog, and no transaction is open while the stream is written to: it may be slow.
    """
    write_archive(archive_entries(catalog.database), stream)


def archive_read_ahead(stream: BinaryIO, where: str) -> AbstractContextManager[Iterator[Sequence[Entry]]]:
    """Read an archive to its end and check it, for `import_archive`, before a transaction begins.

    Raises:
        InvalidDocumentError: The archive is damaged.
    """
    return read_ahead(entry_batches(read_archive(stream, where)))


def import_archive(
    writer: CatalogWriter, batches: Iterable[Sequence[Entry]], name_here: Callable[[str], str] = str
) -> dict[str, int]:
    """Add the entries of an archive in the writer's transaction; what is there already is compared and left.

    Returns:
        Name → how many revisions were added.

    Raises:
        HistoryConflictError: A name has another history here; the transaction must not be committed.
    """
    archive = ArchiveTarget(name_here)
    for batch in batches:
        with writer.naming_damage():
            archive.add(writer, batch)
    return archive.added
