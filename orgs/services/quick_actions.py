"""The buttons on the start page of an organization's staff: one list, replaced as a whole (ORGS-070 … 072)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Invalid, NotFound
from core.services import audit
from orgs import rules
from orgs.models import Organization, QuickAction

if TYPE_CHECKING:
    from orgs.actor import Actor

MOST = 50  # of one organization
LENGTHS = {"name": 100, "color": 32, "icon": 64, "resource": 50}


def listed(organization: Organization) -> list[QuickAction]:
    """In the order of the buttons. Raises `Denied` where a trial is over (ORGS-081)."""
    require(rules.may_use(organization))
    return list(QuickAction.objects.filter(organization=organization).order_by("position", "id"))


@transaction.atomic
def replace(*, actor: Actor, organization: Organization, actions: Sequence[Mapping[str, Any]]) -> list[QuickAction]:
    """Store exactly these, in this order; a known ``id`` is kept. Side effect: audit.

    Raises `Denied` without the right to change the organization or where its trial is over (ORGS-081), `Invalid` for
    too many, wrong values, or an ``id`` that is not of this organization or comes twice (ORGS-072); then nothing changes.
    """
    require(rules.may_change_organization(actor, organization))
    require(rules.may_use(organization))
    if len(actions) > MOST:
        problem = _("Not more than %(most)d quick actions.") % {"most": MOST}
        raise Invalid(problem, fields={"actions": [problem]})
    if Organization.objects.select_for_update(no_key=True, of=("self",)).filter(pk=organization.pk).first() is None:
        raise NotFound
    stored = {a.pk: a for a in QuickAction.objects.filter(organization=organization).order_by("position", "id")}
    old = [_plain(action) for action in stored.values()]
    wrong: dict[str, list[str]] = {}
    for place, sent in enumerate(actions):
        wrong |= _wrong(sent, place, stored)
    if wrong:
        raise Invalid(next(iter(wrong.values()))[0], fields=wrong)
    wanted = [_made(sent, stored) for sent in actions]
    named = [action.pk for action in wanted if action.pk]
    if len(named) != len(set(named)):
        problem = _("An id comes twice.")
        raise Invalid(problem, fields={"id": [problem]})
    QuickAction.objects.filter(organization=organization).exclude(pk__in=named).delete()
    for place, action in enumerate(wanted):
        action.organization, action.position = organization, place
        action.save(force_insert=not action.pk)
    new = [_plain(action) for action in wanted]
    if new != old:
        audit.record("changed", organization, {"quick_actions": [old, new]})
    return wanted


def _plain(action: QuickAction) -> list[Any]:
    return [action.pk, *(getattr(action, name) for name in (*LENGTHS, "one_click", "resource_id"))]


def _wrong(values: Mapping[str, Any], place: int, stored: Mapping[int, QuickAction]) -> dict[str, list[str]]:
    """What is wrong with one, by place and field."""
    wrong: dict[str, list[str]] = {}
    pk = values.get("id") or None
    if pk is not None and pk not in stored:
        wrong[f"[{place}].id"] = [_("Not an id of this organization.")]
    for name, length in LENGTHS.items():
        text = str(values.get(name, ""))
        if not text.strip() and name in ("name", "resource"):
            wrong[f"[{place}].{name}"] = [_("Must not be empty.")]
        elif len(text) > length:
            wrong[f"[{place}].{name}"] = [_("Longer than %d characters.") % length]
    return wrong


def _made(values: Mapping[str, Any], stored: Mapping[int, QuickAction]) -> QuickAction:
    """A stored or a new row with these values; not written yet."""
    pk = values.get("id") or None
    action = stored[pk] if pk is not None else QuickAction()
    for name in (*LENGTHS, "one_click", "resource_id"):
        default: Any = False if name == "one_click" else None if name == "resource_id" else ""
        setattr(action, name, values.get(name, default))
    return action
