"""Documents given to somebody outside, over HTTP: link by mail, code by text message, five wrong codes."""

from __future__ import annotations

import base64
import datetime
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.models import AuditEntry, Blob, SystemLog
from core.services import rows
from docms import tasks
from docms.models import Document, DocumentLog, DocumentShare
from docms.services import shares
from messaging.models import Message
from messaging.services import deliver, texting
from orgs.models import License, OrganizationSettings
from tests.docms.door import (
    OCTETS,
    PDF,
    Caller,
    cost_of,
    link_and_code,
    make_folder,
    make_group,
    permit,
    settings_of,
    signed_in,
    soon,
)
from tests.factories import at_once
from tests.gateway import Reply

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.gateway import Gateway
    from tests.servers import MailSink

pytestmark = pytest.mark.django_db

NINA = {"name": "Nina Notar", "email": "nina@kanzlei.test", "mobile_number": "0170 123-4567"}
KEY = "geheimer-Schluessel"


def set_up(cast: Cast, url: str) -> None:
    """The tenant's gateway."""
    row = OrganizationSettings.objects.get(organization=cast.tenant)
    row.sms_send_url, row.sms_api_key, row.sms_sender_id = url, KEY, "Brandt"
    row.save()


@pytest.fixture
def file(cast: Cast, admin: Caller, gateway: Gateway) -> int:
    """A document in a folder that the renter reaches; the tenant has a gateway."""
    set_up(cast, gateway.url)
    folder = make_folder(admin, "Verträge", make_group(admin, "Alle", cast.renter.pk, cast.owner.pk))
    return int(admin.upload(folder, title="Kaufvertrag", filename="kauf.pdf")["file_id"])


def folder_of(file: int) -> int:
    return int(Document.objects.get(pk=file).folder_id)


def shared(caller: Caller, file: int, **values: Any) -> tuple[int, str, str]:
    """A share: its id, the secret of the link, and the code."""
    made = caller.ok("POST", f"/files/{file}/shares", {**NINA, **values})
    return made["share_id"], *link_and_code(made["share_id"])


def fetch(token: str, code: str, **extra: Any) -> Any:
    return Caller().call("POST", f"/shares/{token}", {"code": code}, **extra)


# --- From sharing to fetching -------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-160")
def test_link_and_code_reach_the_recipient_on_different_ways(
    admin: Caller, file: int, gateway: Gateway, smtp: MailSink, settings: Any
) -> None:
    settings.EMAIL_URL = smtp.url
    made = admin.ok("POST", f"/files/{file}/shares", {**NINA, "locale": "en_GB"})
    mail = Message.objects.get(dedupe_key__startswith=f"share:{made['share_id']}:")
    tasks.send_sms(made["share_id"])
    tasks.send_sms(made["share_id"])  # a second run does nothing
    deliver.deliver([mail.pk])
    (sent,) = smtp.to("nina@kanzlei.test")
    body = sent.get_body(("plain",)).get_content()
    (text,) = gateway.texts
    token = re.search(r"https://quartier\.test/app/shares/([\w-]{43})\b", body)[1]
    code = text.split()[-1]
    assert "Kaufvertrag" in body and "Nina Notar" in body
    assert code not in sent.as_string()
    assert token not in text and "/app/" not in text
    answer = fetch(token, code)
    assert answer.body == {"filename": "kauf.pdf", "data": base64.b64encode(PDF).decode()}


@pytest.mark.rule("DOCMS-160")
def test_only_hashes_of_link_and_code_stay_when_both_are_sent(
    admin: Caller, file: int, gateway: Gateway, smtp: MailSink, settings: Any
) -> None:
    from django.db import connection

    settings.EMAIL_URL = smtp.url
    share_id, token, code = shared(admin, file)
    tasks.send_sms(share_id)
    deliver.deliver([Message.objects.get(dedupe_key__startswith=f"share:{share_id}:").pk])
    assert gateway.texts and smtp.messages
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text ~ %s', [f"{token}|\\m{code}\\M"])
            assert cursor.fetchone() == (0,), table
    row = DocumentShare.objects.get(pk=share_id)
    assert len(bytes(row.token_hash)) == len(bytes(row.code_hash)) == 32


