"""Names and labels that are new to a catalog: each must read as what it is. What is there already is taken as it is."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from openg2g.catalog.schema.content_rows import ModelSpecRow
from openg2g.catalog.schema.history_rows import NameRow
from openg2g.models.errors import InvalidRevisionError
from openg2g.models.revision import RevisionDraft, check_visible

_NAME = select(NameRow.id).where(NameRow.name == bindparam("text"))
_LABEL = select(ModelSpecRow.id).where(ModelSpecRow.model_label == bindparam("text")).limit(1)


def refuse_hidden_characters(connection: Connection, drafts: Sequence[RevisionDraft]) -> None:
    """Refuse drafts that bring in a name or label with characters that nobody sees."""
    names = {draft.name for draft in drafts if not draft.name.isascii()}
    workloads = [draft.workload for draft in drafts if draft.workload is not None]
    labels = {spec.model_label for workload in workloads for spec in workload.models if not spec.model_label.isascii()}
    for what, texts, query in (("name", names, _NAME), ("model_label", labels, _LABEL)):
        for text in texts:
            try:
                check_visible(what, text)
            except InvalidRevisionError:
                if connection.scalar(query, {"text": text}) is None:
                    raise
