"""Passwords, waits, locks, second factor: the services behind every sign-in door."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone, translation

from core.errors import Conflict, Invalid, Unknown
from core.models import Throttle
from core.services import throttle
from orgs.models import (
    AccessToken,
    InstallationSettings,
    OneTimeLink,
    Organization,
    SecondFactor,
    Session,
    SignInLog,
    User,
)
from orgs.services import passwords, second_factor, tokens
from orgs.services.sign_in import sign_in, sign_in_locking
from orgs.signals import password_link_issued
from tests.cast import PASSWORD, Cast
from tests.otp import otp

ADDRESS = "203.0.113.7"


def attempt(cast: Cast, password: str = PASSWORD, identifier: str = "", **kw: str) -> str:
    return sign_in(
        identifier=identifier or cast.renter.email, password=password, door="web", ip=kw.pop("ip", ADDRESS), **kw
    ).outcome


def enrol(cast: Cast, organization: Organization | None = None) -> SecondFactor:
    factor = second_factor.start(cast.renter, organization)
    assert second_factor.confirm(factor, otp(factor.secret, -1))
    factor.refresh_from_db()
    return factor


def test_the_right_password_signs_in_by_address_or_user_name_in_any_case(cast: Cast) -> None:
    assert attempt(cast, identifier="RENTER@Quartier.Test") == "ok"


def test_an_account_is_found_through_the_unique_indexes_and_not_by_reading_all(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # the table of a test is too small to be worth an index
    for found in (User.objects.named("RENTER@quartier.test"), User.objects.with_address(" Renter@Quartier.Test ")):
        assert list(found) == [cast.renter]
        plan = found.explain()
        assert "user_email_ci" in plan, plan
        assert "Seq Scan" not in plan, plan
    assert "user_username_ci" in User.objects.named("renter").explain()


def test_an_erased_account_is_found_by_no_name(cast: Cast) -> None:
    User.objects.filter(pk=cast.renter.pk).update(erased_at=timezone.now(), first_name="", last_name="")
    assert not User.objects.named("renter@quartier.test").exists()
    assert not User.objects.with_address("renter@quartier.test").exists()


@pytest.mark.parametrize("identifier", ["renter@quartier.test", "nobody@quartier.test"])
def test_an_unknown_account_and_a_wrong_password_are_refused_alike(cast: Cast, identifier: str) -> None:
    assert attempt(cast, "wrong", identifier) == "refused"


def test_failures_and_successes_are_logged(cast: Cast) -> None:
    attempt(cast, "wrong")
    attempt(cast)
    assert list(SignInLog.objects.filter(user=cast.renter).order_by("id").values_list("type", "door", "ip")) == [
        ("login_failed", "web", ADDRESS),
        ("login", "web", ADDRESS),
    ]


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 0), (2, 0), (3, 1), (4, 2), (5, 4), (12, 512), (13, 900), (40, 900)]
)
def test_the_wait_doubles_from_the_third_failure_up_to_900_seconds(failures: int, seconds: int) -> None:
    assert throttle.wait_after(failures) == seconds


@pytest.mark.parametrize(
    ("failures", "locks", "seconds"), [(4, 0, 0), (5, 0, 60), (10, 1, 300), (15, 2, 1500), (30, 5, 86400)]
)
def test_each_fifth_failure_locks_five_times_longer_up_to_a_day(failures: int, locks: int, seconds: int) -> None:
    assert throttle.lock_after(failures, locks) == seconds


def test_during_the_wait_the_right_password_is_blocked_with_the_seconds_left(cast: Cast) -> None:
    for _ in range(3):
        attempt(cast, "wrong")
    answer = sign_in(identifier=cast.renter.email, password=PASSWORD, door="web", ip="198.51.100.1")
    assert answer.outcome == "blocked"
    assert answer.retry_after == 1


WAITS = [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def waits_of(key: str, fail: Callable[[int], str], outcome: str) -> list[float]:
    """The seconds that follow each of 14 failures in one counter; each wait is over before the next attempt."""
    seconds = []
    for number in range(14):
        assert fail(number) == outcome
        row = throttle.Counter("login", key).rows.get()
        seconds.append((row.blocked_until - row.last_failure_at).total_seconds() if row.blocked_until else 0)
        Throttle.objects.update(blocked_until=None)
    return seconds


@pytest.mark.rule("PORTAL-053")
def test_wrong_passwords_of_an_account_wait_longer_from_whatever_address(cast: Cast) -> None:
    def fail(number: int) -> str:
        return attempt(cast, "wrong", ip=f"198.51.100.{number}")

    assert waits_of(f"account:{cast.renter.pk}", fail, "refused") == WAITS


@pytest.mark.rule("PORTAL-053")
def test_wrong_passwords_from_an_address_wait_longer_for_whatever_account(cast: Cast) -> None:
    def fail(number: int) -> str:
        return attempt(cast, "wrong", f"nobody{number}@quartier.test")

    assert waits_of(f"address:{ADDRESS}", fail, "refused") == WAITS


@pytest.mark.rule("PORTAL-053")
def test_wrong_codes_of_an_account_count_like_wrong_passwords(cast: Cast) -> None:
    enrol(cast)

    def fail(number: int) -> str:
        return attempt(cast, code="000000", ip=f"198.51.100.{number}")

    assert waits_of(f"account:{cast.renter.pk}", fail, "code_wrong") == WAITS


@pytest.mark.rule("PORTAL-053")
def test_wrong_codes_from_an_address_count_like_wrong_passwords(cast: Cast) -> None:
    enrol(cast)

    def fail(number: int) -> str:
        throttle.clear(throttle.Counter("login", f"account:{cast.renter.pk}"))
        return attempt(cast, code="000000")

    assert waits_of(f"address:{ADDRESS}", fail, "code_wrong") == WAITS


@pytest.mark.rule("PORTAL-053")
def test_a_wait_holds_for_the_account_or_the_address_and_for_nobody_else(cast: Cast) -> None:
    for name in ("owner", "renter", "neighbour"):
        attempt(cast, "wrong", f"{name}@quartier.test")
    assert attempt(cast, identifier="guest@quartier.test") == "blocked"  # the address
    for ip in ("198.51.100.1", "198.51.100.2", "198.51.100.3"):
        attempt(cast, "wrong", "admin@quartier.test", ip=ip)
    assert attempt(cast, identifier="admin@quartier.test", ip="198.51.100.4") == "blocked"  # the account
    assert attempt(cast, identifier="guest@quartier.test", ip="198.51.100.4") == "ok"


def test_a_success_forgets_the_account_but_not_the_address(cast: Cast) -> None:
    attempt(cast, "wrong")
    attempt(cast)
    assert [row.scope for row in Throttle.objects.all()] == ["login"]
    assert throttle.Counter("login", f"address:{ADDRESS}").rows.exists()


def test_failures_are_forgotten_after_an_idle_hour(cast: Cast) -> None:
    for _ in range(2):
        attempt(cast, "wrong")
    Throttle.objects.update(last_failure_at=timezone.now() - datetime.timedelta(minutes=61))
    attempt(cast, "wrong")
    assert set(Throttle.objects.values_list("failures", flat=True)) == {1}


@pytest.mark.rule("DOCMS-038")
def test_five_failures_lock_the_docms_door_for_a_minute_then_five(cast: Cast) -> None:
    def fail(times: int) -> Throttle:
        for _ in range(times):
            sign_in_locking(identifier=cast.renter.email, password="wrong", ip=ADDRESS)
        return Throttle.objects.get(scope="docms")

    before = timezone.now()
    assert fail(4).blocked_until is None
    first = fail(1).blocked_until
    assert 59 <= (first - before).total_seconds() <= 62
    Throttle.objects.update(blocked_until=timezone.now())  # the minute is over
    second = fail(5).blocked_until
    assert 299 <= (second - timezone.now()).total_seconds() <= 301
    Throttle.objects.update(blocked_until=timezone.now(), locks=9, failures=14)
    assert 86390 <= (fail(1).blocked_until - timezone.now()).total_seconds() <= 86401


def test_a_docms_lock_does_not_close_the_portal(cast: Cast) -> None:
    for _ in range(5):
        sign_in_locking(identifier=cast.renter.email, password="wrong", ip=ADDRESS)
    assert sign_in_locking(identifier=cast.renter.email, password=PASSWORD, ip=ADDRESS).outcome == "refused"
    assert attempt(cast) == "ok"


def test_a_docms_success_clears_the_counter(cast: Cast) -> None:
    for _ in range(4):
        sign_in_locking(identifier=cast.renter.email, password="wrong", ip=ADDRESS)
    assert sign_in_locking(identifier=cast.renter.email, password=PASSWORD, ip=ADDRESS).outcome == "ok"
    assert not Throttle.objects.filter(scope="docms").exists()


def test_a_confirmed_factor_is_asked_for_and_accepted(cast: Cast) -> None:
    factor = enrol(cast)
    assert attempt(cast) == "code_needed"
    assert attempt(cast, code="000000") == "code_wrong"
    assert attempt(cast, code=otp(factor.secret)) == "ok"


def test_a_code_is_never_accepted_twice(cast: Cast) -> None:
    factor = enrol(cast)
    code = otp(factor.secret)
    assert second_factor.verify(factor=factor, code=code) is True
    assert second_factor.verify(factor=factor, code=code) is False


@pytest.mark.parametrize(("drift", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_good_one_step_either_side(cast: Cast, drift: int, right: bool) -> None:
    factor = second_factor.start(cast.renter)
    while time.time() % 30 > 28:  # not across the end of a step
        time.sleep(0.5)
    assert second_factor.verify(factor=factor, code=otp(factor.secret, drift)) is right


def test_a_recovery_code_works_once(cast: Cast) -> None:
    enrol(cast)
    code = second_factor.new_recovery_codes(cast.renter)[0]
    assert attempt(cast, code=code.upper()) == "ok"
    assert attempt(cast, code=code) == "code_wrong"


def test_an_obliged_account_without_factor_must_enrol(cast: Cast) -> None:
    Organization.objects.filter(pk=cast.tenant.pk).update(enforces_second_factor=True)
    assert attempt(cast) == "enrol_needed"


def test_a_new_key_replaces_an_unconfirmed_one_and_a_confirmed_one_blocks(cast: Cast) -> None:
    first = second_factor.start(cast.renter, cast.tenant)
    second = second_factor.start(cast.renter, cast.tenant)
    assert not SecondFactor.objects.filter(pk=first.pk).exists()
    second_factor.confirm(second, otp(second.secret))
    with pytest.raises(Conflict):
        second_factor.start(cast.renter, cast.tenant)


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("Kurz-1", 1),
        ("ohne-grosse-1", 1),
        ("OHNE-KLEINE-1", 1),
        ("Ohne-Ziffern-", 1),
        ("password1234", 2),
        (PASSWORD, 0),
    ],
)
@pytest.mark.django_db
def test_the_policy_names_what_is_missing(password: str, missing: int) -> None:
    assert len(passwords.problems(password)) == missing


@pytest.mark.parametrize(
    ("language", "one_of_each", "more"),
    [
        (
            "en",
            "At least 12 characters, among them 1 lower-case letter, 1 upper-case letter and 1 digit.",
            "At least 12 characters, among them 2 lower-case letters, 5 digits and 1 special character.",
        ),
        (
            "de",
            "Mindestens 12 Zeichen, darunter 1 Kleinbuchstabe, 1 Großbuchstabe und 1 Ziffer.",
            "Mindestens 12 Zeichen, darunter 2 Kleinbuchstaben, 5 Ziffern und 1 Sonderzeichen.",
        ),
        (
            "fr",
            "Au moins 12 caractères, dont 1 minuscule, 1 majuscule et 1 chiffre.",
            "Au moins 12 caractères, dont 2 minuscules, 5 chiffres et 1 caractère spécial.",
        ),
        (
            "pl",
            "Co najmniej 12 znaków, w tym 1 mała litera, 1 wielka litera i 1 cyfra.",
            "Co najmniej 12 znaków, w tym 2 małe litery, 5 cyfr i 1 znak specjalny.",
        ),
    ],
)
@pytest.mark.django_db
def test_the_hint_counts_as_people_do(language: str, one_of_each: str, more: str) -> None:
    with translation.override(language):
        assert passwords.policy_hint().startswith(one_of_each)
        row = InstallationSettings.objects.create(
            pk=1, pw_min_lower_case=2, pw_min_upper_case=0, pw_min_numbers=5, pw_min_special=1
        )
        assert passwords.policy_hint().startswith(more)
        InstallationSettings.objects.filter(pk=row.pk).update(pw_min_lower_case=0, pw_min_numbers=0, pw_min_special=0)
        assert passwords.policy_hint().count("12") == 1


@pytest.mark.django_db
def test_what_a_password_misses_is_said_in_the_language_of_the_reader() -> None:
    with translation.override("de"):
        assert passwords.problems("ohne-grosse-buchstaben-1") == ["Verwenden Sie mindestens 1 Großbuchstaben."]


@pytest.mark.django_db
def test_a_common_password_is_refused() -> None:
    with translation.override("en"):
        assert any("common" in problem for problem in passwords.problems("qwertyuiop"))


def test_changing_the_password_ends_every_other_sign_in(cast: Cast) -> None:
    _token, other = tokens.issue(kind="docms_session", user=cast.renter, expires_in=datetime.timedelta(hours=1))
    _token, mine = tokens.issue(kind="docms_session", user=cast.renter, expires_in=datetime.timedelta(hours=1))
    Session.objects.create(session_key=b"1" * 32, user=cast.renter, expires_at=timezone.now())
    passwords.change_password(cast.renter, current=PASSWORD, new="Noch-ein-Satz-2", keep_token=mine.pk)
    assert list(AccessToken.objects.filter(revoked_at=None)) == [mine]
    assert not Session.objects.exists()
    assert other.user == cast.renter


def test_a_wrong_current_password_changes_nothing(cast: Cast) -> None:
    before = cast.renter.password
    with pytest.raises(Invalid) as error:
        passwords.change_password(cast.renter, current="wrong", new="Noch-ein-Satz-2")
    assert list(error.value.fields) == ["current_password"]
    cast.renter.refresh_from_db()
    assert cast.renter.password == before


def caught_links(call: object) -> list[dict[str, object]]:
    """What `password_link_issued` announced meanwhile."""
    caught: list[dict[str, object]] = []

    def receiver(sender: object, **kw: object) -> None:
        caught.append(kw)

    password_link_issued.connect(receiver)
    try:
        call()  # type: ignore[operator]
    finally:
        password_link_issued.disconnect(receiver)
    return caught


def test_a_reset_link_works_once_and_a_new_one_voids_it(cast: Cast) -> None:
    first, second = (caught_links(lambda: passwords.request_reset(cast.renter.email))[0]["token"] for _ in range(2))
    with pytest.raises(Unknown):
        passwords.set_by_link(str(first), "Noch-ein-Satz-2")
    passwords.set_by_link(str(second), "Noch-ein-Satz-2")
    with pytest.raises(Unknown):
        passwords.set_by_link(str(second), "Noch-ein-Satz-3")
    assert attempt(cast, "Noch-ein-Satz-2") == "ok"


def test_a_weak_password_leaves_the_link_usable(cast: Cast) -> None:
    token = str(caught_links(lambda: passwords.request_reset(cast.renter.email))[0]["token"])
    with pytest.raises(Invalid):
        passwords.set_by_link(token, "kurz")
    assert passwords.set_by_link(token, "Noch-ein-Satz-2") == cast.renter


def test_a_portal_reset_link_lives_an_hour(cast: Cast) -> None:
    token = str(caught_links(lambda: passwords.request_reset(cast.renter.email))[0]["token"])
    link = OneTimeLink.objects.get()
    assert 3590 <= (link.expires_at - timezone.now()).total_seconds() <= 3600
    OneTimeLink.objects.update(expires_at=timezone.now())
    with pytest.raises(Unknown):
        passwords.find_link(token)


def test_an_unknown_address_is_answered_with_the_same_silence(cast: Cast) -> None:
    assert caught_links(lambda: passwords.request_reset("nobody@quartier.test")) == []


@pytest.mark.rule("DOCMS-036")
def test_at_most_three_link_mails_an_hour_go_to_one_address(cast: Cast) -> None:
    sent = caught_links(lambda: [passwords.request_reset(cast.renter.email) for _ in range(5)])
    assert len(sent) == 3
    OneTimeLink.objects.update(created_at=timezone.now() - datetime.timedelta(minutes=61))
    assert len(caught_links(lambda: passwords.request_reset(cast.renter.email))) == 1


def test_setting_the_password_by_link_clears_failures(cast: Cast) -> None:
    for _ in range(5):
        sign_in_locking(identifier=cast.renter.email, password="wrong", ip=ADDRESS)
    token = str(caught_links(lambda: passwords.request_reset(cast.renter.email))[0]["token"])
    passwords.set_by_link(token, "Noch-ein-Satz-2")
    assert sign_in_locking(identifier=cast.renter.email, password="Noch-ein-Satz-2", ip=ADDRESS).outcome == "ok"


@pytest.mark.rule("DOCMS-004")
def test_no_row_holds_a_usable_token(cast: Cast) -> None:
    token, row = tokens.issue(kind="docms_session", user=cast.renter, expires_in=datetime.timedelta(hours=1))
    held = AccessToken.objects.filter(pk=row.pk).values().get()
    assert token not in str(held)
    assert token.encode() not in [bytes(v) for v in held.values() if isinstance(v, bytes | memoryview)]
    assert tokens.find(token, kinds=("docms_session",)) == row
