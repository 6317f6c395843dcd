"""Settings of the rival in django-ninja: our tables and models, the two middlewares that every project starts with."""

from config.settings.tryout import *  # noqa: F403 - an environment extends base

ROOT_URLCONF = "script.benches.rivals.ninja_app"
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
