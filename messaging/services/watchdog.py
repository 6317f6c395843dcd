"""Ends what takes too long as a whole: the timeout of a socket begins anew with each byte that drips in."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOKS_EVERY = 0.5  # seconds


class Watchdog:
    """Watches one connection, whatever is put around its socket later. One thread, begun with the first step."""

    def __init__(self) -> None:
        self.has_cut = False
        self._socket: socket.socket | None = None
        self._until: float | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def guard(self, sock: socket.socket) -> None:
        """Watch this connection from now on. It has a handle of its own here: TLS takes the socket's away."""
        self._let_go()
        self._socket = socket.socket(fileno=os.dup(sock.fileno()))

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Cut the connection when this step takes longer; who waits for an answer is told that there is nobody."""
        self.has_cut = False
        self._until = time.monotonic() + seconds
        if self._thread is None:
            self._over.clear()
            self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
            self._thread.start()
        try:
            yield
        finally:
            self._until = None

    def close(self) -> None:
        """Watch no longer."""
        thread, self._thread = self._thread, None
        self._over.set()
        if thread is not None:
            thread.join()
        self._let_go()

    def _watch(self) -> None:
        while not self._over.wait(LOOKS_EVERY):
            until, watched = self._until, self._socket
            if until is not None and time.monotonic() > until and watched is not None and not self.has_cut:
                self.has_cut = True
                with suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        watched, self._socket = self._socket, None
        if watched is not None:
            watched.close()
