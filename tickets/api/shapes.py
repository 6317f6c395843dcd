"""How tickets, their stream and their people look at the support door; the same tables make answers and the document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.templatetags.static import static
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from orgs import models as orgs
from orgs.rules import may_see_reach
from orgs.services.installation import public_url
from tickets.api.rows import Entry, Line, entries, files_of, lines
from tickets.models import SupportType, Ticket, TicketActivity, TicketAttachment, TicketStatus
from tickets.services import people
from tickets.services.people import Person, Place

if TYPE_CHECKING:
    from uuid import UUID

    from orgs.actor import Actor
    from orgs.models import Community
    from orgs.models import User as Account
    from tickets.services.filing import Filed

# Stored → said, and what a word said stands for: the value it writes, and those it takes for the same (conflict 1).
STATUSES = {
    TicketStatus.NEW: "new",
    TicketStatus.REOPENED: "inProgress",
    TicketStatus.IN_PROGRESS: "inProgress",
    TicketStatus.WAITING: "inProgress",
    TicketStatus.SOLVED: "solved",
    TicketStatus.CLOSED: "closed",
}
WRITTEN = {
    "new": TicketStatus.NEW,
    "inProgress": TicketStatus.IN_PROGRESS,
    "solved": TicketStatus.SOLVED,
    "closed": TicketStatus.CLOSED,
}
STATUS_WORDS = ("closed", "inProgress", "new", "solved")
SHOWN = ("ticketCreated", "comment", "assigneeUpdated", "statusUpdated")


def stored(word: str) -> set[str]:
    """All stored values that this door shows as a word."""
    return {value.value for value, said in STATUSES.items() if said == word}


# --- The document's schemas -------------------------------------------------------------------------------


class User(serializers.Serializer):
    """An account."""

    id = serializers.UUIDField()
    photoUrl = serializers.URLField(allow_null=True)
    blocked = serializers.BooleanField(required=False)
    email = serializers.EmailField(required=False, allow_null=True, help_text="Only when the caller may see it.")
    name = serializers.CharField(required=False, allow_null=True, help_text="Given name.")
    phoneNumber = serializers.CharField(required=False, allow_null=True, help_text="Only when the caller may see it.")
    surname = serializers.CharField(required=False, allow_null=True)


class Membership(serializers.Serializer):
    """A user's place in one location."""

    id = serializers.UUIDField()
    roleType = serializers.CharField(help_text="Role in the location: owner, admin or member.")
    type = serializers.CharField(help_text="Kind of membership: member or nonmember.")
    user = User(required=False)


class Attachment(serializers.Serializer):
    """A file."""

    key = serializers.CharField()
    mime = serializers.CharField()
    name = serializers.CharField(max_length=255)
    size = serializers.FloatField(min_value=0, help_text="Bytes.")
    url = serializers.URLField()
    height = serializers.FloatField(required=False, min_value=1, help_text="Pixels; images only.")
    width = serializers.FloatField(required=False, min_value=1, help_text="Pixels; images only.")


class PreviousAttributes(serializers.Serializer):
    """Values before the change; holds only what the change touched."""

    membershipAssignee = Membership(required=False)
    status = serializers.ChoiceField(STATUS_WORDS, required=False)
    userAssignee = User(required=False)
    userRefAssignee = serializers.UUIDField(required=False)


class TicketActivityData(serializers.Serializer):
    """Depends on the activity type."""

    attachments = Attachment(many=True, required=False)
    membershipAssignee = Membership(required=False, help_text="Assignee after the change.")
    previousAttributes = PreviousAttributes(required=False)
    status = serializers.ChoiceField(STATUS_WORDS, required=False, help_text="Status after the change.")
    text = serializers.CharField(required=False, help_text="Comment text.")
    userAssignee = User(required=False, help_text="Assignee after the change.")
    userRefAssignee = serializers.UUIDField(required=False)


class LemAI(serializers.Serializer):
    """Display data of an automatic responder; present only on activities it wrote."""

    name = serializers.CharField()
    photoUrl = serializers.URLField()


@extend_schema_serializer(component_name="TicketActivity")
class TicketActivityShape(serializers.Serializer):
    """One entry of the stream."""

    createDate = serializers.DateTimeField()
    id = serializers.UUIDField()
    ticketRef = serializers.UUIDField()
    type = serializers.ChoiceField(sorted(SHOWN))
    data: Any = TicketActivityData(required=False)
    lemAI = LemAI(required=False)
    membership = Membership(required=False, help_text="Who acted.")


