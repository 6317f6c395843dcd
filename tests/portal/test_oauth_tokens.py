"""Codes and tokens of OAuth: what they are good for, what is stored of them, and when they end."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from core.services import rate
from orgs.models import Membership, OAuthGrant, OAuthRefreshToken, OAuthToken
from orgs.services import applications, members, oauth_clients, passwords
from orgs.tasks import purge_tokens
from tests.cast import Cast, load
from tests.factories import at_once
from tests.portal.pages import signed_in
from tests.portal.program import BACK, Program, reads, registered

_NEARLY = datetime.timedelta(days=29, hours=23)


@pytest.fixture
def program(cast: Cast) -> Program:
    return Program(registered(cast))


# --- Codes and tokens ------------------------------------------------------------------------------------------


@pytest.mark.rule("TICKETS-005")
def test_an_access_token_works_for_one_hour(cast: Cast, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = program.tokens(signed_in(cast.admin))
    assert (pair["token_type"], pair["expires_in"], pair["scope"]) == ("Bearer", 3600, "support")
    assert reads(pair["access_token"], cast) == 200
    begun = timezone.now()
    expires = OAuthToken.objects.get().expires
    assert abs((expires - begun) - datetime.timedelta(hours=1)) < datetime.timedelta(seconds=30)
    monkeypatch.setattr(timezone, "now", lambda: expires - datetime.timedelta(seconds=1))
    assert reads(pair["access_token"], cast) == 200
    monkeypatch.setattr(timezone, "now", lambda: expires)
    assert reads(pair["access_token"], cast) == 401
    monkeypatch.undo()
    assert reads("geraten", cast) == 401
    assert Client().get(f"/support/tickets/v1?locationRef={cast.house_a.uuid}").status_code == 401


def test_the_answer_to_a_code_is_kept_by_no_cache(cast: Cast, program: Program) -> None:
    answer = program.exchange(program.allowed(signed_in(cast.renter))["code"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"


def test_a_code_is_good_once(cast: Cast, program: Program) -> None:
    code = program.allowed(signed_in(cast.renter))["code"]
    assert program.exchange(code).status_code == 200
    answer = program.exchange(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert OAuthToken.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"code_verifier": "ein anderer Satz, der lang genug ist, aber nicht stimmt"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/back"}, "invalid_request"),
        ({"client_secret": "falsch"}, "invalid_client"),
        ({"client_secret": None}, "invalid_client"),
        ({"client_id": "\0"}, "invalid_client"),
        ({"grant_type": "password", "username": "admin", "password": "x"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"code": "\0"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
    ],
)
def test_a_code_is_good_only_for_who_got_it(cast: Cast, program: Program, values: dict[str, Any], error: str) -> None:
    code = program.allowed(signed_in(cast.renter))["code"]
    answer = program.exchange(code, **values) if "code" not in values else program.exchange(**values)
    assert answer.json()["error"] == error
    assert answer.status_code in (400, 401)
    assert not OAuthToken.objects.exists()
    assert program.exchange(code).status_code == 200


def test_a_code_of_another_program_is_none(cast: Cast, program: Program) -> None:
    code = program.allowed(signed_in(cast.renter))["code"]
    other = Program(registered(cast, name="Anderes"), verifier=program.verifier)
    assert other.exchange(code).json()["error"] == "invalid_grant"


def test_a_code_lives_for_a_minute(cast: Cast, program: Program) -> None:
    code = program.allowed(signed_in(cast.renter))["code"]
    life = OAuthGrant.objects.get().expires - timezone.now()
    assert datetime.timedelta(seconds=40) < life <= datetime.timedelta(minutes=1)
    OAuthGrant.objects.update(expires=timezone.now())
    assert program.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.rule("PORTAL-006")
def test_tokens_are_replaced_on_each_use_of_the_refresh_token(cast: Cast, program: Program) -> None:
    first = program.tokens(signed_in(cast.admin))
    second = program.refresh(first["refresh_token"]).json()
    assert (first["expires_in"], second["expires_in"]) == (3600, 3600)
    assert second["refresh_token"] != first["refresh_token"]
    assert (reads(first["access_token"], cast), reads(second["access_token"], cast)) == (401, 200)


@pytest.mark.parametrize(("unused", "error"), [(datetime.timedelta(days=30), "invalid_grant"), (_NEARLY, None)])
@pytest.mark.rule("PORTAL-006")
def test_a_refresh_token_ends_after_thirty_unused_days(
    cast: Cast, program: Program, monkeypatch: pytest.MonkeyPatch, unused: datetime.timedelta, error: str | None
) -> None:
    begun = timezone.now()
    token = program.tokens(signed_in(cast.admin))["refresh_token"]
    monkeypatch.setattr(timezone, "now", lambda: begun + datetime.timedelta(days=20))
    token = program.refresh(token).json()["refresh_token"]
    monkeypatch.setattr(timezone, "now", lambda: begun + datetime.timedelta(days=20) + unused)
    purge_tokens()
    assert program.refresh(token).json().get("error") == error


@pytest.mark.parametrize("again", ["first", "newest"])
def test_a_refresh_token_that_is_used_twice_ends_its_family(cast: Cast, program: Program, again: str) -> None:
    first = program.tokens(signed_in(cast.admin))
    other = program.tokens(signed_in(cast.renter))
    second = program.refresh(first["refresh_token"]).json()
    third = program.refresh(second["refresh_token"]).json()
    copied = first if again == "first" else second
    assert program.refresh(copied["refresh_token"]).json()["error"] == "invalid_grant"
    assert program.refresh(third["refresh_token"]).json()["error"] == "invalid_grant"
    assert reads(third["access_token"], cast) == 401
    assert reads(other["access_token"], cast) == 200
    assert program.refresh(other["refresh_token"]).status_code == 200


def test_refreshing_does_not_widen_what_was_allowed(cast: Cast, program: Program) -> None:
    pair = program.tokens(signed_in(cast.admin), scope="support.readonly")
    assert program.refresh(pair["refresh_token"], scope="support").json()["error"] == "invalid_scope"


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_either_ends_both(cast: Cast, program: Program, which: str) -> None:
    pair = program.tokens(signed_in(cast.admin))
    assert reads(pair["access_token"], cast) == 200
    assert program.post("revoke", {"token": pair[which]}).status_code == 200
    assert reads(pair["access_token"], cast) == 401
    assert program.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_program_does_not_revoke_the_tokens_of_another(cast: Cast, program: Program) -> None:
    pair = program.tokens(signed_in(cast.admin))
    other = Program(registered(cast, name="Anderes"))
    assert other.post("revoke", {"token": pair["access_token"]}).status_code == 200
    assert reads(pair["access_token"], cast) == 200
    assert other.post("revoke", {"token": pair["access_token"], "client_secret": "x"}).status_code == 401


# --- What is stored --------------------------------------------------------------------------------------------


def _everything() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        texts = []
        for name in tables:
            cursor.execute(f'SELECT t::text FROM "{name}" t')
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def test_neither_codes_nor_tokens_nor_secrets_stand_in_any_table(cast: Cast, program: Program) -> None:
    browser = signed_in(cast.renter)
    waiting = program.allowed(browser)["code"]
    pair = program.tokens(browser)
    newer = program.refresh(pair["refresh_token"]).json()
    stored = _everything()
    assert hashlib.sha256(waiting.encode()).hexdigest() in stored
    for secret in (
        waiting, program.verifier, program.made.secret, pair["access_token"], pair["refresh_token"], newer["access_token"],
        newer["refresh_token"],
    ):  # fmt: skip
        assert secret not in stored


@pytest.mark.parametrize("code", ["sha256$" + "0" * 64, "0" * 64])
def test_a_code_is_hashed_whatever_it_looks_like(cast: Cast, program: Program, code: str) -> None:
    grant = OAuthGrant.objects.create(
        user=cast.renter, application=program.made.client, code=code, expires=timezone.now(), redirect_uri=BACK,
        code_challenge_method="S256",
    )  # fmt: skip
    stored = OAuthGrant.objects.get(code=code)
    assert stored == grant
    assert stored.code == hashlib.sha256(code.encode()).hexdigest()
    assert not OAuthGrant.objects.filter(code=str(stored.code)).exists()
    stored.save()
    assert OAuthGrant.objects.get(code=code) == grant


# --- The end ---------------------------------------------------------------------------------------------------


def test_taking_access_back_in_the_profile_ends_that_program_alone(cast: Cast, program: Program) -> None:
    other = Program(registered(cast, name="Anderes"))
    browser = signed_in(cast.admin)
    pair, kept = program.tokens(browser), other.tokens(browser)
    foreign = program.tokens(signed_in(cast.renter))
    assert "Helpdesk" in browser.get("/app/profile").content.decode()
    answer = browser.post(f"/app/profile/programs/{program.made.client.pk}/end", follow=True)
    assert "Helpdesk" not in answer.content.decode()
    assert [reads(each["access_token"], cast) for each in (pair, kept, foreign)] == [401, 200, 200]
    assert program.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert AuditEntry.objects.filter(verb="access_withdrawn").count() == 1


def test_a_program_is_listed_as_long_as_it_could_come_back(cast: Cast, program: Program) -> None:
    browser = signed_in(cast.renter)
    assert "Helpdesk" not in browser.get("/app/profile").content.decode()
    program.tokens(browser)
    OAuthToken.objects.update(expires=timezone.now() - datetime.timedelta(days=29))
    assert "Helpdesk" in browser.get("/app/profile").content.decode()
    OAuthToken.objects.update(expires=timezone.now() - datetime.timedelta(days=30))
    assert "Helpdesk" not in browser.get("/app/profile").content.decode()


ENDS: dict[str, Callable[[Cast, Program], object]] = {
    "password": lambda cast, program: passwords.set_password(cast.staff, "ein ganz anderer Satz 7!"),
    "deactivated": lambda cast, program: members.change(
        membership=cast.membership("staff"), changes={"deactivated_at": timezone.now()}
    ),
    "removed": lambda cast, program: oauth_clients.remove(
        actor=cast.actor("admin"), tenant=cast.tenant, client_id=program.made.client.pk
    ),
    "less": lambda cast, program: oauth_clients.change(
        actor=cast.actor("admin"), tenant=cast.tenant, client_id=program.made.client.pk, name="Helpdesk",
        addresses=[BACK], may_write=False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ENDS)
def test_tokens_end_with_what_they_rest_on(cast: Cast, program: Program, what: str) -> None:
    other = Program(registered(cast, tenant=None, name="Anderes")).tokens(signed_in(cast.admin))
    pair = program.tokens(signed_in(cast.staff))
    assert (reads(pair["access_token"], cast), reads(other["access_token"], cast)) == (200, 200)
    ENDS[what](cast, program)
    assert (reads(pair["access_token"], cast), reads(other["access_token"], cast)) == (401, 200)
    assert program.refresh(pair["refresh_token"]).status_code in (400, 401)


def test_somebody_who_is_out_gets_nowhere_with_a_program_of_the_installation(cast: Cast) -> None:
    everywhere = Program(registered(cast, tenant=None))
    pair = everywhere.tokens(signed_in(cast.admin))
    Membership.objects.filter(user=cast.admin).update(deactivated_at=timezone.now())
    assert reads(pair["access_token"], cast) == 403


def test_an_end_that_was_set_before_ends_tokens_when_it_comes(cast: Cast, program: Program) -> None:
    pair, kept = program.tokens(signed_in(cast.staff)), program.tokens(signed_in(cast.admin))
    Membership.objects.filter(pk=cast.membership("staff").pk).update(deactivated_at=timezone.now())
    applications.apply_deactivations()
    members.reactivate(membership=cast.membership("staff"))
    assert reads(pair["access_token"], cast) == 401
    assert program.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert reads(kept["access_token"], cast) == 200


def test_what_has_run_out_is_deleted_and_used_ones_are_kept_to_know_a_copy(cast: Cast, program: Program) -> None:
    pair = program.tokens(signed_in(cast.admin))
    program.allowed(signed_in(cast.renter))
    program.refresh(pair["refresh_token"])
    OAuthGrant.objects.update(expires=timezone.now() - datetime.timedelta(seconds=1))
    purge_tokens()
    assert not OAuthGrant.objects.exists()
    assert OAuthRefreshToken.objects.count() == 2
    OAuthRefreshToken.objects.update(revoked=timezone.now() - datetime.timedelta(days=31))
    purge_tokens()
    assert not OAuthRefreshToken.objects.filter(revoked__isnull=False).exists()


# --- Limits ----------------------------------------------------------------------------------------------------


def test_who_asks_too_often_is_told_when_to_come_back(
    program: Program, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OAUTH_RATE_LIMIT = 3
    monkeypatch.setattr(rate, "now", lambda: 4102444830.0)
    answers = [program.refresh("geraten") for _again in range(5)]
    assert [a.status_code for a in answers[:3]] == [400] * 3
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert answers[-1].json()["error"] == "temporarily_unavailable"


def test_a_question_of_a_megabyte_is_not_read(program: Program) -> None:
    assert program.refresh("x" * 1024 * 1024).status_code == 413


def test_tokens_are_not_taken_from_the_address(cast: Cast, program: Program) -> None:
    pair = program.tokens(signed_in(cast.admin))
    query = urlencode({"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]})
    answer = program.http.post(f"/oauth2/token?{query}")
    assert answer.status_code == 400
    assert program.refresh(pair["refresh_token"]).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["code", "refresh"])
def test_of_two_uses_at_once_one_wins(what: str) -> None:
    cast = load()
    program = Program(registered(cast))
    browser = signed_in(cast.admin)
    given = program.allowed(browser)["code"] if what == "code" else program.tokens(browser)["refresh_token"]

    def use() -> int:
        same = Program(program.made, verifier=program.verifier)
        return int((same.exchange(given) if what == "code" else same.refresh(given)).status_code)

    assert sorted(at_once(use, use, use, use)) == [200, 400, 400, 400]  # type: ignore[type-var]
