"""Ask the product what the oracle was asked, and list where the two differ. One difference is one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from core import scope
from docms import rules
from docms.models import (
    Document,
    DocumentVersion,
    Folder,
    FolderAccess,
    FolderPermission,
    Group,
    GroupMember,
    ReadMark,
)
from docms.services import opening
from docms.services.audiences import people_by_key
from docms.services.groups import members_of, people_of_folder
from orgs.actor import Actor, actor_for, enter
from orgs.audience import people_of
from orgs.models import (
    Building,
    Community,
    Contact,
    Membership,
    Occupancy,
    Organization,
    Responsibility,
    Unit,
    User,
)
from tests.rights.worlds import world as facts
from tests.rights.worlds.oracle import Person, held, is_over
from tests.rights.worlds.store import COMMON
from tests.rights.worlds.world import FLAGS, Fact, Node, World

WITHOUT_POLICY = (Organization, User)


class Different(Exception):
    """The first difference, for whoever asks for no more."""


@dataclass
class Report:
    """What was asked, and where the answers differ. ``to_the_first``: raise `Different` there."""

    differences: list[str] = field(default_factory=list)
    asked: int = 0
    to_the_first: bool = False

    def differs(self, text: str) -> None:
        """Note one."""
        self.differences.append(text)
        if self.to_the_first:
            raise Different(text)

    def same(self, what: str, found: Iterable[Any], expected: Iterable[Any], *, of: int = 1) -> None:
        """Two sets (or numbers in a list) are equal; ``of`` is the number of answers in them."""
        got, wanted = list(found), list(expected)
        self.asked += of
        if set(got) != set(wanted):
            more, less = set(got) - set(wanted), set(wanted) - set(got)
            told = [f"{verb} {sorted(map(str, some))}" for verb, some in (("leaks", more), ("hides", less)) if some]
            self.differs(f"{what}: {'; '.join(told)}")
        elif len(got) != len(set(got)):
            self.differs(f"{what}: names something twice")

    def equal(self, what: str, found: object, expected: object) -> None:
        """Two values are equal."""
        self.asked += 1
        if found != expected:
            self.differs(f"{what}: {found!r} instead of {expected!r}")


class Names:
    """From numbers in the database back to facts."""

    def __init__(self, world: World) -> None:
        self.world = world
        kinds: list[list[Any]] = [
            world.nodes, world.users, world.members, world.communities, world.buildings, world.units, world.contacts,
            world.stays, world.seats, world.groups, world.folders, world.permissions, world.documents,
        ]  # fmt: skip
        self.by_pk = {(type(fact), fact.pk): fact for found in kinds for fact in found}

    def of(self, kind: type[Fact], ids: Iterable[int]) -> list[Fact | str]:
        """The facts of these numbers; a row of another world keeps its number and is a difference."""
        return [self.by_pk.get((kind, pk), f"foreign {kind.__name__} {pk}") for pk in ids]


@contextmanager
def acting(user: facts.User, only: Node | None = None, *, bound: bool) -> Iterator[Actor]:
    """The product's actor; ``bound``: as a request that has entered its tenants, held by the row policies."""
    row = User.objects.get(pk=user.pk)
    tenant_id = only.pk if only else None
    if not bound:
        yield actor_for(row, door="test", tenant_id=tenant_id)
        return
    with scope.unit_of_work(door="web"):
        yield enter(row, door="web", tenant_id=tenant_id)


def people(world: World, *, bound: bool) -> Iterator[tuple[Person, Actor, str]]:
    """Everybody: each account in all its companies, every third one also narrowed to one of them, as docms does."""
    for number, user in enumerate(world.users):
        for only in (None, *(world.tenants[(number + len(world.documents)) % 2 :][:1] if number % 3 == 1 else ())):
            with acting(user, only, bound=bound) as actor:
                yield Person(world, user, only), actor, f"{user}{f' in {only}' if only else ''}"


# --- People and places --------------------------------------------------------------------------------------

Rule = Callable[[Person, Any], bool]

