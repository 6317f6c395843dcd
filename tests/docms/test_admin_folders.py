"""The tree of folders in the back office: moving, what its dates mean, and the tree as one person sees it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.services import rows
from docms.admin.tree import INDENTED
from docms.models import Folder, FolderTemplate
from docms.services import folders, permissions
from messaging.services import templates
from tests.factories import at_once, folder, manual_group, publish
from tests.fuzz.forms import as_it_stands
from tests.portal.pages import house_folder, paper, queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

TREE, SEEN = "/admin/docms/folder/", "/admin/docms/folder/seen/"


@pytest.fixture
def where(cast: Cast) -> Folder:
    """A folder that everybody of house A reaches."""
    return house_folder(cast)


def inside(cast: Cast, name: str, parent: Folder | None = None, *people: str, **values: Any) -> Folder:
    """A folder, reached by these people, if any."""
    with scope.unit_of_work(door="test"):
        circle = [manual_group(cast, f"Kreis {name}", *people)] if people else []
        return folder(cast, name, circle, parent=parent, **values)


def move(client: Client, what: Folder, parent: Folder | None, version: int | None = None) -> Any:
    """As the tree sends it."""
    values = {"parent": parent.pk if parent else "", "version": version or what.row_version}
    return client.post(f"{TREE}{what.pk}/move/", values)


def refusals(response: Any) -> str:
    """What the page says is wrong."""
    assert response.status_code == 200
    return str(response.context["form"].errors)


# --- Moving ---------------------------------------------------------------------------------------------


def test_a_folder_moves_below_another_and_back_on_top(cast: Cast, where: Folder) -> None:
    top, below = inside(cast, "Oben"), inside(cast, "Unten")
    client = signed_in(cast.admin)
    response = move(client, below, top)
    assert response["Location"] == f"{TREE}#folder-{below.pk}"
    below.refresh_from_db()
    assert (below.parent_id, below.full_path_name) == (top.pk, "Oben/Unten")
    move(client, below, None)
    below.refresh_from_db()
    assert (below.parent_id, below.full_path_name) == (None, "Unten")


def test_the_form_offers_every_place_that_fits(cast: Cast, where: Folder) -> None:
    top = inside(cast, "Oben")
    below = inside(cast, "Unten", top)
    choices = signed_in(cast.admin).get(f"{TREE}{top.pk}/move/").context["form"].fields["parent"].widget.choices
    assert [value for value, _name in choices] == ["", where.pk]
    assert below.pk not in dict(choices)


def test_a_folder_never_moves_below_itself(cast: Cast) -> None:
    top = inside(cast, "Oben")
    below = inside(cast, "Unten", top)
    assert "kann nicht unter sich selbst liegen" in refusals(move(signed_in(cast.admin), top, below))
    top.refresh_from_db()
    assert top.parent_id is None


def test_of_two_moves_from_the_same_page_the_later_is_refused(cast: Cast) -> None:
    one, two, moved = inside(cast, "Eins"), inside(cast, "Zwei"), inside(cast, "Wandert")
    client, version = signed_in(cast.admin), moved.row_version
    assert move(client, moved, one, version).status_code == 302
    assert "Inzwischen" in refusals(move(client, moved, two, version))
    moved.refresh_from_db()
    assert moved.parent_id == one.pk


@pytest.mark.django_db(transaction=True)
def test_of_two_moves_at_the_same_moment_one_wins(cast: Cast) -> None:
    one, two = inside(cast, "Eins"), inside(cast, "Zwei")
    clients = [signed_in(cast.admin), signed_in(cast.admin)]
    answers: list[Any] = at_once(lambda: move(clients[0], one, two), lambda: move(clients[1], two, one))
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    with scope.unit_of_work(door="test"), scope.all_tenants():
        parents = dict(Folder.objects.filter(pk__in=[one.pk, two.pk]).values_list("pk", "parent_id"))
    assert sorted(parents.items(), key=str) in ([(one.pk, two.pk), (two.pk, None)], [(one.pk, None), (two.pk, one.pk)])


def test_a_taken_name_and_an_unknown_place_are_told(cast: Cast, where: Folder) -> None:
    top, twin = inside(cast, "Oben"), inside(cast, "Archiv")
    inside(cast, "archiv", top)
    client = signed_in(cast.admin)
    assert "Hier gibt es schon einen Ordner" in refusals(move(client, twin, top))
    with scope.unit_of_work(door="test"):
        foreign = folders.create_folder(actor=cast.actor("stranger"), tenant=cast.other_tenant, name="Fremd")
    for chosen in (foreign.pk, "²", "0"):
        answer = client.post(f"{TREE}{twin.pk}/move/", {"parent": chosen, "version": twin.row_version})
        assert answer.context["form"].errors.keys() == {"parent"}
    assert "Fremd" not in client.get(f"{TREE}{twin.pk}/move/").content.decode()


def test_moving_is_for_administrators(cast: Cast, where: Folder) -> None:
    mine = inside(cast, "Büro", None, "staff")
    client = signed_in(cast.staff)
    page = client.get(TREE)
    assert page.context["may_move"] is False
    assert "data-movable" not in page.content.decode()
    assert move(client, mine, None).status_code == 403
    assert move(client, where, None).status_code == 404
    assert move(signed_in(cast.stranger), where, None).status_code == 404
    assert b"/move/" not in client.get(f"{TREE}{mine.pk}/change/").content


# --- The lines ------------------------------------------------------------------------------------------


def test_dates_are_told_at_a_glance(cast: Cast) -> None:
    soon = timezone.now() + datetime.timedelta(days=3)
    past = timezone.now() - datetime.timedelta(days=3)
    hidden = inside(cast, "Zu", inactive_at=past)
    inside(cast, "Darunter", hidden)
    inside(cast, "Bald", inactive_at=soon)
    inside(cast, "Geschützt", allow_delete_files=soon, auto_delete_files=True, file_delete_files=30)
    inside(cast, "War geschützt", allow_delete_files=past)
    inside(cast, "Offen")
    lines = signed_in(cast.admin).get(TREE).context["lines"]
    found = {line.folder.name: [text for text, _tone in line.marks] for line in lines}
    assert found["Zu"] == found["Darunter"] == ["ausgeblendet"]
    assert found["Bald"][0].startswith("ausgeblendet ab ")
    assert found["Geschützt"][0].startswith("geschützt bis ")
    assert found["Geschützt"][1:] == ["wird dann geleert", "Dokumente gehen 30 Tage nach dem ersten Zugriff"]
    assert found["War geschützt"] == found["Offen"] == []


def test_a_deep_tree_is_shown_to_its_end(cast: Cast) -> None:
    parent = None
    for level in range(INDENTED + 4):
        parent = inside(cast, f"Ebene {level}", parent)
    lines = signed_in(cast.admin).get(TREE).context["lines"]
    assert [line.depth for line in lines] == list(range(INDENTED + 4))
    assert max(line.indent for line in lines) == INDENTED
    assert [line.level for line in lines][-4:] == [None, INDENTED + 2, INDENTED + 3, INDENTED + 4]
    assert [line.has_children for line in lines] == [True] * (INDENTED + 3) + [False]


# --- As seen by somebody --------------------------------------------------------------------------------


def seen_by(cast: Cast, who: str, client: Client | None = None) -> dict[str, Any]:
    """Name of each folder → its line, as the page shows it to the administrator."""
    page = (client or signed_in(cast.admin)).get(SEEN, {"user": getattr(cast, who).pk})
    return {line.folder.name: line for line in page.context["lines"]}


def test_the_tree_is_shown_with_the_eyes_of_a_resident(cast: Cast, where: Folder) -> None:
    top = inside(cast, "Verwaltung", None, "staff")
    own = inside(cast, "Für Mieter", top, "renter")
    paper(cast, own)
    paper(cast, where, active_from=timezone.now() + datetime.timedelta(days=1))
    paper(cast, where)
    rows.change(cast.membership("renter"), {"download_perm": False})
    lines = seen_by(cast, "renter")
    assert list(lines) == [where.name, "Verwaltung", "Für Mieter"]
    assert [line.reached for line in lines.values()] == [True, False, True]
    assert (lines[where.name].papers, lines["Für Mieter"].papers, lines["Verwaltung"].papers) == (1, 1, 0)
    assert [group.name for group in lines["Für Mieter"].groups] == ["Kreis Für Mieter"]
    assert "Lesen" in lines[where.name].rights
    assert "Herunterladen" not in lines[where.name].rights
    assert list(seen_by(cast, "neighbour")) == []
    assert list(seen_by(cast, "former")) == []


def test_a_permission_in_a_folder_decides_what_is_shown_there(cast: Cast, where: Folder) -> None:
    with scope.unit_of_work(door="test"):
        permissions.set_permission(
            actor=cast.actor("admin"), folder=where, user_id=cast.renter.pk, flags={"upload": True}
        )
    assert seen_by(cast, "renter")[where.name].rights == ["Hochladen"]


def test_seeing_as_somebody_changes_nothing(cast: Cast, where: Folder) -> None:
    from core.models import AuditEntry
    from docms.models import DocumentLog, ReadMark

    paper(cast, where)
    before = AuditEntry.objects.count(), DocumentLog.objects.count()
    seen_by(cast, "renter")
    assert (AuditEntry.objects.count(), DocumentLog.objects.count()) == before
    assert not ReadMark.objects.exists()


def test_people_of_others_are_not_found(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    assert client.get(SEEN, {"user": cast.stranger.pk}).status_code == 404
    assert client.get(SEEN, {"user": "²"}).status_code == 404
    assert client.get(SEEN, {"q": "stranger"}).context["found"] == []
    assert [m.user for m in client.get(SEEN, {"q": "renter muster"}).context["found"]] == [cast.renter]
    assert signed_in(cast.staff).get(SEEN, {"user": cast.renter.pk}).status_code == 403
    assert signed_in(cast.renter).get(SEEN).status_code == 403


def test_the_operator_chooses_a_tenant_first(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.operator)
    assert client.get(SEEN, {"user": cast.renter.pk})["Location"] == TREE
    client.post("/admin/tenant/", {"tenant": cast.tenant.pk})
    assert list(seen_by(cast, "renter", client)) == [where.name]


@pytest.mark.parametrize("url", [TREE, SEEN])
def test_a_tree_costs_the_same_for_one_folder_and_three(cast: Cast, where: Folder, url: str) -> None:
    client = signed_in(cast.admin)
    address = f"{url}?user={cast.renter.pk}" if url == SEEN else url
    paper(cast, where)
    before = queries_of(client, address)
    for name in ("Zweiter", "Dritter"):
        with scope.unit_of_work(door="test"):
            publish(cast, folder(cast, name, manual_group(cast, name, "renter"), parent=where))
    assert queries_of(client, address) == before
    assert before <= 24


# --- Texts of a folder ----------------------------------------------------------------------------------


def text_url(where: Folder, kind: str = "notification") -> str:
    return f"{TREE}{where.pk}/texts/{kind}/"


def words_of(client: Client, where: Folder) -> list[str]:
    """State of each text, as the folder's form shows it."""
    sections = client.get(f"{TREE}{where.pk}/change/").context["sections"]
    return [str(row[1].text) for row in sections[-1].rows]


