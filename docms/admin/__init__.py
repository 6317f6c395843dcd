"""Documents in the back office: the tree, the papers, the circles, who has read what, and the settings."""

from __future__ import annotations

from django.contrib.admin import AdminSite

from core.models import DestructionRecord
from docms.admin.documents import DocumentAdmin
from docms.admin.folders import FolderAdmin
from docms.admin.groups import GroupAdmin
from docms.admin.holds import HoldAdmin
from docms.admin.installation import InstallationSettingsAdmin
from docms.admin.labels import FolderLabelAdmin, LabelSuggestionAdmin
from docms.admin.logs import DocumentLogAdmin, ReadMarkAdmin
from docms.admin.retention import DestructionRecordAdmin
from docms.admin.tenant_settings import OrganizationSettingsAdmin
from docms.models import Document, DocumentLog, Folder, FolderLabel, Group, LabelSuggestion, ReadMark
from orgs.models import Hold, InstallationSettings, OrganizationSettings


def register(site: AdminSite) -> None:
    """The nouns of this floor."""
    site.register(Folder, FolderAdmin)
    site.register(Document, DocumentAdmin)
    site.register(FolderLabel, FolderLabelAdmin)
    site.register(LabelSuggestion, LabelSuggestionAdmin)
    site.register(Group, GroupAdmin)
    site.register(DocumentLog, DocumentLogAdmin)
    site.register(ReadMark, ReadMarkAdmin)
    site.register(Hold, HoldAdmin)
    site.register(DestructionRecord, DestructionRecordAdmin)
    site.register(OrganizationSettings, OrganizationSettingsAdmin)
    site.register(InstallationSettings, InstallationSettingsAdmin)
