"""Labels that the tenant suggests for its folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.response import Response

from core.errors import NotFound
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.labels import Label, listed
from docms.models import LabelSuggestion
from docms.services import labels

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request


class _Suggestions(DocmsView):
    @property
    def suggestions(self) -> QuerySet[LabelSuggestion]:
        """Those of the tenant."""
        return LabelSuggestion.objects.visible_to(self.actor).order_by()


class LabelSuggestions(_Suggestions):
    """`/label-suggestions`."""

    @operation(
        "listLabelSuggestions", tag="Labels", summary="List label suggestions",
        description="Suggestions of the tenant, sorted by name.", gives=Label(many=True), refusals=(401,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Open to every member."""
        return listed(labels.by_name(self.suggestions))

    @operation(
        "createLabelSuggestion", tag="Labels", summary="Add a label suggestion",
        description="Adds a name and colour to the tenant's suggestions.",
        takes=Label, refusals=(400, 401, 403, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Administrators only."""
        self.require_admin()
        labels.create_suggestion(actor=self.actor, tenant_id=self.tenant.pk, **self.body(Label))
        return Response()


class OneLabelSuggestion(_Suggestions):
    """`/label-suggestions/{name}`."""

    def suggestion(self, name: str) -> LabelSuggestion:
        """The suggestion of that name in any case (DOCMS-191), for administrators."""
        self.require_admin()
        found = labels.named(self.suggestions, name)
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
        labels.change_suggestion(actor=self.actor, suggestion=suggestion, changes=self.body(Label))
        return Response()

    @operation(
        "deleteLabelSuggestion", tag="Labels", summary="Delete a label suggestion",
        description="Folder labels made from it stay as they are.", refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, name: str) -> Response:
        """It is no longer suggested."""
        labels.delete_suggestion(actor=self.actor, suggestion=self.suggestion(name))
        return Response()
