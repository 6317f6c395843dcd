"""A mail server that keeps count: who got which mail about which document, by Message-ID."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, defaultdict
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.controller import Controller

_LINK = re.compile(r"/app/documents/(\d+)")


class Post:
    """Accepts everything. ``pause`` seconds pass before it answers; it hangs up after ``drops`` more mails."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pause = 0.0
        self.drops = 0
        self.dropped = 0
        self.last_at = 0.0  # of a mail, on the monotonic clock
        # By document and address: Message-IDs with how often each came.
        self.got: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
        self._controller: Any = None

    def start(self) -> None:
        """Listen."""
        if self._controller is None:
            self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
            self._controller.start()

    def stop(self) -> None:
        """From now on a connection is refused."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    @property
    def repeated(self) -> int:
        """Mails that came again under the Message-ID they had: the same mail to whoever reads it."""
        return sum(count - 1 for mails in self.got.values() for count in mails.values())

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep it; then answer, late or never."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
        self.last_at = time.monotonic()
        mail: Any = message_from_bytes(content, policy=policy.default)
        text = mail.get_body(("plain",))
        found = _LINK.search(text.get_content()) if text is not None else None
        for address in envelope.rcpt_tos:
            self.got[int(found[1]) if found else 0, address][str(mail["Message-ID"])] += 1
        if self.pause:
            await asyncio.sleep(self.pause)
        if self.drops > 0:
            self.drops -= 1
            self.dropped += 1
            server.transport.abort()
        return "250 OK"
