"""Documents as the contract writes them: the shape, and rows at a constant number of queries."""

from __future__ import annotations

import datetime
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.response import Response

from core import scope
from core.http import dumps
from core.planned import planned_cursor, sql_of
from docms import rules
from docms.api.fields import (
    ColorField,
    IdField,
    MomentField,
    NullableTextField,
    TextField,
    moment,
    text,
)
from docms.api.people import display_name
from docms.api.spooling import Base64Field
from docms.models import Document, Folder

if TYPE_CHECKING:
    import zoneinfo
    from collections.abc import Iterator, Sequence

    from django.db.models import QuerySet

    from docms.api.base import DocmsView
    from docms.querysets import DocumentQuerySet
    from orgs.actor import Actor

PIECE = 500  # documents of one statement, where a list is sent in pieces
FILENAME = r"^[^/\\\x00]+\Z"


class DoneState(serializers.Serializer):
    """Whether the document is checked off, shared by everybody of the folder (DOCMS-130)."""

    done = serializers.BooleanField(help_text="Whether the document is checked off.")
    date = MomentField(allow_null=True, help_text="Moment of the latest change of the mark.")
    user_id = serializers.IntegerField(allow_null=True, help_text="User who changed the mark last.")
    user_name = serializers.CharField(allow_null=True, help_text="Name of that user.")


class File(serializers.Serializer):
    """Document data without its content (DOCMS-115)."""

    file_id = serializers.IntegerField(help_text="Document id.")
    version = serializers.CharField(allow_null=True, help_text="Version designation chosen by the uploader.")
    folder_id = serializers.IntegerField(help_text="Folder holding the document.")
    folder_inactive_at = MomentField(allow_null=True, help_text="inactive_at of the holding folder.")
    title = serializers.CharField(help_text="Title.")
    description = serializers.CharField(allow_null=True, help_text="Description.")
    filename = serializers.CharField(help_text="File name whose extension tells the document type.")
    label_name = serializers.CharField(allow_null=True, help_text="Name of the label in use.")
    label_color = serializers.CharField(allow_null=True, help_text="Colour of the label.")
    size_bytes = serializers.IntegerField(help_text="Content size in bytes.")
    size_mega_bytes = serializers.FloatField(help_text="Content size in megabytes (bytes / 1,000,000, two decimals).")
    access_counter = serializers.IntegerField(help_text="Number of views and downloads of the document.")
    allow_download = serializers.BooleanField(help_text="False locks downloading while viewing stays possible.")
    latest_change = MomentField(help_text="Latest change of content or data.")
    read_by_user = serializers.BooleanField(
        help_text="The caller has viewed or downloaded the current version; always false while mark_read is off."
    )
    active_date = MomentField(allow_null=True, help_text="Moment from which users see the document.")
    inactive_date = MomentField(allow_null=True, help_text="Moment from which users no longer see the document.")
    done_state = DoneState()
    is_creator = serializers.BooleanField(help_text="The caller uploaded the document.")
    identifier = serializers.CharField(allow_null=True, help_text="Additional reference.")
    first_access = MomentField(allow_null=True, help_text="First view or download after upload.")
    is_on_fileserver = serializers.BooleanField(help_text="The content is a big file kept in the big-file store.")
    delete_after_next_download = serializers.BooleanField()
    internal_note = serializers.CharField(
        allow_null=True, help_text="Note for users who may edit the document; null for everybody else."
    )


class FileUpdate(serializers.Serializer):
    """Document fields to change; omitted fields keep their value."""

    version = NullableTextField(required=False, max_length=50)
    folder_id = IdField(required=False, help_text="Folder holding the document.")
    title = TextField(required=False, max_length=250, help_text="Title; the file name when left out on upload.")
    description = NullableTextField(required=False, max_length=4000)
    filename = serializers.RegexField(FILENAME, required=False, max_length=255, trim_whitespace=False)
    label_name = NullableTextField(required=False, max_length=100, help_text="Must exist among the folder's labels.")
    label_color = ColorField(required=False, allow_null=True, help_text="Taken from the folder's label.")
    file_data = Base64Field(
        required=False, allow_null=True,
        help_text="Content as plain Base64; a data URI is accepted as well. Null or missing on update keeps it.",
    )  # fmt: skip
    allow_download = serializers.BooleanField(required=False)
    active_date = MomentField(required=False, allow_null=True, days=True)
    inactive_date = MomentField(required=False, allow_null=True, days=True)
    identifier = NullableTextField(required=False, max_length=250)
    first_access = MomentField(
        required=False, allow_null=True, help_text="Honoured for administrators in updates; null restarts the count."
    )
    delete_after_next_download = serializers.BooleanField(required=False)
    internal_note = NullableTextField(required=False, max_length=4000)


