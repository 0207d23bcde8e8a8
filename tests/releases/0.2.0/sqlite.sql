PRAGMA application_id = 1330065991;
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE alias_moves (
	name_id INTEGER NOT NULL, 
	alias TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	revision_number INTEGER, 
	recorded_at TEXT NOT NULL, 
	author TEXT NOT NULL, 
	message TEXT NOT NULL, 
	checksum INTEGER NOT NULL, 
	CONSTRAINT pk_alias_moves PRIMARY KEY (name_id, alias, number), 
	CONSTRAINT fk_alias_moves_name_id_names FOREIGN KEY(name_id) REFERENCES names (id), 
	CONSTRAINT fk_alias_moves_name_id_revision_number_revisions FOREIGN KEY(name_id, revision_number) REFERENCES revisions (name_id, number), 
	CONSTRAINT ck_alias_moves_number CHECK (number >= 1), 
	CONSTRAINT ck_alias_moves_alias_length CHECK (length(alias) BETWEEN 1 AND 200), 
	CONSTRAINT ck_alias_moves_alias_characters CHECK (alias NOT GLOB '*[' || char(1, 45, 31, 127, 45, 159, 8232, 8233) || char(32, 160, 5760, 8192, 45, 8202, 8239, 8287, 12288) || '@:*?[]*' AND alias NOT GLOB '-*' AND instr(CAST(alias AS BLOB), x'00') = 0), 
	CONSTRAINT ck_alias_moves_alias_first_character CHECK (alias NOT GLOB '[0-9+]*')
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "alias_moves" VALUES(1,'production',1,1,'2026-11-30T18:07:21.808328Z','Ada','approved',2567882724);
INSERT INTO "alias_moves" VALUES(1,'production',2,2,'2026-11-30T18:07:21.857351Z','Bob','',4089447494);
INSERT INTO "alias_moves" VALUES(1,'trial',1,1,'2026-11-30T18:07:21.902340Z','Bob','',298696636);
INSERT INTO "alias_moves" VALUES(1,'trial',2,NULL,'2026-11-30T18:07:21.953596Z','Bob','it''s over',3325255063);
CREATE TABLE batch_size_lists (
	id INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	batch_sizes TEXT NOT NULL, 
	num_batch_sizes INTEGER NOT NULL, 
	CONSTRAINT pk_batch_size_lists PRIMARY KEY (id), 
	CONSTRAINT uq_batch_size_lists_digest UNIQUE (digest), 
	CONSTRAINT ck_batch_size_lists_digest CHECK (length(digest) = 71 AND digest GLOB 'sha256:*' AND substr(digest, 8) NOT GLOB '*[^0-9a-f]*'), 
	CONSTRAINT ck_batch_size_lists_num_batch_sizes CHECK (num_batch_sizes >= 1)
)
 STRICT

;
INSERT INTO "batch_size_lists" VALUES(1,'sha256:9898d061c370602088c34ee6a12c03a8fd6eecc5815897b0ac35bcf2c71d16ba','[8,16,32,64,128,256,512]',7);
CREATE TABLE batch_sizes (
	batch_size_list_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	batch_size INTEGER NOT NULL, 
	CONSTRAINT pk_batch_sizes PRIMARY KEY (batch_size_list_id, position), 
	CONSTRAINT fk_batch_sizes_batch_size_list_id_batch_size_lists FOREIGN KEY(batch_size_list_id) REFERENCES batch_size_lists (id), 
	CONSTRAINT ck_batch_sizes_position CHECK (position >= 0), 
	CONSTRAINT ck_batch_sizes_batch_size CHECK (batch_size > 0 AND batch_size <= 2147483647)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "batch_sizes" VALUES(1,0,8);
INSERT INTO "batch_sizes" VALUES(1,1,16);
INSERT INTO "batch_sizes" VALUES(1,2,32);
INSERT INTO "batch_sizes" VALUES(1,3,64);
INSERT INTO "batch_sizes" VALUES(1,4,128);
INSERT INTO "batch_sizes" VALUES(1,5,256);
INSERT INTO "batch_sizes" VALUES(1,6,512);
CREATE TABLE catalog_info (
	id INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	CONSTRAINT pk_catalog_info PRIMARY KEY (id), 
	CONSTRAINT ck_catalog_info_single_row CHECK (id = 1)
)
 STRICT

;
INSERT INTO "catalog_info" VALUES(1,'2026-11-30T18:07:20.669302Z');
CREATE TABLE model_specs (
	id INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	model_label TEXT NOT NULL, 
	num_replicas INTEGER NOT NULL, 
	gpus_per_replica INTEGER NOT NULL, 
	initial_batch_size INTEGER NOT NULL, 
	itl_deadline_s REAL NOT NULL, 
	batch_size_list_id INTEGER NOT NULL, 
	total_gpus INTEGER NOT NULL, 
	CONSTRAINT pk_model_specs PRIMARY KEY (id), 
	CONSTRAINT uq_model_specs_digest UNIQUE (digest), 
	CONSTRAINT uq_model_specs_id_model_label UNIQUE (id, model_label), 
	CONSTRAINT fk_model_specs_batch_size_list_id_batch_size_lists FOREIGN KEY(batch_size_list_id) REFERENCES batch_size_lists (id), 
	CONSTRAINT ck_model_specs_digest CHECK (length(digest) = 71 AND digest GLOB 'sha256:*' AND substr(digest, 8) NOT GLOB '*[^0-9a-f]*'), 
	CONSTRAINT ck_model_specs_model_label_length CHECK (length(model_label) BETWEEN 1 AND 200), 
	CONSTRAINT ck_model_specs_model_label_not_blank CHECK (model_label GLOB '*[^' || char(32, 160, 5760, 8192, 45, 8202, 8239, 8287, 12288) || ']*'), 
	CONSTRAINT ck_model_specs_model_label_no_control CHECK (model_label NOT GLOB '*[' || char(1, 45, 31, 127, 45, 159, 8232, 8233) || ']*' AND instr(CAST(model_label AS BLOB), x'00') = 0), 
	CONSTRAINT ck_model_specs_num_replicas CHECK (num_replicas >= 0 AND num_replicas <= 2147483647), 
	CONSTRAINT ck_model_specs_gpus_per_replica CHECK (gpus_per_replica >= 1 AND gpus_per_replica <= 2147483647), 
	CONSTRAINT ck_model_specs_initial_batch_size CHECK (initial_batch_size > 0 AND initial_batch_size <= 2147483647), 
	CONSTRAINT ck_model_specs_itl_deadline_s CHECK (itl_deadline_s > 0 AND itl_deadline_s <= 1.7976931348623157e308), 
	CONSTRAINT ck_model_specs_total_gpus CHECK (total_gpus = num_replicas * gpus_per_replica)
)
 STRICT

;
INSERT INTO "model_specs" VALUES(1,'sha256:0502a70fa521143cb1a3588297bbd41fa7d9717389e3b766d1d00263ff24c1f5','Llama-3.1-8B',720,1,128,0.08,1,720);
INSERT INTO "model_specs" VALUES(2,'sha256:c73604078973129a35c6733612d37bbe16a368354af7f8225e44becbe0173011','Llama-3.1-70B',180,4,128,0.1,1,720);
INSERT INTO "model_specs" VALUES(3,'sha256:4cec066370a7efe77554bfd5b9090c07b9cdbd5834b4fc6408d67369466f16b4','Llama-3.1-405B',90,8,128,0.12,1,720);
INSERT INTO "model_specs" VALUES(4,'sha256:4a3f9a0f5e16e0201040158d543cd683924b58272a05bc41c5dbd8067c827902','Qwen3-30B-A3B',480,2,128,0.06,1,960);
INSERT INTO "model_specs" VALUES(5,'sha256:cee82928f433f9cd373d1993cddda584c770ffe7cb3b29a11c8c11b8197faab7','Qwen3-235B-A22B',210,8,128,0.14,1,1680);
INSERT INTO "model_specs" VALUES(6,'sha256:fe8ecd01507274ba00413b626fa92f980c7f251ec6941673a6d6cd89d17c9ebc','model-0',100,4,128,0.1,1,400);
INSERT INTO "model_specs" VALUES(7,'sha256:306333556d7c07e93d18a52d9553d2d3c81c74e36949df11fcaa4035d55b055f','model-1',101,4,128,0.1,1,404);
INSERT INTO "model_specs" VALUES(8,'sha256:f0a25cf33378ff65079d065909c43528180c76a953ff5f8168a235c73bc89484','model-2',102,4,128,0.1,1,408);
INSERT INTO "model_specs" VALUES(9,'sha256:ae6a794b4ac70756e3d6519db65d53884387eb03446f4b2d6f85f20b01ebdf25','model-0',100,4,128,3.00000000000000044408e-01,1,400);
CREATE TABLE names (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	checksum INTEGER NOT NULL, 
	CONSTRAINT pk_names PRIMARY KEY (id), 
	CONSTRAINT uq_names_name UNIQUE (name), 
	CONSTRAINT ck_names_name_length CHECK (length(name) BETWEEN 1 AND 200), 
	CONSTRAINT ck_names_name_characters CHECK (name NOT GLOB '*[' || char(1, 45, 31, 127, 45, 159, 8232, 8233) || char(32, 160, 5760, 8192, 45, 8202, 8239, 8287, 12288) || '@:*?[]*' AND name NOT GLOB '-*' AND instr(CAST(name AS BLOB), x'00') = 0)
)
 STRICT

;
INSERT INTO "names" VALUES(1,'fleet','2026-11-30T18:07:21.700492Z',3402569724);
INSERT INTO "names" VALUES(2,'Zürich','2026-11-30T18:07:22.039130Z',2269044273);
INSERT INTO "names" VALUES(3,'back','2026-11-30T18:07:22.113479Z',1198774983);
CREATE TABLE openg2g_schema_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT openg2g_schema_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "openg2g_schema_version" VALUES('0002');
CREATE TABLE renames (
	name_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	old_name TEXT NOT NULL, 
	recorded_at TEXT NOT NULL, 
	author TEXT NOT NULL, 
	message TEXT NOT NULL, 
	checksum INTEGER NOT NULL, 
	CONSTRAINT pk_renames PRIMARY KEY (name_id, number), 
	CONSTRAINT fk_renames_name_id_names FOREIGN KEY(name_id) REFERENCES names (id), 
	CONSTRAINT ck_renames_number CHECK (number >= 1), 
	CONSTRAINT ck_renames_old_name_length CHECK (length(old_name) BETWEEN 1 AND 200), 
	CONSTRAINT ck_renames_old_name_characters CHECK (old_name NOT GLOB '*[' || char(1, 45, 31, 127, 45, 159, 8232, 8233) || char(32, 160, 5760, 8192, 45, 8202, 8239, 8287, 12288) || '@:*?[]*' AND old_name NOT GLOB '-*' AND instr(CAST(old_name AS BLOB), x'00') = 0)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "renames" VALUES(2,1,'old-name','2026-11-30T18:07:22.052046Z','Ada','moved',3411915480);
CREATE TABLE revisions (
	name_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	workload_id INTEGER, 
	recorded_at TEXT NOT NULL, 
	effective_from TEXT NOT NULL, 
	author TEXT NOT NULL, 
	message TEXT NOT NULL, 
	source TEXT NOT NULL, 
	annotations TEXT NOT NULL, 
	checksum INTEGER NOT NULL, 
	CONSTRAINT pk_revisions PRIMARY KEY (name_id, number), 
	CONSTRAINT fk_revisions_name_id_names FOREIGN KEY(name_id) REFERENCES names (id), 
	CONSTRAINT fk_revisions_workload_id_workloads FOREIGN KEY(workload_id) REFERENCES workloads (id), 
	CONSTRAINT ck_revisions_number CHECK (number >= 1), 
	CONSTRAINT ck_revisions_recorded_at CHECK (recorded_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'), 
	CONSTRAINT ck_revisions_effective_from CHECK (effective_from GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'), 
	CONSTRAINT ck_revisions_annotations CHECK (json_valid(annotations) AND json_type(annotations) = 'object')
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "revisions" VALUES(1,1,1,'2026-11-30T18:07:21.700492Z','2026-03-01T00:00:00.000000Z','Ada','','','{"b":1e+22,"a":[true]}',3128749929);
INSERT INTO "revisions" VALUES(1,2,2,'2026-11-30T18:07:21.752327Z','2026-11-30T18:07:21.752327Z','Bob','quotes " and
lines','a b.json','{}',1543439204);
INSERT INTO "revisions" VALUES(2,1,3,'2026-11-30T18:07:22.039130Z','2026-11-30T18:07:22.039130Z','Ada','','','{}',3713429442);
INSERT INTO "revisions" VALUES(2,2,NULL,'2026-11-30T18:07:22.091868Z','2026-11-30T18:07:22.091868Z','Bob','','','{}',2598653991);
INSERT INTO "revisions" VALUES(3,1,4,'2026-11-30T18:07:22.113479Z','2026-11-30T18:07:22.113479Z','Ada','','','{"was":[1,1.0,true,null,"𝕏"]}',2920579728);
INSERT INTO "revisions" VALUES(3,2,NULL,'2026-11-30T18:07:22.137997Z','2026-11-30T18:07:22.137997Z','Ada','too early','','{}',976444642);
INSERT INTO "revisions" VALUES(3,3,4,'2026-11-30T18:07:22.184965Z','2026-11-30T18:07:22.184965Z','Bob','','','{"was":[1,1.0,true,null,"𝕏"]}',1364633196);
CREATE TABLE tags (
	name_id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	checksum INTEGER NOT NULL, 
	CONSTRAINT pk_tags PRIMARY KEY (name_id, "key"), 
	CONSTRAINT fk_tags_name_id_names FOREIGN KEY(name_id) REFERENCES names (id), 
	CONSTRAINT ck_tags_key_length CHECK (length(key) BETWEEN 1 AND 200), 
	CONSTRAINT ck_tags_key_characters CHECK (key NOT GLOB '*[' || char(1, 45, 31, 127, 45, 159, 8232, 8233) || char(32, 160, 5760, 8192, 45, 8202, 8239, 8287, 12288) || '@:*?[]*' AND key NOT GLOB '-*' AND instr(CAST(key AS BLOB), x'00') = 0)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "tags" VALUES(1,'draft','',3097618799);
INSERT INTO "tags" VALUES(1,'team','grid',568870088);
CREATE TABLE workload_models (
	workload_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	model_spec_id INTEGER NOT NULL, 
	model_label TEXT NOT NULL, 
	CONSTRAINT pk_workload_models PRIMARY KEY (workload_id, position), 
	CONSTRAINT uq_workload_models_workload_id_model_label UNIQUE (workload_id, model_label), 
	CONSTRAINT fk_workload_models_workload_id_workloads FOREIGN KEY(workload_id) REFERENCES workloads (id), 
	CONSTRAINT fk_workload_models_model_spec_id_model_label_model_specs FOREIGN KEY(model_spec_id, model_label) REFERENCES model_specs (id, model_label), 
	CONSTRAINT ck_workload_models_position CHECK (position >= 0)
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "workload_models" VALUES(1,0,1,'Llama-3.1-8B');
INSERT INTO "workload_models" VALUES(1,1,2,'Llama-3.1-70B');
INSERT INTO "workload_models" VALUES(1,2,3,'Llama-3.1-405B');
INSERT INTO "workload_models" VALUES(1,3,4,'Qwen3-30B-A3B');
INSERT INTO "workload_models" VALUES(1,4,5,'Qwen3-235B-A22B');
INSERT INTO "workload_models" VALUES(2,0,6,'model-0');
INSERT INTO "workload_models" VALUES(2,1,7,'model-1');
INSERT INTO "workload_models" VALUES(2,2,8,'model-2');
INSERT INTO "workload_models" VALUES(3,0,6,'model-0');
INSERT INTO "workload_models" VALUES(4,0,9,'model-0');
CREATE TABLE workloads (
	id INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	num_models INTEGER NOT NULL, 
	total_gpus INTEGER NOT NULL, 
	least_itl_deadline_s REAL NOT NULL, 
	greatest_itl_deadline_s REAL NOT NULL, 
	CONSTRAINT pk_workloads PRIMARY KEY (id), 
	CONSTRAINT uq_workloads_digest UNIQUE (digest), 
	CONSTRAINT ck_workloads_digest CHECK (length(digest) = 71 AND digest GLOB 'sha256:*' AND substr(digest, 8) NOT GLOB '*[^0-9a-f]*'), 
	CONSTRAINT ck_workloads_num_models CHECK (num_models >= 1), 
	CONSTRAINT ck_workloads_total_gpus CHECK (total_gpus >= 0), 
	CONSTRAINT ck_workloads_least_itl_deadline_s CHECK (least_itl_deadline_s > 0 AND least_itl_deadline_s <= greatest_itl_deadline_s), 
	CONSTRAINT ck_workloads_greatest_itl_deadline_s CHECK (greatest_itl_deadline_s <= 1.7976931348623157e308)
)
 STRICT

;
INSERT INTO "workloads" VALUES(1,'sha256:21882a35b50fdcde0d02bee299e85c707f02093e7b1881804d18182f7101e02c',5,4800,0.06,0.14);
INSERT INTO "workloads" VALUES(2,'sha256:33af98900ecbc4df80ae380c7694491858d0acdb188a57d0eeb8d390cae728bb',3,1212,0.1,0.1);
INSERT INTO "workloads" VALUES(3,'sha256:5629ee3da2c531a400a85d1d4e8d4f87fc88fc96e3b882c092bf456c701f85b7',1,400,0.1,0.1);
INSERT INTO "workloads" VALUES(4,'sha256:28508492d9d1113fc047b9f5ab3332e52248521d02b894c9cd2f4181a7ad9969',1,400,3.00000000000000044408e-01,3.00000000000000044408e-01);
CREATE INDEX ix_batch_sizes_batch_size_batch_size_list_id ON batch_sizes (batch_size, batch_size_list_id);
CREATE INDEX ix_model_specs_model_label ON model_specs (model_label);
CREATE INDEX ix_model_specs_batch_size_list_id ON model_specs (batch_size_list_id);
CREATE INDEX ix_workloads_total_gpus_least_itl_deadline_s ON workloads (total_gpus, least_itl_deadline_s);
CREATE INDEX ix_workloads_least_itl_deadline_s_total_gpus ON workloads (least_itl_deadline_s, total_gpus);
CREATE INDEX ix_workloads_greatest_itl_deadline_s_total_gpus ON workloads (greatest_itl_deadline_s, total_gpus);
CREATE INDEX ix_workload_models_model_spec_id ON workload_models (model_spec_id);
CREATE INDEX ix_renames_old_name ON renames (old_name);
CREATE INDEX ix_revisions_workload_id ON revisions (workload_id);
CREATE INDEX ix_revisions_name_id_effective_from_number ON revisions (name_id, effective_from, number);
CREATE INDEX ix_revisions_recorded_at ON revisions (recorded_at);
CREATE VIEW revision_models AS
        SELECT names.name, revisions.number, workload_models.position, model_specs.model_label,
               model_specs.num_replicas, model_specs.gpus_per_replica, model_specs.initial_batch_size,
               model_specs.itl_deadline_s, batch_size_lists.batch_sizes AS feasible_batch_sizes,
               model_specs.total_gpus
        FROM revisions
        JOIN names ON names.id = revisions.name_id
        JOIN workload_models ON workload_models.workload_id = revisions.workload_id
        JOIN model_specs ON model_specs.id = workload_models.model_spec_id
        JOIN batch_size_lists ON batch_size_lists.id = model_specs.batch_size_list_id;
CREATE TRIGGER catalog_info_refuse_update BEFORE UPDATE ON catalog_info BEGIN SELECT RAISE(ABORT, 'catalog_info is append-only: UPDATE is refused'); END;
CREATE TRIGGER catalog_info_refuse_delete BEFORE DELETE ON catalog_info BEGIN SELECT RAISE(ABORT, 'catalog_info is append-only: DELETE is refused'); END;
CREATE TRIGGER batch_size_lists_refuse_update BEFORE UPDATE ON batch_size_lists BEGIN SELECT RAISE(ABORT, 'batch_size_lists is append-only: UPDATE is refused'); END;
CREATE TRIGGER batch_size_lists_refuse_delete BEFORE DELETE ON batch_size_lists BEGIN SELECT RAISE(ABORT, 'batch_size_lists is append-only: DELETE is refused'); END;
CREATE TRIGGER batch_sizes_refuse_update BEFORE UPDATE ON batch_sizes BEGIN SELECT RAISE(ABORT, 'batch_sizes is append-only: UPDATE is refused'); END;
CREATE TRIGGER batch_sizes_refuse_delete BEFORE DELETE ON batch_sizes BEGIN SELECT RAISE(ABORT, 'batch_sizes is append-only: DELETE is refused'); END;
CREATE TRIGGER model_specs_refuse_update BEFORE UPDATE ON model_specs BEGIN SELECT RAISE(ABORT, 'model_specs is append-only: UPDATE is refused'); END;
CREATE TRIGGER model_specs_refuse_delete BEFORE DELETE ON model_specs BEGIN SELECT RAISE(ABORT, 'model_specs is append-only: DELETE is refused'); END;
CREATE TRIGGER workloads_refuse_update BEFORE UPDATE ON workloads BEGIN SELECT RAISE(ABORT, 'workloads is append-only: UPDATE is refused'); END;
CREATE TRIGGER workloads_refuse_delete BEFORE DELETE ON workloads BEGIN SELECT RAISE(ABORT, 'workloads is append-only: DELETE is refused'); END;
CREATE TRIGGER workload_models_refuse_update BEFORE UPDATE ON workload_models BEGIN SELECT RAISE(ABORT, 'workload_models is append-only: UPDATE is refused'); END;
CREATE TRIGGER workload_models_refuse_delete BEFORE DELETE ON workload_models BEGIN SELECT RAISE(ABORT, 'workload_models is append-only: DELETE is refused'); END;
CREATE TRIGGER renames_refuse_update BEFORE UPDATE ON renames BEGIN SELECT RAISE(ABORT, 'renames is append-only: UPDATE is refused'); END;
CREATE TRIGGER renames_refuse_delete BEFORE DELETE ON renames BEGIN SELECT RAISE(ABORT, 'renames is append-only: DELETE is refused'); END;
CREATE TRIGGER revisions_refuse_update BEFORE UPDATE ON revisions BEGIN SELECT RAISE(ABORT, 'revisions is append-only: UPDATE is refused'); END;
CREATE TRIGGER revisions_refuse_delete BEFORE DELETE ON revisions BEGIN SELECT RAISE(ABORT, 'revisions is append-only: DELETE is refused'); END;
CREATE TRIGGER alias_moves_refuse_update BEFORE UPDATE ON alias_moves BEGIN SELECT RAISE(ABORT, 'alias_moves is append-only: UPDATE is refused'); END;
CREATE TRIGGER alias_moves_refuse_delete BEFORE DELETE ON alias_moves BEGIN SELECT RAISE(ABORT, 'alias_moves is append-only: DELETE is refused'); END;
CREATE TRIGGER revisions_refuse_gap BEFORE INSERT ON revisions WHEN EXISTS (SELECT 1 FROM revisions WHERE name_id = NEW.name_id AND number = NEW.number) OR (NEW.number > 1 AND NOT EXISTS (SELECT 1 FROM revisions WHERE name_id = NEW.name_id AND number = NEW.number - 1)) BEGIN SELECT RAISE(ABORT, 'revisions is append-only: the next number of the name is needed'); END;
CREATE VIEW named_revisions AS
        /* Times are text in UTC. Compare like this: effective_from <= '2026-04-01T00:00:00.000000Z' */
        SELECT names.name, revisions.number, workloads.digest, workloads.num_models, workloads.total_gpus,
               workloads.least_itl_deadline_s, workloads.greatest_itl_deadline_s, revisions.recorded_at,
               revisions.effective_from, revisions.author, revisions.message, revisions.source,
               revisions.annotations
        FROM revisions
        JOIN names ON names.id = revisions.name_id
        LEFT JOIN workloads ON workloads.id = revisions.workload_id;
COMMIT;
