"""Pickers of the back office: forms stay small whatever a tenant holds, and nothing foreign is ever offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django import forms
from django.contrib.admin.widgets import AutocompleteMixin, RelatedFieldWidgetWrapper
from django.test import RequestFactory

from config.admin_site import site
from core import scope
from docms.models import Group
from orgs.admin.tenant_view import narrowed
from orgs.models import Building, Community, Contact, Membership, Unit
from orgs.services import members
from orgs.services.tenants import add_member
from tests.factories import (
    CommunityFactory,
    ContactFactory,
    FolderFactory,
    GroupFactory,
    UnitFactory,
    UserFactory,
    folder,
    manual_group,
    publish,
)
from tests.portal.pages import queries_of, signed_in
from tickets.models import TicketTypeGroup

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

# Every reference a form of the back office picks: the table that holds it, and its column.
PICKED = [
    "orgs.occupancy.contact", "orgs.occupancy.unit", "orgs.unit.community", "orgs.unit.building", "orgs.building.community",
    "orgs.communityassignment.community", "orgs.communityassignment.membership", "docms.folder.parent", "docms.folder.community", "docms.folder.unit",
    "docms.folder.contact", "docms.document.folder", "docms.folderaccess.group", "docms.folderaccess.folder",
    "docms.foldermailuser.membership", "docms.groupmember.membership", "docms.group.community", "docms.group.building",
    "docms.group.unit", "docms.group.contact", "tickets.tickettype.group",
]  # fmt: skip
FORMS = [
    "orgs/occupancy/add/", "orgs/unit/add/", "orgs/building/add/", "orgs/membership/add/", "orgs/application/add/", "docms/folder/add/",
    "docms/group/add/", "docms/group/address/",
]  # fmt: skip


def answer(client: Client, picked: str, term: str = "") -> Any:
    app, model, field = picked.split(".")
    query = {"app_label": app, "model_name": model, "field_name": field, "term": term}
    return client.get("/admin/autocomplete/", query)


def names(client: Client, picked: str, term: str = "") -> list[str]:
    return [found["text"] for found in answer(client, picked, term).json()["results"]]


@pytest.fixture
def house(cast: Cast) -> Cast:
    """Both tenants have one of everything."""
    with scope.unit_of_work(door="test"):
        publish(cast, folder(cast, "Papiere", manual_group(cast, "Alle", "admin")))
        manual_group(cast, "Beirat", "owner")
        FolderFactory(tenant=cast.other_tenant, name="Fremde Papiere")
        GroupFactory(tenant=cast.other_tenant, name="Fremder Beirat")
        Building.objects.create(tenant=cast.other_tenant, community=cast.foreign_house, street="Fremdenweg 1")
        TicketTypeGroup.objects.create(tenant=cast.tenant, name="Haus")
        TicketTypeGroup.objects.create(tenant=cast.other_tenant, name="Fremdes Haus")
    return cast


@pytest.mark.parametrize("picked", PICKED)
def test_an_administrator_of_another_tenant_is_offered_nothing_foreign(house: Cast, picked: str) -> None:
    app, model, field = picked.split(".")
    target = site._registry[_model(app, model)._meta.get_field(field).remote_field.model].model  # type: ignore[union-attr]
    for who, tenant, other in (
        (house.admin, house.tenant, house.other_tenant),
        (house.stranger, house.other_tenant, house.tenant),
    ):
        ids = {int(found["id"]) for found in answer(signed_in(who), picked).json()["results"]}
        assert ids
        assert ids <= set(target._base_manager.filter(tenant=tenant).values_list("pk", flat=True))
        assert not ids & set(target._base_manager.filter(tenant=other).values_list("pk", flat=True))


def _model(app: str, name: str) -> Any:
    from django.apps import apps

    return apps.get_model(app, name)


@pytest.mark.parametrize("picked", PICKED)
def test_residents_and_strangers_to_the_back_office_get_no_answer(house: Cast, picked: str) -> None:
    assert answer(signed_in(house.renter), picked).status_code == 403


def test_staff_pick_from_the_communities_they_look_after(house: Cast) -> None:
    client = signed_in(house.staff)
    assert names(client, "orgs.unit.community") == ["Haus A"]
    assert names(client, "orgs.occupancy.unit") == [f"Haus A · Wohnung {ref}" for ref in ("A1", "A2", "A3")]
    # Members and groups are administrators' business.
    assert answer(client, "docms.groupmember.membership").status_code == 403
    assert answer(client, "docms.folderaccess.group").status_code == 403


def test_no_picker_leads_to_a_table_without_a_list(house: Cast) -> None:
    """Accounts, stored bytes, tokens: not even the operator looks them up by a made-up address."""
    client = signed_in(house.operator)
    for picked in ("docms.document.uploaded_by", "docms.documentversion.blob", "core.upload.credential"):
        assert answer(client, picked).status_code == 403


def test_rows_of_one_name_can_be_told_apart(house: Cast) -> None:
    with scope.unit_of_work(door="test"):
        UnitFactory(community=house.house_b, name="Wohnung A1")
        twins = [ContactFactory(tenant=house.tenant, last_name="Doppel", first_name="Dora") for _ in range(2)]
        for twin in twins:
            from orgs.services import contacts

            contacts.index([twin])
    client = signed_in(house.admin)
    assert names(client, "orgs.occupancy.unit", "A1") == ["Haus A · Wohnung A1", "Haus B · Wohnung A1"]
    assert names(client, "orgs.occupancy.contact", "Doppel") == [f"Doppel, Dora · {t.number}" for t in twins]
    assert names(client, "docms.groupmember.membership", "renter") == ["Renter Muster · renter@quartier.test"]


# --- Size -----------------------------------------------------------------------------------------------


def test_every_reference_in_a_form_is_looked_up(house: Cast) -> None:
    """No form of any noun carries the choices themselves, be it for a new row or for one that is there."""
    request = RequestFactory().get("/")
    request.user, request.actor = house.admin, narrowed(house.actor("admin"), house.tenant.pk)
    carried = set()
    for admin in site._registry.values():
        forms_of = [admin.get_form(request)] if admin.has_add_permission(request) else []
        there = admin.get_queryset(request).first() if admin.has_change_permission(request) else None
        forms_of += [admin.get_form(request, there, change=True)] if there is not None else []
        for name, field in [item for form in forms_of for item in form.base_fields.items()]:
            widget = field.widget
            if isinstance(widget, RelatedFieldWidgetWrapper):
                widget = widget.widget
            if isinstance(field, forms.ModelChoiceField) and not isinstance(widget, AutocompleteMixin):
                carried.add(f"{type(admin).__name__}.{name}")
    assert carried == set()


@pytest.mark.parametrize("path", FORMS)
def test_a_form_is_as_small_and_cheap_for_a_large_register_as_for_a_small_one(house: Cast, path: str) -> None:
    client, url = signed_in(house.admin), f"/admin/{path}"
    before = (queries_of(client, url), client.get(url).content.count(b"<option"))
    with scope.unit_of_work(door="test"):
        for _ in range(30):
            unit = UnitFactory(community=CommunityFactory(tenant=house.tenant))
            ContactFactory(tenant=unit.tenant)
            GroupFactory(tenant=house.tenant)
            FolderFactory(tenant=house.tenant)
            add_member(user=UserFactory(), organization=house.tenant, role="guest")
    assert (queries_of(client, url), client.get(url).content.count(b"<option")) == before


def test_an_answer_costs_the_same_for_many_rows(house: Cast) -> None:
    client = signed_in(house.admin)
    for picked in ("orgs.occupancy.unit", "orgs.occupancy.contact", "docms.groupmember.membership"):
        app, model, field = picked.split(".")
        url = f"/admin/autocomplete/?app_label={app}&model_name={model}&field_name={field}"
        few = queries_of(client, url)
        with scope.unit_of_work(door="test"):
            for _ in range(12):
                ContactFactory(tenant=UnitFactory(community=house.house_a).tenant)
                add_member(user=UserFactory(), organization=house.tenant, role="guest")
        assert queries_of(client, url) == few


# --- What is chosen -------------------------------------------------------------------------------------


def test_only_what_is_chosen_is_in_the_page(house: Cast) -> None:
    circle = Group.objects.get(name="Beirat")
    page = signed_in(house.admin).get(f"/admin/docms/group/{circle.pk}/change/").content.decode()
    assert "Owner Muster · owner@quartier.test" in page
    assert "renter@quartier.test" not in page


def test_a_former_member_stays_in_the_group_that_somebody_else_saves(house: Cast) -> None:
    with scope.unit_of_work(door="test"):
        circle = manual_group(house, "Kreis", "staff", "owner")
        members.deactivate(actor=house.actor("admin"), membership=house.membership("staff"))
    client, url = signed_in(house.admin), f"/admin/docms/group/{circle.pk}/change/"
    form = client.get(url).context["adminform"].form
    renter = house.membership("renter")
    values = {"name": "Kreis", "people": [renter.pk], "expected_version": form["expected_version"].value()}
    assert client.post(url, values).status_code == 302
    rows = Membership.objects.filter(pk__in=circle.members.values("membership"))
    assert {m.user for m in rows} == {house.staff, house.renter}


def test_a_foreign_choice_is_an_error_of_the_form(house: Cast) -> None:
    client = signed_in(house.admin)
    foreign_contact = Contact.objects.get(user=house.foreigner)
    for path, values in (
        ("orgs/occupancy/add/", {"contact": foreign_contact.pk, "unit": house.unit_a3.pk, "role": "owner"}),
        ("orgs/unit/add/", {"community": house.foreign_house.pk, "name": "W"}),
        ("docms/folder/add/", {"name": "F", "groups": [Group.objects.get(name="Fremder Beirat").pk]}),
        ("docms/group/add/", {"name": "G", "people": [house.membership("stranger", house.other_tenant).pk]}),
        ("orgs/membership/add/", {"email": "x@y.test", "communities": [house.foreign_house.pk]}),
    ):
        refused = client.post(f"/admin/{path}", values)
        assert refused.status_code == 200, path
        assert set(refused.context["adminform"].form.errors) & {
            "contact",
            "community",
            "groups",
            "people",
            "communities",
        }
    assert Unit.objects.filter(community=house.foreign_house).count() == 1
    assert not Community.objects.filter(name="W").exists()


# --- Filters of lists -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["orgs/unit/?community__id__exact", "orgs/occupancy/?unit__community__id__exact"])
def test_a_filter_names_only_what_is_offered(cast: Cast, query: str) -> None:
    def chosen(community: Community) -> bool:
        page = signed_in(cast.staff).get(f"/admin/{query}={community.pk}").content.decode()
        return f'<option value="{community.pk}" selected>{community}</option>' in page

    assert chosen(cast.house_a)
    assert not chosen(cast.house_b)
