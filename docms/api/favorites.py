"""Favourite folders of one person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.response import Response

from core.querysets import any_of
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.file_rows import File
from docms.api.file_rows import rows_of as file_rows
from docms.api.folders import Folder, rows_of
from docms.api.versions import LIMIT, OFFSET, window
from docms.models import Document, FolderMark
from docms.models import Folder as FolderRow
from docms.services import marks

if TYPE_CHECKING:
    from rest_framework.request import Request


def _mine(view: DocmsView) -> object:
    return FolderMark.objects.filter(membership=view.membership.pk, is_favourite=True).order_by().values("folder_id")


class Favorites(DocmsView):
    """`/favorites`."""

    @operation(
        "listFavorites", tag="Favorites", summary="List favourite folders",
        description="Folders the caller marked and can still see.", gives=Folder(many=True), refusals=(401,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Without those that are no longer visible (DOCMS-141)."""
        found = FolderRow.objects.visible_to(self.actor, all=True).filter(any_of("id", _mine(self)))  # type: ignore[arg-type]
        return Response(rows_of(self, found))


class OneFavorite(DocmsView):
    """`/favorites/{folderId}`."""

    @operation(
        "addFavorite", tag="Favorites", summary="Mark a folder as favourite",
        description="Repeating the call changes nothing.", refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def post(self, request: Request, folder_id: int) -> Response:
        """Twice is once."""
        marks.set_favourite(folder_id=folder_id, actor=self.actor, on=True)
        return Response()

    @operation(
        "removeFavorite", tag="Favorites", summary="Remove a favourite",
        description="Removes the mark; the folder is not touched.", refusals=(400, 401, 404),
    )  # fmt: skip
    def delete(self, request: Request, folder_id: int) -> Response:
        """Twice is once."""
        marks.set_favourite(folder_id=folder_id, actor=self.actor, on=False)
        return Response()


class FavoriteFiles(DocmsView):
    """`/favorites/files`."""

    @operation(
        "listFavoriteFiles", tag="Favorites", summary="List documents of favourite folders",
        description="Visible documents of all favourite folders, latest change first.",
        gives=File(many=True), refusals=(400, 401), parameters=(OFFSET, LIMIT),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Equal moments are ordered by id."""
        found = Document.objects.visible_to(self.actor, all=True).filter(any_of("folder", _mine(self)))  # type: ignore[arg-type]
        return Response(file_rows(self, found.order_by("-changed_at", "-id")[window(request)]))
