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
CREATE SCHEMA cordwood;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE cordwood.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    who text NOT NULL,
    what text NOT NULL,
    project_id integer,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    seq bigint,
    hash bytea
);
CREATE FUNCTION cordwood.audit_digest(entry cordwood.audit, before bytea) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
        select sha256(before || convert_to(jsonb_build_array(
            entry.seq, entry.id, to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
            entry.who, entry.what, entry.project_id, entry.details)::text, 'UTF8'))
    $$;
CREATE FUNCTION cordwood.audit_seal() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    declare
        entry audit;
        last record;
    begin
        perform pg_advisory_xact_lock(1635083369);
        select seq, hash into last from audit where seq is not null order by seq desc limit 1;
        update audit set seq = coalesce(last.seq, 0) + 1 where id = new.id returning * into entry;
        update audit set hash = audit_digest(entry, coalesce(last.hash, ''::bytea)) where id = new.id;
        return null;
    end
    $$;
CREATE TABLE cordwood.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE cordwood.api_token (
    id bigint NOT NULL,
    hash bytea NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    project_id integer NOT NULL,
    created_by text DEFAULT ''::text NOT NULL,
    account_id bigint,
    origins text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT api_token_scopes_check CHECK ((scopes <@ ARRAY['ingest'::text, 'query'::text, 'admin'::text]))
);
ALTER TABLE cordwood.api_token ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.api_token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE cordwood.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.checkpoint (
    source text NOT NULL,
    key text NOT NULL,
    value jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE cordwood.dashboard (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    name text NOT NULL,
    document jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text NOT NULL
);
ALTER TABLE cordwood.dashboard ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.dashboard_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.deletion (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    query text NOT NULL,
    attributes text[] NOT NULL,
    from_ns bigint,
    to_ns bigint,
    now_ns bigint NOT NULL,
    timezone text NOT NULL,
    upto_position bigint NOT NULL,
    requested_by text NOT NULL,
    state text DEFAULT 'running'::text NOT NULL,
    segments_total integer DEFAULT 0 NOT NULL,
    segments_done integer DEFAULT 0 NOT NULL,
    events_deleted bigint DEFAULT 0 NOT NULL,
    unreadable bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    ticket bigint,
    error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT deletion_check CHECK (((state = 'running'::text) = (finished_at IS NULL))),
    CONSTRAINT deletion_state_check CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'incomplete'::text, 'failed'::text, 'cancelled'::text])))
);
ALTER TABLE cordwood.deletion ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.deletion_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.detector_memory (
    project_id integer NOT NULL,
    detector text NOT NULL,
    key bytea NOT NULL,
    since bigint NOT NULL,
    last bigint NOT NULL,
    text text
);
CREATE TABLE cordwood.detector_state (
    project_id integer NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    query text NOT NULL,
    condition text,
    "window" text NOT NULL,
    every text NOT NULL,
    notify jsonb NOT NULL,
    severity text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    state text DEFAULT 'ok'::text NOT NULL,
    error text,
    last_run_at timestamp with time zone,
    evaluated_until timestamp with time zone NOT NULL,
    "position" bigint NOT NULL,
    memory_of text DEFAULT ''::text NOT NULL,
    learned bytea,
    CONSTRAINT detector_state_state_check CHECK ((state = ANY (ARRAY['ok'::text, 'firing'::text, 'error'::text])))
);
ALTER TABLE ONLY cordwood.detector_state ALTER COLUMN learned SET STORAGE EXTERNAL;
CREATE SEQUENCE cordwood.forget_ticket
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE cordwood.idempotency_key (
    project_id integer NOT NULL,
    key text NOT NULL,
    accepted integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE cordwood.incident (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    detector text NOT NULL,
    dedup_key text NOT NULL,
    state text NOT NULL,
    severity text NOT NULL,
    title text NOT NULL,
    "group" jsonb NOT NULL,
    "values" jsonb NOT NULL,
    query text NOT NULL,
    from_time timestamp with time zone NOT NULL,
    to_time timestamp with time zone NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    acknowledged_at timestamp with time zone,
    resolved_at timestamp with time zone,
    resolved_by text,
    samples jsonb NOT NULL,
    timeline jsonb NOT NULL,
    suppressed_by bigint,
    CONSTRAINT incident_check CHECK (((state = 'resolved'::text) = (resolved_at IS NOT NULL))),
    CONSTRAINT incident_state_check CHECK ((state = ANY (ARRAY['open'::text, 'acknowledged'::text, 'silenced'::text, 'resolved'::text])))
);
ALTER TABLE cordwood.incident ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.incident_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.ingest_error (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    source text NOT NULL,
    pipeline text NOT NULL,
    step integer NOT NULL,
    parser text NOT NULL,
    reason text NOT NULL,
    message text NOT NULL,
    event bytea NOT NULL,
    bytes integer NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    tried_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY cordwood.ingest_error ALTER COLUMN event SET STORAGE EXTERNAL;
ALTER TABLE cordwood.ingest_error ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.ingest_error_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.ingest_error_usage (
    project_id integer NOT NULL,
    count bigint DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL,
    dropped bigint DEFAULT 0 NOT NULL
);
CREATE TABLE cordwood.installation (
    id uuid DEFAULT gen_random_uuid() NOT NULL
);
CREATE TABLE cordwood.lookup_table (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    columns jsonb NOT NULL,
    rows bigint NOT NULL,
    data bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL
);
ALTER TABLE ONLY cordwood.lookup_table ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE cordwood.lookup_table ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.lookup_table_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.metric_sample (
    series_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    value double precision,
    counted double precision DEFAULT 0 NOT NULL
);
CREATE TABLE cordwood.metric_series (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    recording text NOT NULL,
    labels jsonb NOT NULL,
    digest bytea NOT NULL,
    total double precision DEFAULT 0 NOT NULL
);
ALTER TABLE cordwood.metric_series ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.metric_series_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.notification (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    incident_id bigint NOT NULL,
    notifier text NOT NULL,
    channel text NOT NULL,
    event text NOT NULL,
    delivery_id uuid DEFAULT gen_random_uuid() NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    payload jsonb NOT NULL,
    attempts jsonb DEFAULT '[]'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    error text,
    CONSTRAINT notification_event_check CHECK ((event = ANY (ARRAY['opened'::text, 'escalated'::text, 'resolved'::text]))),
    CONSTRAINT notification_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'sent'::text, 'failed'::text])))
);
ALTER TABLE cordwood.notification ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.notification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.output_state (
    project_id integer NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    settings text NOT NULL,
    "position" bigint NOT NULL,
    pending bigint,
    events bigint DEFAULT 0 NOT NULL,
    state text DEFAULT 'ok'::text NOT NULL,
    error text,
    seen_until timestamp with time zone,
    CONSTRAINT output_state_state_check CHECK ((state = ANY (ARRAY['ok'::text, 'waiting'::text, 'failed'::text])))
);
CREATE TABLE cordwood.passkey (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    credential_id bytea NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone
);
CREATE TABLE cordwood.passkey_challenge (
    challenge bytea NOT NULL,
    user_id bigint,
    expires_at timestamp with time zone NOT NULL
);
ALTER TABLE cordwood.passkey ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.passkey_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.project (
    id integer NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT project_name_check CHECK ((name <> ''::text))
);
ALTER TABLE cordwood.project ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.project_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.recording_state (
    project_id integer NOT NULL,
    name text NOT NULL,
    since timestamp with time zone NOT NULL,
    recorded_until timestamp with time zone NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    step interval NOT NULL,
    keep interval NOT NULL,
    dropped bigint DEFAULT 0 NOT NULL,
    error text
);
CREATE TABLE cordwood.report_delivery (
    id bigint NOT NULL,
    issue_id bigint NOT NULL,
    notifier text NOT NULL,
    channel text NOT NULL,
    delivery_id uuid DEFAULT gen_random_uuid() NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts jsonb DEFAULT '[]'::jsonb NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    error text,
    CONSTRAINT report_delivery_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'sent'::text, 'failed'::text])))
);
ALTER TABLE cordwood.report_delivery ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.report_delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.report_issue (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    report text NOT NULL,
    title text NOT NULL,
    due_at timestamp with time zone,
    from_time timestamp with time zone NOT NULL,
    to_time timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text,
    error text,
    summary jsonb DEFAULT '[]'::jsonb NOT NULL,
    html text,
    pdf bytea,
    data bytea
);
ALTER TABLE ONLY cordwood.report_issue ALTER COLUMN pdf SET STORAGE EXTERNAL;
ALTER TABLE ONLY cordwood.report_issue ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE cordwood.report_issue ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.report_issue_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.report_state (
    project_id integer NOT NULL,
    name text NOT NULL,
    followed_until timestamp with time zone NOT NULL
);
CREATE TABLE cordwood.role (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    name text NOT NULL,
    permissions text[] NOT NULL,
    search text DEFAULT ''::text NOT NULL,
    masks jsonb DEFAULT '[]'::jsonb NOT NULL,
    salt text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text NOT NULL,
    CONSTRAINT role_permissions_check CHECK ((permissions <@ ARRAY['query'::text, 'ingest'::text, 'edit'::text, 'operate'::text, 'admin'::text]))
);
ALTER TABLE cordwood.role ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.role_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.saved_query (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    name text NOT NULL,
    text text NOT NULL,
    description text NOT NULL,
    parameters jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text NOT NULL
);
ALTER TABLE cordwood.saved_query ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.saved_query_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.segment (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    day date NOT NULL,
    min_time bigint NOT NULL,
    max_time bigint NOT NULL,
    rows integer NOT NULL,
    bytes integer NOT NULL,
    level smallint NOT NULL,
    min_position bigint NOT NULL,
    max_position bigint NOT NULL,
    columns jsonb NOT NULL,
    services jsonb,
    hosts jsonb,
    severities integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    replaced_at timestamp with time zone,
    checksum bytea NOT NULL,
    place text NOT NULL,
    part smallint,
    object text,
    CONSTRAINT segment_object_elsewhere CHECK (((object IS NULL) = (place = 'postgresql'::text))),
    CONSTRAINT segment_part_in_postgresql CHECK (((part IS NULL) = (place <> 'postgresql'::text))),
    CONSTRAINT segment_rows_check CHECK ((rows > 0))
);
CREATE TABLE cordwood.segment_checked (
    job text NOT NULL,
    segment_id bigint NOT NULL
);
CREATE TABLE cordwood.segment_file (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint NOT NULL
)
PARTITION BY LIST (part);
ALTER TABLE ONLY cordwood.segment_file ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_0 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null NOT NULL,
    part smallint NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_0 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_1 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_1 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_10 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_10 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_11 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_11 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_12 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_12 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_13 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_13 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_14 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_14 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_15 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_15 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_16 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_16 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_17 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_17 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_18 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_18 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_19 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_19 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_2 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_2 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_20 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_20 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_21 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_21 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_22 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_22 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_23 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_23 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_24 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_24 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_25 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_25 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_26 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_26 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_27 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_27 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_28 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_28 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_29 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_29 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_3 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_3 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_30 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_30 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_4 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_4 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_5 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_5 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_6 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_6 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_7 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_7 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_8 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_8 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE cordwood.segment_file_9 (
    segment_id bigint CONSTRAINT segment_file_segment_id_not_null1 NOT NULL,
    data bytea CONSTRAINT segment_file_data_not_null1 NOT NULL,
    part smallint CONSTRAINT segment_file_part_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_threshold='-1', toast.autovacuum_vacuum_insert_threshold='-1');
