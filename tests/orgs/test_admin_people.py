"""The back office: who gets in, what is listed, and what becomes of people and places there."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from core import scope
from core.models import AuditEntry
from core.services import rows
from core.services.throttle import Counter, fail
from messaging.models import Message
from orgs.models import (
    AccessRequest,
    Building,
    Community,
    CommunityAssignment,
    Contact,
    ImportRun,
    InstallationSettings,
    Invite,
    Membership,
    Occupancy,
    OneTimeLink,
    Organization,
    Responsibility,
    SignInLog,
    Unit,
    User,
)
from orgs.services import contacts, invites, occupancies, passwords
from tests.portal.pages import house_folder, queries_of, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast


def person(cast: Cast, name: str, unit: Unit, *, email: str = "") -> Contact:
    """Somebody of the register without an account, living in a unit."""
    with scope.unit_of_work(door="test"):
        contact = contacts.create_contact(tenant=unit.tenant, first_name=name, last_name="Neumann", email=email)
        occupancies.move_in(contact=contact, unit=unit, role="renter", first=datetime.date(2024, 1, 1))
    return contact


def form_of(client: Client, url: str) -> dict[str, Any]:
    """What a browser would send back unchanged."""
    form = client.get(url).context["adminform"].form
    values: dict[str, Any] = {}
    for bound in form:
        data = bound.value()
        if data is None or data is False:
            continue
        values[bound.html_name] = "on" if data is True else data
    return values


# --- Getting in -----------------------------------------------------------------------------------------


def test_there_is_one_sign_in(client: Client, db: None) -> None:
    response = client.get("/admin/orgs/community/", follow=True)
    assert response.redirect_chain[-1][0] == "/app/login?next=/admin/orgs/community/"


@pytest.mark.parametrize("who", ["renter", "owner", "guest", "former"])
def test_residents_and_guests_stay_out(cast: Cast, who: str) -> None:
    assert signed_in(getattr(cast, who)).get("/admin/").status_code == 403


def test_whoever_was_deactivated_stays_out_at_the_next_request(cast: Cast) -> None:
    client = signed_in(cast.staff)
    assert client.get("/admin/").status_code == 200
    Membership.objects.filter(user=cast.staff).update(deactivated_at="2020-01-01T00:00:00Z")
    assert client.get("/admin/").status_code == 403


def test_only_the_back_office_relaxes_the_policy_of_the_browser(cast: Cast) -> None:
    client = signed_in(cast.admin)
    policy = client.get("/admin/")["Content-Security-Policy"]
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "'unsafe-eval'" in scripts
    assert "'unsafe-inline'" not in scripts
    assert "unsafe" not in client.get("/app/profile")["Content-Security-Policy"]


# --- Who sees what --------------------------------------------------------------------------------------

LISTS = [
    "orgs/community", "orgs/building", "orgs/unit", "orgs/contact", "orgs/occupancy", "orgs/invite", "orgs/accessrequest",
    "orgs/importrun", "orgs/membership", "orgs/organization", "orgs/organizationsettings", "orgs/signinlog",
    "docms/folder", "docms/document", "docms/group", "docms/documentlog", "docms/readmark", "messaging/message",
    "core/auditentry",
]  # fmt: skip
FOR_OPERATORS = ["core/jobrun", "core/systemlog", "core/upload", "orgs/installationsettings"]


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_for_administrators_and_the_operator(cast: Cast, name: str) -> None:
    for who in (cast.admin, cast.operator):
        assert signed_in(who).get(f"/admin/{name}/", follow=True).status_code == 200


@pytest.mark.parametrize("name", FOR_OPERATORS)
def test_operations_are_for_the_operator(cast: Cast, name: str) -> None:
    assert signed_in(cast.operator).get(f"/admin/{name}/", follow=True).status_code == 200
    assert signed_in(cast.admin).get(f"/admin/{name}/").status_code in (403, 404)


def foreign_rows(cast: Cast) -> list[tuple[str, int]]:
    contact = cast.contact("foreigner")
    return [
        ("orgs/community", cast.foreign_house.pk),
        ("orgs/unit", cast.foreign_unit.pk),
        ("orgs/contact", contact.pk),
        ("orgs/occupancy", cast.occupancy("foreigner").pk),
        ("orgs/membership", cast.membership("stranger", cast.other_tenant).pk),
        ("orgs/organization", cast.other_tenant.pk),
        ("orgs/organizationsettings", cast.other_tenant.settings.pk),
    ]


def test_rows_of_another_tenant_do_not_exist(cast: Cast) -> None:
    client = signed_in(cast.admin)
    for name, pk in foreign_rows(cast):
        for page in ("change", "history", "delete"):
            assert client.get(f"/admin/{name}/{pk}/{page}/").status_code in (403, 404), (name, page)
        assert client.get(f"/admin/{name}/{pk}/change/").status_code == 404, name
    for path in (f"orgs/community/{cast.foreign_house.pk}/invite", f"orgs/unit/{cast.foreign_unit.pk}/invite"):
        assert client.get(f"/admin/{path}/").status_code == 404
        assert client.post(f"/admin/{path}/").status_code == 404
    occupancy = cast.occupancy("foreigner")
    for page in ("end", "revoke"):
        assert client.post(f"/admin/orgs/occupancy/{occupancy.pk}/{page}/", {"last": "2020-01-01"}).status_code == 404
    occupancy.refresh_from_db()
    assert occupancy.revoked_at is None


def test_staff_see_their_communities_only(cast: Cast) -> None:
    client = signed_in(cast.staff)
    assert b"Haus A" in client.get("/admin/orgs/community/").content
    assert b"Haus B" not in client.get("/admin/orgs/community/").content
    assert client.get(f"/admin/orgs/community/{cast.house_b.pk}/change/").status_code == 404
    assert client.get(f"/admin/orgs/unit/{cast.unit_b1.pk}/change/").status_code == 404
    assert client.get(f"/admin/orgs/occupancy/{cast.occupancy('neighbour').pk}/change/").status_code == 404
    assert client.get(f"/admin/orgs/contact/{cast.contact('neighbour').pk}/change/").status_code == 404
    assert client.get("/admin/orgs/membership/").status_code == 403
    assert client.get("/admin/orgs/organizationsettings/").status_code == 403
    assert client.get("/admin/orgs/importrun/").status_code == 403


def test_a_picker_offers_nothing_that_one_does_not_see(cast: Cast) -> None:
    query = {"app_label": "orgs", "model_name": "occupancy", "field_name": "unit", "term": ""}
    names = {r["text"] for r in signed_in(cast.staff).get("/admin/autocomplete/", query).json()["results"]}
    assert names == {f"Haus A · Wohnung {ref}" for ref in ("A1", "A2", "A3")}


def test_the_operator_sees_all_tenants_and_chooses_one(cast: Cast) -> None:
    client = signed_in(cast.operator)
    assert b"Haus X" in client.get("/admin/orgs/community/").content
    client.post("/admin/tenant/", {"tenant": cast.tenant.pk})
    page = client.get("/admin/orgs/community/").content
    assert b"Haus A" in page
    assert b"Haus X" not in page
    assert client.get(f"/admin/orgs/community/{cast.foreign_house.pk}/change/").status_code == 404
    members = client.get("/admin/orgs/membership/").content
    assert b"stranger@quartier.test" not in members
    client.post("/admin/tenant/", {"tenant": ""})
    assert b"Haus X" in client.get("/admin/orgs/community/").content


def test_nobody_chooses_a_tenant_that_is_not_theirs(cast: Cast) -> None:
    client = signed_in(cast.admin)
    client.post("/admin/tenant/", {"tenant": cast.other_tenant.pk})
    assert b"Haus X" not in client.get("/admin/orgs/community/").content


def test_the_tenant_form_leads_nowhere_else(cast: Cast) -> None:
    response = signed_in(cast.operator).post("/admin/tenant/", {"tenant": "", "next": "https://elsewhere.test/"})
    assert response["Location"] == "/admin/"


# --- Cost -----------------------------------------------------------------------------------------------


def _communities(cast: Cast, n: int) -> None:
    rows.create(Community, tenant=cast.tenant, organization=cast.tenant, name=f"Haus {n}", identifier=f"N{n}")


def _buildings(cast: Cast, n: int) -> None:
    rows.create(Building, tenant=cast.tenant, community=cast.house_a, street=f"Weg {n}")


def _units(cast: Cast, n: int) -> None:
    rows.create(Unit, tenant=cast.tenant, community=cast.house_a, name=f"W {n}", identifier=f"N{n}")


def _people(cast: Cast, n: int) -> None:
    person(cast, f"P{n}", cast.unit_a3, email=f"p{n}@quartier.test")


def _invites(cast: Cast, n: int) -> None:
    contact = person(cast, f"I{n}", cast.unit_a3, email=f"i{n}@quartier.test")
    invites.invite_contact(contact=contact, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)


def _requests(cast: Cast, n: int) -> None:
    AccessRequest.objects.create(tenant=cast.tenant, first_name="A", last_name="B", email=f"r{n}@quartier.test")


def _imports(cast: Cast, n: int) -> None:
    ImportRun.objects.create(tenant=cast.tenant, state="done", counts={"created": {"unit": n}, "changed": {}})


def _members(cast: Cast, n: int) -> None:
    user = User.objects.create(username=f"m{n}", email=f"m{n}@quartier.test", last_name="M")
    Membership.objects.create(user=user, organization=cast.tenant, tenant=cast.tenant, role="guest")


def _sign_ins(cast: Cast, n: int) -> None:
    SignInLog.objects.create(tenant=cast.tenant, user=cast.admin, type=SignInLog.Type.values[0], door="web")


def _nodes(cast: Cast, n: int) -> None:
    Organization.objects.create(name=f"Filiale {n}", parent=cast.tenant, ancestors=[cast.tenant.pk], tenant=cast.tenant)


def _audit(cast: Cast, n: int) -> None:
    rows.change(cast.house_a, {"code": f"C{n}"})


@pytest.mark.parametrize(
    ("name", "add"),
    [
        ("orgs/community", _communities), ("orgs/building", _buildings), ("orgs/unit", _units), ("orgs/contact", _people),
        ("orgs/occupancy", _people), ("orgs/invite", _invites), ("orgs/accessrequest", _requests),
        ("orgs/importrun", _imports), ("orgs/membership", _members), ("orgs/signinlog", _sign_ins),
        ("orgs/organization", _nodes), ("core/auditentry", _audit),
    ],
)  # fmt: skip
def test_a_list_costs_the_same_for_one_row_and_three(cast: Cast, name: str, add: Callable[[Cast, int], None]) -> None:
    client = signed_in(cast.admin)
    with scope.unit_of_work(door="test"):
        add(cast, 1)
    before = queries_of(client, f"/admin/{name}/")
    with scope.unit_of_work(door="test"):
        add(cast, 2)
        add(cast, 3)
    assert queries_of(client, f"/admin/{name}/") == before
    assert before <= 20


def test_the_start_page_has_a_fixed_cost(cast: Cast) -> None:
    client = signed_in(cast.admin)
    before = queries_of(client, "/admin/")
    with scope.unit_of_work(door="test"):
        for n in range(3):
            _invites(cast, n)
    assert queries_of(client, "/admin/") == before


# --- Invitations ----------------------------------------------------------------------------------------


def test_everyone_of_a_house_is_invited_after_a_preview(cast: Cast) -> None:
    person(cast, "Anna", cast.unit_a3, email="anna@quartier.test")
    person(cast, "Bernd", cast.unit_a3)
    client, url = signed_in(cast.staff), f"/admin/orgs/community/{cast.house_a.pk}/invite/"
    preview = client.get(url).context
    assert [count for _title, count in preview["counted"]] == [1, 1, 0, 3]  # owner, renter, additional have accounts
    assert not Invite.objects.exists()
    report = client.post(url).context
    assert [count for _title, count in report["counted"]] == [1, 1, 0, 3]
    invite = Invite.objects.get()
    assert (invite.email, invite.unit, invite.invited_by) == ("anna@quartier.test", cast.unit_a3, cast.staff)
    assert Message.objects.filter(to_emails__contains=["anna@quartier.test"]).count() == 1
    again = client.post(url).context
    assert [count for _title, count in again["counted"]] == [0, 1, 1, 3]
    assert Invite.objects.count() == 1


@pytest.mark.rule("ORGS-081")
def test_once_the_trial_is_over_nobody_is_invited_and_the_page_says_why(cast: Cast) -> None:
    person(cast, "Anna", cast.unit_a3, email="anna@quartier.test")
    client, url = signed_in(cast.staff), f"/admin/orgs/community/{cast.house_a.pk}/invite/"
    Organization.objects.filter(pk=cast.tenant.pk).update(trial_ends_at=timezone.now())
    for answer in (client.get(url), client.post(url)):
        assert answer.status_code == 403
        assert "Der Testzeitraum dieser Organisation ist vorbei." in answer.content.decode()
    assert not Invite.objects.exists()


def test_one_person_is_invited_for_the_homes_that_one_looks_after(cast: Cast) -> None:
    contact = person(cast, "Carla", cast.unit_a3, email="carla@quartier.test")
    with scope.unit_of_work(door="test"):
        occupancies.move_in(contact=contact, unit=cast.unit_b1, role="owner", first=datetime.date(2024, 1, 1))
    signed_in(cast.staff).post(f"/admin/orgs/contact/{contact.pk}/invite/")
    assert Invite.objects.get().unit == cast.unit_a3


def test_an_invitation_is_renewed_and_withdrawn(cast: Cast) -> None:
    contact = person(cast, "Anna", cast.unit_a3, email="anna@quartier.test")
    with scope.unit_of_work(door="test"):
        invite = invites.invite_contact(
            contact=contact, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3
        )
    Invite.objects.update(expires_on="2020-01-01")
    client, url = signed_in(cast.staff), f"/admin/orgs/invite/{invite.pk}"
    assert invites.readable(invite.code).encode() in client.get(f"{url}/change/").content
    client.post(f"{url}/renew/")
    invite.refresh_from_db()
    assert invite.expires_on > cast.tenant.today()
    client.post(f"{url}/withdraw/")
    invite.refresh_from_db()
    assert invite.withdrawn_at is not None
    assert invites.readable(invite.code).encode() not in client.get(f"{url}/change/").content


# --- Occupancies ----------------------------------------------------------------------------------------


def test_an_occupancy_ends_with_its_last_day(cast: Cast) -> None:
    occupancy, yesterday = cast.occupancy("renter"), cast.tenant.today() - datetime.timedelta(days=1)
    url = f"/admin/orgs/occupancy/{occupancy.pk}"
    response = signed_in(cast.staff).post(f"{url}/end/", {"last": yesterday.isoformat()})
    assert response["Location"] == f"{url}/change/"
    occupancy.refresh_from_db()
    assert occupancies.last_day(occupancy) == yesterday
    assert not cast.actor("renter").units


def test_a_last_day_before_the_first_is_refused_on_the_page(cast: Cast) -> None:
    occupancy = cast.occupancy("renter")
    response = signed_in(cast.staff).post(f"/admin/orgs/occupancy/{occupancy.pk}/end/", {"last": "2019-12-31"})
    assert response.status_code == 200
    assert response.context["form"].errors
    occupancy.refresh_from_db()
    assert occupancy.period.upper is None


def test_revoking_asks_first_and_then_works_at_once(cast: Cast) -> None:
    occupancy = cast.occupancy("renter")
    client, url = signed_in(cast.staff), f"/admin/orgs/occupancy/{occupancy.pk}/revoke/"
    assert client.get(url).status_code == 200
    occupancy.refresh_from_db()
    assert occupancy.revoked_at is None
    client.post(url)
    occupancy.refresh_from_db()
    assert occupancy.revoked_at is not None
    assert not cast.actor("renter").units
    # What has ended offers no button to end it.
    page = client.get(f"/admin/orgs/occupancy/{occupancy.pk}/change/").content
    assert b"/revoke/" not in page


def test_moving_in(cast: Cast) -> None:
    contact = person(cast, "Dora", cast.unit_a1)
    values = {"contact": contact.pk, "unit": cast.unit_a3.pk, "role": "owner", "first": "2026-01-01", "last": ""}
    response = signed_in(cast.staff).post("/admin/orgs/occupancy/add/", values)
    assert response.status_code == 302
    made = Occupancy.objects.get(contact=contact, unit=cast.unit_a3)
    assert (made.role, made.period.lower, made.period.upper) == ("owner", datetime.date(2026, 1, 1), None)
    # Staff of house A move nobody into house B: the picker does not know it.
    refused = signed_in(cast.staff).post("/admin/orgs/occupancy/add/", values | {"unit": cast.unit_b1.pk})
    assert refused.status_code == 200
    assert "unit" in refused.context["adminform"].form.errors


def test_an_overlap_is_an_error_of_the_form(cast: Cast) -> None:
    contact = cast.contact("renter")
    values = {"contact": contact.pk, "unit": cast.unit_a2.pk, "role": "renter", "first": "2026-01-01"}
    response = signed_in(cast.admin).post("/admin/orgs/occupancy/add/", values)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors


@pytest.fixture
def revoked(cast: Cast) -> Occupancy:
    occupancy = cast.occupancy("renter")
    with scope.unit_of_work(door="test"):
        occupancies.revoke(occupancy)
    return occupancy


@pytest.mark.parametrize("page", ["end", "revoke"])
@pytest.mark.parametrize("who", ["renter", "former"])
def test_a_page_of_yesterday_changes_nothing_that_is_over(cast: Cast, revoked: Occupancy, who: str, page: str) -> None:
    occupancy = cast.occupancy(who)
    before = (occupancy.period, occupancy.revoked_at, occupancy.row_version)
    client, url = signed_in(cast.staff), f"/admin/orgs/occupancy/{occupancy.pk}"
    for answer in (
        client.get(f"{url}/{page}/", follow=True),
        client.post(f"{url}/{page}/", {"last": "2028-12-31"}, follow=True),
    ):
        assert answer.redirect_chain == [(f"{url}/change/", 302)]
        assert [m.level_tag for m in answer.context["messages"]] == ["error"]
    occupancy.refresh_from_db()
    assert (occupancy.period, occupancy.revoked_at, occupancy.row_version) == before
    assert not cast.actor(who).units


def test_a_last_day_is_set_for_what_one_has_before_ones_eyes(cast: Cast) -> None:
    occupancy = cast.occupancy("renter")
    client, url = signed_in(cast.staff), f"/admin/orgs/occupancy/{occupancy.pk}/end/"
    version = client.get(url).context["form"]["expected_version"].value()
    with scope.unit_of_work(door="test"):
        occupancies.end(occupancy, last=datetime.date(2027, 3, 31))
    refused = client.post(url, {"last": "2028-12-31", "expected_version": version})
    assert refused.context["form"].non_field_errors()
    version = client.get(url).context["form"]["expected_version"].value()
    assert client.post(url, {"last": "2028-12-31", "expected_version": version}).status_code == 302
    occupancy.refresh_from_db()
    assert occupancies.last_day(occupancy) == datetime.date(2028, 12, 31)


@pytest.mark.parametrize("day", ["2999-12-31", "9999-12-31"])
def test_a_last_day_that_nobody_plans_is_refused(cast: Cast, day: str) -> None:
    occupancy = cast.occupancy("renter")
    page = signed_in(cast.staff).post(f"/admin/orgs/occupancy/{occupancy.pk}/end/", {"last": day})
    assert page.context["form"].errors["last"]
    occupancy.refresh_from_db()
    assert occupancy.period.upper is None


# --- Taking in somebody new -----------------------------------------------------------------------------


def found(client: Client) -> set[int]:
    """The contacts that the list shows; the picker of "Move in" offers the same."""
    listed = {c.pk for c in client.get("/admin/orgs/contact/").context["cl"].queryset}
    query = {"app_label": "orgs", "model_name": "occupancy", "field_name": "contact", "term": ""}
    offered = client.get("/admin/autocomplete/", query).json()["results"]
    assert {int(r["id"]) for r in offered} == listed
    return listed


def test_a_clerk_takes_in_a_new_tenant(cast: Cast) -> None:
    client = signed_in(cast.staff)
    values = {"kind": "person", "first_name": "Ina", "last_name": "Ost", "email": "ina@post.test"}
    response = client.post("/admin/orgs/contact/add/", values)
    contact = Contact.objects.get(last_name="Ost")
    assert response["Location"] == f"/admin/orgs/contact/{contact.pk}/change/"
    links = client.get(response["Location"]).context["sections"][0].links
    assert [url for _label, url in links] == [f"/admin/orgs/occupancy/add/?contact={contact.pk}"]
    assert contact.pk in found(client)
    assert "Ost" in client.get("/admin/orgs/contact/", {"q": "ina@post"}).content.decode()
    assert str(contact.pk) in str(client.get(links[0][1]).context["adminform"].form["contact"].value())
    values = {"contact": contact.pk, "unit": cast.unit_a3.pk, "role": "renter", "first": "2026-01-01"}
    assert client.post("/admin/orgs/occupancy/add/", values).status_code == 302
    assert contact.pk in found(client)
    client.post(f"/admin/orgs/contact/{contact.pk}/invite/")
    assert Invite.objects.get().email == "ina@post.test"


def test_a_clerk_finds_nobody_who_belongs_to_another_community(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        entered = contacts.create_contact(tenant=cast.tenant, last_name="Nur erfasst")
        gone = contacts.create_contact(tenant=cast.tenant, last_name="Aus B ausgezogen")
        last = cast.tenant.today() - datetime.timedelta(days=9)
        occupancies.move_in(contact=gone, unit=cast.unit_b1, role="owner", last=last)
        taken_back = contacts.create_contact(tenant=cast.tenant, last_name="In B widerrufen")
        occupancies.revoke(occupancies.move_in(contact=taken_back, unit=cast.unit_b1, role="owner"))
        caretaker = contacts.create_contact(tenant=cast.tenant, last_name="Hausmeister von B")
        Responsibility.objects.create(
            tenant=cast.tenant, contact=caretaker, community=cast.house_b, type="CARETAKER", period=(last, None)
        )
        boss = contacts.contact_for(cast.admin, cast.tenant)
        foreign = contacts.create_contact(tenant=cast.other_tenant, last_name="Fremd")
    own = {cast.contact(who).pk for who in ("owner", "renter", "additional", "former")}
    assert found(signed_in(cast.staff)) == own | {entered.pk}
    for contact in (gone, taken_back, caretaker, boss, foreign, cast.contact("neighbour")):
        assert signed_in(cast.staff).get(f"/admin/orgs/contact/{contact.pk}/change/").status_code == 404
    assert {gone.pk, taken_back.pk, caretaker.pk, boss.pk} <= found(signed_in(cast.admin))
    # Whoever is no staff sees nobody through this.
    assert set(Contact.objects.visible_to(cast.actor("renter"))) == {cast.contact("renter")}


def test_the_clerks_list_costs_the_same_for_one_contact_and_many(cast: Cast) -> None:
    client = signed_in(cast.staff)
    before = queries_of(client, "/admin/orgs/contact/")
    with scope.unit_of_work(door="test"):
        for n in range(3):
            contacts.create_contact(tenant=cast.tenant, last_name=f"Neu {n}")
    assert queries_of(client, "/admin/orgs/contact/") == before


# --- Links ----------------------------------------------------------------------------------------------


def added_from(client: Client, cast: Cast, folder_id: int) -> dict[str, int]:
    """Where sections offer to add something, and how that page answers."""
    pages = [
        f"orgs/community/{cast.house_a.pk}", f"orgs/unit/{cast.unit_a1.pk}", f"orgs/contact/{cast.contact('renter').pk}",
        f"docms/folder/{folder_id}",
    ]  # fmt: skip
    sections = [s for page in pages for s in client.get(f"/admin/{page}/change/").context["sections"]]
    urls = [url for section in sections for _label, url in section.links if "/add/" in url]
    return {url.partition("?")[0]: client.get(url).status_code for url in urls}


def test_a_link_to_add_something_is_offered_where_its_page_opens(cast: Cast) -> None:
    everything = dict.fromkeys(
        (
            "/admin/orgs/building/add/",
            "/admin/orgs/unit/add/",
            "/admin/orgs/occupancy/add/",
            "/admin/docms/folder/add/",
            "/admin/docms/folderlabel/add/",
            "/admin/orgs/hold/add/",
        ),
        200,
    )
    operator, folder_id = signed_in(cast.operator), house_folder(cast).pk
    assert added_from(operator, cast, folder_id) == {}  # whose would it be? No tenant is in view
    operator.post("/admin/tenant/", {"tenant": cast.tenant.pk})
    assert added_from(operator, cast, folder_id) == everything
    assert added_from(signed_in(cast.admin), cast, folder_id) == everything


def test_who_manages_no_community_is_not_led_to_moving_in(cast: Cast) -> None:
    CommunityAssignment.objects.all().delete()
    client = signed_in(cast.staff)
    page = client.post("/admin/orgs/contact/add/", {"kind": "person", "last_name": "Ost"}, follow=True)
    assert page.status_code == 200
    assert page.context["sections"][0].links == []
    assert client.get("/admin/orgs/occupancy/add/").status_code == 403


# --- Contacts, places, history --------------------------------------------------------------------------


def test_contacts_are_found_by_name_address_and_digits(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        contacts.create_contact(
            tenant=cast.tenant, first_name="Zoë", last_name="Żak", email="zoe@post.test", telephone="+49 (221) 77-88-99"
        )
    client = signed_in(cast.admin)
    for words in ("Żak", "zoe@post", "778899", "zak zoë"[4:]):
        assert "Żak" in client.get("/admin/orgs/contact/", {"q": words}).content.decode(), words
    assert "Żak" not in client.get("/admin/orgs/contact/", {"q": "niemand"}).content.decode()


def test_a_contact_is_made_and_changed_with_what_it_is_found_by(cast: Cast) -> None:
    client = signed_in(cast.admin)
    client.post("/admin/orgs/contact/add/", {"kind": "person", "first_name": "Ina", "last_name": "Ost"})
    contact = Contact.objects.get(last_name="Ost")
    url = f"/admin/orgs/contact/{contact.pk}/change/"
    client.post(url, form_of(client, url) | {"last_name": "West"})
    assert Contact.objects.found_by("West").get() == contact
    contact.refresh_from_db()
    assert contact.sort_key.startswith("west")


def test_two_people_never_overwrite_each_other_unseen(cast: Cast) -> None:
    client, url = signed_in(cast.admin), f"/admin/orgs/community/{cast.house_a.pk}/change/"
    loaded = form_of(client, url)
    assert client.post(url, loaded | {"city": "Köln"}).status_code == 302
    refused = client.post(url, loaded | {"city": "Bonn"})
    assert refused.status_code == 200
    assert refused.context["adminform"].form.non_field_errors()
    cast.house_a.refresh_from_db()
    assert cast.house_a.city == "Köln"


def test_a_taken_reference_is_an_error_of_the_form(cast: Cast) -> None:
    client, url = signed_in(cast.admin), f"/admin/orgs/community/{cast.house_a.pk}/change/"
    refused = client.post(url, form_of(client, url) | {"identifier": "B"})
    assert refused.status_code == 200
    assert refused.context["adminform"].form.errors


def test_the_history_shows_old_and_new(cast: Cast) -> None:
    client, url = signed_in(cast.admin), f"/admin/orgs/community/{cast.house_a.pk}"
    client.post(f"{url}/change/", form_of(client, f"{url}/change/") | {"city": "Köln", "name": "Haus Alpha"})
    newest = client.get(f"{url}/history/").context["steps"][0]
    assert newest.who == str(cast.admin)
    changes = {(c.old, c.new) for c in newest.changes}
    assert ("Haus A", "Haus Alpha") in changes
    assert ("–", "Köln") in changes
    entry = AuditEntry.objects.filter(object_type="orgs.community", verb="changed").latest("id")
    assert (entry.user_id, entry.door) == (cast.admin.pk, "back_office")


def test_what_is_in_use_is_not_deleted(cast: Cast) -> None:
    client = signed_in(cast.admin)
    response = client.post(f"/admin/orgs/unit/{cast.unit_a2.pk}/delete/", {"post": "yes"})
    assert response["Location"] == f"/admin/orgs/unit/{cast.unit_a2.pk}/change/"
    assert Unit.objects.filter(pk=cast.unit_a2.pk).exists()
    client.post(f"/admin/orgs/unit/{cast.unit_a3.pk}/delete/", {"post": "yes"})
    assert not Unit.objects.filter(pk=cast.unit_a3.pk).exists()


# --- Members --------------------------------------------------------------------------------------------


def test_a_colleague_is_added_and_gets_a_link(cast: Cast) -> None:
    values = {
        "email": "neu@quartier.test", "first_name": "Nora", "last_name": "Neu", "language": "de", "role": "staff",
        "communities": [cast.house_b.pk], "read_perm": "on",
    }  # fmt: skip
    assert signed_in(cast.admin).post("/admin/orgs/membership/add/", values).status_code == 302
    member = Membership.objects.get(user__email="neu@quartier.test")
    assert (member.role, member.read_perm, member.admin_perm) == ("staff", True, False)
    assert cast.actor(member.user).managed == {cast.house_b.pk}
    assert OneTimeLink.objects.filter(user=member.user, purpose="password_init").exists()


def test_assignments_follow_the_form(cast: Cast) -> None:
    client, url = signed_in(cast.admin), f"/admin/orgs/membership/{cast.membership('staff').pk}/change/"
    assert client.post(url, form_of(client, url) | {"communities": [cast.house_b.pk]}).status_code == 302
    assert set(CommunityAssignment.objects.values_list("community_id", flat=True)) == {cast.house_b.pk}


def test_who_is_no_super_administrator_makes_none(cast: Cast) -> None:
    Membership.objects.filter(user=cast.staff).update(admin_perm=True)
    client = signed_in(cast.staff)
    own = f"/admin/orgs/membership/{cast.membership('staff').pk}/change/"
    client.post(own, form_of(client, own) | {"super_admin_perm": "on"})
    assert not cast.membership("staff").super_admin_perm
    above = f"/admin/orgs/membership/{cast.membership('admin').pk}"
    assert client.post(f"{above}/deactivate/").status_code == 403
    assert client.post(f"{above}/password-link/").status_code == 403


def test_the_last_owner_stays(cast: Cast) -> None:
    member = cast.membership("admin")
    signed_in(cast.operator).post(f"/admin/orgs/membership/{member.pk}/deactivate/")
    member.refresh_from_db()
    assert member.deactivated_at is None


def test_deactivating_and_reactivating(cast: Cast) -> None:
    member = cast.membership("staff")
    client = signed_in(cast.admin)
    client.post(f"/admin/orgs/membership/{member.pk}/deactivate/")
    member.refresh_from_db()
    assert member.deactivated_at is not None
    assert signed_in(cast.staff).get("/admin/").status_code == 403
    client.post(f"/admin/orgs/membership/{member.pk}/reactivate/")
    assert signed_in(cast.staff).get("/admin/").status_code == 200


def test_a_password_link_is_mailed_and_never_shown(cast: Cast) -> None:
    member = cast.membership("staff")
    response = signed_in(cast.admin).post(f"/admin/orgs/membership/{member.pk}/password-link/", follow=True)
    message = Message.objects.filter(to_emails__contains=["staff@quartier.test"]).latest("id")
    token = message.body_text.split("/password/")[1].split()[0]
    assert token.encode() not in response.content
    page = signed_in(cast.admin).get(f"/admin/messaging/message/{message.pk}/change/").content
    assert token.encode() not in page


def test_attempts_are_reset(cast: Cast) -> None:
    for _ in range(6):
        fail(Counter("login", f"account:{cast.staff.pk}"))
    signed_in(cast.admin).post(f"/admin/orgs/membership/{cast.membership('staff').pk}/reset-attempts/")
    from core.services.throttle import remaining

    assert remaining(*passwords.account_counters(cast.staff)) == 0


# --- Settings -------------------------------------------------------------------------------------------


def test_secrets_go_in_and_never_come_out(cast: Cast) -> None:
    settings = cast.tenant.settings
    client, url = signed_in(cast.admin), f"/admin/orgs/organizationsettings/{settings.pk}/change/"
    client.post(url, form_of(client, url) | {"mail_server": "smtp.post.test", "mail_password": "geheim-7"})
    settings.refresh_from_db()
    assert settings.mail_password == "geheim-7"
    assert "geheim-7" not in client.get(url).content.decode()
    # Empty keeps, another value replaces, and the history knows neither.
    client.post(url, form_of(client, url) | {"mail_user": "post", "mail_password": ""})
    settings.refresh_from_db()
    assert (settings.mail_user, settings.mail_password) == ("post", "geheim-7")
    history = client.get(f"/admin/orgs/organizationsettings/{settings.pk}/history/").content.decode()
    assert "geheim-7" not in history
    # Who may look but not change does not see it either.
    rows.change(settings, {"lock_settings": True})
    Membership.objects.filter(user=cast.staff).update(admin_perm=True)
    page = signed_in(cast.staff).get(url)
    assert page.status_code == 200
    assert "geheim-7" not in page.content.decode()
    assert signed_in(cast.staff).post(url, {"mail_user": "fremd"}).status_code == 403


def test_the_settings_of_the_installation_are_made_by_the_first_change(cast: Cast) -> None:
    client, url = signed_in(cast.operator), "/admin/orgs/installationsettings/1/change/"
    assert not InstallationSettings.objects.exists()
    assert client.post(url, form_of(client, url) | {"app_name": "Unser Quartier"}).status_code == 302
    assert InstallationSettings.objects.get().app_name == "Unser Quartier"
    assert client.post(url, form_of(client, url) | {"pw_min_length": "14"}).status_code == 302
    assert InstallationSettings.objects.get().pw_min_length == 14


# --- The audit ------------------------------------------------------------------------------------------


def test_the_audit_is_filtered_in_words_by_action_door_and_noun(cast: Cast) -> None:
    client = signed_in(cast.admin)
    url = f"/admin/orgs/community/{cast.house_a.pk}/change/"
    client.post(url, form_of(client, url) | {"city": "Köln"})
    page = client.get("/admin/core/auditentry/", {"verb": "changed", "object_type": "orgs.community"})
    entry = page.context["cl"].queryset.get()
    assert (entry.door, entry.object_id) == ("back_office", str(cast.house_a.pk))
    assert not client.get("/admin/core/auditentry/", {"verb": "changed", "door": "docms"}).context["cl"].queryset
    text = page.content.decode()
    assert "orgs.community<" not in text  # the stored word is in addresses only
    assert "verb=second_factor_confirmed" in text
    assert "door=job%2Cworker" in text or "door=worker%2Cjob" in text
