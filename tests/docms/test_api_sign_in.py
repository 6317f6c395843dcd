"""Tokens, tenants and networks at the docms door."""

from __future__ import annotations

import base64
import datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from core.services import rows
from orgs.models import (
    AccessToken,
    Membership,
    SignInLog,
    User,
)
from orgs.services.tenants import create_organization, create_tenant
from tests.cast import PASSWORD, Cast
from tests.docms.door import (
    Caller,
    age,
    contract,
    cost_of,
    login,
    make_folder,
    operations,
    settings_of,
    signed_in,
)
from tests.otp import otp

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "Ein-anderer-Satz-2"


# --- Tokens ---------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-001")
def test_login_gives_a_fresh_token_that_is_not_active(cast: Cast) -> None:
    answer = Caller().ok("GET", "/login", basic=f"renter@quartier.test:{PASSWORD}")
    assert answer["user_id"] == cast.renter.pk
    assert AccessToken.objects.get(user=cast.renter).state == "pending"
    assert Caller(answer["token"]).refused("GET", "/groups", 401)["message"] == "TOKEN_NOT_ACTIVATED"
    again = Caller().ok("GET", "/login", basic=f"RENTER@quartier.test:{PASSWORD}")
    assert (again["user_id"], again["token"] != answer["token"]) == (cast.renter.pk, True)
    Caller().refused("GET", "/login", 401, basic="renter@quartier.test:falsch")
    assert AccessToken.objects.filter(user=cast.renter).count() == 2


@pytest.mark.rule("DOCMS-004")
def test_no_row_of_any_table_holds_a_usable_token(cast: Cast) -> None:
    caller = login("renter")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    caller.ok("GET", "/groups")
    stored = bytes(AccessToken.objects.get(user=cast.renter, state="active").token_hash)
    spellings = (caller.token, caller.token.encode().hex(), base64.b64encode(caller.token.encode()).decode())
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            query = f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE ANY (%s)'
            cursor.execute(query, [[f"%{spelling}%" for spelling in spellings]])
            assert cursor.fetchone() == (0,), table
            cursor.execute(query, [[f"%{stored.hex()}%"]])
            assert (cursor.fetchone() == (1,)) is (table == AccessToken._meta.db_table), table
    for found_in_a_dump in (stored.hex(), base64.b64encode(stored).decode(), base64.urlsafe_b64encode(stored).decode()):
        Caller(found_in_a_dump).refused("GET", "/groups", 401)


PENDING_MAY = {
    "GET /get-tenants", "GET /select-tenant/{tenantId}", "GET /tfa", "POST /tfa/{tfainput}", "POST /tfa/{code}/verify",
    "PUT /password", "GET /logout",
}  # fmt: skip


@pytest.mark.rule("DOCMS-002", "DOCMS-011")
@pytest.mark.parametrize("state", ["fresh", "waiting for a code", "active"])
def test_a_pending_token_opens_the_sign_in_calls_only(cast: Cast, state: str) -> None:
    caller = login("admin")
    if state == "waiting for a code":
        rows.change(cast.membership("admin"), {"tfa_force": True})
    if state != "fresh":
        chosen = caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
        assert (chosen["tfa_needed"], chosen["tfa_setup"]) == (False, state != "active")
    opened = set()
    for operation in operations():
        name = f"{operation.method} {operation.path}"
        if not operation.takes & {"bearerAuth", "bearerInactive"} or name == "GET /logout":
            continue
        body = {} if "requestBody" in operation.entry else None
        answer = caller.call(operation.method, operation.at(tenantId=cast.tenant.pk), body)
        if not (answer.status == 401 and answer.body["message"] == "TOKEN_NOT_ACTIVATED"):
            opened.add(name)
        if name.startswith("GET /select-tenant"):  # it may have changed the state
            caller = login("admin")
            if state != "fresh":
                caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    caller.ok("GET", "/logout")
    everything = {f"{o.method} {o.path}" for o in operations() if o.takes & {"bearerAuth", "bearerInactive"}}
    assert opened | {"GET /logout"} == (everything if state == "active" else PENDING_MAY)


