"""What people may do in folders, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from core.services import rows
from tests.docms.door import Caller, make_folder, make_group, settings_of

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
ALL = ("read", "download", "upload", "edit", "edit_own", "mail", "log")


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


@pytest.mark.rule("DOCMS-093")
def test_the_outcome_is_told_for_everybody_and_every_folder(cast: Cast, admin: Caller) -> None:
    folder = make_folder(admin, "F", make_group(admin, "G", cast.renter.pk))
    rows.change(cast.membership("owner"), {"deactivated_at": timezone.now()})
    for user in (cast.renter, cast.guest, cast.former, cast.owner, cast.admin):  # in the folder's group, or not
        path = f"/folders/{folder}/permissions/{user.pk}"
        admin.refused("GET", path, 404)
        assert admin.ok("GET", f"{path}/effective").keys() == {*ALL, "show_checkmark"}
    for path in (f"/folders/{folder}/permissions/999999999", f"/folders/999999999/permissions/{cast.renter.pk}"):
        admin.refused("GET", path, 404)
        admin.refused("GET", f"{path}/effective", 404)


@pytest.mark.rule("DOCMS-091")
def test_folder_permissions_can_be_locked(cast: Cast, admin: Caller, plain_admin: Caller, renter: Caller) -> None:
    folder = make_folder(admin, "F", make_group(admin, "G", cast.renter.pk))
    path = f"/folders/{folder}/permissions/{cast.renter.pk}"
    body = {"active": True, **dict.fromkeys(ALL, True)}
    renter.refused("PUT", path, 403, body)
    renter.refused("DELETE", path, 403)
    plain_admin.ok("PUT", path, body)
    plain_admin.ok("DELETE", path)
    plain_admin.ok("PUT", path, body)
    settings_of(cast, lock_folder_perm=True)
    plain_admin.refused("PUT", path, 403, body)
    plain_admin.refused("DELETE", path, 403)
    admin.ok("PUT", path, body)
    admin.ok("DELETE", path)


@pytest.mark.rule("DOCMS-092")
def test_permissions_of_others_are_for_administrators(
    cast: Cast, admin: Caller, plain_admin: Caller, renter: Caller
) -> None:
    folder = make_folder(admin, "F", make_group(admin, "G", cast.renter.pk, cast.owner.pk))
    body = {"active": True, **dict.fromkeys(ALL, True)}
    for user in (cast.renter, cast.owner):
        admin.ok("PUT", f"/folders/{folder}/permissions/{user.pk}", body)
    own, other = f"/folders/{folder}/permissions/{cast.renter.pk}", f"/folders/{folder}/permissions/{cast.owner.pk}"
    for path in (own, f"{own}/effective", f"/users/{cast.renter.pk}/permissions"):
        renter.ok("GET", path)
    for path in (other, f"{other}/effective", f"/users/{cast.owner.pk}/permissions", f"/folders/{folder}/permissions"):
        renter.refused("GET", path, 403)
        plain_admin.ok("GET", path)
    assert [row["user_id"] for row in renter.ok("GET", f"/users/{cast.renter.pk}/permissions")] == [cast.renter.pk]
