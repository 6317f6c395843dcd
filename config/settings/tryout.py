"""The try-out of `script/server`: embedded servers, plain HTTP on this machine, keys kept in its data folder."""

from config.settings.base import *
from config.settings.base import env

TRYOUT = True
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = ["*"]
# Plain HTTP on this machine only; production keeps both.
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False

# Nothing is collected: files are served from where they lie.
STATIC_ROOT = None  # type: ignore[assignment]
WHITENOISE_USE_FINDERS = True
# Where script/server keeps each mail as a file, for the operator to read; empty when EMAIL_URL names a server.
TRYOUT_MAILS = env.str("TRYOUT_MAILS", default="")
