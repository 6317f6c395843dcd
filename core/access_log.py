"""gunicorn's access log without secrets. It is off unless asked for: `GUNICORN_CMD_ARGS="--access-logfile -"`.

gunicorn writes it before and beside Django, so `core.logs` does not see it. Loaded without Django's settings.
"""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from core.logs import mask

# Headers that hold a secret as a whole, in the spellings of gunicorn's formats.
_NEVER = ("{authorization}i", "{cookie}i", "{http_authorization}e", "{http_cookie}e", "{set-cookie}o")


class MaskingLogger(Logger):
    """Names no code, token or address that stands in a path or in the query string (DOCMS-182)."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """What a format may show, masked."""
        shown = super().atoms(resp, req, environ, request_time)
        shown = {name: mask(value) if isinstance(value, str) else value for name, value in shown.items()}
        return shown | dict.fromkeys(_NEVER, "***")
