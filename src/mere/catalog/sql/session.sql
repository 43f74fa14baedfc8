-- What sessions and users may know of the lake's snapshots. Definer's rights, because users may not read DuckLake's
-- tables. Idempotent.

-- Asked for with every statement over lake tables, in the same flight as the statement's analysis.
CREATE OR REPLACE FUNCTION mere.newest_snapshot(OUT id bigint, OUT schema_version bigint, OUT at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT snapshot_id, schema_version, snapshot_time
        FROM mere_lake.ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1;
    END;

-- A snapshot's kind in one word, from the list of changes that DuckLake keeps.
CREATE OR REPLACE FUNCTION mere.snapshot_kind(changes text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN changes ~ '(created|dropped|altered)_(schema|table|view|macro)' THEN
            CASE WHEN changes ~ '(inserted_into|deleted_from)' THEN 'definition and data' ELSE 'definition' END
        WHEN changes ~ 'insert' AND changes ~ 'delete' THEN 'update'
        WHEN changes ~ 'insert' THEN 'insert'
        WHEN changes ~ 'delete' THEN 'delete'
        WHEN changes IS NULL OR changes = '' THEN 'nothing'
        ELSE 'maintenance' END
$$;

-- Everybody sees that something happened, and when; whose tables changed is for those who may read them.
CREATE OR REPLACE FUNCTION mere.list_snapshots()
    RETURNS TABLE (snapshot_id bigint, snapshot_time timestamptz, author text, kind text, tables text[], comment text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.snapshot_id, s.snapshot_time, c.author::text, mere.snapshot_kind(c.changes_made),
        (SELECT array_agg(DISTINCT format('%I.%I', n.nspname, r.relname) ORDER BY format('%I.%I', n.nspname, r.relname))
         FROM regexp_matches(c.changes_made, '_table:(\d+)', 'g') AS m (id)
         JOIN mere.shell AS h ON h.table_id = m.id[1]::bigint
         JOIN pg_class AS r ON r.oid = h.relid JOIN pg_namespace AS n ON n.oid = r.relnamespace
         WHERE has_table_privilege(mere.acting_role(), r.oid, 'SELECT')),
        c.commit_message::text
    FROM mere_lake.ducklake_snapshot AS s LEFT JOIN mere_lake.ducklake_snapshot_changes AS c USING (snapshot_id)
$$;
REVOKE ALL ON FUNCTION mere.snapshot_kind, mere.list_snapshots FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.list_snapshots TO PUBLIC;

CREATE OR REPLACE VIEW mere.snapshots AS SELECT * FROM mere.list_snapshots();

-- What a backing connection runs while segments run the session's statement, so that PostgreSQL knows it to be busy: no
-- idle time-out counts, pg_stat_activity shows it, and pg_cancel_backend() ends it. A cancel is its normal end, and what
-- PostgreSQL says of that its result.
DO $$ BEGIN
    IF to_regprocedure('mere.stand_in()') IS NOT NULL THEN
        DROP FUNCTION mere.stand_in();  -- it returned nothing once
    END IF;
END $$;
CREATE FUNCTION mere.stand_in() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE INFO 'mere.stand_in';  -- from here on a cancel is caught
    LOOP
        PERFORM pg_catalog.pg_sleep(3600);
    END LOOP;
EXCEPTION WHEN query_canceled THEN
    RETURN SQLERRM;
END $$;

-- A value's text as Mere reads it, whatever styles the session shows values in; the value itself is the session's.
CREATE OR REPLACE FUNCTION mere.plain_text(anyelement) RETURNS text LANGUAGE plpgsql STABLE
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1
    AS 'BEGIN RETURN $1::text; END';
