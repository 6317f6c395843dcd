"""Read rules of tickets.

A resident reaches a ticket in a community reached today (PORTAL-018), as the one who filed it, as its contact,
or as a reader it was shared with. Managers reach every ticket of the communities they manage.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core.querysets import any_of, any_of_sql
from core.text import like_escaped, search_query
from orgs.audience import addressed_to

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from orgs.actor import Actor
    from orgs.models import Community

_M = TypeVar("_M", bound=models.Model)
# Contacts by what the register finds them by. ILIKE, because the index of trigrams serves it, and not the ORM's UPPER.
_PEOPLE, _NAMED = "SELECT i.contact_id FROM orgs_contactindex i WHERE ", "i.text ILIKE %s"
RESTED = datetime.timedelta(days=30)  # without activity, after which the portal's list leaves out what is done


def _rows(model: str) -> Any:
    """Another table of this floor, for subqueries: unordered, and named, because the models import this module."""
    return apps.get_model("tickets", model)._default_manager.order_by()


def _own(actor: Actor, prefix: str = "") -> Q:
    """Filed by the actor or about the actor, in a community still reached."""
    return _of_requester(actor, prefix) & Q(**{f"{prefix}community__in": actor.communities})


def _of_requester(actor: Actor, prefix: str = "") -> Q:
    """Filed by the actor or about the actor. What a manager took in for a stranger is not the manager's own."""
    filed = Q(**{f"{prefix}created_by": actor.user_id, f"{prefix}stranger": ""})
    return filed | Q(**{f"{prefix}contact__in": actor.contact_ids})


def _takes_part(actor: Actor, prefix: str = "") -> Q:
    """Managers, who filed it, and its contact: the participants (PORTAL-064)."""
    return Q(**{f"{prefix}community__in": actor.managed}) | _own(actor, prefix)


def _hits(actor: Actor, words: str) -> Any:
    """Rows of the index, which begins with the community, in which all words occur; None where there are no words."""
    query = search_query(words)
    if query is None:
        return None
    hits = _rows("TicketIndex").filter(vector=query)
    return hits if _everywhere(actor) else hits.filter(community__in=actor.communities | actor.managed)


def _everywhere(actor: Actor) -> bool:
    """The operator, not narrowed to one tenant."""
    return actor.is_operator and not actor.acting


class TicketTypeGroupQuerySet(models.QuerySet["_M"]):
    """Headings over ticket types."""

    def visible_to(self, actor: Actor) -> Self:
        """Everybody of the tenant."""
        return self.all() if _everywhere(actor) else self.filter(tenant__in=actor.tenants)


def _lately() -> Any:
    """What people did about a ticket in the last 30 days, as far as its requester may know.

    An entry without a user is a job's, which closes what was solved long ago: that is no news (`overdue.close_solved`).
    """
    since = timezone.now() - RESTED
    entries = _rows("TicketActivity").filter(ticket=OuterRef("pk"), user__isnull=False, created_at__gt=since)
    return entries.filter(deleted_at=None).exclude(kind="note")


class TicketTypeQuerySet(models.QuerySet["_M"]):
    """What can be reported."""

    def visible_to(self, actor: Actor) -> Self:
        """Staff all types of their tenants; residents the active ones of a community they reach."""
        if _everywhere(actor):
            return self.all()
        here = _rows("TicketTypeCommunity").filter(ticket_type=OuterRef("pk"))
        offered = Q(is_active=True) & (~Exists(here) | Exists(here.filter(community__in=actor.communities)))
        return self.filter(Q(tenant__in=actor.staff_tenants) | offered, tenant__in=actor.tenants)

    def offered_in(self, community: Community, roles: Iterable[str] | None) -> Self:
        """Types a caller with these roles may use there (PORTAL-057, 088); None = staff, who may use all."""
        here = _rows("TicketTypeCommunity").filter(ticket_type=OuterRef("pk"))
        offered = self.filter(
            ~Exists(here) | Exists(here.filter(community=community)), tenant=community.tenant_id, is_active=True
        )
        if roles is None:
            return offered
        return offered.filter(Q(roles=[]) | Q(roles__overlap=list(roles)))


