"""Who may see what, in plain Python, from the sentences of the contracts. Asks the facts of a world, never the database.

Nothing here is imported from the product. Where a sentence decides, its number stands beside it.
"""

from __future__ import annotations

import datetime
import zoneinfo
from typing import TYPE_CHECKING

from tests.rights.worlds.world import FLAGS, STAFF, Building, Community, Contact, Unit

if TYPE_CHECKING:
    from tests.rights.worlds.world import (
        Document,
        Fact,
        Folder,
        Group,
        Member,
        Node,
        Seat,
        Stay,
        User,
        World,
    )


def today(world: World, tenant: Node) -> datetime.date:
    """The day it is where the company is."""
    return world.now.astimezone(zoneinfo.ZoneInfo(tenant.zone)).date()


def is_over(world: World, member: Member) -> bool:
    """Deactivated from that moment on (DOCMS-059)."""
    return member.deactivated_at is not None and member.deactivated_at <= world.now


def hidden(world: World, folder: Folder) -> bool:
    """From `inactive_at` on, with everything below (DOCMS-103, 104)."""
    return any(f.inactive_at is not None and f.inactive_at <= world.now for f in folder.upwards)


def in_period(world: World, document: Document) -> bool:
    """From `active_date` until before `inactive_date` (DOCMS-121)."""
    begun = document.active_from is None or document.active_from <= world.now
    over = document.active_until is not None and document.active_until <= world.now
    return begun and not over


def held(world: World, document: Document) -> bool:
    """A hold in force covers the document by name, or the place or person of its folder."""
    place = document.folder.place
    around = {place, place.community} if isinstance(place, Unit) else {place}
    return any(
        not hold.released
        and hold.tenant is document.tenant
        and (document in hold.documents or (hold.anchor is not None and hold.anchor in around))
        for hold in world.holds
    )