@pytest.mark.rule("DOCMS-003")
def test_a_pending_token_lives_ten_minutes(cast: Cast) -> None:
    rows.change(cast.membership("renter"), {"tfa_force": True})
    caller = login("renter")
    end = AccessToken.objects.get(user=cast.renter).expires_at
    assert end is not None
    assert abs((end - timezone.now()).total_seconds() - 600) < 10
    age(caller, created_at=timezone.now() - datetime.timedelta(minutes=9, seconds=50))
    caller.ok("GET", "/get-tenants")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")  # which fixes an end that is farther away
    caller.ok("GET", "/tfa")
    age(caller, created_at=timezone.now() - datetime.timedelta(minutes=10))
    assert caller.refused("GET", "/get-tenants", 401)["message"] == "TOKEN_EXPIRED"
    assert caller.refused("GET", "/tfa", 401)["message"] == "TOKEN_EXPIRED"


@pytest.mark.rule("DOCMS-005")
def test_tenants_are_those_of_active_memberships(cast: Cast) -> None:
    assert [t["tenant_id"] for t in login("renter").ok("GET", "/get-tenants")] == [cast.tenant.pk]
    assert login("operator").ok("GET", "/get-tenants") == []  # runs the installation, but is no member
    below = create_organization(name="Abteilung", created_by=cast.operator)
    rows.create(Membership, user=cast.renter, organization=below, role="staff")  # is no tenant
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    caller = login("renter")
    names = [t["company_name"] for t in caller.ok("GET", "/get-tenants")]
    assert names == sorted(names)
    assert len(names) == 2
    here = Membership.objects.filter(user=cast.renter, organization=cast.tenant)
    here.update(deactivated_at=timezone.now() + datetime.timedelta(minutes=5))
    assert len(caller.ok("GET", "/get-tenants")) == 2
    here.update(deactivated_at=timezone.now())
    assert [t["tenant_id"] for t in caller.ok("GET", "/get-tenants")] == [cast.other_tenant.pk]


def test_listing_tenants_costs_the_same_for_one_and_for_three(cast: Cast) -> None:
    def cost() -> int:
        return cost_of(login("renter"), "/get-tenants")

    one = cost()
    third = create_tenant(name="Drittes Haus", created_by=cast.operator)
    for tenant in (cast.other_tenant, third):
        rows.create(Membership, user=cast.renter, organization=tenant, tenant=tenant, role="guest")
    assert cost() == one


