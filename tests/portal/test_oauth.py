"""The page of consent of OAuth: what it asks, what it refuses, and where it leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from core.models import AuditEntry
from core.services import rows
from orgs.models import OAuthGrant
from tests.portal.pages import signed_in
from tests.portal.program import BACK, Program, registered

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.fixture
def program(cast: Cast) -> Program:
    return Program(registered(cast))


def test_the_page_says_who_asks_for_what_and_where_the_answer_goes(cast: Cast, program: Program) -> None:
    answer = signed_in(cast.renter).get(program.question(), headers={"accept-language": "de"})
    text = answer.content.decode()
    for part in ("„Helpdesk“", escape(cast.tenant.name), "desk.example", "Anliegen", cast.renter.email):
        assert part in text, part
    assert "https://desk.example" in answer.headers["Content-Security-Policy"].split("form-action")[1].split(";")[0]
    assert not OAuthGrant.objects.exists()


def test_a_visitor_signs_in_and_comes_back_to_the_question(program: Program) -> None:
    answer = Client().get(program.question())
    assert answer.status_code == 302
    where = urlsplit(answer.url)
    assert where.path == "/app/login"
    assert dict(parse_qsl(where.query))["next"] == program.question()


def test_whoever_owes_a_second_factor_sets_it_up_before_allowing_anything(cast: Cast, program: Program) -> None:
    rows.change(cast.tenant, {"enforces_second_factor": True})
    answer = signed_in(cast.renter).post(program.question(), {"allow": "1"})
    assert answer.url.startswith("/app/profile/second-factor")
    assert not OAuthGrant.objects.exists()


def test_what_is_allowed_comes_back_as_a_code_with_the_state(cast: Cast, program: Program) -> None:
    told = program.allowed(signed_in(cast.renter))
    assert told["state"] == "xyz"
    assert set(told) == {"code", "state", "iss"}
    assert told["iss"] == "http://testserver"
    entry = AuditEntry.objects.get(verb="access_given")
    assert (entry.user_id, entry.tenant_id, entry.changes) == (
        cast.renter.pk, cast.tenant.pk, {"scopes": [None, ["support"]]},
    )  # fmt: skip


def test_what_is_not_allowed_is_told_to_the_program(cast: Cast, program: Program) -> None:
    answer = signed_in(cast.renter).post(program.question(), {"deny": "1"})
    assert answer.status_code == 302
    assert answer.url.startswith(f"{BACK}?error=access_denied")
    assert "state=xyz" in answer.url
    assert not OAuthGrant.objects.exists()


def test_a_form_without_token_allows_nothing(cast: Cast, program: Program) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.renter, backend="orgs.auth.SessionBackend")
    assert browser.post(program.question(), {"allow": "1"}).status_code == 403
    assert not OAuthGrant.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "S512"},
        {"code_challenge": "zu-kurz"},
        {"code_challenge": "A" * 200},
        {"code_challenge": "A" * 42 + "\0"},
    ],
)
@pytest.mark.rule("PORTAL-004")
def test_without_an_s256_challenge_nothing_is_asked_and_nothing_allowed(
    cast: Cast, program: Program, values: dict[str, Any]
) -> None:
    browser = signed_in(cast.renter)
    assert browser.get(program.question()).status_code == 200
    for answer in (browser.get(program.question(**values)), browser.post(program.question(**values), {"allow": "1"})):
        assert answer.status_code == 302
        assert answer.url.startswith(f"{BACK}?error=invalid_request"), answer.url
    assert not OAuthGrant.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/back", f"{BACK}/", f"{BACK}?a=b", f"{BACK}#x", "https://desk.example:444/back",
        "http://desk.example/back", "https://desk.example@evil.example/back", "javascript:alert(1)", "", "//desk.example/back",
    ],
)  # fmt: skip
@pytest.mark.rule("PORTAL-004")
def test_it_never_leads_to_an_address_that_is_not_registered(cast: Cast, program: Program, address: str) -> None:
    browser = signed_in(cast.renter)
    for answer in (
        browser.get(program.question(redirect_uri=address)),
        browser.post(program.question(redirect_uri=address), {"allow": "1"}),
        browser.post(program.question(redirect_uri=address), {"deny": "1"}),
    ):
        assert answer.status_code == 400
        assert "Location" not in answer.headers
    assert not OAuthGrant.objects.exists()


@pytest.mark.parametrize("client_id", ["unbekannt", "", None, "\0", "x" * 5000])
def test_an_unknown_program_is_told_so_here(cast: Cast, program: Program, client_id: str | None) -> None:
    answer = signed_in(cast.renter).get(program.question(client_id=client_id))
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_an_app_on_this_device_may_listen_on_any_port(cast: Cast) -> None:
    made = registered(cast, is_public=True, addresses=["http://127.0.0.1/back", "com.example.app:/back"])
    browser = signed_in(cast.renter)
    assert "code" in Program(made, back="http://127.0.0.1:50123/back").allowed(browser)
    assert "code" in Program(made, back="com.example.app:/back").allowed(browser)


@pytest.mark.parametrize("scope", ["support", "support support.readonly", "portal", "openid", "x\0"])
def test_a_program_gets_no_more_than_it_was_registered_for(cast: Cast, scope: str) -> None:
    reading = Program(registered(cast, may_write=False))
    browser = signed_in(cast.renter)
    assert "code" in reading.allowed(browser, scope="support.readonly")
    answer = browser.post(reading.question(scope=scope), {"allow": "1"})
    assert answer.url.startswith(f"{BACK}?error=invalid_scope"), answer.url


def test_without_scope_it_may_read(cast: Cast, program: Program) -> None:
    assert program.tokens(signed_in(cast.renter), scope=None)["scope"] == "support.readonly"


def test_only_people_of_the_company_can_allow_its_program(cast: Cast, program: Program) -> None:
    browser = signed_in(cast.foreigner)
    assert browser.get(program.question()).status_code == 403
    assert browser.post(program.question(), {"allow": "1"}).status_code == 403
    everywhere = Program(registered(cast, tenant=None))
    assert "code" in everywhere.allowed(browser)
    assert not OAuthGrant.objects.filter(application=program.made.client).exists()


def test_the_program_of_a_closed_company_is_none(cast: Cast, program: Program) -> None:
    browser = signed_in(cast.operator)
    pair = program.tokens(signed_in(cast.renter))
    type(cast.tenant).objects.filter(pk=cast.tenant.pk).update(closed_at=timezone.now())
    assert browser.get(program.question()).status_code == 400
    assert program.refresh(pair["refresh_token"]).status_code == 401
