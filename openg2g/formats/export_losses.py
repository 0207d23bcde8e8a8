"""What documents lose where they are exported: found, refused, or told.

documents = refuse_losses(documents, "openg2g-0.2")            # Raises once all of them have been looked at.
documents = tell_losses(documents, "openg2g-0.2", print_loss)  # Goes on.
"""

import io
from collections.abc import Callable, Iterable, Iterator

from openg2g.formats.document import Document
from openg2g.formats.limits import MAX_PROBLEMS
from openg2g.formats.losses import Loss, LossKind
from openg2g.formats.registry import get_entry, get_format
from openg2g.models.errors import InvalidDocumentError, Problem


def find_losses(document: Document, format_name: str) -> list[Loss]:
    """List everything that a format loses of a document, and what it cannot write at all.

    Raises:
        UnknownFormatError: There is no such format.
        MissingLibraryError: It takes a library to write the format, which is not installed.
    """
    losses = list(get_format(format_name).losses(document))
    try:
        stream = io.BytesIO() if get_entry(format_name).is_binary else io.StringIO()
        get_format(format_name).write([document], stream)
    except InvalidDocumentError as error:
        losses += [Loss(LossKind.REFUSED, problem.path, problem.message) for problem in error.problems]
    return losses


def refuse_losses(documents: Iterable[Document], format_name: str) -> Iterator[Document]:
    """Yield documents of which a format loses nothing, in constant memory.

    Raises:
        InvalidDocumentError: With everything that would be lost of all of them; what was yielded must not be kept.
    """
    find = get_format(format_name).losses
    problems: list[Problem] = []
    for document in documents:
        problems += [Problem(document.where or "a workload", loss.path, loss.message) for loss in find(document)]
        if not problems:
            yield document
        elif len(problems) >= MAX_PROBLEMS:  # Somebody exports a whole catalog into the wrong format.
            problems.append(Problem(format_name, "", "is not the format for this: the rest was not looked at."))
            break
    if problems:
        hint = Problem(format_name, "", "would lose this.", setting="lossy")
        raise InvalidDocumentError([*problems, hint])


def tell_losses(
    documents: Iterable[Document], format_name: str, tell: Callable[[Document, Loss], None]
) -> Iterator[Document]:
    """Yield documents, and tell of each what a format loses of it."""
    find = get_format(format_name).losses
    for document in documents:
        for loss in find(document):
            tell(document, loss)
        yield document
