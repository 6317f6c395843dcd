"""Folders: names, paths, moving, hiding, deleting, and what is derived from the tree."""

from __future__ import annotations

import datetime
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import scope
from core.errors import Changed, Conflict, Denied, Invalid, NotFound
from core.models import AuditEntry, DestructionRecord
from core.services import rows
from docms.models import Document, DocumentHold, DocumentLog, Folder, FolderAccess
from docms.services import destruction, folders, indexing, tree
from docms.signals import folder_deleted
from orgs.models import Hold
from tests.factories import at_once, folder, manual_group, publish

if TYPE_CHECKING:
    from tests.cast import Cast

HOUR = datetime.timedelta(hours=1)


def reload(row: Folder) -> Folder:
    return Folder.objects.get(pk=row.pk)


def change(cast: Cast, row: Folder, **changes: object) -> Folder:
    return folders.change_folder(actor=cast.actor("admin"), folder=row, changes=changes)


@pytest.mark.rule("DOCMS-098")
def test_the_path_joins_the_names_from_the_top(cast: Cast) -> None:
    top = folder(cast, "Haus A")
    below = folder(cast, "Protokolle", parent=top)
    lowest = folder(cast, "2025", parent=below)
    assert (top.full_path_name, lowest.full_path_name) == ("Haus A", "Haus A/Protokolle/2025")
    assert lowest.ancestors == [top.pk, below.pk]
    change(cast, top, name="Haus Ä")
    assert reload(lowest).full_path_name == "Haus Ä/Protokolle/2025"
    with pytest.raises(TypeError):
        change(cast, top, full_path_name="Erfunden")


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\\b", "a\x00b", "x" * 201])
def test_names_that_no_path_can_hold_are_refused(cast: Cast, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        folder(cast, name)
    assert "name" in refused.value.fields


@pytest.mark.rule("DOCMS-099")
def test_cycles_and_siblings_of_one_name_are_refused(cast: Cast) -> None:
    top = folder(cast, "Übersicht")
    below = folder(cast, "Protokolle", parent=top)
    lowest = folder(cast, "2025", parent=below)
    for target in (top, below, lowest):
        with pytest.raises(Conflict):
            change(cast, top, parent=target)
    for twin in ("Übersicht", "übersicht", "ÜBERSICHT"):
        with pytest.raises(Conflict) as refused:
            folder(cast, twin)
        assert refused.value.code == "exists"
    with pytest.raises(Conflict):
        folder(cast, "protokolle", parent=top)
    with pytest.raises(Conflict):
        change(cast, folder(cast, "Anderes", parent=top), name="PROTOKOLLE")
    with pytest.raises(Conflict):
        change(cast, folder(cast, "protokolle"), parent=top)
    folder(cast, "Hauptstraße")
    with pytest.raises(Conflict):  # a pair that the database does not know
        folder(cast, "HAUPTSTRASSE")
    change(cast, below, name="PROTOKOLLE")  # its own name in another case
    folder(cast, "Protokolle", parent=lowest)  # elsewhere the name is free
    assert reload(top).parent_id is None


@pytest.mark.rule("DOCMS-099")
@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_sibling(cast: Cast) -> None:
    outcomes = at_once(
        lambda: folder(cast, "Protokolle").pk,
        lambda: folder(cast, "PROTOKOLLE").pk,
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict", "int"]
    assert Folder.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_make_no_cycle(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        one, two = folder(cast, "Eins"), folder(cast, "Zwei")
    outcomes = at_once(lambda: change(cast, one, parent=two).pk, lambda: change(cast, two, parent=one).pk)
    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict", "int"]
    assert {len(f.ancestors) for f in Folder.objects.all()} == {0, 1}


@pytest.mark.django_db(transaction=True)
def test_a_folder_made_below_a_moving_one_gets_the_new_path(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        top, moving = folder(cast, "Oben"), folder(cast, "Wandert")
    moved = threading.Event()

    def move() -> None:
        change(cast, moving, parent=top)
        moved.set()
        time.sleep(0.5)  # the other one asks before this is committed

    def make() -> None:
        moved.wait(10)
        folder(cast, "Neu", parent=moving)

    at_once(move, make)
    made = Folder.objects.get(name="Neu")
    assert made.ancestors == [top.pk, moving.pk]
    assert made.full_path_name == "Oben/Wandert/Neu"


@pytest.mark.rule("DOCMS-100")
def test_access_is_given_per_folder(cast: Cast) -> None:
    everyone, few = manual_group(cast, "Alle", "owner", "renter"), manual_group(cast, "Wenige", "owner")
    top = folder(cast, group=everyone)
    below = folder(cast, "Darunter", few, parent=top)
    assert set(FolderAccess.objects.filter(folder=below).values_list("group_id", flat=True)) == {few.pk}
    seen = {
        who: set(Folder.objects.visible_to(cast.actor(who)).values_list("pk", flat=True)) for who in ("owner", "renter")
    }
    assert seen == {"owner": {top.pk, below.pk}, "renter": {top.pk}}


@pytest.mark.rule("DOCMS-101")
def test_a_new_top_level_folder_gets_the_automatic_child_folders(cast: Cast) -> None:
    few = manual_group(cast, "Wenige", "owner")
    rows.change(
        cast.tenant.settings,
        {
            "additional_child_folders": [
                {"name": "Verträge", "group_ids": [few.pk, 999999]},
                {"name": "Fotos", "group_ids": []},
            ]
        },
    )
    top = folder(cast, "Neu", manual_group(cast, "Alle", "renter"))
    made = {child.name: child for child in Folder.objects.filter(parent=top)}
    assert made.keys() == {"Verträge", "Fotos"}
    groups = {
        name: set(FolderAccess.objects.filter(folder=f).values_list("group_id", flat=True)) for name, f in made.items()
    }
    assert groups == {"Verträge": {few.pk}, "Fotos": set()}
    assert made["Fotos"].full_path_name == "Neu/Fotos"
    below = folder(cast, "Unten", parent=top)
    assert not Folder.objects.filter(parent=below).exists()


@pytest.mark.rule("DOCMS-102")
@pytest.mark.parametrize("with_groups", [True, False])
@pytest.mark.parametrize("with_labels", [True, False])
def test_automatic_child_folders_take_groups_and_labels_where_switched_on(
    cast: Cast, with_groups: bool, with_labels: bool
) -> None:
    few, everyone = manual_group(cast, "Wenige", "owner"), manual_group(cast, "Alle", "renter")
    rows.change(
        cast.tenant.settings,
        {
            "additional_child_folders": [{"name": "Verträge", "group_ids": [few.pk]}, {"name": "Fotos"}],
            "additional_child_folders_group": with_groups,
            "additional_child_folders_labels": with_labels,
        },
    )
    top = folder(cast, "Neu", everyone, labels=[("Eilig", "#ff0000"), ("Ablage", "#00ff00")])
    own = {"Verträge": {few.pk}, "Fotos": set()}
    for child in Folder.objects.filter(parent=top):
        groups = set(FolderAccess.objects.filter(folder=child).values_list("group_id", flat=True))
        assert groups == own[child.name] | ({everyone.pk} if with_groups else set())
        labels = dict(child.labels.values_list("name", "color"))
        assert labels == ({"Eilig": "#ff0000", "Ablage": "#00ff00"} if with_labels else {})
        del own[child.name]
    assert not own


@pytest.mark.rule("DOCMS-103")
def test_an_inactive_folder_is_invisible_but_to_administrators(cast: Cast) -> None:
    everyone = manual_group(cast, "Alle", "renter", "admin")
    where = folder(cast, group=everyone, inactive_at=timezone.now() - HOUR)
    soon = folder(cast, "Bald", everyone, inactive_at=timezone.now() + HOUR)
    paper = publish(cast, where)
    assert not Folder.objects.visible_to(cast.actor("renter")).filter(pk=where.pk).exists()
    assert not Document.objects.visible_to(cast.actor("renter"), all=True).filter(pk=paper.pk).exists()
    assert Folder.objects.visible_to(cast.actor("renter")).filter(pk=soon.pk).exists()
    assert Folder.objects.visible_to(cast.actor("admin")).filter(pk=where.pk).exists()
    assert Document.objects.visible_to(cast.actor("admin")).filter(pk=paper.pk).exists()


@pytest.mark.rule("DOCMS-104")
def test_what_lies_below_an_inactive_folder_is_invisible_until_it_is_cleared(cast: Cast) -> None:
    everyone = manual_group(cast, "Alle", "renter")
    top = folder(cast, "Oben", everyone)
    below = folder(cast, "Darunter", everyone, parent=top)
    lowest = folder(cast, "Ganz unten", everyone, parent=below, inactive_at=timezone.now() + HOUR)
    publish(cast, lowest)

    def seen() -> tuple[int, int]:
        actor = cast.actor("renter")
        return Folder.objects.visible_to(actor).count(), Document.objects.visible_to(actor).count()

    assert seen() == (3, 1)
    change(cast, top, inactive_at=timezone.now() - HOUR)
    assert seen() == (0, 0)
    assert folder(cast, "Neu", everyone, parent=below).hidden_from == reload(top).inactive_at
    change(cast, top, inactive_at=None)
    assert seen() == (4, 1)
    assert reload(lowest).hidden_from == lowest.inactive_at
    assert reload(below).hidden_from is None


def test_moving_below_an_inactive_folder_hides_and_moving_out_shows(cast: Cast) -> None:
    hidden = folder(cast, "Verborgen", inactive_at=timezone.now() - HOUR)
    moving = folder(cast, "Wandert")
    below = folder(cast, "Darunter", parent=moving)
    change(cast, moving, parent=hidden)
    assert reload(below).hidden_from == hidden.inactive_at
    assert (reload(below).full_path_name, reload(below).ancestors) == (
        "Verborgen/Wandert/Darunter", [hidden.pk, moving.pk],
    )  # fmt: skip
    change(cast, moving, parent=None)
    assert (reload(below).hidden_from, reload(below).full_path_name) == (None, "Wandert/Darunter")


def test_a_subtree_is_rewritten_in_a_constant_number_of_statements(cast: Cast) -> None:
    def cost(children: int) -> int:
        top = folder(cast, f"Oben {children}")
        moving = folder(cast, f"Wandert {children}")
        for number in range(children):
            folder(cast, f"Kind {number}", parent=moving)
        with CaptureQueriesContext(connection) as queries:
            change(cast, moving, parent=top, inactive_at=timezone.now())
        return len(queries)

    assert cost(1) == cost(4)


def test_the_place_follows_the_parent_unless_it_was_chosen(cast: Cast) -> None:
    house_a = folder(cast, "Haus A", community=cast.house_a)
    house_b = folder(cast, "Haus B", community=cast.house_b)
    inherited = folder(cast, "Protokolle", parent=house_a)
    lowest = folder(cast, "2025", parent=inherited)
    unit = folder(cast, "Wohnung A1", parent=inherited, unit=cast.unit_a1)
    assert (inherited.community, lowest.community, unit.unit) == (cast.house_a, cast.house_a, cast.unit_a1)
    change(cast, inherited, parent=house_b)
    assert reload(inherited).community_id == reload(lowest).community_id == cast.house_b.pk
    assert reload(unit).community_id == cast.house_a.pk  # it was chosen for the unit
    change(cast, house_a, community=None)
    assert reload(house_a).community_id is None
    with pytest.raises(Invalid):
        folder(cast, "Falsch", community=cast.house_b, unit=cast.unit_a1)


@pytest.mark.rule("DOCMS-109")
def test_deleting_a_folder_deletes_everything_below_or_nothing(cast: Cast) -> None:
    top = folder(cast, "Oben", manual_group(cast, "Alle", "renter"))
    below = folder(cast, "Darunter", parent=top)
    papers = [publish(cast, top), publish(cast, below)]
    other = publish(cast, folder(cast, "Daneben"))
    change(cast, below, allow_delete_files=timezone.now() + HOUR)
    with pytest.raises(Conflict) as refused:
        folders.delete_folder(actor=cast.actor("admin"), folder=top)
    assert refused.value.code == "deletion_locked"
    assert Document.objects.count() == 3
    change(cast, below, allow_delete_files=timezone.now() - HOUR)
    folders.delete_folder(actor=cast.actor("admin"), folder=top)
    assert list(Document.objects.all()) == [other]
    assert list(Folder.objects.values_list("name", flat=True)) == ["Daneben"]
    records = DestructionRecord.objects.order_by("object_id").values_list("object_id", "reason", "user_id", "folder_id")
    assert list(records) == [
        (papers[0].pk, "folder_deleted", cast.admin.pk, top.pk),
        (papers[1].pk, "folder_deleted", cast.admin.pk, below.pk),
    ]
    assert DocumentLog.objects.filter(action="delete", document_id__in=[p.pk for p in papers]).count() == 2
    with pytest.raises(NotFound):
        folders.delete_folder(actor=cast.actor("admin"), folder=top)


@pytest.mark.rule("DOCMS-109")
def test_a_deletion_that_fails_at_its_end_deletes_nothing(cast: Cast) -> None:
    top = folder(cast, "Oben")
    below = folder(cast, "Darunter", parent=top)
    publish(cast, top), publish(cast, below)

    def breaks(**_values: object) -> None:
        raise RuntimeError

    folder_deleted.connect(breaks)
    try:
        with pytest.raises(RuntimeError):
            folders.delete_folder(actor=cast.actor("admin"), folder=top)
    finally:
        folder_deleted.disconnect(breaks)
    assert (Folder.objects.count(), Document.objects.count(), DestructionRecord.objects.count()) == (2, 2, 0)
    assert not DocumentLog.objects.filter(action="delete").exists()


def test_a_hold_keeps_a_folder_until_it_is_released(cast: Cast) -> None:
    where = folder(cast)
    paper = publish(cast, where)
    hold = Hold.objects.create(tenant=cast.tenant, title="Streit", reason="Klage", placed_by=cast.admin)
    DocumentHold.objects.create(tenant=cast.tenant, hold=hold, document=paper)
    with pytest.raises(Conflict) as refused:
        folders.delete_folder(actor=cast.actor("admin"), folder=where)
    assert refused.value.code == "held"
    rows.change(hold, {"released_at": timezone.now(), "released_by": cast.admin})
    folders.delete_folder(actor=cast.actor("admin"), folder=where)
    assert not Document.objects.exists()


def test_a_hold_on_a_place_covers_its_folders(cast: Cast) -> None:
    where = folder(cast, unit=cast.unit_a1)
    publish(cast, where)
    Hold.objects.create(
        tenant=cast.tenant, title="Streit", reason="Klage", placed_by=cast.admin, community=cast.house_a
    )
    with pytest.raises(Conflict):
        folders.delete_folder(actor=cast.actor("admin"), folder=where)


@pytest.mark.django_db(transaction=True)
def test_a_text_that_is_read_while_its_folder_goes_waits_and_finds_it_gone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both lock the folder before the document: in the other order each would wait for the other."""
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        where = folder(cast)
        paper = publish(cast, where)
    read: list[bool] = []

    def index() -> None:
        with scope.unit_of_work(door="worker"), scope.all_tenants():
            read.append(indexing.index_content(paper.pk))
        connection.close()

    indexing_ = threading.Thread(target=index)
    plain = destruction.refuse_protected

    def slow(documents: Any) -> None:
        indexing_.start()
        indexing_.join(1)  # it has read the text by then, and waits
        assert indexing_.is_alive()
        plain(documents)

    monkeypatch.setattr(destruction, "refuse_protected", slow)
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        folders.delete_folder(actor=cast.actor("admin"), folder=where)
    indexing_.join(20)
    assert read == [False]


@pytest.mark.parametrize("who", ["staff", "owner", "stranger"])
def test_folders_are_made_by_administrators_only(cast: Cast, who: str) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "staff", "owner"))
    actor = cast.actor(who)
    for call in (
        lambda: folders.create_folder(actor=actor, tenant=cast.tenant, name="Neu"),
        lambda: folders.change_folder(actor=actor, folder=where, changes={"name": "Neu"}),
        lambda: folders.delete_folder(actor=actor, folder=where),
    ):
        with pytest.raises(Denied):
            call()
    assert reload(where).name == where.name


def test_ids_of_another_tenant_are_refused(cast: Cast) -> None:
    foreign = folders.create_folder(actor=cast.actor("stranger"), tenant=cast.other_tenant, name="Fremd")
    for more in ({"parent": foreign}, {"group_ids": [987654]}, {"mail_after_upload_users": [cast.stranger.pk]}):
        with pytest.raises(Invalid):
            folders.create_folder(actor=cast.actor("admin"), tenant=cast.tenant, name="Neu", **more)
    with pytest.raises(Invalid):
        change(cast, folder(cast), parent=foreign)


def test_two_writers_do_not_overwrite_each_other(cast: Cast) -> None:
    where = folder(cast)
    change(cast, where, name="Eins")
    with pytest.raises(Changed):
        folders.change_folder(actor=cast.actor("admin"), folder=where, changes={"name": "Zwei"}, expected=1)
    assert reload(where).name == "Eins"


def test_every_write_is_in_the_history_with_old_and_new(cast: Cast) -> None:
    where = folder(cast)
    change(cast, where, name="Neu")
    everyone = manual_group(cast, "Alle", "renter")
    folders.set_groups(folder=where, group_ids=[everyone.pk])
    entries = AuditEntry.objects.filter(object_type="docms.folder", object_id=str(where.pk)).order_by("id")
    assert [e.verb for e in entries] == ["created", "changed", "groups_set"]
    assert (entries[1].changes or {})["name"] == ["Papiere", "Neu"]
    assert entries[2].changes == {"group_ids": [[], [everyone.pk]]}


def test_the_tree_nests_in_the_order_of_the_list(cast: Cast) -> None:
    top = folder(cast, "Oben")
    below = folder(cast, "Darunter", parent=top)
    folder(cast, "Alleine")
    nodes = folders.tree_of(Folder.objects.order_by("sort_key"))
    assert [n.folder.name for n in nodes] == ["Alleine", "Oben"]
    assert [n.folder for n in nodes[1].walk()] == [top, below]
    assert [n.folder for n in folders.tree_of([below])] == [below]


def test_the_nightly_job_mends_what_the_tree_says_otherwise_and_leaves_the_rest_alone(cast: Cast) -> None:
    later = timezone.now() + datetime.timedelta(days=1)
    top = folder(cast, "Oben", inactive_at=later)
    middle = folder(cast, "Mitte", parent=top)
    below = folder(cast, "Unten", parent=middle)
    found = Folder.objects.order_by("pk").values("pk", "ancestors", "full_path_name", "hidden_from")
    right = list(found)
    assert tree.update_paths() == {"folders": 0}
    versions = list(Folder.objects.order_by("pk").values_list("row_version", flat=True))
    Folder.objects.filter(pk=below.pk).update(full_path_name="falsch", ancestors=[middle.pk])
    Folder.objects.filter(pk=middle.pk).update(hidden_from=None)
    assert list(found.all()) != right
    assert tree.update_paths() == {"folders": 2}
    assert list(found.all()) == right
    raised = [row.row_version - version for row, version in zip(Folder.objects.order_by("pk"), versions, strict=True)]
    assert raised == [0, 1, 1]
