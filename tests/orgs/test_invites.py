"""Invitations: who gets one, what a code does, and what it never does twice."""

from __future__ import annotations

import datetime
import random
import secrets
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.utils import timezone

from core import scope
from core.errors import Blocked, Conflict, DomainError, Expired, Invalid, Unknown, Used, Withdrawn
from core.models import Throttle
from orgs.models import Community, Contact, Invite, Membership, User
from orgs.services import contacts, invites, occupancies
from orgs.signals import invite_issued
from tests.cast import PASSWORD, Cast, load

ADDRESS = "203.0.113.9"
LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def newcomer(cast: Cast, email: str = "neu@quartier.test", unit: object = None) -> Contact:
    """Somebody of the register without account, renting A3."""
    contact = contacts.create_contact(
        tenant=cast.tenant, first_name="Nele", last_name="Neu", email=email, language="pl"
    )
    occupancies.move_in(contact=contact, unit=unit or cast.unit_a3, role="renter", first=datetime.date(2024, 1, 1))
    return contact


@pytest.fixture
def invite(cast: Cast) -> Invite:
    return invites.invite_contact(
        contact=newcomer(cast), invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3
    )


@pytest.fixture
def announced() -> Iterator[list[str]]:
    """Codes that `invite_issued` announced."""
    codes: list[str] = []

    def receiver(sender: object, code: str, **kw: object) -> None:
        codes.append(code)

    invite_issued.connect(receiver)
    yield codes
    invite_issued.disconnect(receiver)


def test_a_community_invites_valid_occupants_with_address_and_without_account(cast: Cast) -> None:
    nele = newcomer(cast)
    paper = newcomer(cast, email="")
    gone = newcomer(cast, email="weg@quartier.test")
    occupancies.end(gone.occupancies.get(), last=cast.tenant.today() - datetime.timedelta(days=1))
    elsewhere = newcomer(cast, email="b@quartier.test", unit=cast.unit_b1)
    report = invites.invite_many(invites.occupants_of(community=cast.house_a), invited_by=cast.admin)
    assert [i.contact for i in report.invited] == [nele]
    assert report.without_email == [paper]
    assert {c.user for c in report.with_account} == {cast.owner, cast.renter, cast.additional}
    assert not Invite.objects.filter(contact__in=[gone, elsewhere]).exists()


def test_inviting_again_lists_who_is_invited_already(cast: Cast, invite: Invite) -> None:
    report = invites.invite_many(invites.occupants_of(unit=cast.unit_a3), invited_by=cast.admin)
    assert (report.invited, report.already_invited) == ([], [invite.contact])