def test_the_share_shows_the_last_three_digits_of_the_number_and_no_secret(admin: Caller, file: int) -> None:
    expires = soon(days=2)
    made = admin.ok("POST", f"/files/{file}/shares", {**NINA, "expires": expires})
    _token, code = link_and_code(made["share_id"])
    assert made["mobile_number"].endswith("567") and not re.search(r"\d", made["mobile_number"][:-3])
    assert (made["name"], made["email"], made["file_id"]) == (NINA["name"], NINA["email"], file)
    assert (made["access_count"], made["revoked"]) == (0, False)
    assert datetime.datetime.fromisoformat(made["expires"]) == datetime.datetime.fromisoformat(expires)
    assert code not in str(made)
    assert admin.ok("GET", f"/files/{file}/shares") == [made]


def test_a_share_lasts_seven_days_when_nobody_says_until_when(admin: Caller, file: int) -> None:
    for values in ({}, {"expires": None}):
        made = admin.ok("POST", f"/files/{file}/shares", {**NINA, **values})
        left = datetime.datetime.fromisoformat(made["expires"]) - timezone.now()
        assert abs(left - datetime.timedelta(days=7)) < datetime.timedelta(minutes=1)


def test_without_an_address_the_link_goes_to_who_shares(cast: Cast, admin: Caller, file: int, gateway: Gateway) -> None:
    made = admin.ok("POST", f"/files/{file}/shares", {**NINA, "email": None})
    assert made["email"] is None
    mail = Message.objects.get(dedupe_key__startswith=f"share:{made['share_id']}:")
    assert mail.to_emails == [cast.admin.email]
    assert "Nina Notar" in mail.body_text
    token, code = link_and_code(made["share_id"])
    assert fetch(token, code).status == 200
    tasks.send_sms(made["share_id"])
    assert gateway.requests[0].body["to"] == "+491701234567"


def test_a_fetch_counts_and_is_logged_as_access_of_somebody_outside(admin: Caller, file: int) -> None:
    share_id, token, code = shared(admin, file)
    before = admin.ok("GET", f"/files/{file}")
    assert (before["access_counter"], before["first_access"]) == (0, None)
    fetch(token, code)
    assert fetch(token, f" {code[:3]} {code[3:].lower()} ", accept=OCTETS).raw == PDF  # as people type it
    after = admin.ok("GET", f"/files/{file}")
    assert after["access_counter"] == 2
    assert after["first_access"] is not None
    assert admin.ok("GET", f"/files/{file}/shares")[0]["access_count"] == 2
    entries = [(e["action"], e["user_id"] is None) for e in admin.ok("GET", f"/files/{file}/logs")]
    assert sorted(e for e in entries if "share" in e[0]) == [
        ("share", False), ("share_access", True), ("share_access", True),
    ]  # fmt: skip
    assert set(DocumentLog.objects.filter(action="share_access").values_list("share_id", flat=True)) == {share_id}


@pytest.mark.rule("DOCMS-122")
def test_a_document_that_goes_with_its_next_download_goes_with_a_fetch(admin: Caller, file: int) -> None:
    _share, token, code = shared(admin, file)
    other = shared(admin, file)
    admin.ok("PUT", f"/files/{file}", {"delete_after_next_download": True})
    assert fetch(token, "XXXXXX").status == 401
    assert fetch(token, code).status == 200
    assert fetch(token, code).status == fetch(*other[1:]).status == 404
    admin.refused("GET", f"/files/{file}", 404)
    tasks.delete_after_download()
    assert not Document.objects.filter(pk=file).exists()
    assert not DocumentShare.objects.exists()


@pytest.mark.rule("DOCMS-134")
def test_big_content_travels_as_octets_only(admin: Caller, file: int, settings: Any) -> None:
    share_id, token, code = shared(admin, file)
    settings.BASE64_LIMIT = len(PDF) - 1
    assert fetch(token, code).status == 413
    assert DocumentShare.objects.get(pk=share_id).access_count == 0
    assert fetch(token, code, accept=OCTETS).raw == PDF


