"""What was said and what happened, as one person may read it: bubbles and events, day by day."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _

from core.services.blobs import held_because
from core.services.delivery import INLINE
from orgs.models import Membership
from portal.status import CLOSED, status_text, word_of
from portal.web.ticket_steps import ASSIGNED, DONE, RECEIVED, WORKING, Step, steps_of
from tickets.models import Ticket, TicketActivity, TicketAttachment, TicketStatus, TicketTypeField
from tickets.services.answers import free_words, shown
from tickets.services.attachments import is_photo
from tickets.services.merging import target_of

if TYPE_CHECKING:
    from orgs.actor import Actor

Kind = TicketActivity.Kind
_ICONS = {Kind.ASSIGNEE: "user", Kind.STATUS: "check", Kind.EVENT: "info"}


@dataclass(frozen=True)
class File:
    """A file of an entry; ``held`` says why it is not handed out."""

    row: TicketAttachment
    held: str

    @property
    def is_photo(self) -> bool:
        """See `attachments.is_photo`."""
        return is_photo(self.row)

    @property
    def opens(self) -> bool:
        """Whether the browser shows it instead of saving it."""
        return self.row.blob.mime in INLINE


@dataclass
class Entry:
    """One bubble or one event."""

    row: TicketActivity
    is_mine: bool = False
    who: str = ""
    text: str = ""
    icon: str = ""
    number: str = ""  # of the merged ticket in which it was said
    new_day: datetime.datetime | None = None
    files: list[File] = field(default_factory=list)


class Stream:
    """The entries of one ticket that somebody sees, with what was said in tickets of theirs that were merged into it. Five
    queries, however many there are.
    """

    def __init__(self, actor: Actor, ticket: Ticket) -> None:
        self.actor, self.ticket, self.tenant = actor, ticket, ticket.community.tenant
        files = TicketAttachment.objects.visible_to(actor).select_related("blob").order_by("position", "id")
        merged = Ticket.objects.visible_to(actor).filter(merged_into=ticket).order_by()
        self._numbers: dict[int, str] = dict(merged.values_list("pk", "identifier"))
        seen = TicketActivity.objects.visible_to(actor).without_notes().filter(ticket__in=[ticket.pk, *self._numbers])
        found = seen.select_related("user").prefetch_related(Prefetch("attachments", files))
        self._told = list(found.order_by("created_at", "id"))
        self.rows = [row for row in self._told if row.ticket_id == ticket.pk]
        self._names = self._assignees()
        self.entries = self._entries()

    def _assignees(self) -> dict[int, str]:
        """Names of who was ever assigned."""
        named: set[int | None] = {row.data.get("assignee") for row in self.rows if row.kind == Kind.ASSIGNEE} | {
            self.ticket.assignee_id
        }
        found = Membership.objects.filter(pk__in=[pk for pk in named if pk]).select_related("user")
        return {membership.pk: membership.user.get_full_name() for membership in found}

    def _entries(self) -> list[Entry]:
        found: list[Entry] = []
        day = None
        for row in self._told:
            entry = self._bubble(row) if row.kind in (Kind.CREATED, Kind.COMMENT) else self._event(row)
            if entry is None or self._is_told_twice(row):
                continue
            local = timezone.localtime(row.created_at)
            if local.date() != day:
                day, entry.new_day = local.date(), local
            found.append(entry)
        return found

    def _is_told_twice(self, row: TicketActivity) -> bool:
        """What became of a merged ticket, this page says; and replies to it, its requester got in the own one, too."""
        if row.ticket_id == self.ticket.pk:
            return False
        if row.kind not in (Kind.CREATED, Kind.COMMENT):
            return True
        return row.from_staff and any(row.text == own.text and own.from_staff for own in self.rows)

    def _bubble(self, row: TicketActivity) -> Entry:
        is_mine = row.user_id is not None and row.user_id == self.actor.user_id
        who = row.user.get_full_name() if row.user else row.automatic_name or self.ticket.stranger
        files = [File(file, str(held_because(file.blob))) for file in row.attachments.all()]
        return Entry(row, is_mine, who, self._said(row), number=self._numbers.get(row.ticket_id, ""), files=files)

    def _said(self, row: TicketActivity) -> str:
        """What stands in the bubble: of answers to questions the free ones, the others stand beside the ticket."""
        is_report = row.kind == Kind.CREATED and row.ticket_id == self.ticket.pk
        return (free_words(self.ticket.answers) if is_report else "") or row.text

    def _event(self, row: TicketActivity) -> Entry | None:
        """An automatic line; none where the words of residents know no difference (conflict 1)."""
        if row.kind == Kind.EVENT:
            return Entry(row, text=row.text, icon=_ICONS[Kind.EVENT]) if row.text else None
        if row.kind == Kind.ASSIGNEE:
            name = self._names.get(row.data.get("assignee") or 0)
            text = (
                _("%(name)s looks after your ticket") % {"name": name}
                if name
                else _("Nobody looks after your ticket at the moment")
            )
            return Entry(row, text=text, icon=_ICONS[Kind.ASSIGNEE])
        old, new = (self._word(row.data.get(key)) for key in ("previous", "status"))
        if old == new or not new or (new == CLOSED and target_of(self.ticket) is not self.ticket):
            return None  # what was merged is closed, but the matter is not done
        text = _("Status: %(status)s") % {"status": status_text(new, self.tenant)}
        if row.data.get("status") == TicketStatus.REOPENED:
            text = _("Opened again")
        return Entry(row, text=text, icon=_ICONS[Kind.STATUS])

    @staticmethod
    def _word(stored: Any) -> str:
        return word_of(stored) if stored in TicketStatus.values else ""

    @property
    def steps(self) -> list[Step]:
        """The four steps with the moments that the stream tells."""
        moments: dict[int, datetime.datetime] = {}
        for row in self.rows:
            if row.kind == Kind.ASSIGNEE and row.data.get("assignee"):
                moments[ASSIGNED] = row.created_at
            if row.kind == Kind.STATUS and self._word(row.data.get("status")) in ("IN_PROGRESS", "WAITING"):
                moments.setdefault(WORKING, row.created_at)
        details = {DONE: "", ASSIGNED: self._names.get(self.ticket.assignee_id or 0, "")}
        leads_to = target_of(self.ticket)
        if leads_to is not self.ticket:  # what becomes of the matter, without what was said about it
            return steps_of(leads_to, self.tenant, {RECEIVED: self.ticket.created_at})
        return steps_of(self.ticket, self.tenant, moments, details)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Answers that are facts: question and answer."""
        kinds = TicketTypeField.Kind
        found = [(str(a.get("name", "")), shown(a)) for a in self.ticket.answers if a.get("fieldType") != kinds.TEXTBOX]
        return [(name, text) for name, text in found if text]

    @property
    def version(self) -> str:
        """Changes when anything that the page shows does."""
        told: list[Any] = [
            target_of(self.ticket).status,
            self.ticket.assignee_id,
            self.ticket.rating,
            timezone.localdate().isoformat(),
        ]
        for entry in self.entries:
            told += [entry.row.pk, *((f.row.pk, f.row.blob.preview_state, f.held) for f in entry.files)]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
