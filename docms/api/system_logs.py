"""The system log: clients report what went wrong, the operator reads and clears it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from core.api import plain_body
from core.errors import Denied, NotFound
from core.models import SystemLog as SystemLogRow
from core.services import rows, system_log
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import MomentField, NullableTextField, TextField, moment, text
from docms.api.versions import LIMIT, OFFSET, window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.request import Request

ENTRIES_MAX = 50


class SystemLogCreate(serializers.Serializer):
    """An error that a client noticed."""

    category = TextField(max_length=50, help_text="Area the error belongs to; unknown ones count as 'frontend'.")
    action = TextField(max_length=100, help_text="What was being done, for example sending mail.")
    stacktrace = NullableTextField(
        required=False, max_length=system_log.LIMIT, help_text="Full trace, or null when there is none."
    )


def reports(**values: Any) -> serializers.ListSerializer[Any]:
    """Several at once."""
    return serializers.ListSerializer(child=SystemLogCreate(), min_length=1, max_length=ENTRIES_MAX, **values)


class SystemLog(serializers.Serializer):
    """Entry of the system log."""

    systemlog_id = serializers.IntegerField(help_text="Entry id.")
    user_id = serializers.IntegerField(allow_null=True, help_text="Affected user, if any.")
    tenant_id = serializers.IntegerField(allow_null=True, help_text="Affected tenant, if any.")
    created = MomentField(help_text="Moment of the entry.")
    category = serializers.CharField(help_text="Area.")
    action = serializers.CharField(help_text="Action.")
    stacktrace = serializers.CharField(allow_null=True, help_text="Trace; secrets are removed before storing.")


class SystemLogs(DocmsView):
    """`/systemlogs`."""

    json_body_limit = ENTRIES_MAX * (system_log.LIMIT + 1000) * 6  # a character may be written as six

    @operation(
        "createSystemLogs", tag="Logs", summary="Report errors",
        description="Stores errors noticed by a client; user, tenant and time are set by the server.",
        takes=reports(), gives=SystemLog(many=True),
        refusals=(400, 401, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Open to every member (DOCMS-166); secrets in them are masked (DOCMS-167)."""
        form = reports(data=plain_body(request, many=True))
        form.is_valid(raise_exception=True)
        entries = system_log.report_of_client(
            user_id=cast("int", self.actor.user_id),
            tenant_id=self.tenant.pk,
            reports=[{"stacktrace": "", **report} for report in form.validated_data],
        )
        return Response(self.written(entries))

    @operation(
        "listSystemLogs", tag="Logs", summary="List system log entries",
        description="Newest first. Without it the delete call could not be used.",
        gives=SystemLog(many=True), refusals=(400, 401, 403), parameters=(OFFSET, LIMIT),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The operator only, entries of every tenant (DOCMS-166)."""
        require_operator(self)
        return Response(self.written(SystemLogRow.objects.visible_to(self.actor).order_by("-id")[window(request)]))

    def written(self, entries: Iterable[SystemLogRow]) -> list[dict[str, Any]]:
        """Entries as the contract writes them."""
        return [
            {
                "systemlog_id": entry.pk,
                "user_id": entry.user_id,
                "tenant_id": entry.tenant_id,
                "created": moment(entry.created_at, self.tenant.zone),
                "category": entry.category,
                "action": entry.action,
                "stacktrace": text(entry.stacktrace),
            }
            for entry in entries
        ]


class OneSystemLog(DocmsView):
    """`/systemlogs/{systemlogId}`."""

    @operation(
        "deleteSystemLog", tag="Logs", summary="Delete a system log entry", description="Removes a handled entry.",
        refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, systemlog_id: int) -> Response:
        """The operator only (DOCMS-166)."""
        require_operator(self)
        entry = SystemLogRow.objects.visible_to(self.actor).filter(pk=systemlog_id).first()
        if entry is None:
            raise NotFound
        rows.delete(entry)
        return Response()


def require_operator(view: DocmsView) -> None:
    """Raise `Denied` for everybody else."""
    if not view.actor.is_operator:
        raise Denied(_("Only the operator may do this."))
