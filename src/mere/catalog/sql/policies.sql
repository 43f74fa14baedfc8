-- Distribution policies: DISTRIBUTED BY, RANDOMLY, REPLICATED. Kept in mere.shell, written to the lake by mere.commit().

-- The role that the session acts as. Inside a SECURITY DEFINER function current_user is the definer.
CREATE OR REPLACE FUNCTION mere.acting_role() RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT oid FROM pg_roles
    WHERE rolname = coalesce(nullif(current_setting('role', true), 'none'), session_user::text)
$$;

CREATE OR REPLACE FUNCTION mere.set_policy(relation regclass, kind text, keys text[], buckets int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key_name text;
    key record;
    numbers int2[] := '{}';
BEGIN
    IF NOT pg_has_role(mere.acting_role(), (SELECT relowner FROM pg_class WHERE oid = relation), 'USAGE') THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = format('must be owner of table %s', relation);
    END IF;
    PERFORM FROM mere.shell WHERE relid = relation FOR UPDATE;
    IF NOT FOUND AND NOT mere.is_partitioned(relation) THEN
        RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = format('%s is not a lake table', relation),
            HINT = 'Only lake tables are distributed.';
    ELSIF kind NOT IN ('hash', 'random', 'replicated') OR kind IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('unknown distribution policy "%s"', kind);
    ELSIF mere.unchecked(relation) THEN
        PERFORM mere.refuse('a new distribution of stored rows inside PostgreSQL is', relation);
    END IF;
    IF kind = 'hash' THEN
        IF coalesce(cardinality(keys), 0) = 0 OR coalesce(buckets, 0) NOT BETWEEN 1 AND 4096 THEN
            RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'DISTRIBUTED BY needs at least one column and 1 to 4096 buckets';
        END IF;
        FOREACH key_name IN ARRAY keys LOOP
            SELECT attnum, atttypid INTO key FROM pg_attribute
            WHERE attrelid = relation AND attname = key_name AND attnum > 0 AND NOT attisdropped;
            IF NOT FOUND THEN
                RAISE EXCEPTION USING ERRCODE = '42703', MESSAGE = format('column "%s" named in DISTRIBUTED BY clause does not exist', key_name);
            ELSIF key.attnum = ANY (numbers) THEN
                RAISE EXCEPTION USING ERRCODE = '42701', MESSAGE = format('column "%s" appears twice in DISTRIBUTED BY', key_name);
            END IF;
            numbers := numbers || key.attnum;
        END LOOP;
    END IF;
    IF mere.is_partitioned(relation) THEN  -- for partitions to come; the gateway sees to those that there are
        DELETE FROM mere.partitioned WHERE relid = relation;
        INSERT INTO mere.partitioned VALUES (relation, kind, numbers, CASE kind WHEN 'hash' THEN set_policy.buckets ELSE 0 END);
        RETURN;
    END IF;
    UPDATE mere.shell SET policy = kind, keys = numbers, buckets = CASE kind WHEN 'hash' THEN set_policy.buckets ELSE 0 END
    WHERE relid = relation;
    PERFORM mere.check_policy(relation);
    INSERT INTO mere.pending (xid) VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;
END $$;

-- A key's first column must be one that DuckLake can bucket, and must be there.
CREATE OR REPLACE FUNCTION mere.check_policy(relation oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key record;
BEGIN
    FOR key IN
        SELECT k.attnum, a.attname, a.atttypid, a.atttypmod, coalesce(a.attisdropped, true) AS gone, k.position
        FROM mere.shell AS s CROSS JOIN LATERAL unnest(s.keys) WITH ORDINALITY AS k (attnum, position)
        LEFT JOIN pg_attribute AS a ON a.attrelid = s.relid AND a.attnum = k.attnum
        WHERE s.relid = relation
    LOOP
        IF key.gone THEN
            PERFORM mere.refuse('dropping a column of the distribution key is', relation, 'Set another distribution first.');
        ELSIF key.position = 1 AND key.atttypid NOT IN (21, 23, 20, 1700, 25, 1043, 1042, 19, 17, 1082, 1083, 1114, 1184, 2950) THEN
            PERFORM mere.refuse(format('DISTRIBUTED BY a column of type %s is', format_type(key.atttypid, key.atttypmod)), relation,
                                'Choose another column, or DISTRIBUTED RANDOMLY.');
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION mere.acting_role, mere.set_policy, mere.check_policy FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.set_policy TO PUBLIC;
