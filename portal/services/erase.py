"""What this floor drops of somebody who is erased. Posts, comments and events stay, by "former user" (PORTAL-098)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.models import Notification, PushSubscription

if TYPE_CHECKING:
    from orgs.models import User


def person(user: User) -> None:
    """Drop notifications and the browsers that are told of them. Joins the running transaction."""
    Notification.objects.filter(user=user).delete()
    PushSubscription.objects.filter(user=user).delete()
