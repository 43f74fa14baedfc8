-- Event triggers: every DDL, also from functions and DO blocks, passes here. They run as mere_super; what they do
-- themselves fires no event triggers.

CREATE OR REPLACE FUNCTION mere.on_ddl_end() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET event_triggers = off SET client_min_messages = notice
SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET bytea_output = 'hex' SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
DECLARE
    command record;
    target oid;
BEGIN
    FOR command IN
        SELECT classid, objid, object_type, bool_or(in_extension) AS in_extension FROM pg_event_trigger_ddl_commands()
        WHERE classid IN ('pg_class'::regclass, 'pg_namespace'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_rewrite'::regclass, 'pg_constraint'::regclass)
          AND command_tag NOT IN ('COMMENT', 'SECURITY LABEL')
        GROUP BY classid, objid, object_type
    LOOP
        IF command.classid = 'pg_namespace'::regclass THEN  -- the lake has the same schemas
            INSERT INTO mere.pending (xid) VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;
            CONTINUE;
        END IF;
        target := CASE command.classid
            WHEN 'pg_class'::regclass THEN command.objid
            WHEN 'pg_trigger'::regclass THEN (SELECT tgrelid FROM pg_trigger WHERE oid = command.objid)
            WHEN 'pg_policy'::regclass THEN (SELECT polrelid FROM pg_policy WHERE oid = command.objid)
            WHEN 'pg_rewrite'::regclass THEN (SELECT ev_class FROM pg_rewrite WHERE oid = command.objid)
            ELSE (SELECT conrelid FROM pg_constraint WHERE oid = command.objid) END;
        CONTINUE WHEN target IS NULL OR target = 0;
        PERFORM mere.adopt(target, command.in_extension);
        -- a heap parent may just have got a lake child
        IF command.object_type = 'table' AND EXISTS (
            SELECT FROM pg_inherits JOIN mere.shell ON relid = inhrelid WHERE inhparent = target AND NOT mere.is_partitioned(inhparent)) THEN
            PERFORM mere.refuse('inheritance, and a partition of a PostgreSQL table, are', target);
        END IF;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION mere.on_rewrite() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relation oid := pg_event_trigger_table_rewrite_oid();
BEGIN
    IF NOT EXISTS (SELECT FROM mere.shell WHERE relid = relation) THEN
        RETURN;
    END IF;
    IF pg_event_trigger_table_rewrite_reason() & 8 <> 0 THEN
        PERFORM mere.refuse('SET ACCESS METHOD is', relation);
    ELSIF mere.unchecked(relation) THEN
        PERFORM mere.refuse('a change of stored rows by ALTER TABLE inside PostgreSQL is', relation,
                            'Give the statement by itself, so that the rows can be converted.');
    ELSIF pg_event_trigger_table_rewrite_reason() & 2 <> 0 AND mere.has_data(relation)
          AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = relation AND attgenerated = 's' AND NOT attisdropped) THEN
        PERFORM mere.refuse('a new generated column, or another expression, of a table that has rows is', relation,
                            'Make a new table of it with INSERT ... SELECT.');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION mere.on_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET event_triggers = off AS $$
DECLARE
    gone oid[];
    schemas bool;
    ours text;
BEGIN
    SELECT array_agg(objid) FILTER (WHERE object_type IN ('table', 'materialized view')), bool_or(object_type = 'schema' AND NOT is_temporary),
           min(object_identity) FILTER (WHERE original AND (object_type = 'statistics object' AND object_identity LIKE 'mere.lake\_%'
                                        OR object_type = 'trigger' AND object_identity LIKE 'mere\_guard on %'))
    INTO gone, schemas, ours FROM pg_event_trigger_dropped_objects();
    IF ours IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = format('cannot drop %s: it guards a lake table', ours);
    END IF;
    IF schemas THEN
        INSERT INTO mere.pending (xid) VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;
    END IF;
    DELETE FROM mere.partitioned WHERE relid = ANY (gone);
    IF gone IS NULL OR NOT EXISTS (SELECT FROM mere.shell WHERE relid = ANY (gone)) THEN
        RETURN;
    END IF;
    INSERT INTO mere.pending (xid) VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;
    DELETE FROM mere.shell_constraint WHERE relid = ANY (gone);
    -- created in this transaction: the lake never knew it
    DELETE FROM mere.shell_column AS c USING mere.shell AS s
    WHERE s.relid = c.relid AND s.table_id IS NULL AND s.relid = ANY (gone);
    DELETE FROM mere.shell WHERE table_id IS NULL AND relid = ANY (gone);
    -- a default partition may take what the others do not
    UPDATE mere.shell SET bounds = mere.bounds(relid)
    WHERE array_to_string(bounds, ' ') LIKE '%: outside of %' AND NOT relid = ANY (gone);
END $$;

REVOKE ALL ON FUNCTION mere.on_ddl_end, mere.on_rewrite, mere.on_drop FROM PUBLIC;

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = 'mere_ddl_end') THEN
        CREATE EVENT TRIGGER mere_ddl_end ON ddl_command_end EXECUTE FUNCTION mere.on_ddl_end();
        CREATE EVENT TRIGGER mere_rewrite ON table_rewrite EXECUTE FUNCTION mere.on_rewrite();
        CREATE EVENT TRIGGER mere_drop ON sql_drop EXECUTE FUNCTION mere.on_drop();
        ALTER EVENT TRIGGER mere_ddl_end ENABLE ALWAYS;
        ALTER EVENT TRIGGER mere_rewrite ENABLE ALWAYS;
        ALTER EVENT TRIGGER mere_drop ENABLE ALWAYS;
    END IF;
END $$;
