"""Small disks in memory that can be filled to the last byte and get room again."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from pathlib import Path

_NEW_NAMESPACE = 0x00020000  # CLONE_NEWNS
_ROOMY = "4g"


class Disk:
    """A file system of its own at ``path``. Needs root and the right to mount; see `possible`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mount(self) -> None:
        """Empty, with much room."""
        self.path.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_ROOMY},mode=711", "tmpfs", self.path], check=True)

    def fill(self, *, but: int) -> None:
        """All room but about so many bytes is taken."""
        state = os.statvfs(self.path)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        self._size(str(used + but))

    def clear(self) -> None:
        """Much room again."""
        self._size(_ROOMY)

    def unmount(self) -> None:
        """What is on it is gone."""
        subprocess.run(["umount", "-l", self.path], check=True)

    def _size(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", self.path], check=True)


def possible() -> bool:
    """Whether this process may mount. It does so where nobody else sees it: its mounts end with it and its children."""
    if not sys.platform.startswith("linux") or os.geteuid():
        return False
    if ctypes.CDLL(None).unshare(_NEW_NAMESPACE):
        return False
    with contextlib.suppress(OSError):
        return subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True).returncode == 0
    return False
