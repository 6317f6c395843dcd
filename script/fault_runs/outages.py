"""Servers that go away and come back while the house is under load, and disks that fill up."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from script.embedded import ServerError
from script.fault_runs.disks import Disk
from script.fault_runs.house import House
from script.fault_runs.run import Site
from script.fault_runs.table import Row
from script.fault_runs.wire import Answers, Api, NoAnswer


def postgres(site: Site, how: signal.Signals, times: int) -> Row:
    """Stopped at once (`SIGQUIT`), with goodbye to its clients (`SIGINT`) or killed; started again."""
    names = {signal.SIGQUIT: "stopped at once", signal.SIGINT: "stopped fast", signal.SIGKILL: "killed"}
    with site.fault(f"PostgreSQL {names[how]} and started") as row:
        while row.times < times:
            site.house.pause(site.random.uniform(0.5, 2.0))
            server = site.house.postgres.child.process
            server.send_signal(how)
            server.wait()
            row.times += 1
            site.house.pause(site.random.uniform(1.0, 4.0))
            _again(site.house)
            site.house.pause(1.0)
    return row


def _again(house: House) -> None:
    """A killed server's own children hold its memory for a moment."""
    for _try in range(20):
        try:
            house.postgres.start()
            return
        except ServerError:
            time.sleep(0.5)
    house.postgres.start()


def valkey(site: Site, times: int) -> Row:
    """Gone with all its messages: nothing of it is kept on disk."""
    with site.fault("Valkey stopped, its queue lost, and started") as row:
        while row.times < times:
            site.house.pause(site.random.uniform(0.5, 2.0))
            site.house.valkey.stop()
            row.times += 1
            site.house.pause(site.random.uniform(1.0, 4.0))
            site.house.valkey.start()
            site.house.pause(1.0)
    return row


def flush(site: Site, times: int) -> Row:
    """FLUSHALL: the server stays, the queue is empty."""
    import redis

    with (
        site.fault("Valkey emptied (FLUSHALL)") as row,
        contextlib.closing(redis.Redis.from_url(site.house.valkey.url)) as client,
    ):
        while row.times < times:
            site.house.pause(site.random.uniform(0.3, 1.5))
            client.flushall()
            row.times += 1
    return row


def smtp_down(site: Site, times: int) -> Row:
    """Connections are refused; mails wait and are sent once."""
    with site.fault("mail server down and up") as row:
        while row.times < times:
            site.house.pause(site.random.uniform(0.5, 1.5))
            site.house.post.stop()
            row.times += 1
            site.house.pause(site.random.uniform(2.0, 4.0))
            site.house.post.start()
    return row


def smtp_slow(site: Site, seconds: float) -> Row:
    """Each mail takes longer than usual, some longer than their lease."""
    with site.fault("mail server accepts slowly", "base64") as row:
        site.house.post.pause = 1.0
        site.house.pause(seconds)
        site.house.post.pause = 9.0
        site.house.pause(9.5)
        site.house.post.pause = 0.0
        row.times = 1
    return row


def smtp_drops(site: Site, times: int) -> Row:
    """It has taken the mail, and hangs up before it says so: the mail comes again under its Message-ID."""
    post = site.house.post
    before, repeated = post.dropped, post.repeated
    with site.fault("mail server hangs up after DATA") as row:
        post.drops = times
        site.house.until(lambda: post.drops <= 0, 60)
    row.times = post.dropped - before
    if post.repeated - repeated < row.times:
        row.problems.append(f"{row.times} mails unconfirmed, only {post.repeated - repeated} came again")
    return row


def s3_stopped(site: Site, times: int) -> Row:
    """A house whose bytes lie in a bucket; the bucket's server goes away."""
    from script.embedded.s3 import S3

    bucket = S3(site.house.folder)
    bucket.start()
    try:
        with moved(site, bucket.url), site.fault("S3 stopped and started", "base64", "multipart", "tus") as row:
            while row.times < times:
                site.house.pause(site.random.uniform(1.0, 2.0))
                bucket.stop()
                row.times += 1
                site.house.pause(site.random.uniform(2.0, 5.0))
                bucket.start()
                site.house.pause(1.0)
    finally:
        bucket.stop()
    return row


