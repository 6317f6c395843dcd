"""Members over HTTP: made, changed, and who may."""

from __future__ import annotations

import base64
import datetime
import io
import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from PIL import Image

from core.services import rows
from messaging.models import Message
from orgs.models import License, Membership, OneTimeLink, User
from tests.cast import Cast
from tests.docms.door import (
    Caller,
    contract,
    cost_of,
    make_folder,
    make_group,
    permit,
    settings_of,
    signed_in,
    soon,
)

pytestmark = pytest.mark.django_db
NEW = {"username": "neu", "email": "neu@example.org", "name": "Neu, Nina"}
# As the contract has them; the product has a list of its own.
FLAGS = (
    "read_perm", "download_perm", "upload_file_perm", "edit_file_perm", "edit_own_file_perm", "log_perm", "mail_perm",
    "admin_perm", "super_admin_perm",
)  # fmt: skip


def me(caller: Caller, user: User) -> dict[str, Any]:
    """One record."""
    found: dict[str, Any] = caller.ok("GET", f"/users/{user.pk}")
    return found


# --- Creating -------------------------------------------------------------------------------------------


def mailed(address: str) -> list[str]:
    """The kinds of mails to an address."""
    return sorted(Message.objects.filter(to_emails=[address]).values_list("kind", flat=True))


@pytest.mark.rule("DOCMS-051")
def test_new_users_get_a_link_and_a_welcome(admin: Caller) -> None:
    made = admin.ok("POST", "/users", NEW)
    assert made["name"] == "Neu, Nina"
    assert made["admin_perm"] is False
    assert mailed(NEW["email"]) == ["password_init", "welcome"]
    for number, switch in enumerate(("false", "true")):
        body = {"username": f"n{number}", "email": f"n{number}@example.org", "name": "Zwei"}
        admin.ok("POST", f"/users?welcome={switch}", body)
    assert mailed("n0@example.org") == ["password_init"]
    assert mailed("n1@example.org") == ["password_init", "welcome"]
    link = re.search(
        r"/app/password/(\S+)", Message.objects.get(kind="password_init", to_emails=[NEW["email"]]).body_text
    )
    assert link is not None
    Caller().ok("PUT", f"/password/token/{link[1]}", {"new_password": "Ein-anderer-Satz-2"})
    Caller().ok("GET", "/login", basic="neu:Ein-anderer-Satz-2")


@pytest.mark.rule("DOCMS-052")
def test_names_and_addresses_are_unique(cast: Cast, admin: Caller) -> None:
    made = admin.ok("POST", "/users", NEW)
    fresh = {"username": "anders", "email": "anders@example.org", "name": "Anders"}
    clashes = (
        {"email": "RENTER@quartier.test"},
        {"username": "Renter@Quartier.test"},
        {"username": "NEU"},
        {"email": "Neu@Example.org"},
        {"email": cast.stranger.email.upper()},  # somebody of another company
        {"username": cast.operator.username.title()},
    )
    for clash in clashes:
        refusal = admin.refused("POST", "/users", 409, fresh | clash)
        assert refusal["message"] == "ALREADY_EXISTS"
    other = admin.ok("POST", "/users", fresh)
    assert made["user_id"] != other["user_id"]
    before = me(admin, User.objects.get(pk=other["user_id"]))
    for clash in clashes:
        refusal = admin.refused("PUT", f"/users/{other['user_id']}", 409, clash)
        assert refusal["message"] == "ALREADY_EXISTS"
    assert me(admin, User.objects.get(pk=other["user_id"])) == before
    admin.ok("PUT", f"/users/{other['user_id']}", {"username": "ANDERS", "email": "Anders@example.org"})  # its own


@pytest.mark.rule("DOCMS-053")
def test_an_account_of_both_names_is_attached(cast: Cast, admin: Caller) -> None:
    body = {"username": cast.foreigner.username.upper(), "email": cast.foreigner.email, "name": "Egal"}
    made = admin.ok("POST", "/users", body)
    assert (made["user_id"], made["name"]) == (cast.foreigner.pk, "Muster, Foreigner")
    assert mailed(cast.foreigner.email) == ["welcome"]
    assert not OneTimeLink.objects.exists()
    assert Membership.objects.filter(user=cast.foreigner).count() == 2
    signed_in(cast.foreigner, cast.tenant).ok("GET", "/folders")
    admin.refused("POST", "/users", 409, body)


