"""When a document is due to be deleted, and the jobs that do it (DOCMS-106 … 108, 122, 124; conflict 17).

One rule for everybody: of the moments that its folder, its first access and its size name, the earliest decides
(`rule_at`, `policy`); it is moved to the end of the folder's protection (`due_at`); and nothing is due while a legal
hold covers the document. The jobs delete what `due` finds, the back office shows what `due` will find.
"""

from __future__ import annotations

import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models import Case, DateTimeField, DurationField, ExpressionWrapper, F, Min, Q, Value, When
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone

from core.models import DestructionRecord
from core.querysets import any_of, equals_any
from core.services import batches
from core.services.pace import Pace
from docms.models import Document, Folder
from docms.services.destruction import End, destroy
from orgs.services.holds import keep_still

if TYPE_CHECKING:
    from django.db.models import Expression
    from django.db.models.expressions import Combinable

    from core.services.jobs import Counts
    from docms.querysets import DocumentQuerySet

BATCH = 500  # documents that go in one transaction: whoever opens one of them, or places a hold, waits that long
Policy = DestructionRecord.Reason
HOURS = "tenant__settings__delete_big_file_after_hours"


# --- The rule -------------------------------------------------------------------------------------------


def _moment(then: Any, condition: Q) -> Case:
    """A moment under a condition, else null, which `Least` passes over."""
    return Case(When(condition, then=then), default=None, output_field=DateTimeField())


def _later(start: Expression | F, count: str, unit: datetime.timedelta) -> Combinable:
    """``start`` and as many units as the column says."""
    span = ExpressionWrapper(F(count) * Value(unit), output_field=DurationField())
    return ExpressionWrapper(start + span, output_field=DateTimeField())


def with_due(documents: DocumentQuerySet[Document]) -> DocumentQuerySet[Document]:
    """Annotate when and why each goes: ``policy``, ``rule_at``, ``due_at``; null where nothing makes it go.

    ``folder_date_at``, ``first_access_at`` and ``big_file_at`` are what each rule says for itself. A big file counts
    from the upload of its current content. What a download has claimed goes because of that, whatever else holds
    (DOCMS-122, 123). Legal holds are not asked here, see `due`.
    """
    uploaded = Coalesce("current__created_at", "created_at")
    annotated: Any = documents.annotate(
        folder_date_at=_moment(F("folder__allow_delete_files"), Q(folder__auto_delete_files=True)),
        first_access_at=_moment(
            _later(F("first_access"), "folder__file_delete_files", datetime.timedelta(days=1)),
            Q(folder__file_delete_files__gt=0, first_access__isnull=False),
        ),
        big_file_at=_moment(
            _later(uploaded, HOURS, datetime.timedelta(hours=1)), Q(is_big=True, **{f"{HOURS}__gt": 0})
        ),
        big_hours=F(HOURS),
        rule_at=Coalesce("claimed_at", Least("folder_date_at", "first_access_at", "big_file_at")),
        due_at=_moment(Greatest("rule_at", "folder__allow_delete_files"), Q(rule_at__isnull=False)),
        policy=Case(
            When(claimed_at__isnull=False, then=Value(Policy.NEXT_DOWNLOAD.value)),
            When(folder_date_at=F("rule_at"), then=Value(Policy.FOLDER_DATE.value)),
            When(first_access_at=F("rule_at"), then=Value(Policy.FIRST_ACCESS.value)),
            When(big_file_at=F("rule_at"), then=Value(Policy.BIG_FILE.value)),
            default=None,
        ),
    )
    found: DocumentQuerySet[Document] = annotated
    return found


def _in_emptied_folders(until: datetime.datetime) -> DocumentQuerySet[Document]:
    emptied = Folder.objects.filter(auto_delete_files=True, allow_delete_files__lte=until)
    return Document.objects.filter(any_of("folder", emptied.values("id")))


def _opened_long_ago(until: datetime.datetime) -> DocumentQuerySet[Document]:
    keeping = Folder.objects.filter(file_delete_files__gt=0)
    least = keeping.aggregate(days=Min("file_delete_files"))["days"]
    if least is None:
        return Document.objects.none()
    opened = Document.objects.filter(first_access__lte=until - datetime.timedelta(days=least))
    return opened.filter(any_of("folder", keeping.values("id")))


def _big(until: datetime.datetime) -> DocumentQuerySet[Document]:
    return Document.objects.filter(is_big=True, created_at__lte=until - datetime.timedelta(hours=1))


# What each rule may make due until a moment, narrowed by an index, and the moment that the rule says for itself.
CANDIDATES = {
    Policy.FOLDER_DATE: (_in_emptied_folders, "folder_date_at"),
    Policy.FIRST_ACCESS: (_opened_long_ago, "first_access_at"),
    Policy.BIG_FILE: (_big, "big_file_at"),
}


