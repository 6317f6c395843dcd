"""Invitations, password links and new accounts become mail in the transaction that announces them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core import scope
from messaging.models import Message
from orgs.models import Community, Contact, InstallationSettings, Membership, Unit, User
from orgs.services import invites, passwords
from orgs.services.contacts import create_contact
from orgs.services.tenants import add_member
from orgs.signals import user_created

if TYPE_CHECKING:
    from orgs.models import Organization


@pytest.fixture
def unit(tenant: Organization) -> Unit:
    house = Community.objects.create(tenant=tenant, organization=tenant, name="Ahornstraße 12")
    return Unit.objects.create(tenant=tenant, community=house, identifier="07", name="Wohnung 07")


@pytest.fixture
def contact(tenant: Organization) -> Contact:
    return create_contact(
        tenant=tenant, first_name="Anna", last_name="Sommer", email="anna@example.test", language="pl"
    )


def test_an_invitation_is_mailed_with_code_and_link(unit: Unit, contact: Contact, person: User) -> None:
    invite = invites.invite_contact(contact=contact, invited_by=person, community=unit.community, unit=unit)
    message = Message.objects.get()
    assert (message.kind, message.language, message.to_emails) == ("invite", "pl", ["anna@example.test"])
    assert message.caused_by == person
    assert message.recipients.get().contact == contact
    assert message.subject == "Zaproszenie do portalu Brandt & Keller"
    for body in (message.body_text, message.body_html):
        assert f"https://quartier.test/app/invite/{invite.code}" in body
        assert invites.readable(invite.code) in body
        assert "Ahornstraße 12 · Wohnung 07" in body
        assert "Marie Dupont" in body
        assert f"{invite.expires_on.year}" in body
    invites.renew(invite)
    assert Message.objects.count() == 2  # a renewed one is mailed again


def test_without_language_the_invitation_speaks_the_tenants(unit: Unit, contact: Contact, person: User) -> None:
    contact.language = ""
    contact.save()
    invites.invite_contact(contact=contact, invited_by=person, community=unit.community, unit=unit)
    assert Message.objects.get().subject == "Ihre Einladung in das Portal von Brandt & Keller"


def test_without_address_nothing_is_mailed(unit: Unit, contact: Contact, person: User) -> None:
    contact.email = ""
    contact.save()
    invites.invite_contact(contact=contact, invited_by=person, community=unit.community, unit=unit)
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_undone_invitation_leaves_no_mail(unit: Unit, contact: Contact, person: User) -> None:
    def broken() -> None:
        with scope.unit_of_work(door="test"):
            invites.invite_contact(contact=contact, invited_by=person, community=unit.community, unit=unit)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert not Message.objects.exists()


@pytest.mark.django_db
@pytest.mark.rule("PORTAL-095")
def test_password_links_speak_the_accounts_language(tenant: Organization, person: User) -> None:
    InstallationSettings.objects.create(app_url="https://portal.keller.test")
    token = passwords.first_or_reset_link(person, tenant=tenant)
    person.set_password("x")
    person.save()
    passwords.first_or_reset_link(person)
    first, reset = Message.objects.order_by("id")
    assert (first.kind, first.language, first.tenant) == ("password_init", "fr", tenant)
    assert first.subject == "Choisissez votre mot de passe pour Quartier"
    assert f"https://portal.keller.test/app/password/{token}" in first.body_text
    assert "valable 72 heures" in first.body_text
    assert (reset.kind, reset.tenant) == ("password_reset", None)
    assert "valable 2 heures" in reset.body_text
    assert reset.recipients.get().user == person


@pytest.mark.django_db
def test_the_welcome_mail_can_be_left_out(tenant: Organization, person: User) -> None:
    membership = add_member(user=person, organization=tenant, role=Membership.Role.GUEST)
    user_created.send(sender=Membership, membership=membership, welcome=False)
    assert not Message.objects.exists()
    for _ in range(2):
        user_created.send(sender=Membership, membership=membership, welcome=True)
    message = Message.objects.get()
    assert message.subject == "Bienvenue sur le portail de Brandt & Keller"
    assert "https://quartier.test/app/login" in message.body_text
    assert "marie@example.test" in message.body_text