def test_what_the_scanner_holds_is_not_handed_out(admin: Caller, file: int) -> None:
    _share, token, code = shared(admin, file)
    Blob.objects.update(scan="infected")
    assert fetch(token, code).status == 409
    assert admin.ok("GET", f"/files/{file}")["access_counter"] == 0


# --- Words --------------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-157", "DOCMS-189")
def test_both_texts_come_from_folder_tenant_and_house_in_the_recipients_language(
    cast: Cast, admin: Caller, file: int
) -> None:
    folder = folder_of(file)

    def words(locale: str) -> tuple[str, str, str]:
        share_id = admin.ok("POST", f"/files/{file}/shares", {**NINA, "locale": locale})["share_id"]
        mail = Message.objects.get(dedupe_key__startswith=f"share:{share_id}:")
        text = Message.objects.get(dedupe_key=f"share_sms:{share_id}")
        return mail.subject, mail.body_text, text.body_text

    subject, body, text = words("pl_PL")
    assert "udostępnia" in subject and "Kaufvertrag" in body and "kod" in text  # built in: the recipient's own
    admin.ok("PUT", "/sms-templates", {"message": "Haus {{code}}", "message_eng": "House {{code}}"})
    house = {"subject": "Haus", "subject_en": "House", "body": "haus {{link}}", "body_en": "house {{link}}"}
    admin.ok("PUT", "/tenants/current", {f"mail_file_share_{name}": text for name, text in house.items()})
    for locale, mail, sms in (("de_DE", "Haus", "Haus "), ("fr_FR", "House", "House ")):
        subject, body, text = words(locale)
        assert subject == mail and body.count("/app/shares/") == 1 and mail.lower() in body
        assert text.startswith(sms)
    admin.ok("PUT", f"/folders/{folder}/sms-template", {"message": "Ordner {{code}}"})
    admin.ok("PUT", f"/folders/{folder}/mail-template/share", {"subject": "Ordner"})
    for locale, mail in (("de_DE", "haus"), ("en_GB", "house")):
        subject, body, text = words(locale)
        assert subject == "Ordner" and mail in body  # field by field
        assert text.startswith("Ordner ")
    both = {"message": "Ordner {{code}}", "message_eng": "Folder {{code}}"}  # storing replaces
    admin.ok("PUT", f"/folders/{folder}/sms-template", both)
    own = {"subject_en": "Folder", "body": "ordner {{link}}", "body_en": "folder {{link}}"}
    admin.ok("PUT", f"/folders/{folder}/mail-template/share", own)
    for locale, word in (("de_DE", "Ordner"), ("en_GB", "Folder"), ("fr_FR", "Folder")):
        subject, body, text = words(locale)
        assert subject == word and word.lower() in body
        assert text.startswith(f"{word} ")


@pytest.mark.rule("DOCMS-160")
def test_a_text_that_asks_for_both_gets_only_what_its_way_carries(admin: Caller, file: int) -> None:
    folder = folder_of(file)
    admin.ok("PUT", f"/folders/{folder}/sms-template", {"message": "a{{link}}b {{code}}"})
    admin.ok("PUT", f"/folders/{folder}/mail-template/share", {"subject": "x{{code}}y", "body": "c{{code}}d {{link}}"})
    share_id, _token, code = shared(admin, file)
    mail = Message.objects.get(dedupe_key__startswith=f"share:{share_id}:")
    assert mail.subject == "xy" and "cd " in mail.body_text and code not in mail.body_html + mail.body_text
    assert Message.objects.get(dedupe_key=f"share_sms:{share_id}").body_text == f"ab {code}"


@pytest.mark.rule("DOCMS-158")
@pytest.mark.parametrize(("setting", "length"), [(1, 6), (5, 6), (6, 6), (8, 8), (12, 12), (64, 64)])
def test_codes_are_as_long_as_the_tenant_wants_and_six_at_least(
    cast: Cast, admin: Caller, file: int, setting: int, length: int
) -> None:
    settings_of(cast, random_password_min_length=setting)
    codes = {shared(admin, file)[2] for _number in range(3)}
    assert {len(code) for code in codes} == {length}
    assert len(codes) == 3