# Table, kind of fact, where the facts are, who sees one.
REGISTER: tuple[tuple[Any, type[Fact], str, Rule], ...] = (
    (Organization, facts.Node, "nodes", Person.sees_node),
    (User, facts.User, "users", Person.sees_user),
    (Membership, facts.Member, "members", Person.sees_member),
    (Community, facts.Community, "communities", Person.sees_community),
    (Building, facts.Building, "buildings", lambda p, b: p.sees_community(b.community)),
    (Unit, facts.Unit, "units", Person.sees_unit),
    (Contact, facts.Contact, "contacts", Person.sees_contact),
    (Occupancy, facts.Stay, "stays", Person.sees_stay),
    (Responsibility, facts.Seat, "seats", Person.sees_seat),
)


def compare_register(world: World, report: Report, *, bound: bool) -> None:
    """Lists, counts and single rows of people and places, for everybody."""
    names = Names(world)
    for person, actor, who in people(world, bound=bound):
        for model, kind, where, rule in REGISTER:
            mine = [fact for fact in getattr(world, where) if rule(person, fact)]
            if bound and model not in WITHOUT_POLICY:  # the policies know the person's companies only
                mine = [fact for fact in mine if fact.tenant in person.tenants]
            found = model.objects.visible_to(actor)
            if person.user.operator:  # sees other worlds, too
                found = found.filter(pk__in=[fact.pk for fact in getattr(world, where)])
            ids = list(found.values_list("pk", flat=True))
            label = f"{kind.__name__} of {who}"
            report.same(label, names.of(kind, ids), mine, of=len(getattr(world, where)))
            report.equal(f"count of {label}", found.count(), len(mine))
            for fact in getattr(world, where)[:1]:
                report.equal(f"{fact} of {who}", found.filter(pk=fact.pk).exists(), fact in mine)


def compare_circles(world: World, report: Report) -> None:
    """Who holds a key: asked from the person, from the key, from all keys at once, and from the folder."""
    names = Names(world)
    everyone = [(user, {t: Person(world, user, t) for t in world.tenants}) for user in world.users]
    organizations = Organization.objects.in_bulk([t.pk for t in world.tenants])
    for tenant in world.tenants:
        by_key = people_by_key(organizations[tenant.pk])
        seated = {m.user for m in world.members if m.node is tenant and not is_over(world, m)}
        rows = {g.pk: g for g in Group.objects.filter(tenant=tenant.pk).select_related("tenant")}
        for group in world.of(world.groups, tenant):
            if group.anchor is None:
                continue
            inside = [user for user, at in everyone if at[tenant].in_group(group)]
            report.same(f"members of {group}", names.of(facts.User, members_of(rows[group.pk])), inside)
            held = by_key.get(str(rows[group.pk].audience_key), set())
            report.same(f"people by key of {group}", names.of(facts.User, held), [u for u in inside if u in seated])
        for folder in world.of(world.folders, tenant):
            inside = [user for user, at in everyone if any(at[tenant].in_group(g) for g in folder.groups)]
            row = Folder.objects.select_related("tenant").get(pk=folder.pk)
            report.same(f"people of {folder}", names.of(facts.User, people_of_folder(row)), inside)
        staff = [user for user, at in everyone if tenant in at[tenant].staff_of]
        found = people_of([f"t:{tenant.pk}"], organizations[tenant.pk])
        report.same(f"staff of {tenant}", names.of(facts.User, found), staff)
        for house in world.of(world.communities, tenant):
            managers = [user for user, at in everyone if house in at[tenant].managed]
            found = people_of([f"m:{house.pk}"], organizations[tenant.pk])
            report.same(f"managers of {house}", names.of(facts.User, found), managers)


# --- Folders and documents ------------------------------------------------------------------------------------


def compare_papers(world: World, report: Report, *, bound: bool, aspects: Iterable[Aspect] = ()) -> None:
    """Lists, counts, single rows, search, newest, unread and flags of folders and documents, for everybody."""
    names = Names(world)
    for person, actor, who in people(world, bound=bound):
        for aspect in aspects or ASPECTS:
            aspect(report, names, person, actor, who)


