"""Giving a paper to somebody outside from the portal: who may, what is said, one's own shares and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from docms.models import Document, DocumentShare, Folder, FolderPermission
from orgs.models import License, OrganizationSettings
from tests.docms.test_admin_shares import gateway, shared
from tests.portal.pages import documents_url, house_folder, paper, queries_of, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
NINA = {
    "name": "Nina Notar", "email": "nina@kanzlei.test", "mobile_number": "0170 123-4567", "language": "fr",
    "expires": "2099-01-01T12:00",
}  # fmt: skip


@pytest.fixture
def where(cast: Cast) -> Folder:
    gateway(cast)
    return house_folder(cast)


@pytest.fixture
def document(cast: Cast, where: Folder) -> Document:
    return paper(cast, where, "Kaufvertrag")


def allow(cast: Cast, where: Folder, who: str = "renter", **flags: bool) -> None:
    """Rights of a person's own in a folder."""
    chosen = {"read": True, **(flags or {"download": True, "mail": True})}
    FolderPermission.objects.create(tenant=cast.tenant, membership=cast.membership(who), folder=where, **chosen)


def address(document: Document) -> str:
    return f"/app/documents/{document.pk}/share"


def end_of(row: DocumentShare) -> str:
    """Where a share is withdrawn."""
    return f"/app/documents/{row.document_id}/shares/{row.pk}/withdraw"


def test_who_may_share_does_so_from_the_papers_preview(cast: Cast, where: Folder, document: Document) -> None:
    allow(cast, where)
    client = signed_in(cast.renter)
    assert address(document) in client.get(documents_url(cast, f"?doc={document.pk}")).content.decode()
    assert client.get(address(document)).context["form"].initial["language"] == "de"
    answer = client.post(address(document), NINA, follow=True)
    row = DocumentShare.objects.get()
    assert (row.name, row.email, row.mobile_number, row.locale, row.created_by) == (
        "Nina Notar", "nina@kanzlei.test", "+491701234567", "fr", cast.renter,
    )  # fmt: skip
    assert row.expires_at.astimezone(cast.tenant.zone).hour == 12
    text = answer.content.decode()
    assert "per E-Mail an nina@kanzlei.test" in text and "**********567" in text
    assert "1701234567" not in text


@pytest.mark.parametrize("flags", [{"download": True}, {"read": True}])
def test_who_sends_no_mails_does_not_share(
    cast: Cast, where: Folder, document: Document, flags: dict[str, bool]
) -> None:
    allow(cast, where, **flags)
    client = signed_in(cast.renter)
    assert address(document) not in client.get(documents_url(cast, f"?doc={document.pk}")).content.decode()
    assert client.get(address(document)).status_code == 403
    assert client.post(address(document), NINA).status_code == 403
    assert not DocumentShare.objects.exists()


def test_for_whom_the_paper_is_out_of_reach_there_is_nothing_to_share(cast: Cast, document: Document) -> None:
    for who in (cast.neighbour, cast.foreigner):
        assert signed_in(who).get(address(document)).status_code == 404
        assert signed_in(who).post(address(document), NINA).status_code == 404
    assert not DocumentShare.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "Nina\nNotar"},
        {"mobile_number": "Nina"},
        {"mobile_number": "+00000000"},
        {"email": "nina@"},
        {"language": "xx"},
        {"expires": "2020-01-01T12:00"},
        {"expires": "0001-01-01T00:00"},
        {"expires": "morgen"},
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    cast: Cast, where: Folder, document: Document, wrong: dict[str, str]
) -> None:
    allow(cast, where)
    answer = signed_in(cast.renter).post(address(document), {**NINA, **wrong})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == wrong.keys()
    assert not DocumentShare.objects.exists()


@pytest.mark.parametrize(
    ("what", "status", "said"),
    [
        ("licence", 403, "nicht lizenziert"),
        ("gateway", 409, "SMS-Dienst"),
        ("lock", 403, "heruntergeladen"),
    ],
)
def test_why_nobody_can_share_now_stands_in_the_place_of_the_form(
    cast: Cast, where: Folder, document: Document, what: str, status: int, said: str
) -> None:
    allow(cast, where)
    if what == "licence":
        License.objects.create(organization=cast.tenant, features=[1, 3])
    elif what == "gateway":
        OrganizationSettings.objects.filter(organization=cast.tenant).update(sms_send_url="")
    else:
        Document.objects.filter(pk=document.pk).update(allow_download=False)
    client = signed_in(cast.renter)
    text = client.get(address(document)).content.decode()
    assert said in text and "mobile_number" not in text
    assert client.post(address(document), NINA).status_code == status
    assert not DocumentShare.objects.exists()


def test_one_sees_and_withdraws_ones_own_shares_alone(cast: Cast, where: Folder, document: Document) -> None:
    allow(cast, where, download=True, mail=True, edit=True)  # who edits may see the others, but in the back office
    own, others = shared(cast, document, "renter", name="Von mir"), shared(cast, document, name="Von Admin")
    client = signed_in(cast.renter)
    text = client.get(address(document)).content.decode()
    assert "Von mir" in text and "Von Admin" not in text
    assert client.get(end_of(own)).status_code == 405
    assert client.post(end_of(others)).status_code == 404
    shown = client.post(end_of(own), follow=True).content.decode()
    assert "Die Freigabe ist zurückgezogen." in shown and end_of(own) not in shown
    own.refresh_from_db()
    others.refresh_from_db()
    assert own.revoked_at is not None
    assert others.revoked_at is None


def test_the_page_costs_the_same_for_one_share_and_three(cast: Cast, where: Folder, document: Document) -> None:
    allow(cast, where)
    client = signed_in(cast.renter)
    shared(cast, document, "renter")
    before = queries_of(client, address(document))
    for _n in range(2):
        shared(cast, document, "renter")
    assert queries_of(client, address(document)) == before
