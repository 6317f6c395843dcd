"""The one trial of a person: 14 days from its start (ORGS-077 … 080)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict
from core.services import rows
from orgs.models import Trial
from orgs.services.tree import TRIAL

if TYPE_CHECKING:
    from orgs.models import User


def of(user: User) -> Trial | None:
    """The person's trial, running or over; reading never starts one (ORGS-078)."""
    return Trial.objects.filter(user=user).first()


def is_running(trial: Trial) -> bool:
    """Within 14 days of its start (ORGS-077)."""
    return trial.started_at + TRIAL > timezone.now()


def start(user: User) -> Trial:
    """Begin it. Raises `Conflict` for a second one, ever (ORGS-079). Side effect: audit."""
    try:
        return rows.create(Trial, user=user, started_at=timezone.now())
    except rows.Taken as error:
        raise Conflict(_("You have had your trial already."), code="trial_used") from error
