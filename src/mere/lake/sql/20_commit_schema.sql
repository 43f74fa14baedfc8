-- The half of a commit that DDL makes: compares PostgreSQL's catalog with what the lake has, and writes the difference.
-- Runs inside mere.commit(), under its lock, with snapshot `new_id` already claimed. Ids come from `catalog_id`, which
-- it advances; `changes` are entries for ducklake_snapshot_changes; `altered` are tables whose columns or name changed.

-- The lake's tables as PostgreSQL has them now.
CREATE OR REPLACE VIEW mere.live_shell AS
    SELECT c.oid AS relid, c.relname, n.nspname
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE (c.relkind = 'r' OR c.relkind = 'm' AND EXISTS (SELECT FROM mere.shell AS s WHERE s.relid = c.oid))
      AND c.relpersistence = 'p'
      AND c.relam = (SELECT oid FROM pg_catalog.pg_am WHERE amname = 'lake');

-- Their columns, and those of lists, as rows of ducklake_column should say it. `changed`: PostgreSQL's side moved since
-- the last commit. What a plain DuckDB changed meanwhile is not a change of ours and stays.
CREATE OR REPLACE VIEW mere.live_column AS
    SELECT s.relid, s.table_id, sc.attnum, col.column_id, col.parent_column, col.column_name, col.column_type, col.nulls_allowed,
           col.initial_default, col.default_value, col.default_value_type,
           NOT sc.committed OR (sc.type, sc.typmod) IS DISTINCT FROM (a.atttypid, a.atttypmod) AS retyped,
           NOT sc.committed OR (sc.name, sc.type, sc.typmod, sc.not_null, coalesce(sc.default_literal, 'NULL'))
               IS DISTINCT FROM (a.attname::text, a.atttypid, a.atttypmod, a.attnotnull, def.literal) AS changed
    FROM mere.shell AS s
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = s.relid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN mere.shell_column AS sc ON sc.relid = s.relid AND sc.attnum = a.attnum
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (SELECT t.typelem <> 0 AND t.typcategory = 'A' AS is_array) AS k
    CROSS JOIN LATERAL (SELECT CASE WHEN k.is_array THEN 'NULL' ELSE coalesce(mere.lake_literal(
        pg_catalog.pg_get_expr(d.adbin, d.adrelid), mere.lake_type(a.atttypid, a.atttypmod)), 'NULL') END AS literal) AS def
    CROSS JOIN LATERAL (
        SELECT sc.column_id, NULL::bigint AS parent_column, a.attname::text AS column_name,
               CASE WHEN k.is_array THEN 'list' ELSE mere.lake_type(a.atttypid, a.atttypmod) END AS column_type,
               NOT a.attnotnull AS nulls_allowed,
               coalesce(sc.initial_default, mere.lake_value((a.attmissingval::text::text[])[1],
                   mere.lake_type(a.atttypid, a.atttypmod), k.is_array)) AS initial_default,
               def.literal AS default_value, CASE WHEN k.is_array THEN '' ELSE 'literal' END AS default_value_type
        UNION ALL
        SELECT sc.element_id, sc.column_id, 'element', mere.lake_type(t.typelem, a.atttypmod), true, NULL, 'NULL', 'literal'
        WHERE k.is_array
    ) AS col;

CREATE OR REPLACE FUNCTION mere.commit_schemas(new_id bigint, INOUT catalog_id bigint, INOUT changes text[])
LANGUAGE plpgsql AS $$
BEGIN
    -- PostgreSQL's schemas that the lake has, whoever made them, are known from now on
    INSERT INTO mere.lake_schema
    SELECT n.nspname, s.schema_id FROM pg_namespace AS n
    JOIN mere_lake.ducklake_schema AS s ON s.schema_name = n.nspname AND s.end_snapshot IS NULL
    WHERE n.nspname NOT IN ('mere', 'mere_lake')
    ON CONFLICT (schema_name) DO NOTHING;

    WITH fresh AS (
        SELECT nspname::text AS name, catalog_id - 1 + row_number() OVER (ORDER BY oid) AS id FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'mere', 'mere_lake')
          AND NOT EXISTS (SELECT FROM mere.lake_schema AS l WHERE l.schema_name = nspname)
    ), written AS (
        INSERT INTO mere_lake.ducklake_schema
            (schema_id, schema_uuid, begin_snapshot, end_snapshot, schema_name, path, path_is_relative)
        SELECT id, gen_random_uuid(), new_id, NULL, name, '', true FROM fresh
    ), mapped AS (
        INSERT INTO mere.lake_schema SELECT name, id FROM fresh
    )
    SELECT coalesce(max(id) + 1, commit_schemas.catalog_id),
           commit_schemas.changes || coalesce(array_agg('created_schema:' || mere.lake_quote(name) ORDER BY id), '{}')
    INTO catalog_id, changes FROM fresh;
