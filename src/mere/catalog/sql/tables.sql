-- Mere's own tables in one database: the map from shells (empty PostgreSQL tables) to DuckLake tables, and what a
-- commit needs. All belong to mere_super; users reach them only through functions. Installed by bootstrap, idempotent.

CREATE SCHEMA IF NOT EXISTS mere;

-- The state last committed to the lake, plus ids that this transaction's DDL gave out. A row whose relid is no longer
-- in pg_class belongs to a dropped table: mere.commit() ends it in the lake and deletes it here.
CREATE TABLE IF NOT EXISTS mere.shell (
    relid       oid PRIMARY KEY,
    table_id    bigint UNIQUE,                  -- DuckLake's; null until the CREATE is committed
    table_uuid  uuid NOT NULL DEFAULT gen_random_uuid(),
    path        text NOT NULL,                  -- prefix of the table's files under the schema's path, ends with '/'
    schema_name text NOT NULL,                  -- as last committed (as created, while table_id is null)
    table_name  text NOT NULL,
    policy      text NOT NULL DEFAULT 'random' CHECK (policy IN ('hash', 'random', 'replicated')),
    keys        int2[] NOT NULL DEFAULT '{}',   -- attnums
    buckets     int NOT NULL DEFAULT 0,
    column_ids  int NOT NULL DEFAULT 0          -- high-water mark of the column ids given out
) USING heap;

-- Of a partition: what is known of its rows, one condition each (see mere.bounds).
ALTER TABLE mere.shell ADD COLUMN IF NOT EXISTS bounds text[] NOT NULL DEFAULT '{}';

-- Partitioned tables of the lake for which DISTRIBUTED BY was said: partitions made later get it too.
CREATE TABLE IF NOT EXISTS mere.partitioned (
    relid   oid PRIMARY KEY,
    policy  text NOT NULL,
    keys    int2[] NOT NULL,                    -- attnums of the partitioned table
    buckets int NOT NULL
) USING heap;

-- One row per live column, as last committed; a column that this transaction added has committed = false, and
-- name, type, ... as when it was added. mere.commit() reads what is true now from pg_attribute.
CREATE TABLE IF NOT EXISTS mere.shell_column (
    relid           oid NOT NULL,
    attnum          int2 NOT NULL,
    column_id       bigint NOT NULL,            -- DuckLake column id = Parquet field id
    element_id      bigint,                     -- of an array's element, else null
    name            text NOT NULL,
    type            oid NOT NULL,
    typmod          int NOT NULL,
    not_null        bool NOT NULL,
    default_literal text,                       -- a constant default, as DuckDB writes the value; null: none or not constant
    initial_default text,                       -- what rows older than the column have, same form; null: NULL
    committed       bool NOT NULL DEFAULT false,
    PRIMARY KEY (relid, attnum)
) USING heap;

-- 'DDL happened in this transaction.' Written by the event triggers, consumed (DELETE) by mere.commit(); the deferred
-- trigger of backstop.sql refuses a COMMIT that did not pass through mere.commit().
CREATE UNLOGGED TABLE IF NOT EXISTS mere.pending (
    xid   xid8 PRIMARY KEY,
    rearm int NOT NULL DEFAULT 0
) USING heap;

-- The gateway proves itself: only mere_gateway may insert. mere.commit() takes its message by DELETE ... RETURNING.
CREATE UNLOGGED TABLE IF NOT EXISTS mere.ticket (
    xid     xid8 PRIMARY KEY,
    message jsonb NOT NULL
) USING heap;

-- The same for DDL: the gateway has validated, for this transaction, that this table's data satisfies the change.
CREATE UNLOGGED TABLE IF NOT EXISTS mere.ddl_ticket (
    xid   xid8 NOT NULL,
    relid oid NOT NULL,
    PRIMARY KEY (xid, relid)
) USING heap;

-- LOCK TABLE mere.commit_lock IN EXCLUSIVE MODE, inside definer functions only (advisory locks are anybody's).
CREATE TABLE IF NOT EXISTS mere.commit_lock () USING heap;

-- Written by the gateway when a transaction first writes files of a table: PostgreSQL cannot see them otherwise.
CREATE UNLOGGED TABLE IF NOT EXISTS mere.written (
    xid   xid8 NOT NULL,
    relid oid NOT NULL,
    PRIMARY KEY (xid, relid)
) USING heap;

-- Constraints that were announced (keys) or found to hold for the data there is (checks).
CREATE TABLE IF NOT EXISTS mere.shell_constraint (
    constraint_oid oid PRIMARY KEY,
    relid          oid NOT NULL
) USING heap;

-- Digest of the SQL that was installed here last.
CREATE TABLE IF NOT EXISTS mere.installed (digest text NOT NULL) USING heap;
