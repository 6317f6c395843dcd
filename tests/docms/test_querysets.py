"""Who sees which folders and documents. For everything not shown there is a row that could have leaked."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.services import rows
from docms import rules
from docms.models import (
    Document,
    DocumentLog,
    DocumentVersion,
    Folder,
    FolderAccess,
    FolderLabel,
    FolderPermission,
    Group,
    GroupMember,
    ReadMark,
)
from docms.reach import tree_of
from docms.services import delivery, documents, folders, groups, indexing, permissions
from orgs.actor import ANONYMOUS
from tests.factories import DocumentFactory, FolderFactory, folder, manual_group, pdf, publish, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

HOUR = datetime.timedelta(hours=1)
EVERYBODY = (
    "operator", "admin", "staff", "owner", "renter", "additional", "former", "neighbour", "guest", "stranger",
    "foreigner",
)  # fmt: skip


def who_sees(cast: Cast, row: Folder | Document, *, all: bool = False) -> set[str]:  # noqa: A002 - the contract's word
    return {
        who for who in EVERYBODY if type(row).objects.visible_to(cast.actor(who), all=all).filter(pk=row.pk).exists()
    }


@pytest.mark.rule("DOCMS-061")
def test_folders_are_reached_through_groups_and_the_union_counts(cast: Cast) -> None:
    one, two = manual_group(cast, "Eins", "owner", "renter"), manual_group(cast, "Zwei", "owner", "guest")
    first, second, both, none = (
        folder(cast, "A", one), folder(cast, "B", two), folder(cast, "C", [one, two]), folder(cast, "D"),
    )  # fmt: skip
    foreign = folders.create_folder(actor=cast.actor("stranger"), tenant=cast.other_tenant, name="Fremd")
    assert who_sees(cast, first) == {"owner", "renter"}
    assert who_sees(cast, second) == {"owner", "guest"}
    assert who_sees(cast, both) == {"owner", "renter", "guest"}
    assert who_sees(cast, none) == set()
    assert who_sees(cast, foreign, all=True) == {"stranger"}
    reached = Folder.objects.visible_to(cast.actor("owner"))
    assert sorted(reached.values_list("name", flat=True)) == ["A", "B", "C"]


@pytest.mark.rule("DOCMS-187")
def test_all_shows_administrators_everything_of_their_tenant_and_changes_nothing_for_others(cast: Cast) -> None:
    everyone = manual_group(cast, "Alle", "renter")
    top = folder(cast, "Oben")
    below, assigned = folder(cast, "Darunter", parent=top), folder(cast, "Zugeteilt", everyone, parent=top)
    papers = [publish(cast, below), publish(cast, assigned)]
    foreign = folders.create_folder(actor=cast.actor("stranger"), tenant=cast.other_tenant, name="Fremd")
    DocumentFactory(folder=foreign, uploaded_by=cast.stranger)
    admin, renter = cast.actor("admin"), cast.actor("renter")
    assert set(Document.objects.visible_to(admin, all=True)) == set(papers)
    assert set(Folder.objects.visible_to(admin, all=True).filter(parent=top)) == {below, assigned}
    assert not Document.objects.visible_to(admin).exists()
    assert not Folder.objects.visible_to(admin).exists()
    for everything in (True, False):
        assert set(Document.objects.visible_to(renter, all=everything)) == {papers[1]}
        assert set(Folder.objects.visible_to(renter, all=everything)) == {assigned}


@pytest.mark.rule("DOCMS-096")
def test_all_shows_administrators_hidden_folders_too(cast: Cast) -> None:
    hidden = folder(cast, "Verborgen", manual_group(cast, "Alle", "renter"), inactive_at=timezone.now() - HOUR)
    plain = folder(cast, "Ohne Gruppe")
    assert who_sees(cast, hidden, all=True) == {"admin"} == who_sees(cast, plain, all=True)
    assert who_sees(cast, hidden) == set() == who_sees(cast, plain)


@pytest.mark.rule("DOCMS-097")
def test_ancestors_are_listed_by_name_but_their_documents_stay_closed(cast: Cast) -> None:
    top = folder(cast, "Oben")
    middle = folder(cast, "Mitte", parent=top)
    reached = folder(cast, "Unten", manual_group(cast, "Alle", "renter"), parent=middle)
    folder(cast, "Daneben", parent=middle)
    closed, open_ = publish(cast, middle), publish(cast, reached)
    listed = Folder.objects.with_ancestors(cast.actor("renter"))
    assert {f.name: getattr(f, "is_reached") for f in listed} == {  # noqa: B009 - annotated
        "Oben": False,
        "Mitte": False,
        "Unten": True,
    }
    assert set(Document.objects.visible_to(cast.actor("renter"), all=True)) == {open_}
    assert not Folder.objects.visible_to(cast.actor("renter"), all=True).filter(pk=middle.pk).exists()
    assert closed not in Document.objects.search(cast.actor("renter"), "hausordnung")
    assert not Folder.objects.with_ancestors(cast.actor("owner")).exists()


def test_what_is_written_out_says_the_same(cast: Cast) -> None:
    """The statements of uploads and of the portal's tree, against the querysets whose rules they repeat."""
    everybody = manual_group(cast, "Alle", "owner", "renter", "staff")
    top = folder(cast, "Oben", community=cast.house_a)
    folder(cast, "Unten", everybody, parent=top, unit=cast.unit_a1)
    folder(cast, "Firma", everybody)
    folder(cast, "Anderes Haus", everybody, community=cast.house_b)
    folder(cast, "Verborgen", everybody, inactive_at=timezone.now() - HOUR)
    folder(cast, "Ohne Gruppe", community=cast.house_a)
    drawn = set()
    for who in EVERYBODY:
        actor = cast.actor(who)
        seen = set(Folder.objects.visible_to(actor, all=True))
        assert {f for f in Folder.objects.all() if rules.seen(actor, f.pk) == (f, rules.effective(actor, f))} == seen, (
            who
        )
        assert not any(rules.seen(actor, f.pk) for f in Folder.objects.all() if f not in seen), who
        for community in (cast.house_a, cast.house_b):
            expected = Folder.objects.with_ancestors(actor).shown_in(community).order_by("sort_key", "id")
            tree = [(f, rules.in_force(actor, f.tenant_id, *more)) for f, *more in tree_of(actor, community)]
            told = [(f, f.is_reached) for f, _flags in tree]  # type: ignore[attr-defined]
            assert told == [(f, f.is_reached) for f in expected], (who, community)  # type: ignore[attr-defined]
            assert {f.pk: flags for f, flags in tree} == rules.effective_many(actor, expected), (who, community)
            drawn |= {(f.name, is_reached) for f, is_reached in told}
    assert drawn == {("Oben", False), ("Unten", True), ("Firma", True), ("Anderes Haus", True)}


