"""External applications over HTTP: records, keys and signing in."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from core.models import JobRun
from core.services import rows
from core.tokens import token_hash
from docms import tasks
from orgs.models import AccessToken, Application, License, SecondFactor, SignInLog
from tests.docms.door import Caller, cost_of, settings_of, signed_in, soon

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def make_app(admin: Caller, *user_ids: int, **fields: Any) -> int:
    """An application."""
    made: int = admin.ok("POST", "/apps", {"name": "Archiv", "user_ids": list(user_ids), **fields})["app_id"]
    return made


def make_key(admin: Caller, app: int, user_id: int) -> str:
    """A key for one person."""
    made: str = admin.ok("POST", f"/apps/{app}/keys", {"user_id": user_id})["key"]
    return made


def sign_in(who: str, key: str, status: int = 200) -> Any:
    """Sign in as an application."""
    answer = Caller().call("GET", "/login/app", basic=f"{who}:{key}")
    assert answer.status == status, answer.raw
    return answer.body


def by_key(cast: Cast, key: str, who: str = "renter") -> Caller:
    """A caller with the token an application got."""
    return Caller(sign_in(getattr(cast, who).username, key)["token"])


# --- Records ----------------------------------------------------------------------------------------------------


def test_only_super_administrators_keep_applications(
    cast: Cast, admin: Caller, plain_admin: Caller, renter: Caller
) -> None:
    app = make_app(admin, cast.renter.pk)
    for caller in (plain_admin, renter):
        caller.refused("GET", "/apps", 403)
        caller.refused("POST", "/apps", 403, {"name": "Neu"})
        for method in ("GET", "PUT", "DELETE"):
            caller.refused(method, f"/apps/{app}", 403, {} if method == "PUT" else None)
    assert admin.ok("GET", f"/apps/{app}")["name"] == "Archiv"


def test_an_application_is_stored_changed_and_deleted(cast: Cast, admin: Caller) -> None:
    made = admin.ok("POST", "/apps", {"name": "Ärchiv 🗄", "user_ids": [cast.owner.pk, cast.renter.pk]})
    assert made["deactivated"] is None
    assert made["user_ids"] == sorted([cast.owner.pk, cast.renter.pk])
    path = f"/apps/{made['app_id']}"
    assert admin.ok("GET", path) == made and admin.ok("GET", "/apps") == [made]
    assert admin.ok("PUT", path, {"name": "Neu"}) == {**made, "name": "Neu"}  # people stay
    assert admin.ok("PUT", path, {"user_ids": []})["user_ids"] == []
    admin.ok("DELETE", path)
    admin.refused("GET", path, 404)
    assert admin.ok("GET", "/apps") == []


def test_names_are_unique_in_the_tenant(cast: Cast, admin: Caller) -> None:
    one, two = make_app(admin), make_app(admin, name="Zweites")
    admin.refused("POST", "/apps", 409, {"name": "Archiv"})
    admin.refused("PUT", f"/apps/{two}", 409, {"name": "Archiv"})
    admin.ok("PUT", f"/apps/{one}", {"name": "Archiv"})
    rows.create(Application, tenant=cast.other_tenant, name="Fremdes")
    make_app(admin, name="Fremdes")


@pytest.mark.rule("DOCMS-047")
def test_applications_and_people_of_another_tenant_are_unknown(cast: Cast, admin: Caller) -> None:
    foreign = rows.create(Application, tenant=cast.other_tenant, name="Fremdes").pk
    for app in (foreign, 987654321):
        admin.refused("GET", f"/apps/{app}", 404)
        admin.refused("PUT", f"/apps/{app}", 404, {"name": "Meins"})
        admin.refused("DELETE", f"/apps/{app}", 404)
        admin.refused("POST", f"/apps/{app}/keys", 404, {"user_id": cast.admin.pk})
    for user in (cast.foreigner.pk, 987654321):
        admin.refused("POST", "/apps", 400, {"name": "Neu", "user_ids": [cast.renter.pk, user]})
    assert admin.ok("GET", "/apps") == []


@pytest.mark.rule("DOCMS-196")
def test_the_end_may_be_a_day(admin: Caller) -> None:
    app = make_app(admin, deactivated="2040-06-01")
    assert Application.objects.get(pk=app).deactivated_at == datetime.datetime(2040, 6, 1, tzinfo=datetime.UTC)
    assert admin.ok("PUT", f"/apps/{app}", {"deactivated": None})["deactivated"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\nb"},
        {"name": "x", "user_ids": "1"},
        {"name": "x", "deactivated": "bald"},
    ],
)
def test_odd_applications_are_refused(admin: Caller, wrong: Any) -> None:
    admin.refused("POST", "/apps", 400, wrong)


def test_the_list_costs_the_same_for_more_applications(cast: Cast, admin: Caller) -> None:
    make_app(admin, cast.renter.pk)
    few = cost_of(admin, "/apps")
    for number in range(3):
        make_app(admin, cast.renter.pk, cast.owner.pk, name=f"Weiteres {number}")
    assert cost_of(admin, "/apps") == few


# --- Keys -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-177")
def test_a_key_is_shown_once_and_stored_as_a_hash(cast: Cast, admin: Caller) -> None:
    app = make_app(admin, cast.renter.pk)
    made = admin.ok("POST", f"/apps/{app}/keys", {"user_id": cast.renter.pk})
    assert (made["app_id"], made["user_id"]) == (app, cast.renter.pk) and len(made["key"]) >= 32
    assert bytes(AccessToken.objects.get(kind="app_key").token_hash) == token_hash(made["key"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM orgs_accesstoken t UNION ALL SELECT a::text FROM core_auditentry a")
        assert made["key"] not in str(cursor.fetchall())
    assert made["key"] not in str(admin.ok("GET", f"/apps/{app}")) + str(admin.ok("GET", "/apps"))


def test_a_new_key_replaces_the_former_one(cast: Cast, admin: Caller) -> None:
    app = make_app(admin, cast.renter.pk, cast.owner.pk)
    old, others = make_key(admin, app, cast.renter.pk), make_key(admin, app, cast.owner.pk)
    new = make_key(admin, app, cast.renter.pk)
    sign_in(cast.renter.username, old, 401)
    sign_in(cast.renter.username, new)
    sign_in(cast.owner.username, others)


def test_people_issue_their_own_key_where_the_application_lists_them(
    cast: Cast, admin: Caller, renter: Caller, plain_admin: Caller
) -> None:
    app, other = make_app(admin, cast.renter.pk), make_app(admin, cast.owner.pk, name="Anderes")
    sign_in(cast.renter.username, make_key(renter, app, cast.renter.pk))
    renter.refused("POST", f"/apps/{other}/keys", 404, {"user_id": cast.renter.pk})
    renter.refused("POST", f"/apps/{other}/keys", 403, {"user_id": cast.owner.pk})
    plain_admin.refused("POST", f"/apps/{app}/keys", 403, {"user_id": cast.renter.pk})


def test_a_key_is_for_somebody_whom_the_application_lists(cast: Cast, admin: Caller) -> None:
    app = make_app(admin, cast.renter.pk)
    for wrong in (cast.owner.pk, cast.foreigner.pk, 987654321, 0, None, "x"):
        admin.refused("POST", f"/apps/{app}/keys", 400, {"user_id": wrong})
    admin.ok("PUT", f"/apps/{app}", {"deactivated": soon(seconds=-5)})
    admin.refused("POST", f"/apps/{app}/keys", 400, {"user_id": cast.renter.pk})


# --- Signing in -------------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-177")
def test_a_key_yields_a_token_that_is_active_without_a_second_factor(cast: Cast, admin: Caller) -> None:
    SecondFactor.objects.create(
        user=cast.renter, organization=cast.tenant, kind="totp", secret="A" * 32, confirmed_at=timezone.now()
    )
    rows.change(cast.membership("renter"), {"token_sec": 1234, "tfa_force": True})
    app = make_app(admin, cast.renter.pk)
    before = timezone.now()
    got = sign_in(cast.renter.username.upper(), make_key(admin, app, cast.renter.pk))
    assert got["user_id"] == cast.renter.pk
    caller = Caller(got["token"])
    assert caller.ok("GET", f"/users/{cast.renter.pk}")["user_id"] == cast.renter.pk
    row = AccessToken.objects.get(token_hash=token_hash(got["token"]))
    assert row.expires_at is not None and 1233 < (row.expires_at - before).total_seconds() < 1240
    entry = SignInLog.objects.filter(user=cast.renter).latest("id")
    assert (entry.type, entry.app_id, entry.tenant_id) == ("app_login", app, cast.tenant.pk)
    logs = admin.ok("GET", f"/users/{cast.renter.pk}/loginlogs")
    assert logs[0]["app_id"] == app and logs[0]["type"] == "app_login"


def test_a_key_works_with_its_own_user_name_only(cast: Cast, admin: Caller) -> None:
    key = make_key(admin, make_app(admin, cast.renter.pk), cast.renter.pk)
    for who, what in ((cast.owner.username, key), ("nobody", key), (cast.renter.username, key + "x"), ("", "")):
        sign_in(who, what, 401)
    answer = Caller().call("GET", "/login/app")
    assert answer.status == 401 and answer["WWW-Authenticate"].startswith("Basic")
    assert Caller(key).call("GET", "/folders").status == 401  # a key is no token
    sign_in(cast.renter.username, key)


@pytest.mark.rule("DOCMS-176")
@pytest.mark.parametrize("how", ["deactivated", "removed", "deleted"])
def test_who_is_out_cannot_sign_in_and_loses_keys_and_tokens(cast: Cast, admin: Caller, how: str) -> None:
    app = make_app(admin, cast.renter.pk, cast.owner.pk)
    key, others = make_key(admin, app, cast.renter.pk), make_key(admin, app, cast.owner.pk)
    second = make_app(admin, cast.renter.pk, name="Zweites")
    elsewhere = make_key(admin, second, cast.renter.pk)
    inside, beside, own = by_key(cast, key), by_key(cast, elsewhere), signed_in(cast.renter, cast.tenant)
    inside.ok("GET", "/folders")
    if how == "deactivated":
        admin.ok("PUT", f"/apps/{app}", {"deactivated": soon(seconds=-5)})
    elif how == "removed":
        admin.ok("PUT", f"/apps/{app}", {"user_ids": [cast.owner.pk]})
    else:
        admin.ok("DELETE", f"/apps/{app}")
    assert not AccessToken.objects.filter(application=app, user=cast.renter, revoked_at=None).exists()
    sign_in(cast.renter.username, key, 401)
    inside.refused("GET", "/folders", 401)
    for caller in (beside, own):
        caller.ok("GET", "/folders")
    sign_in(cast.owner.username, others, 200 if how == "removed" else 401)
    # Coming back does not bring the key back.
    if how == "removed":
        admin.ok("PUT", f"/apps/{app}", {"user_ids": [cast.owner.pk, cast.renter.pk]})
        sign_in(cast.renter.username, key, 401)


@pytest.mark.rule("DOCMS-176")
def test_an_end_in_the_future_takes_effect_by_itself(cast: Cast, admin: Caller) -> None:
    app = make_app(admin, cast.renter.pk)
    key = make_key(admin, app, cast.renter.pk)
    caller = by_key(cast, key)
    admin.ok("PUT", f"/apps/{app}", {"deactivated": soon(hours=1)})
    caller.ok("GET", "/folders")
    Application.objects.filter(pk=app).update(deactivated_at=timezone.now())
    caller.refused("GET", "/folders", 401)
    sign_in(cast.renter.username, key, 401)
    # The attempt has revoked the key, and the login log says which application it was.
    assert not AccessToken.objects.filter(application=app, revoked_at=None).exists()
    assert SignInLog.objects.filter(type="login_failed", app_id=app, user=cast.renter).count() == 1


def test_log_entries_keep_the_number_of_a_deleted_application(cast: Cast, admin: Caller) -> None:
    app = make_app(admin, cast.renter.pk)
    by_key(cast, make_key(admin, app, cast.renter.pk))
    admin.ok("DELETE", f"/apps/{app}")
    assert admin.ok("GET", f"/users/{cast.renter.pk}/loginlogs")[0]["app_id"] == app


@pytest.mark.rule("DOCMS-059")
def test_a_deactivated_user_is_refused(cast: Cast, admin: Caller) -> None:
    key = make_key(admin, make_app(admin, cast.renter.pk), cast.renter.pk)
    caller = by_key(cast, key)
    admin.ok("PUT", f"/users/{cast.renter.pk}", {"deactivated": soon(seconds=-5)})
    assert sign_in(cast.renter.username, key, 403)["message"] == "USER_DEACTIVATED"
    caller.refused("GET", "/folders", 401)


@pytest.mark.rule("DOCMS-016")
def test_the_networks_of_the_tenant_hold_for_applications(cast: Cast, admin: Caller) -> None:
    key = make_key(admin, make_app(admin, cast.renter.pk), cast.renter.pk)
    settings_of(cast, api_external_access=False)
    assert sign_in(cast.renter.username, key, 403)["message"] == "NETWORK_NOT_ALLOWED"


def test_applications_are_an_add_on(cast: Cast, admin: Caller) -> None:
    app = make_app(admin, cast.renter.pk)
    key = make_key(admin, app, cast.renter.pk)
    licence = rows.create(License, organization=cast.tenant, features=[1, 2, 3])
    assert sign_in(cast.renter.username, key, 403)["message"] == "LICENSE_REQUIRED"
    admin.refused("POST", "/apps", 403, {"name": "Neu"})
    admin.refused("POST", f"/apps/{app}/keys", 403, {"user_id": cast.renter.pk})
    admin.ok("PUT", f"/apps/{app}", {"user_ids": [cast.renter.pk]})  # switching off goes on
    rows.change(licence, {"features": [4]})
    sign_in(cast.renter.username, key)


def test_a_token_of_an_application_stays_where_it_is(cast: Cast, admin: Caller) -> None:
    """The key opens one tenant without second factor, so it leads into no other one and changes no credentials."""
    from tests.cast import PASSWORD

    app = make_app(admin, cast.renter.pk, cast.admin.pk)
    caller = by_key(cast, make_key(admin, app, cast.renter.pk))
    caller.refused("GET", f"/select-tenant/{cast.tenant.pk}", 401)
    caller.refused("GET", "/get-tenants", 401)
    caller.refused("GET", "/tfa", 401)
    caller.refused("PUT", "/password", 401, {"current_password": PASSWORD, "new_password": "Ein-anderer-Satz-2"})
    boss = by_key(cast, make_key(admin, app, cast.admin.pk), "admin")
    boss.ok("GET", "/apps")
    boss.refused("POST", f"/apps/{app}/keys", 403, {"user_id": cast.admin.pk})
    caller.ok("GET", "/logout")
    caller.refused("GET", "/folders", 401)
    boss.ok("GET", "/apps")


def test_the_sweep_revokes_what_has_ended(cast: Cast, admin: Caller) -> None:
    app, other = make_app(admin, cast.renter.pk), make_app(admin, cast.renter.pk, cast.owner.pk, name="Zweites")
    make_key(admin, app, cast.renter.pk)
    kept = make_key(admin, other, cast.renter.pk)
    make_key(admin, other, cast.owner.pk)
    session, foreign = signed_in(cast.owner, cast.tenant), signed_in(cast.foreigner, cast.other_tenant)
    past = timezone.now() - datetime.timedelta(seconds=1)
    Application.objects.filter(pk=app).update(deactivated_at=past)
    type(cast.membership("owner")).objects.filter(pk=cast.membership("owner").pk).update(deactivated_at=past)
    tasks.apply_deactivations()
    run = JobRun.objects.get(name="docms.apply_deactivations")
    assert (run.error, run.counts) == ("", {"of_people": 2, "of_applications": 1})
    assert AccessToken.objects.get(token_hash=token_hash(session.token)).revoked_at is not None
    assert AccessToken.objects.get(token_hash=token_hash(foreign.token)).revoked_at is None
    assert not AccessToken.objects.filter(application=app, revoked_at=None).exists()
    sign_in(cast.renter.username, kept)
