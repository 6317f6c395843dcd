"""Sharing with somebody outside from the back office: the form, the list, and the end of a share."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.services import rows
from docms.models import Document, DocumentShare, Folder
from docms.services import permissions, shares
from messaging.models import Message
from orgs.models import License, OrganizationSettings
from tests.docms.door import link_and_code
from tests.factories import folder, manual_group
from tests.portal.pages import paper, queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

NINA = {"name": "Nina Notar", "email": "nina@kanzlei.test", "mobile_number": "0170 123-4567", "language": "fr"}


def gateway(cast: Cast) -> None:
    """The tenant can send text messages."""
    chosen = OrganizationSettings.objects.get(organization=cast.tenant)
    rows.change(chosen, {"sms_send_url": "https://sms.example/", "sms_api_key": "geheim", "sms_sender_id": "Haus"})


@pytest.fixture
def where(cast: Cast) -> Folder:
    gateway(cast)
    with scope.unit_of_work(door="test"):
        return folder(cast, "Verträge", manual_group(cast, "Büro", "staff", "renter"))


@pytest.fixture
def document(cast: Cast, where: Folder) -> Document:
    return paper(cast, where, "Kaufvertrag")


def form_values(**values: Any) -> dict[str, Any]:
    """The form, filled in; it ends in two days."""
    until = timezone.localtime() + datetime.timedelta(days=2)
    return {**NINA, "expires_0": f"{until:%Y-%m-%d}", "expires_1": "12:00", **values}


def address(document: Document, page: str) -> str:
    return f"/admin/docms/document/{document.pk}/{page}/"


def section(client: Client, document: Document) -> Any:
    """The section of shares on the paper's page; None when there is none."""
    found = [s for s in client.get(address(document, "change")).context["sections"] if str(s.title) == "Freigaben"]
    return found[0] if found else None


def permit(cast: Cast, where: Folder, who: str, **flags: bool) -> None:
    """Rights of a person's own in a folder, instead of those of the account."""
    with scope.unit_of_work(door="test"):
        permissions.set_permission(
            actor=cast.actor("admin"),
            folder=where,
            user_id=getattr(cast, who).pk,
            active=True,
            flags=flags,
        )


def shared(cast: Cast, document: Document, who: str = "admin", **values: Any) -> DocumentShare:
    """A share through the service."""
    with scope.unit_of_work(door="test"):
        given = {"name": "Nina Notar", "mobile_number": "+491701234567", **values}
        return shares.share(actor=cast.actor(who), document=document, **given)


def test_a_clerk_shares_a_paper_and_reads_which_way_link_and_code_go(cast: Cast, document: Document) -> None:
    client = signed_in(cast.admin)
    assert client.get(address(document, "share")).context["form"].initial["language"] == "de"
    answer = client.post(address(document, "share"), form_values(), follow=True)
    row = DocumentShare.objects.get()
    assert (row.name, row.email, row.mobile_number, row.locale) == (
        "Nina Notar",
        "nina@kanzlei.test",
        "+491701234567",
        "fr",
    )
    assert row.created_by == cast.admin
    assert datetime.timedelta(days=1) < row.expires_at - timezone.now() < datetime.timedelta(days=3)
    (said,) = answer.context["messages"]
    assert "nina@kanzlei.test" in str(said) and "**********567" in str(said)
    (line,) = section(client, document).rows
    texts = [str(cell.text) for cell in line]
    assert texts[:3] == ["Nina Notar", "nina@kanzlei.test", "**********567"]
    assert texts[5:] == ["0", "in Kraft", "Zurückziehen"]
    secrets = link_and_code(row.pk)
    assert not any(secret in answer.content.decode() for secret in (*secrets, "1701234567"))


def test_without_an_address_the_link_goes_to_who_shares(cast: Cast, document: Document) -> None:
    answer = signed_in(cast.admin).post(address(document, "share"), form_values(email=""), follow=True)
    assert Message.objects.get(dedupe_key__startswith="share:").to_emails == [cast.admin.email]
    (said,) = answer.context["messages"]
    assert str(said).startswith("Sie erhalten den Link")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "Nina\nNotar"}),
        ("mobile_number", {"mobile_number": ""}),
        ("mobile_number", {"mobile_number": "Nina"}),
        ("mobile_number", {"mobile_number": "+00000000"}),
        ("email", {"email": "nina@"}),
        ("language", {"language": "xx"}),
        ("expires", {"expires_0": "2020-01-01"}),
        ("expires", {"expires_0": "morgen"}),
    ],
)
def test_what_is_wrong_is_said_at_its_field(cast: Cast, document: Document, field: str, wrong: dict[str, str]) -> None:
    answer = signed_in(cast.admin).post(address(document, "share"), form_values(**wrong))
    assert answer.context["form"].errors.keys() == {field}
    assert not DocumentShare.objects.exists()


