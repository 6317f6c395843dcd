"""Labels that documents of a folder may carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework import serializers
from rest_framework.response import Response

from core.errors import NotFound
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import ColorField, LineField
from docms.services import labels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.request import Request

    from docms.models import FolderLabel, LabelSuggestion


class Label(serializers.Serializer):
    """Name and colour."""

    name = LineField(max_length=100, help_text="Label name, unique in its list without regard to case.")
    color = ColorField(help_text="Colour as six-digit hex value.")


def listed(found: Iterable[FolderLabel | LabelSuggestion]) -> Response:
    """Labels as both lists answer them."""
    return Response([{"name": label.name, "color": label.color} for label in found])


class FolderLabels(DocmsView):
    """`/folders/{folderId}/labels`."""

    @operation(
        "listFolderLabels", tag="Labels", summary="List labels of a folder",
        description="Labels that documents in the folder may carry.",
        gives=Label(many=True), refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, folder_id: int) -> Response:
        """Whoever sees the folder."""
        return listed(labels.labels_of(self.folder(folder_id)))

    @operation(
        "createFolderLabel", tag="Labels", summary="Add a label to a folder",
        description="Makes a label available for documents of the folder.",
        takes=Label, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def post(self, request: Request, folder_id: int) -> Response:
        """Administrators only."""
        self.require_admin()
        folder = self.folder(folder_id)
        labels.create_label(actor=self.actor, folder=folder, **self.body(Label))
        return Response()


class OneFolderLabel(DocmsView):
    """`/folders/{folderId}/labels/{name}`."""

    def label(self, folder_id: int, name: str) -> FolderLabel:
        """The label of that name in any case (DOCMS-191)."""
        self.require_admin()
        label = labels.label_named(self.folder(folder_id), name)
        if label is None:
            raise NotFound
        return label

    @operation(
        "updateFolderLabel", tag="Labels", summary="Change a label of a folder",
        description="Renaming and recolouring carries over to documents using the label.",
        takes=Label, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def put(self, request: Request, folder_id: int, name: str) -> Response:
        """See `labels.change_label` (DOCMS-140)."""
        label = self.label(folder_id, name)
        labels.change_label(actor=self.actor, label=label, changes=self.body(Label))
        return Response()

    @operation(
        "deleteFolderLabel", tag="Labels", summary="Delete a label of a folder",
        description="Documents using it lose their label.", refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, folder_id: int, name: str) -> Response:
        """The documents stay (DOCMS-140)."""
        labels.delete_label(actor=self.actor, label=self.label(folder_id, name))
        return Response()
