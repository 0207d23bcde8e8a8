"""Advice: what an error says by its class and data, told as the commands and options that help."""

from dataclasses import replace
from typing import Any

from openg2g.models import errors
from openg2g.models.errors import CatalogError, Doubt, Problem, Setting

_OF_SETTINGS: dict[Setting, str] = {
    "file_bytes": "Raise the limit with --max-file-size.",
    "format_name": "Name it with --format (of validate: --input-format).",
    "lossy": "Write it nevertheless with --lossy.",
    "max_problems": "Raise the limit with --max-errors.",
    "name": "Give one with --name.",
    "replace": "Use --force to replace it.",
}
_OF_DOUBTS: dict[Doubt, str] = {"tables": "`openg2g db check`", "content": "`openg2g verify`"}


def worded(error: CatalogError) -> str:
    """Return the message of an error, and what helps."""
    if isinstance(error, errors.InvalidDocumentError):
        return "\n".join(map(problem_line, error.problems))
    return " ".join(filter(None, [str(error), _advice(error)]))


def problem_line(problem: Problem) -> str:
    """Return a problem of a document as a line, with what helps."""
    return str(replace(problem, message=_worded_message(problem)))


def problem_value(problem: Problem) -> dict[str, Any]:
    """Return a problem of a document as a JSON value, with what helps in its message."""
    return {
        "where": problem.where,
        "path": problem.path,
        "message": _worded_message(problem),
        "line": problem.line,
        "column": problem.column,
    }


def _worded_message(problem: Problem) -> str:
    return problem.message if problem.setting is None else f"{problem.message} {_OF_SETTINGS[problem.setting]}"


def _advice(error: CatalogError) -> str:
    match error:
        case errors.CatalogNotFoundError():
            return "Make one with `openg2g init`."
        case errors.SchemaOutdatedError():
            return "Run `openg2g db upgrade`."
        case errors.RevisionConflictError(name=name):
            return f"Look at what changed (`openg2g log {name} --patch`) and try again."
        case errors.HistoryConflictError(name=name):
            return f"Write --rename {name}=NEW, or name all of them anew with --prefix."
        case errors.UnknownOutcomeError():
            return "`openg2g log` shows whether it happened."
        case errors.RetiredError(name=name):
            return f"`openg2g restore {name}` brings it back."
        case errors.AliasNotFoundError(reference=reference, aliases=()):
            return f"`openg2g alias set {reference}` makes it."
        case errors.AmbiguousReferenceError(reference=reference) if "@" in reference:  # An alias of an older release.
            return f"`openg2g alias remove {reference}` removes it."
    if error.setting is not None:
        return _OF_SETTINGS[error.setting]
    return f"Run {' and '.join(_OF_DOUBTS[doubt] for doubt in error.doubts)}." if error.doubts else ""