class Person:
    """One account, everywhere or narrowed to one company, at the moment of its world."""

    def __init__(self, world: World, user: User, only: Node | None = None) -> None:
        self.world, self.user = world, user
        alive = not user.erased
        scope = [t for t in world.tenants if only is None or t is only]
        shut = {m.node for m in world.members if m.user is user and is_over(world, m)}
        # Deactivated on the tenant node closes every door of that tenant; so does the end of the company.
        open_ = {t for t in scope if alive and not t.closed and t not in shut}
        self.members = [
            m for m in world.members if m.user is user and m.tenant in open_ and not is_over(world, m) and not m.node.closed
        ]  # fmt: skip
        self.contacts = [c for c in world.contacts if c.user is user and not c.erased and c.tenant in open_]
        self.stays = [s for s in world.stays if s.contact in self.contacts and self._holds_today(s) and not s.revoked]
        self.board = {
            s.community
            for s in world.seats
            if s.contact in self.contacts and s.kind == "ADVISORY_BOARD" and self._holds_today(s)
        }
        self.tenants = {m.tenant for m in self.members} | {c.tenant for c in self.contacts}
        self.seats = {m.tenant: m for m in self.members if m.node is m.tenant}  # flags are read here alone
        staff = [m for m in self.members if m.role in STAFF]
        self.staff_of = {m.tenant for m in staff}
        self.managed = {c for c in world.communities for m in staff if _manages(m, c)}
        # The operator is super administrator wherever a member, and that includes administrator (DOCMS-056).
        self.admin_of = {
            t for t, m in self.seats.items() if user.operator or m.flags & {"admin_perm", "super_admin_perm"}
        }
        self.wide = {m.tenant for m in staff if m.node is m.tenant and _works_everywhere(m)}
        self.everywhere = user.operator and alive and only is None

    def _holds_today(self, period: Stay | Seat) -> bool:
        """The last day counts, and a day is one in the company's zone (PORTAL-018)."""
        day = today(self.world, period.tenant)
        return (period.first is None or period.first <= day) and (period.last is None or day <= period.last)

    # --- Groups ---

    def in_group(self, group: Group) -> bool:
        """Listed by hand, or living where the group says (PORTAL-019: others than full occupants have no unit)."""
        if group.anchor is None:
            return any(member in self.members for member, _admin in group.members)
        if isinstance(group.anchor, Contact):
            return group.anchor in self.contacts
        if isinstance(group.anchor, Community) and group.role == "board":
            return group.anchor in self.board
        return any(self._lives_at(group.anchor, stay) and group.role in ("", stay.role) for stay in self.stays)

    def _lives_at(self, anchor: Community | Building | Unit, stay: Stay) -> bool:
        if isinstance(anchor, Community):
            return stay.unit.community is anchor
        full = stay.role in ("owner", "renter") or stay.is_admin
        return full and anchor in (stay.unit, stay.unit.building)

    def administers(self, group: Group) -> bool:
        """Listed as its administrator."""
        return any(member in self.members for member, admin in group.members if admin)

    def sees_group(self, group: Group) -> bool:
        """Administrators every one, others theirs (DOCMS-062)."""
        return group.tenant in self.admin_of or self.in_group(group) or self.administers(group)

    def sees_row_of(self, group: Group, member: Member) -> bool:
        """Who is in a group: administrators, the group's administrators, and each about oneself (DOCMS-066)."""
        return group.tenant in self.admin_of or self.administers(group) or member in self.members

    # --- Folders and documents ---

    def reaches(self, folder: Folder, *, everything: bool = False) -> bool:
        """Through a group (DOCMS-061), or with `all` as administrator (DOCMS-096); hidden ones as administrator."""
        is_admin = folder.tenant in self.admin_of
        if everything and is_admin:
            return True
        return any(self.in_group(group) for group in folder.groups) and (is_admin or not hidden(self.world, folder))

    def lists(self, folder: Folder, *, everything: bool = False) -> bool:
        """The folder, or the way to one that is reached (DOCMS-097)."""
        return any(folder in f.upwards and self.reaches(f, everything=everything) for f in self.world.folders)

    def sees(self, document: Document, *, everything: bool = False) -> bool:
        """DOCMS-121, 123, 187."""
        if document.claimed:
            return False
        is_admin = document.tenant in self.admin_of
        if everything and is_admin:
            return True
        return self.reaches(document.folder) and (
            is_admin or document.uploaders[0] is self.user or in_period(self.world, document)
        )

    def flags(self, folder: Folder) -> frozenset[str]:
        """An active folder permission decides alone, else the membership (DOCMS-086, 087, 090)."""
        seat = self.seats.get(folder.tenant)
        if seat is None:
            return frozenset()
        for permission in self.world.permissions:
            if permission.member is seat and permission.folder is folder and permission.active:
                return permission.flags
        return frozenset(flag for flag, column in FLAGS.items() if column in seat.flags)

    def may_read(self, document: Document) -> bool:
        """DOCMS-116."""
        return "read" in self.flags(document.folder)

    def may_download(self, document: Document) -> bool:
        """DOCMS-116, 118."""
        return document.allow_download and "download" in self.flags(document.folder)

    def may_check_off(self, folder: Folder) -> bool:
        """DOCMS-094."""
        return folder.show_check_mark and any(g.show_check_mark and self.in_group(g) for g in folder.groups)

    def may_delete(self, document: Document) -> bool:
        """Administrators, unless the folder's date or a hold protects it (DOCMS-105, 114)."""
        until = document.folder.protected_until
        free = (until is None or until <= self.world.now) and not held(self.world, document)
        return free and (document.tenant in self.admin_of or (self.user.operator and not self.user.erased))

    def has_read(self, document: Document) -> bool:
        """The current version (DOCMS-126, 127)."""
        seat = self.seats.get(document.tenant)
        return seat is not None and document.marks.get(seat, 0) >= len(document.uploaders)

    # --- People and places ---

    def sees_community(self, community: Community) -> bool:
        """Lives or sits there today, or manages it (PORTAL-013, 015)."""
        lives = community in self.board or any(s.unit.community is community for s in self.stays)
        return self.everywhere or lives or community in self.managed

    def sees_unit(self, unit: Unit) -> bool:
        """One's own (PORTAL-017), or of a managed community."""
        return self.everywhere or any(s.unit is unit for s in self.stays) or unit.community in self.managed

    def sees_contact(self, contact: Contact) -> bool:
        """Oneself; for staff who belongs to their communities, and who belongs nowhere yet; for wide staff all."""
        stays = [s for s in self.world.stays if s.contact is contact]
        seats = [s for s in self.world.seats if s.contact is contact]
        entered = not stays and not seats and contact.user is None and contact.kind != "self"
        return (
            self.everywhere
            or contact.tenant in self.wide
            or contact in self.contacts
            or any(s.unit.community in self.managed for s in stays)
            or any(s.community in self.managed for s in seats)
            or (contact.tenant in self.staff_of and entered)
        )

    def sees_stay(self, stay: Stay) -> bool:
        """The person concerned, and who manages the community."""
        return self.everywhere or stay.contact in self.contacts or stay.unit.community in self.managed

    def sees_seat(self, seat: Seat) -> bool:
        """Everybody of the community."""
        return self.sees_community(seat.community)

    def sees_member(self, member: Member) -> bool:
        """Oneself; staff all of their company; the operator everybody."""
        if self.user.erased:
            return False
        return self.user.operator or member.user is self.user or member.tenant in self.staff_of

    def sees_user(self, user: User) -> bool:
        """Oneself; staff whoever is a member of their company; the operator everybody."""
        if self.user.erased:
            return False
        known = any(m.user is user and m.tenant in self.staff_of for m in self.world.members)
        return self.user.operator or user is self.user or known

    def sees_node(self, node: Node) -> bool:
        """A place of one's own there, or owning something above; the operator all."""
        if self.user.operator and not self.user.erased:
            return True
        at = [m for m in self.members if m.role in STAFF]
        return any(m.node is node or (m.role == "owner" and m.node in node.upwards) for m in at)