# --- Who may --------------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-159")
@pytest.mark.parametrize("missing", ["sms_send_url", "sms_sender_id", "sms_api_key"])
def test_without_a_gateway_nothing_is_shared(cast: Cast, admin: Caller, file: int, missing: str) -> None:
    assert admin.ok("GET", "/tenants/current/public")["valid_sms_settings"] is True
    settings_of(cast, **{missing: ""})
    assert admin.ok("GET", "/tenants/current/public")["valid_sms_settings"] is False
    admin.refused("POST", f"/files/{file}/shares", 409, NINA)
    assert not DocumentShare.objects.exists()


@pytest.mark.rule("DOCMS-159", "DOCMS-175")
def test_without_the_add_on_nothing_is_shared(cast: Cast, admin: Caller, file: int) -> None:
    licence = License.objects.create(organization=cast.tenant, features=[1, 3])
    settings_of(cast, sms_send_url="")  # the licence comes first
    assert admin.refused("POST", f"/files/{file}/shares", 403, NINA)["message"] == "LICENSE_REQUIRED"
    License.objects.filter(pk=licence.pk).update(features=[2])
    admin.refused("POST", f"/files/{file}/shares", 409, NINA)
    License.objects.filter(pk=licence.pk).update(valid_until=timezone.now())
    admin.refused("POST", f"/files/{file}/shares", 403, NINA)


def test_sharing_needs_download_and_mail_in_the_folder(cast: Cast, admin: Caller, renter: Caller, file: int) -> None:
    folder = folder_of(file)
    for flags in ({}, {"download": True}, {"mail": True}, {"read": True, "mail": True, "edit": True, "upload": True}):
        permit(admin, folder, cast.renter.pk, **flags)
        renter.refused("POST", f"/files/{file}/shares", 403, NINA)
    permit(admin, folder, cast.renter.pk, download=True, mail=True)
    renter.ok("POST", f"/files/{file}/shares", NINA)
    signed_in(cast.neighbour, cast.tenant).refused("POST", f"/files/{file}/shares", 404, NINA)
    signed_in(cast.stranger, cast.other_tenant).refused("POST", f"/files/{file}/shares", 404, NINA)
    admin.ok("PUT", f"/files/{file}", {"allow_download": False})
    assert admin.refused("POST", f"/files/{file}/shares", 403, NINA)["message"] == "DOWNLOAD_LOCKED"
    assert DocumentShare.objects.count() == 1


def test_one_sees_the_own_shares_administrators_and_editors_all(
    cast: Cast, admin: Caller, renter: Caller, file: int
) -> None:
    folder, owner = folder_of(file), signed_in(cast.owner, cast.tenant)
    permit(admin, folder, cast.renter.pk, download=True, mail=True)
    permit(admin, folder, cast.owner.pk, download=True, mail=True)
    mine, theirs = shared(renter, file)[0], shared(owner, file)[0]

    def seen(caller: Caller) -> list[int]:
        return [s["share_id"] for s in caller.ok("GET", f"/files/{file}/shares")]

    assert (seen(renter), seen(owner), seen(admin)) == ([mine], [theirs], [mine, theirs])
    permit(admin, folder, cast.owner.pk, mail=True, upload=True, edit=True)
    assert seen(owner) == [mine, theirs]
    owner.refused("DELETE", f"/files/{file}/shares/{mine}", 403)  # seen, but not the own
    permit(admin, folder, cast.owner.pk, read=True, download=True)
    owner.refused("GET", f"/files/{file}/shares", 403)


