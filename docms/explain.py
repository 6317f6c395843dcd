"""Why a person sees a folder or a document, or why not, in sentences for the admin and `explain_access`.

The conclusion comes from the same querysets and rules as everywhere; the reasons are looked up afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from docms import rules
from docms.models import Document, Folder, FolderPermission, Group, GroupMember
from docms.reach import MEMBER_FLAGS
from orgs.actor import Actor, actor_for
from orgs.models import Membership, Occupancy, Organization, Responsibility, User
from orgs.services.occupancies import last_day

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator


def why(user: User, obj: Folder | Document) -> list[str]:
    """The conclusion first, then every reason for and against it. Reads only."""
    actor = actor_for(user, door="explain", tenant_id=obj.tenant_id)
    folder = obj if isinstance(obj, Folder) else obj.folder
    lines = [_conclusion(actor, obj)]
    lines += _place(user, folder.tenant)
    lines += _groups(user, actor, folder)
    lines += _hiding(actor, folder)
    if isinstance(obj, Document):
        lines += _document(actor, obj)
    lines += _flags(actor, folder)
    return lines


def _conclusion(actor: Actor, obj: Folder | Document) -> str:
    name = {"name": str(actor.user or "?"), "what": str(obj)}
    rows = type(obj).objects
    if rows.visible_to(actor).filter(pk=obj.pk).exists():
        return _("%(name)s sees “%(what)s”.") % name
    if rows.visible_to(actor, all=True).filter(pk=obj.pk).exists():
        return _("%(name)s reaches “%(what)s” as administrator, but finds it in no list of the own folders.") % name
    return _("%(name)s does not see “%(what)s”.") % name


def _place(user: User, tenant: Organization) -> Iterator[str]:
    membership = Membership.objects.filter(user=user, organization=tenant).first()
    if membership is None:
        yield _("The account does not belong to %(tenant)s.") % {"tenant": tenant}
        return
    if membership.deactivated_at and membership.deactivated_at <= timezone.now():
        yield _("The account is deactivated in %(tenant)s since %(day)s; nothing is open to it there.") % {
            "tenant": tenant,
            "day": _day(membership.deactivated_at, tenant),
        }
    if membership.admin_perm or membership.super_admin_perm:
        yield _("As administrator the person reaches every folder of %(tenant)s by its address and in search.") % {
            "tenant": tenant
        }


def _groups(user: User, actor: Actor, folder: Folder) -> Iterator[str]:
    groups = list(
        Group.objects.filter(access__folder=folder).select_related("community", "building", "unit", "contact")
    )
    if not groups:
        yield _("No group reaches this folder.")
    for group in groups:
        if group.kind == Group.Kind.MANUAL:
            listed = GroupMember.objects.filter(group=group, membership__user=user).first()
            if listed is not None:
                yield _("Group “%(group)s” reaches the folder; the person was put into it by hand on %(day)s.") % {
                    "group": group,
                    "day": _day(listed.created_at, folder.tenant),
                }
            else:
                yield _("Group “%(group)s” reaches the folder; the person is not in it.") % {"group": group}
        elif group.audience_key in actor.keys:
            yield _("Group “%(group)s” reaches the folder; the person is in it: %(how)s.") % {
                "group": group,
                "how": "; ".join(_through(user, group, folder.tenant, valid=True)) or _("linked account"),
            }
        else:
            past = "; ".join(_through(user, group, folder.tenant, valid=False))
            yield _("Group “%(group)s” reaches the folder; the person is not in it%(how)s.") % {
                "group": group,
                "how": f": {past}" if past else "",
            }


def _through(user: User, group: Group, tenant: Organization, *, valid: bool) -> Iterator[str]:
    """The occupancies and seats that put somebody into a derived group, or no longer do."""
    today = tenant.today()
    mine = Occupancy.objects.filter(contact__user=user, tenant=tenant).select_related("unit__community", "contact")
    if group.community_id:
        mine = mine.filter(unit__community=group.community_id)
    elif group.building_id:
        mine = mine.filter(unit__building=group.building_id)
    elif group.unit_id:
        mine = mine.filter(unit=group.unit_id)
    elif group.contact_id:
        return
    for occupancy in mine.order_by("id"):
        holds = occupancy.revoked_at is None and today in _Days(occupancy)
        matches = not group.role or occupancy.role == group.role
        full = bool(group.community_id) or occupancy.role in ("owner", "renter") or occupancy.is_admin
        if (holds and matches and full) != valid:
            continue
        yield _occupancy(occupancy, tenant, fits=matches and full)
    if group.community_id and group.role in ("", "board"):
        seats = Responsibility.objects.filter(
            contact__user=user, community=group.community_id, type="ADVISORY_BOARD", period__contains=today
        )
        if valid and group.role == "board" and seats.exists():
            yield _("member of the advisory board")


class _Days:
    """Whether a day lies in an occupancy's period."""

    def __init__(self, occupancy: Occupancy) -> None:
        self.first, self.last = occupancy.period.lower, last_day(occupancy)

    def __contains__(self, day: datetime.date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


def _occupancy(occupancy: Occupancy, tenant: Organization, *, fits: bool) -> str:
    words = {"role": occupancy.get_role_display(), "unit": occupancy.unit, "community": occupancy.unit.community}
    line = _("%(role)s of %(unit)s, %(community)s") % words
    days = _Days(occupancy)
    if days.first:
        line += " " + _("from %(day)s") % {"day": f"{days.first:%d.%m.%Y}"}
    if days.last:
        line += " " + _("until %(day)s") % {"day": f"{days.last:%d.%m.%Y}"}
    if occupancy.revoked_at:
        line += ", " + _("revoked on %(day)s") % {"day": _day(occupancy.revoked_at, tenant)}
    if not fits:
        line += ", " + _("which does not count for this group")
    return line


def _hiding(actor: Actor, folder: Folder) -> Iterator[str]:
    if folder.hidden_from is None:
        return
    above = Folder.objects.filter(pk__in=[*folder.ancestors, folder.pk], inactive_at=folder.hidden_from).first()
    words = {"folder": above or folder, "day": _day(folder.hidden_from, folder.tenant)}
    if folder.hidden_from > timezone.now():
        yield _("“%(folder)s” will be hidden from %(day)s on.") % words
    elif folder.tenant_id in actor.admin_tenants:
        yield _("“%(folder)s” is hidden since %(day)s, but not from administrators.") % words
    else:
        yield _("“%(folder)s” is hidden since %(day)s, with everything below it.") % words


def _document(actor: Actor, document: Document) -> Iterator[str]:
    now, tenant = timezone.now(), document.folder.tenant
    if document.claimed_at is not None:
        yield _("The document was taken by a download and is about to be deleted; nobody sees it any more.")
    anyway = document.uploaded_by_id == actor.user_id or document.tenant_id in actor.admin_tenants
    if document.active_from is not None and document.active_from > now:
        yield _("The document becomes visible on %(day)s.") % {"day": _day(document.active_from, tenant)}
    if document.active_until is not None and document.active_until <= now:
        yield _("The document is visible no longer since %(day)s.") % {"day": _day(document.active_until, tenant)}
    if anyway:
        yield _("Uploader and administrators see a document outside of its period, too.")
    if not document.allow_download:
        yield _("Downloading is locked for everybody.")


def _flags(actor: Actor, folder: Folder) -> Iterator[str]:
    membership = actor.membership(folder.tenant_id)
    if membership is None:
        return
    flags = rules.effective(actor, folder)
    words = {flag: str(FolderPermission._meta.get_field(flag).verbose_name) for flag in MEMBER_FLAGS}  # type: ignore[union-attr]
    words["show_checkmark"] = _("check off")
    names = ", ".join(word for flag, word in words.items() if getattr(flags, flag)) or _("nothing")
    own = FolderPermission.objects.filter(folder=folder, membership=membership).first()
    if own is not None and own.active:
        yield _("The permission of this person in this folder decides alone. Allowed: %(flags)s.") % {"flags": names}
    else:
        yield _("The permissions of the membership decide. Allowed: %(flags)s.") % {"flags": names}
    if own is not None and not own.active:
        yield _("There is a permission for this folder, but it is not active.")


def _day(moment: datetime.datetime, tenant: Organization) -> str:
    return f"{moment.astimezone(tenant.zone):%d.%m.%Y %H:%M}"