@pytest.mark.rule("DOCMS-185")
def test_a_folder_says_something_of_its_own_and_gives_it_up(cast: Cast, where: Folder) -> None:
    client, url = signed_in(cast.admin), text_url(where)
    assert words_of(client, where) == ["wie beim Mandanten"] * 3
    answer = client.post(url, {"subject": "Beirat: {{file_title}}", "_preview": "1"})
    assert answer.context["previews"][0]["shown"].subject == "Beirat: Jahresabrechnung"
    assert not FolderTemplate.objects.exists()
    assert client.post(url, {"subject": "Beirat: {{file_title}}"})["Location"] == url
    assert words_of(client, where) == ["eigener Text", "wie beim Mandanten", "wie beim Mandanten"]
    assert client.post(url, {"subject": "{{nix}}"}).context["form"].errors.keys() == {"subject"}
    assert client.post(f"{url}standard/")["Location"] == url
    assert not FolderTemplate.objects.exists()
    assert client.get(f"{url}standard/").status_code == 404


@pytest.mark.rule("DOCMS-147")
def test_a_folders_text_begins_with_the_tenants_and_goes_before_it(cast: Cast, where: Folder) -> None:
    with scope.unit_of_work(door="test"):
        templates.store_tenant_text(
            tenant=cast.tenant, kind="notification", changes={"subject": "Vom Mandanten", "body": "<p>Text</p>"}
        )
    client, url = signed_in(cast.admin), text_url(where)
    form = client.get(f"{url}?start=standard").context["form"]
    assert (form["subject"].value(), form["body"].value()) == ("Vom Mandanten", "<p>Text</p>")
    shown = client.post(url, {"subject": "Vom Ordner", "_preview": "1"}).context["previews"][0]["shown"]
    assert shown.subject == "Vom Ordner"
    assert "Text" in shown.text.splitlines()


