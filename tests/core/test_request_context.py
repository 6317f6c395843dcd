"""What a failed request leaves behind: log lines that name it, and one entry in the system log."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.utils import timezone

from core import scope
from core.admin.operations import JobRunAdmin
from core.api import DoorView
from core.logs import ContextFilter, JsonFormatter
from core.models import JobRun, SystemLog
from core.services import system_log
from docms.api import folders
from portal.web import sign_in, start
from tests.docms.door import PREFIX, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast


class Lines:
    """The log as production writes it."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(JsonFormatter())
        self.handler.addFilter(ContextFilter())

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.stream.getvalue().splitlines()) if line["logger"] == logger]


@pytest.fixture
def lines() -> Iterator[Lines]:
    made = Lines()
    logging.getLogger().addHandler(made.handler)
    yield made
    logging.getLogger().removeHandler(made.handler)


@pytest.fixture
def browser(client: Client) -> Client:
    client.raise_request_exception = False
    return client


@pytest.fixture
def renter(cast: Cast, browser: Client) -> Client:
    browser.force_login(cast.renter, backend="orgs.auth.SessionBackend")
    return browser


@pytest.fixture
def operator(cast: Cast, browser: Client) -> Client:
    browser.force_login(cast.operator, backend="orgs.auth.SessionBackend")
    return browser


def fail(*args: Any, **kwargs: Any) -> Any:
    JobRun.objects.create(name="undone", started_at=timezone.now())
    raise RuntimeError("the roof leaks, token=GEHEIM123")


def forbid(*args: Any, **kwargs: Any) -> Any:
    raise PermissionDenied


# --- Log lines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("view", "status"), [(fail, 500), (forbid, 403), (None, 404)])
def test_django_s_line_of_a_failed_page_names_request_account_and_tenants(
    cast: Cast, renter: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch, view: Any, status: int
) -> None:
    path = "/app/documents/999999999"
    if view is not None:
        path = "/app/places"
        monkeypatch.setattr(start, "search_places", view)
    answer = renter.get(path)
    assert answer.status_code == status
    (line,) = lines.of("django.request")
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["status_code"], line["door"], line["user_id"]) == (status, "web", cast.renter.pk)
    assert ("exc_info" in line) is (status == 500)  # a refusal is an answer, no fault
    assert cast.tenant.pk in line["tenants"]
    assert "GEHEIM123" not in lines.stream.getvalue()
    assert ("the roof leaks" in lines.stream.getvalue()) == (status == 500)


@pytest.mark.django_db
def test_the_line_of_an_unknown_path_names_the_request_that_the_caller_has_named(browser: Client, lines: Lines) -> None:
    answer = browser.get("/no/such/path", headers={"X-Request-Id": "of-the-caller"})
    assert answer.headers["X-Request-Id"] == "of-the-caller"
    (line,) = lines.of("django.request")
    assert (line["request_id"], line["user_id"], line["tenants"]) == ("of-the-caller", None, [])


def test_lines_of_an_api_name_request_account_and_tenant(
    cast: Cast, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders.folders, "create_folder", fail)
    caller = signed_in(cast.admin, cast.tenant)
    caller.refused("POST", "/folders", 500, {"name": "x"})
    caller.refused("GET", "/folders/999999999", 404)
    (failed,) = lines.of("core.api")
    answered, not_found = lines.of("django.request")
    assert failed["request_id"] == answered["request_id"] != not_found["request_id"]
    for line in (failed, answered, not_found):
        assert (line["door"], line["user_id"], line["tenants"]) == ("docms", cast.admin.pk, [cast.tenant.pk])


@pytest.mark.django_db
def test_a_request_lends_its_id_to_units_of_work_that_have_none() -> None:
    with scope.serving(door="web", ip=None, request_id="of-the-request") as served:
        with scope.unit_of_work(door="job", user_id=7) as unit, scope.unit_of_work(door="web"):
            assert unit.request_id == scope.current().request_id == "of-the-request"
        assert served.scope == scope.latest()
        assert (served.scope.user_id, served.scope.request_id) == (7, "of-the-request")
    assert scope.latest().request_id == ""


