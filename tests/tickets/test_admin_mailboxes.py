"""The mailbox of a company and the mails that came in, in the back office."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.models import AuditEntry
from tests.portal.pages import queries_of, signed_in
from tickets.models import InboundMail, Mailbox

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

VALUES = {
    "address": "hilfe@haus.test", "is_active": "on", "host": "localhost", "port": "993", "security": "ssl",
    "user_name": "hilfe", "password": "Sehr-Geheim-77", "folder": "INBOX", "unknown_senders": "ignore", "community": "",
}  # fmt: skip


@pytest.fixture
def inside(settings: Any) -> None:
    settings.INSIDE_HOSTS = ["localhost"]


@pytest.fixture
def mailbox(cast: Cast) -> Mailbox:
    return Mailbox.objects.create(
        tenant=cast.tenant, address="hilfe@haus.test", host="127.0.0.1", password="Sehr-Geheim-77", error="login"
    )


def mail(cast: Cast, number: int, **values: Any) -> InboundMail:
    values = {"tenant": cast.tenant, "outcome": "refused", "reason": "other_sender"} | values
    return InboundMail.objects.create(
        message_id=f"<{number}@x>", sender="a@b.test", subject=f"Betreff {number}", **values
    )


def test_an_administrator_sets_the_mailbox_up(cast: Cast, inside: None) -> None:
    answer = signed_in(cast.admin).post("/admin/tickets/mailbox/add/", VALUES)
    assert answer.status_code == 302, answer.context["errors"]
    row = Mailbox.objects.get()
    assert (row.tenant, row.host, row.password) == (cast.tenant, "localhost", "Sehr-Geheim-77")


def test_a_company_has_one(cast: Cast, mailbox: Mailbox) -> None:
    assert signed_in(cast.admin).get("/admin/tickets/mailbox/add/").status_code == 403


def test_the_password_never_comes_out_and_an_empty_field_keeps_it(cast: Cast, mailbox: Mailbox, inside: None) -> None:
    client, url = signed_in(cast.admin), f"/admin/tickets/mailbox/{mailbox.pk}/change/"
    page = client.get(url).content.decode()
    assert "Sehr-Geheim" not in page
    client.post(url, VALUES | {"password": "", "folder": "Anliegen", "expected_version": mailbox.row_version})
    mailbox.refresh_from_db()
    assert (mailbox.folder, mailbox.password) == ("Anliegen", "Sehr-Geheim-77")
    assert "Sehr-Geheim" not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


@pytest.mark.parametrize(
    ("change", "field"), [({"host": "127.0.0.1"}, "host"), ({"address": "a" * 40 + "@haus.test"}, "address")]
)
def test_what_cannot_work_is_refused_at_its_field(cast: Cast, change: dict[str, str], field: str) -> None:
    answer = signed_in(cast.admin).post("/admin/tickets/mailbox/add/", VALUES | {"host": ""} | change)
    assert field in answer.context["adminform"].form.errors
    assert not Mailbox.objects.exists()


def test_another_server_is_read_from_its_start(cast: Cast, mailbox: Mailbox, inside: None) -> None:
    Mailbox.objects.update(uid_validity=7, last_uid=99)
    url = f"/admin/tickets/mailbox/{mailbox.pk}/change/"
    signed_in(cast.admin).post(url, VALUES | {"expected_version": mailbox.row_version})
    mailbox.refresh_from_db()
    assert (mailbox.host, mailbox.last_uid) == ("localhost", 0)


def test_the_page_says_in_words_what_is_wrong(cast: Cast, mailbox: Mailbox) -> None:
    page = signed_in(cast.admin).get(f"/admin/tickets/mailbox/{mailbox.pk}/change/").content.decode()
    assert "Der Server weist Benutzername oder Passwort zurück." in page


def test_the_button_names_what_failed(cast: Cast, mailbox: Mailbox) -> None:
    client = signed_in(cast.admin)
    answer = client.post(f"/admin/test-mailbox/?mailbox={mailbox.pk}", follow=True)
    assert "Die Adresse darf nicht in ein lokales Netz führen." in answer.content.decode()


@pytest.mark.parametrize("who", ["staff", "stranger"])
def test_nobody_else_tries_or_sees_the_mailbox(cast: Cast, mailbox: Mailbox, who: str) -> None:
    client = signed_in(getattr(cast, who))
    assert client.get(f"/admin/test-mailbox/?mailbox={mailbox.pk}").status_code == 403
    assert client.get(f"/admin/tickets/mailbox/{mailbox.pk}/change/").status_code in (403, 404)


def test_the_list_says_what_became_of_each_mail_and_why(cast: Cast, file: File) -> None:
    mail(cast, 1)
    mail(cast, 2, outcome="comment", reason="", ticket=file("renter", title="Tropfen"))
    mail(cast, 3, tenant=cast.other_tenant)
    page = signed_in(cast.admin).get("/admin/tickets/inboundmail/").content.decode()
    assert "nicht von der Person gesendet, an die unsere E-Mail ging" in page
    assert "Tropfen" in page
    assert "Betreff 3" not in page
    assert signed_in(cast.staff).get("/admin/tickets/inboundmail/").status_code == 403


def test_the_list_costs_the_same_for_one_row_and_three(cast: Cast, file: File) -> None:
    client, ticket = signed_in(cast.admin), file("renter")
    mail(cast, 1, outcome="comment", ticket=ticket)
    before = queries_of(client, "/admin/tickets/inboundmail/")
    mail(cast, 2, outcome="comment", ticket=ticket)
    mail(cast, 3, outcome="comment", ticket=file("owner"))
    assert queries_of(client, "/admin/tickets/inboundmail/") == before
