"""Sign-in, tokens, tenants, networks, second factor and passwords at the docms door."""

from __future__ import annotations

import base64
import datetime
import time
from typing import Any

import pytest
from django.utils import timezone
from django_otp.oath import totp

from core.services import rows
from core.tokens import token_hash
from orgs.models import (
    AccessToken,
    InstallationSettings,
    Membership,
    OneTimeLink,
    OrganizationSettings,
    SecondFactor,
    SignInLog,
    User,
)
from orgs.services import passwords, second_factor
from orgs.services.tenants import create_tenant
from tests.cast import PASSWORD, Cast
from tests.docms.door import Caller, cost_of, signed_in

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "Ein-anderer-Satz-2"


def login(who: str, password: str = PASSWORD, **extra: Any) -> Caller:
    """A caller whose token is not activated."""
    caller = Caller(**extra)
    caller.token = caller.ok("GET", "/login", basic=f"{who}@quartier.test:{password}")["token"]
    return caller


def age(caller: Caller, **values: Any) -> None:
    """Change the row of the caller's token."""
    AccessToken.objects.filter(token_hash=token_hash(caller.token)).update(**values)


def code(secret: str, drift: int = 0) -> str:
    """The code of a key, now or some steps away."""
    return f"{totp(base64.b32decode(secret), drift=drift):06d}"


def settings_of(cast: Cast, **values: Any) -> None:
    """Change settings of the tenant."""
    OrganizationSettings.objects.filter(organization=cast.tenant).update(**values)


# --- Tokens ---------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-001", "DOCMS-004")
def test_login_gives_a_token_that_only_its_hash_is_kept_of(cast: Cast) -> None:
    answer = Caller().ok("GET", "/login", basic=f"renter@quartier.test:{PASSWORD}")
    assert answer["user_id"] == cast.renter.pk
    row = AccessToken.objects.get(user=cast.renter)
    assert row.state == "pending"
    assert answer["token"].encode() not in bytes(row.token_hash)
    stored = str(AccessToken.objects.filter(pk=row.pk).values().get())
    assert answer["token"] not in stored
    assert Caller().ok("GET", "/login", basic=f"RENTER@quartier.test:{PASSWORD}")["token"] != answer["token"]


@pytest.mark.rule("DOCMS-002")
def test_a_pending_token_opens_the_sign_in_calls_only(cast: Cast) -> None:
    caller = login("admin")
    for method, path in (
        ("GET", "/folders"), ("GET", "/files"), ("GET", "/users"), ("GET", "/groups"), ("GET", "/maillogs"),
        ("GET", "/tenants/current/public"), ("GET", "/favorites"), ("POST", "/files/search"), ("GET", "/deleted-files"),
        ("GET", f"/users/{cast.admin.pk}"), ("GET", "/files/1/read"), ("DELETE", "/folders/1"),
    ):  # fmt: skip
        assert caller.refused(method, path, 401)["message"] == "TOKEN_NOT_ACTIVATED"
    caller.ok("GET", "/get-tenants")
    caller.refused("GET", "/tfa", 403)  # allowed, but no tenant is selected
    caller.refused("PUT", "/password", 400, {"current_password": "x", "new_password": "y"})
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    login("admin").ok("GET", "/logout")


@pytest.mark.rule("DOCMS-003")
def test_a_pending_token_lives_ten_minutes(cast: Cast) -> None:
    caller = login("renter")
    age(caller, created_at=timezone.now() - datetime.timedelta(minutes=9, seconds=50))
    caller.ok("GET", "/get-tenants")
    age(caller, created_at=timezone.now() - datetime.timedelta(minutes=10))
    assert caller.refused("GET", "/get-tenants", 401)["message"] == "TOKEN_EXPIRED"


