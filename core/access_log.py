"""gunicorn's logs without secrets. That of accesses is off unless asked for: `GUNICORN_CMD_ARGS="--access-logfile -"`.

gunicorn writes both before and beside Django, so `core.logs` does not see them. Loaded without Django's settings.
"""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger

from core.logs import mask

# Headers that hold a secret as a whole, in the spellings of gunicorn's formats.
_NEVER = ("{authorization}i", "{cookie}i", "{http_authorization}e", "{http_cookie}e", "{set-cookie}o")


def _masked(record: logging.LogRecord) -> bool:
    record.msg, record.args = mask(record.getMessage()), None
    return True


class MaskingLogger(Logger):
    """Names no code, token or address that stands in a path or in the query string (DOCMS-182)."""

    def setup(self, cfg: Any) -> None:
        """The other log, too, names addresses: of requests that fail, and at the level debug of all."""
        super().setup(cfg)
        self.error_log.addFilter(_masked)

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """What a format may show, masked."""
        shown = super().atoms(resp, req, environ, request_time)
        shown = {name: mask(value) if isinstance(value, str) else value for name, value in shown.items()}
        return shown | dict.fromkeys(_NEVER, "***")
