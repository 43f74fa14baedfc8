-- A COMMIT that did not pass through mere.commit() is refused when lake tables were defined in the transaction:
-- COMMIT inside a DO block or procedure, or a client that reached PostgreSQL past the gateway.

CREATE OR REPLACE FUNCTION mere.on_pending() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM mere.pending WHERE xid = NEW.xid) THEN
        RETURN NULL;  -- mere.commit() took it
    END IF;
    -- SET CONSTRAINTS ALL IMMEDIATE, the gateway's before mere.commit() or a user's, is no COMMIT: wait for that.
    IF current_query() ~* '^\s*set\s+constraints\M' AND NEW.rearm < 1000 THEN
        SET CONSTRAINTS mere.mere_backstop DEFERRED;
        UPDATE mere.pending SET rearm = rearm + 1 WHERE xid = NEW.xid;
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING ERRCODE = '0A000',
        MESSAGE = 'lake tables were defined in a transaction that Mere does not commit',
        HINT = 'Give the statement between BEGIN and COMMIT; a DO block or procedure that commits cannot define lake tables.';
END $$;
REVOKE ALL ON FUNCTION mere.on_pending FROM PUBLIC;

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'mere.pending'::regclass AND tgname = 'mere_backstop') THEN
        CREATE CONSTRAINT TRIGGER mere_backstop AFTER INSERT OR UPDATE ON mere.pending
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mere.on_pending();
        ALTER TABLE mere.pending ENABLE ALWAYS TRIGGER mere_backstop;
    END IF;
END $$;

-- Did this transaction define lake tables?
CREATE OR REPLACE FUNCTION mere.ddl_pending() RETURNS bool
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN false;  -- a standby defines nothing, and cannot read an unlogged table
    END IF;
    RETURN EXISTS (SELECT FROM mere.pending WHERE xid = pg_current_xact_id_if_assigned());
END
$$;
REVOKE ALL ON FUNCTION mere.ddl_pending FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mere.ddl_pending TO PUBLIC;