@pytest.mark.rule("DOCMS-005")
def test_tenants_are_those_of_active_memberships(cast: Cast) -> None:
    assert [t["tenant_id"] for t in login("renter").ok("GET", "/get-tenants")] == [cast.tenant.pk]
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    caller = login("renter")
    names = [t["company_name"] for t in caller.ok("GET", "/get-tenants")]
    assert names == sorted(names)
    assert len(names) == 2
    Membership.objects.filter(user=cast.renter, organization=cast.tenant).update(deactivated_at=timezone.now())
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
    caller.ok("GET", f"/select-tenant/{cast.other_tenant.pk}")
    caller.refused("GET", "/users", 403)
    assert caller.ok("GET", "/tenants/current/public")["tenant_id"] == cast.other_tenant.pk
    rows.change(member, {"tfa_force": True})
    assert caller.ok("GET", f"/select-tenant/{cast.other_tenant.pk}")["tfa_setup"] is True
    caller.refused("GET", "/tenants/current/public", 401)
    caller.ok("GET", "/tfa")


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
    inside, outside = signed_in(cast.renter, cast.tenant, address=barred), login("renter", address=barred)
    inside.ok("GET", "/folders")
    settings_of(cast, **{switch: False})
    assert inside.refused("GET", "/folders", 403)["message"] == "NETWORK_NOT_ALLOWED"
    assert outside.refused("GET", f"/select-tenant/{cast.tenant.pk}", 403)["message"] == "NETWORK_NOT_ALLOWED"
    login("renter", address=welcome).ok("GET", f"/select-tenant/{cast.tenant.pk}")


@pytest.mark.rule("DOCMS-017")
def test_what_is_local(cast: Cast, settings: Any) -> None:
    settings_of(cast, api_internal_access=False)
    for local in ("127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.3.3", "::1", "fe80::1", "fd00::1"):
        signed_in(cast.renter, cast.tenant, address=local).refused("GET", "/folders", 403)
    caller = signed_in(cast.renter, cast.tenant, address="203.0.113.9")
    caller.ok("GET", "/folders")
    caller.ok("GET", "/folders", HTTP_X_FORWARDED_FOR="10.0.0.1")  # nobody trusts this proxy
    settings.TRUSTED_PROXIES = ["203.0.113.0/24"]
    caller.refused("GET", "/folders", 403, HTTP_X_FORWARDED_FOR="10.0.0.1")
    settings.TRUSTED_PROXIES = []
    settings.LOCAL_NETWORKS = ["203.0.113.0/24"]
    caller.refused("GET", "/folders", 403)


# --- Second factor --------------------------------------------------------------------------------------


def enrol(caller: Caller) -> str:
    """Enrol the tenant of the caller with the code of one step ago, so that the present one is left."""
    key: str = caller.ok("GET", "/tfa")["tfa_key"]
    caller.ok("POST", f"/tfa/{code(key, -1)}")
    return key


@pytest.mark.rule("DOCMS-019", "DOCMS-020")
def test_needed_and_setup(cast: Cast) -> None:
    choose = f"/select-tenant/{cast.tenant.pk}"

    def said() -> tuple[bool, bool]:
        answer = login("renter").ok("GET", choose)
        return answer["tfa_needed"], answer["tfa_setup"]

    assert said() == (False, False)
    membership = cast.membership("renter")
    rows.change(membership, {"tfa_force": True})
    assert said() == (False, True)
    personal = second_factor.start(cast.renter)
    assert said() == (False, True)
    SecondFactor.objects.filter(pk=personal.pk).update(confirmed_at=timezone.now(), confirmed=True)
    assert said() == (True, False)
    second_factor.remove(cast.renter)
    rows.change(membership, {"tfa_force": False})
    rows.change(cast.tenant, {"enforces_second_factor": True})
    assert said() == (False, True)
    caller = login("renter")
    caller.ok("GET", choose)
    enrol(caller)
    assert said() == (True, False)


@pytest.mark.rule("DOCMS-021", "DOCMS-022", "DOCMS-023")
def test_enrolling(cast: Cast) -> None:
    rows.change(cast.membership("renter"), {"tfa_force": True})
    caller = login("renter")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    first = caller.ok("GET", "/tfa")["tfa_key"]
    second = caller.ok("GET", "/tfa")["tfa_key"]
    assert first != second
    assert SecondFactor.objects.filter(user=cast.renter).count() == 1
    assert login("renter").ok("GET", f"/select-tenant/{cast.tenant.pk}")["tfa_needed"] is False
    caller.refused("POST", f"/tfa/{code(first)}", 401)
    assert second_factor.pending(cast.renter, cast.tenant) is not None
    caller.refused("GET", "/folders", 401)
    caller.ok("POST", f"/tfa/{code(second)}")
    caller.ok("GET", "/folders")
    caller.refused("GET", "/tfa", 409)
    assert login("renter").ok("GET", f"/select-tenant/{cast.tenant.pk}")["tfa_needed"] is True