def folders(report: Report, names: Names, person: Person, actor: Actor, who: str) -> None:
    """Reached folders, the tree with the ways to them, and the papers in them: with and without `all`."""
    world = names.world
    for everything in (False, True):
        label = f"{who}{' (all)' if everything else ''}"
        mine = [f for f in world.folders if person.reaches(f, everything=everything)]
        found = Folder.objects.visible_to(actor, all=everything)
        report.same(f"folders of {label}", names.of(facts.Folder, _ids(found)), mine, of=len(world.folders))
        report.equal(f"count of folders of {label}", found.count(), len(mine))
        listed = dict(Folder.objects.with_ancestors(actor, all=everything).values_list("pk", "is_reached"))
        drawn = [f for f in world.folders if person.lists(f, everything=everything)]
        report.same(f"tree of {label}", names.of(facts.Folder, listed), drawn, of=len(world.folders))
        opened = [pk for pk, is_reached in listed.items() if is_reached]
        report.same(f"opened in the tree of {label}", names.of(facts.Folder, opened), mine)
        papers = [d for d in world.documents if person.sees(d, everything=everything)]
        seen = Document.objects.visible_to(actor, all=everything)
        report.same(f"documents of {label}", names.of(facts.Document, _ids(seen)), papers, of=len(world.documents))
        report.equal(f"count of documents of {label}", seen.count(), len(papers))


def documents(report: Report, names: Names, person: Person, actor: Actor, who: str) -> None:
    """Search, single papers, the newest, and those of one folder."""
    world = names.world
    listed = [d for d in world.documents if person.sees(d)]
    single = [d for d in world.documents if person.sees(d, everything=True)]
    found = Document.objects.search(actor, COMMON)
    report.same(f"search of {who}", names.of(facts.Document, _ids(found)), single, of=len(world.documents))
    turn = world.users.index(person.user)
    for document in world.documents[turn % 5 :: 5]:  # everybody asks for every fifth
        by_word = Document.objects.search(actor, document.word)
        wanted = [document] if document in single else []
        report.same(f"search of {who} for {document}", names.of(facts.Document, _ids(by_word)), wanted)
        exists = Document.objects.visible_to(actor, all=True).filter(pk=document.pk).exists()
        report.equal(f"{document} of {who}", exists, document in single)
    newest = list(Document.objects.newest(actor, 3).values_list("pk", flat=True))
    latest = sorted(listed, key=lambda d: (-d.age, d.pk), reverse=True)[:3]
    report.equal(f"newest of {who}", names.of(facts.Document, newest), latest)
    for folder in world.folders[turn % 3 :: 3]:
        if person.reaches(folder, everything=True):
            inside = Document.objects.in_folder(Folder(pk=folder.pk), actor)
            wanted = [d for d in single if d.folder is folder]
            report.same(f"{folder} of {who}", names.of(facts.Document, _ids(inside)), wanted)


def unread(report: Report, names: Names, person: Person, actor: Actor, who: str) -> None:
    """What has not been opened, company by company."""
    listed = [d for d in names.world.documents if person.sees(d)]
    for tenant, seat in person.seats.items():
        found = Document.objects.visible_to(actor).filter(tenant=tenant.pk).unread_by(seat.pk)
        wanted = [d for d in listed if d.tenant is tenant and not person.has_read(d)]
        report.same(f"unread of {who}", names.of(facts.Document, _ids(found)), wanted)
        report.equal(f"count of unread of {who}", found.count(), len(wanted))