@pytest.mark.rule("DOCMS-009")
def test_session_times_lie_in_the_tenants_range(cast: Cast, admin: Caller) -> None:
    settings_of(cast, token_min_sec=600, token_max_sec=1200)
    assert admin.ok("POST", "/users", NEW)["token_sec"] == 600
    path = f"/users/{cast.renter.pk}"
    for wrong in (599, 1201):
        admin.refused("PUT", path, 400, {"token_sec": wrong})
        other = {"username": "x", "email": "x@example.org", "name": "X", "token_sec": wrong}
        admin.refused("POST", "/users", 400, other)
    for right in (600, 1200):
        assert admin.ok("PUT", path, {"token_sec": right})["token_sec"] == right


def test_without_a_licence_there_is_no_limit(admin: Caller) -> None:
    assert admin.ok("GET", "/tenants/current/public")["license_features"] == [1, 2, 3, 4]
    admin.ok("POST", "/users", NEW)


@pytest.mark.rule("DOCMS-174")
def test_the_licence_counts_points(cast: Cast, admin: Caller) -> None:
    renter = f"/users/{cast.renter.pk}"
    active = Membership.objects.active().filter(organization=cast.tenant).count()
    licence = rows.create(License, organization=cast.tenant, max_points=active + 1)
    admin.ok("POST", "/users", NEW)
    other = {"username": "x", "email": "x@example.org", "name": "X"}
    admin.refused("POST", "/users", 403, other)
    attached = {"username": cast.foreigner.username, "email": cast.foreigner.email, "name": "Egal"}
    admin.refused("POST", "/users", 403, attached)
    # Who will be switched off some day is in use until then, and taking that back needs no point.
    admin.ok("PUT", renter, {"deactivated": soon(days=1)})
    admin.refused("POST", "/users", 403, other)
    admin.ok("PUT", renter, {"deactivated": None})
    admin.ok("PUT", renter, {"deactivated": soon(seconds=-5)})
    admin.ok("POST", "/users", other)
    for again in (None, soon(days=1)):
        admin.refused("PUT", renter, 403, {"deactivated": again})
    admin.ok("PUT", renter, {"deactivated": soon(seconds=-9), "description": "fort"})  # stays switched off
    rows.change(licence, {"max_points": active + 2})
    admin.ok("PUT", renter, {"deactivated": None})
    admin.refused("POST", "/users", 403, attached)
    rows.change(licence, {"max_points": 0})
    admin.ok("POST", "/users", attached)


# --- The own record, and those of others ----------------------------------------------------------------


PREFERENCES = {"locale", "darkmode", "mobile_number", "last_folder_id"}


def another(name: str, value: Any) -> Any:
    """A value of a field that differs from the stored one."""
    if isinstance(value, bool):
        return not value
    picture = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(picture, "PNG")
    return {
        "username": "anders", "email": "anders@example.org", "name": "Anders", "token_sec": 901, "description": "x",
        "deactivated": soon(days=1), "group_ids": [], "login_text": "x",
        "login_logo": base64.b64encode(picture.getvalue()).decode(),
    }[name]  # fmt: skip


@pytest.mark.rule("DOCMS-054")
def test_everybody_keeps_the_own_preferences(cast: Cast, admin: Caller, renter: Caller) -> None:
    folder = make_folder(admin, "F", make_group(admin, "G", cast.renter.pk))
    settings_of(cast, token_min_sec=60, token_max_sec=2592000)
    path = f"/users/{cast.renter.pk}"
    changes = {"locale": "pl_PL", "darkmode": True, "mobile_number": "+49 170 123", "last_folder_id": folder}
    record = renter.ok("PUT", path, changes)
    assert {name: record[name] for name in changes} == changes
    assert renter.ok("PUT", path, record) == record  # a whole record sent back changes nothing
    fields = contract()["components"]["schemas"]["UserUpdate"]["properties"].keys()
    assert len(fields - PREFERENCES) > 15
    for name in fields - PREFERENCES:
        different = {name: another(name, record[name])}
        renter.refused("PUT", path, 403, different | {"darkmode": False})
        renter.refused("PUT", path, 403, record | different)
    assert me(renter, cast.renter) == record
    assert renter.ok("PUT", path, {"mobile_number": None, "last_folder_id": None})["last_folder_id"] is None
    for who in ("guest", "former", "staff"):
        user = getattr(cast, who)
        mine = signed_in(user, cast.tenant)
        assert mine.ok("PUT", f"/users/{user.pk}", {"darkmode": True})["darkmode"] is True


