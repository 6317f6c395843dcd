"""What is left of an erased account is an unknown id at the docms door: 404 in a path, 400 in a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from docms.models import FolderMailUser, FolderPermission, GroupMember, MailRule
from orgs.models import ApplicationUser
from orgs.services import erase
from tests.docms.door import NO_FLAGS, Caller, make_folder, make_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

pytestmark = pytest.mark.django_db
UNKNOWN = 987654321


@pytest.fixture
def circle(cast: Cast, admin: Caller) -> int:
    """A group of the owner, without the renter."""
    return make_group(admin, "Alle", cast.owner.pk)


@pytest.fixture
def folder(admin: Caller, circle: int) -> int:
    return make_folder(admin, "Rundschreiben", circle)


def rule(user_id: int, folder: int, *recipients: int) -> dict[str, Any]:
    return {"user_id": user_id, "folder_id": folder, "custom": True, "recipients": list(recipients)}


def same_refusal(
    caller: Caller, gone: int, method: str, path: Callable[[int], str], status: int, body: Any = None
) -> None:
    """An erased id, and one that never was, are answered alike; ``body`` makes that of an id."""

    def answer(user_id: int) -> Any:
        sent = body(user_id) if body else None
        told = caller.refused(method, path(user_id), status, sent)
        return {name: value for name, value in told.items() if name not in ("timestamp", "path", "logref")}

    erased, unknown = answer(gone), answer(UNKNOWN)
    assert str(erased).replace(str(gone), "ID") == str(unknown).replace(str(UNKNOWN), "ID")


def test_a_permission_in_a_folder_is_given_to_nobody(cast: Cast, admin: Caller, folder: int) -> None:
    body = {"active": True, **NO_FLAGS}
    path = f"/folders/{folder}/permissions/{cast.renter.pk}"
    admin.ok("PUT", path, body)
    erase.erase_account(user=cast.renter)
    for method, sent in (("PUT", lambda _id: body), ("DELETE", None), ("GET", None)):
        same_refusal(
            admin, cast.renter.pk, method, lambda user_id: f"/folders/{folder}/permissions/{user_id}", 404, sent
        )
    same_refusal(
        admin, cast.renter.pk, "GET", lambda user_id: f"/folders/{folder}/permissions/{user_id}/effective", 404
    )
    assert not FolderPermission.objects.exists()


def test_no_rule_for_uploads_names_a_tombstone(cast: Cast, admin: Caller, folder: int) -> None:
    def path(_user_id: int) -> str:
        return "/mail-after-upload"

    admin.ok("POST", "/mail-after-upload", rule(cast.owner.pk, folder, cast.renter.pk))
    erase.erase_account(user=cast.renter)
    assert admin.ok("GET", f"/folders/{folder}/mail-after-upload") == [rule(cast.owner.pk, folder)]
    same_refusal(admin, cast.renter.pk, "POST", path, 400, lambda user_id: rule(user_id, folder, cast.owner.pk))
    same_refusal(admin, cast.renter.pk, "POST", path, 400, lambda user_id: rule(cast.owner.pk, folder, user_id))
    same_refusal(admin, cast.renter.pk, "DELETE", lambda user_id: f"/mail-after-upload/{user_id}/{folder}", 404)
    assert MailRule.objects.count() == 1


def test_no_group_takes_a_tombstone_in(cast: Cast, admin: Caller, circle: int) -> None:
    admin.ok("PUT", f"/groups/{circle}", {"user_ids": [cast.owner.pk, cast.renter.pk]})
    erase.erase_account(user=cast.renter)
    own = [cast.owner.pk]
    for field in ("user_ids", "groupadmin_ids"):
        same_refusal(
            admin,
            cast.renter.pk,
            "PUT",
            lambda _id: f"/groups/{circle}",
            400,
            lambda user_id, field=field: {field: [*own, user_id]},
        )
        same_refusal(
            admin,
            cast.renter.pk,
            "POST",
            lambda _id: "/groups",
            400,
            lambda user_id, field=field: {"name": "Neu", field: [user_id]},
        )
    assert list(GroupMember.objects.values_list("membership__user_id", flat=True)) == own


def test_an_application_acts_for_no_tombstone(cast: Cast, admin: Caller) -> None:
    app = admin.ok("POST", "/apps", {"name": "Archiv", "user_ids": [cast.renter.pk]})["app_id"]
    erase.erase_account(user=cast.renter)
    same_refusal(admin, cast.renter.pk, "PUT", lambda _id: f"/apps/{app}", 400, lambda user_id: {"user_ids": [user_id]})
    same_refusal(
        admin, cast.renter.pk, "POST", lambda _id: "/apps", 400, lambda user_id: {"name": "B", "user_ids": [user_id]}
    )
    same_refusal(
        admin, cast.renter.pk, "POST", lambda _id: f"/apps/{app}/keys", 400, lambda user_id: {"user_id": user_id}
    )
    assert not ApplicationUser.objects.exists()


def test_no_folder_tells_a_tombstone_of_uploads(cast: Cast, admin: Caller, folder: int) -> None:
    def body(user_id: int) -> dict[str, Any]:
        return {"mail_after_upload_custom": True, "mail_after_upload_users": [user_id]}

    admin.ok("PUT", f"/folders/{folder}", body(cast.renter.pk))
    erase.erase_account(user=cast.renter)
    same_refusal(admin, cast.renter.pk, "PUT", lambda _id: f"/folders/{folder}", 400, body)
    assert not FolderMailUser.objects.exists()


def test_a_notification_goes_to_no_tombstone(cast: Cast, admin: Caller, folder: int) -> None:
    file = admin.upload(folder)["file_id"]
    erase.erase_account(user=cast.renter)
    same_refusal(
        admin,
        cast.renter.pk,
        "POST",
        lambda _id: "/notifications",
        400,
        lambda user_id: {"file_id": file, "user_ids": [user_id]},
    )


def test_a_row_of_a_tombstone_in_a_group_goes_with_the_next_change(cast: Cast, admin: Caller, circle: int) -> None:
    """Written at the moment of the erasure; nobody has named it, so nobody is refused."""
    erase.erase_account(user=cast.renter)
    GroupMember.objects.create(
        tenant=cast.tenant, group_id=circle, membership=cast.membership("renter"), is_admin=True
    )  # fmt: skip
    changed = admin.ok("PUT", f"/groups/{circle}", {"groupadmin_ids": [cast.owner.pk]})
    assert (changed["user_ids"], changed["groupadmin_ids"]) == ([cast.owner.pk], [cast.owner.pk])
