"""Retention in the back office: what will go, what is held, what has gone."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from core.models import DestructionRecord
from core.services import rows
from docms.models import Document, DocumentHold, DocumentVersion, Folder
from docms.services import delivery, documents, retention
from orgs.models import Hold
from tests.factories import folder, publish
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

DUE = "/admin/core/destructionrecord/due/"
LIST = "/admin/core/destructionrecord/"
DAY = datetime.timedelta(days=1)


def shown(cast: Cast, who: str = "admin") -> dict[str, tuple[str, str]]:
    """Title → when and why, of the section of what is due."""
    [due, _holds] = signed_in(getattr(cast, who)).get(DUE).context["sections"]
    return {str(row[1].text): (str(row[0].text), str(row[3].text)) for row in due.rows}


def fill(cast: Cast) -> None:
    """A paper for each reason, due in ten days, and some that are not."""
    in_ten = timezone.now() + 10 * DAY
    rows.change(cast.tenant.settings, {"delete_big_file_after_hours": 20 * 24})
    emptied = folder(cast, "Leeren", auto_delete_files=True, allow_delete_files=in_ten)
    read = folder(cast, "Lesen", file_delete_files=20)
    plain = folder(cast, "Bleiben")
    locked = folder(cast, "Gesperrt", allow_delete_files=in_ten)
    late = folder(cast, "Später", auto_delete_files=True, allow_delete_files=timezone.now() + 31 * DAY)
    for title, where in (
        ("Datum", emptied), ("Zugriff", read), ("ungelesen", read), ("Größe", plain), ("klein", plain),
        ("Abholung", locked), ("später", late),
    ):  # fmt: skip
        publish(cast, where, title=title, delete_after_next_download=title == "Abholung")
    before = timezone.now() - 10 * DAY
    Document.objects.filter(title="Zugriff").update(first_access=before)
    Document.objects.filter(title="Größe").update(created_at=before, is_big=True)
    DocumentVersion.objects.filter(document__title="Größe").update(created_at=before)
    paper = Document.objects.get(title="Abholung")
    delivery.open_for_download(document_id=paper.pk, actor=cast.actor("admin"))


@pytest.mark.rule("DOCMS-108")
def test_the_page_shows_what_the_jobs_will_delete(cast: Cast) -> None:
    fill(cast)
    found = shown(cast)
    assert set(found) == {"Datum", "Zugriff", "Größe", "Abholung"}
    assert len({reason for _when, reason in found.values()}) == 4
    day = f"{timezone.localtime(timezone.now() + 10 * DAY):%d.%m.%Y}"
    assert all(when.startswith(day) for when, _reason in found.values())
    # Eleven days later by the rows' own clocks, the jobs delete the same, but for what its own job takes away.
    span = 11 * DAY
    for moved in Folder.objects.exclude(allow_delete_files=None):
        Folder.objects.filter(pk=moved.pk).update(allow_delete_files=moved.allow_delete_files - span)  # type: ignore[operator]
    Document.objects.filter(title="Zugriff").update(first_access=timezone.now() - 21 * DAY)
    Document.objects.filter(title="Größe").update(created_at=timezone.now() - 21 * DAY)
    DocumentVersion.objects.update(created_at=timezone.now() - 21 * DAY)
    now = shown(cast)
    assert {title for title, (when, _reason) in now.items() if "20" not in when} == set(found)
    assert set(now) == {*found, "später"}
    for job in (retention.delete_by_folder_date, retention.delete_after_first_access, retention.delete_big_files):
        assert job() == {"deleted": 1, "failed": 0}
    assert set(shown(cast)) == {"Abholung", "später"}
    assert set(DestructionRecord.objects.values_list("title", flat=True)) == {"Datum", "Zugriff", "Größe"}


def test_what_is_held_is_not_due_and_the_hold_is_named(cast: Cast) -> None:
    fill(cast)
    hold = Hold.objects.create(tenant=cast.tenant, title="Rechtsstreit 7", reason="Klage", placed_by=cast.admin)
    DocumentHold.objects.create(tenant=cast.tenant, hold=hold, document=Document.objects.get(title="Datum"))
    released = Hold.objects.create(
        tenant=cast.tenant, title="Alt", reason="x", placed_by=cast.admin, unit=cast.occupancy("renter").unit,
        released_at=timezone.now(),
    )  # fmt: skip
    Hold.objects.create(tenant=cast.other_tenant, title="Fremd", reason="x", placed_by=cast.stranger)
    assert set(shown(cast)) == {"Zugriff", "Größe", "Abholung"}
    holds = signed_in(cast.admin).get(DUE).context["sections"][1]
    assert [(row[0].text, row[2].text) for row in holds.rows] == [("Rechtsstreit 7", 1)]
    assert released.title not in str(holds.rows)


def test_another_tenant_sees_nothing_of_it_and_staff_are_refused(cast: Cast) -> None:
    fill(cast)
    paper = publish(cast, folder(cast, "Weg"), title="Vertraulich")
    documents.delete_document(actor=cast.actor("admin"), document=paper)
    assert shown(cast, "stranger") == {}
    assert "Vertraulich" not in signed_in(cast.stranger).get(LIST).content.decode()
    for who in ("staff", "renter"):
        for address in (DUE, LIST):
            assert signed_in(getattr(cast, who)).get(address).status_code == 403


def test_records_are_found_by_the_day_as_it_is_written_here(cast: Cast) -> None:
    for title in ("Gestern", "Heute"):
        documents.delete_document(actor=cast.actor("admin"), document=publish(cast, folder(cast, title), title=title))
    DestructionRecord.objects.filter(title="Gestern").update(created_at=timezone.now() - DAY)
    today = f"{timezone.localtime():%d.%m.%Y}"
    page = signed_in(cast.admin).get(LIST, {"created_at_from": today, "created_at_to": today}).content.decode()
    assert "Heute" in page
    assert "Gestern" not in page


@pytest.mark.rule("DOCMS-132")
def test_records_are_listed_filtered_and_shown_with_hash_and_rule(cast: Cast) -> None:
    where = folder(cast)
    for title, reason in (("Von Hand", "manual"), ("Von selbst", "big_file")):
        paper = publish(cast, where, title=title, content=title.encode())
        documents.delete_document(
            actor=cast.actor("admin") if reason == "manual" else None, document=paper, reason=reason,
            rule={"policy": reason, "delete_big_file_after_hours": 7},
        )  # fmt: skip
    client = signed_in(cast.admin)

    def listed(query: str) -> set[str]:
        return {record.title for record in client.get(f"{LIST}?{query}").context["cl"].result_list}

    assert listed("") == {"Von Hand", "Von selbst"}
    assert listed("reason__exact=big_file") == {"Von selbst"}
    assert listed("q=Hand") == {"Von Hand"}
    record = DestructionRecord.objects.get(title="Von selbst")
    page = client.get(f"{LIST}{record.pk}/change/").content.decode()
    assert bytes(record.sha256 or b"").hex() in page
    assert "delete_big_file_after_hours" in page
    assert client.post(f"{LIST}{record.pk}/delete/", {"post": "yes"}).status_code == 403
    assert DestructionRecord.objects.count() == 2


def test_the_page_and_the_list_cost_the_same_for_one_row_and_three(cast: Cast) -> None:
    client = signed_in(cast.admin)

    def add(n: int) -> None:
        where = folder(cast, f"F{n}", auto_delete_files=True, allow_delete_files=timezone.now() + DAY)
        publish(cast, where, title=f"P{n}")
        Hold.objects.create(
            tenant=cast.tenant, title=f"H{n}", reason="x", placed_by=cast.admin, contact=cast.contact("renter")
        )
        documents.delete_document(
            actor=cast.actor("admin"), document=publish(cast, folder(cast, f"G{n}"), title=f"G{n}")
        )

    add(1)
    before = [queries_of(client, address) for address in (DUE, LIST)]
    add(2)
    add(3)
    assert len(shown(cast)) == 3
    assert [queries_of(client, address) for address in (DUE, LIST)] == before
    assert max(before) <= 20
