"""Which text is used: folder, tenant, installation, built in – decided field by field (DOCMS-147, 148)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.db.models import Q

from messaging.models import Template
from messaging.services.catalogue import KINDS
from messaging.texts import TEXTS, BuiltIn
from orgs.languages import user_language
from orgs.models import InstallationSettings, Organization, OrganizationSettings
from orgs.services.installation import installation


class Texts(Protocol):
    """What a template of a higher floor (a folder's) has in common with `Template`."""

    subject: str
    body: str
    subject_en: str
    body_en: str
    to_email: str
    rest_bcc: bool


@dataclass
class Overrides:
    """Texts that go before those of the tenant, for callers without a row."""

    subject: str = ""
    body: str = ""
    subject_en: str = ""
    body_en: str = ""
    to_email: str = ""
    rest_bcc: bool = False


@dataclass(frozen=True)
class Chosen:
    """The texts of one mail; what is empty comes from ``built_in``."""

    subject: str
    body: str
    built_in: BuiltIn
    language: str


@dataclass(frozen=True)
class Source:
    """Everything about texts that mails of one kind and tenant have in common: read once, used for all."""

    kind: str
    tenant: Organization | None
    settings: OrganizationSettings | None
    app: InstallationSettings
    overrides: Texts | None
    own: Texts | None
    installed: Mapping[str, Texts]

    @property
    def tenant_language(self) -> str:
        """The language of the tenant's primary texts; of the installation's mails, German."""
        return user_language(self.tenant.language) if self.tenant else "de"

    def url(self, path: str) -> str:
        """An address people can open, without asking the database for each."""
        return (self.app.app_url or settings.PUBLIC_URL).rstrip("/") + path

    @property
    def addressing(self) -> tuple[str, bool]:
        """``(to_email, rest_bcc)`` of the folder's template, else of the tenant's (DOCMS-150, 193)."""
        for texts in (self.overrides, self.own):
            if texts is not None and (texts.to_email or texts.rest_bcc):
                return texts.to_email, texts.rest_bcc
        return "", False

    def choose(self, language: str) -> Chosen:
        """The texts for a person of this language.

        Folder's and tenant's: the primary text for the tenant's language, else the ``_en`` one, or the primary
        one where that is empty (DOCMS-149). Installation's and built-in: the person's own language.
        """
        primary = language == self.tenant_language
        found: dict[str, tuple[str, str]] = {}
        for name in ("subject", "body"):
            for texts in (self.overrides, self.own):
                if texts is None or name in found:
                    continue
                text, english = getattr(texts, name), getattr(texts, f"{name}_en")
                if english.strip() and not primary:
                    found[name] = (english, "en")
                elif text.strip():
                    found[name] = (text, self.tenant_language)
            row = self.installed.get(language)
            if name not in found and row is not None and getattr(row, name).strip():
                found[name] = (getattr(row, name), language)
        nothing = ("", language)
        body, spoken = found.get("body", nothing)
        return Chosen(found.get("subject", nothing)[0], body, TEXTS[language][self.kind], spoken)


def load(kind: str, tenant: Organization | None, overrides: Texts | None = None) -> Source:
    """Read templates and settings: three queries, whatever the number of recipients."""
    wanted = KINDS[kind].template
    rows: list[Template] = []
    if wanted:
        rows = list(Template.objects.filter(Q(tenant=tenant) | Q(tenant=None), kind=wanted))
    return Source(
        kind=kind,
        tenant=tenant,
        settings=OrganizationSettings.objects.filter(organization=tenant).first() if tenant else None,
        app=installation(),
        overrides=overrides,
        own=next((row for row in rows if row.tenant_id is not None), None),
        installed={row.language: row for row in rows if row.tenant_id is None},
    )
