"""Texts of mails and text messages that stand among the settings of a tenant or of the installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from messaging.models import Template
from messaging.services import templates
from orgs.languages import USER_LANGUAGES, user_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orgs.models import Organization

# Name among the settings → kind, language and column of the template.
TENANT_TEXTS = {
    "welcome_text": ("welcome", "", "body"),
    "welcome_text_subject": ("welcome", "", "subject"),
    "welcome_text_en": ("welcome", "", "body_en"),
    "welcome_text_en_subject": ("welcome", "", "subject_en"),
    "sms_file_share_template": ("share_sms", "", "body"),
    "sms_file_share_template_en": ("share_sms", "", "body_en"),
    "mail_file_share_subject": ("share_mail", "", "subject"),
    "mail_file_share_body": ("share_mail", "", "body"),
    "mail_file_share_subject_en": ("share_mail", "", "subject_en"),
    "mail_file_share_body_en": ("share_mail", "", "body_en"),
}
APP_TEXTS = {
    f"{kind}_{language}_{name}": (kind, language, column)
    for kind in ("welcome", "pw_reset", "pw_init")
    for language, _label in USER_LANGUAGES
    for name, column in (("text", "body"), ("subject", "subject"))
}


def _names(tenant: Organization | None) -> dict[str, tuple[str, str, str]]:
    return TENANT_TEXTS if tenant is not None else APP_TEXTS


def read(tenant: Organization | None) -> dict[str, str]:
    """The stored texts of a tenant, or of the installation, by name; '' where the next level's is used."""
    if tenant is not None:
        return read_many([tenant])[tenant.pk]
    kinds = {kind for kind, _language, _column in APP_TEXTS.values()}
    found = {(row.kind, row.language): row for row in Template.objects.filter(tenant=None, kind__in=kinds)}
    return _texts(APP_TEXTS, found)


def read_many(tenants: Iterable[Organization]) -> dict[int, dict[str, str]]:
    """`read` for several tenants, by id, in one query."""
    found: dict[int, dict[tuple[str, str], Template]] = {tenant.pk: {} for tenant in tenants}
    kinds = {kind for kind, _language, _column in TENANT_TEXTS.values()}
    for row in Template.objects.filter(tenant__in=found, kind__in=kinds):
        found[row.tenant_id or 0][row.kind, row.language] = row
    return {tenant_id: _texts(TENANT_TEXTS, rows_) for tenant_id, rows_ in found.items()}


def _texts(names: Mapping[str, tuple[str, str, str]], found: Mapping[tuple[str, str], Template]) -> dict[str, str]:
    return {
        name: str(getattr(found[kind, language], column)) if (kind, language) in found else ""
        for name, (kind, language, column) in names.items()
    }


@transaction.atomic
def store(tenant: Organization | None, texts: Mapping[str, str]) -> None:
    """Store texts by their names among the settings; names left out keep theirs. Side effect: audit.

    HTML is sanitised (DOCMS-049). Raises `Invalid`, naming the text, for an unknown placeholder or a password text
    without its link (DOCMS-152, 153).
    """
    names = _names(tenant)
    changes: dict[tuple[str, str], dict[str, Any]] = {}
    for name, text in texts.items():
        kind, language, column = names[name]
        changes.setdefault((kind, language), {})[column] = templates.cleaned_text(kind, column, text, field=name)
    for (kind, language), columns in changes.items():
        templates.write(tenant=tenant, kind=kind, language=language, columns=columns)


def copy_welcome(tenant: Organization) -> None:
    """Give a new tenant the installation's welcome text of its language and of English, as they are now (DOCMS-042).

    What the installation has not written stays empty: the built-in text is used, in each reader's language.
    """
    defaults = read(None)
    own = user_language(tenant.language)
    copied: dict[str, Any] = {
        "welcome_text": defaults[f"welcome_{own}_text"],
        "welcome_text_subject": defaults[f"welcome_{own}_subject"],
        "welcome_text_en": defaults["welcome_en_text"],
        "welcome_text_en_subject": defaults["welcome_en_subject"],
    }
    store(tenant, {name: text for name, text in copied.items() if text})
