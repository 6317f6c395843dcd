"""nginx as docs/deploy/nginx.conf sets it up, the real program before the real product: files, limits, what stays inside."""

from __future__ import annotations

import base64
import datetime
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.settings import base
from tests.cast import PASSWORD, load
from tests.house.test_headers import ALWAYS
from tests.ops.confine import confined, give
from tests.ops.conftest import HOST, ROOT, Process, Serve
from tests.ops.raw import Browser, ask, lasting_password
from tests.portal.pages import house_folder, paper
from tests.servers import eventually, free_port

if TYPE_CHECKING:
    from tests.cast import Cast

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
CONFIG = ROOT / "docs" / "deploy" / "nginx.conf"
CONTENT = bytes(range(256)) * 4096  # 1 MiB

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"),
    pytest.mark.django_db,
]


@dataclass
class House:
    """nginx, the product behind it, and a paper of house A."""

    port: int
    plain: int
    web: Process
    folder: Path
    cast: Cast
    document_id: int

    @property
    def access(self) -> str:
        """What nginx has written of requests."""
        return (self.folder / "access.log").read_text()

    @property
    def trouble(self) -> str:
        """What it has complained of."""
        return (self.folder / "error.log").read_text()

    def browser(self, who: str = "renter") -> Browser:
        """Signed in, through nginx."""
        browser = Browser(self.port, tls=True)
        browser.sign_in(getattr(self.cast, who))
        return browser


