"""The test mail over HTTP, with a real mail server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from core.services import rows
from messaging.models import Message
from orgs.models import InstallationSettings, Membership
from tests.docms.door import Caller, settings_of, signed_in
from tests.servers import MailSink, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("inside")]

SECRET = "ganz-geheim-4711"


@pytest.fixture
def sinks() -> Iterator[tuple[MailSink, MailSink]]:
    """The mail server of the tenant, and that of the installation."""
    made = MailSink(), MailSink()
    for sink in made:
        sink.start()
    yield made
    for sink in made:
        sink.stop()


@pytest.fixture
def operator(cast: Cast) -> Caller:
    """Who runs the installation, as a member of Brandt & Keller."""
    rows.create(
        Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff", admin_perm=True
    )
    return signed_in(cast.operator, cast.tenant)


def configure(cast: Cast, tenant: MailSink, app: MailSink) -> None:
    """Both have a server of their own."""
    values = {"mail_server": "127.0.0.1", "mail_starttls": False}
    settings_of(cast, **values, mail_port=tenant.port, mail_sender="haus@brandt.test")
    InstallationSettings.objects.create(**values, mail_port=app.port, mail_sender="post@betreiber.test")


@pytest.mark.rule("DOCMS-155")
@pytest.mark.rule("DOCMS-188")
def test_the_test_mail_takes_the_tenants_configuration(
    cast: Cast, admin: Caller, sinks: tuple[MailSink, MailSink]
) -> None:
    configure(cast, *sinks)
    admin.ok("POST", "/test-mail")
    (mail,) = sinks[0].to(cast.admin.email)
    assert "haus@brandt.test" in mail["From"] and sinks[1].messages == []
    assert mail["Reply-To"] is None  # that is for templates that name one (DOCMS-193)
    row = Message.objects.get(kind="test_mail")
    assert (row.state, row.tenant, row.caused_by) == ("sent", cast.tenant, cast.admin)
    assert [log["subject"] for log in admin.ok("GET", "/maillogs")] == [row.subject]


@pytest.mark.rule("DOCMS-155")
def test_with_appconfig_it_takes_the_applications(
    cast: Cast, admin: Caller, operator: Caller, sinks: tuple[MailSink, MailSink]
) -> None:
    configure(cast, *sinks)
    admin.refused("POST", "/test-mail?appconfig=true", 403)
    operator.ok("POST", "/test-mail?appconfig=true")
    (mail,) = sinks[1].to(cast.operator.email)
    assert "post@betreiber.test" in mail["From"] and sinks[0].messages == []
    operator.ok("POST", "/test-mail?appconfig=false")
    assert len(sinks[0].to(cast.operator.email)) == 1


def test_only_administrators_send_one(cast: Cast, renter: Caller, sinks: tuple[MailSink, MailSink]) -> None:
    configure(cast, *sinks)
    renter.refused("POST", "/test-mail", 403)
    assert sinks[0].messages == sinks[1].messages == []
    assert not Message.objects.filter(kind="test_mail").exists()


@pytest.mark.rule("DOCMS-155")
def test_a_failure_is_a_400_and_a_mail_error(cast: Cast, admin: Caller, sinks: tuple[MailSink, MailSink]) -> None:
    configure(cast, *sinks)
    sinks[0].replies[cast.admin.email] = "550 5.7.1 no such user"
    refusal = admin.refused("POST", "/test-mail", 400)
    assert "550" in refusal["message"]
    (error,) = admin.ok("GET", "/maillogs/errors")
    assert "550" in error["error_msg"] and error["to_emails"] == cast.admin.email
    assert Message.objects.get(kind="test_mail").state == "bounced"


class Gossip(MailSink):
    """Refuses every login and quotes it."""

    def start(self) -> None:
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, authenticator=self.refuse, auth_require_tls=False
        )
        self._controller.start()

    def refuse(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(
            success=False, handled=False, message=f"535 no {data.login.decode()} with {data.password.decode()}"
        )


@pytest.mark.rule("DOCMS-155")
@pytest.mark.rule("DOCMS-167")
def test_credentials_stand_in_no_error(cast: Cast, admin: Caller, sinks: tuple[MailSink, MailSink]) -> None:
    gossip = Gossip()
    gossip.start()
    configure(cast, gossip, sinks[1])
    settings_of(cast, mail_user="hausmeister", mail_password=SECRET)
    answer = admin.call("POST", "/test-mail")
    gossip.stop()
    assert answer.status == 400 and "535 no *** with ***" in answer.body["message"]
    (error,) = admin.ok("GET", "/maillogs/errors")
    assert "535 no *** with ***" in error["error_msg"]
    assert SECRET not in str(error) + str(answer.body) and "hausmeister" not in str(error)


def test_a_server_that_is_down_is_a_400(cast: Cast, admin: Caller) -> None:
    settings_of(cast, mail_server="127.0.0.1", mail_port=free_port(), mail_starttls=False)
    assert admin.refused("POST", "/test-mail", 400)["message"] == "An diesem Anschluss antwortet niemand."
    assert len(admin.ok("GET", "/maillogs/errors")) == 1
    assert Message.objects.get(kind="test_mail").state == "failed"  # and nothing tries it again


@pytest.mark.parametrize("query", ["?appconfig=vielleicht", "?appconfig="])
def test_an_odd_switch_is_refused(admin: Caller, query: str) -> None:
    admin.refused("POST", "/test-mail" + query, 400)