def test_one_group_per_circle_and_exactly_these_people(cast: Cast) -> None:
    house = groups.derived_group(tenant=cast.tenant, community=cast.house_a)
    household = groups.derived_group(tenant=cast.tenant, unit=cast.unit_a2)
    owners = groups.derived_group(tenant=cast.tenant, community=cast.house_a, role="owner")
    assert who_sees(cast, folder(cast, "Haus", house)) == {"owner", "renter", "additional"}
    assert who_sees(cast, folder(cast, "Haushalt", household)) == {"renter"}
    assert who_sees(cast, folder(cast, "Eigentümer", owners)) == {"owner"}


def test_deactivation_closes_everything_at_the_next_request(cast: Cast) -> None:
    where = folder(
        cast, group=[manual_group(cast, "Alle", "renter"), groups.derived_group(tenant=cast.tenant, unit=cast.unit_a2)]
    )
    paper = publish(cast, where)
    assert who_sees(cast, paper) == {"renter"}
    rows.change(cast.membership("renter"), {"deactivated_at": timezone.now()})
    assert who_sees(cast, paper, all=True) == {"admin"}


def test_a_claimed_document_is_gone_for_everybody_everywhere(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter", "admin"))
    paper = publish(cast, where)
    Document.objects.filter(pk=paper.pk).update(claimed_at=timezone.now())
    for who in ("renter", "admin"):
        actor = cast.actor(who)
        for found in (
            Document.objects.visible_to(actor, all=True),
            Document.objects.in_folder(where.pk, actor),
            Document.objects.newest(actor, 5),
            Document.objects.search(actor, "hausordnung"),
            DocumentVersion.objects.visible_to(actor),
        ):
            assert not found.exists()


def test_what_hangs_on_a_document_is_as_visible_as_it(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter", "staff"))
    paper = publish(cast, where)
    FolderLabel.objects.create(tenant=cast.tenant, folder=where, name="Eilig", color="#ff0000")
    delivery.open_for_read(document_id=paper.pk, actor=cast.actor("renter"))
    permissions.set_permission(actor=cast.actor("admin"), folder=where, user_id=cast.renter.pk, flags={"read": True})

    def sees(model: type, *seers: str) -> None:
        found = {who for who in EVERYBODY if model.objects.visible_to(cast.actor(who)).exists()}  # type: ignore[attr-defined]
        assert found == set(seers), model.__name__

    sees(DocumentVersion, "renter", "staff", "admin")
    sees(FolderLabel, "renter", "staff", "admin")
    sees(ReadMark, "renter", "admin")
    sees(FolderPermission, "renter", "admin")
    sees(FolderAccess, "renter", "staff", "admin")
    sees(Group, "renter", "staff", "admin")
    sees(GroupMember, "renter", "staff", "admin")
    assert GroupMember.objects.visible_to(cast.actor("renter")).count() == 1  # only oneself
    # The renter's own action, staff by flag, and the uploader, who is administrator here.
    sees(DocumentLog, "renter", "staff", "admin")
    assert set(DocumentLog.objects.visible_to(cast.actor("renter")).values_list("action", flat=True)) == {"read"}
    assert not DocumentLog.objects.visible_to(cast.actor("guest")).exists()


def test_an_anonymous_caller_sees_nothing(cast: Cast) -> None:
    publish(cast, folder(cast, group=manual_group(cast, "Alle", "renter")))
    for model in (Folder, Document, Group, DocumentVersion, DocumentLog):
        assert not model.objects.visible_to(ANONYMOUS).exists()


# --- Rights that a list applies -------------------------------------------------------------------------


def test_readable_and_downloadable_agree_with_the_rules(cast: Cast) -> None:
    everyone = manual_group(cast, "Alle", "renter")
    plain, special = folder(cast, "A", everyone), folder(cast, "B", everyone)
    locked = publish(cast, plain, allow_download=False)
    free, shut = publish(cast, plain), publish(cast, special)
    permissions.set_permission(actor=cast.actor("admin"), folder=special, user_id=cast.renter.pk, flags={"log": True})
    seen = Document.objects.visible_to(cast.actor("renter"))
    assert set(seen) == {locked, free, shut}
    assert set(seen.readable_by(cast.actor("renter"))) == {locked, free}
    assert set(seen.downloadable_by(cast.actor("renter"))) == {free}


def test_counts_never_betray_what_is_hidden(cast: Cast) -> None:
    everyone = manual_group(cast, "Alle", "renter")
    where, other = folder(cast, "A", everyone), folder(cast, "B")
    publish(cast, where), publish(cast, where, active_from=timezone.now() + HOUR), publish(cast, other)
    counts = Document.objects.visible_to(cast.actor("renter")).order_by().values("folder").annotate(n=Count("pk"))
    assert [(c["folder"], c["n"]) for c in counts] == [(where.pk, 1)]


def test_the_newest_come_from_all_folders_in_order(cast: Cast) -> None:
    everyone = manual_group(cast, "Alle", "renter")
    one, two, closed = folder(cast, "A", everyone), folder(cast, "B", everyone), folder(cast, "C")
    now = timezone.now()
    made = [
        DocumentFactory(folder=where, uploaded_by=cast.admin, created_at=now - minutes * datetime.timedelta(minutes=1))
        for where, minutes in ((one, 5), (two, 4), (one, 3), (closed, 2), (two, 1))
    ]
    DocumentFactory(folder=one, uploaded_by=cast.admin, active_from=now + HOUR)
    newest = list(Document.objects.newest(cast.actor("renter"), 3))
    assert newest == [made[4], made[2], made[1]]
    assert not Document.objects.newest(cast.actor("guest"), 3).exists()


# --- Search ---------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-135")
def test_all_words_occur_somewhere_without_regard_to_case(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    FolderLabel.objects.create(tenant=cast.tenant, folder=where, name="Eilig", color="#ff0000")
    paper = publish(
        cast, where, title="Nebenkosten 2024", description="für Frau Żółć", filename="abrechnung_final.pdf",
        identifier="REF-4711", label_name="Eilig", content=pdf("Wasserverbrauch"),
    )  # fmt: skip
    publish(cast, where, title="Nebenkosten 2023")
    hidden = publish(cast, folder(cast, "Andere"), title="Nebenkosten 2024 Eilig")
    indexing.index_content(paper.pk)

    def hits(words: str, who: str = "renter") -> set[Document]:
        return set(Document.objects.search(cast.actor(who), words))

    for words in (
        "nebenkosten",
        "NEBENKOSTEN 2024",
        "żółć",
        "abrechnung final",
        "ref 4711",
        "eilig",
        "wasserverbrauch 4711",
    ):
        assert paper in hits(words), words
        assert hidden not in hits(words), words
    assert hits("nebenkosten 2024 2023") == set()
    assert hits("nebenkosten gasverbrauch") == set()
    assert hits("2024", "owner") == set()
    assert hits("nebenkosten 2024", "admin") == {paper, hidden}
    assert hits("  ") == set()


def test_search_follows_a_new_version_and_a_change(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    paper = publish(cast, where, content=pdf("Altpapier"))
    indexing.index_content(paper.pk)
    documents.change_document(
        actor=cast.actor("admin"),
        document=paper,
        changes={"identifier": "NEU-1"},
        blob=stored(cast.tenant, pdf("Neupapier")),
    )
    indexing.index_content(paper.pk)
    found = {w: Document.objects.search(cast.actor("renter"), w).count() for w in ("altpapier", "neupapier", "neu 1")}
    assert found == {"altpapier": 0, "neupapier": 1, "neu 1": 1}


# --- Cost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        lambda actor: list(Folder.objects.with_ancestors(actor)),
        lambda actor: list(Document.objects.visible_to(actor).select_related("folder", "label")),
        lambda actor: list(Document.objects.newest(actor, 20)),
        lambda actor: list(Document.objects.search(actor, "schreiben")),
        lambda actor: list(Document.objects.visible_to(actor).unread_by(None)),
    ],
)
def test_a_question_costs_one_query_whatever_it_finds(cast: Cast, question: Callable[[object], list[object]]) -> None:
    everyone = manual_group(cast, "Alle", "renter")
    actor = cast.actor("renter")
    assert actor.keys
    for count in (1, 3):
        for where in FolderFactory.create_batch(count, tenant=cast.tenant):
            folders.set_groups(folder=where, group_ids=[everyone.pk])
            indexing.index(DocumentFactory.create_batch(count, folder=where, uploaded_by=cast.admin), text="")
        with CaptureQueriesContext(connection) as queries:
            assert question(actor)
        assert len(queries) == 1


def test_what_the_portal_lists_of_a_community_is_what_its_folders_hold(cast: Cast) -> None:
    everyone = manual_group(cast, "Alle", "owner", "renter")
    shown = {
        name: publish(cast, folder(cast, name, everyone, **where))
        for name, where in {
            "Haus": {"community": cast.house_a},
            "Wohnung": {"unit": cast.unit_a1},
            "Firma": {},
            "Anderes Haus": {"community": cast.house_b},
            "Andere Wohnung": {"unit": cast.unit_b1},
        }.items()
    }
    for who in ("owner", "admin"):
        for community, names in (
            (cast.house_a, {"Haus", "Wohnung", "Firma"}),
            (cast.house_b, {"Anderes Haus", "Andere Wohnung", "Firma"}),
        ):
            actor = cast.actor(who)
            there = Folder.objects.visible_to(actor).shown_in(community)
            listed = set(Document.objects.visible_in(actor, community))
            assert listed == set(Document.objects.visible_to(actor).filter(folder__in=there))
            if who == "owner":
                assert listed == {shown[name] for name in names}
