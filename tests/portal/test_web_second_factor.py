"""A second factor that is demanded while one is signed in: at the portal, in the back office, at the interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.services import rows
from orgs.models import Organization, SecondFactor
from orgs.services import second_factor
from orgs.services.tenants import add_member, create_organization
from tests.docms.door import login
from tests.orgs.door import person
from tests.otp import otp
from tests.portal.pages import create_upload, documents_url, house_folder, paper, queries_of, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from orgs.models import User
    from tests.cast import Cast

    Demand = Callable[[bool], None]

pytestmark = pytest.mark.django_db

ENROL = "/app/profile/second-factor"


@pytest.fixture(params=["itself", "above", "member"])
def demand(request: pytest.FixtureRequest, cast: Cast) -> Demand:
    """Demand it of the company's people and lift it again: by the company, one above it, or of the two alone."""
    above = None
    if request.param == "above":
        with scope.unit_of_work(door="test"):
            above = create_organization(name="Gruppe Geheim", created_by=cast.operator)
        Organization.objects.filter(pk=cast.tenant.pk).update(parent=above, ancestors=[above.pk])
        cast.tenant.refresh_from_db()

    def demand(wanted: bool) -> None:
        if request.param == "member":
            for who in ("staff", "renter"):
                rows.change(cast.membership(who), {"tfa_force": wanted})
        else:
            rows.change(above or cast.tenant, {"enforces_second_factor": wanted})

    return demand


def enrol(user: User, organization: Organization | None = None) -> None:
    SecondFactor.objects.create(
        user=user, organization=organization, secret="A" * 32, name="totp", confirmed_at=timezone.now(), confirmed=True
    )


def is_sent_to_enrol(client: Client, url: str) -> bool:
    response: Any = client.get(url)
    return response.status_code == 302 and response["Location"].startswith(f"{ENROL}?next=%2F")


# --- Portal -----------------------------------------------------------------------------------------------