@pytest.mark.rule("DOCMS-195", "DOCMS-186")
def test_every_field_of_a_user_comes_back_as_it_was_stored(cast: Cast, admin: Caller) -> None:
    settings_of(cast, token_min_sec=60, token_max_sec=2592000)
    group = make_group(admin, "G")
    sent = {
        **dict.fromkeys(FLAGS, True), "username": "Ola", "email": "Ola@example.org", "name": "Żak-Größe, Ola",
        "locale": "pl_PL", "darkmode": True, "token_sec": 1234, "tfa_force": True, "description": " Zeile 1\nZeile 2 🏠",
        "mobile_number": "+49 170 (0) 1-2", "deactivated": "2031-07-01T02:00:00.125+0200", "group_ids": [group],
        "login_popup_enabled": True, "login_logo": another("login_logo", None), "login_text": "<p>Hallo <b>Ola</b></p>",
        "last_folder_id": make_folder(admin, "F", group),
    }  # fmt: skip
    assert sent.keys() == contract()["components"]["schemas"]["UserUpdate"]["properties"].keys()
    made = admin.ok("POST", "/users", sent)
    assert {name: made[name] for name in sent} == sent
    path = f"/users/{made['user_id']}"
    assert admin.ok("GET", path) == made
    other = sent | {name: not value for name, value in sent.items() if isinstance(value, bool)} | {
        "username": "ola2", "email": "ola2@example.org", "name": "Ola", "locale": "fr_FR", "token_sec": 99,
        "description": "x", "mobile_number": "0170 1234", "deactivated": "2032-01-01T00:00:00.000+0100",
        "group_ids": [], "login_text": "x",
    }  # fmt: skip
    admin.ok("PUT", path, other)
    assert {name: value for name, value in admin.ok("GET", path).items() if name in other} == other
    cleared = dict.fromkeys(
        ("description", "mobile_number", "deactivated", "login_logo", "login_text", "last_folder_id")
    )
    admin.ok("PUT", path, cleared)
    assert admin.ok("GET", path) == {"user_id": made["user_id"], **other, **cleared}


@pytest.mark.rule("DOCMS-183")
def test_records_of_others_are_for_administrators(cast: Cast, plain_admin: Caller, renter: Caller) -> None:
    other = f"/users/{cast.owner.pk}"
    for caller in (renter, signed_in(cast.guest, cast.tenant)):
        caller.refused("GET", "/users", 403)
        caller.refused("POST", "/users", 403, NEW)
        caller.refused("GET", other, 403)
        caller.refused("PUT", other, 403, {"darkmode": True})
        caller.refused("PUT", other, 403, {})
    assert not User.objects.filter(email=NEW["email"]).exists()
    listed = {user["user_id"]: user for user in plain_admin.ok("GET", "/users")}
    people = (cast.admin, cast.staff, cast.guest, cast.owner, cast.renter, cast.additional, cast.former, cast.neighbour)
    assert listed.keys() == {user.pk for user in people}  # nobody of another company
    assert me(plain_admin, cast.owner) == listed[cast.owner.pk]
    assert listed[cast.owner.pk]["darkmode"] is False
    assert plain_admin.ok("PUT", other, {"name": "Owner, Olaf"})["name"] == "Owner, Olaf"
    plain_admin.ok("POST", "/users", NEW)
    assert len(plain_admin.ok("GET", "/users")) == len(people) + 1


@pytest.mark.rule("DOCMS-055")
def test_locked_permissions_need_a_super_administrator(cast: Cast, admin: Caller, plain_admin: Caller) -> None:
    settings_of(cast, lock_perm=True, token_min_sec=60, token_max_sec=2592000)
    path = f"/users/{cast.guest.pk}"
    record = me(admin, cast.guest)
    for flag in FLAGS:
        plain_admin.refused("PUT", path, 403, {flag: not record[flag], "description": "x"})
    assert me(admin, cast.guest) == record
    plain_admin.ok("PUT", path, {"description": "Ruhig", "read_perm": True})  # true already
    for name in ("username", "email", "name", "token_sec", "tfa_force", "login_text", "deactivated", "darkmode"):
        plain_admin.ok("PUT", path, {name: another(name, record[name])})
    plain_admin.ok("PUT", path, {"group_ids": [make_group(admin, "G")]})
    plain_admin.ok("POST", "/users", NEW | {"upload_file_perm": True})  # only existing users are locked
    for flag in FLAGS:
        admin.ok("PUT", path, {flag: not record[flag]})
    settings_of(cast, lock_perm=False)
    plain_admin.ok("PUT", f"/users/{cast.renter.pk}", {"upload_file_perm": True})


