-- What becomes a lake table, what it may have, and which ids its columns get. Called by the event triggers, as
-- mere_super with event triggers off.

CREATE OR REPLACE FUNCTION mere.supported_type(type oid) RETURNS bool
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    -- bool int2 int4 int8 float4 float8 numeric text varchar bpchar name bytea date time timetz timestamp timestamptz
    -- interval uuid json jsonb
    SELECT type IN (16, 21, 23, 20, 700, 701, 1700, 25, 1043, 1042, 19, 17, 1082, 1083, 1266, 1114, 1184, 1186, 2950, 114, 3802)
$$;

-- Is there data that a definition must hold for: committed files or inlined rows, or files of this transaction?
CREATE OR REPLACE FUNCTION mere.has_data(relation oid) RETURNS bool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lake_table bigint := (SELECT table_id FROM mere.shell WHERE relid = relation);
    inlined    text;
    found_row  bool;
BEGIN
    IF EXISTS (SELECT FROM mere.written WHERE xid = pg_current_xact_id_if_assigned() AND relid = relation)
       OR EXISTS (SELECT FROM mere_lake.ducklake_data_file WHERE table_id = lake_table AND end_snapshot IS NULL) THEN
        RETURN true;
    END IF;
    FOR inlined IN SELECT table_name FROM mere_lake.ducklake_inlined_data_tables WHERE table_id = lake_table LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM mere_lake.%I WHERE end_snapshot IS NULL)', inlined) INTO found_row;
        IF found_row THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- May this transaction change the table in a way that existing rows must bear out? Yes without rows, or when the
-- gateway says that it has looked (mere.ddl_ticket).
CREATE OR REPLACE FUNCTION mere.unchecked(relation oid) RETURNS bool
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT NOT EXISTS (SELECT FROM mere.ddl_ticket WHERE xid = pg_current_xact_id_if_assigned() AND relid = relation)
        AND mere.has_data(relation)
$$;

