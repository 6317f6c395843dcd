"""B3: uploads. 10,000 documents of 1 MB, one resumable upload of 5 GB, the memory of both and of the Base64 form.

The many go to ``POST /files`` as multipart, against a bare view that hashes, fsyncs and inserts one row
(`floor/uploads.py`), in turns. The big one goes to the portal in one request, as browsers send it, against one process
that reads, hashes (hashlib), writes and fsyncs the same bytes. `script/bench b3 -- 1000 1` asks for 1,000 documents and 1 GB.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

from script.benches import _residents
from script.benches._stack import HEADERS, HOST, Stack, Web, alternately, median, processor_seconds, table
from script.embedded import ServerError
from script.embedded.postgres import OWNER

MANY, SMALL, LARGE = 10_000, 1_000_000, 5_000_000_000
ROUNDS, CLIENTS = 5, 4
_TABLE = "CREATE TABLE floor_upload (key uuid PRIMARY KEY, sha256 bytea, size bigint, created_at timestamptz)"
MIB = 1024 * 1024
BASE64 = 36 * MIB  # bytes of content of the JSON form; its limit is 50 MiB
_BOUNDARY = "haus-haus-haus"
_numbers = count()


def content() -> bytes:
    """A megabyte that nobody has sent before."""
    return f"%PDF-1.4 {next(_numbers):020d}".encode().ljust(64) + _FILLING


_FILLING = os.urandom(SMALL - 64)


class Bench:
    """Stack, house and the two servers."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.house = _residents.build(4)
        self.folder = _residents.folder_of(self.house, "Eingang")
        self.token = _residents.token_of(self.house.admin, self.house.tenant)
        stack.postgres.psql(f"{_TABLE}; GRANT ALL ON floor_upload TO PUBLIC", "quartier")
        self.web = stack.web("web")
        self.floor = stack.web("floor", app="script.benches.floor.wsgi", FLOOR_DATABASE_URL=stack.postgres.url(OWNER))

    def upload(self, line: http.client.HTTPConnection) -> None:
        """One document as multipart."""
        told = json.dumps({"folder_id": self.folder.pk, "title": "Papier", "filename": "papier.pdf"})
        body = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n'
            f'{told}\r\n--{_BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="papier.pdf"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        ).encode() + content() + f"\r\n--{_BOUNDARY}--\r\n".encode()  # fmt: skip
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        made = _ask(line, "POST", "/docms/api/v1/files", body, {**self.bearer, "Content-Type": kind})
        if made["size_bytes"] != SMALL:
            raise ServerError(f"stored something else: {made}")

    def bare(self, line: http.client.HTTPConnection) -> None:
        """The floor's."""
        if _ask(line, "POST", "/uploads", content(), {})["size"] != SMALL:
            raise ServerError("the floor stored something else")

    @property
    def bearer(self) -> dict[str, str]:
        """Of the administrator."""
        return {"Authorization": f"Bearer {self.token}"}

    def many(self, web: Web, send: Any, number: int) -> tuple[float, float]:
        """So many uploads by all clients at once: how many a second, and the milliseconds of the middle one."""

        def client(share: int) -> list[float]:
            line = http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)
            took = []
            for _one in range(share):
                begin = time.perf_counter()
                send(line)
                took.append(1000 * (time.perf_counter() - begin))
            line.close()
            return took

        begin = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as clients:
            took = [ms for part in clients.map(client, [number // CLIENTS] * CLIENTS) for ms in part]
        return len(took) / (time.perf_counter() - begin), statistics.median(took)

    def base64(self, size: int) -> None:
        """One document in the JSON form."""
        body = json.dumps(
            {
                "folder_id": self.folder.pk,
                "filename": "gross.bin",
                "file_data": base64.b64encode(os.urandom(size)).decode(),
            }
        ).encode()
        line = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=120)
        made = _ask(line, "POST", "/docms/api/v1/files", body, {**self.bearer, "Content-Type": "application/json"})
        line.close()
        if made["size_bytes"] != size:
            raise ServerError(f"stored something else: {made}")

    def resumable(self, source: Path) -> float:
        """Send a file as the portal's page does; returns seconds until it is a blob."""
        from django.test import Client

        browser = Client()
        browser.force_login(self.house.admin, backend="orgs.auth.SessionBackend")
        token = "b" * 32
        head = {
            "Cookie": f"user_session={browser.cookies['user_session'].value}; csrftoken={token}", "X-CSRFToken": token,
            "Origin": f"https://{HOST}", "Tus-Resumable": "1.0.0",
        }  # fmt: skip
        told = f"filename {_b64(source.name)},folder {_b64(str(self.folder.pk))}"
        size = source.stat().st_size
        line = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=1200, blocksize=MIB)
        line.request(
            "POST", "/app/uploads/", b"", {**HEADERS, **head, "Upload-Length": str(size), "Upload-Metadata": told}
        )
        made = line.getresponse()
        made.read()
        if made.status != 201:
            raise ServerError(f"no upload: {made.status}")
        where = (
            "/" + made.headers["Location"].split("/", 3)[3]
            if "://" in made.headers["Location"]
            else made.headers["Location"]
        )
        sent = {**HEADERS, **head, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        begin = time.perf_counter()
        with source.open("rb") as file:
            line.request("PATCH", where, file, {**sent, "Content-Length": str(size)})
            answer = line.getresponse()
            answer.read()
        took = time.perf_counter() - begin
        line.close()
        if answer.status != 204 or int(answer.headers["Upload-Offset"]) != size:
            raise ServerError(f"not taken: {answer.status}")
        self._end(where.rsplit("/", 1)[1])
        return took

    def _end(self, handle: str) -> None:
        """Free the disk: the bytes are there, or this fails."""
        from core import scope
        from core.models import Upload
        from core.storage import blob_name, storage

        with scope.unit_of_work(door="command", tenants=[self.house.tenant.pk]):
            upload = Upload.objects.select_related("blob").get(handle=handle)
            assert upload.blob is not None
            if storage().size(blob_name(upload.blob.storage_key)) != upload.expected_size:
                raise ServerError("the stored bytes are others")
            storage().delete(blob_name(upload.blob.storage_key))
            blob = upload.blob
            upload.delete()
            blob.delete()


def copied(source: Path, target: Path) -> float:
    """Read, hash, write and fsync in one process; returns seconds."""
    digest = hashlib.sha256()
    begin = time.perf_counter()
    with source.open("rb") as read, target.open("wb") as written:
        while chunk := read.read(MIB):
            digest.update(chunk)
            written.write(chunk)
        written.flush()
        os.fsync(written.fileno())
    took = time.perf_counter() - begin
    target.unlink()
    return took


def main() -> None:
    """One run."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    large = int(float(sys.argv[2]) * 1e9) if len(sys.argv) > 2 else LARGE
    with Stack() as stack:
        bench = Bench(stack)
        memory(bench)
        small(bench, number)
        big(bench, large)


def memory(bench: Bench) -> None:
    """The Base64 form: as much for 36 MiB as for one."""
    for _both_workers in range(8):
        bench.base64(MIB)
    before = bench.web.peak()
    for _both_workers in range(8):
        bench.base64(BASE64)
    after = bench.web.peak()
    print(f"Base64: a web worker's most memory {before:.0f} MiB after 1 MiB, {after:.0f} MiB after 36 MiB", flush=True)


def small(bench: Bench, number: int) -> None:
    """Documents a second."""
    share = number // ROUNDS
    bench.many(bench.floor, bench.bare, 40)
    bench.many(bench.web, bench.upload, 40)
    used: list[float] = []

    def ours() -> float:
        before = processor_seconds([*bench.web.workers, *bench.stack.databases])
        rate, _ms = bench.many(bench.web, bench.upload, share)
        used.append(1000 * (processor_seconds([*bench.web.workers, *bench.stack.databases]) - before) / share)
        return rate

    theirs, mine = alternately(ROUNDS, lambda: bench.many(bench.floor, bench.bare, share)[0], ours)
    ratio = median(m / t for m, t in zip(mine, theirs, strict=True))
    table(
        ("documents of 1 MB", "a second", "of floor", "wanted", "processor ms each"),
        [
            (f"{number:,}, floor", f"{median(theirs):.0f}", "1.00", "", ""),
            (f"{number:,}, Quartier", f"{median(mine):.0f}", f"{ratio:.2f}", "≥ 0.60", f"{median(used):.1f}"),
        ],
    )
    print(f"peak memory of a web worker: {bench.web.peak():.0f} MiB", flush=True)


def big(bench: Bench, size: int) -> None:
    """Bytes a second."""
    source = bench.stack.folder / "grundriss.bin"
    with source.open("wb") as file:
        piece = os.urandom(MIB)
        for start in range(0, size, MIB):
            file.write(start.to_bytes(8, "big") + piece[8 : min(MIB, size - start)])
    target = bench.stack.files / "copy.bin"
    pairs = [(copied(source, target), bench.resumable(source)) for _round in range(3)]
    rates = [(size / c / 1e6, size / r / 1e6, c / r) for c, r in pairs]
    one, ours, ratio = (median(column) for column in zip(*rates, strict=True))
    table(
        ("one upload", "MB/s", "of one process", "wanted"),
        [
            (f"{size / 1e9:g} GB, one process", f"{one:.0f}", "1.00", ""),
            (f"{size / 1e9:g} GB, Quartier", f"{ours:.0f}", f"{ratio:.2f}", "≥ 0.60"),
        ],
    )
    print(f"peak memory of a web worker: {bench.web.peak():.0f} MiB (wanted: < 200)", flush=True)
    source.unlink()


def _ask(line: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
    line.request(method, path, body, {**HEADERS, **headers})
    answer = line.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise ServerError(f"{path}: {answer.status} {text[:300].decode(errors='replace')}")
    return json.loads(text)


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


if __name__ == "__main__":
    main()
