"""The try-out of `script/server`: embedded servers, plain HTTP on this machine, keys kept in its data folder."""

from pathlib import Path

from config.settings.base import *
from config.settings.base import STORAGES, env

TRYOUT = True
DEBUG = env.flag("DEBUG", default=False)
ALLOWED_HOSTS = ["*"]
# Plain HTTP on this machine only; production keeps both.
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False

# Compressed once with names that last, as in production; without script/server's folder, from where they lie.
if TRYOUT_STATIC := env.text("TRYOUT_STATIC"):
    STATIC_ROOT = Path(TRYOUT_STATIC)
    STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
else:
    STATIC_ROOT = None  # type: ignore[assignment]
    WHITENOISE_USE_FINDERS = True
# Where script/server keeps each mail as a file, for the operator to read; empty when EMAIL_URL names a server.
TRYOUT_MAILS = env.text("TRYOUT_MAILS")
