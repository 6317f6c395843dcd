"""What quick actions start: a case of a kind, on the page for a new one, where staff say for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from orgs import resources
from processes import rules
from processes.models import ProcessType

if TYPE_CHECKING:
    from collections.abc import Collection

    from orgs.actor import Actor


def register() -> None:
    """Enter the words of this floor."""
    resources.register("process-type", types)


def types(actor: Actor, ids: Collection[int]) -> dict[int, str]:
    """The page for a new case of each kind that is for new ones, for who may open cases."""
    if actor.tenant_id is None or not actor.managed or not rules.may_open(actor, actor.tenant_id):
        return {}
    page = reverse("admin:processes_process_add")
    seen = ProcessType.objects.visible_to(actor).filter(tenant=actor.tenant_id, pk__in=ids, is_active=True).order_by()
    return {pk: f"{page}?{urlencode({'type': pk})}" for pk in seen.values_list("pk", flat=True)}
