-- The last word on privileges: users reach mere and mere_lake only through the functions granted to them.

REVOKE ALL ON SCHEMA mere_lake FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA mere, mere_lake FROM PUBLIC;
GRANT USAGE ON SCHEMA mere TO PUBLIC;
GRANT SELECT ON mere.snapshots, mere.maintenance_log TO PUBLIC;

GRANT USAGE ON SCHEMA mere, mere_lake TO mere_gateway;
GRANT SELECT ON ALL TABLES IN SCHEMA mere, mere_lake TO mere_gateway;
GRANT INSERT, DELETE ON mere.ticket, mere.ddl_ticket, mere.written TO mere_gateway;
ALTER DEFAULT PRIVILEGES FOR ROLE mere_super IN SCHEMA mere_lake GRANT SELECT ON TABLES TO mere_gateway;