@pytest.mark.rule("DOCMS-024")
def test_passing_the_second_factor(cast: Cast) -> None:
    caller = login("renter")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    key = enrol(caller)
    caller = login("renter")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    wrong = "000000" if code(key) != "000000" else "111111"
    caller.refused("POST", f"/tfa/{wrong}/verify", 401)
    caller.refused("GET", "/folders", 401)
    caller.ok("POST", f"/tfa/{code(key)}/verify")
    caller.ok("GET", "/folders")
    neighbour = login("neighbour")
    Membership.objects.filter(user=cast.neighbour).update(tfa_force=True)
    neighbour.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    neighbour.refused("POST", "/tfa/123456/verify", 400)


@pytest.mark.rule("DOCMS-025")
def test_codes_are_spent_and_counted(cast: Cast) -> None:
    caller = login("renter")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    key = caller.ok("GET", "/tfa")["tfa_key"]
    while time.time() % 30 > 25:  # a step must not end in the middle
        time.sleep(0.2)
    for drift in (-2, 2):
        caller.refused("POST", f"/tfa/{code(key, drift)}", 401)
    caller.ok("POST", f"/tfa/{code(key, -1)}")
    again = login("renter")
    again.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    again.refused("POST", f"/tfa/{code(key, -1)}/verify", 401)
    again.ok("POST", f"/tfa/{code(key, 1)}/verify")
    third = login("renter")
    third.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    for _attempt in range(5):
        third.refused("POST", f"/tfa/{code(key, 1)}/verify", 401)
    assert "not" not in third.refused("GET", "/get-tenants", 401)["message"]  # no token any more
    counter = passwords.account_counters(cast.renter)[1]
    assert counter.rows.get().failures == 1


@pytest.mark.rule("DOCMS-026")
def test_keys_belong_to_a_tenant(cast: Cast) -> None:
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    caller = login("renter")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    enrol(caller)
    other = login("renter")
    assert other.ok("GET", f"/select-tenant/{cast.other_tenant.pk}")["tfa_needed"] is False
    assert other.ok("GET", f"/select-tenant/{cast.tenant.pk}")["tfa_needed"] is True


def test_a_personal_key_cannot_be_passed_by_enrolling(cast: Cast) -> None:
    personal = second_factor.start(cast.renter)
    SecondFactor.objects.filter(pk=personal.pk).update(confirmed_at=timezone.now(), confirmed=True)
    caller = login("renter")
    assert caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")["tfa_needed"] is True
    caller.refused("GET", "/tfa", 409)
    caller.refused("GET", "/folders", 401)
    caller.ok("POST", f"/tfa/{code(personal.secret)}/verify")
    caller.ok("GET", "/folders")


# --- Passwords ------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-029")
@pytest.mark.parametrize("weak", ["Kurz-1a", "ALLES-GROSS-12345", "alles-klein-12345", "Keine-Ziffer-hier"])
def test_the_policy_is_kept(cast: Cast, weak: str) -> None:
    caller = signed_in(cast.renter, cast.tenant)
    refusal = caller.refused("PUT", "/password", 400, {"current_password": PASSWORD, "new_password": weak})
    assert refusal["message"] == "PASSWORD_POLICY"
    InstallationSettings.objects.update_or_create(id=1, defaults={"pw_min_special": 2})
    body = {"current_password": PASSWORD, "new_password": "Nureinezeichen-12345"}
    caller.refused("PUT", "/password", 400, body)


@pytest.mark.rule("DOCMS-030")
def test_a_wrong_current_password_changes_nothing(cast: Cast) -> None:
    caller = signed_in(cast.renter, cast.tenant)
    caller.refused("PUT", "/password", 400, {"current_password": "falsch", "new_password": NEW_PASSWORD})
    login("renter")
    caller.ok("GET", "/folders")


