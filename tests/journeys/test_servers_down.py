"""Mail server or broker down: pages and answers come as always, what was meant to follow waits, and comes once.

Down is either stopped, where a connection is refused, or silent, where it is taken and never answered.
"""

from __future__ import annotations

import datetime
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from core import scope
from core.models import Blob, JobRun
from core.services import rate, wake
from docms.models import Document, Folder
from messaging.models import Message
from orgs.models import Community, ImportRun, Invite
from orgs.services import contacts, occupancies
from tests.docms.door import signed_in as called_by
from tests.factories import pdf
from tests.messaging.helpers import make_due
from tests.portal.pages import house_folder, sent, signed_in
from tests.servers import MailSink, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)

REGISTER = b"community_ref;unit_ref;contact_ref;last_name;role\nQ;1;K1;Quast;renter\n"
AT_ONCE = 5.0  # seconds for a request
# What the scheduler does from time to time.
JOBS = ("docms.release_documents", "messaging.sweep", "orgs.catch_up_imports", "core.catch_up_previews")
MAILS = Counter(
    {
        "owner@quartier.test": 2,
        "renter@quartier.test": 3,
        "additional@quartier.test": 2,
        "nele@post.test": 1,
    }
)


@pytest.fixture
def where(cast: Cast) -> Folder:
    """A folder of house A whose people are told of new papers; Nele Neu has moved into A3 and has no account."""
    with scope.unit_of_work(door="test"):
        nele = contacts.create_contact(tenant=cast.tenant, first_name="Nele", last_name="Neu", email="nele@post.test")
        occupancies.move_in(contact=nele, unit=cast.unit_a3, role="renter", first=datetime.date(2024, 1, 1))
    return house_folder(cast, mail_after_upload_enable=True)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture(autouse=True)
