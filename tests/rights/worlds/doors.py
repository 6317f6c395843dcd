"""Knock at the doors: what docms and the portal answer over HTTP, against the oracle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from orgs.models import Organization, User
from tests.docms.door import Caller
from tests.docms.door import signed_in as caller_of
from tests.portal.pages import signed_in as browser_of
from tests.portal.pages import status_of
from tests.rights.worlds import world as facts
from tests.rights.worlds.compare import Names, Report
from tests.rights.worlds.oracle import Person, shown_in
from tests.rights.worlds.store import COMMON
from tests.rights.worlds.world import Community, Document, Node, Unit, World

NEW = 6  # unread papers that the start page of the portal names
SAMPLE = 3  # every third paper is asked for by itself


@contextmanager
def undone() -> Iterator[None]:
    """What a request changes is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# --- docms ----------------------------------------------------------------------------------------------------


def callers(world: World, most: int) -> list[Person]:
    """Members of a company, narrowed to it: administrators and others by turns, first whoever sees a paper."""
    members = [Person(world, m.user, m.node) for m in world.members if m.node is m.tenant]
    seated = sorted((p for p in members if p.seats), key=lambda p: -sum(p.sees(d) for d in world.documents))
    admins, others = [p for p in seated if p.admin_of], [p for p in seated if not p.admin_of]
    return (others[: most - 1] + admins)[:most] or admins[:most]


def compare_docms(world: World, report: Report, person: Person) -> None:
    """Every list and every single thing that the contract lets somebody read."""
    (tenant,) = person.seats
    names = Names(world)
    caller = caller_of(User.objects.get(pk=person.user.pk), Organization.objects.get(pk=tenant.pk))
    who = f"{person.user} in {tenant} at docms"
    _lists(world, report, names, person, caller, who)
    for document in world.documents[::SAMPLE]:
        _one_paper(report, person, caller, document, who)
    _folders(world, report, names, person, caller, who)
    _groups(world, report, names, person, caller, tenant, who)


def _files(names: Names, body: Iterable[dict[str, Any]]) -> list[Any]:
    return names.of(Document, [row["file_id"] for row in body])


def _lists(world: World, report: Report, names: Names, person: Person, caller: Caller, who: str) -> None:
    count = len(world.documents)
    listed = [d for d in world.documents if person.sees(d)]
    single = [d for d in world.documents if person.sees(d, everything=True)]
    report.same(f"files of {who}", _files(names, caller.ok("GET", "/files")), listed, of=count)
    report.same(f"all files of {who}", _files(names, caller.ok("GET", "/files?all=true")), single, of=count)
    unread = [d for d in listed if not person.has_read(d)]
    rows = caller.ok("GET", "/files/unread")
    report.same(f"unread files of {who}", _files(names, rows), unread, of=count)
    marked = [row["file_id"] for row in caller.ok("GET", "/files?all=true") if row["read_by_user"]]
    report.same(f"files read by {who}", names.of(Document, marked), [d for d in single if person.has_read(d)])
    found = caller.ok("POST", "/files/search", {"search": COMMON})
    report.same(f"search of {who}", names.of(Document, found), single, of=count)
    some = [d.pk for d in world.documents[::2]]
    found = caller.ok("POST", "/files/search", {"search": COMMON, "preFilteredIds": some})
    report.same(f"search among some of {who}", names.of(Document, found), [d for d in single if d.pk in some])
    everything = [d.pk for d in world.documents]
    paged: list[Any] = []
    for offset in range(0, len(single) + 3, 3):
        wish = {"ids": everything, "offset": offset, "limit": 3}
        paged += _files(names, caller.ok("POST", "/files/paging", wish))
    report.same(f"pages of {who}", paged, single, of=count)


def _one_paper(report: Report, person: Person, caller: Caller, document: Document, who: str) -> None:
    path, seen = f"/files/{document.pk}", person.sees(document, everything=True)
    report.equal(f"{document} of {who}", caller.call("GET", path).status, 200 if seen else 404)
    found = caller.ok("POST", "/files/search", {"search": document.word})
    report.equal(f"search for {document} of {who}", found, [document.pk] if seen else [])
    for what, may in (("read", person.may_read(document)), ("download", person.may_download(document))):
        with undone():
            status = caller.call("GET", f"{path}/{what}").status
        report.equal(f"{what} {document} by {who}", status, _status(seen=seen, may=may))
    own = document.uploaders[0] is person.user
    logged = caller.call("GET", f"{path}/logs").status
    wanted = _status(seen=seen, may=own or "log" in person.flags(document.folder))
    report.equal(f"logs of {document} for {who}", logged, wanted)


def _status(*, seen: bool, may: bool) -> int:
    return 404 if not seen else 200 if may else 403


def _flat(tree: Iterable[dict[str, Any]]) -> Iterator[int]:
    for node in tree:
        yield node["folder_id"]
        yield from _flat(node["subfolders"])


