"""What the floors below announce concerns cases, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from orgs.signals import user_erased
from processes.services import erase

if TYPE_CHECKING:
    from orgs.models import User


@receiver(user_erased, dispatch_uid="processes.forget_person")
def forget_person(sender: Any, *, user: User, **_: Any) -> None:
    """Nobody works on cases any more who is erased."""
    erase.person(user)