def awake(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process believes in its broker, whatever tests before have done to it; and requests are counted."""
    settings.DOCMS_RATE_LIMIT = 1200
    monkeypatch.setattr(wake._broker, "silent_until", 0.0)
    monkeypatch.setattr(rate._server, "silent_until", 0.0)
    monkeypatch.setattr(rate._server, "is_lost", False)


# --- What people do ---------------------------------------------------------------------------------------


def upload(cast: Cast, where: Folder) -> None:
    """A program puts a paper in."""
    called_by(cast.admin, cast.tenant).upload(where.pk, pdf("Heizkosten"), filename="api.pdf")
    assert Document.objects.get(filename="api.pdf").notified_at is None


def publish(cast: Cast, where: Folder) -> None:
    """The administrator drops a paper onto the upload page."""
    client = signed_in(cast.admin)
    handle = sent(client, cast.tenant.pk, "office.pdf", pdf("Hausgeld"))
    response = client.post("/admin/docms/document/upload/", {"folder": where.pk, "upload": handle})
    assert response["Location"] == f"/admin/docms/document/?folder__id__exact={where.pk}"
    assert Document.objects.get(filename="office.pdf").notified_at is None


def invite(cast: Cast, where: Folder) -> None:
    """The whole house is invited."""
    response = signed_in(cast.admin).post(f"/admin/orgs/community/{cast.house_a.pk}/invite/")
    assert response.status_code == 200
    assert Invite.objects.get().email == "nele@post.test"
    assert Message.objects.filter(to_emails=["nele@post.test"]).exists()


def forget(cast: Cast, where: Folder) -> None:
    """The renter has forgotten the password."""
    response = Client().post("/app/password/forgot", {"email": "renter@quartier.test"})
    assert response.context["sent_to"] == "renter@quartier.test"
    assert Message.objects.filter(to_emails=["renter@quartier.test"]).exists()


def bring_register(cast: Cast, where: Folder) -> None:
    """The administrator uploads a register."""
    file = SimpleUploadedFile("register.csv", REGISTER)
    response = signed_in(cast.admin).post("/admin/orgs/importrun/add/", {"file": file})
    run = ImportRun.objects.get()
    assert response["Location"] == f"/admin/orgs/importrun/{run.pk}/change/"


ACTIONS = (upload, publish, invite, forget, bring_register)


def do(cast: Cast, where: Folder, *actions: Callable[[Cast, Folder], None]) -> None:
    """Each succeeds at once."""
    for action in actions:
        before = time.monotonic()
        action(cast, where)
        assert time.monotonic() - before < AT_ONCE, action


def run_jobs() -> None:
    """What the scheduler does, done by the worker, to the end."""
    before = {name: JobRun.objects.filter(name=name).count() for name in JOBS}

    def ended(name: str) -> bool:
        return JobRun.objects.filter(name=name).exclude(ended_at=None).count() > before[name]

    for name in JOBS:
        assert eventually(lambda name=name: wake.wake(name))
    for name in JOBS:
        assert eventually(lambda name=name: ended(name)), name


def arrived(smtp: MailSink) -> Counter[str]:
    return Counter(address for envelope in smtp.envelopes for address in envelope.rcpt_tos)


# --- The mail server --------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [upload, publish, invite, forget])
def test_no_request_speaks_with_the_mail_server(
    cast: Cast, where: Folder, silent: socket.socket, settings: Any, action: Callable[[Cast, Folder], None]
) -> None:
    settings.EMAIL_URL = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
    do(cast, where, action)
    with pytest.raises(BlockingIOError):
        silent.accept()
    assert set(Message.objects.values_list("state", "attempts")) <= {("queued", 0)}


@pytest.mark.usefixtures("worker")
def test_mail_waits_for_its_server_and_arrives_once(cast: Cast, where: Folder, smtp: MailSink) -> None:
    smtp.stop()
    do(cast, where, upload, publish, invite, forget)
    tried = Message.objects.filter(state="queued", attempts=1, not_before__gt=timezone.now())
    assert eventually(lambda: tried.count() == sum(MAILS.values()))
    assert {"refused" in message.error_msg for message in tried} == {True}
    run_jobs()
    assert tried.count() == sum(MAILS.values())  # nobody asks again before the time has come
    smtp.start()
    for message in tried:
        make_due(message)
    run_jobs()
    assert arrived(smtp) == MAILS
    run_jobs()
    assert arrived(smtp) == MAILS
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 2)}


# --- The broker -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_a_silent_broker_holds_up_no_request(
    cast: Cast, where: Folder, silent: socket.socket, settings: Any, action: Callable[[Cast, Folder], None]
) -> None:
    settings.CELERY_BROKER_URL = settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
    do(cast, where, action)


@pytest.mark.usefixtures("worker")
def test_what_nobody_could_be_told_of_is_found_and_done_once(
    cast: Cast, where: Folder, smtp: MailSink, broker: Any
) -> None:
    broker.stop()
    do(cast, where, *ACTIONS)
    assert set(Document.objects.values_list("notified_at", flat=True)) == {None}
    assert set(Message.objects.values_list("state", "attempts")) == {("queued", 0)}
    assert ImportRun.objects.get().state == "waiting"
    assert set(Blob.objects.filter(mime="application/pdf").values_list("preview_state", flat=True)) == {"pending"}
    renter = called_by(cast.renter, cast.tenant)
    assert renter.ok("POST", "/files/search", {"search": "Heizkosten"}) == []

    broker.start()
    Blob.objects.update(created_at=timezone.now() - datetime.timedelta(minutes=11))
    wake._broker.silent_until = 0.0
    run_jobs()
    assert eventually(lambda: arrived(smtp) == MAILS), arrived(smtp)
    run_jobs()
    assert arrived(smtp) == MAILS
    assert ImportRun.objects.get().state == "done"
    assert Community.objects.filter(identifier="Q").count() == 1
    assert set(Blob.objects.filter(mime="application/pdf").values_list("preview_state", flat=True)) == {"ready"}
    for word, name in (("Heizkosten", "api.pdf"), ("Hausgeld", "office.pdf")):
        assert renter.ok("POST", "/files/search", {"search": word}) == [Document.objects.get(filename=name).pk]