END $$;

-- After the tables have moved: schemas that are gone, and what plain DuckDB had in them.
CREATE OR REPLACE FUNCTION mere.commit_dropped_schemas(new_id bigint, INOUT changes text[])
LANGUAGE plpgsql AS $$
DECLARE
    gone bigint[];
BEGIN
    WITH dropped AS (
        DELETE FROM mere.lake_schema AS l
        WHERE NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = l.schema_name) RETURNING schema_id
    ) SELECT array_agg(schema_id) INTO gone FROM dropped;
    IF gone IS NULL THEN
        RETURN;
    END IF;
    UPDATE mere_lake.ducklake_view SET end_snapshot = new_id WHERE end_snapshot IS NULL AND schema_id = ANY (gone);
    UPDATE mere_lake.ducklake_macro SET end_snapshot = new_id WHERE end_snapshot IS NULL AND schema_id = ANY (gone);
    UPDATE mere_lake.ducklake_schema SET end_snapshot = new_id WHERE end_snapshot IS NULL AND schema_id = ANY (gone);
    changes := changes || (SELECT array_agg('dropped_schema:' || g) FROM unnest(gone) AS g);
END $$;

CREATE OR REPLACE FUNCTION mere.commit_dropped_tables(new_id bigint, INOUT changes text[])
LANGUAGE plpgsql AS $$
DECLARE
    gone bigint[];
BEGIN
    DELETE FROM mere.shell_column AS sc
    WHERE NOT EXISTS (SELECT FROM mere.live_shell AS l WHERE l.relid = sc.relid);
    WITH dropped AS (
        DELETE FROM mere.shell AS s
        WHERE NOT EXISTS (SELECT FROM mere.live_shell AS l WHERE l.relid = s.relid) RETURNING table_id
    ) SELECT array_agg(table_id) FILTER (WHERE table_id IS NOT NULL) INTO gone FROM dropped;
    IF gone IS NULL THEN
        RETURN;
    END IF;
    UPDATE mere_lake.ducklake_table SET end_snapshot = new_id WHERE end_snapshot IS NULL AND table_id = ANY (gone);
    UPDATE mere_lake.ducklake_partition_info SET end_snapshot = new_id WHERE end_snapshot IS NULL AND table_id = ANY (gone);
    UPDATE mere_lake.ducklake_column SET end_snapshot = new_id WHERE end_snapshot IS NULL AND table_id = ANY (gone);
    UPDATE mere_lake.ducklake_column_tag SET end_snapshot = new_id WHERE end_snapshot IS NULL AND table_id = ANY (gone);
    UPDATE mere_lake.ducklake_data_file SET end_snapshot = new_id WHERE end_snapshot IS NULL AND table_id = ANY (gone);
    UPDATE mere_lake.ducklake_delete_file SET end_snapshot = new_id WHERE end_snapshot IS NULL AND table_id = ANY (gone);
    UPDATE mere_lake.ducklake_tag SET end_snapshot = new_id WHERE end_snapshot IS NULL AND object_id = ANY (gone);
    UPDATE mere_lake.ducklake_sort_info SET end_snapshot = new_id WHERE end_snapshot IS NULL AND table_id = ANY (gone);
    changes := changes || (SELECT array_agg('dropped_table:' || g) FROM unnest(gone) AS g);
END $$;

-- Created, renamed and moved tables: one row of ducklake_table each, whose path leads to the same prefix as ever.
CREATE OR REPLACE FUNCTION mere.commit_tables(new_id bigint, INOUT catalog_id bigint, INOUT changes text[], INOUT altered bigint[])
LANGUAGE plpgsql AS $$
DECLARE
    data_path text := (SELECT value FROM mere_lake.ducklake_metadata WHERE key = 'data_path' AND scope IS NULL);
    unknown   text := (SELECT string_agg(format('%I.%I', nspname, relname), ', ') FROM mere.live_shell AS l
                       WHERE NOT EXISTS (SELECT FROM mere.shell AS s WHERE s.relid = l.relid));