# --- The system log ---------------------------------------------------------------------------------------


def test_an_error_of_a_page_is_one_entry_and_what_the_page_wrote_is_gone(
    cast: Cast, renter: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "search_places", fail)
    answer = renter.get("/app/places?code=GEHEIM456")
    assert answer.status_code == 500
    entry = SystemLog.objects.get()
    assert (entry.category, entry.action, entry.user_id) == ("backend", "GET /app/places", cast.renter.pk)
    assert entry.stacktrace.startswith(f"Request {answer.headers['X-Request-Id']}\n")
    assert entry.stacktrace.rstrip().endswith("RuntimeError: the roof leaks, token=***")
    assert not JobRun.objects.filter(name="undone").exists()


def test_an_error_of_the_back_office_is_one_entry(
    cast: Cast, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobRunAdmin, "get_queryset", fail)
    answer = operator.get("/admin/core/jobrun/")
    assert answer.status_code == 500
    entry = SystemLog.objects.get()
    assert (entry.action, entry.user_id) == ("GET /admin/core/jobrun/", cast.operator.pk)
    assert answer.headers["X-Request-Id"] in entry.stacktrace
    assert "the roof leaks" in entry.stacktrace


def test_an_error_in_one_tenant_names_it(cast: Cast, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.force_login(cast.admin, backend="orgs.auth.SessionBackend")
    monkeypatch.setattr(JobRunAdmin, "may_see", fail)
    assert browser.get("/admin/core/jobrun/").status_code == 500
    assert SystemLog.objects.get().tenant_id == cast.tenant.pk


def test_an_error_of_an_api_is_one_entry_even_when_its_answer_fails_too(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders.folders, "create_folder", fail)
    caller = signed_in(cast.admin, cast.tenant)
    caller.refused("POST", "/folders", 500, {"name": "x"})
    monkeypatch.setattr(DoorView, "finalize_response", fail)
    body = {"data": '{"name": "x"}', "content_type": "application/json"}
    answer = caller.client.post(f"{PREFIX}/folders", **body, headers={"Authorization": f"Bearer {caller.token}"})
    assert answer.status_code == 500
    first, second = SystemLog.objects.order_by("pk")
    assert (first.user_id, first.tenant_id) == (second.user_id, second.tenant_id) == (cast.admin.pk, cast.tenant.pk)


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_no_error(cast: Cast, renter: Client, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setattr(start, "search_places", forbid)
    path = "/app/places" if status == 403 else "/app/documents/999999999"
    assert renter.get(path).status_code == status
    assert not SystemLog.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_entry_outlives_the_account_that_the_request_made_and_lost() -> None:
    request = RequestFactory().get("/app/%00")
    with scope.serving(door="web", ip=None, request_id="of-the-request") as request.served:  # type: ignore[attr-defined]
        request.served.scope = replace(request.served.scope, user_id=999_999_999)  # type: ignore[attr-defined]
        system_log.report(request, RuntimeError("half of a character: \ud800, a zero: \x00" + "x" * 30_000))
    entry = SystemLog.objects.get()
    assert (entry.user_id, entry.action) == (None, "GET /app/")
    assert len(entry.stacktrace) <= 20_000
    assert entry.stacktrace.startswith("Request of-the-request\n")


@pytest.mark.django_db
def test_a_system_log_that_cannot_be_written_raises_nothing(
    browser: Client, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    monkeypatch.setattr(sign_in, "SignInForm", fail)
    monkeypatch.setattr(system_log, "_write", fail)
    assert browser.get("/app/login").status_code == 500
    (line,) = lines.of("core.services.system_log")
    assert line["message"] == "could not write the system log"
