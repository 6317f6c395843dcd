"""Imports outside of requests: once, all or nothing, with progress that others see; and their pages."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from core import scope
from core.errors import Conflict
from core.models import AuditEntry, JobRun
from core.services import jobs, wake
from core.storage import blob_name, storage
from orgs import tasks
from orgs.models import Community, Contact, ImportRun, Membership
from orgs.services.register import runs
from tests.portal.pages import signed_in
from tests.servers import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

HEAD = "community_ref;community;unit_ref;unit;contact_ref;last_name;role;from\n"
GOOD = HEAD + "Q;Haus Q;1;Wohnung 1;K1;Quast;renter;01.01.2024\nQ;Haus Q;2;Wohnung 2;K2;Quitt;owner;01.01.2024\n"
BAD = HEAD + "R;Haus R;1;W 1;K2;Rast;king;gestern\n"
ADD = "/admin/orgs/importrun/add/"


def file_of(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("register.csv", text.encode())


def started(cast: Cast, text: str = GOOD, **values: Any) -> ImportRun:
    """A run that waits; nobody is woken."""
    with scope.unit_of_work(door="test"):
        return runs.start(
            tenant=cast.tenant,
            file=io.BytesIO(text.encode()),
            filename="register.csv",
            user=cast.admin,
            wake_worker=False,
            **values,
        )


def state_of(run: ImportRun) -> str:
    run.refresh_from_db()
    return run.state


def elsewhere(work: Callable[[], Any]) -> Any:
    """What another connection gets, in a unit of work of its own."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            with scope.unit_of_work(door="test"):
                outcome.append(work())
        except Exception as error:
            outcome.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return outcome[0]


# --- What becomes of a run ------------------------------------------------------------------------------


def test_a_register_is_imported_and_the_run_says_whom(cast: Cast) -> None:
    run = started(cast)
    assert runs.work(run.pk)
    assert state_of(run) == "done"
    assert run.counts["created"] == {"community": 1, "building": 0, "unit": 2, "contact": 2, "occupancy": 2}
    people = Contact.objects.filter(reference_id__in=["K1", "K2"])
    assert (set(run.contacts_created), run.contacts_changed) == ({c.pk for c in people}, [])
    assert (run.attempts, run.started_at is not None, run.ended_at is not None) == (1, True, True)
    # Written in the name of whoever uploaded it, by a worker.
    entry = AuditEntry.objects.filter(object_type="orgs.contact", object_id=str(people[0].pk)).latest("id")
    assert (entry.verb, entry.user_id, entry.door) == ("imported", cast.admin.pk, "worker")
    again = started(cast, GOOD.replace("Quast", "Qualm"))
    runs.work(again.pk)
    assert state_of(again) == "done"
    assert again.contacts_changed == [Contact.objects.get(reference_id="K1").pk]


def test_a_wrong_file_is_refused_by_row_and_column_in_the_language_of_its_sender(cast: Cast) -> None:
    run = started(cast, BAD)
    runs.work(run.pk)
    assert state_of(run) == "refused"
    assert [entry[:2] for entry in run.report] == [[2, "role"], [2, "from"]]
    assert run.report[1][2].startswith("Kein Datum")
    assert not Community.objects.filter(identifier="R").exists()


def test_a_second_delivery_does_nothing(cast: Cast) -> None:
    run = started(cast)
    tasks.import_register(run.pk)
    before = (AuditEntry.objects.count(), Contact.objects.count(), state_of(run), run.ended_at)
    tasks.import_register(run.pk)
    tasks.import_register(run.pk + 1000)  # one that is gone
    assert (AuditEntry.objects.count(), Contact.objects.count(), state_of(run), run.ended_at) == before
    assert run.attempts == 1


