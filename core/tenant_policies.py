"""Row-level security: a belt under `visible_to`. A query that forgot its filter sees no other tenant's rows.

The tenants of a unit of work are a setting of its transaction (`core.scope`), so this holds behind a pooler, too.
Unset or empty sees nothing. The subselect makes PostgreSQL evaluate the setting once per query. Rows without tenant
(an installation's text, a file of nobody's) are not foreign to anybody; who may see them, `visible_to` says.

The owner of the tables, who migrates and saves backups, is not bound. Index tables of the searches have no tenant and
no policy: a policy is a barrier that operators of texts and arrays do not pass, and their indexes would go unused.
They are read as ``id IN (SELECT … FROM index)`` of a table that has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.models import Model

TENANTS = "(SELECT coalesce(nullif(current_setting('quartier.tenants', true), ''), '{}')::int[])::int[]"
# Written and read before anybody knows the tenant, or by id and ancestors: the tree itself, and logs of the operator.
WITHOUT_POLICY = frozenset({"orgs.Organization", "orgs.SignInLog", "core.SystemLog"})


def bound_tables(apps: Apps, app_label: str) -> Iterator[type[Model]]:
    """The tables of an app whose rows belong to a tenant."""
    for model in apps.get_app_config(app_label).get_models():
        has_tenant = any(field.name == "tenant" for field in model._meta.concrete_fields)
        if has_tenant and model._meta.label not in WITHOUT_POLICY:
            yield model


def _add(apps: Apps, editor: BaseDatabaseSchemaEditor, app_label: str) -> None:
    for model in bound_tables(apps, app_label):
        table = editor.quote_name(model._meta.db_table)
        rule = f"tenant_id = ANY ({TENANTS})"
        if model._meta.get_field("tenant").null:
            rule = f"tenant_id IS NULL OR {rule}"
        editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        editor.execute(f"CREATE POLICY tenant ON {table} USING ({rule})")


def _remove(apps: Apps, editor: BaseDatabaseSchemaEditor, app_label: str) -> None:
    for model in bound_tables(apps, app_label):
        table = editor.quote_name(model._meta.db_table)
        editor.execute(f"DROP POLICY tenant ON {table}")
        editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


class AddTenantPolicies(migrations.RunPython):
    """Migration operation: the policies of one app, read from its models at that state."""

    def __init__(self, app_label: str) -> None:
        self.app_label = app_label
        super().__init__(
            lambda apps, editor: _add(apps, editor, app_label), lambda apps, editor: _remove(apps, editor, app_label)
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [self.app_label], {}
