"""The history tab: what the audit holds about one row, in words, with old and new values."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import formats, timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.models import AuditEntry

VERBS = {
    "created": gettext_lazy("created"),
    "closed": gettext_lazy("closed"),
    "changed": gettext_lazy("changed"),
    "deleted": gettext_lazy("deleted"),
    "ended": gettext_lazy("ended"),
    "revoked": gettext_lazy("revoked at once"),
    "invited": gettext_lazy("invited"),
    "renewed": gettext_lazy("renewed"),
    "withdrawn": gettext_lazy("withdrawn"),
    "accepted": gettext_lazy("accepted"),
    "imported": gettext_lazy("imported"),
    "placed": gettext_lazy("placed"),
    "hold_released": gettext_lazy("released"),
    "held": gettext_lazy("put on hold"),
    "filed": gettext_lazy("filed"),
    "opened": gettext_lazy("opened"),
    "added": gettext_lazy("written"),
    "answered": gettext_lazy("answered for the first time"),
    "status_changed": gettext_lazy("status changed"),
    "assigned": gettext_lazy("assigned"),
    "type_changed": gettext_lazy("type changed"),
    "priority_changed": gettext_lazy("priority changed"),
    "parent_changed": gettext_lazy("put below another ticket, or taken from there"),
    "merged": gettext_lazy("merged"),
    "overdue": gettext_lazy("told that a target was missed"),
    "rated": gettext_lazy("rated"),
    "position_removed": gettext_lazy("position removed from the picture"),
    "let_go": gettext_lazy("let go of what was deleted"),
    "moved": gettext_lazy("moved"),
    "ownership_given": gettext_lazy("made an owner"),
    "ownership_taken": gettext_lazy("no owner any more"),
    "engagement_begun": gettext_lazy("on assignment"),
    "engagement_ended": gettext_lazy("back from an assignment"),
    "handled": gettext_lazy("marked as done"),
    "attempts_reset": gettext_lazy("failed attempts reset"),
    "key_issued": gettext_lazy("key issued"),
    "access_given": gettext_lazy("access given"),
    "access_withdrawn": gettext_lazy("access withdrawn"),
    "update_scheduled": gettext_lazy("update planned"),
    "resent": gettext_lazy("sent again"),
    "permission_set": gettext_lazy("permission set"),
    "account_linked": gettext_lazy("account linked"),
    "account_unlinked": gettext_lazy("account taken off"),
    "deactivated": gettext_lazy("deactivated"),
    "reactivated": gettext_lazy("reactivated"),
    "password_changed": gettext_lazy("password changed"),
    "password_link_issued": gettext_lazy("password link sent"),
    "second_factor_confirmed": gettext_lazy("second factor confirmed"),
    "second_factor_removed": gettext_lazy("second factor removed"),
    "announced": gettext_lazy("people told"),
    "attached": gettext_lazy("attached"),
    "shared": gettext_lazy("shared"),
    "undelivered": gettext_lazy("could not be delivered"),
    "people_set": gettext_lazy("people chosen"),
    "folders_set": gettext_lazy("folders chosen"),
    "groups_set": gettext_lazy("groups chosen"),
    "tenant_admitted": gettext_lazy("admitted as tenant"),
    "recovery_codes_made": gettext_lazy("recovery codes made"),
    "cancelled": gettext_lazy("cancelled"),
    "checked": gettext_lazy("checked off"),
    "destroyed": gettext_lazy("destroyed"),
    "erased": gettext_lazy("emptied"),
    "exported": gettext_lazy("data exported"),
    "found": gettext_lazy("found again"),
    "healed": gettext_lazy("stored anew"),
    "made_operator": gettext_lazy("made operator"),
    "mail_users_set": gettext_lazy("recipients chosen"),
    "missing": gettext_lazy("found missing"),
    "malware_found": gettext_lazy("malware found"),
    "preview": gettext_lazy("preview made"),
    "recipients_set": gettext_lazy("recipients chosen"),
    "released": gettext_lazy("released unchecked"),
    "scan_asked": gettext_lazy("virus check asked for"),
    "scanned": gettext_lazy("checked for viruses"),
    "signed_out": gettext_lazy("signed out"),
    "stored": gettext_lazy("stored"),
    "terminated": gettext_lazy("upload cancelled"),
    "unchecked": gettext_lazy("check mark removed"),
}
# Columns that services work out of others: the history names what people changed.
DERIVED = frozenset({"sort_key", "ancestors", "audience_key", "dedupe_key"})
DOORS = {
    "back_office": gettext_lazy("back office"),
    "web": gettext_lazy("portal"),
    "docms": gettext_lazy("documents API"),
    "worker": gettext_lazy("background job"),
    "job": gettext_lazy("background job"),
    "command": gettext_lazy("command line"),
    "mail": gettext_lazy("reply by mail"),
    "explain": gettext_lazy("explanation of rights"),
}


@dataclass
class Change:
    """One column: its name for people, what was there, what is there."""

    label: str
    old: str
    new: str


@dataclass
class Step:
    """One write: when, who, through which door, what."""

    entry: AuditEntry
    who: str
    acting_for: str
    verb: str
    door: str
    changes: list[Change] = field(default_factory=list)


def verb_of(verb: str) -> str:
    """A verb in words; an unknown one as it is stored."""
    return str(VERBS.get(verb, verb.replace("_", " ")))


def door_name(door: str) -> str:
    """A door in words."""
    return str(DOORS.get(door, door))


def entries_of(obj: models.Model) -> models.QuerySet[AuditEntry]:
    """What the audit holds about a row, newest first. The caller has settled who may see the row."""
    return AuditEntry.objects.filter(
        tenant_id=getattr(obj, "tenant_id", None), object_type=obj._meta.label_lower, object_id=str(obj.pk)
    ).order_by("-id")


def steps(model: type[models.Model], entries: list[AuditEntry]) -> list[Step]:
    """Audit entries in words: one query for the people, and one for each table that changed references point to."""
    ids = {i for entry in entries for i in (entry.user_id, entry.acting_for) if i}
    people = get_user_model()._default_manager.in_bulk(ids)

    def name(user_id: int | None) -> str:
        return str(people.get(user_id) or f"#{user_id}") if user_id else ""

    words = _Words(model, entries)
    return [
        Step(
            entry=entry,
            who=name(entry.user_id) or _("the system"),
            acting_for=name(entry.acting_for),
            verb=verb_of(entry.verb),
            door=door_name(entry.door),
            changes=[
                Change(words.label(column), words.value(column, pair[0]), words.value(column, pair[1]))
                for column, pair in (entry.changes or {}).items()
                if isinstance(pair, list) and len(pair) == 2 and column not in DERIVED
            ],
        )
        for entry in entries
    ]


class _Words:
    """Column names and stored values as people read them."""

    def __init__(self, model: type[models.Model], entries: list[AuditEntry]) -> None:
        self.model = model
        wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
        for entry in entries:
            for column, pair in (entry.changes or {}).items():
                related = self._related(column)
                if related is not None and isinstance(pair, list):
                    wanted[related] |= {v for v in pair if isinstance(v, int)}
        self.names = {related: related._base_manager.in_bulk(ids) for related, ids in wanted.items()}

    def _field(self, column: str) -> Any:
        try:
            return self.model._meta.get_field(column.removesuffix("_id"))
        except FieldDoesNotExist:
            return None

    def _related(self, column: str) -> Any:
        found = self._field(column)
        return found.related_model if isinstance(found, models.ForeignKey) else None

    def label(self, column: str) -> str:
        """The column's name for people."""
        found = self._field(column)
        return str(getattr(found, "verbose_name", column)).replace("_", " ") if found else column.replace("_", " ")

    def value(self, column: str, value: Any) -> str:
        """A stored value in words."""
        if value is None or value in ("", [], {}):
            return "–"
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, dict) and value.keys() == {"length", "sha256"}:
            return _("text of %(length)d characters") % {"length": value["length"]}
        found = self._field(column)
        if isinstance(found, models.ForeignKey):
            return str(self.names.get(found.related_model, {}).get(value, f"#{value}"))
        if isinstance(value, list):
            if found is not None and found.get_internal_type() == "DateRangeField":
                return self._range(value)
            return "; ".join(_answer(v) if isinstance(v, dict) else str(v) for v in value)
        if found is not None and found.choices:
            return str(dict(found.flatchoices).get(value, value))
        if isinstance(found, models.DateTimeField) and (moment := parse_datetime(str(value))):
            return formats.date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
        if isinstance(found, models.DateField) and (day := parse_date(str(value))):
            return formats.date_format(day, "SHORT_DATE_FORMAT")
        return str(value)

    def _range(self, value: list[Any]) -> str:
        first, until = (parse_date(v) if v else None for v in value[:2])
        last = until - datetime.timedelta(days=1) if until else None
        return f"{_day(first)} – {_day(last)}"


def _answer(part: dict[str, Any]) -> str:
    """A part of a value that has parts: what it is called, and what it says."""
    return f"{part['name']}: {part['value']}" if {"name", "value"} <= part.keys() else str(part)


def _day(day: datetime.date | None) -> str:
    return formats.date_format(day, "SHORT_DATE_FORMAT") if day else "…"
