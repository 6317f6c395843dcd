"""`/folders/{id}/files` in FastAPI, with SQLAlchemy's ORM on asyncpg and a Pydantic model for the answer."""

# mypy: ignore-errors
# Only the benches install what this imports.

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import AsyncIterator
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Date, ForeignKey, and_, cast, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

engine = create_async_engine(os.environ["RIVAL_DATABASE_URL"], pool_size=8)
Session = async_sessionmaker(engine, expire_on_commit=False)


# --- Tables ---------------------------------------------------------------------------------------------


class Base(DeclarativeBase):
    """Of all tables."""


class User(Base):
    __tablename__ = "orgs_user"
    id: Mapped[int] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    erased_at: Mapped[datetime.datetime | None]


class Organization(Base):
    __tablename__ = "orgs_organization"
    id: Mapped[int] = mapped_column(primary_key=True)
    timezone: Mapped[str]
    closed_at: Mapped[datetime.datetime | None]


class OrganizationSettings(Base):
    __tablename__ = "orgs_organizationsettings"
    organization_id: Mapped[int] = mapped_column(primary_key=True)
    mark_read: Mapped[bool]
    api_internal_access: Mapped[bool]


class AccessToken(Base):
    __tablename__ = "orgs_accesstoken"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes]
    kind: Mapped[str]
    state: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("orgs_user.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("orgs_organization.id"))
    expires_at: Mapped[datetime.datetime | None]
    revoked_at: Mapped[datetime.datetime | None]
    user: Mapped[User] = relationship()
    organization: Mapped[Organization] = relationship()


class Membership(Base):
    __tablename__ = "orgs_membership"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    organization_id: Mapped[int]
    deactivated_at: Mapped[datetime.datetime | None]
    upload_file_perm: Mapped[bool]
    edit_file_perm: Mapped[bool]
    edit_own_file_perm: Mapped[bool]


class Contact(Base):
    __tablename__ = "orgs_contact"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None]
    tenant_id: Mapped[int]
    erased_at: Mapped[datetime.datetime | None]


class Unit(Base):
    __tablename__ = "orgs_unit"
    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int]
    building_id: Mapped[int | None]


class Occupancy(Base):
    __tablename__ = "orgs_occupancy"
    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("orgs_contact.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("orgs_unit.id"))
    role: Mapped[str]
    is_admin: Mapped[bool]
    revoked_at: Mapped[datetime.datetime | None]
    contact: Mapped[Contact] = relationship()
    unit: Mapped[Unit] = relationship()


class Responsibility(Base):
    __tablename__ = "orgs_responsibility"
    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int]
    community_id: Mapped[int]
    type: Mapped[str]


class Group(Base):
    __tablename__ = "docms_group"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    kind: Mapped[str]
    audience_key: Mapped[str | None]


class GroupMember(Base):
    __tablename__ = "docms_groupmember"
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int]
    membership_id: Mapped[int]


class FolderAccess(Base):
    __tablename__ = "docms_folderaccess"
    id: Mapped[int] = mapped_column(primary_key=True)
    folder_id: Mapped[int]
    group_id: Mapped[int]


class FolderPermission(Base):
    __tablename__ = "docms_folderpermission"
    id: Mapped[int] = mapped_column(primary_key=True)
    folder_id: Mapped[int]
    membership_id: Mapped[int]
    active: Mapped[bool]
    upload: Mapped[bool]
    edit: Mapped[bool]
    edit_own: Mapped[bool]


class Folder(Base):
    __tablename__ = "docms_folder"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    inactive_at: Mapped[datetime.datetime | None]
    hidden_from: Mapped[datetime.datetime | None]


class FolderLabel(Base):
    __tablename__ = "docms_folderlabel"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    color: Mapped[str]


class DocumentVersion(Base):
    __tablename__ = "docms_documentversion"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class ReadMark(Base):
    __tablename__ = "docms_readmark"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int]
    membership_id: Mapped[int]
    version_no: Mapped[int]


