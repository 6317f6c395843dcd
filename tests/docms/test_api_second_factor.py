"""The second factor at the docms door."""

from __future__ import annotations

import pytest
from django.utils import timezone

from core.services import rows
from orgs.models import Membership, Organization, SecondFactor
from orgs.services import passwords, second_factor
from orgs.services.tenants import create_organization
from tests.cast import PASSWORD, Cast
from tests.docms.door import Caller, login
from tests.otp import otp

pytestmark = pytest.mark.django_db


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
    # What is demanded or confirmed elsewhere says nothing here.
    rows.create(
        Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest",
        tfa_force=True,
    )  # fmt: skip
    elsewhere = second_factor.start(cast.renter, cast.other_tenant)
    SecondFactor.objects.filter(pk=elsewhere.pk).update(confirmed_at=timezone.now(), confirmed=True)
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
    rows.change(above, {"enforces_second_factor": False})
    assert said() == (True, False)  # the key is asked for whether or not anybody demands one


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
    rows.change(cast.membership("renter"), {"tfa_force": False})
    for drift in (-1, 1):  # the present step is spent
        later = login("renter")
        assert later.ok("GET", f"/select-tenant/{cast.tenant.pk}")["tfa_needed"] is True
        later.refused("GET", "/folders", 401)
        later.refused("GET", "/tfa", 409)
        if drift == 1:
            later.ok("POST", f"/tfa/{otp(second, drift)}/verify")
            later.ok("GET", "/folders")
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
def test_a_code_is_good_for_its_step_and_one_either_side_and_once(cast: Cast) -> None:
    caller = login("renter")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    key = caller.ok("GET", "/tfa")["tfa_key"]
    for drift in (-2, 2):
        caller.refused("POST", f"/tfa/{otp(key, drift)}", 401)
    caller.ok("POST", f"/tfa/{otp(key, -1)}")
    for drift in (0, 1):
        again = login("renter")
        again.ok("GET", f"/select-tenant/{cast.tenant.pk}")
        for used in (drift - 1, -2, 2):
            again.refused("POST", f"/tfa/{otp(key, used)}/verify", 401)
        again.ok("POST", f"/tfa/{otp(key, drift)}/verify")
    last = login("renter")
    last.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    for spent in (-1, 0, 1):
        last.refused("POST", f"/tfa/{otp(key, spent)}/verify", 401)


@pytest.mark.rule("DOCMS-025")
@pytest.mark.parametrize("what", ["verify", "confirm"])
def test_five_wrong_codes_end_the_token_and_are_one_failed_sign_in(cast: Cast, what: str) -> None:
    choose = f"/select-tenant/{cast.tenant.pk}"
    failures = passwords.account_counters(cast.renter)[1].rows
    first = login("renter")
    first.ok("GET", choose)
    key = enrol(first) if what == "verify" else first.ok("GET", "/tfa")["tfa_key"]
    wrong = f"/tfa/{otp(key, 5)}" + ("/verify" if what == "verify" else "")
    for sign_in in range(1, 6):
        caller = login("renter") if what == "verify" else first
        caller.ok("GET", choose)
        for attempt in range(5):
            caller.ok("GET", choose)  # choosing again does not begin anew
            assert failures.filter(failures__gte=sign_in).count() == 0
            caller.refused("POST", wrong, 401)
            if attempt < 4:
                caller.ok("GET", "/get-tenants")
        caller.refused("GET", "/get-tenants", 401)
        caller.refused("GET", choose, 401)
        assert failures.get().failures == sign_in
        if what == "confirm":
            return  # nothing is confirmed, so the next password clears the counter (DOCMS-040)
    # Five failed sign-ins lock, however right the password is; and whoever kept a token gains nothing by it.
    assert failures.get().blocked_until is not None
    Caller().refused("GET", "/login", 401, basic=f"renter@quartier.test:{PASSWORD}")


def test_while_locked_no_code_is_right_and_a_right_one_clears_the_counter(cast: Cast) -> None:
    choose, failures = f"/select-tenant/{cast.tenant.pk}", passwords.account_counters(cast.renter)[1].rows
    first = login("renter")
    first.ok("GET", choose)
    key = enrol(first)
    kept = login("renter")
    kept.ok("GET", choose)
    for _attempt in range(5):
        Caller().refused("GET", "/login", 401, basic="renter@quartier.test:falsch")
    kept.refused("POST", f"/tfa/{otp(key)}/verify", 401)
    failures.update(blocked_until=timezone.now())
    kept.ok("POST", f"/tfa/{otp(key)}/verify")
    assert not failures.exists()


@pytest.mark.rule("DOCMS-026")
def test_keys_belong_to_a_tenant(cast: Cast) -> None:
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    caller = login("renter")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    mine = enrol(caller)
    other = login("renter")
    assert other.ok("GET", f"/select-tenant/{cast.other_tenant.pk}")["tfa_needed"] is False
    other.ok("GET", "/folders")
    theirs = enrol(other)
    assert login("neighbour").ok("GET", f"/select-tenant/{cast.tenant.pk}")["tfa_needed"] is False
    assert other.ok("GET", f"/select-tenant/{cast.tenant.pk}")["tfa_needed"] is True
    other.refused("POST", f"/tfa/{otp(theirs)}/verify", 401)
    other.ok("POST", f"/tfa/{otp(mine)}/verify")


@pytest.mark.rule("DOCMS-022")
def test_a_personal_key_cannot_be_passed_by_enrolling(cast: Cast) -> None:
    personal = second_factor.start(cast.renter)
    SecondFactor.objects.filter(pk=personal.pk).update(confirmed_at=timezone.now(), confirmed=True)
    caller = login("renter")
    assert caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")["tfa_needed"] is True
    caller.refused("GET", "/tfa", 409)
    caller.refused("GET", "/folders", 401)
    caller.ok("POST", f"/tfa/{otp(personal.secret)}/verify")
    caller.ok("GET", "/folders")


def test_codes_need_a_chosen_company(cast: Cast) -> None:
    """In the statuses that the contract lists for each of the three."""
    fresh = login("renter")
    fresh.refused("GET", "/tfa", 403)
    fresh.refused("POST", "/tfa/123456", 400)
    fresh.refused("POST", "/tfa/123456/verify", 400)
