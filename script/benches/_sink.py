"""An SMTP server that takes every mail and writes down its Message-ID and recipients: `-m script.benches._sink PORT FILE`."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class Log:
    """One line a mail: Message-ID, then its recipients."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", buffering=1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Written before the server says yes, so whoever got a 250 finds the line."""
        content = envelope.content or b""
        found = _ID.search(content if isinstance(content, bytes) else content.encode())
        self._file.write(f"{found.group(1).decode() if found else '-'} {' '.join(envelope.rcpt_tos)}\n")
        return "250 OK"


async def main() -> None:
    """Until it is stopped."""
    log = Log(Path(sys.argv[2]))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(log, hostname="sink"), "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
