"""Owners and their invitations over HTTP."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from messaging.models import Message
from orgs.models import Membership, Organization, OwnerInvitation, SecondFactor, User
from orgs.services.tenants import add_member
from tests.orgs.door import Caller, of_organization, person

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def invite(caller: Caller, organization: dict[str, Any], user: User) -> str:
    """Invite somebody; the token of the mail."""
    caller.ok("POST", f"/organization/{organization['id']}/owner/invitation", {"email": user.email})
    return mailed_token(user)


def mailed_token(user: User) -> str:
    """The token of the newest invitation mail."""
    message = Message.objects.filter(kind="owner_invitation", to_emails__contains=[user.email]).latest("id")
    found = re.search(r"/app/owner/(\d+)/([A-Za-z0-9_-]{16,128})", message.body_text)
    assert found is not None, message.body_text
    return found[2]


def accept(caller: Caller, organization: dict[str, Any], token: str, status: int = 200) -> None:
    answer = caller.call("POST", f"/organization/{organization['id']}/owner/invitation/{token}/accept")
    assert answer.status == status, answer.raw


def listed(caller: Caller, organization: dict[str, Any]) -> list[int]:
    """Who is invited."""
    found = caller.ok("GET", f"/organization/{organization['id']}/owner/invitation")
    return [one["userID"] for one in found]


@pytest.mark.rule("ORGS-038")
def test_owners_above_have_the_rights_without_being_listed(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    add_member(user=cast.renter, organization=Organization.objects.get(pk=below["id"]), role="owner")
    me.ok("DELETE", f"/organization/{below['id']}/owner/{cast.owner.pk}")
    assert me.get(below)["ownerIDs"] == [cast.renter.pk]
    leaf = me.make("Blatt", parentID=below["id"])
    assert me.put(leaf, name="Neu")["name"] == "Neu"
    me.ok("DELETE", f"/organization/{leaf['id']}")


@pytest.mark.rule("ORGS-039")
def test_the_topmost_owned_organization_is_found(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    middle = me.make("Mitte", parentID=top["id"])
    leaf = me.make("Blatt", parentID=middle["id"])
    for one in (middle, leaf):
        add_member(user=cast.renter, organization=Organization.objects.get(pk=one["id"]), role="owner")
    assert me.ok("GET", f"/organization/{leaf['id']}/owner/{cast.renter.pk}")["id"] == middle["id"]
    assert me.ok("GET", f"/organization/{leaf['id']}/owner/{cast.owner.pk}")["id"] == top["id"]


@pytest.mark.rule("ORGS-040")
def test_who_owns_nothing_there_is_not_found(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    add_member(user=cast.renter, organization=Organization.objects.get(pk=below["id"]), role="owner")
    add_member(user=cast.guest, organization=Organization.objects.get(pk=top["id"]), role="staff", admin_perm=True)
    for user_id in (cast.renter.pk, cast.guest.pk, 2**40):
        me.refused("GET", f"/organization/{top['id']}/owner/{user_id}", 404)


@pytest.mark.rule("ORGS-041")
def test_the_only_direct_owner_stays(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    for one in (top, below):  # an owner above does not help
        me.refused("DELETE", f"/organization/{one['id']}/owner/{cast.owner.pk}", 409)
        assert me.get(one)["ownerIDs"] == [cast.owner.pk]


@pytest.mark.rule("ORGS-043")
def test_without_owner_rights_nothing_is_taken(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    add_member(user=cast.guest, organization=Organization.objects.get(pk=top["id"]), role="staff", admin_perm=True)
    invite(me, top, cast.renter)
    for caller in (person(cast.guest), person(cast.stranger)):
        caller.refused("DELETE", f"/organization/{top['id']}/owner/{cast.owner.pk}", 403)
        caller.refused("DELETE", f"/organization/{top['id']}/owner/invitation/{cast.renter.pk}", 403)
        caller.refused("GET", f"/organization/{top['id']}/owner/invitation", 403)
    assert listed(me, top) == [cast.renter.pk]
    assert me.get(top)["ownerIDs"] == [cast.owner.pk]


@pytest.mark.rule("ORGS-084")
def test_a_removed_owner_is_missing_at_once_and_keeps_the_account(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    add_member(user=cast.renter, organization=Organization.objects.get(pk=top["id"]), role="owner")
    assert me.get(top)["ownerIDs"] == sorted([cast.owner.pk, cast.renter.pk])
    me.ok("DELETE", f"/organization/{top['id']}/owner/{cast.renter.pk}")
    assert me.get(top)["ownerIDs"] == [cast.owner.pk]
    assert User.objects.filter(pk=cast.renter.pk, erased_at=None).exists()
    me.refused("DELETE", f"/organization/{top['id']}/owner/{cast.renter.pk}", 404)


@pytest.mark.rule("ORGS-044")
def test_only_registered_people_are_invited(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    path = f"/organization/{top['id']}/owner/invitation"
    me.refused("POST", path, 404, {"email": "niemand@quartier.test"})
    for wrong in ({}, {"email": "kein"}, {"email": None}, {"email": "x" * 250 + "@y.de"}, []):
        me.refused("POST", path, 400, wrong)
    assert listed(me, top) == []
    assert not Message.objects.filter(kind="owner_invitation").exists()


def test_guessing_addresses_is_slowed_down(me: Caller, top: dict[str, Any]) -> None:
    path = f"/organization/{top['id']}/owner/invitation"
    for n in range(3):
        me.refused("POST", path, 404, {"email": f"niemand{n}@quartier.test"})
    answer = me.call("POST", path, {"email": "niemand9@quartier.test"})
    assert answer.status == 429
    assert int(answer["Retry-After"]) >= 1


@pytest.mark.rule("ORGS-045")
def test_a_direct_owner_is_not_invited(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    me.refused("POST", f"/organization/{top['id']}/owner/invitation", 409, {"email": cast.owner.email})
    assert listed(me, top) == []


@pytest.mark.rule("ORGS-046")
def test_a_second_invitation_replaces_the_first(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    first, second = invite(me, top, cast.renter), invite(me, top, cast.renter)
    assert listed(me, top) == [cast.renter.pk]
    accept(person(cast.renter), top, first, 404)
    accept(person(cast.renter), top, second)


@pytest.mark.rule("ORGS-047")
def test_no_answer_holds_the_token(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    path = f"/organization/{top['id']}/owner/invitation"
    answer = me.call("POST", path, {"email": cast.renter.email.upper()})
    token = mailed_token(cast.renter)
    wanted = {"email": cast.renter.email, "organizationID": top["id"], "userID": cast.renter.pk}
    assert answer.body == wanted
    assert me.ok("GET", path) == [wanted]
    assert token.encode() not in answer.raw + me.call("GET", path).raw


@pytest.mark.rule("ORGS-048")
def test_accepting_makes_an_owner(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    accept(person(cast.renter), top, invite(me, top, cast.renter))
    assert me.get(top)["ownerIDs"] == sorted([cast.owner.pk, cast.renter.pk])
    assert listed(me, top) == []


@pytest.mark.rule("ORGS-049")
def test_nobody_else_accepts(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    token = invite(me, top, cast.renter)
    for user in (cast.guest, cast.owner):
        accept(person(user), top, token, 403)
    accept(of_organization(top), top, token, 403)
    assert listed(me, top) == [cast.renter.pk]
    assert me.get(top)["ownerIDs"] == [cast.owner.pk]


@pytest.mark.rule("ORGS-050")
@pytest.mark.parametrize("how", ["used", "withdrawn", "old", "elsewhere", "unknown"])
def test_dead_tokens_are_not_found(cast: Cast, me: Caller, top: dict[str, Any], how: str) -> None:
    other, token, where = me.make("Anderswo"), invite(me, top, cast.renter), top
    renter = person(cast.renter)
    if how == "used":
        accept(renter, top, token)
    elif how == "withdrawn":
        me.ok("DELETE", f"/organization/{top['id']}/owner/invitation/{cast.renter.pk}")
    elif how == "old":
        sent = timezone.now() - datetime.timedelta(days=14, seconds=1)
        OwnerInvitation.objects.update(created_at=sent, expires_at=sent + datetime.timedelta(days=14))
    elif how == "elsewhere":
        where = other
    else:
        token = "x" * 43
    accept(renter, where, token, 404)


def test_an_invitation_lives_for_fourteen_days(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    invite(me, top, cast.renter)
    row = OwnerInvitation.objects.get()
    assert abs(row.expires_at - row.created_at - datetime.timedelta(days=14)) < datetime.timedelta(minutes=1)


@pytest.mark.parametrize("token", ["kurz", "x" * 129, "ä" * 20])
def test_what_cannot_be_a_token_is_malformed(cast: Cast, top: dict[str, Any], token: str) -> None:
    person(cast.renter).refused("POST", f"/organization/{top['id']}/owner/invitation/{token}/accept", 400)


@pytest.mark.rule("ORGS-051")
def test_an_invitation_is_withdrawn_by_the_person(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    invite(me, top, cast.renter)
    me.refused("DELETE", f"/organization/{top['id']}/owner/invitation/{cast.guest.pk}", 404)
    me.ok("DELETE", f"/organization/{top['id']}/owner/invitation/{cast.renter.pk}")
    assert listed(me, top) == []
    me.refused("DELETE", f"/organization/{top['id']}/owner/invitation/{cast.renter.pk}", 404)


@pytest.mark.rule("ORGS-052")
def test_a_strict_organization_is_joined_with_a_second_factor(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    me.put(top, enforcesTwoFactorAuth=True)
    SecondFactor.objects.create(user=cast.owner, secret="A" * 32, name="totp", confirmed_at=timezone.now())
    token = invite(me, top, cast.renter)
    renter = person(cast.renter)
    accept(renter, top, token, 409)
    assert listed(me, top) == [cast.renter.pk]
    SecondFactor.objects.create(user=cast.renter, secret="B" * 32, name="totp", confirmed_at=timezone.now())
    accept(renter, top, token)


def test_an_invitation_is_mailed_to_the_person_alone(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    invite(me, top, cast.renter)
    message = Message.objects.get(kind="owner_invitation")
    assert message.to_emails == [cast.renter.email]
    assert "Oben" in message.subject + message.body_text


def test_the_list_costs_the_same_for_one_and_three(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    path = f"/organization/{top['id']}/owner/invitation"
    invite(me, top, cast.renter)
    one = me.cost(path)
    for user in (cast.guest, cast.neighbour):
        invite(me, top, user)
    assert me.cost(path) == one


def test_an_owner_of_a_tenant_becomes_its_super_administrator(cast: Cast) -> None:
    tenant = {"id": cast.tenant.pk}
    accept(person(cast.staff), tenant, invite(person(cast.admin), tenant, cast.staff))
    assert Membership.objects.get(user=cast.staff, organization=cast.tenant).super_admin_perm


def test_the_same_person_is_not_written_to_without_end(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    path = f"/organization/{top['id']}/owner/invitation"
    for _time in range(3):
        me.ok("POST", path, {"email": cast.renter.email})
    answer = me.call("POST", path, {"email": cast.renter.email})
    assert answer.status == 429
    assert Message.objects.filter(kind="owner_invitation").count() == 3
    me.ok("POST", path, {"email": cast.guest.email})


@pytest.mark.rule("ORGS-081")
def test_after_an_unbooked_trial_nobody_is_invited(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    Organization.objects.filter(pk=top["id"]).update(trial_ends_at=timezone.now())
    me.refused("POST", f"/organization/{top['id']}/owner/invitation", 403, {"email": cast.renter.email})
    assert not Message.objects.filter(kind="owner_invitation").exists()


def test_whose_place_in_the_company_was_ended_does_not_come_back_by_a_branch(cast: Cast) -> None:
    admin = person(cast.admin)
    branch = admin.make("Zweig", parentID=cast.tenant.pk)
    token = invite(admin, branch, cast.guest)
    Membership.objects.filter(user=cast.guest, organization=cast.tenant).update(deactivated_at=timezone.now())
    accept(person(cast.guest), branch, token, 409)
    assert admin.get(branch)["ownerIDs"] == [cast.admin.pk]