@pytest.mark.rule("DOCMS-056")
def test_super_administrators_are_administrators(cast: Cast, admin: Caller) -> None:
    made = admin.ok("PUT", f"/users/{cast.staff.pk}", {"super_admin_perm": True})
    assert made["admin_perm"] is True
    assert admin.ok("PUT", f"/users/{cast.staff.pk}", {"admin_perm": False})["admin_perm"] is True
    new = admin.ok("POST", "/users", NEW | {"super_admin_perm": True, "admin_perm": False})
    assert new["admin_perm"] is True
    with pytest.raises(ValidationError):  # whatever is written past the door, too
        rows.change(cast.membership("staff"), {"admin_perm": False})
    staff = signed_in(cast.staff, cast.tenant)
    folder = make_folder(staff, "F", make_group(staff, "G"))
    file = signed_in(cast.admin, cast.tenant).upload(folder)["file_id"]
    permit(staff, folder, cast.renter.pk, read=True)
    for path in ("/users", "/maillogs", "/deleted-files", f"/users/{cast.renter.pk}/permissions"):
        staff.ok("GET", path)
    assert [f["file_id"] for f in staff.ok("GET", "/files?all=true")] == [file]
    staff.ok("DELETE", f"/files/{file}")
    staff.ok("DELETE", f"/folders/{folder}")


@pytest.mark.rule("DOCMS-057")
def test_super_administrators_are_made_by_their_like(cast: Cast, admin: Caller, plain_admin: Caller) -> None:
    boss = f"/users/{cast.admin.pk}"
    plain_admin.refused("PUT", f"/users/{cast.owner.pk}", 403, {"super_admin_perm": True})
    plain_admin.refused("PUT", f"/users/{cast.staff.pk}", 403, {"super_admin_perm": True})
    record = me(admin, cast.admin)
    for flag in FLAGS:
        plain_admin.refused("PUT", boss, 403, {flag: not record[flag]})
    for moment in (soon(days=1), soon(seconds=-5)):
        plain_admin.refused("PUT", boss, 403, {"deactivated": moment})
    plain_admin.refused("POST", "/users", 403, NEW | {"super_admin_perm": True})
    assert me(admin, cast.admin) == record
    for name in ("username", "email"):  # else a link for the password would hand the account over
        plain_admin.refused("PUT", boss, 403, {name: another(name, None)})
    assert me(admin, cast.admin) == record
    plain_admin.ok("PUT", boss, {"description": "Chefin"})
    admin.ok("PUT", f"/users/{cast.staff.pk}", {"super_admin_perm": True})
    admin.ok("PUT", f"/users/{cast.staff.pk}", {"mail_perm": False})
    admin.ok("PUT", f"/users/{cast.staff.pk}", {"super_admin_perm": False})
    assert admin.ok("POST", "/users", NEW | {"super_admin_perm": True})["super_admin_perm"] is True


@pytest.mark.rule("DOCMS-058")
def test_the_last_super_administrator_stays(cast: Cast, admin: Caller) -> None:
    boss, deputy = f"/users/{cast.admin.pk}", f"/users/{cast.staff.pk}"
    # Another owner, and administrators who are none above or no longer: none of them is what holds here.
    rows.create(Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="owner")
    admin.ok("PUT", f"/users/{cast.guest.pk}", {"admin_perm": True})
    admin.ok("PUT", f"/users/{cast.owner.pk}", {"super_admin_perm": True})
    admin.ok("PUT", f"/users/{cast.owner.pk}", {"deactivated": soon(days=1)})
    for change in ({"super_admin_perm": False}, {"deactivated": soon(days=3)}, {"deactivated": soon(seconds=-3)}):
        admin.refused("PUT", boss, 409, change)
    admin.ok("PUT", deputy, {"super_admin_perm": True})
    admin.ok("PUT", boss, {"super_admin_perm": False})
    deputy_caller = signed_in(cast.staff, cast.tenant)
    deputy_caller.refused("PUT", deputy, 409, {"super_admin_perm": False})
    deputy_caller.ok("PUT", boss, {"super_admin_perm": True})
    deputy_caller.ok("PUT", deputy, {"deactivated": soon(seconds=-3)})


@pytest.mark.rule("DOCMS-196")
def test_a_day_of_leaving_begins_in_utc(cast: Cast, admin: Caller) -> None:
    path = f"/users/{cast.renter.pk}"
    assert admin.ok("PUT", path, {"deactivated": "2031-07-01"})["deactivated"] == "2031-07-01T02:00:00.000+0200"
    assert cast.membership("renter").deactivated_at == datetime.datetime(2031, 7, 1, tzinfo=datetime.UTC)
    made = admin.ok("POST", "/users", NEW | {"deactivated": "2031-01-01"})
    assert made["deactivated"] == "2031-01-01T01:00:00.000+0100"
    for wrong in ("2031-02-30", "2031-07", "2031-07-01T12:00:00", "", 20310701, "0000-01-01"):
        assert "deactivated" in admin.refused("PUT", path, 400, {"deactivated": wrong})["message"]


