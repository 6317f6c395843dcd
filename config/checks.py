"""System checks: what an operator has to mend, each with an id that `docs/settings.md` explains.

`manage.py check` runs those that look at this machine, `--deploy` those of a live installation, too, and
`--database default` those that ask the database. Variables that cannot be meant stop the start before all of them:
`config.settings.reading` and `config.settings.production`.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name for it
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

log = logging.getLogger(__name__)

PATIENCE = 3  # seconds that a start waits for the database
SKEW = 5  # seconds that two clocks may be apart
GIB = 1024**3
_LOCAL = ("localhost", "127.0.0.1", "::1")
_ROLE = """
    SELECT current_user, rolsuper, rolbypassrls, (
        SELECT count(*) FROM pg_class
         WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname = ANY(%s)
           AND pg_has_role(current_user, relowner, 'MEMBER'))
      FROM pg_roles WHERE rolname = current_user
"""
_CLOSED = """
    SELECT relname FROM pg_class
     WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname = ANY(%s)
       AND NOT has_table_privilege(current_user, oid, 'SELECT')
     ORDER BY relname LIMIT 1
"""


# --- The database -----------------------------------------------------------------------------------------


@register(Tags.database)
def check_database(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """As web and workers find it. Commands of the owner change it; they ask nothing."""
    if settings.AS_OWNER or "default" not in (databases or ()):
        return []
    closed = list(_closed())
    return [*_role(), *closed, *([] if closed else _migrations()), *_clock()]


def _role() -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute(_ROLE, [_tables()])
        reason = _unbound(cursor.fetchone())
    if reason:
        yield Error(
            reason,
            hint="Give web and workers a DATABASE_URL whose role owns nothing: docs/deploy/init-roles.sh makes it.",
            id="quartier.E001",
        )


def _closed() -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute(_CLOSED, [_tables()])
        row = cursor.fetchone()
    if row:
        yield Error(
            f"The role of DATABASE_URL may not read the table {row[0]}.",
            hint=f"migrate grants the tables to DATABASE_APP_ROLE, now {settings.DATABASE_APP_ROLE}: name the role "
            "of DATABASE_URL there, and migrate again.",
            id="quartier.E002",
        )


def _migrations() -> Iterator[CheckMessage]:
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Error(
            f"{len(plan)} migrations are not applied; the first is {plan[0][0]}.",
            hint="Run manage.py migrate.",
            id="quartier.E003",
        )


def _clock() -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        apart = abs(cursor.fetchone()[0] - time.time())
    if apart > SKEW:
        yield Warning(
            f"The clocks of this machine and of the database are {apart:.0f} seconds apart.",
            hint="Let both keep the time by NTP: codes of second factors, links and deadlines depend on it.",
            id="quartier.W001",
        )


def _tables() -> list[str]:
    return [model._meta.db_table for model in apps.get_models(include_auto_created=True)]


def _unbound(row: Any) -> str:
    """Why row policies do not bind a role, or nothing."""
    role, superuser, bypasses, owned = row
    if superuser:
        return f"The role {role} is a superuser: no row policy binds it."
    if bypasses:
        return f"The role {role} has BYPASSRLS: no row policy binds it."
    if owned:
        return f"The role {role} owns {owned} tables: no row policy binds it."
    return ""


def hold_role() -> None:
    """At the start of web and workers: refuse a role that row policies do not bind (the try-out only says so).

    Where the database does not answer yet, the start goes on: `/readyz` names it.
    """
    options = {**connection.get_connection_params(), "connect_timeout": PATIENCE}
    try:
        with psycopg.connect(**options) as asked:  # its own: what forks later inherits none
            reason = _unbound(asked.execute(_ROLE, [_tables()]).fetchone())
    except psycopg.Error as error:
        log.warning("the role of the database could not be looked at: %s", str(error).strip().split("\n", 1)[0])
        return
    if reason and settings.TRYOUT:
        log.warning("DATABASE_URL: %s", reason)
    elif reason:
        raise ImproperlyConfigured(f"DATABASE_URL: {reason} (quartier.E001)")


# --- This machine -----------------------------------------------------------------------------------------


@register()
def check_storage(**kwargs: Any) -> list[CheckMessage]:
    """A folder that takes files. A bucket is asked by `/readyz`."""
    folder = _storage_folder()
    if settings.AS_OWNER or folder is None or _writable(folder):
        return []
    return [
        Error(
            f"Files cannot be kept: {folder} is not writable.",
            hint="Let STORAGE_URL name a folder of the account that web and workers run as.",
            id="quartier.E004",
        )
    ]


@register(deploy=True)
def check_static_files(**kwargs: Any) -> list[CheckMessage]:
    """Pages name their static files by a list that `collectstatic` makes."""
    backend = settings.STORAGES["staticfiles"]["BACKEND"]
    if "Manifest" not in backend or Path(settings.STATIC_ROOT or "", "staticfiles.json").is_file():
        return []
    return [
        Error(
            "The static files are not collected: no page can be shown.",
            hint="Run manage.py collectstatic. The image brings them.",
            id="quartier.E005",
        )
    ]


@register(deploy=True)
def check_room(**kwargs: Any) -> list[CheckMessage]:
    """Room for one upload of the size that is allowed, where it arrives and where it stays."""
    found: list[CheckMessage] = []
    for folder in dict.fromkeys(filter(None, (_existing(Path(tempfile.gettempdir())), _storage_folder()))):
        free = shutil.disk_usage(_existing(folder)).free
        if free < settings.UPLOAD_LIMIT:
            found.append(
                Warning(
                    f"{folder} has room for {free / GIB:.1f} GiB, one upload may have {settings.UPLOAD_LIMIT / GIB:.1f}.",
                    hint="Give it more room, or lower UPLOAD_LIMIT.",
                    id="quartier.W002",
                )
            )
    return found


# --- The installation -------------------------------------------------------------------------------------


@register(deploy=True)
def check_proxies(**kwargs: Any) -> list[CheckMessage]:
    """Behind a proxy nobody is told apart unless its word is believed."""
    if settings.TRUSTED_PROXIES or not settings.SECURE_PROXY_SSL_HEADER:
        return []
    return [
        Warning(
            "BEHIND_TLS_PROXY is true, but TRUSTED_PROXIES is empty: everybody has the proxy's address.",
            hint="Name the proxy's network: limits of sign-in, rules for internal networks and logs go by address.",
            id="quartier.W003",
        )
    ]


@register(deploy=True)
def check_mail(**kwargs: Any) -> list[CheckMessage]:
    """The mail server's password and the sender."""
    found: list[CheckMessage] = []
    url = urlsplit(settings.EMAIL_URL)
    if url.scheme == "smtp" and url.password and url.hostname not in _LOCAL:
        found.append(
            Warning(
                "EMAIL_URL sends the password of the mail server unencrypted.",
                hint="Write smtp+tls:// in place of smtp://.",
                id="quartier.W004",
            )
        )
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        found.append(
            Warning(
                "DEFAULT_FROM_EMAIL names nobody: mail servers refuse senders at localhost.",
                hint="Set it to an address of your own, or a sender in the settings of the installation.",
                id="quartier.W005",
            )
        )
    return found


@register(deploy=True)
def check_tryout(**kwargs: Any) -> list[CheckMessage]:
    """Well-known passwords and cookies without TLS stay on one machine."""
    if not settings.TRYOUT:
        return []
    return [
        Error(
            "These are the settings of the try-out: its passwords are public, its cookies travel without TLS.",
            hint="Set DJANGO_SETTINGS_MODULE=config.settings.production.",
            id="quartier.E006",
        )
    ]


def _storage_folder() -> Path | None:
    url = urlsplit(settings.STORAGE_URL)
    return Path(unquote(url.path)) if url.scheme == "file" else None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return folder if folder.exists() or folder == folder.parent else _existing(folder.parent)


def _writable(folder: Path) -> bool:
    """Whether files can be made in it, or it can be made."""
    there = _existing(folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
