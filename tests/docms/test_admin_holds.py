"""Holds in the back office: placed, found, released; by administrators of the tenant, who need no other rights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from docms.models import Document, DocumentHold
from docms.services import documents, holds
from orgs.models import Hold
from orgs.services import holds as places
from tests.factories import folder, publish
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

LIST = "/admin/orgs/hold/"
DUE = "/admin/core/destructionrecord/due/"


def place(cast: Cast, title: str = "Streit", **covers: Any) -> Hold:
    """A hold through the service."""
    return places.place(
        actor=cast.actor("admin"), tenant_id=cast.tenant.pk, title=title, reason="Klage der Mieterin", **covers
    )


def titles(client: Client, query: str = "") -> list[str]:
    """What the list shows."""
    return [hold.title for hold in client.get(f"{LIST}?{query}").context["cl"].result_list]


def section(client: Client, address: str) -> Any:
    """The section of holds below a form; None when there is none."""
    found = [s for s in client.get(address).context["sections"] if str(s.title) == "Löschsperren"]
    return found[0] if found else None


@pytest.mark.parametrize("on", ["contact", "unit", "community"])
def test_an_administrator_without_superuser_rights_places_and_releases(cast: Cast, on: str) -> None:
    assert not cast.admin.is_superuser
    obj: Any = {"contact": cast.contact("renter"), "unit": cast.unit_a2, "community": cast.house_a}[on]
    paper = publish(cast, folder(cast, **{on: obj}))
    client = signed_in(cast.admin)
    page = section(client, f"/admin/orgs/{on}/{obj.pk}/change/")
    [(_label, form)] = page.links
    assert client.get(form).context["adminform"].form.initial[on] == str(obj.pk)
    answer = client.post(form, {"title": "Streit", "reason": "Klage", on: obj.pk})
    hold = Hold.objects.get()
    assert answer["Location"] == f"{LIST}{hold.pk}/change/"
    assert (hold.placed_by, getattr(hold, on), hold.reason) == (cast.admin, obj, "Klage")
    client.post(f"/admin/docms/document/{paper.pk}/delete/", {"post": "yes"})
    assert Document.objects.filter(pk=paper.pk).exists()
    assert [row[0].text for row in section(client, f"/admin/orgs/{on}/{obj.pk}/change/").rows] == ["Streit"]
    assert [row[0].text for row in section(client, f"/admin/docms/document/{paper.pk}/change/").rows] == ["Streit"]
    assert client.post(f"{LIST}{hold.pk}/release/", {"reason": ""}).status_code == 200
    hold.refresh_from_db()
    assert hold.released_at is None
    client.post(f"{LIST}{hold.pk}/release/", {"reason": "Vergleich"})
    hold.refresh_from_db()
    assert (hold.released_by, hold.release_reason) == (cast.admin, "Vergleich")
    assert "Vergleich" in client.get(f"{LIST}{hold.pk}/change/").content.decode()
    client.post(f"/admin/docms/document/{paper.pk}/delete/", {"post": "yes"})
    assert not Document.objects.filter(pk=paper.pk).exists()


def test_several_papers_are_held_from_the_list(cast: Cast) -> None:
    where = folder(cast)
    papers = [publish(cast, where, title=title) for title in ("Eins", "Zwei", "Drei")]
    client = signed_in(cast.admin)
    chosen = [paper.pk for paper in papers[:2]]
    answer = client.post("/admin/docms/document/", {"action": "hold_several", "_selected_action": chosen})
    page = answer["Location"]
    assert client.get(page).status_code == 200
    documents.delete_document(actor=cast.actor("admin"), document=papers[2])
    answer = client.post(page, {"title": "Prüfung", "reason": "Finanzamt"}, follow=True)
    assert set(DocumentHold.objects.values_list("document", flat=True)) == set(chosen)
    assert {str(row[0].text) for row in answer.context["sections"][0].rows} == {"Eins", "Zwei"}
    assert Hold.objects.get().reason == "Finanzamt"


def test_one_paper_is_held_from_its_page(cast: Cast) -> None:
    paper = publish(cast, folder(cast))
    client = signed_in(cast.admin)
    page = client.get(f"/admin/docms/document/{paper.pk}/hold/")["Location"]
    client.post(page, {"title": "Streit", "reason": "Klage"})
    assert DocumentHold.objects.get().document == paper
    assert client.post(page, {"title": "", "reason": "Klage"}).context["form"].errors.keys() == {"title"}


def test_the_list_is_filtered_and_searched(cast: Cast) -> None:
    paper = publish(cast, folder(cast))
    place(cast, "Person", contact=cast.contact("renter"))
    place(cast, "Haus", community=cast.house_a)
    holds.place(
        actor=cast.actor("admin"), tenant_id=cast.tenant.pk, document_ids=[paper.pk], title="Papier", reason="x"
    )
    places.release(actor=cast.actor("admin"), hold=Hold.objects.get(title="Haus"), reason="x")
    client = signed_in(cast.admin)
    assert titles(client) == ["Papier", "Haus", "Person"]
    assert titles(client, "state=open") == ["Papier", "Person"]
    assert titles(client, "state=released") == ["Haus"]
    for kind, expected in (("contact", ["Person"]), ("community", ["Haus"]), ("unit", []), ("papers", ["Papier"])):
        assert titles(client, f"on={kind}") == expected
    assert titles(client, "q=Haus") == ["Haus"]


def test_nobody_else_sees_or_touches_a_hold(cast: Cast) -> None:
    paper = publish(cast, folder(cast, unit=cast.unit_a2))
    hold = place(cast, unit=cast.unit_a2)
    assert titles(signed_in(cast.stranger)) == []
    for address in (f"{LIST}{hold.pk}/change/", f"{LIST}{hold.pk}/release/"):
        assert signed_in(cast.stranger).get(address).status_code == 404
        assert signed_in(cast.staff).get(address).status_code in (403, 404)
    signed_in(cast.stranger).post(f"{LIST}{hold.pk}/release/", {"reason": "x"})
    assert signed_in(cast.stranger).get(f"/admin/docms/document/hold/?ids={paper.pk}").status_code == 404
    staff = signed_in(cast.staff)
    assert staff.get(LIST).status_code == 403
    assert staff.get(f"/admin/docms/document/hold/?ids={paper.pk}").status_code == 403
    assert section(staff, f"/admin/orgs/unit/{cast.unit_a2.pk}/change/") is None
    assert "Klage" not in staff.get(f"/admin/orgs/unit/{cast.unit_a2.pk}/change/").content.decode()
    hold.refresh_from_db()
    assert hold.released_at is None


def test_a_hold_is_not_changed_deleted_or_released_twice(cast: Cast) -> None:
    hold = place(cast, unit=cast.unit_a2)
    client = signed_in(cast.admin)
    for address in (f"{LIST}{hold.pk}/change/", f"{LIST}{hold.pk}/delete/"):
        assert client.post(address, {"post": "yes", "title": "Anders", "reason": "x"}).status_code == 403
    places.release(actor=cast.actor("admin"), hold=hold, reason="Vergleich")
    client.post(f"{LIST}{hold.pk}/release/", {"reason": "noch einmal"})
    hold.refresh_from_db()
    assert (hold.title, hold.release_reason) == ("Streit", "Vergleich")


def test_what_is_chosen_of_another_tenant_or_is_no_number_is_unknown(cast: Cast) -> None:
    client = signed_in(cast.admin)
    for ids in ("", "²", "999999999", "1;drop"):
        assert client.get(f"/admin/docms/document/hold/?ids={ids}").status_code == 404


def test_the_retention_page_leads_to_each_hold_and_to_a_new_one(cast: Cast) -> None:
    hold = place(cast, unit=cast.unit_a2)
    found = signed_in(cast.admin).get(DUE).context["sections"][1]
    assert [row[0].link for row in found.rows] == [f"{LIST}{hold.pk}/change/"]
    assert [url for _label, url in found.links] == [f"{LIST}add/", LIST]


def test_pages_cost_the_same_for_one_hold_and_three(cast: Cast) -> None:
    client = signed_in(cast.admin)
    where = folder(cast, unit=cast.unit_a2)
    paper = publish(cast, where)
    first = holds.place(
        actor=cast.actor("admin"), tenant_id=cast.tenant.pk, document_ids=[paper.pk], title="1", reason="x"
    ).hold
    pages = [
        LIST, f"{LIST}{first.pk}/change/", f"/admin/orgs/unit/{cast.unit_a2.pk}/change/",
        f"/admin/docms/document/{paper.pk}/change/",
    ]  # fmt: skip
    place(cast, unit=cast.unit_a2)
    before = [queries_of(client, page) for page in pages]
    for n in range(2):
        place(cast, f"{n}", unit=cast.unit_a2, contact=cast.contact("renter"), community=cast.house_a)
        DocumentHold.objects.create(tenant=cast.tenant, hold=first, document=publish(cast, where))
    assert [queries_of(client, page) for page in pages] == before


def covered_now(client: Client, hold: Hold) -> str | None:
    """What the page says of how many papers it covers; None when it says nothing."""
    found = re.search(
        r"Derzeit erfasste Dokumente.*?<div[^>]*readonly[^>]*>\s*(.*?)\s*</div>",
        client.get(f"{LIST}{hold.pk}/change/").content.decode(), re.DOTALL,
    )  # fmt: skip
    return found[1] if found else None


def test_the_form_says_that_a_hold_on_a_person_leaves_out_the_flat(cast: Cast) -> None:
    text = signed_in(cast.admin).get(f"{LIST}add/").content.decode()
    assert "Nicht die Dokumente ihrer Wohnung" in text


@pytest.mark.parametrize(("on", "count"), [("contact", 1), ("unit", 2), ("community", 5)])
def test_a_hold_says_how_many_papers_it_covers(cast: Cast, on: str, count: int) -> None:
    obj: Any = {"contact": cast.contact("renter"), "unit": cast.unit_a2, "community": cast.house_a}[on]
    for covers, papers in (
        ({"contact": cast.contact("renter")}, 1), ({"unit": cast.unit_a2}, 2), ({"community": cast.house_a}, 3),
        ({"contact": cast.contact("owner")}, 4), ({"unit": cast.unit_b1}, 5), ({}, 6),
    ):  # fmt: skip
        where = folder(cast, f"Ordner {papers}", **covers)
        for _n in range(papers):
            publish(cast, where)
    hold = place(cast, **{on: obj})
    assert covering_count(cast, hold) == count == int(covered_now(signed_in(cast.admin), hold) or -1)


def covering_count(cast: Cast, hold: Hold) -> int:
    """How many papers name the hold among those that cover them."""
    return sum(
        holds.covering(paper).filter(pk=hold.pk).exists() for paper in Document.objects.filter(tenant=cast.tenant)
    )


def test_papers_by_name_are_counted_once(cast: Cast) -> None:
    paper = publish(cast, folder(cast, unit=cast.unit_a2))
    hold = place(cast, unit=cast.unit_a2)
    DocumentHold.objects.create(tenant=cast.tenant, hold=hold, document=paper)
    assert covered_now(signed_in(cast.admin), hold) == "1"


def test_a_released_hold_counts_nothing(cast: Cast) -> None:
    publish(cast, folder(cast, unit=cast.unit_a2))
    hold = place(cast, unit=cast.unit_a2)
    places.release(actor=cast.actor("admin"), hold=hold, reason="Vergleich")
    assert covered_now(signed_in(cast.admin), hold) is None
