"""What the tests of erasing people share."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from django.core.management import call_command

from orgs.models import Contact, User
from orgs.services import contacts, erase
from tests.factories import ProcessFactory

if TYPE_CHECKING:
    from tests.cast import Cast

OUTSIDER = "gast@woanders.test"


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("erase_person", *args, stdout=out)
    return out.getvalue()


def gone(cast: Cast, who: str = "renter") -> User:
    """Erase an account and read what is left of it."""
    user = getattr(cast, who)
    erase.erase_account(user=user)
    return User.objects.get(pk=user.pk)


def an_entry(cast: Cast, **values: Any) -> Contact:
    known = {"first_name": "Zacharias", "last_name": "Wunderlich", "email": OUTSIDER, "mobile": "+49170999888"} | values
    return contacts.create_contact(tenant=cast.tenant, **known)


def a_case(cast: Cast, **values: Any) -> Any:
    party = cast.contact("renter")
    values = {"unit": cast.unit_a2, "account": cast.admin, "created_by_party": party, "contact": party} | values
    return ProcessFactory(subject="Schlüssel", **values)
