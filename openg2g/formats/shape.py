"""Which shape a decoded JSON object has, and documents out of it."""

from collections.abc import Iterator, Mapping

from openg2g.formats import native, openg2g_config
from openg2g.formats.document import Document, shown
from openg2g.formats.limits import DEFAULT_LIMITS, Limits
from openg2g.models.errors import InvalidDocumentError, Problem


def documents_from_value(
    value: object, where: str, config_version: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Document | InvalidDocumentError]:
    """Yield each document of a decoded JSON value of any shape that we know, or what is wrong with it.

    Args:
        value: What a parser made of the text.
        where: The file, and the place in it.
        config_version: Version of OpenG2G whose configuration it is; None to recognise the shape.
        limits: How many models and batch sizes each may have.
    """
    if not isinstance(value, Mapping):
        yield InvalidDocumentError([Problem(where, "", f"a workload must be an object, got {shown(value)}.")])
        return
    version = config_version or openg2g_config.recognise_version(value)
    try:
        if version is None:
            yield native.document_from_value(value, where, limits)
        else:
            yield openg2g_config.document_from_value(value, where, version, limits)
    except InvalidDocumentError as error:
        yield error
