"""Fixtures of every test. Servers, database and browser here; people and places in `tests/factories.py`."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from script.browser import CHROMIUM_FLAGS, find_chromium
from script.embedded import S3, Clamd, ServerError
from script.embedded.s3 import BUCKET
from tests.gateway import HOST, Gateway
from tests.servers import MailSink, Servers, eventually, is_local, keep_prepared
from tests.tables import times_emptied, truncate_all

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django import DjangoDbBlocker

_servers = Servers()
# Resolves when everything that moves and will ever stop has stopped.
_SETTLE = """
() => Promise.allSettled(
    document.getAnimations()
        .filter(animation => animation.effect?.getComputedTiming().endTime < Infinity)
        .map(animation => animation.finished)
)
"""
_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# All rules run; but for what passed, axe works out no selector and no excerpt, and 300 kB of it stay in the browser.
_AXE_RUN = """
options => axe.run(document, { ...options, resultTypes: ["violations"] }).then(({ violations }) => violations)
"""
_ATOMS_OF_A_TEST = 1  # the transaction that is undone after it, where none is open already
# Where templates of parts of a page lie: fields, the frame, what is included many times.
_PARTS = ("django/forms/", "admin/widgets/", "admin/includes/", "unfold/", "components/")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the servers, then let the settings load: they read the servers' URLs from the environment.

    That is why DJANGO_SETTINGS_MODULE is set here and not in pyproject.toml, where pytest-django would load the
    settings before any of our code runs.
    """
    if config.option.help or config.option.version:
        return
    if not _servers.worker:
        _servers.start_shared()
        if getattr(config.option, "tx", None):
            return  # the controller of a parallel run executes no test; its workers inherit the environment
    _servers.start_own()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    from django.conf import settings

    logging.getLogger("mail.log").setLevel(logging.WARNING)  # every line of SMTP that the sink hears
    settings._setup()  # now, so that pytest-django, whose turn is next, finds them and sets Django up


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Spare the collector of garbage what lives as long as the process: it would walk it again and again.

    Looking every 700 objects, Python's default, was a tenth of the suite's time, of pages with large forms a quarter.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins at once, beside everything else, instead of being waited for at the end."""
    items.sort(key=lambda item: item.get_closest_marker("minutes") is None)


def pytest_unconfigure() -> None:
    """Stop what this process started, after its last test."""
    _servers.stop()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """This process's database, copied from the migrated template; Django makes none itself.

    Django cleans up after a transactional test with TRUNCATE, which the app role may not: the owner does it.
    """
    from django.db import connections
    from django.test import TransactionTestCase

    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        _servers.create_database()
        # Before it, too: the cast of the tests without transactions may already stand in the database.
        patch.setattr(TransactionTestCase, "_fixture_setup", classmethod(lambda cls: truncate_all()))
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: truncate_all())
        keep_prepared(patch)
        yield
        connections.close_all()


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Whatever a test opens stays on this machine."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(call: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
        def guard(self: socket.socket, address: Any) -> Any:
            if not is_local(address):
                raise OSError(f"Tests have no network: refused a connection to {address!r}.")
            return call(self, address)

        return guard

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(connect))
        patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_context_of_parts() -> Iterator[None]:
    """Django's test client copies the context of each template of a page: not for the hundreds of parts of a form."""
    from django.test import client

    keep = client.store_rendered_templates

    def keep_of_pages(
        store: dict[str, Any], signal: Any, sender: Any, template: Any, context: Any, **more: Any
    ) -> None:
        if not (template.name or "").startswith(_PARTS):
            keep(store, signal, sender, template, context, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "store_rendered_templates", keep_of_pages)
        yield


@pytest.fixture(autouse=True)
def _see_everywhere() -> Iterator[None]:
    """See `tests/everywhere.py`."""
    from tests.everywhere import everywhere

    with everywhere():
        yield


@pytest.fixture(autouse=True)
def _steady_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The codes of authenticator apps stand still during a test, in the middle of their 30 seconds."""
    from orgs.services import second_factor

    middle = time.time() // second_factor.STEP * second_factor.STEP + second_factor.STEP / 2
    monkeypatch.setattr(second_factor, "now", lambda: middle)


@pytest.fixture
def smtp() -> Iterator[MailSink]:
    """A real mail server: `.messages`, `.to(address)`, `.replies`, `.stop()` and `.start()`, `.url`."""
    sink = MailSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def inside(settings: Any) -> None:
    """Companies may name mail servers of this machine, as those of the tests are."""
    settings.INSIDE_HOSTS = ["127.0.0.1", "localhost"]


@pytest.fixture
def gateway(tmp_path: Path, settings: Any) -> Iterator[Gateway]:
    """A real SMS gateway, which the installation allows although it stands inside: `.texts`, `.replies`, `.url`."""
    server = Gateway(tmp_path)
    server.start()
    settings.SMS_CA_FILE, settings.INSIDE_HOSTS = str(server.ca_file), [HOST]
    yield server
    server.stop()


@pytest.fixture
def broker() -> Iterator[Any]:
    """This process's Valkey, to stop (and start again) under a test. It is running again after the test."""
    if _servers.valkey is None:
        pytest.skip("REDIS_URL names a server that a test may not stop")
    yield _servers.valkey
    if not _servers.valkey.running:
        _servers.valkey.start()


