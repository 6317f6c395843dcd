"""A mail server hands over one mail: `… | manage.py take_mail help+token@example.com`."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tickets.services import mailboxes

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Exit codes as mail servers know them: 0 taken (or refused, and noted), 67 no such mailbox, 75 try again later."""

    help = "Take one mail from standard input into the mailbox of its recipients. For pipes of mail servers."
    requires_system_checks = ()  # type: ignore[assignment]

    def add_arguments(self, parser: CommandParser) -> None:
        """The envelope."""
        parser.add_argument("recipients", nargs="+", help="addresses it was sent to, as the mail server knows them")

    def handle(self, *args: Any, **options: Any) -> None:
        """See the module."""
        try:
            is_taken = mailboxes.hand_over(sys.stdin.buffer, options["recipients"])
        except Exception:  # whatever it is: the mail stays with the mail server, which asks again
            log.exception("a mail could not be taken")
            sys.exit(os.EX_TEMPFAIL)
        if not is_taken:
            sys.exit(os.EX_NOUSER)
