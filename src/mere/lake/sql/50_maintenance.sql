-- Maintenance: rewriting files into better ones, moving inlined rows into files, forgetting old snapshots. Called by the
-- gateway's own role only. Rewritten files end where the new ones begin, so older snapshots keep what they read.

-- {table_id, read_snapshot, kind, sources: [[data file, its delete file]], inlined: [[table, rows]], files: [...]}
-- `files` hold the live rows of `sources` and `inlined`, with their row ids. 40001 when somebody was faster.
CREATE OR REPLACE FUNCTION mere.compact(message jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_table bigint := (message ->> 'table_id')::bigint;
    read_id  bigint := (message ->> 'read_snapshot')::bigint;
    new_id   bigint;
    file_id  bigint;
    written  bigint;
    touched  bigint;
    stale    bool;
    inlined  record;
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    LOCK TABLE mere.commit_lock IN EXCLUSIVE MODE;
    SELECT c.new_id, c.next_file_id INTO new_id, file_id FROM mere.claim_snapshot() AS c;
    IF NOT EXISTS (SELECT FROM mere_lake.ducklake_table AS t WHERE t.table_id = of_table AND t.end_snapshot IS NULL)
       OR EXISTS (SELECT FROM mere_lake.ducklake_schema_versions AS v WHERE v.table_id = of_table AND v.begin_snapshot > read_id)
       OR EXISTS (SELECT FROM jsonb_array_elements(message -> 'sources') AS s
            LEFT JOIN mere_lake.ducklake_data_file AS f
                ON f.data_file_id = (s ->> 0)::bigint AND f.table_id = of_table AND f.end_snapshot IS NULL
            LEFT JOIN mere_lake.ducklake_delete_file AS d ON d.data_file_id = f.data_file_id AND d.end_snapshot IS NULL
            WHERE f.data_file_id IS NULL OR d.delete_file_id IS DISTINCT FROM (s ->> 1)::bigint
               OR d.begin_snapshot > read_id) THEN
        PERFORM mere.conflict(of_table::text, 'The table was changed while its files were rewritten.');
    END IF;
    IF to_regclass('mere_lake.ducklake_inlined_delete_' || of_table) IS NOT NULL THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM mere_lake.%I WHERE begin_snapshot > $1 AND file_id IN
                        (SELECT (s ->> 0)::bigint FROM jsonb_array_elements($2) AS s))', 'ducklake_inlined_delete_' || of_table)
        INTO stale USING read_id, message -> 'sources';
        IF stale THEN
            PERFORM mere.conflict(of_table::text, 'Rows were deleted while their files were rewritten.');
        END IF;
    END IF;

    WITH file AS MATERIALIZED (
        SELECT f.file, file_id - 1 + f.position AS id FROM jsonb_array_elements(message -> 'files') WITH ORDINALITY AS f (file, position)
    ), gone AS MATERIALIZED (
        SELECT (s ->> 0)::bigint AS id FROM jsonb_array_elements(message -> 'sources') AS s
    ), partition AS (
        SELECT i.partition_id FROM mere_lake.ducklake_partition_info AS i JOIN mere.shell AS s USING (table_id)
        WHERE i.table_id = of_table AND i.end_snapshot IS NULL AND s.policy = 'hash'
    ), data AS (
        INSERT INTO mere_lake.ducklake_data_file (data_file_id, table_id, begin_snapshot, end_snapshot, file_order, path, path_is_relative,
            file_format, record_count, file_size_bytes, footer_size, row_id_start, partition_id)
        SELECT id, of_table, new_id, NULL, NULL, file ->> 'path', file ->> 'path' !~ '^/|://', 'parquet', (file ->> 'rows')::bigint,
               (file ->> 'size')::bigint, (file ->> 'footer_size')::bigint,
               coalesce((SELECT min(f.row_id_start) FROM mere_lake.ducklake_data_file AS f JOIN gone ON gone.id = f.data_file_id), 0),
               (SELECT partition_id FROM partition) FROM file
    ), bucketed AS (
        INSERT INTO mere_lake.ducklake_file_partition_value (data_file_id, table_id, partition_key_index, partition_value)
        SELECT id, of_table, 0, file ->> 'bucket' FROM file WHERE EXISTS (SELECT FROM partition)
    ), measured AS (
        INSERT INTO mere_lake.ducklake_file_column_stats (data_file_id, table_id, column_id, column_size_bytes, value_count,
            null_count, min_value, max_value, contains_nan)
        SELECT f.id, of_table, (s ->> 0)::bigint, (s ->> 5)::bigint, (s ->> 4)::bigint - (s ->> 3)::bigint, (s ->> 3)::bigint,
               s ->> 1, s ->> 2, (s ->> 6)::bool
        FROM file AS f CROSS JOIN LATERAL jsonb_array_elements(f.file -> 'stats') AS s
        JOIN mere_lake.ducklake_column AS c ON c.table_id = of_table AND c.column_id = (s ->> 0)::bigint AND c.end_snapshot IS NULL
        WHERE (s ->> 4)::bigint >= (f.file ->> 'rows')::bigint OR c.parent_column IS NOT NULL
    ), ended AS (
        UPDATE mere_lake.ducklake_data_file AS f SET end_snapshot = new_id FROM gone WHERE f.data_file_id = gone.id
    ), deletes AS (
        UPDATE mere_lake.ducklake_delete_file AS d SET end_snapshot = new_id
        FROM gone WHERE d.data_file_id = gone.id AND d.end_snapshot IS NULL
    )
    SELECT count(*) INTO written FROM file;

    FOR inlined IN SELECT t ->> 0 AS name, (t ->> 1)::bigint AS rows FROM jsonb_array_elements(message -> 'inlined') AS t LOOP
        EXECUTE format('UPDATE mere_lake.%I SET end_snapshot = $1 WHERE begin_snapshot <= $2 AND end_snapshot IS NULL', inlined.name)
        USING new_id, read_id;
        GET DIAGNOSTICS touched = ROW_COUNT;
        IF touched <> inlined.rows THEN
            PERFORM mere.conflict(of_table::text, 'Inlined rows were deleted while they were written to files.');
        END IF;
    END LOOP;

    UPDATE mere_lake.ducklake_snapshot SET next_file_id = file_id + greatest(written, 1) WHERE snapshot_id = new_id;
    INSERT INTO mere_lake.ducklake_snapshot_changes (snapshot_id, changes_made, author, commit_message)
    VALUES (new_id, (message ->> 'kind') || ':' || of_table, 'mere', 'maintenance');
    RETURN new_id;
