from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

# What is written once, and the columns of it that the app role may still fill: the sealer chains, an erasure empties.
APPEND_ONLY = {"core_auditentry": ("seq", "chain", "changes", "salt"), "core_auditcheckpoint": ()}


def grant_to_app_role(sender: Any, using: str, **kwargs: Any) -> None:
    """After a migration by the owner, let the role of web and workers use the tables (it owns none).

    In one transaction: while an installation is migrated, too, nobody may delete from the audit.
    """
    from django.conf import settings
    from django.db import connections, transaction

    connection = connections[using]
    role = connection.ops.quote_name(settings.DATABASE_APP_ROLE)
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user <> %s AND EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s)",
            [settings.DATABASE_APP_ROLE] * 2,
        )
        if not cursor.fetchone()[0]:
            return
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
        for table in set(APPEND_ONLY) & set(connection.introspection.table_names(cursor)):
            cursor.execute(f"REVOKE UPDATE, DELETE ON {table} FROM {role}")
            if columns := ", ".join(APPEND_ONLY[table]):
                cursor.execute(f"GRANT UPDATE ({columns}) ON {table} TO {role}")


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        # The last app of a migration run grants for all; granting repeatedly is harmless.
        post_migrate.connect(grant_to_app_role, dispatch_uid="grant_to_app_role")
