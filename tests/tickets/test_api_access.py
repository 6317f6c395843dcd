"""Who gets in at the support door, and how refusals look."""

from __future__ import annotations

import base64
import datetime
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.services import rows
from orgs import audience
from orgs.models import AccessToken, Membership, Organization, SecondFactor
from orgs.services.tenants import create_organization
from tests.factories import stored
from tests.tickets.door import ATTACHMENTS, NETWORK, TICKETS, Caller, basic
from tickets.models import Ticket, TicketAttachment
from tickets.services import comments

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

NOBODY = uuid.UUID(int=4711)


@pytest.mark.rule("TICKETS-002")
def test_basic_credentials_need_no_network(cast: Cast, file: File) -> None:
    ticket = file()
    assert basic(cast).read(ticket)["ticket"]["id"] == str(ticket.uuid)


def test_the_own_network_may_be_named(cast: Cast, file: File) -> None:
    ticket = file()
    caller = basic(cast)
    for spelled in (str(cast.tenant.uuid), str(cast.tenant.uuid).upper()):
        caller.ok("GET", f"{TICKETS}/{ticket.uuid}", **{NETWORK: spelled})


def test_another_network_is_refused(cast: Cast, file: File) -> None:
    ticket, caller = file(), basic(cast)
    for other in (cast.other_tenant.uuid, uuid.uuid4()):
        body = caller.refused("GET", f"{TICKETS}/{ticket.uuid}", 403, **{NETWORK: str(other)})
        assert body["type"] == "wrong_network"
    assert caller.refused("GET", f"{TICKETS}/{ticket.uuid}", 400, **{NETWORK: "x"})["type"] == "invalid_network"


def test_reading_credentials_change_nothing(cast: Cast, file: File) -> None:
    ticket = file()
    caller = basic(cast, scopes=["support.readonly"])
    caller.read(ticket)
    caller.page(cast)
    for method, path, body in (
        ("POST", TICKETS, {"ticket": {"locationRef": str(cast.house_a.uuid), "text": "x"}}),
        ("POST", f"{TICKETS}/comment", {"activity": {"ticketRef": str(ticket.uuid), "text": "x"}}),
        ("PUT", f"{TICKETS}/{ticket.uuid}/status", {"ticket": {"status": "solved"}}),
        ("DELETE", f"{TICKETS}/{ticket.uuid}", None),
    ):
        assert caller.refused(method, path, 403, body)["type"] == "insufficient_scope"
    basic(cast, scopes=["other"]).refused("GET", f"{TICKETS}/{ticket.uuid}", 403)
    assert Ticket.objects.count() == 1


