"""Telling people of a paper by hand from the portal: who may, whom, and what is refused."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.models import Blob
from core.services import rows
from docms.models import Document, DocumentLog, Folder, GroupMember
from docms.services import notices
from messaging.models import Message
from orgs.models import Membership, User
from tests.docms.test_admin_notify import told
from tests.factories import folder, manual_group
from tests.portal.pages import documents_url, house_folder, paper, queries_of, signed_in
from tests.portal.test_web_sharing import allow

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def where(cast: Cast) -> Folder:
    return house_folder(cast)


@pytest.fixture
def document(cast: Cast, where: Folder) -> Document:
    return paper(cast, where, "Hausordnung")


@pytest.fixture
def client(cast: Cast, where: Folder) -> Client:
    """A resident who may choose who is told by mail."""
    allow(cast, where, mail=True)
    return signed_in(cast.renter)


def address(document: Document) -> str:
    return f"/app/documents/{document.pk}/notify"


def named(answer: Any) -> set[int]:
    """Whom the page names."""
    return {user.pk for user in (*answer.context["ticked"], *answer.context["found"])}


def with_many(cast: Cast, where: Folder, number: int) -> list[User]:
    """So many people more who see the folder."""
    circle = manual_group(cast, f"Viele {number}")
    where.access.create(tenant=cast.tenant, group=circle)
    many = [
        User(username=f"v{number}-{n}", email=f"v{number}-{n}@elsewhere.test", last_name=f"Żak{n:03}")
        for n in range(number)
    ]
    User.objects.bulk_create(many)
    places = [Membership(user=user, organization=cast.tenant, tenant=cast.tenant, role="guest") for user in many]
    Membership.objects.bulk_create(places)
    GroupMember.objects.bulk_create(GroupMember(tenant=cast.tenant, group=circle, membership=place) for place in places)
    return many


@pytest.mark.rule("DOCMS-146")
def test_who_may_choose_tells_people_from_the_papers_preview(cast: Cast, client: Client, document: Document) -> None:
    assert address(document) in client.get(documents_url(cast, f"?doc={document.pk}")).content.decode()
    page = client.get(address(document))
    assert named(page) == notices.reaching(document)
    assert {cast.owner.pk, cast.additional.pk, cast.admin.pk} <= named(page)
    assert not {cast.neighbour.pk, cast.former.pk, cast.stranger.pk} & named(page)
    text = page.content.decode()
    assert str(cast.owner) in text and cast.owner.email not in text
    answer = client.post(address(document), {"user_ids": [cast.owner.pk, cast.additional.pk]}, follow=True)
    assert "2 Personen werden per E-Mail benachrichtigt." in answer.content.decode()
    assert told() == sorted([cast.owner.email, cast.additional.email])
    assert DocumentLog.objects.get(document_id=document.pk, action="notify").user == cast.renter


def test_everybody_who_sees_the_paper_is_told_with_one_tick(client: Client, document: Document) -> None:
    client.post(address(document), {"everybody": "1"})
    assert told() == sorted(User.objects.filter(pk__in=notices.reaching(document)).values_list("email", flat=True))


def test_a_paper_without_a_house_around_it_leads_there_too(cast: Cast) -> None:
    elsewhere = folder(cast, "Gutachten", manual_group(cast, "Gutachter", "renter"), community=cast.house_b)
    alone = paper(cast, elsewhere, "Gutachten")
    client = signed_in(cast.renter)
    assert address(alone) not in client.get(f"/app/documents/{alone.pk}").content.decode()
    allow(cast, elsewhere, mail=True)
    assert address(alone) in client.get(f"/app/documents/{alone.pk}").content.decode()


@pytest.mark.rule("DOCMS-146")
@pytest.mark.parametrize("flags", [{"read": True}, {"download": True, "upload": True, "edit": True, "log": True}])
def test_without_the_right_to_send_mails_there_is_no_page(
    cast: Cast, where: Folder, document: Document, flags: dict[str, bool]
) -> None:
    allow(cast, where, **flags)
    client = signed_in(cast.renter)
    assert address(document) not in client.get(documents_url(cast, f"?doc={document.pk}")).content.decode()
    assert client.get(address(document)).status_code == 403
    assert client.post(address(document), {"user_ids": [cast.owner.pk]}).status_code == 403
    assert told() == []


def test_for_whom_the_paper_is_out_of_reach_there_is_no_page(cast: Cast, document: Document) -> None:
    for who in (cast.neighbour, cast.foreigner):
        assert signed_in(who).get(address(document)).status_code == 404
        assert signed_in(who).post(address(document), {"everybody": "1"}).status_code == 404
    assert told() == []


@pytest.mark.rule("DOCMS-146")
@pytest.mark.parametrize(
    "wrong", ["neighbour", "former", "foreigner", "99999999999", "999999999", "²", "-1", "x\x00", ""]
)
def test_one_who_does_not_see_the_paper_stops_the_whole(
    cast: Cast, client: Client, document: Document, wrong: str
) -> None:
    wish = getattr(cast, wrong).pk if wrong.isalpha() and wrong.isascii() and wrong != "x" else wrong
    answer = client.post(address(document), {"user_ids": [cast.owner.pk, wish]})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"user_ids"}
    assert "Nicht alle diese Personen haben Zugriff" in answer.content.decode()
    assert [user.pk for user in answer.context["ticked"]] == [cast.owner.pk]
    assert told() == []


def test_a_french_colon_does_not_stand_alone(cast: Cast, client: Client, document: Document) -> None:
    rows.change(cast.renter, {"language": "fr"})
    assert "<h1>Informer\u00a0: Hausordnung</h1>" in client.get(address(document)).content.decode()
    wrong = client.post("/app/profile", {"last_name": "", "language": "fr", "theme": "auto"}).content.decode()
    assert "Nom\u00a0: Veuillez remplir ce champ." in wrong


def test_who_chooses_nobody_is_asked_to(client: Client, document: Document) -> None:
    answer = client.post(address(document), {})
    assert answer.status_code == 422
    assert "Bitte wählen Sie mindestens eine Person." in answer.content.decode()


@pytest.mark.rule("DOCMS-103", "DOCMS-121")
def test_of_what_is_not_shown_residents_are_neither_offered_nor_told(
    cast: Cast, client: Client, where: Folder, document: Document
) -> None:
    later = timezone.now() + datetime.timedelta(days=1)
    Document.objects.filter(pk=document.pk).update(active_from=later, uploaded_by=cast.renter)
    page = client.get(address(document))
    assert cast.owner.pk not in named(page) and cast.admin.pk in named(page)
    assert client.post(address(document), {"user_ids": [cast.owner.pk]}).status_code == 422
    assert told() == []


@pytest.mark.parametrize(
    ("what", "status", "said"), [("scan", 409, "wird noch geprüft"), ("trial", 403, "Testzeitraum")]
)
def test_why_nobody_can_be_told_now_stands_in_the_place_of_the_form(
    cast: Cast, client: Client, document: Document, what: str, status: int, said: str
) -> None:
    if what == "scan":
        Blob.objects.filter(pk=document.current.blob_id).update(scan="pending")
    else:
        rows.change(cast.tenant, {"trial_ends_at": timezone.now()})
    text = client.get(address(document)).content.decode()
    assert said in text and "user_ids" not in text
    assert client.post(address(document), {"user_ids": [cast.owner.pk]}).status_code == status
    assert not Message.objects.exists()


def test_many_are_bounded_and_found_by_a_search_that_keeps_the_ticks(
    cast: Cast, client: Client, where: Folder, document: Document
) -> None:
    many = with_many(cast, where, 60)
    page = client.get(address(document))
    assert len(page.context["found"]) == 50
    assert "Nur die ersten 50 Personen" in page.content.decode()
    wish = {"user_ids": [cast.owner.pk, many[58].pk], "q": "zak059", "find": "1"}
    page = client.post(address(document), wish)
    assert page.status_code == 200
    assert [user.pk for user in page.context["found"]] == [many[59].pk]
    assert {user.pk for user in page.context["ticked"]} == {cast.owner.pk, many[58].pk}
    assert told() == []
    nothing = client.post(address(document), {"q": "Nirgends", "find": "1"}).content.decode()
    assert "Nichts gefunden zu „Nirgends“" in nothing and "error" not in nothing.split("<main", 1)[1]


def test_people_stand_in_the_order_of_a_dictionary(
    cast: Cast, client: Client, where: Folder, document: Document
) -> None:
    many = with_many(cast, where, 4)
    for user, name in zip(many, ("Özdemir", "Zander", "oslo", "Peters"), strict=True):
        rows.change(user, {"last_name": name})
    found = [user.last_name for user in client.get(address(document)).context["found"] if user in many]
    assert found == ["oslo", "Özdemir", "Peters", "Zander"]


def test_nobody_tells_more_people_at_once_than_the_api_lets_one(
    cast: Cast, client: Client, where: Folder, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "MOST", 3)
    ids = sorted(notices.reaching(document))
    assert len(ids) > 3
    assert 'name="everybody"' not in client.get(address(document)).content.decode()
    for wish in ({"everybody": "1"}, {"user_ids": ids[:4]}):
        answer = client.post(address(document), wish)
        assert answer.status_code == 422
        assert "Höchstens 3 Personen" in answer.content.decode()
    assert told() == []
    assert client.post(address(document), {"user_ids": ids[:3]}).status_code == 302


def test_the_page_costs_the_same_for_few_and_many(
    cast: Cast, client: Client, where: Folder, document: Document
) -> None:
    with_many(cast, where, 1)
    few = queries_of(client, address(document))
    with_many(cast, where, 60)
    assert queries_of(client, address(document)) == few
