-- mere.commit(): makes the user's PostgreSQL transaction a snapshot of the lake. Called by the gateway on the backing
-- connection, after SET CONSTRAINTS ALL IMMEDIATE and right before COMMIT. Only a transaction to which the gateway's own
-- role gave a ticket gets through. Returns the snapshot's id, or null when nothing in the lake changed.

-- The caller holds the lock. A plain DuckDB knows no lock of ours, only the primary key: wait for it, and take the next.
CREATE OR REPLACE FUNCTION mere.claim_snapshot(OUT new_id bigint, OUT schema_version bigint, OUT next_catalog_id bigint, OUT next_file_id bigint)
LANGUAGE plpgsql AS $$
DECLARE
    base record;
BEGIN
    LOOP
        SELECT * INTO STRICT base FROM mere_lake.ducklake_snapshot AS s ORDER BY s.snapshot_id DESC LIMIT 1;
        INSERT INTO mere_lake.ducklake_snapshot AS s
        VALUES (base.snapshot_id + 1, greatest(clock_timestamp(), base.snapshot_time + interval '1 microsecond'),
                base.schema_version, base.next_catalog_id, base.next_file_id)
        ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
    END LOOP;
    new_id := base.snapshot_id + 1;
    schema_version := base.schema_version;
    next_catalog_id := base.next_catalog_id;
    next_file_id := base.next_file_id;
END $$;
REVOKE ALL ON FUNCTION mere.claim_snapshot FROM PUBLIC;