@pytest.mark.rule("TICKETS-065")
def test_without_credentials_nothing_is_stored(cast: Cast) -> None:
    answer = Caller().ask("POST", TICKETS, {"ticket": {"locationRef": str(cast.house_a.uuid), "text": "x"}})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    "case", ["unknown", "other secret", "other id", "expired", "revoked", "organization", "closed"]
)
def test_credentials_that_do_not_work_are_401(cast: Cast, file: File, case: str) -> None:
    ticket, caller = file(), basic(cast)
    caller.read(ticket)
    row = AccessToken.objects.get(kind="basic")
    now = timezone.now()
    if case == "expired":
        AccessToken.objects.update(expires_at=now - datetime.timedelta(seconds=1))
    elif case == "revoked":
        AccessToken.objects.update(revoked_at=now)
    elif case == "organization":
        Membership.objects.filter(user=cast.admin).update(deactivated_at=now - datetime.timedelta(seconds=1))
    elif case == "closed":
        Organization.objects.filter(pk=cast.tenant.pk).update(closed_at=now)
    elif case == "unknown":
        caller = Caller(row.public_id or "", "geraten")
    elif case == "other secret":
        other = basic(cast, "staff")
        secret = base64.b64decode(other.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")[2]
        caller = Caller(row.public_id or "", secret)
    else:
        secret = base64.b64decode(caller.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")[2]
        caller = Caller("jemand", secret)
    assert caller.refused("GET", f"{TICKETS}/{ticket.uuid}", 401)["type"] == "unauthorized"


@pytest.mark.rule("ORGS-054")
@pytest.mark.parametrize("above", [False, True])
def test_credentials_of_somebody_who_owes_a_second_factor_do_nothing(cast: Cast, file: File, above: bool) -> None:
    ticket, caller = file(), basic(cast)
    demanding = cast.tenant
    if above:
        with scope.unit_of_work(door="test"):
            demanding = create_organization(name="Dach", created_by=cast.operator)
        Organization.objects.filter(pk=cast.tenant.pk).update(parent=demanding, ancestors=[demanding.pk])
    rows.change(demanding, {"enforces_second_factor": True})
    for method, path, body in (
        ("GET", f"{TICKETS}/{ticket.uuid}", None),
        ("POST", TICKETS, {"ticket": {"locationRef": str(cast.house_a.uuid), "text": "x"}}),
    ):
        assert caller.refused(method, path, 403, body)["type"] == "second_factor_required"
    assert Ticket.objects.count() == 1
    SecondFactor.objects.create(
        user=cast.admin, secret="A" * 32, name="totp", confirmed_at=timezone.now(), confirmed=True
    )
    caller.read(ticket)


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic YQ==", "Bearer x", "Basic " + "A" * 9000, "x"])
def test_headers_that_are_none_are_401(cast: Cast, header: str) -> None:
    Caller(Authorization=header).refused("GET", f"{TICKETS}/{uuid.uuid4()}", 401)


@pytest.mark.rule("TICKETS-006", "TICKETS-007")
def test_a_rejected_payload_lists_each_problem_with_its_path(cast: Cast) -> None:
    body = basic(cast).refused("POST", TICKETS, 400, {"ticket": {"locationRef": "x", "text": "", "type": "pizza"}})
    assert body["type"] == "invalid"
    paths = {tuple(issue["path"]) for issue in body["issues"]}
    assert paths == {("ticket", "locationRef"), ("ticket", "text"), ("ticket", "type")}
    assert all(issue["message"] for issue in body["issues"])


@pytest.mark.rule("TICKETS-006")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{TICKETS}/{NOBODY}", 404),
        ("GET", f"{TICKETS}/x", 400),
        ("GET", TICKETS, 400),
        ("GET", "/support/nirgends", 404),
        ("DELETE", TICKETS, 404),
        ("PUT", f"{TICKETS}/{NOBODY}", 404),
        ("GET", f"{ATTACHMENTS}/{'x' * 30}", 404),
    ],
)
def test_every_error_is_json_with_text_and_code(cast: Cast, method: str, path: str, status: int) -> None:
    body = basic(cast).refused(method, path, status)
    assert isinstance(body["message"], str)
    assert isinstance(body["type"], str)


