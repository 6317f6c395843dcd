"""Passwords, links and failed attempts at the docms door."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from core.services import rows
from core.tokens import token_hash
from messaging.models import Message
from orgs.models import (
    AccessToken,
    InstallationSettings,
    Membership,
    OneTimeLink,
    OrganizationSettings,
    SignInLog,
)
from orgs.services import passwords
from orgs.signals import password_link_issued
from tests.cast import PASSWORD, Cast
from tests.docms.door import Caller, signed_in

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


@pytest.fixture
def links() -> Any:
    """The tokens of issued links, which exist in the mail only."""
    issued: list[str] = []

    def hear(sender: Any, *, token: str, **_: Any) -> None:
        issued.append(token)

    password_link_issued.connect(hear)
    yield issued
    password_link_issued.disconnect(hear)


@pytest.mark.rule("DOCMS-032")
@pytest.mark.parametrize(("purpose", "hours"), [("password_init", 5), ("password_reset", 3)])
def test_links_live_as_long_as_the_installation_says(
    cast: Cast, settings: Any, links: list[str], purpose: str, hours: int
) -> None:
    settings.EMAIL_URL = "smtp://localhost:25"
    InstallationSettings.objects.update_or_create(id=1, defaults={"pw_link_init_hours": 5, "pw_link_reset_hours": 3})
    if purpose == "password_init":
        new = {"username": "neu", "email": "neu@example.org", "name": "Neu, Nina"}
        signed_in(cast.admin, cast.tenant).ok("POST", "/users", new)
    else:
        Caller().ok("POST", "/password/mail/renter@quartier.test")
    link = f"/password/token/{links[-1]}"

    def pass_by(**time: int) -> None:
        gone = datetime.timedelta(**time)
        OneTimeLink.objects.filter(purpose=purpose).update(
            expires_at=F("expires_at") - gone, created_at=F("created_at") - gone
        )

    pass_by(hours=hours, minutes=-1)
    assert Caller().refused("PUT", link, 400, {"new_password": "kurz"})["message"] == "PASSWORD_POLICY"  # it works yet
    pass_by(minutes=1)
    Caller().refused("PUT", link, 404, {"new_password": NEW_PASSWORD})
    mail = Message.objects.get(kind=purpose)
    assert f"{hours} Stunden" in mail.body_text  # and the mail says so


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
