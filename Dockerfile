# syntax=docker/dockerfile:1

# --- build: packages, static files, translations ---------------------------------------------------------
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
ENV PATH="/opt/venv/bin:$PATH"
COPY requirements.txt /build/
RUN pip install --require-hashes --requirement /build/requirements.txt

WORKDIR /app
COPY manage.py pyproject.toml ./
COPY config config
COPY core core
COPY orgs orgs
COPY messaging messaging
COPY docms docms
COPY tickets tickets
COPY processes processes
COPY portal portal
COPY templates templates
COPY static static
COPY locale locale
# msgfmt compiles the translations; it stays in this stage.
RUN apt-get update && apt-get install -y --no-install-recommends gettext \
    && find locale -name django.po -execdir msgfmt --output-file django.mo django.po \; \
    && rm -rf /var/lib/apt/lists/*
# Collecting needs complete settings, but none of their values: these live in this command only.
RUN DJANGO_SETTINGS_MODULE=config.settings.production \
    SECRET_KEY=build-only-0123456789012345678901234567890123456789 \
    FIELD_ENCRYPTION_KEYS=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= \
    AUDIT_KEY=build-only-012345678901234567890123 \
    PUBLIC_URL=https://build.invalid ALLOWED_HOSTS=build.invalid \
    DATABASE_URL=postgresql://app@db.invalid/quartier MIGRATION_DATABASE_URL=postgresql://owner@db.invalid/quartier \
    REDIS_URL=redis://valkey.invalid:6379/0 STORAGE_URL=file:///data/files EMAIL_URL=smtp://mail.invalid:25 \
    python manage.py collectstatic --noinput --verbosity 0

# --- run: no compiler, no package manager's leftovers, no root ------------------------------------------------
# Nothing is written but /data and memory: run it with a read-only root, and a tmpfs at /tmp.
FROM python:3.12-slim
LABEL org.opencontainers.image.title="Quartier" \
      org.opencontainers.image.description="Property management: papers, people and places" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 quartier \
    && useradd --system --uid 10001 --gid 10001 --home-dir /app --no-create-home quartier \
    && install --directory --owner quartier --group quartier /data /data/files
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH="/opt/venv/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production
WORKDIR /app
# By number: an orchestrator sees that it is not root.
USER 10001:10001
VOLUME /data
EXPOSE 8000
# Asked under the public name: another one is not in ALLOWED_HOSTS.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-c", "\
import os, urllib.parse, urllib.request as r; \
host = urllib.parse.urlsplit(os.environ['PUBLIC_URL']).netloc; \
r.urlopen(r.Request('http://127.0.0.1:8000/healthz', headers={'Host': host}), timeout=4)"]
# Everything else, also how many workers (WEB_CONCURRENCY), is in config/gunicorn.py.
CMD ["gunicorn", "config.wsgi", "--config", "config/gunicorn.py", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm"]
