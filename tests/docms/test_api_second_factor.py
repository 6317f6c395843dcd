"""The second factor at the docms door."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.utils import timezone

from core.services import rows
from core.tokens import token_hash
from orgs.models import (
    AccessToken,
    Membership,
    Organization,
    OrganizationSettings,
    SecondFactor,
)
from orgs.services import passwords, second_factor
from orgs.services.tenants import create_organization
from tests.cast import PASSWORD, Cast
from tests.docms.door import Caller
from tests.otp import otp

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


def settings_of(cast: Cast, **values: Any) -> None:
    """Change settings of the tenant."""
    OrganizationSettings.objects.filter(organization=cast.tenant).update(**values)


# --- Second factor --------------------------------------------------------------------------------------


def enrol(caller: Caller) -> str:
    """Enrol the tenant of the caller with the code of one step ago, so that the present one is left."""
    key: str = caller.ok("GET", "/tfa")["tfa_key"]
    caller.ok("POST", f"/tfa/{otp(key, -1)}")
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
    rows.change(cast.tenant, {"enforces_second_factor": False})
    above = create_organization(name="Gruppe", created_by=cast.operator)
    Organization.objects.filter(pk=cast.tenant.pk).update(parent=above, ancestors=[above.pk])
    assert said() == (False, False)
    rows.change(above, {"enforces_second_factor": True})
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
    caller.refused("POST", f"/tfa/{otp(first)}", 401)
    assert second_factor.pending(cast.renter, cast.tenant) is not None
    caller.refused("GET", "/folders", 401)
    caller.ok("POST", f"/tfa/{otp(second)}")
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
    wrong = "000000" if otp(key) != "000000" else "111111"
    caller.refused("POST", f"/tfa/{wrong}/verify", 401)
    caller.refused("GET", "/folders", 401)
    caller.ok("POST", f"/tfa/{otp(key)}/verify")
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
        caller.refused("POST", f"/tfa/{otp(key, drift)}", 401)
    caller.ok("POST", f"/tfa/{otp(key, -1)}")
    again = login("renter")
    again.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    again.refused("POST", f"/tfa/{otp(key, -1)}/verify", 401)
    again.ok("POST", f"/tfa/{otp(key, 1)}/verify")
    third = login("renter")
    third.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    for _attempt in range(5):
        third.refused("POST", f"/tfa/{otp(key, 1)}/verify", 401)
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
    caller.ok("POST", f"/tfa/{otp(personal.secret)}/verify")
    caller.ok("GET", "/folders")
