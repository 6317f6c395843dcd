"""Draw a world. Few people, places and days, so that everything meets everything."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.rights.worlds.world import (
    FLAGS,
    STAFF,
    Building,
    Community,
    Contact,
    Document,
    Folder,
    Group,
    Hold,
    Member,
    Node,
    Permission,
    Rule,
    Seat,
    Stay,
    Unit,
    User,
    World,
)

_T = TypeVar("_T")

UTC = datetime.UTC
# Noon, and moments at which it is another day in Berlin, in Auckland or in Los Angeles.
NOWS = [datetime.datetime(2026, 3, day, hour, 30, tzinfo=UTC) for day, hour in ((15, 12), (15, 23), (16, 5), (28, 22))]
ZONES = ["Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"]
FIRST, LAST = [-400, -1, 0, 1, 40], [-40, -1, 0, 1, 400]
MOMENTS = [-1000, -1, 0, 1, 1000]  # hours from now; 0 is the boundary itself
ROLES = ["owner", "staff", "staff", "affiliate", "contractor", "resident", "resident", "resident", "guest"]
READER = frozenset({"read_perm", "download_perm"})
FLAG_SETS = [READER, READER, READER | {"admin_perm"}, READER | {"all_communities"}, None]  # None: any
RIGHTS = ["admin_perm", "super_admin_perm", "all_communities", *FLAGS.values()]


class Dice:
    """Draws, in words."""

    def __init__(self, draw: Callable[[Any], Any], now: datetime.datetime) -> None:
        self.draw, self.now = draw, now

    def count(self, low: int, high: int) -> int:
        """How many."""
        return int(self.draw(st.integers(low, high)))

    def yes(self, of: int = 2) -> bool:
        """One time in ``of``."""
        return self.count(1, of) == of

    def pick(self, options: Sequence[_T]) -> _T:
        """One of them."""
        return options[self.count(0, len(options) - 1)]

    def some(self, options: Sequence[_T], most: int) -> list[_T]:
        """Up to ``most`` different ones."""
        if not options:
            return []
        found = [self.pick(options) for _ in range(self.count(0, most))]
        return list(dict.fromkeys(found))

    def flags(self, names: Sequence[str]) -> frozenset[str]:
        """Each, or not."""
        bits = self.count(0, 2 ** len(names) - 1)
        return frozenset(name for i, name in enumerate(names) if bits >> i & 1)

    def moment(self) -> datetime.datetime | None:
        """None, long ago, just now, exactly now, soon."""
        return self.pick([None, self.some_moment()])

    def some_moment(self) -> datetime.datetime:
        """Long ago, just now, exactly now, soon."""
        return self.now + datetime.timedelta(hours=self.pick(MOMENTS))

    def days(self) -> tuple[datetime.date | None, datetime.date | None]:
        """First and last day of a period, around today in UTC; either may be open."""
        today = self.now.date()
        first = self.pick([None, *FIRST])
        last = self.pick([None, None, *(day for day in LAST if first is None or day >= first)])
        return tuple(None if n is None else today + datetime.timedelta(days=n) for n in (first, last))  # type: ignore[return-value]


@st.composite
def worlds(draw: Callable[[Any], Any], *, documents: int = 6, closed: bool = True) -> World:
    """Two or three companies with everything in them, the last of them often a stranger to most."""
    now = draw(st.sampled_from(NOWS))
    dice, world = Dice(draw, now), World(now=now)
    world.users = [
        User(f"user{i}", operator=i == 0 and dice.yes(3), erased=i > 0 and dice.yes(10))
        for i in range(dice.count(3, 5))
    ]
    for number in range(dice.count(2, 3)):
        tenant = Node(f"tenant{number}", zone=dice.pick(ZONES), closed=closed and dice.yes(8))
        world.nodes.append(tenant)
        nodes = [tenant]
        for i in range(dice.count(0, 2)):
            nodes.append(Node(f"{tenant}.node{i}", above=dice.pick(nodes), zone=tenant.zone))
        world.nodes += nodes[1:]
        _places(dice, world, tenant, nodes)
        _people(dice, world, tenant, nodes)
        _groups(dice, world, tenant)
        _folders(dice, world, tenant)
        _documents(dice, world, tenant, documents)
        _holds(dice, world, tenant)
    return world


def _places(dice: Dice, world: World, tenant: Node, nodes: list[Node]) -> None:
    for i in range(dice.count(1, 3)):
        community = Community(f"{tenant}.house{i}", dice.pick(nodes), has_documents=not dice.yes(6))
        world.communities.append(community)
        entrances = [Building(f"{community}.entrance{n}", community) for n in range(dice.count(0, 2))]
        world.buildings += entrances
        for n in range(dice.count(1, 2)):
            world.units.append(Unit(f"{community}.unit{n}", community, dice.pick([None, *entrances])))


def _people(dice: Dice, world: World, tenant: Node, nodes: list[Node]) -> None:
    houses, units = world.of(world.communities, tenant), world.of(world.units, tenant)
    for user in world.users:
        places = [tenant] if dice.yes() else dice.some(nodes, 2)
        for node in places:
            role = dice.pick(ROLES)
            flags = dice.pick(FLAG_SETS) or dice.flags(RIGHTS)
            if role not in STAFF:
                flags -= {"admin_perm", "super_admin_perm"}
            if "super_admin_perm" in flags:
                flags |= {"admin_perm"}
            left = dice.some_moment() if dice.yes(3) else None
            member = Member(f"{user}@{node}", user, node, role, flags, left)
            if role in STAFF or dice.yes(6):
                member.assigned = dice.some(houses, 2)
            world.members.append(member)
    for i in range(dice.count(2, 5)):
        user = dice.pick([None, *world.users, *world.users])
        # An account is erased together with its entries, which are unlinked; an entry alone may be erased, too.
        contact = Contact(f"{tenant}.contact{i}", tenant, user, erased=dice.yes(10))
        world.contacts.append(contact)
        stays: set[tuple[Unit, str]] = set()
        for n in range(dice.count(0, 3)):
            unit, role = dice.pick(units), dice.pick(["owner", "renter", "additional"])
            revoked = dice.yes(5)
            if (unit, role) in stays and not revoked:
                continue  # the database refuses the same role twice at a time
            stays |= set() if revoked else {(unit, role)}
            stay = Stay(f"{contact}.stay{n}", contact, unit, role, dice.yes(3), *dice.days(), revoked=revoked)
            world.stays.append(stay)
        if dice.yes(3):
            kind = dice.pick(["ADVISORY_BOARD", "ADVISORY_BOARD", "CARETAKER"])
            world.seats.append(Seat(f"{contact}.seat", contact, dice.pick(houses), kind, *dice.days()))
    world.contacts.append(Contact(f"{tenant}.self", tenant, kind="self"))


def _groups(dice: Dice, world: World, tenant: Node) -> None:
    seated = [m for m in world.members if m.node is tenant]
    houses, units = world.of(world.communities, tenant), world.of(world.units, tenant)
    contacts = [c for c in world.of(world.contacts, tenant) if c.kind != "self"]
    anchors: list[Any] = [*houses, *units, *world.of(world.buildings, tenant), *contacts]
    lived_in = [s.unit for s in world.of(world.stays, tenant) if s.contact.user and not s.revoked]
    taken: set[tuple[Any, str]] = set()
    for i in range(dice.count(2, 5)):
        group = Group(f"{tenant}.group{i}", tenant, show_check_mark=dice.yes())
        if dice.yes():
            anchor = dice.pick(anchors)
            if lived_in and not dice.yes(3):
                unit = dice.pick(lived_in)
                anchor = dice.pick([unit, unit.building or unit, unit.community])
            roles = {
                Community: ["", "", "owner", "renter", "additional", "board"],
                Unit: ["", "", "owner", "additional"],
            }
            role = dice.pick(roles.get(type(anchor), [""]))
            if (anchor, role) in taken:
                continue
            taken.add((anchor, role))
            group.anchor, group.role = anchor, role
            # A row in a derived group only says who administers it.
            group.members = [(member, True) for member in dice.some(seated, 1)]
        else:
            group.members = [(member, dice.yes(4)) for member in dice.some(seated, 4)]
        world.groups.append(group)


def _folders(dice: Dice, world: World, tenant: Node) -> None:
    groups, seated = world.of(world.groups, tenant), [m for m in world.members if m.node is tenant]
    places = [*world.of(world.communities, tenant), *world.of(world.units, tenant), *world.of(world.contacts, tenant)]
    mine: list[Folder] = []
    for i in range(dice.count(2, 6)):
        parent = dice.pick([None, *(f for f in mine if len(f.upwards) < 4)])
        folder = Folder(f"{tenant}.folder{i}", tenant, parent, show_check_mark=dice.yes())
        folder.inactive_at = dice.some_moment() if dice.yes(3) else None
        folder.groups = dice.some(groups, 4)
        folder.place = dice.pick([None, *places]) if parent is None else parent.place  # inherited
        folder.protected_until = dice.moment()
        folder.mail = not dice.yes(3)
        folder.chosen = dice.some(seated, 2) if dice.yes(3) else None
        mine.append(folder)
        for member in dice.some(seated, 2):
            flags = dice.flags(list(FLAGS))
            world.permissions.append(Permission(f"{member}:{folder}", member, folder, not dice.yes(3), flags))
        for member in dice.some(seated, 1):
            rule = Rule(f"{member}>{folder}", member, folder, dice.yes(), dice.some(seated, 3))
            world.rules.append(rule)
    world.folders += mine


def _documents(dice: Dice, world: World, tenant: Node, most: int) -> None:
    folders, seated = world.of(world.folders, tenant), [m for m in world.members if m.node is tenant]
    for i in range(dice.count(min(2, most), most)):
        word = f"wort{len(world.documents)}x"
        uploaders = [dice.pick(world.users) for _ in range(dice.pick([1, 2]))]
        document = Document(f"{tenant}.doc{i}", dice.pick(folders), word, uploaders)
        if dice.yes(2):
            document.active_from, document.active_until = dice.moment(), dice.moment()
            if document.active_from and document.active_until and document.active_from >= document.active_until:
                document.active_from = None
        document.claimed, document.allow_download = dice.yes(8), not dice.yes(4)
        document.age = dice.count(0, 5)
        document.marks = {member: dice.count(1, len(uploaders)) for member in dice.some(seated, 4)}
        world.documents.append(document)


def _holds(dice: Dice, world: World, tenant: Node) -> None:
    places = [*world.of(world.communities, tenant), *world.of(world.units, tenant), *world.of(world.contacts, tenant)]
    for i in range(dice.count(0, 2)):
        hold = Hold(f"{tenant}.hold{i}", tenant, dice.pick([None, *places]), [], dice.yes(3))
        hold.documents = dice.some(world.of(world.documents, tenant), 2)
        world.holds.append(hold)