def parts(report: Report, names: Names, person: Person, actor: Actor, who: str) -> None:
    """Groups, who is in them, which folder they reach, permissions, versions and read marks."""
    world = names.world
    groups = [g for g in world.groups if person.sees_group(g)]
    found = Group.objects.visible_to(actor)
    report.same(f"groups of {who}", names.of(facts.Group, _ids(found)), groups, of=len(world.groups))
    report.equal(f"count of groups of {who}", found.count(), len(groups))
    held = [g for g in world.groups if person.in_group(g)]
    report.same(f"held by {who}", names.of(facts.Group, _ids(Group.objects.held_by(actor))), held)
    rows = [(g.pk, m.pk) for g in world.groups for m, _a in g.members if person.sees_row_of(g, m)]
    listed = GroupMember.objects.visible_to(actor).values_list("group_id", "membership_id")
    report.same(f"rows of groups of {who}", listed, rows)
    access = [
        (f.pk, g.pk) for f in world.folders for g in f.groups
        if f.tenant in person.admin_of or (person.reaches(f) and person.sees_group(g))
    ]  # fmt: skip
    report.same(f"access of {who}", FolderAccess.objects.visible_to(actor).values_list("folder_id", "group_id"), access)
    own = [p for p in world.permissions if p.folder.tenant in person.admin_of or p.member in person.members]
    report.same(
        f"permissions of {who}", names.of(facts.Permission, _ids(FolderPermission.objects.visible_to(actor))), own
    )
    single = [d for d in world.documents if person.sees(d, everything=True)]
    versions = [(d.pk, n) for d in single for n in range(1, len(d.uploaders) + 1)]
    report.same(
        f"versions of {who}", DocumentVersion.objects.visible_to(actor).values_list("document_id", "number"), versions
    )
    marks = [
        (d.pk, m.pk) for d in world.documents for m in d.marks
        if d.tenant in person.admin_of or m in person.members
    ]  # fmt: skip
    report.same(
        f"marks of {who}", ReadMark.objects.visible_to(actor).values_list("document_id", "membership_id"), marks
    )


def flags(report: Report, names: Names, person: Person, actor: Actor, who: str) -> None:
    """What may be done, folder by folder and paper by paper."""
    world = names.world
    rows = {f.pk: f for f in Folder.objects.filter(tenant__in=[t.pk for t in person.tenants])}
    in_force = rules.effective_many(actor, rows.values())
    for folder in (f for f in world.folders if f.pk in rows):
        got = in_force[folder.pk]
        report.equal(f"flags of {who} in {folder}", {n for n in FLAGS if getattr(got, n)}, set(person.flags(folder)))
        report.equal(f"check mark of {who} in {folder}", got.show_checkmark, person.may_check_off(folder))
    seen = Document.objects.visible_to(actor, all=True)
    single = [d for d in world.documents if person.sees(d, everything=True)]
    for what, found, may in (
        ("readable", seen.readable_by(actor), person.may_read),
        ("downloadable", seen.downloadable_by(actor), person.may_download),
    ):
        report.same(f"{what} of {who}", _ids(found), [d.pk for d in single if may(d)], of=len(single))
    for document in seen.select_related("folder__tenant")[:2]:
        (fact,) = names.of(facts.Document, [document.pk])
        answer = rules.may_delete(actor, document)
        report.equal(f"deletion of {fact} by {who}", bool(answer), person.may_delete(fact))


def openings(report: Report, names: Names, person: Person, actor: Actor, who: str) -> None:
    """What one statement opens is what the rules and the contract let be opened, paper by paper. Leaves no trace."""
    world = names.world
    seen = Document.objects.visible_to(actor, all=True)
    single = [d for d in world.documents if person.sees(d, everything=True)]
    for action, found, may in (
        (opening.READ, seen.readable_by(actor), person.may_read),
        (opening.DOWNLOAD, seen.downloadable_by(actor), person.may_download),
    ):
        with transaction.atomic():
            opened = [
                d.pk for d in world.documents
                if opening.open_at_once(document_id=d.pk, actor=actor, action=action)
            ]  # fmt: skip
            transaction.set_rollback(True)
        label = f"{action} at once by {who}"
        report.same(f"{label}, by the rules", opened, _ids(found), of=len(world.documents))
        report.same(label, opened, [d.pk for d in single if may(d)], of=len(world.documents))


Aspect = Callable[[Report, Names, Person, Actor, str], None]
ASPECTS: tuple[Aspect, ...] = (folders, documents, unread, parts, flags)


def compare_holds(world: World, report: Report) -> None:
    """What no hold covers."""
    mine = Document.objects.filter(pk__in=[d.pk for d in world.documents])
    report.same("not held", _ids(mine.not_held()), [d.pk for d in world.documents if not held(world, d)])


def _ids(found: QuerySet[Any]) -> list[int]:
    return list(found.values_list("pk", flat=True))
