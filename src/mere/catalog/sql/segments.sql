-- The segments as SQL sees them, in every database alike. The server keeps the file in the catalog's data directory; it
-- is no table, so that it never needs a transaction, nor replication: a standby tells of its own.

CREATE OR REPLACE FUNCTION mere.segment_file() RETURNS json
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(pg_read_file('mere_segments.json', true), '{"resizable": false, "segments": []}')::json $$;

GRANT EXECUTE ON FUNCTION mere.segment_file() TO PUBLIC;

CREATE OR REPLACE VIEW mere.segment_configuration AS
SELECT id, host, pid, status, 'primary' AS role, started, restarts
FROM json_to_recordset(mere.segment_file() -> 'segments')
    AS t (id integer, host text, pid integer, status text, started timestamptz, restarts integer);

GRANT SELECT ON mere.segment_configuration TO PUBLIC;

-- What tools written for Greenplum ask. They name it without a schema.
SET LOCAL allow_system_table_mods = on;

CREATE OR REPLACE VIEW pg_catalog.gp_segment_configuration AS
SELECT 1::smallint AS dbid, (-1)::smallint AS content, 'p'::"char" AS role, 'p'::"char" AS preferred_role,
    's'::"char" AS mode, 'u'::"char" AS status, 0 AS port, 'localhost' AS hostname, 'localhost' AS address,
    ''::text AS datadir
UNION ALL
SELECT (id + 2)::smallint, id::smallint, 'p', 'p', 's', CASE status WHEN 'up' THEN 'u' ELSE 'd' END::"char", 0,
    host, host, ''
FROM mere.segment_configuration
WHERE status <> 'spare';

GRANT SELECT ON pg_catalog.gp_segment_configuration TO PUBLIC;

RESET allow_system_table_mods;

-- The wish is kept where every database sees it, and over restarts; the server looks for it (cli/segments.py).
CREATE OR REPLACE FUNCTION mere.resize(segments integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF segments IS NULL OR segments NOT BETWEEN 1 AND 1024 THEN
        RAISE EXCEPTION 'the number of segments must be from 1 to 1024' USING ERRCODE = '22023';
    END IF;
    IF NOT (mere.segment_file() ->> 'resizable')::boolean THEN
        RAISE EXCEPTION 'this warehouse has no segments of its own'
            USING ERRCODE = '55000', HINT = 'Start it with --segments to have some.';
    END IF;
    EXECUTE format('ALTER ROLE mere_gateway SET mere.segments = %L', segments);
END $$;

REVOKE ALL ON FUNCTION mere.resize(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.resize(integer) TO mere;
