"""The Chromium that journeys and screenshots drive."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from script.embedded import ServerError

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing beyond this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


def find_chromium() -> str:
    """CHROMIUM, or an installed one. For root on a Debian machine one gets installed, by one process at a time."""
    if found := _installed():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with (Path(tempfile.gettempdir()) / "quartier-chromium.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _installed():
                _apt("update", "-q")
                _apt("install", "-y", "-q", "--no-install-recommends", "chromium")
        if found := _installed():
            return found
    raise ServerError("No Chromium found: install one (Debian: apt-get install chromium) or name it in CHROMIUM.")


def _installed() -> str | None:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def _apt(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ServerError(f"apt-get {arguments[0]} failed: {done.stderr.strip()}")
