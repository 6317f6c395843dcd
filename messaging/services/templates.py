"""Texts that people write: checked, cleaned and stored. Which one a mail takes in the end, `texts` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.services import rows
from messaging.models import Template
from messaging.services.catalogue import check_text, required_of
from messaging.services.outbox import is_address
from messaging.services.render import sanitised
from messaging.services.texts import Overrides, load
from messaging.texts import TEXTS, WORDS
from orgs.languages import user_language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from messaging.services.texts import Texts
    from orgs.models import Organization

TEXT_FIELDS = ("subject", "body", "subject_en", "body_en")
BODY_MAX = 100_000  # characters, after cleaning
PLAIN_KINDS = frozenset({"share_sms"})  # text messages: no HTML, so nothing to clean


def cleaned(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a text as they may be stored: known placeholders only (DOCMS-152, 153), HTML cleaned (DOCMS-049).

    Raises `Invalid`, naming the field.
    """
    stored = dict(values)
    for name in TEXT_FIELDS:
        if name in stored:
            stored[name] = cleaned_text(kind, name, stored[name], field=name)
    if stored.get("to_email") and not is_address(stored["to_email"]):
        _refuse("to_email", _("This is not an e-mail address."))
    return stored


def cleaned_text(kind: str, column: str, text: str, *, field: str) -> str:
    """One column of a text, as in `cleaned`; ``field`` is what the person who wrote it calls it. Raises `Invalid`."""
    is_body = column.startswith("body")
    check_text(text, required_of(kind) if is_body else (), field=field)
    if not is_body or kind in PLAIN_KINDS:
        return text
    html = sanitised(text)
    if len(html) > BODY_MAX:
        _refuse(field, _("The text has more than %(length)d characters.") % {"length": BODY_MAX})
    return html


def require_visible_recipient(texts: Texts, changes: Mapping[str, Any]) -> None:
    """With everybody in BCC somebody must stand in To (DOCMS-150). Raises `Invalid`."""
    if changes.get("rest_bcc", texts.rest_bcc) and not changes.get("to_email", texts.to_email):
        _refuse("to_email", _("With everybody in BCC, a visible recipient is needed."))


@transaction.atomic
def store_tenant_text(*, tenant: Organization, kind: str, changes: Mapping[str, Any]) -> Template:
    """Change a text of a tenant; what is left out stays. The caller has settled who may. Audited.

    Raises `Invalid` as `cleaned` and `require_visible_recipient`.
    """
    stored = cleaned(kind, changes)
    Template.objects.bulk_create([Template(tenant=tenant, kind=kind)], ignore_conflicts=True)
    row = Template.objects.select_for_update(of=("self",)).get(tenant=tenant, kind=kind)
    require_visible_recipient(row, stored)
    rows.change(row, stored, check=False)
    return row


def tenant_text(tenant_id: int, kind: str) -> Texts:
    """The text of a tenant; an empty one when there is none."""
    return Template.objects.filter(tenant=tenant_id, kind=kind).first() or Overrides()


def starting_point(kind: str, tenant: Organization) -> Overrides:
    """The text that is used where the tenant has none, in its language and in English, to be changed from there.

    ``kind`` is one of `catalogue.KINDS`. Per field: the installation's text, else the built-in one, written with placeholders.
    """
    source = load(kind, tenant)
    language = user_language(tenant.language)
    found = Overrides()
    for spoken, ending in ((language, ""), ("en", "_en")):
        row = source.installed.get(spoken)
        setattr(found, f"subject{ending}", (row.subject if row else "") or TEXTS[spoken][kind].subject)
        setattr(found, f"body{ending}", (row.body if row else "") or _as_html(kind, spoken))
    return found


def _as_html(kind: str, language: str) -> str:
    """A built-in text as people would write it: only with placeholders that they may use."""
    text, words = TEXTS[language][kind], WORDS[language]
    facts = "<br>".join(f"{label}: {{{{{name}}}}}" for label, name in text.facts)
    parts = [words.hello, *text.paragraphs, facts]
    if text.button:
        parts.append(f'<a href="{{{{link}}}}">{text.button}</a>')
    html = "\n".join(f"<p>{part}</p>" for part in (*parts, *text.after) if part)
    check_text(html)
    return sanitised(html)


def _refuse(field: str, problem: str) -> None:
    raise Invalid(problem, fields={field: [problem]})
