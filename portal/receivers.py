"""What the floors below announce concerns what people see, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from orgs.signals import user_erased
from portal.services import erase

if TYPE_CHECKING:
    from orgs.models import User


@receiver(user_erased, dispatch_uid="portal.forget_person")
def forget_person(sender: Any, *, user: User, **_: Any) -> None:
    """Notifications go with the account."""
    erase.person(user)
