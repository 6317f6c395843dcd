"""Texts of one folder, which go before the tenant's (DOCMS-147)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from core.errors import NotFound
from core.services import rows
from docms import rules
from docms.models import Folder, FolderTemplate
from messaging.services import templates
from messaging.services.templates import TEXT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from messaging.services.texts import Texts
    from orgs.actor import Actor
    from orgs.models import Organization

Kind = FolderTemplate.Kind
_EMPTY: dict[str, Any] = {**dict.fromkeys(TEXT_FIELDS, ""), "to_email": "", "rest_bcc": False}


def text_of(folder: Folder, kind: str) -> FolderTemplate | None:
    """The folder's own text of a kind."""
    return FolderTemplate.objects.filter(folder=folder, kind=kind).first()


@transaction.atomic
def store_text(*, actor: Actor, folder: Folder, kind: str, values: Mapping[str, Any]) -> FolderTemplate:
    """Store a folder's text in place of the one that is there: what is left out is empty (DOCMS-185). Audited.

    Raises `Denied` without administrator rights, `Invalid` for unknown placeholders (DOCMS-152), or everybody in BCC
    without a visible recipient (DOCMS-150).
    """
    return _store(actor, folder, kind, {**_EMPTY, **values})


@transaction.atomic
def change_text(*, actor: Actor, folder: Folder, kind: str, changes: Mapping[str, Any]) -> FolderTemplate | None:
    """Change a folder's text; what is left out stays. One without any words is removed (then None).

    Raises as `store_text`.
    """
    row = _store(actor, folder, kind, changes)
    if any(getattr(row, name).strip() for name in TEXT_FIELDS):
        return row
    rows.delete(row)
    return None


def _store(actor: Actor, folder: Folder, kind: str, changes: Mapping[str, Any]) -> FolderTemplate:
    rules.require(rules.may_administer(actor, folder.tenant_id))
    stored = templates.cleaned(kind, changes)
    FolderTemplate.objects.bulk_create(
        [FolderTemplate(tenant_id=folder.tenant_id, folder=folder, kind=kind)], ignore_conflicts=True
    )
    row = FolderTemplate.objects.select_for_update(of=("self",)).get(folder=folder, kind=kind)
    templates.require_visible_recipient(row, stored)
    rows.change(row, stored, check=False)
    return row


@transaction.atomic
def delete_text(*, actor: Actor, folder: Folder, kind: str) -> None:
    """Let the tenant's text apply again. Raises `Denied`, and `NotFound` when there is none."""
    rules.require(rules.may_administer(actor, folder.tenant_id))
    row = FolderTemplate.objects.select_for_update().filter(folder=folder, kind=kind).first()
    if row is None:
        raise NotFound
    rows.delete(row)


def change_tenant_text(*, actor: Actor, tenant: Organization, kind: str, changes: Mapping[str, Any]) -> Texts:
    """Change a text of the tenant; what is left out stays.

    Raises `Denied` without administrator rights, or super administrator rights while the settings are locked;
    `Invalid` as `store_text`.
    """
    rules.require(rules.may_change_settings(actor, tenant.pk))
    return templates.store_tenant_text(tenant=tenant, kind=kind, changes=changes)


def share_mail_of(folder: Folder) -> tuple[Texts, bool]:
    """The share mail that applies to a folder, and whether it is the folder's own (DOCMS-189)."""
    own = text_of(folder, Kind.SHARE_MAIL)
    if own is not None:
        return own, True
    return templates.tenant_text(folder.tenant_id, Kind.SHARE_MAIL), False
