-- Roles of the cluster, once per server start, as mere_super in the database postgres. Passwords are set beside this.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mere_gateway') THEN
        CREATE ROLE mere_gateway LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mere') THEN
        CREATE ROLE mere LOGIN NOSUPERUSER CREATEDB CREATEROLE;
        GRANT pg_monitor, pg_signal_backend TO mere;
    END IF;
END $$;

-- "$user" would be Mere's own schema.
ALTER ROLE mere SET search_path = public;

-- Who may use the server's credentials for COPY with object storage.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mere_storage_reader') THEN
        CREATE ROLE mere_storage_reader NOLOGIN;
        CREATE ROLE mere_storage_writer NOLOGIN;
        GRANT mere_storage_reader, mere_storage_writer TO mere WITH ADMIN OPTION;
    END IF;
END $$;

-- Who may write functions in Python: they run with the rights of the segments' processes.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'mere_python') THEN
        CREATE ROLE mere_python NOLOGIN;
        GRANT mere_python TO mere WITH ADMIN OPTION;
    END IF;
END $$;

-- "$user", the first schema of the usual path, would be our own schema for this role.
ALTER ROLE mere SET search_path = public;

-- An administrator who makes a role can also act as it, as a superuser could.
ALTER ROLE mere SET createrole_self_grant = 'set, inherit';

-- What plain DuckDB creates in mere_lake, as the superuser, is an ordinary table.
ALTER ROLE mere_super SET default_table_access_method = 'heap';
ALTER ROLE mere_gateway SET default_table_access_method = 'heap';

-- Databases without a lake are not for users.
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
