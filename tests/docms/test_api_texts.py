"""Texts of mails and text messages, stored over HTTP and seen in what goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.services import rows
from docms.models import FolderTemplate
from messaging.models import Message, Template
from messaging.services.catalogue import PLACEHOLDERS
from messaging.services.deliver import deliver
from tests.docms.door import Caller, cost_of, make_folder, make_group, permit, settings_of, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.servers import MailSink

pytestmark = pytest.mark.django_db

NOTHING = dict.fromkeys(("folder_id", "subject", "subject_en", "body", "body_en", "to_email")) | {"rest_bcc": False}
FULL = {
    "subject": "Neu: {{file_title}}",
    "subject_en": "New: {{file_title}}",
    "body": '<p>Hallo {{user_name}}, <a href="{{link}}">hier</a> 🏠 łąka</p>',
    "body_en": "<p>Hello {{user_name}}</p>",
    "to_email": "archiv@quartier.test",
    "rest_bcc": False,
}


@pytest.fixture
def folder(cast: Cast, admin: Caller) -> int:
    return make_folder(admin, "Abrechnungen", make_group(admin, "Alle", cast.renter.pk, cast.owner.pk))


def notify(admin: Caller, file: int, *user_ids: int) -> list[Message]:
    """What was written for a notification by hand."""
    before = set(Message.objects.values_list("pk", flat=True))
    admin.ok("POST", "/notifications", {"file_id": file, "user_ids": list(user_ids)})
    return list(Message.objects.exclude(pk__in=before).order_by("id"))


# --- Tenant and house -------------------------------------------------------------------------------------


def test_a_tenant_without_texts_has_empty_ones(admin: Caller) -> None:
    assert admin.ok("GET", "/mail-templates") == NOTHING
    assert admin.ok("GET", "/sms-templates") == {
        "folder_id": None, "message": None, "message_eng": None, "type": "tenant",
    }  # fmt: skip


@pytest.mark.rule("DOCMS-195", "DOCMS-186")
def test_a_text_comes_back_as_it_was_sent_and_what_is_left_out_stays(admin: Caller) -> None:
    stored = admin.ok("PUT", "/mail-templates", FULL)
    kept = {"folder_id": None, **FULL}
    kept["body"] = '<p>Hallo {{user_name}}, <a href="{{link}}" rel="noopener noreferrer">hier</a> 🏠 łąka</p>'
    assert stored == kept == admin.ok("GET", "/mail-templates")
    assert admin.ok("PUT", "/mail-templates", {"subject": "Anders"}) == {**kept, "subject": "Anders"}
    assert admin.ok("PUT", "/mail-templates", {"subject": None})["subject"] is None
    plain = "Ohne Tags: a < b & c\n  zweite Zeile "
    assert admin.ok("PUT", "/mail-templates", {"body": plain})["body"] == plain
    assert Template.objects.filter(kind="notification").count() == 1


@pytest.mark.rule("DOCMS-049")
@pytest.mark.parametrize("path", ["/mail-templates", "/folders/{}/mail-template", "/folders/{}/mail-template/share"])
def test_scripts_handlers_and_frames_are_taken_out_of_html(admin: Caller, folder: int, path: str) -> None:
    evil = (
        '<p onclick="a()">Gut</p><script>alert(1)</script><iframe src="https://x.test"></iframe>'
        '<a href="javascript:a()">x</a><img src="x" onerror="a()"><style>p{}</style>'
    )
    method = "POST" if path.endswith("template") else "PUT"
    stored = admin.ok(method, path.format(folder), {"body": evil, "body_en": evil})
    for name in ("body", "body_en"):
        assert "<p>Gut</p>" in stored[name]
        for word in ("script", "onclick", "onerror", "iframe", "javascript", "alert", "style"):
            assert word not in stored[name], word


@pytest.mark.rule("DOCMS-152", "DOCMS-153")
@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("PUT", "/mail-templates", "subject"),
        ("PUT", "/mail-templates", "body_en"),
        ("POST", "/folders/{}/mail-template", "body"),
        ("PUT", "/folders/{}/mail-template/share", "subject_en"),
        ("PUT", "/sms-templates", "message"),
        ("PUT", "/folders/{}/sms-template", "message_eng"),
    ],
)
def test_an_unknown_placeholder_is_refused_and_every_known_one_taken(
    admin: Caller, folder: int, method: str, path: str, field: str
) -> None:
    path = path.format(folder)
    known = " ".join(f"{{{{{name}}}}}" for name in sorted(PLACEHOLDERS))
    for text in ("Hallo {{naem}}", "{{user.password}}", "{{}}", "{{settings}} {{user_name}}", "{{internal_note}}"):
        message = admin.refused(method, path, 400, {field: text})["message"]
        assert message.startswith(f"{field}: "), message
    short = known if field not in ("subject", "subject_en") else "{{file_title}} {{user_name}}"
    assert admin.ok(method, path, {field: short})[field] == short


@pytest.mark.rule("DOCMS-150")
def test_everybody_in_bcc_needs_a_visible_recipient(admin: Caller, folder: int) -> None:
    for method, path in (("PUT", "/mail-templates"), ("POST", f"/folders/{folder}/mail-template")):
        for body in ({"rest_bcc": True}, {"rest_bcc": True, "to_email": None}, {"rest_bcc": True, "to_email": ""}):
            assert admin.refused(method, path, 400, body)["message"].startswith("to_email: ")
        assert "to_email" in admin.refused(method, path, 400, {"to_email": "kein Postfach"})["message"]
        assert admin.ok(method, path, {"rest_bcc": True, "to_email": "a@quartier.test"})["rest_bcc"] is True
    assert (
        "to_email" in admin.refused("PUT", "/mail-templates", 400, {"to_email": None})["message"]
    )  # rest_bcc stays on
    assert admin.ok("GET", "/mail-templates")["to_email"] == "a@quartier.test"


@pytest.mark.parametrize(
    "body",
    [
        {"subject": "a\nb"}, {"subject": "x" * 251}, {"body": "x" * 100001}, {"body": ["a"]}, {"body": {}},
        {"rest_bcc": "ja"}, {"to_email": "x" * 250 + "@a.test"}, {"body": "<p>" + "&" * 99000},
    ],
)  # fmt: skip
def test_odd_input_is_refused_in_words(admin: Caller, folder: int, body: dict[str, Any]) -> None:
    (field,) = body
    for method, path in (("PUT", "/mail-templates"), ("POST", f"/folders/{folder}/mail-template")):
        assert field in admin.refused(method, path, 400, body)["message"]
    assert admin.ok("GET", "/mail-templates") == NOTHING
    admin.refused("GET", f"/folders/{folder}/mail-template", 404)


@pytest.mark.parametrize("text", ["a\x00", "\ud800"])
def test_what_no_text_can_hold_is_refused(admin: Caller, folder: int, text: str) -> None:
    for name in ("subject", "body", "to_email"):
        admin.refused("PUT", "/mail-templates", 400, {name: text})
    admin.refused("PUT", f"/folders/{folder}/sms-template", 400, {"message": text})


def test_the_built_in_text_can_be_stored_as_it_is_and_says_the_same(cast: Cast, admin: Caller, folder: int) -> None:
    given = admin.ok("GET", "/mail-templates/default")
    assert given["folder_id"] is None
    assert "Neues Dokument" in given["subject"] and "New document" in given["subject_en"]
    file = admin.upload(folder, title="Abrechnung 2025")["file_id"]
    (built_in,) = notify(admin, file, cast.renter.pk)
    assert admin.ok("PUT", "/mail-templates", given) == given
    (own,) = notify(admin, file, cast.renter.pk)
    assert own.subject == built_in.subject
    for words in ("Abrechnung 2025", "Abrechnungen", cast.tenant.name, f"/app/documents/{file}", "Dokument öffnen"):
        assert words in built_in.body_text, words
        assert words in own.body_text, words


def test_a_text_of_the_installation_is_the_starting_point(admin: Caller) -> None:
    rows.create(Template, kind="notification", language="de", subject="Vom Haus", body="<p>{{note}}</p>")
    given = admin.ok("GET", "/mail-templates/default")
    assert (given["subject"], given["body"]) == ("Vom Haus", "<p>{{note}}</p>")
    assert "New document" in given["subject_en"]


# --- Folders ----------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-185")
def test_storing_a_folders_text_overwrites_the_former_one(admin: Caller, folder: int) -> None:
    path = f"/folders/{folder}/mail-template"
    admin.refused("GET", path, 404)
    admin.refused("DELETE", path, 404)
    admin.ok("POST", path, FULL)
    assert admin.ok("POST", path, {"subject": "Nur das"}) == {**NOTHING, "folder_id": folder, "subject": "Nur das"}
    assert admin.ok("GET", path)["body"] is None
    assert FolderTemplate.objects.filter(folder=folder).count() == 1
    admin.ok("DELETE", path)
    admin.refused("GET", path, 404)


@pytest.mark.rule("DOCMS-185")
def test_texts_are_the_administrators(cast: Cast, admin: Caller, folder: int) -> None:
    admin.ok("POST", f"/folders/{folder}/mail-template", FULL)
    admin.ok("PUT", f"/folders/{folder}/sms-template", {"message": "{{code}}"})
    calls: list[tuple[str, str, Any]] = [
        ("GET", "/mail-templates", None), ("PUT", "/mail-templates", {}), ("GET", "/mail-templates/default", None),
        ("GET", f"/folders/{folder}/mail-template", None), ("POST", f"/folders/{folder}/mail-template", {}),
        ("PUT", f"/folders/{folder}/mail-template/share", {}), ("GET", "/sms-templates", None),
        ("PUT", "/sms-templates", {}), ("GET", f"/folders/{folder}/sms-template", None),
        ("PUT", f"/folders/{folder}/sms-template", {}), ("DELETE", f"/folders/{folder}/sms-template", None),
        ("DELETE", f"/folders/{folder}/mail-template", None),
    ]  # fmt: skip
    staff = signed_in(cast.staff, cast.tenant)  # every document flag
    for method, path, body in calls:
        staff.refused(method, path, 403, body)
    assert admin.ok("GET", f"/folders/{folder}/mail-template")["subject"] == FULL["subject"]
    rows.change(cast.membership("staff"), {"admin_perm": True})
    for method, path, body in calls:
        staff.ok(method, path, body)


@pytest.mark.rule("DOCMS-043")
def test_locked_settings_leave_the_tenants_texts_to_super_administrators(
    cast: Cast, admin: Caller, plain_admin: Caller, folder: int
) -> None:
    plain_admin.ok("PUT", "/mail-templates", {"subject": "Offen"})
    settings_of(cast, lock_settings=True)
    for path, body in (("/mail-templates", {"subject": "Zu"}), ("/sms-templates", {"message": "Zu"})):
        plain_admin.refused("PUT", path, 403, body)
        admin.ok("PUT", path, body)
    plain_admin.ok("POST", f"/folders/{folder}/mail-template", {"subject": "Ordner"})  # not settings of the tenant


def test_texts_of_another_company_do_not_exist(cast: Cast, admin: Caller, folder: int) -> None:
    admin.ok("PUT", "/mail-templates", FULL)
    admin.ok("POST", f"/folders/{folder}/mail-template", FULL)
    stranger = signed_in(cast.stranger, cast.other_tenant)
    assert stranger.ok("GET", "/mail-templates") == NOTHING
    stranger.ok("PUT", "/mail-templates", {"subject": "Nordhaus"})
    assert admin.ok("GET", "/mail-templates")["subject"] == FULL["subject"]
    for method, path in (("GET", "mail-template"), ("POST", "mail-template"), ("GET", "mail-template/share")):
        stranger.refused(method, f"/folders/{folder}/{path}", 404, {} if method == "POST" else None)


@pytest.mark.rule("DOCMS-189")
def test_the_share_mail_of_a_folder_is_its_own_or_the_tenants(cast: Cast, admin: Caller, folder: int) -> None:
    path = f"/folders/{folder}/mail-template/share"
    assert admin.ok("GET", path) == NOTHING
    rows.create(Template, tenant=cast.tenant, kind="share_mail", subject="Vom Haus", body="<p>{{link}}</p>")
    house = {**NOTHING, "subject": "Vom Haus", "body": "<p>{{link}}</p>"}
    assert admin.ok("GET", path) == house
    own = {**NOTHING, "folder_id": folder, "subject": "Vom Ordner"}
    assert admin.ok("PUT", path, {"subject": "Vom Ordner"}) == own == admin.ok("GET", path)
    assert admin.ok("PUT", path, {"body": "<p>x</p>"}) == {**own, "body": "<p>x</p>"}
    assert admin.ok("PUT", path, {"subject": None, "body": ""}) == house  # nothing is left of it
    assert not FolderTemplate.objects.filter(folder=folder).exists()


def test_the_share_mail_is_read_by_whoever_may_send_mails_from_the_folder(
    cast: Cast, admin: Caller, renter: Caller, folder: int
) -> None:
    path = f"/folders/{folder}/mail-template/share"
    permit(admin, folder, cast.renter.pk, mail=True)
    renter.ok("GET", path)
    permit(admin, folder, cast.owner.pk, read=True, download=True)
    signed_in(cast.owner, cast.tenant).refused("GET", path, 403)
    signed_in(cast.neighbour, cast.tenant).refused("GET", path, 404)


def test_a_folders_text_message(admin: Caller, folder: int) -> None:
    path = f"/folders/{folder}/sms-template"
    admin.refused("GET", path, 404)
    both = {"message": "Code: {{code}} für <Haus>", "message_eng": "Code: {{code}}"}
    stored = {"folder_id": folder, "type": "folder", **both}
    assert admin.ok("PUT", path, both) == stored == admin.ok("GET", path)
    assert admin.ok("PUT", path, {"message": "Neu {{code}}"})["message_eng"] is None  # storing overwrites
    admin.ok("DELETE", path)
    admin.refused("GET", path, 404)
    admin.refused("DELETE", path, 404)
    admin.refused("PUT", path, 400, {"message": "x" * 1001})


# --- In the mail ------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-147", "DOCMS-148", "DOCMS-149")
def test_a_mail_takes_each_part_from_the_nearest_text_in_the_readers_language(
    cast: Cast, admin: Caller, folder: int
) -> None:
    rows.change(cast.owner, {"language": "pl"})
    file = admin.upload(folder, title="Plan")["file_id"]

    def words(user_id: int) -> tuple[str, str]:
        (mail,) = notify(admin, file, user_id)
        return mail.subject, next(w for w in ("HAUS", "HOUSE", "ORDNER", "dokument", "Dokument") if w in mail.body_html)

    assert words(cast.renter.pk) == ("Neues Dokument: Plan", "Dokument")
    assert "Plan" in words(cast.owner.pk)[0] and words(cast.owner.pk)[0].startswith("Nowy")
    admin.ok(
        "PUT", "/mail-templates",
        {"subject": "Haus {{file_title}}", "subject_en": "House {{file_title}}", "body": "HAUS", "body_en": "HOUSE"},
    )  # fmt: skip
    assert words(cast.renter.pk) == ("Haus Plan", "HAUS")
    assert words(cast.owner.pk) == ("House Plan", "HOUSE")
    admin.ok("POST", f"/folders/{folder}/mail-template", {"body": "ORDNER"})
    assert words(cast.renter.pk) == ("Haus Plan", "ORDNER")
    assert words(cast.owner.pk) == ("House Plan", "ORDNER")  # the folder's English is empty: its primary text


@pytest.mark.rule("DOCMS-150", "DOCMS-151", "DOCMS-193")
def test_bcc_batches_and_reply_address_on_the_wire(
    cast: Cast, admin: Caller, folder: int, smtp: MailSink, settings: Any
) -> None:
    settings.EMAIL_URL = smtp.url
    group = make_group(admin, "Fünf", cast.renter.pk, cast.owner.pk, cast.neighbour.pk, cast.guest.pk, cast.staff.pk)
    admin.ok("PUT", f"/folders/{folder}", {"group_ids": [group]})
    people = [cast.renter, cast.owner, cast.neighbour, cast.guest, cast.staff]
    file = admin.upload(folder)["file_id"]
    admin.ok("PUT", "/mail-templates", {"to_email": "archiv@quartier.test", "rest_bcc": True})
    settings_of(cast, mail_split_on=2)
    written = notify(admin, file, *(person.pk for person in people))
    assert deliver([m.pk for m in written])["sent"] == 3
    sizes = []
    for mail, envelope in zip(smtp.messages, smtp.envelopes, strict=True):
        assert mail["To"] == "archiv@quartier.test" == mail["Reply-To"]
        assert mail["Cc"] is None and mail["Bcc"] is None
        assert not any(person.email in mail.as_string() for person in people)
        assert "archiv@quartier.test" in envelope.rcpt_tos
        sizes.append(len(set(envelope.rcpt_tos) - {"archiv@quartier.test"}))
    assert sorted(sizes) == [1, 2, 2]
    assert {a for e in smtp.envelopes for a in e.rcpt_tos} == {p.email for p in people} | {"archiv@quartier.test"}


@pytest.mark.rule("DOCMS-193")
def test_without_bcc_everybody_gets_a_mail_that_is_answered_to_the_address(
    cast: Cast, admin: Caller, folder: int, smtp: MailSink, settings: Any
) -> None:
    settings.EMAIL_URL = smtp.url
    admin.ok("POST", f"/folders/{folder}/mail-template", {"to_email": "haus@quartier.test"})
    file = admin.upload(folder)["file_id"]
    written = notify(admin, file, cast.renter.pk, cast.owner.pk)
    assert deliver([m.pk for m in written])["sent"] == 2
    assert {m["To"] for m in smtp.messages} == {cast.renter.email, cast.owner.email}
    assert {m["Reply-To"] for m in smtp.messages} == {"haus@quartier.test"}


def test_reading_texts_costs_the_same_with_many_folders(admin: Caller, folder: int) -> None:
    admin.ok("POST", f"/folders/{folder}/mail-template", FULL)
    before = cost_of(admin, f"/folders/{folder}/mail-template")
    for number in range(3):
        admin.ok("POST", f"/folders/{make_folder(admin, f'F{number}')}/mail-template", FULL)
    assert cost_of(admin, f"/folders/{folder}/mail-template") == before
