-- Extensions, schemas and what the web login may do in them.
--
-- Effect    idempotent; run as superuser in the platform's database (and, on a test cluster, in template1, so that
--           every test database has the same).
--           Tables that onemap_owner makes later are readable and writable for onemap_web, except in `staging`,
--           where imports are in progress, and in `overview`, which it only reads. Of the former, the worker lets onemap_web read the tables of a delivery that was
--           compared with the one map (USAGE on the schema, SELECT on the table and on its plan, gone with them).
--           A migration may take rights away again; nothing here gives them back.

SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE SCHEMA IF NOT EXISTS data AUTHORIZATION onemap_owner;
CREATE SCHEMA IF NOT EXISTS history AUTHORIZATION onemap_owner;
CREATE SCHEMA IF NOT EXISTS staging AUTHORIZATION onemap_owner;
CREATE SCHEMA IF NOT EXISTS overview AUTHORIZATION onemap_owner;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE, USAGE ON SCHEMA public TO onemap_owner;
GRANT USAGE ON SCHEMA public, data, history, overview TO onemap_web, onemap_render;
ALTER DEFAULT PRIVILEGES FOR ROLE onemap_owner IN SCHEMA data, history, overview
    GRANT SELECT ON TABLES TO onemap_render;

ALTER DEFAULT PRIVILEGES FOR ROLE onemap_owner IN SCHEMA public, data, history
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO onemap_web;
ALTER DEFAULT PRIVILEGES FOR ROLE onemap_owner IN SCHEMA overview GRANT SELECT ON TABLES TO onemap_web;
ALTER DEFAULT PRIVILEGES FOR ROLE onemap_owner IN SCHEMA public, data, history
    GRANT USAGE ON SEQUENCES TO onemap_web;
