"""Updates of the installation: what is known, asking anew, and having one installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.response import Response

from core.problems import Problem
from docms.api.base import DocmsView
from docms.api.errors import Error, operation
from docms.api.fields import MomentField, object_field
from orgs.services import updates

if TYPE_CHECKING:
    from rest_framework.request import Request


_TEXT = {"type": "string"}


class UpdateInfo(serializers.Serializer):
    """What is installed, and what is newer."""

    installed = object_field({"version": {**_TEXT, "description": "Version in use."}})
    available = object_field(dict.fromkeys(("version", "channel", "release_date", "changelog"), _TEXT), nullable=True)


class UpdateInstall(serializers.Serializer):
    """When."""

    install_date = MomentField(
        allow_null=True, days=True, help_text="Future moment to start the installation; null starts right away."
    )


class Updates(DocmsView):
    """`/updates`."""

    @operation(
        "getUpdateInfo", tag="Updates", summary="Read installed and available version",
        description="Uses the result of the latest check.", gives=UpdateInfo, refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The operator only."""
        self.require_operator()
        return Response({"installed": {"version": settings.VERSION}, "available": updates.available()})


class CheckUpdates(DocmsView):
    """`/updates/check`."""

    @operation(
        "checkForUpdates", tag="Updates", summary="Check for updates now",
        description="Asks the updater and passes its status code on, so further codes than listed may occur.",
        gives={
            200: OpenApiResponse(description="Done; no body."),
            "default": OpenApiResponse(Error, description="Status code handed through from the updater."),
        },
        refusals=(401, 403),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """The operator only (DOCMS-178). No transaction is open while the updater is asked."""
        self.require_operator()
        with self.between_units():
            outcome = updates.check()
        if outcome.problem:
            return self.refuse(Problem(outcome.status, "updater", outcome.problem))
        return Response(status=outcome.status)


class InstallUpdate(DocmsView):
    """`/updates/install`."""

    @operation(
        "scheduleUpdate", tag="Updates", summary="Start or schedule the installation of an update",
        description="Null starts at once; a later call replaces the date.",
        takes=UpdateInstall, refusals=(400, 401, 403, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """The operator only (DOCMS-179)."""
        self.require_operator()
        updates.schedule(self.body(UpdateInstall)["install_date"])
        return Response()
