-- What the committer adds to the catalog: indexes that DuckLake lacks, the map of schemas, and pure functions that
-- translate PostgreSQL's types and defaults into DuckLake's. Installed in each database, idempotent.
-- Functions without a search_path of their own are called from definer functions only, under the path that these pin;
-- so PostgreSQL inlines them.

CREATE INDEX IF NOT EXISTS mere_data_file_table ON mere_lake.ducklake_data_file (table_id, end_snapshot, begin_snapshot);
CREATE INDEX IF NOT EXISTS mere_data_file_begin ON mere_lake.ducklake_data_file (begin_snapshot);
CREATE INDEX IF NOT EXISTS mere_delete_file_data ON mere_lake.ducklake_delete_file (data_file_id);
CREATE INDEX IF NOT EXISTS mere_delete_file_table ON mere_lake.ducklake_delete_file (table_id, begin_snapshot);
CREATE INDEX IF NOT EXISTS mere_file_stats ON mere_lake.ducklake_file_column_stats (data_file_id);
CREATE INDEX IF NOT EXISTS mere_file_stats_column ON mere_lake.ducklake_file_column_stats (table_id, column_id);
CREATE INDEX IF NOT EXISTS mere_partition_value ON mere_lake.ducklake_file_partition_value (data_file_id);
CREATE INDEX IF NOT EXISTS mere_partition_value_table ON mere_lake.ducklake_file_partition_value (table_id);
CREATE INDEX IF NOT EXISTS mere_column_table ON mere_lake.ducklake_column (table_id);
CREATE INDEX IF NOT EXISTS mere_table_id ON mere_lake.ducklake_table (table_id);
CREATE INDEX IF NOT EXISTS mere_table_stats ON mere_lake.ducklake_table_stats (table_id);
CREATE INDEX IF NOT EXISTS mere_table_column_stats ON mere_lake.ducklake_table_column_stats (table_id);
CREATE INDEX IF NOT EXISTS mere_partition_info ON mere_lake.ducklake_partition_info (table_id);
CREATE INDEX IF NOT EXISTS mere_schema_versions ON mere_lake.ducklake_schema_versions (table_id, begin_snapshot);
CREATE INDEX IF NOT EXISTS mere_token ON mere_lake.ducklake_snapshot_changes (commit_extra_info)
    WHERE commit_extra_info IS NOT NULL;
CREATE INDEX IF NOT EXISTS mere_snapshot_time ON mere_lake.ducklake_snapshot (snapshot_time);

-- Schemas that the lake has because PostgreSQL has them. One that plain DuckDB made and PostgreSQL lacks is not here,
-- so that it is never taken for a dropped one.
CREATE TABLE IF NOT EXISTS mere.lake_schema (
    schema_name text PRIMARY KEY,
    schema_id   bigint NOT NULL
) USING heap;