@pytest.mark.rule("DOCMS-198")
def test_accounts_of_several_companies_keep_their_name(cast: Cast, admin: Caller) -> None:
    path = f"/users/{cast.renter.pk}"
    admin.ok("PUT", path, {"username": "mieter", "email": "mieter@example.org"})
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    admin.refused("PUT", path, 403, {"email": "boese@example.org"})
    admin.refused("PUT", path, 403, {"username": "boese"})
    admin.ok("PUT", path, {"email": "mieter@example.org", "username": "mieter", "description": "Stammgast"})
    rows.create(Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff")
    for change in ({"email": "boese@example.org"}, {"username": "boese"}):
        admin.refused("PUT", f"/users/{cast.operator.pk}", 403, change)
    cast.operator.refresh_from_db()
    assert cast.operator.email == "operator@quartier.test"
    # One's own address is no other matter: nor does a membership that has ended protect.
    Membership.objects.filter(user=cast.renter, organization=cast.other_tenant).update(deactivated_at=timezone.now())
    admin.ok("PUT", path, {"username": "mieter2"})


@pytest.mark.rule("DOCMS-192", "DOCMS-049")
def test_the_message_after_sign_in_comes_with_the_record(cast: Cast, admin: Caller, renter: Caller) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(picture, "PNG")
    logo = base64.b64encode(picture.getvalue()).decode()
    text = '<p onclick="x()">Hallo</p><script>boese()</script><iframe src="https://x.test"></iframe>'
    changes = {"login_popup_enabled": True, "login_logo": logo, "login_text": text}
    admin.ok("PUT", f"/users/{cast.renter.pk}", changes)
    record = me(renter, cast.renter)
    assert (record["login_popup_enabled"], record["login_logo"]) == (True, logo)
    assert record["login_text"] == "<p>Hallo</p>"
    for wrong in ("kein Bild", base64.b64encode(b"%PDF-1.4 nope").decode()):
        admin.refused("PUT", f"/users/{cast.renter.pk}", 400, {"login_logo": wrong})


def test_groups_of_a_user_are_replaced(cast: Cast, admin: Caller) -> None:
    one, two = make_group(admin, "Eins", cast.renter.pk), make_group(admin, "Zwei")
    path = f"/users/{cast.renter.pk}"
    assert admin.ok("PUT", path, {"group_ids": [two]})["group_ids"] == [two]
    assert admin.ok("GET", f"/groups/{one}")["user_ids"] == []
    assert [g["name"] for g in admin.ok("GET", f"{path}/groups")] == ["Zwei"]


def test_the_list_costs_the_same_for_one_and_three(cast: Cast, admin: Caller) -> None:
    def more(number: int) -> None:
        made = admin.ok("POST", "/users", {"username": f"n{number}", "email": f"n{number}@example.org", "name": "N"})
        logo = another("login_logo", None)
        group = make_group(admin, f"G{number}", made["user_id"])
        folder = make_folder(admin, f"F{number}", group)
        changes = {"login_logo": logo, "group_ids": [group], "description": str(number)}
        admin.ok("PUT", f"/users/{made['user_id']}", changes)
        signed_in(User.objects.get(pk=made["user_id"]), cast.tenant).ok("GET", f"/folders/{folder}")

    Membership.objects.filter(organization=cast.tenant).exclude(user=cast.admin).delete()
    one = cost_of(admin, "/users")
    assert len(admin.ok("GET", "/users")) == 1
    more(1), more(2)
    assert len(admin.ok("GET", "/users")) == 3
    assert cost_of(admin, "/users") == one


@pytest.mark.parametrize("field", ["name", "username"])
@pytest.mark.parametrize("text", ["Erika\r\nBcc: x@evil.test", "Eri\x1bka", "Eri\x7fka"])
def test_names_stand_on_one_line(cast: Cast, admin: Caller, field: str, text: str) -> None:
    body = {"username": "neu", "email": "neu@quartier.test", "name": "Erika Neu", field: text}
    assert field in admin.refused("POST", "/users", 400, body)["message"]
    assert field in admin.refused("PUT", f"/users/{cast.renter.pk}", 400, {field: text})["message"]
    assert not User.objects.filter(email="neu@quartier.test").exists()