def _folders(world: World, report: Report, names: Names, person: Person, caller: Caller, who: str) -> None:
    for suffix, everything in (("", False), ("&all=true", True)):
        drawn = [f for f in world.folders if person.lists(f, everything=everything)]
        tree = caller.ok("GET", f"/folders?subfolders=true{suffix}")
        report.same(f"folders{suffix} of {who}", names.of(facts.Folder, _flat(tree)), drawn, of=len(world.folders))
        top = caller.ok("GET", f"/folders?subfolders=false{suffix}")
        roots = [f for f in drawn if f.parent is None]
        report.same(f"top folders{suffix} of {who}", names.of(facts.Folder, _flat(top)), roots)
    for folder in world.folders[::2]:
        listed = person.lists(folder, everything=True)
        with undone():  # the folder fetched last is remembered
            status = caller.call("GET", f"/folders/{folder.pk}").status
        report.equal(f"{folder} of {who}", status, 200 if listed else 404)
        answer = caller.call("GET", f"/folders/{folder.pk}/files")
        reached = person.reaches(folder, everything=True)
        report.equal(f"files in {folder} for {who}", answer.status, 200 if reached else 404)
        if reached:
            inside = [d for d in world.documents if d.folder is folder and person.sees(d, everything=True)]
            report.same(f"files in {folder} for {who}", _files(names, answer.body), inside)


def _groups(world: World, report: Report, names: Names, person: Person, caller: Caller, tenant: Node, who: str) -> None:
    is_admin = tenant in person.admin_of
    seen = [g for g in world.groups if person.sees_group(g)]
    rows = {row["group_id"]: row for row in caller.ok("GET", "/groups")}
    report.same(f"groups of {who}", names.of(facts.Group, rows), seen, of=len(world.groups))
    others = [Person(world, user, tenant) for user in world.users]
    for group in world.groups:
        status = caller.call("GET", f"/groups/{group.pk}").status
        wanted = 200 if group in seen else 401 if group.tenant is tenant else 404
        report.equal(f"{group} of {who}", status, wanted)
        if group.pk not in rows:
            continue
        folders = [f for f in world.folders if group in f.groups and (is_admin or person.reaches(f))]
        report.same(f"folders of {group} for {who}", names.of(facts.Folder, rows[group.pk]["folder_ids"]), folders)
        inside = [m.user for m, _admin in group.members]
        if group.anchor is not None:
            inside = [p.user for p in others if p.in_group(group) and tenant in p.seats]
        told = is_admin or any(m.user is person.user for m, admin in group.members if admin)
        report.same(
            f"people of {group} for {who}", names.of(facts.User, rows[group.pk]["user_ids"]), inside if told else []
        )
    answer = caller.call("GET", "/users")
    report.equal(f"users for {who}", answer.status, 200 if is_admin else 403)
    if is_admin:
        members = [m.user for m in world.members if m.node is tenant and not m.user.erased]
        report.same(f"users for {who}", names.of(facts.User, [row["user_id"] for row in answer.body]), members)


# --- Portal ---------------------------------------------------------------------------------------------------


def visitors(world: World, most: int) -> list[Person]:
    """Who comes to the portal: first whoever finds a paper in a community."""
    alive = [Person(world, user) for user in world.users if not user.erased]
    return sorted(alive, key=lambda p: -sum(_paper_in(p, d, c) for d in world.documents for c in world.communities))[
        :most
    ]


def _paper_in(person: Person, document: Document, community: Community) -> bool:
    seen = person.sees_community(community) and community.tenant in person.tenants
    return seen and person.sees(document) and shown_in(document.folder, community)


def compare_portal(world: World, report: Report, person: Person) -> None:
    """The pages of each community, and every paper by its address."""
    client = browser_of(User.objects.get(pk=person.user.pk))
    who = f"{person.user} at the portal"
    words = {d.word: d for d in world.documents}

    def papers(html: str) -> list[Any]:
        return [words[word] for word in dict.fromkeys(re.findall(r"wort\d+x", html))]

    for house in world.communities:
        # The operator, too, comes to the portal as a member only (one-model, roles).
        seen = person.sees_community(house) and house.tenant in person.tenants
        mine = [d for d in world.documents if _paper_in(person, d, house)]
        start = client.get(f"/app/c/{house.pk}/")
        report.equal(f"start page of {house} for {who}", start.status_code, 200 if seen else 404)
        address = f"/app/c/{house.pk}/info/documents"
        page = client.get(address)
        wanted = 404 if not seen else 200 if house.has_documents else 403
        report.equal(f"documents of {house} for {who}", page.status_code, wanted)
        if page.status_code != 200:
            report.same(f"papers refused in {house} to {who}", papers(page.content.decode()), [])
            report.same(f"start page of {house} for {who}", papers(start.content.decode()), [])
            continue
        report.same(f"papers of {house} for {who}", papers(page.content.decode()), mine, of=len(world.documents))
        report.equal(f"count in {house} for {who}", page.context["papers"].paginator.count, len(mine))
        unread = sorted((d for d in mine if not person.has_read(d)), key=lambda d: (-d.age, d.pk), reverse=True)
        report.equal(f"new in {house} for {who}", papers(start.content.decode()), unread[:NEW])
        report.equal(f"unread in {house} for {who}", page.context["cabinet"].unread_total, len(unread))
        found = client.get(address, {"q": COMMON})
        report.same(f"search in {house} by {who}", papers(found.content.decode()), mine, of=len(world.documents))
        for document in world.documents[::SAMPLE]:
            status = client.get(address, {"doc": document.pk}).status_code
            report.equal(f"{document} in {house} for {who}", status, 200 if document in mine else 404)
    for document in world.documents[1::SAMPLE]:
        seen, on = person.sees(document, everything=True), _switched_on(document)
        for what, may in (("download", person.may_download(document)), ("read", person.may_read(document))):
            with undone():
                status = status_of(client, f"/app/documents/{document.pk}/{what}")
            report.equal(f"{what} {document} by {who}", status, _status(seen=seen, may=may and on))


def _switched_on(document: Document) -> bool:
    place = document.folder.place
    house = place.community if isinstance(place, Unit) else place
    return house.has_documents if isinstance(house, Community) else True
