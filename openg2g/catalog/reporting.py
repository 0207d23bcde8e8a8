"""What a catalog says about many workloads at once: who uses which model, how much there is, and which rule broke."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from openg2g.catalog.engine.unprepared import execute_unprepared
from openg2g.catalog.history.content import chunks
from openg2g.catalog.reports import audit, dataframes, model_uses, statistics
from openg2g.catalog.reports.audit import AuditWindow, Violation
from openg2g.catalog.reports.model_uses import ModelUse
from openg2g.catalog.reports.statistics import GROUPINGS, Grouping, GroupStatistics
from openg2g.catalog.search.scope import EVERYTHING_IN_FORCE, ResolvedScope, SearchScope
from openg2g.catalog.searching import CatalogSearching
from openg2g.expressions.read import read_condition
from openg2g.expressions.tree import Expression
from openg2g.models.errors import FilterError


class CatalogReporting(CatalogSearching):
    """The questions about many workloads at once. The order of a scope is of no account here, except in frames."""

    def list_models(
        self,
        pattern: str = "*",
        where: str | None = None,
        scope: SearchScope = EVERYTHING_IN_FORCE,
        parameters: Mapping[str, object] | None = None,
    ) -> list[ModelUse]:
        """Return the model specs that workloads of a scope use, by label, replicas and digest.

        Args:
            pattern: Which labels: `*`, `?` and `[…]` as in file names; case counts.
            where: Which model specs: an expression such as `itl_deadline_s < 0.1 and 256 in feasible_batch_sizes`,
                whose names are the fields of a model spec, `total_gpus` and `digest`.
            scope: Which revisions count as uses; by default those in force now.
            parameters: Name → value of what the expression names beside the vocabulary.

        Raises:
            FilterError: The expression says nothing that can be searched by, or the pattern is too long.

        Example:
            >>> import tempfile
            >>> from openg2g.catalog import Catalog
            >>> from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload
            >>> fleet = LLMInferenceWorkload((LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1),))
            >>> with tempfile.TemporaryDirectory() as directory, Catalog.create(f"{directory}/catalog.db") as catalog:
            ...     revision = catalog.save("fleet", fleet, author="Ada")
            ...     for use in catalog.list_models("Llama*", "itl_deadline_s < limit", parameters={"limit": 0.2}):
            ...         print(use.spec.model_label, use.references)
            Llama-3.1-70B ('fleet@1',)
        """
        return list(self.iter_models(pattern, where, scope, parameters))

    def iter_models(
        self,
        pattern: str = "*",
        where: str | None = None,
        scope: SearchScope = EVERYTHING_IN_FORCE,
        parameters: Mapping[str, object] | None = None,
    ) -> Iterator[ModelUse]:
        """Yield what `list_models` returns, fetched as it is needed.

        Raises:
            FilterError: As `list_models`, at once.
        """
        condition = model_uses.read_model_condition(pattern, where, parameters)
        return self._uses(condition, scope.resolved())

    def _uses(self, condition: Expression, scope: ResolvedScope) -> Iterator[ModelUse]:
        query = model_uses.spec_ids_query(condition, scope, is_sqlite=self.database.is_sqlite)
        spec_ids = self.database.read(lambda connection: execute_unprepared(connection, query).scalars().all())
        for block in chunks(spec_ids, model_uses.SPECS_PER_BLOCK):
            uses = self.database.read(partial(model_uses.read_uses, spec_ids=block, scope=scope))
            yield from (use for use in uses if use.references)

    def get_model(self, digest: str) -> ModelUse:
        """Return a model spec, and every revision that ever used it.

        Args:
            digest: `sha256:` and at least 4 hexadecimal digits: its digest, or any unique beginning of it.

        Raises:
            WorkloadNotFoundError: There is none.
            AmbiguousReferenceError: The beginning fits several model specs.
            InvalidReferenceError: The text is no digest.
        """

        def read(connection: Connection) -> ModelUse:
            spec_id = model_uses.get_spec_id(connection, digest)
            return model_uses.read_uses(connection, [spec_id], model_uses.EVERY_REVISION)[0]

        return self.database.read(read)

    def statistics(
        self,
        where: str = "True",
        scope: SearchScope = EVERYTHING_IN_FORCE,
        parameters: Mapping[str, object] | None = None,
        *,
        by: Grouping | None = None,
    ) -> list[GroupStatistics]:
        """Count the revisions for which an expression holds, their workloads and their GPUs.

        Args:
            where: The condition; see `search`.
            scope: Which revisions are looked at; by default those in force now.
            parameters: Name → value of what the expression names beside the vocabulary.
            by: A row for each `"model"` label, with the GPUs of that model; for each `"month"` of `effective_from` in
                UTC; or for each `"author"`. None for one row of everything.

        Returns:
            The rows by group, in code-point order.

        Raises:
            FilterError: The expression says nothing that can be searched by, or there is no such grouping.
        """
        if by is not None and by not in GROUPINGS:
            raise FilterError(str(by), f"{by!r} is nothing to group by. Group by {', '.join(GROUPINGS)}.")
        condition = read_condition(where, parameters)

        def read(connection: Connection) -> list[GroupStatistics]:
            query = statistics.tallied_columns(self._plan(connection, condition, scope), by)
            rows = execute_unprepared(connection, query)
            return statistics.tallied(rows, by)

        return self.database.read(read)

    def audit(
        self,
        rule: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        known_at: datetime | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> list[Violation]:
        """Return when what was in force broke a rule, over the whole history: by name, then time.

        A retired name breaks no rule. Where the rule has no value (the deadline of a model that is not served), it is
        broken. A correction that was recorded later replaces the past: `known_at` asks what was known before. Tags
        and aliases in a rule are those of now, or of `known_at`.

        Args:
            rule: A condition that every workload should hold to, such as `total_gpus <= 8000`.
            since: Beginning of the audited time; None for all of it.
            until: End of the audited time; None for all of it, what is planned included.
            known_at: From what the catalog knew at this time; None for all it knows.
            parameters: Name → value of what the rule names beside the vocabulary.

        Raises:
            FilterError: The rule says nothing that can be searched by.
            InvalidRevisionError: A time has no offset, or `until` is not later than `since`.
        """
        condition = read_condition(rule, parameters)
        window = AuditWindow(since, until, known_at)
        return self.database.read_at_once(partial(audit.find_violations, rule=condition, window=window))

    def to_dataframe(
        self,
        expression: str = "True",
        scope: SearchScope = EVERYTHING_IN_FORCE,
        /,
        *,
        library: str | None = None,
        **parameters: object,
    ) -> Any:
        """Return the revisions for which an expression holds as a data frame with a row for each model.

        Columns: those of a revision (`name`, `number`, `digest` of the workload, `recorded_at`, `effective_from`,
        `author`, `message`, `source`), the model's `position` from 0, the fields of its spec, with
        `feasible_batch_sizes` as lists, and the model's `total_gpus`. Times are in UTC. A frame without rows has the
        same types.

        Args:
            expression: The condition; see `search`.
            scope: Which revisions are looked at, and their order.
            library: `"pandas"` or `"polars"`; None for whichever is installed, pandas first. This is the one name that
                a parameter of the expression cannot have here.
            parameters: Values of the names in the expression that are none of the vocabulary (`limit=7200`).

        Raises:
            FilterError: The expression says nothing that can be searched by.
            MissingLibraryError: The library is not installed.
            InvalidRevisionError: There is no such choice of a library.
        """
        maker, order = dataframes.FrameMaker(library), scope.order
        condition = read_condition(expression, parameters)

        def read(connection: Connection) -> Any:
            query = dataframes.hits_query(self._plan(connection, condition, scope), order)
            return maker.frame(dataframes.read_hits(connection, query))

        return self.database.read(read)
