"""The try-out of `script/server`: embedded servers, plain HTTP on this machine, keys kept in its data folder."""

from config.settings.base import *  # noqa: F403
from config.settings.base import env

TRYOUT = True
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = ["*"]
# Plain HTTP on this machine only; production keeps both.
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
