"""Rules for uploads and notifications by hand, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.models import Blob
from core.services import rows
from docms.models import MailRule
from docms.services import notify
from messaging.models import Message, MessageRecipient
from tests.docms.door import Caller, cost_of, make_folder, make_group, permit, signed_in, soon

if TYPE_CHECKING:
    from orgs.models import User
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(cast: Cast, admin: Caller) -> int:
    """A folder for renter, owner and guest."""
    return make_folder(admin, "Rundschreiben", make_group(admin, "Alle", cast.renter.pk, cast.owner.pk, cast.guest.pk))


@pytest.fixture
def file(admin: Caller, folder: int) -> int:
    return int(admin.upload(folder, title="Hausordnung")["file_id"])


def mailed(file: int) -> list[str]:
    """Who has mail about a document."""
    return sorted(MessageRecipient.objects.filter(document_id=file).values_list("address", flat=True))


# --- Rules for uploads ------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-143")
def test_a_stored_rule_says_who_is_told_of_an_upload(cast: Cast, admin: Caller, folder: int) -> None:
    rule = {"user_id": cast.admin.pk, "folder_id": folder, "custom": True, "recipients": [cast.guest.pk]}
    assert admin.ok("POST", "/mail-after-upload", rule) == rule
    assert admin.ok("GET", f"/folders/{folder}/mail-after-upload") == [rule]
    first = admin.upload(folder)["file_id"]
    notify.announce(first)
    assert mailed(first) == [cast.guest.email]
    off = {**rule, "custom": False}
    assert admin.ok("POST", "/mail-after-upload", off) == off  # stays stored, the folder's general rule applies
    second = admin.upload(folder)["file_id"]
    notify.announce(second)
    assert mailed(second) == []
    admin.ok("PUT", f"/folders/{folder}", {"mail_after_upload_enable": True})
    third = admin.upload(folder)["file_id"]
    notify.announce(third)
    assert mailed(third) == sorted([cast.guest.email, cast.owner.email, cast.renter.email])


def test_storing_again_overwrites_and_deleting_brings_the_general_rule_back(
    cast: Cast, admin: Caller, folder: int
) -> None:
    admin.ok("PUT", f"/folders/{folder}", {"mail_after_upload_enable": True})
    rule = {"user_id": cast.admin.pk, "folder_id": folder, "custom": True, "recipients": [cast.guest.pk]}
    admin.ok("POST", "/mail-after-upload", rule)
    other = {**rule, "recipients": sorted([cast.owner.pk, cast.renter.pk])}
    assert admin.ok("POST", "/mail-after-upload", {**other, "recipients": other["recipients"] * 2}) == other
    assert MailRule.objects.count() == 1
    assert admin.ok("POST", "/mail-after-upload", {**rule, "recipients": []})["recipients"] == []
    admin.ok("DELETE", f"/mail-after-upload/{cast.admin.pk}/{folder}")
    assert admin.ok("GET", f"/folders/{folder}/mail-after-upload") == []
    admin.refused("DELETE", f"/mail-after-upload/{cast.admin.pk}/{folder}", 404)
    file = admin.upload(folder)["file_id"]
    notify.announce(file)
    assert cast.guest.email in mailed(file) and cast.renter.email in mailed(file)


@pytest.mark.rule("DOCMS-047")
def test_ids_that_are_not_the_tenants_are_400_in_a_body_and_404_in_a_path(
    cast: Cast, admin: Caller, folder: int
) -> None:
    stranger = signed_in(cast.stranger, cast.other_tenant)
    foreign = make_folder(stranger, "Fremd")
    rule = {"user_id": cast.renter.pk, "folder_id": folder, "custom": True, "recipients": [cast.guest.pk]}
    for field, values in (
        ("user_id", (cast.stranger.pk, 999999999)), ("folder_id", (foreign, 999999999)),
        ("recipients", ([cast.foreigner.pk], [cast.guest.pk, 999999999])),
    ):  # fmt: skip
        for value in values:
            body = {**rule, field: value}
            assert admin.refused("POST", "/mail-after-upload", 400, body)["message"].startswith(f"{field}: ")
    assert not MailRule.objects.exists()
    admin.ok("POST", "/mail-after-upload", rule)
    stranger.refused("GET", f"/folders/{folder}/mail-after-upload", 404)
    stranger.refused("DELETE", f"/mail-after-upload/{cast.renter.pk}/{folder}", 404)
    admin.refused("GET", f"/folders/{foreign}/mail-after-upload", 404)
    assert MailRule.objects.count() == 1


def test_rules_are_the_administrators(cast: Cast, admin: Caller, plain_admin: Caller, folder: int) -> None:
    rule = {"user_id": cast.renter.pk, "folder_id": folder, "custom": True, "recipients": []}
    owner = signed_in(cast.owner, cast.tenant)
    permit(admin, folder, cast.owner.pk, read=True, download=True, upload=True, edit=True, mail=True, log=True)
    for caller, wanted in ((owner, 403), (plain_admin, 200)):
        assert caller.call("POST", "/mail-after-upload", rule).status == wanted
        assert caller.call("GET", f"/folders/{folder}/mail-after-upload").status == wanted
        assert caller.call("DELETE", f"/mail-after-upload/{cast.renter.pk}/{folder}").status == wanted


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", None), ("user_id", 0), ("user_id", 2**63), ("user_id", "x"), ("folder_id", -1), ("custom", None),
        ("custom", "vielleicht"), ("recipients", None), ("recipients", 5), ("recipients", [0]), ("recipients", [None]),
        ("recipients", [2**70]), ("folder_id", 2**63 - 1),
    ],
)  # fmt: skip
def test_odd_input_is_refused_at_its_field(cast: Cast, admin: Caller, folder: int, field: str, value: Any) -> None:
    rule = {"user_id": cast.renter.pk, "folder_id": folder, "custom": True, "recipients": []}
    assert field in admin.refused("POST", "/mail-after-upload", 400, {**rule, field: value})["message"]
    del rule[field]
    assert field in admin.refused("POST", "/mail-after-upload", 400, rule)["message"]


def test_listing_rules_costs_the_same_for_one_and_three(cast: Cast, admin: Caller, folder: int) -> None:
    def store(who: User) -> None:
        rule = {"user_id": who.pk, "folder_id": folder, "custom": True, "recipients": [cast.guest.pk, cast.owner.pk]}
        admin.ok("POST", "/mail-after-upload", rule)

    store(cast.admin)
    one = cost_of(admin, f"/folders/{folder}/mail-after-upload")
    store(cast.renter)
    store(cast.owner)
    assert cost_of(admin, f"/folders/{folder}/mail-after-upload") == one
    assert len(admin.ok("GET", f"/folders/{folder}/mail-after-upload")) == 3


# --- Notifications by hand --------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-146")
def test_a_notification_goes_to_the_people_named_in_their_languages(cast: Cast, admin: Caller, file: int) -> None:
    rows.change(cast.owner, {"language": "fr"})
    body = {"file_id": file, "user_ids": [cast.renter.pk, cast.owner.pk]}
    assert admin.ok("POST", "/notifications", body) == body
    mails = {m.to_emails[0]: m for m in Message.objects.filter(kind="document_published")}
    assert mails.keys() == {cast.renter.email, cast.owner.email}  # the guest reaches the folder, too, and has none
    assert mails[cast.renter.email].subject == "Neues Dokument: Hausordnung"
    assert mails[cast.owner.email].language == "fr"
    assert f"/app/documents/{file}" in mails[cast.owner.email].body_text
    assert {m.caused_by_id for m in mails.values()} == {cast.admin.pk}
    assert [e["action"] for e in admin.ok("GET", f"/files/{file}/logs")].count("notify") == 1
    admin.ok("POST", "/notifications", body)  # every call is an event of its own
    assert len(mailed(file)) == 4


@pytest.mark.rule("ORGS-081")
def test_once_the_trial_is_over_nobody_is_notified(cast: Cast, admin: Caller, file: int) -> None:
    rows.change(cast.tenant, {"trial_ends_at": timezone.now()})
    body = {"file_id": file, "user_ids": [cast.renter.pk]}
    answer = admin.refused("POST", "/notifications", 403, body)
    assert answer["message"] == "Der Testzeitraum dieser Organisation ist vorbei."
    assert not Message.objects.exists()
    rows.change(cast.tenant, {"booked_at": timezone.now()})
    admin.ok("POST", "/notifications", body)
    assert Message.objects.count() == 1


@pytest.mark.rule("DOCMS-146")
def test_a_notification_needs_mail_in_the_folder(
    cast: Cast, admin: Caller, renter: Caller, folder: int, file: int
) -> None:
    body = {"file_id": file, "user_ids": [cast.owner.pk]}
    permit(admin, folder, cast.renter.pk, read=True, download=True, upload=True, edit=True, log=True)
    renter.refused("POST", "/notifications", 403, body)
    rows.change(cast.membership("admin"), {"mail_perm": False})
    admin.refused("POST", "/notifications", 403, body)  # DOCMS-090
    assert mailed(file) == []
    permit(admin, folder, cast.renter.pk, mail=True)
    renter.ok("POST", "/notifications", body)
    assert mailed(file) == [cast.owner.email]


@pytest.mark.rule("DOCMS-146")
def test_one_without_access_stops_the_whole_with_401(cast: Cast, admin: Caller, file: int) -> None:
    for lacking in (cast.neighbour, cast.former):
        answer = admin.call("POST", "/notifications", {"file_id": file, "user_ids": [cast.owner.pk, lacking.pk]})
        assert answer.status == 401
        assert answer["WWW-Authenticate"] == "Bearer"
    rows.change(cast.membership("guest"), {"deactivated_at": timezone.now()})
    admin.refused("POST", "/notifications", 401, {"file_id": file, "user_ids": [cast.guest.pk]})
    assert mailed(file) == []
    admin.ok("POST", "/notifications", {"file_id": file, "user_ids": [cast.admin.pk]})  # reaches every folder
    assert mailed(file) == [cast.admin.email]


@pytest.mark.rule("DOCMS-146", "DOCMS-121", "DOCMS-103")
def test_nobody_is_told_of_what_is_not_shown(cast: Cast, admin: Caller, folder: int, file: int) -> None:
    body = {"file_id": file, "user_ids": [cast.renter.pk]}
    hidings: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        (f"/files/{file}", {"active_date": soon(days=1)}, {"active_date": None}),
        (f"/files/{file}", {"inactive_date": soon(days=-1)}, {"inactive_date": None}),
        (f"/folders/{folder}", {"inactive_at": soon(days=-1)}, {"inactive_at": None}),
    ]
    for path, hide, show in hidings:
        admin.ok("PUT", path, hide)
        admin.refused("POST", "/notifications", 401, body)
        admin.ok("PUT", path, show)
    assert mailed(file) == []
    Blob.objects.update(scan="infected")
    admin.refused("POST", "/notifications", 409, body)
    assert mailed(file) == []


@pytest.mark.rule("DOCMS-047")
def test_what_one_does_not_see_is_400(cast: Cast, admin: Caller, renter: Caller, file: int) -> None:
    stranger = signed_in(cast.stranger, cast.other_tenant)
    foreign = stranger.upload(make_folder(stranger, "Fremd"))["file_id"]
    hidden = admin.upload(make_folder(admin, "Nur Verwaltung"))["file_id"]
    for caller, wrong in ((admin, foreign), (admin, 999999999), (renter, hidden)):
        body = {"file_id": wrong, "user_ids": [cast.renter.pk]}
        assert caller.refused("POST", "/notifications", 400, body)["message"].startswith("file_id: ")
    for who in (cast.stranger.pk, 999999999):
        body = {"file_id": file, "user_ids": [cast.renter.pk, who]}
        message = admin.refused("POST", "/notifications", 400, body)["message"]
        assert message.startswith("user_ids: ") and message.endswith(f" {who}")
    assert mailed(file) == []


@pytest.mark.parametrize("ids", [None, [], [0], ["x"], [2**64], 7, [None], list(range(1, 1002))])
def test_odd_lists_are_refused(admin: Caller, file: int, ids: Any) -> None:
    assert "user_ids" in admin.refused("POST", "/notifications", 400, {"file_id": file, "user_ids": ids})["message"]


def test_who_is_named_twice_is_written_to_once(cast: Cast, admin: Caller, file: int) -> None:
    admin.ok("POST", "/notifications", {"file_id": file, "user_ids": [cast.renter.pk] * 3})
    assert mailed(file) == [cast.renter.email]


def test_a_notification_costs_the_same_for_one_person_and_three(cast: Cast, admin: Caller, file: int) -> None:
    one = cost_of(admin, "/notifications", "POST", {"file_id": file, "user_ids": [cast.renter.pk]})
    everybody = [cast.renter.pk, cast.owner.pk, cast.guest.pk]
    assert cost_of(admin, "/notifications", "POST", {"file_id": file, "user_ids": everybody}) == one
