"""Which shape a decoded JSON object has, and documents out of it."""

from collections.abc import Iterator, Mapping

from openg2g.formats import native
from openg2g.formats.document import Document, shown
from openg2g.formats.openg2g import config
from openg2g.formats.openg2g.layout import recognise_version
from openg2g.models.errors import InvalidDocumentError, Problem


def documents_from_value(
    value: object, where: str, config_version: str | None = None
) -> Iterator[Document | InvalidDocumentError]:
    """Yield each document of a decoded JSON value of any shape that we know, or what is wrong with it.

    There is one, unless a configuration of OpenG2G has several datacenters, each with models of its own.
    """
    if not isinstance(value, Mapping):
        yield InvalidDocumentError([Problem(where, "", f"a workload must be an object, got {shown(value)}.")])
        return
    version = config_version or recognise_version(value)
    if version is not None:
        yield from config.documents_from_value(value, where, version)
        return
    try:
        yield native.document_from_value(value, where)
    except InvalidDocumentError as error:
        yield error
