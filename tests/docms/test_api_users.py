"""Members, permissions and logs over HTTP."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image

from core.services import rows
from messaging.models import Message
from orgs.models import License, Membership, OneTimeLink, OrganizationSettings, SignInLog, User
from orgs.signals import password_link_issued, user_created
from tests.cast import PASSWORD, Cast
from tests.docms.door import Caller, cost_of, make_folder, make_group, signed_in, soon

pytestmark = pytest.mark.django_db
NEW = {"username": "neu", "email": "neu@example.org", "name": "Neu, Nina"}
ALL = ("read", "download", "upload", "edit", "edit_own", "mail", "log")


@pytest.fixture
def admin(cast: Cast) -> Caller:
    """Super administrator of Brandt & Keller."""
    return signed_in(cast.admin, cast.tenant)


@pytest.fixture
def plain_admin(cast: Cast) -> Caller:
    """Administrator, but no super administrator."""
    rows.change(cast.membership("staff"), {"admin_perm": True})
    return signed_in(cast.staff, cast.tenant)


@pytest.fixture
def renter(cast: Cast) -> Caller:
    """A resident."""
    return signed_in(cast.renter, cast.tenant)


@pytest.fixture
def sent() -> Any:
    """What the floor announced: password links and welcomes."""
    heard: list[tuple[str, Any]] = []

    def link(sender: Any, *, user: User, purpose: str, **_: Any) -> None:
        heard.append((purpose, user.email))

    def created(sender: Any, *, membership: Membership, welcome: bool, **_: Any) -> None:
        heard.append(("created", welcome))

    password_link_issued.connect(link)
    user_created.connect(created)
    yield heard
    password_link_issued.disconnect(link)
    user_created.disconnect(created)


def settings_of(cast: Cast, **values: Any) -> None:
    """Change settings of the tenant."""
    OrganizationSettings.objects.filter(organization=cast.tenant).update(**values)


def me(caller: Caller, user: User) -> dict[str, Any]:
    """One record."""
    found: dict[str, Any] = caller.ok("GET", f"/users/{user.pk}")
    return found


# --- Creating -------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-051")
def test_new_users_get_a_link_and_a_welcome(admin: Caller, sent: list[Any]) -> None:
    made = admin.ok("POST", "/users", NEW)
    assert made["name"] == "Neu, Nina"
    assert made["admin_perm"] is False
    other = {"username": "zwei", "email": "zwei@example.org", "name": "Zwei"}
    admin.ok("POST", "/users?welcome=false", other)
    assert sorted(sent, key=str) == sorted(
        [
            ("password_init", "neu@example.org"), ("created", True),
            ("password_init", "zwei@example.org"), ("created", False),
        ],
        key=str,
    )  # fmt: skip
    assert OneTimeLink.objects.filter(purpose="password_init").count() == 2


@pytest.mark.rule("DOCMS-052")
def test_names_and_addresses_are_unique(cast: Cast, admin: Caller) -> None:
    for clash in (
        {"email": "RENTER@quartier.test"},
        {"username": "Renter@Quartier.test"},
        {"email": cast.foreigner.email},
    ):
        refusal = admin.refused("POST", "/users", 409, NEW | clash)
        assert refusal["message"] == "ALREADY_EXISTS"
    made = admin.ok("POST", "/users", NEW)
    admin.refused("PUT", f"/users/{made['user_id']}", 409, {"username": "RENTER@quartier.test"})
    admin.refused("POST", "/users", 409, NEW | {"email": "anders@example.org", "username": "NEU"})


@pytest.mark.rule("DOCMS-053")
def test_an_account_of_both_names_is_attached(cast: Cast, admin: Caller, sent: list[Any]) -> None:
    body = {"username": cast.foreigner.username.upper(), "email": cast.foreigner.email, "name": "Egal"}
    made = admin.ok("POST", "/users", body)
    assert made["user_id"] == cast.foreigner.pk
    assert [kind for kind, _value in sent] == ["created"]
    assert Membership.objects.filter(user=cast.foreigner).count() == 2
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


@pytest.mark.rule("DOCMS-174", "DOCMS-173")
def test_the_licence_counts_points(cast: Cast, admin: Caller) -> None:
    admin.ok("POST", "/users", NEW)
    active = Membership.objects.active().filter(organization=cast.tenant).count()
    rows.create(License, organization=cast.tenant, max_points=active)
    other = {"username": "x", "email": "x@example.org", "name": "X"}
    admin.refused("POST", "/users", 403, other)
    admin.ok("PUT", f"/users/{cast.renter.pk}", {"deactivated": soon(seconds=-5)})
    admin.ok("POST", "/users", other)
    admin.refused("PUT", f"/users/{cast.renter.pk}", 403, {"deactivated": None})


# --- The own record, and those of others ----------------------------------------------------------------


@pytest.mark.rule("DOCMS-054")
def test_everybody_keeps_the_own_preferences(cast: Cast, admin: Caller, renter: Caller) -> None:
    folder = make_folder(admin, "F", make_group(admin, "G", cast.renter.pk))
    path = f"/users/{cast.renter.pk}"
    changes = {"locale": "pl_PL", "darkmode": True, "mobile_number": "+49 170 123", "last_folder_id": folder}
    record = renter.ok("PUT", path, changes)
    assert {name: record[name] for name in changes} == changes
    assert renter.ok("PUT", path, record) == record  # a whole record sent back changes nothing
    for name, value in (
        ("name", "Anders"), ("username", "anders"), ("email", "anders@example.org"), ("token_sec", 999),
        ("upload_file_perm", True), ("admin_perm", True), ("tfa_force", True), ("description", "x"),
        ("deactivated", soon(days=1)), ("group_ids", []), ("login_text", "x"), ("login_popup_enabled", True),
    ):  # fmt: skip
        renter.refused("PUT", path, 403, {name: value, "darkmode": False})
    assert me(renter, cast.renter) == record
    assert renter.ok("PUT", path, {"mobile_number": None, "last_folder_id": None})["last_folder_id"] is None


@pytest.mark.rule("DOCMS-183")
def test_records_of_others_are_for_administrators(cast: Cast, admin: Caller, renter: Caller) -> None:
    renter.refused("GET", "/users", 403)
    renter.refused("POST", "/users", 403, NEW)
    renter.refused("GET", f"/users/{cast.owner.pk}", 403)
    renter.refused("PUT", f"/users/{cast.owner.pk}", 403, {"darkmode": True})
    assert me(admin, cast.owner)["email"] == cast.owner.email
    admin.ok("PUT", f"/users/{cast.owner.pk}", {"name": "Owner, Olaf"})
    assert me(admin, cast.owner)["name"] == "Owner, Olaf"


@pytest.mark.rule("DOCMS-055")
def test_locked_permissions_need_a_super_administrator(cast: Cast, admin: Caller, plain_admin: Caller) -> None:
    settings_of(cast, lock_perm=True)
    path = f"/users/{cast.renter.pk}"
    plain_admin.refused("PUT", path, 403, {"upload_file_perm": True})
    plain_admin.ok("PUT", path, {"description": "Ruhig", "read_perm": True})  # true already
    admin.ok("PUT", path, {"upload_file_perm": True})
    settings_of(cast, lock_perm=False)
    plain_admin.ok("PUT", path, {"upload_file_perm": False})


@pytest.mark.rule("DOCMS-056")
def test_super_administrators_are_administrators(cast: Cast, admin: Caller) -> None:
    made = admin.ok("PUT", f"/users/{cast.staff.pk}", {"super_admin_perm": True})
    assert made["admin_perm"] is True
    signed_in(cast.staff, cast.tenant).ok("GET", "/users")
    admin.ok("PUT", f"/users/{cast.staff.pk}", {"admin_perm": False})
    signed_in(cast.staff, cast.tenant).ok("POST", "/groups", {"name": "G"})


@pytest.mark.rule("DOCMS-057")
def test_super_administrators_are_made_by_their_like(cast: Cast, admin: Caller, plain_admin: Caller) -> None:
    boss = f"/users/{cast.admin.pk}"
    plain_admin.refused("PUT", f"/users/{cast.owner.pk}", 403, {"super_admin_perm": True})
    plain_admin.refused("PUT", f"/users/{cast.staff.pk}", 403, {"super_admin_perm": True})
    plain_admin.refused("PUT", boss, 403, {"super_admin_perm": False})
    plain_admin.refused("PUT", boss, 403, {"read_perm": False})
    plain_admin.refused("PUT", boss, 403, {"deactivated": soon(days=1)})
    plain_admin.refused("POST", "/users", 403, NEW | {"super_admin_perm": True})
    plain_admin.ok("PUT", boss, {"description": "Chefin"})
    admin.ok("PUT", f"/users/{cast.staff.pk}", {"super_admin_perm": True})


@pytest.mark.rule("DOCMS-058")
def test_the_last_super_administrator_stays(cast: Cast, admin: Caller) -> None:
    boss = f"/users/{cast.admin.pk}"
    for change in ({"super_admin_perm": False}, {"deactivated": soon(days=3)}, {"deactivated": soon(seconds=-3)}):
        admin.refused("PUT", boss, 409, change)
    admin.ok("PUT", f"/users/{cast.staff.pk}", {"super_admin_perm": True})
    rows.change(cast.membership("staff"), {"role": "owner"})
    admin.ok("PUT", boss, {"super_admin_perm": False})


@pytest.mark.rule("DOCMS-198")
def test_accounts_of_several_companies_keep_their_name(cast: Cast, admin: Caller) -> None:
    path = f"/users/{cast.renter.pk}"
    admin.ok("PUT", path, {"username": "mieter", "email": "mieter@example.org"})
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    admin.refused("PUT", path, 403, {"email": "boese@example.org"})
    admin.refused("PUT", path, 403, {"username": "boese"})
    admin.ok("PUT", path, {"email": "mieter@example.org", "username": "mieter", "name": "Mieter, Max"})


@pytest.mark.rule("DOCMS-192")
def test_the_message_after_sign_in_comes_with_the_record(cast: Cast, admin: Caller, renter: Caller) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(picture, "PNG")
    logo = base64.b64encode(picture.getvalue()).decode()
    text = '<p onclick="x()">Hallo</p><script>boese()</script>'
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


# --- Permissions ----------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-086", "DOCMS-087", "DOCMS-093")
def test_the_object_decides_while_it_is_active(cast: Cast, admin: Caller, renter: Caller) -> None:
    folder = make_folder(admin, "F", make_group(admin, "G", cast.renter.pk))
    path = f"/folders/{folder}/permissions/{cast.renter.pk}"
    for caller in (admin, renter):
        caller.refused("GET", path, 404)
    before = renter.ok("GET", f"{path}/effective")
    assert [name for name in ALL if before[name]] == ["read", "download"]
    flags = dict.fromkeys(ALL, False) | {"upload": True}
    stored = admin.ok("PUT", path, {"active": True, **flags})
    assert stored == {"user_id": cast.renter.pk, "folder_id": folder, "active": True, **flags}
    assert renter.ok("GET", path) == stored
    assert [name for name in ALL if admin.ok("GET", f"{path}/effective")[name]] == ["upload"]
    admin.ok("PUT", path, {"active": False, **flags})
    assert renter.ok("GET", f"{path}/effective") == before
    assert renter.ok("GET", f"/users/{cast.renter.pk}/permissions")[0]["active"] is False
    admin.ok("DELETE", path)
    admin.refused("DELETE", path, 404)
    assert renter.ok("GET", f"{path}/effective") == before
    admin.refused("PUT", path, 400, {"active": True})


@pytest.mark.rule("DOCMS-091")
def test_folder_permissions_can_be_locked(cast: Cast, admin: Caller, plain_admin: Caller, renter: Caller) -> None:
    folder = make_folder(admin, "F", make_group(admin, "G", cast.renter.pk))
    path = f"/folders/{folder}/permissions/{cast.renter.pk}"
    body = {"active": True, **dict.fromkeys(ALL, True)}
    renter.refused("PUT", path, 403, body)
    renter.refused("DELETE", path, 403)
    plain_admin.ok("PUT", path, body)
    settings_of(cast, lock_folder_perm=True)
    plain_admin.refused("PUT", path, 403, body)
    plain_admin.refused("DELETE", path, 403)
    admin.ok("PUT", path, body)
    admin.ok("DELETE", path)


@pytest.mark.rule("DOCMS-092")
def test_permissions_of_others_are_for_administrators(cast: Cast, admin: Caller, renter: Caller) -> None:
    folder = make_folder(admin, "F", make_group(admin, "G", cast.renter.pk, cast.owner.pk))
    body = {"active": True, **dict.fromkeys(ALL, True)}
    for user in (cast.renter, cast.owner):
        admin.ok("PUT", f"/folders/{folder}/permissions/{user.pk}", body)
    own, other = f"/folders/{folder}/permissions/{cast.renter.pk}", f"/folders/{folder}/permissions/{cast.owner.pk}"
    for path in (own, f"{own}/effective", f"/users/{cast.renter.pk}/permissions"):
        renter.ok("GET", path)
    for path in (other, f"{other}/effective", f"/users/{cast.owner.pk}/permissions", f"/folders/{folder}/permissions"):
        renter.refused("GET", path, 403)
        admin.ok("GET", path)


# --- Logs -----------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-164")
def test_login_logs(cast: Cast, admin: Caller, plain_admin: Caller, renter: Caller) -> None:
    caller = Caller()
    caller.token = caller.ok("GET", "/login", basic=f"renter@quartier.test:{PASSWORD}")["token"]
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    SignInLog.objects.create(user=cast.renter, tenant=cast.other_tenant, type="tenant_selected", door="docms")
    path = f"/users/{cast.renter.pk}/loginlogs"
    own = [(log["type"], log["tenant_id"]) for log in renter.ok("GET", path)]
    assert own[-2:] == [("tenant_selected", cast.tenant.pk), ("login", None)]
    assert own[0] == ("tenant_selected", cast.other_tenant.pk)
    assert {log["tenant_id"] for log in admin.ok("GET", path)} == {cast.tenant.pk}
    plain_admin.refused("GET", path, 403)
    renter.refused("GET", f"/users/{cast.owner.pk}/loginlogs", 403)
    rows.create(Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff")
    assert len(signed_in(cast.operator, cast.tenant).ok("GET", path)) == len(own)
    before = cost_of(renter, path)
    for _three in range(3):
        SignInLog.objects.create(user=cast.renter, type="login", door="docms")
    assert cost_of(renter, path) == before


@pytest.mark.rule("DOCMS-165")
def test_mail_logs(cast: Cast, admin: Caller, renter: Caller) -> None:
    def message(number: int, tenant: Any, **values: Any) -> None:
        Message.objects.create(
            tenant=tenant, kind="x", subject=f"Brief {number}", to_emails=["a@x.test", "b@x.test"],
            message_id=f"<{number}@x>", dedupe_key=str(number), **values,
        )  # fmt: skip

    now = timezone.now()
    message(1, cast.tenant, sent_at=now, state="sent", caused_by=cast.admin)
    message(2, cast.other_tenant, sent_at=now, state="sent")
    message(3, cast.tenant, state="failed", error_msg="550 no such user")
    message(4, cast.other_tenant, state="failed", error_msg="550")
    message(5, None, sent_at=now, state="sent")
    mails = admin.ok("GET", "/maillogs")
    assert [m["subject"] for m in mails] == ["Brief 1"]
    assert (mails[0]["to_emails"], mails[0]["bcc_emails"]) == ("a@x.test,b@x.test", "")
    assert [m["error_msg"] for m in admin.ok("GET", "/maillogs/errors")] == ["550 no such user"]
    for path in ("/maillogs", "/maillogs/errors"):
        renter.refused("GET", path, 403)
        admin.refused("GET", f"{path}?all=true", 403)
    member = rows.create(Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff")
    rows.change(member, {"admin_perm": True})
    operator = signed_in(cast.operator, cast.tenant)
    assert [m["subject"] for m in operator.ok("GET", "/maillogs")] == ["Brief 1"]
    assert {m["subject"] for m in operator.ok("GET", "/maillogs?all=true")} == {"Brief 1", "Brief 2", "Brief 5"}
    assert len(operator.ok("GET", "/maillogs/errors?all=true")) == 2
    one = {path: cost_of(admin, path) for path in ("/maillogs", "/maillogs/errors")}
    for number in range(10, 12):
        message(number, cast.tenant, sent_at=now, state="sent")
        message(number + 10, cast.tenant, error_msg="x")
    assert {path: cost_of(admin, path) for path in one} == one
