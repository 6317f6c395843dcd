"""The Chromium that journeys and screenshots drive."""

from __future__ import annotations

import os
import shutil

from script.embedded import ServerError
from script.embedded.debian import found_or_installed

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
    if found := found_or_installed(_installed, "chromium"):
        return found
    raise ServerError("No Chromium found: install one (Debian: apt-get install chromium) or name it in CHROMIUM.")


def _installed() -> str | None:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)
