"""What the form of a member holds beside rights: mobile number, a date of leaving, the notice after the sign-in."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core import scope
from core.errors import BeingChecked
from core.models import Blob
from orgs.models import Membership, User
from orgs.services import accounts, tenants
from tests.core.material import picture
from tests.fuzz.forms import as_it_stands
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


def number(cast: Cast, mobile: str, of: str = "renter") -> None:
    """The number of a person, as the portal stores it."""
    with scope.unit_of_work(door="test"):
        accounts.change_profile(User.objects.get(pk=getattr(cast, of).pk), {"mobile": mobile})


def test_a_mobile_number_is_stored_with_the_account(cast: Cast) -> None:
    assert save(signed_in(cast.admin), cast.membership("renter"), mobile="+49 170 1234567").status_code == 302
    cast.renter.refresh_from_db()
    assert cast.renter.mobile == "+49 170 1234567"


def test_what_is_no_number_is_an_error_at_the_field(cast: Cast) -> None:
    refused = save(signed_in(cast.admin), cast.membership("renter"), mobile="siehe Aushang")
    assert refused.context["adminform"].form.errors.keys() == {"mobile"}


def test_a_number_that_stands_there_already_keeps_nobody_from_saving(cast: Cast) -> None:
    number(cast, "privat: 0170")
    assert save(signed_in(cast.admin), cast.membership("renter"), description="Neu").status_code == 302
    cast.renter.refresh_from_db()
    assert cast.renter.mobile == "privat: 0170"


def test_a_number_that_the_person_changed_meanwhile_stays(cast: Cast) -> None:
    client, url = signed_in(cast.admin), url_of(cast.membership("renter"))
    number(cast, "+49 170 1")
    shown = as_it_stands(client.get(url).content.decode())
    number(cast, "+49 170 2222222")
    assert client.post(url, shown | {"description": "Neu"}).status_code == 302
    cast.renter.refresh_from_db()
    assert cast.renter.mobile == "+49 170 2222222"
    assert cast.membership("renter").description == "Neu"


@pytest.mark.parametrize(("by_the_person", "shows"), [("+49 170 2222222", "+49 170 2222222"), ("", "–")])
def test_a_number_that_both_changed_is_an_error_at_the_field(cast: Cast, by_the_person: str, shows: str) -> None:
    client, url = signed_in(cast.admin), url_of(cast.membership("renter"))
    number(cast, "+49 170 1111111")
    shown = as_it_stands(client.get(url).content.decode())
    number(cast, by_the_person)
    refused = client.post(url, shown | {"description": "Neu", "mobile": "+49 170 3333333"})
    (problem,) = refused.context["adminform"].form.errors["mobile"]
    assert problem == f"Inzwischen geändert; jetzt steht da: {shows}. Bitte laden Sie die Seite neu."
    cast.renter.refresh_from_db()
    assert cast.renter.mobile == by_the_person
    assert cast.membership("renter").description == ""


def test_a_number_that_both_changed_alike_is_no_error(cast: Cast) -> None:
    client, url = signed_in(cast.admin), url_of(cast.membership("renter"))
    shown = as_it_stands(client.get(url).content.decode())
    number(cast, "+49 170 2222222")
    assert client.post(url, shown | {"mobile": "+49 170 2222222"}).status_code == 302


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


@pytest.mark.parametrize("seconds", ["1", "99999999"])
def test_a_session_is_as_long_as_the_company_allows(cast: Cast, seconds: str) -> None:
    member = cast.membership("renter")
    refused = save(signed_in(cast.admin), member, token_sec=seconds)
    assert refused.context["adminform"].form.errors.keys() == {"token_sec"}
    member.refresh_from_db()
    assert str(member.token_sec) != seconds


def test_a_session_that_was_allowed_once_keeps_nobody_from_saving(cast: Cast) -> None:
    member = cast.membership("renter")
    Membership.objects.filter(pk=member.pk).update(token_sec=1)
    assert save(signed_in(cast.admin), member, description="Neu").status_code == 302


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


def test_the_picture_of_the_notice_is_put_up_and_taken_away(cast: Cast) -> None:
    client, member = signed_in(cast.admin), cast.membership("renter")
    assert "drop_login_logo" not in client.get(url_of(member)).context["adminform"].form.fields
    assert save(client, member, new_login_logo=SimpleUploadedFile("a.png", picture())).status_code == 302
    page = client.get(url_of(member)).content.decode()
    (address,) = re.findall(r'<img class="q-picture" src="([^"]+)"', page)
    assert client.get(address).getvalue() == picture()
    assert save(client, member, description="Neu").status_code == 302
    member.refresh_from_db()
    assert member.login_logo is not None  # saving without a file keeps it
    assert save(client, member, drop_login_logo="on").status_code == 302
    member.refresh_from_db()
    assert member.login_logo is None
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"<svg onload=alert(1)></svg>", "PNG"), (picture("GIF"), "PNG"), (b"\x89PNG" * 200_000, "512")],
)
def test_what_is_no_small_picture_is_refused_at_its_field(cast: Cast, content: bytes, words: str) -> None:
    member = cast.membership("renter")
    refused = save(
        signed_in(cast.admin), member, new_login_logo=SimpleUploadedFile("a.png", content), description="Neu"
    )
    assert words in str(refused.context["adminform"].form.errors["new_login_logo"])
    member.refresh_from_db()
    assert (member.login_logo, member.description) == (None, "")
    assert not Blob.objects.filter(tenant=cast.tenant).exists()


def test_a_picture_that_the_scanner_has_not_seen_is_not_shown(cast: Cast) -> None:
    client, member = signed_in(cast.admin), cast.membership("renter")
    save(client, member, new_login_logo=SimpleUploadedFile("a.png", picture()))
    Blob.objects.filter(tenant=cast.tenant).update(scan=Blob.Scan.PENDING)
    page = client.get(url_of(member)).content.decode()
    assert "q-picture" not in page
    assert str(BeingChecked.message) in page


@pytest.mark.parametrize(("who", "status"), [("staff", 403), ("owner", 403), ("stranger", 404)])
def test_they_are_for_administrators(cast: Cast, who: str, status: int) -> None:
    answer = signed_in(getattr(cast, who)).post(url_of(cast.membership("renter")), {"mobile": "+49 170 1234567"})
    assert answer.status_code == status
    cast.renter.refresh_from_db()
    assert cast.renter.mobile == ""


def test_the_row_of_a_super_administrator_is_only_read_by_others(cast: Cast) -> None:
    Membership.objects.filter(pk=cast.membership("staff").pk).update(admin_perm=True)
    client, above = signed_in(cast.staff), cast.membership("admin")
    number(cast, "+49 170 1111111", of="admin")
    page = client.get(url_of(above)).content.decode()
    assert "+49 170 1111111" in page
    assert 'type="file"' not in page
    assert client.post(url_of(above), {"mobile": "+49 170 1234567"}).status_code == 403