-- The DuckLake type that stores a PostgreSQL type; of an array, the type of its element. Null: not supported.
CREATE OR REPLACE FUNCTION mere.lake_type(kind oid, typmod int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE kind
        WHEN 16 THEN 'boolean' WHEN 21 THEN 'int16' WHEN 23 THEN 'int32' WHEN 20 THEN 'int64'
        WHEN 700 THEN 'float32' WHEN 701 THEN 'float64'
        WHEN 1700 THEN CASE WHEN typmod < 4 THEN 'decimal(38,10)'
            ELSE format('decimal(%s,%s)', ((typmod - 4) >> 16) & 65535, ((typmod - 4) & 2047)) END
        WHEN 25 THEN 'varchar' WHEN 1043 THEN 'varchar' WHEN 1042 THEN 'varchar' WHEN 19 THEN 'varchar'
        WHEN 18 THEN 'varchar' WHEN 17 THEN 'blob' WHEN 1082 THEN 'date' WHEN 1083 THEN 'time' WHEN 1266 THEN 'timetz'
        WHEN 1114 THEN 'timestamp' WHEN 1184 THEN 'timestamptz' WHEN 1186 THEN 'interval' WHEN 2950 THEN 'uuid'
        WHEN 114 THEN 'json' WHEN 3802 THEN 'json' END
$$;

-- Can files that hold `old` be read as `new`? Only where every constant of the new type, cast to the old one, is itself
-- or fails: DuckDB pushes filters down to files so (0.1 > 0.1::float, 1.01 > 1.005::numeric(10,2) lose rows).
CREATE OR REPLACE FUNCTION mere.lake_promotes(old text, new text) RETURNS bool
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN old = new THEN true
        WHEN old = 'int16' THEN new IN ('int32', 'int64')
        WHEN old = 'int32' THEN new = 'int64'
        WHEN old = 'json' THEN new = 'varchar'
        WHEN old LIKE 'decimal(%' AND new LIKE 'decimal(%' THEN
            (SELECT d[4] = d[2] AND d[3]::int >= d[1]::int
             FROM (SELECT regexp_match(old || new, '\((\d+),(\d+)\)decimal\((\d+),(\d+)\)') AS d) AS digits)
        ELSE false END
$$;

-- How bounds kept as text compare: 'n' as numeric, 'f' as float8, 't' as dates and times, 's' byte by byte,
-- null: never (DuckLake uses no bounds of this type).
CREATE OR REPLACE FUNCTION mere.lake_order(type text) RETURNS "char"
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (CASE
        WHEN type ~ '^(u?int\d+$|decimal)' THEN 'n'
        WHEN type IN ('float32', 'float64') THEN 'f'
        WHEN type IN ('date', 'timestamp', 'timestamptz', 'timestamp_us', 'timestamp_ms', 'timestamp_s', 'timestamp_ns') THEN 't'
        WHEN type IN ('boolean', 'varchar', 'json', 'uuid', 'time', 'blob') THEN 's' END)::"char"
$$;

-- A literal as pg_get_expr prints it ('abc'::text, 5, '-5'::integer, true), as DuckDB casts it; null when the
-- expression is no literal. Only text is taken apart: nothing of the user's is evaluated here.
CREATE OR REPLACE FUNCTION mere.lake_literal(expression text, type text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN expression ~ '^\(?-?[0-9]+(\.[0-9]+)?\)?$' THEN btrim(expression, '()')
        WHEN expression IN ('true', 'false') THEN expression
        WHEN value IS NULL THEN NULL
        WHEN type = 'blob' THEN regexp_replace(substr(value, 3), '(..)', '\\x\1', 'g')
        ELSE value END
    FROM (SELECT replace((regexp_match(expression,
        '^''((?:[^'']|'''')*)''::[a-z][a-z ]*(?:\([0-9, ]+\))?(?: with(?:out)? time zone)?$'))[1], '''''', '''') AS value) AS v
$$;

-- The text of a value of type `kind` as PostgreSQL prints it (ISO, UTC), in the form that DuckDB casts.
CREATE OR REPLACE FUNCTION mere.lake_value(value text, type text, is_array bool) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN value IS NULL THEN NULL
        WHEN is_array THEN '[' || (SELECT coalesce(string_agg(
            CASE WHEN item IS NULL THEN 'NULL' ELSE '''' || replace(replace(item, '\', '\\'), '''', '\''') || '''' END,
            ', ' ORDER BY position), '') FROM unnest(value::text[]) WITH ORDINALITY AS u (item, position)) || ']'
        WHEN type = 'blob' THEN regexp_replace(substr(value, 3), '(..)', '\\x\1', 'g')
        WHEN type = 'boolean' THEN CASE value WHEN 't' THEN 'true' WHEN 'f' THEN 'false' ELSE value END
        ELSE value END
$$;

-- The prefix of a table's files: relative to the lake's data path, or absolute.
CREATE OR REPLACE FUNCTION mere.lake_location(schema_path text, schema_relative bool, table_path text, table_relative bool)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN table_path IS NULL THEN coalesce(schema_path, '')
        WHEN NOT coalesce(table_relative, true) THEN table_path
        ELSE coalesce(schema_path, '') || table_path END
$$;

REVOKE ALL ON FUNCTION mere.lake_type, mere.lake_promotes, mere.lake_order, mere.lake_literal, mere.lake_value,
    mere.lake_location FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.lake_location TO mere_gateway;
