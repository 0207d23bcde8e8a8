"""The catalog of LLM inference workloads: store them once, never lose them, find them again.

    from openg2g.catalog import Catalog

    with Catalog.open("catalog.db") as catalog:
        fleet = catalog.load("fleet")

What needs a database is loaded on first use, so that `import openg2g.catalog` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from openg2g.models.errors import AliasNotFoundError as AliasNotFoundError
from openg2g.models.errors import AmbiguousReferenceError as AmbiguousReferenceError
from openg2g.models.errors import CatalogError as CatalogError
from openg2g.models.errors import CatalogLockedError as CatalogLockedError
from openg2g.models.errors import CatalogNotFoundError as CatalogNotFoundError
from openg2g.models.errors import CatalogReadOnlyError as CatalogReadOnlyError
from openg2g.models.errors import CatalogUnavailableError as CatalogUnavailableError
from openg2g.models.errors import DamagedCatalogError as DamagedCatalogError
from openg2g.models.errors import FilterError as FilterError
from openg2g.models.errors import HistoryConflictError as HistoryConflictError
from openg2g.models.errors import InvalidChangeError as InvalidChangeError
from openg2g.models.errors import InvalidDocumentError as InvalidDocumentError
from openg2g.models.errors import InvalidReferenceError as InvalidReferenceError
from openg2g.models.errors import InvalidRevisionError as InvalidRevisionError
from openg2g.models.errors import LocationError as LocationError
from openg2g.models.errors import MissingLibraryError as MissingLibraryError
from openg2g.models.errors import NameTakenError as NameTakenError
from openg2g.models.errors import NotACatalogError as NotACatalogError
from openg2g.models.errors import RetiredError as RetiredError
from openg2g.models.errors import RevisionConflictError as RevisionConflictError
from openg2g.models.errors import SchemaError as SchemaError
from openg2g.models.errors import SchemaOutdatedError as SchemaOutdatedError
from openg2g.models.errors import SchemaTooNewError as SchemaTooNewError
from openg2g.models.errors import SourceError as SourceError
from openg2g.models.errors import UnknownFormatError as UnknownFormatError
from openg2g.models.errors import UnknownOutcomeError as UnknownOutcomeError
from openg2g.models.errors import WorkloadNotFoundError as WorkloadNotFoundError
from openg2g.models.naming import AliasMove as AliasMove
from openg2g.models.revision import Revision as Revision
from openg2g.models.revision import RevisionDraft as RevisionDraft
from openg2g.models.revision import RevisionRecord as RevisionRecord

if TYPE_CHECKING:
    from openg2g.catalog.catalog import Catalog as Catalog
    from openg2g.catalog.history.listing import NameStatus as NameStatus
    from openg2g.catalog.history.listing import RevisionContext as RevisionContext
    from openg2g.catalog.history.log import LogFilter as LogFilter
    from openg2g.catalog.history.when import EveryRevision as EveryRevision
    from openg2g.catalog.history.when import InForce as InForce
    from openg2g.catalog.reports.audit import RevisionMark as RevisionMark
    from openg2g.catalog.reports.audit import Violation as Violation
    from openg2g.catalog.reports.model_uses import ModelUse as ModelUse
    from openg2g.catalog.reports.statistics import GroupStatistics as GroupStatistics

_HOME = {
    "Catalog": "openg2g.catalog.catalog",
    "NameStatus": "openg2g.catalog.history.listing",
    "RevisionContext": "openg2g.catalog.history.listing",
    "LogFilter": "openg2g.catalog.history.log",
    "EveryRevision": "openg2g.catalog.history.when",
    "InForce": "openg2g.catalog.history.when",
    "RevisionMark": "openg2g.catalog.reports.audit",
    "Violation": "openg2g.catalog.reports.audit",
    "ModelUse": "openg2g.catalog.reports.model_uses",
    "GroupStatistics": "openg2g.catalog.reports.statistics",
}
"""Name → module of what is loaded on first use."""


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
