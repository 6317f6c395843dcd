"""Folders: the tree, one folder with its children, and their administration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from core.api import flag
from core.errors import NotFound
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import IdField, IdsField, MomentField, moment
from docms.models import Folder as FolderRow
from docms.models import FolderMailUser
from docms.services import folders, marks
from docms.services.names import refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.request import Request

ALL = OpenApiParameter(
    "all", OpenApiTypes.BOOL, default=False,
    description="Administrators: ignore group assignment and return everything in the tenant. Ignored for others.",
)  # fmt: skip
SUBFOLDERS = OpenApiParameter(
    "subfolders", OpenApiTypes.BOOL, default=False,
    description="Fill the subfolders of each folder; otherwise only top-level folders come back, without children.",
)  # fmt: skip


@extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/Folder"}})
class _Subfolders(serializers.ListField):
    """Folders directly below."""


class Folder(serializers.Serializer):
    """A folder. Of one that is only an ancestor of a reachable folder, nothing but the name is told (DOCMS-097)."""

    folder_id = serializers.IntegerField(help_text="Folder id.")
    parent_folder_id = serializers.IntegerField(allow_null=True, help_text="Folder above; null for a top-level folder.")
    name = serializers.CharField(help_text="Folder name, unique among its siblings, without slashes.")
    full_path_name = serializers.CharField(help_text="All names from the top, joined by slashes.")
    show_check_mark = serializers.BooleanField()
    inactive_at = MomentField(allow_null=True, help_text="Moment from which the folder and its documents are hidden.")
    allow_delete_files = MomentField(allow_null=True, help_text="Earliest moment documents here may be deleted.")
    auto_delete_files = serializers.BooleanField()
    subfolders = _Subfolders(help_text="Folders directly below; empty unless asked for.")
    file_delete_files = serializers.IntegerField(help_text="Days after first access until deletion.")
    mail_after_upload_enable = serializers.BooleanField()
    mail_after_upload_custom = serializers.BooleanField()
    mail_after_upload_users = IdsField(help_text="Users to notify; told to administrators only.")


class FolderUpdate(serializers.Serializer):
    """Folder fields to change; omitted fields keep their value."""

    parent_folder_id = IdField(required=False, allow_null=True, help_text="Folder above; null for a top-level folder.")
    name = serializers.RegexField(r"^[^/\\]+\Z", required=False, max_length=200, trim_whitespace=False)
    full_path_name = serializers.CharField(
        required=False, max_length=4000, allow_null=True, allow_blank=True, help_text="Derived; ignored (DOCMS-098)."
    )
    show_check_mark = serializers.BooleanField(required=False)
    inactive_at = MomentField(required=False, allow_null=True)
    allow_delete_files = MomentField(required=False, allow_null=True)
    auto_delete_files = serializers.BooleanField(required=False)
    group_ids = IdsField(required=False, help_text="Groups that get access to the folder.")
    file_delete_files = serializers.IntegerField(required=False, min_value=0, max_value=36500)
    mail_after_upload_enable = serializers.BooleanField(required=False)
    mail_after_upload_custom = serializers.BooleanField(required=False)
    mail_after_upload_users = IdsField(required=False)


class FolderCreate(FolderUpdate):
    """New folder."""

    name = serializers.RegexField(r"^[^/\\]+\Z", max_length=200, trim_whitespace=False)


COLUMNS = (
    "id", "parent_id", "name", "full_path_name", "show_check_mark", "inactive_at", "allow_delete_files",
    "auto_delete_files", "file_delete_files", "mail_after_upload_enable", "mail_after_upload_custom",
)  # fmt: skip


def rows_of(view: DocmsView, found: QuerySet[FolderRow], *, reached: bool = True) -> list[dict[str, Any]]:
    """Folders as the contract writes them, without children, in one query. ``reached``: every one is."""
    columns = COLUMNS if reached else (*COLUMNS, "is_reached")
    if view.is_admin:
        chosen = FolderMailUser.objects.filter(folder=OuterRef("pk")).order_by("membership__user_id")
        found = found.annotate(mail_users=ArraySubquery(chosen.values("membership__user_id")))
        columns = (*columns, "mail_users")
    return [_row(view, row) for row in found.order_by("sort_key", "id").values(*columns)]


def _row(view: DocmsView, row: dict[str, Any]) -> dict[str, Any]:
    zone, known = view.tenant.zone, row.get("is_reached", True)
    return {
        "folder_id": row["id"],
        "parent_folder_id": row["parent_id"],
        "name": row["name"],
        "full_path_name": row["full_path_name"],
        "show_check_mark": known and row["show_check_mark"],
        "inactive_at": moment(row["inactive_at"], zone) if known else None,
        "allow_delete_files": moment(row["allow_delete_files"], zone) if known else None,
        "auto_delete_files": known and row["auto_delete_files"],
        "subfolders": [],
        "file_delete_files": row["file_delete_files"] if known else 0,
        "mail_after_upload_enable": known and row["mail_after_upload_enable"],
        "mail_after_upload_custom": known and row["mail_after_upload_custom"],
        "mail_after_upload_users": row.get("mail_users", []) if known else [],
    }


def nest(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The flat list as trees, in its order."""
    by_id = {row["folder_id"]: row for row in rows}
    top: list[dict[str, Any]] = []
    for row in by_id.values():
        above = by_id.get(row["parent_folder_id"])
        (above["subfolders"] if above else top).append(row)
    return top


