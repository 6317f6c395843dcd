"""Signing in and out in the browser, and the links that set passwords."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from core.models import Throttle
from core.tokens import token_hash
from orgs.models import Membership, OneTimeLink, Session, User
from orgs.services import passwords, second_factor
from orgs.signals import password_link_issued
from tests.cast import PASSWORD, Cast
from tests.docms import door
from tests.otp import otp
from tests.portal.pages import signed_in

LOGIN = "/app/login"


def post(client: Client, name: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(LOGIN, {"username": name, "password": password, **more})


def test_the_form_has_the_promised_inputs_and_lets_people_in(cast: Cast, client: Client) -> None:
    page = client.get(LOGIN).content.decode()
    assert 'name="username"' in page and 'name="password"' in page
    response = post(client, "RENTER@quartier.test")
    assert response.status_code == 302 and response.url == "/app/"
    assert client.get("/app/").url == f"/app/c/{cast.house_a.pk}/"


def test_unknown_address_and_wrong_password_get_the_same_answer(cast: Cast) -> None:
    answers = [
        post(Client(REMOTE_ADDR=f"203.0.113.{n}"), name, "falsch")
        for n, name in enumerate(("renter@quartier.test", "x@quartier.test"))
    ]
    texts = [
        a.content.decode().replace(n, "")
        for a, n in zip(answers, ("renter@quartier.test", "x@quartier.test"), strict=True)
    ]
    assert [a.status_code for a in answers] == [422, 422]
    assert texts[0].count("<form") == texts[1].count("<form")
    assert [t.count('role="alert"') for t in texts] == [1, 1]


@pytest.mark.rule("PORTAL-007")
def test_the_cookie_is_guarded(cast: Cast, client: Client, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True  # off in the tests' settings; production's are held by tests/house
    post(client, "renter@quartier.test")
    cookie = client.cookies["user_session"]
    assert cookie["httponly"] is True and cookie["secure"] is True and cookie["samesite"] == "Lax"


def visitor(cast: Cast) -> Client:
    """A browser with a session in which nobody is signed in."""
    client = Client()
    session = client.session
    session["seen"] = True
    session.save()
    return client


def somebody_else(cast: Cast) -> Client:
    """A browser in which the neighbour is signed in."""
    return signed_in(cast.neighbour)


@pytest.mark.rule("PORTAL-007")
@pytest.mark.parametrize("before", [visitor, somebody_else])
def test_signing_in_replaces_the_session_of_before(cast: Cast, before: Callable[[Cast], Client]) -> None:
    client = before(cast)
    old = client.cookies["user_session"].value
    assert Session.objects.filter(session_key=token_hash(old)).exists()
    assert post(client, "renter@quartier.test").status_code == 302
    assert client.cookies["user_session"].value != old
    assert client.session["_auth_user_id"] == str(cast.renter.pk)
    assert not Session.objects.filter(session_key=token_hash(old)).exists()


def stay_away(user: User, time: datetime.timedelta) -> None:
    """Let the person's only session lie idle for so long."""
    Session.objects.filter(user=user).update(last_seen_at=F("last_seen_at") - time, expires_at=F("expires_at") - time)


@pytest.mark.rule("PORTAL-008")
@pytest.mark.parametrize(("remember", "hours"), [(False, 12), (True, 30 * 24)])
def test_the_session_ends_when_it_was_idle_for_as_long_as_was_asked(
    cast: Cast, client: Client, remember: bool, hours: int
) -> None:
    idle, minute = datetime.timedelta(hours=hours), datetime.timedelta(minutes=1)
    post(client, "renter@quartier.test", **({"remember": "on"} if remember else {}))
    assert int(client.cookies["user_session"]["max-age"]) == idle.total_seconds()
    for _visit in range(3):  # each renews the time
        assert abs(Session.objects.get(user=cast.renter).expires_at - timezone.now() - idle) < minute
        stay_away(cast.renter, idle - minute)
        assert client.get("/app/profile").status_code == 200
    stay_away(cast.renter, idle)
    response = client.get("/app/profile")
    assert response.status_code == 302 and response.url.startswith(LOGIN)


