"""The daily purge: closed tickets beyond the period of their organization go, with their files (ORGS-062 … 065)."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core.models import DestructionRecord
from core.services import batches, destruction, rows
from core.services.pace import Pace
from orgs.services import retention
from orgs.services.holds import keep_still
from tickets.models import InboundMail, Ticket, TicketAttachment, TicketHold
from tickets.signals import tickets_destroyed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from core.services.jobs import Counts
    from tickets.querysets import TicketQuerySet

JOB = "tickets.purge_closed"
FORGET_MAILS = "tickets.forget_mails"
KEEPER = "community__organization"  # whose period counts (conflict 15)
BATCH = 100  # tickets of one transaction


def due(now: datetime.datetime) -> TicketQuerySet[Ticket]:
    """What the purge would delete: closed or deleted long enough ago, and not under a legal hold.

    Where an organization keeps everything, still the tickets of erased people (PORTAL-099).
    """
    over = retention.any_over(retention.periods(now), KEEPER, "closed_at")
    erased = retention.any_over(retention.periods_of_erased(now), KEEPER, "closed_at")
    of_erased = Ticket.objects.of_erased().filter(erased).order_by().values("pk")
    found: TicketQuerySet[Ticket] = Ticket.objects.filter(over | Q(pk__in=of_erased)).not_held()
    return found


def purge_closed() -> Counts:
    """Job: delete what is due, with stream, files, index and released holds.

    Side effects: for each ticket and each file a destruction record and an audit entry; cases and tickets that referred
    to it let go; signal `tickets_destroyed` for each tenant; after commit a worker removes the bytes.
    """
    return batches.go_through(Ticket, job=JOB, due=_due_after, work=_end, batch=BATCH, counted="deleted", pace=Pace())


def forget_mails() -> Counts:
    """Job: delete what the log says of mails that came in, after `INBOUND_MAIL_DAYS`; 0 keeps it for ever.

    What is told of a ticket under a legal hold stays.
    """
    return batches.go_through(
        InboundMail, job=FORGET_MAILS, due=_old_mails, work=_forget, batch=BATCH, counted="deleted"
    )  # fmt: skip


def _old_mails(last: int) -> QuerySet[InboundMail]:
    if not settings.INBOUND_MAIL_DAYS:
        return InboundMail.objects.none()
    before = timezone.now() - datetime.timedelta(days=settings.INBOUND_MAIL_DAYS)
    free = Ticket.objects.filter(pk=OuterRef("ticket")).not_held()
    return InboundMail.objects.filter(Q(ticket=None) | Exists(free), pk__gt=last, created_at__lt=before)


def _forget(ids: list[int]) -> int:
    keep_still(InboundMail.objects.filter(pk__in=ids).order_by().values_list("tenant_id", flat=True).distinct())
    return _old_mails(0).filter(pk__in=ids).delete()[0]


def _due_after(last: int) -> TicketQuerySet[Ticket]:
    found: TicketQuerySet[Ticket] = due(timezone.now()).filter(pk__gt=last)
    return found


def _end(ids: list[int]) -> int:
    """Delete those that are still due when nobody can place a hold or change them any more."""
    tickets = Ticket.objects.filter(pk__in=ids)
    keep_still(tickets.order_by().values_list("tenant_id", flat=True).distinct())
    list(tickets.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    now = timezone.now()
    doomed = list(due(now).filter(pk__in=ids).select_related(KEEPER).order_by("pk"))
    destroy(doomed, reason=DestructionRecord.Reason.RETENTION, rules={row.pk: _rule(row, now) for row in doomed})
    return len(doomed)


def destroy(doomed: list[Ticket], *, reason: str, rules: Mapping[int, Mapping[str, Any]]) -> None:
    """Delete tickets with stream, files, index and released holds. The caller runs in a transaction, has called
    `keep_still`, has locked the rows, and has asked whether a hold covers them.

    ``rules`` – of each, what its records say of why it went. Those of erased people bear no title. Side effects: those of
    `purge_closed`.
    """
    nameless = set(Ticket.objects.of_erased().filter(pk__in=list(rules)).values_list("pk", flat=True))
    files = list(TicketAttachment.objects.filter(ticket__in=doomed).select_related("blob").order_by("pk"))

    def facts(ticket_id: int, title: str, **more: Any) -> dict[str, Any]:
        known = {"title": title[:250], "rule": rules[ticket_id], **more}
        return known | {"title": "", "filename": ""} if ticket_id in nameless else known

    destruction.record(((ticket, facts(ticket.pk, ticket.title)) for ticket in doomed), reason=reason)
    told = (facts(f.ticket_id, f.title, **destruction.file_facts(f.name, f.blob)) for f in files)
    destruction.record(zip(files, told, strict=True), reason=reason)
    _let_go(doomed)
    TicketHold.objects.filter(ticket__in=doomed, hold__released_at__isnull=False).delete()
    Ticket.objects.filter(pk__in=list(rules)).delete()
    for tenant_id in sorted({ticket.tenant_id for ticket in doomed}):
        gone = [ticket.pk for ticket in doomed if ticket.tenant_id == tenant_id]
        tickets_destroyed.send(sender=Ticket, tenant_id=tenant_id, ticket_ids=gone)
    destruction.remove_bytes_later(file.blob_id for file in files)


def _rule(ticket: Ticket, now: datetime.datetime) -> dict[str, Any]:
    """What its records say of why it went."""
    facts = retention.rule_of(ticket.community.organization, ticket.closed_at or ticket.deleted_at or now, now)
    return {"policy": "retention_months", "job": JOB, "ticket": ticket.identifier, **facts}


def _let_go(doomed: list[Ticket]) -> None:
    """Nothing that stays refers to what goes, and what goes does not hold each other back."""
    ids = [ticket.pk for ticket in doomed]
    for column in ("merged_into", "parent"):
        Ticket.objects.filter(pk__in=ids).update(**{column: None})
        for left in Ticket.objects.filter(**{f"{column}__in": ids}).exclude(pk__in=ids).order_by("pk"):
            rows.change(left, {f"{column}_id": None}, verb="let_go")
