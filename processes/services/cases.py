"""Cases are opened, changed and deleted: numbered, findable at once, with a history that staff read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import richtext
from core.answers import require
from core.errors import Changed, Conflict, Invalid, NotFound
from core.services import rows
from core.services.numbers import next_number
from orgs.models import Contact, Membership, Unit, User
from orgs.services.holds import keep_still
from processes import rules
from processes.models import Process, ProcessActivity, ProcessDefinition, ProcessStage, ProcessType
from processes.services import indexing
from processes.signals import process_changed, process_deleted, process_opened

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from orgs.actor import Actor
    from tickets.models import Ticket

REPORT_MAX = 100_000  # characters of cleaned HTML
# What `change_case` takes.
CHANGEABLE = (
    "account", "contact", "external_id", "finish_date", "is_finished", "report", "stage", "subject", "type", "unit",
)  # fmt: skip
REQUIRED = ("account", "contact", "report", "type", "unit")


@transaction.atomic
def open_case(
    *,
    actor: Actor,
    unit: Unit,
    contact: Contact,
    process_type: ProcessType,
    report: str,
    stage: ProcessStage | None = None,
    subject: str = "",
    account: User | None = None,
    is_finished: bool = False,
    finish_date: datetime.datetime | None = None,
    external_id: str = "",
    ticket: Ticket | None = None,
) -> Process:
    """Open a case of the company that manages the unit (PROCESSES-064), for the account given or the caller's
    (PROCESSES-021); its creator is the party of the caller, whoever the account is (PROCESSES-030).

    ``report`` – HTML, of which the harmless part is stored (PROCESSES-031, 032). ``finish_date`` – as sent; finishing
    does not set it (PROCESSES-040, 041).

    Side effects: the next number of the company, gap-free (PROCESSES-028, 029); the latest published definition of its
    kind; search index; audit; signal `process_opened`.

    Raises `Denied` without the permission (PROCESSES-010, 011); `Invalid` for a unit that the caller does not look after
    (026), a contact unknown to the company (025), a kind that is not for new cases (038), a stage of another kind (036),
    an account that is not of the company's staff (022) or an empty report (020, 033); `Taken` for an external id in use
    (044); `ValidationError` for other wrong values.
    """
    assert actor.user is not None, "cases are opened by people"
    tenant_id = unit.tenant_id
    require(rules.may_open(actor, tenant_id))
    values: dict[str, Any] = {
        "type": process_type, "stage": stage, "unit": unit, "contact": contact, "account": account or actor.user,
        "report": report, "subject": subject, "is_finished": is_finished, "finish_date": finish_date,
        "external_id": external_id,
    }  # fmt: skip
    if ticket is not None and ticket.tenant_id != tenant_id:
        raise Invalid.of("ticket", _("This belongs to another company."))
    _check(actor, tenant_id, values, was=None)
    now = timezone.now()
    process = rows.create(
        Process,
        verb="opened",
        tenant_id=tenant_id,
        created_by_party=_own_party(tenant_id),
        definition=_definition_of(process_type),
        ticket=ticket,
        finished_at=now if is_finished else None,
        created_at=now,
        updated_at=now,
        changed_at=now,
        number=next_number(tenant_id=tenant_id, kind="process"),
        **values,
    )
    indexing.index(process)
    process_opened.send(sender=Process, process=process)
    return process


@transaction.atomic
def change_case(
    *, actor: Actor, process: Process, changes: Mapping[str, Any], expected: int | None = None
) -> dict[str, tuple[Any, Any]]:
    """Change what is named of `CHANGEABLE`; returns ``{property: (old, new)}``, empty where nothing changed.

    Another kind without a stage clears a stage that is not its own (PROCESSES-037). Finishing sets the moment from which
    retention counts, and leaves ``finish_date`` alone, as does its opposite (PROCESSES-040 … 042).

    Side effects, of real changes only (PROCESSES-055): a history entry for each property (PROCESSES-057); the moment of
    the latest change; search index; audit; signal `process_changed`.

    Raises as `open_case`, `Denied` without the permission or for who only watches (PROCESSES-063), `Changed`, `NotFound`
    when it was deleted meanwhile.
    """
    assert not set(changes) - set(CHANGEABLE)
    process = _locked(process)
    require(rules.may_change(actor, process))
    wanted = {name: value for name, value in changes.items() if getattr(process, name) != value}
    if wanted.get("report") and richtext.cleaned(wanted["report"]) == process.report:
        del wanted["report"]
    if wanted.get("type") and "stage" in changes:
        wanted["stage"] = changes["stage"]  # the same may be none of the new kind
    elif wanted.get("type") and process.stage and process.stage.type_id != wanted["type"].pk:
        wanted["stage"] = None
    if expected is not None and process.row_version != expected:
        raise Changed
    if not wanted:
        return {}
    _check(actor, process.tenant_id, wanted, was=process)
    now = timezone.now()
    columns = {**wanted, "changed_at": now}
    if "is_finished" in wanted:
        columns["finished_at"] = now if wanted["is_finished"] else None
    if "type" in wanted:
        columns["definition"] = _definition_of(wanted["type"])
    changed = rows.change(process, columns, at=now)
    told = {name: changed[name] for name in CHANGEABLE if name in changed}
    activities = [_history(actor, process, name, old, new, now) for name, (old, new) in told.items()]
    if {"subject", "report"} & set(told):
        indexing.index(process)
    process_changed.send(sender=Process, process=process, changes=told, activities=activities)
    return told


@transaction.atomic
def delete_case(*, actor: Actor, process: Process) -> None:
    """Hide a case (PROCESSES-053); it keeps its number (PROCESSES-028), and staff find it when they ask for deleted ones
    since then (PROCESSES-054). Side effects: audit, signal `process_deleted`.

    Raises `Denied` without the permission, `Conflict` (``held``) under a legal hold, `NotFound` when it is gone already.
    """
    keep_still([process.tenant_id])
    process = _locked(process)
    require(rules.may_delete(actor, process))
    if not Process.objects.filter(pk=process.pk).not_held().exists():
        raise Conflict(_("A legal hold covers this case."), code="held")
    now = timezone.now()
    rows.change(process, {"deleted_at": now, "changed_at": now}, verb="deleted", check=False, at=now)
    process_deleted.send(sender=Process, process=process)


def _locked(process: Process) -> Process:
    """The case as it stands now, locked until the transaction ends. Raises `NotFound` when it was deleted meanwhile."""
    found: Process | None = (
        Process.objects.select_for_update(no_key=True, of=("self",))
        .select_related("type", "stage", "unit", "contact", "account")
        .filter(pk=process.pk, deleted_at=None)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def _own_party(tenant_id: int) -> Contact:
    """The company itself in its register: the party of all its staff."""
    return Contact.objects.get(tenant=tenant_id, kind=Contact.Kind.SELF)


def _definition_of(process_type: ProcessType) -> ProcessDefinition | None:
    published = ProcessDefinition.objects.filter(type=process_type, published_at__lte=timezone.now())
    return published.order_by("-version").first()


def _check(actor: Actor, tenant_id: int, values: dict[str, Any], *, was: Process | None) -> None:
    """Raise `Invalid` naming every property that is wrong; cleans the report. What stays as it was is not asked again."""
    wrong: dict[str, list[str]] = {}

    def refuse(name: str, problem: str) -> None:
        wrong.setdefault(name, []).append(problem)

    for name in [name for name in REQUIRED if name in values and values[name] is None]:
        refuse(name, _("Must not be empty."))
    if values.get("unit") and not (values["unit"].tenant_id == tenant_id and rules.may_open_at(actor, values["unit"])):
        refuse("unit", _("You do not look after this unit."))
    if values.get("contact") and not _is_known(tenant_id, values["contact"]):
        refuse("contact", _("This contact is not known to the company."))
    if values.get("account") and values["account"].pk != actor.user_id and not _is_staff(tenant_id, values["account"]):
        refuse("account", _("This account does not belong to the company's staff."))
    if values.get("type") and not _is_offered(tenant_id, values["type"]):
        refuse("type", _("There is no such kind of case, or it is no longer for new cases."))
    kind = values.get("type", was.type if was else None)
    if values.get("stage") is not None and not _is_stage_of(kind, values["stage"]):
        refuse("stage", _("This stage does not belong to the kind of case."))
    if values.get("report") is not None:
        values["report"] = richtext.cleaned(values["report"])
        if richtext.is_empty(values["report"]):
            refuse("report", _("Please say what it is about."))
        elif len(values["report"]) > REPORT_MAX:
            refuse("report", _("The text is too long: %(count)d characters at most.") % {"count": REPORT_MAX})
    if wrong:
        raise Invalid(next(iter(wrong.values()))[0], fields=wrong)


def _is_known(tenant_id: int, contact: Contact) -> bool:
    return Contact.objects.living().filter(tenant=tenant_id, pk=contact.pk).exists()


def _is_staff(tenant_id: int, account: User) -> bool:
    return Membership.objects.active().staff().filter(tenant=tenant_id, user=account).exists()


def _is_offered(tenant_id: int, process_type: ProcessType) -> bool:
    return _stands(
        "SELECT 1 FROM processes_processtype WHERE tenant_id = %s AND id = %s AND is_active AND deleted_at IS NULL",
        tenant_id,
        process_type.pk,
    )


def _is_stage_of(process_type: ProcessType | None, stage: ProcessStage) -> bool:
    return process_type is not None and _stands(
        "SELECT 1 FROM processes_processstage WHERE type_id = %s AND id = %s AND deleted_at IS NULL",
        process_type.pk,
        stage.pk,
    )


def _stands(statement: str, *values: int) -> bool:
    """Whether there is such a row, which nobody deletes before this transaction ends; cases do not wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} FOR KEY SHARE", values)
        return cursor.fetchone() is not None


def _history(actor: Actor, process: Process, name: str, old: Any, new: Any, at: datetime.datetime) -> ProcessActivity:
    """One entry for one property, for staff only (PROCESSES-057)."""
    return rows.create(
        ProcessActivity,
        verb="added",
        check=False,
        tenant_id=process.tenant_id,
        process=process,
        kind=ProcessActivity.Kind.CHANGE,
        user_id=actor.user_id,
        property=name,
        old_value=_told(old),
        new_value=_told(new),
        created_at=at,
        changed_at=at,
    )


def _told(value: Any) -> str | None:
    """A value in a history entry: references by id, moments in UTC, nothing as nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
