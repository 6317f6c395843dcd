"""Labels of folders, which their documents carry, and the labels a tenant suggests for them.

Case is folded here and not by the database, which may know ASCII letters only; a folder or a company has a handful.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Conflict, Invalid, NotFound
from core.services import rows
from core.text import sort_key
from docms import rules
from docms.models import Document, Folder, FolderLabel, LabelSuggestion
from docms.services import indexing
from orgs.models import Organization

if TYPE_CHECKING:
    from orgs.actor import Actor

Label = TypeVar("Label", FolderLabel, LabelSuggestion)


def by_name(labels: Iterable[Label]) -> list[Label]:
    """As people sort them: without case, ä as a."""
    return sorted(labels, key=lambda label: (sort_key(label.name), label.name))


def named(labels: Iterable[Label], name: str) -> Label | None:
    """The one of that name in any case; none where there is none."""
    wanted = name.casefold()
    return next((label for label in labels if label.name.casefold() == wanted), None)


def _check_name(labels: Iterable[Label], name: str, problem: str, *, but: int = 0) -> None:
    """Raise `Conflict` for a name that is taken, `Invalid` for one that no client can put into a path (DOCMS-191)."""
    if name.strip() in (".", ".."):
        raise Invalid.of("name", _("This name cannot stand in an address."))
    twin = named(labels, name)
    if twin is not None and twin.pk != but:
        raise Conflict(problem, code="exists")


# --- Of a folder ----------------------------------------------------------------------------------------


def labels_of(folder: Folder) -> list[FolderLabel]:
    """The labels that documents of the folder may carry, by name."""
    return by_name(FolderLabel.objects.filter(folder=folder).order_by())


def label_named(folder: Folder, name: str) -> FolderLabel | None:
    """The folder's label of that name in any case; none where there is none."""
    return named(FolderLabel.objects.filter(folder=folder).order_by(), name)


@transaction.atomic
def create_label(*, actor: Actor, folder: Folder, name: str, color: str) -> FolderLabel:
    """Let documents of the folder carry a label.

    Raises `Denied` without administrator rights, `Conflict` (``exists``) when the folder has one of that name in any
    case, `NotFound` when the folder is gone, `ValidationError` for a colour that is none.
    """
    rules.require(rules.may_administer(actor, folder.tenant_id))
    _hold(folder.pk)
    _check_name(labels_of(folder), name, _("The folder has a label of that name already."))
    return rows.create(FolderLabel, tenant_id=folder.tenant_id, folder=folder, name=name, color=color)


@transaction.atomic
def change_label(
    *, actor: Actor, label: FolderLabel, changes: Mapping[str, Any], expected: int | None = None
) -> FolderLabel:
    """Rename or recolour: documents refer to the row, so they follow (DOCMS-140); they are found by the new name.

    Raises `Denied`, `Conflict` (``exists``), `NotFound` when it is gone, `Changed`, `ValidationError`.
    """
    rules.require(rules.may_administer(actor, label.tenant_id))
    _known(changes)
    folder = _hold(label.folder_id)
    fresh = FolderLabel.objects.select_for_update().filter(pk=label.pk).first()
    if fresh is None:
        raise NotFound
    if "name" in changes:
        problem = _("The folder has a label of that name already.")
        _check_name(labels_of(folder), changes["name"], problem, but=fresh.pk)
    if "name" in rows.change(fresh, changes, expected=expected):
        indexing.index(list(Document.objects.filter(label=fresh).select_related("label")))
    return fresh


@transaction.atomic
def delete_label(*, actor: Actor, label: FolderLabel) -> None:
    """Take the label from the folder and from its documents, which stay (DOCMS-140).

    Raises `Denied` without administrator rights, `NotFound` when it is gone.
    """
    rules.require(rules.may_administer(actor, label.tenant_id))
    fresh = FolderLabel.objects.select_for_update().filter(pk=label.pk).first()
    if fresh is None:
        raise NotFound
    carriers = list(Document.objects.filter(label=fresh).values_list("pk", flat=True))
    rows.delete(fresh)
    indexing.index(list(Document.objects.filter(pk__in=carriers).select_related("label")))


def _hold(folder_id: int) -> Folder:
    """The folder, locked: two labels of one name that come at once meet here."""
    folder = Folder.objects.select_for_update(no_key=True).filter(pk=folder_id).first()
    if folder is None:
        raise NotFound
    return folder


def _known(changes: Mapping[str, Any]) -> None:
    unknown = changes.keys() - {"name", "color"}
    if unknown:
        raise TypeError(f"unknown columns of a label: {', '.join(sorted(unknown))}")


# --- Suggested by the tenant ----------------------------------------------------------------------------


@transaction.atomic
def create_suggestion(*, actor: Actor, tenant_id: int, name: str, color: str) -> LabelSuggestion:
    """Suggest a label for the folders of a tenant; labels made from it lead their own life.

    Raises `Denied` without administrator rights, `Conflict` (``exists``) when there is one of that name in any case,
    `ValidationError` for a colour that is none.
    """
    rules.require(rules.may_administer(actor, tenant_id))
    _refuse_suggested(tenant_id, name)
    return rows.create(LabelSuggestion, tenant_id=tenant_id, name=name, color=color)


@transaction.atomic
def change_suggestion(
    *, actor: Actor, suggestion: LabelSuggestion, changes: Mapping[str, Any], expected: int | None = None
) -> LabelSuggestion:
    """Rename or recolour a suggestion. Raises as `create_suggestion`, `NotFound` when it is gone, and `Changed`."""
    rules.require(rules.may_administer(actor, suggestion.tenant_id))
    _known(changes)
    if "name" in changes:
        _refuse_suggested(suggestion.tenant_id, changes["name"], but=suggestion.pk)
    fresh = LabelSuggestion.objects.select_for_update().filter(pk=suggestion.pk).first()
    if fresh is None:
        raise NotFound
    rows.change(fresh, changes, expected=expected)
    return fresh


@transaction.atomic
def delete_suggestion(*, actor: Actor, suggestion: LabelSuggestion) -> None:
    """Suggest a label no longer. Raises `Denied` without administrator rights, `NotFound` when it is gone."""
    rules.require(rules.may_administer(actor, suggestion.tenant_id))
    fresh = LabelSuggestion.objects.select_for_update().filter(pk=suggestion.pk).first()
    if fresh is None:
        raise NotFound
    rows.delete(fresh)


def _refuse_suggested(tenant_id: int, name: str, *, but: int = 0) -> None:
    """Raise `Conflict` for a name that is taken. The tenant is locked, so that two at once meet here."""
    Organization.objects.select_for_update(no_key=True).filter(pk=tenant_id).values_list("pk").first()
    suggested = LabelSuggestion.objects.filter(tenant=tenant_id).order_by()
    _check_name(suggested, name, _("There is a label of that name already."), but=but)
