"""One account for all companies: none of them takes more of it than its own part, and a closed door stays closed."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.errors import Denied
from core.models import Throttle
from core.services import rows
from orgs.models import Membership, OneTimeLink, OrganizationSettings
from orgs.services import contacts, invites, members, occupancies
from orgs.services.sign_in import sign_in_locking
from orgs.services.tenants import add_member
from tests.cast import PASSWORD
from tests.docms.door import signed_in as door
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from orgs.models import Contact
    from tests.cast import Cast

DAY = datetime.date(2024, 1, 1)


@pytest.fixture
def plain(cast: Cast) -> Cast:
    """Staff is an administrator, but no super administrator."""
    rows.change(cast.membership("staff"), {"admin_perm": True})
    return cast


# --- Deactivated is deactivated -------------------------------------------------------------------------------


@pytest.fixture
def ousted(plain: Cast) -> Membership:
    """An administrator whom another one has deactivated."""
    mine = plain.membership("staff")
    members.deactivate(actor=plain.actor("admin"), membership=mine)
    return Membership.objects.get(pk=mine.pk)


def resident(cast: Cast) -> Contact:
    """The deactivated person as an entry of the register."""
    return contacts.create_contact(
        tenant=cast.tenant, first_name="Stefan", last_name="Staff", email="staff@quartier.test"
    )


def test_an_invitation_lets_nobody_back_in(ousted: Membership, cast: Cast) -> None:
    person = resident(cast)
    occupancies.move_in(contact=person, unit=cast.unit_a3, role="renter", first=DAY)
    invite = invites.invite_contact(contact=person, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)
    with pytest.raises(Denied) as refusal:
        invites.accept(code=invite.code, user=cast.staff, ip="198.51.100.7")
    assert refusal.value.code == "user_deactivated"
    assert Membership.objects.get(pk=ousted.pk).deactivated_at == ousted.deactivated_at
    invite.refresh_from_db()
    assert invite.accepted_at is None
    page = signed_in(cast.staff).post(f"/app/invite/{invite.code}")
    assert page.status_code == 403 and "deaktiviert" in page.content.decode()


def test_moving_in_lets_nobody_back_in(ousted: Membership, cast: Cast) -> None:
    person = resident(cast)
    rows.change(person, {"user": cast.staff, "is_primary": True})
    occupancies.move_in(contact=person, unit=cast.unit_a3, role="renter", first=DAY)
    assert Membership.objects.get(pk=ousted.pk).deactivated_at == ousted.deactivated_at
    assert not cast.actor("staff").admin_tenants
    assert not cast.actor("staff").communities


def test_who_is_taken_in_again_brings_no_old_rights(ousted: Membership, cast: Cast) -> None:
    again = members.take_in(
        actor=cast.actor("admin"), tenant=cast.tenant, email="staff@quartier.test", first_name="S", last_name="S",
        language="de", role="contractor", read_perm=True,
    )  # fmt: skip
    assert again.pk == ousted.pk
    assert [flag for flag in members.NO_RIGHTS if getattr(again, flag)] == ["read_perm"]
    assert Membership.objects.active().filter(pk=again.pk).exists()


# --- An account that belongs to two companies ---------------------------------------------------------------


@pytest.fixture
def shared(cast: Cast) -> Membership:
    """Nordhaus knows the renter's address and has taken the account in."""
    return add_member(user=cast.renter, organization=cast.other_tenant, role="guest")


@pytest.mark.rule("DOCMS-198")
@pytest.mark.parametrize(
    "change",
    [{"name": "Anders, Anna"}, {"locale": "pl_PL"}, {"darkmode": True}, {"mobile_number": "+49 170 1"},
     {"username": "anders"}, {"email": "anders@quartier.test"}],
)  # fmt: skip
def test_another_company_changes_nothing_of_the_account(shared: Membership, cast: Cast, change: dict[str, Any]) -> None:
    nordhaus = door(cast.stranger, cast.other_tenant)
    nordhaus.refused("PUT", f"/users/{cast.renter.pk}", 403, change)
    nordhaus.ok("PUT", f"/users/{cast.renter.pk}", {"description": "unser Gast", "upload_file_perm": True})
    before = (cast.renter.last_name, cast.renter.language, cast.renter.email)
    cast.renter.refresh_from_db()
    assert (cast.renter.last_name, cast.renter.language, cast.renter.email) == before


