"""Bearer tokens at the support door: whose network, which scope, how long."""

from __future__ import annotations

import datetime
import hashlib
import uuid
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from core.services import rows
from orgs.models import Membership, OAuthClient, OAuthToken
from orgs.services import passwords
from tests.tickets.door import NETWORK, TICKETS, Caller, basic
from tickets.models import Ticket

if TYPE_CHECKING:
    from orgs.models import Organization
    from tests.cast import Cast
    from tests.tickets.material import File


def bearer(
    cast: Cast, who: str = "admin", *, scope: str = "support", network: Organization | None = None, own: bool = False
) -> Caller:
    """A caller with a token that a persona gave to a program of the installation, or of the company (``own``)."""
    client = OAuthClient.objects.create(
        name="Anliegen-App", client_type="public", organization=cast.tenant if own else None
    )
    text = uuid.uuid4().hex
    OAuthToken.objects.create(
        user=getattr(cast, who), application=client, scope=scope, token="",
        token_checksum=hashlib.sha256(text.encode()).hexdigest(),
        expires=timezone.now() + datetime.timedelta(hours=1),
    )  # fmt: skip
    return Caller(Authorization=f"Bearer {text}", **{NETWORK: str((network or cast.tenant).uuid)})


def test_a_bearer_token_acts_as_its_person(cast: Cast, file: File) -> None:
    own, foreign = file("renter"), file("admin")
    caller = bearer(cast, "renter")
    assert caller.read(own)["ticket"]["id"] == str(own.uuid)
    caller.refused("GET", f"{TICKETS}/{foreign.uuid}", 404)


@pytest.mark.rule("TICKETS-001")
def test_a_bearer_token_without_network_is_400(cast: Cast, file: File) -> None:
    ticket, caller = file(), bearer(cast)
    caller.read(ticket)
    del caller.headers[NETWORK]
    assert caller.refused("GET", f"{TICKETS}/{ticket.uuid}", 400)["type"] == "missing_network"


@pytest.mark.rule("TICKETS-003")
def test_a_network_that_the_person_or_the_credentials_do_not_belong_to_is_403(cast: Cast, file: File) -> None:
    ticket = file()
    for network in (cast.other_tenant.uuid, uuid.uuid4()):
        for caller in (bearer(cast), basic(cast)):
            body = caller.refused("GET", f"{TICKETS}/{ticket.uuid}", 403, **{NETWORK: str(network)})
            assert body["type"] == "wrong_network"


def test_the_program_of_one_company_opens_no_other(cast: Cast) -> None:
    path = f"{TICKETS}/{uuid.uuid4()}"
    bearer(cast, "stranger", network=cast.other_tenant).refused("GET", path, 404)
    body = bearer(cast, "stranger", network=cast.other_tenant, own=True).refused("GET", path, 403)
    assert body["type"] == "wrong_network"


@pytest.mark.rule("TICKETS-004")
def test_scopes_say_what_a_bearer_token_may_do(cast: Cast, file: File) -> None:
    ticket = file()
    path, new = f"{TICKETS}/{ticket.uuid}", {"ticket": {"locationRef": str(cast.house_a.uuid), "text": "x"}}
    bearer(cast, scope="support").create(cast)
    reading = bearer(cast, scope="support.readonly")
    reading.read(ticket)
    assert reading.refused("POST", TICKETS, 403, new)["type"] == "insufficient_scope"
    assert bearer(cast, scope="portal").refused("GET", path, 403)["type"] == "insufficient_scope"
    assert Ticket.objects.count() == 2


@pytest.mark.parametrize("case", ["unknown", "expired", "revoked", "password"])
def test_bearer_tokens_that_do_not_work_are_401(cast: Cast, file: File, case: str) -> None:
    ticket, caller = file(), bearer(cast)
    caller.read(ticket)
    if case == "unknown":
        caller.headers["Authorization"] = "Bearer geraten"
    elif case == "expired":
        OAuthToken.objects.update(expires=timezone.now())
    elif case == "revoked":
        OAuthToken.objects.all().delete()
    else:
        passwords.set_password(cast.admin, "ein ganz anderer Satz 7!")
    assert caller.refused("GET", f"{TICKETS}/{ticket.uuid}", 401)["type"] == "unauthorized"


def test_a_member_who_was_deactivated_is_let_in_no_more(cast: Cast, file: File) -> None:
    ticket, caller = file(), bearer(cast)
    caller.read(ticket)
    Membership.objects.filter(user=cast.admin).update(deactivated_at=timezone.now() - datetime.timedelta(seconds=1))
    caller.refused("GET", f"{TICKETS}/{ticket.uuid}", 403)


@pytest.mark.rule("ORGS-054")
def test_bearer_tokens_of_somebody_who_owes_a_second_factor_do_nothing(cast: Cast, file: File) -> None:
    ticket, caller = file(), bearer(cast)
    caller.read(ticket)
    rows.change(cast.tenant, {"enforces_second_factor": True})
    body = caller.refused("GET", f"{TICKETS}/{ticket.uuid}", 403)
    assert body["type"] == "second_factor_required"


def test_a_repetition_through_a_renewed_token_is_one_creation(cast: Cast) -> None:
    caller = bearer(cast)
    body = {"ticket": {"locationRef": str(cast.house_a.uuid), "text": "Es tropft."}}
    first = caller.ok("POST", TICKETS, body, status=201, **{"Idempotency-Key": "a"})
    OAuthToken.objects.update(token_checksum=hashlib.sha256(b"neu").hexdigest())
    caller.headers["Authorization"] = "Bearer neu"
    again = caller.ok("POST", TICKETS, body, status=201, **{"Idempotency-Key": "a"})
    assert again == first
    assert Ticket.objects.count() == 1