class Document(Base):
    __tablename__ = "docms_document"
    id: Mapped[int] = mapped_column(primary_key=True)
    version_label: Mapped[str]
    folder_id: Mapped[int] = mapped_column(ForeignKey("docms_folder.id"))
    title: Mapped[str]
    sort_key: Mapped[str] = mapped_column(deferred=True)
    description: Mapped[str]
    filename: Mapped[str]
    label_id: Mapped[int | None] = mapped_column(ForeignKey("docms_folderlabel.id"))
    current_id: Mapped[int | None]
    size_bytes: Mapped[int]
    access_counter: Mapped[int]
    allow_download: Mapped[bool]
    changed_at: Mapped[datetime.datetime]
    active_from: Mapped[datetime.datetime | None]
    active_until: Mapped[datetime.datetime | None]
    claimed_at: Mapped[datetime.datetime | None]
    done: Mapped[bool]
    done_at: Mapped[datetime.datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("orgs_user.id"))
    uploaded_by_id: Mapped[int]
    identifier: Mapped[str]
    first_access: Mapped[datetime.datetime | None]
    is_big: Mapped[bool]
    delete_after_next_download: Mapped[bool]
    internal_note: Mapped[str]
    folder: Mapped[Folder] = relationship()
    label: Mapped[FolderLabel | None] = relationship()
    done_by: Mapped[User | None] = relationship()


# --- Answers --------------------------------------------------------------------------------------------


class DoneState(BaseModel):
    done: bool
    date: str | None
    user_id: int | None
    user_name: str | None


class File(BaseModel):
    model_config = ConfigDict(from_attributes=True)

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


def moment(value: datetime.datetime | None, zone: ZoneInfo) -> str | None:
    if value is None:
        return None
    local = value.astimezone(zone)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"


# --- Who calls ------------------------------------------------------------------------------------------


