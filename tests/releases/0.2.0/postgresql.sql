SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.refuse_catalog_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'restrict_violation';
        END $$;
CREATE FUNCTION public.refuse_revision_gap() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
        DECLARE
            has_gap boolean;
        BEGIN
            EXECUTE format(
                'SELECT EXISTS (
                    SELECT FROM added WHERE number > 1 AND NOT EXISTS (
                        SELECT FROM %I.%I AS earlier
                        WHERE earlier.name_id = added.name_id AND earlier.number = added.number - 1
                    )
                )',
                TG_TABLE_SCHEMA, TG_TABLE_NAME
            ) INTO has_gap;
            IF has_gap THEN
                RAISE EXCEPTION 'revisions is append-only: the next number of the name is needed'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NULL;
        END $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alias_moves (
    name_id bigint NOT NULL,
    alias text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    revision_number bigint,
    recorded_at timestamp with time zone NOT NULL,
    author text NOT NULL,
    message text NOT NULL,
    checksum bigint NOT NULL,
    CONSTRAINT ck_alias_moves_alias_characters CHECK (((alias !~ '[\u0001-\u001F\u007F-\u009F\u2028\u2029\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000@:*?[]'::text) AND (alias !~ '^-'::text))),
    CONSTRAINT ck_alias_moves_alias_first_character CHECK ((alias !~ '^[0-9+]'::text)),
    CONSTRAINT ck_alias_moves_alias_length CHECK (((char_length(alias) >= 1) AND (char_length(alias) <= 200))),
    CONSTRAINT ck_alias_moves_number CHECK ((number >= 1))
);
COMMENT ON TABLE public.alias_moves IS 'Moves of aliases, append-only.';
COMMENT ON COLUMN public.alias_moves.name_id IS 'The name.';
COMMENT ON COLUMN public.alias_moves.alias IS 'The alias, as in NAME@alias.';
COMMENT ON COLUMN public.alias_moves.number IS '1, 2, 3, … within the alias.';
COMMENT ON COLUMN public.alias_moves.revision_number IS 'The revision it stands for since; NULL where it was removed.';
COMMENT ON COLUMN public.alias_moves.recorded_at IS 'When it was moved, UTC. timestamptz on PostgreSQL, text like ''2026-04-01T00:00:00.000000Z'' on SQLite: compare with a time written so.';
COMMENT ON COLUMN public.alias_moves.author IS 'Who moved it.';
COMMENT ON COLUMN public.alias_moves.message IS 'Why; empty if not said.';
COMMENT ON COLUMN public.alias_moves.checksum IS 'CRC-32 of the other values, so that verify finds damage.';
CREATE TABLE public.batch_size_lists (
    id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    batch_sizes text NOT NULL,
    num_batch_sizes bigint NOT NULL,
    CONSTRAINT ck_batch_size_lists_digest CHECK ((digest ~ '^sha256:[0-9a-f]{64}$'::text)),
    CONSTRAINT ck_batch_size_lists_num_batch_sizes CHECK ((num_batch_sizes >= 1))
);
COMMENT ON TABLE public.batch_size_lists IS 'Distinct ordered lists of feasible batch sizes.';
COMMENT ON COLUMN public.batch_size_lists.id IS 'Assigned by writers.';
COMMENT ON COLUMN public.batch_size_lists.digest IS 'sha256: of the list as JSON.';
COMMENT ON COLUMN public.batch_size_lists.batch_sizes IS 'The list as JSON: [8,16,32]. Its members are batch_sizes.';
COMMENT ON COLUMN public.batch_size_lists.num_batch_sizes IS 'Length of the list.';
CREATE TABLE public.batch_sizes (
    batch_size_list_id bigint NOT NULL,
    "position" bigint NOT NULL,
    batch_size bigint NOT NULL,
    CONSTRAINT ck_batch_sizes_batch_size CHECK (((batch_size > 0) AND (batch_size <= 2147483647))),
    CONSTRAINT ck_batch_sizes_position CHECK (("position" >= 0))
);
COMMENT ON TABLE public.batch_sizes IS 'Members of the lists.';
COMMENT ON COLUMN public.batch_sizes.batch_size_list_id IS 'The list.';
COMMENT ON COLUMN public.batch_sizes."position" IS 'Place in the list, from 0. Baseline mode uses 0.';
COMMENT ON COLUMN public.batch_sizes.batch_size IS 'Requests in a batch.';
CREATE TABLE public.catalog_info (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_catalog_info_single_row CHECK ((id = 1))
);
COMMENT ON TABLE public.catalog_info IS 'One row: this catalog. Writers lock it.';
COMMENT ON COLUMN public.catalog_info.id IS 'Always 1.';
COMMENT ON COLUMN public.catalog_info.created_at IS 'When the catalog was made, UTC. timestamptz on PostgreSQL, text like ''2026-04-01T00:00:00.000000Z'' on SQLite: compare with a time written so.';
CREATE TABLE public.model_specs (
    id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    model_label text NOT NULL COLLATE pg_catalog."C",
    num_replicas bigint NOT NULL,
    gpus_per_replica bigint NOT NULL,
    initial_batch_size bigint NOT NULL,
    itl_deadline_s double precision NOT NULL,
    batch_size_list_id bigint NOT NULL,
    total_gpus bigint NOT NULL,
    CONSTRAINT ck_model_specs_digest CHECK ((digest ~ '^sha256:[0-9a-f]{64}$'::text)),
    CONSTRAINT ck_model_specs_gpus_per_replica CHECK (((gpus_per_replica >= 1) AND (gpus_per_replica <= 2147483647))),
    CONSTRAINT ck_model_specs_initial_batch_size CHECK (((initial_batch_size > 0) AND (initial_batch_size <= 2147483647))),
    CONSTRAINT ck_model_specs_itl_deadline_s CHECK (((itl_deadline_s > (0)::double precision) AND (itl_deadline_s <= ('179769313486231570000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision))),
    CONSTRAINT ck_model_specs_model_label_length CHECK (((char_length(model_label) >= 1) AND (char_length(model_label) <= 200))),
    CONSTRAINT ck_model_specs_model_label_no_control CHECK ((model_label !~ '[\u0001-\u001F\u007F-\u009F\u2028\u2029]'::text)),
    CONSTRAINT ck_model_specs_model_label_not_blank CHECK ((model_label ~ '[^\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]'::text)),
    CONSTRAINT ck_model_specs_num_replicas CHECK (((num_replicas >= 0) AND (num_replicas <= 2147483647))),
    CONSTRAINT ck_model_specs_total_gpus CHECK ((total_gpus = (num_replicas * gpus_per_replica)))
);
COMMENT ON TABLE public.model_specs IS 'Distinct model specs.';
COMMENT ON COLUMN public.model_specs.id IS 'Assigned by writers.';
COMMENT ON COLUMN public.model_specs.digest IS 'sha256: of the canonical form of the spec.';
COMMENT ON COLUMN public.model_specs.model_label IS 'Human-readable model identifier.';
COMMENT ON COLUMN public.model_specs.num_replicas IS 'Replicas in the whole datacenter.';
COMMENT ON COLUMN public.model_specs.gpus_per_replica IS 'GPUs of each replica.';
COMMENT ON COLUMN public.model_specs.initial_batch_size IS 'Batch size at the start, requests.';
COMMENT ON COLUMN public.model_specs.itl_deadline_s IS 'Inter-token latency deadline, seconds.';
COMMENT ON COLUMN public.model_specs.batch_size_list_id IS 'Feasible batch sizes.';
COMMENT ON COLUMN public.model_specs.total_gpus IS 'num_replicas * gpus_per_replica.';
CREATE TABLE public.names (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    checksum bigint NOT NULL,
    CONSTRAINT ck_names_name_characters CHECK (((name !~ '[\u0001-\u001F\u007F-\u009F\u2028\u2029\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000@:*?[]'::text) AND (name !~ '^-'::text))),
    CONSTRAINT ck_names_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200)))
);
COMMENT ON TABLE public.names IS 'Names of workloads.';
COMMENT ON COLUMN public.names.id IS 'Assigned by writers.';
COMMENT ON COLUMN public.names.name IS 'The name, as in references.';
COMMENT ON COLUMN public.names.created_at IS 'When the name was first used, UTC. timestamptz on PostgreSQL, text like ''2026-04-01T00:00:00.000000Z'' on SQLite: compare with a time written so.';
COMMENT ON COLUMN public.names.checksum IS 'CRC-32 of the other values, so that verify finds damage.';
CREATE TABLE public.revisions (
    name_id bigint NOT NULL,
    number bigint NOT NULL,
    workload_id bigint,
    recorded_at timestamp with time zone NOT NULL,
    effective_from timestamp with time zone NOT NULL,
    author text NOT NULL,
    message text NOT NULL,
    source text NOT NULL,
    annotations json NOT NULL,
    checksum bigint NOT NULL,
    CONSTRAINT ck_revisions_annotations CHECK ((json_typeof(annotations) = 'object'::text)),
    CONSTRAINT ck_revisions_effective_from CHECK (isfinite(effective_from)),
    CONSTRAINT ck_revisions_number CHECK ((number >= 1)),
    CONSTRAINT ck_revisions_recorded_at CHECK (isfinite(recorded_at))
);
COMMENT ON TABLE public.revisions IS 'Revisions of names, append-only.';
COMMENT ON COLUMN public.revisions.name_id IS 'The name.';
COMMENT ON COLUMN public.revisions.number IS '1, 2, 3, … within the name, without gaps.';
COMMENT ON COLUMN public.revisions.workload_id IS 'The workload it stands for; NULL where the name was retired.';
COMMENT ON COLUMN public.revisions.recorded_at IS 'When the catalog learned it, UTC. timestamptz on PostgreSQL, text like ''2026-04-01T00:00:00.000000Z'' on SQLite: compare with a time written so.';
COMMENT ON COLUMN public.revisions.effective_from IS 'Since when it applies, UTC. timestamptz on PostgreSQL, text like ''2026-04-01T00:00:00.000000Z'' on SQLite: compare with a time written so.';
COMMENT ON COLUMN public.revisions.author IS 'Who recorded it.';
COMMENT ON COLUMN public.revisions.message IS 'Why; empty if not said.';
COMMENT ON COLUMN public.revisions.source IS 'The file it came from; empty if none.';
COMMENT ON COLUMN public.revisions.annotations IS 'What is known beyond the workload: a JSON object.';
COMMENT ON COLUMN public.revisions.checksum IS 'CRC-32 of the other values, so that verify finds damage.';
CREATE TABLE public.workloads (
    id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    num_models bigint NOT NULL,
    total_gpus bigint NOT NULL,
    least_itl_deadline_s double precision NOT NULL,
    greatest_itl_deadline_s double precision NOT NULL,
    CONSTRAINT ck_workloads_digest CHECK ((digest ~ '^sha256:[0-9a-f]{64}$'::text)),
    CONSTRAINT ck_workloads_greatest_itl_deadline_s CHECK ((greatest_itl_deadline_s <= ('179769313486231570000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)),
    CONSTRAINT ck_workloads_least_itl_deadline_s CHECK (((least_itl_deadline_s > (0)::double precision) AND (least_itl_deadline_s <= greatest_itl_deadline_s))),
    CONSTRAINT ck_workloads_num_models CHECK ((num_models >= 1)),
    CONSTRAINT ck_workloads_total_gpus CHECK ((total_gpus >= 0))
);
COMMENT ON TABLE public.workloads IS 'Distinct workloads.';
COMMENT ON COLUMN public.workloads.id IS 'Assigned by writers.';
COMMENT ON COLUMN public.workloads.digest IS 'sha256: of the canonical form of the workload.';
COMMENT ON COLUMN public.workloads.num_models IS 'How many models it serves.';
COMMENT ON COLUMN public.workloads.total_gpus IS 'GPUs of all its models.';
COMMENT ON COLUMN public.workloads.least_itl_deadline_s IS 'Least inter-token latency deadline of its models, seconds.';
COMMENT ON COLUMN public.workloads.greatest_itl_deadline_s IS 'Greatest inter-token latency deadline of its models, seconds.';
CREATE VIEW public.named_revisions AS
 SELECT names.name,
    revisions.number,
    workloads.digest,
    workloads.num_models,
    workloads.total_gpus,
    workloads.least_itl_deadline_s,
    workloads.greatest_itl_deadline_s,
    revisions.recorded_at,
    revisions.effective_from,
    revisions.author,
    revisions.message,
    revisions.source,
    revisions.annotations
   FROM ((public.revisions
     JOIN public.names ON ((names.id = revisions.name_id)))
     LEFT JOIN public.workloads ON ((workloads.id = revisions.workload_id)));
COMMENT ON VIEW public.named_revisions IS 'Revisions with their names, digests and totals.';
COMMENT ON COLUMN public.named_revisions.recorded_at IS 'When the catalog learned it, UTC. timestamptz on PostgreSQL, text like ''2026-04-01T00:00:00.000000Z'' on SQLite: compare with a time written so.';
COMMENT ON COLUMN public.named_revisions.effective_from IS 'Since when it applies, UTC. timestamptz on PostgreSQL, text like ''2026-04-01T00:00:00.000000Z'' on SQLite: compare with a time written so.';
CREATE TABLE public.openg2g_schema_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.renames (
    name_id bigint NOT NULL,
    number bigint NOT NULL,
    old_name text NOT NULL COLLATE pg_catalog."C",
    recorded_at timestamp with time zone NOT NULL,
    author text NOT NULL,
    message text NOT NULL,
    checksum bigint NOT NULL,
    CONSTRAINT ck_renames_number CHECK ((number >= 1)),
    CONSTRAINT ck_renames_old_name_characters CHECK (((old_name !~ '[\u0001-\u001F\u007F-\u009F\u2028\u2029\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000@:*?[]'::text) AND (old_name !~ '^-'::text))),
    CONSTRAINT ck_renames_old_name_length CHECK (((char_length(old_name) >= 1) AND (char_length(old_name) <= 200)))
);
COMMENT ON TABLE public.renames IS 'Changes of names, append-only.';
COMMENT ON COLUMN public.renames.name_id IS 'The name.';
COMMENT ON COLUMN public.renames.number IS '1, 2, 3, … within the name.';
COMMENT ON COLUMN public.renames.old_name IS 'What it was called until then.';
COMMENT ON COLUMN public.renames.recorded_at IS 'When it was renamed, UTC. timestamptz on PostgreSQL, text like ''2026-04-01T00:00:00.000000Z'' on SQLite: compare with a time written so.';
COMMENT ON COLUMN public.renames.author IS 'Who renamed it.';
COMMENT ON COLUMN public.renames.message IS 'Why; empty if not said.';
COMMENT ON COLUMN public.renames.checksum IS 'CRC-32 of the other values, so that verify finds damage.';
CREATE TABLE public.workload_models (
    workload_id bigint NOT NULL,
    "position" bigint NOT NULL,
    model_spec_id bigint NOT NULL,
    model_label text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT ck_workload_models_position CHECK (("position" >= 0))
);
COMMENT ON TABLE public.workload_models IS 'The models of each workload.';
COMMENT ON COLUMN public.workload_models.workload_id IS 'The workload.';
COMMENT ON COLUMN public.workload_models."position" IS 'Place in the workload, from 0.';
COMMENT ON COLUMN public.workload_models.model_spec_id IS 'The model spec.';
COMMENT ON COLUMN public.workload_models.model_label IS 'Label of that spec, so that the database refuses two of one label in a workload.';
CREATE VIEW public.revision_models AS
 SELECT names.name,
    revisions.number,
    workload_models."position",
    model_specs.model_label,
    model_specs.num_replicas,
    model_specs.gpus_per_replica,
    model_specs.initial_batch_size,
    model_specs.itl_deadline_s,
    batch_size_lists.batch_sizes AS feasible_batch_sizes,
    model_specs.total_gpus
   FROM ((((public.revisions
     JOIN public.names ON ((names.id = revisions.name_id)))
     JOIN public.workload_models ON ((workload_models.workload_id = revisions.workload_id)))
     JOIN public.model_specs ON ((model_specs.id = workload_models.model_spec_id)))
     JOIN public.batch_size_lists ON ((batch_size_lists.id = model_specs.batch_size_list_id)));
COMMENT ON VIEW public.revision_models IS 'Models of revisions, with all their fields.';
CREATE TABLE public.tags (
    name_id bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL,
    checksum bigint NOT NULL,
    CONSTRAINT ck_tags_key_characters CHECK (((key !~ '[\u0001-\u001F\u007F-\u009F\u2028\u2029\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000@:*?[]'::text) AND (key !~ '^-'::text))),
    CONSTRAINT ck_tags_key_length CHECK (((char_length(key) >= 1) AND (char_length(key) <= 200)))
);
COMMENT ON TABLE public.tags IS 'Tags of names.';
COMMENT ON COLUMN public.tags.name_id IS 'The name.';
COMMENT ON COLUMN public.tags.key IS 'The tag''s key.';
COMMENT ON COLUMN public.tags.value IS 'The tag''s value; empty if it has none.';
COMMENT ON COLUMN public.tags.checksum IS 'CRC-32 of the other values, so that verify finds damage.';
INSERT INTO public.alias_moves VALUES (3, 'production', 1, 1, '2026-11-30 18:07:21.808328+00', 'Ada', 'approved', 1721626818);
INSERT INTO public.alias_moves VALUES (3, 'production', 2, 2, '2026-11-30 18:07:21.857351+00', 'Bob', '', 866187715);
INSERT INTO public.alias_moves VALUES (3, 'trial', 1, 1, '2026-11-30 18:07:21.90234+00', 'Bob', '', 2083036762);
INSERT INTO public.alias_moves VALUES (3, 'trial', 2, NULL, '2026-11-30 18:07:21.953596+00', 'Bob', 'it''s over', 1517161294);
INSERT INTO public.batch_size_lists VALUES (1, 'sha256:9898d061c370602088c34ee6a12c03a8fd6eecc5815897b0ac35bcf2c71d16ba', '[8,16,32,64,128,256,512]', 7);
INSERT INTO public.batch_sizes VALUES (1, 0, 8);
INSERT INTO public.batch_sizes VALUES (1, 1, 16);
INSERT INTO public.batch_sizes VALUES (1, 2, 32);
INSERT INTO public.batch_sizes VALUES (1, 3, 64);
INSERT INTO public.batch_sizes VALUES (1, 4, 128);
INSERT INTO public.batch_sizes VALUES (1, 5, 256);
INSERT INTO public.batch_sizes VALUES (1, 6, 512);
INSERT INTO public.catalog_info VALUES (1, '2026-11-30 18:07:21.332515+00');
INSERT INTO public.model_specs VALUES (1, 'sha256:0502a70fa521143cb1a3588297bbd41fa7d9717389e3b766d1d00263ff24c1f5', 'Llama-3.1-8B', 720, 1, 128, 0.08, 1, 720);
INSERT INTO public.model_specs VALUES (2, 'sha256:c73604078973129a35c6733612d37bbe16a368354af7f8225e44becbe0173011', 'Llama-3.1-70B', 180, 4, 128, 0.1, 1, 720);
INSERT INTO public.model_specs VALUES (3, 'sha256:4cec066370a7efe77554bfd5b9090c07b9cdbd5834b4fc6408d67369466f16b4', 'Llama-3.1-405B', 90, 8, 128, 0.12, 1, 720);
INSERT INTO public.model_specs VALUES (4, 'sha256:4a3f9a0f5e16e0201040158d543cd683924b58272a05bc41c5dbd8067c827902', 'Qwen3-30B-A3B', 480, 2, 128, 0.06, 1, 960);
INSERT INTO public.model_specs VALUES (5, 'sha256:cee82928f433f9cd373d1993cddda584c770ffe7cb3b29a11c8c11b8197faab7', 'Qwen3-235B-A22B', 210, 8, 128, 0.14, 1, 1680);
INSERT INTO public.model_specs VALUES (6, 'sha256:ae6a794b4ac70756e3d6519db65d53884387eb03446f4b2d6f85f20b01ebdf25', 'model-0', 100, 4, 128, 0.30000000000000004, 1, 400);
INSERT INTO public.model_specs VALUES (7, 'sha256:fe8ecd01507274ba00413b626fa92f980c7f251ec6941673a6d6cd89d17c9ebc', 'model-0', 100, 4, 128, 0.1, 1, 400);
INSERT INTO public.model_specs VALUES (8, 'sha256:306333556d7c07e93d18a52d9553d2d3c81c74e36949df11fcaa4035d55b055f', 'model-1', 101, 4, 128, 0.1, 1, 404);
INSERT INTO public.model_specs VALUES (9, 'sha256:f0a25cf33378ff65079d065909c43528180c76a953ff5f8168a235c73bc89484', 'model-2', 102, 4, 128, 0.1, 1, 408);
INSERT INTO public.names VALUES (2, 'back', '2026-11-30 18:07:22.113479+00', 3690999827);
INSERT INTO public.names VALUES (3, 'fleet', '2026-11-30 18:07:21.700492+00', 334814195);
INSERT INTO public.names VALUES (1, 'Zürich', '2026-11-30 18:07:22.03913+00', 1969828809);
INSERT INTO public.openg2g_schema_version VALUES ('0002');
INSERT INTO public.renames VALUES (1, 1, 'old-name', '2026-11-30 18:07:22.052046+00', 'Ada', 'moved', 415673891);
INSERT INTO public.revisions VALUES (1, 1, 4, '2026-11-30 18:07:22.03913+00', '2026-11-30 18:07:22.03913+00', 'Ada', '', '', '{}', 1297937288);
INSERT INTO public.revisions VALUES (1, 2, NULL, '2026-11-30 18:07:22.091868+00', '2026-11-30 18:07:22.091868+00', 'Bob', '', '', '{}', 534135507);
INSERT INTO public.revisions VALUES (2, 1, 2, '2026-11-30 18:07:22.113479+00', '2026-11-30 18:07:22.113479+00', 'Ada', '', '', '{"was":[1,1.0,true,null,"𝕏"]}', 1837423020);
INSERT INTO public.revisions VALUES (2, 2, NULL, '2026-11-30 18:07:22.137997+00', '2026-11-30 18:07:22.137997+00', 'Ada', 'too early', '', '{}', 4041265773);
INSERT INTO public.revisions VALUES (2, 3, 2, '2026-11-30 18:07:22.184965+00', '2026-11-30 18:07:22.184965+00', 'Bob', '', '', '{"was":[1,1.0,true,null,"𝕏"]}', 2462514512);
INSERT INTO public.revisions VALUES (3, 1, 1, '2026-11-30 18:07:21.700492+00', '2026-03-01 00:00:00+00', 'Ada', '', '', '{"b":1e+22,"a":[true]}', 1879564077);
INSERT INTO public.revisions VALUES (3, 2, 3, '2026-11-30 18:07:21.752327+00', '2026-11-30 18:07:21.752327+00', 'Bob', 'quotes " and
lines', 'a b.json', '{}', 393740280);
INSERT INTO public.tags VALUES (3, 'draft', '', 4203015698);
INSERT INTO public.tags VALUES (3, 'team', 'grid', 2038758665);
INSERT INTO public.workload_models VALUES (1, 0, 1, 'Llama-3.1-8B');
INSERT INTO public.workload_models VALUES (1, 1, 2, 'Llama-3.1-70B');
INSERT INTO public.workload_models VALUES (1, 2, 3, 'Llama-3.1-405B');
INSERT INTO public.workload_models VALUES (1, 3, 4, 'Qwen3-30B-A3B');
INSERT INTO public.workload_models VALUES (1, 4, 5, 'Qwen3-235B-A22B');
INSERT INTO public.workload_models VALUES (2, 0, 6, 'model-0');
INSERT INTO public.workload_models VALUES (3, 0, 7, 'model-0');
INSERT INTO public.workload_models VALUES (3, 1, 8, 'model-1');
INSERT INTO public.workload_models VALUES (3, 2, 9, 'model-2');
INSERT INTO public.workload_models VALUES (4, 0, 7, 'model-0');
INSERT INTO public.workloads VALUES (1, 'sha256:21882a35b50fdcde0d02bee299e85c707f02093e7b1881804d18182f7101e02c', 5, 4800, 0.06, 0.14);
INSERT INTO public.workloads VALUES (2, 'sha256:28508492d9d1113fc047b9f5ab3332e52248521d02b894c9cd2f4181a7ad9969', 1, 400, 0.30000000000000004, 0.30000000000000004);
INSERT INTO public.workloads VALUES (3, 'sha256:33af98900ecbc4df80ae380c7694491858d0acdb188a57d0eeb8d390cae728bb', 3, 1212, 0.1, 0.1);
INSERT INTO public.workloads VALUES (4, 'sha256:5629ee3da2c531a400a85d1d4e8d4f87fc88fc96e3b882c092bf456c701f85b7', 1, 400, 0.1, 0.1);
ALTER TABLE ONLY public.openg2g_schema_version
    ADD CONSTRAINT openg2g_schema_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.alias_moves
    ADD CONSTRAINT pk_alias_moves PRIMARY KEY (name_id, alias, number);
ALTER TABLE ONLY public.batch_size_lists
    ADD CONSTRAINT pk_batch_size_lists PRIMARY KEY (id);
ALTER TABLE ONLY public.batch_sizes
    ADD CONSTRAINT pk_batch_sizes PRIMARY KEY (batch_size_list_id, "position");
ALTER TABLE ONLY public.catalog_info
    ADD CONSTRAINT pk_catalog_info PRIMARY KEY (id);
ALTER TABLE ONLY public.model_specs
    ADD CONSTRAINT pk_model_specs PRIMARY KEY (id);
ALTER TABLE ONLY public.names
    ADD CONSTRAINT pk_names PRIMARY KEY (id);
ALTER TABLE ONLY public.renames
    ADD CONSTRAINT pk_renames PRIMARY KEY (name_id, number);
ALTER TABLE ONLY public.revisions
    ADD CONSTRAINT pk_revisions PRIMARY KEY (name_id, number);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT pk_tags PRIMARY KEY (name_id, key);
ALTER TABLE ONLY public.workload_models
    ADD CONSTRAINT pk_workload_models PRIMARY KEY (workload_id, "position");
ALTER TABLE ONLY public.workloads
    ADD CONSTRAINT pk_workloads PRIMARY KEY (id);
ALTER TABLE ONLY public.batch_size_lists
    ADD CONSTRAINT uq_batch_size_lists_digest UNIQUE (digest);
ALTER TABLE ONLY public.model_specs
    ADD CONSTRAINT uq_model_specs_digest UNIQUE (digest);
ALTER TABLE ONLY public.model_specs
    ADD CONSTRAINT uq_model_specs_id_model_label UNIQUE (id, model_label);
ALTER TABLE ONLY public.names
    ADD CONSTRAINT uq_names_name UNIQUE (name);
ALTER TABLE ONLY public.workload_models
    ADD CONSTRAINT uq_workload_models_workload_id_model_label UNIQUE (workload_id, model_label);
ALTER TABLE ONLY public.workloads
    ADD CONSTRAINT uq_workloads_digest UNIQUE (digest);
CREATE INDEX ix_batch_sizes_batch_size_batch_size_list_id ON public.batch_sizes USING btree (batch_size, batch_size_list_id);
CREATE INDEX ix_model_specs_batch_size_list_id ON public.model_specs USING btree (batch_size_list_id);
CREATE INDEX ix_model_specs_model_label ON public.model_specs USING btree (model_label);
CREATE INDEX ix_renames_old_name ON public.renames USING btree (old_name);
CREATE INDEX ix_revisions_name_id_effective_from_number ON public.revisions USING btree (name_id, effective_from, number);
CREATE INDEX ix_revisions_recorded_at ON public.revisions USING btree (recorded_at);
CREATE INDEX ix_revisions_workload_id ON public.revisions USING btree (workload_id);
CREATE INDEX ix_workload_models_model_spec_id ON public.workload_models USING btree (model_spec_id);
CREATE INDEX ix_workloads_greatest_itl_deadline_s_total_gpus ON public.workloads USING btree (greatest_itl_deadline_s, total_gpus);
CREATE INDEX ix_workloads_least_itl_deadline_s_total_gpus ON public.workloads USING btree (least_itl_deadline_s, total_gpus);
CREATE INDEX ix_workloads_total_gpus_least_itl_deadline_s ON public.workloads USING btree (total_gpus, least_itl_deadline_s);
CREATE TRIGGER alias_moves_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.alias_moves FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_catalog_change();
CREATE TRIGGER batch_size_lists_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.batch_size_lists FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_catalog_change();
CREATE TRIGGER batch_sizes_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.batch_sizes FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_catalog_change();
CREATE TRIGGER catalog_info_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.catalog_info FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_catalog_change();
CREATE TRIGGER model_specs_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.model_specs FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_catalog_change();
CREATE TRIGGER renames_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.renames FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_catalog_change();
CREATE TRIGGER revisions_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.revisions FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_catalog_change();
CREATE TRIGGER revisions_refuse_gap AFTER INSERT ON public.revisions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_revision_gap();
CREATE TRIGGER workload_models_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.workload_models FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_catalog_change();
CREATE TRIGGER workloads_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.workloads FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_catalog_change();
ALTER TABLE ONLY public.alias_moves
    ADD CONSTRAINT fk_alias_moves_name_id_names FOREIGN KEY (name_id) REFERENCES public.names(id);
ALTER TABLE ONLY public.alias_moves
    ADD CONSTRAINT fk_alias_moves_name_id_revision_number_revisions FOREIGN KEY (name_id, revision_number) REFERENCES public.revisions(name_id, number);
ALTER TABLE ONLY public.batch_sizes
    ADD CONSTRAINT fk_batch_sizes_batch_size_list_id_batch_size_lists FOREIGN KEY (batch_size_list_id) REFERENCES public.batch_size_lists(id);
ALTER TABLE ONLY public.model_specs
    ADD CONSTRAINT fk_model_specs_batch_size_list_id_batch_size_lists FOREIGN KEY (batch_size_list_id) REFERENCES public.batch_size_lists(id);
ALTER TABLE ONLY public.renames
    ADD CONSTRAINT fk_renames_name_id_names FOREIGN KEY (name_id) REFERENCES public.names(id);
ALTER TABLE ONLY public.revisions
    ADD CONSTRAINT fk_revisions_name_id_names FOREIGN KEY (name_id) REFERENCES public.names(id);
ALTER TABLE ONLY public.revisions
    ADD CONSTRAINT fk_revisions_workload_id_workloads FOREIGN KEY (workload_id) REFERENCES public.workloads(id);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT fk_tags_name_id_names FOREIGN KEY (name_id) REFERENCES public.names(id);
ALTER TABLE ONLY public.workload_models
    ADD CONSTRAINT fk_workload_models_model_spec_id_model_label_model_specs FOREIGN KEY (model_spec_id, model_label) REFERENCES public.model_specs(id, model_label);
ALTER TABLE ONLY public.workload_models
    ADD CONSTRAINT fk_workload_models_workload_id_workloads FOREIGN KEY (workload_id) REFERENCES public.workloads(id);
