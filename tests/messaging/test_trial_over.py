"""Once a trial is over without a booking nothing leaves the company but what opens an account (ORGS-081)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.errors import Denied
from core.models import SystemLog
from messaging.models import Message
from messaging.services import outbox, texting
from messaging.services.deliver import deliver, send_test
from orgs import rules
from orgs.models import Membership, Organization
from orgs.services import invites, passwords
from orgs.services.tenants import add_member, create_organization
from orgs.signals import user_created
from tests.messaging.helpers import people, queue_all
from tests.messaging.test_texting import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

    from orgs.models import User
    from tests.cast import Cast
    from tests.gateway import Gateway
    from tests.servers import MailSink

    Write = Callable[..., Message]

pytestmark = pytest.mark.django_db


def end_trial(tenant: Organization) -> None:
    """Its trial is over now."""
    tenant.trial_ends_at = timezone.now()
    tenant.save(update_fields=["trial_ends_at"])


def book(tenant: Organization) -> None:
    tenant.booked_at = timezone.now()
    tenant.save(update_fields=["booked_at"])


@pytest.mark.rule("ORGS-081")
def test_a_notice_is_refused_with_the_reason_until_the_company_books(tenant: Organization) -> None:
    end_trial(tenant)
    assert tenant.state == "inactive"
    with pytest.raises(Denied) as refused:
        queue_all(tenant, people(1))
    assert refused.value.code == "trial_over"
    assert not Message.objects.exists()
    book(tenant)
    assert len(queue_all(tenant, people(1))) == 1


@pytest.mark.rule("ORGS-081")
def test_a_text_message_is_refused(tenant: Organization) -> None:
    values: dict[str, Any] = {"kind": "share_sms", "tenant": tenant, "to": NUMBER, "context": {}, "dedupe_key": "one"}
    end_trial(tenant)
    with pytest.raises(Denied):
        texting.queue(**values)
    assert not Message.objects.exists()
    book(tenant)
    assert texting.queue(**values).state == "queued"


@pytest.mark.rule("ORGS-081")
def test_an_invitation_of_a_resident_is_refused_and_undone(cast: Cast) -> None:
    contact = cast.contact("renter")
    contact.user, contact.email = None, "neu@example.test"
    contact.save()
    values: dict[str, Any] = {
        "contact": contact, "invited_by": cast.admin, "community": cast.house_a, "unit": cast.unit_a2,
    }  # fmt: skip
    end_trial(contact.tenant)
    with pytest.raises(Denied):
        invites.invite_contact(**values)
    assert not Message.objects.exists()
    assert not contact.invites.exists()
    book(contact.tenant)
    invites.invite_contact(**values)
    assert Message.objects.get().kind == "invite"


def test_the_ways_into_an_account_still_go(server: MailSink, tenant: Organization, person: User) -> None:
    end_trial(tenant)
    passwords.first_or_reset_link(person, tenant=tenant)
    mail = Message.objects.get()
    assert (mail.kind, mail.tenant) == ("password_init", tenant)
    deliver([mail.pk])
    assert len(server.messages) == 1


def test_the_settings_of_mail_can_still_be_tried(server: MailSink, tenant: Organization) -> None:
    end_trial(tenant)
    assert send_test(to="anna@example.test", tenant=tenant) == ""
    assert len(server.messages) == 1


def test_a_new_member_comes_in_without_the_welcome_and_the_system_log_says_so(
    tenant: Organization, person: User
) -> None:
    end_trial(tenant)
    membership = add_member(user=person, organization=tenant, role="guest")
    user_created.send(sender=Membership, membership=membership, welcome=True)
    assert not Message.objects.exists()
    entry = SystemLog.objects.get(tenant=tenant)
    assert (entry.category, entry.action) == ("mail", f"welcome: membership {membership.pk}")
    assert "trial" in entry.stacktrace


def test_what_waited_when_the_trial_ended_is_not_sent_and_says_why(
    server: MailSink, tenant: Organization, write: Write
) -> None:
    message = write()
    end_trial(tenant)
    assert deliver([message.pk])["failed"] == 1
    message.refresh_from_db()
    assert (message.state, "trial" in message.error_msg) == ("failed", True)
    with pytest.raises(Denied):
        outbox.resend(Message.objects.get())
    assert not server.messages
    book(tenant)
    outbox.resend(Message.objects.get())
    assert deliver([message.pk])["sent"] == 1


def test_a_text_message_that_waited_when_the_trial_ended_is_not_sent(tenant: Organization, gateway: Gateway) -> None:
    with scope.unit_of_work(door="test", tenants=[tenant.pk]):
        message = texting.queue(kind="share_sms", tenant=tenant, to=NUMBER, context={}, dedupe_key="one")
    end_trial(tenant)
    assert texting.deliver([message.pk])["failed"] == 1
    message.refresh_from_db()
    assert (message.state, "trial" in message.error_msg) == ("failed", True)


def test_a_branch_stops_with_its_company(cast: Cast) -> None:
    branch = create_organization(name="Zweig", created_by=cast.admin, parent=cast.tenant)
    assert rules.may_use(branch)
    end_trial(cast.tenant)
    branch = Organization.objects.get(pk=branch.pk)
    assert (branch.state, bool(rules.may_use(branch))) == ("active", False)
    assert rules.may_use(cast.other_tenant)