class FileCreate(FileUpdate):
    """New document with content."""

    folder_id = IdField(help_text="Folder holding the document.")
    filename = serializers.RegexField(FILENAME, max_length=255, trim_whitespace=False)
    file_data = Base64Field(help_text="Content as plain Base64 or data URI.")


# Field of the contract → column of the document.
COLUMNS = {
    "version": "version_label",
    "title": "title",
    "description": "description",
    "allow_download": "allow_download",
    "active_date": "active_from",
    "inactive_date": "active_until",
    "identifier": "identifier",
    "delete_after_next_download": "delete_after_next_download",
    "internal_note": "internal_note",
}

# Which documents, and in which order, a queryset says; what the contract shows of them is read around it. Forty columns
# of four tables put together by the ORM cost more time than the database needs to answer.
_ROWS = """
SELECT d.id, d.version_label, d.folder_id, f.inactive_at, d.title, d.description, d.filename, l.name, l.color,
       d.size_bytes, d.access_counter, d.allow_download, d.changed_at, d.active_from, d.active_until, d.done, d.done_at,
       d.done_by_id, u.first_name, u.last_name, u.name_as_given, d.uploaded_by_id, d.identifier, d.first_access, d.is_big,
       d.delete_after_next_download, d.internal_note,
       EXISTS (SELECT 1 FROM docms_readmark r
                WHERE r.document_id = d.id AND r.membership_id = %s AND r.version_no >= v.number)
  FROM unnest(ARRAY({found})) WITH ORDINALITY AS found(id, place)
  JOIN docms_document d ON d.id = found.id
  JOIN docms_folder f ON f.id = d.folder_id
  LEFT JOIN docms_documentversion v ON v.id = d.current_id
  LEFT JOIN docms_folderlabel l ON l.id = d.label_id
  LEFT JOIN orgs_user u ON u.id = d.done_by_id
 ORDER BY found.place
"""


class _Stored(NamedTuple):
    """What `_ROWS` reads of one document."""

    id: int
    version_label: str
    folder_id: int
    folder_inactive_at: datetime.datetime | None
    title: str
    description: str
    filename: str
    label_name: str | None
    label_color: str | None
    size_bytes: int
    access_counter: int
    allow_download: bool
    changed_at: datetime.datetime
    active_from: datetime.datetime | None
    active_until: datetime.datetime | None
    done: bool
    done_at: datetime.datetime | None
    done_by: int | None
    done_first_name: str | None
    done_last_name: str | None
    done_name_as_given: str | None
    uploaded_by: int
    identifier: str
    first_access: datetime.datetime | None
    is_big: bool
    delete_after_next_download: bool
    internal_note: str
    is_read: bool


def rows_of(view: DocmsView, found: QuerySet[Document]) -> list[dict[str, Any]]:
    """Documents as the contract writes them, in the order of the queryset, in two queries at most.

    The flags decide who sees internal notes: they are asked for folders where there are some.
    """
    inner = sql_of(found.values("id"))
    return [] if inner is None else _written(view, *inner)


