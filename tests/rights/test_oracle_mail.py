"""Who is told of a new paper: everybody the contract names, nobody else, and nobody who would not see it (DOCMS-144)."""

from __future__ import annotations

import pytest
from hypothesis import given

from core import scope
from docms.models import Document
from docms.services import notify
from docms.signals import document_published
from messaging.models import Message, MessageRecipient
from orgs.actor import actor_for
from orgs.models import User
from tests.rights.worlds import oracle
from tests.rights.worlds import world as facts
from tests.rights.worlds.compare import Names, Report
from tests.rights.worlds.generate import worlds
from tests.rights.worlds.profiles import examples
from tests.rights.worlds.store import standing
from tests.rights.worlds.world import World

pytestmark = pytest.mark.django_db


def compare_mails(world: World, report: Report) -> None:
    """Publish every paper of the world and read the outbox."""
    names, heard = Names(world), {}
    addresses = {f"{user}@world.test": user for user in world.users}

    def hear(document: Document, people: frozenset[int], **_others: object) -> None:
        heard[document.pk] = people

    document_published.connect(hear)
    try:
        for document in world.documents:
            with scope.unit_of_work(door="worker", tenants=[document.tenant.pk]):
                sent = notify.announce(document.pk)
                again = notify.announce(document.pk)
            report.equal(f"mails about {document} the second time", again, 0)
            told = names.of(facts.User, heard.get(document.pk, ()))
            report.same(f"told of {document}", told, oracle.told(world, document), of=len(world.users))
            wanted = oracle.mailed(world, document)
            recipients = MessageRecipient.objects.filter(document_id=document.pk)
            found = names.of(facts.User, recipients.values_list("user_id", flat=True))
            report.same(f"recipients of {document}", found, wanted, of=len(world.users))
            messages = Message.objects.filter(pk__in=recipients.values("message_id"))
            to = [addresses.get(a, a) for m in messages for a in [*m.to_emails, *m.bcc_emails]]
            report.same(f"addresses of {document}", to, wanted)
            report.equal(f"number of mails about {document}", sent, len(wanted))
            for user in User.objects.filter(pk__in=heard.get(document.pk, ())):
                actor = actor_for(user, door="test")
                sees = Document.objects.visible_to(actor).filter(pk=document.pk)
                report.equal(f"{user.email}, who is told, sees {document}", sees.exists(), True)
    finally:
        document_published.disconnect(hear)


@examples(8)
@given(worlds(documents=8))
def test_mails_go_to_whom_the_contract_names(world: World) -> None:
    report = Report()
    with standing(world):
        compare_mails(world, report)
    assert not report.differences, "\n".join(report.differences)