def test_a_share_is_withdrawn_by_who_made_it_and_by_administrators(
    cast: Cast, admin: Caller, renter: Caller, file: int
) -> None:
    folder = folder_of(file)
    permit(admin, folder, cast.renter.pk, download=True, mail=True)
    permit(admin, folder, cast.owner.pk, download=True, mail=True)
    first, second = shared(renter, file), shared(renter, file)
    signed_in(cast.owner, cast.tenant).refused("DELETE", f"/files/{file}/shares/{first[0]}", 404)
    other = admin.upload(folder)["file_id"]
    renter.refused("DELETE", f"/files/{other}/shares/{first[0]}", 404)
    renter.refused("DELETE", f"/files/{file}/shares/999999999", 404)
    assert fetch(*first[1:]).status == 200
    renter.ok("DELETE", f"/files/{file}/shares/{first[0]}")
    renter.ok("DELETE", f"/files/{file}/shares/{first[0]}")
    assert fetch(*first[1:]).status == 404
    assert fetch(*second[1:]).status == 200
    admin.ok("DELETE", f"/files/{file}/shares/{second[0]}")
    assert fetch(*second[1:]).status == 404
    assert [s["revoked"] for s in admin.ok("GET", f"/files/{file}/shares")] == [True, True]
    assert AuditEntry.objects.filter(object_type="docms.documentshare", verb="withdrawn").count() == 2


# --- Wrong codes, and the end ---------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-160")
def test_five_wrong_codes_withdraw_the_share(admin: Caller, file: int) -> None:
    share_id, token, code = shared(admin, file)
    other = shared(admin, file)
    for _number in range(4):
        assert fetch(token, "XXXXXX").status == 401
    assert fetch(token, code).status == 200
    assert fetch(token, other[2]).status == 401  # the fifth: another share's code is wrong here
    assert fetch(token, code).status == 404
    assert fetch(*other[1:]).status == 200
    assert {s["share_id"]: s["revoked"] for s in admin.ok("GET", f"/files/{file}/shares")} == {
        share_id: True, other[0]: False,
    }  # fmt: skip


@pytest.mark.rule("DOCMS-160")
@pytest.mark.django_db(transaction=True)
def test_nobody_has_more_than_five_attempts_by_asking_at_the_same_moment(gateway: Gateway) -> None:
    from core import scope
    from tests.cast import load

    cast = load()
    with scope.unit_of_work(door="test"), scope.all_tenants():
        set_up(cast, gateway.url)
        admin = signed_in(cast.admin, cast.tenant)
    file = admin.upload(make_folder(admin, "Verträge"))["file_id"]
    made = admin.ok("POST", f"/files/{file}/shares", NINA)
    with scope.unit_of_work(door="test"), scope.all_tenants():
        token, code = link_and_code(made["share_id"])
    statuses = at_once(*[lambda: fetch(token, "XXXXXX").status] * 12)
    assert sorted(statuses) == [401] * 5 + [404] * 7
    assert fetch(token, code).status == 404


def test_an_unknown_link_is_answered_like_one_that_is_over(admin: Caller, file: int) -> None:
    share_id, token, code = shared(admin, file)
    admin.ok("DELETE", f"/files/{file}/shares/{share_id}")
    over, unknown = fetch(token, code), fetch("x" * 43, code)
    assert over.status == unknown.status == 404
    same = {"status", "error", "message", "path"}
    assert {k: over.body[k] for k in same} == {k: unknown.body[k] for k in same}
    assert unknown.body["path"] == "/docms/api/v1/shares/***"


@pytest.mark.parametrize("body", [None, {}, {"code": ""}, {"code": "x" * 65}, {"code": None}, {"code": ["A"]}, []])
def test_what_is_no_code_counts_as_none(admin: Caller, file: int, body: Any) -> None:
    share_id, token, code = shared(admin, file)
    Caller().refused("POST", f"/shares/{token}", 400, body)
    assert DocumentShare.objects.get(pk=share_id).failures == 0
    for odd in ("ß" * 64, "🏠", "a\u00a0b", "١٢٣٤٥٦"):
        assert fetch(token, odd).status == 401
    assert fetch(token, code).status == 200


ENDS: dict[str, Any] = {
    "expiry": lambda s: DocumentShare.objects.filter(pk=s).update(expires_at=timezone.now()),
    "last day": lambda s: _document(s).update(active_until=timezone.now()),
    "lock": lambda s: _document(s).update(allow_download=False),
    "deletion": lambda s: _document(s).update(claimed_at=timezone.now()),
}


def _document(share_id: int) -> Any:
    return Document.objects.filter(shares=share_id)


