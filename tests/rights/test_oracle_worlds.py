"""The random companies are worth asking about: whatever may keep a thing from somebody keeps something from somebody."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from hypothesis import given

from tests.rights.worlds.generate import worlds
from tests.rights.worlds.oracle import Person, hidden, in_period, is_over, mailed, today, told
from tests.rights.worlds.profiles import examples
from tests.rights.worlds.world import Folder, Unit, World


def reasons(world: World) -> Iterator[str]:
    """What happens in a world, in words."""
    people = [Person(world, user) for user in world.users]
    for person in people:
        seen = [d for d in world.documents if person.sees(d)]
        yield "somebody sees a paper" if seen else "somebody sees no paper"
        if len({d.tenant for d in seen}) > 1:
            yield "papers of two companies"
        for folder in world.folders:
            yield from _of_folder(world, person, folder)
        for document in world.documents:
            outside = person.reaches(document.folder) and not in_period(world, document) and not document.claimed
            if outside and document.tenant not in person.admin_of:
                yield "the uploader sees it out of its time" if person.sees(document) else "out of its time"
            if document.claimed and person.reaches(document.folder):
                yield "claimed"
            if person.sees(document) and 0 < document.marks.get(person.seats.get(document.tenant), 0) < len(  # type: ignore[arg-type]
                document.uploaders
            ):
                yield "an older version was read"
        if person.managed and not person.wide:
            yield "staff with a community of their own"
    yield from _of_places(world)
    for document in world.documents:
        news, mails = told(world, document), mailed(world, document)
        if mails:
            yield "a mail"
        if news - mails:
            yield "news without a mail"


def _of_folder(world: World, person: Person, folder: Folder) -> Iterator[str]:
    reached = any(person.in_group(group) for group in folder.groups)
    if reached and hidden(world, folder):
        above = folder.inactive_at is None or folder.inactive_at > world.now
        yield "an administrator sees what is hidden" if folder.tenant in person.admin_of else "hidden"
        yield "hidden by a folder above" if above else "hidden by itself"
    if not reached and folder.tenant in person.admin_of:
        yield "an administrator who is not assigned"
    if not reached and person.lists(folder):
        yield "only the way to a folder"
    if person.reaches(folder):
        own = person.seats[folder.tenant].flags if folder.tenant in person.seats else frozenset()
        if ("read" in person.flags(folder)) != ("read_perm" in own):
            yield "a permission of the folder decides"
    for group in folder.groups:
        if any(m.user is person.user and is_over(world, m) for m, _admin in group.members) and group.anchor is None:
            yield "deactivated, yet listed"
        if group.anchor is not None and not person.in_group(group) and person.administers(group):
            yield "administers a derived group without belonging to it"


def _of_places(world: World) -> Iterator[str]:
    utc = world.now.astimezone(datetime.UTC).date()
    for stay in world.stays:
        if stay.contact.user is None or stay.contact.erased or stay.contact.user.erased:
            continue
        anchors = {group.anchor for group in world.groups for folder in world.folders if group in folder.groups}
        day = today(world, stay.tenant)
        holds, in_utc = (
            (stay.first is None or stay.first <= d) and (stay.last is None or d <= stay.last) for d in (day, utc)
        )
        here = bool(anchors & {stay.unit, stay.unit.building, stay.unit.community})
        if stay.tenant.closed and holds and here:
            yield "the company is closed"
        if here and holds != in_utc:
            yield "another day in the company's zone"
        if here and not holds:
            yield "moved out" if stay.last is not None and stay.last < day else "moves in later"
        if here and holds and stay.revoked:
            yield "revoked"
        household = stay.unit in anchors or stay.unit.building in anchors
        if holds and household and not stay.revoked and stay.role == "additional" and isinstance(stay.unit, Unit):
            yield "an administering additional user" if stay.is_admin else "no full occupant"


EXPECTED = {
    "somebody sees a paper", "somebody sees no paper", "papers of two companies", "hidden", "hidden by itself",
    "hidden by a folder above", "an administrator sees what is hidden", "an administrator who is not assigned",
    "only the way to a folder", "a permission of the folder decides", "deactivated, yet listed",
    "administers a derived group without belonging to it", "the uploader sees it out of its time", "out of its time",
    "claimed", "an older version was read", "staff with a community of their own", "the company is closed",
    "another day in the company's zone", "moved out", "moves in later", "revoked", "no full occupant",
    "an administering additional user", "a mail", "news without a mail",
}  # fmt: skip


def test_every_reason_occurs_among_the_worlds_of_one_run() -> None:
    found: set[str] = set()

    @examples(40)
    @given(worlds())
    def look(world: World) -> None:
        found.update(reasons(world))

    look()
    assert EXPECTED - found == set()
    assert found - EXPECTED == set()
