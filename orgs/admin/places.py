"""Communities, entrances and units."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from core.admin.base import HouseAdmin, count_of
from core.admin.pages import Cell, Section, change_url, list_url, of_object
from core.admin.pickers import PickedFilter
from core.services import rows
from core.text import sort_key
from orgs import rules
from orgs.admin import ids
from orgs.admin.holding import holds_section, place_link
from orgs.admin.inviting import invite_page
from orgs.admin.occupancies import occupancy_section
from orgs.models import Building, Community, Hold, Occupancy, Unit
from orgs.services import invites, places

FEATURES = (
    "has_documents", "has_tickets", "has_posts", "has_resident_posts", "has_events", "has_faq", "has_contacts",
    "has_invites",
)  # fmt: skip
MANY = 200


class CommunityAdmin(HouseAdmin):
    """Managed properties."""

    list_display = ("name", "identifier", "address", "units_count")
    search_fields = ("name", "identifier", "street", "city")
    list_select_related = ("organization",)
    ordering = ("sort_key", "id")
    fieldsets = (
        (None, {"fields": (("identifier", "code"), "name", "street", ("postal_code", "city"), "country")}),
        (_("What residents find in the portal"), {"fields": FEATURES}),
        (_("Tickets"), {"fields": ("first_response_hours",)}),
    )
    actions_detail = ("invite",)

    def may_add(self, actor: Any) -> bool:
        """Administrators, for the tenant in view."""
        return actor.tenant_id is not None and bool(rules.may_administer(actor, actor.tenant_id))

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Staff of the community."""
        return obj is None or bool(rules.may_manage(actor, obj.pk))

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """What one manages; living somewhere opens no back office."""
        return Community.objects.managed_by(actor)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With the number of units."""
        units = Unit.objects.filter(community=models.OuterRef("pk"))
        return super().get_queryset(request).annotate(unit_total=count_of(units))

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """A community of the tenant's own node."""
        tenant_id = request.actor.tenant_id  # type: ignore[attr-defined]
        return rows.create(
            Community, tenant_id=tenant_id, organization_id=tenant_id, sort_key=sort_key(values["name"]), **values
        )

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """What it is sorted by follows its name."""
        rows.change(obj, {**values, "sort_key": sort_key(values["name"])}, expected=expected)

    @display(description=_("address"))
    def address(self, community: Community) -> str:
        """In one line."""
        place = f"{community.postal_code} {community.city}".strip()
        return ", ".join(part for part in (community.street, place) if part) or "–"

    @display(description=_("units"), ordering="unit_total")
    def units_count(self, community: Any) -> int:
        """How many."""
        return int(community.unit_total)

    @action(description=_("Invite everyone"), url_path="invite", icon="forward_to_inbox")
    def invite(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Everyone with a valid occupancy, an address and no account."""
        community = of_object(self, request, object_id)
        return invite_page(self, request, community, invites.occupants_of(community=community))

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Entrances, units and holds; what programs call it."""
        buildings = obj.buildings.annotate(unit_total=Count("units")).order_by("position", "id")
        units = obj.units.select_related("building").order_by("name", "id")
        more = units[MANY : MANY + 1].exists() if obj.unit_total > MANY else False
        return [
            Section(
                _("Entrances"),
                [_("Street"), _("Units")],
                [[Cell(b.street, change_url(b)), Cell(b.unit_total)] for b in buildings],
                _("No entrance is recorded."),
                links=self.add_link(request, Building, _("Add an entrance"), community=obj.pk),
            ),
            Section(
                ngettext("%d unit", "%d units", obj.unit_total) % obj.unit_total,
                [_("Unit"), _("Reference"), _("Entrance"), _("Floor")],
                [
                    [
                        Cell(u.name, change_url(u)),
                        Cell(u.identifier or "–"),
                        Cell(u.building or "–"),
                        Cell(u.floor or "–"),
                    ]
                    for u in units[:MANY]
                ],
                _("No unit yet. Import a register, or add the first unit."),
                links=self.add_link(request, Unit, _("Add a unit"), community=obj.pk),
                more=list_url(Unit, community__id__exact=obj.pk) if more else "",
            ),
            *holds_section(
                self, request, obj, Hold.objects.on_community(obj), place_link(self, request, community=obj.pk)
            ),
            *ids.of_community(obj),
        ]


class _OfCommunity(HouseAdmin):
    """Rows that whoever manages the community changes."""

    def may_add(self, actor: Any) -> bool:
        """Whoever manages something in the tenant in view; which community, the field's choices say."""
        return actor.tenant_id is not None and bool(actor.managed)

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Staff of the community."""
        return obj is None or bool(rules.may_manage(actor, obj.community_id))

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """Staff of the community; what is in use, the database keeps."""
        return self.may_change(actor, obj)


class BuildingAdmin(_OfCommunity):
    """Entrances."""

    list_display = ("street", "community", "position")
    search_fields = ("street", "community__name")
    list_select_related = ("community",)
    autocomplete_fields = ("community",)
    fields = ("community", "street", ("postal_code", "city"), "position")

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> None:
        """See `places.change_building`."""
        places.change_building(obj, values, expected=expected)

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """Unless a hold covers it."""
        places.delete_building(obj)

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """Of managed communities."""
        return Building.objects.managed_by(actor)

    def offered(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With the community it is named by."""
        return self.get_queryset(request).select_related("community")

    def name_in_picker(self, obj: Any) -> str:
        """Streets have the same name in several towns."""
        return f"{obj.community} · {obj}"


class UnitAdmin(_OfCommunity):
    """Flats, shops, parking spaces."""

    list_display = ("name", "identifier", "community", "building", "floor", "occupants")
    list_filter = (("community", PickedFilter),)
    list_filter_submit = True
    search_fields = ("name", "identifier", "number", "community__name", "building__street")
    list_select_related = ("community", "building")
    autocomplete_fields = ("community", "building")
    ordering = ("community__sort_key", "name", "id")
    fields = ("community", "building", "identifier", "name", ("number", "floor"), "kind")
    actions_detail = ("invite",)

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> None:
        """See `places.change_unit`."""
        places.change_unit(obj, values, expected=expected)

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """Unless a hold covers it."""
        places.delete_unit(obj)

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """Of managed communities."""
        return Unit.objects.managed_by(actor)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With the number of people who live there today."""
        living = Occupancy.objects.valid_on(timezone.localdate()).filter(unit=models.OuterRef("pk"))
        return super().get_queryset(request).annotate(occupant_total=count_of(living))

    def offered(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With the community it is named by."""
        return super().get_queryset(request).select_related("community")

    def name_in_picker(self, obj: Any) -> str:
        """Every house has a flat 1."""
        return f"{obj.community} · {obj}"

    @display(description=_("people"), ordering="occupant_total")
    def occupants(self, unit: Any) -> int:
        """How many live there or own it today."""
        return int(unit.occupant_total)

    @action(description=_("Invite everyone"), url_path="invite", icon="forward_to_inbox")
    def invite(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Everyone of this unit with an address and no account."""
        unit = of_object(self, request, object_id)
        return invite_page(self, request, unit, invites.occupants_of(unit=unit))

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Who lives there and who did; holds."""
        found = Occupancy.objects.filter(unit=obj).select_related("contact__user", "unit__community", "tenant")
        return [
            occupancy_section(
                list(found.order_by("-period", "id")),
                title=_("People of this unit"),
                show="contact",
                links=self.add_link(request, Occupancy, _("Move somebody in"), unit=obj.pk),
            ),
            *holds_section(self, request, obj, Hold.objects.on_unit(obj), place_link(self, request, unit=obj.pk)),
        ]
