"""An embedded virus scanner: ClamAV's daemon on a Unix socket, with one signature, that of the EICAR test file."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path

from script.embedded.debian import found_or_installed
from script.embedded.processes import Child, ServerError

# In two halves, or a scanner on this machine would find this file.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Eicar-Test-Signature"
MIB = 1024 * 1024
_MISSING = "No clamd found: install one (Debian: apt-get install clamav clamav-daemon)."


class Clamd:
    """A scanner with socket and log in ``folder``. It may be stopped and started again.

    Ready in 0.1 s, with 23 MB of memory: nobody downloads the real signatures. ``limit`` is the largest file in bytes.
    """

    def __init__(self, folder: Path, name: str = "clamd", *, limit: int = 4 * MIB) -> None:
        self.folder = folder
        self.socket = folder / "run" / f"{name}.sock"
        self.limit = limit
        self._data = folder / name
        self._log = folder / "log" / f"{name}.log"
        self._program = find_clamd()
        self._child: Child | None = None

    def start(self) -> None:
        """Raises `ServerError`."""
        signatures, config = self._data / "signatures", self._data / "clamd.conf"
        signatures.mkdir(parents=True, exist_ok=True)
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        (signatures / "eicar.ndb").write_text(f"{SIGNATURE}:0:*:{EICAR.hex()}\n")
        config.write_text(
            f"LocalSocket {self.socket}\nDatabaseDirectory {signatures}\nTemporaryDirectory {self._data}\nForeground yes\n"
            f"StreamMaxLength {self.limit}\nMaxFileSize {self.limit}\nMaxScanSize {2 * self.limit}\n"
            "AlertExceedsMax yes\n"
        )
        self._child = Child(
            "ClamAV", [self._program, "--foreground", f"--config-file={config}"], log=self._log, cwd=self._data
        )
        until = time.monotonic() + 30
        while not self._answers():
            if not self.running or time.monotonic() > until:
                lines = self._child.last_lines()
                self.stop()
                raise ServerError(f"ClamAV did not start:\n{lines}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self._child:
            self._child.stop()

    def kill(self) -> None:
        """As a crash would: no answer, and the socket stays."""
        if self._child:
            self._child.process.kill()
            self._child.process.wait()

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def url(self) -> str:
        """What CLAMAV_URL says to use it."""
        return f"unix://{self.socket}"

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"nPING\n")
                return connection.recv(5) == b"PONG\n"
            except OSError:
                return False


def find_clamd() -> str:
    """An installed one. For root on a Debian machine one gets installed. Raises `ServerError`."""
    if found := found_or_installed(_installed, "clamav-daemon", "clamav"):
        return found
    raise ServerError(_MISSING)


def _installed() -> str | None:
    return shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")
