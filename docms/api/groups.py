"""Groups: who belongs together, and which folders they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from core.errors import Denied, NotFound
from core.querysets import any_of
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import IdsField
from docms.models import Folder, FolderAccess, GroupMember
from docms.models import Group as GroupRow
from docms.services import groups
from docms.services.audiences import people_by_key
from orgs.actor import actor_for

if TYPE_CHECKING:
    from rest_framework.request import Request


class Group(serializers.Serializer):
    """A group."""

    group_id = serializers.IntegerField(help_text="Group id.")
    name = serializers.CharField(help_text="Group name, unique in the tenant.")
    show_check_mark = serializers.BooleanField(
        help_text="Members may check documents off wherever the folder allows check marks."
    )
    user_ids = IdsField(
        help_text="Member users. Filled for administrators and for group administrators of the group, empty for others."
    )
    folder_ids = IdsField(
        help_text="Assigned folders and subfolders. Filled for administrators, otherwise limited to folders the caller "
        "can see."
    )
    groupadmin_ids = IdsField(help_text="Members who administer the group; each must also be a member.")


class GroupUpdate(serializers.Serializer):
    """Group fields to change; a given id list replaces the stored one."""

    name = serializers.CharField(required=False, max_length=200, trim_whitespace=False)
    show_check_mark = serializers.BooleanField(required=False)
    user_ids = IdsField(required=False, help_text="Member users.")
    folder_ids = IdsField(required=False, help_text="Assigned folders and subfolders.")
    groupadmin_ids = IdsField(required=False, help_text="Members who administer the group.")


class GroupCreate(GroupUpdate):
    """New group."""

    name = serializers.CharField(max_length=200, trim_whitespace=False)


def rows_of(view: DocmsView, found: QuerySet[GroupRow]) -> list[dict[str, Any]]:
    """Groups as the contract writes them, at a constant number of queries."""
    people = GroupMember.objects.filter(group=OuterRef("pk")).order_by("membership__user_id")
    access = FolderAccess.objects.filter(group=OuterRef("pk")).order_by("folder_id")
    if not view.is_admin:
        seen = Folder.objects.visible_to(view.actor).order_by().values("id")
        access = access.filter(any_of("folder", seen))
    rows: list[Any] = list(
        found.order_by("sort_key", "id")
        .annotate(
            listed=ArraySubquery(people.values("membership__user_id")),
            admins=ArraySubquery(people.filter(is_admin=True).values("membership__user_id")),
            folders=ArraySubquery(access.values("folder_id")),
        )
        .values("id", "name", "show_check_mark", "kind", "audience_key", "listed", "admins", "folders")
    )
    derived = any(row["kind"] == GroupRow.Kind.DERIVED for row in rows)
    held = people_by_key(view.tenant) if derived else {}
    return [
        {
            "group_id": row["id"],
            "name": row["name"],
            "show_check_mark": row["show_check_mark"],
            "user_ids": _people(row, held) if view.is_admin or view.actor.user_id in row["admins"] else [],
            "folder_ids": row["folders"],
            "groupadmin_ids": row["admins"],
        }
        for row in rows
    ]


def _people(row: dict[str, Any], held: dict[str, set[int]]) -> list[int]:
    if row["kind"] == GroupRow.Kind.DERIVED:
        return sorted(held.get(row["audience_key"], ()))
    people: list[int] = row["listed"]
    return people


def one(view: DocmsView, group_id: int) -> dict[str, Any]:
    """One group as stored now."""
    return rows_of(view, GroupRow.objects.visible_to(view.actor).filter(pk=group_id))[0]


class Groups(DocmsView):
    """`/groups`."""

    @operation(
        "listGroups", tag="Groups", summary="List groups",
        description="Administrators get every group of the tenant, others the groups they belong to.",
        gives=Group(many=True), refusals=(401,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Ordinary members are not told who else is in (DOCMS-066)."""
        return Response(rows_of(self, GroupRow.objects.visible_to(self.actor)))

    @operation(
        "createGroup", tag="Groups", summary="Create a group",
        description="Creates a group with members, folders and group administrators.",
        takes=GroupCreate, gives=Group, refusals=(400, 401, 403, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Administrators only (DOCMS-184)."""
        self.require_admin()
        group = groups.create_group(actor=self.actor, tenant=self.tenant, **self.body(GroupCreate))
        return Response(one(self, group.pk))


class OneGroup(DocmsView):
    """`/groups/{groupId}`."""

    def group(self, group_id: int) -> GroupRow:
        """A visible group. One of the tenant that is not visible is refused with 401, as the seed says (DOCMS-062)."""
        group = GroupRow.objects.visible_to(self.actor).select_related("tenant").filter(pk=group_id).first()
        if group is not None:
            return group
        if GroupRow.objects.filter(pk=group_id, tenant=self.tenant.pk).exists():
            raise Denied(_("You do not belong to this group."), denied_status=401)
        raise NotFound

    @operation(
        "getGroup", tag="Groups", summary="Read a group",
        description="For members and administrators; others get 401, an unknown id gives 404.",
        gives=Group, refusals=(401, 404),
    )  # fmt: skip
    def get(self, request: Request, group_id: int) -> Response:
        """One group."""
        return Response(one(self, self.group(group_id).pk))

    @operation(
        "updateGroup", tag="Groups", summary="Change a group", description="Given id lists replace the stored ones.",
        takes=GroupUpdate, gives=Group, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def put(self, request: Request, group_id: int) -> Response:
        """Administrators only; a list left out stays as it is (DOCMS-063)."""
        self.require_admin()
        group = self.group(group_id)
        values = self.body(GroupUpdate)
        lists = {name: values.pop(name, None) for name in ("user_ids", "folder_ids", "groupadmin_ids")}
        groups.change_group(actor=self.actor, group=group, changes=values, **lists)
        return Response(one(self, group_id))

    @operation(
        "deleteGroup", tag="Groups", summary="Delete a group",
        description="Removes the group and the access it gave; users, folders and documents stay.",
        refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, group_id: int) -> Response:
        """Administrators only."""
        self.require_admin()
        groups.delete_group(actor=self.actor, group=self.group(group_id))
        return Response()


class GroupsOfUser(DocmsView):
    """`/users/{userId}/groups`."""

    @operation(
        "listGroupsOfUser", tag="Groups", summary="List groups of a user",
        description="Groups the user belongs to in the current tenant, including those administered.",
        gives=Group(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, user_id: int) -> Response:
        """One's own, or for administrators anybody's."""
        membership = self.self_or_admin(user_id)
        person = actor_for(membership.user, door="docms", tenant_id=self.tenant.pk)
        listed = GroupMember.objects.filter(membership=membership).values("group_id")
        found = GroupRow.objects.visible_to(self.actor).filter(
            any_of("id", listed) | Q(audience_key__in=person.keys), tenant=self.tenant.pk
        )
        return Response(rows_of(self, found))
