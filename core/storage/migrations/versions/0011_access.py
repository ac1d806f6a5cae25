"""Roles of one's own, service accounts, keys for browsers, ways to sign in, a sealed audit log, escalation."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    # Roles that an administrator made. `search` and `masks` are what it sees of the events (core/query/rights.py).
    """
    create table role (
        id bigint generated always as identity primary key,
        project_id integer not null references project,
        name text not null,
        permissions text[] not null check (permissions <@ array['query', 'ingest', 'edit', 'operate', 'admin']),
        search text not null default '',
        -- [{"field": …, "how": "stars" or "hash"}]
        masks jsonb not null default '[]',
        -- Goes into the hashes of masked values: nobody can try values.
        salt text not null,
        version integer not null default 1,
        changed_at timestamptz not null default now(),
        changed_by text not null,
        unique (project_id, name)
    )
    """,
    "alter table user_account drop constraint user_account_role_check",
    # A service account is a program's: it has tokens and no password.
    "alter table user_account alter column password_hash drop not null",
    "alter table user_account add column is_service boolean not null default false",
    # The service account that a token is of; the pages whose scripts may send with it (empty: programs alone do).
    "alter table api_token add column account_id bigint references user_account on delete cascade",
    "alter table api_token add column origins text[] not null default '{}'",
    # Where a browser is in which somebody is signed in, for the list that they see.
    "alter table session add column id bigint generated always as identity unique",
    "alter table session add column client text not null default ''",
    "alter table session add column agent text not null default ''",
    "alter table session add column seen_at timestamptz not null default now()",
    "create index session_user_id on session (user_id)",
    # Each entry of the audit log seals the one before it, in the order in which they were committed.
    "alter table audit add column seq bigint unique",
    "alter table audit add column hash bytea",
    """
    create function audit_digest(entry audit, before bytea) returns bytea language sql stable as $$
        select sha256(before || convert_to(jsonb_build_array(
            entry.seq, entry.id, to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
            entry.who, entry.what, entry.project_id, entry.details)::text, 'UTF8'))
    $$
    """,
    # At the commit, and one at a time: a transaction waits here for no lock that another could hold.
    """
    create function audit_seal() returns trigger language plpgsql as $$
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
    $$
    """,
    """
    do $$
    declare
        entry audit;
        last bytea := '';
        number bigint := 0;
    begin
        for entry in select * from audit order by id loop
            number := number + 1;
            entry.seq := number;
            last := audit_digest(entry, last);
            update audit set seq = number, hash = last where id = entry.id;
        end loop;
    end
    $$
    """,
    """
    create constraint trigger audit_seals after insert on audit deferrable initially deferred
        for each row when (new.hash is null) execute function audit_seal()
    """,
    "alter table notification drop constraint notification_event_check",
    # Of incidents that nobody acknowledged.
    """
    alter table notification add constraint notification_event_check
        check (event in ('opened', 'escalated', 'resolved'))
    """,
    # Who somebody is at a provider of OpenID Connect.
    """
    create table user_identity (
        issuer text not null,
        subject text not null,
        user_id bigint not null references user_account on delete cascade,
        created_at timestamptz not null default now(),
        primary key (issuer, subject)
    )
    """,
    "create index user_identity_user_id on user_identity (user_id)",
    # The public half of a key that a device holds (WebAuthn).
    """
    create table passkey (
        id bigint generated always as identity primary key,
        user_id bigint not null references user_account on delete cascade,
        credential_id bytea not null unique,
        public_key bytea not null,
        sign_count bigint not null,
        name text not null,
        created_at timestamptz not null default now(),
        used_at timestamptz
    )
    """,
    "create index passkey_user_id on passkey (user_id)",
    # What waits for the answer of a device; `user_id`: of somebody who adds a passkey.
    """
    create table passkey_challenge (
        challenge bytea primary key,
        user_id bigint references user_account on delete cascade,
        expires_at timestamptz not null
    )
    """,
    # A secret shared with an authenticator app, encrypted where there is a key; `last_step`: no code counts twice.
    """
    create table totp (
        user_id bigint primary key references user_account on delete cascade,
        secret bytea not null,
        confirmed boolean not null default false,
        last_step bigint not null default 0,
        -- SHA-256 of the recovery codes that are left.
        recovery bytea[] not null default '{}'
    )
    """,
    "create index passkey_challenge_expires_at on passkey_challenge (expires_at)",
)


def upgrade() -> None:
    """Add the tables and columns."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
