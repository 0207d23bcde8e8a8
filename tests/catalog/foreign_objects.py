"""What strangers may have in a database: in place of our objects, on our tables, and of their own."""

ENDLESS = "WITH RECURSIVE rows(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM rows) SELECT"

REPLACED_ON_SQLITE = {
    "an endless view in place of a table": (
        f"DROP TABLE names; CREATE VIEW names AS {ENDLESS} x AS id, 'fleet' AS name, '' AS created_at FROM rows",
        "the table names differs: it is 'CREATE VIEW names",
    ),
    "an endless view in capitals": (
        f"DROP TABLE names; CREATE VIEW NAMES AS {ENDLESS} x AS id, 'fleet' AS name FROM rows",
        "the table names differs: it is 'CREATE VIEW NAMES",
    ),
    "an endless view in place of a view": (
        f"DROP VIEW named_revisions; CREATE VIEW named_revisions AS {ENDLESS} x AS name FROM rows",
        "the view named_revisions differs",
    ),
    "a virtual table": (
        "DROP TABLE tags; CREATE VIRTUAL TABLE tags USING fts5(name_id, key, value, checksum)",
        "the table tags differs: it is 'CREATE VIRTUAL TABLE tags",
    ),
    "a table that is not strict": (
        "DROP TABLE tags; CREATE TABLE tags (name_id INTEGER, key TEXT, value TEXT, checksum INTEGER)",
        "the table tags differs",
    ),
    "a missing table": ("DROP TABLE tags", "the table tags is missing"),
    "a generated column": (
        "ALTER TABLE names ADD COLUMN size TEXT GENERATED ALWAYS AS (hex(zeroblob(100000000))) VIRTUAL",
        "the column size of names is not the catalog's: size TEXT GENERATED",
    ),
    "a column of another name": (
        "ALTER TABLE names RENAME COLUMN created_at TO made_at",
        "the column created_at of names is missing; expected: created_at TEXT NOT NULL",
    ),
    "a missing trigger": (
        "DROP TRIGGER revisions_refuse_gap",
        "the trigger revisions_refuse_gap of revisions is missing; expected: CREATE TRIGGER revisions_refuse",
    ),
    "a trigger that does nothing": (
        "DROP TRIGGER revisions_refuse_update; "
        "CREATE TRIGGER revisions_refuse_update BEFORE UPDATE ON revisions BEGIN SELECT 1; END",
        "the trigger revisions_refuse_update of revisions differs",
    ),
    "a trigger on another table": (
        "DROP TRIGGER revisions_refuse_update; "
        "CREATE TRIGGER revisions_refuse_update BEFORE UPDATE ON tags BEGIN SELECT 1; END",
        "the trigger revisions_refuse_update of revisions is missing",
    ),
    "a missing index": (
        "DROP INDEX ix_revisions_workload_id",
        "the index ix_revisions_workload_id of revisions is missing",
    ),
    "an index on something else": (
        "DROP INDEX ix_revisions_workload_id; "
        "CREATE INDEX ix_revisions_workload_id ON revisions (workload_id) WHERE number > 1",
        "the index ix_revisions_workload_id of revisions differs",
    ),
    "a missing view": ("DROP VIEW revision_models", "the view revision_models is missing"),
}

