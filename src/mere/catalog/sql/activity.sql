-- pg_stat_activity as PostgreSQL 18 defines it, but for sessions whose statement others run (see mere.stand_in()): they
-- show that statement and when it began, not what keeps their connection busy. Idempotent.

CREATE OR REPLACE FUNCTION mere.stood_for(query text, OUT statement text, OUT began timestamptz)
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT found[2], to_timestamp(found[1]::numeric / 1000000)
    FROM regexp_matches(query, '^WITH mere AS \(SELECT \$m(\d{16})\$(.*)\$m\1\$\) SELECT mere\.stand_in\(\)$')
        AS m (found)
$$;

SET allow_system_table_mods = on;
CREATE OR REPLACE VIEW pg_catalog.pg_stat_activity AS
    SELECT
        s.datid AS datid,
        d.datname AS datname,
        s.pid,
        s.leader_pid,
        s.usesysid,
        u.rolname AS usename,
        s.application_name,
        s.client_addr,
        s.client_hostname,
        s.client_port,
        s.backend_start,
        CASE WHEN f.statement IS NULL THEN s.xact_start ELSE least(s.xact_start, f.began) END AS xact_start,
        coalesce(f.began, s.query_start) AS query_start,
        CASE WHEN f.statement IS NULL THEN s.state_change ELSE f.began END AS state_change,
        CASE WHEN f.statement IS NULL THEN s.wait_event_type ELSE 'Extension' END AS wait_event_type,
        CASE WHEN f.statement IS NULL THEN s.wait_event ELSE 'MereSegments' END AS wait_event,
        s.state,
        s.backend_xid,
        s.backend_xmin,
        s.query_id,
        coalesce(f.statement, s.query) AS query,
        s.backend_type
    FROM pg_stat_get_activity(NULL) AS s
        LEFT JOIN pg_database AS d ON s.datid = d.oid
        LEFT JOIN pg_authid AS u ON s.usesysid = u.oid
        LEFT JOIN LATERAL mere.stood_for(s.query) AS f ON true;
RESET allow_system_table_mods;
