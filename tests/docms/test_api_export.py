"""What is stored about a person, over HTTP: an archive with a PDF and JSON."""

from __future__ import annotations

import base64
import datetime
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
from django.utils import timezone

from core.models import AuditEntry
from core.services import rows
from core.tokens import token_hash
from docms.models import DocumentLog
from docms.services import person_report
from docms.services.groups import derived_group
from messaging.services.outbox import queue
from messaging.services.split import Recipient
from orgs.models import Membership, SecondFactor, SignInLog, User
from orgs.services import passwords
from tests.docms.door import Caller, cost_of, login, make_folder, make_group, permit, signed_in, soon

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


class Archive:
    """What was exported."""

    def __init__(self, caller: Caller, user: User) -> None:
        answer = caller.ok("GET", f"/users/{user.pk}/export")
        self.filename: str = answer["filename"]
        self.parts = zipfile.ZipFile(io.BytesIO(base64.b64decode(answer["data"], validate=True)))
        assert self.parts.testzip() is None
        self.json: dict[str, Any] = json.loads(self.parts.read("data.json"))

    @property
    def pdf(self) -> str:
        """The text of all its pages, with each run of blanks as one."""
        document = pypdfium2.PdfDocument(self.parts.read("data.pdf"))
        return " ".join(" ".join(page.get_textpage().get_text_range() for page in document).split())

    @property
    def everything(self) -> str:
        """All that is readable."""
        return self.parts.read("data.json").decode() + self.pdf


@pytest.mark.rule("DOCMS-168")
def test_the_own_data_and_for_administrators_everybodys(cast: Cast, plain_admin: Caller, renter: Caller) -> None:
    assert Archive(renter, cast.renter).json["account"]["email"] == cast.renter.email
    assert Archive(plain_admin, cast.renter).json["account"]["email"] == cast.renter.email
    for who in (cast.owner, cast.admin):
        renter.refused("GET", f"/users/{who.pk}/export", 403)
    renter.refused("GET", "/users/999999999/export", 403)
    plain_admin.refused("GET", f"/users/{cast.foreigner.pk}/export", 404)
    Caller().refused("GET", f"/users/{cast.renter.pk}/export", 401)
    entry = AuditEntry.objects.filter(verb="exported").latest("id")
    assert (entry.user_id, entry.object_id) == (cast.staff.pk, str(cast.membership("renter").pk))


@pytest.mark.rule("DOCMS-169")
def test_the_archive_tells_what_is_stored(cast: Cast, admin: Caller) -> None:
    group = make_group(admin, "Beirat", cast.renter.pk, cast.owner.pk, groupadmin_ids=[cast.renter.pk])
    home = derived_group(tenant=cast.tenant, unit=cast.unit_a2)
    folder = make_folder(admin, "Ordner", group)
    file = admin.upload(folder)["file_id"]
    permit(admin, folder, cast.renter.pk, read=True)
    admin.ok(
        "PUT", f"/users/{cast.renter.pk}", {"description": "Mieterin im Hinterhaus", "mobile_number": "+49 1701234"}
    )
    admin.ok("POST", f"/password/user/{cast.renter.pk}")
    renter = login("renter")
    renter.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    renter.ok("GET", f"/folders/{folder}")
    renter.ok("POST", f"/favorites/{folder}")
    renter.ok("GET", f"/files/{file}/read")
    archive = Archive(renter, cast.renter)
    assert archive.filename == f"export-{cast.renter.pk}-{timezone.now().astimezone(cast.tenant.zone):%Y-%m-%d}.zip"
    assert sorted(archive.parts.namelist()) == ["data.json", "data.pdf"]
    told = archive.json
    assert told["tenant"] == {"tenant_id": cast.tenant.pk, "company_name": "Brandt & Keller"}
    account = {
        name: told["account"][name] for name in ("user_id", "username", "email", "last_name", "mobile", "language")
    }
    assert account == {
        "user_id": cast.renter.pk, "username": cast.renter.username, "email": cast.renter.email, "last_name": "Muster",
        "mobile": "+49 1701234", "language": "de",
    }  # fmt: skip
    (membership,) = told["memberships"]
    assert (membership["company"], membership["role"]) == ("Brandt & Keller", "resident")
    assert (membership["description"], membership["admin_perm"]) == ("Mieterin im Hinterhaus", False)
    assert [(g["group_id"], g["name"], g["is_admin"]) for g in told["groups"]] == [
        (group, "Beirat", True),
        (home.pk, home.name, False),
    ]
    (permission,) = told["permissions"]
    assert (permission["folder_id"], permission["folder"]) == (folder, "Ordner")
    assert (permission["active"], permission["read"], permission["download"]) == (True, True, False)
    assert told["favorites"] == [{"folder_id": folder, "folder": "Ordner"}]
    assert [f["folder_id"] for f in told["opened_folders"]] == [folder]
    assert [s["type"] for s in told["sign_ins"]] == ["tenant_selected", "login"]
    assert [s["type"] for s in Archive(admin, cast.renter).json["sign_ins"]] == ["tenant_selected"]  # to this company
    assert told["sign_ins"][0]["ip"] == "203.0.113.9"
    assert [(a["document_id"], a["action"]) for a in told["document_actions"]] == [(file, "read")]
    (mail,) = told["mails"]
    assert (mail["address"], mail["channel"], mail["state"]) == (cast.renter.email, "mail", "queued")
    for moment in (told["generated_at"], membership["since"], told["sign_ins"][0]["at"], mail["at"]):
        assert datetime.datetime.fromisoformat(moment).utcoffset() is not None
    for shown in ("Renter Muster", cast.renter.email, "Mieterin im Hinterhaus", "+49 1701234", "Beirat", "203.0.113.9",
                  mail["subject"], "Brandt & Keller", "Ordner", str(file)):  # fmt: skip
        assert shown in archive.pdf, shown


