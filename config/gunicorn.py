"""How gunicorn serves the house: `gunicorn --config config/gunicorn.py config.wsgi`. Options of the command line win.

It also keeps the counters of `/metrics` (`core.metrics`) together: each worker writes its own files into one folder in
memory, and whichever worker is asked adds them up. The files are named by the worker's place, not by its process: a
worker that takes over from one that has served its requests goes on counting in the same files, and their number does
not grow. Read without Django.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 8
max_requests = 5000
max_requests_jitter = 500
logger_class = "core.access_log.MaskingLogger"
control_socket_disable = True  # nobody steers it from beside
# What a proxy says of the caller is read in one place, by Django: BEHIND_TLS_PROXY and TRUSTED_PROXIES. gunicorn would
# believe whoever asks from this machine, also about SCRIPT_NAME.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_own: list[str] = []  # the folder that we have made
_places: dict[Any, int] = {}  # worker → its place, from 0


def on_starting(server: Any) -> None:
    """An empty folder for the counters: that of the variable, else a new one in memory."""
    if folder := os.environ.get(_FOLDER):
        Path(folder).mkdir(parents=True, exist_ok=True)
        for old in Path(folder).glob("*.db"):
            old.unlink()
        return
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - mkdtemp makes it ours alone
    _own.append(tempfile.mkdtemp(prefix="quartier-metrics-", dir=memory))
    os.environ[_FOLDER] = _own[0]


def pre_fork(server: Any, worker: Any) -> None:
    """The first free place."""
    taken = set(_places.values())
    _places[worker] = next(place for place in range(len(taken) + 1) if place not in taken)


def post_fork(server: Any, worker: Any) -> None:
    """Before the application is loaded, and with it the first counter."""
    from prometheus_client import values

    place = _places[worker]
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]


def child_exit(server: Any, worker: Any) -> None:
    """The place is free again."""
    _places.pop(worker, None)


def on_exit(server: Any) -> None:
    """Leave nothing in memory."""
    for folder in _own:
        shutil.rmtree(folder, ignore_errors=True)
