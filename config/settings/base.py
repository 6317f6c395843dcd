"""What all three environments share. Every variable is listed in `.env.example` and in `docs/settings.md`."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from config.settings.reading import Env
from config.unfold import UNFOLD  # noqa: F401 - the theme of the back office

env = Env()

BASE_DIR = Path(__file__).resolve().parents[2]
DEBUG = False
TRYOUT = False  # true in the try-out and its tests: allows the demo with its well-known passwords

SECRET_KEY = env.text("SECRET_KEY")
FIELD_ENCRYPTION_KEYS = env.keys("FIELD_ENCRYPTION_KEYS")  # Fernet keys, newest first
AUDIT_KEY = env.text("AUDIT_KEY")  # HMAC key of the audit's digests
PUBLIC_URL = env.origin("PUBLIC_URL", default="http://localhost:8000")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")  # networks whose X-Forwarded-For is believed
LOCAL_NETWORKS = env.networks("LOCAL_NETWORKS")  # more networks that count as "internal" (DOCMS-017)
INSIDE_HOSTS = env.hosts("INSIDE_HOSTS")  # hosts that tenants may name although they lie inside (DOCMS-162)
METRICS_TOKEN = env.text("METRICS_TOKEN")  # opens /metrics from elsewhere than this machine and LOCAL_NETWORKS

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "core.apps.CoreConfig",
    "orgs.apps.OrgsConfig",
    "messaging.apps.MessagingConfig",
    "docms.apps.DocmsConfig",
    "tickets.apps.TicketsConfig",
    "processes.apps.ProcessesConfig",
    "portal.apps.PortalConfig",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "django_otp",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "template_partials",
    "csp",
]

MIDDLEWARE = [
    "core.metrics.MetricsMiddleware",
    "core.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "orgs.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "orgs.middleware.AuthenticationMiddleware",
    "orgs.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "orgs.middleware.UnitOfWorkMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "portal.web.context.house",
            ],
        },
    }
]

# --- Database, broker, storage, mail: four URLs -------------------------------------------------------
# DATABASE_URL is the role `app`: it owns nothing and has no BYPASSRLS. Commands that change the schema take
# MIGRATION_DATABASE_URL, the owner.
OWNER_COMMANDS = {"migrate", "sqlmigrate", "flush", "dbshell"}
AS_OWNER = bool(sys.argv[1:2]) and sys.argv[1] in OWNER_COMMANDS
_app = env.database("DATABASE_URL", default="postgresql://quartier_app@/quartier")
_owner = env.database("MIGRATION_DATABASE_URL")
DATABASES = {
    "default": {
        **((AS_OWNER and _owner) or _app),
        "CONN_MAX_AGE": env.number("DATABASE_CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": env.flag("DATABASE_POOLED", default=False),
    }
}
DATABASE_APP_ROLE = env.text("DATABASE_APP_ROLE", default="quartier_app")  # who `migrate` grants the tables to
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.broker("REDIS_URL", default="redis://localhost:6379/0")
STORAGE_URL = env.storage("STORAGE_URL")  # file:///path or s3://key:secret@endpoint/bucket?region=…
CLAMAV_URL = env.scanner("CLAMAV_URL")  # unix:///path or tcp://host:3310; without it nothing is scanned
CLAMAV_LIMIT = env.number("CLAMAV_LIMIT", default=100 * 1024 * 1024, least=1)  # bytes of a file that the scanner takes
EMAIL_URL = env.mail("EMAIL_URL")  # smtp://, smtps:// or smtp+tls://user:password@host:port
DEFAULT_FROM_EMAIL = env.sender("DEFAULT_FROM_EMAIL", default="quartier@localhost")
# Names by which receiving mail servers sign `Authentication-Results`; what others say there is not believed.
MAIL_AUTH_SERVERS = env.hosts("MAIL_AUTH_SERVERS")
SMS_CA_FILE = env.text("SMS_CA_FILE")  # CA certificates (PEM) that SMS gateways are checked against, not the system's
OUTBOX_LEASE_SECONDS = env.number("OUTBOX_LEASE_SECONDS", default=300, least=10)  # a worker's claim on mails
SENDFILE = env.text("SENDFILE", among=("", "x-accel"))  # "x-accel" lets nginx deliver local files

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "quartier",
    }
}

# --- Celery --------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
# `redis+socket://…` for Celery, `unix://…` for redis-py: one setting, two spellings.
if REDIS_URL.startswith("unix://"):
    CELERY_BROKER_URL = "redis+socket://" + REDIS_URL.removeprefix("unix://")
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 570
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY = False  # a dead broker must not hold a request; the sweep finds what was missed
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5, "visibility_timeout": 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.scheduler:SteadyScheduler"
CELERY_BEAT_SCHEDULE = {
    "messaging.sweep": {"task": "messaging.sweep", "schedule": 20.0},
    "messaging.sweep_texts": {"task": "messaging.sweep_texts", "schedule": 20.0},
    "messaging.empty_old": {"task": "messaging.empty_old", "schedule": crontab(hour=3, minute=41)},
    "core.seal_audit": {"task": "core.seal_audit", "schedule": 10.0},
    "core.checkpoint_audit": {"task": "core.checkpoint_audit", "schedule": crontab(minute=5)},
    "core.catch_up_scans": {"task": "core.catch_up_scans", "schedule": 60.0},
    "core.catch_up_previews": {"task": "core.catch_up_previews", "schedule": crontab(minute="*/10")},
    "core.expire_uploads": {"task": "core.expire_uploads", "schedule": crontab(minute=7)},
    "docms.remove_content": {"task": "docms.remove_content", "schedule": crontab(hour=3, minute=11)},
    "orgs.catch_up_imports": {"task": "orgs.catch_up_imports", "schedule": 30.0},
    "orgs.sample_availability": {"task": "orgs.sample_availability", "schedule": crontab(minute=0)},
    "orgs.trim_availability": {"task": "orgs.trim_availability", "schedule": crontab(hour=2, minute=53)},
    "docms.purge_tokens": {"task": "docms.purge_tokens", "schedule": crontab(minute="*/10")},
    "docms.purge_links": {"task": "docms.purge_links", "schedule": crontab(minute=47)},
    "docms.release_documents": {"task": "docms.release_documents", "schedule": crontab(minute="*/5")},
    "docms.catch_up_index": {"task": "docms.catch_up_index", "schedule": crontab(minute="*/10")},
    "docms.expire_shares": {"task": "docms.expire_shares", "schedule": crontab(minute=23)},
    "docms.delete_after_download": {"task": "docms.delete_after_download", "schedule": crontab(minute="*/5")},
    "docms.delete_by_folder_date": {"task": "docms.delete_by_folder_date", "schedule": crontab(minute=2)},
    "docms.delete_after_first_access": {"task": "docms.delete_after_first_access", "schedule": crontab(minute=31)},
    "docms.delete_big_files": {"task": "docms.delete_big_files", "schedule": crontab(minute="*/15")},
    "docms.update_folder_paths": {"task": "docms.update_folder_paths", "schedule": crontab(hour=3, minute=53)},
    "docms.apply_deactivations": {"task": "docms.apply_deactivations", "schedule": crontab(minute="*/10")},
    "docms.check_license": {"task": "docms.check_license", "schedule": crontab(hour=4, minute=23)},
    "docms.check_update": {"task": "docms.check_update", "schedule": crontab(hour=5, minute=17)},
    "docms.start_update": {"task": "docms.start_update", "schedule": 60.0},
    "tickets.fetch_mail": {"task": "tickets.fetch_mail", "schedule": 60.0},
    "tickets.forget_answers": {"task": "tickets.forget_answers", "schedule": crontab(minute=37)},
    "tickets.assign_new": {"task": "tickets.assign_new", "schedule": crontab(minute="*/5")},
    "tickets.tell_new": {"task": "tickets.tell_new", "schedule": 60.0},
    "tickets.tell_overdue": {"task": "tickets.tell_overdue", "schedule": crontab(minute="*/5")},
    "tickets.close_solved": {"task": "tickets.close_solved", "schedule": crontab(hour=0, minute=43)},
    "tickets.forget_mails": {"task": "tickets.forget_mails", "schedule": crontab(hour=2, minute=19)},
    "tickets.purge_closed": {"task": "tickets.purge_closed", "schedule": crontab(hour=1, minute=13)},
    "processes.purge_finished": {"task": "processes.purge_finished", "schedule": crontab(hour=1, minute=29)},
    "docms.trim_logs": {"task": "docms.trim_logs", "schedule": crontab(hour=2, minute=37)},
}
# Days that entries of the logs are kept; 0: for ever.
DOCUMENT_LOG_DAYS = env.number("DOCUMENT_LOG_DAYS", default=3650)
SIGN_IN_LOG_DAYS = env.number("SIGN_IN_LOG_DAYS", default=365)
SYSTEM_LOG_DAYS = env.number("SYSTEM_LOG_DAYS", default=90)
INBOUND_MAIL_DAYS = env.number("INBOUND_MAIL_DAYS", default=365)

# --- People --------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "orgs.User"
# OAuth: all tables are our own. The grant of devices is not offered, so its model points at one of them and gets no
# table; with nothing of its own the library needs no migrations.
OAUTH2_PROVIDER_APPLICATION_MODEL = "orgs.OAuthClient"
OAUTH2_PROVIDER_GRANT_MODEL = OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "orgs.OAuthGrant"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "orgs.OAuthToken"  # noqa: S105 - names of models
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "orgs.OAuthRefreshToken"  # noqa: S105 - names of models
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "orgs.OAuthIdToken"  # noqa: S105 - names of models
MIGRATION_MODULES = {"oauth2_provider": None}
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.WebApplicationServer",  # codes and refreshing, no other flow
    "OAUTH2_VALIDATOR_CLASS": "orgs.services.oauth_validator.Validator",
    "SCOPES": {
        "support": _("Read and change tickets"),
        "support.readonly": _("Read tickets"),
    },
    "DEFAULT_SCOPES": ["support.readonly"],
    "PKCE_REQUIRED": True,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,  # TICKETS-005
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    # Counted by the library from the end of the access token that was issued with it: 30 days from their issue.
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 24 * 3600 - 3600,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],  # others by the addresses of a client: see `OAuthClient`
    **{
        f"COMPLIANT_BCP_RFC9700_{rule}": True
        for rule in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_SCHEME",
            "REDIRECT_URI_MATCHING",
            "PKCE_REQUIRED",
        )
    },
}
AUTHENTICATION_BACKENDS = ["orgs.auth.SessionBackend"]
LOGIN_URL = "/app/login"
LOGIN_REDIRECT_URL = "/app/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "orgs.services.passwords.PolicyValidator"}]
SESSION_ENGINE = "orgs.session"
SESSION_COOKIE_NAME = "user_session"  # PORTAL-002
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_SAMESITE = "Lax"

# --- Languages -----------------------------------------------------------------------------------------
LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("German")), ("en", _("English")), ("fr", _("French")), ("pl", _("Polish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "Europe/Berlin"

# --- Static files, uploads, security headers -----------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "core.storage.BlobStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 100 * 1024 * 1024  # a body is bounded by its door: core.http and the docms limits
JSON_BODY_LIMIT = 1024 * 1024  # bytes, where a contract does not say otherwise
BASE64_LIMIT = env.number("BASE64_LIMIT", default=50 * 1024 * 1024, least=1)  # bytes of content (DOCMS-125)
UPLOAD_LIMIT = env.number("UPLOAD_LIMIT", default=5 * 1024**3, least=1)  # bytes of a resumable or multipart upload
ORGS_RATE_LIMIT = env.number("ORGS_RATE_LIMIT", default=1200)  # requests a minute with one token
SUPPORT_RATE_LIMIT = env.number("SUPPORT_RATE_LIMIT", default=10)  # requests a second with one credential (TICKETS-008)
OAUTH_RATE_LIMIT = env.number("OAUTH_RATE_LIMIT", default=120)  # requests a minute from one address at /oauth2/token
DOCMS_RATE_LIMIT = env.number("DOCMS_RATE_LIMIT", default=1200)  # requests a minute with one token (DOCMS-182)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": (),
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "object-src": [NONE],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [SELF],
    },
}

# --- Licence, set-up, updates --------------------------------------------------------------------------
with (BASE_DIR / "pyproject.toml").open("rb") as _project:
    VERSION = str(tomllib.load(_project)["project"]["version"])
LICENSE_PUBLIC_KEY = env.public_key("LICENSE_PUBLIC_KEY")  # 32 bytes, Ed25519: verifies the keys of licences
BOOTSTRAP = env.text("BOOTSTRAP", among=("", "license", "demo"))  # what POST /bootstrap completes; none: nothing
BOOTSTRAP_LICENSE = env.text("BOOTSTRAP_LICENSE")  # the signed key that the code of POST /bootstrap unlocks
SETUP_SECRET = env.text("SETUP_SECRET")  # whoever sends it may complete the set-up, once (DOCMS-171)
UPDATER_URL = env.address("UPDATER_URL")  # who knows the newest version, and installs it (DOCMS-178)

# --- REST ----------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["core.http.ORJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.http.LimitedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,  # no contract has a second shape for PATCH
    "ENUM_NAME_OVERRIDES": {},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "core.logs.ContextFilter"}},
    "formatters": {"json": {"()": "core.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["context"]}},
    "root": {
        "handlers": ["console"],
        "level": env.text("LOG_LEVEL", default="INFO", among=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    },
    # They tell at length which letters a PDF is made of.
    "loggers": {"fontTools": {"level": "ERROR"}, "fpdf": {"level": "ERROR"}},
}
