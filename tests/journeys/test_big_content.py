"""Big and hostile content against the real web server: its memory stays flat, its worker stays alive.

``BIG_UPLOAD_MIB=2048`` sends two gibibytes where CI sends 300 MiB.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import struct
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core import preview_process, tasks
from core.models import Blob, Upload
from core.services import blobs
from core.storage import storage
from docms.models import Document
from tests.core.material import archive
from tests.core.test_tus import TUS, Browser, piece
from tests.docms.door import b64
from tests.docms.door import signed_in as called_by
from tests.portal.pages import documents_url, house_folder, paper, signed_in
from tests.servers import ROOT
from tests.web import MIB, Web, noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from docms.models import Folder
    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory of a process is read from /proc")

SIZE = int(os.environ.get("BIG_UPLOAD_MIB", "300")) * MIB
PIECE = 16 * MIB
GROWTH = 200 * MIB  # what a request may cost


@pytest.fixture(scope="module")
def _web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    server = Web(folder, STORAGE_URL=f"file://{folder}/files", UPLOAD_LIMIT=str(2100 * MIB))
    for path in ("/app/login", "/admin/login/", "/docms/api/v1/files"):
        server.post(path, {}, b"", "GET")  # the first requests load the house, which takes 70 MiB
    yield server
    server.stop()


@pytest.fixture
def web(_web: Web, settings: Any) -> Web:
    """The server; an upload may have 2 GiB and a bit. This process reads its storage."""
    settings.STORAGE_URL = f"file://{_web.log.parent}/files"
    return _web


@pytest.fixture
def where(cast: Cast) -> Folder:
    return house_folder(cast)


def sha256_of(chunks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def stored_sha256(blob: Blob) -> str:
    """What really lies in the storage."""
    with blobs.open_blob(blob) as file:
        return sha256_of(iter(lambda: file.read(MIB), b""))


# --- Memory -----------------------------------------------------------------------------------------------


@on_linux
def test_a_resumable_upload_costs_no_memory(cast: Cast, web: Web) -> None:
    browser = Browser(web.url, cast.admin)
    seed = os.urandom(64)
    made = browser.create(SIZE, folder="/admin/uploads/", filename="plan.bin", tenant=str(cast.tenant.pk))
    url, pieces = made.headers["Location"], iter(noise(SIZE, seed))

    def send() -> None:
        for offset in range(0, SIZE, PIECE):
            body = b"".join(chunk for _, chunk in zip(range(PIECE // MIB), pieces, strict=False))
            assert browser.patch(url, body, headers=piece(offset)).status_code == 204

    assert web.growth(send) < GROWTH
    assert browser.head(url, headers=TUS).headers["Upload-Offset"] == str(SIZE)
    blob = Upload.objects.get().blob
    assert blob is not None
    assert (blob.size, stored_sha256(blob)) == (SIZE, sha256_of(noise(SIZE, seed)))


def objects() -> set[str]:
    return {name for folder in ("blobs", "tmp", "parts") for name, _at in storage().names(folder)}


def multipart(where: Folder, size: int, seed: bytes) -> tuple[dict[str, str], Iterator[bytes]]:
    """Headers and body of an upload whose content is made while it is sent."""
    head = (
        '--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n' + f'{{"folder_id": {where.pk}}}'
        '\r\n--b\r\nContent-Disposition: form-data; name="content"; filename="plan.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    tail = b"\r\n--b--\r\n"

    def body() -> Iterator[bytes]:
        yield head
        yield from noise(size, seed)
        yield tail

    length = str(len(head) + size + len(tail))
    return {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": length}, body()


@on_linux
def test_a_multipart_upload_costs_no_memory(cast: Cast, web: Web, where: Folder) -> None:
    seed = os.urandom(64)
    headers, body = multipart(where, SIZE, seed)
    headers["Authorization"] = f"Bearer {called_by(cast.admin, cast.tenant).token}"
    answers = []
    assert web.growth(lambda: answers.append(web.post("/docms/api/v1/files", headers, body))) < GROWTH
    assert answers[0][0] == 200, answers
    blob = Document.objects.get().current.blob  # type: ignore[union-attr]
    assert (blob.size, stored_sha256(blob)) == (SIZE, sha256_of(noise(SIZE, seed)))


@on_linux
def test_an_upload_beyond_the_limit_is_refused_before_it_is_read(cast: Cast, web: Web, where: Folder) -> None:
    headers, body = multipart(where, 2200 * MIB, b"x")
    headers["Authorization"] = f"Bearer {called_by(cast.admin, cast.tenant).token}"
    sent = []

    def counted() -> Iterator[bytes]:
        for chunk in body:
            sent.append(len(chunk))
            yield chunk

    answers: list[tuple[int, bytes]] = []
    before = objects()

    def post() -> None:
        try:
            answers.append(web.post("/docms/api/v1/files", headers, counted()))
        except ConnectionResetError:
            answers.append((413, b""))  # it hung up before we had heard why

    assert web.growth(post) < 20 * MIB
    assert answers[0][0] == 413
    assert sum(sent) < 100 * MIB  # what the line held when the server hung up
    announced = Browser(web.url, cast.admin).create(
        2200 * MIB, folder="/admin/uploads/", filename="plan.bin", tenant=str(cast.tenant.pk)
    )
    assert (announced.status_code, announced.json()["code"]) == (413, "too_large")
    assert not Document.objects.exists()
    assert objects() == before


@on_linux
def test_base64_of_50_mib_costs_no_memory(cast: Cast, web: Web, where: Folder) -> None:
    content = os.urandom(50 * MIB)
    head = f'{{"folder_id": {where.pk}, "filename": "plan.bin", "file_data": "'.encode()
    body = head + base64.b64encode(content) + b'"}'
    token = called_by(cast.admin, cast.tenant).token
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Authorization": f"Bearer {token}"}
    answers = []
    grown = web.growth(lambda: answers.append(web.post("/docms/api/v1/files", headers, body)))
    assert grown < 50 * MIB
    assert answers[0][0] == 200, answers
    document = Document.objects.get()
    assert stored_sha256(document.current.blob) == hashlib.sha256(content).hexdigest()  # type: ignore[union-attr]

    path, headers = f"/docms/api/v1/files/{document.pk}/download", {"Authorization": f"Bearer {token}"}
    answers.clear()
    assert web.growth(lambda: answers.append(web.post(path, headers, b"", "GET"))) < 50 * MIB
    assert answers[0][1].endswith(base64.b64encode(content)[-1000:] + b'"}')


@on_linux
def test_json_beyond_its_doors_limit_is_refused_before_it_is_read(cast: Cast, web: Web) -> None:
    body = b'{"name": "' + b"x" * (90 * MIB) + b'"}'
    token = called_by(cast.admin, cast.tenant).token
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Authorization": f"Bearer {token}"}
    answers: list[tuple[int, bytes]] = []

    def post() -> None:
        try:
            answers.append(web.post("/docms/api/v1/folders", headers, body))
        except ConnectionResetError:
            answers.append((413, b""))  # it hung up before we had heard why

    assert web.growth(post) < 20 * MIB
    assert answers[0][0] == 413


# --- Pictures that explode --------------------------------------------------------------------------------


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))


def png_bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """2.5 thousand million pixels in black and white; the rows pack to nothing."""
    packer, packed = zlib.compressobj(9), []
    row = bytes(1 + width // 8)
    for _ in range(height // 100):
        packed.append(packer.compress(row * 100))
    packed.append(packer.flush())
    head = struct.pack("!IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", b"".join(packed)) + _chunk(b"IEND", b"")


def gif_bomb() -> bytes:
    """65,535 pixels each way, said in 26 bytes."""
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0xF0, 0, 0)
        + b"\0\0\0\xff\xff\xff"
        + (b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x4c\x01\x00;")
    )


def webp_bomb() -> bytes:
    """16,384 pixels each way, all of one colour: five codes of one symbol, so a pixel takes no bit."""
    bits, length = 0, 0
    for value, width in ((16_383, 14), (16_383, 14), (0, 1), (0, 3), (0, 3), *([(0b0001, 4)] * 5)):
        bits |= value << length
        length += width
    data = b"\x2f" + bits.to_bytes(-(-length // 8), "little")
    data += bytes(len(data) % 2)
    return b"RIFF" + struct.pack("<I", 12 + len(data)) + b"WEBPVP8L" + struct.pack("<I", len(data)) + data


def tiff_bomb() -> bytes:
    """65,000 pixels each way, of which the file holds none."""
    tags = [(256, 4, 1, 65_000), (257, 4, 1, 65_000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    tags += [(277, 3, 1, 1), (278, 4, 1, 65_000), (279, 4, 1, 4_225_000_000)]
    directory = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + directory + bytes(4)


BOMBS: dict[str, Callable[[], bytes]] = {"png": png_bomb, "gif": gif_bomb, "webp": webp_bomb, "tiff": tiff_bomb}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_picture_bomb_gets_no_preview_and_harms_nobody(cast: Cast, where: Folder, kind: str) -> None:
    content = BOMBS[kind]()
    assert len(content) < 2 * MIB
    document = paper(cast, where, content=content, filename=f"bild.{kind}")
    blob = document.current.blob  # type: ignore[union-attr]
    assert (blob.mime, blob.preview_state) == (f"image/{kind}", "pending")
    tasks.make_preview(blob.pk)
    blob.refresh_from_db()
    assert blob.preview_state in ("none", "broken")
    assert blob.preview_key is None
    assert signed_in(cast.renter).get(documents_url(cast, f"?doc={document.pk}")).status_code == 200


_MEASURED = """
import sys
from core import preview_process
preview_process.main("picture", *sys.argv[1:])
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


