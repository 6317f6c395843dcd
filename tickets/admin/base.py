"""What the nouns share that administrators set up for the help desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.admin.base import HouseAdmin
from tickets import rules
from tickets.services import setup

if TYPE_CHECKING:
    from django.http import HttpRequest


class SetUpAdmin(HouseAdmin):
    """Rows that administrators of their tenant see and write, nobody else."""

    def may_see(self, actor: Any) -> bool:
        """Administrators and the operator."""
        return bool(actor.is_operator or actor.admin_tenants)

    def may_add(self, actor: Any) -> bool:
        """For the tenant in view."""
        return actor.tenant_id is not None and bool(rules.may_set_up(actor, actor.tenant_id))

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Administrators."""
        return obj is None or bool(rules.may_set_up(actor, obj.tenant_id))

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """Administrators."""
        return self.may_change(actor, obj)

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `setup.create`."""
        actor: Any = request.actor  # type: ignore[attr-defined]
        return setup.create(self.model, actor=actor, tenant_id=actor.tenant_id, values=values)

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `setup.change`."""
        setup.change(obj, actor=request.actor, changes=values, expected=expected)  # type: ignore[attr-defined]

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """See `setup.delete`."""
        setup.delete(obj, actor=request.actor)  # type: ignore[attr-defined]