def test_a_folders_texts_are_for_administrators(cast: Cast) -> None:
    mine = inside(cast, "Büro", None, "staff")
    client = signed_in(cast.staff)
    assert client.get(text_url(mine)).status_code == 403
    assert client.post(text_url(mine), {"subject": "X"}).status_code == 403
    assert b"/texts/notification/" not in client.get(f"{TREE}{mine.pk}/change/").content
    assert signed_in(cast.stranger).post(text_url(mine), {"subject": "X"}).status_code == 404
    assert signed_in(cast.admin).get(text_url(mine, "welcome")).status_code == 404
    assert not FolderTemplate.objects.exists()


# --- The form -------------------------------------------------------------------------------------------


def test_who_wants_a_folder_emptied_says_when(cast: Cast, where: Folder) -> None:
    client, url = signed_in(cast.admin), f"{TREE}{where.pk}/change/"
    sent = as_it_stands(client.get(url).content.decode())
    refused: Any = client.post(url, sent | {"auto_delete_files": "on"})
    assert refused.context["adminform"].form.errors == {
        "allow_delete_files": ["Ohne Zeitpunkt wird der Ordner nie geleert."]
    }
    dates = {"allow_delete_files_0": "2031-12-31", "allow_delete_files_1": "08:00"}
    assert client.post(url, sent | {"auto_delete_files": "on"} | dates).status_code == 302


def test_a_folder_that_a_program_made_so_can_be_saved(cast: Cast, where: Folder) -> None:
    Folder.objects.filter(pk=where.pk).update(auto_delete_files=True)
    client, url = signed_in(cast.admin), f"{TREE}{where.pk}/change/"
    sent = as_it_stands(client.get(url).content.decode())
    assert client.post(url, sent | {"name": "Neu"}).status_code == 302
