-- What maintenance did, kept in the catalog so that it outlives the server, and what SQL may ask of it. The gateway's
-- own role notes each step; users see those of tables that they may read or maintain.

CREATE TABLE IF NOT EXISTS mere.maintenance_step (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run            uuid NOT NULL,
    origin         text NOT NULL,               -- schedule, command (mere maintain), sql, vacuum
    dry_run        bool NOT NULL,
    kind           text NOT NULL,               -- flush, merge, rewrite, expire, delete, orphans
    relid          oid,                         -- null: of the whole database
    relation       text,                        -- its name then
    rows_flushed   bigint NOT NULL,
    files_replaced bigint NOT NULL,
    files_written  bigint NOT NULL,
    gave_way       bigint NOT NULL,
    snapshots      bigint NOT NULL,
    files_deleted  bigint NOT NULL,
    bytes_deleted  bigint NOT NULL,
    started        timestamptz NOT NULL,
    duration       interval NOT NULL,
    error          text
) USING heap;

-- The last ten thousand steps are kept.
CREATE OR REPLACE FUNCTION mere.note_maintenance(step jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    noted bigint;
BEGIN
    INSERT INTO mere.maintenance_step (run, origin, dry_run, kind, relid, relation, rows_flushed, files_replaced,
        files_written, gave_way, snapshots, files_deleted, bytes_deleted, started, duration, error)
    SELECT s.run, s.origin, s.dry_run, s.kind, s.relid, s.relation, s.rows_flushed, s.files_replaced, s.files_written,
           s.gave_way, s.snapshots, s.files_deleted, s.bytes_deleted, s.started, make_interval(secs => s.seconds), s.error
    FROM jsonb_to_record(step) AS s (run uuid, origin text, dry_run bool, kind text, relid oid, relation text,
        rows_flushed bigint, files_replaced bigint, files_written bigint, gave_way bigint, snapshots bigint,
        files_deleted bigint, bytes_deleted bigint, started timestamptz, seconds float8, error text)
    RETURNING id INTO noted;
    DELETE FROM mere.maintenance_step WHERE id <= noted - 10000;
END $$;

-- Who may maintain everything, and see everything about it: the administrator, and members of pg_maintain.
CREATE OR REPLACE FUNCTION mere.maintains_all() RETURNS bool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN pg_has_role(mere.acting_role(), 'mere', 'USAGE') OR pg_has_role(mere.acting_role(), 'pg_maintain', 'USAGE');
END $$;

CREATE OR REPLACE FUNCTION mere.may_maintain(relation oid) RETURNS bool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN has_table_privilege(mere.acting_role(), relation, 'MAINTAIN') OR mere.maintains_all();
END $$;

CREATE OR REPLACE FUNCTION mere.list_maintenance()
RETURNS TABLE (started timestamptz, duration interval, origin text, kind text, relation text, rows_flushed bigint,
    files_replaced bigint, files_written bigint, gave_way bigint, snapshots bigint, files_deleted bigint,
    bytes_deleted bigint, error text, run uuid, dry_run bool, id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    everything bool := mere.maintains_all();
BEGIN
    RETURN QUERY SELECT s.started, s.duration, s.origin, s.kind, s.relation, s.rows_flushed, s.files_replaced,
        s.files_written, s.gave_way, s.snapshots, s.files_deleted, s.bytes_deleted, s.error, s.run, s.dry_run, s.id
    FROM mere.maintenance_step AS s
    WHERE everything OR s.relid IS NULL OR has_table_privilege(mere.acting_role(), s.relid, 'SELECT')
       OR has_table_privilege(mere.acting_role(), s.relid, 'MAINTAIN');
END $$;

CREATE OR REPLACE VIEW mere.maintenance_log AS
SELECT current_database() AS database, l.* FROM mere.list_maintenance() AS l WHERE NOT l.dry_run ORDER BY l.id;

-- What a call of mere.maintain() asks for, once its arguments are known to be right and the role to have the right. The
-- gateway asks, does it, and then lets the statement run: mere.maintain() itself only tells what was done.
CREATE OR REPLACE FUNCTION mere.maintenance_request(relation regclass DEFAULT NULL, kinds text[] DEFAULT NULL, dry_run bool DEFAULT false,
    OUT relations oid[], OUT wanted text[], OUT dry bool)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known CONSTANT text[] := '{flush,merge,rewrite,expire,delete,orphans}';
    of_tables CONSTANT text[] := '{flush,merge,rewrite}';
    wrong text := (SELECT k FROM unnest(kinds) AS k WHERE k IS NULL OR k <> ALL (known) LIMIT 1);
BEGIN
    dry := coalesce(dry_run, false);
    wanted := coalesce(kinds, CASE WHEN relation IS NULL THEN known ELSE of_tables END);
    IF NOT wanted <@ known THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('there is no maintenance of kind %L', coalesce(wrong, 'NULL')),
            HINT = 'The kinds are ' || array_to_string(known, ', ') || '.';
    ELSIF relation IS NULL AND NOT mere.maintains_all() THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'permission denied to maintain the whole database',
            HINT = 'Name a table, or have the role pg_maintain.';
    ELSIF relation IS NULL THEN
        RETURN;
    ELSIF NOT wanted <@ of_tables THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'expire, delete and orphans are for a whole database, not for a table';
    END IF;
    relations := mere.maintained_relations(relation);
    IF relations = '{}' THEN
        RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = format('%s is not a lake table', relation),
            HINT = 'VACUUM is for tables of PostgreSQL.';
    ELSIF NOT mere.may_maintain(relation) THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = format('permission denied for table %s',
            (SELECT relname FROM pg_class WHERE oid = relation));
    END IF;
END $$;

-- A lake table, a materialized view, or the partitions of a partitioned table.
CREATE OR REPLACE FUNCTION mere.maintained_relations(relation oid) RETURNS oid[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(s.relid ORDER BY s.relid), '{}') FROM mere.shell AS s
    WHERE s.table_id IS NOT NULL AND (s.relid = relation OR s.relid IN (SELECT p.relid FROM pg_partition_tree(relation) AS p))
$$;

-- For VACUUM: the lake tables below a relation, or all, and whether the role may maintain it.
CREATE OR REPLACE FUNCTION mere.vacuumed(relation oid, OUT relations oid[], OUT allowed bool)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF relation IS NOT NULL THEN
        relations := mere.maintained_relations(relation);
        allowed := mere.may_maintain(relation);
        RETURN;
    END IF;
    SELECT coalesce(array_agg(s.relid ORDER BY s.relid), '{}') INTO relations FROM mere.shell AS s
    WHERE s.table_id IS NOT NULL AND mere.may_maintain(s.relid);
    allowed := true;
END $$;

CREATE OR REPLACE FUNCTION mere.maintain(relation regclass DEFAULT NULL, kinds text[] DEFAULT NULL, dry_run bool DEFAULT false)
RETURNS TABLE (kind text, of_relation text, rows_flushed bigint, files_replaced bigint, files_written bigint, gave_way bigint,
    snapshots bigint, files_deleted bigint, bytes_deleted bigint, duration interval, error text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    done text := nullif(current_setting('mere.maintenance_run', true), '');
BEGIN
    IF done IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'mere.maintain() runs only in a query of its own',
            HINT = 'Write SELECT * FROM mere.maintain(), outside of functions and transactions.';
    END IF;
    PERFORM set_config('mere.maintenance_run', '', false);
    RETURN QUERY SELECT l.kind, l.relation, l.rows_flushed, l.files_replaced, l.files_written, l.gave_way, l.snapshots,
        l.files_deleted, l.bytes_deleted, l.duration, l.error
    FROM mere.list_maintenance() AS l WHERE l.run = done::uuid ORDER BY l.id;
END $$;

REVOKE ALL ON FUNCTION mere.note_maintenance, mere.maintains_all, mere.may_maintain, mere.list_maintenance,
    mere.maintenance_request, mere.maintained_relations, mere.vacuumed, mere.maintain FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.note_maintenance TO mere_gateway;
GRANT EXECUTE ON FUNCTION mere.list_maintenance, mere.maintenance_request, mere.vacuumed, mere.maintain TO PUBLIC;
