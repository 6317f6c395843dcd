"""Communication in the back office: the mail log, the test mail, the mails of the try-out."""

from __future__ import annotations

from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest

from messaging.models import Message, MessageRecipient
from messaging.services.catalogue import IN_WORDS, KINDS
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cast import Cast
    from tests.servers import MailSink


def message(cast: Cast, number: int, state: str = "sent", **values: Any) -> Message:
    row = Message.objects.create(
        tenant=values.pop("tenant", cast.tenant), kind="welcome", subject=f"Willkommen {number}", state=state,
        message_id=f"<{number}@quartier.test>", dedupe_key=f"k{number}", to_emails=["renter@quartier.test"],
        body_text="Ihr Link: https://quartier.test/app/invite/GEHEIM", **values,
    )  # fmt: skip
    MessageRecipient.objects.create(message=row, user=cast.renter, address="renter@quartier.test")
    return row


def test_administrators_see_their_mails_and_no_text(cast: Cast) -> None:
    mine, foreign = message(cast, 1), message(cast, 2, tenant=cast.other_tenant)
    client = signed_in(cast.admin)
    page = client.get("/admin/messaging/message/").content.decode()
    assert "Willkommen 1" in page
    assert "Willkommen 2" not in page
    detail = client.get(f"/admin/messaging/message/{mine.pk}/change/").content.decode()
    assert "renter@quartier.test" in detail
    assert "GEHEIM" not in detail
    assert client.get(f"/admin/messaging/message/{foreign.pk}/change/").status_code == 404
    assert signed_in(cast.staff).get("/admin/messaging/message/").status_code == 403
    everything = signed_in(cast.operator).get("/admin/messaging/message/").content.decode()
    assert "Willkommen 1" in everything
    assert "Willkommen 2" in everything


def test_a_failed_mail_is_sent_again_and_a_waiting_one_cancelled(cast: Cast) -> None:
    failed, waiting = message(cast, 1, "failed", error_msg="550 no"), message(cast, 2, "queued")
    client = signed_in(cast.admin)
    client.post(f"/admin/messaging/message/{failed.pk}/again/")
    client.post(f"/admin/messaging/message/{waiting.pk}/cancel/")
    failed.refresh_from_db()
    waiting.refresh_from_db()
    assert (failed.state, waiting.state) == ("queued", "cancelled")


def test_the_list_costs_the_same_for_one_row_and_three(cast: Cast) -> None:
    client = signed_in(cast.admin)
    message(cast, 1)
    before = queries_of(client, "/admin/messaging/message/")
    message(cast, 2)
    message(cast, 3)
    assert queries_of(client, "/admin/messaging/message/") == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("inside")
def test_a_test_mail_goes_through_the_stored_server(cast: Cast, smtp: MailSink) -> None:
    settings = cast.tenant.settings
    host, port = smtp.url.removeprefix("smtp://").rstrip("/").rsplit(":", 1)
    type(settings).objects.filter(pk=settings.pk).update(
        mail_server=host, mail_port=int(port), mail_starttls=False, mail_sender="haus@quartier.test"
    )
    client, url = signed_in(cast.admin), f"/admin/test-mail/?tenant={cast.tenant.pk}"
    assert client.get(url).status_code == 200
    assert client.post(url, {"to": "admin@quartier.test"}).status_code == 302
    assert len(smtp.to("admin@quartier.test")) == 1
    smtp.stop()
    failed = client.post(url, {"to": "admin@quartier.test"})
    assert failed.context["form"].non_field_errors()
    assert signed_in(cast.staff).post(url, {"to": "a@quartier.test"}).status_code == 403
    assert client.post("/admin/test-mail/", {"to": "a@quartier.test"}).status_code == 403
    foreign = f"/admin/test-mail/?tenant={cast.other_tenant.pk}"
    assert client.post(foreign, {"to": "a@quartier.test"}).status_code == 403


def mail_file(folder: Path, name: str, subject: str) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["To"], mail["From"] = subject, "renter@quartier.test", "haus@quartier.test"
    mail.set_content("Guten Tag")
    mail.add_alternative("<p>Guten Tag<script>alert(1)</script></p>", subtype="html")
    (folder / name).write_bytes(bytes(mail))


def test_the_operator_reads_the_mails_of_the_try_out(cast: Cast, settings: Any, tmp_path: Path) -> None:
    mail_file(tmp_path, "1.eml", "Ihre Einladung")
    (tmp_path.parent / "geheim.eml").write_text("Subject: nein\n\n")
    client = signed_in(cast.operator)
    settings.TRYOUT_MAILS = ""
    assert client.get("/admin/mails/").status_code == 404
    settings.TRYOUT_MAILS = str(tmp_path)
    assert "Ihre Einladung" in client.get("/admin/mails/").content.decode()
    assert "Ihre Einladung" not in client.get("/admin/mails/?q=anderes").content.decode()
    assert "Guten Tag" in client.get("/admin/mails/1.eml/").content.decode()
    frame = client.get("/admin/mails/1.eml/html")
    assert "sandbox" in frame["Content-Security-Policy"]
    assert "script-src" not in frame["Content-Security-Policy"]
    for name in ("..%2Fgeheim.eml", "nichts.eml"):
        assert client.get(f"/admin/mails/{name}/").status_code == 404
    assert signed_in(cast.admin).get("/admin/mails/").status_code == 403


@pytest.mark.parametrize("path", ["", "{pk}/change/", "?kind=welcome"])
def test_the_kind_is_said_in_words(cast: Cast, path: str) -> None:
    row = message(cast, 1)
    client = signed_in(cast.admin)
    page = client.get("/admin/messaging/message/" + path.format(pk=row.pk), headers={"Accept-Language": "de"})
    assert "Begrüßung" in page.content.decode()


def test_every_kind_has_a_name() -> None:
    assert IN_WORDS.keys() == KINDS.keys()
