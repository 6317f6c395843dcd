"""Labels that documents of a folder may carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from core.errors import Conflict, NotFound
from core.services import rows
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import ColorField, LineField
from docms.models import Document, FolderLabel
from docms.services import indexing

if TYPE_CHECKING:
    from rest_framework.request import Request


class Label(serializers.Serializer):
    """Name and colour."""

    name = LineField(max_length=100, help_text="Label name, unique in its list without regard to case.")
    color = ColorField(help_text="Colour as six-digit hex value.")


class FolderLabels(DocmsView):
    """`/folders/{folderId}/labels`."""

    @operation(
        "listFolderLabels", tag="Labels", summary="List labels of a folder",
        description="Labels that documents in the folder may carry.",
        gives=Label(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int) -> Response:
        """Whoever sees the folder."""
        found = FolderLabel.objects.filter(folder=self.folder(folder_id)).order_by("name", "id")
        return Response(list(found.values("name", "color")))

    @operation(
        "createFolderLabel", tag="Labels", summary="Add a label to a folder",
        description="Makes a label available for documents of the folder.",
        takes=Label, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def post(self, request: Request, folder_id: int) -> Response:
        """Administrators only."""
        self.require_admin()
        folder = self.folder(folder_id)
        values = self.body(Label)
        if FolderLabel.objects.filter(folder=folder, name__iexact=values["name"]).exists():
            raise Conflict(_("The folder has a label of that name already."), code="exists")
        rows.create(FolderLabel, tenant=folder.tenant, folder=folder, **values)
        return Response()


class OneFolderLabel(DocmsView):
    """`/folders/{folderId}/labels/{name}`."""

    def label(self, folder_id: int, name: str) -> FolderLabel:
        """The label of that name in any case (DOCMS-191)."""
        self.require_admin()
        label = FolderLabel.objects.filter(folder=self.folder(folder_id), name__iexact=name).first()
        if label is None:
            raise NotFound
        return label

    @operation(
        "updateFolderLabel", tag="Labels", summary="Change a label of a folder",
        description="Renaming and recolouring carries over to documents using the label.",
        takes=Label, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def put(self, request: Request, folder_id: int, name: str) -> Response:
        """Documents refer to the row, so they follow (DOCMS-140); the search index is written anew."""
        label = self.label(folder_id, name)
        values = self.body(Label)
        twins = FolderLabel.objects.filter(folder=label.folder_id, name__iexact=values["name"]).exclude(pk=label.pk)
        if twins.exists():
            raise Conflict(_("The folder has a label of that name already."), code="exists")
        if rows.change(label, values):
            indexing.index(list(Document.objects.filter(label=label).select_related("label")))
        return Response()

    @operation(
        "deleteFolderLabel", tag="Labels", summary="Delete a label of a folder",
        description="Documents using it lose their label.", refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, folder_id: int, name: str) -> Response:
        """The documents stay (DOCMS-140)."""
        label = self.label(folder_id, name)
        carriers = list(Document.objects.filter(label=label).values_list("pk", flat=True))
        rows.delete(label)
        indexing.index(list(Document.objects.filter(pk__in=carriers).select_related("label")))
        return Response()