class OfTicketType(models.QuerySet["_M"]):
    """Rows that are as visible as their ticket type."""

    def visible_to(self, actor: Actor) -> Self:
        """Whoever sees the type."""
        return self.filter(ticket_type__in=_rows("TicketType").visible_to(actor))


class TicketQuerySet(models.QuerySet["_M"]):
    """Tickets. Deleted ones are gone for everybody; only the purge and the numbers still know them."""

    def visible_to(self, actor: Actor) -> Self:
        """Participants, and the readers a ticket was shared with (PORTAL-064 … 066)."""
        if _everywhere(actor):
            return self.filter(deleted_at=None)
        return self.filter(
            _own(actor) | addressed_to(actor, audience_field="shared_with"),
            community__in=actor.communities | actor.managed,
            deleted_at=None,
        )

    def of_participants(self, actor: Actor) -> Self:
        """Without what was merely shared: the tickets door knows no sharing (TICKETS-033, conflict 10)."""
        if _everywhere(actor):
            return self.filter(deleted_at=None)
        return self.filter(_takes_part(actor), deleted_at=None)

    def of_participants_in(self, actor: Actor, community: Community) -> Self:
        """Those of one community that the actor reaches: `of_participants` without the ids of the others."""
        if _everywhere(actor) or community.pk in actor.managed:
            return self.filter(community=community, deleted_at=None)
        return self.filter(_of_requester(actor), community=community, deleted_at=None)

    def worked_on_by(self, actor: Actor) -> Self:
        """The back office's: tickets of the communities that the actor manages, not those the actor only filed."""
        found = self.filter(deleted_at=None)
        return found if _everywhere(actor) else found.filter(community__in=actor.managed)

    def of_requester(self, actor: Actor) -> Self:
        """Filed by the actor or about the actor, of what is visible anyway."""
        return self.filter(_of_requester(actor))

    def current(self) -> Self:
        """Without what is done and has rested for 30 days (TICKETS-061)."""
        return self.filter(Q(closed_at=None) | Exists(_lately()))

    def rested(self) -> Self:
        """The others: done, and nobody has done anything about it for 30 days."""
        return self.filter(~Exists(_lately()), closed_at__isnull=False)

    def search(self, actor: Actor, words: str) -> Self:
        """Visible tickets in which all words occur."""
        hits = _hits(actor, words)
        return self.none() if hits is None else self.visible_to(actor).filter(id__in=hits.values("ticket_id"))

    def numbered(self, written: str) -> Self:
        """By a number as people see it: that of the company, or a community's short code and its own, "100-161"."""
        number = self._number_in(written)
        return self.none() if number is None else self.filter(number)

    @staticmethod
    def _number_in(written: str) -> Q | None:
        place, _dash, number = written.strip().removeprefix("#").rpartition("-")
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            return None
        if not place:
            return Q(identifier=number)
        named = Q(community__code__iexact=place) | Q(community__code="", community__identifier__iexact=place)
        return named & Q(number=int(number))

    def found_by(self, actor: Actor, words: str) -> Self:
        """Of what a read rule has found for the actor: all words occur in it, or in what its requester is found by in the
        register, or they are its number.

        Each way yields ids, and an index of the table each: an OR of subqueries would look at every ticket.
        """
        people = [f"%{like_escaped(word)}%" for word in words.split()]
        found = (
            any_of_sql("contact", f"{_PEOPLE}{' AND '.join([_NAMED] * len(people))}", people)
            if people
            else Q(pk__in=[])
        )
        if (hits := _hits(actor, words)) is not None:
            found |= any_of("id", hits.values("ticket_id"))
        if (numbered := self._number_in(words)) is not None:
            found |= any_of("id", self.filter(numbered).order_by().values("id"))
        return self.filter(found)

    def of_erased(self) -> Self:
        """Whose requester is erased; without a requester, who filed it (PORTAL-099)."""
        return self.filter(
            Q(contact__account_erased_at__isnull=False)
            | Q(contact__erased_at__isnull=False)
            | Q(contact=None, stranger="", created_by__erased_at__isnull=False)
        )

    def not_held(self) -> Self:
        """That no legal hold covers: by name, through requester or who filed it, unit or community."""
        holds = apps.get_model("orgs", "Hold")._default_manager.filter(released_at=None, tenant=OuterRef("tenant"))
        named = _rows("TicketHold").filter(ticket=OuterRef("pk"), hold__released_at=None)
        placed = holds.filter(
            Q(contact=OuterRef("contact"))
            | Q(contact__user=OuterRef("created_by"))
            | Q(unit=OuterRef("unit"))
            | Q(community=OuterRef("community"))
        )
        return self.filter(~Exists(named), ~Exists(placed))


