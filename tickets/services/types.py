"""Ticket types and their questions. No change of them reaches tickets already filed (PORTAL-074)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Changed, Conflict, Invalid, NotFound
from core.services import audit, rows
from core.text import is_blank
from tickets import rules
from tickets.models import Ticket, TicketType, TicketTypeCommunity, TicketTypeField

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from orgs.actor import Actor
    from orgs.models import Community

MOST_FIELDS = 40
MOST_OPTIONS = 100
Kind = TicketTypeField.Kind
ICONS = (
    "tools", "drop", "flame", "bolt", "key", "door", "bin", "lock", "warning", "calendar", "mail", "phone", "paper",
    "people", "device", "help", "info", "home", "camera", "ticket",
)  # fmt: skip


@transaction.atomic
def create(
    *, actor: Actor, tenant_id: int, values: Mapping[str, Any], communities: Collection[Community] = ()
) -> TicketType:
    """Add a type; without communities it is offered in all of them.

    Side effect: audit. Raises `Denied` for others than administrators, `Invalid` for what is another company's,
    `ValidationError`.
    """
    require(rules.may_set_up(actor, tenant_id))
    _check(tenant_id, values, communities)
    made = rows.create(TicketType, tenant_id=tenant_id, **values)
    _offer(made, communities)
    return made


@transaction.atomic
def change(
    ticket_type: TicketType,
    *,
    actor: Actor,
    changes: Mapping[str, Any],
    communities: Collection[Community] | None = None,
    expected: int | None = None,
) -> None:
    """Change a type, and where it is offered. Raises as `create`, and `Changed`."""
    require(rules.may_set_up(actor, ticket_type.tenant_id))
    _check(ticket_type.tenant_id, changes, communities or ())
    rows.change(ticket_type, changes, expected=expected)
    if communities is not None:
        _offer(ticket_type, communities)


@transaction.atomic
def delete(ticket_type: TicketType, *, actor: Actor) -> None:
    """Remove a type that no ticket is of. Side effect: audit. Raises `Denied`, `Conflict` (``in_use``)."""
    require(rules.may_set_up(actor, ticket_type.tenant_id))
    if Ticket.objects.filter(ticket_type=ticket_type).exists():
        problem = _("There are tickets of this type. It can no longer be offered, but it cannot be deleted.")
        raise Conflict(problem, code="in_use")
    rows.delete(ticket_type)


def fields_of(ticket_type: TicketType) -> list[TicketTypeField]:
    """All questions, those that are not asked any more, too, in their order."""
    return list(TicketTypeField.objects.filter(ticket_type=ticket_type).order_by("position", "id"))


def digest(fields: Sequence[TicketTypeField]) -> str:
    """What somebody has before their eyes who changes the questions."""
    seen = [(f.pk, f.row_version, f.position) for f in fields]
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:32]


@transaction.atomic
def set_fields(
    *, actor: Actor, ticket_type: TicketType, fields: Sequence[Mapping[str, Any]], seen: str = ""
) -> list[TicketTypeField]:
    """Make these the questions of a type, in this order: those with an ``id`` are changed, others are new, the rest goes.

    Answers of filed tickets keep the question as it was, because they carry its words themselves. ``seen`` – `digest` of
    what the caller started from. Side effect: audit.

    Raises `Denied`, `Changed`, `NotFound` when the type is gone, `Invalid` with ``[place].name`` as fields.
    """
    require(rules.may_set_up(actor, ticket_type.tenant_id))
    if TicketType.objects.select_for_update(no_key=True, of=("self",)).filter(pk=ticket_type.pk).first() is None:
        raise NotFound
    stored = fields_of(ticket_type)
    if seen and seen != digest(stored):
        raise Changed
    if len(fields) > MOST_FIELDS:
        raise Invalid(_("At most %(count)d questions.") % {"count": MOST_FIELDS})
    known = {field.pk: field for field in stored}
    wrong: dict[str, list[str]] = {}
    for place, sent in enumerate(fields):
        wrong |= _wrong(sent, place, known)
    named = [sent["id"] for sent in fields if sent.get("id")]
    if len(named) != len(set(named)):
        wrong["[0].id"] = [_("An id comes twice.")]
    if wrong:
        raise Invalid(next(iter(wrong.values()))[0], fields=wrong)
    for field in stored:
        if field.pk not in named:
            rows.delete(field)
    return [_stored(ticket_type, sent, place, known) for place, sent in enumerate(fields)]


def _stored(
    ticket_type: TicketType, sent: Mapping[str, Any], place: int, known: Mapping[int, TicketTypeField]
) -> TicketTypeField:
    values = {
        "field_type": sent["field_type"],
        "name": sent["name"].strip(),
        "description": sent.get("description", "").strip(),
        "required": bool(sent.get("required")),
        "options": list(sent.get("options", ())) if sent["field_type"] == Kind.DROPDOWN else [],
        "decimals": sent.get("decimals") if sent["field_type"] == Kind.NUMBER else None,
        "is_active": bool(sent.get("is_active", True)),
        "position": place,
    }
    if sent.get("id"):
        field = known[sent["id"]]
        rows.change(field, values)
        return field
    return rows.create(TicketTypeField, tenant_id=ticket_type.tenant_id, ticket_type=ticket_type, **values)


def _wrong(sent: Mapping[str, Any], place: int, known: Mapping[int, TicketTypeField]) -> dict[str, list[str]]:
    """What is wrong with one question, by place and column."""
    found: dict[str, list[str]] = {}
    name, options, decimals = str(sent.get("name", "")), sent.get("options", ()), sent.get("decimals")
    if sent.get("id") and sent["id"] not in known:
        found[f"[{place}].id"] = [_("Not a question of this type.")]
    if is_blank(name) or len(name) > 200 or "\x00" in name:
        found[f"[{place}].name"] = [_("A question has 1 to 200 characters.")]
    if len(str(sent.get("description", ""))) > 2000 or "\x00" in str(sent.get("description", "")):
        found[f"[{place}].description"] = [_("At most 2,000 characters.")]
    if sent.get("field_type") not in Kind.values:
        found[f"[{place}].field_type"] = [_("Choose a kind.")]
    elif sent["field_type"] == Kind.DROPDOWN:
        if not options:
            found[f"[{place}].options"] = [_("A choice needs at least one line to choose from.")]
        elif len(options) > MOST_OPTIONS or any(len(o) > 200 or "\x00" in o for o in options):
            found[f"[{place}].options"] = [_("At most 100 lines of 200 characters.")]
        elif len(set(options)) != len(options):
            found[f"[{place}].options"] = [_("A line comes twice.")]
    if decimals is not None and not 0 <= decimals <= 6:
        found[f"[{place}].decimals"] = [_("A number has six decimals at most.")]
    return found


def _check(tenant_id: int, values: Mapping[str, Any], communities: Collection[Community]) -> None:
    group = values.get("group")
    if group is not None and group.tenant_id != tenant_id:
        raise Invalid.of("group", _("This belongs to another company."))
    if any(community.tenant_id != tenant_id for community in communities):
        raise Invalid.of("communities", _("This belongs to another company."))
    if values.get("icon", "") not in ("", *ICONS):
        raise Invalid.of("icon", _("There is no such icon."))


def _offer(ticket_type: TicketType, communities: Collection[Community]) -> None:
    """Offer a type in these communities and no others."""
    stored = TicketTypeCommunity.objects.filter(ticket_type=ticket_type).order_by("community_id")
    before = list(stored.values_list("community_id", flat=True))
    after = sorted({community.pk for community in communities})
    if before == after:
        return
    stored.exclude(community__in=after).delete()
    TicketTypeCommunity.objects.bulk_create(
        TicketTypeCommunity(tenant_id=ticket_type.tenant_id, ticket_type=ticket_type, community_id=pk)
        for pk in after
        if pk not in before
    )
    audit.record("changed", ticket_type, {"communities": [before, after]})
