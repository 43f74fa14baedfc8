-- What names mean: mere.resolve() for the binder, mere.lake_names() for routing.

-- Lake tables and the views that read them, however far down.
CREATE OR REPLACE FUNCTION mere.lake_relations() RETURNS SETOF oid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE reads AS (
        (SELECT s.relid AS oid FROM mere.shell AS s WHERE EXISTS (SELECT FROM pg_class AS c WHERE c.oid = s.relid)
         UNION ALL
         SELECT p.partrelid FROM pg_partitioned_table AS p WHERE mere.is_partitioned(p.partrelid))
        UNION
        SELECT r.ev_class FROM reads
        JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = reads.oid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_rewrite AS r ON r.oid = d.objid AND r.rulename = '_RETURN'
        JOIN pg_class AS v ON v.oid = r.ev_class AND v.relkind = 'v'
    )
    SELECT oid FROM reads
$$;

-- Does a view or materialized view read lake tables, however far down?
CREATE OR REPLACE FUNCTION mere.reads_lake(relation oid) RETURNS bool
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM pg_rewrite AS r
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
        JOIN mere.lake_relations() AS l (oid) ON l.oid = d.refobjid
        WHERE r.ev_class = relation AND d.refobjid <> relation)
$$;

CREATE OR REPLACE FUNCTION mere.lake_names() RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH lake AS (
        SELECT coalesce(array_agg(DISTINCT c.relname::text), '{}') AS names
        FROM mere.lake_relations() AS l (oid) JOIN pg_class AS c USING (oid)
    )
    SELECT names || mere.lake_functions(names) FROM lake
$$;

