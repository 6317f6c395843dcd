"""What is left of an erased account: nobody finds it among the members, and no service writes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from core import scope
from core.errors import Changed, NotFound
from core.models import AuditEntry
from core.services import rows
from orgs.models import Application, ApplicationUser, Membership, OneTimeLink, SecondFactor, SignInLog, User
from orgs.services import accounts, applications, erase, members, passwords, second_factor
from orgs.services.tenants import add_member
from tests.factories import at_once
from tests.orgs.test_admin_member_fields import url_of
from tests.orgs.test_admin_people import form_of
from tests.portal.pages import house_folder, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

ACTIONS = ("password-link", "reset-attempts", "reset-second-factor", "deactivate", "reactivate")


def buried(cast: Cast, who: str = "renter") -> Membership:
    """The place of somebody who is erased."""
    erase.erase_account(user=getattr(cast, who))
    return Membership.objects.select_related("user", "organization").get(pk=cast.membership(who).pk)


def refused(work: Callable[[], object]) -> None:
    with pytest.raises(NotFound), scope.unit_of_work(door="test"):
        work()


# --- The back office --------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["admin", "operator"])
def test_a_tombstone_is_no_member_of_the_back_office(cast: Cast, who: str) -> None:
    client = signed_in(getattr(cast, who))
    place = cast.membership("renter")
    assert client.get(url_of(place)).status_code == 200
    buried(cast)
    assert client.get(url_of(place)).status_code == 404
    assert client.get(url_of(place).replace("change", "history")).status_code == 404
    for action in ACTIONS:
        page = reverse(f"admin:orgs_membership_{action.replace('-', '_')}", args=[place.pk])
        assert (client.get(page).status_code, client.post(page).status_code) == (404, 404)
    for words in ("", "?q=erased", "?state=deactivated"):
        page_of_list = client.get(f"/admin/orgs/membership/{words}")
        assert page_of_list.status_code == 200
        assert "erased-" not in page_of_list.content.decode()


def test_a_form_opened_before_the_erasure_writes_nothing(cast: Cast) -> None:
    client, place = signed_in(cast.admin), cast.membership("renter")
    sent = form_of(client, url_of(place))
    buried(cast)
    answer = client.post(url_of(place), sent | {"description": "ruft an", "mobile": "+49 170 1234567"})
    assert answer.status_code == 404
    left = cast.membership("renter")
    assert (left.description, left.user.mobile) == ("", "")


@pytest.mark.parametrize("page", ["signinlog", "auditentry"])
def test_logs_name_a_former_user_without_address(cast: Cast, page: str) -> None:
    SignInLog.objects.create(user=cast.renter, tenant=cast.tenant, type="login", door="docms")
    with scope.unit_of_work(door="web", user_id=cast.renter.pk), scope.all_tenants():
        rows.change(cast.membership("owner"), {"description": "x"})
    buried(cast)
    app = AuditEntry._meta.app_label if page == "auditentry" else "orgs"
    shown = signed_in(cast.operator).get(f"/admin/{app}/{page}/").content.decode()
    assert "Ehemaliges Konto" in shown
    assert "erased-" not in shown


def test_nobody_asks_why_a_tombstone_sees_a_folder(cast: Cast) -> None:
    client, where = signed_in(cast.admin), house_folder(cast)
    pages = [
        f"/admin/docms/folder/{where.pk}/{page}"
        for page in (f"person/?user={cast.renter.pk}", f"permissions/{cast.renter.pk}/", f"uploads/{cast.renter.pk}/")
    ]
    assert [client.get(page).status_code for page in pages] == [200, 200, 200]
    buried(cast)
    assert [client.get(page).status_code for page in pages] == [404, 404, 404]


# --- Services -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "work",
    [
        lambda cast, place: members.change(membership=place, changes={"description": "x"}),
        lambda cast, place: members.reactivate(membership=place),
        lambda cast, place: members.send_link(actor=cast.actor("operator"), membership=place),
        lambda cast, place: members.reset_attempts(actor=cast.actor("operator"), membership=place),
        lambda cast, place: members.reset_tenant_key(membership=place),
        lambda cast, place: members.reset_second_factor(membership=place),
        lambda cast, place: members.reset_keys_everywhere(user=place.user),
        lambda cast, place: accounts.change_profile(place.user, {"mobile": "+49 170 1234567"}),
        lambda cast, place: passwords.send_link(place.user, tenant=cast.tenant),
        lambda cast, place: passwords.first_or_reset_link(place.user, tenant=cast.tenant),
        lambda cast, place: add_member(user=place.user, organization=cast.other_tenant, role="guest"),
    ],
)
def test_no_service_writes_to_a_tombstone(cast: Cast, work: Callable[[Cast, Membership], object]) -> None:
    place = buried(cast)
    before = AuditEntry.objects.count()
    refused(lambda: work(cast, place))
    left = Membership.objects.select_related("user").get(pk=place.pk)
    assert (left.description, left.user.mobile, left.is_deactivated) == ("", "", True)
    assert (SignInLog.objects.count(), OneTimeLink.objects.count(), AuditEntry.objects.count()) == (0, 0, before)


def test_what_was_read_before_the_erasure_is_not_written_after_it(cast: Cast) -> None:
    before = Membership.objects.select_related("user", "organization").get(pk=cast.membership("renter").pk)
    buried(cast)
    assert before.user.erased_at is None  # as somebody read it who is slower
    refused(lambda: members.reset_attempts(actor=cast.actor("operator"), membership=before))
    refused(lambda: members.change(membership=before, changes={"description": "x"}))
    refused(lambda: passwords.send_link(before.user, tenant=cast.tenant))
    with pytest.raises(Changed):
        accounts.change_profile(before.user, {"mobile": "+49 170 1234567"})


def test_a_welcome_is_not_sent_to_a_tombstone(cast: Cast) -> None:
    place = buried(cast)
    passwords.welcome_link(place.user, tenant=cast.tenant)
    assert not OneTimeLink.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_an_erasure_and_a_change_at_the_same_time_nothing_remains(cast: Cast) -> None:
    place = cast.membership("renter")

    def write() -> None:
        members.change(membership=place, changes={"description": "ruft oft an"})
        members.reset_tenant_key(membership=place)

    with scope.unit_of_work(door="test"):
        second_factor.start(cast.renter, cast.tenant)
    at_once(lambda: erase.erase_account(user=cast.renter), write)
    left = cast.membership("renter")
    assert left.user.erased_at is not None
    assert left.description == ""
    assert not SecondFactor.objects.exists()


def test_no_key_of_an_application_is_made_for_a_tombstone(cast: Cast) -> None:
    app = rows.create(Application, tenant=cast.tenant, name="Archiv")
    place = buried(cast)
    ApplicationUser.objects.create(tenant=cast.tenant, application=app, user=place.user)
    assert not applications.is_usable(app.pk, place.user_id)


# --- The database and the words -----------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["first_name", "last_name", "name_as_given", "telephone", "mobile"])
def test_the_database_keeps_a_tombstone_empty(cast: Cast, column: str) -> None:
    buried(cast)
    with pytest.raises(IntegrityError, match="user_erased_is_empty"), transaction.atomic():
        User.objects.filter(pk=cast.renter.pk).update(**{column: "1234567"})


def test_a_tombstone_has_no_name_and_no_address_to_show() -> None:
    user = User(username="erased-1", email="erased-1")
    assert (user.get_short_name(), user.shown_email) == ("erased-1", "erased-1")
    user.erased_at = timezone.now()
    assert (user.get_short_name(), user.shown_email) == ("Ehemaliges Konto", "")
