"""The case, who works on it, and what is ordered for it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import MutableRow, Row, TenantBound, one_of
from processes.querysets import OfProcess, ProcessQuerySet, WorkOrderQuerySet


class Process(TenantBound, MutableRow):
    """A case of a company.

    ``finish_date`` is what was sent, ``finished_at`` when it was finished: retention counts from the latter.
    ``changed_at`` (`lastModified`) is moved by changes that change something (PROCESSES-055). That ``stage``
    belongs to ``type`` is held by a two-column key. Unit and contact are missing in imported cases only.
    """

    id = models.AutoField(primary_key=True)
    number = models.PositiveIntegerField(_("number"), editable=False)
    type = models.ForeignKey(
        "processes.ProcessType", on_delete=models.PROTECT, related_name="processes", verbose_name=_("kind of case")
    )
    stage = models.ForeignKey(
        "processes.ProcessStage", null=True, blank=True, on_delete=models.PROTECT, related_name="processes",
        verbose_name=_("stage"),
    )  # fmt: skip
    definition = models.ForeignKey(
        "processes.ProcessDefinition", null=True, blank=True, on_delete=models.PROTECT, related_name="processes",
        verbose_name=_("definition"),
    )  # fmt: skip
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("account")
    )
    created_by_party = models.ForeignKey(
        "orgs.Contact", on_delete=models.PROTECT, related_name="+", verbose_name=_("created by"), db_index=False
    )
    contact = models.ForeignKey(
        "orgs.Contact",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="processes",
        verbose_name=_("main contact"),
        db_index=False,
    )
    unit = models.ForeignKey(
        "orgs.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="processes", db_index=False,
        verbose_name=_("unit"),
    )  # fmt: skip
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    report = models.TextField(_("report"), max_length=100000)
    is_finished = models.BooleanField(_("finished"), default=False)
    finish_date = models.DateTimeField(_("finish date"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True, editable=False)
    external_id = models.CharField(_("external id"), max_length=255, blank=True)
    imported = models.BooleanField(_("imported"), default=False, editable=False)
    ticket = models.ForeignKey(
        "tickets.Ticket", null=True, blank=True, on_delete=models.SET_NULL, related_name="processes",
        verbose_name=_("ticket"),
    )  # fmt: skip
    changed_at = models.DateTimeField(_("latest change"), default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)

    objects = ProcessQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "number"), name="process_number_once"),
            models.UniqueConstraint(
                fields=("tenant", "external_id"),
                condition=~Q(external_id="") & Q(deleted_at=None),
                name="process_external_once",
                violation_error_message=_("Another case has this external id."),
            ),
            models.CheckConstraint(
                condition=Q(unit__isnull=False) | Q(imported=True),
                name="process_unit_known",
                violation_error_message=_("A case names a unit."),
            ),
            models.CheckConstraint(
                condition=Q(contact__isnull=False) | Q(imported=True),
                name="process_contact_known",
                violation_error_message=_("A case names a main contact."),
            ),
            models.CheckConstraint(
                condition=Q(is_finished=True, finished_at__isnull=False) | Q(is_finished=False, finished_at=None),
                name="process_finished_has_date",
            ),
        )
        indexes = (
            models.Index(fields=("tenant", "changed_at", "id"), name="process_changed"),
            models.Index(fields=("unit",), name="process_unit"),
            models.Index(fields=("contact",), name="process_contact"),
            models.Index(fields=("tenant", "type", "stage"), name="process_board"),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.subject}".strip()


class ProcessIndex(models.Model):
    """What a case is found by. No policy and no rights of its own: read only as ``id IN (SELECT …)``."""

    process = models.OneToOneField(Process, primary_key=True, on_delete=models.CASCADE, related_name="index")
    vector = SearchVectorField()

    class Meta:
        ordering = ("process",)
        indexes = (GinIndex(fields=("vector",), name="process_index_words"),)

    def __str__(self) -> str:
        return str(self.process_id)


class ProcessClerk(TenantBound, Row):
    """A member of staff works on a case or watches it; linking again replaces the role (PROCESSES-062)."""

    class Role(models.TextChoices):
        EDITOR = "editor", _("editor")
        SPECTATOR = "spectator", _("spectator")

    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="clerks", db_index=False)
    membership = models.ForeignKey("orgs.Membership", on_delete=models.CASCADE, related_name="+")
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)

    objects = OfProcess.as_manager()

    class Meta:
        verbose_name = _("clerk")
        verbose_name_plural = _("clerks")
        ordering = ("process", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("process", "membership"),
                name="process_clerk_once",
                violation_error_message=_("This person is linked to the case already."),
            ),
            one_of("role", ["editor", "spectator"], "process_clerk_role"),
        )

    def __str__(self) -> str:
        return f"{self.membership}: {self.role}"


class WorkOrder(TenantBound, MutableRow):
    """Work ordered from a contractor, which makes the case visible to them (PROCESSES-015).

    ``link_token_hash``: a contractor without an account answers through a link.
    """

    class State(models.TextChoices):
        OPEN = "open", _("ordered")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")

    process = models.ForeignKey(Process, on_delete=models.PROTECT, related_name="work_orders")
    contact = models.ForeignKey(
        "orgs.Contact", on_delete=models.PROTECT, related_name="work_orders", verbose_name=_("contractor")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    due = models.DateField(_("due"), null=True, blank=True)
    link_token_hash = models.BinaryField(max_length=32, unique=True, null=True, blank=True)

    objects = WorkOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("work order")
        verbose_name_plural = _("work orders")
        ordering = ("-id",)
        constraints = (one_of("state", ["open", "accepted", "declined", "done", "cancelled"], "work_order_state"),)

    def __str__(self) -> str:
        return f"{self.process} → {self.contact}"