ALTER TABLE ONLY cordwood.segment_file_9 ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE SEQUENCE cordwood.segment_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE cordwood.segment_log (
    project_id integer NOT NULL,
    head bigint DEFAULT 0 NOT NULL,
    day date DEFAULT '-infinity'::date NOT NULL,
    day_bytes bigint DEFAULT 0 NOT NULL
);
CREATE TABLE cordwood.segment_part (
    part smallint NOT NULL,
    kind text NOT NULL,
    current boolean DEFAULT false NOT NULL,
    CONSTRAINT segment_part_kind_check CHECK ((kind = ANY (ARRAY['commit'::text, 'merged'::text])))
);
CREATE TABLE cordwood.session (
    hash bytea NOT NULL,
    user_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    id bigint NOT NULL,
    client text DEFAULT ''::text NOT NULL,
    agent text DEFAULT ''::text NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    confirmed_at timestamp with time zone
);
ALTER TABLE cordwood.session ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.signing_key (
    id boolean DEFAULT true NOT NULL,
    key bytea NOT NULL,
    CONSTRAINT signing_key_id_check CHECK (id)
);
CREATE TABLE cordwood.silence (
    id bigint NOT NULL,
    project_id integer NOT NULL,
    matchers jsonb NOT NULL,
    from_time timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    recurring jsonb,
    reason text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    ended_by text,
    CONSTRAINT silence_check CHECK ((from_time <= until))
);
ALTER TABLE cordwood.silence ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.silence_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.store_node (
    id uuid NOT NULL,
    name text NOT NULL,
    ticket bigint NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE cordwood.stray_object (
    place text NOT NULL,
    object text NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    dead boolean DEFAULT false NOT NULL
);
CREATE TABLE cordwood.totp (
    user_id bigint NOT NULL,
    secret bytea NOT NULL,
    confirmed boolean DEFAULT false NOT NULL,
    last_step bigint DEFAULT 0 NOT NULL,
    recovery bytea[] DEFAULT '{}'::bytea[] NOT NULL
);
CREATE TABLE cordwood.user_account (
    id bigint NOT NULL,
    email text NOT NULL,
    password_hash text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    disabled_at timestamp with time zone,
    project_id integer NOT NULL,
    role text NOT NULL,
    must_change_password boolean DEFAULT false NOT NULL,
    signed_in_at timestamp with time zone,
    is_service boolean DEFAULT false NOT NULL
);
ALTER TABLE cordwood.user_account ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME cordwood.user_account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE cordwood.user_identity (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_0 FOR VALUES IN ('0');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_1 FOR VALUES IN ('1');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_10 FOR VALUES IN ('10');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_11 FOR VALUES IN ('11');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_12 FOR VALUES IN ('12');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_13 FOR VALUES IN ('13');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_14 FOR VALUES IN ('14');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_15 FOR VALUES IN ('15');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_16 FOR VALUES IN ('16');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_17 FOR VALUES IN ('17');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_18 FOR VALUES IN ('18');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_19 FOR VALUES IN ('19');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_2 FOR VALUES IN ('2');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_20 FOR VALUES IN ('20');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_21 FOR VALUES IN ('21');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_22 FOR VALUES IN ('22');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_23 FOR VALUES IN ('23');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_24 FOR VALUES IN ('24');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_25 FOR VALUES IN ('25');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_26 FOR VALUES IN ('26');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_27 FOR VALUES IN ('27');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_28 FOR VALUES IN ('28');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_29 FOR VALUES IN ('29');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_3 FOR VALUES IN ('3');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_30 FOR VALUES IN ('30');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_4 FOR VALUES IN ('4');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_5 FOR VALUES IN ('5');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_6 FOR VALUES IN ('6');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_7 FOR VALUES IN ('7');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_8 FOR VALUES IN ('8');
ALTER TABLE ONLY cordwood.segment_file ATTACH PARTITION cordwood.segment_file_9 FOR VALUES IN ('9');
INSERT INTO cordwood.alembic_version VALUES ('0012');
INSERT INTO cordwood.api_token OVERRIDING SYSTEM VALUE VALUES (1, '\x41cf98066ea4efbff176ef41a8d360e098011c6e85223074dde8a5904ee2ea74', 'shipper', '{ingest}', '2026-11-29 10:48:52.301095+00', NULL, NULL, NULL, 1, 'command line', NULL, '{}');
INSERT INTO cordwood.audit OVERRIDING SYSTEM VALUE VALUES (1, '2026-11-29 10:48:52.298338+00', 'command line', 'user.create', 1, '{"role": "admin", "email": "ann@example.org"}', 1, '\xda4e40bee4aa19499e2f16f16378e46e6c4d00748f87cb80c48d2412d15d373f');
INSERT INTO cordwood.audit OVERRIDING SYSTEM VALUE VALUES (2, '2026-11-29 10:48:52.301982+00', 'command line', 'token.create', 1, '{"name": "shipper", "token": 1, "scopes": ["ingest"]}', 2, '\xf4cc05c1de4d1ed50bcf75012142100e8c4551b1cdd1796309898414bef42c55');
INSERT INTO cordwood.audit OVERRIDING SYSTEM VALUE VALUES (3, '2026-11-29 10:48:52.304157+00', 'ann@example.org', 'deletion.done', 1, '{"query": "user:…", "events": 7, "deletion": 1}', 3, '\x94ecfdfdb4d1f9843ed735b2fdee4d509155ae5f1a7a0cc3b6144a2507acde24');
INSERT INTO cordwood.audit OVERRIDING SYSTEM VALUE VALUES (4, '2026-11-29 10:48:52.31416+00', 'ann@example.org', 'lookup.put', 1, '{"name": "owners", "version": 1}', 4, '\x61b7243d2d4b3f0b9ace1eb698f443858737d8aeba91ce39461a91200c962d60');
INSERT INTO cordwood.checkpoint VALUES ('files', 'app.log', '{"offset": 20}', '2026-11-29 10:48:52.184912+00');
INSERT INTO cordwood.deletion OVERRIDING SYSTEM VALUE VALUES (1, 1, 'user:…', '{}', NULL, NULL, 0, 'UTC', 20, 'ann@example.org', 'done', 3, 3, 7, '{}', 1, NULL, '2026-11-29 10:48:52.303262+00', '2026-01-31 12:00:01+00');
INSERT INTO cordwood.detector_state VALUES (1, 'errors', 'threshold', 'severity>=error', NULL, '5m', '1m', '["oncall"]', 'ERROR', true, 'firing', NULL, '2026-01-31 12:00:00+00', '2026-01-31 12:00:00+00', 20, '', NULL);
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-0', 1, '2026-11-29 10:48:51.685996+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-1', 1, '2026-11-29 10:48:51.763605+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-2', 1, '2026-11-29 10:48:51.786194+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-3', 1, '2026-11-29 10:48:51.808274+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-4', 1, '2026-11-29 10:48:51.860963+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-5', 1, '2026-11-29 10:48:51.881647+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-6', 1, '2026-11-29 10:48:51.902314+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-7', 1, '2026-11-29 10:48:51.922144+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-8', 1, '2026-11-29 10:48:51.94203+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-9', 1, '2026-11-29 10:48:51.961478+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-10', 1, '2026-11-29 10:48:51.981106+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-11', 1, '2026-11-29 10:48:52.000484+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-12', 1, '2026-11-29 10:48:52.009957+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-13', 1, '2026-11-29 10:48:52.030869+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-14', 1, '2026-11-29 10:48:52.051506+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-15', 1, '2026-11-29 10:48:52.060185+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-16', 1, '2026-11-29 10:48:52.12667+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-17', 1, '2026-11-29 10:48:52.145723+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-18', 1, '2026-11-29 10:48:52.165479+00');
INSERT INTO cordwood.idempotency_key VALUES (1, 'key-19', 1, '2026-11-29 10:48:52.184912+00');
INSERT INTO cordwood.incident OVERRIDING SYSTEM VALUE VALUES (1, 1, 'errors', 'errors/shop', 'open', 'ERROR', 'errors of shop', '{"service": "shop"}', '{"n": 51}', 'severity>=error', '2026-01-31 11:55:00+00', '2026-01-31 12:00:00+00', '2026-01-31 12:00:01+00', '2026-01-31 12:00:01+00', NULL, NULL, NULL, '[{"message": "no"}]', '[]', NULL);
INSERT INTO cordwood.ingest_error OVERRIDING SYSTEM VALUE VALUES (1, 1, '2026-11-29 10:48:51.82359+00', 'files', 'web', 1, 'clf', 'clf: no such line', 'no', '\x83a974696d657374616d70cf18ec7e668c4ba9c6b26f627365727665645f74696d657374616d70cf18ec7e668c4ba9c6a76d657373616765a26e6f', 59, 1, '2026-11-29 10:48:51.82359+00');
INSERT INTO cordwood.ingest_error_usage VALUES (1, 1, 59, 0);
INSERT INTO cordwood.installation VALUES ('20f8778e-011c-4159-86f4-dc3a59368a17');
INSERT INTO cordwood.lookup_table OVERRIDING SYSTEM VALUE VALUES (1, 1, 'owners', 1, '[{"kind": "text", "name": "service"}, {"kind": "text", "name": "team"}]', 1, '\x504152311504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001264426081c3600280473686f70180473686f7000001504151015224c15021500000028b52ffd200841000004000000636f72651500151015222c15021510150615061c36002804636f72651804636f726500000028b52ffd20084100000200000002010003150c19350006101918047465616d150c1602167c16a00126c2022686021c36002804636f72651804636f7265000019110219180473686f7019180473686f70150019160000191102191804636f7265191804636f7265150019160000191c1644156416000000191c16c2021564160000001502193c4804726f6f74150400150c250218077365727669636525004c1c000000150c250218047465616d25004c1c0000001602191c192c26e4011c150c193500061019180773657276696365150c1602167c16a001264426081c3600280473686f70180473686f70000016de041514168204152e0026e2031c150c19350006101918047465616d150c1602167c16a00126c2022686021c36002804636f72651804636f7265000016f204151616b004152e0016f8011602260816c002140000191c180c4152524f573a736368656d6118dc012f2f2f2f2f357741414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f77774141414149414167414141414541414941414141774141414142414141414d542f2f2f3859414141414541414141416741414141424641414141414141414d542f2f2f3845414141416447566862514141414144732f2f2f2f4c41414141434141414141594141414141525141414241414567414541424141455141494141414144414141414141412f502f2f2f775141424141484141414163325679646d6c6a5a51413d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229192c1c00001c0000000902000050415231', '2026-11-29 10:48:52.311477+00', 'ann@example.org');
INSERT INTO cordwood.notification OVERRIDING SYSTEM VALUE VALUES (1, 1, 1, 'oncall', 'webhook', 'opened', 'd2bb14a7-8c9b-47f6-b2b2-f0720873f008', 'pending', '{"title": "errors of shop"}', '[]', '2026-01-31 12:00:01+00', '2026-01-31 12:00:01+00', NULL, NULL);
INSERT INTO cordwood.project OVERRIDING SYSTEM VALUE VALUES (1, 'default', '2026-11-29 10:48:51.389778+00');
INSERT INTO cordwood.project OVERRIDING SYSTEM VALUE VALUES (2, 'empty', '2026-11-29 10:48:52.187843+00');
INSERT INTO cordwood.segment VALUES (1, 1, '2026-01-30', 1769774400123456789, 1769774400123456789, 1, 3216, 0, 1, 1, '[["timestamp", "time", "timestamp", 0, 1769774400123456789, 1769774400123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331657481247, 1795949331657481247], ["severity", "severity", "severity", 0, 9, 9], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["http.status", "int", "http.status", 0, 200, 200], ["user", "int", "user", 0, 0, 0]]', '["shop"]', '[null]', 512, '2026-11-29 10:48:51.685996+00', '2026-11-29 10:48:52.116715+00', '\x15bb685cf9a867471ca11369fc1955f3dd4c60b9674a4b073f1b25e309281389', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (2, 1, '2026-01-31', 1769860801123456789, 1769860801123456789, 1, 2429, 0, 2, 2, '[["timestamp", "time", "timestamp", 0, 1769860801123456789, 1769860801123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331704385729, 1795949331704385729], ["severity", "severity", "severity", 0, 17, 17], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["shop"]', '[null]', 131072, '2026-11-29 10:48:51.763605+00', '2026-11-29 10:48:52.116715+00', '\x1fd12a340b93d34da929328a1b3b975c3ad66c16654044183e6c52728eee0e95', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (3, 1, '2026-01-30', 1769774402123456789, 1769774402123456789, 1, 2449, 0, 3, 3, '[["timestamp", "time", "timestamp", 0, 1769774402123456789, 1769774402123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331766593601, 1795949331766593601], ["severity", "severity", "severity", 0, 13, 13], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["login"]', '[null]', 8192, '2026-11-29 10:48:51.786194+00', '2026-11-29 10:48:52.116715+00', '\x77d9d098a653ccaae263d88bc956f6c2c219b6ec8194e472e688e5a1c5058655', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (4, 1, '2026-01-31', 1769860803123456789, 1769860803123456789, 1, 3063, 0, 4, 4, '[["timestamp", "time", "timestamp", 0, 1769860803123456789, 1769860803123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331789108952, 1795949331789108952], ["severity", "severity", "severity", 0, 9, 9], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["trace_id", "text", "trace_id", 0, null, null]]', '["login"]', '[null]', 512, '2026-11-29 10:48:51.808274+00', '2026-11-29 10:48:52.116715+00', '\x82ea6da81ded62588738d2804d1310f9be04be511ccc6a82809847258b9405f5', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (5, 1, '2026-01-30', 1769774404123456789, 1769774404123456789, 1, 2858, 0, 5, 5, '[["timestamp", "time", "timestamp", 0, 1769774404123456789, 1769774404123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331829284258, 1795949331829284258], ["severity", "severity", "severity", 0, 17, 17], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["http.status", "int", "http.status", 0, 204, 204]]', '["shop"]', '[null]', 131072, '2026-11-29 10:48:51.860963+00', '2026-11-29 10:48:52.116715+00', '\x8d37d50ca1ff75f3a09ba2c2c77d8b54c1eb8ec04a82af135c453688d7c306f1', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (6, 1, '2026-01-31', 1769860805123456789, 1769860805123456789, 1, 2794, 0, 6, 6, '[["timestamp", "time", "timestamp", 0, 1769860805123456789, 1769860805123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331863488064, 1795949331863488064], ["severity", "severity", "severity", 0, 13, 13], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["user", "text", "user", 0, null, null]]', '["shop"]', '[null]', 8192, '2026-11-29 10:48:51.881647+00', '2026-11-29 10:48:52.116715+00', '\xc0126e10a5fd7b4722acc5e1ad89fce0df1a3002794eca483035732546db8c2e', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (7, 1, '2026-01-30', 1769774406123456789, 1769774406123456789, 1, 2447, 0, 7, 7, '[["timestamp", "time", "timestamp", 0, 1769774406123456789, 1769774406123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331884269963, 1795949331884269963], ["severity", "severity", "severity", 0, 9, 9], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["login"]', '[null]', 512, '2026-11-29 10:48:51.902314+00', '2026-11-29 10:48:52.116715+00', '\x8891ded82677be87e681181f47b5a9c946ac28c4b91c26d2ae822b78c8cdda6f', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (8, 1, '2026-01-31', 1769860807123456789, 1769860807123456789, 1, 2449, 0, 8, 8, '[["timestamp", "time", "timestamp", 0, 1769860807123456789, 1769860807123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331904705347, 1795949331904705347], ["severity", "severity", "severity", 0, 17, 17], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["login"]', '[null]', 131072, '2026-11-29 10:48:51.922144+00', '2026-11-29 10:48:52.116715+00', '\x1264308384a4533c0a024db73e21d960aa8ebbf787ddd307d60beff936720482', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (9, 1, '2026-01-30', 1769774408123456789, 1769774408123456789, 1, 2858, 0, 9, 9, '[["timestamp", "time", "timestamp", 0, 1769774408123456789, 1769774408123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331924488023, 1795949331924488023], ["severity", "severity", "severity", 0, 13, 13], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["http.status", "int", "http.status", 0, 208, 208]]', '["shop"]', '[null]', 8192, '2026-11-29 10:48:51.94203+00', '2026-11-29 10:48:52.116715+00', '\x23546517c1fc0add7145b0c024ab9974bd3dd7c08fbb9299e50df33c72699287', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (10, 1, '2026-01-31', 1769860809123456789, 1769860809123456789, 1, 2436, 0, 10, 10, '[["timestamp", "time", "timestamp", 0, 1769860809123456789, 1769860809123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331944443756, 1795949331944443756], ["severity", "severity", "severity", 0, 9, 9], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["shop"]', '[null]', 512, '2026-11-29 10:48:51.961478+00', '2026-11-29 10:48:52.116715+00', '\x5c6641bc701a69929e48f8a78ac0f8e54fb21110a1c1d77a8809b4a5372981f6', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (11, 1, '2026-01-30', 1769774410123456789, 1769774410123456789, 1, 2837, 0, 11, 11, '[["timestamp", "time", "timestamp", 0, 1769774410123456789, 1769774410123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331963861159, 1795949331963861159], ["severity", "severity", "severity", 0, 17, 17], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["user", "int", "user", 0, 10, 10]]', '["login"]', '[null]', 131072, '2026-11-29 10:48:51.981106+00', '2026-11-29 10:48:52.116715+00', '\x31ce7b2a3da19f007b37ac59c8a1d0af2d590d4577c38f07234fe8f1cc94678a', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (12, 1, '2026-01-31', 1769860811123456789, 1769860811123456789, 1, 2458, 0, 12, 12, '[["timestamp", "time", "timestamp", 0, 1769860811123456789, 1769860811123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331983419943, 1795949331983419943], ["severity", "severity", "severity", 0, 13, 13], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["login"]', '[null]', 8192, '2026-11-29 10:48:52.000484+00', '2026-11-29 10:48:52.116715+00', '\x64c347d6532993532011f28cb541c80492a64bc4998dfd37d2761b67efa94206', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (13, 1, '2026-01-30', 1769774412123456789, 1769774412123456789, 1, 2865, 0, 13, 13, '[["timestamp", "time", "timestamp", 0, 1769774412123456789, 1769774412123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949332002888873, 1795949332002888873], ["severity", "severity", "severity", 0, 9, 9], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["http.status", "int", "http.status", 0, 212, 212]]', '["shop"]', '[null]', 512, '2026-11-29 10:48:52.009957+00', '2026-11-29 10:48:52.116715+00', '\x960c4eaf6e23e10bad5075ed389ccc1adaa2b1c3b93df6d96de3aee905d1b163', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (14, 1, '2026-01-31', 1769860813123456789, 1769860813123456789, 1, 2447, 0, 14, 14, '[["timestamp", "time", "timestamp", 0, 1769860813123456789, 1769860813123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949332012660138, 1795949332012660138], ["severity", "severity", "severity", 0, 17, 17], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["shop"]', '[null]', 131072, '2026-11-29 10:48:52.030869+00', '2026-11-29 10:48:52.116715+00', '\xa011f887e5e7e426fca2374a4f2e4ef57db274184755f6b9c63ff05308f5c07b', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (15, 1, '2026-01-30', 1769774414123456789, 1769774414123456789, 1, 2458, 0, 15, 15, '[["timestamp", "time", "timestamp", 0, 1769774414123456789, 1769774414123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949332033486688, 1795949332033486688], ["severity", "severity", "severity", 0, 13, 13], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["login"]', '[null]', 8192, '2026-11-29 10:48:52.051506+00', '2026-11-29 10:48:52.116715+00', '\x01cc4a86bdb40d4d834664e4e8e2e2d8a7a597840a907fe2c03db7a4caddfed2', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (16, 1, '2026-01-31', 1769860815123456789, 1769860815123456789, 1, 2830, 0, 16, 16, '[["timestamp", "time", "timestamp", 0, 1769860815123456789, 1769860815123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949332053964656, 1795949332053964656], ["severity", "severity", "severity", 0, 9, 9], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["user", "text", "user", 0, null, null]]', '["login"]', '[null]', 512, '2026-11-29 10:48:52.060185+00', '2026-11-29 10:48:52.116715+00', '\x1b7091a48b20f02e89533048a69a6b2256823df77682ef5c2b51e8ad5d00da6b', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (17, 1, '2026-01-30', 1769774400123456789, 1769774414123456789, 8, 2750, 1, 1, 15, '[["timestamp", "time", "timestamp", 0, 1769774400123456789, 1769774414123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331657481247, 1795949332033486688], ["severity", "severity", "severity", 0, 9, 17], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["http.status", "int", "http.status", 4, 200, 212], ["user", "int", "user#int", 6, 0, 10], ["_position", "int", "_position", 0, 1, 15], ["_template", "text", "_template", 0, null, null]]', '["login", "shop"]', '[null]', 139776, '2026-11-29 10:48:52.116715+00', NULL, '\xd30fada2f8291d6609333a9fee9cbcc4d9122cead5922b5d7405e2d139d3f3fc', 'postgresql', 7, NULL);
INSERT INTO cordwood.segment VALUES (18, 1, '2026-01-31', 1769860801123456789, 1769860815123456789, 8, 2817, 1, 2, 16, '[["timestamp", "time", "timestamp", 0, 1769860801123456789, 1769860815123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949331704385729, 1795949332053964656], ["severity", "severity", "severity", 0, 9, 17], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["_position", "int", "_position", 0, 2, 16], ["_template", "text", "_template", 0, null, null], ["trace_id", "text", "trace_id", 7, null, null], ["user", "text", "user#text", 6, null, null]]', '["login", "shop"]', '[null]', 139776, '2026-11-29 10:48:52.116715+00', NULL, '\x4fdb7eebae67e62535801b027f75be1e7adddd7a63e094985e80c02c28ee556e', 'postgresql', 7, NULL);
INSERT INTO cordwood.segment VALUES (19, 1, '2026-01-30', 1769774416123456789, 1769774416123456789, 1, 2876, 0, 17, 17, '[["timestamp", "time", "timestamp", 0, 1769774416123456789, 1769774416123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949332120461506, 1795949332120461506], ["severity", "severity", "severity", 0, 17, 17], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null], ["http.status", "int", "http.status", 0, 216, 216]]', '["shop"]', '[null]', 131072, '2026-11-29 10:48:52.12667+00', NULL, '\x803a2c0bd8eeae435376400679a72b903640d9d4b8f9d16026efa6fbd3157a22', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (20, 1, '2026-01-31', 1769860817123456789, 1769860817123456789, 1, 2456, 0, 18, 18, '[["timestamp", "time", "timestamp", 0, 1769860817123456789, 1769860817123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949332128995620, 1795949332128995620], ["severity", "severity", "severity", 0, 13, 13], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["shop"]', '[null]', 8192, '2026-11-29 10:48:52.145723+00', NULL, '\x9a63ef3f6b43c0dc637ad578d4d941a2fced5bc0dc2793ecd87ce3fa1d0e9432', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (21, 1, '2026-01-30', 1769774418123456789, 1769774418123456789, 1, 2465, 0, 19, 19, '[["timestamp", "time", "timestamp", 0, 1769774418123456789, 1769774418123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949332148087206, 1795949332148087206], ["severity", "severity", "severity", 0, 9, 9], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["login"]', '[null]', 512, '2026-11-29 10:48:52.165479+00', NULL, '\x142c0c24a490c24d737669e72233be300dedd08696bc5d0ead594152422b17de', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment VALUES (22, 1, '2026-01-31', 1769860819123456789, 1769860819123456789, 1, 2467, 0, 20, 20, '[["timestamp", "time", "timestamp", 0, 1769860819123456789, 1769860819123456789], ["observed_timestamp", "time", "observed_timestamp", 0, 1795949332167867758, 1795949332167867758], ["severity", "severity", "severity", 0, 17, 17], ["service", "text", "service", 0, null, null], ["message", "text", "message", 0, null, null]]', '["login"]', '[null]', 131072, '2026-11-29 10:48:52.184912+00', NULL, '\xcd71931da6bd003df33b73079d46c819018b13a13533c045237446dd826fc261', 'postgresql', 1, NULL);
INSERT INTO cordwood.segment_file_1 VALUES (1, '\x504152311504151015224c15021500000028b52ffd2008410000154df0b370808f181500151015222c15021510150615061c36002808154df0b370808f181808154df0b370808f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808154df0b370808f181808154df0b370808f1800001504151015224c15021500000028b52ffd20084100001f5c0bdc667eec181500151015222c15021510150615061c360028081f5c0bdc667eec1818081f5c0bdc667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c360028081f5c0bdc667eec1818081f5c0bdc667eec18000015041508151a4c15021500000028b52ffd2004210000090000001500151015222c15021510150615061c360028040900000018040900000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040900000018040900000000001504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f7000001504152e15404c15021500000028b52ffd2017b900001300000072657175657374203020746f6f6b2030206d731500151015222c15021510150615061c3600281372657175657374203020746f6f6b2030206d73181372657175657374203020746f6f6b2030206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216d60116fa0126be0926e4081c3600281372657175657374203020746f6f6b2030206d73181372657175657374203020746f6f6b2030206d7300001504151015224c15021500000028b52ffd2008410000c8000000000000001500151015222c15021510150615061c36002808c8000000000000001808c80000000000000000000028b52ffd200841000002000000020100031504193500061019180b687474702e737461747573150c1602168c0116b00126ba0c26fe0b1c36002808c8000000000000001808c80000000000000000001504151015224c15021500000028b52ffd200841000000000000000000001500151015222c15021510150615061c3600280800000000000000001808000000000000000000000028b52ffd200841000002000000020100031504193500061019180475736572150c1602168c0116b00126e60e26aa0e1c360028080000000000000000180800000000000000000000191102191808154df0b370808f18191808154df0b370808f181500191600001911021918081f5c0bdc667eec181918081f5c0bdc667eec18150019160000191102191804090000001918040900000015001916000019110219180473686f7019180473686f7015001916000019110219181372657175657374203020746f6f6b2030206d7319181372657175657374203020746f6f6b2030206d73150019160000191102191808c800000000000000191808c80000000000000015001916000019110219180800000000000000001918080000000000000000150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c169e07156416000000191c16be0915a00116000000191c16ba0c157416000000191c16e60e1574160000001502198c4804726f6f74150e0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c00000015042502180b687474702e7374617475730015042502180475736572001602191c197c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808154df0b370808f181808154df0b370808f180000168614151416c810153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c360028081f5c0bdc667eec1818081f5c0bdc667eec180000169a141516168611153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280409000000180409000000000016b014151616c411152e0026be081c150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f70000016c614151616f211152e0026b80b1c150c19350006101918076d657373616765150c160216d60116fa0126be0926e4081c3600281372657175657374203020746f6f6b2030206d73181372657175657374203020746f6f6b2030206d73000016dc14151816a012156a0026ea0d1c1504193500061019180b687474702e737461747573150c1602168c0116b00126ba0c26fe0b1c36002808c8000000000000001808c800000000000000000016f4141516168a13153e002696101c1504193500061019180475736572150c1602168c0116b00126e60e26aa0e1c360028080000000000000000180800000000000000000000168a15151616c813153e0016f6071602260816f209140000192c180c4152524f573a736368656d6118e0042f2f2f2f2f373442414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f777741414141494141674141414145414163414141424d4151414145414541414e51414141436b41414141654141414144674141414145414141417650372f2f79414141414151414141414341414141414543414141414141414178502f2f2f3041414141414241414141424141414148567a5a584941414141413750372f2f79674141414151414141414341414141414543414141414141414139502f2f2f30414141414142414141414341414a414151414341414c41414141614852306343357a6447463064584d414b502f2f2f78674141414151414141414341414141414555414141414141414131502f2f2f776341414142745a584e7a5957646c4146442f2f2f386341414141454141414141674141414142464141414141414141507a2f2f2f3845414151414277414141484e6c636e5a705932554166502f2f2f79514141414151414141414341414141414543414141414141414139762f2f2f776741414141414141594143414145414167414141427a5a585a6c636d6c3065514141414143302f2f2f2f4841414141424141414141494141414141516f4141414141414143792f2f2f2f417741414142494141414276596e4e6c636e5a6c5a4639306157316c6333526862584141414f7a2f2f2f38774141414149414141414267414141414243674141454141534141514145414152414167414141414d41414141414144362f2f2f2f41774147414159414241414a4141414164476c745a584e305957317741413d3d001808636f7264776f6f641886037b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343430303132333435363738392c313736393737343430303132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313635373438313234372c313739353934393333313635373438313234375d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c392c395d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b22687474702e737461747573222c22696e74222c22687474702e737461747573222c302c3230302c3230305d2c5b2275736572222c22696e74222c2275736572222c302c302c305d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229197c1c00001c00001c00001c00001c00001c00001c0000003807000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (2, '\x504152311504151015224c15021500000028b52ffd20084100001517da8005cf8f181500151015222c15021510150615061c360028081517da8005cf8f1818081517da8005cf8f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c360028081517da8005cf8f1818081517da8005cf8f1800001504151015224c15021500000028b52ffd2008410000c110d7de667eec181500151015222c15021510150615061c36002808c110d7de667eec181808c110d7de667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808c110d7de667eec181808c110d7de667eec18000015041508151a4c15021500000028b52ffd2004210000110000001500151015222c15021510150615061c360028041100000018041100000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028041100000018041100000000001504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f7000001504152e15404c15021500000028b52ffd2017b900001300000072657175657374203120746f6f6b2037206d731500151015222c15021510150615061c3600281372657175657374203120746f6f6b2037206d73181372657175657374203120746f6f6b2037206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216d60116fa0126be0926e4081c3600281372657175657374203120746f6f6b2037206d73181372657175657374203120746f6f6b2037206d7300001911021918081517da8005cf8f181918081517da8005cf8f18150019160000191102191808c110d7de667eec18191808c110d7de667eec18150019160000191102191804110000001918041100000015001916000019110219180473686f7019180473686f7015001916000019110219181372657175657374203120746f6f6b2037206d7319181372657175657374203120746f6f6b2037206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c169e07156416000000191c16be0915a001160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c360028081517da8005cf8f1818081517da8005cf8f18000016c00e151416fe0b153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808c110d7de667eec181808c110d7de667eec18000016d40e151616bc0c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280411000000180411000000000016ea0e151616fa0c152e0026be081c150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f70000016800f151616a80d152e0026b80b1c150c19350006101918076d657373616765150c160216d60116fa0126be0926e4081c3600281372657175657374203120746f6f6b2037206d73181372657175657374203120746f6f6b2037206d73000016960f151816d60d156a0016de0516022608169207140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418be027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303830313132333435363738392c313736393836303830313132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313730343338353732392c313739353934393333313730343338353732395d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31372c31375d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c0000009e05000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (3, '\x504152311504151015224c15021500000028b52ffd200841000015e1252b71808f181500151015222c15021510150615061c3600280815e1252b71808f18180815e1252b71808f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815e1252b71808f18180815e1252b71808f1800001504151015224c15021500000028b52ffd200841000041488ce2667eec181500151015222c15021510150615061c3600280841488ce2667eec18180841488ce2667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c3600280841488ce2667eec18180841488ce2667eec18000015041508151a4c15021500000028b52ffd20042100000d0000001500151015222c15021510150615061c360028040d00000018040d00000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d00000000001504151215244c15021500000028b52ffd2009490000050000006c6f67696e1500151015222c15021510150615061c360028056c6f67696e18056c6f67696e00000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e00001504153015424c15021500000028b52ffd2018c100001400000072657175657374203220746f6f6b203134206d731500151015222c15021510150615061c3600281472657175657374203220746f6f6b203134206d73181472657175657374203220746f6f6b203134206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216dc0116800226cc0926f0081c3600281472657175657374203220746f6f6b203134206d73181472657175657374203220746f6f6b203134206d73000019110219180815e1252b71808f1819180815e1252b71808f1815001916000019110219180841488ce2667eec1819180841488ce2667eec181500191600001911021918040d0000001918040d0000001500191600001911021918056c6f67696e1918056c6f67696e15001916000019110219181472657175657374203220746f6f6b203134206d7319181472657175657374203220746f6f6b203134206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c16a007156816000000191c16cc0915a401160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815e1252b71808f18180815e1252b71808f18000016de0e151416940c153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c3600280841488ce2667eec18180841488ce2667eec18000016f20e151616d20c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d000000000016880f151616900d152e0026c6081c150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e0000169e0f151616be0d15320026cc0b1c150c19350006101918076d657373616765150c160216dc0116800226cc0926f0081c3600281472657175657374203220746f6f6b203134206d73181472657175657374203220746f6f6b203134206d73000016b40f151816f00d156e0016ea0516022608169e07140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418be027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343430323132333435363738392c313736393737343430323132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313736363539333630312c313739353934393333313736363539333630315d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31332c31335d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c000000a305000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (4, '\x504152311504151015224c15021500000028b52ffd200841000015ab0ff805cf8f181500151015222c15021510150615061c3600280815ab0ff805cf8f18180815ab0ff805cf8f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815ab0ff805cf8f18180815ab0ff805cf8f1800001504151015224c15021500000028b52ffd2008410000d8d6e3e3667eec181500151015222c15021510150615061c36002808d8d6e3e3667eec181808d8d6e3e3667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808d8d6e3e3667eec181808d8d6e3e3667eec18000015041508151a4c15021500000028b52ffd2004210000090000001500151015222c15021510150615061c360028040900000018040900000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040900000018040900000000001504151215244c15021500000028b52ffd2009490000050000006c6f67696e1500151015222c15021510150615061c360028056c6f67696e18056c6f67696e00000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e00001504153015424c15021500000028b52ffd2018c100001400000072657175657374203320746f6f6b203231206d731500151015222c15021510150615061c3600281472657175657374203320746f6f6b203231206d73181472657175657374203320746f6f6b203231206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216dc0116800226cc0926f0081c3600281472657175657374203320746f6f6b203231206d73181472657175657374203320746f6f6b203231206d73000015041548155a4c15021500000028b52ffd20242101002000000034626639326633353737623334646136613363653932396430653065343733361500151015222c15021510150615061c3600282034626639326633353737623334646136613363653932396430653065343733361820346266393266333537376233346461366133636539323964306530653437333600000028b52ffd20084100000200000002010003150c193500061019180874726163655f6964150c160216a40216c80226880d26940c1c36002820346266393266333537376233346461366133636539323964306530653437333618203462663932663335373762333464613661336365393239643065306534373336000019110219180815ab0ff805cf8f1819180815ab0ff805cf8f18150019160000191102191808d8d6e3e3667eec18191808d8d6e3e3667eec1815001916000019110219180409000000191804090000001500191600001911021918056c6f67696e1918056c6f67696e15001916000019110219181472657175657374203320746f6f6b203231206d7319181472657175657374203320746f6f6b203231206d7315001916000019110219182034626639326633353737623334646136613363653932396430653065343733361918203462663932663335373762333464613661336365393239643065306534373336150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c16a007156816000000191c16cc0915a40116000000191c16880d15d401160000001502197c4804726f6f74150c0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c000000150c2502180874726163655f696425004c1c0000001602191c196c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815ab0ff805cf8f18180815ab0ff805cf8f180000169a14151416b210153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808d8d6e3e3667eec181808d8d6e3e3667eec18000016ae14151616f010153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280409000000180409000000000016c414151616ae11152e0026c6081c150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e000016da14151616dc1115320026cc0b1c150c19350006101918076d657373616765150c160216dc0116800226cc0926f0081c3600281472657175657374203320746f6f6b203231206d73181472657175657374203320746f6f6b203231206d73000016f0141518168e12156e0026d00f1c150c193500061019180874726163655f6964150c160216a40216c80226880d26940c1c360028203462663932663335373762333464613661336365393239643065306534373336182034626639326633353737623334646136613363653932396430653065343733360000168815151816fc12159e0100168e081602260816e609140000192c180c4152524f573a736368656d611884042f2f2f2f2f336f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141594141414149415141417a414141414a414141414267414141414e41414141415141414144382f762f2f4741414141424141414141494141414141525141414141414141436f2f2f2f2f434141414148527959574e6c58326c6b4141414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418e7027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303830333132333435363738392c313736393836303830333132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313738393130383935322c313739353934393333313738393130383935325d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c392c395d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b2274726163655f6964222c2274657874222c2274726163655f6964222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229196c1c00001c00001c00001c00001c00001c0000009f06000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (5, '\x504152311504151015224c15021500000028b52ffd200841000015755ba271808f181500151015222c15021510150615061c3600280815755ba271808f18180815755ba271808f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815755ba271808f18180815755ba271808f1800001504151015224c15021500000028b52ffd2008410000a2dd48e6667eec181500151015222c15021510150615061c36002808a2dd48e6667eec181808a2dd48e6667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808a2dd48e6667eec181808a2dd48e6667eec18000015041508151a4c15021500000028b52ffd2004210000110000001500151015222c15021510150615061c360028041100000018041100000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028041100000018041100000000001504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f7000001504153015424c15021500000028b52ffd2018c100001400000072657175657374203420746f6f6b203238206d731500151015222c15021510150615061c3600281472657175657374203420746f6f6b203238206d73181472657175657374203420746f6f6b203238206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216dc0116800226c00926e4081c3600281472657175657374203420746f6f6b203238206d73181472657175657374203420746f6f6b203238206d7300001504151015224c15021500000028b52ffd2008410000cc000000000000001500151015222c15021510150615061c36002808cc000000000000001808cc0000000000000000000028b52ffd200841000002000000020100031504193500061019180b687474702e737461747573150c1602168c0116b00126c40c26880c1c36002808cc000000000000001808cc00000000000000000019110219180815755ba271808f1819180815755ba271808f18150019160000191102191808a2dd48e6667eec18191808a2dd48e6667eec18150019160000191102191804110000001918041100000015001916000019110219180473686f7019180473686f7015001916000019110219181472657175657374203420746f6f6b203238206d7319181472657175657374203420746f6f6b203238206d73150019160000191102191808cc00000000000000191808cc00000000000000150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c169e07156416000000191c16c00915a40116000000191c16c40c1574160000001502197c4804726f6f74150c0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c00000015042502180b687474702e737461747573001602191c196c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815755ba271808f18180815755ba271808f18000016b811151416b40e153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808a2dd48e6667eec181808a2dd48e6667eec18000016cc11151616f20e153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280411000000180411000000000016e211151616b00f152e0026be081c150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f70000016f811151616de0f152e0026c00b1c150c19350006101918076d657373616765150c160216dc0116800226c00926e4081c3600281472657175657374203420746f6f6b203238206d73181472657175657374203420746f6f6b203238206d730000168e121518168c10156e0026f40d1c1504193500061019180b687474702e737461747573150c1602168c0116b00126c40c26880c1c36002808cc000000000000001808cc00000000000000000016a612151616fa10153e0016f0061602260816c808140000192c180c4152524f573a736368656d611898042f2f2f2f2f346f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f77774141414149414167414141414541415941414141594151414133414141414b414141414277414141415241414141415141414144732f762f2f4b4141414142414141414149414141414151494141414141414144302f2f2f2f51414141414145414141414941416b4142414149414173414141426f644852774c6e4e30595852316377416f2f2f2f2f474141414142414141414149414141414152514141414141414144552f2f2f2f427741414147316c63334e685a32554155502f2f2f7877414141415141414141434141414141455541414141414141412f502f2f2f775141424141484141414163325679646d6c6a5a5142382f2f2f2f4a4141414142414141414149414141414151494141414141414144322f2f2f2f434141414141414142674149414151414341414141484e6c646d56796158523541414141414c542f2f2f3863414141414541414141416741414141424367414141414141414c4c2f2f2f384441414141456741414147396963325679646d566b583352706257567a644746746341414137502f2f2f7a41414141416741414141474141414141454b414141514142494142414151414245414341414141417741414141414150722f2f2f3844414159414267414541416b41414142306157316c6333526862584141001808636f7264776f6f6418ec027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343430343132333435363738392c313736393737343430343132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313832393238343235382c313739353934393333313832393238343235385d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31372c31375d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b22687474702e737461747573222c22696e74222c22687474702e737461747573222c302c3230342c3230345d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229196c1c00001c00001c00001c00001c00001c0000008406000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (6, '\x504152311504151015224c15021500000028b52ffd2008410000153f456f06cf8f181500151015222c15021510150615061c36002808153f456f06cf8f181808153f456f06cf8f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808153f456f06cf8f181808153f456f06cf8f1800001504151015224c15021500000028b52ffd200841000040c652e8667eec181500151015222c15021510150615061c3600280840c652e8667eec18180840c652e8667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c3600280840c652e8667eec18180840c652e8667eec18000015041508151a4c15021500000028b52ffd20042100000d0000001500151015222c15021510150615061c360028040d00000018040d00000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d00000000001504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f7000001504153015424c15021500000028b52ffd2018c100001400000072657175657374203520746f6f6b203335206d731500151015222c15021510150615061c3600281472657175657374203520746f6f6b203335206d73181472657175657374203520746f6f6b203335206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216dc0116800226c00926e4081c3600281472657175657374203520746f6f6b203335206d73181472657175657374203520746f6f6b203335206d7300001504151415264c15021500000028b52ffd200a51000006000000757365722d351500151015222c15021510150615061c36002806757365722d351806757365722d3500000028b52ffd20084100000200000002010003150c193500061019180475736572150c160216880116ac0126c80c26880c1c36002806757365722d351806757365722d350000191102191808153f456f06cf8f18191808153f456f06cf8f1815001916000019110219180840c652e8667eec1819180840c652e8667eec181500191600001911021918040d0000001918040d00000015001916000019110219180473686f7019180473686f7015001916000019110219181472657175657374203520746f6f6b203335206d7319181472657175657374203520746f6f6b203335206d73150019160000191102191806757365722d35191806757365722d35150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c169e07156416000000191c16c00915a40116000000191c16c80c156c160000001502197c4804726f6f74150c0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c000000150c250218047573657225004c1c0000001602191c196c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808153f456f06cf8f181808153f456f06cf8f1800001696111514169a0e153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c3600280840c652e8667eec18180840c652e8667eec18000016aa11151616d80e153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d000000000016c011151616960f152e0026be081c150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f70000016d611151616c40f152e0026c00b1c150c19350006101918076d657373616765150c160216dc0116800226c00926e4081c3600281472657175657374203520746f6f6b203335206d73181472657175657374203520746f6f6b203335206d73000016ec11151816f20f156e0026f40d1c150c193500061019180475736572150c160216880116ac0126c80c26880c1c36002806757365722d351806757365722d350000168412151616e01015360016ec061602260816c408140000192c180c4152524f573a736368656d611880042f2f2f2f2f335942414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f777741414141494141674141414145414159414141414541514141794141414149774141414263414141414d41414141415141414141412f2f2f2f474141414142414141414149414141414152514141414141414143732f2f2f2f424141414148567a5a584941414141414b502f2f2f78674141414151414141414341414141414555414141414141414131502f2f2f776341414142745a584e7a5957646c4146442f2f2f386341414141454141414141674141414142464141414141414141507a2f2f2f3845414151414277414141484e6c636e5a705932554166502f2f2f79514141414151414141414341414141414543414141414141414139762f2f2f776741414141414141594143414145414167414141427a5a585a6c636d6c3065514141414143302f2f2f2f4841414141424141414141494141414141516f4141414141414143792f2f2f2f417741414142494141414276596e4e6c636e5a6c5a4639306157316c6333526862584141414f7a2f2f2f38774141414149414141414267414141414243674141454141534141514145414152414167414141414d41414141414144362f2f2f2f41774147414159414241414a4141414164476c745a584e305957317741413d3d001808636f7264776f6f6418e1027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303830353132333435363738392c313736393836303830353132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313836333438383036342c313739353934393333313836333438383036345d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31332c31335d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b2275736572222c2274657874222c2275736572222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229196c1c00001c00001c00001c00001c00001c0000005506000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (7, '\x504152311504151015224c15021500000028b52ffd20084100001509911972808f181500151015222c15021510150615061c360028081509911972808f1818081509911972808f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c360028081509911972808f1818081509911972808f1800001504151015224c15021500000028b52ffd20084100008be18fe9667eec181500151015222c15021510150615061c360028088be18fe9667eec1818088be18fe9667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c360028088be18fe9667eec1818088be18fe9667eec18000015041508151a4c15021500000028b52ffd2004210000090000001500151015222c15021510150615061c360028040900000018040900000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040900000018040900000000001504151215244c15021500000028b52ffd2009490000050000006c6f67696e1500151015222c15021510150615061c360028056c6f67696e18056c6f67696e00000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e00001504153015424c15021500000028b52ffd2018c100001400000072657175657374203620746f6f6b203432206d731500151015222c15021510150615061c3600281472657175657374203620746f6f6b203432206d73181472657175657374203620746f6f6b203432206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216dc0116800226cc0926f0081c3600281472657175657374203620746f6f6b203432206d73181472657175657374203620746f6f6b203432206d7300001911021918081509911972808f181918081509911972808f181500191600001911021918088be18fe9667eec181918088be18fe9667eec1815001916000019110219180409000000191804090000001500191600001911021918056c6f67696e1918056c6f67696e15001916000019110219181472657175657374203620746f6f6b203432206d7319181472657175657374203620746f6f6b203432206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c16a007156816000000191c16cc0915a401160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c360028081509911972808f1818081509911972808f18000016de0e151416940c153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c360028088be18fe9667eec1818088be18fe9667eec18000016f20e151616d20c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280409000000180409000000000016880f151616900d152e0026c6081c150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e0000169e0f151616be0d15320026cc0b1c150c19350006101918076d657373616765150c160216dc0116800226cc0926f0081c3600281472657175657374203620746f6f6b203432206d73181472657175657374203620746f6f6b203432206d73000016b40f151816f00d156e0016ea0516022608169e07140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418bc027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343430363132333435363738392c313736393737343430363132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313838343236393936332c313739353934393333313838343236393936335d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c392c395d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c000000a105000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (8, '\x504152311504151015224c15021500000028b52ffd200841000015d37ae606cf8f181500151015222c15021510150615061c3600280815d37ae606cf8f18180815d37ae606cf8f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815d37ae606cf8f18180815d37ae606cf8f1800001504151015224c15021500000028b52ffd200841000043b3c7ea667eec181500151015222c15021510150615061c3600280843b3c7ea667eec18180843b3c7ea667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c3600280843b3c7ea667eec18180843b3c7ea667eec18000015041508151a4c15021500000028b52ffd2004210000110000001500151015222c15021510150615061c360028041100000018041100000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028041100000018041100000000001504151215244c15021500000028b52ffd2009490000050000006c6f67696e1500151015222c15021510150615061c360028056c6f67696e18056c6f67696e00000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e00001504153015424c15021500000028b52ffd2018c100001400000072657175657374203720746f6f6b203439206d731500151015222c15021510150615061c3600281472657175657374203720746f6f6b203439206d73181472657175657374203720746f6f6b203439206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216dc0116800226cc0926f0081c3600281472657175657374203720746f6f6b203439206d73181472657175657374203720746f6f6b203439206d73000019110219180815d37ae606cf8f1819180815d37ae606cf8f1815001916000019110219180843b3c7ea667eec1819180843b3c7ea667eec1815001916000019110219180411000000191804110000001500191600001911021918056c6f67696e1918056c6f67696e15001916000019110219181472657175657374203720746f6f6b203439206d7319181472657175657374203720746f6f6b203439206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c16a007156816000000191c16cc0915a401160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815d37ae606cf8f18180815d37ae606cf8f18000016de0e151416940c153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c3600280843b3c7ea667eec18180843b3c7ea667eec18000016f20e151616d20c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280411000000180411000000000016880f151616900d152e0026c6081c150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e0000169e0f151616be0d15320026cc0b1c150c19350006101918076d657373616765150c160216dc0116800226cc0926f0081c3600281472657175657374203720746f6f6b203439206d73181472657175657374203720746f6f6b203439206d73000016b40f151816f00d156e0016ea0516022608169e07140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418be027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303830373132333435363738392c313736393836303830373132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313930343730353334372c313739353934393333313930343730353334375d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31372c31375d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c000000a305000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (9, '\x504152311504151015224c15021500000028b52ffd2008410000159dc69072808f181500151015222c15021510150615061c36002808159dc69072808f181808159dc69072808f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808159dc69072808f181808159dc69072808f1800001504151015224c15021500000028b52ffd2008410000578ff5eb667eec181500151015222c15021510150615061c36002808578ff5eb667eec181808578ff5eb667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808578ff5eb667eec181808578ff5eb667eec18000015041508151a4c15021500000028b52ffd20042100000d0000001500151015222c15021510150615061c360028040d00000018040d00000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d00000000001504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f7000001504153015424c15021500000028b52ffd2018c100001400000072657175657374203820746f6f6b203536206d731500151015222c15021510150615061c3600281472657175657374203820746f6f6b203536206d73181472657175657374203820746f6f6b203536206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216dc0116800226c00926e4081c3600281472657175657374203820746f6f6b203536206d73181472657175657374203820746f6f6b203536206d7300001504151015224c15021500000028b52ffd2008410000d0000000000000001500151015222c15021510150615061c36002808d0000000000000001808d00000000000000000000028b52ffd200841000002000000020100031504193500061019180b687474702e737461747573150c1602168c0116b00126c40c26880c1c36002808d0000000000000001808d0000000000000000000191102191808159dc69072808f18191808159dc69072808f18150019160000191102191808578ff5eb667eec18191808578ff5eb667eec181500191600001911021918040d0000001918040d00000015001916000019110219180473686f7019180473686f7015001916000019110219181472657175657374203820746f6f6b203536206d7319181472657175657374203820746f6f6b203536206d73150019160000191102191808d000000000000000191808d000000000000000150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c169e07156416000000191c16c00915a40116000000191c16c40c1574160000001502197c4804726f6f74150c0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c00000015042502180b687474702e737461747573001602191c196c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808159dc69072808f181808159dc69072808f18000016b811151416b40e153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808578ff5eb667eec181808578ff5eb667eec18000016cc11151616f20e153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d000000000016e211151616b00f152e0026be081c150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f70000016f811151616de0f152e0026c00b1c150c19350006101918076d657373616765150c160216dc0116800226c00926e4081c3600281472657175657374203820746f6f6b203536206d73181472657175657374203820746f6f6b203536206d730000168e121518168c10156e0026f40d1c1504193500061019180b687474702e737461747573150c1602168c0116b00126c40c26880c1c36002808d0000000000000001808d000000000000000000016a612151616fa10153e0016f0061602260816c808140000192c180c4152524f573a736368656d611898042f2f2f2f2f346f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f77774141414149414167414141414541415941414141594151414133414141414b414141414277414141415241414141415141414144732f762f2f4b4141414142414141414149414141414151494141414141414144302f2f2f2f51414141414145414141414941416b4142414149414173414141426f644852774c6e4e30595852316377416f2f2f2f2f474141414142414141414149414141414152514141414141414144552f2f2f2f427741414147316c63334e685a32554155502f2f2f7877414141415141414141434141414141455541414141414141412f502f2f2f775141424141484141414163325679646d6c6a5a5142382f2f2f2f4a4141414142414141414149414141414151494141414141414144322f2f2f2f434141414141414142674149414151414341414141484e6c646d56796158523541414141414c542f2f2f3863414141414541414141416741414141424367414141414141414c4c2f2f2f384441414141456741414147396963325679646d566b583352706257567a644746746341414137502f2f2f7a41414141416741414141474141414141454b414141514142494142414151414245414341414141417741414141414150722f2f2f3844414159414267414541416b41414142306157316c6333526862584141001808636f7264776f6f6418ec027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343430383132333435363738392c313736393737343430383132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313932343438383032332c313739353934393333313932343438383032335d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31332c31335d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b22687474702e737461747573222c22696e74222c22687474702e737461747573222c302c3230382c3230385d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229196c1c00001c00001c00001c00001c00001c0000008406000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (10, '\x504152311504151015224c15021500000028b52ffd20084100001567b05d07cf8f181500151015222c15021510150615061c360028081567b05d07cf8f1818081567b05d07cf8f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c360028081567b05d07cf8f1818081567b05d07cf8f1800001504151015224c15021500000028b52ffd20084100006c0f26ed667eec181500151015222c15021510150615061c360028086c0f26ed667eec1818086c0f26ed667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c360028086c0f26ed667eec1818086c0f26ed667eec18000015041508151a4c15021500000028b52ffd2004210000090000001500151015222c15021510150615061c360028040900000018040900000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040900000018040900000000001504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f7000001504153015424c15021500000028b52ffd2018c100001400000072657175657374203920746f6f6b203633206d731500151015222c15021510150615061c3600281472657175657374203920746f6f6b203633206d73181472657175657374203920746f6f6b203633206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216dc0116800226c00926e4081c3600281472657175657374203920746f6f6b203633206d73181472657175657374203920746f6f6b203633206d7300001911021918081567b05d07cf8f181918081567b05d07cf8f181500191600001911021918086c0f26ed667eec181918086c0f26ed667eec18150019160000191102191804090000001918040900000015001916000019110219180473686f7019180473686f7015001916000019110219181472657175657374203920746f6f6b203633206d7319181472657175657374203920746f6f6b203633206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c169e07156416000000191c16c00915a401160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c360028081567b05d07cf8f1818081567b05d07cf8f18000016ce0e151416880c153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c360028086c0f26ed667eec1818086c0f26ed667eec18000016e20e151616c60c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280409000000180409000000000016f80e151616840d152e0026be081c150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f700000168e0f151616b20d152e0026c00b1c150c19350006101918076d657373616765150c160216dc0116800226c00926e4081c3600281472657175657374203920746f6f6b203633206d73181472657175657374203920746f6f6b203633206d73000016a40f151816e00d156e0016e40516022608169807140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418bc027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303830393132333435363738392c313736393836303830393132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313934343434333735362c313739353934393333313934343434333735365d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c392c395d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c0000009e05000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (11, '\x504152311504151015224c15021500000028b52ffd20084100001531fc0773808f181500151015222c15021510150615061c360028081531fc0773808f1818081531fc0773808f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c360028081531fc0773808f1818081531fc0773808f1800001504151015224c15021500000028b52ffd2008410000a7584eee667eec181500151015222c15021510150615061c36002808a7584eee667eec181808a7584eee667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808a7584eee667eec181808a7584eee667eec18000015041508151a4c15021500000028b52ffd2004210000110000001500151015222c15021510150615061c360028041100000018041100000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028041100000018041100000000001504151215244c15021500000028b52ffd2009490000050000006c6f67696e1500151015222c15021510150615061c360028056c6f67696e18056c6f67696e00000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e00001504153215444c15021500000028b52ffd2019c90000150000007265717565737420313020746f6f6b203730206d731500151015222c15021510150615061c360028157265717565737420313020746f6f6b203730206d7318157265717565737420313020746f6f6b203730206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216e20116860226ce0926f0081c360028157265717565737420313020746f6f6b203730206d7318157265717565737420313020746f6f6b203730206d7300001504151015224c15021500000028b52ffd20084100000a000000000000001500151015222c15021510150615061c360028080a0000000000000018080a0000000000000000000028b52ffd200841000002000000020100031504193500061019180475736572150c1602168c0116b00126da0c269e0c1c360028080a0000000000000018080a0000000000000000001911021918081531fc0773808f181918081531fc0773808f18150019160000191102191808a7584eee667eec18191808a7584eee667eec1815001916000019110219180411000000191804110000001500191600001911021918056c6f67696e1918056c6f67696e1500191600001911021918157265717565737420313020746f6f6b203730206d731918157265717565737420313020746f6f6b203730206d731500191600001911021918080a000000000000001918080a00000000000000150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c16a007156816000000191c16ce0915a80116000000191c16da0c1574160000001502197c4804726f6f74150c0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c00000015042502180475736572001602191c196c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c360028081531fc0773808f1818081531fc0773808f18000016c811151416bc0e153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808a7584eee667eec181808a7584eee667eec18000016dc11151616fa0e153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280411000000180411000000000016f211151616b80f152e0026c6081c150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e0000168812151616e60f15320026d40b1c150c19350006101918076d657373616765150c160216e20116860226ce0926f0081c360028157265717565737420313020746f6f6b203730206d7318157265717565737420313020746f6f6b203730206d730000169e121518169810157200268a0e1c1504193500061019180475736572150c1602168c0116b00126da0c269e0c1c360028080a0000000000000018080a00000000000000000016b6121516168a11153e0016fc061602260816d408140000192c180c4152524f573a736368656d611894042f2f2f2f2f345942414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f77774141414149414167414141414541415941414141554151414132414141414a774141414273414141415141414141415141414144772f762f2f4b4141414142414141414149414141414151494141414141414144302f2f2f2f51414141414145414141414941416b41424141494141514141414231633256794141414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418dc027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343431303132333435363738392c313736393737343431303132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313936333836313135392c313739353934393333313936333836313135395d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31372c31375d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b2275736572222c22696e74222c2275736572222c302c31302c31305d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229196c1c00001c00001c00001c00001c00001c0000006706000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (12, '\x504152311504151015224c15021500000028b52ffd200841000015fbe5d407cf8f181500151015222c15021510150615061c3600280815fbe5d407cf8f18180815fbe5d407cf8f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815fbe5d407cf8f18180815fbe5d407cf8f1800001504151015224c15021500000028b52ffd200841000027ca78ef667eec181500151015222c15021510150615061c3600280827ca78ef667eec18180827ca78ef667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c3600280827ca78ef667eec18180827ca78ef667eec18000015041508151a4c15021500000028b52ffd20042100000d0000001500151015222c15021510150615061c360028040d00000018040d00000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d00000000001504151215244c15021500000028b52ffd2009490000050000006c6f67696e1500151015222c15021510150615061c360028056c6f67696e18056c6f67696e00000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e00001504153215444c15021500000028b52ffd2019c90000150000007265717565737420313120746f6f6b203737206d731500151015222c15021510150615061c360028157265717565737420313120746f6f6b203737206d7318157265717565737420313120746f6f6b203737206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216e20116860226ce0926f0081c360028157265717565737420313120746f6f6b203737206d7318157265717565737420313120746f6f6b203737206d73000019110219180815fbe5d407cf8f1819180815fbe5d407cf8f1815001916000019110219180827ca78ef667eec1819180827ca78ef667eec181500191600001911021918040d0000001918040d0000001500191600001911021918056c6f67696e1918056c6f67696e1500191600001911021918157265717565737420313120746f6f6b203737206d731918157265717565737420313120746f6f6b203737206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c16a007156816000000191c16ce0915a801160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815fbe5d407cf8f18180815fbe5d407cf8f18000016ec0e1514169e0c153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c3600280827ca78ef667eec18180827ca78ef667eec18000016800f151616dc0c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d000000000016960f1516169a0d152e0026c6081c150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e000016ac0f151616c80d15320026d40b1c150c19350006101918076d657373616765150c160216e20116860226ce0926f0081c360028157265717565737420313120746f6f6b203737206d7318157265717565737420313120746f6f6b203737206d73000016c20f151816fa0d15720016f0051602260816a407140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418be027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303831313132333435363738392c313736393836303831313132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313938333431393934332c313739353934393333313938333431393934335d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31332c31335d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c000000a505000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (13, '\x504152311504151015224c15021500000028b52ffd200841000015c5317f73808f181500151015222c15021510150615061c3600280815c5317f73808f18180815c5317f73808f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815c5317f73808f18180815c5317f73808f1800001504151015224c15021500000028b52ffd2008410000a9dca1f0667eec181500151015222c15021510150615061c36002808a9dca1f0667eec181808a9dca1f0667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808a9dca1f0667eec181808a9dca1f0667eec18000015041508151a4c15021500000028b52ffd2004210000090000001500151015222c15021510150615061c360028040900000018040900000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040900000018040900000000001504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f7000001504153215444c15021500000028b52ffd2019c90000150000007265717565737420313220746f6f6b203834206d731500151015222c15021510150615061c360028157265717565737420313220746f6f6b203834206d7318157265717565737420313220746f6f6b203834206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216e20116860226c20926e4081c360028157265717565737420313220746f6f6b203834206d7318157265717565737420313220746f6f6b203834206d7300001504151015224c15021500000028b52ffd2008410000d4000000000000001500151015222c15021510150615061c36002808d4000000000000001808d40000000000000000000028b52ffd200841000002000000020100031504193500061019180b687474702e737461747573150c1602168c0116b00126ce0c26920c1c36002808d4000000000000001808d400000000000000000019110219180815c5317f73808f1819180815c5317f73808f18150019160000191102191808a9dca1f0667eec18191808a9dca1f0667eec18150019160000191102191804090000001918040900000015001916000019110219180473686f7019180473686f701500191600001911021918157265717565737420313220746f6f6b203834206d731918157265717565737420313220746f6f6b203834206d73150019160000191102191808d400000000000000191808d400000000000000150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c169e07156416000000191c16c20915a80116000000191c16ce0c1574160000001502197c4804726f6f74150c0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c00000015042502180b687474702e737461747573001602191c196c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815c5317f73808f18180815c5317f73808f18000016c611151416be0e153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808a9dca1f0667eec181808a9dca1f0667eec18000016da11151616fc0e153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280409000000180409000000000016f011151616ba0f152e0026be081c150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f700000168612151616e80f152e0026c80b1c150c19350006101918076d657373616765150c160216e20116860226c20926e4081c360028157265717565737420313220746f6f6b203834206d7318157265717565737420313220746f6f6b203834206d730000169c12151816961015720026fe0d1c1504193500061019180b687474702e737461747573150c1602168c0116b00126ce0c26920c1c36002808d4000000000000001808d400000000000000000016b4121516168811153e0016f6061602260816ce08140000192c180c4152524f573a736368656d611898042f2f2f2f2f346f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f77774141414149414167414141414541415941414141594151414133414141414b414141414277414141415241414141415141414144732f762f2f4b4141414142414141414149414141414151494141414141414144302f2f2f2f51414141414145414141414941416b4142414149414173414141426f644852774c6e4e30595852316377416f2f2f2f2f474141414142414141414149414141414152514141414141414144552f2f2f2f427741414147316c63334e685a32554155502f2f2f7877414141415141414141434141414141455541414141414141412f502f2f2f775141424141484141414163325679646d6c6a5a5142382f2f2f2f4a4141414142414141414149414141414151494141414141414144322f2f2f2f434141414141414142674149414151414341414141484e6c646d56796158523541414141414c542f2f2f3863414141414541414141416741414141424367414141414141414c4c2f2f2f384441414141456741414147396963325679646d566b583352706257567a644746746341414137502f2f2f7a41414141416741414141474141414141454b414141514142494142414151414245414341414141417741414141414150722f2f2f3844414159414267414541416b41414142306157316c6333526862584141001808636f7264776f6f6418ea027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343431323132333435363738392c313736393737343431323132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333323030323838383837332c313739353934393333323030323838383837335d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c392c395d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b22687474702e737461747573222c22696e74222c22687474702e737461747573222c302c3231322c3231325d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229196c1c00001c00001c00001c00001c00001c0000008406000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (14, '\x504152311504151015224c15021500000028b52ffd2008410000158f1b4c08cf8f181500151015222c15021510150615061c36002808158f1b4c08cf8f181808158f1b4c08cf8f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808158f1b4c08cf8f181808158f1b4c08cf8f1800001504151015224c15021500000028b52ffd2008410000aaf536f1667eec181500151015222c15021510150615061c36002808aaf536f1667eec181808aaf536f1667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808aaf536f1667eec181808aaf536f1667eec18000015041508151a4c15021500000028b52ffd2004210000110000001500151015222c15021510150615061c360028041100000018041100000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028041100000018041100000000001504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f7000001504153215444c15021500000028b52ffd2019c90000150000007265717565737420313320746f6f6b203931206d731500151015222c15021510150615061c360028157265717565737420313320746f6f6b203931206d7318157265717565737420313320746f6f6b203931206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216e20116860226c20926e4081c360028157265717565737420313320746f6f6b203931206d7318157265717565737420313320746f6f6b203931206d730000191102191808158f1b4c08cf8f18191808158f1b4c08cf8f18150019160000191102191808aaf536f1667eec18191808aaf536f1667eec18150019160000191102191804110000001918041100000015001916000019110219180473686f7019180473686f701500191600001911021918157265717565737420313320746f6f6b203931206d731918157265717565737420313320746f6f6b203931206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c169e07156416000000191c16c20915a801160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808158f1b4c08cf8f181808158f1b4c08cf8f18000016dc0e151416920c153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808aaf536f1667eec181808aaf536f1667eec18000016f00e151616d00c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280411000000180411000000000016860f1516168e0d152e0026be081c150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f700000169c0f151616bc0d152e0026c80b1c150c19350006101918076d657373616765150c160216e20116860226c20926e4081c360028157265717565737420313320746f6f6b203931206d7318157265717565737420313320746f6f6b203931206d73000016b20f151816ea0d15720016ea0516022608169e07140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418be027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303831333132333435363738392c313736393836303831333132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333323031323636303133382c313739353934393333323031323636303133385d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31372c31375d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c000000a205000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (15, '\x504152311504151015224c15021500000028b52ffd2008410000155967f673808f181500151015222c15021510150615061c36002808155967f673808f181808155967f673808f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808155967f673808f181808155967f673808f1800001504151015224c15021500000028b52ffd200841000060bf74f2667eec181500151015222c15021510150615061c3600280860bf74f2667eec18180860bf74f2667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c3600280860bf74f2667eec18180860bf74f2667eec18000015041508151a4c15021500000028b52ffd20042100000d0000001500151015222c15021510150615061c360028040d00000018040d00000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d00000000001504151215244c15021500000028b52ffd2009490000050000006c6f67696e1500151015222c15021510150615061c360028056c6f67696e18056c6f67696e00000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e00001504153215444c15021500000028b52ffd2019c90000150000007265717565737420313420746f6f6b203938206d731500151015222c15021510150615061c360028157265717565737420313420746f6f6b203938206d7318157265717565737420313420746f6f6b203938206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216e20116860226ce0926f0081c360028157265717565737420313420746f6f6b203938206d7318157265717565737420313420746f6f6b203938206d730000191102191808155967f673808f18191808155967f673808f1815001916000019110219180860bf74f2667eec1819180860bf74f2667eec181500191600001911021918040d0000001918040d0000001500191600001911021918056c6f67696e1918056c6f67696e1500191600001911021918157265717565737420313420746f6f6b203938206d731918157265717565737420313420746f6f6b203938206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c16a007156816000000191c16ce0915a801160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808155967f673808f181808155967f673808f18000016ec0e1514169e0c153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c3600280860bf74f2667eec18180860bf74f2667eec18000016800f151616dc0c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d000000000016960f1516169a0d152e0026c6081c150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e000016ac0f151616c80d15320026d40b1c150c19350006101918076d657373616765150c160216e20116860226ce0926f0081c360028157265717565737420313420746f6f6b203938206d7318157265717565737420313420746f6f6b203938206d73000016c20f151816fa0d15720016f0051602260816a407140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418be027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343431343132333435363738392c313736393737343431343132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333323033333438363638382c313739353934393333323033333438363638385d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31332c31335d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c000000a505000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (16, '\x504152311504151015224c15021500000028b52ffd2008410000152351c308cf8f181500151015222c15021510150615061c36002808152351c308cf8f181808152351c308cf8f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808152351c308cf8f181808152351c308cf8f1800001504151015224c15021500000028b52ffd20084100007037adf3667eec181500151015222c15021510150615061c360028087037adf3667eec1818087037adf3667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c360028087037adf3667eec1818087037adf3667eec18000015041508151a4c15021500000028b52ffd2004210000090000001500151015222c15021510150615061c360028040900000018040900000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040900000018040900000000001504151215244c15021500000028b52ffd2009490000050000006c6f67696e1500151015222c15021510150615061c360028056c6f67696e18056c6f67696e00000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e00001504153415464c15021500000028b52ffd201ad10000160000007265717565737420313520746f6f6b20313035206d731500151015222c15021510150615061c360028167265717565737420313520746f6f6b20313035206d7318167265717565737420313520746f6f6b20313035206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216e801168c0226d00926f0081c360028167265717565737420313520746f6f6b20313035206d7318167265717565737420313520746f6f6b20313035206d7300001504151615284c15021500000028b52ffd200b59000007000000757365722d31351500151015222c15021510150615061c36002807757365722d31351807757365722d313500000028b52ffd20084100000200000002010003150c193500061019180475736572150c1602168e0116b20126ea0c26a80c1c36002807757365722d31351807757365722d31350000191102191808152351c308cf8f18191808152351c308cf8f181500191600001911021918087037adf3667eec181918087037adf3667eec1815001916000019110219180409000000191804090000001500191600001911021918056c6f67696e1918056c6f67696e1500191600001911021918167265717565737420313520746f6f6b20313035206d731918167265717565737420313520746f6f6b20313035206d73150019160000191102191807757365722d3135191807757365722d3135150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c16a007156816000000191c16d00915ac0116000000191c16ea0c1570160000001502197c4804726f6f74150c0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c000000150c250218047573657225004c1c0000001602191c196c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808152351c308cf8f181808152351c308cf8f18000016d011151416c40e153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c360028087037adf3667eec1818087037adf3667eec18000016e411151616820f153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280409000000180409000000000016fa11151616c00f152e0026c6081c150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e0000169012151616ee0f15320026dc0b1c150c19350006101918076d657373616765150c160216e801168c0226d00926f0081c360028167265717565737420313520746f6f6b20313035206d7318167265717565737420313520746f6f6b20313035206d73000016a612151816a010157600269c0e1c150c193500061019180475736572150c1602168e0116b20126ea0c26a80c1c36002807757365722d31351807757365722d3135000016be121516169611153a001684071602260816dc08140000192c180c4152524f573a736368656d611880042f2f2f2f2f335942414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f777741414141494141674141414145414159414141414541514141794141414149774141414263414141414d41414141415141414141412f2f2f2f474141414142414141414149414141414152514141414141414143732f2f2f2f424141414148567a5a584941414141414b502f2f2f78674141414151414141414341414141414555414141414141414131502f2f2f776341414142745a584e7a5957646c4146442f2f2f386341414141454141414141674141414142464141414141414141507a2f2f2f3845414151414277414141484e6c636e5a705932554166502f2f2f79514141414151414141414341414141414543414141414141414139762f2f2f776741414141414141594143414145414167414141427a5a585a6c636d6c3065514141414143302f2f2f2f4841414141424141414141494141414141516f4141414141414143792f2f2f2f417741414142494141414276596e4e6c636e5a6c5a4639306157316c6333526862584141414f7a2f2f2f38774141414149414141414267414141414243674141454141534141514145414152414167414141414d41414141414144362f2f2f2f41774147414159414241414a4141414164476c745a584e305957317741413d3d001808636f7264776f6f6418df027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303831353132333435363738392c313736393836303831353132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333323035333936343635362c313739353934393333323035333936343635365d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c392c395d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b2275736572222c2274657874222c2275736572222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229196c1c00001c00001c00001c00001c00001c0000005c06000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (19, '\x504152311504151015224c15021500000028b52ffd200841000015ed9c6d74808f181500151015222c15021510150615061c3600280815ed9c6d74808f18180815ed9c6d74808f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815ed9c6d74808f18180815ed9c6d74808f1800001504151015224c15021500000028b52ffd2008410000c2e0a3f7667eec181500151015222c15021510150615061c36002808c2e0a3f7667eec181808c2e0a3f7667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808c2e0a3f7667eec181808c2e0a3f7667eec18000015041508151a4c15021500000028b52ffd2004210000110000001500151015222c15021510150615061c360028041100000018041100000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028041100000018041100000000001504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f7000001504153415464c15021500000028b52ffd201ad10000160000007265717565737420313620746f6f6b20313132206d731500151015222c15021510150615061c360028167265717565737420313620746f6f6b20313132206d7318167265717565737420313620746f6f6b20313132206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216e801168c0226c40926e4081c360028167265717565737420313620746f6f6b20313132206d7318167265717565737420313620746f6f6b20313132206d7300001504151015224c15021500000028b52ffd2008410000d8000000000000001500151015222c15021510150615061c36002808d8000000000000001808d80000000000000000000028b52ffd200841000002000000020100031504193500061019180b687474702e737461747573150c1602168c0116b00126d80c269c0c1c36002808d8000000000000001808d800000000000000000019110219180815ed9c6d74808f1819180815ed9c6d74808f18150019160000191102191808c2e0a3f7667eec18191808c2e0a3f7667eec18150019160000191102191804110000001918041100000015001916000019110219180473686f7019180473686f701500191600001911021918167265717565737420313620746f6f6b20313132206d731918167265717565737420313620746f6f6b20313132206d73150019160000191102191808d800000000000000191808d800000000000000150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c169e07156416000000191c16c40915ac0116000000191c16d80c1574160000001502197c4804726f6f74150c0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c00000015042502180b687474702e737461747573001602191c196c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815ed9c6d74808f18180815ed9c6d74808f18000016d411151416c80e153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808c2e0a3f7667eec181808c2e0a3f7667eec18000016e811151616860f153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280411000000180411000000000016fe11151616c40f152e0026be081c150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f700000169412151616f20f152e0026d00b1c150c19350006101918076d657373616765150c160216e801168c0226c40926e4081c360028167265717565737420313620746f6f6b20313132206d7318167265717565737420313620746f6f6b20313132206d73000016aa12151816a01015760026880e1c1504193500061019180b687474702e737461747573150c1602168c0116b00126d80c269c0c1c36002808d8000000000000001808d800000000000000000016c2121516169611153e0016fc061602260816d408140000192c180c4152524f573a736368656d611898042f2f2f2f2f346f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f77774141414149414167414141414541415941414141594151414133414141414b414141414277414141415241414141415141414144732f762f2f4b4141414142414141414149414141414151494141414141414144302f2f2f2f51414141414145414141414941416b4142414149414173414141426f644852774c6e4e30595852316377416f2f2f2f2f474141414142414141414149414141414152514141414141414144552f2f2f2f427741414147316c63334e685a32554155502f2f2f7877414141415141414141434141414141455541414141414141412f502f2f2f775141424141484141414163325679646d6c6a5a5142382f2f2f2f4a4141414142414141414149414141414151494141414141414144322f2f2f2f434141414141414142674149414151414341414141484e6c646d56796158523541414141414c542f2f2f3863414141414541414141416741414141424367414141414141414c4c2f2f2f384441414141456741414147396963325679646d566b583352706257567a644746746341414137502f2f2f7a41414141416741414141474141414141454b414141514142494142414151414245414341414141417741414141414150722f2f2f3844414159414267414541416b41414142306157316c6333526862584141001808636f7264776f6f6418ec027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343431363132333435363738392c313736393737343431363132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333323132303436313530362c313739353934393333323132303436313530365d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31372c31375d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b22687474702e737461747573222c22696e74222c22687474702e737461747573222c302c3231362c3231365d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229196c1c00001c00001c00001c00001c00001c0000008806000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (20, '\x504152311504151015224c15021500000028b52ffd200841000015b7863a09cf8f181500151015222c15021510150615061c3600280815b7863a09cf8f18180815b7863a09cf8f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815b7863a09cf8f18180815b7863a09cf8f1800001504151015224c15021500000028b52ffd2008410000241926f8667eec181500151015222c15021510150615061c36002808241926f8667eec181808241926f8667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808241926f8667eec181808241926f8667eec18000015041508151a4c15021500000028b52ffd20042100000d0000001500151015222c15021510150615061c360028040d00000018040d00000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d00000000001504151015224c15021500000028b52ffd20084100000400000073686f701500151015222c15021510150615061c3600280473686f70180473686f7000000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f7000001504153415464c15021500000028b52ffd201ad10000160000007265717565737420313720746f6f6b20313139206d731500151015222c15021510150615061c360028167265717565737420313720746f6f6b20313139206d7318167265717565737420313720746f6f6b20313139206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216e801168c0226c40926e4081c360028167265717565737420313720746f6f6b20313139206d7318167265717565737420313720746f6f6b20313139206d73000019110219180815b7863a09cf8f1819180815b7863a09cf8f18150019160000191102191808241926f8667eec18191808241926f8667eec181500191600001911021918040d0000001918040d00000015001916000019110219180473686f7019180473686f701500191600001911021918167265717565737420313720746f6f6b20313139206d731918167265717565737420313720746f6f6b20313139206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c169e07156416000000191c16c40915ac01160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c3600280815b7863a09cf8f18180815b7863a09cf8f18000016ea0e1514169c0c153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808241926f8667eec181808241926f8667eec18000016fe0e151616da0c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040d00000018040d000000000016940f151616980d152e0026be081c150c193500061019180773657276696365150c1602167c16a001269e0726e2061c3600280473686f70180473686f70000016aa0f151616c60d152e0026d00b1c150c19350006101918076d657373616765150c160216e801168c0226c40926e4081c360028167265717565737420313720746f6f6b20313139206d7318167265717565737420313720746f6f6b20313139206d73000016c00f151816f40d15760016f0051602260816a407140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418be027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303831373132333435363738392c313736393836303831373132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333323132383939353632302c313739353934393333323132383939353632305d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31332c31335d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c000000a405000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (21, '\x504152311504151015224c15021500000028b52ffd20084100001581d2e474808f181500151015222c15021510150615061c360028081581d2e474808f1818081581d2e474808f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c360028081581d2e474808f1818081581d2e474808f1800001504151015224c15021500000028b52ffd2008410000a66949f9667eec181500151015222c15021510150615061c36002808a66949f9667eec181808a66949f9667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808a66949f9667eec181808a66949f9667eec18000015041508151a4c15021500000028b52ffd2004210000090000001500151015222c15021510150615061c360028040900000018040900000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028040900000018040900000000001504151215244c15021500000028b52ffd2009490000050000006c6f67696e1500151015222c15021510150615061c360028056c6f67696e18056c6f67696e00000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e00001504153415464c15021500000028b52ffd201ad10000160000007265717565737420313820746f6f6b20313236206d731500151015222c15021510150615061c360028167265717565737420313820746f6f6b20313236206d7318167265717565737420313820746f6f6b20313236206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216e801168c0226d00926f0081c360028167265717565737420313820746f6f6b20313236206d7318167265717565737420313820746f6f6b20313236206d7300001911021918081581d2e474808f181918081581d2e474808f18150019160000191102191808a66949f9667eec18191808a66949f9667eec1815001916000019110219180409000000191804090000001500191600001911021918056c6f67696e1918056c6f67696e1500191600001911021918167265717565737420313820746f6f6b20313236206d731918167265717565737420313820746f6f6b20313236206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c16a007156816000000191c16d00915ac01160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c360028081581d2e474808f1818081581d2e474808f18000016fa0e151416a80c153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c36002808a66949f9667eec181808a66949f9667eec180000168e0f151616e60c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280409000000180409000000000016a40f151616a40d152e0026c6081c150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e000016ba0f151616d20d15320026dc0b1c150c19350006101918076d657373616765150c160216e801168c0226d00926f0081c360028167265717565737420313820746f6f6b20313236206d7318167265717565737420313820746f6f6b20313236206d73000016d00f151816840e15760016f6051602260816aa07140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418bc027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343431383132333435363738392c313736393737343431383132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333323134383038373230362c313739353934393333323134383038373230365d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c392c395d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c000000a505000050415231', 1);
INSERT INTO cordwood.segment_file_1 VALUES (22, '\x504152311504151015224c15021500000028b52ffd2008410000154bbcb109cf8f181500151015222c15021510150615061c36002808154bbcb109cf8f181808154bbcb109cf8f1800000028b52ffd200841000002000000020100031504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808154bbcb109cf8f181808154bbcb109cf8f1800001504151015224c15021500000028b52ffd20084100006e3d77fa667eec181500151015222c15021510150615061c360028086e3d77fa667eec1818086e3d77fa667eec1800000028b52ffd20084100000200000002010003150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c360028086e3d77fa667eec1818086e3d77fa667eec18000015041508151a4c15021500000028b52ffd2004210000110000001500151015222c15021510150615061c360028041100000018041100000000000028b52ffd20084100000200000002010003150219350006101918087365766572697479150c16021674169801269a0526e6041c360028041100000018041100000000001504151215244c15021500000028b52ffd2009490000050000006c6f67696e1500151015222c15021510150615061c360028056c6f67696e18056c6f67696e00000028b52ffd20084100000200000002010003150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e00001504153415464c15021500000028b52ffd201ad10000160000007265717565737420313920746f6f6b20313333206d731500151015222c15021510150615061c360028167265717565737420313920746f6f6b20313333206d7318167265717565737420313920746f6f6b20313333206d7300000028b52ffd20084100000200000002010003150c19350006101918076d657373616765150c160216e801168c0226d00926f0081c360028167265717565737420313920746f6f6b20313333206d7318167265717565737420313920746f6f6b20313333206d730000191102191808154bbcb109cf8f18191808154bbcb109cf8f181500191600001911021918086e3d77fa667eec181918086e3d77fa667eec1815001916000019110219180411000000191804110000001500191600001911021918056c6f67696e1918056c6f67696e1500191600001911021918167265717565737420313920746f6f6b20313333206d731918167265717565737420313920746f6f6b20313333206d73150019160000191c1644157416000000191c16e802157416000000191c169a05156416000000191c16a007156816000000191c16d00915ac01160000001502196c4804726f6f74150a0015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001602191c195c26f4011c1504193500061019180974696d657374616d70150c1602168c0116b001264426081c36002808154bbcb109cf8f181808154bbcb109cf8f18000016fa0e151416a80c153e002698041c150419350006101918126f627365727665645f74696d657374616d70150c1602168c0116b00126e80226ac021c360028086e3d77fa667eec1818086e3d77fa667eec180000168e0f151616e60c153e0026b2061c150219350006101918087365766572697479150c16021674169801269a0526e6041c3600280411000000180411000000000016a40f151616a40d152e0026c6081c150c193500061019180773657276696365150c160216820116a60126a00726e2061c360028056c6f67696e18056c6f67696e000016ba0f151616d20d15320026dc0b1c150c19350006101918076d657373616765150c160216e801168c0226d00926f0081c360028167265717565737420313920746f6f6b20313333206d7318167265717565737420313920746f6f6b20313333206d73000016d00f151816840e15760016f6051602260816aa07140000192c180c4152524f573a736368656d6118c4032f2f2f2f2f306f42414141454141414138762f2f2f78514141414145414145414141414b414173414341414b414151412b502f2f2f7777414141414941416741414141454141554141414459414141416e4141414147414141414177414141414241414141436a2f2f2f3859414141414541414141416741414141424641414141414141414e542f2f2f3848414141416257567a6332466e5a5142512f2f2f2f484141414142414141414149414141414152514141414141414144382f2f2f2f42414145414163414141427a5a584a3261574e6c41487a2f2f2f386b4141414145414141414167414141414241674141414141414150622f2f2f38494141414141414147414167414241414941414141633256325a584a7064486b414141414174502f2f2f7877414141415141414141434141414141454b414141414141414173762f2f2f774d41414141534141414162324a7a5a584a325a57526664476c745a584e3059573177414144732f2f2f2f4d41414141434141414141594141414141516f41414241414567414541424141455141494141414144414141414141412b762f2f2f774d41426741474141514143514141414852706257567a644746746341413d001808636f7264776f6f6418be027b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303831393132333435363738392c313736393836303831393132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333323136373836373735382c313739353934393333323136373836373735385d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c31372c31375d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d5d7d00184e506f6c6172732028707974686f6e292076657273696f6e20322e312e3020286275696c64203766393032626433666664323766663832643134323738613039613239356666326637616564393229195c1c00001c00001c00001c00001c000000a705000050415231', 1);
INSERT INTO cordwood.segment_file_7 VALUES (17, '\x50415231150015e804159c012c1510150a150615061c1808155967f673808f181808154df0b370808f1816002808155967f673808f181808154df0b370808f18111100000028b52ffd603400250200c40302000000100180020408aa84afb2a59cc08f31ffafb8a768230000000034e23004a0118721008d380c010000000040230e43001a711802d088c3100001005ca7001415001598041594012c1510150a150615061c180860bf74f2667eec1818081f5c0bdc667eec181600280860bf74f2667eec1818081f5c0bdc667eec18111100000028b52ffd600c0005020084030200000010018002040882a1e2a8dc99bfec31818dcbe6021e0000008bfc6c5d97f6c9a69ffca801000000c4e4a6a03d850537095bb10100010018a5001415041518152a4c1506150012000028b52ffd200c6100000d00000009000000110000001500151415262c15101510150615061c3600280411000000180409000000111100000028b52ffd200a510000020000001001020324491504152215344c1504150012000028b52ffd2011890000050000006c6f67696e0400000073686f701500151215242c15101510150615061c3600280473686f7018056c6f67696e111100000028b52ffd20094900000200000010010103f0150015f40215d2012c1510150c150615061c3600281472657175657374203820746f6f6b203536206d73181372657175657374203020746f6f6b2030206d73111100000028b52ffd20ba050300b403020000001001800104082803020000002e3b0072657175657374203220746f6f6b203134206d733634323130373034393832383536313834206d730f001193c54d836060808b52192cc581a90c80413030c01bced1806960083789bd40181500152215342c1510150a150615061c1808d4000000000000001808c80000000000000016082808d4000000000000001808c800000000000000111100000028b52ffd20118900000200000003f080020404900308000000001500152015322c1510150a150615061c18080a0000000000000018080000000000000000160c28080a0000000000000018080000000000000000111100000028b52ffd20108100000200000003148002040214130000000015001570154a2c1510150a150615061c18080f0000000000000018080100000000000000160028080f0000000000000018080100000000000000111100000028b52ffd2038e50000b002000000100180020408061b05000000524a20a5040001001cd0041504153615484c1502150012000028b52ffd201bd900001700000072657175657374203c2a3e20746f6f6b203c2a3e206d731500151215242c15101510150615061c3600281772657175657374203c2a3e20746f6f6b203c2a3e206d73181772657175657374203c2a3e20746f6f6b203c2a3e206d73111100000028b52ffd2009490000020000001001011000150419ac35001806736368656d6115120015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c00000015042502180b687474702e737461747573001504250218087573657223696e74001504250218095f706f736974696f6e00150c250218095f74656d706c61746525004c1c0000001610191c199c26001c15041925060a19180974696d657374616d70150c161016ea05169e0226083c1808155967f673808f181808154df0b370808f1816002808155967f673808f181808154df0b370808f18111100191c1500150a1502003c29061926001000000026001c15041925060a1918126f627365727665645f74696d657374616d70150c1610169a0516960226a6023c180860bf74f2667eec1818081f5c0bdc667eec181600280860bf74f2667eec1818081f5c0bdc667eec18111100191c1500150a1502003c29061926001000000026001c150219350006101918087365766572697479150c1610168e0116b20126820526bc041c3600280411000000180409000000111100192c15041500150200150015101502003c29061926001000000026001c150c193500061019180773657276696365150c161016980116bc0126be0626ee051c3600280473686f7018056c6f67696e111100192c15041500150200150015101502003c164819061926001000000026001c150c1925060c1918076d657373616765150c161016fc0316da0226aa073c3600281472657175657374203820746f6f6b203536206d73181372657175657374203020746f6f6b2030206d73111100191c1500150c1502003c16c40219061926001000000026001c15041925060a19180b687474702e737461747573150c161016a00116b20126840a3c1808d4000000000000001808c80000000000000016082808d4000000000000001808c800000000000000111100191c1500150a1502003c29061926080800000026001c15041925060a1918087573657223696e74150c1610169e0116b00126b60b3c18080a0000000000000018080000000000000000160c28080a0000000000000018080000000000000000111100191c1500150a1502003c290619260c0400000026001c15041925060a1918095f706f736974696f6e150c161016ee0116c80126e60c3c18080f0000000000000018080100000000000000160028080f0000000000000018080100000000000000111100191c1500150a1502003c29061926001000000026001c150c19350006101918095f74656d706c617465150c161016f601169a0226920f26ae0e1c3600281772657175657374203c2a3e20746f6f6b203c2a3e206d73181772657175657374203c2a3e20746f6f6b203c2a3e206d73111100192c15041500150200150015101502003c16f00219061926001000000016c8171610260816c01000191c1808636f7264776f6f6418e0037b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393737343430303132333435363738392c313736393737343431343132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313635373438313234372c313739353934393333323033333438363638385d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c392c31375d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b22687474702e737461747573222c22696e74222c22687474702e737461747573222c342c3230302c3231325d2c5b2275736572222c22696e74222c227573657223696e74222c362c302c31305d2c5b225f706f736974696f6e222c22696e74222c225f706f736974696f6e222c302c312c31355d2c5b225f74656d706c617465222c2274657874222c225f74656d706c617465222c302c6e756c6c2c6e756c6c5d5d7d001820706172717565742d6370702d6172726f772076657273696f6e2032362e302e31199c1c00001c00001c00001c00001c00001c00001c00001c00001c0000009206000050415231', 7);
INSERT INTO cordwood.segment_file_7 VALUES (18, '\x50415231150015e804159c012c1510150a150615061c1808152351c308cf8f1818081517da8005cf8f1816002808152351c308cf8f1818081517da8005cf8f18111100000028b52ffd603400250200c40302000000100180020408aaacfd80bfc1e78f31ffafb8a768230000000034e23004a0118721008d380c010000000040230e43001a711802d088c3100001005ca7001415001588041592012c1510150a150615061c18087037adf3667eec181808c110d7de667eec18160028087037adf3667eec181808c110d7de667eec18111100000028b52ffd600400fd0100740302000000100180020408b0db9ebedc99bfec31dd9ab1cd021d0000001a03ba7bb2e730e34f2a64000000e0c21de5b7df52733bc33906000100a7a4001415041518152a4c1506150012000028b52ffd200c61000009000000110000000d0000001500151415262c15101510150615061c3600280411000000180409000000111100000028b52ffd200a510000020000001001020324491504152215344c1504150012000028b52ffd2011890000050000006c6f67696e0400000073686f701500151215242c15101510150615061c3600280473686f7018056c6f67696e111100000028b52ffd20094900000200000010010103f0150015fe0215d8012c1510150c150615061c3600281472657175657374203920746f6f6b203633206d73181372657175657374203120746f6f6b2037206d73111100000028b52ffd20bf1d0300d4030200000010018001040828050300000023c1110072657175657374203320746f6f6b203231206d73373439313137373531303533393633313931206d730f001293c54d8360604a71592a03a6388001e4e403860b38c6393030080673935c04b80315001570154a2c1510150a150615061c180810000000000000001808020000000000000016002808100000000000000018080200000000000000111100000028b52ffd2038e50000b002000000100180020408081b05000000524a20a5040001001cd0041504153615484c1502150012000028b52ffd201bd900001700000072657175657374203c2a3e20746f6f6b203c2a3e206d731500151215242c15101510150615061c3600281772657175657374203c2a3e20746f6f6b203c2a3e206d73181772657175657374203c2a3e20746f6f6b203c2a3e206d73111100000028b52ffd20094900000200000010010110001500155615682c1510150c150615061c360e2820346266393266333537376233346461366133636539323964306530653437333618203462663932663335373762333464613661336365393239643065306534373336111100000028b52ffd202b590100020000000301800104014034626639326633353737623334646136613363653932396430653065343733361500153a154c2c1510150c150615061c360c2806757365722d351807757365722d3135111100000028b52ffd201de90000020000000328800104020e0100000000757365722d3135757365722d35150419ac35001806736368656d6115120015042502180974696d657374616d706c8c121c3c00000000001504250218126f627365727665645f74696d657374616d706c8c121c3c0000000000150225021808736576657269747925164cac130812000000150c250218077365727669636525004c1c000000150c250218076d65737361676525004c1c0000001504250218095f706f736974696f6e00150c250218095f74656d706c61746525004c1c000000150c2502180874726163655f696425004c1c000000150c2502180975736572237465787425004c1c0000001610191c199c26001c15041925060a19180974696d657374616d70150c161016ea05169e0226083c1808152351c308cf8f1818081517da8005cf8f1816002808152351c308cf8f1818081517da8005cf8f18111100191c1500150a1502003c29061926001000000026001c15041925060a1918126f627365727665645f74696d657374616d70150c1610168a0516940226a6023c18087037adf3667eec181808c110d7de667eec18160028087037adf3667eec181808c110d7de667eec18111100191c1500150a1502003c29061926001000000026001c150219350006101918087365766572697479150c1610168e0116b20126800526ba041c3600280411000000180409000000111100192c15041500150200150015101502003c29061926001000000026001c150c193500061019180773657276696365150c161016980116bc0126bc0626ec051c3600280473686f7018056c6f67696e111100192c15041500150200150015101502003c164819061926001000000026001c150c1925060c1918076d657373616765150c161016860416e00226a8073c3600281472657175657374203920746f6f6b203633206d73181372657175657374203120746f6f6b2037206d73111100191c1500150c1502003c16c60219061926001000000026001c15041925060a1918095f706f736974696f6e150c161016ee0116c80126880a3c180810000000000000001808020000000000000016002808100000000000000018080200000000000000111100191c1500150a1502003c29061926001000000026001c150c19350006101918095f74656d706c617465150c161016f601169a0226b40c26d00b1c3600281772657175657374203c2a3e20746f6f6b203c2a3e206d73181772657175657374203c2a3e20746f6f6b203c2a3e206d73111100192c15041500150200150015101502003c16f00219061926001000000026001c150c1925060c19180874726163655f6964150c1610168c02169e0226ea0d3c360e2820346266393266333537376233346461366133636539323964306530653437333618203462663932663335373762333464613661336365393239643065306534373336111100191c1500150c1502003c1640190619260e0200000026001c150c1925060c191809757365722374657874150c1610168a01169c012688103c360c2806757365722d351807757365722d3135111100191c1500150c1502003c161a190619260c04000000169a1816102608169c1100191c1808636f7264776f6f6418e4037b2276657273696f6e223a312c22636f6c756d6e73223a5b5b2274696d657374616d70222c2274696d65222c2274696d657374616d70222c302c313736393836303830313132333435363738392c313736393836303831353132333435363738395d2c5b226f627365727665645f74696d657374616d70222c2274696d65222c226f627365727665645f74696d657374616d70222c302c313739353934393333313730343338353732392c313739353934393333323035333936343635365d2c5b227365766572697479222c227365766572697479222c227365766572697479222c302c392c31375d2c5b2273657276696365222c2274657874222c2273657276696365222c302c6e756c6c2c6e756c6c5d2c5b226d657373616765222c2274657874222c226d657373616765222c302c6e756c6c2c6e756c6c5d2c5b225f706f736974696f6e222c22696e74222c225f706f736974696f6e222c302c322c31365d2c5b225f74656d706c617465222c2274657874222c225f74656d706c617465222c302c6e756c6c2c6e756c6c5d2c5b2274726163655f6964222c2274657874222c2274726163655f6964222c372c6e756c6c2c6e756c6c5d2c5b2275736572222c2274657874222c22757365722374657874222c362c6e756c6c2c6e756c6c5d5d7d001820706172717565742d6370702d6172726f772076657273696f6e2032362e302e31199c1c00001c00001c00001c00001c00001c00001c00001c00001c000000a706000050415231', 7);
INSERT INTO cordwood.segment_log VALUES (1, 20, '2026-11-29', 944);
INSERT INTO cordwood.segment_log VALUES (2, 0, '-infinity', 0);
INSERT INTO cordwood.segment_part VALUES (1, 'commit', true);
INSERT INTO cordwood.segment_part VALUES (2, 'commit', false);
INSERT INTO cordwood.segment_part VALUES (3, 'commit', false);
INSERT INTO cordwood.segment_part VALUES (4, 'commit', false);
INSERT INTO cordwood.segment_part VALUES (5, 'commit', false);
INSERT INTO cordwood.segment_part VALUES (6, 'commit', false);
INSERT INTO cordwood.segment_part VALUES (26, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (12, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (27, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (23, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (24, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (11, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (8, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (19, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (25, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (29, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (30, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (21, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (0, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (14, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (17, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (28, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (22, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (20, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (13, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (10, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (9, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (7, 'merged', true);
INSERT INTO cordwood.segment_part VALUES (18, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (16, 'merged', false);
INSERT INTO cordwood.segment_part VALUES (15, 'merged', false);
INSERT INTO cordwood.signing_key VALUES (true, '\xcbf3fbd23ab846afbaace29bc05d0e38b1d33066fb714476b6ec74a25ffe5476');
INSERT INTO cordwood.user_account OVERRIDING SYSTEM VALUE VALUES (1, 'ann@example.org', '$argon2id$v=19$m=65536,t=3,p=4$1XIXe0f3gG3MTxJKEn4mjw$d1zCEfm8uPAsuowXNF+tlxtA9ggB9BFlN3WyBsgzzr8', '2026-11-29 10:48:52.192283+00', NULL, 1, 'admin', false, NULL, false);
SELECT pg_catalog.setval('cordwood.api_token_id_seq', 1, true);
SELECT pg_catalog.setval('cordwood.audit_id_seq', 4, true);
SELECT pg_catalog.setval('cordwood.dashboard_id_seq', 1, false);
SELECT pg_catalog.setval('cordwood.deletion_id_seq', 1, true);
SELECT pg_catalog.setval('cordwood.forget_ticket', 1, false);
SELECT pg_catalog.setval('cordwood.incident_id_seq', 1, true);
SELECT pg_catalog.setval('cordwood.ingest_error_id_seq', 1, true);
SELECT pg_catalog.setval('cordwood.lookup_table_id_seq', 1, true);
SELECT pg_catalog.setval('cordwood.metric_series_id_seq', 1, false);
SELECT pg_catalog.setval('cordwood.notification_id_seq', 1, true);
SELECT pg_catalog.setval('cordwood.passkey_id_seq', 1, false);
SELECT pg_catalog.setval('cordwood.project_id_seq', 2, true);
SELECT pg_catalog.setval('cordwood.report_delivery_id_seq', 1, false);
SELECT pg_catalog.setval('cordwood.report_issue_id_seq', 1, false);
SELECT pg_catalog.setval('cordwood.role_id_seq', 1, false);
SELECT pg_catalog.setval('cordwood.saved_query_id_seq', 1, false);
SELECT pg_catalog.setval('cordwood.segment_id', 22, true);
SELECT pg_catalog.setval('cordwood.session_id_seq', 1, false);
SELECT pg_catalog.setval('cordwood.silence_id_seq', 1, false);
SELECT pg_catalog.setval('cordwood.user_account_id_seq', 1, true);
ALTER TABLE ONLY cordwood.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY cordwood.api_token
    ADD CONSTRAINT api_token_hash_key UNIQUE (hash);
ALTER TABLE ONLY cordwood.api_token
    ADD CONSTRAINT api_token_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.audit
    ADD CONSTRAINT audit_seq_key UNIQUE (seq);
ALTER TABLE ONLY cordwood.checkpoint
    ADD CONSTRAINT checkpoint_pkey PRIMARY KEY (source, key);
ALTER TABLE ONLY cordwood.dashboard
    ADD CONSTRAINT dashboard_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.dashboard
    ADD CONSTRAINT dashboard_project_id_name_key UNIQUE (project_id, name);
ALTER TABLE ONLY cordwood.deletion
    ADD CONSTRAINT deletion_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.detector_memory
    ADD CONSTRAINT detector_memory_pkey PRIMARY KEY (project_id, detector, key);
ALTER TABLE ONLY cordwood.detector_state
    ADD CONSTRAINT detector_state_pkey PRIMARY KEY (project_id, name);
ALTER TABLE ONLY cordwood.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (project_id, key);
ALTER TABLE ONLY cordwood.incident
    ADD CONSTRAINT incident_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.ingest_error
    ADD CONSTRAINT ingest_error_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.ingest_error_usage
    ADD CONSTRAINT ingest_error_usage_pkey PRIMARY KEY (project_id);
ALTER TABLE ONLY cordwood.lookup_table
    ADD CONSTRAINT lookup_table_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.lookup_table
    ADD CONSTRAINT lookup_table_project_id_name_version_key UNIQUE (project_id, name, version);
ALTER TABLE ONLY cordwood.metric_sample
    ADD CONSTRAINT metric_sample_pkey PRIMARY KEY (series_id, at);
ALTER TABLE ONLY cordwood.metric_series
    ADD CONSTRAINT metric_series_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.metric_series
    ADD CONSTRAINT metric_series_project_id_recording_digest_key UNIQUE (project_id, recording, digest);
ALTER TABLE ONLY cordwood.notification
    ADD CONSTRAINT notification_delivery_id_key UNIQUE (delivery_id);
ALTER TABLE ONLY cordwood.notification
    ADD CONSTRAINT notification_incident_id_notifier_event_key UNIQUE (incident_id, notifier, event);
ALTER TABLE ONLY cordwood.notification
    ADD CONSTRAINT notification_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.output_state
    ADD CONSTRAINT output_state_pkey PRIMARY KEY (project_id, name);
ALTER TABLE ONLY cordwood.passkey_challenge
    ADD CONSTRAINT passkey_challenge_pkey PRIMARY KEY (challenge);
ALTER TABLE ONLY cordwood.passkey
    ADD CONSTRAINT passkey_credential_id_key UNIQUE (credential_id);
ALTER TABLE ONLY cordwood.passkey
    ADD CONSTRAINT passkey_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.project
    ADD CONSTRAINT project_name_key UNIQUE (name);
ALTER TABLE ONLY cordwood.project
    ADD CONSTRAINT project_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.recording_state
    ADD CONSTRAINT recording_state_pkey PRIMARY KEY (project_id, name);
ALTER TABLE ONLY cordwood.report_delivery
    ADD CONSTRAINT report_delivery_delivery_id_key UNIQUE (delivery_id);
ALTER TABLE ONLY cordwood.report_delivery
    ADD CONSTRAINT report_delivery_issue_id_notifier_key UNIQUE (issue_id, notifier);
ALTER TABLE ONLY cordwood.report_delivery
    ADD CONSTRAINT report_delivery_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.report_issue
    ADD CONSTRAINT report_issue_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.report_issue
    ADD CONSTRAINT report_issue_project_id_report_due_at_key UNIQUE (project_id, report, due_at);
ALTER TABLE ONLY cordwood.report_state
    ADD CONSTRAINT report_state_pkey PRIMARY KEY (project_id, name);
ALTER TABLE ONLY cordwood.role
    ADD CONSTRAINT role_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.role
    ADD CONSTRAINT role_project_id_name_key UNIQUE (project_id, name);
ALTER TABLE ONLY cordwood.saved_query
    ADD CONSTRAINT saved_query_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.saved_query
    ADD CONSTRAINT saved_query_project_id_name_key UNIQUE (project_id, name);
ALTER TABLE ONLY cordwood.segment_checked
    ADD CONSTRAINT segment_checked_pkey PRIMARY KEY (job, segment_id);
ALTER TABLE ONLY cordwood.segment_file
    ADD CONSTRAINT segment_file_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_0
    ADD CONSTRAINT segment_file_0_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_10
    ADD CONSTRAINT segment_file_10_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_11
    ADD CONSTRAINT segment_file_11_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_12
    ADD CONSTRAINT segment_file_12_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_13
    ADD CONSTRAINT segment_file_13_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_14
    ADD CONSTRAINT segment_file_14_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_15
    ADD CONSTRAINT segment_file_15_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_16
    ADD CONSTRAINT segment_file_16_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_17
    ADD CONSTRAINT segment_file_17_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_18
    ADD CONSTRAINT segment_file_18_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_19
    ADD CONSTRAINT segment_file_19_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_1
    ADD CONSTRAINT segment_file_1_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_20
    ADD CONSTRAINT segment_file_20_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_21
    ADD CONSTRAINT segment_file_21_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_22
    ADD CONSTRAINT segment_file_22_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_23
    ADD CONSTRAINT segment_file_23_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_24
    ADD CONSTRAINT segment_file_24_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_25
    ADD CONSTRAINT segment_file_25_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_26
    ADD CONSTRAINT segment_file_26_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_27
    ADD CONSTRAINT segment_file_27_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_28
    ADD CONSTRAINT segment_file_28_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_29
    ADD CONSTRAINT segment_file_29_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_2
    ADD CONSTRAINT segment_file_2_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_30
    ADD CONSTRAINT segment_file_30_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_3
    ADD CONSTRAINT segment_file_3_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_4
    ADD CONSTRAINT segment_file_4_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_5
    ADD CONSTRAINT segment_file_5_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_6
    ADD CONSTRAINT segment_file_6_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_7
    ADD CONSTRAINT segment_file_7_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_8
    ADD CONSTRAINT segment_file_8_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_file_9
    ADD CONSTRAINT segment_file_9_pkey PRIMARY KEY (segment_id, part);
ALTER TABLE ONLY cordwood.segment_log
    ADD CONSTRAINT segment_log_pkey PRIMARY KEY (project_id);
ALTER TABLE ONLY cordwood.segment_part
    ADD CONSTRAINT segment_part_pkey PRIMARY KEY (part);
ALTER TABLE ONLY cordwood.segment
    ADD CONSTRAINT segment_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.session
    ADD CONSTRAINT session_id_key UNIQUE (id);
ALTER TABLE ONLY cordwood.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY cordwood.signing_key
    ADD CONSTRAINT signing_key_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.silence
    ADD CONSTRAINT silence_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.store_node
    ADD CONSTRAINT store_node_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.stray_object
    ADD CONSTRAINT stray_object_pkey PRIMARY KEY (place, object);
ALTER TABLE ONLY cordwood.totp
    ADD CONSTRAINT totp_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY cordwood.user_account
    ADD CONSTRAINT user_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY cordwood.user_identity
    ADD CONSTRAINT user_identity_pkey PRIMARY KEY (issuer, subject);
CREATE INDEX audit_project ON cordwood.audit USING btree (project_id, id);
CREATE INDEX deletion_running ON cordwood.deletion USING btree (id) WHERE (state = 'running'::text);
CREATE INDEX detector_memory_by_age ON cordwood.detector_memory USING btree (project_id, detector, last);
CREATE INDEX idempotency_key_by_age ON cordwood.idempotency_key USING btree (created_at);
CREATE INDEX incident_by_detector ON cordwood.incident USING btree (project_id, detector, id DESC);
CREATE INDEX incident_by_key ON cordwood.incident USING btree (project_id, dedup_key, to_time);
CREATE UNIQUE INDEX incident_open ON cordwood.incident USING btree (project_id, dedup_key) WHERE (state <> 'resolved'::text);
CREATE INDEX incident_suppressed ON cordwood.incident USING btree (suppressed_by) WHERE (suppressed_by IS NOT NULL);
CREATE INDEX ingest_error_project_id_id_idx ON cordwood.ingest_error USING btree (project_id, id);
CREATE INDEX notification_due ON cordwood.notification USING btree (project_id, notifier, next_attempt_at) WHERE (status = 'pending'::text);
CREATE INDEX passkey_challenge_expires_at ON cordwood.passkey_challenge USING btree (expires_at);
CREATE INDEX passkey_user_id ON cordwood.passkey USING btree (user_id);
CREATE INDEX report_delivery_due ON cordwood.report_delivery USING btree (notifier, next_attempt_at) WHERE (status = 'pending'::text);
CREATE INDEX report_issue_by_report ON cordwood.report_issue USING btree (project_id, report, id DESC);
CREATE INDEX segment_by_part ON cordwood.segment USING btree (part);
CREATE INDEX segment_by_place ON cordwood.segment USING btree (place) WHERE (place <> 'postgresql'::text);
CREATE INDEX segment_by_position ON cordwood.segment USING btree (project_id, max_position) WHERE (replaced_at IS NULL);
CREATE INDEX segment_by_time ON cordwood.segment USING btree (project_id, max_time DESC) WHERE (replaced_at IS NULL);
CREATE UNIQUE INDEX segment_part_current ON cordwood.segment_part USING btree (kind) WHERE current;
CREATE INDEX segment_replaced ON cordwood.segment USING btree (replaced_at) WHERE (replaced_at IS NOT NULL);
CREATE INDEX session_expires_at ON cordwood.session USING btree (expires_at);
CREATE INDEX session_user_id ON cordwood.session USING btree (user_id);
CREATE INDEX silence_by_end ON cordwood.silence USING btree (project_id, until);
CREATE UNIQUE INDEX user_account_email ON cordwood.user_account USING btree (lower(email));
CREATE INDEX user_identity_user_id ON cordwood.user_identity USING btree (user_id);
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_0_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_10_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_11_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_12_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_13_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_14_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_15_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_16_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_17_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_18_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_19_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_1_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_20_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_21_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_22_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_23_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_24_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_25_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_26_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_27_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_28_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_29_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_2_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_30_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_3_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_4_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_5_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_6_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_7_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_8_pkey;
ALTER INDEX cordwood.segment_file_pkey ATTACH PARTITION cordwood.segment_file_9_pkey;
CREATE CONSTRAINT TRIGGER audit_seals AFTER INSERT ON cordwood.audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.hash IS NULL)) EXECUTE FUNCTION cordwood.audit_seal();
ALTER TABLE ONLY cordwood.api_token
    ADD CONSTRAINT api_token_account_id_fkey FOREIGN KEY (account_id) REFERENCES cordwood.user_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY cordwood.api_token
    ADD CONSTRAINT api_token_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.audit
    ADD CONSTRAINT audit_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.dashboard
    ADD CONSTRAINT dashboard_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.deletion
    ADD CONSTRAINT deletion_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.detector_memory
    ADD CONSTRAINT detector_memory_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.detector_state
    ADD CONSTRAINT detector_state_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.idempotency_key
    ADD CONSTRAINT idempotency_key_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.incident
    ADD CONSTRAINT incident_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.ingest_error
    ADD CONSTRAINT ingest_error_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.ingest_error_usage
    ADD CONSTRAINT ingest_error_usage_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.lookup_table
    ADD CONSTRAINT lookup_table_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.metric_sample
    ADD CONSTRAINT metric_sample_series_id_fkey FOREIGN KEY (series_id) REFERENCES cordwood.metric_series(id) ON DELETE CASCADE;
ALTER TABLE ONLY cordwood.metric_series
    ADD CONSTRAINT metric_series_project_id_recording_fkey FOREIGN KEY (project_id, recording) REFERENCES cordwood.recording_state(project_id, name) ON DELETE CASCADE;
ALTER TABLE ONLY cordwood.notification
    ADD CONSTRAINT notification_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES cordwood.incident(id) ON DELETE CASCADE;
ALTER TABLE ONLY cordwood.notification
    ADD CONSTRAINT notification_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.output_state
    ADD CONSTRAINT output_state_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.passkey_challenge
    ADD CONSTRAINT passkey_challenge_user_id_fkey FOREIGN KEY (user_id) REFERENCES cordwood.user_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY cordwood.passkey
    ADD CONSTRAINT passkey_user_id_fkey FOREIGN KEY (user_id) REFERENCES cordwood.user_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY cordwood.recording_state
    ADD CONSTRAINT recording_state_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.report_delivery
    ADD CONSTRAINT report_delivery_issue_id_fkey FOREIGN KEY (issue_id) REFERENCES cordwood.report_issue(id) ON DELETE CASCADE;
ALTER TABLE ONLY cordwood.report_issue
    ADD CONSTRAINT report_issue_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.report_state
    ADD CONSTRAINT report_state_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.role
    ADD CONSTRAINT role_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.saved_query
    ADD CONSTRAINT saved_query_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.segment_log
    ADD CONSTRAINT segment_log_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.segment
    ADD CONSTRAINT segment_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.session
    ADD CONSTRAINT session_user_id_fkey FOREIGN KEY (user_id) REFERENCES cordwood.user_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY cordwood.silence
    ADD CONSTRAINT silence_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.totp
    ADD CONSTRAINT totp_user_id_fkey FOREIGN KEY (user_id) REFERENCES cordwood.user_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY cordwood.user_account
    ADD CONSTRAINT user_account_project_id_fkey FOREIGN KEY (project_id) REFERENCES cordwood.project(id);
ALTER TABLE ONLY cordwood.user_identity
    ADD CONSTRAINT user_identity_user_id_fkey FOREIGN KEY (user_id) REFERENCES cordwood.user_account(id) ON DELETE CASCADE;
