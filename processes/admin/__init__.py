"""Cases in the back office: their kinds and stages, and the cases."""

from __future__ import annotations

from django.contrib.admin import AdminSite

from processes.admin.cases import ProcessAdmin
from processes.admin.kinds import ProcessStageAdmin, ProcessTypeAdmin
from processes.models import Process, ProcessStage, ProcessType


def register(site: AdminSite) -> None:
    """The nouns of this floor."""
    site.register(Process, ProcessAdmin)
    site.register(ProcessType, ProcessTypeAdmin)
    site.register(ProcessStage, ProcessStageAdmin)
