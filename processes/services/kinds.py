"""Kinds of cases and the stages they go through. What cases use stays (PROCESSES-038, 039)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Conflict, Invalid, NotFound
from core.services import rows
from processes import rules
from processes.models import Process, ProcessStage, ProcessType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orgs.actor import Actor

NAME_MAX = 100  # characters
LANGUAGES = tuple(code for code, _name in settings.LANGUAGES)

Kind = TypeVar("Kind", ProcessType, ProcessStage)


@transaction.atomic
def create_type(*, actor: Actor, tenant_id: int, values: Mapping[str, Any]) -> ProcessType:
    """Add a kind of case. Side effect: audit. Raises `Denied`, `Invalid` for its names, `ValidationError`."""
    require(rules.may_make_kinds(actor, tenant_id))
    return rows.create(ProcessType, tenant_id=tenant_id, **_named(values))


@transaction.atomic
def create_stage(*, actor: Actor, process_type: ProcessType, values: Mapping[str, Any]) -> ProcessStage:
    """Add a stage to a kind of case. Raises as `create_type`, and `NotFound` when the kind is gone."""
    require(rules.may_make_kinds(actor, process_type.tenant_id))
    kind = _locked(process_type)
    return rows.create(ProcessStage, tenant_id=kind.tenant_id, type=kind, **_named(values))


@transaction.atomic
def change(kind: Kind, *, actor: Actor, changes: Mapping[str, Any], expected: int | None = None) -> None:
    """Change a kind or a stage; a stage stays with its kind. Cases keep theirs, also when it is no longer for new ones
    (PROCESSES-038). Side effect: audit.

    Raises `Denied`, `Invalid` for its names, `Changed`, `NotFound`, `ValidationError`.
    """
    require(rules.may_change_kinds(actor, kind.tenant_id))
    if kind.deleted_at is not None:
        raise NotFound
    rows.change(kind, _named(changes), expected=expected)


@transaction.atomic
def delete(kind: Kind, *, actor: Actor) -> None:
    """Hide a kind with its stages, or a stage. Side effect: audit.

    Raises `Denied`, `NotFound` when it is gone already, `Conflict` (``in_use``) while an undeleted case is of it
    (PROCESSES-039).
    """
    require(rules.may_delete_kinds(actor, kind.tenant_id))
    found = _locked(kind)
    column = "type" if isinstance(found, ProcessType) else "stage"
    if Process.objects.filter(deleted_at=None, **{column: found}).exists():
        raise Conflict(_("There are cases of this kind or in this stage; it cannot be deleted."), code="in_use")
    now = timezone.now()
    if isinstance(found, ProcessType):
        for stage in (
            ProcessStage.objects.select_for_update(no_key=True).filter(type=found, deleted_at=None).order_by("pk")
        ):
            rows.change(stage, {"deleted_at": now}, verb="deleted", check=False)
    rows.change(found, {"deleted_at": now}, verb="deleted", check=False)


def stages_of(process_type: ProcessType) -> list[ProcessStage]:
    """Its stages in their order."""
    return list(ProcessStage.objects.filter(type=process_type, deleted_at=None).order_by("position", "id"))


def _locked(kind: Kind) -> Kind:
    """The row, locked against cases that begin to refer to it. Raises `NotFound` for one that is gone."""
    found = type(kind)._default_manager.select_for_update(of=("self",)).filter(pk=kind.pk, deleted_at=None).first()
    if found is None:
        raise NotFound
    return found


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    """With names as they are stored: without blanks around them and without languages that have none."""
    if "names" not in values:
        return dict(values)
    names = {code: str(name).strip() for code, name in values["names"].items() if str(name).strip()}
    if not names:
        raise Invalid.of("names", _("It needs a name."))
    if set(names) - set(LANGUAGES):
        raise Invalid.of("names", _("There is no such language."))
    if any(len(name) > NAME_MAX or "\x00" in name for name in names.values()):
        raise Invalid.of("names", _("A name has at most %(count)d characters.") % {"count": NAME_MAX})
    return {**values, "names": names}
