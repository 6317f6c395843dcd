"""Start page and documents in the browser: who sees what, what it costs, and what people do there."""

from __future__ import annotations

import datetime
import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.staticfiles import finders
from django.utils import timezone

from core import scope
from core.models import Blob
from docms.models import Document, DocumentLog, FolderLabel, FolderMark, FolderPermission, ReadMark
from docms.services.labels import create_label
from orgs.models import Community, Responsibility, User
from orgs.services import contacts, occupancies
from tests.cast import Cast
from tests.factories import folder, manual_group
from tests.portal.pages import documents_url, house_folder, paper, queries_of, signed_in

if TYPE_CHECKING:
    from docms.models import Folder


@pytest.fixture
def where(cast: Cast) -> Folder:
    return house_folder(cast, show_check_mark=True)


def test_a_new_paper_stands_on_the_start_page_until_it_is_read(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    client = signed_in(cast.renter)
    start = f"/app/c/{cast.house_a.pk}/"
    assert [p.pk for p in client.get(start).context["new"]] == [document.pk]
    response = client.get(f"/app/documents/{document.pk}/read")
    assert response["Content-Disposition"].startswith("inline")
    assert b"".join(response.streaming_content).startswith(b"%PDF")
    assert client.get(start).context["new"] == []
    assert ReadMark.objects.filter(document=document).count() == 1
    actions = DocumentLog.objects.filter(document_id=document.pk, user=cast.renter).values_list("action", flat=True)
    assert list(actions) == ["read"]


def test_each_row_links_to_a_download_that_opens_with_the_cookie(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    client = signed_in(cast.renter)
    url = f"/app/documents/{document.pk}/download"
    assert f'href="{url}"' in client.get(documents_url(cast)).content.decode()
    response = client.get(url)
    assert response.status_code == 200 and response["Content-Disposition"].startswith("attachment")
    assert b"".join(response.streaming_content).startswith(b"%PDF")


def test_markup_in_a_label_is_text(cast: Cast, where: Folder) -> None:
    """Also where the search marks what it found."""
    name = "<b>fett</b>"
    create_label(actor=cast.actor("admin"), folder=where, name=name, color="#123456")
    paper(cast, where, label_name=name)
    client = signed_in(cast.renter)
    for url in (documents_url(cast), f"{documents_url(cast)}?q=fett"):
        text = client.get(url).content.decode()
        assert "/b&gt;" in text
        assert not re.search(r"<b>(<mark>)?fett", text)


def test_people_without_a_place_are_told_what_to_do(cast: Cast) -> None:
    assert client_text(cast, "guest", "/app/").count("/app/invite/")
    assert client_text(cast, "operator", "/app/").count("/admin/")


def client_text(cast: Cast, who: str, url: str) -> str:
    response = signed_in(getattr(cast, who)).get(url)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    "url",
    [
        "/app/c/{house}/",
        "/app/c/{house}/info/documents",
        "/app/c/{house}/info/documents?folder={folder}&doc={doc}",
        "/app/c/{house}/info/documents?q=papier",
    ],
)
def test_one_paper_costs_as_many_queries_as_three(cast: Cast, where: Folder, url: str) -> None:
    first = paper(cast, where, "Papier 1")
    client = signed_in(cast.renter)
    url = url.format(house=cast.house_a.pk, folder=where.pk, doc=first.pk)
    one = queries_of(client, url)
    for n in (2, 3):
        paper(cast, house_folder(cast, f"Ordner {n}"), f"Papier {n}")
        paper(cast, where, f"Papier 1{n}")
    assert queries_of(client, url) == one
    assert one <= 30


def test_filters_and_search_narrow_the_list(cast: Cast, where: Folder) -> None:
    old, new = paper(cast, where, "Protokoll der Versammlung"), paper(cast, where, "Wirtschaftsplan")
    other = paper(cast, house_folder(cast, "Technik"), "Wartung der Heizung")
    label = FolderLabel.objects.create(tenant=cast.tenant, folder=where, name="Protokoll", color="#336699")
    Document.objects.filter(pk=old.pk).update(created_at=timezone.now() - datetime.timedelta(days=800), label=label)
    year = (timezone.now() - datetime.timedelta(days=800)).year
    client = signed_in(cast.renter)

    def listed(query: str) -> set[int]:
        return {d.pk for d in client.get(documents_url(cast, query)).context["papers"]}

    assert listed("") == {old.pk, new.pk, other.pk}
    assert listed(f"?folder={where.pk}") == {old.pk, new.pk}
    assert listed(f"?year={year}") == {old.pk} == listed("?label=Protokoll")
    assert listed("?q=heiz") == {other.pk}
    assert listed(f"?q=heiz&folder={where.pk}") == set()
    client.post(f"/app/documents/{new.pk}/mark-read")
    assert listed("?only=unread") == {old.pk, other.pk}
    assert client.get(documents_url(cast)).context["cabinet"].unread_total == 2
    client.post(f"/app/folders/{where.pk}/favourite", {"on": "1"})
    assert listed("?only=favourites") == {old.pk, new.pk}
    client.post(f"/app/folders/{where.pk}/favourite", {"on": "0"})
    assert listed("?only=favourites") == set() and not FolderMark.objects.filter(is_favourite=True).exists()


@pytest.mark.parametrize(
    "query",
    [
        "?folder=x",
        "?year=99999999999",
        "?year=99999",
        "?year=9999",
        "?page=0",
        "?page=x",
        "?only=x",
        "?q=%00",
        "?label=%00x",
        "?q=%27%3B--",
        "?year=0",
    ],
)
def test_nonsense_in_the_address_does_no_harm(cast: Cast, where: Folder, query: str) -> None:
    paper(cast, where)
    assert signed_in(cast.renter).get(documents_url(cast, query)).status_code == 200


def test_fifty_papers_are_a_page(cast: Cast, where: Folder) -> None:
    first = paper(cast, where)
    version = first.current
    rows = [
        Document(
            tenant=cast.tenant,
            folder=where,
            title=f"P{n}",
            sort_key=f"p{n}",
            filename="p.pdf",
            current=version,
            uploaded_by=cast.admin,
        )
        for n in range(50)
    ]
    Document.objects.bulk_create(rows)
    client = signed_in(cast.renter)
    response = client.get(documents_url(cast))
    assert len(response.context["papers"]) == 50 and "page=2" in response.content.decode()
    assert [d.pk for d in client.get(documents_url(cast, "?page=2")).context["papers"]] == [first.pk]


def test_hits_are_listed_fifty_at_a_time_and_counted_on_every_page(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.renter)
    made = [paper(cast, where, f"Rauchmelder {number}") for number in range(52)]
    newest_first = [document.pk for document in reversed(made)]
    for page, expected in (("1", newest_first[:50]), ("2", newest_first[50:]), ("3", newest_first[:50])):
        listed = client.get(documents_url(cast, f"?q=rauchmelder&page={page}")).context["papers"]
        assert [document.pk for document in listed] == expected
        assert listed.paginator.count == 52
        assert {document.folder.name for document in listed} == {where.name}


def test_papers_are_checked_off_where_the_folder_says_so(cast: Cast, where: Folder) -> None:
    from docms.models import Group

    document = paper(cast, where)
    client = signed_in(cast.renter)
    url = documents_url(cast, f"?doc={document.pk}")
    assert client.get(url).context["may_check_off"] is False
    assert client.post(f"/app/documents/{document.pk}/done", {"done": "1"}).status_code == 403
    Group.objects.filter(community=cast.house_a).update(show_check_mark=True)
    assert client.get(url).context["may_check_off"] is True
    response = client.post(f"/app/documents/{document.pk}/done", {"done": "1", "next": url})
    assert response.url == url
    document.refresh_from_db()
    assert document.done and document.done_by == cast.renter


@pytest.mark.parametrize("state", ["pending", "ready", "none", "encrypted", "broken"])
def test_the_preview_says_why_there_is_none(cast: Cast, where: Folder, state: str) -> None:
    document = paper(cast, where)
    Blob.objects.filter(pk=document.current.blob_id).update(preview_state=state)
    text = client_text(cast, "renter", documents_url(cast, f"?doc={document.pk}"))
    assert (f"/app/documents/{document.pk}/preview" in text) is (state == "ready")
    assert f"/app/documents/{document.pk}/download" in text


@pytest.mark.parametrize(("mime", "viewer"), [("application/pdf", "pdf"), ("image/png", "picture"),
                                              ("text/plain", "text"), ("application/zip", "")])  # fmt: skip
def test_what_the_browser_can_show_is_opened(cast: Cast, where: Folder, mime: str, viewer: str) -> None:
    document = paper(cast, where)
    Blob.objects.filter(pk=document.current.blob_id).update(mime=mime, preview_state="none")
    text = client_text(cast, "renter", documents_url(cast, f"?doc={document.pk}"))
    assert re.findall(r'data-viewer="(\w+)" data-opens-paper', text) == ([viewer] if viewer else [])


def test_who_may_only_read_gets_no_download(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    FolderPermission.objects.create(tenant=cast.tenant, membership=cast.membership("renter"), folder=where, read=True)
    text = client_text(cast, "renter", documents_url(cast, f"?doc={document.pk}"))
    assert "/download" not in text and f"/app/documents/{document.pk}/read" in text
    assert signed_in(cast.renter).get(f"/app/documents/{document.pk}/download").status_code == 403


def test_an_additional_user_sees_the_house_but_not_the_flat(cast: Cast, where: Folder) -> None:
    from docms.services import groups

    with scope.unit_of_work(door="test"):
        flat = groups.derived_group(tenant=cast.tenant, unit=cast.unit_a2)
        mine = folder(cast, "Wohnung A2", flat, community=cast.house_a, unit=cast.unit_a2)
    house, private = paper(cast, where), paper(cast, mine, "Nebenkosten")
    seen = {
        who: {d.pk for d in signed_in(getattr(cast, who)).get(documents_url(cast)).context["papers"]}
        for who in ("renter", "additional")
    }
    assert seen == {"renter": {house.pk, private.pk}, "additional": {house.pk}}


def test_who_may_not_read_cannot_mark_as_read(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    client = signed_in(cast.renter)
    url, page = f"/app/documents/{document.pk}/mark-read", documents_url(cast, f"?doc={document.pk}")
    assert url in client.get(page).content.decode()
    FolderPermission.objects.create(
        tenant=cast.tenant, membership=cast.membership("renter"), folder=where, download=True
    )
    assert url not in client.get(page).content.decode()
    assert client.post(url).status_code == 403
    assert not ReadMark.objects.exists()
    FolderPermission.objects.update(read=True)
    assert client.post(url).status_code == 302
    assert ReadMark.objects.filter(document=document).exists()


def test_a_fragment_is_the_same_text_as_the_page(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    client = signed_in(cast.renter)
    url = documents_url(cast, f"?doc={document.pk}")
    whole, part = client.get(url), client.get(url, headers={"hx-request": "true"})
    panes = re.search(r'<div class="panes".*?</aside>', part.content.decode(), re.DOTALL)
    assert panes is not None and "<html" not in part.content.decode()
    blank = re.compile(r'value="[^"]{64}"')
    assert blank.sub("", panes.group()) in blank.sub("", whole.content.decode())
    assert "HX-Request" in whole["Vary"] and "no-store" in whole["Cache-Control"]
    assert (
        "<html"
        in client.get(url, headers={"hx-request": "true", "hx-history-restore-request": "true"}).content.decode()
    )
    client.logout()
    assert client.get(url, headers={"hx-request": "true"})["HX-Redirect"] == "/app/login"


def test_a_short_address_leads_to_the_paper(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    response = signed_in(cast.renter).get(f"/app/documents/{document.pk}")
    assert response.url == documents_url(cast, f"?folder={where.pk}&doc={document.pk}")


def test_a_short_address_of_the_whole_company_leads_to_a_house_that_shows_papers(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        everybody = manual_group(cast, "Alle", "neighbour")
        notices = folder(cast, "Aushänge", everybody)
        occupancies.move_in(
            contact=cast.contact("neighbour"), unit=cast.unit_a3, role="renter", first=datetime.date(2024, 1, 1)
        )
    document = paper(cast, notices)
    client = signed_in(cast.neighbour)
    found = f"info/documents?folder={notices.pk}&doc={document.pk}"
    for house in (cast.house_a, cast.house_b):
        client.get(f"/app/c/{house.pk}/")
        assert client.get(f"/app/documents/{document.pk}").url == f"/app/c/{house.pk}/{found}"
    Community.objects.filter(pk=cast.house_b.pk).update(has_documents=False)
    assert client.get(f"/app/documents/{document.pk}").url == f"/app/c/{cast.house_a.pk}/{found}"


def test_a_short_address_shows_the_paper_to_who_has_no_home(cast: Cast) -> None:
    where = folder(cast, "Gutachten", manual_group(cast, "Gäste", "guest"), community=cast.house_a)
    document = paper(cast, where, "Gutachten Dach")
    page = signed_in(cast.guest).get(f"/app/documents/{document.pk}")
    text = page.content.decode()
    assert page.status_code == 200 and "Gutachten Dach" in text
    assert page.context["company"] == cast.tenant
    assert f'href="/app/documents/{document.pk}/download"' in text


def test_a_short_address_shows_the_paper_to_who_lives_in_another_house(cast: Cast) -> None:
    where = folder(cast, "Gutachten", manual_group(cast, "Nachbarn", "neighbour"), community=cast.house_a)
    document = paper(cast, where)
    page = signed_in(cast.neighbour).get(f"/app/documents/{document.pk}")
    assert page.status_code == 200 and page.context["paper"].pk == document.pk
    assert page.context["house"].shell.community == cast.house_b


def test_a_short_address_leads_administrators_outside_of_the_groups_to_the_paper(cast: Cast) -> None:
    document = paper(cast, folder(cast, "Gutachten", manual_group(cast, "Gäste", "guest"), community=cast.house_a))
    page = signed_in(cast.admin).get(f"/app/documents/{document.pk}", follow=True)
    assert page.status_code == 200 and page.context["paper"].pk == document.pk


def test_a_paper_of_the_whole_company_is_shown_where_no_house_shows_papers(cast: Cast) -> None:
    document = paper(cast, folder(cast, "Aushänge", manual_group(cast, "Alle", "neighbour")))
    Community.objects.filter(pk=cast.house_b.pk).update(has_documents=False)
    page = signed_in(cast.neighbour).get(f"/app/documents/{document.pk}", follow=True)
    assert page.status_code == 200 and page.context["paper"].pk == document.pk


def test_a_paper_by_itself_offers_only_what_one_may_do(cast: Cast) -> None:
    where = folder(
        cast, "Gutachten", manual_group(cast, "Gäste", "guest"), community=cast.house_a, show_check_mark=True
    )
    document = paper(cast, where)
    FolderPermission.objects.create(tenant=cast.tenant, folder=where, membership=cast.membership("guest"), active=True)
    text = signed_in(cast.guest).get(f"/app/documents/{document.pk}").content.decode()
    for act in ("download", "read", "preview", "mark-read", "done"):
        assert f"/app/documents/{document.pk}/{act}" not in text, act


def test_a_paper_by_itself_leads_to_no_folder_that_is_out_of_reach(cast: Cast) -> None:
    where = folder(cast, "Gutachten", manual_group(cast, "Gäste", "guest"), community=cast.house_a)
    text = signed_in(cast.guest).get(f"/app/documents/{paper(cast, where).pk}").content.decode()
    assert "Gutachten" in text and "?folder=" not in text


def test_who_does_not_see_the_paper_is_told_nothing_of_it(cast: Cast) -> None:
    where = folder(cast, "Gutachten", manual_group(cast, "Gäste", "guest"), community=cast.house_a)
    document = paper(cast, where)
    for who in (cast.neighbour, cast.former, cast.foreigner, cast.stranger):
        assert signed_in(who).get(f"/app/documents/{document.pk}").status_code == 404


def test_a_paper_by_itself_can_be_marked_as_read(cast: Cast) -> None:
    document = paper(cast, folder(cast, "Gutachten", manual_group(cast, "Gäste", "guest"), community=cast.house_a))
    client, url = signed_in(cast.guest), f"/app/documents/{document.pk}"
    assert f"{url}/mark-read" in client.get(url).content.decode()
    page = client.post(f"{url}/mark-read", {"next": url}, follow=True)
    assert page.status_code == 200 and f"{url}/mark-read" not in page.content.decode()


@pytest.mark.parametrize(("language", "words"), [("de", "1 ungelesen"), ("fr", "1 non lu"), ("pl", "1 nieprzeczytany")])
def test_the_number_of_unread_papers_is_said_in_the_language_of_the_person(
    cast: Cast, where: Folder, language: str, words: str
) -> None:
    paper(cast, where)
    User.objects.filter(pk=cast.renter.pk).update(language=language)
    assert signed_in(cast.renter).get(documents_url(cast)).context["summary"].endswith(f", {words}")


def test_contacts_show_only_what_is_published(cast: Cast) -> None:
    def contact(last: str, kind: str, **values: object) -> None:
        person = contacts.create_contact(
            tenant=cast.tenant, last_name=last, telephone="0221 1-23", email=f"{last}@quartier.test"
        )
        Responsibility.objects.create(
            tenant=cast.tenant,
            contact=person,
            community=cast.house_a,
            type=kind,
            period=(datetime.date(2020, 1, 1), None),
            **values,
        )

    with scope.unit_of_work(door="test"):
        contact("Notdienst", "EMERGENCY", show_on_dashboard=True, publish_telephone=True)
        contact("Meister", "CARETAKER", show_on_dashboard=True)
        contact("Geheim", "MANAGER")
    text = client_text(cast, "renter", f"/app/c/{cast.house_a.pk}/")
    assert "tel:0221123" in text and "Meister" in text
    assert "Meister@quartier.test" not in text and "Geheim" not in text


def test_the_switcher_remembers_the_unit(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        occupancies.move_in(
            contact=cast.contact("renter"), unit=cast.unit_a3, role="owner", first=datetime.date(2024, 1, 1)
        )
    client = signed_in(cast.renter)
    url = f"/app/c/{cast.house_a.pk}/"
    assert "Wohnung A2" in client.get(url).context["house"].shell.detail
    client.get(f"{url}?unit={cast.unit_a3.pk}")
    assert "Wohnung A3" in client.get(url).context["house"].shell.detail
    client.get(f"{url}?unit={cast.unit_a1.pk}")
    assert "Wohnung A3" in client.get(url).context["house"].shell.detail


def test_a_first_visit_stays_within_its_budget(cast: Cast, where: Folder) -> None:
    for n in range(20):
        paper(cast, where, f"Papier {n}")
    text = client_text(cast, "renter", documents_url(cast))
    assets = set(re.findall(r'(?:href|src)="/static/([^"#]+)', text))
    paths = [finders.find(name) for name in assets]
    weight = len(gzip.compress(text.encode())) + sum(
        len(gzip.compress(Path(path).read_bytes())) for path in paths if path
    )
    assert len(assets) + 1 <= 12 and weight <= 120_000
