"""The search of the documents page: order, marked words, proposals, and nothing that is out of reach."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from core import scope
from docms.models import Document, FolderPermission
from docms.services import groups, indexing
from tests.factories import folder
from tests.portal.pages import documents_url, house_folder, paper, queries_of, signed_in

if TYPE_CHECKING:
    from docms.models import Folder
    from tests.cast import Cast

DAY = datetime.timedelta(days=1)


@pytest.fixture
def where(cast: Cast) -> Folder:
    return house_folder(cast)


def saying(cast: Cast, where: Folder, title: str, text: str) -> Document:
    """A paper whose content says this."""
    made = paper(cast, where, title, content=text.encode(), filename="brief.txt")
    with scope.unit_of_work(door="test"):
        indexing.index_content(made.pk)
    return made


def page(cast: Cast, query: str, who: str = "renter") -> str:
    return signed_in(getattr(cast, who)).get(documents_url(cast, query)).content.decode()


def test_hits_are_ranked_and_counted_after_rights(cast: Cast, where: Folder) -> None:
    titled = saying(cast, where, "Heizung", "nichts")
    text = saying(cast, where, "Protokoll", "die Heizung wird erneuert")
    late = saying(cast, where, "Heizung später", "Heizung")
    Document.objects.filter(pk=late.pk).update(active_from=timezone.now() + DAY)
    with scope.unit_of_work(door="test"):
        private = folder(cast, "Vorstand", community=cast.house_a)
    saying(cast, private, "Heizung geheim", "Heizung")
    response = signed_in(cast.renter).get(documents_url(cast, "?q=heizung"))
    assert list(response.context["papers"]) == [titled, text]
    assert response.context["papers"].paginator.count == 2
    assert "geheim" not in response.content.decode() and "später" not in response.content.decode()


def test_hits_are_marked_and_no_markup_gets_through(cast: Cast, where: Folder) -> None:
    saying(cast, where, "<i>Heizung</i>", "Text <script>alert('Heizung')</script>")
    shown = page(cast, "?q=heiz")
    assert "&lt;i&gt;<mark>Heizung</mark>&lt;/i&gt;" in shown
    assert "&lt;script&gt;alert(&#x27;<mark>Heizung</mark>&#x27;)&lt;/script&gt;" in shown
    assert "<script>alert" not in shown and "<i>" not in shown
    assert "<mark>" not in page(cast, "")


def test_content_is_found_and_quoted_only_for_those_who_may_open_it(cast: Cast, where: Folder) -> None:
    made = saying(cast, where, "Brief", "der Betrag im Brief ist 4711")
    assert "<mark>4711</mark>" in page(cast, "?q=4711")
    FolderPermission.objects.create(tenant=cast.tenant, membership=cast.membership("renter"), folder=where, log=True)
    assert f'id="d{made.pk}"' not in page(cast, "?q=4711")
    shown = page(cast, "?q=brief")  # which is its title, too
    assert f'id="d{made.pk}"' in shown and "Betrag" not in shown and "4711" not in shown


def test_a_mistyped_search_proposes_visible_papers(cast: Cast, where: Folder) -> None:
    made = saying(cast, where, "Hausordnung", "nichts")
    late = saying(cast, where, "Hausordnung", "nichts")
    Document.objects.filter(pk=late.pk).update(active_from=timezone.now() + DAY)
    other = saying(cast, house_folder_of_b(cast), "Hausordnung", "nichts")
    shown = page(cast, "?q=Hausordnnug")
    assert f'id="m{made.pk}"' in shown and f"folder={where.pk}&amp;doc={made.pk}" in shown
    assert f'id="m{late.pk}"' not in shown and f'id="m{other.pk}"' not in shown
    for query in ("?q=Xylophon", "?q=Hausordnung"):
        assert not re.search(r'id="m\d', page(cast, query))


def house_folder_of_b(cast: Cast) -> Folder:
    with scope.unit_of_work(door="test"):
        circle = groups.derived_group(tenant=cast.tenant, community=cast.house_b)
        return folder(cast, "Haus B", circle, community=cast.house_b)


@pytest.mark.parametrize("query", ["?q=heizung", "?q=heizugn"])
def test_one_hit_costs_as_many_queries_as_three(cast: Cast, where: Folder, query: str) -> None:
    client = signed_in(cast.renter)
    url = documents_url(cast, query)
    saying(cast, where, "Heizung", "Heizung")
    one = queries_of(client, url)
    for _ in range(2):
        saying(cast, where, "Heizung", "Heizung")
    assert queries_of(client, url) == one <= 30


@pytest.mark.parametrize(
    "query", ["?q=.*(", "?q=%5C%5C", "?q=%F0%9F%8F%A0", "?q=a%CC%88", "?q=" + "a%20" * 100, "?q=%ED%A0%80"]
)
def test_odd_words_do_no_harm(cast: Cast, where: Folder, query: str) -> None:
    saying(cast, where, "a", "a \U0001f3e0 ä")
    assert signed_in(cast.renter).get(documents_url(cast, query)).status_code == 200