@extend_schema_serializer(component_name="Ticket")
class TicketShape(serializers.Serializer):
    """A ticket."""

    createDate = serializers.DateTimeField()
    description = serializers.CharField(help_text="The text given on creation.")
    id = serializers.UUIDField()
    locationRef = serializers.UUIDField()
    number = serializers.IntegerField(
        min_value=1, max_value=9007199254740991, help_text="Counts up within the location."
    )
    status = serializers.ChoiceField(STATUS_WORDS)
    type = serializers.ChoiceField(SupportType.values)
    updateDate = serializers.DateTimeField()
    membershipAssignee = Membership(required=False)
    membershipRefAssignee = serializers.UUIDField(required=False)
    membershipRefRequester = serializers.UUIDField(required=False)
    membershipRequester = Membership(required=False)
    statusUpdateDate = serializers.DateTimeField(
        required=False, help_text="Absent until the status changes for the first time."
    )
    userAssignee = User(required=False, allow_null=True, help_text="Null while nobody is assigned.")
    userRefAssignee = serializers.UUIDField(required=False)
    userRequester = User(required=False, allow_null=True, help_text="Null once the account is erased.")


class TicketWithActivities(serializers.Serializer):
    """A ticket and its stream, oldest first."""

    activities = TicketActivityShape(many=True)
    ticket = TicketShape()


class TicketWithActivity(serializers.Serializer):
    """A ticket and the entry that tells of the change."""

    activity = TicketActivityShape(required=False, help_text="Absent when nothing changed.")
    ticket = TicketShape()


class TicketPage(serializers.Serializer):
    """One page of tickets."""

    nextPageToken = serializers.CharField(required=False, min_length=1, max_length=1024)
    searchQueryNext = serializers.CharField(
        required=False, help_text="Ready-made query string for the next page, filters included."
    )
    tickets = TicketShape(many=True)


# --- The shapes ---------------------------------------------------------------------------------------------


