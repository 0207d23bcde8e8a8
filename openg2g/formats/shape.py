"""Which shape a decoded JSON object has, and documents out of it."""

from collections.abc import Mapping

from openg2g.formats import native, openg2g_config
from openg2g.formats.document import Document, shown
from openg2g.models.errors import InvalidDocumentError, Problem


def document_from_value(value: object, where: str, config_version: str | None = None) -> Document:
    """Read a document from a decoded JSON value of any shape that we know.

    Args:
        value: What a parser made of the text.
        where: The file, and the place in it.
        config_version: Version of OpenG2G whose configuration it is; None to recognise the shape.

    Raises:
        InvalidDocumentError: With everything that is wrong with it.
    """
    if not isinstance(value, Mapping):
        raise InvalidDocumentError([Problem(where, "", f"a workload must be an object, got {shown(value)}.")])
    version = config_version or openg2g_config.recognise_version(value)
    if version is None:
        return native.document_from_value(value, where)
    return openg2g_config.document_from_value(value, where, version)
