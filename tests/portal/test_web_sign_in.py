"""Signing in and out in the browser, and the links that set passwords."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from orgs.models import Membership, OneTimeLink, Session
from orgs.services import passwords, second_factor
from orgs.signals import password_link_issued
from tests.cast import PASSWORD, Cast
from tests.otp import otp
from tests.portal.pages import signed_in

LOGIN = "/app/login"


def post(client: Client, name: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(LOGIN, {"username": name, "password": password, **more})


@pytest.mark.rule("PORTAL-090")
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
def test_the_cookie_is_new_at_sign_in_and_guarded(cast: Cast, client: Client) -> None:
    client.post("/app/language", {"language": "pl"})
    before = client.cookies.get("user_session")
    post(client, "renter@quartier.test")
    cookie = client.cookies["user_session"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert before is None or before.value != cookie.value


@pytest.mark.rule("PORTAL-008")
@pytest.mark.parametrize(("remember", "hours"), [(False, 12), (True, 720)])
def test_the_session_lasts_as_long_as_was_asked(cast: Cast, client: Client, remember: bool, hours: int) -> None:
    post(client, "renter@quartier.test", **({"remember": "on"} if remember else {}))
    assert int(client.cookies["user_session"]["max-age"]) == hours * 3600
    assert Session.objects.get(user=cast.renter).remember is remember


@pytest.mark.rule("PORTAL-053")
def test_waits_grow_and_are_shown_and_hold_for_the_right_password_too(cast: Cast) -> None:
    client = Client(REMOTE_ADDR="198.51.100.7")
    assert [post(client, "renter@quartier.test", "falsch").status_code for _ in range(3)] == [422] * 3
    response = post(client, "renter@quartier.test")
    assert response.status_code == 429 and int(response["Retry-After"]) >= 1
    assert 'data-wait="1"' in response.content.decode()


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "javascript:alert(1)", "evil"])
def test_signing_in_leads_nowhere_else(cast: Cast, client: Client, target: str) -> None:
    assert post(client, "renter@quartier.test", next=target).url == "/app/"


def test_signing_in_leads_back_to_the_page_that_was_asked_for(cast: Cast, client: Client) -> None:
    wanted = f"/app/c/{cast.house_a.pk}/info/documents?only=unread"
    response = client.get(wanted)
    assert response.status_code == 302 and response.url.startswith(f"{LOGIN}?next=")
    assert post(client, "renter@quartier.test", next=wanted).url == wanted
    assert client.get(LOGIN).status_code == 302  # nothing to do there any more


@pytest.mark.rule("PORTAL-110")
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


@pytest.mark.rule("PORTAL-110")
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


@pytest.mark.rule("PORTAL-095")
def test_visitors_choose_a_language(db: None, client: Client) -> None:
    assert client.get(LOGIN, headers={"accept-language": "fr"})["Content-Language"] == "fr"
    client.post("/app/language", {"language": "pl", "next": LOGIN})
    response = client.get(LOGIN, headers={"accept-language": "fr"})
    assert response["Content-Language"] == "pl" and '<html lang="pl"' in response.content.decode()
    client.post("/app/language", {"language": "xx"})
    assert client.get(LOGIN)["Content-Language"] == "pl"


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


@pytest.mark.rule("PORTAL-010")
def test_asking_for_a_link_tells_nothing(cast: Cast, client: Client, tokens: list[str]) -> None:
    texts = []
    for address in ("renter@quartier.test", "nobody@quartier.test"):
        response = client.post("/app/password/forgot", {"email": address})
        assert response.status_code == 200
        texts.append(re.sub(r'value="[^"]{64}"', "", response.content.decode().replace(address, "…")))
    assert texts[0] == texts[1] and len(tokens) == 1
    assert client.post("/app/password/forgot", {"email": "kein"}).status_code == 422


@pytest.mark.rule("PORTAL-011")
def test_a_link_sets_a_password_once_and_ends_other_sign_ins(cast: Cast, client: Client, tokens: list[str]) -> None:
    elsewhere = signed_in(cast.renter)
    client.post("/app/password/forgot", {"email": "renter@quartier.test"})
    url = f"/app/password/{tokens[0]}"
    assert client.get(url).status_code == 200
    weak = client.post(url, {"password": "kurz"})
    assert weak.status_code == 422 and 'id="id_password_error"' in weak.content.decode()
    assert client.post(url, {"password": "Ein-neuer-Satz-2"}).url.startswith(f"{LOGIN}?username=")
    assert client.get(url).status_code == 404
    assert elsewhere.get("/app/profile").status_code == 302
    assert post(client, "renter@quartier.test", "Ein-neuer-Satz-2").status_code == 302


def test_a_first_password_link_welcomes(cast: Cast, client: Client, tokens: list[str]) -> None:
    cast.renter.set_unusable_password()
    cast.renter.save()
    passwords.first_or_reset_link(cast.renter)
    assert OneTimeLink.objects.get(user=cast.renter, used_at=None).purpose == "password_init"
    assert client.get(f"/app/password/{tokens[0]}").context["first"] is True
