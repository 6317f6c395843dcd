"""Who stands on which mail and which server it leaves through: BCC batches, test mails, the tenant without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Invalid
from messaging.models import Message, Template
from messaging.services.deliver import send_test, sweep
from messaging.services.split import Recipient, envelopes
from messaging.services.texts import Overrides
from orgs.models import InstallationSettings
from tests.messaging.helpers import make_due, people, queue_all

if TYPE_CHECKING:
    from orgs.models import Organization, OrganizationSettings
    from tests.servers import MailSink


# --- BCC --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_with_rest_bcc_only_to_email_is_visible(server: MailSink, tenant: Organization) -> None:
    texts = Overrides(subject="Neu", to_email="office@keller.test", rest_bcc=True)
    (message,) = queue_all(tenant, people(3), overrides=texts)
    assert sweep()["sent"] == 1
    (mail,) = server.messages
    assert mail["To"] == "office@keller.test"
    assert mail["Reply-To"] == "office@keller.test"
    assert mail["Cc"] is None
    assert mail["Bcc"] is None
    assert b"p1@example.test" not in mail.as_bytes()
    assert sorted(server.envelopes[0].rcpt_tos) == ["office@keller.test", *(f"p{i}@example.test" for i in range(3))]
    message.refresh_from_db()
    assert message.to_emails == ["office@keller.test"]
    assert message.bcc_emails == [f"p{i}@example.test" for i in range(3)]
    assert set(message.recipients.values_list("state", flat=True)) == {"sent"}
    assert queue_all(tenant, people(3), overrides=texts) == []
    (late,) = queue_all(tenant, people(4), overrides=texts)
    assert late.bcc_emails == ["p3@example.test"]


@pytest.mark.django_db(transaction=True)
def test_batches_by_language_and_partial_refusals(
    server: MailSink, tenant: Organization, settings_row: OrganizationSettings
) -> None:
    settings_row.mail_split_on = 2
    settings_row.save()
    Template.objects.create(tenant=tenant, kind="notification", to_email="office@keller.test", rest_bcc=True)
    english = [Recipient(f"e{i}@example.test", language="en") for i in range(3)]
    written = queue_all(tenant, [*people(5), *english])
    assert [(m.language, len(m.bcc_emails)) for m in written] == [("de", 2), ("de", 2), ("de", 1), ("en", 2), ("en", 1)]
    server.replies = {"p0@example.test": "550 gone", "p2@example.test": "450 later"}
    assert sweep()["waiting"] == 1
    first, second = written[0], written[1]
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.state == "sent"
    assert "p0@example.test: 550 gone" in first.error_msg
    assert dict(first.recipients.values_list("address", "state")) == {
        "p0@example.test": "bounced", "p1@example.test": "sent", "office@keller.test": "sent",
    }  # fmt: skip
    server.replies = {}
    make_due(second)
    assert sweep()["sent"] == 1
    assert server.envelopes[-1].rcpt_tos == ["p2@example.test"]  # nobody gets it twice
    second.refresh_from_db()
    assert second.state == "sent"


def test_without_rest_bcc_everybody_gets_the_own_mail_whatever_split_on_says() -> None:
    for split_on in (0, 1, 3):
        mails = envelopes(people(4), language="de", split_on=split_on)
        assert [m.to for m in mails] == [(f"p{i}@example.test",) for i in range(4)]
        assert not any(m.bcc for m in mails)


# --- Test mail --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("inside")
def test_test_mail_uses_the_wanted_configuration_and_failures_are_logged(
    server: MailSink, tenant: Organization, settings_row: OrganizationSettings
) -> None:
    assert send_test(to="it@keller.test", tenant=tenant) == ""
    assert server.messages[0]["Subject"] == "Test-E-Mail von Quartier"
    settings_row.mail_server, settings_row.mail_port, settings_row.mail_starttls = "127.0.0.1", 1, False
    settings_row.save()
    error = send_test(to="it@keller.test", tenant=tenant)
    assert error == "An diesem Anschluss antwortet niemand."
    row = Message.objects.with_errors().get()
    assert (row.state, row.kind, row.tenant_id) == ("failed", "test_mail", tenant.pk)
    assert "ConnectionRefusedError" in row.error_msg
    assert send_test(to="it@keller.test", tenant=tenant, app_config=True) == ""
    with pytest.raises(Invalid):
        send_test(to="nobody", tenant=tenant)


@pytest.mark.rule("DOCMS-154")
@pytest.mark.django_db(transaction=True)
def test_without_a_server_of_its_own_a_tenant_sends_through_the_installations(
    server: MailSink, tenant: Organization, settings_row: OrganizationSettings, settings: Any
) -> None:
    InstallationSettings.objects.create(
        mail_server="127.0.0.1", mail_port=server.port, mail_starttls=False, mail_sender="app@quartier.test"
    )
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    settings_row.mail_sender = "not-used@keller.test"  # without a server, the tenant's sender says nothing
    settings_row.save()
    queue_all(tenant, people(1))
    assert sweep()["sent"] == 1
    assert server.envelopes[0].mail_from == "app@quartier.test"
    assert server.messages[0]["From"].addresses[0].addr_spec == "app@quartier.test"