@contextlib.contextmanager
def moved(site: Site, url: str) -> Iterator[None]:
    """The house keeps its bytes elsewhere for a while, all of them."""
    house, before = site.house, site.house.env["STORAGE_URL"]
    house.restart(lambda: _copied(before, url), STORAGE_URL=url)
    try:
        yield
    finally:
        house.restart(lambda: _copied(url, before), STORAGE_URL=before)


def _copied(here: str, there: str) -> None:
    from django.conf import settings

    from core.storage import BlobStorage

    old, new = BlobStorage(here), BlobStorage(there)
    for folder in ("blobs", "previews"):
        for name, _modified in old.names(folder):
            if not new.exists(name):
                new.save(name, old.open(name))
    settings.STORAGE_URL = there


def disk_full(site: Site, times: int) -> Row:
    """The disk of the files fills up: that is told, nothing stays half, and it works when there is room again."""
    name = "disk of the files full"
    if site.disk is None:
        return Row(name, 0, "", skipped="needs root and mount")
    answers = site.journal.answers
    with site.fault(name, "base64", "multipart", "tus") as row:
        while row.times < times:
            told = answers.count[507]
            before = _temporary(site.house)  # what an earlier kill left: the daily sweep takes it
            site.disk.fill(but=1024 * 1024)
            row.times += 1
            if not site.house.until(partial(_told_full, answers, told + 2), 60):
                row.problems.append("nobody was told 507")
            row.problems += [f"a temporary file stayed: {path.name}" for path in _abandoned(site.house, before)]
            site.disk.clear()
            row.problems += _small_upload(site)
            site.house.pause(1.0)
    return row


def _told_full(answers: Answers, more_than: int) -> bool:
    return answers.count[507] > more_than


def _temporary(house: House) -> set[Path]:
    return set((house.files / "tmp").glob("*"))


def _abandoned(house: House, before: set[Path]) -> list[Path]:
    """Temporary files that do not go within a minute, as those of running uploads do."""
    there = _temporary(house) - before
    house.until(lambda: not there & _temporary(house), 60)
    return sorted(there & _temporary(house))


def database_full(site: Site, seconds: float) -> Row:
    """The disk of the database is full for a while."""
    name, house = "disk of the database full", site.house
    if site.disk is None:
        return Row(name, 0, "", skipped="needs root and mount")
    data, aside = house.postgres.data, house.folder / "postgres-aside"
    house.postgres.stop()
    data.rename(aside)
    disk = Disk(data)
    disk.mount()
    _copy(aside, data)
    _again(house)
    answers = site.journal.answers
    try:
        with site.fault(name) as row:
            disk.fill(but=128 * 1024)
            row.times = 1
            if not site.house.until(lambda: answers.count[507] + answers.count[503] > 3, 60):
                row.problems.append("nobody was told")
            site.house.pause(seconds)
            disk.clear()
            if not house.postgres.running:
                _again(house)
            site.house.pause(1.0)
    finally:
        house.postgres.stop()
        shutil.rmtree(aside)
        _copy(data, aside)
        disk.unmount()
        data.rmdir()
        aside.rename(data)
        _again(house)
    return row


def _copy(here: Path, there: Path) -> None:
    """With owners and modes."""
    there.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", f"{here}/.", there], check=True)
    shutil.copystat(here, there)
    shutil.chown(there, here.stat().st_uid, here.stat().st_gid)


def _small_upload(site: Site) -> list[str]:
    """The next small upload works."""
    api = Api(site.house.port, Answers(), site.facts.tenant)
    name = f"wortklein{time.monotonic_ns()}"
    try:
        answer = api.upload(site.facts.folders[0], f"{name}.txt", name.encode())
    except NoAnswer as error:
        return [f"a small upload afterwards had no answer: {error}"]
    return [] if answer.status == 200 else [f"a small upload afterwards: {answer.status} {answer.body[:200]!r}"]