@pytest.mark.rule("DOCMS-161")
@pytest.mark.parametrize("end", ENDS)
def test_a_share_ends_for_good(admin: Caller, file: int, end: str) -> None:
    share_id, token, code = shared(admin, file)
    assert fetch(token, code).status == 200
    ENDS[end](share_id)
    assert fetch(token, code).status == 404
    assert DocumentShare.objects.get(pk=share_id).ended_at is not None
    _document(share_id).update(active_until=None, allow_download=True, claimed_at=None)
    DocumentShare.objects.update(expires_at=timezone.now() + datetime.timedelta(days=1))
    assert fetch(token, code).status == 404
    told = admin.ok("GET", f"/files/{file}/shares")[0]
    assert told["revoked"] is False  # nobody withdrew it
    assert datetime.datetime.fromisoformat(told["expires"]) <= timezone.now()  # and still it is over


@pytest.mark.rule("DOCMS-161")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("noted", [None, "withdrawn", "over", "undelivered"])
def test_a_share_whose_end_has_come_is_over_before_anybody_notes_it(
    admin: Caller, file: int, end: str, noted: str | None
) -> None:
    """What somebody withdrew stays withdrawn; a code that got lost matters no more."""
    share_id, _token, _code = shared(admin, file)
    columns = {"withdrawn": "revoked_at", "over": "ended_at", "undelivered": "undelivered_at"}
    row = DocumentShare.objects.filter(pk=share_id)
    if noted:
        row.update(**{columns[noted]: timezone.now()})
    assert row.with_state().get().state == (noted or "open")
    ENDS[end](share_id)
    assert row.with_state().get().state == ("withdrawn" if noted == "withdrawn" else "over")


@pytest.mark.rule("DOCMS-161")
@pytest.mark.parametrize("end", ENDS)
def test_the_job_marks_what_nobody_asked_for(admin: Caller, file: int, end: str) -> None:
    share_id, _token, _code = shared(admin, file)
    tasks.expire_shares()
    assert DocumentShare.objects.get(pk=share_id).ended_at is None
    ENDS[end](share_id)
    assert shares.expire_shares() == {"ended": 1}
    first = DocumentShare.objects.get(pk=share_id).ended_at
    assert first is not None
    assert shares.expire_shares() == {"ended": 0}
    assert DocumentShare.objects.get(pk=share_id).ended_at == first


@pytest.mark.rule("DOCMS-161")
def test_deleting_the_document_ends_the_share(admin: Caller, file: int) -> None:
    _share, token, code = shared(admin, file)
    admin.ok("DELETE", f"/files/{file}")
    assert fetch(token, code).status == 404


@pytest.mark.rule("DOCMS-161", "DOCMS-103")
def test_what_is_not_shown_yet_or_hidden_is_not_fetched_meanwhile(admin: Caller, file: int) -> None:
    _share, token, code = shared(admin, file)
    admin.ok("PUT", f"/files/{file}", {"active_date": soon(days=1)})
    assert fetch(token, code).status == 404
    admin.ok("PUT", f"/files/{file}", {"active_date": None})
    admin.ok("PUT", f"/folders/{folder_of(file)}", {"inactive_at": soon(days=-1)})
    assert fetch(token, code).status == 404
    admin.ok("PUT", f"/folders/{folder_of(file)}", {"inactive_at": None})
    assert fetch(token, code).status == 200


# --- The code does not arrive -----------------------------------------------------------------------------------


def test_after_three_repetitions_the_share_is_marked_and_the_sender_told(
    cast: Cast, admin: Caller, renter: Caller, file: int, gateway: Gateway
) -> None:
    permit(admin, folder_of(file), cast.renter.pk, download=True, mail=True)
    share_id = renter.ok("POST", f"/files/{file}/shares", NINA)["share_id"]
    gateway.replies += [Reply(503)] * 4
    for number in range(4):
        assert DocumentShare.objects.get(pk=share_id).undelivered_at is None
        assert not Message.objects.filter(kind="share_undelivered").exists(), number
        Message.objects.filter(channel="sms").update(not_before=timezone.now())
        if number:
            texting.sweep()
        else:
            tasks.send_sms(share_id)
    assert len(gateway.requests) == 4
    assert DocumentShare.objects.get(pk=share_id).undelivered_at is not None
    told = Message.objects.get(kind="share_undelivered")
    assert told.to_emails == [cast.renter.email]
    assert "Nina Notar" in told.body_text and "Kaufvertrag" in told.body_text