def test_waits_grow_and_are_shown_and_hold_for_the_right_password_too(cast: Cast) -> None:
    client = Client(REMOTE_ADDR="198.51.100.7")
    assert [post(client, "renter@quartier.test", "falsch").status_code for _ in range(3)] == [422] * 3
    response = post(client, "renter@quartier.test")
    assert response.status_code == 429 and int(response["Retry-After"]) >= 1
    assert 'data-wait="1"' in response.content.decode()


def test_wrong_codes_lead_to_waits_as_wrong_passwords_do(cast: Cast, client: Client) -> None:
    factor = second_factor.start(cast.renter)
    assert second_factor.confirm(factor, otp(factor.secret, -1))
    held = post(client, "renter@quartier.test").context["held"]
    assert client.post(LOGIN, {"held": held, "code": "000000"}).status_code == 422
    assert set(Throttle.objects.values_list("failures", flat=True)) == {1}
    Throttle.objects.update(failures=9)
    assert client.post(LOGIN, {"held": held, "code": "000000"}).status_code == 422
    response = client.post(LOGIN, {"held": held, "code": otp(factor.secret)})
    assert response.status_code == 429 and 120 < int(response["Retry-After"]) <= 128


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "javascript:alert(1)", "evil"])
def test_signing_in_leads_nowhere_else(cast: Cast, client: Client, target: str) -> None:
    assert post(client, "renter@quartier.test", next=target).url == "/app/"


def test_signing_in_leads_back_to_the_page_that_was_asked_for(cast: Cast, client: Client) -> None:
    wanted = f"/app/c/{cast.house_a.pk}/info/documents?only=unread"
    response = client.get(wanted)
    assert response.status_code == 302 and response.url.startswith(f"{LOGIN}?next=")
    assert post(client, "renter@quartier.test", next=wanted).url == wanted
    assert client.get(LOGIN).status_code == 302  # nothing to do there any more


def test_a_confirmed_second_factor_is_asked_for(cast: Cast, client: Client) -> None:
    factor = second_factor.start(cast.renter)
    assert second_factor.confirm(factor, otp(factor.secret, -1))
    response = post(client, "renter@quartier.test")
    assert "_auth_user_id" not in client.session
    held = response.context["held"]
    assert PASSWORD not in response.content.decode() and PASSWORD not in held
    assert client.post(LOGIN, {"held": held, "code": "000000"}).status_code == 422
    assert client.post(LOGIN, {"held": held[:-4] + "AAAA", "code": "000000"}).url == LOGIN
    good = client.post(LOGIN, {"held": held, "code": otp(factor.secret)})
    assert good.status_code == 302 and client.session["second_factor_at"]


def test_a_demanded_second_factor_is_switched_on_before_coming_in(cast: Cast, client: Client) -> None:
    Membership.objects.filter(user=cast.staff, organization=cast.tenant).update(tfa_force=True)
    response = post(client, "staff@quartier.test")
    assert "_auth_user_id" not in client.session
    held, key = response.context["held"], second_factor.pending(cast.staff)
    assert key is not None and key.secret[:4] in response.content.decode()
    assert client.post(LOGIN, {"held": held, "enrol": "1", "code": "000000"}).status_code == 422
    code = otp(key.secret)
    response = client.post(LOGIN, {"held": held, "enrol": "1", "code": code})
    assert len(response.context["codes"]) == 10
    assert client.session["_auth_user_id"] == str(cast.staff.pk)


def test_signing_out_takes_a_post_and_ends_the_session(cast: Cast) -> None:
    client = signed_in(cast.renter)
    assert client.get("/app/logout").status_code == 405
    assert client.post("/app/logout").url == LOGIN
    assert not Session.objects.filter(user=cast.renter).exists()
    assert client.get("/app/profile").status_code == 302


def test_a_form_without_its_token_changes_nothing(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.renter, backend="orgs.auth.SessionBackend")
    assert client.post("/app/logout").status_code == 403
    assert Session.objects.filter(user=cast.renter).exists()