@pytest.mark.rule("DOCMS-169")
def test_secrets_and_contents_are_not_told(cast: Cast, admin: Caller) -> None:
    folder = make_folder(admin, "F", make_group(admin, "G", cast.renter.pk))
    file = admin.upload(folder, title="Inhaltsreicher Titel", internal_note="Interne Notiz")["file_id"]
    renter = signed_in(cast.renter, cast.tenant)
    renter.ok("GET", f"/files/{file}")
    DocumentLog.objects.create(tenant=cast.tenant, document_id=file, user=cast.renter, action="read")
    key = SecondFactor.objects.create(
        user=cast.renter, organization=cast.tenant, secret="JBSWY3DPEHPK3PXP", confirmed=True,
        confirmed_at=timezone.now(), name="totp",
    )  # fmt: skip
    day = datetime.timedelta(days=1)
    link = passwords.issue_link(cast.renter, purpose="password_reset", lifetime=day, tenant=cast.tenant)
    archive = Archive(renter, cast.renter)
    assert [m["document_id"] for m in archive.json["mails"]] == [None]
    assert [a["document_id"] for a in archive.json["document_actions"]] == [file]
    cast.renter.refresh_from_db()
    secrets = (
        key.secret, link, renter.token, cast.renter.password, token_hash(link).hex(), token_hash(renter.token).hex(),
        "/app/password/", "Inhaltsreicher", "Interne Notiz", "%PDF-1.4",
    )  # fmt: skip
    for secret in secrets:
        assert secret not in archive.everything


@pytest.mark.rule("DOCMS-169")
def test_data_of_others_are_not_told(cast: Cast, admin: Caller) -> None:
    everybody = [cast.renter, cast.neighbour]
    group = make_group(admin, "Beide", *(user.pk for user in everybody))
    hidden = make_group(admin, "Fremdgruppe", cast.neighbour.pk)
    folder, secret = make_folder(admin, "Ordner", group), make_folder(admin, "Geheimordner", hidden)
    closed = make_folder(admin, "Zuordner", group)
    file = admin.upload(folder)["file_id"]
    permit(admin, secret, cast.renter.pk, read=True)  # of a folder that the person does not reach (DOCMS-088)
    for user in everybody:
        caller = signed_in(user, cast.tenant, address=f"198.51.100.{user.pk}")
        permit(admin, folder, user.pk, read=True, download=True)
        caller.ok("GET", f"/folders/{closed}")
        caller.ok("POST", f"/favorites/{closed}")
        caller.ok("GET", f"/files/{file}/download")
        admin.ok("POST", f"/password/user/{user.pk}")
        SignInLog.objects.create(user=user, tenant=cast.tenant, type="login", door="web", ip=f"198.51.100.{user.pk}")
    admin.ok("PUT", f"/folders/{closed}", {"inactive_at": soon(days=-1)})
    queue(
        kind="welcome", tenant=cast.tenant, to=[Recipient.of_user(user) for user in everybody], dedupe_key="x",
        context={"link": "https://example.org"},
    )  # fmt: skip
    archive = Archive(signed_in(cast.renter, cast.tenant), cast.renter)
    told = archive.json
    assert [p["folder_id"] for p in told["permissions"]] == sorted([folder, secret])
    assert {p["folder_id"]: p["folder"] for p in told["permissions"]} == {folder: "Ordner", secret: None}
    assert told["favorites"] == [{"folder_id": closed, "folder": None}]
    assert (len(told["document_actions"]), len(told["mails"]), len(told["sign_ins"])) == (1, 2, 1)
    assert f"198.51.100.{cast.renter.pk}" in archive.everything
    for foreign in ("neighbour@", "Neighbour", "Geheimordner", "Zuordner", "Fremdgruppe", f"198.51.100.{cast.neighbour.pk}",
                    cast.admin.email):  # fmt: skip
        assert foreign not in archive.everything, foreign


