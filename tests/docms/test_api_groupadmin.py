"""Group administrators over HTTP: what the tenant's switches let them do, and with whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.services import rows
from docms.services.groups import derived_group
from messaging.models import Message
from orgs.models import License, Membership, OneTimeLink, SecondFactor, User
from orgs.services import passwords
from tests.docms.door import Caller, cost_of, make_folder, make_group, operations, settings_of, signed_in, soon

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
# As the contract's sentences have it; the product has tables of its own.
SWITCHES = {
    "create_user": "groupadmin_user_create",
    "change_user": "groupadmin_user_edit",
    "set_members": "groupadmin_user_edit",
    "send_link": "groupadmin_user_reset_password",
    "reset_second_factor": "groupadmin_user_reset_tfa",
    "reset_attempts": "groupadmin_user_reset_attempts",
}
FLAG_SWITCHES = {
    "read_perm": "groupadmin_perm_read",
    "download_perm": "groupadmin_perm_download",
    "upload_file_perm": "groupadmin_perm_upload",
    "edit_file_perm": "groupadmin_perm_edit_file",
    "edit_own_file_perm": "groupadmin_perm_edit_own_file",
    "log_perm": "groupadmin_perm_log",
    "mail_perm": "groupadmin_perm_mail",
}
EVERY_SWITCH = {"groupadmin_active", *SWITCHES.values(), *FLAG_SWITCHES.values()}
NEW = {"username": "neu", "email": "neu@example.org", "name": "Neu, Nina"}


class Board:
    """A group of owner, renter and additional user that the owner administers, and a group of others."""

    def __init__(self, cast: Cast, admin: Caller) -> None:
        self.cast, self.admin = cast, admin
        people = (cast.owner.pk, cast.renter.pk, cast.additional.pk)
        self.group = make_group(admin, "Beirat", *people, groupadmin_ids=[cast.owner.pk])
        self.other = make_group(admin, "Andere", cast.neighbour.pk, cast.guest.pk, groupadmin_ids=[cast.guest.pk])
        self.chief = signed_in(cast.owner, cast.tenant)
        self.renter = f"/groupadmin/users/{cast.renter.pk}"
        self.members = f"/groupadmin/groups/{self.group}"
        settings_of(cast, **dict.fromkeys(EVERY_SWITCH, True))

    def record(self, user: User) -> dict[str, Any]:
        """A member as the administrator sees it."""
        found: dict[str, Any] = self.admin.ok("GET", f"/users/{user.pk}")
        return found

    def calls(self, user: User, group: int) -> dict[str, tuple[str, str, Any]]:
        """Each operation by what it does, with a body that would be right."""
        person = f"/groupadmin/users/{user.pk}"
        return {
            "read_group": ("GET", f"/groupadmin/groups/{group}", None),
            "set_members": ("PUT", f"/groupadmin/groups/{group}", {"user_ids": [user.pk]}),
            "create_user": ("POST", "/groupadmin/users", NEW | {"group_ids": [group]}),
            "change_user": ("PUT", person, {"darkmode": True}),
            "send_link": ("POST", f"{person}/reset-password", None),
            "reset_second_factor": ("POST", f"{person}/reset-tfa", None),
            "reset_attempts": ("POST", f"{person}/reset-attempts", None),
        }


@pytest.fixture
def board(cast: Cast, admin: Caller) -> Board:
    """A group with an administrator."""
    return Board(cast, admin)


def key_of(board: Board, user: User) -> SecondFactor:
    """A confirmed key of the tenant."""
    return SecondFactor.objects.create(
        user=user,
        organization=board.cast.tenant,
        secret="A" * 32,
        confirmed=True,
        confirmed_at=timezone.now(),
        name="k",
    )


# --- Switches -------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-067")
def test_without_the_first_switch_nothing_works(board: Board) -> None:
    settings_of(board.cast, groupadmin_active=False)
    calls = board.calls(board.cast.renter, board.group)
    assert len(calls) == sum(operation.path.startswith("/groupadmin/") for operation in operations())
    for method, path, body in calls.values():
        assert board.chief.refused(method, path, 403, body)["message"] == "FEATURE_DISABLED"
    assert not User.objects.filter(email=NEW["email"]).exists()
    assert board.record(board.cast.renter)["darkmode"] is False
    settings_of(board.cast, groupadmin_active=True)
    for method, path, body in board.calls(board.cast.renter, board.group).values():
        board.chief.ok(method, path, body)


@pytest.mark.rule("DOCMS-069", "DOCMS-070", "DOCMS-071", "DOCMS-072", "DOCMS-073")
@pytest.mark.parametrize("what", SWITCHES)
def test_each_operation_has_its_switch(board: Board, what: str) -> None:
    calls = board.calls(board.cast.renter, board.group)
    settings_of(board.cast, **{SWITCHES[what]: False})
    sharing = {name for name, switch in SWITCHES.items() if switch == SWITCHES[what]}
    for name in sharing:
        method, path, body = calls[name]
        assert board.chief.refused(method, path, 403, body)["message"] == "FEATURE_DISABLED"
    for name in calls.keys() - sharing:
        method, path, body = calls[name]
        board.chief.ok(method, path, body)
    settings_of(board.cast, **dict.fromkeys(EVERY_SWITCH, False) | {"groupadmin_active": True, SWITCHES[what]: True})
    User.objects.filter(email=NEW["email"]).update(email="x@example.org", username="x")
    method, path, body = calls[what]
    board.chief.ok(method, path, body)  # no other switch is needed


@pytest.mark.parametrize(("features", "days", "allowed"), [([3], 1, True), ([1, 2, 4], 1, False), ([3], -1, False)])
def test_group_administration_is_an_add_on(board: Board, features: list[int], days: int, allowed: bool) -> None:
    until = timezone.now() + timezone.timedelta(days=days)
    rows.create(License, organization=board.cast.tenant, features=features, valid_until=until)
    file = board.admin.upload(make_folder(board.admin, "F", board.group))["file_id"]
    settings_of(board.cast, groupadmin_delete_files=True)
    if allowed:
        board.chief.ok("GET", board.members)
        board.chief.ok("DELETE", f"/files/{file}")
    else:
        assert board.chief.refused("GET", board.members, 403)["message"] == "LICENSE_REQUIRED"
        board.chief.refused("DELETE", f"/files/{file}", 403)


def test_whoever_administers_no_group_is_refused(board: Board) -> None:
    for who in (board.cast.renter, board.cast.neighbour):
        caller = signed_in(who, board.cast.tenant)
        for method, path, body in board.calls(board.cast.renter, board.group).values():
            caller.refused(method, path, 403, body)
    board.admin.refused("GET", board.members, 403)  # has calls of its own


# --- Whom -----------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-068")
def test_people_and_groups_outside_are_unknown(board: Board) -> None:
    cast = board.cast
    outside = [cast.neighbour, cast.guest, cast.former, cast.foreigner, User(pk=999999999)]
    before = board.record(cast.neighbour)
    for user in outside:
        for what, (method, path, body) in board.calls(user, board.group).items():
            if what in ("change_user", "send_link", "reset_second_factor", "reset_attempts"):
                board.chief.refused(method, path, 404, body)
    for what in ("read_group", "set_members"):
        for group in (board.other, 999999999):
            method, path, body = board.calls(cast.renter, group)[what]
            board.chief.refused(method, path, 404, body)
    assert board.record(cast.neighbour) == before
    assert not Message.objects.filter(kind__startswith="password").exists()
    for user in (cast.renter, cast.additional, cast.owner):
        board.chief.ok("PUT", f"/groupadmin/users/{user.pk}", {"description": "da"})


@pytest.mark.rule("DOCMS-068")
def test_people_of_a_derived_group_are_its_residents(board: Board) -> None:
    cast = board.cast
    group = derived_group(tenant=cast.tenant, unit=cast.unit_b1)
    board.admin.ok("PUT", f"/groups/{group.pk}", {"groupadmin_ids": [cast.neighbour.pk]})
    neighbour = signed_in(cast.neighbour, cast.tenant)
    assert neighbour.ok("GET", f"/groupadmin/groups/{group.pk}")["user_ids"] == [cast.neighbour.pk]
    neighbour.ok("PUT", f"/groupadmin/users/{cast.neighbour.pk}", {"description": "da"})
    neighbour.refused("PUT", f"/groupadmin/users/{cast.renter.pk}", 404, {"description": "da"})
    neighbour.ok("PUT", f"/groupadmin/groups/{group.pk}", {"user_ids": [cast.neighbour.pk]})
    neighbour.refused("PUT", f"/groupadmin/groups/{group.pk}", 400, {"user_ids": []})


@pytest.mark.rule("DOCMS-082")
@pytest.mark.parametrize("flags", [{"admin_perm": True}, {"admin_perm": True, "super_admin_perm": True}])
def test_administrators_are_out_of_reach(board: Board, flags: dict[str, bool]) -> None:
    cast = board.cast
    board.admin.ok("PUT", f"/groups/{board.group}", {"user_ids": [cast.owner.pk, cast.staff.pk, cast.renter.pk]})
    board.chief.ok("PUT", f"/groupadmin/users/{cast.staff.pk}", {"description": "vorher"})
    rows.change(cast.membership("staff"), flags)
    before = board.record(cast.staff)
    key = key_of(board, cast.staff)
    for what, (method, path, body) in board.calls(cast.staff, board.group).items():
        if what in ("change_user", "send_link", "reset_second_factor", "reset_attempts"):
            board.chief.refused(method, path, 403, body)
    for field in ("description", "email", "name", "tfa_force", "read_perm", "group_ids", "deactivated"):
        value = {"tfa_force": True, "read_perm": False, "group_ids": [], "deactivated": soon(days=1)}.get(
            field, "x@y.test"
        )
        board.chief.refused("PUT", f"/groupadmin/users/{cast.staff.pk}", 403, {field: value})
    assert board.record(cast.staff) == before
    assert SecondFactor.objects.filter(pk=key.pk).exists()
    assert not Message.objects.filter(kind__startswith="password").exists()


@pytest.mark.rule("DOCMS-082")
def test_so_is_the_operator(board: Board) -> None:
    cast = board.cast
    rows.create(Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff")
    board.admin.ok("PUT", f"/groups/{board.group}", {"user_ids": [cast.owner.pk, cast.operator.pk]})
    for what, (method, path, body) in board.calls(cast.operator, board.group).items():
        if what in ("change_user", "send_link", "reset_second_factor", "reset_attempts"):
            board.chief.refused(method, path, 403, body)
    for change in ({"description": "x"}, {"tfa_force": True}):
        board.chief.refused("PUT", f"/groupadmin/users/{cast.operator.pk}", 403, change)


@pytest.mark.rule("DOCMS-082")
def test_nobody_is_made_an_administrator(board: Board) -> None:
    record = board.record(board.cast.renter)
    for flag in ("admin_perm", "super_admin_perm"):
        board.chief.refused("PUT", board.renter, 403, {flag: True, "darkmode": True})
        board.chief.refused("POST", "/groupadmin/users", 403, NEW | {"group_ids": [board.group], flag: True})
    assert board.record(board.cast.renter) == record
    assert not User.objects.filter(email=NEW["email"]).exists()
    board.chief.ok("PUT", board.renter, record)  # false already
    made = board.chief.ok("POST", "/groupadmin/users", NEW | {"group_ids": [board.group], "admin_perm": False})
    assert (made["admin_perm"], made["super_admin_perm"]) == (False, False)


def test_residents_give_staff_no_other_address(board: Board) -> None:
    cast = board.cast
    board.admin.ok("PUT", f"/groups/{board.group}", {"user_ids": [cast.owner.pk, cast.staff.pk]})
    staff = f"/groupadmin/users/{cast.staff.pk}"
    for name in ("username", "email"):
        board.chief.refused("PUT", staff, 403, {name: "boese@example.org"})
    board.chief.ok("PUT", staff, {"description": "Hausverwalter"})
    rows.change(cast.membership("owner"), {"role": "staff"})
    board.chief.ok("PUT", staff, {"email": "gut@example.org", "username": "gut"})


def test_accounts_of_other_companies_are_not_changed(board: Board) -> None:
    cast = board.cast
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    for change in ({"email": "boese@example.org"}, {"username": "boese"}, {"name": "Anders"}):
        board.chief.refused("PUT", board.renter, 403, change)
    board.chief.refused("POST", f"{board.renter}/reset-password", 403)
    board.chief.refused("POST", f"{board.renter}/reset-attempts", 403)
    board.chief.ok("PUT", board.renter, {"description": "da"})
    board.chief.ok("POST", f"{board.renter}/reset-tfa")  # the key of this company


# --- Flags ----------------------------------------------------------------------------------------------


@pytest.mark.rule(
    "DOCMS-074", "DOCMS-075", "DOCMS-076", "DOCMS-077", "DOCMS-078", "DOCMS-079", "DOCMS-080", "DOCMS-081"
)
@pytest.mark.parametrize("flag", FLAG_SWITCHES)
@pytest.mark.parametrize("on", [True, False])
def test_a_flag_is_taken_over_with_its_switch_alone(board: Board, flag: str, on: bool) -> None:
    """``on``: only this switch is on, or every other one."""
    settings_of(board.cast, **dict.fromkeys(FLAG_SWITCHES.values(), not on))
    settings_of(board.cast, **{FLAG_SWITCHES[flag]: on})
    before = board.record(board.cast.renter)
    for value in (not before[flag], before[flag]):
        shown = board.chief.ok("PUT", board.renter, {flag: value, "description": f"{value}"})
        assert shown["description"] == f"{value}"
        assert shown[flag] is (value if on else before[flag])
        assert board.record(board.cast.renter) == before | {"description": f"{value}", flag: shown[flag]}
    wish = NEW | {"group_ids": [board.group], **dict.fromkeys(FLAG_SWITCHES, True)}
    made = board.chief.ok("POST", "/groupadmin/users", wish)
    assert {name: made[name] for name in FLAG_SWITCHES} == {name: (name == flag) is on for name in FLAG_SWITCHES}


@pytest.mark.rule("DOCMS-085")
@pytest.mark.parametrize("flag", FLAG_SWITCHES)
def test_locked_permissions_are_not_for_group_administrators(board: Board, flag: str) -> None:
    settings_of(board.cast, lock_perm=True)
    before = board.record(board.cast.renter)
    board.chief.refused("PUT", board.renter, 403, {flag: not before[flag], "description": "x"})
    assert board.record(board.cast.renter) == before
    board.chief.ok("PUT", board.renter, {flag: before[flag], "description": "x"})
    made = board.chief.ok("POST", "/groupadmin/users", NEW | {"group_ids": [board.group], flag: True})
    assert made[flag] is True  # only existing users are locked
    settings_of(board.cast, lock_perm=False)
    assert board.chief.ok("PUT", board.renter, {flag: not before[flag]})[flag] is not before[flag]


# --- People ---------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-069")
def test_new_people_join_administered_groups_only(board: Board) -> None:
    mine = make_group(board.admin, "Zweite", board.cast.owner.pk, groupadmin_ids=[board.cast.owner.pk])
    foreign = make_group(signed_in(board.cast.stranger, board.cast.other_tenant), "Fremd")
    for groups in ([board.other], [board.group, board.other]):
        board.chief.refused("POST", "/groupadmin/users", 403, NEW | {"group_ids": groups})
    for groups in ([foreign], [board.group, 999999999], [], None, "x", [0]):
        refusal = board.chief.refused("POST", "/groupadmin/users", 400, NEW | {"group_ids": groups})
        assert "group_ids" in refusal["message"]
    board.chief.refused("POST", "/groupadmin/users", 400, NEW)
    assert not User.objects.filter(email=NEW["email"]).exists()
    wish = NEW | {"group_ids": [board.group, mine], "locale": "pl_PL", "tfa_force": True, "darkmode": True}
    made = board.chief.ok("POST", "/groupadmin/users", wish)
    assert {name: made[name] for name in wish} == wish
    mails = Message.objects.filter(to_emails=[NEW["email"]]).values_list("kind", flat=True)
    assert sorted(mails) == ["password_init", "welcome"]
    other = {"username": "zwei", "email": "zwei@example.org", "name": "Zwei", "group_ids": [mine]}
    board.chief.ok("POST", "/groupadmin/users?welcome=false", other)
    assert list(Message.objects.filter(to_emails=["zwei@example.org"]).values_list("kind", flat=True)) == [
        "password_init"
    ]
    board.chief.refused("POST", "/groupadmin/users", 409, wish)


@pytest.mark.rule("DOCMS-070")
def test_people_are_changed_with_the_fields_of_administrators(board: Board) -> None:
    settings_of(board.cast, token_min_sec=600, token_max_sec=1200)
    changes = {
        "username": "mieter", "email": "mieter@example.org", "name": "Mieter, Max", "locale": "fr_FR", "darkmode": True,
        "token_sec": 900, "tfa_force": True, "description": "x", "mobile_number": "+49 170 123456",
        "login_popup_enabled": True, "login_text": "<p>x</p>", "deactivated": "2031-07-01T02:00:00.000+0200",
    }  # fmt: skip
    shown = board.chief.ok("PUT", board.renter, changes)
    assert {name: shown[name] for name in changes} == changes
    assert shown == board.record(board.cast.renter)
    board.chief.refused("PUT", board.renter, 400, {"token_sec": 599})
    board.chief.refused("PUT", board.renter, 400, {"name": 5, "darkmode": []})
    board.chief.refused("PUT", board.renter, 409, {"email": board.cast.neighbour.email})
    assert board.record(board.cast.renter) == shown


def test_groups_of_others_stay_as_they_are(board: Board) -> None:
    cast = board.cast
    second = make_group(board.admin, "Zweite", cast.owner.pk, groupadmin_ids=[cast.owner.pk])
    board.admin.ok("PUT", f"/users/{cast.renter.pk}", {"group_ids": [board.group, board.other]})
    assert board.chief.ok("PUT", board.renter, {"group_ids": [second]})["group_ids"] == [board.other, second]
    board.admin.ok("PUT", f"/users/{cast.renter.pk}", {"group_ids": [board.group]})
    before = board.record(cast.renter)
    board.chief.refused("PUT", board.renter, 403, {"group_ids": [board.group, board.other]})
    board.chief.refused("PUT", board.renter, 400, {"group_ids": [board.group, 999999999]})
    assert board.record(cast.renter) == before


def test_group_administrators_do_not_throw_each_other_out(board: Board) -> None:
    cast = board.cast
    board.admin.ok("PUT", f"/groups/{board.group}", {"groupadmin_ids": [cast.owner.pk, cast.renter.pk]})
    for user in (cast.renter, cast.owner):
        shown = board.chief.ok("PUT", f"/groupadmin/users/{user.pk}", {"group_ids": []})
        assert shown["group_ids"] == [board.group]
    assert board.chief.ok("PUT", f"/groupadmin/users/{cast.additional.pk}", {"group_ids": []})["group_ids"] == []


@pytest.mark.rule("DOCMS-071")
def test_links_go_out(board: Board) -> None:
    board.chief.ok("POST", f"{board.renter}/reset-password")
    assert [(m.kind, m.to_emails) for m in Message.objects.all()] == [("password_reset", [board.cast.renter.email])]
    for _time in range(4):
        board.chief.ok("POST", f"{board.renter}/reset-password")
    assert Message.objects.count() == 3
    assert OneTimeLink.objects.filter(used_at=None).count() == 1


@pytest.mark.rule("DOCMS-072")
def test_the_key_of_the_company_is_reset(board: Board) -> None:
    key, other = key_of(board, board.cast.renter), key_of(board, board.cast.additional)
    personal = SecondFactor.objects.create(
        user=board.cast.renter, secret="B" * 32, confirmed=True, confirmed_at=timezone.now(), name="k"
    )
    renter = signed_in(board.cast.renter, board.cast.tenant)
    board.chief.ok("POST", f"{board.renter}/reset-tfa")
    assert set(SecondFactor.objects.all()) == {other, personal}
    assert key.pk not in SecondFactor.objects.values_list("pk", flat=True)
    renter.refused("GET", "/folders", 401)


@pytest.mark.rule("DOCMS-040", "DOCMS-073")
def test_failed_attempts_are_cleared(board: Board) -> None:
    for _time in range(5):
        Caller().refused("GET", "/login", 401, basic="renter@quartier.test:falsch")
    Caller().refused("GET", "/login", 401, basic="renter@quartier.test:Ein-guter-Satz-1")
    board.chief.ok("POST", f"{board.renter}/reset-attempts")
    assert not passwords.account_counters(board.cast.renter)[1].rows.exists()
    Caller().ok("GET", "/login", basic="renter@quartier.test:Ein-guter-Satz-1")


# --- Groups ---------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-084")
def test_who_is_not_listed_leaves_except_the_administrators(board: Board) -> None:
    cast = board.cast
    second = make_group(board.admin, "Zweite", cast.owner.pk, cast.neighbour.pk, groupadmin_ids=[cast.owner.pk])
    board.admin.ok("PUT", f"/groups/{board.group}", {"groupadmin_ids": [cast.owner.pk, cast.additional.pk]})
    shown = board.chief.ok("PUT", board.members, {"user_ids": [cast.neighbour.pk]})
    assert shown["user_ids"] == sorted([cast.owner.pk, cast.additional.pk, cast.neighbour.pk])
    assert shown["groupadmin_ids"] == sorted([cast.owner.pk, cast.additional.pk])
    assert board.record(cast.renter)["group_ids"] == []
    assert board.admin.ok("GET", f"/groups/{second}")["user_ids"] == sorted([cast.owner.pk, cast.neighbour.pk])
    assert board.chief.ok("PUT", board.members, {"user_ids": []})["user_ids"] == sorted(
        [cast.owner.pk, cast.additional.pk]
    )


@pytest.mark.rule("DOCMS-068")
def test_strangers_are_not_taken_in(board: Board) -> None:
    cast = board.cast
    messages = {
        board.chief.refused("PUT", board.members, 400, {"user_ids": [cast.renter.pk, pk]})["message"].replace(
            str(pk), "#"
        )
        for pk in (cast.guest.pk, cast.admin.pk, cast.foreigner.pk, 999999999)
    }
    assert len(messages) == 1  # nothing tells who exists
    for wrong in ({}, {"user_ids": None}, {"user_ids": "x"}, {"user_ids": [0]}, {"user_ids": [2**70]}, []):
        board.chief.refused("PUT", board.members, 400, wrong)
    assert len(board.chief.ok("GET", board.members)["user_ids"]) == 3


def test_the_group_is_shown_with_its_people_and_visible_folders(board: Board) -> None:
    cast = board.cast
    folder = make_folder(board.admin, "F", board.group)
    make_folder(board.admin, "Weg", board.group, inactive_at=soon(days=-1))
    assert board.chief.ok("GET", board.members) == {
        "group_id": board.group, "name": "Beirat", "show_check_mark": False, "folder_ids": [folder],
        "user_ids": sorted([cast.owner.pk, cast.renter.pk, cast.additional.pk]), "groupadmin_ids": [cast.owner.pk],
    }  # fmt: skip


def test_a_group_of_one_costs_what_a_group_of_three_does(board: Board) -> None:
    three = cost_of(board.chief, board.members)
    board.chief.ok("PUT", board.members, {"user_ids": []})
    assert cost_of(board.chief, board.members) == three
