"""B2: downloads of 10 kB, 1 MB, 10 MB and 1 GB with 64 clients, each authorised and logged.

Through the production server alone (sendfile) and through nginx with X-Accel, against nginx that serves the same files
as static ones (from 10 MB up, bytes a second) and against bare Django that does the same work by hand-written SQL
(`floor/downloads.py`; below, requests a second). Ways take turns; figures are those of the middle round. Each of the 64 clients is another
resident; they fetch one document, and 64 different ones. The processor time of each request says where it goes: into the
web workers, into PostgreSQL; the rest of the machine is nginx and wrk, which run on the same processors.
Needs nginx and wrk (Debian: apt-get install nginx-light wrk). `script/bench b2 -- 10kB 1MB` measures these sizes only.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from script.benches import _residents
from script.benches._stack import HEADERS, HOST, Stack, Web, free_port, processor_seconds, table, wait_for
from script.embedded.postgres import OWNER

CLIENTS = 64
ROUNDS = 3
SIZES = {"10kB": 10_000, "1MB": 1_000_000, "10MB": 10_000_000, "1GB": 1_000_000_000}
SECONDS = {"10kB": 6, "1MB": 6, "10MB": 8, "1GB": 12}
_BYTES = {"B": 1.0, "KB": 1024.0, "MB": 1024.0**2, "GB": 1024.0**3, "TB": 1024.0**4}

# Each thread of wrk goes round the residents and the documents, from a place of its own.
_LUA = """
local threads = 0
function setup(thread) thread:set("place", threads * 17) threads = threads + 1 end
local tokens = {{{tokens}}}
local paths = {{{paths}}}
function request()
  place = place + 1
  return wrk.format("GET", paths[place % #paths + 1], {{
    ["Authorization"] = "Bearer " .. tokens[place % #tokens + 1], ["Accept"] = "application/octet-stream",
    ["Host"] = "{host}", ["X-Forwarded-Proto"] = "https" }})