class Caller(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    user_id: int
    tenant_id: int
    zone: ZoneInfo
    membership: Membership
    keys: list[str]
    mark_read: bool


async def session() -> AsyncIterator[AsyncSession]:
    async with Session() as opened:
        yield opened


Database = Annotated[AsyncSession, Depends(session)]


async def caller(db: Database, credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> Caller:
    digest = hashlib.sha256(credentials.credentials.encode()).digest()
    now = func.now()
    token = await db.scalar(
        select(AccessToken)
        .options(joinedload(AccessToken.user), joinedload(AccessToken.organization))
        .where(
            AccessToken.token_hash == digest,
            AccessToken.kind == "docms_session",
            AccessToken.state == "active",
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > now,
        )
    )
    if token is None or token.user.erased_at is not None or token.organization.closed_at is not None:
        raise HTTPException(401)
    user, tenant = token.user_id, token.organization_id
    membership = await db.scalar(
        select(Membership).where(
            Membership.user_id == user,
            Membership.organization_id == tenant,
            or_(Membership.deactivated_at.is_(None), Membership.deactivated_at > now),
        )
    )
    settings = await db.scalar(select(OrganizationSettings).where(OrganizationSettings.organization_id == tenant))
    if membership is None or settings is None or not settings.api_internal_access:
        raise HTTPException(401)
    zone = ZoneInfo(token.organization.timezone)
    today = datetime.datetime.now(zone).date()
    contacts = (
        await db.scalars(
            select(Contact.id).where(Contact.user_id == user, Contact.tenant_id == tenant, Contact.erased_at.is_(None))
        )
    ).all()
    keys = {f"a:{user}", *(f"p:{contact}" for contact in contacts)}
    occupancies = await db.scalars(
        select(Occupancy)
        .options(joinedload(Occupancy.unit))
        .where(
            Occupancy.contact_id.in_(contacts),
            Occupancy.revoked_at.is_(None),
            _period("orgs_occupancy").op("@>")(cast(today, Date)),
        )
    )
    for o in occupancies:
        keys |= {f"c:{o.unit.community_id}", f"c:{o.unit.community_id}:{o.role}"}
        if o.role in ("owner", "renter") or o.is_admin:
            keys |= {f"u:{o.unit_id}", f"u:{o.unit_id}:{o.role}"}
            if o.unit.building_id:
                keys.add(f"b:{o.unit.building_id}")
    seats = await db.scalars(
        select(Responsibility.community_id).where(
            Responsibility.contact_id.in_(contacts),
            Responsibility.type == "ADVISORY_BOARD",
            _period("orgs_responsibility").op("@>")(cast(today, Date)),
        )
    )
    keys |= {f"c:{community}:board" for community in seats}
    return Caller(
        user_id=user,
        tenant_id=tenant,
        zone=zone,
        membership=membership,
        keys=sorted(keys),
        mark_read=settings.mark_read,
    )


def _period(table: str):
    from sqlalchemy import literal_column

    return literal_column(f"{table}.period")


# --- The list -------------------------------------------------------------------------------------------

app = FastAPI()


@app.get("/folders/{folder_id}/files", response_model=list[File])
async def files(folder_id: int, who: Annotated[Caller, Depends(caller)], db: Database) -> list[File]:
    now = func.now()
    listed = select(GroupMember.group_id).where(GroupMember.membership_id == who.membership.id)
    held = select(Group.id).where(
        Group.tenant_id == who.tenant_id,
        or_(Group.audience_key.in_(who.keys), and_(Group.kind == "manual", Group.id.in_(listed))),
    )
    folder = await db.scalar(
        select(Folder).where(
            Folder.id == folder_id,
            Folder.tenant_id == who.tenant_id,
            or_(Folder.hidden_from.is_(None), Folder.hidden_from > now),
            exists().where(FolderAccess.folder_id == Folder.id, FolderAccess.group_id.in_(held)),
        )
    )
    if folder is None:
        raise HTTPException(404)
    chosen = await db.scalar(
        select(FolderPermission).where(
            FolderPermission.folder_id == folder.id,
            FolderPermission.membership_id == who.membership.id,
            FolderPermission.active,
        )
    )
    m = who.membership
    upload, edit, edit_own = (
        (chosen.upload, chosen.edit, chosen.edit_own)
        if chosen
        else (m.upload_file_perm, m.edit_file_perm, m.edit_own_file_perm)
    )
    current = (
        select(DocumentVersion.number)
        .where(DocumentVersion.id == Document.current_id)
        .correlate(Document)
        .scalar_subquery()
    )
    read = exists().where(
        ReadMark.document_id == Document.id, ReadMark.membership_id == m.id, ReadMark.version_no >= current
    )
    found = await db.execute(
        select(Document, read)
        .options(joinedload(Document.folder), joinedload(Document.label), joinedload(Document.done_by))
        .where(
            Document.folder_id == folder.id,
            Document.claimed_at.is_(None),
            or_(
                and_(
                    or_(Document.active_from.is_(None), Document.active_from <= now),
                    or_(Document.active_until.is_(None), Document.active_until > now),
                ),
                Document.uploaded_by_id == who.user_id,
            ),
        )
        .order_by(Document.sort_key, Document.id)
    )
    rows = []
    for d, is_read in found.unique():
        own = d.uploaded_by_id == who.user_id
        names = (d.done_by.last_name, d.done_by.first_name) if d.done_by else ()
        rows.append(
            File(
                file_id=d.id,
                version=d.version_label or None,
                folder_id=d.folder_id,
                folder_inactive_at=moment(d.folder.inactive_at, who.zone),
                title=d.title,
                description=d.description or None,
                filename=d.filename,
                label_name=d.label.name if d.label else None,
                label_color=d.label.color if d.label else None,
                size_bytes=d.size_bytes,
                size_mega_bytes=round(d.size_bytes / 1_000_000, 2),
                access_counter=d.access_counter,
                allow_download=d.allow_download,
                latest_change=moment(d.changed_at, who.zone),
                read_by_user=who.mark_read and is_read,
                active_date=moment(d.active_from, who.zone),
                inactive_date=moment(d.active_until, who.zone),
                done_state=DoneState(
                    done=d.done,
                    date=moment(d.done_at, who.zone),
                    user_id=d.done_by_id,
                    user_name=", ".join(part for part in names if part) or None,
                ),
                is_creator=own,
                identifier=d.identifier or None,
                first_access=moment(d.first_access, who.zone),
                is_on_fileserver=d.is_big,
                delete_after_next_download=d.delete_after_next_download,
                internal_note=(d.internal_note or None) if upload and (edit_own if own else edit) else None,
            )
        )
    return rows
