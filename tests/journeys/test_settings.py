"""A tenant administrator sets the company up: settings, a test mail, a text with preview, and back to the standard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from core import scope
from messaging.models import Template
from orgs.models import OrganizationSettings
from tests.cast import Cast, load
from tests.journeys.test_admin_look import sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.gateway import Gateway
    from tests.servers import MailSink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(live_server: Any) -> Cast:
    """Brandt & Keller, whose administrator is no operator."""
    cast = load()
    assert not cast.admin.is_superuser
    return cast


def chosen(cast: Cast) -> OrganizationSettings:
    """The settings as they are stored."""
    with scope.unit_of_work(door="test"), scope.all_tenants():
        return OrganizationSettings.objects.get(organization=cast.tenant)


def own_texts() -> list[str]:
    """Subjects of the texts that are stored."""
    with scope.unit_of_work(door="test"), scope.all_tenants():
        return list(Template.objects.values_list("subject", flat=True))


def to_settings(page: Page) -> None:
    with page.expect_navigation():  # also from one of these pages to the next
        page.get_by_role("link", name="Einstellungen des Mandanten").first.click()
    expect(page.get_by_role("button", name="Sichern", exact=True)).to_be_visible()


def save(page: Page) -> None:
    page.get_by_role("button", name="Sichern", exact=True).click()
    expect(page.get_by_text("erfolgreich geändert")).to_be_visible()


@pytest.mark.usefixtures("inside")
def test_settings_are_changed_and_the_mail_server_is_tried(page: Page, house: Cast, smtp: MailSink) -> None:
    host, port = smtp.url.removeprefix("smtp://").rstrip("/").rsplit(":", 1)
    sign_in(page, "admin")
    to_settings(page)
    page.locator("#id_name").fill("Brandt & Söhne")
    page.locator("#id_imprint").fill("Brandt & Söhne GmbH, Köln")
    page.get_by_role("button", name="Mailserver").press("Enter")  # by keyboard, too
    page.locator("#id_mail_server").fill(host)
    page.locator("#id_mail_port").fill("99999")
    page.locator("#id_mail_sender").fill("haus@quartier.test")
    page.locator("#id_mail_password").fill("sehr-geheim-1")
    page.locator("label[for=id_mail_starttls], #id_mail_starttls").last.click()
    page.get_by_role("button", name="Sichern", exact=True).click()
    expect(page.get_by_text("Muss zwischen 1 und 65535 liegen.").first).to_be_attached()
    assert chosen(house).mail_server == ""
    page.get_by_role("button", name="Mailserver").click()
    page.locator("#id_mail_port").fill(port)
    page.locator("#id_mail_password").fill("sehr-geheim-1")
    save(page)
    stored = chosen(house)
    assert (stored.mail_server, stored.mail_port, stored.mail_starttls) == (host, int(port), False)
    assert stored.imprint == "Brandt & Söhne GmbH, Köln"
    to_settings(page)
    assert "sehr-geheim" not in page.content()

    # It has no user name, so the password is of no use to this server: the mail goes out all the same.
    page.get_by_role("link", name="Test-E-Mail senden").click()
    expect(page.locator("#id_to")).to_have_value(house.admin.email)
    page.get_by_role("button", name="Senden").click()
    expect(page.get_by_text("Der Mailserver hat die E-Mail angenommen")).to_be_visible()
    (mail,) = smtp.to(house.admin.email)
    assert "haus@quartier.test" in mail["From"]
    assert "Brandt & Söhne" in mail["From"]

    # What goes wrong is said, and stands in the log of mails.
    smtp.stop()
    page.get_by_role("link", name="Test-E-Mail senden").click()
    page.get_by_role("button", name="Senden").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="Nachrichten", exact=True).click()
    expect(page.locator("#result_list")).to_contain_text("fehlgeschlagen")


def test_the_gateway_is_tried_with_a_wrong_key_and_a_right_one(page: Page, house: Cast, gateway: Gateway) -> None:
    from tests.gateway import Reply

    sign_in(page, "admin")
    to_settings(page)
    page.get_by_role("button", name="SMS", exact=True).click()
    page.locator("#id_sms_send_url").fill(gateway.url)
    page.locator("#id_sms_api_key").fill("geheimer-Schluessel")
    page.locator("#id_sms_sender_id").fill("Brandt")
    save(page)
    to_settings(page)
    page.get_by_role("link", name="Test-SMS senden").click()
    page.locator("#id_mobile_number").fill("0170 1234567")
    gateway.replies = [Reply(status=401)]
    page.get_by_role("button", name="Senden").click()
    expect(page.get_by_role("alert")).to_contain_text("Das Gateway nimmt den Schlüssel nicht an.")
    page.get_by_role("button", name="Senden").click()
    expect(page.get_by_text("Das Gateway hat die SMS angenommen")).to_be_visible()
    assert gateway.texts[-1].startswith("Brandt & Keller: ")


def test_a_text_is_written_looked_at_stored_and_given_up(page: Page, house: Cast) -> None:
    sign_in(page, "admin")
    page.get_by_role("link", name="Texte", exact=True).click()
    page.get_by_role("link", name="Neues Dokument").click()
    preview = page.locator("[data-preview]").first
    expect(preview.frame_locator("iframe").get_by_text("Ein neues Dokument")).to_be_visible()

    # A placeholder is put where the cursor stands; the preview stores nothing.
    page.locator("#id_subject").fill("Neu im Portal: ")
    page.get_by_role("button", name="{{file_title}}").click()
    expect(page.locator("#id_subject")).to_have_value("Neu im Portal: {{file_title}}")
    page.locator("#id_body").fill("Guten Tag {{user_name}},\nschauen Sie hinein: {{link}}<script>x()</script>")
    page.get_by_role("button", name="Vorschau").click()
    expect(preview.get_by_text("Neu im Portal: Jahresabrechnung", exact=True)).to_be_visible()
    frame = preview.frame_locator("iframe")
    expect(frame.get_by_text("Guten Tag Erika Muster")).to_be_visible()
    expect(frame.locator("script")).to_have_count(0)
    expect(page.get_by_text("gespeichert ist noch nichts")).to_be_visible()
    assert own_texts() == []

    # An unknown one is refused where it stands.
    page.locator("#id_subject_en").fill("New: {{title}}")
    page.get_by_role("button", name="Sichern", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("{{title}}")
    expect(page.get_by_role("alert").get_by_role("link", name="Betreff für Leser anderer Sprachen")).to_be_visible()
    page.locator("#id_subject_en").fill("")
    page.get_by_role("button", name="Sichern", exact=True).click()
    expect(page.get_by_text("Der Text ist gespeichert.")).to_be_visible()
    assert own_texts() == ["Neu im Portal: {{file_title}}"]

    page.get_by_role("link", name="Texte", exact=True).click()
    line = page.get_by_role("row").filter(has_text="Neues Dokument")
    expect(line).to_contain_text("eigener Text")
    line.get_by_role("link").click()
    page.get_by_role("link", name="Zurück zum Standardtext").click()
    expect(page.get_by_role("button", name="Zurück zum Standardtext")).to_be_visible()
    page.get_by_role("link", name="Abbrechen").click()
    expect(page.get_by_role("link", name="Zurück zum Standardtext")).to_be_visible()
    assert own_texts() != []
    page.get_by_role("link", name="Zurück zum Standardtext").click()
    page.get_by_role("button", name="Zurück zum Standardtext").click()
    expect(page.get_by_text("Es gilt wieder der Standardtext.")).to_be_visible()
    assert own_texts() == []


def test_a_text_message_shows_its_parts(page: Page, house: Cast) -> None:
    sign_in(page, "admin")
    page.goto("/admin/texts/share_sms/")
    page.locator("#id_body").fill("Ihr Code lautet {{code}}. " + "Bitte geben Sie ihn nicht weiter. " * 5)
    page.get_by_role("button", name="Vorschau").click()
    expect(page.locator("[data-preview]").first).to_contain_text("Wird als 2 SMS verschickt und bezahlt.")
