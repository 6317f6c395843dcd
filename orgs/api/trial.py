"""The caller's own trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework import serializers
from rest_framework.response import Response

from orgs.api.base import OrgsView
from orgs.api.errors import operation
from orgs.services import trials

if TYPE_CHECKING:
    from rest_framework.request import Request

    from orgs.models import Trial, User


class TrialStatus(serializers.Serializer):
    """Present state of the trial."""

    active = serializers.BooleanField()
    start = serializers.DateTimeField(allow_null=True, help_text="Null before the first start.")
    userID = serializers.IntegerField()


def _answer(user: User, trial: Trial | None) -> Response:
    is_running = trial is not None and trials.is_running(trial)
    return Response({"active": is_running, "start": trial.started_at if trial else None, "userID": user.pk})


class OwnTrial(OrgsView):
    """`/trial`."""

    @operation(
        "GetTrialStatus", tag="trial", summary="The caller's trial", description="Read-only.", gives=TrialStatus,
        refusals=(401, 403, 500),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Never starts one (ORGS-078)."""
        return _answer(self.person, trials.of(self.person))

    @operation(
        "StartTrial", tag="trial", summary="Begin the caller's trial", gives=TrialStatus, refusals=(401, 403, 409, 500)
    )
    def post(self, request: Request) -> Response:
        """Once in a life (ORGS-079)."""
        return _answer(self.person, trials.start(self.person))
