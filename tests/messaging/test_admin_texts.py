"""Texts of mails and text messages in the back office: list, form, preview, placeholders, back to the standard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core import scope
from core.models import AuditEntry
from core.services import rows
from messaging.admin.texts import NAMES, OF_TENANT
from messaging.models import Message, Template
from messaging.services import templates
from messaging.services.catalogue import FILLED, KINDS, PLACEHOLDERS, names_in, sent_as
from messaging.services.preview import TextMessage, example, preview
from messaging.services.sms_parts import parts_of
from messaging.texts import TEXTS
from orgs.models import OrganizationSettings
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

TEXTS_URL = "/admin/texts/"


def own(cast: Cast, kind: str = "notification") -> Template | None:
    """What is stored for Brandt & Keller."""
    return Template.objects.filter(tenant=cast.tenant, kind=kind).first()


def save(client: Client, kind: str = "notification", query: str = "", **values: Any) -> Any:
    return client.post(f"{TEXTS_URL}{kind}/{query}", values)


def states(client: Client) -> dict[Any, list[bool]]:
    """Name of each text → whether it is one's own, for each language."""
    lines = client.get(TEXTS_URL).context["lines"]
    return {line["name"]: [is_own for _word, _url, is_own in line["versions"]] for line in lines}


# --- Storing --------------------------------------------------------------------------------------------