@pytest.mark.rule("TICKETS-008")
def test_the_eleventh_request_within_a_second_waits(cast: Cast, file: File, settings: Any, monkeypatch: Any) -> None:
    from core.services import rate

    moment = [1_000_000.0]
    monkeypatch.setattr(rate, "now", lambda: moment[0])
    settings.SUPPORT_RATE_LIMIT = 10
    ticket, caller, other = file(), basic(cast), basic(cast, "staff")
    for _number in range(10):
        caller.read(ticket)
    answer = caller.ask("GET", f"{TICKETS}/{ticket.uuid}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    other.read(ticket)
    moment[0] += 1
    caller.read(ticket)


@pytest.mark.rule("TICKETS-008")
def test_a_second_is_any_second_not_that_of_the_clock(
    cast: Cast, file: File, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1_000_000.9]
    monkeypatch.setattr("core.services.rate.now", lambda: moment[0])
    settings.SUPPORT_RATE_LIMIT = 10
    ticket, caller = file(), basic(cast)
    for _number in range(10):
        caller.read(ticket)
        moment[0] += 0.05
    assert caller.ask("GET", f"{TICKETS}/{ticket.uuid}").status_code == 429  # at .4, half a second after the first
    moment[0] = 1_000_001.91
    caller.read(ticket)  # the first is more than a second ago, the second is not
    assert caller.ask("GET", f"{TICKETS}/{ticket.uuid}").status_code == 429


def test_whoever_is_refused_is_told_why_for_a_while(
    cast: Cast, file: File, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.services.rate.now", lambda: 2_000_000.0)
    settings.SUPPORT_RATE_LIMIT = 10
    path, caller = f"{TICKETS}/{file().uuid}", basic(cast)
    statuses = [caller.ask("GET", path, **{"spacebring-network-id": str(NOBODY)}).status_code for _try in range(61)]
    assert statuses == [403] * 60 + [429]
    caller.ok("GET", path)  # who names the right one does not wait for it


@pytest.mark.rule("TICKETS-009")
def test_a_ticket_of_another_network_is_not_found_in_any_way(cast: Cast, file: File) -> None:
    theirs = file("stranger", community=cast.foreign_house)
    caller = basic(cast)
    unknown = caller.refused("GET", f"{TICKETS}/{NOBODY}", 404)
    for method, path, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("PUT", "/status", {"ticket": {"status": "solved"}}),
        ("PUT", "/assignee", {"ticket": {"userRefAssignee": None}}),
        ("PATCH", "/type", {"ticket": {"type": "other"}}),
    ):
        assert caller.refused(method, f"{TICKETS}/{theirs.uuid}{path}", 404, body) == unknown
    comment = {"activity": {"ticketRef": str(theirs.uuid), "text": "x"}}
    assert caller.refused("POST", f"{TICKETS}/comment", 404, comment) == unknown


def test_a_reader_by_sharing_knows_nothing_of_it_here(cast: Cast, file: File) -> None:
    ticket, admin = file(), basic(cast)
    shared = {"shared_with": [audience.community(cast.house_a.pk)], "shared_at": timezone.now()}
    Ticket.objects.filter(pk=ticket.pk).update(**shared)
    said = admin.comment(ticket, attachments=[{"key": admin.upload(cast)["key"]}])
    reader = basic(cast, "owner")
    assert reader.page(cast)["tickets"] == []
    comment = {"activity": {"ticketRef": str(ticket.uuid), "text": "x"}}
    for method, path, body in (
        ("GET", f"{TICKETS}/{ticket.uuid}", None),
        ("DELETE", f"{TICKETS}/{ticket.uuid}", None),
        ("PUT", f"{TICKETS}/{ticket.uuid}/status", {"ticket": {"status": "solved"}}),
        ("PUT", f"{TICKETS}/{ticket.uuid}/assignee", {"ticket": {"userRefAssignee": None}}),
        ("PATCH", f"{TICKETS}/{ticket.uuid}/type", {"ticket": {"type": "other"}}),
        ("POST", f"{TICKETS}/comment", comment),
        ("DELETE", f"{TICKETS}/comment/{said['id']}", None),
        ("GET", f"{ATTACHMENTS}/{said['data']['attachments'][0]['key']}", None),
    ):
        reader.refused(method, path, 404, body)


def test_a_file_of_an_internal_note_is_shown_to_nobody_here(cast: Cast, file: File) -> None:
    ticket = file()
    note = comments.add_note(actor=cast.actor("staff"), ticket=ticket, text="Siehe Foto")
    kept = TicketAttachment.objects.create(
        tenant=cast.tenant, ticket=ticket, activity=note, blob=stored(cast.tenant), name="foto.pdf"
    )
    for who in ("staff", "admin", "renter"):
        caller = basic(cast, who)
        caller.refused("GET", f"{ATTACHMENTS}/{kept.key}", 404)
        assert "foto.pdf" not in str(caller.read(ticket))


@pytest.mark.rule("TICKETS-068")
def test_a_body_above_a_mebibyte_is_413(cast: Cast) -> None:
    head = b'{"ticket": {"locationRef": "' + str(cast.house_a.uuid).encode() + b'", "text": "x", "rest": "'
    caller = basic(cast)
    assert caller.refused("POST", TICKETS, 413, raw=head + b"x" * (1024 * 1024) + b'"}}')["type"] == "too_large"
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b'"x"', b"null", b'{"ticket": null}', b'{"ticket": []}', b"\xff", b'{"a": "\\u0000"}']
)
def test_what_is_no_such_object_is_400(cast: Cast, raw: bytes) -> None:
    basic(cast).refused("POST", TICKETS, 400, raw=raw)
    assert not Ticket.objects.exists()
