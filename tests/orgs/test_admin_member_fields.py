"""What the form of a member holds beside rights: mobile number, a date of leaving, the notice after the sign-in."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from orgs.models import Membership
from orgs.services import accounts, tenants
from tests.orgs.test_admin_people import form_of
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast


def url_of(member: Membership) -> str:
    return f"/admin/orgs/membership/{member.pk}/change/"


def save(client: Client, member: Membership, **values: Any) -> Any:
    """The form as it stands, with some values changed; dates as the browser sends them."""
    sent = form_of(client, url_of(member))
    ends = sent.pop("deactivated_at", None)
    if ends is not None:
        local = timezone.localtime(ends)
        sent |= {"deactivated_at_0": f"{local:%Y-%m-%d}", "deactivated_at_1": f"{local:%H:%M:%S}"}
    return client.post(url_of(member), sent | values)


def test_a_mobile_number_is_stored_with_the_account(cast: Cast) -> None:
    assert save(signed_in(cast.admin), cast.membership("renter"), mobile="+49 170 1234567").status_code == 302
    cast.renter.refresh_from_db()
    assert cast.renter.mobile == "+49 170 1234567"


def test_what_is_no_number_is_an_error_at_the_field(cast: Cast) -> None:
    refused = save(signed_in(cast.admin), cast.membership("renter"), mobile="siehe Aushang")
    assert refused.context["adminform"].form.errors.keys() == {"mobile"}


def test_a_number_that_stands_there_already_keeps_nobody_from_saving(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        accounts.change_profile(cast.renter, {"mobile": "privat: 0170"})
    assert save(signed_in(cast.admin), cast.membership("renter"), description="Neu").status_code == 302
    cast.renter.refresh_from_db()
    assert cast.renter.mobile == "privat: 0170"


def test_the_number_of_an_account_of_several_companies_is_only_shown(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        tenants.add_member(user=cast.renter, organization=cast.other_tenant, role="guest")
    client = signed_in(cast.admin)
    field = client.get(url_of(cast.membership("renter"))).context["adminform"].form.fields["mobile"]
    assert field.disabled
    assert "gehört auch zu anderen Unternehmen" in str(field.help_text)
    save(client, cast.membership("renter"), mobile="+49 170 1234567")
    cast.renter.refresh_from_db()
    assert cast.renter.mobile == ""


def test_a_member_leaves_on_a_day_to_come(cast: Cast) -> None:
    day = timezone.localdate() + datetime.timedelta(days=30)
    member = cast.membership("renter")
    dates = {"deactivated_at_0": f"{day:%Y-%m-%d}", "deactivated_at_1": "00:00:00"}
    assert save(signed_in(cast.admin), member, **dates).status_code == 302
    member.refresh_from_db()
    assert member.deactivated_at is not None
    assert timezone.localtime(member.deactivated_at).date() == day
    assert not member.is_deactivated


def test_saving_leaves_the_moment_somebody_left_as_it_is(cast: Cast) -> None:
    member, moment = cast.membership("renter"), timezone.now() - datetime.timedelta(days=3, microseconds=7)
    Membership.objects.filter(pk=member.pk).update(deactivated_at=moment)
    assert save(signed_in(cast.admin), member, description="Neu").status_code == 302
    member.refresh_from_db()
    assert (member.deactivated_at, member.description) == (moment, "Neu")


def test_nobody_ends_their_own_place_here(cast: Cast) -> None:
    member = cast.membership("admin")
    client = signed_in(cast.admin)
    assert "deactivated_at" not in client.get(url_of(member)).context["adminform"].form.fields
    save(client, member, deactivated_at_0="2020-01-01", deactivated_at_1="00:00:00")
    member.refresh_from_db()
    assert member.deactivated_at is None


def test_the_last_owner_does_not_leave(cast: Cast) -> None:
    member = cast.membership("admin")
    answer = save(signed_in(cast.operator), member, deactivated_at_0="2020-01-01", deactivated_at_1="00:00:00")
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    member.refresh_from_db()
    assert member.deactivated_at is None


def test_the_notice_after_the_sign_in_is_written_without_scripts(cast: Cast) -> None:
    member = cast.membership("renter")
    text = "<p>Willkommen</p><script>alert(1)</script>"
    assert save(signed_in(cast.admin), member, login_popup_enabled="on", login_text=text).status_code == 302
    member.refresh_from_db()
    assert (member.login_popup_enabled, member.login_text) == (True, "<p>Willkommen</p>")


@pytest.mark.parametrize(("who", "status"), [("staff", 403), ("owner", 403), ("stranger", 404)])
def test_they_are_for_administrators(cast: Cast, who: str, status: int) -> None:
    answer = signed_in(getattr(cast, who)).post(url_of(cast.membership("renter")), {"mobile": "+49 170 1234567"})
    assert answer.status_code == status
    cast.renter.refresh_from_db()
    assert cast.renter.mobile == ""


def test_the_row_of_a_super_administrator_is_only_read_by_others(cast: Cast) -> None:
    Membership.objects.filter(pk=cast.membership("staff").pk).update(admin_perm=True)
    client, above = signed_in(cast.staff), cast.membership("admin")
    assert client.get(url_of(above)).status_code == 200
    assert client.post(url_of(above), {"mobile": "+49 170 1234567"}).status_code == 403
