-- PostgreSQL must never read an empty shell as if it were the table. Extended statistics hold an expression that every
-- planning of the table folds, and folding it raises. Statement triggers cover what is not planned.

CREATE OR REPLACE FUNCTION mere.shell(relation oid) RETURNS int
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '0A000',
        MESSAGE = format('lake table %s cannot be read inside PostgreSQL', relation::regclass),
        HINT = 'Functions, DO blocks and triggers run in PostgreSQL, where lake tables have no rows.';
END $$;
GRANT EXECUTE ON FUNCTION mere.shell(oid) TO PUBLIC;

CREATE OR REPLACE FUNCTION mere.refuse_write() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '0A000',
        MESSAGE = format('lake table %s cannot be written inside PostgreSQL', TG_RELID::regclass),
        HINT = 'Functions, DO blocks and triggers run in PostgreSQL, where lake tables have no rows.';
END $$;
REVOKE ALL ON FUNCTION mere.refuse_write() FROM PUBLIC;

-- Puts both on one shell. Callers run as mere_super with event triggers off.
CREATE OR REPLACE FUNCTION mere.guard(relation oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    foreign_statistics text;
BEGIN
    -- LIKE ... INCLUDING ALL copied the other table's tripwire
    FOR foreign_statistics IN
        SELECT format('%I.%I', n.nspname, e.stxname)
        FROM pg_statistic_ext AS e JOIN pg_namespace AS n ON n.oid = e.stxnamespace
        JOIN pg_depend AS d ON d.classid = 'pg_statistic_ext'::regclass AND d.objid = e.oid
            AND d.refclassid = 'pg_proc'::regclass AND d.refobjid = 'mere.shell(oid)'::regprocedure
        WHERE e.stxrelid = relation AND (n.nspname, e.stxname) <> ('mere', 'lake_' || relation)
    LOOP
        EXECUTE 'DROP STATISTICS ' || foreign_statistics;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = relation AND stxname = 'lake_' || relation) THEN
        EXECUTE format('CREATE STATISTICS mere.%I ON (mere.shell(%L::regclass)) FROM %s',
                       'lake_' || relation, relation::regclass, relation::regclass);
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = relation) = 'm' THEN
        RETURN;  -- PostgreSQL itself writes to none, and lets it have no triggers
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation AND tgfoid = 'mere.refuse_write()'::regprocedure) THEN
        EXECUTE format('CREATE TRIGGER mere_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s
                        FOR EACH STATEMENT EXECUTE FUNCTION mere.refuse_write()', relation::regclass);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER mere_guard', relation::regclass);
    ELSIF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation AND tgname = 'mere_guard' AND tgenabled = 'A') THEN
        PERFORM mere.refuse('ENABLE or DISABLE TRIGGER, or another name for mere_guard, is', relation);
    END IF;
END $$;
REVOKE ALL ON FUNCTION mere.guard(oid) FROM PUBLIC;
