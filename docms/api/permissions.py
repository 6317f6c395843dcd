"""What people may do in folders: the objects that replace the global flags, and the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.response import Response

from core.errors import NotFound
from docms import rules
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.models import FolderPermission as PermissionRow
from docms.reach import MEMBER_FLAGS
from docms.services import permissions

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

FLAGS = tuple(MEMBER_FLAGS)


class FolderPermissionUpdate(serializers.Serializer):
    """The object to store; it replaces the whole."""

    active = serializers.BooleanField(help_text="This object replaces the global permissions in the folder.")
    read = serializers.BooleanField(help_text="May view documents in this folder.")
    download = serializers.BooleanField(help_text="May download documents from this folder.")
    upload = serializers.BooleanField(help_text="May upload into this folder.")
    edit = serializers.BooleanField(help_text="May edit documents here uploaded by others.")
    edit_own = serializers.BooleanField(help_text="May edit documents here uploaded by themselves.")
    mail = serializers.BooleanField(help_text="May send notifications about documents here.")
    log = serializers.BooleanField(help_text="May see logs of documents here uploaded by others.")


class FolderPermission(FolderPermissionUpdate):
    """The object of one user and folder."""

    user_id = serializers.IntegerField(help_text="User.")
    folder_id = serializers.IntegerField(help_text="Folder.")


class EffectivePermission(serializers.Serializer):
    """Outcome after weighing folder and global permissions."""

    read = serializers.BooleanField()
    download = serializers.BooleanField()
    upload = serializers.BooleanField()
    edit = serializers.BooleanField()
    edit_own = serializers.BooleanField()
    mail = serializers.BooleanField()
    log = serializers.BooleanField()
    show_checkmark = serializers.BooleanField(help_text="May mark documents here as done.")


def rows_of(found: QuerySet[PermissionRow]) -> list[dict[str, Any]]:
    """The objects as the contract writes them, in one query."""
    rows = found.order_by("folder_id", "membership__user_id").values(
        "membership__user_id", "folder_id", "active", *FLAGS
    )
    return [
        {
            "user_id": row["membership__user_id"],
            "folder_id": row["folder_id"],
            "active": row["active"],
            **{name: row[name] for name in FLAGS},
        }
        for row in rows
    ]


class OnePermission(DocmsView):
    """`/folders/{folderId}/permissions/{userId}`."""

    @operation(
        "getFolderPermission", tag="Permissions", summary="Read a user's folder permission",
        description="404 when no object exists for the pair.",
        gives=FolderPermission, refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int, user_id: int) -> Response:
        """One's own, or for administrators anybody's (DOCMS-092, 093)."""
        membership = self.self_or_admin(user_id)
        found = rows_of(PermissionRow.objects.filter(folder=self.folder(folder_id), membership=membership))
        if not found:
            raise NotFound
        return Response(found[0])

    @operation(
        "setFolderPermission", tag="Permissions", summary="Set a user's folder permission",
        description="Creates or replaces the object.",
        takes=FolderPermissionUpdate, gives=FolderPermission, refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def put(self, request: Request, folder_id: int, user_id: int) -> Response:
        """Administrators, and super administrators while locked (DOCMS-091)."""
        self.require_admin()
        folder = self.folder(folder_id)
        values = self.body(FolderPermissionUpdate)
        active = values.pop("active")
        row = permissions.set_permission(actor=self.actor, folder=folder, user_id=user_id, flags=values, active=active)
        return Response(rows_of(PermissionRow.objects.filter(pk=row.pk))[0])

    @operation(
        "deleteFolderPermission", tag="Permissions", summary="Delete a user's folder permission",
        description="The global permissions apply again.", refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, folder_id: int, user_id: int) -> Response:
        """Administrators, and super administrators while locked (DOCMS-091)."""
        self.require_admin()
        permissions.delete_permission(actor=self.actor, folder=self.folder(folder_id), user_id=user_id)
        return Response()


class Effective(DocmsView):
    """`/folders/{folderId}/permissions/{userId}/effective`."""

    @operation(
        "getEffectivePermission", tag="Permissions", summary="Read what a user may do in a folder",
        description="Outcome of the precedence rule: the active folder object when there is one, otherwise the global "
        "permissions.",
        gives=EffectivePermission, refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int, user_id: int) -> Response:
        """One's own, or for administrators anybody's (DOCMS-092, 093)."""
        membership = self.self_or_admin(user_id)
        folder = self.folder(folder_id)
        if membership.pk == self.membership.pk:
            flags = rules.effective(self.actor, folder)
        else:
            flags = rules.effective_for(membership, folder)
        return Response({name: getattr(flags, name) for name in (*FLAGS, "show_checkmark")})


class PermissionsOfUser(DocmsView):
    """`/users/{userId}/permissions`."""

    @operation(
        "listPermissionsOfUser", tag="Permissions", summary="List folder permissions of a user",
        description="All objects of the user in the current tenant.",
        gives=FolderPermission(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, user_id: int) -> Response:
        """One's own, or for administrators anybody's (DOCMS-092)."""
        return Response(rows_of(PermissionRow.objects.filter(membership=self.self_or_admin(user_id))))


class PermissionsOfFolder(DocmsView):
    """`/folders/{folderId}/permissions`."""

    @operation(
        "listPermissionsOfFolder", tag="Permissions", summary="List folder permissions of a folder",
        description="All objects set for the folder.",
        gives=FolderPermission(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int) -> Response:
        """Administrators only (DOCMS-092)."""
        self.require_admin()
        return Response(rows_of(PermissionRow.objects.filter(folder=self.folder(folder_id))))