@pytest.mark.parametrize("flags", [{"download": True}, {"mail": True}, {}])
def test_who_takes_nothing_away_or_sends_no_mails_shares_nothing(
    cast: Cast, where: Folder, document: Document, flags: dict[str, bool]
) -> None:
    permit(cast, where, "admin", **flags)
    client = signed_in(cast.admin)
    assert address(document, "share") not in client.get(address(document, "change")).content.decode()
    answer = client.post(address(document, "share"), form_values())
    assert answer.status_code == (302 if "mail" in flags else 403)
    assert not DocumentShare.objects.exists()
    shown = section(client, document)
    assert (shown is not None) == ("mail" in flags)
    assert shown is None or not shown.links


@pytest.mark.parametrize("who", ["stranger", "renter"])
def test_others_do_not_share(cast: Cast, document: Document, who: str) -> None:
    answer = signed_in(getattr(cast, who)).post(address(document, "share"), form_values())
    assert answer.status_code in (403, 404)
    assert not DocumentShare.objects.exists()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("licence", "nicht lizenziert"),
        ("gateway", "SMS-Dienst"),
        ("lock", "heruntergeladen"),
    ],
)
def test_why_nobody_can_share_now_is_said_on_the_papers_page(
    cast: Cast, document: Document, what: str, said: str
) -> None:
    if what == "licence":
        License.objects.create(organization=cast.tenant, features=[1, 3])
    elif what == "gateway":
        OrganizationSettings.objects.filter(organization=cast.tenant).update(sms_send_url="")
    else:
        Document.objects.filter(pk=document.pk).update(allow_download=False)
    answer = signed_in(cast.admin).get(address(document, "share"), follow=True)
    assert answer.redirect_chain[-1][0] == address(document, "change")
    (message,) = answer.context["messages"]
    assert said in str(message)


def test_a_share_is_withdrawn_after_a_question(cast: Cast, document: Document) -> None:
    row = shared(cast, document)
    client = signed_in(cast.admin)
    link = f"{address(document, 'withdraw-share')}?share={row.pk}"
    assert section(client, document).rows[0][-1].link == f"../withdraw-share/?share={row.pk}"
    assert "Nina Notar" in client.get(link).content.decode()
    row.refresh_from_db()
    assert row.revoked_at is None
    client.post(link)
    row.refresh_from_db()
    assert row.revoked_at is not None
    line = section(client, document).rows[0]
    assert [str(cell.text) for cell in line[-2:]] == ["zurückgezogen", ""]


def test_only_who_shared_and_administrators_withdraw(cast: Cast, where: Folder, document: Document) -> None:
    row = shared(cast, document)
    link = f"{address(document, 'withdraw-share')}?share={row.pk}"
    permit(cast, where, "staff", download=True, mail=True, edit=True)
    assert section(signed_in(cast.staff), document).rows[0][-1].link == ""
    assert signed_in(cast.staff).post(link).status_code == 403
    assert signed_in(cast.stranger).post(link).status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None


def test_a_share_of_another_paper_is_not_withdrawn_here(cast: Cast, where: Folder, document: Document) -> None:
    row = shared(cast, paper(cast, where, "Anderes"))
    client = signed_in(cast.admin)
    for wanted in (row.pk, 0, "²", ""):
        assert client.post(f"{address(document, 'withdraw-share')}?share={wanted}").status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None


def test_without_edit_one_sees_ones_own_shares_alone(cast: Cast, where: Folder, document: Document) -> None:
    permit(cast, where, "staff", download=True, mail=True)
    shared(cast, document, name="Von Admin")
    shared(cast, document, "staff", name="Von Staff")
    assert [str(row[0].text) for row in section(signed_in(cast.staff), document).rows] == ["Von Staff"]
    assert len(section(signed_in(cast.admin), document).rows) == 2


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "in Kraft"),
        ({"revoked_at": True}, "zurückgezogen"),
        ({"ended_at": True}, "abgelaufen"),
        ({"expires_at": True}, "abgelaufen"),
        ({"undelivered_at": True}, "Code kam nicht an"),
    ],
)
def test_the_state_is_told_in_words(cast: Cast, document: Document, changes: dict[str, bool], word: str) -> None:
    row = shared(cast, document)
    DocumentShare.objects.filter(pk=row.pk).update(**dict.fromkeys(changes, timezone.now()))
    assert str(section(signed_in(cast.admin), document).rows[0][-2].text) == word


def test_the_papers_page_costs_the_same_for_one_share_and_three(cast: Cast, where: Folder, document: Document) -> None:
    permit(cast, where, "staff", download=True, mail=True)
    client = signed_in(cast.admin)
    shared(cast, document)
    before = queries_of(client, address(document, "change"))
    shared(cast, document)
    shared(cast, document, "staff")
    assert queries_of(client, address(document, "change")) == before
