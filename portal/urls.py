"""The pages of the portal, below `/app/`. Every address can be bookmarked, shared and opened in a new tab."""

from __future__ import annotations

from django.urls import include, path

from core import tus
from portal.web import (
    api_tokens,
    archive,
    brand,
    documents,
    oauth,
    owners,
    password,
    presence,
    profile,
    register,
    second_factor,
    shares,
    sign_in,
    start,
    ticket,
    ticket_files,
    ticket_new,
    tickets,
    upload,
)

app_name = "portal"

urlpatterns = [
    path("", start.home, name="home"),
    path("login", sign_in.login, name="login"),
    path("logout", sign_in.logout, name="logout"),
    path("language", sign_in.language, name="language"),
    path("theme", sign_in.theme, name="theme"),
    path("password/forgot", password.forgot, name="password-forgot"),
    path("password/<str:token>", password.by_link, name="password-link"),
    path("invite/", register.invite, name="invite-code"),
    path("invite/<str:code>", register.invited, name="invite"),
    path("owner/<int:organization_id>/<str:token>", owners.invited, name="owner-invitation"),
    path("shares/<str:share_token>", shares.shared, name="share"),
    path("places", start.places, name="places"),
    path("presence", presence.set_presence, name="presence"),
    path("c/<int:community_id>/", start.start, name="start"),
    path("c/<int:community_id>/info/documents", documents.documents, name="documents"),
    path("c/<int:community_id>/info/documents/archive", archive.archive, name="archive"),
    path("c/<int:community_id>/info/documents/upload", upload.upload, name="upload"),
    path("uploads/", include(tus.urls(upload.DOOR, upload.tenant_of))),
    path("documents/<int:document_id>", documents.document, name="document"),
    path("documents/<int:document_id>/download", documents.download, name="download"),
    path("documents/<int:document_id>/read", documents.read, name="read"),
    path("documents/<int:document_id>/preview", documents.preview, name="preview"),
    path("documents/<int:document_id>/mark-read", documents.mark_read, name="mark-read"),
    path("documents/<int:document_id>/done", documents.set_done, name="done"),
    path("folders/<int:folder_id>/favourite", documents.set_favourite, name="favourite"),
    path("c/<int:community_id>/tickets", tickets.tickets, name="tickets"),
    path("c/<int:community_id>/tickets/new", ticket_new.choose, name="ticket-new"),
    path("c/<int:community_id>/tickets/new/other", ticket_new.freely, name="ticket-free"),
    path("c/<int:community_id>/tickets/new/<int:type_id>", ticket_new.by_type, name="ticket-form"),
    path(
        "ticket-uploads/",
        include(
            tus.urls(
                ticket_files.DOOR,
                ticket_files.tenant_of,
                "ticket-uploads",
                limit=ticket_files.LIMIT,
                accepts=ticket_files.ACCEPTED,
            )
        ),
    ),
    path("tickets/<int:ticket_id>", ticket.by_number, name="ticket-number"),
    path("tickets/<uuid:ticket_ref>", ticket.ticket, name="ticket"),
    path("tickets/<uuid:ticket_ref>/comment", ticket.comment, name="ticket-comment"),
    path("tickets/<uuid:ticket_ref>/rating", ticket.rate, name="ticket-rating"),
    path("tickets/files/<str:attachment_key>", ticket_files.read, name="ticket-file"),
    path("tickets/files/<str:attachment_key>/preview", ticket_files.preview, name="ticket-preview"),
    path("profile", profile.profile, name="profile"),
    path("profile/password", profile.change_password, name="change-password"),
    path("profile/devices/others/end", profile.end_other_devices, name="end-other-devices"),
    path("profile/devices/<int:session_id>/end", profile.end_device, name="end-device"),
    path("profile/second-factor", second_factor.enrol, name="second-factor"),
    path("profile/second-factor/codes", second_factor.renew_codes, name="recovery-codes"),
    path("profile/second-factor/remove", second_factor.remove, name="second-factor-remove"),
    path("profile/tokens", api_tokens.tokens, name="api-tokens"),
    path("profile/tokens/<int:token_id>/revoke", api_tokens.revoke, name="api-token-revoke"),
    path("profile/programs/<int:client_id>/end", oauth.end, name="program-end"),
    path("brand/<int:tenant_id>.css", brand.stylesheet, name="brand"),
    path("brand/<int:tenant_id>/logo", brand.logo, name="logo"),
    path("about/<int:tenant_id>/imprint", brand.imprint, name="imprint"),
    path("about/<int:tenant_id>/privacy", brand.privacy, name="privacy"),
]
