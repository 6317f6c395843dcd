"""Production: refuses to start, naming the setting, when one is missing or unsafe."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *
from config.settings.base import (
    ALLOWED_HOSTS,
    AUDIT_KEY,
    EMAIL_URL,
    FIELD_ENCRYPTION_KEYS,
    PUBLIC_URL,
    SECRET_KEY,
    STORAGE_URL,
    env,
)


def _demand(ok: object, name: str, why: str) -> None:
    if not ok:
        raise ImproperlyConfigured(f"{name}: {why}")


_demand(len(SECRET_KEY) >= 50, "SECRET_KEY", "set a random value of at least 50 characters.")
_demand(FIELD_ENCRYPTION_KEYS, "FIELD_ENCRYPTION_KEYS", "set at least one Fernet key; it encrypts stored secrets.")
_demand(len(AUDIT_KEY) >= 32, "AUDIT_KEY", "set a random value of at least 32 characters; it seals the audit.")
_demand(PUBLIC_URL.startswith("https://"), "PUBLIC_URL", "must be the https:// address people use.")
_demand(ALLOWED_HOSTS and "*" not in ALLOWED_HOSTS, "ALLOWED_HOSTS", "name the host names that are served, not *.")
_demand(env.str("DATABASE_URL", default=""), "DATABASE_URL", "name the PostgreSQL database.")
_demand(
    env.str("MIGRATION_DATABASE_URL", default="") != env.str("DATABASE_URL", default=""),
    "MIGRATION_DATABASE_URL",
    "must differ from DATABASE_URL: web and workers run as a role that owns no table.",
)
_demand(env.str("REDIS_URL", default=""), "REDIS_URL", "name the Redis or Valkey server.")
_demand(STORAGE_URL, "STORAGE_URL", "say where files are kept: file:///path or s3://…")
_demand(EMAIL_URL, "EMAIL_URL", "name the mail server: smtp://, smtps:// or smtp+tls://…")

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=True) else None
STORAGES = {
    "default": {"BACKEND": "core.storage.BlobStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