END $$;

-- Which snapshots may be forgotten: those that were no longer the newest one before `before`, and below `keep_from`.
-- They go from the old end, so this says where to stop.
CREATE OR REPLACE FUNCTION mere.first_kept_snapshot(before timestamptz, keep_from bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT least(keep_from, coalesce(max(snapshot_id), 0)) FROM mere_lake.ducklake_snapshot WHERE snapshot_time < before
$$;

DROP FUNCTION IF EXISTS mere.expire_snapshots(timestamptz, bigint);

-- Forgets the oldest of them, at most `at_most`; schedules files that no remaining snapshot reads. Returns how many
-- snapshots went.
CREATE OR REPLACE FUNCTION mere.expire_snapshots(before timestamptz, keep_from bigint, at_most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    data_path text := (SELECT value FROM mere_lake.ducklake_metadata WHERE key = 'data_path' AND scope IS NULL);
    kept bigint;
    expired bigint;
    oldest bigint;
    gone bigint[];
    inlined text;
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    LOCK TABLE mere.commit_lock IN EXCLUSIVE MODE;
    kept := mere.first_kept_snapshot(before, keep_from);
    WITH old AS (
        DELETE FROM mere_lake.ducklake_snapshot WHERE snapshot_id IN (
            SELECT snapshot_id FROM mere_lake.ducklake_snapshot WHERE snapshot_id < kept ORDER BY snapshot_id LIMIT at_most)
        RETURNING snapshot_id
    ), changes AS (
        DELETE FROM mere_lake.ducklake_snapshot_changes AS c USING old WHERE c.snapshot_id = old.snapshot_id
    ) SELECT count(*) INTO expired FROM old;
    IF expired = 0 THEN
        RETURN 0;
    END IF;
    SELECT min(snapshot_id) INTO oldest FROM mere_lake.ducklake_snapshot;

    -- snapshots go from the old end, so what ended at or before the oldest one left is read by none
    WITH dead AS (
        DELETE FROM mere_lake.ducklake_data_file WHERE end_snapshot <= oldest RETURNING data_file_id, table_id, path, path_is_relative
    ), orphaned AS (
        DELETE FROM mere_lake.ducklake_delete_file AS d WHERE d.end_snapshot <= oldest OR d.data_file_id IN (SELECT data_file_id FROM dead)
        RETURNING delete_file_id, table_id, path, path_is_relative
    ), stats AS (
        DELETE FROM mere_lake.ducklake_file_column_stats WHERE data_file_id IN (SELECT data_file_id FROM dead)
    ), variants AS (
        DELETE FROM mere_lake.ducklake_file_variant_stats WHERE data_file_id IN (SELECT data_file_id FROM dead)
    ), keyed AS (
        DELETE FROM mere_lake.ducklake_file_partition_value WHERE data_file_id IN (SELECT data_file_id FROM dead)
    ), located AS (
        SELECT f.data_file_id, CASE WHEN f.path_is_relative THEN l.location || f.path ELSE f.path END AS path
        FROM (SELECT * FROM dead UNION ALL SELECT * FROM orphaned) AS f
        CROSS JOIN LATERAL (SELECT mere.lake_location(s.path, s.path_is_relative, t.path, t.path_is_relative) AS location
            FROM mere_lake.ducklake_table AS t JOIN mere_lake.ducklake_schema AS s USING (schema_id)
            WHERE t.table_id = f.table_id ORDER BY t.begin_snapshot DESC LIMIT 1) AS l
    )
    INSERT INTO mere_lake.ducklake_files_scheduled_for_deletion (data_file_id, path, path_is_relative, schedule_start)
    SELECT data_file_id, CASE WHEN starts_with(path, data_path) THEN substr(path, length(data_path) + 1) ELSE path END,
           starts_with(path, data_path) OR path !~ '^/|://', clock_timestamp() FROM located;

    FOR inlined IN SELECT table_name FROM mere_lake.ducklake_inlined_data_tables LOOP
        EXECUTE format('DELETE FROM mere_lake.%I WHERE end_snapshot <= $1', inlined) USING oldest;
    END LOOP;
    SELECT array_agg(DISTINCT t.table_id) INTO gone FROM mere_lake.ducklake_table AS t
    WHERE NOT EXISTS (SELECT FROM mere_lake.ducklake_table AS l
        WHERE l.table_id = t.table_id AND (l.end_snapshot IS NULL OR l.end_snapshot > oldest));
    PERFORM mere.forget_tables(gone, oldest);
    RETURN expired;
END $$;

-- What is left of dropped tables, and of definitions that no remaining snapshot has.
CREATE OR REPLACE FUNCTION mere.forget_tables(gone bigint[], oldest bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    inlined text;
BEGIN
    FOR inlined IN
        SELECT table_name FROM mere_lake.ducklake_inlined_data_tables WHERE table_id = ANY (gone)
        UNION ALL SELECT 'ducklake_inlined_delete_' || g FROM unnest(gone) AS g
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS mere_lake.%I', inlined);
    END LOOP;
    DELETE FROM mere_lake.ducklake_inlined_data_tables WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_table_stats WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_table_column_stats WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_partition_column WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_schema_versions WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_sort_expression WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_name_mapping WHERE mapping_id IN
        (SELECT mapping_id FROM mere_lake.ducklake_column_mapping WHERE table_id = ANY (gone));
    DELETE FROM mere_lake.ducklake_column_mapping WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_table WHERE end_snapshot <= oldest AND (table_id = ANY (gone)
        OR EXISTS (SELECT FROM mere_lake.ducklake_table AS l WHERE l.table_id = ducklake_table.table_id AND l.begin_snapshot > ducklake_table.begin_snapshot));
    DELETE FROM mere_lake.ducklake_column WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_column_tag WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_partition_info WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_sort_info WHERE table_id = ANY (gone);
    DELETE FROM mere_lake.ducklake_tag WHERE end_snapshot <= oldest;
    DELETE FROM mere_lake.ducklake_view WHERE end_snapshot <= oldest;
    DELETE FROM mere_lake.ducklake_macro WHERE end_snapshot <= oldest;
    DELETE FROM mere_lake.ducklake_schema AS s WHERE end_snapshot <= oldest
        AND NOT EXISTS (SELECT FROM mere_lake.ducklake_table AS t WHERE t.schema_id = s.schema_id);
END $$;

-- The files are gone from storage.
CREATE OR REPLACE FUNCTION mere.forget_scheduled(paths text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM mere_lake.ducklake_files_scheduled_for_deletion WHERE path = ANY (paths)
$$;

REVOKE ALL ON FUNCTION mere.compact, mere.first_kept_snapshot, mere.expire_snapshots, mere.forget_tables, mere.forget_scheduled FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.compact, mere.first_kept_snapshot, mere.expire_snapshots, mere.forget_scheduled TO mere_gateway;
