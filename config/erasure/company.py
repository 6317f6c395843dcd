"""Erasure of a company when its contract is over: closed first, then emptied, table by table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Exists, F, ForeignKey, Model, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import scope
from core.errors import Conflict, NotFound
from core.models import AuditEntry, Blob, DestructionRecord
from core.services import audit, rows, sealing, sweeps
from docms.models import Document
from docms.services.destruction import End, destroy
from messaging.models import Message, MessageRecipient
from orgs.models import AccessToken, Contact, Hold, Membership, Organization, User, UserIdentity
from orgs.services import erase as orgs_erase
from orgs.services.holds import keep_still
from processes.models import Process
from processes.services import retention as processes_retention
from tickets.models import Ticket
from tickets.services import retention as tickets_retention

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    from django.db.models import QuerySet

Progress = Callable[[str, int], None]  # what is being erased, and how many so far

BATCH = 500  # rows of one transaction
ENTRIES = 20_000  # of the history, likewise
REASON = DestructionRecord.Reason.ERASURE
# What outlives a company: that things were there and were destroyed, the chain of the history, and the number of all.
KEPT: frozenset[type[Model]] = frozenset({AuditEntry, DestructionRecord, Blob, Organization})
ROUNDS = 3  # a job may have written something meanwhile
_HELD = gettext_lazy("A legal hold covers what is left.")


@dataclass
class Company:
    """What an erasure will meet."""

    tenant: Organization
    counts: dict[str, int] = field(default_factory=dict)
    holds: list[str] = field(default_factory=list)
    operators: list[str] = field(default_factory=list)  # who would have no place left, and so no documents API
    protected: int = 0  # papers whose folder protects them until a date that has not come
    protected_until: datetime.datetime | None = None


def company(tenant_id: int) -> Company:
    """Look at a company before it is erased. Raises `NotFound` for what is none, or is erased already."""
    with scope.all_tenants():
        tenant = Organization.objects.filter(pk=tenant_id, is_tenant=True).first()
        if tenant is None or tenant.name == _nameless(tenant):
            raise NotFound
        of_it = {"tenant": tenant}
        guarded = Document.objects.filter(**of_it, folder__allow_delete_files__gt=timezone.now())
        last = guarded.order_by("-folder__allow_delete_files").values_list("folder__allow_delete_files", flat=True)
        return Company(
            tenant=tenant,
            counts={
                "documents": Document.objects.filter(**of_it).count(),
                "tickets": Ticket.objects.filter(**of_it).count(),
                "cases": Process.objects.filter(**of_it).count(),
                "contacts": Contact.objects.filter(**of_it).count(),
                "accounts": accounts_of(tenant).count(),
                "organizations": Organization.objects.filter(tenant=tenant).count(),
            },
            holds=list(Hold.objects.in_force().filter(**of_it).order_by("pk").values_list("title", flat=True)),
            operators=[str(user.email) for user in _only_here(tenant).filter(is_superuser=True).order_by("pk")],
            protected=guarded.count(),
            protected_until=last.first(),
        )


def _silent(what: str, done: int) -> None:
    """Nobody watches."""


def erase_company(*, tenant_id: int, despite_dates: bool = False, progress: Progress = _silent) -> None:
    """Close a company and erase all it holds, with the accounts that belong nowhere else. Killable and repeatable.

    What stays: its row without name, the records of what was destroyed without titles, and the emptied history, whose
    chain still proves the rest. The bytes go with the sweeps, the copies in backups with the backups.

    ``despite_dates`` also erases papers whose folder protects them until a date. Opens units of work of its own.

    Raises `NotFound`, `Conflict`: ``held`` while a legal hold is in force, ``protected`` for papers under a date,
    ``has_tenants`` while another company lies below it.
    """
    tenant = _close(tenant_id, despite_dates=despite_dates)
    for model, work in (
        (Document, _end_documents),
        (Ticket, partial(_end_rows, Ticket, tickets_retention.destroy)),
        (Process, partial(_end_rows, Process, processes_retention.destroy)),
    ):
        _batchwise(model, model._default_manager.filter(tenant=tenant), work, progress)
    done = 0
    while ids := _ids(accounts_of(tenant)):
        for pk in ids:
            with scope.unit_of_work(door="command"):
                orgs_erase.erase_account(user=User.objects.get(pk=pk))
            done += 1
        progress("accounts", done)
    for _round in range(ROUNDS):
        if not _clear_tables(tenant, progress):
            break
    # What is younger than a day waits for the nightly sweep.
    _batchwise(Blob, Blob.objects.filter(tenant=tenant), sweeps.destroy_unreferenced, progress)
    _empty_history(tenant, progress)
    _bury(tenant)


def _close(tenant_id: int, *, despite_dates: bool) -> Organization:
    with scope.unit_of_work(door="command"):
        keep_still([tenant_id])
        found = company(tenant_id)
        tenant = found.tenant
        if found.holds:
            raise Conflict(_("Legal holds are in force: %s.") % ", ".join(found.holds), code="held")
        if found.protected and not despite_dates:
            problem = _("Documents are protected until %(date)s: %(count)d.")
            said = {"count": found.protected, "date": f"{found.protected_until:%Y-%m-%d}"}
            raise Conflict(problem % said, code="protected")
        with scope.all_tenants():
            if Organization.objects.filter(ancestors__contains=[tenant_id]).exclude(tenant=tenant).exists():
                raise Conflict(_("Another company lies below this one."), code="has_tenants")
            now = timezone.now()
            if tenant.closed_at is None:
                rows.change(tenant, {"closed_at": now}, verb="closed")
            Organization.objects.filter(tenant=tenant, closed_at=None).update(closed_at=now)
            AccessToken.objects.filter(organization__tenant=tenant, revoked_at=None).update(revoked_at=now)
            waiting = Message.objects.filter(tenant=tenant, state=Message.State.QUEUED)
            waiting.update(state=Message.State.CANCELLED)
    return tenant


def accounts_of(tenant: Organization) -> QuerySet[User]:
    """The accounts that have a place or an entry in this company and, at any time, in no other organization."""
    found: QuerySet[User] = _only_here(tenant).filter(is_superuser=False)
    return found


def _only_here(tenant: Organization) -> QuerySet[User]:
    places, entries = Membership.objects.filter(user=OuterRef("pk")), Contact.objects.filter(user=OuterRef("pk"))
    elsewhere = Q(tenant=None) | ~Q(tenant=tenant)
    found: QuerySet[User] = User.objects.filter(
        Exists(places.filter(tenant=tenant)) | Exists(entries.filter(tenant=tenant)),
        ~Exists(places.filter(elsewhere)),
        ~Exists(entries.filter(elsewhere)),
        erased_at=None,
    )
    return found


def _ids(found: QuerySet[Any]) -> list[int]:
    with scope.unit_of_work(door="command"), scope.all_tenants():
        return list(found.order_by("pk").values_list("pk", flat=True)[:BATCH])


def _batchwise(
    model: type[Model], found: QuerySet[Any], work: Callable[[list[int]], object], progress: Progress
) -> None:
    """Go through rows by their numbers until none is left, `BATCH` at a time; ``work`` opens its own unit of work."""
    done, last = 0, 0
    while ids := _ids(found.filter(pk__gt=last)):
        work(ids)
        done, last = done + len(ids), ids[-1]
        progress(str(model._meta.verbose_name_plural), done)


def _refuse_held(found: Any) -> None:
    """A hold that somebody placed since the erasure began stops it."""
    if found.exclude(pk__in=found.not_held().order_by().values("pk")).exists():
        raise Conflict(_HELD, code="held")


def _end_documents(ids: list[int]) -> None:
    with scope.unit_of_work(door="command"), scope.all_tenants():
        documents = Document.objects.filter(pk__in=ids)
        keep_still(documents.order_by().values_list("tenant_id", flat=True).distinct())
        list(documents.select_for_update(no_key=True).order_by("pk").values_list("pk"))
        _refuse_held(documents)
        destroy(documents, user_id=None, end=End(REASON, {"command": "erase_tenant"}))


def _end_rows(model: type[Any], destroyed: Callable[..., None], ids: list[int]) -> None:
    with scope.unit_of_work(door="command"), scope.all_tenants():
        found = model.objects.filter(pk__in=ids)
        keep_still(found.order_by().values_list("tenant_id", flat=True).distinct())
        doomed = list(found.select_for_update(no_key=True, of=("self",)).order_by("pk"))
        _refuse_held(found)
        destroyed(doomed, reason=REASON, rules={row.pk: {"command": "erase_tenant"} for row in doomed})


# --- Its tables -----------------------------------------------------------------------------------------


def tables() -> list[type[Model]]:
    """Every table with rows of a company that go with it, those first that refer to others.

    Read from the models, so that none can be forgotten.
    """
    bound = [model for model in apps.get_models() if _columns(model) and model not in KEPT]
    order: TopologicalSorter[type[Model]] = TopologicalSorter(dict.fromkeys(bound, ()))
    for model in bound:
        for key in _keys(model):
            if key.related_model in bound and key.related_model is not model and (model, key.name) not in _LOOSE:
                order.add(key.related_model, model)
    return list(order.static_order())


# Two tables that refer to each other: documents are gone by then.
_LOOSE = {(Document, "current")}


def _keys(model: type[Model]) -> Iterator[ForeignKey[Any, Any]]:
    return (column for column in model._meta.concrete_fields if isinstance(column, ForeignKey))


def _columns(model: type[Model]) -> list[str]:
    """By which columns a row belongs to a company; an account does not, it has places there."""
    if model is User:
        return []
    return [
        key.name for key in _keys(model) if key.related_model is Organization and key.name in ("tenant", "organization")
    ]


def of_company(model: type[Model], tenant: Organization) -> QuerySet[Any]:
    """The rows of a table that belong to a company or to an organization of it."""
    ours = Q()
    for name in _columns(model):
        ours |= Q(**{f"{name}__tenant": tenant})
    return model._base_manager.filter(ours)


def _clear_tables(tenant: Organization, progress: Progress) -> int:
    """Delete what is left; returns how many rows were found. Raises `Conflict` ``held`` where a hold came meanwhile: it
    would go with the rest.
    """
    with scope.unit_of_work(door="command"), scope.all_tenants():
        keep_still([tenant.pk])
        if Hold.objects.in_force().filter(tenant=tenant).exists():
            raise Conflict(_HELD, code="held")
        UserIdentity.objects.filter(provider__tenant=tenant).delete()
        strange = MessageRecipient.objects.filter(contact__tenant=tenant).exclude(message__tenant=tenant)
        strange.update(contact=None)
        User.objects.filter(home_tenant__tenant=tenant).update(home_tenant=None)
    found = sum(_clear(model, of_company(model, tenant), progress) for model in tables())
    branches = Organization.objects.filter(tenant=tenant).exclude(pk=tenant.pk)
    return found + _clear(Organization, branches, progress)


def _clear(model: type[Model], found: QuerySet[Any], progress: Progress) -> int:
    """Where rows refer to others of their table, those go first to which none refers."""
    for key in _keys(model):
        if key.related_model is model and key.name != "tenant":
            found = found.filter(
                ~Exists(model._base_manager.filter(**{key.name: OuterRef("pk")}).exclude(pk=OuterRef("pk")))
            )
    done = 0
    while ids := _ids(found):
        with scope.unit_of_work(door="command"), scope.all_tenants():
            if "tenant" not in _columns(model):  # the history names no company with it
                _empty_history_of(model, ids)
            model._base_manager.filter(pk__in=ids).delete()
        done += len(ids)
        progress(str(model._meta.verbose_name_plural), done)
    return done


def _empty_history_of(model: type[Model], ids: list[int]) -> None:
    told = AuditEntry.objects.filter(object_type=model._meta.label_lower, object_id__in=[str(pk) for pk in ids])
    sealing.erase(told.filter(tenant=None))


def _empty_history(tenant: Organization, progress: Progress) -> None:
    full = (
        AuditEntry.objects.filter(tenant=tenant).exclude(salt=b"").exclude(verb=sealing.ERASED, object_type=sealing.OWN)
    )
    with scope.unit_of_work(door="command"), scope.all_tenants():
        _empty_history_of(Organization, [tenant.pk])  # from before it was a company
    done, last = 0, 0
    while True:
        with scope.unit_of_work(door="command"), scope.all_tenants():
            ids = list(full.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:ENTRIES])
            if not ids:
                return
            done += sealing.erase(full.filter(pk__gt=last, pk__lte=ids[-1]))
        last = ids[-1]
        progress(str(AuditEntry._meta.verbose_name_plural), done)


def _bury(tenant: Organization) -> None:
    """The row without name. Raises `RuntimeError` when something of it is still there: then it is not erased."""
    with scope.unit_of_work(door="command"), scope.all_tenants():
        left = [model._meta.label for model in tables() if of_company(model, tenant).exists()]
        if left:
            raise RuntimeError(f"still there: {', '.join(left)}; run the command again")
        DestructionRecord.objects.filter(tenant=tenant).exclude(title="", filename="").update(title="", filename="")
        now = timezone.now()
        Organization.objects.filter(pk=tenant.pk).update(
            name=_nameless(tenant), description="", tags=[], avatar=None, location_address="", latitude=None,
            longitude=None, trial_ends_at=None, booked_at=None, retention_months=0, created_by=None, updated_at=now,
            row_version=F("row_version") + 1,
        )  # fmt: skip
        destroyed = DestructionRecord(
            tenant=tenant, kind="organization", object_id=tenant.pk, reason=REASON, rule={"command": "erase_tenant"}
        )
        destroyed.save(force_insert=True)
        audit.record("erased", tenant)


def _nameless(tenant: Organization) -> str:
    return f"erased-{tenant.uuid}"
