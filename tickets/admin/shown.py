"""How states of tickets look in the back office: tones of words, and entries of the stream in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets.models import Priority, TicketStatus
from tickets.services.attachments import is_photo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tickets.models import TicketActivity, TicketAttachment

ICON = "ticket"  # of a ticket without a type
STATUS_TONES = {
    "new": "info", "reopened": "info", "in_progress": "warn", "waiting": "none", "solved": "good", "closed": "none",
}  # fmt: skip
PRIORITY_TONES = {Priority.LOW: "none", Priority.NORMAL: "none", Priority.HIGH: "warn", Priority.URGENT: "bad"}
EVENTS: dict[str, Any] = {
    "got_parent": gettext_lazy("put below ticket %(ticket)s"),
    "left_parent": gettext_lazy("taken from ticket %(ticket)s"),
    "got_child": gettext_lazy("got ticket %(ticket)s as a part"),
    "merged_into": gettext_lazy("merged into ticket %(ticket)s"),
    "merged_from": gettext_lazy("took in ticket %(ticket)s"),
    "merged_comment": gettext_lazy("commented on the merged ticket %(ticket)s"),
    "unmerged": gettext_lazy("no longer merged into ticket %(ticket)s"),
    "shared": gettext_lazy("shared the ticket"),
    "unshared": gettext_lazy("ended the sharing"),
}


@dataclass
class Entry:
    """One entry of the stream, ready to be shown."""

    activity: TicketActivity
    text: str
    who: str
    files: list[TicketAttachment] = field(default_factory=list)
    number: str = ""  # of the merged ticket it belongs to
    may_withdraw: bool = False

    @property
    def photos(self) -> list[TicketAttachment]:
        """Files that are shown small."""
        return [file for file in self.files if is_photo(file)]

    @property
    def papers(self) -> list[TicketAttachment]:
        """The others."""
        return [file for file in self.files if not is_photo(file)]

    @property
    def is_said(self) -> bool:
        """Something that somebody wrote, not something that was done."""
        return self.activity.kind in ("ticketCreated", "comment", "note")

    @property
    def is_note(self) -> bool:
        """For staff only."""
        return self.activity.kind == "note"


def words(activity: TicketActivity, people: Mapping[int, str]) -> str:
    """What was said, or what was done, in words."""
    data = activity.data
    if activity.kind == "statusUpdated":
        return _("status: %(old)s → %(new)s") % {
            "old": _status(data.get("previous")),
            "new": _status(data.get("status")),
        }
    if activity.kind == "assigneeUpdated":
        given = data.get("assignee")
        return _("assigned to %(name)s") % {"name": people.get(given, "–")} if given else _("assigned to nobody")
    if activity.kind == "event":
        text = EVENTS.get(str(data.get("event")))
        return str(text) % {"ticket": data.get("ticket", "")} if text else activity.text or activity.get_kind_display()
    return activity.text


def _status(value: Any) -> str:
    return str(TicketStatus(value).label) if value in TicketStatus.values else "–"


def who(activity: TicketActivity) -> str:
    """Who it was, or what."""
    return str(activity.user) if activity.user else activity.automatic_name or _("automatic")
