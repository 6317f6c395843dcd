"""A company, a person and the sink as mail server of the installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

# This file is loaded before Django's settings: fixtures import for themselves.
if TYPE_CHECKING:
    from collections.abc import Callable

    from messaging.models import Message
    from orgs.models import Organization, OrganizationSettings, User
    from tests.servers import MailSink


@pytest.fixture
def tenant(db: None) -> Organization:
    """A company that writes German."""
    from orgs.services.tenants import create_tenant

    return create_tenant(name="Brandt & Keller", created_by=None)


@pytest.fixture
def settings_row(tenant: Organization) -> OrganizationSettings:
    from orgs.models import OrganizationSettings

    return OrganizationSettings.objects.get(organization=tenant)


@pytest.fixture
def person(db: None) -> User:
    """Somebody who reads French."""
    from orgs.services.accounts import create_account

    return create_account(email="marie@example.test", first_name="Marie", last_name="Dupont", language="fr")


@pytest.fixture
def server(smtp: MailSink, settings: Any) -> MailSink:
    """The sink, as the installation's mail server."""
    settings.EMAIL_URL = smtp.url
    settings.DEFAULT_FROM_EMAIL = "portal@quartier.test"
    return smtp


@pytest.fixture
def write(tenant: Organization) -> Callable[..., Message]:
    """Put a mail into the outbox, the way a service does it."""
    from core import scope
    from messaging.services import outbox
    from messaging.services.split import Recipient

    def write(address: str = "anna@example.test", **values: Any) -> Message:
        values = {"kind": "welcome", "tenant": tenant, "context": {}, "dedupe_key": f"test:{address}", **values}
        with scope.unit_of_work(door="test", tenants=[tenant.pk]):
            message = outbox.queue(to=Recipient(address, name="Anna Sommer"), **values)
        assert message is not None
        return message

    return write
