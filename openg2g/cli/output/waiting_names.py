"""Names of which nothing is in force yet: lists of what is in force leave them out, and say so."""

from openg2g.catalog import NameStatus
from openg2g.cli.output.tables import say

_NAMES_SAID = 10


class WaitingNames:
    """Collects names while a list is printed.

    Attributes:
        count: How many there are.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._names: list[str] = []
        self.count = 0

    def note(self, status: NameStatus) -> None:
        """Note a name that is left out."""
        self.count += 1
        if len(self._names) < _NAMES_SAID:
            self._names.append(status.name)

    def say(self) -> None:
        """Name them on standard error."""
        if self.count:
            more = f" and {self.count - len(self._names)} more" if self.count > len(self._names) else ""
            say(f"Not in force yet: {', '.join(self._names)}{more}. `openg2g list --latest` lists them.")