@pytest.mark.rule("DOCMS-031")
def test_a_new_password_ends_the_other_tokens(cast: Cast) -> None:
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    mine, elsewhere = signed_in(cast.renter, cast.tenant), signed_in(cast.renter, cast.other_tenant)
    neighbour = signed_in(cast.neighbour, cast.tenant)
    mine.ok("PUT", "/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    mine.ok("GET", "/folders")
    elsewhere.refused("GET", "/folders", 401)
    neighbour.ok("GET", "/folders")
    login("renter", NEW_PASSWORD)


@pytest.mark.rule("DOCMS-033")
def test_links_work_once(cast: Cast) -> None:
    day = datetime.timedelta(days=1)
    old = passwords.issue_link(cast.renter, purpose="password_reset", lifetime=day)
    link = passwords.issue_link(cast.renter, purpose="password_reset", lifetime=day)
    body = {"new_password": NEW_PASSWORD}
    answers = [Caller().refused("PUT", f"/password/token/{old}", 404, body)]
    Caller().ok("PUT", f"/password/token/{link}", body)
    answers.append(Caller().refused("PUT", f"/password/token/{link}", 404, body))
    answers.append(Caller().refused("PUT", f"/password/token/{'x' * 43}", 404, body))
    late = passwords.issue_link(cast.renter, purpose="password_reset", lifetime=day)
    OneTimeLink.objects.filter(user=cast.renter, used_at=None).update(expires_at=timezone.now())
    answers.append(Caller().refused("PUT", f"/password/token/{late}", 404, body))
    assert len({answer["message"] for answer in answers}) == 1
    assert {answer["path"] for answer in answers} == {"/docms/api/v1/password/token/***"}
    login("renter", NEW_PASSWORD)


@pytest.mark.rule("DOCMS-034", "DOCMS-036", "DOCMS-194")
def test_asking_for_a_link_tells_nothing(cast: Cast, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost:25"
    for address in ("renter@quartier.test", "nobody@quartier.test"):
        assert Caller().call("POST", f"/password/mail/{address}").raw == b""
    assert OneTimeLink.objects.filter(user=cast.renter).count() == 1
    for _more in range(4):
        Caller().ok("POST", "/password/mail/renter@quartier.test")
    assert OneTimeLink.objects.filter(user=cast.renter).count() == 3
    Caller().refused("POST", "/password/mail/no-address", 400)
    settings.EMAIL_URL = ""
    for address in ("renter@quartier.test", "nobody@quartier.test"):
        refusal = Caller().refused("POST", f"/password/mail/{address}", 403)
        assert address not in refusal["path"]


# --- Failed attempts ------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-038", "DOCMS-039")
def test_five_failures_lock(cast: Cast) -> None:
    wrong = [Caller().refused("GET", "/login", 401, basic="renter@quartier.test:falsch") for _ in range(5)]
    locked = Caller().refused("GET", "/login", 401, basic=f"renter@quartier.test:{PASSWORD}")
    for body in (*wrong, locked):
        body.pop("timestamp")
    assert all(body == locked for body in wrong)
    assert SignInLog.objects.filter(user=cast.renter, type="locked").count() == 1
    counter = passwords.account_counters(cast.renter)[1]
    seconds = []
    for _lock in range(6):
        row = counter.rows.get()
        assert row.blocked_until is not None
        seconds.append(round((row.blocked_until - row.last_failure_at).total_seconds()))
        counter.rows.update(blocked_until=timezone.now())
        for _attempt in range(5):
            Caller().refused("GET", "/login", 401, basic="renter@quartier.test:falsch")
    assert seconds == [60, 300, 1500, 7500, 37500, 86400]


def test_unknown_accounts_and_broken_headers_are_refused_alike(cast: Cast) -> None:
    bodies = [
        Caller().refused("GET", "/login", 401, basic="renter@quartier.test:falsch"),
        Caller().refused("GET", "/login", 401, basic="nobody@quartier.test:falsch"),
        Caller().refused("GET", "/login", 401, HTTP_AUTHORIZATION="Basic $$$"),
        Caller().refused("GET", "/login", 401),
    ]
    assert len({body["message"] for body in bodies}) == 1
    assert Caller().call("GET", "/login")["WWW-Authenticate"].startswith("Basic")


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
    assert not {name for name in view if name.startswith(("mail_", "sms_", "lock_", "api_"))}
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
    here.ok("GET", "/folders")
    mine.update(deactivated_at=timezone.now())
    here.refused("GET", "/folders", 401)
    there.ok("GET", "/folders")
    caller = login("renter")
    assert caller.refused("GET", f"/select-tenant/{cast.tenant.pk}", 403)["message"] == "USER_DEACTIVATED"
    caller.ok("GET", f"/select-tenant/{cast.other_tenant.pk}")
