"""`/folders/{id}/files` in django-ninja: Django's ORM, and a Schema that reads the rows' attributes."""

# mypy: ignore-errors
# Only the benches install what this imports.

from __future__ import annotations

import datetime

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import path
from django.utils import timezone
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError
from ninja.security import HttpBearer

from core.tokens import token_hash
from docms.models import Document, Folder, FolderAccess, FolderPermission, Group, GroupMember, ReadMark
from orgs import audience
from orgs.models import AccessToken, Contact, Membership, Occupancy, OrganizationSettings, Responsibility


class DoneState(Schema):
    done: bool
    date: str | None
    user_id: int | None
    user_name: str | None


class File(Schema):
    file_id: int
    version: str | None
    folder_id: int
    folder_inactive_at: str | None
    title: str
    description: str | None
    filename: str
    label_name: str | None
    label_color: str | None
    size_bytes: int
    size_mega_bytes: float
    access_counter: int
    allow_download: bool
    latest_change: str
    read_by_user: bool
    active_date: str | None
    inactive_date: str | None
    done_state: DoneState
    is_creator: bool
    identifier: str | None
    first_access: str | None
    is_on_fileserver: bool
    delete_after_next_download: bool
    internal_note: str | None


class Bearer(HttpBearer):
    """Token, membership and keys of the caller."""

    def authenticate(self, request: HttpRequest, token: str) -> Membership | None:
        now = timezone.now()
        row = (
            AccessToken.objects.select_related("user", "organization")
            .filter(
                token_hash=token_hash(token),
                kind="docms_session",
                state="active",
                revoked_at=None,
                expires_at__gt=now,
                user__erased_at=None,
                organization__closed_at=None,
            )
            .first()
        )
        if row is None:
            return None
        tenant = row.organization
        member = (
            Membership.objects.filter(user=row.user_id, organization=tenant)
            .filter(Q(deactivated_at=None) | Q(deactivated_at__gt=now))
            .first()
        )
        settings = (
            OrganizationSettings.objects.filter(organization=tenant).only("mark_read", "api_internal_access").first()
        )
        if member is None or settings is None or not settings.api_internal_access:
            return None
        contacts = list(
            Contact.objects.filter(user=row.user_id, tenant=tenant, erased_at=None).values_list("id", flat=True)
        )
        keys = {audience.account(row.user_id), *map(audience.contact, contacts)}
        held = Occupancy.objects.filter(contact__in=contacts, revoked_at=None, period__contains=tenant.today())
        for o in held.select_related("unit"):
            keys |= audience.occupancy_keys(
                community_id=o.unit.community_id,
                building_id=o.unit.building_id,
                unit_id=o.unit_id,
                role=o.role,
                is_full=o.role in ("owner", "renter") or o.is_admin,
            )
        seats = Responsibility.objects.filter(
            contact__in=contacts, type="ADVISORY_BOARD", period__contains=tenant.today()
        )
        keys |= {audience.community(c, audience.BOARD) for c in seats.values_list("community_id", flat=True)}
        request.tenant, request.keys, request.mark_read = tenant, keys, settings.mark_read
        return member


api = NinjaAPI(auth=Bearer())


@api.get("/folders/{folder_id}/files", response=list[File])
def files(request: HttpRequest, folder_id: int) -> list[dict]:
    member, now = request.auth, timezone.now()
    listed = GroupMember.objects.filter(membership=member).values("group_id")
    held = Group.objects.filter(
        Q(audience_key__in=request.keys) | Q(kind="manual", id__in=listed), tenant=request.tenant
    )
    folder = Folder.objects.filter(
        Q(hidden_from=None) | Q(hidden_from__gt=now),
        Exists(FolderAccess.objects.filter(folder=OuterRef("pk"), group__in=held)),
        pk=folder_id,
        tenant=request.tenant,
    ).first()
    if folder is None:
        raise HttpError(404, "Not found.")
    chosen = FolderPermission.objects.filter(folder=folder, membership=member, active=True).first()
    upload, edit, edit_own = (
        (chosen.upload, chosen.edit, chosen.edit_own)
        if chosen
        else (member.upload_file_perm, member.edit_file_perm, member.edit_own_file_perm)
    )
    marks = ReadMark.objects.filter(
        document=OuterRef("pk"), membership=member, version_no__gte=OuterRef("current__number")
    )
    found = (
        Document.objects.filter(
            (Q(active_from=None) | Q(active_from__lte=now)) & (Q(active_until=None) | Q(active_until__gt=now))
            | Q(uploaded_by=member.user_id),
            folder=folder,
            claimed_at=None,
        )
        .annotate(is_read=Exists(marks))
        .select_related("folder", "label", "done_by")
        .order_by("sort_key", "id")
    )
    zone = request.tenant.zone

    def moment(value: datetime.datetime | None) -> str | None:
        if value is None:
            return None
        local = value.astimezone(zone)
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"

    rows = []
    for d in found:
        own = d.uploaded_by_id == member.user_id
        names = (d.done_by.last_name, d.done_by.first_name) if d.done_by else ()
        rows.append(
            {
                "file_id": d.id,
                "version": d.version_label or None,
                "folder_id": d.folder_id,
                "folder_inactive_at": moment(d.folder.inactive_at),
                "title": d.title,
                "description": d.description or None,
                "filename": d.filename,
                "label_name": d.label.name if d.label else None,
                "label_color": d.label.color if d.label else None,
                "size_bytes": d.size_bytes,
                "size_mega_bytes": round(d.size_bytes / 1_000_000, 2),
                "access_counter": d.access_counter,
                "allow_download": d.allow_download,
                "latest_change": moment(d.changed_at),
                "read_by_user": request.mark_read and d.is_read,
                "active_date": moment(d.active_from),
                "inactive_date": moment(d.active_until),
                "done_state": {
                    "done": d.done,
                    "date": moment(d.done_at),
                    "user_id": d.done_by_id,
                    "user_name": ", ".join(part for part in names if part) or None,
                },
                "is_creator": own,
                "identifier": d.identifier or None,
                "first_access": moment(d.first_access),
                "is_on_fileserver": d.is_big,
                "delete_after_next_download": d.delete_after_next_download,
                "internal_note": (d.internal_note or None) if upload and (edit_own if own else edit) else None,
            }
        )
    return rows


urlpatterns = [path("", api.urls)]
