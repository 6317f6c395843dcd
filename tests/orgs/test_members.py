"""Members: taken in, changed, let go; an organization never loses its last owner or super administrator."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from core import scope
from core.errors import Changed, Conflict
from core.models import AuditEntry
from orgs import rules
from orgs.models import CommunityAssignment, Membership, OneTimeLink, SecondFactor, User
from orgs.services import members, occupancies, second_factor, tokens
from orgs.services.tenants import add_member
from tests.factories import UserFactory, at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast


def second_administrator(cast: Cast, role: str = "owner") -> Membership:
    """Somebody as mighty as ``cast.admin``."""
    return add_member(
        user=UserFactory(), organization=cast.tenant, role=role, admin_perm=True, super_admin_perm=True
    )  # fmt: skip


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(Conflict) as error:
        work()
    return error.value.code


@pytest.mark.rule("DOCMS-058")
def test_the_last_super_administrator_is_neither_let_go_nor_demoted(cast: Cast) -> None:
    last = cast.membership("admin")
    rows_of_others = [
        second_administrator(cast, "staff"),  # leaves below, so does not count
        add_member(user=UserFactory(), organization=cast.tenant, role="staff", admin_perm=True),
        add_member(user=UserFactory(), organization=cast.tenant, role="owner"),  # so that owning is not what holds
    ]
    members.change(
        membership=rows_of_others[0], changes={"deactivated_at": timezone.now() + datetime.timedelta(days=9)}
    )
    for changes in (
        {"super_admin_perm": False},
        {"deactivated_at": timezone.now()},
        {"deactivated_at": timezone.now() + datetime.timedelta(days=1)},
    ):
        assert refused(lambda changes=changes: members.change(membership=last, changes=changes)) == "last_super_admin"
    second_administrator(cast, "staff")
    members.change(membership=last, changes={"super_admin_perm": False})
    assert not cast.membership("admin").super_admin_perm


def test_the_last_owner_neither_leaves_nor_becomes_something_else(cast: Cast) -> None:
    last = cast.membership("admin")
    second_administrator(cast, "staff")
    assert refused(lambda: members.change(membership=last, changes={"role": "staff"})) == "last_owner"
    assert refused(lambda: members.deactivate(actor=cast.actor("operator"), membership=last)) == "last_owner"
    assert rules.may_leave(last, {"deactivated_at": timezone.now()}).denied_status == 409
    assert rules.may_leave(last, {"read_perm": False})
    second_administrator(cast)
    members.deactivate(actor=cast.actor("operator"), membership=last)
    assert not cast.actor("admin").admin_tenants


@pytest.mark.rule("DOCMS-058")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["deactivate", "demote"])
def test_of_two_administrators_who_remove_each_other_one_stays(cast: Cast, how: str) -> None:
    with scope.unit_of_work(door="test"):
        one, two = cast.membership("admin"), second_administrator(cast)
        actors = {m.pk: cast.actor(m.user) for m in (one, two)}

    def remove(who: Membership, by: Membership) -> None:
        if how == "deactivate":
            members.deactivate(actor=actors[by.pk], membership=who)
        else:
            members.change(membership=who, changes={"super_admin_perm": False, "admin_perm": False})

    outcomes = at_once(lambda: remove(two, by=one), lambda: remove(one, by=two))
    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict", "NoneType"]
    left = Membership.objects.active().filter(organization=cast.tenant, super_admin_perm=True)
    assert left.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_that_was_decided_on_an_old_row_is_not_written(cast: Cast) -> None:
    """Whoever became super administrator meanwhile is not demoted by a form that did not know."""
    with scope.unit_of_work(door="test"):
        member = cast.membership("staff")
        members.change(membership=cast.membership("staff"), changes={"admin_perm": True, "super_admin_perm": True})
        with pytest.raises(Changed):
            members.change(membership=member, changes={"admin_perm": True})


def test_nobody_deactivates_themselves(cast: Cast) -> None:
    second_administrator(cast)
    work = lambda: members.deactivate(actor=cast.actor("admin"), membership=cast.membership("admin"))  # noqa: E731
    assert refused(work) == "self"


def test_who_was_let_go_comes_back_with_the_same_rights(cast: Cast) -> None:
    members.deactivate(actor=cast.actor("admin"), membership=cast.membership("staff"))
    assert not cast.actor("staff").staff_tenants
    members.reactivate(membership=cast.membership("staff"))
    assert cast.actor("staff").managed == {cast.house_a.pk}
    verbs = AuditEntry.objects.filter(object_type="orgs.membership", object_id=str(cast.membership("staff").pk))
    assert list(verbs.order_by("id").values_list("verb", flat=True))[-2:] == ["deactivated", "reactivated"]


def test_assignments_are_replaced_and_recorded(cast: Cast) -> None:
    member = cast.membership("staff")
    members.assign(membership=member, communities=[cast.house_b.pk])
    assert list(CommunityAssignment.objects.filter(membership=member).values_list("community", flat=True)) == [
        cast.house_b.pk
    ]
    before = AuditEntry.objects.count()
    members.assign(membership=member, communities=[cast.house_b.pk])
    assert AuditEntry.objects.count() == before


# --- Taking in ------------------------------------------------------------------------------------------

NEW = {"email": "neu@quartier.test", "first_name": "Nora", "last_name": "Neu", "language": "pl"}


def test_a_new_person_gets_an_account_a_place_and_a_link(cast: Cast) -> None:
    member = members.take_in(
        actor=cast.actor("admin"),
        tenant=cast.tenant,
        role="staff",
        communities=[cast.house_a.pk],
        upload_file_perm=True,
        **NEW,
    )
    assert (member.user.language, member.upload_file_perm) == ("pl", True)
    assert cast.actor(member.user).managed == {cast.house_a.pk}
    assert OneTimeLink.objects.filter(user=member.user, purpose="password_init").count() == 1
    with pytest.raises(Conflict) as error:
        members.take_in(actor=cast.actor("admin"), tenant=cast.tenant, role="staff", **NEW)
    assert error.value.code == "already_member"


def test_an_account_that_is_there_keeps_its_name_and_gets_no_link(cast: Cast) -> None:
    members.deactivate(actor=cast.actor("admin"), membership=cast.membership("staff"))
    member = members.take_in(
        actor=cast.actor("admin"), tenant=cast.tenant, role="contractor", **NEW | {"email": "STAFF@quartier.test"}
    )
    assert (member.user, member.role, member.deactivated_at) == (cast.staff, "contractor", None)
    assert User.objects.get(pk=cast.staff.pk).first_name == "Staff"
    assert not OneTimeLink.objects.exists()


# --- Resetting ------------------------------------------------------------------------------------------


def confirmed_keys(cast: Cast, who: User) -> None:
    for organization in (None, cast.tenant):
        SecondFactor.objects.create(
            user=who, organization=organization, secret="A" * 32, confirmed=True, confirmed_at=timezone.now(), name="k"
        )


def test_both_keys_of_a_member_who_is_nowhere_else_are_reset(cast: Cast) -> None:
    confirmed_keys(cast, cast.staff)
    members.reset_second_factor(membership=cast.membership("staff"))
    assert second_factor.confirmed(cast.staff) is None


def test_the_personal_key_of_somebody_who_works_elsewhere_or_runs_the_installation_stays(cast: Cast) -> None:
    add_member(user=cast.staff, organization=cast.other_tenant, role="staff")
    add_member(user=cast.operator, organization=cast.tenant, role="staff")
    for who in ("staff", "operator"):
        user = getattr(cast, who)
        confirmed_keys(cast, user)
        assert not rules.may_reset_personal_key(cast.membership(who))
        members.reset_second_factor(membership=cast.membership(who))
        key = second_factor.confirmed(user)
        assert key is not None
        assert key.organization is None


def test_a_revoked_residence_is_not_ended_later(cast: Cast) -> None:
    residence = cast.occupancy("renter")
    occupancies.revoke(residence)
    assert refused(lambda: occupancies.end(residence, last=datetime.date(2099, 1, 1))) == "ended"


@pytest.mark.rule("DOCMS-059")
def test_who_comes_back_signs_in_anew(cast: Cast) -> None:
    membership = cast.membership("renter")
    here, _row = tokens.issue(
        kind="docms_session", user=cast.renter, organization=cast.tenant, expires_in=datetime.timedelta(hours=1)
    )
    elsewhere, _row = tokens.issue(
        kind="docms_session", user=cast.renter, organization=cast.other_tenant, expires_in=datetime.timedelta(hours=1)
    )
    past = timezone.now() - datetime.timedelta(seconds=1)
    members.change(membership=membership, changes={"deactivated_at": past})
    members.change(membership=membership, changes={"deactivated_at": None})
    assert tokens.find(here, kinds=("docms_session",)) is None
    assert tokens.find(elsewhere, kinds=("docms_session",)) is not None
