"""Passwords, links and failed attempts at the docms door."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from core.services import rows
from messaging.models import Message
from orgs.models import InstallationSettings, Membership, OneTimeLink, SignInLog
from orgs.services import passwords
from orgs.signals import password_link_issued
from tests.cast import PASSWORD, Cast
from tests.docms.door import Caller, login, signed_in

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "Ein-anderer-Satz-2"


# --- Passwords ------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-029")
@pytest.mark.parametrize(
    ("switch", "least", "weak", "enough"),
    [
        ("pw_min_length", 17, "Sechzehn-Zeichen", "Siebzehn--Zeichen"),
        ("pw_min_lower_case", 4, "KLEIN-IST-HIER-abc", "KLEIN-IST-HIER-abcd"),
        ("pw_min_upper_case", 4, "gross-ist-hier-ABC", "gross-ist-hier-ABCD"),
        ("pw_min_numbers", 4, "Drei-Ziffern-123", "Vier-Ziffern-1234"),
        ("pw_min_special", 4, "Drei-Sonder-Zeichen!", "Vier-Sonder-Zeichen!?"),
    ],
)
@pytest.mark.parametrize("how", ["own", "link"])
def test_the_policy_is_kept(cast: Cast, switch: str, least: int, weak: str, enough: str, how: str) -> None:
    policy = dict.fromkeys(
        ("pw_min_length", "pw_min_lower_case", "pw_min_upper_case", "pw_min_numbers", "pw_min_special"), 0
    )
    InstallationSettings.objects.update_or_create(id=1, defaults=policy | {switch: least})
    caller, path = signed_in(cast.renter, cast.tenant), "/password"
    if how == "link":
        day = datetime.timedelta(days=1)
        token = passwords.issue_link(cast.renter, purpose="password_reset", lifetime=day)
        path = f"/password/token/{token}"
    refusal = caller.refused("PUT", path, 400, {"current_password": PASSWORD, "new_password": weak})
    assert refusal["message"] == "PASSWORD_POLICY"
    login("renter")
    caller.ok("PUT", path, {"current_password": PASSWORD, "new_password": enough})
    login("renter", enough)


@pytest.mark.rule("DOCMS-030")
def test_a_wrong_current_password_changes_nothing(cast: Cast) -> None:
    caller, other = signed_in(cast.renter, cast.tenant), signed_in(cast.renter, cast.tenant)
    caller.refused("PUT", "/password", 400, {"current_password": "falsch", "new_password": NEW_PASSWORD})
    login("renter")
    Caller().refused("GET", "/login", 401, basic=f"renter@quartier.test:{NEW_PASSWORD}")
    for token in (caller, other):
        token.ok("GET", "/folders")


@pytest.mark.rule("DOCMS-031")
def test_a_new_password_ends_the_other_tokens(cast: Cast) -> None:
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    mine, elsewhere = signed_in(cast.renter, cast.tenant), signed_in(cast.renter, cast.other_tenant)
    here, pending = signed_in(cast.renter, cast.tenant), login("renter")
    neighbour = signed_in(cast.neighbour, cast.tenant)
    mine.ok("PUT", "/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    mine.ok("GET", "/folders")
    for ended in (elsewhere, here):
        ended.refused("GET", "/folders", 401)
    pending.refused("GET", "/get-tenants", 401)
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
    first = passwords.issue_link(cast.renter, purpose="password_init", lifetime=day)
    old = passwords.issue_link(cast.renter, purpose="password_reset", lifetime=day)
    other = passwords.issue_link(cast.owner, purpose="password_reset", lifetime=day)
    link = passwords.issue_link(cast.renter, purpose="password_reset", lifetime=day)
    body = {"new_password": NEW_PASSWORD}
    answers = [Caller().refused("PUT", f"/password/token/{earlier}", 404, body) for earlier in (first, old)]
    Caller().ok("PUT", f"/password/token/{link}", body)
    answers.append(Caller().refused("PUT", f"/password/token/{link}", 404, body))
    answers.append(Caller().refused("PUT", f"/password/token/{'x' * 43}", 404, body))
    late = passwords.issue_link(cast.renter, purpose="password_reset", lifetime=day)
    OneTimeLink.objects.filter(user=cast.renter, used_at=None).update(expires_at=timezone.now())
    answers.append(Caller().refused("PUT", f"/password/token/{late}", 404, body))
    for answer in answers:
        del answer["timestamp"]
    assert answers == [answers[0]] * 5
    login("renter", NEW_PASSWORD)
    Caller().ok("PUT", f"/password/token/{other}", body)  # somebody else's is none of the earlier ones


def said_of(address: str) -> tuple[Any, ...]:
    """Everything that a caller learns."""
    answer = Caller().call("POST", f"/password/mail/{address}")
    headers = {name: value for name, value in answer.response.headers.items() if name != "X-Request-Id"}
    body = {name: value for name, value in (answer.body or {}).items() if name != "timestamp"}
    return answer.status, headers, body


@pytest.mark.rule("DOCMS-034")
def test_asking_for_a_link_tells_nothing(cast: Cast, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost:25"
    known = said_of("renter@quartier.test")
    assert (known[0], known[2]) == (200, {})
    assert OneTimeLink.objects.get().user == cast.renter
    assert said_of("nobody@quartier.test") == known
    assert said_of("RENTER@quartier.test") == known
    Caller().refused("POST", "/password/mail/no-address", 400)
    settings.EMAIL_URL = ""
    assert said_of("renter@quartier.test") == said_of("nobody@quartier.test")


@pytest.mark.rule("DOCMS-036")
def test_at_most_three_mails_an_hour_go_to_one_address(cast: Cast, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost:25"

    def ask(times: int, who: str = "renter") -> int:
        for _time in range(times):
            Caller().ok("POST", f"/password/mail/{who}@quartier.test")
        return Message.objects.filter(to_emails=[f"{who}@quartier.test"]).count()

    assert ask(3) == 3
    assert ask(2) == 3
    assert ask(1, "owner") == 1
    OneTimeLink.objects.filter(user=cast.renter).update(created_at=timezone.now() - datetime.timedelta(minutes=59))
    assert ask(1) == 3
    OneTimeLink.objects.filter(user=cast.renter).update(created_at=timezone.now() - datetime.timedelta(minutes=61))
    assert ask(4) == 6


@pytest.mark.rule("DOCMS-036")
def test_an_address_that_goes_to_another_account_gets_no_more_than_three(cast: Cast, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost:25"
    admin = signed_in(cast.admin, cast.tenant)

    def account(name: str, email: str) -> int:
        made = admin.ok("POST", "/users", {"username": name, "email": email, "name": "Neu", "token_sec": 3600})
        return int(made["user_id"])

    def mails(email: str) -> int:
        return Message.objects.filter(to_emails=[email], kind__startswith="password").count()

    first = account("erste", "eins@quartier.test")
    for _time in range(3):
        Caller().ok("POST", "/password/mail/eins@quartier.test")
    assert mails("eins@quartier.test") == 3
    admin.ok("PUT", f"/users/{first}", {"email": "zwei@quartier.test"})
    account("zweite", "Eins@quartier.test")
    Caller().ok("POST", "/password/mail/eins@quartier.test")
    assert mails("eins@quartier.test") + mails("Eins@quartier.test") == 3
    Caller().ok("POST", "/password/mail/zwei@quartier.test")
    assert mails("zwei@quartier.test") == 1


@pytest.mark.rule("DOCMS-194")
def test_without_a_way_to_send_mail_everybody_is_refused_alike(cast: Cast, settings: Any) -> None:
    settings.EMAIL_URL = ""
    answers = [said_of(f"{who}@quartier.test") for who in ("renter", "nobody", "guest")]
    assert answers == [answers[0]] * 3
    assert answers[0][0] == 403
    assert not OneTimeLink.objects.exists()
    InstallationSettings.objects.update_or_create(id=1, defaults={"mail_server": "mail.example.org"})
    assert [said_of(f"{who}@quartier.test")[0] for who in ("renter", "nobody")] == [200, 200]


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
    counter.rows.update(blocked_until=timezone.now())
    login("renter")  # the time is over
    for _attempt in range(4):
        Caller().refused("GET", "/login", 401, basic="renter@quartier.test:falsch")
    login("renter")  # four are not five, and a success ends the row of failures
    Caller().refused("GET", "/login", 401, basic="renter@quartier.test:falsch")
    login("renter")


def test_unknown_accounts_and_broken_headers_are_refused_alike(cast: Cast) -> None:
    bodies = [
        Caller().refused("GET", "/login", 401, basic="renter@quartier.test:falsch"),
        Caller().refused("GET", "/login", 401, basic="nobody@quartier.test:falsch"),
        Caller().refused("GET", "/login", 401, HTTP_AUTHORIZATION="Basic $$$"),
        Caller().refused("GET", "/login", 401),
    ]
    assert len({body["message"] for body in bodies}) == 1
    assert Caller().call("GET", "/login")["WWW-Authenticate"].startswith("Basic")


def test_a_locked_change_is_answered_like_a_wrong_password(cast: Cast) -> None:
    caller = signed_in(cast.renter, cast.tenant)
    body = {"current_password": "falsch", "new_password": NEW_PASSWORD}
    said = {caller.refused("PUT", "/password", 400, body)["message"] for _time in range(7)}
    assert len(said) == 1


def test_an_address_longer_than_addresses_are_is_none(settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost:25"
    Caller().refused("POST", f"/password/mail/{'x' * 300}@x.test", 400)
