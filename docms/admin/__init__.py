"""Documents in the back office: the tree, the papers, the circles, who has read what, and the settings."""

from __future__ import annotations

from django.contrib.admin import AdminSite

from core.models import DestructionRecord
from docms.admin.documents import DocumentAdmin
from docms.admin.folders import FolderAdmin
from docms.admin.groups import GroupAdmin
from docms.admin.installation import InstallationSettingsAdmin
from docms.admin.logs import DocumentLogAdmin, ReadMarkAdmin
from docms.admin.retention import DestructionRecordAdmin
from docms.admin.tenant_settings import OrganizationSettingsAdmin
from docms.models import Document, DocumentLog, Folder, Group, ReadMark
from orgs.models import InstallationSettings, OrganizationSettings


def register(site: AdminSite) -> None:
    """The nouns of this floor."""
    site.register(Folder, FolderAdmin)
    site.register(Document, DocumentAdmin)
    site.register(Group, GroupAdmin)
    site.register(DocumentLog, DocumentLogAdmin)
    site.register(ReadMark, ReadMarkAdmin)
    site.register(DestructionRecord, DestructionRecordAdmin)
    site.register(OrganizationSettings, OrganizationSettingsAdmin)
    site.register(InstallationSettings, InstallationSettingsAdmin)
