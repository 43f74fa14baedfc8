-- What the catalog's event triggers do, as far as the committer needs it: ids for new tables and columns, 'DDL happened'.
CREATE ACCESS METHOD lake TYPE TABLE HANDLER heap_tableam_handler;

CREATE FUNCTION mere.track() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mere.shell (relid, path, schema_name, table_name)
    SELECT relid, relname || '-' || substr(md5(random()::text), 1, 8) || '/', nspname, relname FROM mere.live_shell AS l
    WHERE NOT EXISTS (SELECT FROM mere.shell AS s WHERE s.relid = l.relid);
    INSERT INTO mere.shell_column (relid, attnum, column_id, element_id, name, type, typmod, not_null, initial_default)
    SELECT relid, attnum, last_id - CASE WHEN is_array THEN 1 ELSE 0 END, CASE WHEN is_array THEN last_id END,
           attname, atttypid, atttypmod, attnotnull, mere.lake_value((attmissingval::text::text[])[1],
               mere.lake_type(CASE WHEN is_array THEN typelem ELSE atttypid END, atttypmod), is_array)
    FROM (SELECT typelem, s.relid, a.*, t.typcategory = 'A' AS is_array, s.column_ids + sum(CASE WHEN t.typcategory = 'A' THEN 2 ELSE 1 END)
                 OVER (PARTITION BY s.relid ORDER BY attnum) AS last_id
          FROM mere.shell AS s JOIN pg_attribute AS a ON a.attrelid = s.relid AND attnum > 0 AND NOT attisdropped
          JOIN pg_type AS t ON t.oid = atttypid
          WHERE NOT EXISTS (SELECT FROM mere.shell_column AS c WHERE c.relid = s.relid AND c.attnum = a.attnum)) AS x;
    UPDATE mere.shell AS s SET column_ids = (SELECT greatest(s.column_ids, max(greatest(column_id, element_id)))
        FROM mere.shell_column AS c WHERE c.relid = s.relid);
    INSERT INTO mere.pending (xid) VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;
END $$;

CREATE FUNCTION mere.distribute(relation regclass, key text, n int) RETURNS void LANGUAGE sql AS $$
    UPDATE mere.shell SET policy = 'hash', buckets = n, keys = ARRAY[(SELECT attnum FROM pg_attribute
        WHERE attrelid = relation AND attname = key)] WHERE relid = relation
$$;
