"""The facts of a generated world: plain dataclasses. ``pk`` is the row's, once it is stored."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

STAFF = ("owner", "staff", "affiliate")
FLAGS = {
    "read": "read_perm", "download": "download_perm", "upload": "upload_file_perm", "edit": "edit_file_perm",
    "edit_own": "edit_own_file_perm", "mail": "mail_perm", "log": "log_perm",
}  # fmt: skip


@dataclass(eq=False)
class Fact:
    """Anything of a world. ``name`` says which in a report of a difference."""

    name: str
    pk: int = field(default=0, init=False)

    def __repr__(self) -> str:
        return self.name


@dataclass(eq=False, repr=False)
class Node(Fact):
    """An organization: a company (``tenant`` is itself), or a branch below one."""

    above: Node | None = None
    zone: str = "Europe/Berlin"
    closed: bool = False

    @property
    def tenant(self) -> Node:
        """The company."""
        return self.above.tenant if self.above else self

    @property
    def upwards(self) -> list[Node]:
        """This node and the ones above."""
        return [self, *(self.above.upwards if self.above else [])]


@dataclass(eq=False, repr=False)
class User(Fact):
    """An account."""

    operator: bool = False
    erased: bool = False


@dataclass(eq=False, repr=False)
class Community(Fact):
    """A managed property."""

    node: Node
    has_documents: bool = True

    @property
    def tenant(self) -> Node:
        """Whose it is."""
        return self.node.tenant


@dataclass(eq=False, repr=False)
class Building(Fact):
    """An entrance."""

    community: Community

    @property
    def tenant(self) -> Node:
        """Whose it is."""
        return self.community.tenant


@dataclass(eq=False, repr=False)
class Unit(Fact):
    """A flat."""

    community: Community
    building: Building | None = None

    @property
    def tenant(self) -> Node:
        """Whose it is."""
        return self.community.tenant


@dataclass(eq=False, repr=False)
class Member(Fact):
    """A user's place in an organization."""

    user: User
    node: Node
    role: str
    flags: frozenset[str] = frozenset()  # columns: read_perm, admin_perm, all_communities, …
    deactivated_at: datetime.datetime | None = None
    assigned: list[Community] = field(default_factory=list)

    @property
    def tenant(self) -> Node:
        """The company."""
        return self.node.tenant


@dataclass(eq=False, repr=False)
class Contact(Fact):
    """An entry of a company's register."""

    tenant: Node
    user: User | None = None
    kind: str = "person"
    erased: bool = False


@dataclass(eq=False, repr=False)
class Stay(Fact):
    """An occupancy; the last day counts."""

    contact: Contact
    unit: Unit
    role: str
    is_admin: bool
    first: datetime.date | None
    last: datetime.date | None
    revoked: bool = False

    @property
    def tenant(self) -> Node:
        """The company."""
        return self.contact.tenant


@dataclass(eq=False, repr=False)
class Seat(Fact):
    """A responsibility, among them the advisory board."""

    contact: Contact
    community: Community
    kind: str
    first: datetime.date | None
    last: datetime.date | None

    @property
    def tenant(self) -> Node:
        """The company."""
        return self.contact.tenant


@dataclass(eq=False, repr=False)
class Group(Fact):
    """A circle: by hand (no anchor), or whoever lives at the anchor."""

    tenant: Node
    anchor: Community | Building | Unit | Contact | None = None
    role: str = ""
    members: list[tuple[Member, bool]] = field(default_factory=list)  # with: administers it
    show_check_mark: bool = False


@dataclass(eq=False, repr=False)
class Folder(Fact):
    """A folder."""

    tenant: Node
    parent: Folder | None = None
    inactive_at: datetime.datetime | None = None
    groups: list[Group] = field(default_factory=list)
    place: Community | Unit | Contact | None = None
    show_check_mark: bool = False
    protected_until: datetime.datetime | None = None
    mail: bool = False
    chosen: list[Member] | None = None

    @property
    def upwards(self) -> list[Folder]:
        """This folder and the ones above."""
        return [self, *(self.parent.upwards if self.parent else [])]


@dataclass(eq=False, repr=False)
class Permission(Fact):
    """What one member may do in one folder."""

    member: Member
    folder: Folder
    active: bool
    flags: frozenset[str]


@dataclass(eq=False, repr=False)
class Rule(Fact):
    """Who is told of what one member uploads into one folder."""

    member: Member
    folder: Folder
    custom: bool
    recipients: list[Member]


@dataclass(eq=False, repr=False)
class Document(Fact):
    """A paper. ``word`` occurs in its title and nowhere else; ``uploaders`` are those of its versions."""

    folder: Folder
    word: str
    uploaders: list[User]
    active_from: datetime.datetime | None = None
    active_until: datetime.datetime | None = None
    claimed: bool = False
    allow_download: bool = True
    age: int = 0  # hours since it came
    marks: dict[Member, int] = field(default_factory=dict)  # who has opened which version

    @property
    def tenant(self) -> Node:
        """The company."""
        return self.folder.tenant


@dataclass(eq=False, repr=False)
class Hold(Fact):
    """A legal hold on a place or person, or on documents by name."""

    tenant: Node
    anchor: Community | Unit | Contact | None
    documents: list[Document]
    released: bool


@dataclass(repr=False)
class World:
    """Everything there is at one moment."""

    now: datetime.datetime
    nodes: list[Node] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    communities: list[Community] = field(default_factory=list)
    buildings: list[Building] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    seats: list[Seat] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)

    def __repr__(self) -> str:
        counts = (len(found) for found in (self.nodes, self.users, self.members, self.folders, self.documents))
        return "World({} nodes, {} users, {} members, {} folders, {} documents)".format(*counts)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Hypothesis would print every field of every fact, each with all it refers to."""
        printer.text(repr(self))

    @property
    def tenants(self) -> list[Node]:
        """The companies."""
        return [node for node in self.nodes if node.above is None]

    def of(self, facts: list[Any], tenant: Node) -> list[Any]:
        """Those of one company."""
        return [fact for fact in facts if fact.tenant is tenant]
