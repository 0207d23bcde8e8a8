"""The catalog's own documents on lines, read fast: the lines of a file share most of their models.

A model that stands in a line as it stood in an earlier one, character by character, is neither decoded nor checked
again. Lines that are unusual, and all that have something wrong with them, are left to the reader of any document,
which finds every problem and its place.
"""

import re

from openg2g.formats import limits
from openg2g.formats.document import Document, Report, check_fields, checked_model_spec
from openg2g.formats.json.text import decode_json
from openg2g.formats.native import MODEL_FIELDS, document_from_value
from openg2g.models.errors import InvalidDocumentError
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

# Where a string of a model has such brackets in it, what is cut out is no JSON, and the line is left to others.
_BEGIN = re.compile(r'"models"[ \t]*:[ \t]*\[[ \t]*\{')
_BETWEEN = re.compile(r"\}[ \t]*,[ \t]*\{")
_END = re.compile(r"\}[ \t]*\]")

_MARK = "the models of this line"

_CACHED_MODELS = 16_384  # About 15 MB, and at the most twice as much.
_MAX_CACHED_CHARACTERS = 1_000


class NativeLines:
    """Reads the lines of a file."""

    def __init__(self) -> None:
        self._specs: dict[str, LLMInferenceModelSpec] = {}

    def find_document(self, text: str, where: str) -> Document | None:
        """Return the document of a line; None where it is to be read as any other document is."""
        begin = _BEGIN.search(text)
        end = begin and _END.search(text, begin.end())
        if begin is None or end is None or _MARK in text:
            return None
        models = _BETWEEN.split(text[begin.end() : end.start()])
        if len(models) > limits.MAX_MODELS:
            return None
        specs = []
        for members in models:
            spec = self._specs.get(members) or self._newly_read(members)
            if spec is None:
                return None
            specs.append(spec)
        # The list is a value of JSON, and so is the mark in its place. Where the document then has the mark as its
        # models, it had the list as its models, not as a part of its annotations or of a text.
        marked = f'{text[: begin.start()]}"models":"{_MARK}"{text[end.end() :]}'
        try:
            value = decode_json(marked, where)
            if isinstance(value, dict) and value.get("models") == _MARK:
                return document_from_value(value, where, LLMInferenceWorkload(tuple(specs)))
        except ValueError:  # Anything that is wrong with it, two models of one label for instance.
            pass
        return None

    def _newly_read(self, members: str) -> LLMInferenceModelSpec | None:
        """Return the model of these members, and keep it; None if anything is wrong with it, or it is very long."""
        if len(members) > _MAX_CACHED_CHARACTERS:
            return None
        try:
            fields = decode_json(f"{{{members}}}", "")
        except InvalidDocumentError:
            return None
        assert isinstance(fields, dict)  # No JSON that begins with a brace is anything else.
        report = Report("")
        check_fields(fields, MODEL_FIELDS, "", report)
        spec = checked_model_spec(fields, str, report)
        if spec is None or report.problems:
            return None
        if len(self._specs) >= _CACHED_MODELS:
            self._specs.clear()
        self._specs[members] = spec
        return spec
