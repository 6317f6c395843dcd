"""Settings of the floor: a database, and nothing else."""

import os

import environ

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "script.benches.floor.urls"
WSGI_APPLICATION = "script.benches.floor.wsgi.application"
MIDDLEWARE: list[str] = []
INSTALLED_APPS: list[str] = []
USE_TZ = True
DATABASES = {"default": {**environ.Env.db_url_config(os.environ["FLOOR_DATABASE_URL"]), "CONN_MAX_AGE": 60}}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