def test_light_and_dark_follow_the_person(cast: Cast) -> None:
    client = signed_in(cast.renter)
    client.post("/app/theme", {"theme": "dark"})
    cast.renter.refresh_from_db()
    assert cast.renter.darkmode and 'data-theme="dark"' in client.get("/app/profile").content.decode()
    assert client.post("/app/theme", {"theme": "light"}, headers={"x-requested-with": "fetch"}).status_code == 204
    assert 'data-theme="light"' in client.get("/app/profile").content.decode()
    client.post("/app/theme", {"theme": "auto"})
    assert "data-theme=" not in client.get("/app/profile").content.decode()


@pytest.fixture
def tokens() -> Any:
    """Tokens of password links, as the mail would carry them."""
    seen: list[str] = []

    def receiver(sender: object, token: str, **kw: object) -> None:
        seen.append(token)

    password_link_issued.connect(receiver)
    yield seen
    password_link_issued.disconnect(receiver)


def test_asking_for_a_link_tells_nothing(cast: Cast, client: Client, tokens: list[str]) -> None:
    texts = []
    for address in ("renter@quartier.test", "nobody@quartier.test"):
        response = client.post("/app/password/forgot", {"email": address})
        assert response.status_code == 200
        texts.append(re.sub(r'value="[^"]{64}"', "", response.content.decode().replace(address, "…")))
    assert texts[0] == texts[1] and len(tokens) == 1
    assert client.post("/app/password/forgot", {"email": "kein"}).status_code == 422


NEW = "Ein-neuer-Satz-2"


@pytest.fixture
def link(cast: Cast, client: Client, tokens: list[str]) -> str:
    """The address in the mail that the renter asked for."""
    client.post("/app/password/forgot", {"email": "renter@quartier.test"})
    return f"/app/password/{tokens[0]}"


@pytest.mark.rule("PORTAL-011")
def test_a_link_works_within_60_minutes(cast: Cast, client: Client, link: str) -> None:
    def wait(minutes: int) -> None:
        OneTimeLink.objects.update(expires_at=F("expires_at") - datetime.timedelta(minutes=minutes))

    wait(59)
    assert client.get(link).status_code == 200
    wait(1)
    assert client.get(link).status_code == 404
    assert client.post(link, {"password": NEW}).status_code == 404
    cast.renter.refresh_from_db()
    assert cast.renter.check_password(PASSWORD)


@pytest.mark.rule("PORTAL-011")
def test_a_link_works_once(cast: Cast, client: Client, link: str) -> None:
    assert client.post(link, {"password": NEW}).url.startswith(f"{LOGIN}?username=")
    assert client.get(link).status_code == 404
    assert client.post(link, {"password": "Ein-andrer-Satz-3"}).status_code == 404
    assert post(client, "renter@quartier.test", NEW).status_code == 302


@pytest.mark.rule("PORTAL-011")
def test_a_used_link_ends_every_other_sign_in(cast: Cast, client: Client, link: str) -> None:
    elsewhere, neighbour = signed_in(cast.renter), signed_in(cast.neighbour)
    app = door.signed_in(cast.renter, cast.tenant)

    def answers() -> list[int]:
        browsers = [browser.get("/app/profile").status_code for browser in (elsewhere, neighbour)]
        return [*browsers, app.call("GET", "/folders").status]

    assert answers() == [200, 200, 200]
    client.post(link, {"password": NEW})
    assert answers() == [302, 200, 401]


def test_a_weak_password_is_refused_at_its_field_and_leaves_the_link_usable(client: Client, link: str) -> None:
    weak = client.post(link, {"password": "kurz"})
    assert weak.status_code == 422 and 'id="id_password_error"' in weak.content.decode()
    assert client.get(link).status_code == 200


def test_a_first_password_link_welcomes(cast: Cast, client: Client, tokens: list[str]) -> None:
    cast.renter.set_unusable_password()
    cast.renter.save()
    passwords.first_or_reset_link(cast.renter)
    assert OneTimeLink.objects.get(user=cast.renter, used_at=None).purpose == "password_init"
    assert client.get(f"/app/password/{tokens[0]}").context["first"] is True
