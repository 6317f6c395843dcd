"""What this floor holds about a person in one tenant: groups, permissions, favourites, actions. No contents.

Folders are named where the person sees them today, and papers not at all: their names may speak of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from core.services.exports import Column, Section, columns_of
from docms.models import DocumentLog, Folder, FolderMark, FolderPermission, Group, GroupMember
from docms.reach import MEMBER_FLAGS
from docms.services.audiences import group_ids_of
from orgs.actor import actor_for
from orgs.models import Membership

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orgs.models import Organization, User

_FOLDER = {"folder_id": Column(_("folder")), "folder": Column(_("path"))}


def person(user: User, tenant: Organization) -> list[Section]:
    """A person with no place in the tenant has none of this but the actions."""
    membership = Membership.objects.select_related("user").filter(user=user, organization=tenant).first()
    mine = {"membership": membership} if membership else {"membership__in": ()}
    permissions = list(
        FolderPermission.objects.filter(**mine).order_by("folder_id").values("folder_id", "active", *MEMBER_FLAGS)
    )
    marks = list(
        FolderMark.objects.filter(**mine).order_by("folder_id").values("folder_id", "is_favourite", "opened_at")
    )
    actions = DocumentLog.objects.filter(user=user, tenant=tenant).order_by("-id")
    paths = _paths(user, tenant, [row["folder_id"] for row in (*permissions, *marks)])
    return [
        Section(
            "groups",
            _("Groups"),
            {"group_id": Column(_("number"))} | columns_of(Group, "name", is_admin=Column(_("administers it"))),
            _groups(membership) if membership else [],
        ),
        Section(
            "permissions",
            _("Folder permissions"),
            _FOLDER | columns_of(FolderPermission, "active", *MEMBER_FLAGS),
            [_of_folder(row["folder_id"], paths) | row for row in permissions],
        ),
        Section(
            "favorites",
            _("Favourites"),
            _FOLDER,
            [_of_folder(row["folder_id"], paths) for row in marks if row["is_favourite"]],
        ),
        Section(
            "opened_folders",
            _("Folders opened"),
            _FOLDER | {"at": Column(_("at"))},
            [_of_folder(row["folder_id"], paths) | {"at": row["opened_at"]} for row in marks if row["opened_at"]],
        ),
        Section(
            "document_actions",
            _("Actions on documents"),
            {"at": Column(_("at"))} | columns_of(DocumentLog, "document_id", "action", "label"),
            list(actions.annotate(at=F("created_at")).values("at", "document_id", "action", "label")),
        ),
    ]


def _groups(membership: Membership) -> list[dict[str, Any]]:
    led = set(GroupMember.objects.filter(membership=membership, is_admin=True).values_list("group_id", flat=True))
    found = Group.objects.filter(pk__in=[*group_ids_of(membership), *led]).order_by("sort_key", "id")
    return [{"group_id": pk, "name": name, "is_admin": pk in led} for pk, name in found.values_list("pk", "name")]


def _paths(user: User, tenant: Organization, folder_ids: Iterable[int]) -> dict[int, str]:
    """The paths of those that the person sees."""
    actor = actor_for(user, door="docms", tenant_id=tenant.pk)
    seen = Folder.objects.visible_to(actor, all=True).filter(pk__in=list(folder_ids))
    return dict(seen.values_list("pk", "full_path_name"))


def _of_folder(folder_id: int, paths: dict[int, str]) -> dict[str, Any]:
    return {"folder_id": folder_id, "folder": paths.get(folder_id)}
