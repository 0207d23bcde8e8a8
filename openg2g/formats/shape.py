"""Which shape a decoded JSON object has, and documents out of it."""

from collections.abc import Mapping

from openg2g.formats import native, openg2g_config
from openg2g.formats.document import Document, shown
from openg2g.formats.limits import DEFAULT_LIMITS, Limits
from openg2g.models.errors import InvalidDocumentError, Problem


def document_from_value(
    value: object, where: str, config_version: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> Document:
    """Read a document from a decoded JSON value of any shape that we know.

    Args:
        value: What a parser made of the text.
        where: The file, and the place in it.
        config_version: Version of OpenG2G whose configuration it is; None to recognise the shape.
        limits: How many models and batch sizes it may have.

    Raises:
        InvalidDocumentError: With everything that is wrong with it.
    """
    if not isinstance(value, Mapping):
        raise InvalidDocumentError([Problem(where, "", f"a workload must be an object, got {shown(value)}.")])
    version = config_version or openg2g_config.recognise_version(value)
    if version is None:
        return native.document_from_value(value, where, limits)
    return openg2g_config.document_from_value(value, where, version, limits)