@dataclass
class Shaper:
    """Makes shapes of tickets of one location for one caller, with their people read once."""

    actor: Actor
    community: Community
    places: dict[int, Place] = field(default_factory=dict)
    _memberships: dict[int, dict[str, Any]] = field(default_factory=dict, repr=False)

    def tickets(self, found: Sequence[Line]) -> list[dict[str, Any]]:
        """Tickets; two queries however many they are."""
        self._meet(person.pk for line in found for person in (line.requester, line.assignee) if person)
        return [self._ticket(line) for line in found]

    def ticket(self, pk: int) -> dict[str, Any]:
        """One ticket as it is stored now."""
        return self.tickets(lines(Ticket.objects.filter(pk=pk)))[0]

    def meet(self, *users: Account) -> None:
        """Read the places of these people, where it is known before that they will be asked for."""
        self._meet(user.pk for user in users)

    def new(self, filed: Filed, requester: Account) -> dict[str, Any]:
        """A ticket that was filed just now with its first entry: nothing is asked, if its people have been met."""
        line = Line.of_new(filed.ticket, self.community, requester)
        return {
            "activities": [self._activity(line.uuid, filed.activity, [], {})],
            "ticket": self.tickets([line])[0],
        }

    def with_stream(self, line: Line) -> dict[str, Any]:
        """A ticket and what a caller who takes part in it sees of the stream (TICKETS-035)."""
        seen = TicketActivity.objects.to_participants(line.pk).filter(kind__in=SHOWN).order_by()
        return {"activities": self.activities(line.uuid, entries(seen)), "ticket": self.tickets([line])[0]}

    def activities(self, ticket_ref: UUID, found: Sequence[Entry | TicketActivity]) -> list[dict[str, Any]]:
        """Entries of a ticket; those are left out that say nothing in this door's words (conflict 1)."""
        told = [entry for entry in found if not _says_nothing(entry)]
        assigned = {pk for entry in told for pk in (entry.data.get("assignee"), entry.data.get("previous"))
                    if entry.kind == "assigneeUpdated" and pk}  # fmt: skip
        memberships = (
            {m.pk: m.user for m in orgs.Membership.objects.filter(pk__in=assigned).select_related("user")}
            if assigned
            else {}
        )
        self._meet({entry.user_id for entry in told if entry.user_id} | {user.pk for user in memberships.values()})
        files = files_of(entry.pk for entry in told)
        return [self._activity(ticket_ref, entry, files.get(entry.pk, []), memberships) for entry in told]

    def _meet(self, user_ids: Iterable[int]) -> None:
        new = set(user_ids) - self.places.keys()
        if new:
            self.places |= people.places(self.community, new)

    @cached_property
    def _site(self) -> str:
        return public_url()

    @cached_property
    def _picture(self) -> str:
        """Of whoever answers automatically: the company's logo, without one the mark of the house."""
        chosen = orgs.OrganizationSettings.objects.filter(organization=self.community.tenant_id, logo__isnull=False)
        path = f"/app/brand/{self.community.tenant_id}/logo" if chosen.exists() else static("img/favicon.svg")
        return self._site + path

    def _ticket(self, ticket: Line) -> dict[str, Any]:
        requester, assignee = ticket.requester, ticket.assignee
        shape: dict[str, Any] = {
            "createDate": ticket.created_at,
            "description": ticket.description,
            "id": ticket.uuid,
            "locationRef": self.community.uuid,
            "number": ticket.number,
            "status": STATUSES[TicketStatus(ticket.status)],
            "type": ticket.support_type,
            "updateDate": ticket.updated_at,
            "userAssignee": self._user(assignee),
            "userRequester": self._user(requester),
        }
        if ticket.status_changed_at is not None:
            shape["statusUpdateDate"] = ticket.status_changed_at
        for name, user in (("Requester", requester), ("Assignee", assignee)):
            if user is not None and user.pk in self.places:
                shape[f"membership{name}"] = self._membership(user)
                shape[f"membershipRef{name}"] = self.places[user.pk].membership
        if assignee is not None:
            shape["userRefAssignee"] = assignee.uuid
        return shape

    def _activity(
        self,
        ticket_ref: UUID,
        entry: Entry | TicketActivity,
        files: Sequence[TicketAttachment],
        assigned: dict[int, Account],
    ) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "createDate": entry.created_at,
            "id": entry.uuid,
            "ticketRef": ticket_ref,
            "type": entry.kind,
        }
        data = self._data(entry, assigned)
        if files:
            data["attachments"] = [attachment_shape(file, self._site) for file in files]
        if data:
            shape["data"] = data
        if entry.user_id is None:
            shape["lemAI"] = {"name": entry.automatic_name or self.community.tenant.name, "photoUrl": self._picture}
        elif entry.user_id in self.places:
            shape["membership"] = self._membership(self.places[entry.user_id].person)
        return shape

    def _data(self, entry: Entry | TicketActivity, assigned: dict[int, Account]) -> dict[str, Any]:
        if entry.kind == "statusUpdated":
            now, before = (STATUSES[TicketStatus(entry.data[name])] for name in ("status", "previous"))
            return {"status": now, "previousAttributes": {"status": before}}
        if entry.kind == "assigneeUpdated":
            data = self._assigned(assigned.get(entry.data.get("assignee") or 0))
            before_ = self._assigned(assigned.get(entry.data.get("previous") or 0))
            return data | ({"previousAttributes": before_} if before_ else {})
        return {"text": entry.text} if entry.kind == "comment" and entry.text else {}

    def _assigned(self, user: Account | None) -> dict[str, Any]:
        if user is None:
            return {}
        shape: dict[str, Any] = {"userAssignee": self._user(user), "userRefAssignee": user.uuid}
        if user.pk in self.places:
            shape["membershipAssignee"] = self._membership(user)
        return shape

    def _membership(self, user: Account | Person) -> dict[str, Any]:
        """The same shape, however often somebody has written."""
        if user.pk not in self._memberships:
            place = self.places[user.pk]
            self._memberships[user.pk] = {
                "id": place.membership,
                "roleType": place.role,
                "type": "member" if place.has_place else "nonmember",
                "user": self._user(user),
            }
        return self._memberships[user.pk]

    def _user(self, user: Account | Person | None) -> dict[str, Any] | None:
        """How to reach somebody is told to staff of the company, and to the person (TICKETS-024); what is left of an erased
        account has neither name nor address (PORTAL-098).
        """
        if user is None:
            return None
        is_erased = user.erased_at is not None
        name = _("Former user") if is_erased else user.first_name
        shape: dict[str, Any] = {"id": user.uuid, "photoUrl": None, "name": name, "surname": user.last_name}
        place = self.places.get(user.pk)
        if place is not None:
            shape["blocked"] = place.is_blocked
        if may_see_reach(self.actor, user.pk, self.community.tenant_id):
            email = None if is_erased else user.email or None
            shape |= {"email": email, "phoneNumber": user.mobile or user.telephone or None}
        return shape


def attachment_shape(file: Any, site: str) -> dict[str, Any]:
    """A file of a ticket, or an upload that waits to become one; ``site`` is the address of the installation."""
    key = getattr(file, "key", None) or file.handle
    shape = {
        "key": key,
        "mime": file.blob.mime,
        "name": file.name,
        "size": file.blob.size,
        "url": f"{site}/support/attachments/v1/{key}",
    }
    if file.blob.width and file.blob.height:
        shape |= {"height": file.blob.height, "width": file.blob.width}
    return shape


def _says_nothing(entry: Entry | TicketActivity) -> bool:
    if entry.kind != "statusUpdated":
        return False
    return STATUSES[TicketStatus(entry.data["status"])] == STATUSES[TicketStatus(entry.data["previous"])]
