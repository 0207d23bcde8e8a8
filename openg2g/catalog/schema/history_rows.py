"""History: what each name meant since when, and what became of names and aliases. It only grows."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from openg2g.catalog.schema.base import CodePointText, Json, Row, assigned_key, checksum_column, time_column
from openg2g.catalog.schema.checks import (
    check_finite_time,
    check_name_column,
    check_on_each_engine,
)
from openg2g.catalog.schema.content_rows import WorkloadRow


class NameRow(Row):
    """A name under which revisions are kept."""

    __tablename__ = "names"
    __table_args__ = (
        UniqueConstraint("name"),
        *check_name_column("name"),
        {"comment": "Names of workloads.", "sqlite_strict": True},
    )

    id: Mapped[int] = assigned_key("Assigned by writers.")
    name: Mapped[CodePointText] = mapped_column(comment="The name, as in references.")
    created_at: Mapped[datetime] = time_column("When the name was first used, UTC.")
    checksum: Mapped[int] = checksum_column()

    revisions: Mapped[list["RevisionRow"]] = relationship(
        back_populates="named", order_by="RevisionRow.number", viewonly=True, lazy="raise"
    )
    renames: Mapped[list["RenameRow"]] = relationship(order_by="RenameRow.number", viewonly=True, lazy="raise")
    tags: Mapped[list["TagRow"]] = relationship(order_by="TagRow.key", viewonly=True, lazy="raise")
    alias_moves: Mapped[list["AliasMoveRow"]] = relationship(
        order_by="AliasMoveRow.alias, AliasMoveRow.number", viewonly=True, lazy="raise"
    )


class RenameRow(Row):
    """A change of a name: append-only."""

    __tablename__ = "renames"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        *check_name_column("old_name"),
        Index(None, "old_name"),
        {"comment": "Changes of names, append-only.", "sqlite_strict": True, "sqlite_with_rowid": False},
    )

    name_id: Mapped[int] = assigned_key("The name.", ForeignKey(NameRow.id))
    number: Mapped[int] = assigned_key("1, 2, 3, … within the name.")
    old_name: Mapped[CodePointText] = mapped_column(comment="What it was called until then.")
    recorded_at: Mapped[datetime] = time_column("When it was renamed, UTC.")
    author: Mapped[str] = mapped_column(comment="Who renamed it.")
    message: Mapped[str] = mapped_column(comment="Why; empty if not said.")
    checksum: Mapped[int] = checksum_column()


class TagRow(Row):
    """A tag of a name. Tags describe a name as it is now; they have no history."""

    __tablename__ = "tags"
    __table_args__ = (
        *check_name_column("key"),
        {"comment": "Tags of names.", "sqlite_strict": True, "sqlite_with_rowid": False},
    )

    name_id: Mapped[int] = assigned_key("The name.", ForeignKey(NameRow.id))
    key: Mapped[CodePointText] = mapped_column(primary_key=True, comment="The tag's key.")
    value: Mapped[str] = mapped_column(comment="The tag's value; empty if it has none.")
    checksum: Mapped[int] = checksum_column()


class RevisionRow(Row):
    """What a name meant since when: append-only."""

    __tablename__ = "revisions"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        *check_finite_time("recorded_at"),
        *check_finite_time("effective_from"),
        *check_on_each_engine(
            "annotations",
            "json_valid(annotations) AND json_type(annotations) = 'object'",
            "json_typeof(annotations) = 'object'",
        ),
        Index(None, "workload_id"),
        Index(None, "name_id", "effective_from", "number"),
        Index(None, "recorded_at"),
        {"comment": "Revisions of names, append-only.", "sqlite_strict": True, "sqlite_with_rowid": False},
    )

    name_id: Mapped[int] = assigned_key("The name.", ForeignKey(NameRow.id))
    number: Mapped[int] = assigned_key("1, 2, 3, … within the name, without gaps.")
    workload_id: Mapped[int | None] = mapped_column(
        ForeignKey(WorkloadRow.id), comment="The workload it stands for; NULL where the name was retired."
    )
    recorded_at: Mapped[datetime] = time_column("When the catalog learned it, UTC.")
    effective_from: Mapped[datetime] = time_column("Since when it applies, UTC.")
    author: Mapped[str] = mapped_column(comment="Who recorded it.")
    message: Mapped[str] = mapped_column(comment="Why; empty if not said.")
    source: Mapped[str] = mapped_column(comment="The file it came from; empty if none.")
    annotations: Mapped[Json] = mapped_column(comment="What is known beyond the workload: a JSON object.")
    checksum: Mapped[int] = checksum_column()

    named: Mapped[NameRow] = relationship(back_populates="revisions", viewonly=True)  # `name` would be the text.
    workload: Mapped[WorkloadRow | None] = relationship(viewonly=True)


class AliasMoveRow(Row):
    """An alias set, moved or removed: append-only."""

    __tablename__ = "alias_moves"
    __table_args__ = (
        ForeignKeyConstraint(["name_id", "revision_number"], [RevisionRow.name_id, RevisionRow.number]),
        CheckConstraint("number >= 1", name="number"),
        *check_name_column("alias"),
        *check_on_each_engine("alias_first_character", "alias NOT GLOB '[0-9+]*'", "alias !~ '^[0-9+]'"),
        {"comment": "Moves of aliases, append-only.", "sqlite_strict": True, "sqlite_with_rowid": False},
    )

    name_id: Mapped[int] = assigned_key("The name.", ForeignKey(NameRow.id))
    alias: Mapped[CodePointText] = mapped_column(primary_key=True, comment="The alias, as in NAME@alias.")
    number: Mapped[int] = assigned_key("1, 2, 3, … within the alias.")
    revision_number: Mapped[int | None] = mapped_column(
        comment="The revision it stands for since; NULL where it was removed."
    )
    recorded_at: Mapped[datetime] = time_column("When it was moved, UTC.")
    author: Mapped[str] = mapped_column(comment="Who moved it.")
    message: Mapped[str] = mapped_column(comment="Why; empty if not said.")
    checksum: Mapped[int] = checksum_column()

    revision: Mapped[RevisionRow | None] = relationship(viewonly=True, lazy="raise")
