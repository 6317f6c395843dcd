"""The tables of document distribution."""

from docms.models.documents import Document, DocumentIndex, DocumentVersion
from docms.models.folders import Folder, FolderLabel, FolderMark, FolderTemplate, LabelSuggestion
from docms.models.groups import FolderAccess, Group, GroupMember
from docms.models.permissions import FolderMailUser, FolderPermission, MailRule, MailRuleRecipient
from docms.models.traces import DocumentHold, DocumentLog, DocumentShare, ReadMark

__all__ = [
    "Document",
    "DocumentHold",
    "DocumentIndex",
    "DocumentLog",
    "DocumentShare",
    "DocumentVersion",
    "Folder",
    "FolderAccess",
    "FolderLabel",
    "FolderMailUser",
    "FolderMark",
    "FolderPermission",
    "FolderTemplate",
    "Group",
    "GroupMember",
    "LabelSuggestion",
    "MailRule",
    "MailRuleRecipient",
    "ReadMark",
]