CREATE OR REPLACE FUNCTION mere.commit() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD' SET timezone = 'UTC' SET intervalstyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1
AS $$
DECLARE
    own_xid    xid8 := pg_current_xact_id();
    message    jsonb;
    has_ddl    bool;
    has_data   bool;
    base       record;
    new_id     bigint;
    catalog_id bigint;
    file_id    bigint;
    version    bigint;
    changes    text[] := '{}';
    altered    bigint[] := '{}';
    rewritten  bigint[];
    stale      text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a lake transaction must be READ COMMITTED inside PostgreSQL' USING ERRCODE = '25001';
    END IF;
    DELETE FROM mere.ticket WHERE xid = own_xid RETURNING ticket.message INTO message;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'permission denied for function commit' USING ERRCODE = '42501',
            DETAIL = 'Only the gateway commits to the lake.';
    END IF;
    DELETE FROM mere.pending WHERE xid = own_xid;
    has_ddl := FOUND;
    has_data := jsonb_array_length(message -> 'tables') > 0;
    IF NOT has_ddl AND NOT has_data THEN
        RETURN NULL;
    END IF;
    -- an acknowledged commit is on both coordinators, whatever the user set
    PERFORM set_config('synchronous_commit', 'on', true);

    -- Lock and claim are statements of their own: those after them see what the lock's last holder committed.
    LOCK TABLE mere.commit_lock IN EXCLUSIVE MODE;
    SELECT * INTO base FROM mere.claim_snapshot();
    new_id := base.new_id;
    catalog_id := base.next_catalog_id;
    file_id := base.next_file_id;
    version := base.schema_version;

    IF has_ddl THEN
        SELECT * INTO catalog_id, changes FROM mere.commit_schemas(new_id, catalog_id, changes);
        changes := mere.commit_dropped_tables(new_id, changes);
        SELECT * INTO catalog_id, changes, altered FROM mere.commit_tables(new_id, catalog_id, changes, altered);
        changes := mere.commit_dropped_schemas(new_id, changes);
        SELECT * INTO altered, rewritten FROM mere.commit_columns(new_id, altered);
        SELECT * INTO catalog_id, altered, rewritten FROM mere.commit_policies(new_id, catalog_id, altered, rewritten);
        altered := array(SELECT DISTINCT a FROM unnest(altered) AS a);
        changes := changes || array(SELECT 'altered_table:' || a FROM unnest(altered) AS a
            WHERE EXISTS (SELECT FROM mere_lake.ducklake_table AS t WHERE t.table_id = a AND t.begin_snapshot < new_id));
        IF cardinality(changes) > 0 THEN
            version := version + 1;
            INSERT INTO mere_lake.ducklake_schema_versions (begin_snapshot, schema_version, table_id)
            SELECT new_id, version, a FROM unnest(altered) AS a;
            PERFORM mere.commit_inlined_tables(version, altered);
        END IF;
    END IF;

    IF has_data AND NOT has_ddl AND EXISTS (SELECT FROM jsonb_array_elements(message -> 'tables') AS c
        WHERE NOT EXISTS (SELECT FROM mere.shell AS s WHERE s.relid = (c ->> 'relid')::oid)) THEN
        PERFORM mere.conflict('?', 'The table was dropped.');
    END IF;
    IF has_data THEN
        PERFORM mere.check_conflicts(message, new_id, altered);
        IF jsonb_path_exists(message, '$.tables[*] ? (@.truncated == true || exists (@.removed_files[0]) || exists (@.inlined_deletes[0]))') THEN
            changes := mere.commit_removals(message, new_id, changes);
        END IF;
        IF jsonb_path_exists(message, '$.tables[*].files[0]') THEN
            file_id := mere.commit_files(message, new_id, file_id);
        END IF;
        IF jsonb_path_exists(message, '$.tables[*].deletes[0]') THEN
            file_id := mere.commit_deletes(message, new_id, file_id);
        END IF;
        changes := changes || array(
            SELECT 'inserted_into_table:' || m.table_id FROM mere.message_tables(message) AS m
            WHERE jsonb_array_length(m.change -> 'files') > 0
            UNION ALL
            SELECT 'deleted_from_table:' || m.table_id FROM mere.message_tables(message) AS m
            WHERE m.truncated OR jsonb_array_length(m.change -> 'deletes') > 0 OR jsonb_array_length(m.change -> 'removed_files') > 0);
    END IF;

    -- Under another distribution, a type that does not widen or a default for lists, all rows must be written anew.
    SELECT t.table_name INTO stale FROM mere_lake.ducklake_table AS t
    WHERE t.table_id = ANY (rewritten) AND t.end_snapshot IS NULL AND (
        EXISTS (SELECT FROM mere_lake.ducklake_data_file AS f
                WHERE f.table_id = t.table_id AND f.end_snapshot IS NULL AND f.begin_snapshot < new_id)
        OR mere.inlined_rows(t.table_id));
    IF FOUND THEN
        RAISE EXCEPTION 'the new definition of table "%" does not fit the files that it has', stale USING ERRCODE = '0A000',
            DETAIL = 'A change of distribution, of a type that does not widen, or a default for a new array column'
                     ' must write every row of the table anew.';
    END IF;

    IF cardinality(changes) = 0 THEN
        DELETE FROM mere_lake.ducklake_snapshot WHERE snapshot_id = new_id;
        RETURN NULL;
    END IF;
    UPDATE mere_lake.ducklake_snapshot AS s SET schema_version = version, next_catalog_id = catalog_id, next_file_id = file_id
    WHERE s.snapshot_id = new_id AND (s.schema_version, s.next_catalog_id, s.next_file_id) IS DISTINCT FROM (version, catalog_id, file_id);
    INSERT INTO mere_lake.ducklake_snapshot_changes (snapshot_id, changes_made, author, commit_message, commit_extra_info)
    VALUES (new_id, array_to_string(changes, ','), message ->> 'author', message ->> 'comment', message ->> 'token');
    RETURN new_id;
END $$;

-- Has a table rows that a plain DuckDB left in PostgreSQL?
CREATE OR REPLACE FUNCTION mere.inlined_rows(of_table bigint) RETURNS bool
LANGUAGE plpgsql STABLE AS $$
DECLARE
    inlined text;
    found_one bool;
BEGIN
    FOR inlined IN SELECT table_name FROM mere_lake.ducklake_inlined_data_tables WHERE table_id = of_table LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM mere_lake.%I WHERE end_snapshot IS NULL)', inlined) INTO found_one;
        IF found_one THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- After a lost reply: the snapshot that the transaction with this token made, or null.
CREATE OR REPLACE FUNCTION mere.token_committed(token text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT snapshot_id FROM mere_lake.ducklake_snapshot_changes WHERE commit_extra_info = token
$$;

REVOKE ALL ON FUNCTION mere.inlined_rows, mere.token_committed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.token_committed TO mere_gateway;
GRANT EXECUTE ON FUNCTION mere.commit TO PUBLIC;
