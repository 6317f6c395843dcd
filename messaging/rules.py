"""May-questions about mails and text messages. Each answers with a reason that a page can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import override

from core.answers import YES, Answer
from messaging.services.catalogue import KINDS
from orgs import rules

if TYPE_CHECKING:
    from orgs.models import Organization


def may_send(kind: str, tenant: Organization | None) -> Answer:
    """Whether a message of this kind may go out: not where the trial of the company is over without a booking.

    What opens an account goes out nevertheless, and what the installation sends itself (ORGS-081).
    """
    known = KINDS.get(kind)
    if tenant is None or (known is not None and known.always):
        return YES
    return rules.may_use(tenant)


def refusal(kind: str, tenant: Organization | None) -> str:
    """Why a message of this kind may not go out, for the logs: in English, as the errors of servers are; '' – it may."""
    answer = may_send(kind, tenant)
    if answer:
        return ""
    with override("en"):
        return str(answer.reason)