REPLACED_ON_POSTGRESQL = {
    "an endless view in place of a table": (
        "ALTER TABLE names RENAME TO hidden; "
        f"CREATE VIEW names AS {ENDLESS} x::bigint AS id, 'fleet' AS name, now() AS created_at FROM rows",
        "the table names differs: it is 'view",
    ),
    "an endless view in place of a view": (
        f"DROP VIEW named_revisions; CREATE VIEW named_revisions AS {ENDLESS} x AS name FROM rows",
        "the view named_revisions differs",
    ),
    "a materialized view": (
        "ALTER TABLE tags RENAME TO hidden; CREATE MATERIALIZED VIEW tags AS SELECT * FROM hidden",
        "the table tags differs: it is 'materialized view'",
    ),
    "a table in place of a view": (
        "DROP VIEW revision_models; CREATE TABLE revision_models (name text)",
        "the view revision_models differs: it is 'table'",
    ),
    "a partitioned table": (
        "DROP TABLE tags; "
        "CREATE TABLE tags (name_id bigint, key text, value text, checksum bigint) PARTITION BY LIST (key)",
        "the table tags differs: it is 'partitioned table'",
    ),
    "a missing table": ("DROP TABLE tags", "the table tags is missing"),
    "an unlogged table": ("ALTER TABLE tags SET UNLOGGED", "the table tags differs: it is 'table, unlogged'"),
    "row security": ("ALTER TABLE names ENABLE ROW LEVEL SECURITY", "the table names differs: it is 'table, with row"),
    "children": (
        "CREATE TABLE child () INHERITS (tags)",
        "the table tags differs: it is 'table, with inheritance'",
    ),
    "a column more": ("ALTER TABLE tags ADD note text", "the column note of tags is not the catalog's: text"),
    "a column that may be NULL": (
        "ALTER TABLE revisions ALTER author DROP NOT NULL",
        "the column author of revisions differs: it is 'text', expected 'text NOT NULL'",
    ),
    "a column of another type": (
        "ALTER TABLE tags ALTER value TYPE varchar(10)",
        "the column value of tags differs: it is 'character varying 10 NOT NULL'",
    ),
    "a column of another collation": (
        'ALTER TABLE renames ALTER old_name TYPE text COLLATE "POSIX"',
        "the column old_name of renames differs",
    ),
    "a column with a default": ("ALTER TABLE tags ALTER value SET DEFAULT 'x'", "the column value of tags differs"),
    "a missing CHECK": (
        "ALTER TABLE model_specs DROP CONSTRAINT ck_model_specs_num_replicas",
        "the constraint ck_model_specs_num_replicas of model_specs is missing",
    ),
    "another CHECK": (
        "ALTER TABLE model_specs DROP CONSTRAINT ck_model_specs_num_replicas, "
        "ADD CONSTRAINT ck_model_specs_num_replicas CHECK (num_replicas >= -1 AND num_replicas <= 2147483647)",
        "the constraint ck_model_specs_num_replicas of model_specs differs",
    ),
    "a CHECK that was not looked at": (
        "ALTER TABLE revisions DROP CONSTRAINT ck_revisions_number, "
        "ADD CONSTRAINT ck_revisions_number CHECK (number >= 1) NOT VALID",
        "the constraint ck_revisions_number of revisions differs: it is 'CHECK number >= 1 NOT VALID'",
    ),
    "a CHECK more": (
        "ALTER TABLE names ADD CONSTRAINT ours CHECK (name <> 'x')",
        "the constraint ours of names is not the catalog's",
    ),
    "a foreign key that holds nothing": (
        "ALTER TABLE revisions DISABLE TRIGGER ALL; ALTER TABLE revisions ENABLE TRIGGER USER",
        "the constraint fk_revisions_name_id_names of revisions differs",
    ),
    "a missing trigger": (
        "DROP TRIGGER revisions_refuse_gap ON revisions",
        "the trigger revisions_refuse_gap of revisions is missing; expected: CREATE TRIGGER revisions_refuse",
    ),
    "a disabled trigger": (
        "ALTER TABLE revisions DISABLE TRIGGER revisions_refuse_gap",
        "the trigger revisions_refuse_gap of revisions differs",
    ),
    "a trigger for replicas": (
        "ALTER TABLE revisions ENABLE REPLICA TRIGGER revisions_refuse_gap",
        "the trigger revisions_refuse_gap of revisions differs",
    ),
    "a trigger for everybody": (
        "ALTER TABLE revisions ENABLE ALWAYS TRIGGER revisions_refuse_gap",
        "the trigger revisions_refuse_gap of revisions differs",
    ),
    "a trigger of fewer events": (
        "CREATE OR REPLACE TRIGGER renames_refuse_change BEFORE UPDATE OR DELETE ON renames "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_catalog_change()",
        "the trigger renames_refuse_change of renames differs",
    ),
    "another function": (
        "CREATE OR REPLACE FUNCTION refuse_catalog_change() RETURNS trigger LANGUAGE plpgsql "
        "SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END'",
        "the function refuse_catalog_change differs",
    ),
    "a function without its search path": (
        "ALTER FUNCTION refuse_revision_gap() RESET search_path",
        "the function refuse_revision_gap differs",
    ),
    "a function of another schema": (
        "CREATE SCHEMA elsewhere; CREATE FUNCTION elsewhere.refuse_catalog_change() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NULL; END'; DROP TRIGGER workloads_refuse_change ON workloads; "
        "CREATE TRIGGER workloads_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON workloads "
        "FOR EACH STATEMENT EXECUTE FUNCTION elsewhere.refuse_catalog_change()",
        "the trigger workloads_refuse_change of workloads differs",
    ),
    "a missing index": (
        "DROP INDEX ix_revisions_workload_id",
        "the index ix_revisions_workload_id of revisions is missing",
    ),
    "an index on something else": (
        "DROP INDEX ix_revisions_workload_id; "
        "CREATE INDEX ix_revisions_workload_id ON revisions (workload_id) WHERE number > 1",
        "the index ix_revisions_workload_id of revisions differs",
    ),
    "a missing view": ("DROP VIEW revision_models", "the view revision_models is missing"),
}

