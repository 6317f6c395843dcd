"""Who sees which people: the register, circles of people, and rows that belong to nobody."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from core.services import rows
from docms.services import groups
from docms.services.audiences import people_by_key
from orgs import audience
from orgs.actor import ANONYMOUS
from orgs.models import AccessToken, Community, Contact, Membership, Organization, Responsibility, SignInLog
from orgs.services import members, occupancies, tokens
from orgs.services.contacts import create_contact
from orgs.services.tenants import add_member
from tests.cast import Cast

if TYPE_CHECKING:
    from orgs.models import User

SINCE_2020 = occupancies.period(datetime.date(2020, 1, 1), None)


def register(cast: Cast, who: str) -> set[str]:
    """The last and first names that somebody finds."""
    found = Contact.objects.visible_to(cast.actor(who)).exclude(kind="self")
    return set(found.values_list("first_name", flat=True))


def responsible(cast: Cast, name: str, house: Community, kind: str, period: object = SINCE_2020) -> Contact:
    """Somebody of the register who lives nowhere."""
    person = create_contact(tenant=house.tenant, first_name=name, last_name="Muster")
    rows.create(
        Responsibility, tenant=house.tenant, contact=person, community=house, type=kind, period=period, check=False
    )
    return person


def test_staff_find_who_is_responsible_in_their_houses(cast: Cast) -> None:
    past = occupancies.period(datetime.date(2020, 1, 1), datetime.date(2021, 1, 1))
    responsible(cast, "Caretaker", cast.house_a, "CARETAKER")
    responsible(cast, "Board", cast.house_a, "ADVISORY_BOARD", past)
    responsible(cast, "Elsewhere", cast.house_b, "CARETAKER")
    found = register(cast, "staff")
    assert {"Caretaker", "Board"} <= found
    assert "Elsewhere" not in found
    assert "Caretaker" not in register(cast, "renter")


@pytest.mark.parametrize("role", ["contractor", "guest", "resident"])
def test_who_is_staff_no_longer_does_not_keep_the_register(cast: Cast, role: str) -> None:
    membership = cast.membership("staff")
    members.change(membership=membership, changes={"all_communities": True})
    assert {"Owner", "Neighbour"} <= register(cast, "staff")
    members.change(membership=membership, changes={"role": role})
    assert register(cast, "staff") == set()


def test_staff_of_a_branch_with_another_role_in_the_company_do_not_get_its_register(cast: Cast) -> None:
    members.change(membership=cast.membership("staff"), changes={"role": "contractor", "all_communities": True})
    branch = rows.create(
        Organization, name="Filiale", parent=cast.tenant, ancestors=[cast.tenant.pk], tenant_id=cast.tenant.pk
    )
    add_member(user=cast.staff, organization=branch, role="staff")
    assert "Neighbour" not in register(cast, "staff")


# --- A company that is being closed -----------------------------------------------------------------------------


def close(cast: Cast) -> None:
    rows.change(cast.tenant, {"closed_at": timezone.now()})


def test_a_closed_company_lets_nobody_in(cast: Cast) -> None:
    branch = rows.create(
        Organization, name="Filiale", parent=cast.tenant, ancestors=[cast.tenant.pk], tenant_id=cast.tenant.pk
    )
    add_member(user=cast.staff, organization=branch, role="staff", all_communities=True)
    close(cast)
    for who in ("admin", "staff", "owner", "renter", "additional"):
        actor = cast.actor(who)
        assert not actor.tenants, who
        assert not Community.objects.visible_to(actor).exists(), who
        assert actor.keys == {audience.account(getattr(cast, who).pk)}, who
    assert cast.actor("stranger").tenants == {cast.other_tenant.pk}


def test_the_circles_of_a_closed_company_are_empty(cast: Cast) -> None:
    group = groups.derived_group(tenant=cast.tenant, community=cast.house_a)
    keys = [audience.community(cast.house_a.pk), audience.staff(cast.tenant.pk)]
    assert len(groups.members_of(group)) == 3
    close(cast)
    assert audience.people_of(keys, cast.tenant) == set()
    assert people_by_key(cast.tenant) == {}


def test_an_erased_entry_holds_nothing(cast: Cast) -> None:
    """Wherever it is asked: from the person, from the key, and from all keys of the company."""
    person = cast.contact("renter")
    rows.create(
        Responsibility, tenant=cast.tenant, contact=person, community=cast.house_a, type="ADVISORY_BOARD",
        period=SINCE_2020, check=False,
    )  # fmt: skip
    keys = [
        audience.contact(person.pk), audience.unit(cast.unit_a2.pk), audience.community(cast.house_a.pk, audience.BOARD)
    ]  # fmt: skip
    assert audience.people_of(keys, cast.tenant) == {cast.renter.pk}
    rows.change(person, {"erased_at": timezone.now()})
    assert audience.people_of(keys, cast.tenant) == set()
    held = people_by_key(cast.tenant)
    assert not any(held.get(key) for key in keys)
    assert not cast.actor("renter").keys & set(keys)


# --- The operator ---------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-056")
def test_the_operator_is_administrator_where_a_member_and_nowhere_else(cast: Cast) -> None:
    add_member(user=cast.operator, organization=cast.tenant, role="guest")
    assert cast.actor("operator").admin_tenants == {cast.tenant.pk}
    administrators = Membership.objects.administrators().filter(organization=cast.tenant)
    assert {m.user.pk for m in administrators.select_related("user")} == {cast.admin.pk, cast.operator.pk}


# --- Nobody's rows ----------------------------------------------------------------------------------------------


def logged(cast: Cast, user: User | None) -> SignInLog:
    return SignInLog.objects.create(user=user, type="login", door="web")


def test_who_has_no_account_does_not_see_the_rows_that_belong_to_nobody(cast: Cast) -> None:
    """A sign-in of an unknown name, a token of an organization: ``user`` is null there, and null for the caller."""
    unknown, own = logged(cast, None), logged(cast, cast.renter)
    _secret, token = tokens.issue(kind="organization", user=None, expires_in=None, organization=cast.tenant)
    assert not SignInLog.objects.visible_to(ANONYMOUS).exists()
    assert not AccessToken.objects.visible_to(ANONYMOUS).exists()
    assert set(SignInLog.objects.visible_to(cast.actor("renter"))) == {own}
    assert set(SignInLog.objects.visible_to(cast.actor("operator"))) >= {unknown, own}
    assert token in AccessToken.objects.visible_to(cast.actor("admin"))