BEGIN
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'lake tables without an entry in mere.shell: %', unknown USING ERRCODE = 'XX001';
    END IF;
    WITH ended AS (
        UPDATE mere_lake.ducklake_table AS t SET end_snapshot = new_id
        FROM mere.shell AS s JOIN mere.live_shell AS l USING (relid)
        WHERE t.table_id = s.table_id AND t.end_snapshot IS NULL
          AND (s.table_name, s.schema_name) IS DISTINCT FROM (l.relname, l.nspname)
    ), changed AS (
        SELECT s.relid, s.table_id IS NULL AS is_new, l.relname::text AS name, l.nspname::text AS nspname, s.path, s.table_uuid,
               coalesce(s.table_id, commit_tables.catalog_id - 1 + row_number() OVER (ORDER BY s.table_id NULLS FIRST, s.relid)) AS id
        FROM mere.shell AS s JOIN mere.live_shell AS l USING (relid)
        WHERE s.table_id IS NULL OR (s.table_name, s.schema_name) IS DISTINCT FROM (l.relname, l.nspname)
    ), mapped AS (
        UPDATE mere.shell AS s SET table_id = c.id, table_name = c.name, schema_name = c.nspname
        FROM changed AS c WHERE c.relid = s.relid
    ), written AS (
        INSERT INTO mere_lake.ducklake_table
            (table_id, table_uuid, begin_snapshot, end_snapshot, schema_id, table_name, path, path_is_relative)
        SELECT c.id, c.table_uuid, new_id, NULL, n.schema_id, c.name,
            CASE WHEN f.absolute THEN c.path
                 WHEN n.path_is_relative AND starts_with(c.path, coalesce(n.path, '')) THEN substr(c.path, length(coalesce(n.path, '')) + 1)
                 ELSE data_path || c.path END,
            NOT f.absolute AND n.path_is_relative AND starts_with(c.path, coalesce(n.path, ''))
        FROM changed AS c
        JOIN mere.lake_schema AS ls ON ls.schema_name = c.nspname
        JOIN mere_lake.ducklake_schema AS n ON n.schema_id = ls.schema_id AND n.end_snapshot IS NULL
        CROSS JOIN LATERAL (SELECT c.path ~ '^/|://' AS absolute) AS f
    )
    SELECT coalesce(max(id) FILTER (WHERE is_new) + 1, commit_tables.catalog_id),
           commit_tables.changes || coalesce(array_agg(format('created_table:%s.%s',
               mere.lake_quote(nspname), mere.lake_quote(name)) ORDER BY id), '{}'),
           commit_tables.altered || coalesce(array_agg(id), '{}')
    INTO catalog_id, changes, altered FROM changed;
END $$;

-- Columns: a row ends when anything about it changed, and one with the same id begins.
CREATE OR REPLACE FUNCTION mere.commit_columns(new_id bigint, INOUT altered bigint[], OUT rewritten bigint[])
LANGUAGE plpgsql AS $$
DECLARE
    touched bigint[];
