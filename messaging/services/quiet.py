"""Mail servers that did not answer just now: nobody else waits for them, in whatever process. What is remembered lies in the
cache; without it each asks for itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from messaging.services.transport import MailConfig

log = logging.getLogger(__name__)

SECONDS = 50  # less than the first pause of a mail (`outbox.PAUSES`), so that each repetition asks anew


def _key(config: MailConfig) -> str:
    """Of everything that may be the reason, so that a setting that was mended is tried at once."""
    parts = (config.host, config.port, config.ssl, config.starttls, config.user, config.password, config.is_app)
    return f"mail-quiet:{salted_hmac('messaging.quiet', repr(parts), algorithm='sha256').hexdigest()}"


def said(config: MailConfig) -> str:
    """What was the matter with the server less than a minute ago; nothing where it answered."""
    try:
        return str(cache.get(_key(config)) or "")
    except Exception as error:
        log.warning("which mail servers answer is not known: %s", error)
        return ""


def remember(config: MailConfig, problem: str) -> None:
    """The server did not answer."""
    try:
        cache.set(_key(config), problem, SECONDS)
    except Exception as error:
        log.warning("which mail servers answer is not remembered: %s", error)
