-- What REFRESH MATERIALIZED VIEW needs of PostgreSQL: who may, the lock, and that the view is populated. The rows are
-- the gateway's to write. Idempotent.

-- One REFRESH at a time, and nobody alters or drops the view meanwhile; readers go on. LOCK TABLE takes no materialized
-- views, so the lock is that of an ALTER that changes nothing.
CREATE OR REPLACE FUNCTION mere.start_refresh(relation oid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET event_triggers = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM mere.shell JOIN pg_class ON oid = relid WHERE oid = relation AND relkind = 'm') THEN
        RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = format('%s is not a materialized view of the lake', relation::regclass);
    ELSIF current_setting('transaction_read_only') = 'on' THEN
        RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'cannot execute REFRESH MATERIALIZED VIEW in a read-only transaction';
    ELSIF NOT has_table_privilege(mere.acting_role(), relation, 'MAINTAIN') THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = format('permission denied for materialized view %s',
            (SELECT relname FROM pg_class WHERE oid = relation));
    END IF;
    EXECUTE format('ALTER MATERIALIZED VIEW %s SET WITHOUT CLUSTER', relation::regclass);
END $$;

-- As PostgreSQL's own REFRESH notes it; only who holds the lock from above may.
CREATE OR REPLACE FUNCTION mere.set_populated(relation oid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM mere.start_refresh(relation);
    UPDATE pg_class SET relispopulated = true WHERE oid = relation AND NOT relispopulated;
END $$;

REVOKE ALL ON FUNCTION mere.start_refresh, mere.set_populated FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.start_refresh, mere.set_populated TO PUBLIC;
