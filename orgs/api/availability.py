"""Who is there: now, and over the last 14 days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework import serializers
from rest_framework.response import Response

from orgs.api.base import OFFSET, OPEN_LIMIT, ORGANIZATION_ID, OrgsView, page_of
from orgs.api.errors import operation
from orgs.api.shapes import AvailableUsersCount, counts_shape
from orgs.services import availability
from orgs.services.availability import Counts

if TYPE_CHECKING:
    from rest_framework.request import Request


class OrganizationAvailability(serializers.Serializer):
    """Both counts."""

    countInRoot = AvailableUsersCount()
    countTotal = AvailableUsersCount()


class AvailabilityHistoryEntry(serializers.Serializer):
    """One snapshot."""

    date = serializers.DateTimeField()
    countInRoot = AvailableUsersCount()
    countTotal = AvailableUsersCount()


class AvailabilityHistory(serializers.Serializer):
    """Window bounds and one page of snapshots."""

    start_date = serializers.DateTimeField(help_text="Beginning of the window.")
    end_date = serializers.DateTimeField(help_text="End of the window.")
    entries = AvailabilityHistoryEntry(many=True)


class Availability(OrgsView):
    """`/organization/{organizationID}/availability`."""

    @operation(
        "GetAvailableUsers", tag="availability", summary="Present availability counts",
        description="`countInRoot` covers the organization alone, `countTotal` the whole subtree.",
        gives=OrganizationAvailability, parameters=(ORGANIZATION_ID,), refusals=(400, 401, 403, 404, 500),
    )  # fmt: skip
    def get(self, request: Request, organization_id: str) -> Response:
        """See `availability.counts` (ORGS-055 … 057)."""
        organization = self.organization(organization_id)
        present = availability.counts([organization.pk])[organization.pk]
        return Response({"countInRoot": counts_shape(present.root), "countTotal": counts_shape(present.total)})


class History(OrgsView):
    """`/organization/{organizationID}/history/availability`."""

    @operation(
        "GetAvailabilityHistory", tag="availability-history", summary="Availability of the last 14 days",
        description="Newest snapshot first.", gives=AvailabilityHistory,
        parameters=(ORGANIZATION_ID, OPEN_LIMIT, OFFSET), refusals=(400, 401, 403, 404, 500),
    )  # fmt: skip
    def get(self, request: Request, organization_id: str) -> Response:
        """See `availability.history` (ORGS-059, 060); paging does not move the window."""
        organization, until = self.organization(organization_id), timezone.now()
        taken = page_of(request, availability.history(organization, until=until))
        entries = [
            {
                "date": one.sampled_at,
                "countInRoot": counts_shape(Counts(one.root_available, one.root_in_event, one.root_not_available)),
                "countTotal": counts_shape(Counts(one.total_available, one.total_in_event, one.total_not_available)),
            }
            for one in taken
        ]
        return Response({"start_date": until - availability.WINDOW, "end_date": until, "entries": entries})