@pytest.mark.rule("DOCMS-169")
def test_data_of_another_company_are_not_told(cast: Cast, admin: Caller) -> None:
    rows.create(
        Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest",
        description="Fremdwort", read_perm=True,
    )  # fmt: skip
    other = signed_in(cast.stranger, cast.other_tenant)
    folder = make_folder(other, "Fremdordner", make_group(other, "Fremdgruppe", cast.renter.pk))
    file = other.upload(folder)["file_id"]
    there = signed_in(cast.renter, cast.other_tenant)
    there.ok("GET", f"/folders/{folder}")
    there.ok("POST", f"/favorites/{folder}")
    there.ok("GET", f"/files/{file}/read")
    permit(other, folder, cast.renter.pk, read=True)
    SignInLog.objects.create(user=cast.renter, tenant=cast.other_tenant, type="login", door="web", ip="198.51.100.7")
    queue(
        kind="welcome", tenant=cast.other_tenant, to=Recipient.of_user(cast.renter), dedupe_key="x",
        context={"link": "https://example.org"},
    )  # fmt: skip
    queue(
        kind="welcome", tenant=None, to=Recipient.of_user(cast.renter), dedupe_key="y",
        context={"link": "https://example.org"},
    )  # fmt: skip
    inside, outside = Archive(there, cast.renter), Archive(signed_in(cast.renter, cast.tenant), cast.renter)
    for name in ("groups", "permissions", "favorites", "sign_ins", "document_actions", "mails"):
        assert len(inside.json[name]) == 1, name
        assert outside.json[name] == [], name
    assert [m["company"] for m in outside.json["memberships"]] == ["Brandt & Keller"]
    for foreign in ("Fremd", "Nordhaus", "198.51.100.7"):
        assert foreign in inside.everything
        assert foreign not in outside.everything


def test_letters_of_all_four_languages_are_printed(cast: Cast, plain_admin: Caller) -> None:
    name = "Żółć-Müßig, Éloïse Ærøskøbing"
    plain_admin.ok("PUT", f"/users/{cast.renter.pk}", {"name": name, "description": "Łódź „ąęśćń“ 😀 漢\x1b\u202e"})
    archive = Archive(plain_admin, cast.renter)
    assert "Éloïse Ærøskøbing Żółć-Müßig" in archive.pdf
    assert "Łódź „ąęśćń“" in archive.pdf
    assert archive.json["memberships"][0]["description"] == "Łódź „ąęśćń“ 😀 漢\x1b\u202e"


def test_long_texts_and_many_rows_find_room(cast: Cast, admin: Caller) -> None:
    texts = {"description": "\n" * 1000 + "W" * 1000, "login_text": "W" * 19000}
    admin.ok("PUT", f"/users/{cast.renter.pk}", texts)
    group = make_group(admin, "W" * 200, cast.renter.pk)
    folder = make_folder(admin, "W" * 200, group)
    for _level in range(4):
        folder = make_folder(admin, "W" * 200, group, parent_folder_id=folder)
    signed_in(cast.renter, cast.tenant).ok("POST", f"/favorites/{folder}")
    DocumentLog.objects.bulk_create(
        DocumentLog(tenant=cast.tenant, document_id=number, user=cast.renter, action="read")
        for number in range(person_report.PRINTED_MAX + 7)
    )
    archive = Archive(admin, cast.renter)
    assert len(archive.json["document_actions"]) == person_report.PRINTED_MAX + 7
    assert archive.json["memberships"][0]["login_text"] == texts["login_text"]
    assert len(archive.json["favorites"][0]["folder"]) > 1000
    assert "7 further entries" in archive.pdf or "7 weitere" in archive.pdf


def test_it_costs_the_same_for_one_and_three(cast: Cast, admin: Caller) -> None:
    def more(number: int) -> None:
        group = make_group(admin, f"G{number}", cast.renter.pk)
        folder = make_folder(admin, f"F{number}", group)
        permit(admin, folder, cast.renter.pk, read=True)
        file = admin.upload(folder)["file_id"]
        renter = signed_in(cast.renter, cast.tenant)
        renter.ok("POST", f"/favorites/{folder}")
        renter.ok("GET", f"/files/{file}/read")
        SignInLog.objects.create(user=cast.renter, tenant=cast.tenant, type="login", door="web")
        queue(
            kind="welcome", tenant=cast.tenant, to=Recipient.of_user(cast.renter), dedupe_key=f"{number}",
            context={"link": "https://example.org"},
        )  # fmt: skip

    path = f"/users/{cast.renter.pk}/export"
    more(1)
    one = cost_of(admin, path)
    more(2), more(3)
    assert cost_of(admin, path) == one


def test_whoever_was_let_go_is_told_of_as_well(cast: Cast, admin: Caller) -> None:
    make_group(admin, "G", cast.renter.pk)
    admin.ok("PUT", f"/users/{cast.renter.pk}", {"deactivated": soon(seconds=-5)})
    told = Archive(admin, cast.renter).json
    assert told["memberships"][0]["deactivated_at"]
    assert [g["name"] for g in told["groups"]] == ["G"]