BEGIN
    -- columns that no event trigger saw (inherited ones) get their ids here
    WITH missing AS (
        SELECT s.relid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, t.typelem <> 0 AND t.typcategory = 'A' AS is_array,
               greatest(s.column_ids, (SELECT max(column_id) FROM mere_lake.ducklake_column AS c WHERE c.table_id = s.table_id))
               + sum(CASE WHEN t.typelem <> 0 AND t.typcategory = 'A' THEN 2 ELSE 1 END) OVER (PARTITION BY s.relid ORDER BY a.attnum) AS last_id
        FROM mere.shell AS s
        JOIN pg_attribute AS a ON a.attrelid = s.relid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE NOT EXISTS (SELECT FROM mere.shell_column AS sc WHERE sc.relid = s.relid AND sc.attnum = a.attnum)
    ), counted AS (
        UPDATE mere.shell AS s SET column_ids = m.last_id FROM (SELECT relid, max(last_id) AS last_id FROM missing GROUP BY relid) AS m
        WHERE m.relid = s.relid
    )
    INSERT INTO mere.shell_column (relid, attnum, column_id, element_id, name, type, typmod, not_null)
    SELECT relid, attnum, CASE WHEN is_array THEN last_id - 1 ELSE last_id END, CASE WHEN is_array THEN last_id END,
           attname, atttypid, atttypmod, attnotnull FROM missing;

    WITH RECURSIVE gone AS (
        DELETE FROM mere.shell_column AS sc USING mere.shell AS s
        WHERE s.relid = sc.relid AND NOT EXISTS (SELECT FROM pg_attribute AS a
            WHERE a.attrelid = sc.relid AND a.attnum = sc.attnum AND NOT a.attisdropped)
        RETURNING s.table_id, sc.column_id
    ), doomed AS (  -- with all that is nested in them
        SELECT table_id, column_id FROM gone
        UNION
        SELECT c.table_id, c.column_id FROM mere_lake.ducklake_column AS c JOIN doomed AS d
            ON d.table_id = c.table_id AND d.column_id = c.parent_column AND c.end_snapshot IS NULL
    ), changed AS (
        SELECT n.table_id, n.column_id, n.parent_column, n.column_name, n.nulls_allowed, n.default_value, n.default_value_type,
               CASE WHEN n.retyped OR o.column_id IS NULL THEN n.column_type ELSE o.column_type END AS new_type,
               -- what older rows have is fixed when the column comes; the extension knows none for lists
               CASE WHEN n.column_type = 'list' THEN NULL WHEN o.column_id IS NULL THEN n.initial_default
                    ELSE o.initial_default END AS initial,
               n.column_type = 'list' AND o.column_id IS NULL AND n.initial_default IS NOT NULL AS unwritable,
               coalesce(o.column_type, n.column_type) AS old_type
        FROM mere.live_column AS n
        LEFT JOIN mere_lake.ducklake_column AS o
            ON o.table_id = n.table_id AND o.column_id = n.column_id AND o.end_snapshot IS NULL
        WHERE n.changed
    ), ended AS (
        UPDATE mere_lake.ducklake_column AS c SET end_snapshot = new_id
        FROM (SELECT table_id, column_id FROM changed UNION SELECT table_id, column_id FROM doomed) AS x
        WHERE c.table_id = x.table_id AND c.column_id = x.column_id AND c.end_snapshot IS NULL
    ), written AS (
        INSERT INTO mere_lake.ducklake_column (column_id, begin_snapshot, end_snapshot, table_id, column_order, column_name,
            column_type, initial_default, default_value, nulls_allowed, parent_column, default_value_type, default_value_dialect)
        SELECT column_id, new_id, NULL, table_id, column_id, column_name, new_type, initial, default_value, nulls_allowed,
               parent_column, default_value_type, 'duckdb' FROM changed
    ), forgotten AS (
        DELETE FROM mere_lake.ducklake_table_column_stats AS g USING changed AS c
        WHERE g.table_id = c.table_id AND g.column_id = c.column_id AND NOT mere.lake_promotes(c.old_type, c.new_type)
    )
    SELECT array_agg(DISTINCT table_id), array_agg(DISTINCT table_id) FILTER (WHERE NOT promotes)
    INTO touched, rewritten
    FROM (SELECT table_id, NOT unwritable AND mere.lake_promotes(old_type, new_type) AS promotes FROM changed
          UNION ALL SELECT table_id, true FROM gone) AS x;

    UPDATE mere.shell_column AS sc
    SET committed = true, name = n.column_name, type = a.atttypid, typmod = a.atttypmod, not_null = a.attnotnull,
        default_literal = nullif(n.default_value, 'NULL')
    FROM mere.live_column AS n JOIN pg_attribute AS a ON a.attrelid = n.relid AND a.attnum = n.attnum
    WHERE n.changed AND n.parent_column IS NULL AND sc.relid = n.relid AND sc.attnum = n.attnum;
    altered := altered || touched;
END $$;

-- DISTRIBUTED BY (k, ...) is bucket partitioning on k.
CREATE OR REPLACE FUNCTION mere.commit_policies(new_id bigint, INOUT catalog_id bigint, INOUT altered bigint[], INOUT rewritten bigint[])
LANGUAGE plpgsql AS $$
DECLARE
    fresh bigint[];
    next_id bigint;
