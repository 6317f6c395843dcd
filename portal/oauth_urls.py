"""OAuth: where programs of others ask for access (PORTAL-004 … 006, TICKETS-001 … 005)."""

from __future__ import annotations

from django.urls import path

from portal.web import oauth

app_name = "oauth"

urlpatterns = [
    path("authorize", oauth.authorize, name="authorize"),
    path("token", oauth.token, name="token"),
    path("revoke", oauth.revoke, name="revoke"),
]