end
"""
_NGINX = """
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/log/nginx-error.log warn;
daemon off;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  default_type application/octet-stream;
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  upstream house {{ server 127.0.0.1:{house}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    location /plain/ {{ alias {files}/; }}
    location /_stored/ {{ internal; alias {files}/; }}
    location / {{
      proxy_pass http://house;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto https;
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Way:
    """One way to a document."""

    name: str
    port: int
    web: Web | None = None  # that answers, or sends nginx to the bytes


@dataclass(frozen=True)
class Figure:
    """What wrk measured, and what it cost meanwhile."""

    requests: float  # a second
    bytes: float  # a second
    web: float  # milliseconds of processor time for a request, in the workers
    database: float  # the same, in PostgreSQL


@dataclass(frozen=True)
class Papers:
    """The documents of one size."""

    ids: list[int]
    stored: str  # the path of their bytes below the folder of files


class Bench:
    """Stack, house and the four ways to a document."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.house = _residents.build(CLIENTS)
        self.folder = _residents.folder_of(self.house, "Papiere")
        self.tokens = [_residents.token_of(person, self.house.tenant) for person in self.house.residents]
        self.alone = stack.web("alone")
        self.accelerated = stack.web("accelerated", SENDFILE="x-accel")
        self.floor = stack.web("floor", app="script.benches.floor.wsgi", FLOOR_DATABASE_URL=stack.postgres.url(OWNER))
        self.nginx = self._nginx()

    def _nginx(self) -> int:
        port = free_port()
        config = self.stack.folder / "nginx.conf"
        config.write_text(
            _NGINX.format(folder=self.stack.folder, files=self.stack.files, port=port, house=self.accelerated.port)
        )
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert program, "nginx is missing: apt-get install nginx-light"
        child = self.stack.start("nginx", [program, "-c", config, "-e", self.stack.folder / "log" / "nginx.log"])
        wait_for(lambda: _status(port, "/plain/") in (403, 404), "nginx does not answer", child=child)
        return port

    def ways(self) -> list[Way]:
        """With authorisation and log."""
        return [
            Way("floor", self.floor.port, self.floor),
            Way("server alone", self.alone.port, self.alone),
            Way("nginx, X-Accel", self.nginx, self.accelerated),
        ]

    def papers(self, size: int, *, different: int) -> Papers:
        """So many documents of this size; their bytes are the same, so they lie on disk once."""
        made = [
            _residents.publish(self.house, self.folder, _content(size), f"papier-{size}.bin") for _ in range(different)
        ]
        from core import scope
        from core.storage import blob_name

        with scope.unit_of_work(door="command", tenants=[self.house.tenant.pk]):
            assert made[0].current is not None
            stored = blob_name(made[0].current.blob.storage_key)
        return Papers([document.pk for document in made], stored)

    def measure(self, way: Way, paths: list[str], seconds: int) -> Figure:
        """wrk with 64 connections. Raises `AssertionError` when an answer was none of 200."""
        script = self.stack.folder / "wrk.lua"
        quoted = [", ".join(f'"{value}"' for value in values) for values in (self.tokens, paths)]
        script.write_text(_LUA.format(tokens=quoted[0], paths=quoted[1], host=HOST))
        self.settle()
        before = self._used(way)
        done = subprocess.run(
            ["wrk", "-t2", f"-c{CLIENTS}", f"-d{seconds}s", "--timeout", "120s", "-s", script,
             f"http://127.0.0.1:{way.port}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        web, database = (after - earlier for after, earlier in zip(self._used(way), before, strict=True))
        assert "Non-2xx" not in done.stdout, f"{way.name}:\n{done.stdout}\n{self._complaints(way)}"
        answered = re.search(r"(\d+) requests in", done.stdout)
        requests = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
        transfer = re.search(r"Transfer/sec:\s*([\d.]+)([KMGT]?B)", done.stdout)
        assert answered, done.stdout
        assert requests, done.stdout
        assert transfer, done.stdout
        each = 1000 / max(1, int(answered.group(1)))
        return Figure(
            float(requests.group(1)), float(transfer.group(1)) * _BYTES[transfer.group(2)], web * each, database * each
        )

    def _complaints(self, way: Way) -> str:
        """The ends of the logs, for the person who has to find out why it refused."""
        nginx = (self.stack.folder / "log" / "nginx-error.log").read_text(errors="replace")[-4000:]
        return "\n".join([nginx, way.web.child.last_lines() if way.web else ""])

    def _used(self, way: Way) -> tuple[float, float]:
        web = processor_seconds(way.web.workers) if way.web else 0.0
        return web, processor_seconds(self.stack.databases)

    def settle(self) -> None:
        """Until nobody works any more for clients that have hung up."""
        webs = [pid for web in (self.alone, self.accelerated, self.floor) for pid in web.workers]

        def is_quiet() -> bool:
            before = processor_seconds([*webs, *self.stack.databases])
            time.sleep(0.5)
            return processor_seconds([*webs, *self.stack.databases]) - before < 0.05

        wait_for(is_quiet, "the house does not come to rest")

    def check(self, papers: Papers) -> None:
        """Whole, range, unchanged: alone and through nginx; the floor sends the same and leaves the same traces."""
        path, left = _path(papers.ids[0]), []
        wholes: list[bytes] = []
        tags: list[str] = []
        for port in (self.alone.port, self.nginx, self.floor.port):
            before = self.traces(papers.ids[0])
            whole = self.ask(port, path)
            assert whole[0] == 200
            wholes.append(whole[2])
            tags.append(whole[1]["ETag"])
            left.append([now - then for now, then in zip(self.traces(papers.ids[0]), before, strict=True)])
            assert self.ask(port, path, Authorization="Bearer nobody")[0] == 401
        assert wholes[0] == wholes[1] == wholes[2]
        assert tags[0] == tags[2]  # nginx has one of its own
        assert left == [[1, 1, 1], [1, 1, 0], [1, 1, 0]], left  # a read mark is written once
        for port, content, etag in zip((self.alone.port, self.nginx), wholes, tags, strict=False):
            part = self.ask(port, path, Range="bytes=1000-1999")
            assert part[0] == 206
            assert part[2] == content[1000:2000]
            assert part[1]["Content-Range"] == f"bytes 1000-1999/{len(content)}"
            assert part[1]["ETag"] == etag
            again = self.ask(port, path, **{"If-None-Match": etag})
            assert (again[0], again[2]) == (304, b"")
        print("checked: 200, 206, 304 and 401, alone and through nginx; the floor's answer and traces", flush=True)

    def traces(self, document_id: int) -> tuple[int, int, int]:
        """How often a document was opened by its counter and its log, and by how many people."""
        from core import scope
        from docms.models import Document, DocumentLog, ReadMark

        with scope.unit_of_work(door="command", tenants=[self.house.tenant.pk]):
            return (
                Document.objects.get(pk=document_id).access_counter,
                DocumentLog.objects.filter(document_id=document_id, action="download").count(),
                ReadMark.objects.filter(document=document_id, downloaded_at__isnull=False).count(),
            )

    def ask(self, port: int, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        """One request of the first resident."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        own = {"Authorization": f"Bearer {self.tokens[0]}", "Accept": "application/octet-stream"}
        connection.request("GET", path, headers={**HEADERS, **own, **headers})
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found


def main() -> None:
    """One run."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    names = sys.argv[1:] or list(SIZES)
    with Stack() as stack:
        bench = Bench(stack)
        bench.check(bench.papers(SIZES["10kB"], different=1))
        for name in names:
            papers = bench.papers(SIZES[name], different=CLIENTS if SIZES[name] <= SIZES["1MB"] else 1)
            if SIZES[name] <= SIZES["1MB"]:
                small(bench, name, papers)
            else:
                large(bench, name, papers)


def small(bench: Bench, name: str, papers: Papers) -> None:
    """Requests a second against the floor, of one document and of different ones."""
    lines = []
    for what, ids in (("64 documents", papers.ids), ("one document", papers.ids[:1])):
        figures = in_turns(bench, {way: [_path(number) for number in ids] for way in bench.ways()}, SECONDS[name])
        best = figures["floor"].requests
        lines += [
            (name, what, way, f"{f.requests:.0f}", f"{f.requests / best:.2f}", "" if way == "floor" else "≥ 0.50",
             f"{f.web:.1f}", f"{f.database:.1f}")
            for way, f in figures.items()
        ]  # fmt: skip
    table(("size", "of", "way", "requests/s", "of floor", "target", "ms web", "ms database"), lines)


def large(bench: Bench, name: str, papers: Papers) -> None:
    """Bytes a second against static files of nginx, and the memory of the workers."""
    own = [_path(papers.ids[0])]
    static = {Way("nginx static", bench.nginx): [f"/plain/{papers.stored}"]}
    before = _peaks(bench.alone, bench.accelerated)
    figures = in_turns(bench, static | dict.fromkeys(bench.ways(), own), SECONDS[name])
    best = figures["nginx static"].bytes
    targets = {"nginx, X-Accel": "≥ 0.90", "server alone": "≥ 0.80"}
    table(
        ("size", "way", "MB/s", "of static", "target", "ms web", "ms database"),
        [
            (name, way, f"{f.bytes / 1e6:.0f}", f"{f.bytes / best:.2f}", targets.get(way, ""), f"{f.web:.1f}",
             f"{f.database:.1f}")
            for way, f in figures.items()
        ],
    )  # fmt: skip
    after = _peaks(bench.alone, bench.accelerated)
    print(f"peak memory of a web worker: {before:.1f} MiB before, {after:.1f} MiB after", flush=True)


def in_turns(bench: Bench, ways: Mapping[Way, list[str]], seconds: int) -> dict[str, Figure]:
    """The middle one of each, by requests or bytes; the first requests of each are not counted."""
    for way, paths in ways.items():
        bench.measure(way, paths, 2)
    found: dict[str, list[Figure]] = {way.name: [] for way in ways}
    for _round in range(ROUNDS):
        for way, paths in ways.items():
            found[way.name].append(bench.measure(way, paths, seconds))
    return {name: sorted(figures, key=lambda f: f.bytes)[len(figures) // 2] for name, figures in found.items()}


def _peaks(*webs: Web) -> float:
    return max(web.peak() for web in webs)


def _path(document_id: int) -> str:
    return f"/docms/api/v1/files/{document_id}/download"


def _content(size: int) -> Iterator[bytes]:
    piece = bytes(range(256)) * 3906 + bytes(64)  # always the same: the documents share their bytes
    for start in range(0, size, len(piece)):
        yield piece[: min(len(piece), size - start)]


def _status(port: int, path: str) -> int:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0


if __name__ == "__main__":
    main()
