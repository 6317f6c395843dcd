"""All doors. Each floor brings its own routing module."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config import health, metrics
from config.admin_site import site

handler500 = "core.outages.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/app/")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    path("app/", include("portal.urls")),
    path("oauth2/", include("portal.oauth_urls")),
    path("admin/", site.urls),
    path("api/", include("config.schema_urls")),
    path("api/v1/", include("orgs.api.urls")),
    path("docms/api/v1/", include("docms.api.urls")),
    path("support/", include("tickets.api.urls")),
]
