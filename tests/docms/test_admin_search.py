"""The search above the list of papers in the back office: as the portal's, within names, and forgiving."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from docms.models import Document, Folder, FolderPermission
from docms.services import documents, folders, indexing
from orgs.models import Membership
from tests.factories import folder, manual_group, publish, stored
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
LIST = "/admin/docms/document/"


@pytest.fixture
def where(cast: Cast) -> Folder:
    """A folder that staff and the renter reach."""
    return folder(cast, group=manual_group(cast, "Alle", "staff", "renter"))


def saying(cast: Cast, where: Folder, text: str, title: str) -> Document:
    """A paper whose content says this."""
    paper = publish(cast, where, content=text.encode() or b"leer", filename="brief.txt", title=title)
    indexing.index_content(paper.pk)
    return paper


def found(cast: Cast, words: str, who: str = "admin") -> list[Document]:
    """What the list shows."""
    response = signed_in(getattr(cast, who)).get(LIST, {"q": words})
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


@pytest.mark.parametrize(
    "words", ["wasserschaden", "Wasserschäden", "wassersch", "abrechnung", "Jahresabrechnungen", "jahresabrechnnug"]
)
def test_papers_are_found_by_text_name_and_nearly(cast: Cast, where: Folder, words: str) -> None:
    paper = saying(cast, where, "Der Wasserschaden ist behoben.", "Jahresabrechnung 2025")
    saying(cast, where, "Etwas anderes", "Hausordnung")
    assert found(cast, words) == [paper]


def test_nothing_like_it_is_nothing(cast: Cast, where: Folder) -> None:
    saying(cast, where, "Der Wasserschaden", "Jahresabrechnung")
    assert found(cast, "xylophon") == []
    assert found(cast, "!?") == []
    assert len(found(cast, " ")) == 1


def test_nothing_out_of_reach_is_found(cast: Cast, where: Folder) -> None:
    mine = saying(cast, where, "Wasserschaden", "Jahresabrechnung")
    saying(cast, folder(cast, "Geheim"), "Wasserschaden", "Jahresabrechnung")
    foreign = folders.create_folder(actor=cast.actor("stranger"), tenant=cast.other_tenant, name="Fremd")
    documents.publish(
        actor=cast.actor("stranger"), folder=foreign, blob=stored(cast.other_tenant, b"x"), filename="a.txt",
        title="Jahresabrechnung",
    )  # fmt: skip
    for words in ("wasserschaden", "abrechnung", "jahresabrechnnug"):
        assert mine in found(cast, words, "staff") and len(found(cast, words, "staff")) == 1
        assert len(found(cast, words)) == 2


@pytest.mark.rule("DOCMS-116")
def test_what_one_may_not_read_is_not_searched(cast: Cast, where: Folder) -> None:
    saying(cast, where, "Wasserschaden", "Brief")
    membership = Membership.objects.get(user=cast.staff, organization=cast.tenant)
    FolderPermission.objects.create(tenant=cast.tenant, folder=where, membership=membership, active=True, read=False)
    assert found(cast, "wasserschaden", "staff") == []
    assert len(found(cast, "brief", "staff")) == 1


def test_a_search_costs_the_same_for_one_hit_and_three(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    saying(cast, where, "Wasserschaden", "Eins")
    before = queries_of(client, f"{LIST}?q=wasserschaden")
    saying(cast, where, "Wasserschaden", "Zwei")
    saying(cast, where, "Wasserschaden", "Drei")
    assert queries_of(client, f"{LIST}?q=wasserschaden") == before