REPLACED = [
    *(("sqlite", *change) for change in REPLACED_ON_SQLITE.values()),
    *(("postgresql", *change) for change in REPLACED_ON_POSTGRESQL.values()),
]
REPLACED_IDS = [
    *(f"sqlite-{name}" for name in REPLACED_ON_SQLITE),
    *(f"postgresql-{name}" for name in REPLACED_ON_POSTGRESQL),
]

LEFT_ALONE_ON_BOTH = (
    "CREATE TABLE own (name TEXT); CREATE INDEX own_index ON own (name); CREATE VIEW own_view AS SELECT * FROM own; "
    "CREATE INDEX their_index ON revisions (author); CREATE VIEW their_view AS SELECT * FROM named_revisions; "
    f"CREATE VIEW their_endless_view AS {ENDLESS} * FROM rows; "
    'CREATE TABLE "of Lab\'7; DROP" (name TEXT)'
)
LEFT_ALONE_ON_SQLITE = (
    "; CREATE TRIGGER own_trigger AFTER INSERT ON own BEGIN SELECT 1; END; "
    "CREATE TRIGGER named_revisions AFTER DELETE ON own BEGIN SELECT 1; END; "
    "CREATE TRIGGER on_view INSTEAD OF INSERT ON named_revisions BEGIN SELECT 1; END; "
    "CREATE INDEX on_expression ON names (length(name)) WHERE name > 'a'; "
    "CREATE TABLE notes (name_id INTEGER REFERENCES names(id)); ANALYZE"
)
LEFT_ALONE_ON_POSTGRESQL = (
    "; CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
    "CREATE TRIGGER own_trigger AFTER INSERT ON own EXECUTE FUNCTION own(); "
    "CREATE FUNCTION refuse_catalog_change(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'; "
    "CREATE RULE own_rule AS ON INSERT TO own DO ALSO NOTHING; "
    "CREATE INDEX on_expression ON names (length(name)) WHERE name > 'a'; "
    "CREATE TABLE notes (name_id BIGINT REFERENCES names(id)); ANALYZE; "
    "COMMENT ON TABLE names IS 'ours'; ALTER INDEX ix_revisions_recorded_at SET (fillfactor = 70); "
    "ALTER TABLE revisions SET (fillfactor = 70); CREATE STATISTICS theirs ON author, message FROM revisions; "
    "CREATE SCHEMA elsewhere; CREATE VIEW elsewhere.names AS SELECT 1 AS id"
)

INTRUDERS_ON_SQLITE = {
    'CREATE TRIGGER "Mine; --" AFTER INSERT ON revisions BEGIN SELECT 1; END': (
        'the trigger mine; -- of revisions is not the catalog\'s; to remove it: DROP TRIGGER "mine; --"'
    ),
    f"CREATE TRIGGER endless BEFORE INSERT ON NAMES BEGIN SELECT ({ENDLESS} count(*) FROM rows); END": (
        'the trigger endless of names is not the catalog\'s; to remove it: DROP TRIGGER "endless"'
    ),
    "CREATE TRIGGER ignoring BEFORE INSERT ON tags BEGIN SELECT RAISE(IGNORE); END": "the trigger ignoring of tags",
    "CREATE TRIGGER versions AFTER UPDATE ON openg2g_schema_version BEGIN SELECT 1; END": (
        "the trigger versions of openg2g_schema_version"
    ),
    'CREATE UNIQUE INDEX "Mine; --" ON tags (name_id)': (
        'the unique index mine; -- of tags is not the catalog\'s; to remove it: DROP INDEX "mine; --"'
    ),
    "create unique index part on NAMES (length(name)) WHERE name > 'b'": "the unique index part of names",
}
INTRUDERS_ON_POSTGRESQL = {
    "CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
    'CREATE TRIGGER "Mine; --" BEFORE INSERT ON revisions FOR EACH ROW EXECUTE FUNCTION mine()': (
        'the trigger Mine; -- of revisions is not the catalog\'s; to remove it: DROP TRIGGER "Mine; --" ON "revisions"'
    ),
    "CREATE RULE mine AS ON INSERT TO tags DO INSTEAD NOTHING": (
        'the rule mine of tags is not the catalog\'s; to remove it: DROP RULE "mine" ON "tags"'
    ),
    "CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
    "CREATE CONSTRAINT TRIGGER later AFTER INSERT ON names DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION later()": "the trigger later of names",
    'CREATE UNIQUE INDEX "Mine; --" ON tags (name_id)': (
        'the unique index Mine; -- of tags is not the catalog\'s; to remove it: DROP INDEX "Mine; --"'
    ),
    "create unique index part on NAMES (length(name)) WHERE name > 'b'": "the unique index part of names",
}
