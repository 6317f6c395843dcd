"""B4: one upload to 5,000 recipients in two languages, through web, broker, worker and a local mail server.

Answer times of the upload; mails a second from the answer to the last mail, with one worker and with two, against
`smtplib` that builds and sends the same messages over one connection; and what arrives when the worker is killed ten
times on the way: nobody without mail, nobody with two. `script/bench b4 -- 1000` takes another number of recipients,
`-- 5000 kill` or `-- 5000 rate` measures one half only.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import smtplib
import sys
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from email import policy
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from typing import TYPE_CHECKING

from script.benches import _residents
from script.benches._stack import HEADERS, Stack, Web, free_port, median, table, wait_for

if TYPE_CHECKING:
    from docms.models import Folder
    from script.embedded import Child

ROUNDS = 3
KILLS = 10
LEASE = 15  # seconds; production's are 300, and nobody wants to watch that ten times
SENDER = "haus@quartier.bench"


@dataclass
class Bench:
    """What the measures share."""

    stack: Stack
    web: Web
    folder: Folder
    token: str
    port: int
    arrived: Path
    count: int
    answers: list[float] = field(default_factory=list)  # milliseconds

    def upload(self) -> tuple[int, float]:
        """One document for everybody; its id, and seconds until the answer."""
        boundary = uuid.uuid4().hex
        parts = (
            ("metadata", "", json.dumps({"folder_id": self.folder.pk, "title": f"Rundschreiben {boundary[:8]}"})),
            ("content", '; filename="rundschreiben.txt"', f"Sehr geehrte Damen und Herren, {boundary}\n" * 100),
        )
        body = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
            for name, more, value in parts
        )
        connection = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=60)
        headers = {
            **HEADERS,
            "Authorization": f"Bearer {self.token}",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        }
        begin = time.perf_counter()
        connection.request("POST", "/docms/api/v1/files", f"{body}--{boundary}--\r\n".encode(), headers)
        answer = connection.getresponse()
        data = answer.read()
        seconds = time.perf_counter() - begin
        assert answer.status == 200, data
        connection.close()
        return int(json.loads(data)["file_id"]), seconds

    def mails(self) -> int:
        """How many have arrived."""
        with self.arrived.open("rb") as file:
            return sum(1 for _line in file)

    def await_mails(self, count: int, *, seconds: float, child: Child | None = None) -> None:
        """Until so many have arrived."""
        wait_for(lambda: self.mails() >= count, f"not {count} mails", seconds=seconds, pause=0.02, child=child)

    def through_the_house(self) -> float:
        """Mails a second from the upload's answer to the last mail."""
        before = self.mails()
        _document, seconds = self.upload()
        self.answers.append(seconds * 1000)
        begin = time.perf_counter()
        self.await_mails(before + self.count, seconds=600)
        return self.count / (time.perf_counter() - begin)

    def by_library(self) -> float:
        """Mails a second of `smtplib` with the messages of the last upload."""
        letters = self._letters()
        begin = time.perf_counter()
        with smtplib.SMTP("127.0.0.1", self.port) as smtp:
            for subject, text, html, to, message_id in letters:
                mail = MIMEMultipart("alternative", policy=policy.SMTP)
                mail["Subject"], mail["From"], mail["To"], mail["Message-ID"] = subject, SENDER, to[0], message_id
                mail.attach(MIMEText(text, "plain", "utf-8"))
                mail.attach(MIMEText(html, "html", "utf-8"))
                smtp.sendmail(SENDER, to, mail.as_bytes())
        return len(letters) / (time.perf_counter() - begin)

    def _letters(self) -> list[tuple[str, str, str, list[str], str]]:
        from core import scope
        from messaging.models import Message

        with scope.unit_of_work(door="command"), scope.all_tenants():
            rows = Message.objects.order_by("-id")[: self.count]
            return list(rows.values_list("subject", "body_text", "body_html", "to_emails", "message_id"))


