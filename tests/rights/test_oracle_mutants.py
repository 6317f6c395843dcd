"""The oracle can fail: rules that are broken on purpose are found within the worlds of one CI run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Q, QuerySet
from django.utils import timezone
from hypothesis import find
from hypothesis.errors import NoSuchExample

from core.planned import ModelRows
from core.querysets import any_of
from core.text import search_query
from docms import querysets, rules
from docms.models import Document, DocumentIndex, Folder, FolderAccess, Group, GroupMember
from docms.services import notify
from docms.services.groups import people_of_folder
from orgs import actor, audience
from orgs.actor import Actor
from orgs.querysets import MembershipQuerySet
from tests.rights.test_oracle_mail import compare_mails
from tests.rights.worlds.compare import (
    Aspect,
    Different,
    Report,
    compare_circles,
    compare_papers,
    compare_register,
    documents,
    folders,
    parts,
    unread,
)
from tests.rights.worlds.generate import worlds
from tests.rights.worlds.profiles import examples
from tests.rights.worlds.store import standing
from tests.rights.worlds.world import World

pytestmark = pytest.mark.django_db

Differs = Callable[[World, Report], None]
WORLDS = 40  # as many as the tests of the product try together


def _period_without_end(actor: Actor) -> Q:
    begun = Q(active_from=None) | Q(active_from__lte=timezone.now())
    return begun | Q(uploaded_by=actor.user_id) | Q(tenant__in=actor.admin_tenants)


def _hidden_folders_too(self: Any, actor: Actor, *, all: bool = False) -> Any:  # noqa: A002 - the contract's word
    groups = Group.objects.held_by(actor).order_by().values("id")
    access = FolderAccess.objects.filter(any_of("group", groups)).order_by().values("folder_id")
    extra = Q(tenant__in=actor.admin_tenants) if all else Q(pk__in=())
    return self.filter(any_of("id", access) | extra, tenant__in=actor.tenants)


def _administrators_are_members(self: Any, actor: Actor) -> Any:
    listed = GroupMember.objects.filter(membership__in=actor.membership_ids).order_by().values("group_id")
    return self.filter(Q(audience_key__in=actor.keys) | any_of("id", listed), tenant__in=actor.tenants)


def _search_by_folder(self: Any, actor: Actor, words: str) -> Any:
    folders = Folder.objects.visible_to(actor, all=True).order_by().values("id")
    hits = DocumentIndex.objects.filter(any_of("folder", folders), vector=search_query(words))
    return self.filter(id__in=hits.values("document_id"), claimed_at=None)


def _claimed_ones_too(self: Any, actor: Actor, *, all: bool = False) -> Any:  # noqa: A002 - the contract's word
    folders = Folder.objects.visible_to(actor).order_by().values("id")
    seen = any_of("folder", folders) & querysets.in_period(actor)
    return self.filter(seen | Q(tenant__in=actor.admin_tenants) if all else seen)


def _any_version(self: QuerySet[Any], membership_id: int | None) -> Any:
    return self.exclude(read_marks__membership=membership_id)


def _readers_without_flags(document: Document) -> set[int]:
    return people_of_folder(document.folder) - {document.uploaded_by_id}


def _readers_of_hidden_folders(document: Document) -> set[int]:
    people = rules.holders(document.folder, "read", people_of_folder(document.folder))
    return people - {notify._uploader(document)}


def _deactivated_members(self: Any) -> Any:
    return self.filter(user__erased_at=None)


def _admin_of_all(actor: Actor) -> frozenset[int]:
    return actor.tenants if any(m.admin_perm for m in actor.memberships.values()) else frozenset()


def _papers(*aspects: Aspect) -> Differs:
    return lambda world, report: compare_papers(world, report, bound=False, aspects=aspects)


def _register(world: World, report: Report) -> None:
    compare_register(world, report, bound=False)


def _held_by(text: str, instead: str) -> ModelRows:
    assert text in actor._HELD
    return ModelRows(actor._HELD.replace(text, instead), **actor._ROWS._aliases)


# What is broken, how, and where it must show.
MUTANTS: dict[str, tuple[object, str, object, Differs]] = {
    "active_until is ignored": (querysets, "in_period", _period_without_end, _papers(folders)),
    "hidden_from is ignored": (querysets.FolderQuerySet, "visible_to", _hidden_folders_too, _papers(folders)),
    "administering a derived group is belonging to it": (
        querysets.GroupQuerySet, "held_by", _administrators_are_members, _papers(parts)
    ),
    "search asks the folder alone": (querysets.DocumentQuerySet, "search", _search_by_folder, _papers(documents)),
    "what a download has claimed is shown": (
        querysets.DocumentQuerySet, "visible_to", _claimed_ones_too, _papers(folders)
    ),
    "a mark of an older version counts as read": (
        querysets.DocumentQuerySet, "unread_by", _any_version, _papers(unread)
    ),
    "an administrator of one company is one of all": (
        Actor, "admin_tenants", property(_admin_of_all), _papers(folders)
    ),
    "a day begins in UTC": (
        actor, "_ROWS", _held_by("AT TIME ZONE t.timezone", "AT TIME ZONE 'UTC'"), _register
    ),
    "who was deactivated keeps the places of the register": (
        actor, "_ROWS", _held_by("AND NOT EXISTS (SELECT FROM closed WHERE closed.id = c.tenant_id)", ""), _register
    ),
    "staff works with every community of the company": (
        Actor, "wide_tenants", property(lambda actor: actor.staff_tenants), _register
    ),
    "additional users belong to the household": (
        audience, "_FOUND", audience._FOUND.replace("(o.role IN ('owner', 'renter') OR o.is_admin)", "true"),
        compare_circles,
    ),
    "who may not read is told": (notify, "readers", _readers_without_flags, compare_mails),
    "a hidden folder is announced to everybody": (notify, "readers", _readers_of_hidden_folders, compare_mails),
    "deactivated members are told": (MembershipQuerySet, "active", _deactivated_members, compare_circles),
}  # fmt: skip


def is_found(differs: Differs) -> bool:
    """Whether one of the worlds of a CI run shows a difference."""

    def shows(world: World) -> bool:
        try:
            with standing(world):
                differs(world, Report(to_the_first=True))
        except Different:
            return True
        return False

    try:
        find(worlds(), shows, settings=examples(WORLDS))
    except NoSuchExample:
        return False
    return True


@pytest.mark.parametrize("what", MUTANTS)
def test_a_broken_rule_is_found(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, broken, differs = MUTANTS[what]
    assert getattr(place, name) != broken
    monkeypatch.setattr(place, name, broken)
    assert is_found(differs)
