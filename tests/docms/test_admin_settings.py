"""Settings of a tenant and of the installation in the back office: every one of them, and what is tried out."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from core import scope
from core.admin.forms import VERSION
from core.models import AuditEntry, Blob
from core.services import rows
from docms.admin.tenant_settings import HELP
from docms.api.app_settings import AppSettingsUpdate
from docms.api.tenants import TenantUpdate
from docms.services import groups
from messaging.models import Message
from messaging.services import settings_texts
from orgs.models import InstallationSettings, OrganizationSettings
from tests.cast import Cast
from tests.factories import manual_group
from tests.gateway import Gateway, Reply
from tests.portal.pages import signed_in


def picture(kind: str = "PNG") -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (432, 88), "#335577").save(out, kind)
    return out.getvalue()


@pytest.fixture
def form(cast: Cast) -> dict[str, object]:
    """What the form holds as it is opened."""
    page = signed_in(cast.admin).get(url_of(cast)).context["adminform"].form
    return {
        n: value for n, value in page.initial.items() if n in page.fields and value is not None and value is not False
    }


def url_of(cast: Cast) -> str:
    """The page of the settings."""
    return f"/admin/orgs/organizationsettings/{cast.tenant.settings.pk}/change/"


def row(cast: Cast) -> OrganizationSettings:
    """The settings as they are stored."""
    return OrganizationSettings.objects.select_related("logo").get(organization=cast.tenant)


def test_the_logo_is_put_up_and_taken_down(cast: Cast, form: dict[str, object]) -> None:
    client, url = signed_in(cast.admin), url_of(cast)
    assert "drop_logo" not in client.get(url).context["adminform"].form.fields
    answer = client.post(url, form | {"new_logo": SimpleUploadedFile("logo.png", picture(), "image/png")})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert f"/app/brand/{cast.tenant.pk}/logo" in signed_in(cast.renter).get("/app", follow=True).content.decode()
    shown = Client().get(f"/app/brand/{cast.tenant.pk}/logo")
    assert b"".join(shown.streaming_content) == picture()
    assert f'<img class="q-picture" src="/app/brand/{cast.tenant.pk}/logo?v=' in client.get(url).content.decode()
    again = client.post(url, form | {"imprint": "Neu"})
    assert again.status_code == 302 and row(cast).logo is not None  # saving without a file keeps it
    assert client.post(url, form | {"drop_logo": "on"}).status_code == 302
    assert row(cast).logo is None


@pytest.mark.parametrize(("content", "words"), [(b"<svg onload=alert(1)></svg>", "PNG"), (picture("GIF"), "PNG"),
                                                (b"\x89PNG" * 200_000, "512")])  # fmt: skip
def test_what_is_no_logo_is_refused_at_its_field(
    cast: Cast, form: dict[str, object], content: bytes, words: str
) -> None:
    answer = signed_in(cast.admin).post(url_of(cast), form | {"new_logo": SimpleUploadedFile("logo.png", content)})
    assert words in str(answer.context["adminform"].form.errors["new_logo"])
    assert row(cast).logo is None
    assert not Blob.objects.filter(tenant=cast.tenant).exists()


@pytest.mark.rule("DOCMS-162")
@pytest.mark.parametrize("url", ["http://8.8.8.8/", "https://localhost/", "https://192.168.1.1/"])
def test_the_gateway_of_text_messages_lies_outside(cast: Cast, form: dict[str, object], url: str) -> None:
    client = signed_in(cast.admin)
    answer = client.post(url_of(cast), form | {"sms_send_url": url})
    assert answer.context["adminform"].form.errors.keys() == {"sms_send_url"}
    assert row(cast).sms_send_url == ""
    assert client.post(url_of(cast), form | {"sms_send_url": "https://8.8.8.8/"}).status_code == 302
    assert row(cast).sms_send_url == "https://8.8.8.8/"


# --- Every setting, and what is refused --------------------------------------------------------------------


def test_every_setting_of_the_contract_is_in_the_forms(cast: Cast) -> None:
    """Texts have pages of their own."""
    client = signed_in(cast.admin)
    shown = set(client.get(url_of(cast)).context["adminform"].form.fields)
    columns = {"company_name": "name", "locale": "language", "logo": "new_logo"}
    for name in TenantUpdate().get_fields():
        assert columns.get(name, name) in shown | settings_texts.TENANT_TEXTS.keys(), name
    page = signed_in(cast.operator).get("/admin/orgs/installationsettings/1/change/")
    offered = set(page.context["adminform"].form.fields)
    for name in AppSettingsUpdate().get_fields():
        assert name in offered | settings_texts.APP_TEXTS.keys(), name


def test_every_setting_is_explained_or_says_it_itself(cast: Cast) -> None:
    form = signed_in(cast.admin).get(url_of(cast)).context["adminform"].form
    assert HELP.keys() <= set(form.fields) | {"new_logo"}
    assert all(str(form.fields[name].label) for name in form.fields if name != VERSION)


@pytest.mark.parametrize(
    ("name", "value"),
    [("mail_port", "70000"), ("mail_split_on", "1001"), ("token_min_sec", "59"), ("file_delete_days", "40000"),
     ("random_password_min_length", "0"), ("mail_sender", "niemand"), ("name", ""), ("language", "xx"),
     ("sms_send_type", "express"), ("accent_color", "grün"), ("additional_child_folders", "Akten | Gibt es nicht")],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_its_field(cast: Cast, form: dict[str, object], name: str, value: str) -> None:
    answer = signed_in(cast.admin).post(url_of(cast), form | {name: value})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors.keys() == {name}


def test_secrets_go_in_and_never_come_out(cast: Cast, form: dict[str, object]) -> None:
    client = signed_in(cast.admin)
    client.post(url_of(cast), form | {"mail_password": "sehr-geheim-1", "sms_api_key": "sehr-geheim-2"})
    page = client.get(url_of(cast))
    assert "sehr-geheim" not in page.content.decode()
    client.post(url_of(cast), form | {"imprint": "Neu", "expected_version": row(cast).row_version})
    assert (row(cast).mail_password, row(cast).sms_api_key) == ("sehr-geheim-1", "sehr-geheim-2")
    assert "sehr-geheim" not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_the_company_is_renamed_and_notices_are_cleaned(cast: Cast, form: dict[str, object]) -> None:
    changed = form | {"name": "Brandt & Söhne", "language": "fr", "privacy_text": "<p>Hallo<script>x()</script></p>"}
    assert signed_in(cast.admin).post(url_of(cast), changed).status_code == 302
    cast.tenant.refresh_from_db()
    assert (cast.tenant.name, cast.tenant.language) == ("Brandt & Söhne", "fr")
    assert row(cast).privacy_text == "<p>Hallo</p>"


def test_new_folders_get_what_the_settings_say(cast: Cast, form: dict[str, object]) -> None:
    with scope.unit_of_work(door="test"):
        board = manual_group(cast, "Beirat", "owner")
        foreign = groups.create_group(actor=cast.actor("stranger"), tenant=cast.other_tenant, name="Fremde")
    client = signed_in(cast.admin)
    lines = "Protokolle | beirat\nRechnungen\n"
    answer = client.post(url_of(cast), form | {"additional_child_folders": lines, "additional_groups": [board.pk]})
    assert answer.status_code == 302
    assert row(cast).additional_child_folders == [
        {"name": "Protokolle", "group_ids": [board.pk]}, {"name": "Rechnungen", "group_ids": []}
    ]  # fmt: skip
    assert row(cast).additional_groups == [board.pk]
    shown = client.get(url_of(cast)).context["adminform"].form
    assert shown["additional_child_folders"].value() == "Protokolle | Beirat\nRechnungen"
    refused = client.post(url_of(cast), form | {"additional_groups": [foreign.pk]})
    assert refused.context["adminform"].form.errors.keys() == {"additional_groups"}
    twice = client.post(url_of(cast), form | {"additional_child_folders": "Eins\neins"})
    assert twice.context["adminform"].form.errors.keys() == {"additional_child_folders"}


@pytest.mark.rule("DOCMS-195")
def test_names_with_the_sign_between_names_stay_as_they_are(cast: Cast, form: dict[str, object]) -> None:
    """Of a subfolder "Neu | TG1", saving the form made a folder for the group TG1."""
    client = signed_in(cast.admin)
    with scope.unit_of_work(door="test"):
        board, odd = manual_group(cast, "Beirat", "owner"), manual_group(cast, "Haus A | B\\C", "owner")
    children = [
        {"name": "Neu | Beirat", "group_ids": []}, {"name": "Verträge | A", "group_ids": sorted([board.pk, odd.pk])}
    ]  # fmt: skip
    OrganizationSettings.objects.filter(pk=row(cast).pk).update(additional_child_folders=children)
    shown = client.get(url_of(cast)).context["adminform"].form
    form |= {"additional_child_folders": shown["additional_child_folders"].value(), VERSION: row(cast).row_version}
    answer = client.post(url_of(cast), form | {"imprint": "Neu"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert row(cast).additional_child_folders == children
    more = f"{form['additional_child_folders']}\nDritter\\|"
    assert (
        client.post(url_of(cast), form | {"additional_child_folders": more, VERSION: row(cast).row_version}).status_code
        == 302
    )
    assert row(cast).additional_child_folders == [*children, {"name": "Dritter|", "group_ids": []}]


def test_of_two_who_save_the_later_is_told(cast: Cast, form: dict[str, object]) -> None:
    client = signed_in(cast.admin)
    form |= {VERSION: row(cast).row_version}
    assert client.post(url_of(cast), form | {"imprint": "Eins"}).status_code == 302
    answer = client.post(url_of(cast), form | {"imprint": "Zwei"})
    assert "Inzwischen" in str(answer.context["adminform"].form.errors)
    assert row(cast).imprint == "Eins"


@pytest.mark.parametrize(
    ("name", "value"),
    [("app_url", "ftp://x"), ("app_url", "https://x/?a=b"), ("pw_min_length", "129"), ("pw_link_init_hours", "0"),
     ("mail_port", "0"), ("mail_sender", "niemand")],
)  # fmt: skip
def test_what_no_installation_can_have_is_refused(cast: Cast, name: str, value: str) -> None:
    client, url = signed_in(cast.operator), "/admin/orgs/installationsettings/1/change/"
    shown = client.get(url).context["adminform"].form
    values = {n: v for n, v in shown.initial.items() if n in shown.fields and v is not None and v is not False}
    values |= {"app_url": "https://portal.example.org"}
    assert client.post(url, values | {name: value}).context["adminform"].form.errors.keys() == {name}
    assert client.post(url, values | {"app_name": "Portal"}).status_code == 302
    assert InstallationSettings.objects.get().app_name == "Portal"


# --- The test message ---------------------------------------------------------------------------------------


@pytest.fixture
def with_gateway(cast: Cast, gateway: Gateway) -> Gateway:
    """A gateway that Brandt & Keller have set up."""
    OrganizationSettings.objects.filter(organization=cast.tenant).update(
        sms_send_url=gateway.url, sms_sender_id="Brandt"
    )
    stored = row(cast)
    stored.sms_api_key = "geheimer-Schluessel"
    stored.save()
    return gateway


@pytest.mark.django_db(transaction=True)
def test_a_test_message_goes_through_the_stored_gateway(cast: Cast, with_gateway: Gateway) -> None:
    client, url = signed_in(cast.admin), f"/admin/test-message/?tenant={cast.tenant.pk}"
    assert client.get(url).status_code == 200
    assert client.post(url, {"mobile_number": "0170 1234567"}).status_code == 302
    (request,) = with_gateway.requests
    assert request.body["to"] == "+491701234567"
    assert "Test-SMS" in request.body["text"]
    stored = Message.objects.get(kind="test_sms")
    assert (stored.state, stored.tenant_id, stored.caused_by_id) == ("sent", cast.tenant.pk, cast.admin.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "Schlüssel"), (404, "Adresse"), (429, "später"), (503, "eigenes Problem"), (422, "Absender")],
)
def test_what_the_gateway_says_is_told_in_plain_words(
    cast: Cast, with_gateway: Gateway, status: int, words: str
) -> None:
    with_gateway.replies = [Reply(status=status)]
    url = f"/admin/test-message/?tenant={cast.tenant.pk}"
    answer = signed_in(cast.admin).post(url, {"mobile_number": "+491701234567"})
    (problem,) = answer.context["form"].non_field_errors()
    assert words in problem
    assert str(status) in problem
    assert "geheimer-Schluessel" not in answer.content.decode()
    stored = Message.objects.get(kind="test_sms")
    assert (stored.state, stored.error_msg) == ("failed", f"SMS gateway answered {status}.")
    assert len(with_gateway.requests) == 1


@pytest.mark.django_db(transaction=True)
def test_a_test_message_needs_a_number_and_a_gateway(cast: Cast, gateway: Gateway) -> None:
    client, url = signed_in(cast.admin), f"/admin/test-message/?tenant={cast.tenant.pk}"
    assert client.post(url, {"mobile_number": "keine"}).context["form"].errors.keys() == {"mobile_number"}
    answer = client.post(url, {"mobile_number": "+491701234567"})
    assert "Gateway" in str(answer.context["form"].non_field_errors())
    assert Message.objects.get(kind="test_sms").state == "failed"


@pytest.mark.django_db(transaction=True)
def test_a_test_message_is_for_administrators_of_the_tenant(cast: Cast, with_gateway: Gateway) -> None:
    body = {"mobile_number": "+491701234567"}
    for who in (cast.staff, cast.renter, cast.stranger):
        assert signed_in(who).post(f"/admin/test-message/?tenant={cast.tenant.pk}", body).status_code == 403
    assert signed_in(cast.operator).post("/admin/test-message/", body).status_code == 403  # an installation has none
    assert with_gateway.requests == []


@pytest.mark.rule("DOCMS-043")
def test_locked_settings_are_shown_and_not_changed(cast: Cast, form: dict[str, object]) -> None:
    with scope.unit_of_work(door="test"):
        rows.change(cast.membership("staff"), {"admin_perm": True})
        rows.change(row(cast), {"lock_settings": True, "imprint": "Muster GmbH", "mail_password": "sehr-geheim-1"})
    client = signed_in(cast.staff)
    page = client.get(url_of(cast)).content.decode()
    assert "Muster GmbH" in page
    assert "sehr-geheim-1" not in page
    assert client.post(url_of(cast), form | {"imprint": "Neu"}).status_code == 403
    assert row(cast).imprint == "Muster GmbH"


# --- Working time -----------------------------------------------------------------------------------------


def test_business_hours_are_written_as_people_do(cast: Cast, form: dict[str, object]) -> None:
    client, url = signed_in(cast.admin), url_of(cast)
    hours = "Montag: 8:00-12:00, 13:00–17:00\nfreitag: 08:00 – 24:00\nSonntag:"
    values = {
        "business_hours": hours,
        "holiday_region": "DE-HE",
        "extra_holidays": "31.12.2026\n24.12.2026\n24.12.2026",
    }
    answer = client.post(url, form | values)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    stored = row(cast)
    assert stored.business_hours == {"mon": [["08:00", "12:00"], ["13:00", "17:00"]], "fri": [["08:00", "24:00"]]}
    assert (stored.holiday_region, [day.isoformat() for day in stored.extra_holidays]) == (
        "DE-HE", ["2026-12-24", "2026-12-31"],
    )  # fmt: skip
    page = client.get(url).content.decode()
    assert "Montag: 08:00–12:00, 13:00–17:00\nDienstag: \n" in page.replace("\r", "")
    assert "24.12.2026\n31.12.2026" in page.replace("\r", "")


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("business_hours", "Mo: 08:00-12:00", "Wochentag"),
        ("business_hours", "Montag: 8-12", "08:00–12:00"),
        ("business_hours", "Montag: 12:00-08:00", "Wochentag"),
        ("business_hours", "Montag: 25:00-26:00", "Wochentag"),
        ("business_hours", "Montag: 25:00-26:00", "zwischen 00:00 und 24:00"),
        (
            "business_hours",
            "Montag: 08:00-12:00\nDienstag: 12:00-08:00",
            "endet, nachdem sie begonnen hat. (Dienstag: 12:00-08:00)",
        ),
        (
            "business_hours",
            "Montag: 08:00-12:00, 11:00-17:00",
            "überschneiden sich nicht. (Montag: 08:00-12:00, 11:00-17:00)",
        ),
        ("business_hours", "Montag: 08:00-12:00\nMontag: 13:00-14:00", "Wochentag"),
        ("holiday_region", "DE-XX", "DE-XX"),
        ("extra_holidays", "32.12.2026", "Datum"),
        ("default_first_response_hours", "9000", "8760"),
    ],
)
def test_odd_working_time_is_refused_at_its_field(
    cast: Cast, form: dict[str, object], field: str, text: str, words: str
) -> None:
    answer = signed_in(cast.admin).post(url_of(cast), form | {field: text})
    assert words in str(answer.context["adminform"].form.errors[field])
    assert (row(cast).business_hours, row(cast).extra_holidays, row(cast).default_first_response_hours) == ({}, [], 24)
