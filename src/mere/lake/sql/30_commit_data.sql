-- The half of a commit that DML makes: conflict checks against what was read, data files, delete files, statistics.
-- Runs inside mere.commit(), under its lock, in statements that see everything committed before it.
-- Set-based throughout: a message may carry ten thousand files.

-- The changes of the message, by DuckLake's table ids; a table dropped in the same transaction has none any more.
CREATE OR REPLACE FUNCTION mere.message_tables(message jsonb)
RETURNS TABLE (table_id bigint, relname text, hashed bool, read_snapshot bigint, truncated bool, change jsonb)
LANGUAGE sql STABLE AS $$
    SELECT s.table_id, s.table_name, s.policy = 'hash', (c ->> 'read_snapshot')::bigint, coalesce((c ->> 'truncated')::bool, false), c
    FROM jsonb_array_elements(message -> 'tables') AS c JOIN mere.shell AS s ON s.relid = (c ->> 'relid')::oid
    WHERE s.table_id IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION mere.conflict(relname text, reason text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not serialize access to table "%" due to concurrent change', relname
        USING ERRCODE = '40001', DETAIL = reason, HINT = 'The transaction may be tried again.';
END $$;

-- Has another transaction, since we read, taken away what our change stands on?
CREATE OR REPLACE FUNCTION mere.check_conflicts(message jsonb, own_id bigint, altered bigint[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
    culprit record;
    stale bool;
BEGIN
    SELECT m.relname, CASE WHEN t.table_id IS NULL THEN 'The table was dropped.' ELSE 'The table was altered.' END AS reason
    INTO culprit
    FROM mere.message_tables(message) AS m
    LEFT JOIN mere_lake.ducklake_table AS t ON t.table_id = m.table_id AND t.end_snapshot IS NULL
    WHERE t.table_id IS NULL OR EXISTS (SELECT FROM mere_lake.ducklake_schema_versions AS v
        WHERE v.table_id = m.table_id AND v.begin_snapshot > m.read_snapshot AND v.begin_snapshot < own_id)
    LIMIT 1;
    IF FOUND THEN
        PERFORM mere.conflict(culprit.relname, culprit.reason);
    END IF;

    IF NOT jsonb_path_exists(message, '$.tables[*] ? (exists (@.deletes[0]) || exists (@.removed_files[0]))') THEN
        RETURN;
    END IF;
    WITH used AS (
        SELECT m.table_id, m.relname, m.read_snapshot, (d ->> 'data_file_id')::bigint AS file_id,
               (d ->> 'replaces')::bigint AS replaces, false AS removed
        FROM mere.message_tables(message) AS m, jsonb_array_elements(m.change -> 'deletes') AS d
        WHERE d ->> 'data_file_id' IS NOT NULL
        UNION ALL
        SELECT m.table_id, m.relname, m.read_snapshot, r::bigint, NULL, true
        FROM mere.message_tables(message) AS m, jsonb_array_elements_text(m.change -> 'removed_files') AS r
    )
    SELECT u.relname, CASE WHEN f.data_file_id IS NULL THEN 'A data file was removed or rewritten.'
                           ELSE 'Rows of the same data file were deleted or updated.' END AS reason
    INTO culprit
    FROM used AS u
    LEFT JOIN mere_lake.ducklake_data_file AS f
        ON f.data_file_id = u.file_id AND f.table_id = u.table_id AND f.end_snapshot IS NULL
    LEFT JOIN mere_lake.ducklake_delete_file AS d ON d.data_file_id = u.file_id AND d.end_snapshot IS NULL
    WHERE f.data_file_id IS NULL
       OR CASE WHEN u.removed THEN d.begin_snapshot > u.read_snapshot ELSE d.delete_file_id IS DISTINCT FROM u.replaces END
    LIMIT 1;
    IF FOUND THEN
        PERFORM mere.conflict(culprit.relname, culprit.reason);
    END IF;

    -- deletes that a plain DuckDB keeps in PostgreSQL
    FOR culprit IN
        SELECT m.table_id, m.relname, m.read_snapshot, array(SELECT (d ->> 'data_file_id')::bigint FROM jsonb_array_elements(m.change -> 'deletes') AS d)
               || array(SELECT r::bigint FROM jsonb_array_elements_text(m.change -> 'removed_files') AS r) AS file_ids
        FROM mere.message_tables(message) AS m
        WHERE to_regclass('mere_lake.ducklake_inlined_delete_' || m.table_id) IS NOT NULL
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM mere_lake.%I WHERE file_id = ANY ($1) AND begin_snapshot > $2)',
                       'ducklake_inlined_delete_' || culprit.table_id) INTO stale USING culprit.file_ids, culprit.read_snapshot;
        IF stale THEN
            PERFORM mere.conflict(culprit.relname, 'Rows of the same data file were deleted or updated.');
        END IF;
    END LOOP;
END $$;

-- Ends what TRUNCATE and whole-file deletes take away, rows inlined by a plain DuckDB among them.
CREATE OR REPLACE FUNCTION mere.commit_removals(message jsonb, new_id bigint, INOUT changes text[])
LANGUAGE plpgsql AS $$
DECLARE
    inlined record;
    touched bigint;
    emptied bigint[];
BEGIN
    WITH gone AS (
        SELECT f.data_file_id FROM mere.message_tables(message) AS m
        JOIN mere_lake.ducklake_data_file AS f ON f.table_id = m.table_id AND f.end_snapshot IS NULL WHERE m.truncated
        UNION
        SELECT r::bigint FROM mere.message_tables(message) AS m, jsonb_array_elements_text(m.change -> 'removed_files') AS r
    ), data AS (
        UPDATE mere_lake.ducklake_data_file AS f SET end_snapshot = new_id FROM gone WHERE f.data_file_id = gone.data_file_id
    )
    UPDATE mere_lake.ducklake_delete_file AS d SET end_snapshot = new_id
    FROM gone WHERE d.data_file_id = gone.data_file_id AND d.end_snapshot IS NULL;

    FOR inlined IN
        SELECT m.table_id, m.relname, t.table_name, NULL::bigint[] AS row_ids
        FROM mere.message_tables(message) AS m JOIN mere_lake.ducklake_inlined_data_tables AS t USING (table_id) WHERE m.truncated
        UNION ALL
        SELECT m.table_id, m.relname, t.table_name, array(SELECT r::bigint FROM jsonb_array_elements_text(d -> 'row_ids') AS r)
        FROM mere.message_tables(message) AS m, jsonb_array_elements(m.change -> 'inlined_deletes') AS d
        LEFT JOIN mere_lake.ducklake_inlined_data_tables AS t ON t.table_name = d ->> 'table'
        WHERE NOT m.truncated
    LOOP
        IF inlined.table_name IS NULL THEN
            PERFORM mere.conflict(inlined.relname, 'Its inlined rows were flushed.');
        END IF;
        EXECUTE format('UPDATE mere_lake.%I SET end_snapshot = $1 WHERE end_snapshot IS NULL AND ($2 IS NULL OR row_id = ANY ($2))',
                       inlined.table_name) USING new_id, inlined.row_ids;
        GET DIAGNOSTICS touched = ROW_COUNT;
        IF touched <> cardinality(inlined.row_ids) THEN
            PERFORM mere.conflict(inlined.relname, 'Inlined rows were deleted, updated or flushed.');
        END IF;
        IF touched > 0 THEN
            emptied := emptied || inlined.table_id;
        END IF;
    END LOOP;
    changes := changes || coalesce((SELECT array_agg(DISTINCT 'inlined_delete:' || e) FROM unnest(emptied) AS e), '{}');
END $$;

-- Data files with their statistics and buckets, and the table's statistics, widened by type.
CREATE OR REPLACE FUNCTION mere.commit_files(message jsonb, new_id bigint, INOUT file_id bigint)
LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
    misplaced text;
BEGIN
    -- a bucket may be missing only where the key is NULL in every row
    SELECT m.relname INTO misplaced
    FROM mere.message_tables(message) AS m CROSS JOIN LATERAL jsonb_array_elements(m.change -> 'files') AS f
    JOIN mere_lake.ducklake_partition_info AS i ON i.table_id = m.table_id AND i.end_snapshot IS NULL
    JOIN mere_lake.ducklake_partition_column AS k ON k.partition_id = i.partition_id
    WHERE m.hashed AND f ->> 'bucket' IS NULL AND NOT EXISTS (SELECT FROM jsonb_array_elements(f -> 'stats') AS s
        WHERE (s ->> 0)::bigint = k.column_id AND (s ->> 3)::bigint = (f ->> 'rows')::bigint)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a data file of the hash-distributed table "%" carries no bucket', misplaced USING ERRCODE = 'XX001';
    END IF;

    WITH file AS MATERIALIZED (
        SELECT m.table_id, m.hashed, f.file, commit_files.file_id - 1 + row_number() OVER (ORDER BY m.table_id, f.position) AS id,
               (f.file ->> 'rows')::bigint AS rows, (f.file ->> 'size')::bigint AS size,
               sum((f.file ->> 'rows')::bigint) OVER (PARTITION BY m.table_id ORDER BY f.position) AS rows_so_far
        FROM mere.message_tables(message) AS m, jsonb_array_elements(m.change -> 'files') WITH ORDINALITY AS f (file, position)
    ), stat AS MATERIALIZED (
        SELECT f.table_id, f.id, f.rows, (s ->> 0)::bigint AS column_id, s ->> 1 AS lo, s ->> 2 AS hi, (s ->> 3)::bigint AS nulls,
               (s ->> 4)::bigint AS total, (s ->> 5)::bigint AS size, (s ->> 6)::bool AS nan,
               mere.lake_order(c.column_type) AS ordering
        FROM file AS f CROSS JOIN LATERAL jsonb_array_elements(f.file -> 'stats') AS s
        JOIN mere_lake.ducklake_column AS c ON c.table_id = f.table_id AND c.column_id = (s ->> 0)::bigint AND c.end_snapshot IS NULL
        -- the Parquet writer counts nothing for intervals and the like: such a row would say that there are no values
        WHERE (s ->> 4)::bigint >= f.rows OR c.parent_column IS NOT NULL
    ), bound AS (
        SELECT table_id, column_id, ordering, count(*) AS files, bool_or(nulls > 0) AS has_null, bool_or(nan) AS has_nan,
               bool_or(ordering IS NULL OR total > nulls AND (lo IS NULL OR hi IS NULL OR coalesce(nan, false))
                   OR ordering = 't' AND NOT coalesce(lo ~ '^\d{4}-.*[^)]$' AND hi ~ '^\d{4}-.*[^)]$', true)) AS unknown,
               CASE ordering WHEN 'n' THEN (min(lo::numeric) FILTER (WHERE ordering = 'n'))::text
                             WHEN 'f' THEN (min(lo::float8) FILTER (WHERE ordering = 'f'))::text
                             ELSE min(lo COLLATE "C") END AS lo,
               CASE ordering WHEN 'n' THEN (max(hi::numeric) FILTER (WHERE ordering = 'n'))::text
                             WHEN 'f' THEN (max(hi::float8) FILTER (WHERE ordering = 'f'))::text
                             ELSE max(hi COLLATE "C") END AS hi
        FROM stat GROUP BY table_id, column_id, ordering
    ), added AS (
        SELECT table_id, count(*) AS files, sum(rows) AS rows, sum(size) AS size FROM file GROUP BY table_id
    ), data AS (
        INSERT INTO mere_lake.ducklake_data_file (data_file_id, table_id, begin_snapshot, end_snapshot, file_order, path, path_is_relative,
            file_format, record_count, file_size_bytes, footer_size, row_id_start, partition_id)
        SELECT f.id, f.table_id, new_id, NULL, NULL, f.file ->> 'path', f.file ->> 'path' !~ '^/|://', 'parquet', f.rows, f.size,
               (f.file ->> 'footer_size')::bigint, coalesce(t.next_row_id, 0) + f.rows_so_far - f.rows, p.partition_id
        FROM file AS f
        LEFT JOIN mere_lake.ducklake_table_stats AS t USING (table_id)
        LEFT JOIN mere_lake.ducklake_partition_info AS p ON f.hashed AND p.table_id = f.table_id AND p.end_snapshot IS NULL
    ), bucketed AS (
        INSERT INTO mere_lake.ducklake_file_partition_value (data_file_id, table_id, partition_key_index, partition_value)
        SELECT id, table_id, 0, file ->> 'bucket' FROM file WHERE hashed
    ), measured AS (
        INSERT INTO mere_lake.ducklake_file_column_stats (data_file_id, table_id, column_id, column_size_bytes, value_count,
            null_count, min_value, max_value, contains_nan)
        SELECT id, table_id, column_id, size, total - nulls, nulls, lo, hi, nan FROM stat
    ), begun AS (
        INSERT INTO mere_lake.ducklake_table_stats (table_id, record_count, next_row_id, file_size_bytes)
        SELECT table_id, rows, rows, size FROM added AS a
        WHERE NOT EXISTS (SELECT FROM mere_lake.ducklake_table_stats AS t WHERE t.table_id = a.table_id)
        RETURNING table_id
    ), grown AS (
        UPDATE mere_lake.ducklake_table_stats AS t
        SET record_count = t.record_count + a.rows, next_row_id = t.next_row_id + a.rows, file_size_bytes = t.file_size_bytes + a.size
        FROM added AS a WHERE a.table_id = t.table_id
    ), known AS (  -- only with both bounds: the extension takes a NULL bound for 'no values so far'
        INSERT INTO mere_lake.ducklake_table_column_stats (table_id, column_id, contains_null, contains_nan, min_value, max_value)
        SELECT b.table_id, b.column_id, b.has_null, b.has_nan, b.lo, b.hi
        FROM bound AS b JOIN begun USING (table_id) JOIN added AS a USING (table_id)
        WHERE NOT coalesce(b.unknown, true) AND b.files = a.files AND b.lo IS NOT NULL AND b.hi IS NOT NULL
    ), merged AS (
        SELECT g.table_id, g.column_id, g.contains_null OR b.has_null AS has_null, g.contains_nan OR b.has_nan AS has_nan,
               coalesce(b.files IS DISTINCT FROM a.files OR b.unknown OR g.min_value IS NULL OR g.max_value IS NULL
                   OR b.ordering = 't' AND (g.min_value !~ '^\d{4}-.*[^)]$' OR g.max_value !~ '^\d{4}-.*[^)]$'), true) AS unknown,
               CASE WHEN b.lo IS NULL THEN g.min_value
                    WHEN CASE b.ordering WHEN 'n' THEN b.lo::numeric < g.min_value::numeric WHEN 'f' THEN b.lo::float8 < g.min_value::float8
                         ELSE b.lo < g.min_value COLLATE "C" END THEN b.lo ELSE g.min_value END AS lo,
               CASE WHEN b.hi IS NULL THEN g.max_value
                    WHEN CASE b.ordering WHEN 'n' THEN b.hi::numeric > g.max_value::numeric WHEN 'f' THEN b.hi::float8 > g.max_value::float8
                         ELSE b.hi > g.max_value COLLATE "C" END THEN b.hi ELSE g.max_value END AS hi
        FROM mere_lake.ducklake_table_column_stats AS g
        JOIN added AS a USING (table_id)
        -- leftovers of dropped columns stay as they are
        JOIN mere_lake.ducklake_column AS c ON c.table_id = g.table_id AND c.column_id = g.column_id AND c.end_snapshot IS NULL
        LEFT JOIN bound AS b ON b.table_id = g.table_id AND b.column_id = g.column_id
    ), widened AS (
        UPDATE mere_lake.ducklake_table_column_stats AS g
        SET contains_null = m.has_null, contains_nan = m.has_nan, min_value = m.lo, max_value = m.hi
        FROM merged AS m WHERE g.table_id = m.table_id AND g.column_id = m.column_id AND NOT m.unknown
          AND (g.contains_null, g.contains_nan, g.min_value, g.max_value) IS DISTINCT FROM (m.has_null, m.has_nan, m.lo, m.hi)
    ), forgotten AS (
        DELETE FROM mere_lake.ducklake_table_column_stats AS g USING merged AS m
        WHERE g.table_id = m.table_id AND g.column_id = m.column_id AND m.unknown
    )
    SELECT count(*) INTO written FROM file;
    file_id := file_id + written;
END $$;

CREATE OR REPLACE FUNCTION mere.commit_deletes(message jsonb, new_id bigint, INOUT file_id bigint)
LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
    lost bigint;
BEGIN
    WITH delete AS MATERIALIZED (
        SELECT m.table_id, d.d, commit_deletes.file_id - 1 + row_number() OVER (ORDER BY m.table_id, d.position) AS id,
               coalesce((d.d ->> 'data_file_id')::bigint, f.data_file_id) AS data_file_id, (d.d ->> 'replaces')::bigint AS replaces
        FROM mere.message_tables(message) AS m CROSS JOIN LATERAL jsonb_array_elements(m.change -> 'deletes') WITH ORDINALITY AS d (d, position)
        LEFT JOIN mere_lake.ducklake_data_file AS f ON d.d ->> 'data_file_id' IS NULL
            AND f.begin_snapshot = new_id AND f.table_id = m.table_id AND f.path = d.d ->> 'data_file_path'
    ), replaced AS (
        UPDATE mere_lake.ducklake_delete_file AS o SET end_snapshot = new_id FROM delete AS d WHERE o.delete_file_id = d.replaces
    ), added AS (
        INSERT INTO mere_lake.ducklake_delete_file (delete_file_id, table_id, begin_snapshot, end_snapshot, data_file_id, path,
            path_is_relative, format, delete_count, file_size_bytes, footer_size)
        SELECT id, table_id, new_id, NULL, data_file_id, d ->> 'path', d ->> 'path' !~ '^/|://', 'parquet',
               (d ->> 'count')::bigint, (d ->> 'size')::bigint, (d ->> 'footer_size')::bigint FROM delete
    )
    SELECT count(*), count(*) FILTER (WHERE data_file_id IS NULL) INTO written, lost FROM delete;
    IF lost > 0 THEN
        RAISE EXCEPTION 'a delete file names a data file that the message does not have' USING ERRCODE = 'XX001';
    END IF;
    file_id := file_id + written;
END $$;

REVOKE ALL ON FUNCTION mere.message_tables, mere.conflict, mere.check_conflicts, mere.commit_removals, mere.commit_files,
    mere.commit_deletes FROM PUBLIC;
