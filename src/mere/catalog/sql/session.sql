-- What a session asks for with every statement over lake tables, in the same flight as the statement's analysis: the
-- newest snapshot. Definer's rights, because users may not read DuckLake's tables. Idempotent.

CREATE OR REPLACE FUNCTION mere.newest_snapshot(OUT id bigint, OUT schema_version bigint, OUT at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT snapshot_id, schema_version, snapshot_time
        FROM mere_lake.ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1;
    END;
