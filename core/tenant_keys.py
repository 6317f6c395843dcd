"""Two-column foreign keys: the database itself refuses a reference across tenants.

For every reference from a table with a ``tenant`` column to another such table, ``(tenant_id, x_id)`` must
exist as ``(tenant_id, id)`` over there. Django knows no such key, so a migration adds it in SQL; the list is
read from the models, and a test reads it back from the database's catalogue so that no table forgets one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import migrations
from django.db.models import ForeignKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.models import Model
    from django.db.models.options import Options


def tenant_references(apps: Apps, app_label: str) -> Iterator[tuple[type[Model], ForeignKey[Any, Any]]]:
    """Every foreign key of the app's models that leads from one tenant's table to another's."""
    for model in apps.get_app_config(app_label).get_models():
        columns = {field.name for field in model._meta.concrete_fields}
        if "tenant" not in columns or model._meta.label == "orgs.Organization":
            continue
        for field in model._meta.concrete_fields:
            if not isinstance(field, ForeignKey) or field.name == "tenant":
                continue
            if any(f.name == "tenant" for f in field.remote_field.model._meta.concrete_fields):
                yield model, field


def key_name(table: str, column: str) -> str:
    """The name of a two-column key; PostgreSQL cuts names at 63 bytes."""
    return f"{table}_{column}_tenant"[:63]


def _key_column(options: Options[Any]) -> str:
    column = options.pk.column
    assert column is not None  # the ids of tables of a tenant are columns of their own
    return column


def _add(apps: Apps, editor: BaseDatabaseSchemaEditor, app_label: str) -> None:
    quote = editor.quote_name
    for model in apps.get_app_config(app_label).get_models():
        if any(field.name == "tenant" for field in model._meta.concrete_fields):
            table = model._meta.db_table
            editor.execute(
                f"ALTER TABLE {quote(table)} ADD CONSTRAINT {quote(f'{table}_tenant_pk'[:63])} "
                f"UNIQUE (tenant_id, {quote(_key_column(model._meta))})"
            )


def _refer(apps: Apps, editor: BaseDatabaseSchemaEditor, app_label: str) -> None:
    quote = editor.quote_name
    for model in apps.get_app_config(app_label).get_models():
        names = {field.name: field for field in model._meta.concrete_fields}
        if "tenant" in names and not names["tenant"].null:
            # Only a tenant satisfies (tenant_id, tenant_id): its own row says tenant_id = id.
            table = model._meta.db_table
            editor.execute(
                f"ALTER TABLE {quote(table)} ADD CONSTRAINT {quote(key_name(table, 'tenant'))} "
                f"FOREIGN KEY (tenant_id, tenant_id) REFERENCES orgs_organization (tenant_id, id) "
                f"DEFERRABLE INITIALLY DEFERRED"
            )
    for model, field in tenant_references(apps, app_label):
        table, target = model._meta.db_table, field.remote_field.model._meta
        editor.execute(
            f"ALTER TABLE {quote(table)} ADD CONSTRAINT {quote(key_name(table, field.name))} "
            f"FOREIGN KEY (tenant_id, {quote(field.column)}) "
            f"REFERENCES {quote(target.db_table)} (tenant_id, {quote(_key_column(target))}) "
            f"DEFERRABLE INITIALLY DEFERRED"
        )


class AddTenantKeys(migrations.RunPython):
    """Migration operation: the two-column keys of one app, read from its models at that state.

    ``unique=True`` adds the targets ``(tenant_id, id)`` and the tenant's own key, ``references=True`` the keys
    that point at them. Core and orgs refer to each other, so their migrations run the halves separately.
    """

    def __init__(self, app_label: str, *, unique: bool = True, references: bool = True) -> None:
        self.app_label, self.unique, self.references = app_label, unique, references

        def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
            if unique:
                _add(apps, editor, app_label)
            if references:
                _refer(apps, editor, app_label)

        super().__init__(forwards, migrations.RunPython.noop)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (
            self.__class__.__qualname__,
            [self.app_label],
            {"unique": self.unique, "references": self.references},
        )
