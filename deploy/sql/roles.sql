-- The logins of the platform, and its database.
--
-- Takes     psql variables owner_password, web_password, render_password.
-- Effect    idempotent; run as superuser in database postgres at each start.
--           onemap_owner owns everything and may change tables; onemap_web serves requests and may not;
--           onemap_render draws pictures and only reads, layers and what tells their overviews.

SELECT format('CREATE ROLE %I LOGIN', wanted.name)
  FROM (VALUES ('onemap_owner'), ('onemap_web'), ('onemap_render')) AS wanted (name)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name)
\gexec

ALTER ROLE onemap_owner NOSUPERUSER NOCREATEROLE NOREPLICATION PASSWORD :'owner_password';
ALTER ROLE onemap_web NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'web_password';
ALTER ROLE onemap_render NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'render_password';

-- A request that waits longer than this has lost its reader.
ALTER ROLE onemap_web SET statement_timeout = '30s';
ALTER ROLE onemap_web SET lock_timeout = '5s';
ALTER ROLE onemap_render SET statement_timeout = '30s';
ALTER ROLE onemap_render SET default_transaction_read_only = on;
ALTER ROLE onemap_web SET idle_in_transaction_session_timeout = '60s';

SELECT 'CREATE DATABASE onemap OWNER onemap_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'onemap')
\gexec

REVOKE ALL ON DATABASE onemap FROM PUBLIC;
GRANT CONNECT ON DATABASE onemap TO onemap_web, onemap_render;