@pytest.fixture(scope="session")
def _s3_server() -> Iterator[S3]:
    """One S3 server per process, from the first test that asks: it takes four seconds and 125 MB."""
    server = S3(_servers.folder, name=f"s3-{_servers.worker or 'single'}")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3(_s3_server: S3, settings: Any) -> Iterator[S3]:
    """A real S3 server, empty, as the storage of this test; it may be stopped and started. Afterwards it runs again."""
    with contextlib.closing(_s3_server.client()) as client:
        for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=entry["Key"])
        for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()):
            client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    settings.STORAGE_URL = _s3_server.url
    yield _s3_server
    if not _s3_server.running:
        _s3_server.start()


@pytest.fixture(scope="session")
def _clamd_server() -> Iterator[Clamd]:
    try:
        server = Clamd(_servers.folder, name=f"clamd-{_servers.worker or 'single'}")
    except ServerError as error:
        pytest.skip(str(error))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clamd(_clamd_server: Clamd, settings: Any) -> Iterator[Clamd]:
    """A real virus scanner that knows the EICAR test file; it may be stopped, killed and started. Then it runs again."""
    settings.CLAMAV_URL = _clamd_server.url
    yield _clamd_server
    if not _clamd_server.running:
        _clamd_server.start()


@pytest.fixture
def worker(live_server: Any, smtp: MailSink, settings: Any, tmp_path: Path) -> Iterator[None]:
    """A real Celery worker on this process's database and broker, sending through `smtp`.

    Links in mails lead to the live server.
    """
    from config.celery import app

    settings.PUBLIC_URL = live_server.url
    app.control.purge()  # what tests before this one have left in the queue
    log = tmp_path / "worker.log"
    environment = {**os.environ, "PUBLIC_URL": live_server.url, "EMAIL_URL": smtp.url}
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-P", "solo", "--without-mingle", "-l", "INFO"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        if not eventually(lambda: b" ready." in log.read_bytes(), seconds=60):
            raise ServerError(f"The worker does not start:\n{log.read_text()}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
    assert process.returncode == 0, log.read_text()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser per process."""
    from playwright.sync_api import sync_playwright

    # Playwright's synchronous API keeps an event loop in this thread, and Django would refuse its database there.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def console() -> list[str]:
    """What the browser complained about. A test that expects a complaint takes it out of the list."""
    return []


@pytest.fixture
def page(chromium: Browser, live_server: Any, console: list[str]) -> Iterator[Page]:
    """A page of a fresh browser on the live server, German, desktop-sized. Complaints in the console fail the test."""
    context = chromium.new_context(base_url=live_server.url, locale="de-DE", timezone_id="Europe/Berlin")
    context.set_default_timeout(10_000)
    page = context.new_page()

    def complain(error: Exception) -> None:
        # "Transition was skipped/aborted …": the browser gave up fading to the next page because the machine was slow.
        if not str(error).startswith("Transition was "):
            console.append(str(error))

    page.on("console", lambda message: console.append(message.text) if message.type == "error" else None)
    page.on("pageerror", complain)
    yield page
    context.close()
    assert not console


@pytest.fixture
def axe() -> Callable[..., None]:
    """`axe(page)` fails with every accessibility finding of the page as it stands."""
    source = _AXE.read_text(encoding="utf-8")

    def check(page: Page, **options: Any) -> None:
        # Evaluated by the browser's debugger, so the page's content policy does not stand in its way.
        page.evaluate(source + "\n; true")
        page.evaluate(_SETTLE)  # half faded in, a text has half its contrast
        violations = page.evaluate(_AXE_RUN, options)
        findings = [
            f"{found['id']} ({found['impact']}): {found['help']}\n"
            + "\n".join(f"    {' '.join(map(str, node['target']))}: {node['html'][:160]}" for node in found["nodes"])
            for found in violations
        ]
        assert not findings, "\n".join(findings)

    return check


@pytest.fixture(scope="session")
def _session_cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> tuple[int, bytes]:
    """The cast, committed once per process: making it anew for each test would be half of the suite's time.

    Gives a copy of it, and how often the tables had been emptied by then.
    """
    from tests.cast import load, stand
    from tests.everywhere import everywhere

    with django_db_blocker.unblock(), everywhere():
        stand()
        enter_every_tenant()
        return times_emptied(), pickle.dumps(load())


def enter_every_tenant() -> None:
    """See `core.scope.enter_tenants`."""
    from core import scope
    from orgs.models import Organization

    scope.enter_tenants(Organization.objects.filter(is_tenant=True).values_list("id", flat=True))


@pytest.fixture
def cast(_session_cast: tuple[int, bytes], db: None) -> Any:
    """The cast of `tests/cast.py`; what a test changes of it is rolled back with the test.

    Asked for again where a file of tests works on rows of its own, or a transactional test has emptied the tables.
    """
    from django.db import connection

    from tests.cast import load

    enter_every_tenant()
    emptied, copy = _session_cast
    if len(connection.atomic_blocks) == _ATOMS_OF_A_TEST and emptied == times_emptied():
        return pickle.loads(copy)  # noqa: S301 - our own
    made = load()
    enter_every_tenant()  # now they may have just been made
    return made
