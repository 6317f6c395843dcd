"""The try-out's mail server: keeps each mail as a file and delivers none."""

from __future__ import annotations

import os
import time
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """Listens on a port of this machine; the name of a file sorts by the moment of arrival."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        folder.mkdir(parents=True, exist_ok=True)
        self._count = 0
        self._controller = Controller(self, hostname="127.0.0.1", port=port)

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self._count += 1
        name = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.getpid()}-{self._count:06d}.eml"
        # Written under another name first: whoever lists the folder sees whole mails only.
        draft = self.folder / f".{name}"
        draft.write_bytes(b"X-Recipients: " + ", ".join(envelope.rcpt_tos).encode() + b"\r\n" + content)
        draft.replace(self.folder / name)
        return "250 OK"
