"""Child processes that never outlive their parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

_PR_SET_PDEATHSIG = 1


class Stoppable(Protocol):
    """Whatever takes part in an ordered stop."""

    def stop(self) -> None: ...


class ServerError(Exception):
    """A sentence for people that says what is wrong and what to do."""


class Child:
    """One child process in a session of its own, with its output in a file.

    A session of its own, because Ctrl-C in a terminal reaches the whole process group: the parent alone decides
    in which order its children stop.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path | None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        with _output(log) as output:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output is not None else None,
                env=env,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=_die_with_parent(stop_signal),  # noqa: PLW1509 - one system call, prepared before the fork
                **privileges(user),
            )

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def last_lines(self, count: int = 20) -> str:
        """The end of its output, for the person who has to find out why it died."""
        if self.log is None or not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 20_000))
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-count:])

    def stop(self, patience: float = 10.0) -> None:
        """Ask it to stop, wait, and end its whole process group when it does not."""
        if self.running:
            self.process.send_signal(self._stop_signal)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                _end_group(self.process.pid)
                self.process.wait()
        # Its own children, if any survived it.
        _end_group(self.process.pid)


def stop_all(servers: Iterable[Stoppable]) -> None:
    """Stop in reverse order of their start; one that refuses does not keep the others running."""
    failures: list[BaseException] = []
    for server in reversed(list(servers)):
        try:
            server.stop()
        except Exception as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


def privileges(user: str | None) -> dict[str, Any]:
    """Arguments of `subprocess` that run a program as ``user``, without any group of the caller."""
    if user is None:
        return {}
    import pwd

    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def unprivileged_user() -> str | None:
    """Who PostgreSQL runs as: it refuses root, so root lends it to `nobody`."""
    return "nobody" if os.geteuid() == 0 else None


@contextlib.contextmanager
def _output(log: Path | None) -> Iterator[IO[bytes] | None]:
    if log is None:
        yield None
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        yield file


def _die_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Linux: the kernel stops the child when the thread that started it dies, even by SIGKILL.

    The thread, not the process: children are therefore started from the main thread.
    """
    if not sys.platform.startswith("linux") or threading.current_thread() is not threading.main_thread():
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: the child of a fork must not load anything

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal))

    return ask


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