CREATE OR REPLACE FUNCTION mere.refuse(what text, relation oid, hint text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '0A000',
        MESSAGE = format('%s not supported for lake tables: %s', what, relation::regclass),
        HINT = coalesce(hint, 'A table made with USING heap is an ordinary PostgreSQL table.');
END $$;

CREATE OR REPLACE FUNCTION mere.check_features(relation oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c record;
    name text;
BEGIN
    SELECT * INTO c FROM pg_class WHERE oid = relation;
    IF c.relpersistence = 'u' THEN
        PERFORM mere.refuse('UNLOGGED is', relation);
    ELSIF c.reloftype <> 0 THEN
        PERFORM mere.refuse('OF a type is', relation);
    ELSIF c.relrowsecurity OR c.relforcerowsecurity OR EXISTS (SELECT FROM pg_policy WHERE polrelid = relation) THEN
        PERFORM mere.refuse('row-level security is', relation, 'Give access to rows by a view.');
    ELSIF c.reltablespace <> 0 THEN
        PERFORM mere.refuse('a tablespace is', relation);
    ELSIF EXISTS (SELECT FROM pg_inherits WHERE (inhrelid = relation OR inhparent = relation) AND NOT mere.is_partitioned(inhparent)) THEN
        PERFORM mere.refuse('inheritance, and a partition of a PostgreSQL table, are', relation);
    END IF;
    SELECT tgname INTO name FROM pg_trigger
    WHERE tgrelid = relation AND NOT tgisinternal AND tgfoid <> 'mere.refuse_write()'::regprocedure;
    IF FOUND THEN
        PERFORM mere.refuse(format('trigger %I is', name), relation);
    END IF;
    SELECT rulename INTO name FROM pg_rewrite WHERE ev_class = relation AND NOT (c.relkind = 'm' AND rulename = '_RETURN');
    IF FOUND THEN
        PERFORM mere.refuse(format('rule %I is', name), relation);
    END IF;
    SELECT conname INTO name FROM pg_constraint WHERE conrelid = relation AND contype = 'x';
    IF FOUND THEN
        PERFORM mere.refuse(format('exclusion constraint %I is', name), relation);
    END IF;
    SELECT attname INTO name FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attgenerated = 'v';
    IF FOUND THEN
        PERFORM mere.refuse(format('virtual generated column %I is', name), relation, 'Say STORED.');
    END IF;
END $$;

-- Every column can be stored; numeric without precision is given one.
CREATE OR REPLACE FUNCTION mere.check_columns(relation oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a record;
    precision_ int;
    scale_ int;
BEGIN
    FOR a IN
        SELECT attnum, attname, atttypid, atttypmod, attndims, coalesce(nullif(t.typelem, 0), t.oid) AS base,
               t.typelem <> 0 AND t.typcategory = 'A' AS is_array
        FROM pg_attribute JOIN pg_type AS t ON t.oid = atttypid
        WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
    LOOP
        IF a.attndims > 1 OR NOT mere.supported_type(CASE WHEN a.is_array THEN a.base ELSE a.atttypid END) THEN
            RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = format('type %s of column "%s" is not supported for lake tables',
                format_type(a.atttypid, a.atttypmod) || repeat('[]', greatest(a.attndims - 1, 0)), a.attname),
                HINT = 'A table made with USING heap is an ordinary PostgreSQL table.';
        END IF;
        CONTINUE WHEN a.base <> 1700;
        IF a.atttypmod < 4 THEN
            IF (SELECT relkind FROM pg_class WHERE oid = relation) = 'm' THEN  -- ALTER changes no column of a query's
                UPDATE pg_attribute SET atttypmod = ((38 << 16) | 10) + 4 WHERE attrelid = relation AND attnum = a.attnum;
            ELSE
                EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE numeric(38,10)%s',
                               relation::regclass, a.attname, CASE WHEN a.is_array THEN '[]' END);
            END IF;
            RAISE NOTICE 'column "%" is stored as numeric(38,10)', a.attname
                USING HINT = 'Lake tables have no numeric of unlimited precision; give one, up to 38 digits.';
            CONTINUE;
        END IF;
        precision_ := ((a.atttypmod - 4) >> 16) & 65535;
        scale_ := (((a.atttypmod - 4) & 2047) # 1024) - 1024;
        IF precision_ > 38 OR scale_ < 0 OR scale_ > precision_ THEN
            RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = format('type %s of column "%s" is not supported for lake tables',
                format_type(a.atttypid, a.atttypmod), a.attname), HINT = 'At most 38 digits, none before the point cut off.';
        END IF;
    END LOOP;
END $$;

-- Ids for columns that have none. A list takes one more, for its elements.
CREATE OR REPLACE FUNCTION mere.number_columns(relation oid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH fresh AS (
        SELECT a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, k.is_array,
               CASE WHEN a.atthasmissing THEN mere.lake_value((a.attmissingval::text::text[])[1],
                   mere.lake_type(CASE WHEN k.is_array THEN t.typelem ELSE t.oid END, a.atttypmod), k.is_array) END AS initial,
               s.column_ids + sum(CASE WHEN k.is_array THEN 2 ELSE 1 END) OVER (ORDER BY a.attnum) AS last_id
        FROM mere.shell AS s
        JOIN pg_attribute AS a ON a.attrelid = s.relid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type AS t ON t.oid = a.atttypid
        CROSS JOIN LATERAL (SELECT t.typelem <> 0 AND t.typcategory = 'A' AS is_array) AS k
        WHERE s.relid = relation
          AND NOT EXISTS (SELECT FROM mere.shell_column AS c WHERE c.relid = s.relid AND c.attnum = a.attnum)
    ), counted AS (
        UPDATE mere.shell SET column_ids = (SELECT max(last_id) FROM fresh)
        WHERE relid = relation AND EXISTS (SELECT FROM fresh)
    )
    INSERT INTO mere.shell_column (relid, attnum, column_id, element_id, name, type, typmod, not_null, initial_default)
    SELECT relation, attnum, last_id - is_array::int, CASE WHEN is_array THEN last_id END, attname, atttypid, atttypmod,
           attnotnull, initial
    FROM fresh
$$;

-- Columns that this command adds to a table that has rows: NOT NULL needs a default.
CREATE OR REPLACE FUNCTION mere.check_new_columns(relation oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text;
BEGIN
    SELECT min(attname) INTO missing FROM pg_attribute AS a
    WHERE attrelid = relation AND attnum > 0 AND attnotnull AND NOT attisdropped AND NOT atthasmissing
      AND NOT EXISTS (SELECT FROM mere.shell_column AS m WHERE m.relid = a.attrelid AND m.attnum = a.attnum);
    IF missing IS NOT NULL AND mere.unchecked(relation) THEN
        RAISE EXCEPTION USING ERRCODE = '23502', MESSAGE = format('column "%s" of relation "%s" contains null values',
            missing, (SELECT relname FROM pg_class WHERE oid = relation));
    END IF;
END $$;

-- Definitions that rows must bear out, on a table that has rows. `relation` is a known shell.
CREATE OR REPLACE FUNCTION mere.check_against_data(relation oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanting text;
BEGIN
    SELECT min(a.attname) INTO wanting
    FROM pg_attribute AS a JOIN mere.shell_column AS m ON m.relid = a.attrelid AND m.attnum = a.attnum
    WHERE a.attrelid = relation AND a.attnotnull AND NOT a.attisdropped AND NOT m.not_null;
    IF wanting IS NOT NULL AND mere.unchecked(relation) THEN
        PERFORM mere.refuse(format('SET NOT NULL of column "%s" inside PostgreSQL is', wanting), relation,
                            'Give the statement by itself, so that the rows can be looked at.');
    END IF;

    SELECT min(a.attname) INTO wanting
    FROM pg_attribute AS a JOIN mere.shell_column AS m ON m.relid = a.attrelid AND m.attnum = a.attnum
    WHERE a.attrelid = relation AND NOT a.attisdropped AND a.atttypid <> m.type
      AND NOT (a.atttypid IN (25, 1043) AND m.type IN (25, 1043));
    IF wanting IS NOT NULL AND mere.unchecked(relation) THEN
        PERFORM mere.refuse(format('a new type of column "%s" inside PostgreSQL is', wanting), relation,
                            'Give the statement by itself, so that the rows can be converted.');
    END IF;

    SELECT min(conname) INTO wanting FROM pg_constraint AS c
    WHERE conrelid = relation AND contype = 'c' AND conenforced AND convalidated
      AND NOT EXISTS (SELECT FROM mere.shell_constraint WHERE constraint_oid = c.oid);
    IF wanting IS NOT NULL AND mere.unchecked(relation) THEN
        PERFORM mere.refuse(format('a new constraint "%s" inside PostgreSQL is', wanting), relation,
                            'Give the statement by itself, so that the rows can be looked at, or add it NOT VALID.');
    END IF;
END $$;

-- Keys say what they are worth, once; foreign keys stop asking PostgreSQL.
CREATE OR REPLACE FUNCTION mere.note_constraints(relation oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    k record;
BEGIN
    FOR k IN
        SELECT conname, conrelid, conrelid::regclass AS owner_, contype FROM pg_constraint
        WHERE contype = 'f' AND conenforced
          AND (conrelid = relation AND EXISTS (SELECT FROM mere.shell WHERE relid = relation)
               OR confrelid = relation AND EXISTS (SELECT FROM mere.shell WHERE relid = relation)
               OR conrelid = relation AND EXISTS (SELECT FROM mere.shell WHERE relid = confrelid))
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I NOT ENFORCED', k.owner_, k.conname);
        RAISE NOTICE 'foreign key "%" is informational: not enforced', k.conname;
    END LOOP;
    FOR k IN
        SELECT c.conname, c.contype FROM pg_constraint AS c JOIN mere.shell AS s ON s.relid = c.conrelid
        WHERE c.conrelid = relation AND c.contype IN ('p', 'u')
          AND NOT EXISTS (SELECT FROM mere.shell_constraint WHERE constraint_oid = c.oid)
    LOOP
        RAISE NOTICE '% "%" is informational: not enforced',
            CASE k.contype WHEN 'p' THEN 'primary key' ELSE 'unique constraint' END, k.conname;
    END LOOP;
    DELETE FROM mere.shell_constraint AS s WHERE s.relid = relation
        AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.oid = s.constraint_oid);
    INSERT INTO mere.shell_constraint (constraint_oid, relid)
    SELECT oid, conrelid FROM pg_constraint
    WHERE conrelid = relation AND (contype IN ('p', 'u') OR contype = 'c' AND conenforced AND convalidated)
      AND EXISTS (SELECT FROM mere.shell WHERE relid = relation)
    ON CONFLICT DO NOTHING;
END $$;

CREATE OR REPLACE FUNCTION mere.table_path(name text, id uuid) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(nullif(left(btrim(regexp_replace(lower(name), '[^a-z0-9_]+', '_', 'g'), '_'), 40), ''), 'table')
        || '-' || left(replace(id::text, '-', ''), 12) || '/'
$$;

-- After any DDL that touched a relation. Makes it a shell, or keeps the shell it is in order.
CREATE OR REPLACE FUNCTION mere.adopt(relation oid, in_extension bool) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c record;
    is_lake bool;
    known bool := EXISTS (SELECT FROM mere.shell WHERE relid = relation);
    id uuid := gen_random_uuid();
BEGIN
    SELECT r.oid, relname, relkind, relpersistence, nspname, relam INTO c
    FROM pg_class AS r JOIN pg_namespace AS n ON n.oid = relnamespace WHERE r.oid = relation;
    IF NOT FOUND OR c.relkind NOT IN ('r', 'p', 'm') OR c.relpersistence = 't' THEN
        RETURN;
    END IF;
    is_lake := c.relam = (SELECT oid FROM pg_am WHERE amname = 'lake');
    -- A materialized view is kept where most of what it reads is: in the lake, or in PostgreSQL and filled by it.
    IF c.relkind = 'm' AND NOT known THEN
        IF mere.reads_lake(relation) <> is_lake THEN
            IF NOT is_lake THEN
                PERFORM mere.refuse('a materialized view over lake tables kept in PostgreSQL is', relation, 'Leave USING away.');
            END IF;
            EXECUTE format('ALTER MATERIALIZED VIEW %s SET ACCESS METHOD heap', relation::regclass);
            RETURN;
        END IF;
        IF NOT is_lake THEN
            RETURN;
        END IF;
    END IF;
    IF c.relkind = 'p' THEN
        IF c.relam = 0 OR is_lake THEN
            PERFORM mere.adopt_partitioned(relation, in_extension);
        END IF;
        RETURN;
    ELSIF NOT is_lake AND EXISTS (SELECT FROM pg_inherits WHERE inhrelid = relation AND mere.is_partitioned(inhparent)) THEN
        PERFORM mere.refuse('a partition kept in PostgreSQL is', relation);
    ELSIF known AND NOT is_lake THEN
        PERFORM mere.refuse('SET ACCESS METHOD is', relation);
    ELSIF NOT is_lake THEN
        PERFORM mere.note_constraints(relation);
        RETURN;
    ELSIF NOT known AND (in_extension OR c.nspname IN ('mere', 'mere_lake')) THEN
        EXECUTE format('ALTER TABLE %s SET ACCESS METHOD heap', relation::regclass);
        RETURN;
    END IF;
    PERFORM mere.check_features(relation);
    PERFORM mere.check_columns(relation);
    IF NOT known THEN
        IF pg_relation_size(relation) > 0 THEN
            PERFORM mere.refuse('filling it inside PostgreSQL is', relation, 'Create the table first, then INSERT.');
        END IF;
        INSERT INTO mere.shell (relid, table_uuid, path, schema_name, table_name)
        VALUES (relation, id, mere.table_path(c.relname, id), c.nspname, c.relname);
        PERFORM mere.inherit_policy(relation);
    END IF;
    IF known THEN
        PERFORM mere.check_new_columns(relation);
    END IF;
    PERFORM mere.number_columns(relation);
    IF known THEN
        PERFORM mere.check_against_data(relation);
    END IF;
    PERFORM mere.guard(relation);
    PERFORM mere.note_constraints(relation);
    PERFORM mere.check_policy(relation);
    PERFORM mere.check_partition(relation);
    INSERT INTO mere.pending (xid) VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;
END $$;

REVOKE ALL ON FUNCTION mere.supported_type, mere.has_data, mere.unchecked, mere.refuse, mere.check_features, mere.check_columns,
    mere.number_columns, mere.check_new_columns, mere.check_against_data, mere.note_constraints, mere.table_path, mere.adopt FROM PUBLIC;
