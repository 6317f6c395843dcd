"""Where quick actions open folders and documents: in the back office, where staff are when they click."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from docms.models import Document, Folder
from orgs import resources

if TYPE_CHECKING:
    from collections.abc import Collection

    from orgs.actor import Actor


def register() -> None:
    """Enter the words of this floor."""
    resources.register("folder", folders)
    resources.register("document", documents)


def folders(actor: Actor, ids: Collection[int]) -> dict[int, str]:
    """The papers of each folder that staff may see."""
    if not actor.staff_tenants:
        return {}
    papers = reverse("admin:docms_document_changelist")
    seen = Folder.objects.visible_to(actor, all=True).filter(pk__in=ids).order_by()
    return {pk: f"{papers}?{urlencode({'folder__id__exact': pk})}" for pk in seen.values_list("pk", flat=True)}


def documents(actor: Actor, ids: Collection[int]) -> dict[int, str]:
    """The page of each document that staff may see."""
    if not actor.staff_tenants:
        return {}
    seen = Document.objects.visible_to(actor, all=True).filter(pk__in=ids).order_by()
    return {pk: reverse("admin:docms_document_change", args=[pk]) for pk in seen.values_list("pk", flat=True)}
