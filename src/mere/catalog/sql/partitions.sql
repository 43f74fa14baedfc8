-- Partitioned tables of the lake. PostgreSQL has the bounds; each partition is a lake table of its own, and the table
-- above them has no rows. Called by the event triggers, as mere_super with event triggers off. Idempotent.

CREATE OR REPLACE FUNCTION mere.is_partitioned(relation oid) RETURNS bool
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_class WHERE oid = relation AND relkind = 'p'
                   AND (relam = 0 OR relam = (SELECT a.oid FROM pg_am AS a WHERE amname = 'lake')))
$$;

-- After any DDL that touched a partitioned table, which may have changed every partition below.
CREATE OR REPLACE FUNCTION mere.adopt_partitioned(relation oid, in_extension bool) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    child record;
BEGIN
    IF (SELECT partstrat FROM pg_partitioned_table WHERE partrelid = relation) NOT IN ('r', 'l') THEN
        PERFORM mere.refuse('PARTITION BY HASH is', relation, 'DISTRIBUTED BY spreads the rows of a lake table by a hash.');
    END IF;
    PERFORM mere.check_features(relation);
    IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND conenforced AND (conrelid = relation OR confrelid = relation)) THEN
        PERFORM mere.refuse('an enforced foreign key of a partitioned table is', relation, 'Say NOT ENFORCED.');
    END IF;
    PERFORM mere.check_columns(relation);
    PERFORM mere.guard(relation);
    -- partitions that were detached are bound by nothing
    UPDATE mere.shell SET bounds = '{}' FROM pg_class AS c WHERE c.oid = relid AND bounds <> '{}' AND NOT c.relispartition;
    FOR child IN
        SELECT c.oid, c.relkind, c.relpersistence FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid WHERE inhparent = relation
    LOOP
        IF child.relkind NOT IN ('r', 'p') OR child.relpersistence = 't' THEN
            PERFORM mere.refuse(format('partition %s, which is no lake table, is', child.oid::regclass), relation);
        END IF;
        PERFORM mere.adopt(child.oid, in_extension);
    END LOOP;
    INSERT INTO mere.pending (xid) VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;
END $$;

-- What the rows of a partition satisfy, one condition each: to be within a bound, or, in a default partition, to be
-- outside of another's. Not for reading but for comparing: names of columns are not in it.
CREATE OR REPLACE FUNCTION mere.bounds(relation oid) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET bytea_output = 'hex' SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
    SELECT coalesce(array_agg(format('%s %s %s %s: %s %s', t.partrelid, t.partstrat, t.partattrs, md5(t.partexprs::text),
               CASE WHEN t.partdefid = i.inhrelid THEN 'outside of' ELSE 'within' END, pg_get_expr(b.relpartbound, b.oid)) ORDER BY b.oid), '{}')
    FROM pg_partition_ancestors(relation) AS p (relid)
    JOIN pg_inherits AS i ON i.inhrelid = p.relid
    JOIN pg_partitioned_table AS t ON t.partrelid = i.inhparent
    JOIN pg_inherits AS s ON s.inhparent = i.inhparent AND (s.inhrelid <> i.inhrelid) = (t.partdefid = i.inhrelid)
    JOIN pg_class AS b ON b.oid = s.inhrelid
$$;

-- New conditions on rows that are there: the gateway must have looked.
CREATE OR REPLACE FUNCTION mere.check_bounds(relation oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted text[] := mere.bounds(relation);
    known text[] := (SELECT bounds FROM mere.shell WHERE relid = relation);
BEGIN
    IF NOT wanted <@ known AND mere.unchecked(relation) THEN
        PERFORM mere.refuse('a new partition bound for stored rows inside PostgreSQL is', relation,
                            'Give the statement by itself, so that the rows can be looked at.');
    END IF;
    IF wanted <> known THEN
        UPDATE mere.shell SET bounds = wanted WHERE relid = relation;
    END IF;
END $$;

-- The bounds of a partition, and of the default partition beside it.
CREATE OR REPLACE FUNCTION mere.check_partition(relation oid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT mere.check_bounds(relation) WHERE EXISTS (SELECT FROM pg_class WHERE oid = relation AND relispartition);
    SELECT mere.check_bounds(s.relid)
    FROM pg_partition_ancestors(relation) AS p (relid)
    JOIN pg_inherits AS i ON i.inhrelid = p.relid
    JOIN pg_partitioned_table AS t ON t.partrelid = i.inhparent AND t.partdefid NOT IN (0, i.inhrelid)
    CROSS JOIN LATERAL pg_partition_tree(t.partdefid) AS d
    JOIN mere.shell AS s ON s.relid = d.relid
$$;

-- A new partition is distributed as the table above it says.
CREATE OR REPLACE FUNCTION mere.inherit_policy(relation oid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE mere.shell AS s SET policy = p.policy, buckets = p.buckets, keys = (
        SELECT coalesce(array_agg(own.attnum ORDER BY k.place), '{}')
        FROM unnest(p.keys) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_attribute AS above ON above.attrelid = p.relid AND above.attnum = k.attnum
        JOIN pg_attribute AS own ON own.attrelid = relation AND own.attname = above.attname)
    FROM mere.partitioned AS p JOIN pg_inherits AS i ON i.inhparent = p.relid
    WHERE s.relid = relation AND i.inhrelid = relation
$$;

REVOKE ALL ON FUNCTION mere.is_partitioned, mere.adopt_partitioned, mere.bounds, mere.check_bounds, mere.check_partition,
    mere.inherit_policy FROM PUBLIC;
