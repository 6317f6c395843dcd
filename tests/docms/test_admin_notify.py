"""People told of a paper by hand, from the back office."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core import scope
from core.models import Blob
from docms.models import Document, DocumentLog, Folder
from messaging.models import Message
from tests.docms.test_admin_shares import address, permit
from tests.factories import folder, manual_group
from tests.portal.pages import paper, queries_of, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.fixture
def where(cast: Cast) -> Folder:
    with scope.unit_of_work(door="test"):
        return folder(cast, "Verträge", manual_group(cast, "Büro", "staff", "renter", "owner"))


@pytest.fixture
def document(cast: Cast, where: Folder) -> Document:
    return paper(cast, where, "Kaufvertrag")


def told() -> list[str]:
    """Addresses that mails about new papers go to."""
    found = Message.objects.filter(kind="document_published", dedupe_key__startswith="notice:")
    return sorted(to for message in found for to in message.to_emails)


def test_the_chosen_people_of_the_folder_are_told(cast: Cast, document: Document) -> None:
    client = signed_in(cast.admin)
    assert address(document, "notify") in client.get(address(document, "change")).content.decode()
    offered = {pk for pk, _name in client.get(address(document, "notify")).context["form"].fields["user_ids"].choices}
    assert {cast.staff.pk, cast.renter.pk, cast.owner.pk, cast.admin.pk} <= offered
    assert not {cast.neighbour.pk, cast.stranger.pk} & offered
    chosen = [cast.renter.pk, cast.owner.pk]
    answer = client.post(address(document, "notify"), {"user_ids": chosen}, follow=True)
    assert told() == sorted([cast.renter.email, cast.owner.email])
    (said,) = answer.context["messages"]
    assert str(said) == "2 Personen werden per E-Mail benachrichtigt."
    assert DocumentLog.objects.get(document_id=document.pk, action="notify").user == cast.admin


@pytest.mark.parametrize("who", ["neighbour", "foreigner", None])
def test_nobody_else_can_be_chosen(cast: Cast, document: Document, who: str | None) -> None:
    chosen = [cast.renter.pk, getattr(cast, who).pk] if who else []
    answer = signed_in(cast.admin).post(address(document, "notify"), {"user_ids": chosen, "x": "1"})
    assert answer.context["form"].errors.keys() == {"user_ids"}
    assert told() == []


@pytest.mark.parametrize(("flags", "status"), [({"mail": True}, 302), ({"download": True}, 403)])
def test_it_takes_the_right_to_send_mails(
    cast: Cast, where: Folder, document: Document, flags: dict[str, bool], status: int
) -> None:
    permit(cast, where, "staff", **flags)
    client = signed_in(cast.staff)
    shown = address(document, "notify") in client.get(address(document, "change")).content.decode()
    assert shown == ("mail" in flags)
    assert client.post(address(document, "notify"), {"user_ids": [cast.renter.pk]}).status_code == status
    assert bool(told()) == ("mail" in flags)


@pytest.mark.parametrize(("who", "status"), [("renter", 403), ("stranger", 404)])
def test_others_do_not_notify(cast: Cast, document: Document, who: str, status: int) -> None:
    client = signed_in(getattr(cast, who))
    assert client.post(address(document, "notify"), {"user_ids": [cast.renter.pk]}).status_code == status
    assert told() == []


def test_of_a_paper_that_is_being_checked_nobody_is_told(cast: Cast, document: Document) -> None:
    Blob.objects.filter(pk=document.current.blob_id).update(scan="pending")
    answer = signed_in(cast.admin).post(address(document, "notify"), {"user_ids": [cast.renter.pk]})
    assert answer.context["form"].non_field_errors()
    assert told() == []


def test_the_page_costs_the_same_for_three_people_and_five(cast: Cast, where: Folder, document: Document) -> None:
    client = signed_in(cast.admin)
    before = queries_of(client, address(document, "notify"))
    with scope.unit_of_work(door="test"):
        more = folder(cast, "Mehr", manual_group(cast, "Mehr", "staff", "renter", "owner", "additional", "neighbour"))
    assert queries_of(client, address(paper(cast, more), "notify")) == before