def drawn(content: bytes, folder: Path) -> tuple[str, int]:
    """What the drawing process says of a picture, and the bytes of memory that it needed."""
    source = folder / "source"
    source.write_bytes(content)
    command = [sys.executable, "-c", _MEASURED, str(source), str(folder / "target")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    word, kibibytes = re.fullmatch(r"([a-z]+?)(\d+)\n", done.stdout).groups()  # type: ignore[union-attr]
    return word, int(kibibytes) * 1024


@on_linux
@pytest.mark.parametrize("kind", BOMBS)
def test_a_picture_bomb_is_not_unpacked(tmp_path: Path, kind: str) -> None:
    word, memory = drawn(BOMBS[kind](), tmp_path)
    assert word in ("none", "broken")
    assert memory < 100 * MIB


@on_linux
def test_a_large_picture_is_drawn_within_the_memory_of_its_process(tmp_path: Path) -> None:
    """What the bombs are measured against: this one is unpacked."""
    word, memory = drawn(png_bomb(6_000, 6_000), tmp_path)
    assert word == "ready"
    assert 100 * MIB < memory < preview_process.MEMORY


@on_linux
@pytest.mark.parametrize("kind", ["png", "gif"])
def test_a_picture_bomb_as_logo_leaves_the_server_alone(cast: Cast, web: Web, kind: str) -> None:
    content = BOMBS[kind]()
    token = called_by(cast.admin, cast.tenant).token
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = f'{{"login_logo": "{b64(content)}"}}'.encode()
    path = f"/docms/api/v1/users/{cast.renter.pk}"
    answers = []

    def post() -> None:
        answers.append(web.post(path, headers | {"Content-Length": str(len(body))}, body, "PUT"))

    assert web.growth(post) < 50 * MIB
    assert answers[0][0] in (200, 400), answers
    assert web.post("/healthz", {}, b"", "GET")[0] == 200


# --- Names that lie ---------------------------------------------------------------------------------------


def test_a_zip_named_pdf_is_a_zip(cast: Cast, where: Folder) -> None:
    content = archive(brief=b"Haus" * 100)
    api = called_by(cast.admin, cast.tenant)
    made = api.ok(
        "POST",
        "/files",
        {"folder_id": where.pk, "filename": "brief.pdf", "file_data": f"data:application/pdf;base64,{b64(content)}"},
    )
    document = Document.objects.get(pk=made["file_id"])
    blob = document.current.blob  # type: ignore[union-attr]
    assert (document.filename, document.mime, blob.mime) == ("brief.pdf", "application/zip", "application/zip")
    assert blob.preview_state == "none"
    renter = signed_in(cast.renter)
    assert renter.get(f"/app/documents/{document.pk}/read").status_code == 415
    called_by(cast.renter, cast.tenant).refused("GET", f"/files/{document.pk}/read", 415)
    saved = renter.get(f"/app/documents/{document.pk}/download")
    assert saved["Content-Type"] == "application/zip"
    assert saved["Content-Disposition"].startswith("attachment")
    assert saved["X-Content-Type-Options"] == "nosniff"
    assert saved.getvalue() == content
    page = renter.get(documents_url(cast, f"?doc={document.pk}")).content.decode()
    assert f"/app/documents/{document.pk}/read" not in page


def test_a_zip_named_png_is_no_logo(cast: Cast) -> None:
    before = Blob.objects.count()
    file = SimpleUploadedFile("logo.png", archive(brief=b"Haus"), content_type="image/png")
    page = signed_in(cast.admin).post(
        f"/admin/orgs/organizationsettings/{cast.tenant.settings.pk}/change/", {"new_logo": file}
    )
    assert page.status_code == 200  # the form again, with the reason
    assert Blob.objects.count() == before
