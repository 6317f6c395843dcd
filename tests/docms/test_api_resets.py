"""What administrators reset for people who cannot sign in, over HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.services import rows
from messaging.models import Message, Template
from orgs.models import (
    AccessToken,
    Application,
    ApplicationUser,
    InstallationSettings,
    Membership,
    RecoveryCode,
    SecondFactor,
    SignInLog,
)
from orgs.services import passwords, second_factor
from tests.docms.door import Caller, age, login, signed_in
from tests.otp import otp

if TYPE_CHECKING:
    from orgs.models import Organization, User
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(cast: Cast) -> Caller:
    """Who runs the installation, with a place in the company."""
    rows.create(Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff")
    return signed_in(cast.operator, cast.tenant)


def enrolled(cast: Cast) -> tuple[Caller, str]:
    """The renter, signed in while enrolling; the code of one step ago is spent."""
    caller = login("renter")
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    key: str = caller.ok("GET", "/tfa")["tfa_key"]
    caller.ok("POST", f"/tfa/{otp(key, -1)}")
    return caller, key


def confirmed(user: User, organization: Organization | None) -> None:
    """A key that is in use."""
    SecondFactor.objects.create(
        user=user, organization=organization, secret="A" * 32, confirmed=True, confirmed_at=timezone.now(), name="k"
    )


def keys_of(user: User) -> set[int | None]:
    """The organizations that an account has keys of; None is the personal one."""
    return set(SecondFactor.objects.filter(user=user).values_list("organization_id", flat=True))


# --- Second factor --------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-027")
@pytest.mark.parametrize("forced", [True, False])
def test_after_a_reset_the_key_is_gone_and_so_are_the_tokens(cast: Cast, plain_admin: Caller, forced: bool) -> None:
    renter, _key = enrolled(cast)
    rows.change(cast.membership("renter"), {"tfa_force": forced})
    renter.ok("GET", "/folders")
    second = login("renter")
    assert second.ok("GET", f"/select-tenant/{cast.tenant.pk}")["tfa_needed"] is True
    other = signed_in(cast.owner, cast.tenant)
    plain_admin.ok("DELETE", f"/users/{cast.renter.pk}/tfa")
    for ended in (renter, second):
        ended.refused("GET", "/folders", 401)
        ended.refused("GET", "/get-tenants", 401)
    other.ok("GET", "/folders")
    plain_admin.ok("GET", "/folders")
    again = login("renter")
    answer = again.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    assert (answer["tfa_needed"], answer["tfa_setup"]) == (False, forced)
    if forced:
        again.refused("GET", "/folders", 401)
        again.ok("POST", f"/tfa/{otp(again.ok('GET', '/tfa')['tfa_key'])}")
    again.ok("GET", "/folders")


@pytest.mark.rule("DOCMS-026", "DOCMS-027")
def test_a_reset_concerns_the_one_company(cast: Cast, admin: Caller) -> None:
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    for organization in (None, cast.tenant, cast.other_tenant):
        confirmed(cast.renter, organization)
    there = signed_in(cast.renter, cast.other_tenant)
    here = signed_in(cast.renter, cast.tenant)
    admin.ok("DELETE", f"/users/{cast.renter.pk}/tfa")
    assert keys_of(cast.renter) == {None, cast.other_tenant.pk}
    here.refused("GET", "/folders", 401)
    there.ok("GET", "/folders")


def test_a_pending_key_goes_as_well(cast: Cast, admin: Caller) -> None:
    second_factor.start(cast.renter, cast.tenant)
    admin.ok("DELETE", f"/users/{cast.renter.pk}/tfa")
    assert keys_of(cast.renter) == set()


def test_the_own_key_is_reset_with_a_token_that_a_code_activated(cast: Cast) -> None:
    path = f"/users/{cast.renter.pk}/tfa"
    earlier = signed_in(cast.renter, cast.tenant)
    AccessToken.objects.filter(user=cast.renter).update(activated_at=timezone.now())
    enrolling, key = enrolled(cast)
    refusal = earlier.refused("DELETE", path, 403)
    assert refusal["message"] == "TFA_REQUIRED"
    assert keys_of(cast.renter) == {cast.tenant.pk}
    later = login("renter")
    later.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    later.refused("DELETE", path, 401)
    later.ok("POST", f"/tfa/{otp(key)}/verify")
    later.ok("DELETE", path)
    assert keys_of(cast.renter) == set()
    for ended in (earlier, enrolling, later):
        ended.refused("GET", "/folders", 401)


def test_whoever_enrols_with_an_active_token_has_passed(cast: Cast) -> None:
    caller, _key = enrolled(cast)
    caller.ok("DELETE", f"/users/{cast.renter.pk}/tfa")
    assert keys_of(cast.renter) == set()


def test_a_token_of_an_application_passed_no_second_factor(cast: Cast) -> None:
    confirmed(cast.renter, cast.tenant)
    application = rows.create(Application, tenant=cast.tenant, name="App")
    ApplicationUser.objects.create(tenant=cast.tenant, application=application, user=cast.renter)
    caller = signed_in(cast.renter, cast.tenant)
    age(caller, activated_at=timezone.now(), application=application)
    caller.refused("DELETE", f"/users/{cast.renter.pk}/tfa", 403)
    age(caller, application=None)
    caller.ok("DELETE", f"/users/{cast.renter.pk}/tfa")


def test_keys_of_others_are_for_administrators(cast: Cast, admin: Caller, renter: Caller) -> None:
    confirmed(cast.owner, cast.tenant)
    renter.refused("DELETE", f"/users/{cast.owner.pk}/tfa", 403)
    admin.refused("DELETE", f"/users/{cast.foreigner.pk}/tfa", 404)
    admin.refused("DELETE", "/users/999999999/tfa", 404)
    assert keys_of(cast.owner) == {cast.tenant.pk}


@pytest.mark.rule("DOCMS-028")
def test_keys_of_all_companies_are_the_operators(cast: Cast, admin: Caller, renter: Caller, operator: Caller) -> None:
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    for organization in (None, cast.tenant, cast.other_tenant):
        confirmed(cast.renter, organization)
    second_factor.new_recovery_codes(cast.renter)
    confirmed(cast.owner, cast.tenant)
    path = f"/users/{cast.renter.pk}/tfa/all-tenants"
    for caller in (admin, renter, signed_in(cast.guest, cast.tenant)):
        caller.refused("DELETE", path, 403)
    assert len(keys_of(cast.renter)) == 3
    there = signed_in(cast.renter, cast.other_tenant)
    operator.ok("DELETE", path)
    assert keys_of(cast.renter) == set()
    assert not RecoveryCode.objects.filter(user=cast.renter).exists()
    assert keys_of(cast.owner) == {cast.tenant.pk}
    for ended in (there, renter):
        ended.refused("GET", "/folders", 401)
    confirmed(cast.foreigner, cast.other_tenant)
    operator.ok("DELETE", f"/users/{cast.foreigner.pk}/tfa/all-tenants")  # a member of none of the operator's companies
    assert keys_of(cast.foreigner) == set()
    operator.refused("DELETE", "/users/999999999/tfa/all-tenants", 404)


# --- Failed attempts ------------------------------------------------------------------------------------


def fail(times: int) -> None:
    """Wrong passwords of the renter."""
    for _time in range(times):
        Caller().refused("GET", "/login", 401, basic="renter@quartier.test:falsch")


@pytest.mark.rule("DOCMS-040")
def test_a_reset_lifts_the_lock_and_clears_the_counter(cast: Cast, plain_admin: Caller) -> None:
    path = f"/users/{cast.renter.pk}/login-attempts"
    fail(5)
    right = "renter@quartier.test:Ein-guter-Satz-1"
    Caller().refused("GET", "/login", 401, basic=right)
    signed_in(cast.owner, cast.tenant).refused("DELETE", path, 403)
    signed_in(cast.renter, cast.tenant).refused("DELETE", path, 403)
    Caller().refused("GET", "/login", 401, basic=right)
    plain_admin.ok("DELETE", path)
    Caller().ok("GET", "/login", basic=right)
    assert SignInLog.objects.filter(user=cast.renter, tenant=cast.tenant, type="unlocked", door="docms").count() == 1
    fail(4)
    plain_admin.ok("DELETE", path)
    fail(1)  # the first again, not the fifth
    Caller().ok("GET", "/login", basic=right)


@pytest.mark.rule("DOCMS-040")
def test_a_success_and_a_redeemed_link_clear_the_counter(cast: Cast, admin: Caller) -> None:
    fail(4)
    login("renter")
    fail(4)
    login("renter")
    fail(5)
    admin.ok("POST", f"/password/user/{cast.renter.pk}")
    Caller().ok("PUT", f"/password/token/{link_to(cast.renter.email)}", {"new_password": "Ein-anderer-Satz-2"})
    login("renter", "Ein-anderer-Satz-2")


def test_attempts_on_an_account_of_other_companies_stay(cast: Cast, admin: Caller) -> None:
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    fail(5)
    admin.refused("DELETE", f"/users/{cast.renter.pk}/login-attempts", 403)
    assert passwords.account_counters(cast.renter)[1].rows.exists()
    admin.refused("DELETE", f"/users/{cast.foreigner.pk}/login-attempts", 404)


# --- Password links -------------------------------------------------------------------------------------


def link_to(address: str) -> str:
    """The token of the latest link to an address."""
    mail = Message.objects.filter(to_emails=[address]).latest("id")
    found = re.search(r"/app/password/(\S+)", mail.body_text)
    assert found is not None
    return found[1]


def mails_to(address: str) -> list[Message]:
    """Mails to an address, oldest first."""
    return list(Message.objects.filter(to_emails=[address]).order_by("id"))


@pytest.mark.rule("DOCMS-035")
def test_who_has_no_password_gets_a_first_link_and_others_a_reset_link(cast: Cast, plain_admin: Caller) -> None:
    new = {"username": "neu", "email": "neu@example.org", "name": "Neu, Nina", "locale": "pl_PL"}
    made = plain_admin.ok("POST", "/users?welcome=false", new)["user_id"]
    plain_admin.ok("POST", f"/password/user/{made}")
    plain_admin.ok("PUT", f"/users/{cast.renter.pk}", {"locale": "fr_FR"})
    plain_admin.ok("POST", f"/password/user/{cast.renter.pk}")
    assert [(m.kind, m.language) for m in mails_to("neu@example.org")] == [("password_init", "pl")] * 2
    (reset,) = mails_to(cast.renter.email)
    assert (reset.kind, reset.language, reset.tenant_id) == ("password_reset", "fr", cast.tenant.pk)
    Caller().ok("PUT", f"/password/token/{link_to('neu@example.org')}", {"new_password": "Ein-anderer-Satz-2"})
    plain_admin.ok("POST", f"/password/user/{made}")
    assert mails_to("neu@example.org")[-1].kind == "password_reset"


@pytest.mark.rule("DOCMS-035")
def test_links_come_with_the_texts_of_the_installation(cast: Cast, admin: Caller) -> None:
    for kind in ("pw_init", "pw_reset"):
        for language in ("de", "pl"):
            body = "<p>{{link}}</p>"
            rows.create(Template, kind=kind, language=language, subject=f"{kind} {language}", body=body)
    new = {"username": "neu", "email": "neu@example.org", "name": "Neu, Nina", "locale": "pl_PL"}
    made = admin.ok("POST", "/users?welcome=false", new)["user_id"]
    admin.ok("POST", f"/password/user/{made}")
    admin.ok("POST", f"/password/user/{cast.renter.pk}")
    assert mails_to("neu@example.org")[-1].subject == "pw_init pl"
    assert [mail.subject for mail in mails_to(cast.renter.email)] == ["pw_reset de"]


@pytest.mark.rule("DOCMS-037")
def test_links_begin_with_the_address_of_the_installation(cast: Cast, admin: Caller, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost:25"
    rows.create(InstallationSettings, pk=1, app_url="https://haus.example.org")
    asked = {"HTTP_HOST": "testserver", "HTTP_X_FORWARDED_HOST": "boese.test"}
    admin.ok("POST", f"/password/user/{cast.renter.pk}", **asked)
    Caller().ok("POST", f"/password/mail/{cast.owner.email}", **asked)
    new = {"username": "neu", "email": "neu@example.org", "name": "Neu"}
    admin.ok("POST", "/users?welcome=false", new, **asked)
    for address in (cast.renter.email, cast.owner.email, new["email"]):
        (mail,) = mails_to(address)
        assert "https://haus.example.org/app/password/" in mail.body_text
        for text in (mail.body_text, mail.body_html):
            assert "testserver" not in text
            assert "boese.test" not in text


@pytest.mark.rule("DOCMS-036")
def test_a_fourth_link_in_an_hour_is_not_sent_and_not_told(cast: Cast, admin: Caller) -> None:
    path = f"/password/user/{cast.renter.pk}"
    for _time in range(3):
        admin.ok("POST", path)
    third = link_to(cast.renter.email)
    for _time in range(2):
        admin.ok("POST", path)
    assert len(mails_to(cast.renter.email)) == 3
    Caller().ok("PUT", f"/password/token/{third}", {"new_password": "Ein-anderer-Satz-2"})  # still the valid one
    admin.ok("POST", f"/password/user/{cast.owner.pk}")
    assert len(mails_to(cast.owner.email)) == 1


def test_links_are_sent_by_administrators_and_for_accounts_of_their_company_alone(
    cast: Cast, admin: Caller, renter: Caller
) -> None:
    rows.create(Membership, user=cast.owner, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    renter.refused("POST", f"/password/user/{cast.renter.pk}", 403)
    renter.refused("POST", f"/password/user/{cast.neighbour.pk}", 403)
    admin.refused("POST", f"/password/user/{cast.owner.pk}", 403)
    admin.refused("POST", f"/password/user/{cast.foreigner.pk}", 404)
    assert not Message.objects.exists()
    admin.ok("POST", f"/password/user/{cast.neighbour.pk}")
    assert Message.objects.count() == 1


def test_an_erased_account_is_unknown(cast: Cast, admin: Caller) -> None:
    path = f"/users/{cast.renter.pk}"
    admin.ok("GET", path)
    type(cast.renter).objects.filter(pk=cast.renter.pk).update(erased_at=timezone.now(), first_name="", last_name="")
    for method, end in (("GET", ""), ("DELETE", "/tfa"), ("DELETE", "/login-attempts")):
        admin.refused(method, path + end, 404)
    admin.refused("POST", f"/password/user/{cast.renter.pk}", 404)