def _written(view: DocmsView, found: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
    """The documents whose ids a statement finds."""
    with planned_cursor() as cursor:
        cursor.execute(_ROWS.replace("{found}", found), (view.membership.pk, *values))
        rows = [_Stored(*row) for row in cursor.fetchall()]
    noted = {row.folder_id for row in rows if row.internal_note}
    flags = rules.effective_many(view.actor, [Folder(pk=pk, tenant_id=view.tenant.pk) for pk in noted])
    marked, zone = view.marks_shown, view.tenant.zone
    return [_row(row, view.actor, flags.get(row.folder_id, rules.Flags()), zone, marked=marked) for row in rows]


def in_pieces(view: DocmsView, found: DocumentQuerySet[Document]) -> Response | StreamingHttpResponse:
    """A list of any length in flat memory: what is longer than `PIECE` is read and sent piece by piece.

    The ids, in the order of the queryset, are read at once; of each piece the rows that the queryset still finds, in a
    unit of work of its own: no transaction stays open for a slow client.
    """
    rows = rows_of(view, found[: PIECE + 1])
    if len(rows) <= PIECE:
        return Response(rows)
    del rows
    ids = array("q", found.values_list("pk", flat=True).iterator(chunk_size=2000))
    return StreamingHttpResponse(_pieces(view, found, ids, scope.current()), content_type="application/json")


def _pieces(
    view: DocmsView, found: DocumentQuerySet[Document], ids: Sequence[int], now: scope.Scope
) -> Iterator[bytes]:
    begin = b"["
    for start in range(0, len(ids), PIECE):
        with scope.resumed(now):
            rows = rows_of(view, found.filter(pk__in=list(ids[start : start + PIECE])))
        if rows:
            yield begin + dumps(rows)[1:-1]
            begin = b","
    yield b"[]" if begin == b"[" else b"]"


def _row(row: _Stored, actor: Actor, flags: rules.Flags, zone: zoneinfo.ZoneInfo, *, marked: bool) -> dict[str, Any]:
    own = row.uploaded_by == actor.user_id
    name = display_name(row.done_first_name, row.done_last_name, row.done_name_as_given)
    return {
        "file_id": row.id,
        "version": text(row.version_label),
        "folder_id": row.folder_id,
        "folder_inactive_at": moment(row.folder_inactive_at, zone),
        "title": row.title,
        "description": text(row.description),
        "filename": row.filename,
        "label_name": row.label_name,
        "label_color": row.label_color,
        "size_bytes": row.size_bytes,
        "size_mega_bytes": round(row.size_bytes / 1_000_000, 2),
        "access_counter": row.access_counter,
        "allow_download": row.allow_download,
        "latest_change": moment(row.changed_at, zone),
        "read_by_user": marked and row.is_read,
        "active_date": moment(row.active_from, zone),
        "inactive_date": moment(row.active_until, zone),
        "done_state": {
            "done": row.done,
            "date": moment(row.done_at, zone),
            "user_id": row.done_by,
            "user_name": text(name),
        },
        "is_creator": own,
        "identifier": text(row.identifier),
        "first_access": moment(row.first_access, zone),
        "is_on_fileserver": row.is_big,
        "delete_after_next_download": row.delete_after_next_download,
        "internal_note": text(row.internal_note) if flags.edits(own=own) else None,
    }


def one(view: DocmsView, file_id: int) -> dict[str, Any]:
    """One document as stored now; the caller has settled that it may be seen."""
    return _written(view, "SELECT id FROM docms_document WHERE id = %s AND tenant_id = %s", (file_id, view.tenant.pk))[
        0
    ]


def new(view: DocmsView, document: Document, flags: rules.Flags) -> dict[str, Any]:
    """A document that this request has published, without reading it again: nobody has opened it or checked it off."""
    stored = _Stored(
        id=document.pk,
        version_label=document.version_label,
        folder_id=document.folder_id,
        folder_inactive_at=document.folder.inactive_at,
        title=document.title,
        description=document.description,
        filename=document.filename,
        label_name=document.label.name if document.label else None,
        label_color=document.label.color if document.label else None,
        size_bytes=document.size_bytes,
        access_counter=document.access_counter,
        allow_download=document.allow_download,
        changed_at=document.changed_at,
        active_from=document.active_from,
        active_until=document.active_until,
        done=False,
        done_at=None,
        done_by=None,
        done_first_name=None,
        done_last_name=None,
        done_name_as_given=None,
        uploaded_by=document.uploaded_by_id,
        identifier=document.identifier,
        first_access=None,
        is_big=document.is_big,
        delete_after_next_download=document.delete_after_next_download,
        internal_note=document.internal_note,
        is_read=False,
    )
    return _row(stored, view.actor, flags, view.tenant.zone, marked=view.marks_shown)


def columns_of(values: dict[str, Any], names: Sequence[str] = tuple(COLUMNS)) -> dict[str, Any]:
    """The columns that a body names."""
    return {COLUMNS[name]: values[name] for name in names if name in values}
