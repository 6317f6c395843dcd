"""Rendering for many people gives what rendering for each gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from messaging.models import Template
from messaging.services import merge
from messaging.services.merge import MailMerge
from messaging.services.render import render
from messaging.services.texts import load

if TYPE_CHECKING:
    from orgs.models import Organization

CONTEXT = {"file_title": "Abrechnung", "link": "https://quartier.test/x"}
NAMES = [
    "Anna Sommer", "Jan Kowalski-Nowak", "Łucja Żółć", "", "Dr. Müller", "O'Neill", "A  B", " Rand ", "www.evil.test",
    "<b>Fett</b>", "Haus & Hof", '"quoted"', "{{link}}", "a\nb", "anna@example.test", "x" * 240, "Ann\u00a0Lee",
]  # fmt: skip
TEXTS = {
    "built in": {},
    "in the text": {"subject": "Post für {{user_name}}", "body": "<p>Guten Tag {{user_name}}, {{link}}</p>"},
    "plain": {"body": "Guten Tag {{user_name}}!\n\nIhr Benutzername: {{username}}\n{{link}}"},
    "within a word": {"body": "Siehe www.{{user_name}}.test und {{user_name}}x."},
    "in an address": {"body": '<p><a href="https://x.test/?n={{user_name}}" title="Für {{user_name}}">hier</a></p>'},
    "in a tag": {"body": "<p>Hallo <{{user_name}}> und <b>{{ user_name }}</b></p>"},
    "twice in a tag": {
        "body": '<p>Hallo <a href="{{user_name}}" title="{{username}}">du</a> <!-- {{user_name}} --></p>'
    },
    "nobody": {"subject": "Neu", "body": "<p>Ein Dokument: {{file_title}}</p>"},
}


@pytest.mark.django_db
@pytest.mark.parametrize("texts", list(TEXTS.values()), ids=list(TEXTS))
def test_each_person_gets_the_mail_that_was_rendered_for_them_alone(
    texts: dict[str, str], tenant: Organization
) -> None:
    if texts:
        Template.objects.create(tenant=tenant, kind="notification", **texts)
    source = load("document_published", tenant)
    together = MailMerge(source, CONTEXT)
    for language in ("de", "pl"):
        for name in NAMES:
            own = {"user_name": name, "username": f"{name}1"}
            alone = render(source.kind, language=language, context={**own, **CONTEXT}, source=source)
            assert together.render(language=language, **own) == alone, name


@pytest.mark.django_db
def test_what_all_get_alike_is_rendered_once_a_language(tenant: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[str] = []

    def counted(kind: str, *, language: str, **more: Any) -> Any:
        rendered.append(language)
        return render(kind, language=language, **more)

    monkeypatch.setattr(merge, "render", counted)
    together = MailMerge(load("document_published", tenant), CONTEXT)
    mails = [together.render(language=lang, user_name=f"Person {n}") for n in range(20) for lang in ("de", "pl")]
    assert rendered == ["de", "pl"]
    assert all(f"Person {n // 2}," in mail.text for n, mail in enumerate(mails))


@pytest.mark.django_db
def test_a_name_that_the_event_fixes_is_nobodys_own(tenant: Organization) -> None:
    together = MailMerge(load("document_published", tenant), {**CONTEXT, "user_name": "Alle Bewohner"})
    assert "Alle Bewohner" in together.render(language="de", user_name="Anna").text
