"""Logs of the back office: filtered by kind, person and period, and exported exactly as they are filtered."""

from __future__ import annotations

import csv
import datetime
import io
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from config.admin_site import site
from core import scope
from core.admin import logs
from core.models import AuditEntry, SystemLog
from core.services import audit
from docms.models import DocumentLog
from orgs.models import SignInLog
from tests.portal.pages import house_folder, paper, queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

DOCUMENTS = "/admin/docms/documentlog/"
LOGS = [
    "core/auditentry", "core/jobrun", "core/systemlog", "orgs/signinlog", "docms/documentlog", "docms/readmark",
    "messaging/message", "tickets/inboundmail",
]  # fmt: skip


def exported(client: Client, log: str, **query: Any) -> list[list[str]]:
    """The lines of a file, its head first."""
    answer = client.get(f"{log}export/", query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    text = answer.getvalue().decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:]), delimiter=";"))


@pytest.fixture
def touched(cast: Cast) -> list[DocumentLog]:
    """What three people did with a paper, the last of them yesterday."""
    document = paper(cast, house_folder(cast), "Hausordnung")
    DocumentLog.objects.all().delete()
    made = []
    for who, action in (("renter", "read"), ("owner", "read"), ("renter", "download")):
        entry = DocumentLog(tenant=cast.tenant, document_id=document.pk, user=getattr(cast, who), action=action)
        entry.save()
        made.append(entry)
    yesterday = timezone.now() - datetime.timedelta(days=1)
    DocumentLog.objects.filter(pk=made[2].pk).update(created_at=yesterday)
    return made


def shown(client: Client, log: str, **query: Any) -> set[int]:
    """The rows of the list."""
    return {row.pk for row in client.get(log, query).context["cl"].result_list}


def test_a_log_is_filtered_by_kind_person_and_period(cast: Cast, touched: list[DocumentLog]) -> None:
    client, (first, second, third) = signed_in(cast.admin), touched
    assert shown(client, DOCUMENTS) == {first.pk, second.pk, third.pk}
    assert shown(client, DOCUMENTS, action__exact="read") == {first.pk, second.pk}
    assert shown(client, DOCUMENTS, person="renter muster") == {first.pk, third.pk}
    assert shown(client, DOCUMENTS, person="OWNER@quartier") == {second.pk}
    assert shown(client, DOCUMENTS, person="niemand") == set()
    today = f"{timezone.localdate():%d.%m.%Y}"
    assert shown(client, DOCUMENTS, created_at_from=today) == {first.pk, second.pk}
    assert shown(client, DOCUMENTS, created_at_from=today, person="renter") == {first.pk}
    yesterday = f"{timezone.localdate() - datetime.timedelta(days=1):%Y-%m-%d}"
    assert shown(client, DOCUMENTS, created_at_to=yesterday) == {third.pk}  # that day included
    assert shown(client, DOCUMENTS, created_at_from=yesterday, created_at_to=today) == {first.pk, second.pk, third.pk}
    assert len(shown(client, DOCUMENTS, created_at_from="irgendwann", created_at_to="9999-12-31")) == 3


def test_the_export_holds_exactly_what_the_list_shows(cast: Cast, touched: list[DocumentLog]) -> None:
    client = signed_in(cast.admin)
    head, *lines = exported(client, DOCUMENTS, person="renter")
    assert head[1:4] == ["Dokument", "Aktion", "Person"]
    assert [line[1:4] for line in lines] == [
        ["Hausordnung", "heruntergeladen", "Renter Muster"], ["Hausordnung", "Lesen", "Renter Muster"]
    ]  # fmt: skip
    assert len(exported(client, DOCUMENTS)) == 4
    page = client.get(DOCUMENTS, {"person": "renter"}).content.decode()
    assert f'href="{DOCUMENTS}export/?person=renter"' in page


def test_an_export_is_audited(cast: Cast, touched: list[DocumentLog]) -> None:
    client = signed_in(cast.admin)
    exported(client, DOCUMENTS, person="renter")
    entry = AuditEntry.objects.get(verb="exported")
    assert (entry.user_id, entry.tenant_id, entry.object_type) == (cast.admin.pk, cast.tenant.pk, "docms.documentlog")
    assert entry.changes == {"query": [None, "person=renter"], "form": [None, "csv"]}
    signed_in(cast.renter).get(f"{DOCUMENTS}export/")
    assert AuditEntry.objects.filter(verb="exported").count() == 1
    assert client.get("/admin/core/auditentry/").status_code == 200


