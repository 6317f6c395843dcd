"""Built-in texts, placeholders and the choice between folder, tenant, installation and built-in."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Invalid
from docms.models import FolderTemplate
from messaging.models import Template
from messaging.services.catalogue import BUILT_IN_ONLY, KINDS, PLACEHOLDERS, check_text, names_in, substitute
from messaging.services.html_text import html_to_text
from messaging.services.render import on_color, render
from messaging.services.texts import Overrides
from messaging.texts import TEXTS

if TYPE_CHECKING:
    from orgs.models import Organization, OrganizationSettings

CONTEXT = {"user_name": "Anna Sommer", "link": "https://quartier.test/x", "file_title": "Abrechnung"}


def test_every_language_has_every_kind_with_the_same_placeholders() -> None:
    def used(language: str, kind: str) -> set[str]:
        text = TEXTS[language][kind]
        everything = (text.subject, text.title, *text.paragraphs, *text.after, text.reason)
        return (
            set().union(*(names_in(part) for part in everything))
            | {name for _label, name in text.facts}
            | {*text.plate}
        )

    for language in ("de", "en", "fr", "pl"):
        assert TEXTS[language].keys() == KINDS.keys()
        for kind in KINDS:
            assert used(language, kind) == used("de", kind), (language, kind)
            assert used(language, kind) <= PLACEHOLDERS | BUILT_IN_ONLY


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["de", "en", "fr", "pl"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_built_in_mails_leave_no_gap_and_have_a_plain_twin(kind: str, language: str, tenant: Organization) -> None:
    everything = dict.fromkeys(PLACEHOLDERS | BUILT_IN_ONLY, "42") | CONTEXT
    for context in (everything, {"link": "https://quartier.test/x"}):
        mail = render(kind, language=language, context=context, tenant=tenant)
        assert mail.language == language
        assert f'<html lang="{language}">' in mail.html
        for text in (mail.subject, mail.html, mail.text):
            assert "{{" not in text
            assert "}}" not in text
            assert "None" not in text
        assert "<style>" not in mail.html.split("@media")[0].removesuffix("<style>")
        assert tenant.name in mail.text
        if TEXTS[language][kind].button:
            assert mail.text.count("https://quartier.test/x") == 1
            assert mail.html.count('href="https://quartier.test/x"') == 2


@pytest.mark.rule("DOCMS-152")
@pytest.mark.django_db
def test_placeholders_are_plain_substitution_escaped_in_bodies_and_unknown_ones_are_refused(
    tenant: Organization,
) -> None:
    evil = '<script>alert(1)</script>"{{app_url}}"'
    texts = Overrides(
        subject="Neu: {{file_title}}", body="<p>Hallo {{user_name}}, {% now 'Y' %} <b>{{file_title}}</b></p>"
    )
    mail = render(
        "document_published", language="de", context=CONTEXT | {"file_title": evil}, tenant=tenant, overrides=texts
    )
    assert mail.subject == f"Neu: {evil}"
    assert "<p" in mail.html
    assert "Hallo Anna Sommer, {% now 'Y' %}" in mail.html.replace("&#x27;", "'").replace("&#39;", "'")
    assert "<script" not in mail.html
    assert "<b>&lt;script&gt;alert(1)&lt;/script&gt;" in mail.html  # the title of the page says it, too
    assert '<script>alert(1)</script>"{{app_url}}"' in mail.text  # not substituted a second time
    for text in ("Hallo {{ naem }}", "{{user.password}}", "{{}}", "{{link}} {{other}}"):
        with pytest.raises(Invalid) as refused:
            check_text(text, field="body")
        assert refused.value.code == "unknown_placeholder"
        assert refused.value.status == 400
        assert "body" in refused.value.fields


@pytest.mark.rule("DOCMS-153")
def test_the_list_of_placeholders_is_closed_and_password_texts_need_the_link() -> None:
    allowed = [
        "user_name", "username", "company_name", "app_name", "app_url", "folder_name", "folder_path", "file_title",
        "file_name", "uploader_name", "note", "link", "code", "valid_hours",
    ]  # fmt: skip
    check_text(" ".join(f"{{{{{name}}}}}" for name in allowed))
    assert set(allowed) == PLACEHOLDERS
    for name in (*BUILT_IN_ONLY, "password", "token"):
        with pytest.raises(Invalid):
            check_text(f"{{{{{name}}}}}")
    for kind in ("password_init", "password_reset"):
        with pytest.raises(Invalid) as refused:
            check_text("Bitte ändern Sie Ihr Passwort.", KINDS[kind].required)
        assert refused.value.code == "missing_placeholder"
        check_text("Bitte hier entlang: {{link}}", KINDS[kind].required)
        check_text("", KINDS[kind].required)  # empty = the next level's text


@pytest.mark.rule("DOCMS-152")
def test_a_value_is_never_substituted_again() -> None:
    assert substitute("{{note}} {{ link }}", {"note": "{{link}}", "link": "L"}) == "{{link}} L"


@pytest.mark.rule("DOCMS-147", "DOCMS-148")
@pytest.mark.django_db
def test_folder_then_tenant_then_built_in_field_by_field(tenant: Organization) -> None:
    def mail(overrides: FolderTemplate | None) -> Any:
        return render("document_published", language="de", context=CONTEXT, tenant=tenant, overrides=overrides)

    built_in = mail(None)
    assert built_in.subject == "Neues Dokument: Abrechnung"
    assert "hat ein Dokument für Sie bereitgestellt" in built_in.text
    row = Template.objects.create(tenant=tenant, kind="notification", subject="Firma: {{file_title}}", body="")
    assert mail(None).subject == "Firma: Abrechnung"
    assert "hat ein Dokument für Sie bereitgestellt" in mail(None).text
    row.body = "Text der Firma"
    row.save()
    assert "Text der Firma" in mail(None).text
    folder = mail(FolderTemplate(subject="", body="Text des Ordners"))
    assert folder.subject == "Firma: Abrechnung"
    assert "Text des Ordners" in folder.text
    assert "Text der Firma" not in folder.text
    assert mail(FolderTemplate(subject="Ordner")).subject == "Ordner"
    assert "Text der Firma" in mail(FolderTemplate(subject="Ordner")).text


@pytest.mark.rule("DOCMS-149")
@pytest.mark.django_db
def test_primary_text_for_the_tenants_language_english_for_all_others(tenant: Organization) -> None:
    row = Template.objects.create(
        tenant=tenant, kind="notification", subject="Deutsch", subject_en="English", body="Deutscher Text", body_en=""
    )

    def mail(language: str, overrides: FolderTemplate | None = None) -> Any:
        return render("document_published", language=language, context=CONTEXT, tenant=tenant, overrides=overrides)

    assert mail("de").subject == "Deutsch"
    for other in ("en", "fr", "pl"):
        assert mail(other).subject == "English"
        assert "Deutscher Text" in mail(other).text  # the primary one where _en is empty
    row.body_en = "English text"
    row.save()
    assert "Deutscher Text" in mail("de").text
    for other in ("en", "fr", "pl"):
        assert "English text" in mail(other).text
    tenant.language = "fr"  # whatever the tenant speaks is what the primary text is written in
    tenant.save()
    assert [mail(language).subject for language in ("fr", "de", "en")] == ["Deutsch", "English", "English"]
    tenant.language = "de"
    tenant.save()
    folder = FolderTemplate(subject="Ordner", subject_en="Folder")
    assert [mail(language, folder).subject for language in ("de", "en", "pl")] == ["Ordner", "Folder", "Folder"]
    assert mail("fr", FolderTemplate(subject="Ordner")).subject == "Ordner"
    row.delete()
    assert mail("fr").subject == "Nouveau document : Abrechnung"
    assert mail("pl").subject == "Nowy dokument: Abrechnung"


@pytest.mark.django_db
def test_the_installations_text_stands_in_the_persons_language(tenant: Organization) -> None:
    Template.objects.create(kind="pw_reset", language="fr", subject="Mot de passe", body="Lien : {{link}}")
    french = render("password_reset", language="fr", context=CONTEXT, tenant=tenant)
    assert french.subject == "Mot de passe"
    assert "Lien : https://quartier.test/x" in french.text
    assert 'href="https://quartier.test/x"' in french.html
    assert (
        render("password_reset", language="de", context=CONTEXT, tenant=tenant).subject == "Neues Passwort für Quartier"
    )


@pytest.mark.django_db
def test_html_of_people_is_cleaned_and_links_of_values_cannot_run(tenant: Organization) -> None:
    body = (
        '<p onclick="x()">Hallo</p><a href="{{link}}">hier</a><a href="{{note}}">dort</a>'
        '<iframe src="https://evil.test"></iframe><p style="color:red;position:fixed">rot</p>'
    )
    mail = render(
        "document_published",
        language="de",
        context=CONTEXT | {"note": "javascript:alert(1)"},
        tenant=tenant,
        overrides=Overrides(body=body),
    )
    assert "onclick" not in mail.html
    assert "iframe" not in mail.html
    assert "javascript:" not in mail.html
    assert "position" not in mail.html
    assert 'href="https://quartier.test/x"' in mail.html
    assert "hier (https://quartier.test/x)" in mail.text
    assert "Dokument öffnen" not in mail.html  # the text has its own link


@pytest.mark.django_db
def test_line_breaks_in_a_subject_are_folded(tenant: Organization) -> None:
    evil = "Abrechnung\r\nBcc: victim@example.test\x00\u2028x"
    mail = render("document_published", language="de", context=CONTEXT | {"file_title": evil}, tenant=tenant)
    assert mail.subject == "Neues Dokument: Abrechnung Bcc: victim@example.test x"
    long = render("document_published", language="de", context=CONTEXT | {"file_title": "ä" * 400}, tenant=tenant)
    assert len(long.subject) == 250


@pytest.mark.django_db
def test_the_frame_carries_the_companys_colours_and_logo(
    tenant: Organization, settings_row: OrganizationSettings
) -> None:
    settings_row.accent_color = "#ffd54f"
    settings_row.save()
    html = render("document_published", language="de", context=CONTEXT, tenant=tenant).html
    assert "background-color: #ffd54f" in html
    assert on_color("#ffd54f") == "#1b1815"
    assert on_color("#1f5c4a") == "#ffffff"
    settings_row.accent_color = "red;}"
    settings_row.save()
    assert "red;" not in render("document_published", language="de", context=CONTEXT, tenant=tenant).html
    assert "Brandt &amp; Keller" in html


@pytest.mark.django_db
def test_a_wrong_name_in_the_context_is_a_programming_error(tenant: Organization) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        render("welcome", language="de", context={"nonsense": 1}, tenant=tenant)


@pytest.mark.django_db
def test_a_digest_lists_its_papers(tenant: Organization) -> None:
    items = [("Abrechnung <2025>", "Haus A"), ("Protokoll", "")]
    mail = render(
        "documents_published",
        language="en",
        context={"count": 2, "items": items, "link": "https://q.test/"},
        tenant=tenant,
    )
    assert mail.subject == "2 new documents from Brandt & Keller"
    assert "- Abrechnung <2025> (Haus A)\n- Protokoll" in mail.text
    assert "Abrechnung &lt;2025&gt;" in mail.html


def test_plain_text_of_html() -> None:
    html = "<h2>Titel</h2><p>Ein  <b>Satz</b>.<br>Zeile</p><ul><li>eins</li><li>zwei</li></ul><a href='https://a.test'>https://a.test</a>"
    assert html_to_text(html) == "Titel\n\nEin Satz.\nZeile\n\n- eins\n- zwei\n\nhttps://a.test"


def test_a_french_label_stands_apart_from_its_colon() -> None:
    mail = render("share_mail", language="fr", context={"file_title": "Plan", "link": "https://x.example/1"})
    assert "Document\u00a0: Plan" in mail.text
    assert "Récupérer le document\u00a0:\nhttps" in mail.text


@pytest.mark.parametrize("kind", [kind for kind in TEXTS["fr"] if kind not in ("share_sms", "test_sms")])
def test_french_punctuation_is_not_torn_from_its_word(kind: str) -> None:
    assert not re.search(" [:?!;»]|« ", repr(TEXTS["fr"][kind]))


def test_a_text_message_holds_no_letter_that_halves_it() -> None:
    assert "\u00a0" not in "".join(TEXTS["fr"]["share_sms"].paragraphs)


def test_an_english_date_is_written_as_on_the_pages() -> None:
    mail = render("share_mail", language="en", context={"valid_until": datetime.date(2026, 12, 4)})
    assert "Valid until: 4 December 2026" in mail.text


def test_a_subject_that_comes_to_nothing_is_the_built_in_one() -> None:
    own = Overrides(subject="{{code}}", body="x")
    mail = render("share_mail", language="en", context={}, overrides=own)
    assert mail.subject