def test_the_portal_leads_to_the_set_up_until_it_is_done_or_lifted(cast: Cast, demand: Demand) -> None:
    document = paper(cast, house_folder(cast))
    client, urls = signed_in(cast.renter), ["/app/places", documents_url(cast), f"/app/documents/{document.pk}/preview"]
    assert not any(is_sent_to_enrol(client, url) for url in urls[:2])
    demand(True)
    assert all(is_sent_to_enrol(client, url) for url in urls)
    assert client.post(f"/app/documents/{document.pk}/mark-read")["Location"].startswith(ENROL)
    fragment = client.get(documents_url(cast), headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (403, ENROL)
    demand(False)
    assert not any(is_sent_to_enrol(client, url) for url in urls[:2])


def test_the_page_names_who_demands_it_and_leads_back_where_one_came_from(cast: Cast, demand: Demand) -> None:
    demand(True)
    client = signed_in(cast.renter)
    response = client.get(documents_url(cast), follow=True)
    page = response.content.decode()
    assert "Brandt &amp; Keller verlangt den zweiten Schritt." in page
    assert "Gruppe Geheim" not in page  # what lies above is none of a resident's business
    assert "Haus A" not in page  # no data before the second factor
    [(url, _status)] = response.redirect_chain
    key = second_factor.pending(cast.renter)
    assert key is not None
    done = client.post(url, {"code": otp(key.secret)})
    assert len(done.context["codes"]) == 10
    assert f'href="{documents_url(cast)}"' in done.content.decode()
    assert client.get(documents_url(cast)).status_code == 200


def test_a_set_up_leads_nowhere_outside(cast: Cast) -> None:
    enrol(cast.renter)
    response = signed_in(cast.renter).get(ENROL, {"next": "https://evil.test/"})
    assert response["Location"] == "/app/profile"


def test_the_own_account_stays_open(cast: Cast, demand: Demand) -> None:
    demand(True)
    client = signed_in(cast.renter)
    page = client.get("/app/profile").content.decode()
    assert "Brandt &amp; Keller verlangt es." in page
    assert "Haus A" not in page
    assert client.post("/app/logout")["Location"] == "/app/login"


def test_no_bytes_are_taken_from_who_owes_it(cast: Cast, demand: Demand) -> None:
    client = signed_in(cast.staff)
    assert create_upload(client, cast.tenant.pk, "brief.pdf", 10).status_code == 201
    demand(True)
    refused = create_upload(client, cast.tenant.pk, "brief.pdf", 10)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    where = {"Upload-Length": "10", "Upload-Metadata": "", "Tus-Resumable": "1.0.0"}
    answer = client.post("/app/uploads/", headers=where, content_type="text/plain")
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")


def test_any_factor_of_the_account_will_do(cast: Cast, demand: Demand) -> None:
    demand(True)
    enrol(cast.renter, cast.tenant)
    assert not is_sent_to_enrol(signed_in(cast.renter), "/app/places")


def test_what_another_company_demands_of_others_is_no_duty(cast: Cast) -> None:
    rows.change(cast.other_tenant, {"enforces_second_factor": True})
    assert not is_sent_to_enrol(signed_in(cast.renter), "/app/places")
    assert is_sent_to_enrol(signed_in(cast.foreigner), "/app/places")


def test_who_has_left_owes_nothing(cast: Cast) -> None:
    membership = cast.membership("renter")
    rows.change(cast.tenant, {"enforces_second_factor": True})
    assert second_factor.owed(cast.actor("renter")) == [cast.tenant]
    rows.change(membership, {"deactivated_at": timezone.now()})
    assert second_factor.owed(cast.actor("renter")) == []
    assert not second_factor.obliged(cast.renter)


def test_asking_costs_nothing_where_nobody_demands_it(cast: Cast, django_assert_num_queries: Any) -> None:
    actor = cast.actor("renter")
    with django_assert_num_queries(0):
        assert second_factor.owed(actor) == []
    client = signed_in(cast.renter)
    before = queries_of(client, "/app/places")
    enrol(cast.renter)
    rows.change(cast.tenant, {"enforces_second_factor": True})
    assert queries_of(client, "/app/places") == before + 1  # whether there is one


# --- Profile ----------------------------------------------------------------------------------------------


def test_what_is_demanded_cannot_be_switched_off_and_the_refusal_says_by_whom(cast: Cast, demand: Demand) -> None:
    from tests.cast import PASSWORD

    demand(True)
    enrol(cast.renter)
    client = signed_in(cast.renter)
    page = client.get("/app/profile").content.decode()
    assert "Brandt &amp; Keller verlangt den zweiten Schritt" in page
    assert f'action="{ENROL}/remove"' not in page
    refused = client.post(f"{ENROL}/remove", {"password": PASSWORD}, follow=True)
    assert "Brandt &amp; Keller verlangt den zweiten Schritt. Er bleibt eingeschaltet." in refused.content.decode()
    assert second_factor.confirmed(cast.renter)
    demand(False)
    page = client.get("/app/profile").content.decode()
    assert f'action="{ENROL}/remove"' in page
    assert "verlangt" not in page
    client.post(f"{ENROL}/remove", {"password": PASSWORD})
    assert not second_factor.confirmed(cast.renter)


# --- Back office --------------------------------------------------------------------------------------------


def test_the_back_office_leads_to_the_set_up_until_it_is_done_or_lifted(cast: Cast, demand: Demand) -> None:
    client, urls = signed_in(cast.staff), ["/admin/", "/admin/orgs/community/", "/admin/docms/document/"]
    assert not any(is_sent_to_enrol(client, url) for url in urls)
    demand(True)
    assert all(is_sent_to_enrol(client, url) for url in urls)
    assert client.post(f"/admin/orgs/community/{cast.house_a.pk}/invite/")["Location"].startswith(ENROL)
    demand(False)
    assert not any(is_sent_to_enrol(client, url) for url in urls)
    demand(True)
    enrol(cast.staff)
    assert not any(is_sent_to_enrol(client, url) for url in urls)


def test_pages_that_ask_other_servers_are_no_way_around(cast: Cast) -> None:
    client = signed_in(cast.admin)
    url = f"/admin/test-mail/?tenant={cast.tenant.pk}"
    assert client.get(url).status_code == 200
    rows.change(cast.tenant, {"enforces_second_factor": True})
    assert is_sent_to_enrol(client, url)


def test_a_duty_in_another_company_holds_whichever_is_in_view(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        add_member(user=cast.staff, organization=cast.other_tenant, role="staff")
    client = signed_in(cast.staff)
    client.post("/admin/tenant/", {"tenant": cast.tenant.pk})
    assert client.get("/admin/").status_code == 200
    rows.change(cast.other_tenant, {"enforces_second_factor": True})
    assert is_sent_to_enrol(client, "/admin/")


def test_residents_are_told_that_the_back_office_is_for_staff_all_the_same(cast: Cast, demand: Demand) -> None:
    demand(True)
    assert signed_in(cast.renter).get("/admin/").status_code == 403


# --- Interfaces -------------------------------------------------------------------------------------------


def test_a_token_that_is_active_already_waits_for_the_set_up(cast: Cast, demand: Demand) -> None:
    caller = login("renter")
    assert caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")["tfa_setup"] is False
    caller.ok("GET", "/folders")
    demand(True)
    assert caller.refused("GET", "/folders", 403)["message"] == "TFA_SETUP_REQUIRED"
    demand(False)
    caller.ok("GET", "/folders")
    demand(True)
    key = caller.ok("GET", "/tfa")["tfa_key"]
    caller.ok("POST", f"/tfa/{otp(key)}")
    caller.ok("GET", "/folders")


def test_a_key_of_another_company_is_none_at_this_one(cast: Cast, demand: Demand) -> None:
    caller = login("renter")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    demand(True)
    enrol(cast.renter, cast.other_tenant)
    caller.refused("GET", "/folders", 403)
    enrol(cast.renter)
    caller.ok("GET", "/folders")


@pytest.mark.rule("ORGS-054", "ORGS-053")
@pytest.mark.parametrize("level", ["itself", "above"])
def test_the_tree_is_shut_at_its_interface_until_it_is_done_or_lifted(cast: Cast, level: str) -> None:
    me = person(cast.owner)
    top = me.make("Oben")
    below = me.make("Unten", parentID=top["id"])
    strict = Organization.objects.filter(pk=(below if level == "itself" else top)["id"])
    path = f"/organization/{below['id']}"
    for wanted in (True, False, True):
        strict.update(enforces_second_factor=wanted)
        if wanted:
            assert me.refused("GET", path, 403)["error"] == "second_factor_required"
            assert me.refused("GET", f"{path}/availability", 403)["error"] == "second_factor_required"
            assert me.refused("PUT", f"{path}/quick-actions", 403, [])["error"] == "second_factor_required"
        else:
            me.ok("GET", path)
            me.ok("PUT", f"{path}/quick-actions", [])
    enrol(cast.owner)
    me.ok("GET", path)