def test_a_share_that_is_gone_is_none_of_the_workers(admin: Caller, file: int, gateway: Gateway) -> None:
    tasks.send_sms(999999999)
    assert gateway.requests == []


# --- Input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", "  "), ("name", "x" * 201), ("name", None), ("name", "a\nb"), ("name", "a\x00"),
        ("email", "kein Postfach"), ("email", "x" * 250 + "@a.test"), ("email", ["a@a.test"]),
        ("mobile_number", "12"), ("mobile_number", "ohne"), ("mobile_number", "+" * 6), ("mobile_number", "-----"),
        ("mobile_number", "0" * 31), ("mobile_number", None), ("mobile_number", "0170 1234567\n"),
        ("locale", "de"), ("locale", None), ("expires", "morgen"), ("expires", "2020-01-01T00:00:00Z"),
        ("expires", "99999-01-01T00:00:00Z"), ("expires", 5),
    ],
)  # fmt: skip
def test_odd_input_is_refused_at_its_field(admin: Caller, file: int, field: str, value: Any) -> None:
    message = admin.refused("POST", f"/files/{file}/shares", 400, {**NINA, field: value})["message"]
    assert field in message or value == "a\x00"
    assert not DocumentShare.objects.exists()
    assert not Message.objects.filter(kind__startswith="share").exists()


def test_listing_costs_the_same_for_one_share_and_three(admin: Caller, file: int) -> None:
    shared(admin, file)
    one = cost_of(admin, f"/files/{file}/shares")
    shared(admin, file)
    shared(admin, file)
    assert cost_of(admin, f"/files/{file}/shares") == one


@pytest.mark.rule("DOCMS-167")
def test_audit_and_logs_hold_no_secret(admin: Caller, file: int, caplog: pytest.LogCaptureFixture) -> None:
    _share, token, code = shared(admin, file)
    fetch(token, "XXXXXX")
    fetch("y" * 43, code)
    assert token not in caplog.text and code not in caplog.text
    told = str(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert token not in told and code not in told
    entry = AuditEntry.objects.get(object_type="docms.documentshare", verb="shared")
    assert entry.changes["code_hash"] == entry.changes["token_hash"] == [None, "***"]


def test_the_language_of_the_tenant_is_taken_when_none_is_named(cast: Cast, admin: Caller, file: int) -> None:
    rows.change(cast.tenant, {"language": "fr"})
    share_id, _token, _code = shared(admin, file)
    assert DocumentShare.objects.get(pk=share_id).locale == "fr"


# --- After a trial ----------------------------------------------------------------------------------------


@pytest.mark.rule("ORGS-081")
def test_once_the_trial_is_over_nothing_is_shared(cast: Cast, admin: Caller, file: int) -> None:
    rows.change(cast.tenant, {"trial_ends_at": timezone.now()})
    answer = admin.refused("POST", f"/files/{file}/shares", 403, NINA)
    assert answer["message"] == "Der Testzeitraum dieser Organisation ist vorbei."
    assert not DocumentShare.objects.exists()
    assert not Message.objects.exists()
    rows.change(cast.tenant, {"booked_at": timezone.now()})
    shared(admin, file)


def test_a_code_that_was_lost_after_the_trial_is_noted_but_not_mailed(cast: Cast, admin: Caller, file: int) -> None:
    share_id, _token, _code = shared(admin, file)
    rows.change(cast.tenant, {"trial_ends_at": timezone.now()})
    shares.mark_undelivered(DocumentShare.objects.get(pk=share_id).message)
    assert DocumentShare.objects.get(pk=share_id).undelivered_at is not None
    assert not Message.objects.filter(kind="share_undelivered").exists()
    assert SystemLog.objects.get(category="mail").action == f"share_undelivered: share {share_id}"