def due(documents: DocumentQuerySet[Document], *, until: datetime.datetime | None = None) -> DocumentQuerySet[Document]:
    """Of these, the documents that are to be deleted by now, or by a later moment; held ones never are."""
    annotated: Any = with_due(documents)
    found: DocumentQuerySet[Document] = annotated.filter(due_at__lte=until or timezone.now()).not_held()
    return found


def _by(policy: Policy, documents: DocumentQuerySet[Document], until: datetime.datetime) -> DocumentQuerySet[Document]:
    """Of these, what is due until a moment, and by this rule, too, if not by it alone.

    What a download has claimed is left out: that has a job of its own.
    """
    moment = CANDIDATES[policy][1]
    return due(documents.filter(claimed_at=None), until=until).filter(**{f"{moment}__lte": until})


def due_by(policy: Policy, until: datetime.datetime) -> DocumentQuerySet[Document]:
    """All that a rule has made due until a moment, found by its index; see `_by`."""
    return _by(policy, CANDIDATES[policy][0](until), until)


def due_soon(until: datetime.datetime) -> DocumentQuerySet[Document]:
    """All that will have gone by then if nothing changes, the next first: `due`, found by the indexes of the rules."""
    found = Q(claimed_at__isnull=False)
    for policy in CANDIDATES:
        found |= any_of("pk", due_by(policy, until).values("pk"))
    soon: Any = due(Document.objects.filter(found), until=until)
    ordered: DocumentQuerySet[Document] = soon.order_by("due_at", "pk")
    return ordered


_RULED = (
    "first_access", "created_at", "folder__allow_delete_files", "folder__file_delete_files", "current__created_at",
)  # fmt: skip


def rule_of(document: Document) -> dict[str, Any]:
    """What its destruction record says of the rule; ``document`` comes from `with_due`."""
    row: Any = document  # the annotations
    rule: dict[str, Any] = {"policy": row.policy, "due_at": row.due_at.isoformat()}
    if row.policy == Policy.FOLDER_DATE:
        rule["allow_delete_files"] = row.folder.allow_delete_files.isoformat()
    elif row.policy == Policy.FIRST_ACCESS:
        rule |= {"first_access": row.first_access.isoformat(), "file_delete_files": row.folder.file_delete_files}
    elif row.policy == Policy.BIG_FILE:
        uploaded = row.current.created_at if row.current else row.created_at
        rule |= {"uploaded_at": uploaded.isoformat(), "delete_big_file_after_hours": row.big_hours}
    return rule


# --- The jobs -------------------------------------------------------------------------------------------


def delete_by_folder_date() -> Counts:
    """Job: empty the folders whose date has come; folders and what lies below them stay (DOCMS-106)."""
    return _delete("docms.delete_by_folder_date", Policy.FOLDER_DATE)


def delete_after_first_access() -> Counts:
    """Job: delete what was opened as many days ago as its folder keeps such documents (DOCMS-107)."""
    return _delete("docms.delete_after_first_access", Policy.FIRST_ACCESS)


def delete_big_files() -> Counts:
    """Job: delete big files whose hours since the upload are over, opened or not (DOCMS-124)."""
    return _delete("docms.delete_big_files", Policy.BIG_FILE)


def _delete(name: str, policy: Policy) -> Counts:
    """Delete what a rule has made due, batch by batch; each asks the rule once more, when nobody can place a hold."""
    due, work = partial(due_after, policy), partial(_end, name, policy)
    return batches.go_through(Document, job=name, due=due, work=work, batch=BATCH, counted="deleted", pace=Pace())


def due_after(policy: Policy, last: int) -> DocumentQuerySet[Document]:
    """What a rule has made due by now, after a number. It stands in an array, so that the order does not choose the
    index.
    """
    found = due_by(policy, timezone.now()).filter(pk__gt=last)
    return Document.objects.filter(any_of("pk", found.values("pk")))


def _end(name: str, policy: Policy, ids: list[int]) -> int:
    """How many went. Left are those that are gone or not due any more: moved, opened, held or protected meanwhile."""
    documents = Document.objects.filter(equals_any("pk", ids))
    keep_still(documents.order_by().values_list("tenant_id", flat=True).distinct())
    list(documents.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    found: Any = _by(policy, documents, timezone.now()).select_related("folder", "current").only(*_RULED)
    ends = {row.pk: End(row.policy, rule_of(row) | {"job": name}) for row in found}
    return len(destroy(Document.objects.filter(equals_any("pk", ends)), user_id=None, end=ends))