def test_the_person_changes_the_own_account_wherever_it_belongs(shared: Membership, cast: Cast) -> None:
    door(cast.renter, cast.other_tenant).ok("PUT", f"/users/{cast.renter.pk}", {"locale": "pl_PL", "darkmode": True})
    cast.renter.refresh_from_db()
    assert (cast.renter.language, cast.renter.darkmode) == ("pl", True)


@pytest.mark.rule("DOCMS-198")
def test_the_operators_account_is_changed_by_no_company(cast: Cast) -> None:
    add_member(user=cast.operator, organization=cast.other_tenant, role="guest")
    door(cast.stranger, cast.other_tenant).refused("PUT", f"/users/{cast.operator.pk}", 403, {"name": "Anders, Anna"})


def test_another_company_does_not_reset_failed_attempts(shared: Membership, cast: Cast) -> None:
    for _time in range(5):
        sign_in_locking(identifier=cast.renter.email, password="falsch", ip=None)
    client = signed_in(cast.stranger)
    client.post(f"/admin/orgs/membership/{shared.pk}/reset-attempts/")
    assert sign_in_locking(identifier=cast.renter.email, password=PASSWORD, ip=None).outcome == "refused"
    members.reset_attempts(actor=cast.actor("operator"), membership=shared)
    assert not Throttle.objects.exists()


def test_another_company_sends_no_password_links(shared: Membership, cast: Cast) -> None:
    signed_in(cast.stranger).post(f"/admin/orgs/membership/{shared.pk}/password-link/")
    assert not OneTimeLink.objects.exists()
    rows.delete(shared)
    signed_in(cast.admin).post(f"/admin/orgs/membership/{cast.membership('renter').pk}/password-link/")
    assert OneTimeLink.objects.filter(user=cast.renter).count() == 1


# --- Locks ---------------------------------------------------------------------------------------------------


def lock(cast: Cast, **locks: bool) -> OrganizationSettings:
    """The locks of the company."""
    chosen = OrganizationSettings.objects.get(organization=cast.tenant)
    rows.change(chosen, locks)
    return chosen


def posted(client: Any, url: str, **changes: Any) -> Any:
    """The form as it is shown, with changes."""
    form = client.get(url).context["adminform"].form
    shown = {n: form.initial.get(n, form.fields[n].initial) for n in form.fields}
    data = {n: v for n, v in shown.items() if v not in (None, False, "", [])}
    return client.post(url, {**data, **{n: v for n, v in changes.items() if v is not None}})


@pytest.mark.rule("DOCMS-055")
@pytest.mark.parametrize("locked", [True, False])
def test_locked_permissions_are_locked_in_the_back_office_too(plain: Cast, locked: bool) -> None:
    lock(plain, lock_perm=locked)
    member = plain.membership("guest")
    url = f"/admin/orgs/membership/{member.pk}/change/"
    posted(signed_in(plain.staff), url, upload_file_perm="on", description="Neu")
    member.refresh_from_db()
    assert (member.upload_file_perm, member.description) == (not locked, "Neu")
    posted(signed_in(plain.admin), url, upload_file_perm="on")
    member.refresh_from_db()
    assert member.upload_file_perm


def test_locked_permissions_do_not_come_back_with_the_person(plain: Cast) -> None:
    members.change(membership=plain.membership("guest"), changes={"deactivated_at": timezone.now()})
    lock(plain, lock_perm=True)
    who = {"email": "guest@quartier.test", "first_name": "G", "last_name": "G", "language": "de", "role": "guest"}
    with pytest.raises(Denied):
        members.take_in(actor=plain.actor("staff"), tenant=plain.tenant, upload_file_perm=True, **who)
    assert members.take_in(actor=plain.actor("admin"), tenant=plain.tenant, **who).deactivated_at is None


@pytest.mark.parametrize("which", ["lock_perm", "lock_folder_perm"])
def test_locks_are_put_on_by_administrators_and_lifted_by_super_administrators(plain: Cast, which: str) -> None:
    chosen = lock(plain)
    url = f"/admin/orgs/organizationsettings/{chosen.pk}/change/"
    for who, wish, becomes in (("staff", "on", True), ("staff", None, True), ("admin", None, False)):
        data = {which: wish} if wish else {}
        client = signed_in(getattr(plain, who))
        form = client.get(url).context["adminform"].form
        shown = {
            n: v
            for n, v in form.initial.items()
            if n in form.fields and n != which and v is not None and v is not False
        }
        errors = client.post(url, {**shown, **data}).context
        assert errors is None, errors["adminform"].form.errors
        chosen.refresh_from_db()
        assert getattr(chosen, which) is becomes, who