def _works_everywhere(member: Member) -> bool:
    return member.role == "owner" or bool(member.flags & {"admin_perm", "super_admin_perm", "all_communities"})


def _manages(member: Member, community: Community) -> bool:
    """By a right on its node or one above, or assigned (PORTAL-015)."""
    wide = _works_everywhere(member) and member.node in community.node.upwards
    return wide or (community in member.assigned and community.tenant is member.tenant)


def told(world: World, document: Document) -> set[User]:
    """To whom a document is news when it appears: assigned, may read, did not upload it; who sees it (DOCMS-144)."""
    begun = document.active_from is None or document.active_from <= world.now
    if not begun or not in_period(world, document) or document.claimed:
        return set()
    people = [Person(world, user, document.tenant) for user in world.users]
    return {
        p.user
        for p in people
        if p.reaches(document.folder) and "read" in p.flags(document.folder) and p.user is not document.uploaders[-1]
    }


def mailed(world: World, document: Document) -> set[User]:
    """Who of them gets a mail: by the uploader's rule, else the folder's (DOCMS-142, 143)."""
    people, folder, uploader = told(world, document), document.folder, document.uploaders[-1]
    for rule in world.rules:
        if rule.folder is folder and rule.custom and rule.member.user is uploader:
            return people & {m.user for m in rule.recipients}
    if not folder.mail:
        return set()
    return people if folder.chosen is None else people & {m.user for m in folder.chosen}


def shown_in(folder: Folder, community: Community) -> bool:
    """Where the portal shows a folder: its community, that of its unit, or under each one of the company."""
    if isinstance(folder.place, Unit):
        return folder.place.community is community
    if isinstance(folder.place, Community):
        return folder.place is community
    return folder.tenant is community.tenant


def named(facts: list[Fact]) -> list[str]:
    """For reports."""
    return sorted(fact.name for fact in facts)
