"""Tickets are filed: numbered, told in a first entry, findable at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Invalid
from core.planned import NUMBER, WORD, Found
from core.services import rows
from core.services.numbers import next_numbers
from core.services.wake import wake
from core.text import is_blank, one_way
from orgs.languages import user_language
from orgs.models import Community, Contact, Unit
from orgs.services.contacts import contact_for
from tickets import rules
from tickets.models import AssignmentRule, Priority, SupportType, Ticket, TicketActivity, TicketType
from tickets.services import attachments, indexing, targets
from tickets.signals import ticket_filed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from orgs.actor import Actor

TEXT_MAX = 20_000  # characters


@dataclass(frozen=True)
class Filed:
    """A new ticket and the entry that tells of it."""

    ticket: Ticket
    activity: TicketActivity


@transaction.atomic
def file_ticket(
    *,
    actor: Actor,
    community: Community,
    text: str,
    source: str,
    title: str = "",
    support_type: str = "",
    ticket_type: TicketType | None = None,
    answers: Sequence[dict[str, Any]] = (),
    unit: Unit | None = None,
    requester: Contact | None = None,
    files: attachments.Files = attachments.NONE,
    external_ref: str = "",
    stranger: str = "",
) -> Filed:
    """File a ticket of a community, for oneself or, as its manager, for a contact (TICKETS-010 … 023).

    ``stranger`` – the address of a sender whom the register does not know: the actor is a manager who takes it in, the
    ticket has no requester and its first entry no author.

    Without title, or with one that nobody sees, it takes the name of its type (conflict 6). Of type and support type the one that is given leads to
    the other (conflict 4). Who files is ``created_by`` and wrote the first entry, whoever it is about (conflict 7).

    Side effects: the next number of the community and of the tenant, gap-free (TICKETS-025 … 027); first entry of the
    stream with the files; targets of the type, the community or the company; search index; audit; signal `ticket_filed`;
    after commit a worker assigns it where the company has rules for that.

    Raises `Denied` for whoever may not file here, or for others; `Invalid` without text, for a unit elsewhere, a type
    that is not offered, or a file that is none; `ValidationError` for other wrong values.
    """
    assert actor.user_id is not None, "tickets are filed by people"
    require(rules.may_file(actor, community))
    if stranger or (requester is not None and requester.user_id != actor.user_id):
        require(rules.may_file_for_others(actor, community))
    if is_blank(text):
        raise Invalid.of("text", _("Please say what it is about."))
    check_length(text)
    if unit is not None and unit.community_id != community.pk:
        raise Invalid.of("unit", _("This unit does not belong to the community."))
    kind, offered = _types(community, support_type, ticket_type)
    values: dict[str, Any] = {
        "title": (_title(community, kind, offered) if is_blank(title) else one_way(title))[:250],
        "description": text,
        "answers": list(answers),
        "external_ref": external_ref,
        "stranger": stranger[:254],
        "contact": None if stranger else requester or _own_contact(actor, community),
    }
    claimed = attachments.claim(actor=actor, tenant_id=community.tenant_id, files=files)
    community.tenant.settings  # noqa: B018 - is read before somebody waits
    has_rules = _RULES.exists(tenant=community.tenant_id)
    # Community before tenant, and both as late as possible: whoever files next waits for this transaction. The moment is
    # taken after them, so that in a community moments follow numbers, and whoever walks the list misses none.
    number, identifier = next_numbers(
        tenant_id=community.tenant_id, of=[("ticket", community.pk), ("ticket_identifier", 0)]
    )
    now = timezone.now()
    ticket = rows.create(
        Ticket,
        verb="filed",
        savepoint=False,
        tenant_id=community.tenant_id,
        community=community,
        unit=unit,
        created_by_id=actor.user_id,
        support_type=kind,
        ticket_type=offered,
        created_at=now,
        updated_at=now,
        number=number,
        identifier=str(identifier),
        priority=offered.priority if offered else Priority.NORMAL,
        **targets.for_new(community, offered, now),
        **values,
    )
    author = {"actor": None, "automatic_name": stranger[:100]} if stranger else {"actor": actor}
    activity = write(
        ticket, kind=TicketActivity.Kind.CREATED, source=source, text=text, at=now, savepoint=False, **author
    )
    attachments.add(activity, claimed)
    indexing.index(ticket, is_new=True)
    ticket_filed.send(sender=Ticket, ticket=ticket, activity=activity)
    if has_rules:
        transaction.on_commit(partial(wake, "tickets.assign", ticket.pk), robust=True)
    return Filed(ticket, activity)


def check_length(text: str) -> None:
    """Raise `Invalid` for more than any door takes."""
    if len(text) > TEXT_MAX:
        raise Invalid.of("text", _("The text is too long: %(count)d characters at most.") % {"count": TEXT_MAX})


def write(ticket: Ticket, *, kind: str, actor: Actor | None, source: str, at: Any, **values: Any) -> TicketActivity:
    """Add one entry to the stream; without an actor it is an automatic one. Raises `ValidationError` for long text."""
    return rows.create(
        TicketActivity,
        verb="added",
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        kind=kind,
        user_id=actor.user_id if actor else None,
        from_staff=actor is not None and rules.manages(actor, ticket.community_id),
        source=source,
        created_at=at,
        **values,
    )


def _default_type(community: int, tenant: int, kind: str) -> QuerySet[TicketType]:
    offered = TicketType.objects.offered_in(Community(pk=community, tenant_id=tenant), None)
    return offered.filter(support_type=kind, is_support_default=True)[:1]


_DEFAULT_TYPE = Found(_default_type, community=NUMBER, tenant=NUMBER, kind=WORD)
_RULES = Found(
    lambda tenant: AssignmentRule.objects.filter(tenant=tenant, is_active=True).order_by()[:1], tenant=NUMBER
)


def _types(community: Community, support_type: str, ticket_type: TicketType | None) -> tuple[str, TicketType | None]:
    """Both types of a ticket (conflict 4). Raises `Invalid` for an unknown or foreign one."""
    if ticket_type is not None:
        if ticket_type.tenant_id != community.tenant_id:
            raise Invalid.of("ticket_type", _("This type is not offered here."))
        return support_type or ticket_type.support_type, ticket_type
    kind = support_type or SupportType.OTHER.value
    if kind not in SupportType.values:
        raise Invalid.of("support_type", _("There is no such type."))
    return kind, _DEFAULT_TYPE.first(community=community.pk, tenant=community.tenant_id, kind=kind)


def _title(community: Community, kind: str, ticket_type: TicketType | None) -> str:
    if ticket_type is not None:
        return ticket_type.name
    with translation.override(user_language(community.tenant.language)):
        return str(SupportType(kind).label).capitalize()


def _own_contact(actor: Actor, community: Community) -> Contact:
    """The caller in the register; staff get an entry when they first act (one-model)."""
    assert actor.user is not None
    return contact_for(actor.user, community.tenant)
