"""The product's own web server, as in production: gunicorn in a process of its own, whose memory can be read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from script.embedded import ServerError
from tests.servers import ROOT, eventually, free_port

MIB = 1024 * 1024


class Web:
    """One worker with eight threads on this process's database, broker and storage. ``settings`` are variables."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.log = folder / "web.log"
        command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}"]
        command += ["--worker-class", "gthread", "--workers", "1", "--threads", "8", "--timeout", "300"]
        command += ["--worker-tmp-dir", "/dev/shm"] if Path("/dev/shm").is_dir() else []  # noqa: S108 - as the Dockerfile
        command += ["--no-control-socket", "--logger-class", "core.access_log.MaskingLogger"]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **settings}, stdout=output, stderr=output
            )
        if not eventually(self._answers, seconds=60):
            self.stop()
            raise ServerError(f"The web server does not start:\n{self.log.read_text()}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def worker(self) -> int:
        """The process that serves. It changes when one dies."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def growth(self, work: Callable[[], object]) -> int:
        """By how many bytes the worker's memory was larger, at its peak, than before the work. Linux only."""
        worker = self.worker
        Path(f"/proc/{worker}/clear_refs").write_text("5")  # the peak starts anew
        before = self._memory(worker, "VmRSS")
        work()
        assert self.worker == worker, "the worker died"
        return self._memory(worker, "VmHWM") - before

    def post(self, path: str, headers: dict[str, str], body: Any, method: str = "POST") -> tuple[int, bytes]:
        """Send a body, bytes or an iterator of bytes of announced length, and read the answer.

        A server that refuses before it has read all hangs up; its answer is read nevertheless.
        """
        connection = HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.putrequest(method, path)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            try:
                for chunk in [body] if isinstance(body, bytes) else body:
                    connection.send(chunk)
            except (BrokenPipeError, ConnectionResetError):
                pass
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        try:
            return self.post("/healthz", {}, b"", "GET")[0] == 200
        except (OSError, HTTPException):
            return False

    def _memory(self, pid: int, name: str) -> int:
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0]) * 1024


def noise(size: int, seed: bytes = b"") -> Iterator[bytes]:
    """So many bytes, a MiB at a time, none twice in a row; nothing of them is kept."""
    block = (seed or os.urandom(64)) * (MIB // len(seed or bytes(64)) + 1)
    for number in range(-(-size // MIB)):
        head = number.to_bytes(8, "big")
        yield (head + block)[: min(MIB, size - number * MIB)]