def certificate(folder: Path) -> None:
    """For this name, by nobody's authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now.replace(year=now.year + 1)
    )
    (folder / "fullchain.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def own_config(folder: Path, files: Path, *, plain: int, port: int, web: int) -> Path:
    """The file with this machine's ports and folders; each of them must stand in it."""
    text = CONFIG.read_text(encoding="utf-8")
    for before, after in (
        ("/tmp/", f"{folder}/tmp-"),  # noqa: S108
        ("listen 8080;", f"listen 127.0.0.1:{plain};"),
        ("listen 8443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
        ("server web:8000;", f"server 127.0.0.1:{web};"),
        ("/etc/quartier/tls/", f"{folder}/"),
        ("alias /data/files/;", f"alias {files}/;"),
        ("error_log /dev/stderr crit;", f"error_log {folder}/error.log crit;"),
        ("access_log /dev/stdout", f"access_log {folder}/access.log"),
    ):
        assert before in text, before
        text = text.replace(before, after)
    path = folder / "nginx.conf"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def proxy(writable: Path) -> Iterator[Callable[[int], tuple[Path, int, int]]]:
    """Starts nginx before a port; its folder, its TLS port, its plain port."""
    started: list[subprocess.Popen[bytes]] = []

    def start(web: int) -> tuple[Path, int, int]:
        folder = writable / "nginx"
        folder.mkdir()
        plain, port = free_port(), free_port()
        certificate(folder)
        path = own_config(folder, writable / "files", plain=plain, port=port, web=web)
        for file in (folder, *folder.iterdir()):
            give(file)
        command = [str(NGINX), "-c", str(path), "-p", str(folder), "-e", str(folder / "error.log")]
        tested = subprocess.run(confined([*command, "-t"], writable=writable), capture_output=True, text=True)
        assert tested.returncode == 0, tested.stderr
        process = subprocess.Popen(confined([*command, "-g", "daemon off;"], writable=writable))
        started.append(process)
        assert eventually(lambda: _listens(port) or process.poll() is not None, seconds=20)
        assert process.poll() is None, (folder / "error.log").read_text()
        return folder, port, plain

    yield start
    for process in started:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    try:
        return ask(port, "GET", "/readyz", tls=True).status == 404
    except OSError:
        return False


@pytest.fixture(scope="module")
def house(proxy: Callable[[int], tuple[Path, int, int]], serve: Serve, committed: None, writable: Path) -> House:
    """One for all tests of this file: they only look, or change what no other looks at."""
    cast = load()
    for who in (cast.renter, cast.admin):
        lasting_password(who)
    document = paper(cast, house_folder(cast), filename="Plan für alle.bin", content=CONTENT)
    for path in (writable / "files").rglob("*"):
        give(path)
    web = serve(SENDFILE="x-accel", TRUSTED_PROXIES="127.0.0.1/32")
    folder, port, plain = proxy(web.port)
    return House(port, plain, web, folder, cast, document.pk)


def test_a_file_is_sent_by_nginx_as_the_product_would_send_it(house: House) -> None:
    browser = house.browser()
    url = f"/app/documents/{house.document_id}/download"
    whole = browser.get(url)
    assert (whole.status, whole.body) == (200, CONTENT)
    # By nginx: asked directly, the product has nothing but the place to say.
    direct = Browser(house.web.port)
    direct.cookies = browser.cookies
    handed = direct.get(url)
    assert (handed.status, handed.body) == (200, b"")
    assert re.fullmatch(r"/_stored/blobs/\w\w/\w\w/\w{32}", handed.headers["x-accel-redirect"])
    assert "x-accel-redirect" not in whole.headers
    # With everything that keeps it from running as a page of ours.
    kept = ("content-disposition", "content-security-policy", "cache-control", "etag", "permissions-policy")
    assert {name: whole.headers.get(name) for name in kept} == {name: handed.headers[name] for name in kept}
    assert {name: whole.headers.get(name.lower()) for name in ALWAYS} == ALWAYS
    assert whole.headers["strict-transport-security"] == "max-age=31536000"
    assert "filename*=utf-8''Plan%20f%C3%BCr%20alle.bin" in whole.headers["content-disposition"]

    part = browser.get(url, Range="bytes=100-299")
    assert (part.status, part.body) == (206, CONTENT[100:300])
    assert part.headers["content-range"] == f"bytes 100-299/{len(CONTENT)}"
    assert part.headers["content-security-policy"] == whole.headers["content-security-policy"]
    continued = browser.get(url, Range="bytes=100-299", **{"If-Range": whole.headers["etag"]})
    assert (continued.status, continued.body) == (206, CONTENT[100:300])
    other = browser.get(url, Range="bytes=100-299", **{"If-Range": '"another"'})
    assert (other.status, len(other.body)) == (200, len(CONTENT))
    assert browser.get(url, Range=f"bytes={len(CONTENT)}-").status == 416

    unchanged = browser.get(url, **{"If-None-Match": whole.headers["etag"]})
    assert (unchanged.status, unchanged.body) == (304, b"")


def test_what_is_stored_is_reached_through_the_product_alone(house: House, writable: Path) -> None:
    stored = next(path for path in (writable / "files" / "blobs").rglob("*") if path.is_file())
    name = str(stored.relative_to(writable / "files"))
    browser = house.browser()
    for target in (
        f"/_stored/{name}",
        f"/_stored/../_stored/{name}",
        f"/%5fstored/{name}",
        f"//_stored/{name}",
        "/_stored/",
    ):
        assert browser.ask("GET", target).status == 404, target
    # Nor does a client's own header lead there.
    forged = ask(house.port, "GET", "/app/login", {"X-Accel-Redirect": f"/_stored/{name}"}, tls=True)
    assert forged.body != CONTENT and "text/html" in forged.headers["content-type"]


@pytest.mark.parametrize("target", ["/metrics", "/readyz", "/metrics?x", "//metrics", "/%6detrics"])
def test_the_inside_stays_inside(house: House, target: str) -> None:
    assert ask(house.port, "GET", target, {"X-Forwarded-For": "127.0.0.1"}, tls=True).status == 404


def test_it_is_alive_from_outside(house: House) -> None:
    assert ask(house.port, "GET", "/healthz", tls=True).status == 200


def test_static_files_may_be_kept_for_good_and_come_compressed(house: House) -> None:
    page = ask(house.port, "GET", "/app/login", tls=True)
    (static,) = set(re.findall(r"/static/css/base\.[0-9a-f]+\.css", page.text))
    style = ask(house.port, "GET", static, {"Accept-Encoding": "gzip"}, tls=True)
    assert style.status == 200
    assert style.headers["content-encoding"] == "gzip"
    assert style.headers["cache-control"] == "max-age=315360000, public, immutable"


def test_pages_are_not_compressed(house: House) -> None:
    """Their secrets could be guessed by their length (BREACH)."""
    for target in ("/app/login", "/docms/api/v1/app-settings/public"):
        page = ask(house.port, "GET", target, {"Accept-Encoding": "gzip, br"}, tls=True)
        assert page.status == 200
        assert "content-encoding" not in page.headers


def test_what_a_client_says_of_itself_is_overwritten(house: House) -> None:
    """The address in the log of sign-ins is the proxy's peer, whatever the headers claim."""
    from orgs.models import SignInLog

    browser = Browser(house.port, tls=True)
    browser.get("/app/login")
    claims = {
        "X-Forwarded-For": "203.0.113.66", "X-Real-IP": "203.0.113.66", "Forwarded": "for=203.0.113.66;host=evil.test",
        "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "http", "Origin": f"https://{HOST}",
        "Content-Type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    body = f"csrfmiddlewaretoken={browser.cookies['csrftoken']}&username={house.cast.renter.email}&password={PASSWORD}"
    reply = browser.ask("POST", "/app/login", claims, body.encode())
    assert reply.status == 302
    assert "evil" not in reply.headers["location"]
    assert {row.ip for row in SignInLog.objects.all()} == {"127.0.0.1"}


def test_plain_http_is_led_to_https(house: House) -> None:
    reply = ask(house.plain, "GET", "/app/login?next=/app/")
    assert (reply.status, reply.headers["location"]) == (301, f"https://{HOST}/app/login?next=/app/")


def test_a_body_that_is_too_large_is_refused_before_it_comes(house: House) -> None:
    """By the announced length: nothing is read."""
    head = {"Content-Type": "application/json", "Content-Length": str(200 * 1024**2)}
    assert ask(house.port, "POST", "/docms/api/v1/folders", head, tls=True).status == 413
    head["Content-Length"] = str(6 * 1024**3)
    assert ask(house.port, "POST", "/docms/api/v1/files", head, tls=True).status == 413


def test_limits_fit_those_of_the_product() -> None:
    text = CONFIG.read_text(encoding="utf-8")
    sizes = [int(size) * 1024**2 for size in re.findall(r"client_max_body_size (\d+)m;", text)]
    assert min(sizes) >= base.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert min(sizes) >= base.BASE64_LIMIT * 4 / 3
    assert max(sizes) > base.UPLOAD_LIMIT
    # Where uploads go, and only there, bodies stream.
    streamed = re.findall(r"location (\S+) \{[^}]*proxy_request_buffering off;", text)
    assert streamed == ["/admin/uploads/", "/app/uploads/", "/docms/api/v1/files"]
    assert text.count("proxy_request_buffering") == 3


def test_an_upload_streams_through(house: House) -> None:
    """Half of it has arrived in the product's storage while the other half is still to come: see tests/core/test_tus.py
    for the rest. Here: 8 MiB in one piece."""
    content = os.urandom(8 * 1024**2)
    browser = house.browser("admin")
    tus = {"Tus-Resumable": "1.0.0", "X-CSRFToken": browser.cookies["csrftoken"], "Origin": f"https://{HOST}"}
    name = "filename Z3Jvc3MuYmlu,tenant " + base64.b64encode(str(house.cast.tenant.pk).encode()).decode()
    made = browser.ask(
        "POST",
        "/admin/uploads/",
        {**tus, "Upload-Length": str(len(content)), "Upload-Metadata": name, "Content-Length": "0"},
    )
    assert made.status == 201, made.text
    where = re.sub(r"^https://[^/]+", "", made.headers["location"])
    sent = browser.ask(
        "PATCH", where, {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}, content
    )
    assert sent.status == 204, sent.text
    assert sent.headers["upload-offset"] == str(len(content))


def test_the_log_names_no_code_no_link_and_no_address(house: House) -> None:
    secret = "geheim-4711"
    for target in (
        f"/app/invite/{secret}", f"/app/password/{secret}", f"/docms/api/v1/password/token/{secret}",
        f"/docms/api/v1/password/mail/{secret}@quartier.test", f"/docms/api/v1/tfa/{secret}/verify",
        f"/app/login?next={secret}", f"/docms/api/v1//tfa/{secret}",
    ):  # fmt: skip
        ask(
            house.port,
            "GET",
            target,
            {"Authorization": f"Bearer {secret}", "Referer": f"https://{HOST}{target}"},
            tls=True,
        )
    house.web.stop()  # the last test of this file
    down = ask(house.port, "GET", f"/app/invite/{secret}", tls=True)
    assert down.status in (502, 504)
    assert house.access.count("***") >= 6
    assert '"GET /app/invite/***" ' in house.access
    assert secret not in house.access + house.trouble
