"""Every route of the docms contract that is open. One place, so that a rename touches one place."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from docms.api import (
    delivery,
    export,
    favorites,
    files,
    folders,
    groupadmin,
    groups,
    label_suggestions,
    labels,
    logs,
    passwords,
    permissions,
    resets,
    search,
    settings,
    sign_in,
    system_logs,
    users,
    versions,
)
from docms.api.base import UnknownPath


def _route(address: str, view: Any) -> Any:
    return path(address, view.as_view())


urlpatterns = [
    _route("login", sign_in.Login),
    _route("get-tenants", sign_in.GetTenants),
    _route("select-tenant/<int:tenant_id>", sign_in.SelectTenant),
    _route("logout", sign_in.Logout),
    _route("tfa", sign_in.RequestTfaKey),
    _route("tfa/<str:tfainput>", sign_in.ActivateTfa),
    _route("tfa/<str:code>/verify", sign_in.VerifyTfaCode),
    _route("app-settings/public", settings.PublicApp),
    _route("password", passwords.ChangePassword),
    _route("password/token/<str:token>", passwords.SetPasswordByToken),
    _route("password/mail/<str:mail>", passwords.RequestPasswordMail),
    _route("tenants/current/public", settings.PublicTenant),
    _route("users", users.Users),
    _route("users/<int:user_id>", users.OneUser),
    _route("users/<int:user_id>/groups", groups.GroupsOfUser),
    _route("users/<int:user_id>/permissions", permissions.PermissionsOfUser),
    _route("users/<int:user_id>/loginlogs", logs.LoginLogs),
    _route("groups", groups.Groups),
    _route("groups/<int:group_id>", groups.OneGroup),
    _route("folders", folders.Folders),
    _route("folders/<int:folder_id>", folders.OneFolder),
    _route("folders/<int:folder_id>/files", files.FilesInFolder),
    _route("folders/<int:folder_id>/labels", labels.FolderLabels),
    _route("folders/<int:folder_id>/labels/<path:name>", labels.OneFolderLabel),
    _route("folders/<int:folder_id>/permissions", permissions.PermissionsOfFolder),
    _route("folders/<int:folder_id>/permissions/<int:user_id>", permissions.OnePermission),
    _route("folders/<int:folder_id>/permissions/<int:user_id>/effective", permissions.Effective),
    _route("files", files.Files),
    _route("files/unread", files.UnreadFiles),
    _route("files/paging", search.PageFiles),
    _route("files/search", search.SearchFiles),
    _route("files/<int:file_id>", files.OneFile),
    _route("files/<int:file_id>/read", delivery.ReadFile),
    _route("files/<int:file_id>/download", delivery.DownloadFile),
    _route("files/<int:file_id>/done/<str:donestate>", files.DoneStateOfFile),
    _route("files/<int:file_id>/mark-read", files.MarkRead),
    _route("files/<int:file_id>/versions", versions.FileVersions),
    _route("files/<int:file_id>/versions/<int:version_no>/download", versions.DownloadVersion),
    _route("files/<int:file_id>/logs", logs.FileLogs),
    _route("deleted-files", versions.DeletedFiles),
    _route("favorites", favorites.Favorites),
    _route("favorites/files", favorites.FavoriteFiles),
    _route("favorites/<int:folder_id>", favorites.OneFavorite),
    _route("maillogs", logs.MailLogs),
    _route("maillogs/errors", logs.MailErrors),
    # People: what is reset for them, group administration, system log, export, suggested labels.
    _route("users/<int:user_id>/tfa", resets.ResetTfa),
    _route("users/<int:user_id>/tfa/all-tenants", resets.ResetTfaEverywhere),
    _route("users/<int:user_id>/login-attempts", resets.ResetLoginAttempts),
    _route("users/<int:user_id>/export", export.ExportOfUser),
    _route("password/user/<int:user_id>", resets.SendPasswordMail),
    _route("groupadmin/users", groupadmin.GroupadminUsers),
    _route("groupadmin/users/<int:user_id>", groupadmin.OneGroupadminUser),
    _route("groupadmin/users/<int:user_id>/reset-password", groupadmin.GroupadminResetPassword),
    _route("groupadmin/users/<int:user_id>/reset-tfa", groupadmin.GroupadminResetTfa),
    _route("groupadmin/users/<int:user_id>/reset-attempts", groupadmin.GroupadminResetAttempts),
    _route("groupadmin/groups/<int:group_id>", groupadmin.GroupadminGroup),
    _route("label-suggestions", label_suggestions.LabelSuggestions),
    _route("label-suggestions/<path:name>", label_suggestions.OneLabelSuggestion),
    _route("systemlogs", system_logs.SystemLogs),
    _route("systemlogs/<int:systemlog_id>", system_logs.OneSystemLog),
    # Whatever else begins like this door is unknown in its dialect.
    re_path(r"^", UnknownPath.as_view()),  # with line breaks, too
]
