"""Write a world as rows, the way services write them, in about sixty statements."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import connection, transaction
from django.db.models import F, Model
from django.utils import timezone

from core import scope
from core.models import Blob
from core.text import sort_key
from docms.models import (
    Document,
    DocumentHold,
    DocumentVersion,
    Folder,
    FolderAccess,
    FolderMailUser,
    FolderPermission,
    Group,
    GroupMember,
    MailRule,
    MailRuleRecipient,
    ReadMark,
)
from docms.services import indexing, tree
from orgs.models import (
    Building,
    Community,
    CommunityAssignment,
    Contact,
    Hold,
    Membership,
    Occupancy,
    Organization,
    OrganizationSettings,
    Responsibility,
    Unit,
    User,
)
from orgs.services.occupancies import period
from tests.factories import stored
from tests.rights.worlds import world as facts
from tests.rights.worlds.world import World

COMMON = "papier"  # in the title of every document
HOUR = datetime.timedelta(hours=1)


@contextmanager
def standing(world: World, *, real_bytes: bool = False) -> Iterator[World]:
    """The world stands in the database, and it is its moment; afterwards everything is gone again."""
    with (
        mock.patch.object(timezone, "now", return_value=world.now),
        scope.unit_of_work(door="test"),
        transaction.atomic(),
    ):
        _write(world, real_bytes=real_bytes)
        yield world
        transaction.set_rollback(True)


def _put(model: type[Model], chosen: Sequence[Any], row: Callable[[Any], Model]) -> None:
    """Insert a row for each fact, which then knows its number."""
    made = model._default_manager.bulk_create([row(fact) for fact in chosen])
    for fact, obj in zip(chosen, made, strict=True):
        fact.pk = obj.pk


def _rows(model: type[Model], values: list[dict[str, Any]]) -> None:
    """Insert rows that nobody asks about by number."""
    if values:
        model._default_manager.bulk_create([model(**each) for each in values])


def _write(world: World, *, real_bytes: bool) -> None:
    _accounts(world)
    _register(world)
    _circles(world)
    _tree(world)
    _papers(world, real_bytes=real_bytes)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # such a world can exist
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _accounts(world: World) -> None:
    def account(user: facts.User) -> User:
        address = f"{user}@world.test"
        return User(
            username=address, email=address, password="!", is_superuser=user.operator,
            first_name="" if user.erased else user.name, erased_at=world.now if user.erased else None,
            credentials_changed_at=world.now - 1000 * HOUR,
        )  # fmt: skip

    _put(User, world.users, account)
    level = [n for n in world.nodes if n.above is None]
    while level:
        _put(
            Organization,
            level,
            lambda n: Organization(
                name=n.name, timezone=n.zone, closed_at=world.now if n.closed else None,
                tenant_id=n.tenant.pk or None, parent_id=n.above.pk if n.above else None,
                ancestors=[a.pk for a in reversed(n.upwards[1:])],
            ),
        )  # fmt: skip
        if level[0].above is None:
            # A company is inserted plain and admitted then, since its number must be known.
            Organization.objects.filter(pk__in=[n.pk for n in level]).update(is_tenant=True, tenant_id=F("id"))
        level = [n for n in world.nodes if n.above in level]
    scope.enter_tenants([t.pk for t in world.tenants])
    settings = [{"tenant_id": t.pk, "organization_id": t.pk, "mark_read": True} for t in world.tenants]
    _rows(OrganizationSettings, settings)


def _register(world: World) -> None:
    _put(
        Community,
        world.communities,
        lambda c: Community(
            tenant_id=c.tenant.pk, organization_id=c.node.pk, name=c.name, sort_key=sort_key(c.name),
            has_documents=c.has_documents,
        ),
    )  # fmt: skip
    _put(
        Building, world.buildings, lambda b: Building(tenant_id=b.tenant.pk, community_id=b.community.pk, street=b.name)
    )
    _put(
        Unit,
        world.units,
        lambda u: Unit(
            tenant_id=u.tenant.pk, community_id=u.community.pk, building_id=_pk(u.building), name=u.name
        ),
    )  # fmt: skip
    _put(
        Membership,
        world.members,
        lambda m: Membership(
            user_id=m.user.pk, organization_id=m.node.pk, tenant_id=m.tenant.pk, role=m.role,
            deactivated_at=m.deactivated_at, **dict.fromkeys(m.flags, True),
        ),
    )  # fmt: skip
    assigned = [(m, c) for m in world.members for c in m.assigned]
    _rows(
        CommunityAssignment,
        [{"tenant_id": m.tenant.pk, "membership_id": m.pk, "community_id": c.pk} for m, c in assigned],
    )
    primary: set[tuple[facts.Node, facts.User | None]] = set()

    def contact(c: facts.Contact) -> Contact:
        is_first = (c.tenant, c.user) not in primary
        primary.add((c.tenant, c.user))
        return Contact(
            tenant_id=c.tenant.pk, user_id=_pk(c.user), kind=c.kind, number=c.name[-20:], last_name=c.name,
            is_primary=is_first, erased_at=world.now if c.erased else None,
        )  # fmt: skip

    _put(Contact, world.contacts, contact)
    _put(
        Occupancy,
        world.stays,
        lambda s: Occupancy(
            tenant_id=s.tenant.pk, contact_id=s.contact.pk, unit_id=s.unit.pk, role=s.role, is_admin=s.is_admin,
            period=period(s.first, s.last), revoked_at=world.now - HOUR if s.revoked else None,
        ),
    )  # fmt: skip
    _put(
        Responsibility,
        world.seats,
        lambda s: Responsibility(
            tenant_id=s.tenant.pk, contact_id=s.contact.pk, community_id=s.community.pk, type=s.kind,
            period=period(s.first, s.last),
        ),
    )  # fmt: skip


def _pk(fact: facts.Fact | None) -> int | None:
    return fact.pk if fact else None


def _anchors(place: facts.Fact | None, kinds: Sequence[type[facts.Fact]]) -> dict[str, int | None]:
    return {f"{kind.__name__.lower()}_id": _pk(place) if isinstance(place, kind) else None for kind in kinds}


def _circles(world: World) -> None:
    kinds = (facts.Community, facts.Building, facts.Unit, facts.Contact)
    _put(
        Group,
        world.groups,
        lambda g: Group(
            tenant_id=g.tenant.pk, name=g.name, sort_key=sort_key(g.name), role=g.role,
            kind="manual" if g.anchor is None else "derived", show_check_mark=g.show_check_mark,
            **_anchors(g.anchor, kinds),
        ),
    )  # fmt: skip
    listed = [(g, m, admin) for g in world.groups for m, admin in g.members]
    _rows(
        GroupMember,
        [{"tenant_id": g.tenant.pk, "group_id": g.pk, "membership_id": m.pk, "is_admin": a} for g, m, a in listed],
    )


def _tree(world: World) -> None:
    kinds = (facts.Community, facts.Unit, facts.Contact)
    level = [f for f in world.folders if f.parent is None]
    while level:
        _put(
            Folder,
            level,
            lambda f: Folder(
                tenant_id=f.tenant.pk, parent_id=_pk(f.parent), ancestors=[a.pk for a in reversed(f.upwards[1:])],
                name=f.name, sort_key=sort_key(f.name), full_path_name="/".join(a.name for a in reversed(f.upwards)),
                inactive_at=f.inactive_at, hidden_from=f.inactive_at, allow_delete_files=f.protected_until,
                show_check_mark=f.show_check_mark, mail_after_upload_enable=f.mail,
                mail_after_upload_custom=f.chosen is not None, **_anchors(f.place, kinds),
            ),
        )  # fmt: skip
        level = [f for f in world.folders if f.parent in level]
    for root in (f for f in world.folders if f.parent is None):
        tree.rewrite_hidden(Folder(pk=root.pk, tenant_id=root.tenant.pk))  # what services do after hiding
    reached = [(f, g) for f in world.folders for g in f.groups]
    _rows(FolderAccess, [{"tenant_id": f.tenant.pk, "folder_id": f.pk, "group_id": g.pk} for f, g in reached])
    chosen = [(f, m) for f in world.folders for m in f.chosen or ()]
    _rows(FolderMailUser, [{"tenant_id": f.tenant.pk, "folder_id": f.pk, "membership_id": m.pk} for f, m in chosen])
    _put(
        FolderPermission,
        world.permissions,
        lambda p: FolderPermission(
            tenant_id=p.folder.tenant.pk, folder_id=p.folder.pk, membership_id=p.member.pk, active=p.active,
            **dict.fromkeys(p.flags, True),
        ),
    )  # fmt: skip
    _put(
        MailRule,
        world.rules,
        lambda r: MailRule(
            tenant_id=r.folder.tenant.pk, folder_id=r.folder.pk, membership_id=r.member.pk, custom=r.custom
        ),
    )  # fmt: skip
    named = [(r, m) for r in world.rules for m in r.recipients]
    _rows(
        MailRuleRecipient, [{"tenant_id": r.folder.tenant.pk, "rule_id": r.pk, "membership_id": m.pk} for r, m in named]
    )


def _papers(world: World, *, real_bytes: bool) -> None:
    blobs = {t: _blob(t, real_bytes=real_bytes) for t in world.tenants}
    _put(
        Document,
        world.documents,
        lambda d: Document(
            tenant_id=d.tenant.pk, folder_id=d.folder.pk, title=f"{d.word} {COMMON}",
            sort_key=sort_key(f"{d.word} {COMMON}"), filename="brief.pdf",
            mime="application/pdf", active_from=d.active_from, active_until=d.active_until,
            allow_download=d.allow_download, claimed_at=world.now - HOUR if d.claimed else None,
            uploaded_by_id=d.uploaders[0].pk, created_at=world.now - d.age * HOUR,
        ),
    )  # fmt: skip
    versions = DocumentVersion.objects.bulk_create(
        DocumentVersion(
            tenant_id=d.tenant.pk, document_id=d.pk, number=number, filename="brief.pdf", blob=blobs[d.tenant],
            size_bytes=blobs[d.tenant].size, uploaded_by_id=user.pk,
        )
        for d in world.documents
        for number, user in enumerate(d.uploaders, 1)
    )  # fmt: skip
    current = {v.document_id: v for v in versions}  # the last one
    found = list(Document.objects.filter(pk__in=current).select_related("label"))
    for document in found:
        document.current = current[document.pk]
    Document.objects.bulk_update(found, ["current"])
    indexing.index(found)
    marks = [(d, m, number) for d in world.documents for m, number in d.marks.items()]
    _rows(
        ReadMark,
        [{"tenant_id": d.tenant.pk, "document_id": d.pk, "membership_id": m.pk, "version_no": n} for d, m, n in marks],
    )
    kinds = (facts.Community, facts.Unit, facts.Contact)
    _put(
        Hold,
        world.holds,
        lambda h: Hold(
            tenant_id=h.tenant.pk, title=h.name, reason="Streit", placed_by_id=world.users[0].pk,
            released_at=world.now if h.released else None, **_anchors(h.anchor, kinds),
        ),
    )  # fmt: skip
    covered = [(h, d) for h in world.holds for d in h.documents]
    _rows(DocumentHold, [{"tenant_id": h.tenant.pk, "hold_id": h.pk, "document_id": d.pk} for h, d in covered])


def _blob(tenant: facts.Node, *, real_bytes: bool) -> Blob:
    if real_bytes:
        return stored(Organization(pk=tenant.pk))
    return Blob.objects.create(
        tenant_id=tenant.pk, sha256=hashlib.sha256(tenant.name.encode()).digest(), size=1, mime="application/pdf"
    )