def test_nothing_foreign_is_exported(cast: Cast, touched: list[DocumentLog]) -> None:
    assert len(exported(signed_in(cast.stranger), DOCUMENTS)) == 1
    for log in LOGS:
        assert signed_in(cast.renter).get(f"/admin/{log}/export/").status_code == 403
    for log in ("core/systemlog", "core/jobrun"):
        assert signed_in(cast.admin).get(f"/admin/{log}/export/").status_code == 403


def test_a_cell_is_no_formula(cast: Cast, touched: list[DocumentLog]) -> None:
    cast.renter.first_name = '=HYPERLINK("https://boese.test")'
    cast.renter.save()
    lines = exported(signed_in(cast.admin), DOCUMENTS, person="renter@")
    assert {line[3] for line in lines[1:]} == {'\'=HYPERLINK("https://boese.test") Muster'}


def test_too_many_lines_are_refused_and_not_cut(
    cast: Cast, touched: list[DocumentLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(cast.admin)
    monkeypatch.setattr(logs, "EXPORT_MAX", 2)
    answer = client.get(f"{DOCUMENTS}export/", {"person": "muster"})
    assert answer["Location"] == f"{DOCUMENTS}?person=muster"
    assert "2 Einträge" in client.get(DOCUMENTS).content.decode()
    assert len(exported(client, DOCUMENTS, action__exact="read")) == 3


@pytest.mark.parametrize(
    "query", ["created_at__year=99999", "created_at__gte=gestern", "e=1", "action__exact=%00", "id__exact=²"]
)
def test_a_filter_that_is_nonsense_is_no_error(cast: Cast, touched: list[DocumentLog], query: str) -> None:
    client = signed_in(cast.admin)
    answer = client.get(f"{DOCUMENTS}export/?{query}")
    assert answer.status_code in (200, 302, 400, 404)
    if answer.status_code == 302:
        assert client.get(answer["Location"], follow=True).status_code == 200
    elif answer.status_code == 200:
        answer.getvalue()


@pytest.mark.parametrize("log", LOGS)
def test_every_log_has_a_period_and_leaves_as_csv(cast: Cast, log: str) -> None:
    client = signed_in(cast.operator)
    with scope.unit_of_work(door="test", user_id=cast.admin.pk):
        SystemLog.objects.create(tenant=cast.tenant, category="test", action="Fehler")
        SignInLog.objects.create(user=cast.renter, tenant=cast.tenant, type="login", door="web")
    page = client.get(f"/admin/{log}/")
    assert page.status_code == 200
    assert any(isinstance(spec, logs.PeriodFilter) for spec in page.context["cl"].filter_specs), log
    head, *lines = exported(client, f"/admin/{log}/")
    assert all(head)
    assert all(len(line) == len(head) for line in lines)


def test_people_are_found_in_logs_that_know_only_their_number(cast: Cast) -> None:
    where = house_folder(cast)
    with scope.unit_of_work(door="test", user_id=cast.renter.pk):
        audit.record("changed", where, {"name": ["Alt", "Neu"]})
    client = signed_in(cast.admin)
    lines = exported(client, "/admin/core/auditentry/", person="renter")
    assert lines[1:]
    assert {line[1] for line in lines[1:]} == {"Renter Muster"}


@pytest.mark.parametrize("query", ["", "?person=renter"])
def test_a_log_costs_the_same_for_one_entry_and_three(cast: Cast, query: str) -> None:
    document = paper(cast, house_folder(cast))
    DocumentLog.objects.all().delete()
    client = signed_in(cast.admin)

    def add() -> None:
        DocumentLog(tenant=cast.tenant, document_id=document.pk, user=cast.renter, action="read").save()

    add()
    before = queries_of(client, DOCUMENTS + query), _export_cost(client, query)
    add()
    add()
    assert (queries_of(client, DOCUMENTS + query), _export_cost(client, query)) == before


def _export_cost(client: Client, query: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        client.get(f"{DOCUMENTS}export/{query}").getvalue()
    return len(captured)


def test_every_list_of_entries_is_a_log() -> None:
    """A new log that is registered without period and export would be noticed here."""
    found = {
        f"{model._meta.app_label}/{model._meta.model_name}"
        for model, admin in site._registry.items()
        if isinstance(admin, logs.LogAdmin)
    }
    assert found == set(LOGS)
