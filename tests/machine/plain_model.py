"""The plain catalog with everything that an engine is told and asked, under the same names."""

from collections.abc import Sequence
from typing import Self

from openg2g.catalog.history.reference import NameReference
from openg2g.catalog.history.when import When
from openg2g.models.revision import Revision
from tests.machine.contents import CatalogContents, contents_of_plain
from tests.machine.plain_catalog import PlainCatalog
from tests.machine.plain_copy import copy_plainly
from tests.machine.plain_search import search_plainly


class PlainModel(PlainCatalog):
    """What both engines are held against."""

    def contents(self) -> CatalogContents:
        return contents_of_plain(self)

    def dump(self) -> CatalogContents:
        """What is in an archive is what is here."""
        return contents_of_plain(self)

    def copy_to(
        self, target: Self, references: Sequence[NameReference] | None, renames: dict[str, str]
    ) -> dict[str, int]:
        return copy_plainly(self, target, references, renames)

    def search(self, expression: str, when: When, sort: Sequence[str]) -> list[Revision]:
        return search_plainly(self, expression, when, sort)
