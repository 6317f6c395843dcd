"""Every route of the docms contract that is open. One place, so that a rename touches one place."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from docms.api import (
    app_settings,
    apps,
    delivery,
    favorites,
    files,
    folders,
    groups,
    labels,
    licences,
    logs,
    notices,
    passwords,
    permissions,
    search,
    settings,
    shares,
    sign_in,
    tenants,
    test_mail,
    texts,
    updates,
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
    # Settings, tenants, licences, applications, updates, test mail.
    _route("app-settings", app_settings.App),
    _route("tenants", tenants.Tenants),
    _route("tenants/current", tenants.CurrentTenant),
    _route("tenants/<int:tenant_id>/license", licences.TenantLicense),
    _route("license", licences.CurrentLicense),
    _route("bootstrap", licences.Bootstrap),
    _route("apps", apps.Apps),
    _route("apps/<int:app_id>", apps.OneApp),
    _route("apps/<int:app_id>/keys", apps.AppKeys),
    _route("login/app", apps.AppLogin),
    _route("updates", updates.Updates),
    _route("updates/check", updates.CheckUpdates),
    _route("updates/install", updates.InstallUpdate),
    _route("test-mail", test_mail.TestMail),
    # Texts, notices and shares.
    _route("mail-templates", texts.TenantMailTemplate),
    _route("mail-templates/default", texts.DefaultMailTemplate),
    _route("folders/<int:folder_id>/mail-template", texts.FolderMailTemplate),
    _route("folders/<int:folder_id>/mail-template/share", texts.FolderShareMailTemplate),
    _route("sms-templates", texts.TenantSmsTemplate),
    _route("folders/<int:folder_id>/sms-template", texts.FolderSmsTemplate),
    _route("mail-after-upload", notices.MailRules),
    _route("mail-after-upload/<int:user_id>/<int:folder_id>", notices.OneMailRule),
    _route("folders/<int:folder_id>/mail-after-upload", notices.MailRulesOfFolder),
    _route("notifications", notices.Notifications),
    _route("files/<int:file_id>/shares", shares.Shares),
    _route("files/<int:file_id>/shares/<int:share_id>", shares.OneShare),
    _route("shares/<str:share_token>", shares.OpenShare),
    # Whatever else begins like this door is unknown in its dialect.
    re_path(r"^", UnknownPath.as_view()),  # with line breaks, too
]
