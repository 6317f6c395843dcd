"""Two companies in one installation: no operation of the door lets one into the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from orgs.models import OrganizationSettings
from tests.docms.door import (
    NO_FLAGS,
    PDF,
    Caller,
    b64,
    contract,
    make_folder,
    make_group,
    operations,
    settings_of,
    signed_in,
)

if TYPE_CHECKING:
    from orgs.models import Organization
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
FOREIGN = "Fremdwort"
NO_IDS = {"sms_sender_id"}  # only sounds like one
IDS = {"tenantId", "folderId", "groupId", "fileId", "userId", "appId", "shareId"}
NINA = {"name": FOREIGN, "email": "foreigner@example.org", "mobile_number": "+491701234567"}
TEXTS = ("mail-template", "mail-template/share", "sms-template")
BODIES: dict[str, Any] = {
    "PUT /users/{userId}": {"name": "x"},
    "PUT /groups/{groupId}": {"name": "x"},
    "PUT /folders/{folderId}": {"name": "x"},
    "PUT /files/{fileId}": {"title": "x", "file_data": b64(PDF + b"%x")},
    "POST /folders/{folderId}/labels": {"name": "x", "color": "#000000"},
    "PUT /folders/{folderId}/labels/{name}": {"name": "x", "color": "#000000"},
    "PUT /folders/{folderId}/permissions/{userId}": {"active": True, **NO_FLAGS},
    "PUT /apps/{appId}": {"name": "x"},
    "POST /apps/{appId}/keys": {"user_id": 1},
    "POST /folders/{folderId}/mail-template": {"subject": "x"},
    "PUT /folders/{folderId}/mail-template/share": {"subject": "x"},
    "PUT /folders/{folderId}/sms-template": {"message": "x"},
    "POST /files/{fileId}/shares": NINA,
    "PUT /groupadmin/users/{userId}": {"name": "x"},
    "PUT /groupadmin/groups/{groupId}": {"user_ids": []},
}
GROUPADMIN = {
    "groupadmin_active", "groupadmin_user_create", "groupadmin_user_edit", "groupadmin_user_reset_password",
    "groupadmin_user_reset_tfa", "groupadmin_user_reset_attempts",
}  # fmt: skip


def equip(caller: Caller, tenant: Organization, folder: int, file: int, user: int) -> int:
    """Texts, a rule for uploads and a share, whose id is returned."""
    row = OrganizationSettings.objects.get(organization=tenant)
    row.sms_send_url, row.sms_api_key, row.sms_sender_id = "https://sms.example/", "geheim", "Haus"
    row.save()
    caller.ok("PUT", "/mail-templates", {"subject": FOREIGN})
    caller.ok("PUT", "/sms-templates", {"message": FOREIGN})
    caller.ok("POST", f"/folders/{folder}/mail-template", {"subject": FOREIGN})
    caller.ok("PUT", f"/folders/{folder}/mail-template/share", {"subject": FOREIGN})
    caller.ok("PUT", f"/folders/{folder}/sms-template", {"message": FOREIGN})
    caller.ok(
        "POST", "/mail-after-upload", {"user_id": user, "folder_id": folder, "custom": True, "recipients": [user]}
    )
    made: int = caller.ok("POST", f"/files/{file}/shares", NINA)["share_id"]
    return made


class Other:
    """Nordhaus, with one of everything, and how it looks from inside."""

    def __init__(self, cast: Cast) -> None:
        self.caller = signed_in(cast.stranger, cast.other_tenant)
        self.group = make_group(self.caller, FOREIGN, cast.foreigner.pk, cast.stranger.pk)
        self.folder = make_folder(self.caller, FOREIGN, self.group)
        self.caller.ok("POST", f"/folders/{self.folder}/labels", {"name": FOREIGN, "color": "#123456"})
        self.file = self.caller.upload(self.folder, title=FOREIGN, label_name=FOREIGN)["file_id"]
        gone = self.caller.upload(self.folder, title=FOREIGN)["file_id"]
        self.caller.ok("DELETE", f"/files/{gone}")
        self.caller.ok("POST", f"/favorites/{self.folder}")
        self.caller.ok("POST", "/label-suggestions", {"name": FOREIGN, "color": "#123456"})
        self.caller.ok("POST", "/systemlogs", [{"category": "mail", "action": FOREIGN}])
        body = {"active": True, **NO_FLAGS, "read": True}
        self.caller.ok("PUT", f"/folders/{self.folder}/permissions/{cast.foreigner.pk}", body)
        self.user = cast.foreigner.pk
        self.app = self.caller.ok("POST", "/apps", {"name": FOREIGN, "user_ids": [cast.foreigner.pk]})["app_id"]
        self.share = equip(self.caller, cast.other_tenant, self.folder, self.file, self.user)
        self.paths = (
            "/label-suggestions", "/folders?all=true", "/files?all=true", "/groups", "/users", "/deleted-files", "/favorites",
            "/favorites/files", "/files/unread", f"/folders/{self.folder}/permissions", f"/folders/{self.folder}/labels",
            f"/files/{self.file}/logs", f"/files/{self.file}/versions", f"/users/{self.user}/permissions",
            "/apps", "/tenants/current",
            "/mail-templates", "/sms-templates", *(f"/folders/{self.folder}/{text}" for text in TEXTS),
            f"/folders/{self.folder}/mail-after-upload", f"/files/{self.file}/shares",
        )  # fmt: skip

    def looks(self) -> list[Any]:
        """Everything that could have been changed from outside."""
        return [self.caller.ok("GET", path) for path in self.paths]


@pytest.fixture
def other(cast: Cast) -> Other:
    """Another company."""
    return Other(cast)


@pytest.fixture
def admin(cast: Cast) -> Caller:
    """Super administrator of Brandt & Keller with every flag, who administers a group there, too."""
    caller = signed_in(cast.admin, cast.tenant)
    settings_of(cast, **dict.fromkeys(GROUPADMIN, True))
    make_group(caller, "Verwaltete", cast.admin.pk, cast.renter.pk, groupadmin_ids=[cast.admin.pk])
    return caller


@pytest.mark.rule("DOCMS-047")
def test_ids_of_another_tenant_are_unknown_in_paths(cast: Cast, admin: Caller, other: Other) -> None:
    mine = {"folderId": make_folder(admin, "Meiner"), "userId": cast.renter.pk}
    mine["fileId"] = admin.upload(mine["folderId"])["file_id"]
    mine["shareId"] = equip(admin, cast.tenant, mine["folderId"], mine["fileId"], cast.renter.pk)
    flags = {"active": True, **NO_FLAGS}
    # So that it is not the missing object that answers.
    admin.ok("PUT", f"/folders/{mine['folderId']}/permissions/{cast.renter.pk}", flags)
    foreign = {
        "tenantId": cast.other_tenant.pk, "folderId": other.folder, "groupId": other.group, "fileId": other.file,
        "userId": other.user, "appId": other.app, "shareId": other.share,
    }  # fmt: skip
    before, asked = other.looks(), 0
    for operation in operations():
        if operation.entry["x-permission"].get("role") == "operator":
            continue  # who runs the installation reaches every tenant
        ids = IDS & set(re.findall(r"\{(\w+)\}", operation.path))
        name = f"{operation.method} {operation.path}"
        if ids and "requestBody" in operation.entry:
            assert name in BODIES, f"give {name} a body that would be right"
        for one in ids:  # one id is foreign, the others are ours
            values = {**mine, one: foreign[one], "name": FOREIGN, "donestate": "true"}
            admin.refused(operation.method, operation.at(**values), 404, BODIES.get(name))
            asked += 1
    assert asked > 50
    assert other.looks() == before


@pytest.mark.rule("DOCMS-047")
def test_ids_of_another_tenant_are_refused_in_bodies(cast: Cast, admin: Caller, other: Other) -> None:
    folder, group = make_folder(admin, "Meiner"), make_group(admin, "Meine", cast.renter.pk)
    app = admin.ok("POST", "/apps", {"name": "Meine", "user_ids": [cast.renter.pk]})["app_id"]
    file = admin.upload(folder)["file_id"]
    new_file = {"folder_id": folder, "filename": "x.pdf", "file_data": b64(PDF)}
    new_user = {"username": "neu", "email": "neu@example.org", "name": "Neu"}
    foreign: dict[str, Any] = {
        "parent_folder_id": other.folder, "folder_id": other.folder, "last_folder_id": other.folder,
        "group_ids": [other.group], "folder_ids": [folder, other.folder], "user_ids": [cast.renter.pk, other.user],
        "groupadmin_ids": [other.user], "mail_after_upload_users": [other.user], "user_id": other.user,
        "file_id": other.file,
    }  # fmt: skip
    managed = next(found["group_id"] for found in admin.ok("GET", "/groups") if found["name"] == "Verwaltete")
    right: dict[str, tuple[str, dict[str, Any]]] = {
        "POST /groupadmin/users": ("/groupadmin/users", new_user),
        "PUT /groupadmin/users/{userId}": (f"/groupadmin/users/{cast.renter.pk}", {}),
        "PUT /groupadmin/groups/{groupId}": (f"/groupadmin/groups/{managed}", {}),
        "POST /users": ("/users", new_user),
        "PUT /users/{userId}": (f"/users/{cast.renter.pk}", {}),
        "POST /groups": ("/groups", {"name": "Neu"}),
        "PUT /groups/{groupId}": (f"/groups/{group}", {}),
        "POST /folders": ("/folders", {"name": "Neu"}),
        "PUT /folders/{folderId}": (f"/folders/{folder}", {}),
        "POST /files": ("/files", new_file),
        "PUT /files/{fileId}": (f"/files/{file}", {}),
        "POST /apps": ("/apps", {"name": "Neu"}),
        "PUT /apps/{appId}": (f"/apps/{app}", {}),
        "POST /apps/{appId}/keys": (f"/apps/{app}/keys", {}),
        "POST /mail-after-upload": (
            "/mail-after-upload",
            {"user_id": cast.renter.pk, "folder_id": folder, "custom": True, "recipients": []},
        ),
        "POST /notifications": ("/notifications", {"file_id": file, "user_ids": [cast.renter.pk]}),
    }
    before, asked = other.looks(), set()
    for operation in operations():
        for field in fields_of(operation.entry):
            if field in ("ids", "preFilteredIds"):
                continue  # what is not visible is dropped there (DOCMS-136, 137)
            if field in NO_IDS:
                continue
            name = f"{operation.method} {operation.path}"
            assert field in foreign, f"{name}: {field} looks like an id"
            path, body = right[name]
            admin.refused(operation.method, path, 400, body | {field: foreign[field]})
            asked.add((name, field))
    assert len(asked) == 29
    assert admin.ok("POST", "/files/paging", {"ids": [other.file, file]}) == admin.ok("GET", "/files?all=true")
    wish = {"search": FOREIGN, "preFilteredIds": [other.file]}
    assert admin.ok("POST", "/files/search", wish) == []
    assert other.caller.ok("POST", "/files/search", wish) == [other.file]
    admin.refused("PUT", f"/files/{file}", 400, {"label_name": FOREIGN})
    assert other.looks() == before


def fields_of(entry: dict[str, Any]) -> list[str]:
    """The names of ids in the body of an operation."""
    media = entry.get("requestBody", {}).get("content", {}).get("application/json", {})
    return sorted(name for name in properties(media.get("schema", {})) if re.search(r"(^|_)ids?$|Ids$|_users$", name))


def properties(schema: dict[str, Any]) -> set[str]:
    """The names of the fields of a schema."""
    for part in str(schema.get("$ref", "")).split("/")[1:]:
        schema = (contract() if part == "components" else schema)[part]
    return {*schema.get("properties", {}), *(n for part in schema.get("allOf", ()) for n in properties(part))}


@pytest.mark.rule("DOCMS-047")
def test_no_list_shows_anything_of_another_tenant(cast: Cast, admin: Caller, other: Other) -> None:
    for operation in operations():
        if operation.method != "GET" or not operation.takes & {"bearerAuth"}:
            continue
        if operation.path == "/logout" or "{" in operation.path:
            continue
        for query in ("", "?all=true"):
            answer = admin.call("GET", operation.path + query)
            assert answer.status in (200, 403, 409), operation.path
            assert FOREIGN.encode() not in answer.raw, operation.path
            assert b"foreigner@" not in answer.raw, operation.path
            assert b"stranger@" not in answer.raw, operation.path
    assert admin.ok("POST", "/files/search", {"search": FOREIGN}) == []
