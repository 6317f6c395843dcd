"""Search, and pages of what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F
from django.db.models.functions import Lower
from rest_framework import serializers
from rest_framework.response import Response

from core.querysets import equals_any
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import IdsField, TextField
from docms.api.file_rows import File, rows_of
from docms.models import Document

if TYPE_CHECKING:
    from rest_framework.request import Request

SORT_COLUMNS: dict[str, Any] = {
    "labelName": Lower("label__name"),
    "identifier": Lower("identifier"),
    "title": F("sort_key"),
    "latestChange": F("changed_at"),
    "accessCounter": F("access_counter"),
    "filename": Lower("filename"),
    "donestate": F("done"),
}


class FilePaging(serializers.Serializer):
    """Which documents, in which order, from where."""

    ids = IdsField(help_text="Documents to page through; ids the caller cannot see are dropped silently.")
    offset = serializers.IntegerField(default=0, min_value=0, max_value=2**31, help_text="Number of entries to skip.")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=500, help_text="Largest number of entries.")
    sortDirection = serializers.ChoiceField(("ASC", "DESC"), default="ASC")
    sortColumn = serializers.ChoiceField(tuple(SORT_COLUMNS), default="title")


class FileSearch(serializers.Serializer):
    """Words to look for."""

    search = TextField(max_length=200, help_text="Words that must all occur; compared without regard to case.")
    preFilteredIds = IdsField(required=False, allow_null=True, help_text="Restrict the search to these documents.")


class PageFiles(DocmsView):
    """`/files/paging`."""

    @operation(
        "pageFiles", tag="Files", summary="Fetch a page of documents by id",
        description="Turns an id list, usually a search result, into sorted pages.",
        takes=FilePaging, gives=File(many=True), refusals=(400, 401, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Equal values are ordered by id, so that pages neither repeat nor miss a document (DOCMS-137, 138)."""
        wish = self.body(FilePaging)
        column = SORT_COLUMNS[wish["sortColumn"]]
        order = column.desc(nulls_last=True) if wish["sortDirection"] == "DESC" else column.asc(nulls_first=True)
        found = Document.objects.visible_to(self.actor, all=True).filter(pk__in=wish["ids"])
        page = found.order_by(order, "id")[wish["offset"] : wish["offset"] + wish["limit"]]
        return Response(rows_of(self, page))


class SearchFiles(DocmsView):
    """`/files/search`."""

    @operation(
        "searchFiles", tag="Files", summary="Search documents",
        description="Ids of visible documents matching all words in title, description, file name, identifier, label "
        "or text content.",
        takes=FileSearch, gives={200: {"type": "array", "items": {"type": "integer"}}}, refusals=(400, 401, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """An empty list to restrict to finds nothing, null everything visible (DOCMS-135, 136)."""
        wish = self.body(FileSearch)
        found = Document.objects.search(self.actor, wish["search"])
        if wish.get("preFilteredIds") is not None:
            found = found.filter(equals_any("pk", wish["preFilteredIds"]))
        return Response(list(found.order_by("sort_key", "id").values_list("id", flat=True)))