-- The map's facts about some relations, for mere.resolve(): nothing here is secret, but the tables are.
CREATE OR REPLACE FUNCTION mere.map_facts(relations oid[]) RETURNS TABLE (relid oid, facts jsonb, fields jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.relid,
        jsonb_build_object('table_id', s.table_id, 'path', s.path, 'policy', s.policy, 'keys', to_jsonb(s.keys), 'buckets', s.buckets),
        (SELECT jsonb_object_agg(c.attnum, jsonb_build_array(c.column_id, c.element_id, c.initial_default)) FROM mere.shell_column AS c WHERE c.relid = s.relid)
    FROM mere.shell AS s WHERE s.relid = ANY (relations)
$$;

-- The columns of a table that a role may use so. No question asked where no column has rights of its own.
CREATE OR REPLACE FUNCTION mere.column_rights(role oid, relation oid, privilege text) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN has_any_column_privilege(role, relation, privilege) THEN
        (SELECT jsonb_agg(attnum) FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
         AND has_column_privilege(role, relation, attnum, privilege)) ELSE '[]' END
$$;

-- Names as a JSON array of arrays of one to three parts, and the schemas to look in (current_schemas(true)). Runs as
-- the caller. Answers with
--   named     [[name, oid], ...]
--   inside    [[view, oid, role], ...]         what each view that reads the lake reads, and as whom
--   relations [{oid, schema, name, kind, owner, ..., columns}, ...]
--   rights    [{oid, role, privileges, readable, insertable, updatable}, ...]; the last three are the attnums for which
--             the role has that right where it does not have it for the table, else null
-- Generic plans: PostgreSQL would plan anew at every call, since it takes the arrays to be longer than they are, and that
-- takes three times as long as the rest.
-- Values in views, checks, defaults and bounds come in the styles that the binder reads, whatever the session's are.
-- `refreshed` is a materialized view of which `inside` has to tell what it reads, and `view_sql` how; 0 for none.
DROP FUNCTION IF EXISTS mere.resolve(jsonb, name[]);
CREATE OR REPLACE FUNCTION mere.resolve(names jsonb, path name[], refreshed oid DEFAULT 0) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE
    me oid := (SELECT oid FROM pg_roles WHERE rolname = current_user);
    lake oid;  -- the access method, where a partitioned table may be among what is reached
    partitioned bool;
    named jsonb;
    roots oid[];
    inside jsonb := '[]';
    reached oid[];
    lake_views oid[] := '{}';
    wanted jsonb;
    relations jsonb;
    rights jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_array(n.name, f.oid::bigint)), array_agg(DISTINCT f.oid), bool_or(f.relkind = 'p') INTO named, roots, partitioned
    FROM jsonb_array_elements(names) AS n (name)
    CROSS JOIN LATERAL (SELECT jsonb_array_length(n.name) AS parts, n.name ->> -1 AS last, n.name ->> -2 AS schema, n.name ->> -3 AS base) AS p
    CROSS JOIN LATERAL (
        SELECT c.oid, c.relkind FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace
        WHERE c.relname = p.last AND c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S')
          AND CASE WHEN p.parts = 1 THEN s.nspname = ANY (path)
                   WHEN p.schema = 'pg_temp' THEN s.oid = pg_my_temp_schema()
                   ELSE s.nspname = p.schema AND (p.parts = 2 OR p.base = current_database()) END
        ORDER BY array_position(path, s.nspname) LIMIT 1
    ) AS f;
    IF roots IS NULL THEN
        RETURN '{"named": [], "inside": [], "relations": [], "rights": []}';
    END IF;
    reached := roots;
    wanted := (SELECT jsonb_agg(jsonb_build_array(o::bigint, me::bigint)) FROM unnest(roots) AS o);

    IF refreshed <> 0 OR EXISTS (SELECT FROM pg_class WHERE oid = ANY (roots) AND relkind = 'v' AND oid >= 16384) THEN
        partitioned := true;
        lake := (SELECT oid FROM pg_am WHERE amname = 'lake');
        WITH RECURSIVE reach AS (
            SELECT 0::oid AS view, o AS oid, me AS role FROM unnest(roots) AS o
            UNION
            SELECT v.oid, d.refobjid, CASE WHEN i.invoker THEN reach.role ELSE v.relowner END
            FROM reach
            JOIN pg_class AS v ON v.oid = reach.oid AND (v.relkind = 'v' OR v.oid = refreshed) AND v.oid >= 16384
            JOIN pg_rewrite AS r ON r.ev_class = v.oid AND r.rulename = '_RETURN'
            JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
                AND d.refobjid <> v.oid
            CROSS JOIN LATERAL (SELECT coalesce((SELECT option_value::bool FROM pg_options_to_table(v.reloptions)
                WHERE option_name = 'security_invoker'), false) AS invoker) AS i
        ), upward AS (
            SELECT oid FROM reach WHERE oid IN (SELECT relid FROM mere.map_facts((SELECT array_agg(oid) FROM reach)))
                OR oid IN (SELECT p.partrelid FROM pg_partitioned_table AS p JOIN pg_class AS c ON c.oid = p.partrelid WHERE c.relam IN (0, lake))
            UNION
            SELECT reach.view FROM upward JOIN reach USING (oid) WHERE reach.view <> 0
        )
        SELECT coalesce(array_agg(DISTINCT view) FILTER (WHERE view <> 0), '{}'), array_agg(DISTINCT oid),
               coalesce(jsonb_agg(jsonb_build_array(view::bigint, oid::bigint, role::bigint)) FILTER (WHERE view <> 0), '[]'),
               jsonb_agg(DISTINCT jsonb_build_array(oid::bigint, role::bigint))
        INTO lake_views, reached, inside, wanted
        FROM reach WHERE view = 0 OR view IN (SELECT oid FROM upward);
    END IF;

    IF partitioned THEN
        lake := (SELECT oid FROM pg_am WHERE amname = 'lake');
        reached := reached || (SELECT array_agg(t.relid::oid) FROM pg_class AS p CROSS JOIN LATERAL pg_partition_tree(p.oid) AS t
            WHERE p.oid = ANY (reached) AND p.relkind = 'p' AND p.relam IN (0, lake) AND t.isleaf);
    END IF;

    SELECT jsonb_agg(jsonb_build_object(
        'oid', c.oid::bigint, 'schema', s.nspname, 'name', c.relname, 'owner', pg_get_userbyid(c.relowner),
        'kind', CASE WHEN m.relid IS NOT NULL THEN 'lake' WHEN c.oid = ANY (lake_views) THEN 'view'
                WHEN c.relkind = 'p' AND c.relam IN (0, lake) THEN 'partitioned' ELSE 'postgres' END,
        'partitions', CASE WHEN c.relkind = 'p' THEN (SELECT jsonb_agg(t.relid::oid::bigint ORDER BY t.relid::oid)
            FROM pg_partition_tree(c.oid) AS t WHERE t.isleaf) END,
        'bounds', CASE WHEN c.relispartition AND m.relid IS NOT NULL THEN pg_get_partition_constraintdef(c.oid) END,
        'temporary', c.relpersistence = 't', 'materialized', c.relkind = 'm', 'populated', c.relispopulated, 'facts', m.facts,
        'view_sql', CASE WHEN c.oid = ANY (lake_views) THEN pg_get_viewdef(c.oid) END,
        'guarded', c.relkind = 'v' AND (c.relhastriggers OR EXISTS (
            SELECT FROM pg_options_to_table(c.reloptions) WHERE option_name = 'check_option')),
        'checks', CASE WHEN c.relchecks > 0 THEN (SELECT jsonb_agg(jsonb_build_array(k.conname, pg_get_expr(k.conbin, k.conrelid)) ORDER BY k.conname)
            FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conenforced) END,
        'keys', CASE WHEN c.relhasindex THEN (SELECT jsonb_agg(jsonb_build_array(k.conname, k.conkey) ORDER BY k.conname)
            FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u')) END,
        'columns', (SELECT jsonb_agg(jsonb_build_array(a.attnum, a.attname, a.atttypid::bigint, a.atttypmod, a.attnotnull,
                CASE WHEN a.atthasdef THEN pg_get_expr(d.adbin, d.adrelid) END, a.attidentity, a.attgenerated,
                m.fields -> a.attnum::text -> 0, m.fields -> a.attnum::text -> 1, m.fields -> a.attnum::text -> 2) ORDER BY a.attnum)
            FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON a.atthasdef AND d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)))
    INTO relations
    FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace
    LEFT JOIN mere.map_facts(reached) AS m ON m.relid = c.oid
    WHERE c.oid = ANY (reached);

    SELECT jsonb_agg(jsonb_build_object('oid', w.oid::bigint, 'role', w.role::bigint, 'privileges', h.privileges,
        'readable', CASE WHEN NOT h.privileges ? 'SELECT' THEN mere.column_rights(w.role, w.oid, 'SELECT') END,
        'insertable', CASE WHEN NOT h.privileges ? 'INSERT' THEN mere.column_rights(w.role, w.oid, 'INSERT') END,
        'updatable', CASE WHEN NOT h.privileges ? 'UPDATE' THEN mere.column_rights(w.role, w.oid, 'UPDATE') END))
    INTO rights
    FROM jsonb_array_elements(wanted) AS j
    CROSS JOIN LATERAL (SELECT (j ->> 0)::oid AS oid, (j ->> 1)::oid AS role) AS w
    CROSS JOIN LATERAL (SELECT coalesce(jsonb_agg(p), '[]') AS privileges
        FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) AS p WHERE has_table_privilege(w.role, w.oid, p)) AS h
    WHERE (SELECT relkind FROM pg_class WHERE oid = w.oid) <> 'S';

    RETURN jsonb_build_object('named', named, 'inside', inside, 'me', me::bigint, 'relations', relations, 'rights', coalesce(rights, '[]'));
END $$;

REVOKE ALL ON FUNCTION mere.lake_relations, mere.reads_lake, mere.lake_names, mere.map_facts, mere.column_rights, mere.resolve FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.lake_names, mere.map_facts, mere.column_rights, mere.resolve TO PUBLIC;
