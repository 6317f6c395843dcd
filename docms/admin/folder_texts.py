"""Texts of one folder, which go before the tenant's: the same form, preview and way back (DOCMS-147, 185)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.admin import pages
from core.admin.pages import Cell, Section, change_url
from docms import rules
from docms.models import Folder, FolderTemplate
from docms.services import texts
from messaging.admin.texts import NAMES, Level, edit, give_up, says_something
from messaging.services import preview, templates
from messaging.services.templates import TEXT_FIELDS

if TYPE_CHECKING:
    from docms.admin.folders import FolderAdmin
    from messaging.services.texts import Overrides, Texts

KINDS = tuple(FolderTemplate.Kind.values)


@dataclass(frozen=True)
class FolderLevel(Level):
    """The texts of a folder; ``tenant`` is its tenant."""

    folder: Folder | None = None

    @property
    def _where(self) -> Folder:
        assert self.folder is not None
        return self.folder

    @property
    def kinds(self) -> tuple[str, ...]:
        """What a folder can say itself."""
        return KINDS

    @property
    def subtitle(self) -> Any:
        """The folder."""
        return self._where

    @property
    def back(self) -> str:
        """The form of the folder."""
        return change_url(self._where)

    def own(self, actor: Any, kind: str) -> Texts | None:
        """The folder's text, if it says anything."""
        found = texts.text_of(self._where, kind)
        return found if says_something(found) else None

    def standard(self, kind: str) -> Overrides:
        """The tenant's text, and where that is empty, what goes before it."""
        found, own = super().standard(kind), templates.tenant_text(self._where.tenant_id, kind)
        for name in TEXT_FIELDS:
            if getattr(own, name).strip():
                setattr(found, name, getattr(own, name))
        return found

    def store(self, actor: Any, kind: str, values: dict[str, Any]) -> None:
        """See `texts.change_text`: a text without words is removed."""
        texts.change_text(actor=actor, folder=self._where, kind=kind, changes=values)

    def drop(self, actor: Any, kind: str) -> None:
        """See `texts.delete_text`."""
        texts.delete_text(actor=actor, folder=self._where, kind=kind)

    def preview(self, kind: str, language: str, texts: Texts | None) -> Any:
        """With the folder's text before the tenant's."""
        return preview.preview(kind, language=language, tenant=self.tenant, overrides=texts)

    def address(self, kind: str, page: str = "text") -> str:
        """Of a page about one text of the folder."""
        name = {"text": "docms_folder_text", "text-standard": "docms_folder_text_standard"}[page]
        return reverse(f"admin:{name}", args=[self._where.pk, kind])


def text_page(admin: FolderAdmin, request: HttpRequest, object_id: str, kind: str) -> HttpResponse:
    """The form of one text of a folder."""
    return edit(admin.admin_site, request, _level(admin, request, object_id, kind), kind)


def standard_page(admin: FolderAdmin, request: HttpRequest, object_id: str, kind: str) -> HttpResponse:
    """Asks, then lets the tenant's text apply again."""
    return give_up(admin.admin_site, request, _level(admin, request, object_id, kind), kind)


def section(actor: Any, folder: Folder) -> list[Section]:
    """The texts of a folder, for its form; nothing for whom they are not."""
    if not rules.may_administer(actor, folder.tenant_id):
        return []
    level = FolderLevel(folder.tenant, folder=folder)
    own = {row.kind for row in FolderTemplate.objects.filter(folder=folder) if says_something(row)}
    lines = [
        [Cell(NAMES[kind], level.address(kind)), Cell(_("own text"), tone="good") if kind in own else Cell(_("as the tenant's"), tone="none")]
        for kind in KINDS
    ]  # fmt: skip
    return [Section(_("Texts of mails and text messages"), [_("Text"), _("State")], lines)]


def _level(admin: FolderAdmin, request: HttpRequest, object_id: str, kind: str) -> FolderLevel:
    """Raises `Denied` for everybody but administrators, `Http404` for unknown folders and kinds."""
    folder: Folder = pages.of_object(admin, request, object_id)
    rules.require(rules.may_administer(request.actor, folder.tenant_id))  # type: ignore[attr-defined]
    if kind not in KINDS:
        raise Http404
    return FolderLevel(folder.tenant, folder=folder)