class TicketHoldQuerySet(models.QuerySet["_M"]):
    """Tickets under a legal hold by name: for administrators only, as the holds are."""

    def visible_to(self, actor: Actor) -> Self:
        """Administrators of the tenant, and the operator."""
        return self.all() if _everywhere(actor) else self.filter(tenant__in=actor.admin_tenants)


class TicketActivityQuerySet(models.QuerySet["_M"]):
    """The stream of tickets."""

    def visible_to(self, actor: Actor) -> Self:
        """Managers everything, other participants all but internal notes, readers by sharing only what staff said.

        (PORTAL-066, 069)
        """
        if _everywhere(actor):
            return self.filter(deleted_at=None, ticket__deleted_at=None)
        by_sharing = addressed_to(actor, "ticket__community", "ticket__shared_with") & (
            Q(kind="ticketCreated") | Q(kind="comment", from_staff=True)
        )
        return self.filter(
            Q(ticket__community__in=actor.managed) | (_own(actor, "ticket__") & ~Q(kind="note")) | by_sharing,
            deleted_at=None,
            ticket__deleted_at=None,
        )

    def to_participants(self, ticket_id: int) -> Self:
        """What `visible_to` shows of one ticket, without internal notes, to whoever takes part in it, as `of_participants`
        has found out.
        """
        return self.filter(ticket=ticket_id, deleted_at=None).without_notes()

    def without_notes(self) -> Self:
        """What the doors show to anybody: internal notes live in the back office only (conflict 8)."""
        return self.exclude(kind="note")


class TicketAttachmentQuerySet(models.QuerySet["_M"]):
    """Files of tickets."""

    def visible_to(self, actor: Actor) -> Self:
        """Whoever sees the entry a file belongs to; files of no entry are for participants."""
        entries = _rows("TicketActivity").visible_to(actor).values("id")
        loose = Q(activity=None, ticket__deleted_at=None)
        if not _everywhere(actor):
            loose &= _takes_part(actor, "ticket__")
        return self.filter(Q(activity__in=entries) | loose)


class OfTicket(models.QuerySet["_M"]):
    """Rows that are the staff's and belong to one ticket."""

    def visible_to(self, actor: Actor) -> Self:
        """Who looks after the ticket's community."""
        found = self.filter(ticket__deleted_at=None)
        return found if _everywhere(actor) else found.filter(ticket__community__in=actor.managed)


class OwnDraftQuerySet(models.QuerySet["_M"]):
    """What people have begun to write."""

    def visible_to(self, actor: Actor) -> Self:
        """The own ones, as long as the ticket is looked after."""
        return self.filter(user=actor.user_id, ticket__deleted_at=None, ticket__community__in=actor.managed)


class DeskQuerySet(models.QuerySet["_M"]):
    """What a company has set up for its help desk."""

    def visible_to(self, actor: Actor) -> Self:
        """Staff of the company."""
        return self.all() if _everywhere(actor) else self.filter(tenant__in=actor.staff_tenants)


class TicketFilterQuerySet(models.QuerySet["_M"]):
    """Saved filters of the work list."""

    def visible_to(self, actor: Actor) -> Self:
        """The own ones, and those that colleagues have shared."""
        return self.filter(Q(user=actor.user_id) | Q(is_shared=True), tenant__in=actor.staff_tenants)
