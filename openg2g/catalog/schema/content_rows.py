"""Content: model specs and workloads, each stored once under its digest, and never changed."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, and_
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from openg2g.catalog.schema.base import CodePointText, Row, assigned_key, time_column
from openg2g.catalog.schema.checks import check_digest, check_model_label

_ASSIGNED = "Assigned by writers."


class CatalogInfoRow(Row):
    """One row: this catalog. Writers on Postgres lock it, so that ids and revision numbers stay dense."""

    __tablename__ = "catalog_info"
    __table_args__ = (
        CheckConstraint("id = 1", name="single_row"),
        {"comment": "One row: this catalog. Writers lock it.", "sqlite_strict": True},
    )

    id: Mapped[int] = assigned_key("Always 1.")
    created_at: Mapped[datetime] = time_column("When the catalog was made, UTC.")


class BatchSizeListRow(Row):
    """A distinct ordered list of feasible batch sizes."""

    __tablename__ = "batch_size_lists"
    __table_args__ = (
        UniqueConstraint("digest"),
        *check_digest(),
        CheckConstraint("num_batch_sizes >= 1", name="num_batch_sizes"),
        {"comment": "Distinct ordered lists of feasible batch sizes.", "sqlite_strict": True},
    )

    id: Mapped[int] = assigned_key(_ASSIGNED)
    digest: Mapped[CodePointText] = mapped_column(comment="sha256: of the list as JSON.")
    batch_sizes: Mapped[str] = mapped_column(comment="The list as JSON: [8,16,32]. Its members are batch_sizes.")
    num_batch_sizes: Mapped[int] = mapped_column(comment="Length of the list.")

    members: Mapped[list["BatchSizeRow"]] = relationship(order_by="BatchSizeRow.position", viewonly=True, lazy="raise")


class BatchSizeRow(Row):
    """A member of a list of feasible batch sizes."""

    __tablename__ = "batch_sizes"
    __table_args__ = (
        CheckConstraint("position >= 0", name="position"),
        CheckConstraint("batch_size > 0 AND batch_size <= 2147483647", name="batch_size"),
        Index(None, "batch_size", "batch_size_list_id"),
        {"comment": "Members of the lists.", "sqlite_strict": True, "sqlite_with_rowid": False},
    )

    batch_size_list_id: Mapped[int] = assigned_key("The list.", ForeignKey(BatchSizeListRow.id))
    position: Mapped[int] = assigned_key("Place in the list, from 0. Baseline mode uses 0.")
    batch_size: Mapped[int] = mapped_column(comment="Requests in a batch.")


class ModelSpecRow(Row):
    """A distinct `LLMInferenceModelSpec`."""

    __tablename__ = "model_specs"
    __table_args__ = (
        UniqueConstraint("digest"),
        UniqueConstraint("id", "model_label"),  # The target of workload_models' composite foreign key.
        *check_digest(),
        *check_model_label(),
        CheckConstraint("num_replicas >= 0 AND num_replicas <= 2147483647", name="num_replicas"),
        CheckConstraint("gpus_per_replica >= 1 AND gpus_per_replica <= 2147483647", name="gpus_per_replica"),
        CheckConstraint("initial_batch_size > 0 AND initial_batch_size <= 2147483647", name="initial_batch_size"),
        CheckConstraint("itl_deadline_s > 0 AND itl_deadline_s <= 1.7976931348623157e308", name="itl_deadline_s"),
        CheckConstraint("total_gpus = num_replicas * gpus_per_replica", name="total_gpus"),
        Index(None, "model_label"),
        Index(None, "batch_size_list_id"),
        {"comment": "Distinct model specs.", "sqlite_strict": True},
    )

    id: Mapped[int] = assigned_key(_ASSIGNED)
    digest: Mapped[CodePointText] = mapped_column(comment="sha256: of the canonical form of the spec.")
    model_label: Mapped[CodePointText] = mapped_column(comment="Human-readable model identifier.")
    num_replicas: Mapped[int] = mapped_column(comment="Replicas in the whole datacenter.")
    gpus_per_replica: Mapped[int] = mapped_column(comment="GPUs of each replica.")
    initial_batch_size: Mapped[int] = mapped_column(comment="Batch size at the start, requests.")
    itl_deadline_s: Mapped[float] = mapped_column(comment="Inter-token latency deadline, seconds.")
    batch_size_list_id: Mapped[int] = mapped_column(ForeignKey(BatchSizeListRow.id), comment="Feasible batch sizes.")
    total_gpus: Mapped[int] = mapped_column(comment="num_replicas * gpus_per_replica.")

    batch_size_list: Mapped[BatchSizeListRow] = relationship(viewonly=True)


class WorkloadRow(Row):
    """A distinct `LLMInferenceWorkload`.

    Facts about all its models are stored with it, so that "each deadline is at most 0.1 s" and "some deadline is" are
    answered from an index, without a look at the models of every workload.
    """

    __tablename__ = "workloads"
    __table_args__ = (
        UniqueConstraint("digest"),
        *check_digest(),
        CheckConstraint("num_models >= 1", name="num_models"),
        CheckConstraint("total_gpus >= 0", name="total_gpus"),
        CheckConstraint(
            "least_itl_deadline_s > 0 AND least_itl_deadline_s <= greatest_itl_deadline_s",
            name="least_itl_deadline_s",
        ),
        CheckConstraint("greatest_itl_deadline_s <= 1.7976931348623157e308", name="greatest_itl_deadline_s"),
        Index(None, "total_gpus", "least_itl_deadline_s"),
        Index(None, "least_itl_deadline_s", "total_gpus"),
        Index(None, "greatest_itl_deadline_s", "total_gpus"),
        {"comment": "Distinct workloads.", "sqlite_strict": True},
    )

    id: Mapped[int] = assigned_key(_ASSIGNED)
    digest: Mapped[CodePointText] = mapped_column(comment="sha256: of the canonical form of the workload.")
    num_models: Mapped[int] = mapped_column(comment="How many models it serves.")
    total_gpus: Mapped[int] = mapped_column(comment="GPUs of all its models.")
    least_itl_deadline_s: Mapped[float] = mapped_column(
        comment="Least inter-token latency deadline of its models, seconds."
    )
    greatest_itl_deadline_s: Mapped[float] = mapped_column(
        comment="Greatest inter-token latency deadline of its models, seconds."
    )

    models: Mapped[list["WorkloadModelRow"]] = relationship(
        back_populates="workload", order_by="WorkloadModelRow.position", viewonly=True
    )


class WorkloadModelRow(Row):
    """A model spec at its place in a workload."""

    __tablename__ = "workload_models"
    __table_args__ = (
        UniqueConstraint("workload_id", "model_label"),
        ForeignKeyConstraint(["model_spec_id", "model_label"], [ModelSpecRow.id, ModelSpecRow.model_label]),
        CheckConstraint("position >= 0", name="position"),
        Index(None, "model_spec_id"),
        {"comment": "The models of each workload.", "sqlite_strict": True, "sqlite_with_rowid": False},
    )

    workload_id: Mapped[int] = assigned_key("The workload.", ForeignKey(WorkloadRow.id))
    position: Mapped[int] = assigned_key("Place in the workload, from 0.")
    model_spec_id: Mapped[int] = mapped_column(comment="The model spec.")
    model_label: Mapped[CodePointText] = mapped_column(
        comment="Label of that spec, so that the database refuses two of one label in a workload."
    )

    workload: Mapped[WorkloadRow] = relationship(back_populates="models", viewonly=True, lazy="raise")
    # Said in full, since the label is part of the foreign key of the table.
    spec: Mapped[ModelSpecRow] = relationship(
        primaryjoin=lambda: and_(
            foreign(WorkloadModelRow.model_spec_id) == ModelSpecRow.id,
            foreign(WorkloadModelRow.model_label) == ModelSpecRow.model_label,
        ),
        viewonly=True,
    )
