#!/usr/bin/env bash
# Runs once, when the database container makes its cluster: the two roles, and the database that the first one owns.
# For a server of your own, run the statements below as a superuser.
set -euo pipefail

psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
    --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" <<'SQL'
-- Owns the database and every table; migrations run as this role, nothing else does.
CREATE ROLE quartier_owner LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'owner_password';
-- Web and workers: owns nothing, so no row policy lets it pass. `migrate` grants it the tables.
CREATE ROLE quartier_app LOGIN NOSUPERUSER NOCREATEDB NOBYPASSRLS PASSWORD :'app_password';
CREATE DATABASE quartier OWNER quartier_owner;
REVOKE ALL ON DATABASE quartier FROM PUBLIC;
GRANT CONNECT ON DATABASE quartier TO quartier_app;
SQL
