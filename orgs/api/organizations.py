"""Organizations: made, changed, read, deleted; their children, their place, and the lists of what one reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.response import Response

from core.api import flag, whole
from core.errors import Invalid
from orgs.api.base import ID_MAX, OFFSET, OPEN_LIMIT, ORGANIZATION_ID, OrgsView, page_of
from orgs.api.errors import StatusMessage, done, operation
from orgs.api.shapes import (
    Organization,
    OrganizationCreate,
    OrganizationLocation,
    OrganizationUpdate,
    columns_of,
    in_its_words,
    location_columns,
    shape_of,
    shapes_of,
    with_children,
)
from orgs.models import Organization as Node
from orgs.services import tree

if TYPE_CHECKING:
    from rest_framework.request import Request

PAGE = 50  # the largest of the list of top-level organizations


class ChildOrganizations(serializers.Serializer):
    """One page of children, the path and the total."""

    childs = Organization(many=True)
    path = Organization(many=True)
    totalChilds = serializers.IntegerField()


class PaginatedOrganizations(serializers.Serializer):
    """One page and the total."""

    organizations = Organization(many=True)
    totalOrganizations = serializers.IntegerField()


class Organizations(OrgsView):
    """`/organization`."""

    @operation(
        "UpdateOrganization", tag="organization", summary="Change an organization",
        description="The organization is selected by `id` inside the body. Optional properties that are missing keep "
        "their stored value; read-only ones are ignored.",
        takes=OrganizationUpdate, gives=Organization, refusals=(400, 401, 403, 404, 409, 413, 500),
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """See `tree.change` (ORGS-018 … 034, 082)."""
        sent = self.body(OrganizationUpdate)
        organization = self.find(sent["id"])
        values = columns_of(sent)
        if "parentID" in sent:
            values["parent"] = self._parent(organization, sent["parentID"])
        try:
            changed = tree.change(actor=self.actor, organization=organization, values=values)
        except Invalid as error:
            raise in_its_words(error) from error
        return Response(shape_of(changed))

    def _parent(self, organization: Node, parent_id: int) -> Node | None:
        """None for the top level; the parent as it is for the id that is stored, which the caller may not see."""
        if parent_id == 0:
            return None
        return organization.parent if parent_id == organization.parent_id else self.find(parent_id)

    @operation(
        "CreateOrganization", tag="organization", summary="Create an organization",
        description="The authenticated user becomes the first owner.", takes=OrganizationCreate,
        gives={201: OpenApiResponse(Organization, description="The new organization.")},
        refusals=(400, 401, 403, 404, 409, 413, 500),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """See `tree.create` (ORGS-010 … 017)."""
        sent = self.body(OrganizationCreate)
        parent = self.find(sent["parentID"]) if sent.get("parentID") else None
        try:
            made = tree.create(actor=self.actor, parent=parent, values=columns_of(sent))
        except Invalid as error:
            raise in_its_words(error) from error
        return Response(shape_of(made), status=201)


class OneOrganization(OrgsView):
    """`/organization/{organizationID}`."""

    @operation(
        "GetOrganization", tag="organization", summary="Read an organization", gives=Organization,
        parameters=(ORGANIZATION_ID,), refusals=(400, 401, 403, 404, 500),
    )  # fmt: skip
    def get(self, request: Request, organization_id: str) -> Response:
        """Whoever has access."""
        return Response(shape_of(self.organization(organization_id)))

    @operation(
        "DeleteOrganization", tag="organization", summary="Delete an organization",
        description="Refused while child organizations exist.", gives=StatusMessage, parameters=(ORGANIZATION_ID,),
        refusals=(400, 401, 403, 404, 409, 500),
    )  # fmt: skip
    def delete(self, request: Request, organization_id: str) -> Response:
        """See `tree.delete` (ORGS-035 … 037)."""
        tree.delete(actor=self.actor, organization=self.organization(organization_id))
        return done(_("The organization was deleted."))


class Children(OrgsView):
    """`/organization/{organizationID}/children`."""

    @operation(
        "GetChildOrganizations", tag="organization", summary="Page through direct children",
        description="Also returns the path from the top-level ancestor to the organization itself.",
        gives=ChildOrganizations, parameters=(ORGANIZATION_ID, OPEN_LIMIT, OFFSET),
        refusals=(400, 401, 403, 404, 500),
    )  # fmt: skip
    def get(self, request: Request, organization_id: str) -> Response:
        """By name without regard to case (ORGS-025 … 029)."""
        organization = self.organization(organization_id)
        children = Node.objects.open_to(self.actor).filter(parent=organization, closed_at=None)
        line = [*organization.ancestors, organization.pk]
        above = list(with_children(Node.objects.open_to(self.actor).filter(pk__in=line)))
        shown = list(page_of(request, with_children(children).order_by(Lower("name"), "id")))
        shapes = shapes_of([*shown, *sorted(above, key=lambda one: line.index(one.pk))])
        return Response({"childs": shapes[: len(shown)], "path": shapes[len(shown) :], "totalChilds": children.count()})


class Location(OrgsView):
    """`/organization/{organizationID}/location`."""

    @operation(
        "UpsertOrganizationLocation", tag="location", summary="Store the location", takes=OrganizationLocation,
        gives=StatusMessage, parameters=(ORGANIZATION_ID,), refusals=(400, 401, 403, 404, 413, 500),
    )  # fmt: skip
    def put(self, request: Request, organization_id: str) -> Response:
        """Replaces the former one as a whole (ORGS-068, 069)."""
        organization = self.organization(organization_id)
        values = location_columns(self.body(OrganizationLocation))
        tree.change(actor=self.actor, organization=organization, values=values)
        return done(_("The location was stored."))

    @operation(
        "DeleteOrganizationLocation", tag="location", summary="Clear the location", gives=StatusMessage,
        parameters=(ORGANIZATION_ID,), refusals=(400, 401, 403, 404, 500),
    )  # fmt: skip
    def delete(self, request: Request, organization_id: str) -> Response:
        """Makes it null (ORGS-068)."""
        organization = self.organization(organization_id)
        tree.change(actor=self.actor, organization=organization, values=location_columns(None))
        return done(_("The location was cleared."))


# --- Lists ----------------------------------------------------------------------------------------------


class _Reached(OrgsView):
    def reached(self) -> Any:
        """What the caller has access to, in a steady order."""
        found = Node.objects.open_to(self.actor).filter(closed_at=None)
        return with_children(found).order_by(Lower("name"), "id")


class AllOrganizations(_Reached):
    """`/organizations`."""

    @operation(
        "GetOrganizations", tag="organizations", summary="Every organization the caller can access",
        description="A bare array without paging. Unknown query parameters such as `all` are ignored.",
        gives=Organization(many=True), refusals=(401, 403, 500),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """At all depths (ORGS-073)."""
        return Response(shapes_of(list(self.reached())))


class PagedOrganizations(_Reached):
    """`/organizations/paginated`."""

    @operation(
        "GetPaginatedOrganizations", tag="organizations", summary="Page through accessible top-level organizations",
        gives=PaginatedOrganizations, refusals=(400, 401, 403, 500),
        parameters=(
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": PAGE, "default": 10}, "query"),
            OFFSET,
            OpenApiParameter("all", {"type": "boolean", "default": False}, "query"),
        ),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The highest accessible ones (ORGS-074 … 076)."""
        limit = whole(request, "limit", default=10, least=1, most=PAGE)
        offset = whole(request, "offset", default=0, least=0, most=ID_MAX)
        reached = list(Node.objects.open_to(self.actor).filter(closed_at=None).order_by().values_list("pk", flat=True))
        top = self.reached().exclude(ancestors__overlap=reached) if reached else Node.objects.none()
        shown = top if flag(request, "all") else top[offset : offset + limit]
        return Response({"organizations": shapes_of(list(shown)), "totalOrganizations": top.count()})


class OwnedOrganizations(_Reached):
    """`/organizations/owner`, of an earlier release."""

    @operation(
        "GetOwnedOrganizations", tag="organizations", summary="Organizations the caller owns directly",
        gives=Organization(many=True), refusals=(401, 403, 500),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Of a person (ORGS-004)."""
        assert self.person
        return Response(shapes_of(list(self.reached().filter(pk__in=self.actor.owned_organizations))))
