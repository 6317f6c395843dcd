"""Whether anything in the database has changed, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import connection

# What every request may write, whatever becomes of it: use of tokens and sessions, failures, our own errors.
_ANYWAY = {"core_throttle", "core_systemlog", "orgs_accesstoken", "orgs_session", "orgs_signinlog"}


def _fingerprints() -> dict[str, str]:
    """A digest of the rows of each table."""
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)} - _ANYWAY)
    tables = [table for table in tables if table in connection.introspection.table_names()]
    parts = [
        f"SELECT '{table}', md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM \"{table}\" t"
        for table in tables
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


@contextmanager
def untouched(what: object = "") -> Iterator[None]:
    """Nothing is written in here."""
    before = _fingerprints()
    yield
    after = _fingerprints()
    changed = [table for table in before if before[table] != after[table]]
    assert not changed, f"{what} changed {changed}"
