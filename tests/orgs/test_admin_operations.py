"""Applications and their keys, the licence, and updates, in the back office."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.services import rows
from orgs.models import AccessToken, Application, InstallationSettings, License
from orgs.services import applications
from tests.docms.licence import CODE, PUBLIC, STRANGER, for_code, signed
from tests.docms.test_api_updates import RELEASE, Updater, updater
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

__all__ = ["updater"]  # a fixture

APPS, LICENCE, UPDATES = "/admin/orgs/application/", "/admin/licence/", "/admin/updates/"


@pytest.fixture(autouse=True)
def _vendor(settings: Any) -> None:
    settings.LICENSE_PUBLIC_KEY = PUBLIC


# --- Applications ---------------------------------------------------------------------------------------


@pytest.fixture
def app(cast: Cast) -> Application:
    """An application that acts for the renter."""
    with scope.unit_of_work(door="test"):
        return applications.create(tenant=cast.tenant, values={"name": "Archiv"}, user_ids=[cast.renter.pk])


def keys(app: Application) -> list[AccessToken]:
    """The valid ones."""
    return list(AccessToken.objects.filter(application=app, kind="app_key", revoked_at=None))


def issue(client: Client, app: Application, person: int) -> Any:
    return client.post(f"{APPS}{app.pk}/key/", {"user_id": person})


@pytest.mark.rule("DOCMS-177")
def test_an_application_is_made_and_gets_a_key_that_is_shown_once(cast: Cast) -> None:
    client = signed_in(cast.admin)
    values = {"name": "Archiv", "people": [cast.membership("renter").pk]}
    assert client.post(f"{APPS}add/", values).status_code == 302
    made = Application.objects.get(name="Archiv")
    answer = issue(client, made, cast.renter.pk)
    key = answer.context["key"]
    assert len(key) >= 32
    assert key in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    (row,) = keys(made)
    assert key not in str(vars(row))
    for page in (f"{APPS}{made.pk}/change/", f"{APPS}{made.pk}/history/", f"{APPS}{made.pk}/key/"):
        assert key not in client.get(page).content.decode()


def test_a_new_key_ends_the_earlier_one(cast: Cast, app: Application) -> None:
    client = signed_in(cast.admin)
    first = issue(client, app, cast.renter.pk).context["key"]
    (before,) = keys(app)
    assert issue(client, app, cast.renter.pk).context["key"] != first
    (after,) = keys(app)
    assert after.pk != before.pk
    refused = issue(client, app, cast.owner.pk)
    assert refused.context["form"].errors.keys() == {"user_id"}  # it does not act for them


@pytest.mark.rule("DOCMS-176")
def test_switched_off_it_has_no_keys_and_gets_none(cast: Cast, app: Application) -> None:
    client, url = signed_in(cast.admin), f"{APPS}{app.pk}/change/"
    issue(client, app, cast.renter.pk)
    past = timezone.localtime() - datetime.timedelta(days=1)
    values = {"name": "Archiv", "people": [cast.membership("renter").pk], "deactivated_at_0": f"{past:%Y-%m-%d}",
              "deactivated_at_1": "08:00"}  # fmt: skip
    assert client.post(url, values).status_code == 302
    assert keys(app) == []
    assert b"/key/" not in client.get(url).content
    assert issue(client, app, cast.renter.pk).context["form"].errors


@pytest.mark.rule("DOCMS-176")
def test_who_is_taken_out_loses_the_key(cast: Cast, app: Application) -> None:
    client = signed_in(cast.admin)
    issue(client, app, cast.renter.pk)
    client.post(f"{APPS}{app.pk}/change/", {"name": "Archiv", "people": [cast.membership("owner").pk]})
    assert keys(app) == []
    client.post(f"{APPS}{app.pk}/delete/", {"post": "yes"})
    assert not Application.objects.filter(pk=app.pk).exists()


def test_applications_are_super_administrators_business(cast: Cast, app: Application) -> None:
    rows.change(cast.membership("staff"), {"admin_perm": True})
    for who, statuses in ((cast.staff, (403, 404)), (cast.renter, (403, 403)), (cast.stranger, (404, 404))):
        client = signed_in(who)
        assert tuple(client.get(f"{APPS}{app.pk}/{page}/").status_code for page in ("change", "key")) == statuses
        assert issue(client, app, cast.renter.pk).status_code == statuses[1]
    assert "Archiv" not in signed_in(cast.stranger).get(APPS).content.decode()
    foreign = {"name": "Neu", "people": [cast.membership("stranger", cast.other_tenant).pk]}
    answer = signed_in(cast.admin).post(f"{APPS}add/", foreign)
    assert answer.context["adminform"].form.errors.keys() == {"people"}
    assert keys(app) == []


@pytest.mark.rule("DOCMS-175")
def test_without_the_add_on_there_is_no_application(cast: Cast) -> None:
    licence = rows.create(License, organization=cast.tenant, features=[1, 2, 3])
    now = timezone.now()
    for terms in ({}, {"features": [1, 2, 3, 4], "valid_until": now}):  # none, and one that is over
        rows.change(licence, terms)
        answer = signed_in(cast.admin).post(f"{APPS}add/", {"name": "Archiv"})
        assert "lizenziert" in str(answer.context["adminform"].form.errors)
        assert not Application.objects.exists()
    rows.change(licence, {"valid_until": now + datetime.timedelta(days=1)})
    assert signed_in(cast.admin).post(f"{APPS}add/", {"name": "Archiv"}).status_code == 302


def test_the_list_of_applications_costs_the_same_for_one_and_three(cast: Cast, app: Application) -> None:
    client = signed_in(cast.admin)
    before = queries_of(client, APPS)
    with scope.unit_of_work(door="test"):
        for name in ("Zwei", "Drei"):
            more = applications.create(tenant=cast.tenant, values={"name": name}, user_ids=[cast.owner.pk])
            applications.issue_key(application=more, user_id=cast.owner.pk, created_by=cast.admin)
    assert queries_of(client, APPS) == before


# --- The licence ----------------------------------------------------------------------------------------


def facts(client: Client) -> str:
    return " ".join(str(value) for _name, value in client.get(LICENCE).context["facts"])


def test_without_licence_everything_is_open(cast: Cast) -> None:
    page = signed_in(cast.admin).get(LICENCE).context
    assert all(is_there for _name, is_there in page["features"])
    assert page["licence"] is None
    assert page["key_form"] is page["setup_form"] is None


@pytest.mark.rule("DOCMS-174")
def test_points_used_and_free_are_told(cast: Cast) -> None:
    rows.create(License, organization=cast.tenant, license_type="commercial", features=[1, 3], max_points=20)
    page = signed_in(cast.admin).get(LICENCE).context
    used = cast.tenant.memberships.active().count()
    assert f"{used} von 20 belegt, {20 - used} frei" in " ".join(str(value) for _name, value in page["facts"])
    assert [is_there for _name, is_there in page["features"]] == [True, False, True, False]
    assert "20" not in facts(signed_in(cast.stranger))
    rows.change(cast.membership("renter"), {"deactivated_at": timezone.now()})
    assert f"{used - 1} von 20 belegt" in facts(signed_in(cast.admin))


@pytest.mark.rule("DOCMS-172")
def test_the_operator_sets_the_key_of_the_tenant_in_view(cast: Cast) -> None:
    client = signed_in(cast.operator)
    assert client.get(LICENCE).context["key_form"] is None
    client.post("/admin/tenant/", {"tenant": cast.tenant.pk})
    for wrong in (signed(STRANGER), signed(tenant=str(cast.other_tenant.uuid)), signed(app_duration="2020-01-01"), "x"):
        assert client.post(LICENCE, {"_key": "1", "key": wrong}).context["key_form"].errors
        assert not License.objects.exists()
    key = signed(max_points=50, features=[2])
    assert client.post(LICENCE, {"_key": "1", "key": key}).status_code == 302
    assert License.objects.get().organization_id == cast.tenant.pk
    assert key not in client.get(LICENCE).content.decode()
    assert signed_in(cast.admin).post(LICENCE, {"_key": "1", "key": key}).status_code == 403
    assert signed_in(cast.staff).get(LICENCE).status_code == 403


@pytest.mark.rule("DOCMS-170", "DOCMS-171")
def test_the_set_up_is_completed_once(cast: Cast, settings: Any) -> None:
    client = signed_in(cast.operator)
    assert client.get(LICENCE).context["setup_form"] is None
    settings.BOOTSTRAP, settings.SETUP_SECRET = "license", "ein-langes-Geheimnis-1"
    settings.BOOTSTRAP_LICENSE = for_code(max_points=7)
    assert client.get(LICENCE).context["setup_form"] is not None
    assert signed_in(cast.admin).get(LICENCE).context["setup_form"] is None
    body = {"_setup": "1", "secret": settings.SETUP_SECRET, "code": CODE}
    for wrong in ({"secret": "falsch"}, {"code": "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"}):
        assert client.post(LICENCE, body | wrong).context["setup_form"].errors
    assert not License.objects.exists()
    assert client.post(LICENCE, body).status_code == 302
    assert License.objects.get().max_points == 7
    assert client.get(LICENCE).context["setup_form"] is None


# --- Updates --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("DOCMS-178", "DOCMS-179")
def test_updates_are_looked_for_and_planned(cast: Cast, updater: Updater) -> None:
    client = signed_in(cast.operator)
    assert client.get(UPDATES).context["known"] is None
    assert client.post(UPDATES, {"_check": "1"}).status_code == 302
    page = client.get(UPDATES)
    assert page.context["known"]["version"] == RELEASE["version"]
    assert "Überall schneller" in page.content.decode()
    past = {"_install": "1", "install_date_0": "2020-01-01", "install_date_1": "08:00"}
    assert client.post(UPDATES, past).context["form"].errors.keys() == {"install_date"}
    tomorrow = timezone.localtime() + datetime.timedelta(days=1)
    planned = past | {"install_date_0": f"{tomorrow:%Y-%m-%d}"}
    assert client.post(UPDATES, planned).status_code == 302
    row = InstallationSettings.objects.get()
    assert (row.update_state, row.update_install_at) == (
        "scheduled", tomorrow.replace(hour=8, minute=0, second=0, microsecond=0)
    )  # fmt: skip
    assert updater.installs() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-05-01", "01.05.2026"),
        ("2026-05-01T23:30:00Z", "02.05.2026"),
        ("bald", "bald"),
        ("2026-02-30", "2026-02-30"),
    ],
)
def test_the_day_of_a_release_is_shown_as_all_days(cast: Cast, updater: Updater, written: str, shown: str) -> None:
    updater.body = json.dumps({**RELEASE, "release_date": written}).encode()
    client = signed_in(cast.operator)
    client.post(UPDATES, {"_check": "1"})
    page = client.get(UPDATES).content.decode()
    assert f'<th scope="row">Veröffentlicht</th><td>{shown}</td>' in page


@pytest.mark.django_db(transaction=True)
def test_who_plans_anew_is_told_that_the_moment_is_replaced(cast: Cast, updater: Updater) -> None:
    client = signed_in(cast.operator)
    client.post(UPDATES, {"_check": "1"})
    hint = "Wird es neu geplant, gilt der neue Zeitpunkt."
    assert hint not in client.get(UPDATES).content.decode()
    tomorrow = timezone.localtime() + datetime.timedelta(days=1)
    client.post(UPDATES, {"_install": "1", "install_date_0": f"{tomorrow:%Y-%m-%d}", "install_date_1": "08:00"})
    assert hint in client.get(UPDATES).content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_no_release_is_told_as_such(cast: Cast, updater: Updater) -> None:
    updater.body = b'{"version": 7}'
    told = signed_in(cast.operator).post(UPDATES, {"_check": "1"}, follow=True).content.decode()
    assert "hat mit 200 geantwortet, aber" in told
    assert "502" not in told


@pytest.mark.django_db(transaction=True)
def test_what_the_updater_refuses_is_told(cast: Cast, updater: Updater) -> None:
    client = signed_in(cast.operator)
    updater.status = 503
    assert "503" in client.post(UPDATES, {"_check": "1"}, follow=True).content.decode()
    assert client.post(UPDATES, {"_install": "1"}).context["form"].non_field_errors()


@pytest.mark.django_db(transaction=True)
def test_updates_are_the_operators_alone(cast: Cast, updater: Updater) -> None:
    for who in (cast.admin, cast.renter):
        client = signed_in(who)
        assert client.get(UPDATES).status_code == 403
        for button in ("_check", "_install"):
            assert client.post(UPDATES, {button: "1"}).status_code == 403
    assert updater.asked == []