def main() -> None:
    """One run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    port = free_port()
    with Stack(mail=f"smtp://127.0.0.1:{port}", more={"OUTBOX_LEASE_SECONDS": str(LEASE)}) as stack:
        arrived = stack.folder / "arrived"
        stack.python("sink", "script.benches._sink", str(port), arrived)
        wait_for(arrived.exists, "the mail server does not start")
        house = _residents.build(count, ("de", "pl"))
        folder = _residents.folder_of(house, "Rundschreiben", mail_after_upload_enable=True)
        token = _residents.token_of(house.admin, house.tenant)
        bench = Bench(stack, stack.web(), folder, token, port, arrived, count)
        if only != "kill":
            rates(bench)
        if only != "rate":
            kills(bench)


def _warm_up(bench: Bench) -> None:
    """Both web workers have served, before anything is timed: to nobody, in a folder without mails."""
    from core import scope
    from docms.models import Folder

    with scope.unit_of_work(door="command", tenants=[bench.folder.tenant_id]):
        folder = Folder.objects.filter(pk=bench.folder.pk)
        folder.update(mail_after_upload_enable=False)
    worker = bench.stack.worker("worker-warm")
    for _upload in range(8):
        document, _seconds = bench.upload()
    wait_for(lambda: _announced(document), "the worker does not start", child=worker)
    worker.stop(patience=60)
    with scope.unit_of_work(door="command", tenants=[bench.folder.tenant_id]):
        folder.update(mail_after_upload_enable=True)


def _announced(document_id: int) -> bool:
    from core import scope
    from docms.models import Document

    with scope.unit_of_work(door="command"), scope.all_tenants():
        return Document.objects.filter(pk=document_id, notified_at__isnull=False).exists()


def _worker(bench: Bench, name: str) -> Child:
    """One that takes tasks: how long Python takes to start is no matter of mails."""
    from config.celery import app

    worker = bench.stack.worker(name)
    wait_for(
        lambda: app.control.ping(destination=[f"{name}@bench"], timeout=0.5), f"{name} does not start", child=worker
    )
    return worker


def rates(bench: Bench) -> None:
    """One worker, the library, two workers, in turns."""
    _warm_up(bench)
    one: list[float] = []
    two: list[float] = []
    bare: list[float] = []
    for _round in range(ROUNDS):
        first = _worker(bench, "worker-1")
        one.append(bench.through_the_house())
        bare.append(bench.by_library())
        second = _worker(bench, "worker-2")
        two.append(bench.through_the_house())
        for child in (first, second):
            child.stop(patience=60)
    lines = [
        (name, f"{median(rates):.0f}", f"{min(rates):.0f}–{max(rates):.0f}", f"{median(rates) / median(bare):.2f}")
        for name, rates in (("smtplib, one connection", bare), ("one worker", one), ("two workers", two))
    ]
    print(
        f"upload answered: median {median(bench.answers):.0f} ms, slowest {max(bench.answers):.0f} ms (target 300 ms)"
    )
    table(("way", "mails/s", "range", "ratio"), lines)


def kills(bench: Bench) -> None:
    """Ten times the worker is killed with all its children; another one starts.

    The first time while it writes the mails into the outbox, so that the next run of `docms.release_documents` (every
    five minutes) has to do it; then while mails go out.
    """
    chance = random.Random(4)  # noqa: S311 - when to kill
    before = bench.mails()
    bench.stack.beat()
    document, _seconds = bench.upload()
    for kill in range(KILLS):
        worker = bench.stack.worker(f"worker-kill-{kill}")
        if kill == 0:
            wait_for(lambda: _writing(bench), "the worker writes no mails", pause=0.01, child=worker)
        else:
            share = before + bench.count * kill // (KILLS + 1)
            bench.await_mails(share, seconds=900, child=worker)
            time.sleep(chance.uniform(0, 0.5))
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
    bench.stack.worker("worker-last")
    wait_for(lambda: not _waiting(document), "some mails still wait", seconds=900, pause=1)
    ids: dict[str, list[str]] = defaultdict(list)
    for line in bench.arrived.read_text().splitlines()[before:]:
        message_id, address = line.split()
        ids[address].append(message_id)
    doubled = sum(1 for found in ids.values() if len(set(found)) > 1)
    repeated = sum(len(found) - 1 for found in ids.values())
    lost = bench.count - len(ids)
    print(
        f"killed {KILLS} times: {lost} lost, {doubled} doubled, {repeated} repeated with the same Message-ID",
        flush=True,
    )
    assert (lost, doubled) == (0, 0)


def _writing(bench: Bench) -> bool:
    """Whether somebody inserts mails right now."""
    found = bench.stack.postgres.psql(
        "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE 'INSERT INTO \"messaging_message%'"
    )
    return int(found) > 0


def _waiting(document_id: int) -> int:
    from core import scope
    from messaging.models import Message

    with scope.unit_of_work(door="command"), scope.all_tenants():
        ours = Message.objects.filter(recipients__document_id=document_id)
        return ours.exclude(state__in=("sent", "failed", "bounced")).count() or not ours.exists()


if __name__ == "__main__":
    main()