@pytest.mark.rule("DOCMS-006", "DOCMS-008", "DOCMS-011")
def test_selecting_binds_and_fixes_the_end(cast: Cast) -> None:
    Membership.objects.filter(user=cast.renter).update(token_sec=900)
    caller = login("renter")
    before = timezone.now()
    chosen = caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    assert (chosen["tfa_needed"], chosen["tfa_setup"]) == (False, False)
    end = datetime.datetime.fromisoformat(chosen["token_expire"])
    assert abs((end - before).total_seconds() - 900) < 10
    assert chosen["token_expire"][-5:] in ("+0100", "+0200")
    caller.ok("GET", "/folders")
    caller.ok("GET", "/folders")
    row = AccessToken.objects.get(user=cast.renter, state="active")
    assert row.organization_id == cast.tenant.pk
    assert row.expires_at is not None
    assert abs((row.expires_at - end).total_seconds()) < 0.001
    # Nor by choosing again after half of it.
    age(caller, expires_at=timezone.now() + datetime.timedelta(seconds=450), last_used_at=None)
    caller.ok("GET", "/folders")
    again = datetime.datetime.fromisoformat(caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")["token_expire"])
    assert abs((again - timezone.now()).total_seconds() - 450) < 10
    age(caller, expires_at=timezone.now())
    caller.refused("GET", "/folders", 401)


@pytest.mark.rule("DOCMS-007")
def test_tenants_of_others_are_unknown(cast: Cast) -> None:
    caller = login("renter")
    foreign = caller.refused("GET", f"/select-tenant/{cast.other_tenant.pk}", 404)
    unknown = caller.refused("GET", "/select-tenant/999999999", 404)
    for body in (foreign, unknown):
        body.pop("timestamp"), body.pop("path")
    assert foreign == unknown


@pytest.mark.rule("DOCMS-010")
def test_expired_and_unknown_tokens_are_told_apart(cast: Cast) -> None:
    caller = signed_in(cast.renter, cast.tenant)
    age(caller, expires_at=timezone.now())
    answer = caller.call("GET", "/folders")
    assert (answer.status, answer.body["message"]) == (401, "TOKEN_EXPIRED")
    for unknown in (Caller(), Caller("nonsense" * 5)):
        answer = unknown.call("GET", "/folders")
        assert answer.status == 401
        assert answer.body["message"] != "TOKEN_EXPIRED"
        assert answer["WWW-Authenticate"] == "Bearer"


def test_a_token_in_the_query_string_is_no_token(cast: Cast) -> None:
    caller = signed_in(cast.renter, cast.tenant)
    Caller().refused("GET", f"/folders?token={caller.token}&access_token={caller.token}", 401)


@pytest.mark.rule("DOCMS-012")
def test_another_tenant_takes_the_place_of_the_first(cast: Cast) -> None:
    member = rows.create(
        Membership,
        user=cast.admin,
        organization=cast.other_tenant,
        tenant=cast.other_tenant,
        role="guest",
        token_sec=400,
    )
    caller = login("admin")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    assert {user["user_id"] for user in caller.ok("GET", "/users")} >= {cast.renter.pk}
    mine = make_folder(caller, "F")
    caller.ok("GET", f"/select-tenant/{cast.other_tenant.pk}")
    caller.refused("GET", "/users", 403)
    caller.refused("GET", f"/folders/{mine}", 404)
    assert caller.ok("GET", "/folders?all=true") == []
    assert caller.ok("GET", "/tenants/current/public")["tenant_id"] == cast.other_tenant.pk
    rows.change(member, {"tfa_force": True})
    assert caller.ok("GET", f"/select-tenant/{cast.other_tenant.pk}")["tfa_setup"] is True
    caller.refused("GET", "/tenants/current/public", 401)
    caller.ok("GET", "/tfa")


@pytest.mark.rule("DOCMS-012")
def test_the_second_factor_of_the_next_tenant_is_asked_of_an_active_token(cast: Cast) -> None:
    rows.create(
        Membership, user=cast.admin, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest",
        tfa_force=True,
    )  # fmt: skip
    caller = login("admin")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    caller.ok("GET", "/users")
    chosen = caller.ok("GET", f"/select-tenant/{cast.other_tenant.pk}")
    assert (chosen["tfa_needed"], chosen["tfa_setup"]) == (False, True)
    for path in ("/users", "/folders", "/tenants/current/public"):  # neither of the two
        assert caller.refused("GET", path, 401)["message"] == "TOKEN_NOT_ACTIVATED"
    caller.ok("POST", f"/tfa/{otp(caller.ok('GET', '/tfa')['tfa_key'])}")
    assert caller.ok("GET", "/tenants/current/public")["tenant_id"] == cast.other_tenant.pk


@pytest.mark.rule("DOCMS-013")
def test_signing_out_ends_one_token(cast: Cast) -> None:
    one, two = signed_in(cast.renter, cast.tenant), signed_in(cast.renter, cast.tenant)
    one.ok("GET", "/logout")
    one.refused("GET", "/folders", 401)
    two.ok("GET", "/folders")
    assert SignInLog.objects.filter(user=cast.renter, type="logout", tenant=cast.tenant).count() == 1


@pytest.mark.rule("DOCMS-014")
def test_a_due_password_comes_before_the_tenant(cast: Cast) -> None:
    User.objects.filter(pk=cast.renter.pk).update(password_change_due=True)
    caller = login("renter")
    refusal = caller.refused("GET", f"/select-tenant/{cast.tenant.pk}", 403)
    assert refusal["message"] == "PASSWORD_CHANGE_REQUIRED"
    caller.ok("PUT", "/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")


# --- Networks -------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-015", "DOCMS-016")
@pytest.mark.parametrize(
    ("switch", "barred", "welcome"),
    [("api_internal_access", "10.1.2.3", "203.0.113.9"), ("api_external_access", "203.0.113.9", "10.1.2.3")],
)
def test_networks_can_be_barred(cast: Cast, switch: str, barred: str, welcome: str) -> None:
    inside, fresh = signed_in(cast.renter, cast.tenant, address=barred), login("renter", address=barred)
    inside.ok("GET", "/folders")
    rows.change(cast.membership("owner"), {"tfa_force": True})
    waiting = login("owner", address=barred)
    waiting.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    settings_of(cast, **{switch: False})
    choose = f"/select-tenant/{cast.tenant.pk}"
    assert fresh.refused("GET", choose, 403)["message"] == "NETWORK_NOT_ALLOWED"
    assert inside.refused("GET", choose, 403)["message"] == "NETWORK_NOT_ALLOWED"
    for operation in operations():
        if operation.takes & {"bearerAuth"} and operation.path not in ("/select-tenant/{tenantId}", "/logout"):
            body = {} if "requestBody" in operation.entry else None
            refusal = inside.refused(operation.method, operation.at(), 403, body)
            assert refusal["message"] == "NETWORK_NOT_ALLOWED", operation.path
    for path in ("/get-tenants", "/tfa"):
        assert waiting.refused("GET", path, 403)["message"] == "NETWORK_NOT_ALLOWED"
    login("renter", address=welcome).ok("GET", choose)
    signed_in(cast.renter, cast.tenant, address=welcome).ok("GET", "/folders")
    # The way out stays open: another company has rules of its own, and signing out ends the access.
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    inside.ok("GET", f"/select-tenant/{cast.other_tenant.pk}")
    inside.ok("GET", "/folders")
    signed_in(cast.renter, cast.tenant, address=barred).ok("GET", "/logout")


@pytest.mark.rule("DOCMS-017")
def test_what_is_local(cast: Cast, settings: Any) -> None:
    settings_of(cast, api_internal_access=False)
    for local in (
        "127.0.0.1", "10.0.0.1", "172.16.5.5", "172.31.255.255", "192.168.1.1", "169.254.3.3", "::1", "fe80::1",
        "fd00::1", "::ffff:10.0.0.1",
    ):  # fmt: skip
        signed_in(cast.renter, cast.tenant, address=local).refused("GET", "/folders", 403)
    for elsewhere in ("11.0.0.1", "172.15.0.1", "172.32.0.1", "192.169.1.1", "169.253.3.3", "2a00::1"):
        signed_in(cast.renter, cast.tenant, address=elsewhere).ok("GET", "/folders")
    caller = signed_in(cast.renter, cast.tenant, address="203.0.113.9")
    caller.ok("GET", "/folders")
    caller.ok("GET", "/folders", HTTP_X_FORWARDED_FOR="10.0.0.1")  # nobody trusts this proxy
    settings.TRUSTED_PROXIES = ["203.0.113.0/24"]
    caller.refused("GET", "/folders", 403, HTTP_X_FORWARDED_FOR="10.0.0.1")
    settings.TRUSTED_PROXIES = []
    settings.LOCAL_NETWORKS = ["203.0.113.0/24"]
    caller.refused("GET", "/folders", 403)


# --- Tenants and members --------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-045")
def test_the_member_view_is_for_every_member(cast: Cast) -> None:
    settings_of(
        cast, mail_password="geheim", sms_send_url="https://x.test", additional_child_folders=[{"name": "Pläne"}]
    )
    view = signed_in(cast.guest, cast.tenant).ok("GET", "/tenants/current/public")
    assert view["company_name"] == "Brandt & Keller"
    assert view["additional_child_folders"] == ["Pläne"]
    assert view["valid_sms_settings"] is False
    assert view["license_features"] == [1, 2, 3, 4]  # no licence, no limit
    assert view.keys() == contract()["components"]["schemas"]["TenantPublic"]["properties"].keys()
    assert not {name for name in view if name.startswith(("mail_", "sms_", "lock_", "api_"))}
    assert "geheim" not in str(view)
    for member in (cast.renter, cast.staff, cast.admin):
        assert signed_in(member, cast.tenant).ok("GET", "/tenants/current/public") == view
    Caller().refused("GET", "/tenants/current/public", 401)


def test_the_installation_says_what_forms_need(db: None) -> None:
    view = Caller().ok("GET", "/app-settings/public")
    assert view["pw_min_length"] == 12


@pytest.mark.rule("DOCMS-059")
def test_deactivated_people_are_out_of_one_tenant(cast: Cast) -> None:
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    here, there = signed_in(cast.renter, cast.tenant), signed_in(cast.renter, cast.other_tenant)
    mine = Membership.objects.filter(user=cast.renter, organization=cast.tenant)
    mine.update(deactivated_at=timezone.now() + datetime.timedelta(minutes=5))
    waiting = login("renter")
    waiting.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    for caller in (here, waiting):
        caller.ok("GET", "/folders")
        caller.ok("GET", "/get-tenants")
    mine.update(deactivated_at=timezone.now())
    for caller in (here, waiting):
        for path in ("/folders", "/get-tenants", "/tfa", f"/select-tenant/{cast.tenant.pk}"):
            assert caller.refused("GET", path, 401)["message"] == "USER_DEACTIVATED"
    there.ok("GET", "/folders")
    caller = login("renter")
    assert caller.refused("GET", f"/select-tenant/{cast.tenant.pk}", 403)["message"] == "USER_DEACTIVATED"
    caller.ok("GET", f"/select-tenant/{cast.other_tenant.pk}")
