"""Labels that the tenant suggests for its folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.response import Response

from core.errors import Conflict, NotFound
from core.services import rows
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.labels import Label
from docms.models import LabelSuggestion

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request


class _Suggestions(DocmsView):
    @property
    def suggestions(self) -> QuerySet[LabelSuggestion]:
        """Those of the tenant."""
        return LabelSuggestion.objects.visible_to(self.actor)

    def require_free(self, name: str, *, but: int = 0) -> None:
        """Raise `Conflict` when another suggestion has the name, in any case."""
        if self.suggestions.filter(name__iexact=name).exclude(pk=but).exists():
            raise Conflict(_("There is a label of that name already."), code="exists")


class LabelSuggestions(_Suggestions):
    """`/label-suggestions`."""

    @operation(
        "listLabelSuggestions", tag="Labels", summary="List label suggestions",
        description="Suggestions of the tenant, sorted by name.", gives=Label(many=True), refusals=(401,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Open to every member."""
        return Response(list(self.suggestions.order_by("name", "id").values("name", "color")))

    @operation(
        "createLabelSuggestion", tag="Labels", summary="Add a label suggestion",
        description="Adds a name and colour to the tenant's suggestions.",
        takes=Label, refusals=(400, 401, 403, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Administrators only."""
        self.require_admin()
        values = self.body(Label)
        self.require_free(values["name"])
        rows.create(LabelSuggestion, tenant=self.tenant, **values)
        return Response()


class OneLabelSuggestion(_Suggestions):
    """`/label-suggestions/{name}`."""

    def suggestion(self, name: str) -> LabelSuggestion:
        """The suggestion of that name in any case (DOCMS-191), for administrators."""
        self.require_admin()
        found = self.suggestions.filter(name__iexact=name).first()
        if found is None:
            raise NotFound
        return found

    @operation(
        "updateLabelSuggestion", tag="Labels", summary="Change a label suggestion",
        description="Renames or recolours a suggestion; folder labels made from it stay as they are.",
        takes=Label, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def put(self, request: Request, name: str) -> Response:
        """Both fields are replaced."""
        suggestion = self.suggestion(name)
        values = self.body(Label)
        self.require_free(values["name"], but=suggestion.pk)
        rows.change(suggestion, values)
        return Response()

    @operation(
        "deleteLabelSuggestion", tag="Labels", summary="Delete a label suggestion",
        description="Folder labels made from it stay as they are.", refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, name: str) -> Response:
        """It is no longer suggested."""
        rows.delete(self.suggestion(name))
        return Response()