BEGIN
    WITH wanted AS (
        SELECT s.table_id, CASE WHEN s.policy = 'hash' THEN sc.column_id END AS column_id,
               CASE WHEN s.policy = 'hash' THEN format('bucket(%s)', s.buckets) END AS transform
        FROM mere.shell AS s LEFT JOIN mere.shell_column AS sc ON sc.relid = s.relid AND sc.attnum = s.keys[1]
    ), present AS (
        SELECT i.table_id, count(*) AS keys, min(c.column_id) AS column_id, min(c.transform) AS transform
        FROM mere_lake.ducklake_partition_info AS i JOIN mere_lake.ducklake_partition_column AS c USING (partition_id)
        WHERE i.end_snapshot IS NULL GROUP BY i.table_id
    ), changed AS (
        SELECT w.*, p.table_id IS NOT NULL AS had,
               CASE WHEN w.transform IS NOT NULL THEN commit_policies.catalog_id - 1 + row_number() OVER (
                   ORDER BY w.transform IS NULL, w.table_id) END AS id
        FROM wanted AS w LEFT JOIN present AS p USING (table_id)
        WHERE (w.column_id, w.transform) IS DISTINCT FROM (p.column_id, p.transform)
          -- a partitioning that plain DuckDB chose and Mere's policies cannot say is left alone
          AND (w.transform IS NOT NULL OR p.keys = 1 AND p.transform LIKE 'bucket(%')
    ), ended AS (
        UPDATE mere_lake.ducklake_partition_info AS i SET end_snapshot = new_id FROM changed AS c
        WHERE i.table_id = c.table_id AND i.end_snapshot IS NULL
    ), info AS (
        INSERT INTO mere_lake.ducklake_partition_info SELECT id, table_id, new_id, NULL FROM changed WHERE transform IS NOT NULL
    ), keyed AS (
        INSERT INTO mere_lake.ducklake_partition_column (partition_id, table_id, partition_key_index, column_id, transform)
        SELECT id, table_id, 0, column_id, transform FROM changed WHERE transform IS NOT NULL
    )
    SELECT array_agg(table_id), coalesce(max(id) + 1, commit_policies.catalog_id) INTO fresh, next_id FROM changed;
    catalog_id := next_id;
    altered := altered || fresh;
    rewritten := rewritten || fresh;
END $$;

-- A plain DuckDB inserts its small rows into the newest inlined-data table of a table: after a change of columns
-- there must be one with the new columns, if there was one at all.
CREATE OR REPLACE FUNCTION mere.commit_inlined_tables(new_version bigint, altered bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT c.table_id, format('ducklake_inlined_data_%s_%s', c.table_id, new_version) AS name,
            string_agg(format('%I %s', c.column_name, CASE
                WHEN c.column_type IN ('varchar', 'json', 'blob') THEN 'bytea'
                WHEN c.column_type IN ('list', 'struct', 'map', 'date', 'timestamp', 'timestamptz', 'uint64', 'int128', 'uint128')
                  OR c.column_type LIKE 'timestamp\_%' THEN 'varchar'
                WHEN c.column_type = 'int8' THEN 'smallint' WHEN c.column_type = 'int16' THEN 'smallint'
                WHEN c.column_type IN ('uint8', 'uint16', 'int32') THEN 'integer'
                WHEN c.column_type IN ('uint32', 'int64') THEN 'bigint'
                WHEN c.column_type = 'float32' THEN 'real' WHEN c.column_type = 'float64' THEN 'double precision'
                ELSE c.column_type END), ', ' ORDER BY c.column_order) AS columns
        FROM mere_lake.ducklake_column AS c
        WHERE c.end_snapshot IS NULL AND c.parent_column IS NULL AND c.table_id = ANY (altered)
          AND c.table_id IN (SELECT table_id FROM mere_lake.ducklake_inlined_data_tables)
        GROUP BY c.table_id
    LOOP
        EXECUTE format('CREATE TABLE mere_lake.%I (row_id bigint, begin_snapshot bigint, end_snapshot bigint, %s) USING heap',
                       t.name, t.columns);
        INSERT INTO mere_lake.ducklake_inlined_data_tables VALUES (t.table_id, t.name, new_version);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION mere.lake_quote(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '"' || replace(name, '"', '""') || '"'
$$;

REVOKE ALL ON mere.live_shell, mere.live_column, mere.lake_schema FROM PUBLIC;
REVOKE ALL ON FUNCTION mere.commit_schemas, mere.commit_dropped_schemas, mere.commit_dropped_tables, mere.commit_tables,
    mere.commit_columns, mere.commit_policies, mere.commit_inlined_tables, mere.lake_quote FROM PUBLIC;
