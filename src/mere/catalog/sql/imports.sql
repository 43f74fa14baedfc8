-- What a plain DuckDB defines in the lake appears in PostgreSQL: a trigger on DuckLake's own log of changes, at COMMIT.
-- Mere's own commits pass here too, and find that shells and lake already agree.

-- The PostgreSQL type of a top-level column, null when Mere has none that gives every value back.
CREATE OR REPLACE FUNCTION mere.imported_type(lake_type text, element_type text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN lake_type = 'list' THEN CASE WHEN element_type <> 'list' THEN mere.imported_type(element_type, NULL) || '[]' END
        WHEN lake_type ~ '^decimal\(\d+, ?\d+\)$' THEN 'numeric' || substr(lake_type, 8)
        ELSE (jsonb_build_object(
            'boolean', 'boolean', 'int8', 'smallint', 'int16', 'smallint', 'int32', 'integer', 'int64', 'bigint',
            'uint8', 'smallint', 'uint16', 'integer', 'uint32', 'bigint', 'uint64', 'numeric(20,0)',
            'float32', 'real', 'float64', 'double precision', 'varchar', 'text', 'json', 'json', 'blob', 'bytea', 'uuid', 'uuid',
            'date', 'date', 'time', 'time', 'timetz', 'time with time zone', 'interval', 'interval',
            'timestamp', 'timestamp', 'timestamp_us', 'timestamp', 'timestamp_ms', 'timestamp', 'timestamp_s', 'timestamp',
            'timestamptz', 'timestamp with time zone') ->> lake_type) END
$$;

-- A table's live columns in PostgreSQL's words.
CREATE OR REPLACE FUNCTION mere.imported_columns(of_table bigint)
RETURNS TABLE (column_id bigint, element_id bigint, name text, type text, not_null bool, default_literal text, initial_default text, place bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.column_id, e.column_id, c.column_name, mere.imported_type(c.column_type, e.column_type), NOT c.nulls_allowed,
           CASE WHEN c.column_type <> 'list' AND c.column_type <> 'blob' AND coalesce(c.default_value_type, 'literal') = 'literal'
                THEN nullif(c.default_value, 'NULL') END,
           c.initial_default, row_number() OVER (ORDER BY c.column_order)
    FROM mere_lake.ducklake_column AS c
    LEFT JOIN mere_lake.ducklake_column AS e
        ON e.table_id = c.table_id AND e.parent_column = c.column_id AND e.end_snapshot IS NULL AND c.column_type = 'list'
    WHERE c.table_id = of_table AND c.end_snapshot IS NULL AND c.parent_column IS NULL
$$;

CREATE OR REPLACE FUNCTION mere.import_schema(schema_name text, schema_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = schema_name) THEN
        EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', schema_name,
                       (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()));
    END IF;
    INSERT INTO mere.lake_schema VALUES (schema_name, schema_id) ON CONFLICT DO NOTHING;
END $$;

-- A table of which every column has a type gets a shell; another stays the lake's alone.
CREATE OR REPLACE FUNCTION mere.import_table(of_table bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t record;
    definition text;
    relation oid;
BEGIN
    SELECT d.table_name, d.table_uuid, s.schema_name, s.schema_id,
           mere.lake_location(s.path, s.path_is_relative, d.path, d.path_is_relative) AS location
    INTO t FROM mere_lake.ducklake_table AS d JOIN mere_lake.ducklake_schema AS s ON s.schema_id = d.schema_id AND s.end_snapshot IS NULL
    WHERE d.table_id = of_table AND d.end_snapshot IS NULL;
    IF NOT FOUND OR t.schema_name ~ '^pg_' OR t.schema_name IN ('mere', 'mere_lake', 'information_schema')
       OR greatest(octet_length(t.schema_name), octet_length(t.table_name)) > 63
       OR EXISTS (SELECT FROM mere.imported_columns(of_table) AS c WHERE c.type IS NULL OR octet_length(c.name) > 63)
       OR to_regclass(format('%I.%I', t.schema_name, t.table_name)) IS NOT NULL THEN
        RAISE WARNING 'table %.% has no place in PostgreSQL: only DuckLake knows it', t.schema_name, t.table_name;
        RETURN;
    END IF;
    PERFORM mere.import_schema(t.schema_name, t.schema_id);
    SELECT string_agg(format('%I %s%s%s', name, type, ' DEFAULT ' || quote_literal(default_literal) || '::' || type,
                             CASE WHEN not_null THEN ' NOT NULL' END), ', ' ORDER BY place)
    INTO definition FROM mere.imported_columns(of_table);
    EXECUTE format('CREATE TABLE %I.%I (%s) USING lake', t.schema_name, t.table_name, coalesce(definition, ''));
    relation := to_regclass(format('%I.%I', t.schema_name, t.table_name));
    EXECUTE format('ALTER TABLE %s OWNER TO %I', relation::regclass,
                   (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()));
    INSERT INTO mere.shell (relid, table_id, table_uuid, path, schema_name, table_name, column_ids)
    VALUES (relation, of_table, t.table_uuid, t.location, t.schema_name, t.table_name,
            (SELECT max(column_id) FROM mere_lake.ducklake_column WHERE table_id = of_table));
    PERFORM mere.map_imported(relation, of_table);
    PERFORM mere.guard(relation);
END $$;

-- The map's columns after the shell's columns were made to fit: by name, which is unique.
CREATE OR REPLACE FUNCTION mere.map_imported(relation oid, of_table bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM mere.shell_column WHERE relid = relation;
    INSERT INTO mere.shell_column
        (relid, attnum, column_id, element_id, name, type, typmod, not_null, default_literal, initial_default, committed)
    SELECT relation, a.attnum, c.column_id, c.element_id, c.name, a.atttypid, a.atttypmod, a.attnotnull, c.default_literal, c.initial_default, true
    FROM mere.imported_columns(of_table) AS c
    JOIN pg_attribute AS a ON a.attrelid = relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped;
    UPDATE mere.shell SET column_ids = (SELECT max(column_id) FROM mere_lake.ducklake_column WHERE table_id = of_table)
    WHERE relid = relation;
$$;

CREATE OR REPLACE FUNCTION mere.import_columns(relation oid, of_table bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    step text;
BEGIN
    IF EXISTS (SELECT FROM mere.imported_columns(of_table) AS c WHERE c.type IS NULL OR octet_length(c.name) > 63) THEN
        RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = format('table %s has a new column of a type that Mere does not have', relation::regclass);
    END IF;
    FOR step IN
        WITH new AS (SELECT * FROM mere.imported_columns(of_table)),
             old AS (SELECT m.column_id, m.name, format_type(m.type, m.typmod) AS type, m.type AS oid, m.not_null, m.default_literal
                     FROM mere.shell_column AS m WHERE m.relid = relation)
        SELECT s FROM (
            SELECT 1 AS round, format('DROP COLUMN %I', old.name) AS s FROM old WHERE column_id NOT IN (SELECT column_id FROM new)
            UNION ALL  -- two columns may have swapped names
            SELECT 2, format('RENAME COLUMN %I TO %I', old.name, 'mere_' || column_id) FROM old JOIN new USING (column_id) WHERE old.name <> new.name
            UNION ALL
            SELECT 3, format('RENAME COLUMN %I TO %I', 'mere_' || column_id, new.name) FROM old JOIN new USING (column_id) WHERE old.name <> new.name
            UNION ALL
            SELECT 4, format('ALTER COLUMN %I TYPE %s', new.name, new.type) FROM old JOIN new USING (column_id)
            JOIN pg_type AS t ON t.oid = old.oid  -- varchar(n) and the like are narrower words for the same
            WHERE mere.lake_type(t.oid, -1) IS DISTINCT FROM mere.lake_type(to_regtype(new.type), -1) OR new.type LIKE 'numeric%' AND old.type <> new.type
            UNION ALL
            SELECT 5, format('ADD COLUMN %I %s%s', new.name, new.type, ' DEFAULT ' || quote_literal(new.default_literal) || '::' || new.type)
            FROM new WHERE column_id NOT IN (SELECT column_id FROM old)
            UNION ALL
            SELECT 6, format('ALTER COLUMN %I %s NOT NULL', new.name, CASE WHEN new.not_null THEN 'SET' ELSE 'DROP' END)
            FROM new LEFT JOIN old USING (column_id) WHERE new.not_null IS DISTINCT FROM coalesce(old.not_null, false)
            UNION ALL
            SELECT 7, format('ALTER COLUMN %I %s', new.name, coalesce('SET DEFAULT ' || quote_literal(new.default_literal) || '::' || new.type, 'DROP DEFAULT'))
            FROM new JOIN old USING (column_id) WHERE new.default_literal IS DISTINCT FROM old.default_literal
        ) AS steps ORDER BY round
    LOOP
        EXECUTE format('ALTER TABLE %s %s', relation::regclass, step);
    END LOOP;
    PERFORM mere.map_imported(relation, of_table);
END $$;

-- PARTITIONED BY (bucket(n, k)) is DISTRIBUTED BY (k).
CREATE OR REPLACE FUNCTION mere.import_policy(relation oid, of_table bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH found AS (
        SELECT min(m.attnum) AS attnum, min(p.transform) AS transform FROM mere_lake.ducklake_partition_info AS i
        JOIN mere_lake.ducklake_partition_column AS p USING (partition_id)
        JOIN mere.shell_column AS m ON m.relid = relation AND m.column_id = p.column_id
        WHERE i.table_id = of_table AND i.end_snapshot IS NULL
        HAVING count(*) = 1 AND min(p.transform) ~ '^bucket\(\d+\)$'
    )
    UPDATE mere.shell SET
        policy = CASE WHEN EXISTS (SELECT FROM found) THEN 'hash' WHEN policy = 'hash' THEN 'random' ELSE policy END,
        keys = coalesce((SELECT ARRAY[attnum] FROM found), '{}'),
        buckets = coalesce((SELECT substring(transform FROM '\d+')::int FROM found), 0)
    WHERE relid = relation
$$;

CREATE OR REPLACE FUNCTION mere.on_lake_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET event_triggers = off SET default_table_access_method = 'heap' SET client_min_messages = warning AS $$
DECLARE
    t record;
BEGIN
    IF NEW.changes_made !~ '(created|altered|dropped)_(table|schema):' THEN
        RETURN NULL;
    END IF;
    -- renamed and dropped tables first, so that their names are free
    FOR t IN
        SELECT s.relid, s.relid::regclass AS name FROM mere.shell AS s JOIN mere_lake.ducklake_table AS d USING (table_id)
        WHERE d.end_snapshot = NEW.snapshot_id
          AND NOT EXISTS (SELECT FROM mere_lake.ducklake_table AS l WHERE l.table_id = d.table_id AND l.end_snapshot IS NULL)
          AND EXISTS (SELECT FROM pg_class AS c WHERE c.oid = s.relid)
    LOOP
        EXECUTE format('DROP TABLE %s', t.name);
        DELETE FROM mere.shell_column WHERE relid = t.relid;
        DELETE FROM mere.shell WHERE relid = t.relid;
        UPDATE mere.shell SET bounds = mere.bounds(relid) WHERE array_to_string(bounds, ' ') LIKE '%: outside of %';
    END LOOP;
    FOR t IN
        SELECT s.relid, s.table_name AS old_name, d.table_name, s.schema_name AS old_schema, n.schema_name, n.schema_id
        FROM mere.shell AS s
        JOIN mere_lake.ducklake_table AS d ON d.table_id = s.table_id AND d.end_snapshot IS NULL AND d.begin_snapshot = NEW.snapshot_id
        JOIN mere_lake.ducklake_schema AS n ON n.schema_id = d.schema_id AND n.end_snapshot IS NULL
        WHERE (s.table_name, s.schema_name) IS DISTINCT FROM (d.table_name::text, n.schema_name::text)
    LOOP
        IF t.old_schema <> t.schema_name THEN
            PERFORM mere.import_schema(t.schema_name, t.schema_id);
            EXECUTE format('ALTER TABLE %s SET SCHEMA %I', t.relid::regclass, t.schema_name);
        END IF;
        IF t.old_name <> t.table_name THEN
            EXECUTE format('ALTER TABLE %s RENAME TO %I', t.relid::regclass, t.table_name);
        END IF;
        UPDATE mere.shell SET table_name = t.table_name, schema_name = t.schema_name WHERE relid = t.relid;
    END LOOP;
    PERFORM mere.import_schema(schema_name, schema_id) FROM mere_lake.ducklake_schema
    WHERE begin_snapshot = NEW.snapshot_id AND end_snapshot IS NULL AND octet_length(schema_name) <= 63
      AND schema_name !~ '^pg_' AND schema_name NOT IN ('mere', 'mere_lake', 'information_schema');
    PERFORM mere.import_table(d.table_id) FROM mere_lake.ducklake_table AS d
    WHERE d.begin_snapshot = NEW.snapshot_id AND d.end_snapshot IS NULL
      AND NOT EXISTS (SELECT FROM mere.shell AS s WHERE s.table_id = d.table_id);
    PERFORM mere.import_columns(s.relid, s.table_id) FROM mere.shell AS s
    WHERE mere.columns_differ(s.relid, s.table_id)
      AND s.table_id IN (SELECT table_id FROM mere_lake.ducklake_column WHERE NEW.snapshot_id IN (begin_snapshot, end_snapshot));
    PERFORM mere.import_policy(s.relid, s.table_id) FROM mere.shell AS s
    JOIN mere_lake.ducklake_partition_info AS i USING (table_id) WHERE NEW.snapshot_id IN (i.begin_snapshot, i.end_snapshot)
      AND NOT (s.policy = 'hash' AND EXISTS (SELECT FROM mere_lake.ducklake_partition_info AS l
          JOIN mere_lake.ducklake_partition_column AS p USING (partition_id)
          JOIN mere.shell_column AS m ON m.relid = s.relid AND m.column_id = p.column_id AND m.attnum = s.keys[1]
          WHERE l.table_id = s.table_id AND l.end_snapshot IS NULL AND p.transform = format('bucket(%s)', s.buckets)));
    PERFORM mere.forget_schemas(NEW.snapshot_id);
    RETURN NULL;
END $$;

-- Does the lake have other columns than the map says? After Mere's own commit it does not.
CREATE OR REPLACE FUNCTION mere.columns_differ(relation oid, of_table bigint) RETURNS bool
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM mere.imported_columns(of_table) AS n
        FULL JOIN (SELECT * FROM mere.shell_column WHERE relid = relation) AS o USING (column_id)
        WHERE n.name IS DISTINCT FROM o.name OR n.not_null IS DISTINCT FROM o.not_null
           OR n.default_literal IS DISTINCT FROM o.default_literal AND o.type <> 17
           OR CASE WHEN n.type LIKE 'numeric%' THEN n.type <> format_type(o.type, o.typmod)
                   ELSE mere.lake_type(to_regtype(n.type), -1) IS DISTINCT FROM mere.lake_type(o.type, -1) END)
$$;

-- Schemas that plain DuckDB dropped go from PostgreSQL too, where nothing else is in them.
CREATE OR REPLACE FUNCTION mere.forget_schemas(snapshot bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s record;
BEGIN
    FOR s IN
        DELETE FROM mere.lake_schema AS l USING mere_lake.ducklake_schema AS d
        WHERE d.schema_id = l.schema_id AND d.end_snapshot = snapshot RETURNING l.schema_name
    LOOP
        BEGIN
            EXECUTE format('DROP SCHEMA IF EXISTS %I', s.schema_name);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;  -- views or functions: the next commit makes the schema in the lake again
        END;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION mere.imported_type, mere.imported_columns, mere.import_schema, mere.import_table, mere.map_imported,
    mere.import_columns, mere.import_policy, mere.on_lake_change, mere.columns_differ, mere.forget_schemas FROM PUBLIC;

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgname = 'mere_import') THEN
        CREATE CONSTRAINT TRIGGER mere_import AFTER INSERT ON mere_lake.ducklake_snapshot_changes
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mere.on_lake_change();
        ALTER TABLE mere_lake.ducklake_snapshot_changes ENABLE ALWAYS TRIGGER mere_import;
    END IF;
END $$;
