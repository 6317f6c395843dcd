"""The system log over HTTP: what clients report, and who reads it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.models import SystemLog
from core.services import rows
from orgs.models import Membership
from tests.docms.door import PDF, Caller, cost_of, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
PATH = "/systemlogs"
SECRET = "geheim-0815"


@pytest.fixture
def operator(cast: Cast) -> Caller:
    """Who runs the installation, with a place in the company."""
    rows.create(Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff")
    return signed_in(cast.operator, cast.tenant)


def report(caller: Caller, *actions: str) -> list[dict[str, Any]]:
    """Errors of these names."""
    made: list[dict[str, Any]] = caller.ok("POST", PATH, [{"category": "mail", "action": action} for action in actions])
    return made


@pytest.mark.rule("DOCMS-166")
def test_clients_report_several_errors_at_once(cast: Cast, renter: Caller) -> None:
    before = timezone.now()
    wish = [
        {"category": "mail", "action": "Größe 😀", "stacktrace": "Zeile 1\nZeile 2"},
        {"category": "frontend", "action": "", "stacktrace": None},
        {"category": "", "action": "x"},
    ]
    forged = {"user_id": cast.admin.pk, "tenant_id": cast.other_tenant.pk, "created": "2001-01-01T00:00:00Z"}
    made = renter.ok("POST", PATH, [entry | forged for entry in wish])
    assert [(m["category"], m["action"], m["stacktrace"]) for m in made] == [
        ("mail", "Größe 😀", "Zeile 1\nZeile 2"),
        ("frontend", "", None),
        ("frontend", "x", None),
    ]
    stored = {row.pk: row for row in SystemLog.objects.all()}
    assert stored.keys() == {m["systemlog_id"] for m in made}
    for row in stored.values():
        assert (row.user_id, row.tenant_id) == (cast.renter.pk, cast.tenant.pk)
        assert before <= row.created_at <= timezone.now()
    assert {(m["user_id"], m["tenant_id"]) for m in made} == {(cast.renter.pk, cast.tenant.pk)}


def test_areas_that_nobody_knows_count_as_frontend(renter: Caller) -> None:
    known = ["frontend", "backend", "mail", "sms", "storage", "license", "update", "job"]
    made = renter.ok("POST", PATH, [{"category": name, "action": "x"} for name in [*known, "Wetter"]])
    assert [m["category"] for m in made] == [*known, "frontend"]


@pytest.mark.rule("DOCMS-166")
def test_only_the_operator_reads_and_deletes(cast: Cast, admin: Caller, renter: Caller, operator: Caller) -> None:
    (mine,) = report(renter, "meiner")
    report(signed_in(cast.stranger, cast.other_tenant), "fremder")
    for caller in (admin, renter, signed_in(cast.guest, cast.tenant)):
        caller.refused("GET", PATH, 403)
        caller.refused("DELETE", f"{PATH}/{mine['systemlog_id']}", 403)
        caller.refused("DELETE", f"{PATH}/999999999", 403)
    Caller().refused("POST", PATH, 401, [{"category": "mail", "action": "x"}])
    assert [entry["action"] for entry in operator.ok("GET", PATH)] == ["fremder", "meiner"]
    assert operator.ok("GET", PATH)[1] == mine
    operator.ok("DELETE", f"{PATH}/{mine['systemlog_id']}")
    assert [entry["action"] for entry in operator.ok("GET", PATH)] == ["fremder"]
    operator.refused("DELETE", f"{PATH}/{mine['systemlog_id']}", 404)


def test_the_list_comes_in_pages(operator: Caller, renter: Caller) -> None:
    report(renter, *(f"f{number}" for number in range(5)))
    assert [entry["action"] for entry in operator.ok("GET", f"{PATH}?limit=2")] == ["f4", "f3"]
    assert [entry["action"] for entry in operator.ok("GET", f"{PATH}?limit=2&offset=3")] == ["f1", "f0"]
    for wrong in ("limit=0", "limit=501", "offset=-1", "limit=x"):
        operator.refused("GET", f"{PATH}?{wrong}", 400)


@pytest.mark.parametrize(
    "wrong",
    [
        [], {}, {"category": "mail", "action": "x"}, "x", [{"category": "mail"}], [{"action": "x"}], [None], ["x"],
        [{"category": "x" * 51, "action": "x"}], [{"category": "mail", "action": "x" * 101}],
        [{"category": "mail", "action": "x", "stacktrace": "x" * 20001}], [{"category": None, "action": "x"}],
        [{"category": "mail", "action": 5, "stacktrace": {}}], [{"category": "mail", "action": "x"}] * 51,
        [{"category": "mail", "action": "gut"}, {"category": "mail"}],
    ],
)  # fmt: skip
def test_wrong_reports_are_refused_as_a_whole(renter: Caller, wrong: Any) -> None:
    renter.refused("POST", PATH, 400, wrong)
    assert not SystemLog.objects.exists()


def test_fifty_of_the_longest_are_taken(renter: Caller) -> None:
    longest = {"category": "mail", "action": "ü" * 100, "stacktrace": "ü" * 20000}
    assert len(renter.ok("POST", PATH, [longest] * 50)) == 50


@pytest.mark.rule("DOCMS-167")
@pytest.mark.parametrize(
    "trace",
    [
        f"login failed with password={SECRET}",
        json.dumps({"current_password": f"{SECRET} mit, Leerzeichen", "darkmode": True}),
        json.dumps({"body": json.dumps({"new_password": f"ein {SECRET}"})}),
        f"{{'Authorization': 'Bearer {SECRET}'}}",
        json.dumps({"headers": {"Authorization": f"Basic {SECRET}=="}}),
        f"fetch(Bearer {SECRET}-0123456789)",
        f"PUT /docms/api/v1/password/token/{SECRET} 404",
        f"POST /docms/api/v1/tfa/{SECRET}/verify 401",
        f"tfa_key: {SECRET}",
        f"code = {SECRET}",
        f"sms_api_key='{SECRET}'",
        f"https://quartier.test/app/password/{SECRET}",
    ],
)
def test_secrets_in_reports_are_not_stored(renter: Caller, trace: str) -> None:
    entry = {"category": "frontend", "action": trace[:100], "stacktrace": f"vorher\n{trace}\nnachher"}
    (made,) = renter.ok("POST", PATH, [entry])
    stored = SystemLog.objects.get()
    for text in (json.dumps(made), stored.action, stored.stacktrace):
        assert SECRET not in text
    assert "***" in stored.stacktrace
    assert stored.stacktrace.startswith("vorher\n")
    assert stored.stacktrace.endswith("\nnachher")


@pytest.mark.rule("DOCMS-167")
def test_content_in_reports_is_not_stored(renter: Caller) -> None:
    content = base64.b64encode(PDF * 2).decode()
    traces = [json.dumps({"file_data": content[:80]}), f"upload of data:application/pdf;base64,{content} failed"]
    renter.ok("POST", PATH, [{"category": "storage", "action": "upload", "stacktrace": trace} for trace in traces])
    assert len(SystemLog.objects.values_list("stacktrace", flat=True)) == 2
    assert not any(content[:80] in trace for trace in SystemLog.objects.values_list("stacktrace", flat=True))


def test_the_list_costs_the_same_for_one_and_three(operator: Caller, renter: Caller) -> None:
    report(renter, "a")
    one = cost_of(operator, PATH)
    report(renter, "b", "c")
    assert cost_of(operator, PATH) == one