def test_a_text_is_stored_and_used_and_the_list_says_so(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert states(client) == {NAMES[kind]: [False, False] for kind in OF_TENANT}
    assert save(client, subject="Neu: {{file_title}}", body_en="<p>News</p>").status_code == 302
    assert states(client)[NAMES["notification"]] == [True, True]
    assert states(client)[NAMES["welcome"]] == [False, False]
    shown = preview("notification", language="de", tenant=cast.tenant)
    assert not isinstance(shown, TextMessage)
    assert shown.subject == "Neu: Jahresabrechnung"
    assert AuditEntry.objects.filter(object_type="messaging.template", user_id=cast.admin.pk).exists()


@pytest.mark.rule("DOCMS-152")
@pytest.mark.parametrize("field", ["subject", "body", "subject_en", "body_en"])
def test_an_unknown_placeholder_is_refused_at_its_field(cast: Cast, field: str) -> None:
    client = signed_in(cast.admin)
    for button in ("_save", "_preview"):
        answer = save(client, **{field: "Hallo {{nix}}", button: "1"})
        assert answer.context["form"].errors.keys() == {field}
        assert "{{nix}}" in str(answer.context["form"].errors)
        assert answer.context["previews"] == []
    assert own(cast) is None


def test_bcc_needs_somebody_in_to(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert save(client, body="<p>Hallo</p>", rest_bcc="on").context["form"].errors.keys() == {"to_email"}
    assert save(client, body="<p>Hallo</p>", rest_bcc="on", to_email="alle@haus.test").status_code == 302


def test_scripts_are_taken_out_before_they_are_stored_or_shown(cast: Cast) -> None:
    client = signed_in(cast.admin)
    bad = "<p onclick='x()'>Hallo</p><script>alert(1)</script>"
    answer = save(client, body=bad, _preview="1")
    html = answer.context["previews"][0]["shown"].html
    assert "Hallo" in html
    assert "alert(1)" not in html and "onclick" not in html
    save(client, body=bad)
    stored = own(cast)
    assert stored is not None
    assert stored.body == "<p>Hallo</p>"


def test_the_standard_is_a_text_to_begin_with(cast: Cast) -> None:
    client = signed_in(cast.admin)
    form = client.get(f"{TEXTS_URL}notification/?start=standard").context["form"]
    assert form["subject"].value() == TEXTS["de"]["document_published"].subject
    assert form["subject_en"].value() == TEXTS["en"]["document_published"].subject
    values = {name: form[name].value() for name in ("subject", "body", "subject_en", "body_en")}
    assert save(client, **values).status_code == 302
    stored = own(cast)
    assert stored is not None
    assert stored.body == values["body"]


def test_back_to_the_standard_asks_first(cast: Cast) -> None:
    client, url = signed_in(cast.admin), f"{TEXTS_URL}notification/standard/"
    assert client.get(url).status_code == 404  # there is nothing to take away
    save(client, subject="Eins")
    assert client.get(url).status_code == 200
    assert own(cast) is not None
    assert client.post(url)["Location"] == f"{TEXTS_URL}notification/"
    assert own(cast) is None
    assert states(client)[NAMES["notification"]] == [False, False]


# --- Preview --------------------------------------------------------------------------------------------


def test_a_preview_stores_and_sends_nothing(cast: Cast) -> None:
    before = Message.objects.count()
    answer = save(signed_in(cast.admin), subject="Für {{user_name}}", body="Zu {{file_title}}\nGruß", _preview="1")
    german, other = answer.context["previews"]
    assert german["shown"].subject == "Für Erika Muster"
    assert "Zu Jahresabrechnung" in german["shown"].text
    assert "Zu Annual statement" in other["shown"].text  # no text for others, so they get this one
    page = answer.content.decode()
    assert '<iframe class="q-mail" sandbox srcdoc="' in page
    assert own(cast) is None
    assert Message.objects.count() == before


def test_a_preview_of_a_text_message_counts_its_parts(cast: Cast) -> None:
    answer = save(signed_in(cast.admin), "share_sms", body="x" * 155, _preview="1")
    shown = answer.context["previews"][0]["shown"]
    assert shown.text == f"{'x' * 155}\n482913"  # the code is put behind a text that forgot it
    assert shown.parts == 2


@pytest.mark.parametrize(
    ("text", "parts"),
    [("", 0), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("ä€" * 53, 1), ("€" * 80, 1), ("€" * 81, 2),
     ("€" * 153, 3), ("ą" * 70, 1), ("ą" * 71, 2), ("ą" * 134, 2), ("ą" * 135, 3), ("😀" * 35, 1), ("😀" * 67, 3)],
)  # fmt: skip
def test_parts_of_a_text_message(text: str, parts: int) -> None:
    assert parts_of(text) == parts


@pytest.mark.parametrize("kind", FILLED)
@pytest.mark.parametrize("language", TEXTS)
def test_built_in_texts_can_be_written_by_people_and_previewed(cast: Cast, kind: str, language: str) -> None:
    standard = templates.built_in(sent_as(kind), language)
    assert templates.cleaned(kind, {"subject": standard.subject, "body": standard.body})["body"] == standard.body
    shown = preview(kind, language=language, texts=standard)
    assert "{{" not in shown.text
    assert shown.language == language


# --- What placeholders mean -----------------------------------------------------------------------------


def test_every_template_has_a_name_and_says_which_placeholders_are_filled() -> None:
    kinds = {kind.template for kind in KINDS.values() if kind.template}
    assert kinds == FILLED.keys() == NAMES.keys()
    for kind in kinds:
        assert FILLED[kind] <= PLACEHOLDERS
        assert example(kind, "de").keys() <= FILLED[kind]
        assert KINDS[sent_as(kind)].required <= FILLED[kind]


def test_what_a_mail_fills_in_is_offered(cast: Cast) -> None:
    """`FILLED` against what the services hand over."""
    from docms.services.notify import context_of
    from tests.portal.pages import house_folder, paper

    document = paper(cast, house_folder(cast))
    given = context_of(document, cast.admin).keys() & PLACEHOLDERS
    assert given <= FILLED["notification"]
    assert given <= FILLED["share_mail"]
    for kind in ("welcome", "pw_init", "pw_reset", "notification", "share_mail", "share_sms"):
        text = TEXTS["de"][sent_as(kind)]
        used = names_in(" ".join([text.subject, *text.paragraphs, *text.after])) & PLACEHOLDERS
        assert used <= FILLED[kind]


# --- Who ------------------------------------------------------------------------------------------------


def test_only_administrators_write_texts(cast: Cast) -> None:
    save(signed_in(cast.admin), subject="Eins")
    for who in (cast.staff, cast.renter):
        for page in ("", "notification/", "notification/standard/"):
            assert signed_in(who).get(f"{TEXTS_URL}{page}").status_code == 403
    other = signed_in(cast.stranger)
    assert states(other)[NAMES["notification"]] == [False, False]
    assert other.get(f"{TEXTS_URL}notification/").context["form"]["subject"].value() is None
    assert other.post(f"{TEXTS_URL}notification/standard/").status_code == 404
    assert own(cast) is not None


@pytest.mark.rule("DOCMS-043")
def test_while_the_settings_are_locked_super_administrators_write(cast: Cast) -> None:
    rows.change(cast.membership("staff"), {"admin_perm": True})
    staff = signed_in(cast.staff)
    assert save(staff, subject="Eins").status_code == 302
    with scope.unit_of_work(door="test"):
        rows.change(OrganizationSettings.objects.get(organization=cast.tenant), {"lock_settings": True})
    assert save(staff, subject="Zwei").status_code == 403
    assert staff.get(TEXTS_URL).status_code == 200
    assert save(signed_in(cast.admin), subject="Drei").status_code == 302


def test_the_operator_writes_the_installations_in_each_language(cast: Cast) -> None:
    client = signed_in(cast.operator)
    assert states(client) == {name: [False] * 4 for name in NAMES.values()}
    assert save(client, "pw_reset", "?language=fr", body="<p>Bonjour</p>").context["form"].errors.keys() == {"body"}
    text = '<p>Bonjour, <a href="{{link}}">ici</a></p>'
    assert save(client, "pw_reset", "?language=fr", subject="Mot de passe", body=text).status_code == 302
    assert states(client)[NAMES["pw_reset"]] == [False, False, True, False]
    assert client.get(f"{TEXTS_URL}pw_reset/?language=xx").status_code == 404
    assert signed_in(cast.admin).get(f"{TEXTS_URL}pw_reset/").status_code == 404  # not a tenant's
    client.post(f"{TEXTS_URL}pw_reset/standard/?language=fr")
    assert not Template.objects.filter(tenant=None).exists()


def test_the_operator_with_a_tenant_in_view_writes_its_texts(cast: Cast) -> None:
    client = signed_in(cast.operator)
    client.post("/admin/tenant/", {"tenant": cast.tenant.pk})
    assert save(client, subject="Vom Betreiber").status_code == 302
    stored = own(cast)
    assert stored is not None
    assert stored.subject == "Vom Betreiber"


def test_the_list_costs_the_same_for_one_text_and_three(cast: Cast) -> None:
    client = signed_in(cast.admin)
    save(client, "welcome", subject="Eins")
    before = queries_of(client, TEXTS_URL)
    save(client, "share_mail", subject="Zwei")
    save(client, "notification", subject="Drei")
    assert queries_of(client, TEXTS_URL) == before


def test_a_preview_names_the_readers_language_in_ones_own(cast: Cast) -> None:
    page = signed_in(cast.admin).get(f"{TEXTS_URL}notification/", headers={"Accept-Language": "de"}).content.decode()
    assert "Wer Englisch liest" in page
