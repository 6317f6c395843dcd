"""Texts that people write: checked, cleaned and stored. Which one a mail takes in the end, `texts` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Invalid, NotFound
from core.services import rows
from messaging.models import Template
from messaging.services.catalogue import KINDS, PLACEHOLDERS, check_text, names_in, required_of
from messaging.services.outbox import is_address
from messaging.services.render import SUBJECT_MAX, sanitised
from messaging.services.texts import Overrides, load
from messaging.texts import TEXTS, WORDS
from orgs.languages import user_language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    if not is_body and len(text) > SUBJECT_MAX:
        _refuse(field, _("The subject has more than %(length)d characters.") % {"length": SUBJECT_MAX})
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


def store_tenant_text(*, tenant: Organization, kind: str, changes: Mapping[str, Any]) -> Texts:
    """Change a text of a tenant; what is left out stays. The caller has settled who may. Audited.

    Raises `Invalid` as `cleaned` and `require_visible_recipient`.
    """
    return write(tenant=tenant, kind=kind, columns=cleaned(kind, changes)) or Overrides()


@transaction.atomic
def write(*, tenant: Organization | None, kind: str, columns: Mapping[str, Any], language: str = "") -> Template | None:
    """Write cleaned columns of a text of a tenant, or of the installation in one ``language``. Audited.

    The row is made with its first words; two who make it at once do not meet. None where there is none and nothing to
    write. Raises `Invalid` as `require_visible_recipient`.
    """
    if any(columns.values()):
        Template.objects.bulk_create([Template(tenant=tenant, kind=kind, language=language)], ignore_conflicts=True)
    found = Template.objects.select_for_update(of=("self",))
    row = found.filter(tenant=tenant, kind=kind, language=language).first()
    if row is not None:
        require_visible_recipient(row, columns)
        rows.change(row, columns, check=False)
    return row


@transaction.atomic
def delete_text(*, tenant: Organization | None, kind: str, language: str = "") -> None:
    """Let the text of the next level apply again. The caller has settled who may. Audited. Raises `NotFound`."""
    found = Template.objects.select_for_update(of=("self",))
    row = found.filter(tenant=tenant, kind=kind, language=language).first()
    if row is None:
        raise NotFound
    rows.delete(row)


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
        row, standard = source.installed.get(spoken), built_in(kind, spoken)
        setattr(found, f"subject{ending}", (row.subject if row else "") or standard.subject)
        setattr(found, f"body{ending}", (row.body if row else "") or standard.body)
    return found


def built_in(kind: str, language: str) -> Overrides:
    """A built-in text as people would write it: only with placeholders that they may use."""
    text, words = TEXTS[language][kind], WORDS[language]
    if KINDS[kind].template in PLAIN_KINDS:
        return Overrides(body="\n".join(text.paragraphs))
    facts = "<br>".join(f"{label}{words.colon} {{{{{name}}}}}" for label, name in text.facts if name in PLACEHOLDERS)
    button = f'<a href="{{{{link}}}}">{text.button}</a>' if text.button else ""
    parts = (words.hello, *(_known(text.paragraphs) or [text.title]), facts, button, *_known(text.after))
    html = "\n".join(f"<p>{part}</p>" for part in parts if part)
    return Overrides(subject=text.subject, body=sanitised(html))


def _known(paragraphs: Sequence[str]) -> list[str]:
    """Paragraphs without those that say what only built-in texts know."""
    said = (paragraph.replace("{{valid_for}}", "{{valid_hours}} h") for paragraph in paragraphs)
    return [paragraph for paragraph in said if names_in(paragraph) <= PLACEHOLDERS]


def _refuse(field: str, problem: str) -> None:
    raise Invalid(problem, fields={field: [problem]})
