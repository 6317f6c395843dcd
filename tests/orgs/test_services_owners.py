"""Owners of organizations: who owns, invitations, and that nobody is left without one."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.errors import Conflict, Denied, NotFound, Unknown
from orgs.models import Membership, Organization, OwnerInvitation, SecondFactor
from orgs.services import owners, tree
from orgs.services.tenants import add_member
from orgs.signals import owner_invited
from tests.cast import load
from tests.orgs.test_services_tree import at_once, node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orgs.models import User
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def top(cast: Cast) -> Organization:
    """An organization outside of every tenant, owned by `owner`."""
    return node(cast, "Oben")


@pytest.fixture
def tokens() -> Iterator[list[str]]:
    """What invitations would be mailed with, in order."""
    sent: list[str] = []

    def note(sender: Any, *, token: str, **_: Any) -> None:
        sent.append(token)

    owner_invited.connect(note)
    yield sent
    owner_invited.disconnect(note)


def invite(cast: Cast, organization: Organization, user: User, who: str = "owner") -> OwnerInvitation:
    return owners.invite(actor=cast.actor(who), organization=organization, email=user.email.upper())


def listed(cast: Cast, organization: Organization) -> list[OwnerInvitation]:
    return owners.open_invitations(actor=cast.actor("owner"), organization=organization)


def owned_by(organization: Organization) -> list[int]:
    return owners.owner_ids([organization.pk])[organization.pk]


def test_an_invited_person_becomes_an_owner(cast: Cast, top: Organization, tokens: list[str]) -> None:
    invitation = invite(cast, top, cast.renter)
    assert listed(cast, top) == [invitation]
    owners.accept(user=cast.renter, organization_id=top.pk, token=tokens[0])
    assert owned_by(top) == sorted([cast.owner.pk, cast.renter.pk])
    assert listed(cast, top) == []


def test_who_was_staff_keeps_the_place_and_owns_it(cast: Cast, top: Organization, tokens: list[str]) -> None:
    place = add_member(user=cast.renter, organization=top, role="staff")
    invite(cast, top, cast.renter)
    assert owners.accept(user=cast.renter, organization_id=top.pk, token=tokens[0]) == place


def test_owning_a_tenant_makes_a_super_administrator(cast: Cast, tokens: list[str]) -> None:
    owners.invite(actor=cast.actor("admin"), organization=cast.tenant, email=cast.staff.email)
    owners.accept(user=cast.staff, organization_id=cast.tenant.pk, token=tokens[0])
    place = cast.membership("staff")
    assert (place.role, place.admin_perm, place.super_admin_perm) == ("owner", True, True)


def test_owning_a_branch_gives_a_place_on_the_tenant(cast: Cast, tokens: list[str]) -> None:
    branch = node(cast, "Zweig", cast.tenant, who="admin")
    owners.invite(actor=cast.actor("admin"), organization=branch, email=cast.foreigner.email)
    owners.accept(user=cast.foreigner, organization_id=branch.pk, token=tokens[0])
    assert cast.membership("foreigner", cast.tenant).role == "affiliate"


def test_only_people_with_an_account_who_own_nothing_here_are_invited(cast: Cast, top: Organization) -> None:
    with pytest.raises(NotFound):
        owners.invite(actor=cast.actor("owner"), organization=top, email="niemand@quartier.test")
    with pytest.raises(Conflict):
        invite(cast, top, cast.owner)
    assert not OwnerInvitation.objects.exists()


def test_a_second_invitation_voids_the_first_token(cast: Cast, top: Organization, tokens: list[str]) -> None:
    invite(cast, top, cast.renter)
    invite(cast, top, cast.renter)
    assert len(listed(cast, top)) == 1
    with pytest.raises(Unknown):
        owners.accept(user=cast.renter, organization_id=top.pk, token=tokens[0])
    owners.accept(user=cast.renter, organization_id=top.pk, token=tokens[1])


@pytest.mark.parametrize("how", ["used", "withdrawn", "over", "elsewhere", "nonsense"])
def test_dead_tokens_open_nothing(cast: Cast, top: Organization, tokens: list[str], how: str) -> None:
    other = node(cast, "Anderswo")
    invite(cast, top, cast.renter)
    token, where = tokens[0], top
    if how == "used":
        owners.accept(user=cast.renter, organization_id=top.pk, token=token)
    elif how == "withdrawn":
        owners.withdraw(actor=cast.actor("owner"), organization=top, user_id=cast.renter.pk)
    elif how == "over":
        OwnerInvitation.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
        assert listed(cast, top) == []
    elif how == "elsewhere":
        where = other
    else:
        token = "x" * 43
    before = owned_by(where)
    with pytest.raises(Unknown):
        owners.accept(user=cast.renter, organization_id=where.pk, token=token)
    assert owned_by(where) == before


def test_an_invitation_is_for_one_person(cast: Cast, top: Organization, tokens: list[str]) -> None:
    invitation = invite(cast, top, cast.renter)
    with pytest.raises(Denied):
        owners.accept(user=cast.guest, organization_id=top.pk, token=tokens[0])
    assert listed(cast, top) == [invitation]
    assert owned_by(top) == [cast.owner.pk]


@pytest.mark.parametrize("above", [False, True])
def test_a_strict_organization_is_joined_with_a_second_factor(
    cast: Cast, top: Organization, tokens: list[str], above: bool
) -> None:
    where = node(cast, "Unten", top) if above else top
    tree.change(actor=cast.actor("owner"), organization=top, values={"enforces_second_factor": True})
    invitation = invite(cast, where, cast.renter)
    with pytest.raises(Conflict) as refused:
        owners.accept(user=cast.renter, organization_id=where.pk, token=tokens[0])
    assert refused.value.code == "second_factor_required"
    assert listed(cast, where) == [invitation]
    SecondFactor.objects.create(user=cast.renter, secret="A" * 32, name="totp", confirmed_at=timezone.now())
    owners.accept(user=cast.renter, organization_id=where.pk, token=tokens[0])
    assert cast.renter.pk in owned_by(where)


def test_a_withdrawn_invitation_is_gone_and_a_missing_one_not_found(cast: Cast, top: Organization) -> None:
    invite(cast, top, cast.renter)
    owners.withdraw(actor=cast.actor("owner"), organization=top, user_id=cast.renter.pk)
    assert listed(cast, top) == []
    with pytest.raises(NotFound):
        owners.withdraw(actor=cast.actor("owner"), organization=top, user_id=cast.renter.pk)


def test_without_owner_rights_nobody_is_invited_withdrawn_or_removed(cast: Cast, top: Organization) -> None:
    add_member(user=cast.guest, organization=top, role="staff", admin_perm=True)
    invite(cast, top, cast.renter)
    actor = cast.actor("guest")
    with pytest.raises(Denied):
        owners.invite(actor=actor, organization=top, email=cast.neighbour.email)
    with pytest.raises(Denied):
        owners.withdraw(actor=actor, organization=top, user_id=cast.renter.pk)
    with pytest.raises(Denied):
        owners.remove(actor=actor, organization=top, user_id=cast.owner.pk)
    assert len(listed(cast, top)) == 1
    assert owned_by(top) == [cast.owner.pk]


def test_owners_above_have_owner_rights_and_are_not_listed(cast: Cast, top: Organization) -> None:
    below = node(cast, "Unten", top)
    add_member(user=cast.renter, organization=below, role="owner")
    owners.remove(actor=cast.actor("owner"), organization=below, user_id=cast.owner.pk)
    assert owned_by(below) == [cast.renter.pk]
    invite(cast, below, cast.guest)  # still may, from above


def test_the_last_owner_stays(cast: Cast, top: Organization) -> None:
    below = node(cast, "Unten", top)  # an owner above does not help
    for organization in (top, below):
        with pytest.raises(Conflict) as refused:
            owners.remove(actor=cast.actor("owner"), organization=organization, user_id=cast.owner.pk)
        assert refused.value.code == "last_owner"
        assert owned_by(organization) == [cast.owner.pk]


def test_a_removed_owner_is_staff_without_rights(cast: Cast) -> None:
    add_member(user=cast.foreigner, organization=cast.tenant, role="owner", admin_perm=True, super_admin_perm=True)
    Membership.objects.filter(user=cast.foreigner, organization=cast.tenant).update(all_communities=True)
    owners.remove(actor=cast.actor("admin"), organization=cast.tenant, user_id=cast.foreigner.pk)
    place = cast.membership("foreigner", cast.tenant)
    assert (place.role, place.admin_perm, place.super_admin_perm, place.all_communities) == (
        "staff",
        False,
        False,
        False,
    )
    with pytest.raises(NotFound):
        owners.remove(actor=cast.actor("admin"), organization=cast.tenant, user_id=cast.foreigner.pk)


@pytest.mark.rule("ORGS-042")
@pytest.mark.django_db(transaction=True)
def test_of_two_who_remove_each_other_one_stays() -> None:
    cast = load()
    for round_ in range(4):
        with scope.unit_of_work(door="test"):
            top = node(cast, f"O{round_}")
            add_member(user=cast.renter, organization=top, role="owner")
        one, two = cast.actor("owner"), cast.actor("renter")
        results = at_once(
            lambda top=top, one=one: owners.remove(actor=one, organization=top, user_id=cast.renter.pk),
            lambda top=top, two=two: owners.remove(actor=two, organization=top, user_id=cast.owner.pk),
        )
        assert sorted(results) == ["Conflict", "done"]
        assert len(owned_by(top)) == 1


def test_the_topmost_owned_organization_of_the_line(cast: Cast, top: Organization) -> None:
    middle = node(cast, "Mitte", top)
    leaf = node(cast, "Blatt", middle)
    for organization in (middle, leaf):
        add_member(user=cast.renter, organization=organization, role="owner")
    actor = cast.actor("owner")
    assert owners.topmost(actor=actor, organization=leaf, user_id=cast.renter.pk) == middle
    assert owners.topmost(actor=actor, organization=leaf, user_id=cast.owner.pk) == top
    with pytest.raises(NotFound):
        owners.topmost(actor=actor, organization=top, user_id=cast.renter.pk)
    # `renter` sees nothing of the top, so is not told that it is owned
    assert owners.topmost(actor=cast.actor("renter"), organization=leaf, user_id=cast.owner.pk) == middle
