"""Where the try-out keeps what it keeps, and the keys that stay the same from start to start."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import subprocess
import tempfile
from pathlib import Path

from script.embedded import ServerError
from script.embedded.postgres import SOCKET_PATH_LIMIT
from script.embedded.processes import privileges, unprivileged_user

ROOT = Path(__file__).resolve().parents[2]
KEYS = ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "AUDIT_KEY")


def data_folder() -> Path:
    """`.quartier/` of the checkout, or where it links to.

    It becomes a link to a folder under /var/tmp when PostgreSQL's user cannot reach the checkout (root's home is
    closed to `nobody`) or when a socket's path would be too long. A fresh checkout has no link, and so never
    meets the data of another one that lay at the same place before.
    """
    here = ROOT / ".quartier"
    if here.is_symlink() and not here.exists():
        here.unlink()
    if not here.exists():
        if len(str(here / "run" / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT and _reachable(ROOT):
            here.mkdir()
        else:
            elsewhere = Path(tempfile.mkdtemp(prefix="quartier-", dir="/var/tmp"))
            here.symlink_to(elsewhere)
    folder = here.resolve()
    folder.chmod(0o711)  # PostgreSQL's user passes through to its own folders, nobody lists it
    return folder


class Lock:
    """One try-out per data folder. The lock goes with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "server.lock").open("a+")

    def take(self, url: str) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            raise ServerError(f"A server of this checkout is running already: {self._file.read().strip()}") from None
        self._file.truncate(0)
        self._file.write(f"{url} (process {os.getpid()})")
        self._file.flush()

    def release(self) -> None:
        """Let go; the end of the process does the same."""
        self._file.close()


def keys(folder: Path) -> dict[str, str]:
    """The secrets of this data folder, made at its first start. What it holds can only be read with them."""
    file = folder / "keys.json"
    if not file.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "AUDIT_KEY": secrets.token_urlsafe(48),
        }
        draft = folder / "keys.json.new"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
            json.dump(made, output, indent=1)
        draft.replace(file)
    kept: dict[str, str] = json.loads(file.read_text())
    return {name: kept[name] for name in KEYS}


def _reachable(folder: Path) -> bool:
    user = unprivileged_user()
    if user is None:
        return True
    return subprocess.run(["test", "-x", folder], cwd="/", **privileges(user)).returncode == 0