@pytest.mark.django_db(transaction=True)
def test_one_process_works_on_a_tenant_at_a_time(cast: Cast) -> None:
    run = started(cast)
    with jobs.alone(f"orgs.import:{cast.tenant.pk}") as mine:
        assert mine
        assert elsewhere(lambda: runs.work(run.pk)) is False
        assert state_of(run) == "waiting"
    assert elsewhere(lambda: runs.work(run.pk)) is True
    assert state_of(run) == "done"


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_by_others_while_nothing_is_imported_yet(cast: Cast) -> None:
    run, seen = started(cast), []

    def look(stage: str, done: int, total: int) -> None:
        row = elsewhere(lambda: ImportRun.objects.filter(pk=run.pk).values_list("state", "stage", "rows_total").get())
        seen.append((*row, elsewhere(lambda: Community.objects.filter(identifier="Q").count())))

    runs.work(run.pk, progress=look)
    assert seen[0] == ("running", "Prüfung läuft", 2, 0)
    assert {stage for _state, stage, _total, _there in seen} >= {"Objekte", "Einheiten", "Personen", "Nutzungen"}
    assert {there for *_row, there in seen} == {0}
    assert state_of(run) == "done"


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_run_stops_and_leaves_nothing(cast: Cast) -> None:
    run = started(cast)

    def cancel(stage: str, done: int, total: int) -> None:
        if stage == "Einheiten" and elsewhere(lambda: ImportRun.objects.get(pk=run.pk).is_open):
            elsewhere(lambda: runs.cancel(run=run))

    assert runs.work(run.pk, progress=cancel)
    assert state_of(run) == "cancelled"
    assert not Community.objects.filter(identifier="Q").exists()
    assert not runs.work(run.pk)
    with pytest.raises(Conflict):
        runs.cancel(run=run)


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_worker_left_is_done_again(cast: Cast) -> None:
    """A real process that dies in the middle of the transaction."""
    run = started(cast)
    script = (
        "import os, django; django.setup()\n"
        "from orgs.services.register import runs\n"
        f"runs.work({run.pk}, progress=lambda stage, done, total: stage == 'Personen' and os._exit(9))"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    assert subprocess.run([sys.executable, "-c", script], env=environment, timeout=120).returncode == 9
    assert (state_of(run), run.stage, run.attempts) == ("running", "Personen", 1)
    assert not Community.objects.filter(identifier="Q").exists()
    assert eventually(lambda: runs.catch_up() == {"runs": 1})  # until the database has noticed
    assert (state_of(run), run.attempts) == ("done", 2)
    assert Contact.objects.filter(reference_id="K1").count() == 1


def test_a_run_that_was_interrupted_again_and_again_is_given_up(cast: Cast) -> None:
    run = started(cast)
    ImportRun.objects.filter(pk=run.pk).update(state="running", attempts=runs.ATTEMPTS)
    assert runs.catch_up() == {"runs": 1}
    assert (state_of(run), run.failure) == ("failed", "interrupted")
    assert not Community.objects.filter(identifier="Q").exists()
    assert runs.catch_up() == {"runs": 0}


def test_a_lost_file_and_an_unexpected_error_fail_clearly(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = started(cast)
    assert lost.file is not None
    storage().delete(blob_name(lost.file.storage_key))
    runs.work(lost.pk)
    assert (state_of(lost), lost.failure) == ("failed", "file_lost")
    broken = started(cast, BAD)

    def explode(*_args: Any, **_values: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(runs, "import_rows", explode)
    runs.work(broken.pk)
    assert (state_of(broken), broken.failure) == ("failed", "unexpected")


# --- Broker and worker ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_run_waits_for_the_scheduler(
    cast: Cast, broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake._broker, "silent_until", 0.0)  # and put back afterwards
    broker.stop()
    response = signed_in(cast.admin).post(ADD, {"file": file_of(GOOD)})
    run = ImportRun.objects.get()
    assert response["Location"] == f"/admin/orgs/importrun/{run.pk}/change/"
    assert run.state == "waiting"
    tasks.catch_up_imports()
    assert state_of(run) == "done"
    assert JobRun.objects.filter(name="orgs.catch_up_imports").latest("id").counts == {"runs": 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("worker")
def test_a_worker_takes_the_upload_up(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake._broker, "silent_until", 0.0)  # whatever a test before this one did to the broker
    signed_in(cast.admin).post(ADD, {"file": file_of(GOOD)})
    run = ImportRun.objects.get()
    assert eventually(lambda: state_of(run) == "done")
    assert Community.objects.filter(identifier="Q").exists()


# --- Pages ----------------------------------------------------------------------------------------------


def page_of(run: ImportRun, tail: str = "change/") -> str:
    return f"/admin/orgs/importrun/{run.pk}/{tail}"


def test_the_page_shows_a_bar_while_there_is_something_to_wait_for(cast: Cast) -> None:
    client = signed_in(cast.admin)
    client.post(ADD, {"file": file_of(GOOD)})
    run = ImportRun.objects.get()
    ImportRun.objects.filter(pk=run.pk).update(state="running", stage="Personen", rows_done=1234, rows_total=20000)
    page = client.get(page_of(run)).content.decode()
    assert "Personen: 1.234 von 20.000" in page
    assert f'hx-get="{page_of(run, "progress/")}"' in page
    assert f'<noscript><p><a href="{page_of(run)}">' in page
    fragment = client.get(page_of(run, "progress/"))
    assert 'max="20000" value="1234"' in fragment.content.decode()
    runs.work(run.pk)
    assert client.get(page_of(run, "progress/"))["HX-Refresh"] == "true"
    assert "<progress" not in client.get(page_of(run)).content.decode()


def test_the_page_says_what_came_of_it_and_leads_to_the_people(cast: Cast) -> None:
    client = signed_in(cast.admin)
    run = started(cast)
    runs.work(run.pk)
    sections = client.get(page_of(run)).context["sections"]
    assert [str(cell.text) for row in sections[1].rows for cell in row[:2]] == ["Quast", "K1", "Quitt", "K2"]
    [(_label, link)] = sections[1].links
    assert link == f"/admin/orgs/contact/?import=created-{run.pk}"
    listed = client.get(link).context["cl"].queryset
    assert set(listed) == set(Contact.objects.filter(reference_id__in=["K1", "K2"]))
    assert not client.get(f"/admin/orgs/contact/?import=changed-{run.pk}").context["cl"].queryset.exists()
    for nonsense in (f"erased-{run.pk}", "created-", "created-x", "x"):
        assert client.get("/admin/orgs/contact/", {"import": nonsense}).status_code == 200


def test_wrong_cells_are_a_table(cast: Cast) -> None:
    client = signed_in(cast.admin)
    client.post(ADD, {"file": file_of(BAD)})
    run = ImportRun.objects.get()
    runs.work(run.pk)
    [errors] = client.get(page_of(run)).context["sections"]
    assert [(row[0].text, row[1].text) for row in errors.rows] == [(2, "role"), (2, "from")]


def test_a_run_can_be_cancelled_from_its_page(cast: Cast) -> None:
    client, run = signed_in(cast.admin), started(cast)
    assert "/cancel/" in client.get(page_of(run)).content.decode()
    client.post(page_of(run, "cancel/"))
    assert state_of(run) == "cancelled"
    assert "/cancel/" not in client.get(page_of(run)).content.decode()


def test_imports_are_for_staff_of_all_communities_of_their_own_tenant(cast: Cast) -> None:
    run = started(cast)
    runs.work(run.pk)
    assert signed_in(cast.staff).post(ADD, {"file": file_of(GOOD)}).status_code == 403
    foreign = signed_in(cast.stranger)
    for tail in ("change/", "progress/", "cancel/"):
        assert foreign.get(page_of(run, tail)).status_code == 404
    assert not foreign.get(f"/admin/orgs/contact/?import=created-{run.pk}").context["cl"].queryset.exists()
    # Staff of single communities see neither the run nor, through it, people they do not look after.
    assert signed_in(cast.staff).get(page_of(run)).status_code in (403, 404)
    Membership.objects.filter(user=cast.staff).update(all_communities=True)
    assert signed_in(cast.staff).get(page_of(run)).status_code == 200
