"""The buttons on the start page of an organization's staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from core.errors import Invalid
from orgs.api.base import ID_MAX, ORGANIZATION_ID, OrgsView
from orgs.api.errors import StatusMessage, done, operation
from orgs.api.shapes import LineField, StrictBoolean, StrictInteger
from orgs.services import quick_actions

if TYPE_CHECKING:
    from rest_framework.request import Request


class QuickAction(serializers.Serializer):
    """One button."""

    color = LineField(required=False, allow_blank=True, max_length=32, trim_whitespace=False)
    icon = LineField(required=False, allow_blank=True, max_length=64, trim_whitespace=False, help_text="Material icon.")
    id = StrictInteger(required=False, min_value=0, max_value=ID_MAX, help_text="A known id is kept on replacement.")
    name = LineField(max_length=100, trim_whitespace=False)
    one_click = StrictBoolean(required=False, help_text="Run without a confirmation step.")
    organization_id = StrictInteger(required=False, help_text="Must equal the path parameter when sent.")
    resource = LineField(max_length=50, trim_whitespace=False, help_text="Kind of the target.")
    resource_id = StrictInteger(min_value=-ID_MAX, max_value=ID_MAX)


class QuickActions(OrgsView):
    """`/organization/{organizationID}/quick-actions`."""

    @operation(
        "GetOrganizationQuickActions", tag="quick-actions", summary="Quick actions in display order",
        gives=QuickAction(many=True), parameters=(ORGANIZATION_ID,), refusals=(400, 401, 403, 404, 500),
    )  # fmt: skip
    def get(self, request: Request, organization_id: str) -> Response:
        """Whoever has access."""
        organization = self.organization(organization_id)
        return Response(
            [
                {
                    "color": one.color, "icon": one.icon, "id": one.pk, "name": one.name, "one_click": one.one_click,
                    "organization_id": organization.pk, "resource": one.resource, "resource_id": one.resource_id,
                }
                for one in quick_actions.listed(organization)
            ]
        )  # fmt: skip

    @operation(
        "SetOrganizationQuickActions", tag="quick-actions", summary="Swap the whole list of quick actions",
        description="The stored list afterwards equals the sent one, in the sent order, or is untouched on any error.",
        takes=QuickAction(many=True), gives=StatusMessage, parameters=(ORGANIZATION_ID,),
        refusals=(400, 401, 403, 404, 413, 500),
    )  # fmt: skip
    def put(self, request: Request, organization_id: str) -> Response:
        """See `quick_actions.replace` (ORGS-070 … 072)."""
        organization = self.organization(organization_id)
        sent: list[dict[str, Any]] = self.body(QuickAction, many=True)
        for place, one in enumerate(sent):
            if one.pop("organization_id", organization.pk) != organization.pk:
                problem = _("Must be the organization of the address.")
                raise Invalid(f"[{place}].organization_id: {problem}", fields={f"[{place}].organization_id": [problem]})
        quick_actions.replace(actor=self.actor, organization=organization, actions=sent)
        return done(_("The quick actions were stored."))
