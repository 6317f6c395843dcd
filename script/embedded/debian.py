"""Programs that no package index brings: on a Debian machine root has them installed, by one process at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from script.embedded.processes import ServerError


def found_or_installed(find: Callable[[], str | None], *packages: str) -> str | None:
    """What ``find`` finds, at once or after the packages were installed; none where that is nobody's to do.

    Raises `ServerError` when apt-get fails.
    """
    if found := find():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with (Path(tempfile.gettempdir()) / f"quartier-{packages[0]}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not find():
                _apt("update", "-q")
                _apt("install", "-y", "-q", "--no-install-recommends", *packages)
    return find()


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