def one(view: DocmsView, folder_id: int) -> dict[str, Any]:
    """One folder as stored now."""
    return rows_of(view, FolderRow.objects.visible_to(view.actor, all=True).filter(pk=folder_id))[0]


class Folders(DocmsView):
    """`/folders`."""

    @operation(
        "listFolders", tag="Folders", summary="List folders",
        description="Administrators get every folder they are assigned to, or all with `all`; others only folders "
        "reached through their groups, and the names of the ones above. Inactive folders are left out for users who "
        "are not administrators.",
        gives=Folder(many=True), refusals=(400, 401), parameters=(SUBFOLDERS, ALL),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """One query for the tree however deep it is (DOCMS-095, 096)."""
        found = FolderRow.objects.with_ancestors(self.actor, all=flag(request, "all"))
        if not flag(request, "subfolders"):
            return Response(rows_of(self, found.filter(parent=None), reached=False))
        return Response(nest(rows_of(self, found, reached=False)))

    @operation(
        "createFolder", tag="Folders", summary="Create a folder",
        description="Creates a folder, assigns groups and adds the automatic child folders set in the tenant.",
        takes=FolderCreate, gives=Folder, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Administrators only (DOCMS-184)."""
        self.require_admin()
        values = self.body(FolderCreate)
        values.pop("full_path_name", None)
        parent = parent_of(self, values.pop("parent_folder_id", None))
        folder = folders.create_folder(
            actor=self.actor,
            tenant=self.tenant,
            name=values.pop("name"),
            parent=parent,
            group_ids=values.pop("group_ids", ()),
            **values,
        )
        return Response(one(self, folder.pk))


def parent_of(view: DocmsView, folder_id: int | None) -> FolderRow | None:
    """The folder that a body names; unknown or of another tenant is 400 (DOCMS-047)."""
    if folder_id is None:
        return None
    parent = FolderRow.objects.visible_to(view.actor, all=True).filter(pk=folder_id).first()
    if parent is None:
        refuse_unknown("parent_folder_id", [folder_id])
    return parent


class OneFolder(DocmsView):
    """`/folders/{folderId}`."""

    @operation(
        "getFolder", tag="Folders", summary="Read a folder",
        description="One folder with its direct children; also remembers it as the caller's last folder.",
        gives=Folder, refusals=(400, 401, 404), parameters=(ALL,),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int) -> Response:
        """Children as in the list: reached ones, the way to them, and with ``all`` every one (DOCMS-187)."""
        everything = flag(request, "all")
        seen = FolderRow.objects.with_ancestors(self.actor, all=True)
        found = rows_of(self, seen.filter(pk=folder_id), reached=False)
        if not found:
            raise NotFound
        folder = found[0]
        children = FolderRow.objects.with_ancestors(self.actor, all=everything)
        folder["subfolders"] = rows_of(self, children.filter(parent=folder_id), reached=False)
        reached = FolderRow.objects.visible_to(self.actor, all=True).filter(pk=folder_id).first()
        if reached is not None:
            marks.opened(reached, self.membership)
        return Response(folder)

    @operation(
        "updateFolder", tag="Folders", summary="Change a folder",
        description="Renames, moves or reconfigures a folder; moving below itself is refused.",
        takes=FolderUpdate, gives=Folder, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def put(self, request: Request, folder_id: int) -> Response:
        """Administrators only; `group_ids` replaces the groups that reach it."""
        self.require_admin()
        folder = self.folder(folder_id)
        values = self.body(FolderUpdate)
        values.pop("full_path_name", None)
        group_ids = values.pop("group_ids", None)
        if "parent_folder_id" in values:
            values["parent"] = parent_of(self, values.pop("parent_folder_id"))
        folders.change_folder(actor=self.actor, folder=folder, changes=values, group_ids=group_ids)
        return Response(one(self, folder_id))

    @operation(
        "deleteFolder", tag="Folders", summary="Delete a folder",
        description="Deletes the folder with everything below; refused with DELETION_LOCKED while any document below "
        "is still protected.",
        refusals=(400, 401, 403, 404, 409),
    )  # fmt: skip
    def delete(self, request: Request, folder_id: int) -> Response:
        """All or nothing (DOCMS-109)."""
        self.require_admin()
        folder = self.folder(folder_id)
        folders.delete_folder(actor=self.actor, folder=folder)
        return Response()
