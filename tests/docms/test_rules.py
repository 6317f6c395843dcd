"""What may be done in a folder: flags in force, and the answers made of them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from core.errors import Denied
from core.services import rows
from docms import rules
from docms.models import Document, Folder
from docms.reach import MEMBER_FLAGS
from docms.services import documents, groups, permissions
from orgs.models import License
from tests.factories import FolderFactory, folder, manual_group, publish

if TYPE_CHECKING:
    from tests.cast import Cast


def give(cast: Cast, where: Folder, who: str, *, active: bool = True, **flags: bool) -> None:
    permissions.set_permission(
        actor=cast.actor("admin"), folder=where, user_id=getattr(cast, who).pk, flags=flags, active=active
    )


@pytest.mark.rule("DOCMS-086")
def test_an_active_folder_permission_decides_alone_and_grants_and_withdraws(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    before = rules.effective(cast.actor("renter"), where)
    assert before.read
    assert before.download
    assert not before.upload
    give(cast, where, "renter", upload=True, log=True)
    after = rules.effective(cast.actor("renter"), where)
    assert after == rules.Flags(upload=True, log=True)


@pytest.mark.rule("DOCMS-087")
def test_without_an_active_permission_the_global_flags_decide(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    expected = rules.Flags(read=True, download=True)
    assert rules.effective(cast.actor("renter"), where) == expected
    give(cast, where, "renter", active=False, upload=True)
    assert rules.effective(cast.actor("renter"), where) == expected


@pytest.mark.rule("DOCMS-088")
def test_a_folder_permission_opens_no_folder(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    paper = publish(cast, where)
    give(cast, where, "owner", **dict.fromkeys(MEMBER_FLAGS, True))
    for who, sees in (("renter", True), ("owner", False)):
        assert Folder.objects.visible_to(cast.actor(who), all=True).filter(pk=where.pk).exists() is sees
        assert Document.objects.visible_to(cast.actor(who), all=True).filter(pk=paper.pk).exists() is sees


@pytest.mark.rule("DOCMS-089")
def test_a_folder_permission_is_not_inherited(cast: Cast) -> None:
    everyone = manual_group(cast, "Alle", "renter")
    top = folder(cast, group=everyone)
    below = folder(cast, "Darunter", everyone, parent=top)
    give(cast, top, "renter", upload=True)
    assert rules.effective(cast.actor("renter"), top).upload
    assert not rules.effective(cast.actor("renter"), below).upload


@pytest.mark.rule("DOCMS-090")
def test_administrators_have_no_document_flags_for_free(cast: Cast) -> None:
    where = folder(cast)
    paper = publish(cast, where)
    rows.change(cast.membership("admin"), {"download_perm": False})
    answer = rules.may_download(cast.actor("admin"), paper)
    assert not answer
    assert str(answer.reason)
    assert rules.may_read(cast.actor("admin"), paper)
    rows.change(cast.membership("admin"), dict.fromkeys(MEMBER_FLAGS.values(), False))
    assert rules.effective(cast.actor("admin"), where) == rules.Flags()
    give(cast, where, "admin", mail=True)
    assert rules.effective(cast.actor("admin"), where) == rules.Flags(mail=True)


@pytest.mark.rule("DOCMS-094")
@pytest.mark.parametrize(
    ("in_folder", "in_group", "member", "expected"),
    [
        (True, True, "renter", True), (True, False, "renter", False), (False, True, "renter", False),
        (True, True, "owner", False),
    ],
)  # fmt: skip
def test_checking_off_needs_the_switch_of_folder_and_group(
    cast: Cast, in_folder: bool, in_group: bool, member: str, expected: bool
) -> None:
    switched = manual_group(cast, "Mit Haken", "renter", show_check_mark=in_group)
    plain = manual_group(cast, "Ohne Haken", "renter", "owner")
    where = folder(cast, group=[switched, plain], show_check_mark=in_folder)
    # A group with the switch that is not assigned to this folder counts for nothing.
    manual_group(cast, "Anderswo", "owner", show_check_mark=True)
    assert rules.effective(cast.actor(member), where).show_checkmark is expected


def test_checking_off_works_through_a_derived_group(cast: Cast) -> None:
    household = groups.derived_group(tenant=cast.tenant, unit=cast.unit_a2)
    rows.change(household, {"show_check_mark": True})
    where = folder(cast, group=household, show_check_mark=True)
    assert rules.effective(cast.actor("renter"), where).show_checkmark
    assert not rules.effective(cast.actor("additional"), where).show_checkmark
    assert not rules.effective(cast.actor("former"), where).show_checkmark


def test_flags_of_many_folders_cost_one_query(cast: Cast) -> None:
    actor = cast.actor("renter")
    for count in (1, 3):
        many = FolderFactory.create_batch(count, tenant=cast.tenant)
        with CaptureQueriesContext(connection) as queries:
            assert rules.effective_many(actor, many).keys() == {f.pk for f in many}
        assert len(queries) == 1


def test_another_persons_flags_are_those_of_that_person(cast: Cast) -> None:
    where = folder(cast)
    give(cast, where, "owner", mail=True)
    assert rules.effective_for(cast.membership("owner"), where) == rules.Flags(mail=True)
    rows.change(cast.membership("owner"), {"deactivated_at": timezone.now()})
    assert rules.effective_for(cast.membership("owner"), where) == rules.Flags()


def test_holders_agree_with_effective(cast: Cast) -> None:
    where = folder(cast)
    give(cast, where, "owner", upload=True)
    give(cast, where, "renter", active=False, upload=True)
    people = {u.pk for u in (cast.admin, cast.owner, cast.renter, cast.guest, cast.stranger)}
    for flag in MEMBER_FLAGS:
        expected = {
            user.pk
            for user in (cast.admin, cast.owner, cast.renter, cast.guest)
            if getattr(rules.effective_for(cast.membership(user), where), flag)
        }
        assert rules.holders(where, flag, people) == expected, flag


@pytest.mark.rule("DOCMS-111")
@pytest.mark.parametrize(
    ("flags", "own", "others"),
    [
        ({"upload": True, "edit_own": True}, True, False),
        ({"upload": True, "edit": True}, False, True),
        ({"edit": True, "edit_own": True}, False, False),
        ({"upload": True}, False, False),
    ],
)
def test_changing_needs_upload_and_the_flag_for_own_or_others(
    cast: Cast, flags: dict[str, bool], own: bool, others: bool
) -> None:
    everyone = manual_group(cast, "Alle", "staff")
    where, target = folder(cast, group=everyone), folder(cast, "Ziel", everyone)
    mine, theirs = publish(cast, where, who="staff"), publish(cast, where)
    for home in (where, target):
        give(cast, home, "staff", **flags)
    actor = cast.actor("staff")
    for paper, allowed in ((mine, own), (theirs, others)):
        for changes in ({"description": "neu"}, {"folder": target}):
            if allowed:
                documents.change_document(actor=actor, document=paper, changes=changes)
            else:
                with pytest.raises(Denied):
                    documents.change_document(actor=actor, document=paper, changes=changes)


def test_a_move_needs_the_rights_in_the_target_folder(cast: Cast) -> None:
    everyone = manual_group(cast, "Alle", "staff")
    where, target = folder(cast, group=everyone), folder(cast, "Ziel", everyone)
    paper = publish(cast, where)
    give(cast, target, "staff", upload=True, edit_own=True)
    with pytest.raises(Denied):
        documents.change_document(actor=cast.actor("staff"), document=paper, changes={"folder": target})
    paper.refresh_from_db()
    assert paper.folder_id == where.pk


@pytest.mark.rule("DOCMS-131")
def test_the_internal_note_is_for_those_who_may_change_the_document(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "staff", "renter"))
    paper = publish(cast, where, internal_note="nur intern")
    assert rules.may_see_note(cast.actor("staff"), paper)
    assert not rules.may_see_note(cast.actor("renter"), paper)


@pytest.mark.rule("DOCMS-163")
def test_the_log_needs_the_flag_except_for_the_uploader(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "staff", "renter"))
    mine, theirs = publish(cast, where, who="staff"), publish(cast, where)
    rows.change(cast.membership("staff"), {"log_perm": False})
    assert rules.may_see_log(cast.actor("staff"), mine)
    assert not rules.may_see_log(cast.actor("staff"), theirs)
    assert rules.may_see_log(cast.actor("admin"), mine)
    assert not rules.may_see_log(cast.actor("renter"), mine)


@pytest.mark.rule("DOCMS-083")
@pytest.mark.parametrize(
    ("active", "switch", "administers", "allowed"),
    [(True, True, True, True), (False, True, True, False), (True, False, True, False), (True, True, False, False)],
)
def test_group_administrators_delete_where_the_tenant_lets_them(
    cast: Cast, active: bool, switch: bool, administers: bool, allowed: bool
) -> None:
    rows.change(cast.tenant.settings, {"groupadmin_active": active, "groupadmin_delete_files": switch})
    board = manual_group(cast, "Beirat", "owner", groupadmin_ids=[cast.owner.pk] if administers else [])
    paper = publish(cast, folder(cast, group=board))
    elsewhere = publish(cast, folder(cast, "Woanders", manual_group(cast, "Andere", "owner")))
    assert not rules.may_delete(cast.actor("owner"), elsewhere)
    assert bool(rules.may_delete(cast.actor("owner"), paper)) is allowed
    if allowed:
        documents.delete_document(actor=cast.actor("owner"), document=paper)
        assert not Document.objects.filter(pk=paper.pk).exists()


def test_a_protected_document_is_refused_to_everybody_with_409(cast: Cast) -> None:
    where = folder(cast, allow_delete_files=timezone.now() + datetime.timedelta(days=1))
    answer = rules.may_delete(cast.actor("admin"), publish(cast, where))
    assert not answer
    assert answer.denied_status == 409


@pytest.mark.parametrize(
    ("features", "days", "allowed"), [(None, 0, True), ([1], 1, True), ([2], 1, False), ([1], -1, False)]
)
def test_big_files_need_the_add_on(
    cast: Cast, settings: object, features: list[int] | None, days: int, allowed: bool
) -> None:
    settings.BASE64_LIMIT = 1000  # type: ignore[attr-defined]
    if features is not None:
        until = timezone.now() + datetime.timedelta(days=days)
        License.objects.create(organization=cast.tenant, features=features, valid_until=until)
    assert bool(rules.may_store_big(cast.tenant.pk, 1001)) is allowed
    assert rules.may_store_big(cast.tenant.pk, 1000)
    where = folder(cast)
    if not allowed:
        with translation.override("en"), pytest.raises(Denied, match="add-on"):
            publish(cast, where, content=b"x" * 1001, filename="gross.txt")
    else:
        assert publish(cast, where, content=b"x" * 1001, filename="gross.txt").is_big
        assert not publish(cast, where, content=b"x" * 1000, filename="klein.txt").is_big


@pytest.mark.rule("DOCMS-091")
def test_folder_permissions_need_an_administrator_and_a_super_administrator_while_locked(cast: Cast) -> None:
    where = folder(cast)
    target = cast.owner.pk
    with pytest.raises(Denied):
        permissions.set_permission(actor=cast.actor("staff"), folder=where, user_id=target, flags={"read": True})
    rows.change(cast.membership("staff"), {"admin_perm": True})
    permissions.set_permission(actor=cast.actor("staff"), folder=where, user_id=target, flags={"read": True})
    rows.change(cast.tenant.settings, {"lock_folder_perm": True})
    for call in (permissions.set_permission, permissions.delete_permission):
        more: dict[str, Any] = {"flags": {"read": True}} if call is permissions.set_permission else {}
        with pytest.raises(Denied):
            call(actor=cast.actor("staff"), folder=where, user_id=target, **more)
    permissions.set_permission(actor=cast.actor("admin"), folder=where, user_id=target, flags={"upload": True})
    permissions.delete_permission(actor=cast.actor("admin"), folder=where, user_id=target)
    assert not rules.effective_for(cast.membership("owner"), where).upload
