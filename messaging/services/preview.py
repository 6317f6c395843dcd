"""How a text looks before it is stored: filled with an example, nothing is written and nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils import translation
from django.utils.translation import gettext as _

from messaging.services.catalogue import FILLED, sent_as
from messaging.services.render import Rendered, render, render_text
from messaging.services.sms_parts import parts_of
from messaging.services.templates import PLAIN_KINDS
from messaging.services.texts import Texts, load
from orgs.languages import USER_LANGUAGES, user_language
from orgs.services.installation import public_url

if TYPE_CHECKING:
    from messaging.services.texts import Source
    from orgs.models import Organization


@dataclass(frozen=True)
class TextMessage:
    """A finished text message."""

    text: str
    language: str
    parts: int


def example(kind: str, language: str) -> dict[str, str]:
    """Values for the placeholders that have one in this kind of template, in a language."""
    with translation.override(language):
        above, folder = _("Owners"), _("Annual statements")
        values = {
            "user_name": "Erika Muster",
            "username": "erika.muster@example.org",
            "folder_name": folder,
            "folder_path": f"{above}/{folder}",
            "file_title": _("Annual statement"),
            "file_name": "2026.pdf",
            "uploader_name": "Jan Beispiel",
            "note": _("Please have a look before Friday."),
            "link": public_url("/app/login"),
            "code": "482913",
            "valid_hours": "72",
        }
    return {name: value for name, value in values.items() if name in FILLED[kind]}


def preview(
    kind: str,
    *,
    language: str,
    tenant: Organization | None = None,
    texts: Texts | None = None,
    overrides: Texts | None = None,
) -> Rendered | TextMessage:
    """What a reader of ``language`` gets. ``texts`` stand for those of the tenant, or of the installation in this language;
    without any it is what is sent today. ``overrides`` go before, as those of a folder. ``kind`` is one of
    `catalogue.FILLED`.
    """
    sent = sent_as(kind)
    source = load(sent, tenant, overrides)
    if texts is not None:
        source = _with(source, texts, language)
    context = example(kind, language)
    if kind not in PLAIN_KINDS:
        return render(sent, language=language, context=context, source=source)
    text = render_text(sent, language=language, context=context, source=source)
    return TextMessage(text, source.choose(language).language, parts_of(text))


def _with(source: Source, texts: Texts, language: str) -> Source:
    if source.tenant is None:
        return replace(source, installed={**source.installed, language: texts})
    return replace(source, own=texts)


def readers_of(tenant: Organization) -> list[str]:
    """The two languages whose readers get different texts of a tenant: its own, and another one."""
    own = user_language(tenant.language)
    others = [code for code, _name in sorted(USER_LANGUAGES, key=lambda spoken: spoken[0] != "en")]
    return [own, next(code for code in others if code != own)]
