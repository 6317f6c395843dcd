"""Production: refuses to start, naming the setting, when one is missing or unsafe.

What a variable may look like at all `config.settings.reading` says; what only the database knows, `config.checks`.
"""

from __future__ import annotations

import base64
import ipaddress
from urllib.parse import urlsplit

from django.http.request import validate_host

from config.settings.base import *
from config.settings.base import (
    ALLOWED_HOSTS,
    AS_OWNER,
    AUDIT_KEY,
    BOOTSTRAP,
    BOOTSTRAP_LICENSE,
    EMAIL_URL,
    FIELD_ENCRYPTION_KEYS,
    LICENSE_PUBLIC_KEY,
    METRICS_TOKEN,
    PUBLIC_URL,
    SECRET_KEY,
    SETUP_SECRET,
    STORAGE_URL,
    TRUSTED_PROXIES,
    env,
)
from config.settings.reading import demand, looks_random

demand(looks_random(SECRET_KEY, 50), "SECRET_KEY", "set a random value of at least 50 characters.")
demand(FIELD_ENCRYPTION_KEYS, "FIELD_ENCRYPTION_KEYS", "set at least one Fernet key; it encrypts stored secrets.")
for _key in FIELD_ENCRYPTION_KEYS:
    demand(looks_random(base64.urlsafe_b64decode(_key), 32), "FIELD_ENCRYPTION_KEYS", "a key is not random.")
demand(looks_random(AUDIT_KEY, 32), "AUDIT_KEY", "set a random value of at least 32 characters; it seals the audit.")
demand(AUDIT_KEY != SECRET_KEY, "AUDIT_KEY", "must differ from SECRET_KEY.")
demand(PUBLIC_URL.startswith("https://"), "PUBLIC_URL", "must be the https:// address people use.")
demand(ALLOWED_HOSTS and "*" not in ALLOWED_HOSTS, "ALLOWED_HOSTS", "name the host names that are served, not *.")
demand(
    validate_host(urlsplit(PUBLIC_URL).hostname or "", ALLOWED_HOSTS),
    "ALLOWED_HOSTS",
    "must hold the host of PUBLIC_URL, the address that links in mails lead to.",
)
demand(
    all(ipaddress.ip_network(network).prefixlen for network in TRUSTED_PROXIES),
    "TRUSTED_PROXIES",
    "name the proxies, not all addresses: whoever is believed says from where he comes.",
)
demand(
    not METRICS_TOKEN or looks_random(METRICS_TOKEN, 32),
    "METRICS_TOKEN",
    "set a random value of at least 32 characters, or none.",
)
demand(
    not (BOOTSTRAP or SETUP_SECRET) or (looks_random(SETUP_SECRET, 16) and len(SETUP_SECRET) <= 200),
    "SETUP_SECRET",
    "set a random value of 16 to 200 characters: whoever sends it completes the set-up.",
)
demand(
    BOOTSTRAP != "license" or (BOOTSTRAP_LICENSE and LICENSE_PUBLIC_KEY),
    "BOOTSTRAP_LICENSE",
    "set the key that the code unlocks, and LICENSE_PUBLIC_KEY, which verifies it.",
)
demand(env.text("DATABASE_URL"), "DATABASE_URL", "name the PostgreSQL database.")
_app, _owner = env.database("DATABASE_URL"), env.database("MIGRATION_DATABASE_URL")
demand(_owner or not AS_OWNER, "MIGRATION_DATABASE_URL", "this command needs the role that owns the tables.")
demand(
    not _owner or _owner["USER"] != _app["USER"],
    "MIGRATION_DATABASE_URL",
    "must name another role than DATABASE_URL: web and workers own no table.",
)
demand(env.text("REDIS_URL"), "REDIS_URL", "name the Redis or Valkey server.")
demand(STORAGE_URL, "STORAGE_URL", "say where files are kept: file:///path or s3://…")
demand(EMAIL_URL, "EMAIL_URL", "name the mail server: smtp://, smtps:// or smtp+tls://…")

SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", default=31536000)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_TLS_PROXY", default=True) else None
STORAGES = {
    "default": {"BACKEND": "core.storage.BlobStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # other names of the domain, and their HTTPS, are none of ours
    "security.W021",  # nor is a browser's list of the whole domain
    "security.W019",  # the portal shows papers in a frame of its own
    "drf_spectacular.W001",  # looks at all doors as one document; each has its own, which the tests hold
]
