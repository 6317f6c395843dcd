"""What the nouns of administrators share in the back office."""

from __future__ import annotations

from typing import Any

from core.admin.base import HouseAdmin
from docms import rules


class AdministratorsAdmin(HouseAdmin):
    """Rows that administrators of their tenant see and write, nobody else (DOCMS-184)."""

    def may_see(self, actor: Any) -> bool:
        """Administrators and the operator."""
        return bool(actor.is_operator or actor.admin_tenants)

    def may_add(self, actor: Any) -> bool:
        """For the tenant in view."""
        return actor.tenant_id is not None and bool(rules.may_administer(actor, actor.tenant_id))

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Administrators."""
        return obj is None or bool(rules.may_administer(actor, obj.tenant_id))

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """Administrators."""
        return self.may_change(actor, obj)