@pytest.mark.rule("PORTAL-047")
def test_every_character_of_an_issued_code_is_drawn_from_the_secure_source(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(secrets.choice.__self__, random.SystemRandom)  # type: ignore[attr-defined]
    drawn = iter("ACDEFGHJKMNP")
    monkeypatch.setattr(secrets, "choice", lambda alphabet: next(letter for letter in drawn if letter in alphabet))
    made = invites.invite_contact(
        contact=newcomer(cast), invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3
    )
    assert made.code == "ACDEFGHJKMNP"
    assert next(drawn, None) is None


@pytest.mark.rule("PORTAL-047")
def test_codes_are_long_and_without_look_alikes(cast: Cast, invite: Invite) -> None:
    codes = {invite.code, *(invites.new_code() for _ in range(200))}
    assert len(codes) == 201
    assert all(len(code) >= 10 for code in codes)
    assert set("".join(codes)) <= set(invites.ALPHABET)
    assert not set(invites.ALPHABET.upper()) & set("0O1IL2Z5S8BUV")


@pytest.mark.rule("PORTAL-047")
@pytest.mark.parametrize("typed", [str.lower, str.upper, str.title])
def test_the_case_of_a_code_does_not_matter(cast: Cast, invite: Invite, typed: Callable[[str], str]) -> None:
    assert invites.find(typed(invite.code), ip=ADDRESS) == invite
    assert invites.register(code=typed(invite.code), ip=ADDRESS, password=PASSWORD).email == "neu@quartier.test"


def test_the_code_is_not_stored_in_the_clear(cast: Cast, invite: Invite) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, code_hash FROM orgs_invite WHERE id = %s", [invite.pk])
        stored, hashed = cursor.fetchone()
    assert invite.code not in stored
    assert invite.code.encode() not in bytes(hashed)
    assert Invite.objects.get(pk=invite.pk).code == invite.code


def test_registering_makes_the_account_and_lets_it_in_today(cast: Cast, invite: Invite) -> None:
    user = invites.register(code=invite.code, ip=ADDRESS, password=PASSWORD)
    assert (user.email, user.first_name, user.last_name, user.language) == ("neu@quartier.test", "Nele", "Neu", "pl")
    assert list(Community.objects.visible_to(cast.actor(user))) == [cast.house_a]
    membership = Membership.objects.get(user=user)
    assert (membership.role, membership.read_perm, membership.download_perm, membership.upload_file_perm) == (
        "resident", True, True, False,
    )  # fmt: skip
    contact = Contact.objects.get(user=user)
    assert contact.from_invite is True
    assert contact.joined_at is not None


def test_another_address_than_the_invited_one_is_not_taken_for_verified(cast: Cast, invite: Invite) -> None:
    user = invites.register(code=invite.code, ip=ADDRESS, email="anders@quartier.test", password=PASSWORD)
    assert user.email_verified_at is None


def test_a_used_code_says_so(cast: Cast, invite: Invite) -> None:
    invites.register(code=invite.code, ip=ADDRESS, password=PASSWORD)
    with pytest.raises(Used):
        invites.find(invite.code, ip=ADDRESS)


def test_a_withdrawn_code_says_so(cast: Cast, invite: Invite) -> None:
    invites.withdraw(invite)
    with pytest.raises(Withdrawn):
        invites.register(code=invite.code, ip=ADDRESS, password=PASSWORD)
    assert not User.objects.filter(email="neu@quartier.test").exists()


def test_an_expired_code_says_so_until_it_is_renewed(cast: Cast, invite: Invite, announced: list[str]) -> None:
    Invite.objects.filter(pk=invite.pk).update(expires_on=cast.tenant.today() - datetime.timedelta(days=1))
    with pytest.raises(Expired):
        invites.find(invite.code, ip=ADDRESS)
    invite.refresh_from_db()
    invites.renew(invite)
    assert announced == [invite.code]
    assert invites.find(invite.code, ip=ADDRESS) == invite


def test_a_code_works_on_its_last_day(cast: Cast, invite: Invite) -> None:
    Invite.objects.filter(pk=invite.pk).update(expires_on=cast.tenant.today())
    assert invites.find(invite.code, ip=ADDRESS) == invite


@pytest.mark.parametrize("days", [1, 30, 90])
def test_invitations_are_valid_for_the_days_of_the_tenant(cast: Cast, days: int) -> None:
    cast.tenant.settings.invite_days = days
    cast.tenant.settings.save()
    contact = newcomer(cast)
    contact.tenant.settings.refresh_from_db()
    made = invites.invite_contact(contact=contact, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)
    assert made.expires_on == cast.tenant.today() + datetime.timedelta(days=days)


def test_an_unknown_code_is_unknown(cast: Cast) -> None:
    with pytest.raises(Unknown):
        invites.find("AAAACCCCDDDD", ip=ADDRESS)


def check(cast: Cast, code: str) -> object:
    return invites.find(code, ip=ADDRESS)


def registration(cast: Cast, code: str) -> object:
    return invites.register(code=code, ip=ADDRESS, password=PASSWORD)


def acceptance(cast: Cast, code: str) -> object:
    return invites.accept(code=code, user=cast.guest, ip=ADDRESS)


Act = Callable[[Cast, str], object]
every_act = pytest.mark.parametrize("act", [check, registration, acceptance])


@pytest.mark.rule("PORTAL-106")
@every_act
@pytest.mark.parametrize(
    ("change", "refusal", "status"),
    [
        ({"code_hash": b"x" * 32}, Unknown, 404),
        ({"accepted_at": LONG_AGO}, Used, 410),
        ({"withdrawn_at": LONG_AGO}, Withdrawn, 410),
        ({"expires_on": LONG_AGO.date()}, Expired, 410),
    ],
)
def test_unknown_and_dead_codes_count_as_failures_at_every_act(
    cast: Cast, invite: Invite, act: Act, change: dict[str, object], refusal: type[DomainError], status: int
) -> None:
    Invite.objects.filter(pk=invite.pk).update(**change)
    for failures in (1, 2):
        with pytest.raises(refusal) as raised:
            act(cast, invite.code)
        assert type(raised.value) is refusal and raised.value.status == status
        assert Throttle.objects.get().failures == failures


@pytest.mark.rule("PORTAL-106")
def test_nothing_else_counts_as_failure(cast: Cast, invite: Invite) -> None:
    invites.find(invite.code, ip=ADDRESS)
    with pytest.raises(Invalid):
        invites.register(code=invite.code, ip=ADDRESS, password="kurz")
    with pytest.raises(Conflict):
        invites.register(code=invite.code, ip=ADDRESS, email=cast.renter.email, password=PASSWORD)
    with pytest.raises(Conflict):
        Contact.objects.filter(pk=invite.contact_id).update(user=cast.owner, is_primary=False)
        invites.accept(code=invite.code, user=cast.guest, ip=ADDRESS)
    Contact.objects.filter(pk=invite.contact_id).update(user=None)
    invites.accept(code=invite.code, user=cast.guest, ip=ADDRESS)
    assert not Throttle.objects.exists()


@pytest.mark.rule("PORTAL-051")
@every_act
def test_during_a_wait_every_act_is_blocked_and_counts_nothing(cast: Cast, invite: Invite, act: Act) -> None:
    for _ in range(3):
        with pytest.raises(Unknown):
            invites.find("AAAACCCCDDDD", ip=ADDRESS)
    Throttle.objects.update(blocked_until=timezone.now() + datetime.timedelta(seconds=99))
    with pytest.raises(Blocked) as blocked:
        act(cast, invite.code)
    assert blocked.value.status == 429 and 90 < blocked.value.retry_after <= 99
    assert Throttle.objects.get().failures == 3
    invite.refresh_from_db()
    assert invite.accepted_at is None


def test_during_the_wait_even_the_right_code_is_blocked_and_a_success_resets_nothing(
    cast: Cast, invite: Invite
) -> None:
    for _ in range(3):
        with pytest.raises(Unknown):
            invites.find("AAAACCCCDDDD", ip=ADDRESS)
    with pytest.raises(Blocked) as blocked:
        invites.find(invite.code, ip=ADDRESS)
    assert blocked.value.retry_after == 1
    assert invites.find(invite.code, ip="198.51.100.1") == invite
    Throttle.objects.update(blocked_until=timezone.now())
    invites.find(invite.code, ip=ADDRESS)
    assert Throttle.objects.get().failures == 3


def test_an_address_with_an_account_is_refused_and_the_code_stays_usable(cast: Cast, invite: Invite) -> None:
    with pytest.raises(Conflict) as conflict:
        invites.register(code=invite.code, ip=ADDRESS, email=cast.guest.email, password=PASSWORD)
    assert conflict.value.code == "account_exists"
    assert invites.accept(code=invite.code, user=cast.guest, ip=ADDRESS).accepted_by == cast.guest
    assert Community.objects.visible_to(cast.actor("guest")).get() == cast.house_a


def test_a_missing_name_is_required(cast: Cast, invite: Invite) -> None:
    Invite.objects.filter(pk=invite.pk).update(first_name="")
    with pytest.raises(Invalid) as error:
        invites.register(code=invite.code, ip=ADDRESS, password=PASSWORD)
    assert (error.value.code, list(error.value.fields)) == ("required", ["first_name"])


@pytest.mark.django_db(transaction=True)
def test_of_two_clicks_on_invite_one_invites_and_the_other_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    with scope.unit_of_work(door="test"):
        cast = load()
        for email in ("eins@quartier.test", "zwei@quartier.test"):
            newcomer(cast, email=email)
    both, first, draw = threading.Barrier(2), threading.local(), invites.new_code
    reports: list[list[int]] = []

    def new_code() -> str:
        """Both have looked for a pending invitation of the first person when either writes one."""
        if not hasattr(first, "over"):
            first.over = True
            both.wait(timeout=20)
        return draw()

    monkeypatch.setattr(invites, "new_code", new_code)

    def click() -> None:
        try:
            with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
                people = invites.occupants_of(unit=cast.unit_a3)
                report = invites.invite_many(people, invited_by=cast.admin)
            reports.append([len(report.invited), len(report.already_invited)])
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reports) == [[0, 2], [2, 0]]
    assert Invite.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("PORTAL-038")
def test_a_code_registers_one_person_also_when_two_try_at_once() -> None:
    with scope.unit_of_work(door="test"):
        cast = load()
        contact = newcomer(cast)
        made = invites.invite_contact(contact=contact, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def attempt(email: str) -> None:
        start.wait()
        try:
            invites.register(code=made.code, ip=ADDRESS, email=email, password=PASSWORD)
            outcomes.append("in")
        except Used as error:
            outcomes.append(str(error.status))
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(f"{name}@quartier.test",)) for name in ("eins", "zwei")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["410", "in"]
    assert User.objects.filter(email__in=["eins@quartier.test", "zwei@quartier.test"]).count() == 1
